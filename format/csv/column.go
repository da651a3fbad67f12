package csv

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/flottio/flott/format/internal/field"
	"github.com/flottio/flott/format/internal/scalar"
)

// structColumn is one column and the field of the struct that it belongs to.
type structColumn struct {
	name    string
	typ     reflect.Type // of the value; behind the pointer, if there is one
	kind    kind
	bits    int
	unit    scalar.Unit
	offset  uintptr
	via     []field.Step
	pointer bool
}

type kind uint8

const (
	kindString kind = iota
	kindBool
	kindInt
	kindUint
	kindFloat
	kindTime
	kindBytes
	kindText // encoding.TextMarshaler and encoding.TextUnmarshaler
)

var (
	timeType            = reflect.TypeFor[time.Time]()
	textMarshalerType   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func hasTextMethods(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(textMarshalerType) && p.Implements(textUnmarshalerType)
}

func newColumns(t reflect.Type, o *options) ([]structColumn, error) {
	if t.Kind() != reflect.Struct || t == timeType {
		return nil, fmt.Errorf("csv: %s is no struct: the fields of a struct are the columns", t)
	}
	fields, err := field.List(t, "csv", func(t reflect.Type) bool { return t == timeType || hasTextMethods(t) })
	var problems []error
	if err != nil {
		problems = append(problems, fmt.Errorf("csv: %w", err))
	}
	millis := make(map[string]bool)
	for _, name := range o.epochMillis {
		millis[name] = true
	}
	var columns []structColumn
	for i := range fields {
		c, err := newColumn(&fields[i], millis[fields[i].Name])
		delete(millis, c.name)
		if err != nil {
			problems = append(problems, fmt.Errorf("csv: field %s of %s: %w", fields[i].GoName, t, err))
		}
		columns = append(columns, c)
	}
	for _, name := range o.epochMillis {
		if millis[name] {
			problems = append(problems, fmt.Errorf("csv: EpochMillis(%q) names no column of %s", name, t))
		}
	}
	if len(columns) == 0 && len(problems) == 0 {
		problems = append(problems, fmt.Errorf("csv: %s has no exported fields, so there are no columns", t))
	}
	return columns, errors.Join(problems...)
}

func newColumn(f *field.Field, millis bool) (structColumn, error) {
	c := structColumn{name: f.Name, typ: f.Type, offset: f.Offset, via: f.Via}
	if millis {
		c.unit = scalar.Millis
	}
	var problems []error
	for _, option := range f.Options {
		unit, ok := scalar.UnitOf(option)
		if !ok && option != "" {
			problems = append(problems, fmt.Errorf("unknown tag option %q; known are unix, unixms, unixmicro, unixnano", option))
		}
		c.unit = unit
	}
	if c.typ.Kind() == reflect.Pointer {
		c.pointer, c.typ = true, c.typ.Elem()
	}
	if !c.setKind() {
		problems = append(problems, fmt.Errorf("the type %s cannot be a column; leave it out with `csv:\"-\"`", f.Type))
	}
	if c.unit != scalar.RFC3339 && c.kind != kindTime {
		problems = append(problems, fmt.Errorf("an epoch unit is for time.Time, not for %s (an integer needs none)", f.Type))
	}
	return c, errors.Join(problems...)
}

func (c *structColumn) setKind() bool {
	switch t := c.typ; t.Kind() {
	case reflect.Bool:
		c.kind = kindBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		c.kind, c.bits = kindInt, t.Bits()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		c.kind, c.bits = kindUint, t.Bits()
	case reflect.Float32, reflect.Float64:
		c.kind, c.bits = kindFloat, t.Bits()
	case reflect.String:
		c.kind = kindString
	case reflect.Slice:
		c.kind = kindBytes
		if t.Elem().Kind() != reflect.Uint8 && !hasTextMethods(t) {
			return false
		}
	default:
		if t != timeType && !hasTextMethods(t) {
			return false
		}
	}
	switch {
	case c.typ == timeType:
		c.kind = kindTime
	case hasTextMethods(c.typ):
		c.kind = kindText
	}
	return true
}

// nullable reports whether the column has a value for null: nil.
func (c *structColumn) nullable() bool { return c.pointer || c.kind == kindBytes }
