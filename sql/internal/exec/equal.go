package exec

import (
	"reflect"

	"github.com/flottio/flott/column"
)

// anyDiffers reports whether rows i and j differ in one of the columns.
func anyDiffers(cols []*column.Vector, i, j int) bool {
	for _, v := range cols {
		if !sameValue(v, i, j) {
			return true
		}
	}
	return false
}

// sameValue reports whether values i and j are the same: both NULL, or equal; NaN equals itself.
func sameValue(v *column.Vector, i, j int) bool {
	if a, b := v.IsNull(i), v.IsNull(j); a || b {
		return a && b
	}
	switch v.Store {
	case column.Bools:
		return v.Bool[i] == v.Bool[j]
	case column.Int8s:
		return v.I8[i] == v.I8[j]
	case column.Int16s:
		return v.I16[i] == v.I16[j]
	case column.Int32s:
		return v.I32[i] == v.I32[j]
	case column.Int64s:
		return v.I64[i] == v.I64[j]
	case column.Float32s:
		a, b := v.F32[i], v.F32[j]
		return a == b || a != a && b != b
	case column.Float64s:
		a, b := v.F64[i], v.F64[j]
		return a == b || a != a && b != b
	case column.Int128s:
		return v.I128[i] == v.I128[j]
	case column.Strings:
		return v.Str[i] == v.Str[j]
	}
	return reflect.DeepEqual(v.At(i), v.At(j))
}
