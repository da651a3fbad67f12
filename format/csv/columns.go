package csv

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/format"
)

// ColumnOptions are the options of CSV for tables, by Flink's names. DefaultColumnOptions are Flink's defaults.
type ColumnOptions struct {
	Delimiter         byte // 'field-delimiter'
	Quote             byte // 'quote-character'; 0: 'disable-quote-character'
	Escape            byte // 'escape-character'; 0: none
	ArrayDelimiter    string
	AllowComments     bool
	IgnoreParseErrors bool
	// Null is the unquoted text that is NULL ('null-literal'), if HasNull. Without one the empty unquoted field of a column that is no text is.
	Null    string
	HasNull bool
	// Header makes the first line of every file name the columns; HeaderIgnored passes over it. Flink has neither.
	Header, HeaderIgnored bool
}

// DefaultColumnOptions are Flink's defaults.
func DefaultColumnOptions() ColumnOptions {
	return ColumnOptions{Delimiter: ',', Quote: '"', ArrayDelimiter: ";"}
}

// Columns returns the format of CSV records whose fields are the columns, in their order. The error lists everything wrong with the fields or the
// options.
func Columns(fields []column.Field, o ColumnOptions) (format.ColumnFormat, error) {
	f := &columnFormat{fields: fields, o: o, shared: options{
		delimiter: o.Delimiter, quote: o.Quote, escape: o.Escape, null: o.Null, hasNull: o.HasNull, comments: o.AllowComments, header: o.Header,
		ignoreHeader: o.HeaderIgnored, maxRecordBytes: format.MaxRecordBytes,
	}}
	errs := []error{f.shared.check()}
	for _, c := range fields {
		if !format.HasText(c.Type) && !flat(c.Type) {
			errs = append(errs, fmt.Errorf("csv: column %s: type %s cannot be written as CSV: only simple types, and arrays and rows of them",
				c.Name, c.Type))
		}
	}
	if o.Header {
		_, err := headerLine(f.named(nil), &f.shared)
		errs = append(errs, err)
	}
	if o.ArrayDelimiter == "" {
		errs = append(errs, errors.New("csv: the delimiter of array elements is empty"))
	}
	return f, errors.Join(errs...)
}

// flat reports whether a type is an array or row of types with a text.
func flat(t column.Type) bool {
	switch t.ID {
	case column.Array:
		return format.HasText(*t.Elem)
	case column.Row:
		return !slices.ContainsFunc(t.Fields, func(f column.Field) bool { return !format.HasText(f.Type) })
	}
	return false
}

type columnFormat struct {
	fields []column.Field
	o      ColumnOptions
	shared options
}

func (f *columnFormat) Name() string             { return "csv" }
func (f *columnFormat) NewFramer() format.Framer { return newFramer(&f.shared) }
func (f *columnFormat) Separator() []byte        { return []byte{'\n'} }
func (f *columnFormat) IgnoresErrors() bool      { return f.o.IgnoreParseErrors }

// Header implements format.ColumnFormat.
func (f *columnFormat) Header() []byte {
	if !f.o.Header {
		return nil
	}
	line, _ := headerLine(f.named(nil), &f.shared) // Columns has tried it
	return line
}

// HeaderRecords implements format.ColumnFormat.
func (f *columnFormat) HeaderRecords() int {
	if f.o.Header || f.o.HeaderIgnored {
		return 1
	}
	return 0
}

// Splittable implements format.ColumnFormat: with quotes a line ending may be part of a field.
func (f *columnFormat) Splittable() bool { return f.o.Quote == 0 && f.o.Escape == 0 }

// NewColumnDecoder implements format.ColumnFormat.
func (f *columnFormat) NewColumnDecoder(fields []int) format.ColumnDecoder {
	d := &columnDecoder{format: f, fields: fields, decoder: decoder{options: f.shared, width: len(f.fields)}}
	d.place = slices.Clone(fields)
	d.columns = f.named(fields)
	return d
}

// named are the fields, or those at some places, as what the typed coders know a column by.
func (f *columnFormat) named(places []int) []structColumn {
	if places == nil {
		for i := range f.fields {
			places = append(places, i)
		}
	}
	var all []structColumn
	for _, at := range places {
		all = append(all, structColumn{name: f.fields[at].Name})
	}
	return all
}

// NewColumnEncoder implements format.ColumnFormat.
func (f *columnFormat) NewColumnEncoder() format.ColumnEncoder { return f.newEncoder() }

func (f *columnFormat) newEncoder() *columnEncoder {
	return &columnEncoder{format: f, encoder: newEncoder(f.named(nil), &f.shared)}
}

// columnDecoder reads records into columns. It shares the splitting with decoder.
type columnDecoder struct {
	decoder
	format *columnFormat
	fields []int
	texts  format.Texts
	parts  [][]byte
}

// Append implements format.ColumnDecoder.
func (d *columnDecoder) Append(record []byte, b *column.Batch) error {
	d.data = trimMark(record)
	err := d.row(b)
	d.data = nil // the record is the caller's again
	return err
}

func (d *columnDecoder) row(b *column.Batch) error {
	n, err := d.split()
	if err != nil {
		return err
	}
	if n != d.width && !(n < d.width && d.format.o.IgnoreParseErrors) {
		return d.wrongWidth(n)
	}
	for i, place := range d.place {
		v := b.Cols[i]
		if place >= n {
			v.Null()
			continue
		}
		s := &d.spans[place]
		text := d.text(s)
		if d.null(v, s, text) {
			v.Null()
			continue
		}
		if expected := d.value(v, text); expected != "" {
			v.Truncate(b.N)
			if d.format.o.IgnoreParseErrors {
				v.Null()
				continue
			}
			return d.fail(s.start, d.columns[i].name, "wrong value", expected, got(text))
		}
	}
	return nil
}

func (d *columnDecoder) null(v *column.Vector, s *span, text []byte) bool {
	if s.quoted || s.escaped {
		return false
	}
	if d.format.o.HasNull {
		return string(text) == d.format.o.Null
	}
	return len(text) == 0 && !v.Type.IsText()
}

// value appends a field's value; expected is what it should have been.
func (d *columnDecoder) value(v *column.Vector, text []byte) (expected string) {
	switch v.Store {
	case column.Lists:
		d.elements(text)
		for _, p := range d.parts {
			if expected = d.element(v.Kids[0], p); expected != "" {
				return "an array, with elements that are each " + expected
			}
		}
		v.EndList()
		return ""
	case column.Structs:
		d.elements(text)
		if len(d.parts) != len(v.Kids) {
			return "a row of " + strconv.Itoa(len(v.Kids)) + " fields separated by " + strconv.Quote(d.format.o.ArrayDelimiter)
		}
		for k, p := range d.parts {
			if expected = d.element(v.Kids[k], p); expected != "" {
				return "a row whose field " + v.Type.Fields[k].Name + " is " + expected
			}
		}
		v.One()
		return ""
	}
	return d.texts.Parse(v, text)
}

func (d *columnDecoder) element(v *column.Vector, text []byte) string {
	if d.format.o.HasNull && string(text) == d.format.o.Null || !d.format.o.HasNull && len(text) == 0 && !v.Type.IsText() {
		v.Null()
		return ""
	}
	return d.texts.Parse(v, text)
}

// elements cuts a text into the elements of an array or row; an empty text has none.
func (d *columnDecoder) elements(text []byte) {
	d.parts = d.parts[:0]
	by := d.format.o.ArrayDelimiter
	for from, i := 0, 0; len(text) > 0; i++ {
		if i+len(by) > len(text) {
			d.parts = append(d.parts, text[from:])
			return
		}
		if string(text[i:i+len(by)]) == by {
			d.parts = append(d.parts, text[from:i])
			from = i + len(by)
			i = from - 1
		}
	}
}

// columnEncoder writes rows of columns. It shares the quoting with encoder.
type columnEncoder struct {
	encoder
	format *columnFormat
	texts  format.Texts
}

// Append implements format.ColumnEncoder.
func (e *columnEncoder) Append(dst []byte, cols []*column.Vector, i int) ([]byte, error) {
	out, err := e.row(dst, cols, i)
	if err != nil {
		return dst, err
	}
	return out, nil
}

func (e *columnEncoder) row(dst []byte, cols []*column.Vector, i int) ([]byte, error) {
	for c, v := range cols {
		if c > 0 {
			dst = append(dst, e.options.delimiter)
		}
		if v.IsNull(i) {
			dst = append(dst, e.options.null...)
			if len(cols) == 1 && e.options.null == "" {
				return dst, &format.Error{Field: e.format.fields[c].Name, Reason: "NULL as the only column would be an empty line (set 'csv.null-literal')"}
			}
			continue
		}
		at := len(dst)
		var err error
		if dst, err = e.value(dst, v, i, c); err != nil {
			return dst, err
		}
		if v.Type.IsNumeric() || v.Type.ID == column.Date {
			if !e.options.hasNull {
				continue
			}
		}
		odd := len(dst) == at && len(cols) == 1
		if text := dst[at:]; odd || e.needsQuotes(text, c == 0) {
			e.scratch = append(e.scratch[:0], text...)
			col := structColumn{name: e.format.fields[c].Name}
			if dst, err = e.protect(dst[:at], &col, e.scratch); err != nil {
				return dst, err
			}
		}
	}
	return dst, nil
}

func (e *columnEncoder) value(dst []byte, v *column.Vector, i, c int) ([]byte, error) {
	switch v.Store {
	case column.Strings:
		if v.Type.IsText() && !utf8.ValidString(v.Str[i]) {
			return dst, &format.Error{Field: e.format.fields[c].Name, Reason: "text is not valid UTF-8"}
		}
	case column.Lists:
		for k := v.Off[i]; k < v.Off[i+1]; k++ {
			dst = e.element(dst, v.Kids[0], int(k), k == v.Off[i])
		}
		return dst, nil
	case column.Structs:
		for k, kid := range v.Kids {
			dst = e.element(dst, kid, i, k == 0)
		}
		return dst, nil
	}
	return e.texts.Append(dst, v, i), nil
}

func (e *columnEncoder) element(dst []byte, v *column.Vector, i int, first bool) []byte {
	if !first {
		dst = append(dst, e.format.o.ArrayDelimiter...)
	}
	if v.IsNull(i) {
		return append(dst, e.options.null...)
	}
	return e.texts.Append(dst, v, i)
}
