package json

import (
	"math"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/format"
)

// columnEncoder writes rows of columns as objects.
type columnEncoder struct {
	o     ColumnOptions
	texts format.Texts
	names []fieldText
}

// fieldText is a field's name with quotes and colon, and those of its own fields.
type fieldText struct {
	name, key string
	fields    []fieldText
	elem      *fieldText
}

func names(fields []column.Field) []fieldText {
	all := make([]fieldText, len(fields))
	for i, f := range fields {
		all[i] = textOf(f.Type)
		all[i].name, all[i].key = f.Name, string(appendString(nil, f.Name))+":"
	}
	return all
}

func textOf(t column.Type) fieldText {
	switch t.ID {
	case column.Row:
		return fieldText{fields: names(t.Fields)}
	case column.Array, column.Map, column.Multiset:
		elem := *t.Elem
		if t.ID == column.Multiset {
			elem = column.Of(column.Int)
		}
		inner := textOf(elem)
		return fieldText{elem: &inner}
	}
	return fieldText{}
}

// Append implements format.ColumnEncoder.
func (e *columnEncoder) Append(dst []byte, cols []*column.Vector, i int) ([]byte, error) {
	out, err := e.object(dst, e.names, cols, i)
	if err != nil {
		return dst, err
	}
	return out, nil
}

func (e *columnEncoder) object(dst []byte, fields []fieldText, cols []*column.Vector, i int) (_ []byte, err error) {
	dst = append(dst, '{')
	first := true
	for n := range fields {
		if e.o.IgnoreNullFields && cols[n].IsNull(i) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, fields[n].key...)
		if dst, err = e.value(dst, &fields[n], cols[n], i); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

func (e *columnEncoder) value(dst []byte, f *fieldText, v *column.Vector, i int) ([]byte, error) {
	if v.IsNull(i) {
		return append(dst, "null"...), nil
	}
	switch v.Store {
	case column.Strings:
		if v.Type.IsText() {
			out, ok := appendOdd(append(dst, '"'), v.Str[i], 0)
			if !ok {
				return dst, &format.Error{Field: f.name, Reason: "text is not valid UTF-8"}
			}
			return append(out, '"'), nil
		}
	case column.Structs:
		return e.object(dst, f.fields, v.Kids, i)
	case column.Lists:
		return e.list(dst, f, v, i)
	case column.Maps:
		return e.mapping(dst, f, v, i)
	}
	if quotes(v, i) {
		return append(e.texts.Append(append(dst, '"'), v, i), '"'), nil
	}
	return e.texts.Append(dst, v, i), nil
}

// quotes reports whether a value is written as a string: what is no number for JSON.
func quotes(v *column.Vector, i int) bool {
	switch v.Type.ID {
	case column.Binary, column.Varbinary, column.Date, column.Time, column.Timestamp, column.TimestampLTZ:
		return true
	case column.Float:
		return v.F32[i]-v.F32[i] != 0
	case column.Double:
		return math.IsNaN(v.F64[i]) || math.IsInf(v.F64[i], 0)
	}
	return false
}

func (e *columnEncoder) list(dst []byte, f *fieldText, v *column.Vector, i int) (_ []byte, err error) {
	dst = append(dst, '[')
	for k := v.Off[i]; k < v.Off[i+1]; k++ {
		if k > v.Off[i] {
			dst = append(dst, ',')
		}
		if dst, err = e.value(dst, f.elem, v.Kids[0], int(k)); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func (e *columnEncoder) mapping(dst []byte, f *fieldText, v *column.Vector, i int) (_ []byte, err error) {
	dst = append(dst, '{')
	first := true
	for k := int(v.Off[i]); k < int(v.Off[i+1]); k++ {
		key := ""
		switch null := v.Kids[0].IsNull(k); {
		case !null:
			key = v.Kids[0].Str[k]
		case e.o.MapNullKey == "DROP":
			continue
		case e.o.MapNullKey == "LITERAL":
			key = e.o.MapNullLiteral
		default:
			return dst, &format.Error{Field: f.name, Reason: "a key of the map is NULL, for which JSON has no form " +
				"('json.map-null-key.mode' = 'DROP' leaves it out, 'LITERAL' names it)"}
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		out, ok := appendOdd(append(dst, '"'), key, 0)
		if !ok {
			return dst, &format.Error{Field: f.name, Reason: "a key of the map is not valid UTF-8"}
		}
		if dst, err = e.value(append(out, '"', ':'), f.elem, v.Kids[1], k); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}
