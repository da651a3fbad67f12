package expr

import (
	"fmt"
	"strings"
	"unsafe"

	"github.com/flottio/flott/column"
)

// Min and Max are the least and the greatest value that is not NULL.
var (
	Min = &Agg{Name: "MIN", Resolve: oneComparable, New: func(s *AggSite) (Accumulator, error) { return newExtreme(s, false), nil }}
	Max = &Agg{Name: "MAX", Resolve: oneComparable, New: func(s *AggSite) (Accumulator, error) { return newExtreme(s, true), nil }}
)

var extremeAggs = []*Agg{Min, Max}

func oneComparable(args []Arg) (Signature, error) {
	if err := wantArgs(args, 1, 1); err != nil {
		return Signature{}, err
	}
	t := args[0].Type
	switch t.Storage() {
	case column.Lists, column.Maps, column.Structs, column.None:
		return Signature{}, fmt.Errorf("expects values with an order, got %s", t)
	}
	return Signature{Args: []column.Type{t}, Result: plainNullable(t)}, nil
}

// plainNullable is the type of a value that may be missing and is no time attribute.
func plainNullable(t column.Type) column.Type {
	t.Attribute = column.NoAttribute
	return t.Nullable(true)
}

func newExtreme(s *AggSite, greatest bool) Accumulator {
	t := s.Args[0].Type()
	switch {
	case s.Retract:
		return &sortedExtreme{of: t, greatest: greatest}
	case t.Storage() == column.Strings:
		return &textExtreme{greatest: greatest}
	}
	return &extreme{
		greatest: greatest, long: t.Storage() == column.Int128s, float: t.ID == column.Float || t.ID == column.Double,
	}
}

// extreme has a word that says whether there is a value, and the value in one word or two.
type extreme struct{ greatest, long, float bool }

type extremeInt struct{ any, value int64 }

type extremeFloat struct {
	any   int64
	value float64
}

type extremeLong struct {
	any   int64
	value column.Int128
}

func (a *extreme) Words() int {
	if a.long {
		return 3
	}
	return 2
}

func (a *extreme) Update(in *AggInput) error {
	switch v := in.Args[0]; v.Store {
	case column.Bools:
		a.updateBools(in, v)
	case column.Int8s:
		extremeWhole(in, v.I8, a.greatest)
	case column.Int16s:
		extremeWhole(in, v.I16, a.greatest)
	case column.Int32s:
		extremeWhole(in, v.I32, a.greatest)
	case column.Int64s:
		extremeWhole(in, v.I64, a.greatest)
	case column.Float32s:
		extremeOfFloats(in, v.F32, a.greatest)
	case column.Float64s:
		extremeOfFloats(in, v.F64, a.greatest)
	case column.Int128s:
		a.updateLong(in, v)
	}
	return nil
}

func (a *extreme) updateBools(in *AggInput, v *column.Vector) {
	for i, p := range in.At {
		if r := int(in.Rows[i]); !v.IsNull(r) {
			x := int64(0)
			if v.Bool[r] {
				x = 1
			}
			(*extremeInt)(unsafe.Add(p, in.Offset)).take(x, a.greatest)
		}
	}
}

func (s *extremeInt) take(x int64, greatest bool) {
	if s.any == 0 || greatest && x > s.value || !greatest && x < s.value {
		*s = extremeInt{1, x}
	}
}

func extremeWhole[E int8 | int16 | int32 | int64](in *AggInput, values []E, greatest bool) {
	valid, rows := in.Args[0].Valid, in.Rows[:len(in.At)]
	for i, p := range in.At {
		r := rows[i]
		if valid == nil || valid.Get(int(r)) {
			(*extremeInt)(unsafe.Add(p, in.Offset)).take(int64(values[r]), greatest)
		}
	}
}

func (s *extremeFloat) take(x float64, greatest bool) {
	if s.any == 0 || greatest && x > s.value || !greatest && x < s.value {
		*s = extremeFloat{1, x}
	}
}

func extremeOfFloats[E float32 | float64](in *AggInput, values []E, greatest bool) {
	valid, rows := in.Args[0].Valid, in.Rows[:len(in.At)]
	for i, p := range in.At {
		r := rows[i]
		if valid == nil || valid.Get(int(r)) {
			(*extremeFloat)(unsafe.Add(p, in.Offset)).take(float64(values[r]), greatest)
		}
	}
}

func (s *extremeLong) take(x column.Int128, greatest bool) {
	if s.any == 0 || greatest && x.Cmp(s.value) > 0 || !greatest && x.Cmp(s.value) < 0 {
		*s = extremeLong{1, x}
	}
}

func (a *extreme) updateLong(in *AggInput, v *column.Vector) {
	for i, p := range in.At {
		if r := int(in.Rows[i]); !v.IsNull(r) {
			(*extremeLong)(unsafe.Add(p, in.Offset)).take(v.I128[r], a.greatest)
		}
	}
}

func (a *extreme) Merge(to, from States) error {
	for i, p := range to.At {
		p, q := unsafe.Add(p, to.Offset), unsafe.Add(from.At[i], from.Offset)
		switch {
		case (*extremeInt)(q).any == 0:
		case a.long:
			(*extremeLong)(p).take((*extremeLong)(q).value, a.greatest)
		case a.float:
			(*extremeFloat)(p).take((*extremeFloat)(q).value, a.greatest)
		default:
			(*extremeInt)(p).take((*extremeInt)(q).value, a.greatest)
		}
	}
	return nil
}

func (a *extreme) Result(s States, out *column.Vector) error {
	for _, p := range s.At {
		p = unsafe.Add(p, s.Offset)
		switch w := (*extremeInt)(p); {
		case w.any == 0:
			out.Nulls(1)
		case a.long:
			out.AppendInt128((*extremeLong)(p).value)
		case a.float:
			out.AppendFloat((*extremeFloat)(p).value)
		default:
			out.AppendInt(w.value)
		}
	}
	return nil
}

// textExtreme keeps a text or bytes.
type textExtreme struct {
	NoWords
	greatest bool
}

func (a *textExtreme) New() Object { return &extremeText{greatest: a.greatest} }

func (a *textExtreme) ResultOf(o Object, out *column.Vector) error {
	if s := o.(*extremeText); s.any {
		out.AppendString(s.value)
	} else {
		out.Nulls(1)
	}
	return nil
}

type extremeText struct {
	greatest, any bool
	value         string
}

func (o *extremeText) Update(args []*column.Vector, row int, _ bool) error {
	if !args[0].IsNull(row) {
		o.take(args[0].Str[row])
	}
	return nil
}

func (o *extremeText) take(x string) {
	if !o.any || o.greatest && x > o.value || !o.greatest && x < o.value {
		o.any, o.value = true, strings.Clone(x)
	}
}

func (o *extremeText) Merge(from Object) error {
	if f := from.(*extremeText); f.any {
		o.take(f.value)
	}
	return nil
}

func (o *extremeText) Append(dst []byte) []byte {
	if !o.any {
		return dst
	}
	return append(append(dst, 1), o.value...)
}

func (o *extremeText) Decode(src []byte) error {
	if o.any = len(src) > 0; o.any {
		o.value = string(src[1:])
	}
	return nil
}

// sortedExtreme keeps all values, so that they can be taken back.
type sortedExtreme struct {
	NoWords
	of       column.Type
	greatest bool
}

func (a *sortedExtreme) New() Object { return &sortedCounts{of: a.of} }

func (a *sortedExtreme) ResultOf(o Object, out *column.Vector) error {
	s := o.(*sortedCounts)
	key, ok := s.first()
	if a.greatest {
		key, ok = s.last()
	}
	if !ok {
		out.Nulls(1)
		return nil
	}
	return column.DecodeSortKey(key, out)
}
