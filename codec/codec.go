// Package codec turns user values into bytes and back: for state, for snapshots, for edges between processes. It also owns the
// canonical form and the hash of keys, which decide where a key lives.
//
// The type is looked at once, when For or ForKey is first called for it; what is left is a short program of operations on memory
// at fixed offsets, so that no reflection happens per record (the exceptions are stated at For). It never decides what is
// stored where, and it never does I/O. Anyone may import it; it imports package schema only.
//
// # Bytes
//
// Everything is little endian, on every platform, and describes itself only together with its schema:
//
//	bool, integers, floats  their fixed width; int and uint are 8 bytes, duration is int64 nanoseconds
//	time                    int64 seconds since 1970 UTC, uint32 nanoseconds: an instant, location and monotonic reading are lost
//	string                  uvarint length, bytes
//	bytes, list             uvarint 0 for nil, else length+1, then the elements
//	map                     as list, of key and value, sorted by the bytes of the key, so that equal maps have equal bytes
//	optional                0, or 1 and the value
//	struct, array           fields or elements one after another; if there are none, one zero byte
//	custom                  uvarint length, bytes as the type's own methods make them
//
// Every value takes at least one byte, so that the number of elements in hostile input is bounded by its length.
package codec

import (
	"fmt"
	"reflect"
	"sync"
	"unsafe"

	"github.com/flottio/flott/schema"
)

// Codec makes bytes of values of T and values of bytes. It is immutable and safe for concurrent use. Get one from For; the zero
// value has no program and encodes nothing.
type Codec[T any] struct {
	node   *node
	enc    encoder
	dec    *decoder
	memory memory
}

// Decoder reads values of T from bytes that were written under another schema. It is immutable and safe for concurrent use.
type Decoder[T any] struct {
	dec *decoder
}

// codecs holds what For made: reflect.Type -> *Codec[T].
var codecs sync.Map

// For returns the codec of T, made at the first call and kept.
//
// Supported are bool, all integers (but uintptr), floats, strings, time.Time, structs, slices, arrays, maps, pointers, and types
// that implement encoding.BinaryMarshaler (or BinaryAppender) and BinaryUnmarshaler, which are custom kinds under their own
// name. A struct field is called by its Go name or by the tag `flott:"name"`, and left out under `flott:"-"` (as are blank
// fields); embedded structs are fields with the name of their type. Everything else is refused with an *UnsupportedError that names all
// offending fields at once: functions, Go channels, interfaces, complex numbers, recursive types, and fields that are not exported.
//
// What costs more than a few nanoseconds a value: maps with keys or values other than strings and 8-byte numbers go through
// reflection per entry; custom kinds go through an interface and a copy of the value.
func For[T any]() (*Codec[T], error) {
	t := reflect.TypeFor[T]()
	if c, ok := codecs.Load(t); ok {
		return c.(*Codec[T]), nil
	}
	n, err := derive(t, false)
	if err != nil {
		return nil, err
	}
	c := &Codec[T]{node: n, memory: memoryOf(t)}
	c.enc = compileEncoder(n)
	if c.dec, err = compileDecoder(n.schema, n); err != nil {
		return nil, fmt.Errorf("deriving the codec of %s: %w", t, err)
	}
	kept, _ := codecs.LoadOrStore(t, c)
	return kept.(*Codec[T]), nil
}

// Append appends the bytes of *v to dst. Equal values give equal bytes (for custom kinds as far as they keep to that).
// It panics with a *MarshalError if a custom type fails to marshal itself: that is an error of user code.
func (c *Codec[T]) Append(dst []byte, v *T) []byte {
	return c.enc.append(dst, unsafe.Pointer(v))
}

// Decode reads one value from the start of src into *v and returns how many bytes it took. Nothing that was in *v survives,
// and nothing of src is kept. Bytes may be hostile: it never panics (custom types aside) and allocates no more than a fixed
// multiple of len(src). After an error *v is half written and must not be used.
func (c *Codec[T]) Decode(src []byte, v *T) (int, error) {
	if c.dec.sparse {
		*v = *new(T)
	}
	return c.dec.run(src, 0, unsafe.Pointer(v))
}

// Schema returns the description of the bytes, to be stored beside them. It must not be changed.
func (c *Codec[T]) Schema() *schema.Type { return c.node.schema }

// Shared reports whether T holds slices, maps, pointers or the like: memory that a copy of a value has in common with the
// original. Strings and times do not count, for they are immutable.
func (c *Codec[T]) Shared() bool { return c.memory >= memoryShared }

// Flat reports whether T holds no pointers at all, not even those of strings and times.
func (c *Codec[T]) Flat() bool { return c.memory == memoryFlat }

// Reader returns a decoder of bytes that were written under an older schema, as Schema returned it or schema.Parse read it.
// Struct fields match by name: T's fields that are not in the bytes take the zero value, those that T lacks are skipped, the
// order does not matter. Integers and floats may have become wider as long as every value still fits. Anything else is refused
// with an *EvolutionError. If the schemas are equal, reading is as fast as Decode.
func (c *Codec[T]) Reader(written *schema.Type) (*Decoder[T], error) {
	if written.Equal(c.node.schema) {
		return &Decoder[T]{dec: c.dec}, nil
	}
	if written == nil {
		return nil, fmt.Errorf("reading stored values as %s: there is no schema of what was written", c.node.typ)
	}
	d, err := compileDecoder(written, c.node)
	if err != nil {
		return nil, err
	}
	return &Decoder[T]{dec: d}, nil
}

// Decode is Codec.Decode for the schema that the decoder was made for.
func (d *Decoder[T]) Decode(src []byte, v *T) (int, error) {
	if d.dec.sparse {
		*v = *new(T)
	}
	return d.dec.run(src, 0, unsafe.Pointer(v))
}
