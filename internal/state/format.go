package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"

	"github.com/flottio/flott/codec"
	"github.com/flottio/flott/schema"
)

// Format is how values of a type become bytes: what a table needs of a codec, in functions, so that formats compose (composite keys,
// TTL stamps).
type Format[T any] struct {
	// Append appends the bytes of v to dst. The bytes of equal keys are equal.
	Append func(dst []byte, v *T) []byte
	// Decode reads a value from the front of src and returns how many bytes it took. It keeps nothing of src.
	Decode func(src []byte, v *T) (int, error)
	// Schema describes the bytes, for the snapshot file.
	Schema *schema.Type
	// Reader gives a Decode for bytes written with another schema; its error shows both. Nil: only the same schema can be read.
	Reader func(written *schema.Type) (func(src []byte, v *T) (int, error), error)
	// Shared says that a copied T still leads to memory of the original: slices, maps, pointers. Strings do not count.
	Shared bool
}

// FormatFor is the format of package codec for values of type T.
func FormatFor[T any]() (Format[T], error) {
	c, err := codec.For[T]()
	if err != nil {
		return Format[T]{}, err
	}
	return Format[T]{
		Append: c.Append, Decode: c.Decode, Schema: c.Schema(), Shared: c.Shared(),
		Reader: func(written *schema.Type) (func([]byte, *T) (int, error), error) {
			d, err := c.Reader(written)
			if err != nil {
				return nil, err
			}
			return d.Decode, nil
		},
	}, nil
}

// KeyFormat is the format of package codec for keys of type K.
func KeyFormat[K comparable]() (Format[K], error) {
	c, err := codec.ForKey[K]()
	if err != nil {
		return Format[K]{}, err
	}
	return Format[K]{Append: c.Append, Decode: c.Decode, Schema: c.Schema()}, nil
}

// Describe makes the descriptor of a table whose K is the key of the stream itself.
func Describe[K comparable, V any]() (Descriptor[K, V], error) {
	k, err := codec.ForKey[K]()
	if err != nil {
		return Descriptor[K, V]{}, err
	}
	v, err := FormatFor[V]()
	if err != nil {
		return Descriptor[K, V]{}, err
	}
	keys := Format[K]{Append: k.Append, Decode: k.Decode, Schema: k.Schema()}
	return Descriptor[K, V]{KeyHash: k.Hash, Equal: k.Equal, Keys: keys, Values: v}, nil
}

// Timed is a value with the time, in milliseconds, that its time to live counts from.
type Timed[V any] struct {
	StampMs int64
	Value   V
}

// stampField marks the schema of a Timed; no field of a user's struct is called so.
const stampField = "@stamp"

var errShort = errors.New("bytes end inside a value")

// timedFormat puts the stamp before the value. Bytes without a stamp, written before the state had a time to live, get nowMs.
func timedFormat[V any](f Format[V], nowMs int64) Format[Timed[V]] {
	withStamp := func(decode func([]byte, *V) (int, error)) func([]byte, *Timed[V]) (int, error) {
		return func(src []byte, v *Timed[V]) (int, error) {
			if len(src) < 8 {
				return 0, errShort
			}
			v.StampMs = int64(binary.LittleEndian.Uint64(src))
			n, err := decode(src[8:], &v.Value)
			return n + 8, err
		}
	}
	return Format[Timed[V]]{
		Append: func(dst []byte, v *Timed[V]) []byte {
			return f.Append(binary.LittleEndian.AppendUint64(dst, uint64(v.StampMs)), &v.Value)
		},
		Decode: withStamp(f.Decode),
		Schema: timedSchema(f.Schema),
		Shared: f.Shared,
		Reader: func(written *schema.Type) (func([]byte, *Timed[V]) (int, error), error) {
			value, stamped := stampedValue(written)
			decode, err := f.reader(value)
			if err != nil {
				return nil, err
			}
			if stamped {
				return withStamp(decode), nil
			}
			return func(src []byte, v *Timed[V]) (int, error) {
				v.StampMs = nowMs
				return decode(src, &v.Value)
			}, nil
		},
	}
}

func timedSchema(value *schema.Type) *schema.Type {
	return structOf(stampField, schema.Scalar(schema.Int64), "value", value)
}

func stampedValue(written *schema.Type) (value *schema.Type, stamped bool) {
	if written.Kind == schema.Struct && len(written.Fields) == 2 && written.Fields[0].Name == stampField {
		return written.Fields[1].Type, true
	}
	return written, false
}

// reader gives the Decode for what was written with the schema: also when that had a time to live and f has not.
func (f *Format[T]) reader(written *schema.Type) (func([]byte, *T) (int, error), error) {
	if written.Equal(f.Schema) {
		return f.Decode, nil
	}
	if value, stamped := stampedValue(written); stamped {
		if _, wanted := stampedValue(f.Schema); !wanted {
			decode, err := f.reader(value)
			if err != nil {
				return nil, err
			}
			return func(src []byte, v *T) (int, error) {
				if len(src) < 8 {
					return 0, errShort
				}
				n, err := decode(src[8:], v)
				return n + 8, err
			}, nil
		}
	}
	if f.Reader == nil {
		return nil, fmt.Errorf("the schema has changed:\n%s", schema.Compare("written", written, "current", f.Schema))
	}
	return f.Reader(written)
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
