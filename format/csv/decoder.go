package csv

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/flottio/flott/format"
	"github.com/flottio/flott/format/internal/scalar"
)

// typedDecoder ties a decoder to T. It is a format.HeaderDecoder.
type typedDecoder[T any] struct{ decoder }

func (d *typedDecoder[T]) Decode(record []byte, v *T) error {
	var zero T
	*v = zero
	if err := d.record(record, unsafe.Pointer(v)); err != nil {
		*v = zero // no half-filled row gets through
		return err
	}
	return nil
}

// decoder splits a record into spans, and then reads each column from its span.
type decoder struct {
	options options
	columns []structColumn
	place   []int // per column: the index of its field in the record
	width   int   // fields a record must have
	header  []byte
	data    []byte
	spans   []span // at most width of them
	strings scalar.StringCache
	scratch []byte
}

// span is where a field's text is: without the enclosing quotes, but with what is escaped inside.
type span struct {
	start, end int
	quoted     bool
	escaped    bool
}

func newDecoder(columns []structColumn, o *options) decoder {
	d := decoder{options: *o, columns: columns, width: len(columns)}
	for i := range columns {
		d.place = append(d.place, i)
	}
	return d
}

// DecodeHeader learns from a file's first record where its columns are.
func (d *decoder) DecodeHeader(record []byte) error {
	if !d.options.header {
		return nil
	}
	d.data = trimMark(record)
	d.width = bytes.Count(d.data, []byte{d.options.delimiter}) + 1
	n, err := d.split()
	if err != nil {
		return err
	}
	at := make(map[string]int, n)
	for i := range d.spans {
		name := string(d.text(&d.spans[i]))
		if _, twice := at[name]; twice {
			return d.fail(d.spans[i].start, name, "column twice in the header", "", "")
		}
		at[name] = i
	}
	var missing []string
	for i := range d.columns {
		place, ok := at[d.columns[i].name]
		if !ok {
			missing = append(missing, strconv.Quote(d.columns[i].name))
		}
		d.place[i] = place
	}
	d.width = n
	d.header = append(d.header[:0], d.data...)
	if len(missing) > 0 {
		return d.fail(0, "", "columns missing in the header", strings.Join(missing, ", "), format.Excerpt(d.data, 0))
	}
	return nil
}

const byteOrderMark = "\xef\xbb\xbf"

// trimMark removes a byte order mark, which spreadsheets put at the start of files.
func trimMark(record []byte) []byte {
	if len(record) >= len(byteOrderMark) && string(record[:len(byteOrderMark)]) == byteOrderMark {
		return record[len(byteOrderMark):]
	}
	return record
}

func (d *decoder) record(record []byte, p unsafe.Pointer) error {
	d.data = trimMark(record)
	err := d.row(p)
	d.data = nil // the record is the caller's again
	return err
}

func (d *decoder) row(p unsafe.Pointer) error {
	if d.header != nil && len(d.data) == len(d.header) && bytes.Equal(d.data, d.header) {
		return d.fail(0, "", "the header again, in the middle of the data", "", "")
	}
	n, err := d.split()
	if err != nil {
		return err
	}
	if n != d.width {
		return d.wrongWidth(n)
	}
	for i := range d.columns {
		c := &d.columns[i]
		if err := d.column(c, p, &d.spans[d.place[i]]); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) fail(at int, name, reason, expected, got string) error {
	err := format.NewError(d.data, at, reason)
	err.Field, err.Expected, err.Got = name, expected, got
	return err
}

func (d *decoder) wrongWidth(n int) error {
	at := len(d.data)
	if n > d.width {
		at = d.spans[d.width-1].end
		if d.spans[d.width-1].quoted {
			at++
		}
	}
	return d.fail(at, "", "wrong number of fields", strconv.Itoa(d.width), strconv.Itoa(n))
}

// split finds the fields of d.data and returns how many there are; spans holds the first width of them.
func (d *decoder) split() (count int, err error) {
	o := &d.options
	d.spans = d.spans[:0]
	for i := 0; ; i++ { // over the delimiter
		s := span{start: i}
		if o.quote != 0 && i < len(d.data) && d.data[i] == o.quote {
			i, err = d.quotedEnd(&s)
		} else {
			i = d.unquotedEnd(&s)
		}
		if err != nil {
			return 0, err
		}
		if count++; count <= d.width {
			d.spans = append(d.spans, s)
		}
		if i >= len(d.data) {
			return count, nil
		}
	}
}

func (d *decoder) unquotedEnd(s *span) (end int) {
	o := &d.options
	if o.escape == 0 {
		if n := bytes.IndexByte(d.data[s.start:], o.delimiter); n >= 0 {
			s.end = s.start + n
		} else {
			s.end = len(d.data)
		}
		return s.end
	}
	i := s.start
	for i < len(d.data) && d.data[i] != o.delimiter {
		if d.data[i] == o.escape {
			s.escaped = true
			i++
		}
		i++
	}
	s.end = min(i, len(d.data))
	return s.end
}

// quotedEnd takes the quotes off s and returns the position behind the closing one.
func (d *decoder) quotedEnd(s *span) (end int, err error) {
	o := &d.options
	open := s.start
	s.start++
	s.quoted = true
	for i := s.start; i < len(d.data); i++ {
		switch c := d.data[i]; {
		case o.escape != 0 && c == o.escape:
			s.escaped = true
			i++
		case c != o.quote:
		case i+1 < len(d.data) && d.data[i+1] == o.quote:
			s.escaped = true
			i++
		default:
			s.end = i
			if i+1 < len(d.data) && d.data[i+1] != o.delimiter {
				return 0, d.fail(i+1, "", "text behind a closing quote", "", "")
			}
			return i + 1, nil
		}
	}
	return 0, d.fail(open, "", "quote is never closed", "", "")
}

// text is what a field says, valid until the next call.
func (d *decoder) text(s *span) []byte {
	b := d.data[s.start:s.end]
	if !s.escaped {
		return b
	}
	d.scratch = d.scratch[:0]
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case i+1 == len(b):
		case c == d.options.escape && c != 0:
			i++
			c = unescape(b[i])
		case s.quoted && c == d.options.quote:
			i++
		}
		d.scratch = append(d.scratch, c)
	}
	return d.scratch
}

// unescape returns what the escape character and c stand for: control characters for 0, n, r and t (as Flink reads them), else c.
func unescape(c byte) byte {
	switch c {
	case '0':
		return 0
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

func (d *decoder) column(c *structColumn, p unsafe.Pointer, s *span) error {
	text := d.text(s)
	if d.isNull(s, text) {
		if c.nullable() {
			return nil
		}
		if d.options.hasNull {
			return d.fail(s.start, c.name, "null in a column that cannot be null (make the field a pointer)", "", "")
		}
	}
	for i := range c.via {
		step := &c.via[i]
		pointer := (*unsafe.Pointer)(unsafe.Add(p, step.Offset))
		if *pointer == nil {
			*pointer = reflect.New(step.Elem).UnsafePointer()
		}
		p = *pointer
	}
	p = unsafe.Add(p, c.offset)
	if c.pointer {
		value := reflect.New(c.typ).UnsafePointer()
		*(*unsafe.Pointer)(p) = value
		p = value
	}
	switch c.kind {
	case kindString:
		return d.string(c, p, s, text)
	case kindInt, kindUint, kindFloat:
		return d.number(c, p, s, trim(text))
	case kindTime:
		return d.time(c, p, s, trim(text))
	}
	return d.other(c, p, s, text)
}

// isNull: quoted or escaped text is never null. Without a literal, an empty field is null where the column can be null.
func (d *decoder) isNull(s *span, text []byte) bool {
	if s.quoted || s.escaped {
		return false
	}
	return string(text) == d.options.null // empty without a literal
}

func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

func (d *decoder) string(c *structColumn, p unsafe.Pointer, s *span, text []byte) error {
	if !utf8.Valid(text) {
		at := s.start + invalidAt(d.data[s.start:s.end])
		return d.fail(at, c.name, "invalid UTF-8", "", fmt.Sprintf("byte 0x%02X", d.data[min(at, len(d.data)-1)]))
	}
	*(*string)(p) = d.strings.Of(text)
	return nil
}

func invalidAt(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return 0
}

// got describes a field's text, for messages.
func got(text []byte) string {
	const gotBytes = 40
	if len(text) == 0 {
		return "an empty field"
	}
	if len(text) > gotBytes {
		return strconv.Quote(string(text[:gotBytes])) + "..."
	}
	return strconv.Quote(string(text))
}

func (d *decoder) number(c *structColumn, p unsafe.Pointer, s *span, text []byte) error {
	var err error
	expected := "an integer"
	switch c.kind {
	case kindInt:
		var n int64
		n, err = scalar.Int(text, c.bits)
		storeInt(p, n, c.bits)
	case kindUint:
		var n uint64
		n, err = scalar.Uint(text, c.bits)
		storeInt(p, int64(n), c.bits)
		if err != nil && len(text) > 0 && text[0] == '-' {
			if _, negative := scalar.Int(text, 64); negative != scalar.ErrSyntax {
				err = scalar.ErrRange
			}
		}
	default:
		var f float64
		expected = "a number"
		f, err = scalar.Float(text, c.bits)
		if c.bits == 32 {
			*(*float32)(p) = float32(f)
		} else {
			*(*float64)(p) = f
		}
	}
	if errors.Is(err, scalar.ErrRange) {
		return d.fail(s.start, c.name, "number out of range", "a value that fits "+c.typ.Kind().String(), got(text))
	}
	if err != nil {
		return d.fail(s.start, c.name, "wrong type", expected, got(text))
	}
	return nil
}

// storeInt stores the low bits of n: signed and unsigned integers of a size have one layout.
func storeInt(p unsafe.Pointer, n int64, bits int) {
	switch bits {
	case 64:
		*(*int64)(p) = n
	case 32:
		*(*int32)(p) = int32(n)
	case 16:
		*(*int16)(p) = int16(n)
	case 8:
		*(*int8)(p) = int8(n)
	}
}

func (d *decoder) time(c *structColumn, p unsafe.Pointer, s *span, text []byte) error {
	var t time.Time
	switch layout := d.options.timeLayout; {
	case c.unit != scalar.RFC3339:
		n, err := scalar.Int(text, 64)
		if err != nil {
			return d.fail(s.start, c.name, "malformed time", "a count since the epoch", got(text))
		}
		if t = c.unit.Time(n); !scalar.InCalendar(t) {
			return d.fail(s.start, c.name, "time out of range", "a year from 0 to 9999", got(text))
		}
	case layout != "":
		var err error
		if t, err = time.Parse(layout, string(text)); err != nil {
			return d.fail(s.start, c.name, "malformed time", "the layout "+strconv.Quote(layout), got(text))
		}
		t = t.UTC()
	default:
		var ok bool
		if t, ok = scalar.ParseTime(text); !ok {
			return d.fail(s.start, c.name, "malformed time", "RFC 3339 like 2006-01-02T15:04:05.999Z", got(text))
		}
	}
	*(*time.Time)(p) = t
	return nil
}

func (d *decoder) other(c *structColumn, p unsafe.Pointer, s *span, text []byte) error {
	switch c.kind {
	case kindBool:
		switch text = trim(text); {
		case bytes.EqualFold(text, []byte("true")):
			*(*bool)(p) = true
		case !bytes.EqualFold(text, []byte("false")):
			return d.fail(s.start, c.name, "wrong type", "true or false", got(text))
		}
	case kindBytes:
		b, err := base64.StdEncoding.Strict().AppendDecode(make([]byte, 0, base64.StdEncoding.DecodedLen(len(text))), text)
		if err != nil {
			return d.fail(s.start, c.name, "malformed base64", "", got(text))
		}
		*(*[]byte)(p) = b
	case kindText:
		u := reflect.NewAt(c.typ, p).Interface().(encoding.TextUnmarshaler)
		if err := u.UnmarshalText(text); err != nil {
			return d.fail(s.start, c.name, err.Error(), "", got(text))
		}
	default:
		panic("BUG: no decoder for " + c.typ.String())
	}
	return nil
}
