package codec

import (
	"encoding"
	"encoding/binary"
	"errors"
	"reflect"
	"unsafe"
)

// custom calls the methods of a type that makes its own bytes. The methods see a copy on the heap: they could keep the pointer
// they are given, and the values of callers would all have to live on the heap for that.
type custom struct {
	typ reflect.Type
}

func (c *custom) append(dst []byte, q unsafe.Pointer) []byte {
	v := reflect.New(c.typ)
	v.Elem().Set(reflect.NewAt(c.typ, noescape(q)).Elem())
	start := len(dst)
	dst = append(dst, 0)
	var err error
	switch m := v.Interface().(type) {
	case encoding.BinaryAppender:
		dst, err = m.AppendBinary(dst)
	case encoding.BinaryMarshaler:
		var b []byte
		b, err = m.MarshalBinary()
		dst = append(dst, b...)
	}
	if err == nil && len(dst) <= start {
		err = errors.New("AppendBinary returned less than it was given")
	}
	if err != nil {
		panic(&MarshalError{Type: c.typ, Err: err})
	}
	n := len(dst) - start - 1
	extra := uvarintLen(uint64(n)) - 1
	if extra > 0 { // the length needs more than the one byte that was kept free
		var room [binary.MaxVarintLen64]byte
		dst = append(dst, room[:extra]...)
		copy(dst[start+1+extra:], dst[start+1:start+1+n])
	}
	binary.PutUvarint(dst[start:], uint64(n))
	return dst
}

func (c *custom) decode(b []byte, q unsafe.Pointer) error {
	v := reflect.New(c.typ)
	if err := v.Interface().(encoding.BinaryUnmarshaler).UnmarshalBinary(b); err != nil {
		return err
	}
	reflect.NewAt(c.typ, noescape(q)).Elem().Set(v.Elem())
	return nil
}
