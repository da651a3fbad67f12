package column

import (
	"fmt"
	"strings"
)

// MapValue is a MAP or MULTISET as a Go value: keys in the order they were put in, and their values.
type MapValue struct{ Keys, Values []any }

// At returns value i as a Go value: nil for NULL, bool, int8 ... int64, float32, float64, Int128, string (text and bytes), []any (ARRAY and ROW)
// or MapValue. Decimals and timestamps are what is stored: unscaled integers, and counts of the type's unit. Not for hot paths.
func (v *Vector) At(i int) any {
	if v.IsNull(i) {
		return nil
	}
	switch v.Store {
	case Bools:
		return v.Bool[i]
	case Int8s:
		return v.I8[i]
	case Int16s:
		return v.I16[i]
	case Int32s:
		return v.I32[i]
	case Int64s:
		return v.I64[i]
	case Float32s:
		return v.F32[i]
	case Float64s:
		return v.F64[i]
	case Int128s:
		return v.I128[i]
	case Strings:
		return v.Str[i]
	case Lists:
		return v.Kids[0].values(int(v.Off[i]), int(v.Off[i+1]))
	case Maps:
		from, to := int(v.Off[i]), int(v.Off[i+1])
		return MapValue{v.Kids[0].values(from, to), v.Kids[1].values(from, to)}
	case Structs:
		row := make([]any, len(v.Kids))
		for k := range v.Kids {
			row[k] = v.Kids[k].At(i)
		}
		return row
	}
	return nil
}

func (v *Vector) values(from, to int) []any {
	out := make([]any, 0, to-from)
	for i := from; i < to; i++ {
		out = append(out, v.At(i))
	}
	return out
}

// Append adds a Go value as At returns it. It panics with BUG if the value does not fit the storage.
func (v *Vector) Append(x any) {
	if x == nil {
		v.Nulls(1)
		return
	}
	ok := true
	switch v.Store {
	case Bools:
		v.Bool, ok = put(v.Bool, x)
	case Int8s:
		v.I8, ok = put(v.I8, x)
	case Int16s:
		v.I16, ok = put(v.I16, x)
	case Int32s:
		v.I32, ok = put(v.I32, x)
	case Int64s:
		v.I64, ok = put(v.I64, x)
	case Float32s:
		v.F32, ok = put(v.F32, x)
	case Float64s:
		v.F64, ok = put(v.F64, x)
	case Int128s:
		v.I128, ok = put(v.I128, x)
	case Strings:
		v.Str, ok = put(v.Str, x)
	case Lists:
		ok = v.appendList(x)
	case Maps:
		ok = v.appendMap(x)
	case Structs:
		ok = v.appendStruct(x)
	default:
		ok = false
	}
	if !ok {
		panic(fmt.Sprintf("BUG: column: a value of Go type %T for a column of type %s", x, v.Type))
	}
	v.grown(1)
}

func put[E any](s []E, x any) ([]E, bool) {
	e, ok := x.(E)
	return append(s, e), ok
}

func (v *Vector) appendList(x any) bool {
	list, ok := x.([]any)
	for _, e := range list {
		v.Kids[0].Append(e)
	}
	v.Off = append(v.Off, int32(v.Kids[0].Len))
	return ok
}

func (v *Vector) appendMap(x any) bool {
	m, ok := x.(MapValue)
	for i := range m.Keys {
		v.Kids[0].Append(m.Keys[i])
		v.Kids[1].Append(m.Values[i])
	}
	v.Off = append(v.Off, int32(v.Kids[0].Len))
	return ok
}

func (v *Vector) appendStruct(x any) bool {
	row, ok := x.([]any)
	if !ok || len(row) != len(v.Kids) {
		return false
	}
	for k := range v.Kids {
		v.Kids[k].Append(row[k])
	}
	return true
}

// CloneValue copies what a value shares with the buffer it was decoded from, so that it can be kept.
func CloneValue(x any) any {
	switch x := x.(type) {
	case string:
		return strings.Clone(x)
	case []any:
		c := make([]any, len(x))
		for i := range x {
			c[i] = CloneValue(x[i])
		}
		return c
	case MapValue:
		return MapValue{CloneValue(x.Keys).([]any), CloneValue(x.Values).([]any)}
	}
	return x
}
