package json

import (
	"errors"
	"fmt"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/format"
)

// ColumnOptions are the options of JSON for tables, by Flink's names. The zero value is Flink's default.
type ColumnOptions struct {
	// FailOnMissingField refuses records that lack a field ('fail-on-missing-field'); else it is NULL.
	FailOnMissingField bool
	// IgnoreParseErrors makes NULL of fields that cannot be read, and passes over records that are no JSON ('ignore-parse-errors').
	IgnoreParseErrors bool
	// ISO8601 is the timestamp standard ISO-8601 instead of SQL ('timestamp-format.standard').
	ISO8601 bool
	// MapNullKey says what is written for NULL keys of maps: "FAIL" (also ""), "DROP" or "LITERAL", which writes MapNullLiteral.
	MapNullKey, MapNullLiteral string
	// IgnoreNullFields leaves out fields that are NULL ('encode.ignore-null-fields').
	IgnoreNullFields bool
}

// Columns returns the format of newline-delimited JSON objects whose fields are columns. Names are compared as they are; of a field that comes
// twice the last counts, as in Flink. The error names the fields whose types JSON has no form for.
func Columns(fields []column.Field, o ColumnOptions) (format.ColumnFormat, error) {
	var errs []error
	for _, f := range fields {
		if err := hasForm(f.Type); err != nil {
			errs = append(errs, fmt.Errorf("json: column %s: %w", f.Name, err))
		}
	}
	return &columnFormat{fields: fields, o: o}, errors.Join(errs...)
}

func hasForm(t column.Type) error {
	switch t.ID {
	case column.Array:
		return hasForm(*t.Elem)
	case column.Map, column.Multiset:
		key, value := t.MapTypes()
		if !key.IsText() {
			return fmt.Errorf("a %s has the keys of an object: they must be STRING, not %s", t.ID, key)
		}
		return hasForm(value)
	case column.Row:
		for _, f := range t.Fields {
			if err := hasForm(f.Type); err != nil {
				return fmt.Errorf("field %s: %w", f.Name, err)
			}
		}
		return nil
	}
	if !format.HasText(t) {
		return fmt.Errorf("type %s cannot be written as JSON", t)
	}
	return nil
}

type columnFormat struct {
	fields []column.Field
	o      ColumnOptions
}

func (f *columnFormat) Name() string             { return "json" }
func (f *columnFormat) NewFramer() format.Framer { return format.Lines(true, 0) }
func (f *columnFormat) Separator() []byte        { return []byte{'\n'} }
func (f *columnFormat) Header() []byte           { return nil }
func (f *columnFormat) HeaderRecords() int       { return 0 }
func (f *columnFormat) Splittable() bool         { return true }
func (f *columnFormat) IgnoresErrors() bool      { return f.o.IgnoreParseErrors }

// NewColumnDecoder implements format.ColumnFormat.
func (f *columnFormat) NewColumnDecoder(fields []int) format.ColumnDecoder {
	d := &columnDecoder{o: f.o}
	d.options.maxDepth = 64
	d.texts.ISO = f.o.ISO8601
	wanted := make([]column.Field, len(fields))
	for i, at := range fields {
		wanted[i] = f.fields[at]
	}
	d.root = newShape(wanted)
	return d
}

// NewColumnEncoder implements format.ColumnFormat.
func (f *columnFormat) NewColumnEncoder() format.ColumnEncoder {
	e := &columnEncoder{o: f.o, texts: format.Texts{ISO: f.o.ISO8601}}
	e.names = names(f.fields)
	return e
}
