package codec

import "unsafe"

// AppendAll appends the bytes of every value, one after another, as Append would; values whose bytes are those in memory in one copy.
func (c *Codec[T]) AppendAll(dst []byte, values []T) []byte {
	p := unsafe.Pointer(unsafe.SliceData(values))
	size := unsafe.Sizeof(*new(T))
	if c.enc.flat(size) {
		return append(dst, unsafe.Slice((*byte)(p), uintptr(len(values))*size)...)
	}
	for i := range values {
		dst = c.enc.append(dst, unsafe.Pointer(&values[i]))
	}
	return dst
}

// DecodeAll reads as many values as there is room for in values from the start of src and returns how many bytes they took. All that
// is said of Decode holds for each of them; after an error values are half written and must not be used.
func (c *Codec[T]) DecodeAll(src []byte, values []T) (int, error) {
	if c.dec.sparse {
		clear(values)
	}
	size := unsafe.Sizeof(*new(T))
	if n := uintptr(len(values)) * size; c.dec.flat && n <= uintptr(len(src)) {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), n), src)
		return int(n), nil
	}
	pos := 0
	for i := range values {
		var err error
		if pos, err = c.dec.run(src, pos, unsafe.Pointer(&values[i])); err != nil {
			return pos, err
		}
	}
	return pos, nil
}

// LeastBytes is the fewest bytes that a value takes, at least 1: so many bytes hold at most so many values.
func (c *Codec[T]) LeastBytes() int { return c.dec.min }
