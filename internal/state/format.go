package state

import (
	"fmt"
	"reflect"
)

// Format is how values of a type become bytes: what a table needs of a codec, in functions, so that formats compose (composite keys, TTL stamps).
type Format[T any] struct {
	// Append appends the bytes of v to dst. The bytes of equal keys are equal.
	Append func(dst []byte, v *T) []byte
	// Decode reads a value from the front of src and returns how many bytes it took. It keeps nothing of src.
	Decode func(src []byte, v *T) (int, error)
	// Schema describes the bytes, for the snapshot file.
	Schema string
	// Reader gives a Decode for bytes written with another schema; its error shows both.
	Reader func(written string) (func(src []byte, v *T) (int, error), error)
	// Shared says that a copied T still leads to memory of the original: slices, maps, pointers. Strings do not count.
	Shared bool
}

// mustCopy copies a value through its bytes.
func (f *Format[T]) mustCopy(v *T) T {
	var out T
	if _, err := f.Decode(f.Append(nil, v), &out); err != nil {
		panic(fmt.Sprintf("BUG: state: copying a %T through its codec: %v", *v, err))
	}
	return out
}

func hasPointers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16,
		reflect.Uint32, reflect.Uint64, reflect.Uintptr, reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return false
	case reflect.Array:
		return t.Len() > 0 && hasPointers(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if hasPointers(t.Field(i).Type) {
				return true
			}
		}
		return false
	}
	return true
}
