package codec

import "github.com/flottio/flott/schema"

// skip returns the position behind the value of type t at src[pos:], or -1 if the bytes are not such a value. It is for
// fields that a newer Go type no longer has: rare enough to read the schema instead of a program.
func skip(src []byte, pos int, t *schema.Type) int {
	if n := t.Kind.FixedBytes(); n > 0 {
		return forward(src, pos, uint64(n))
	}
	switch t.Kind {
	case schema.String, schema.Custom:
		n, next := uvarint(src, pos)
		return forward(src, next, n)
	case schema.Bytes:
		n, next := lengthOrNil(src, pos, 1)
		return forward(src, next, uint64(max(n, 0)))
	case schema.Struct:
		if len(t.Fields) == 0 {
			return forward(src, pos, 1)
		}
		for i := range t.Fields {
			if pos = skip(src, pos, t.Fields[i].Type); pos < 0 {
				return -1
			}
		}
		return pos
	case schema.Array:
		if t.Len == 0 {
			return forward(src, pos, 1)
		}
		return skipMany(src, pos, t.Len, t.Elem)
	case schema.List:
		n, next := lengthOrNil(src, pos, leastBytes(t.Elem))
		return skipMany(src, next, n, t.Elem)
	case schema.Map:
		n, next := lengthOrNil(src, pos, 2)
		for i := 0; i < n && next >= 0; i++ {
			if next = skip(src, next, t.Key); next >= 0 {
				next = skip(src, next, t.Elem)
			}
		}
		return next
	case schema.Optional:
		switch {
		case pos >= len(src) || src[pos] > 1:
			return -1
		case src[pos] == 0:
			return pos + 1
		}
		return skip(src, pos+1, t.Elem)
	}
	return -1
}

// forward returns pos+n, or -1 if that is behind the end or pos is negative already.
func forward(src []byte, pos int, n uint64) int {
	if pos < 0 || pos > len(src) || n > uint64(len(src)-pos) {
		return -1
	}
	return pos + int(n)
}

// skipMany skips n elements; n <= 0 skips none. Each takes at least a byte, which bounds the loop.
func skipMany(src []byte, pos, n int, t *schema.Type) int {
	if n <= 0 {
		return pos
	}
	if size := t.Kind.FixedBytes(); size > 0 {
		return forward(src, pos, uint64(n)*uint64(size))
	}
	for i := 0; i < n && pos >= 0; i++ {
		pos = skip(src, pos, t)
	}
	return pos
}

// leastBytesMax bounds leastBytes: a larger number says no more about whether a length can be true.
const leastBytesMax = 1 << 30

// leastBytes returns the fewest bytes that a value of the type takes, at least 1.
func leastBytes(t *schema.Type) int {
	if n := t.Kind.FixedBytes(); n > 0 {
		return n
	}
	switch t.Kind {
	case schema.Struct:
		n := 0
		for i := range t.Fields {
			n = min(n+leastBytes(t.Fields[i].Type), leastBytesMax)
		}
		return max(n, 1)
	case schema.Array:
		if t.Len == 0 {
			return 1
		}
		return int(min(int64(t.Len)*int64(leastBytes(t.Elem)), leastBytesMax))
	}
	return 1
}
