package codec

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"reflect"
	"unsafe"

	"github.com/flottio/flott/schema"
)

// decoder is the program that makes a value of bytes. Its steps are in the order of the bytes, their offsets those of the Go
// type: reading old bytes into a new type is the same as reading, with other offsets.
type decoder struct {
	steps  []decodeStep
	paths  []string // of each step, for errors
	typ    reflect.Type
	min    int  // the fewest bytes a value takes; at least 1
	flat   bool // the bytes are those in memory
	sparse bool // some memory is not written: it must be zero before
}

type decodeStep struct {
	code   opcode
	wide   uint8 // opInteger: encoded bytes
	signed bool  // opInteger: the encoded number is signed
	flat   bool  // opList: elements are the same in memory and encoded
	off    uintptr
	n      uintptr  // bytes in memory; opArray: elements
	stride uintptr  // opArray, opList: bytes from element to element in memory
	sub    *decoder // opArray, opList, opOptional: element
	list   *lister
	m      *mapDecoder
	c      *custom
	skip   *schema.Type
}

// run reads one value at src[pos:] into the memory at p and returns the position behind it.
func (d *decoder) run(src []byte, pos int, p unsafe.Pointer) (int, error) {
	for i := range d.steps {
		s := &d.steps[i]
		q := unsafe.Add(p, s.off)
		left := len(src) - pos
		switch s.code {
		case opCopy:
			if uintptr(left) < s.n {
				return d.short(i, src, pos)
			}
			copy(unsafe.Slice((*byte)(q), s.n), src[pos:])
			pos += int(s.n)
		case opCopy4:
			if left < 4 {
				return d.short(i, src, pos)
			}
			*(*[4]byte)(q) = [4]byte(src[pos:])
			pos += 4
		case opCopy8:
			if left < 8 {
				return d.short(i, src, pos)
			}
			*(*[8]byte)(q) = [8]byte(src[pos:])
			pos += 8
		case opCopy16:
			if left < 16 {
				return d.short(i, src, pos)
			}
			*(*[16]byte)(q) = [16]byte(src[pos:])
			pos += 16
		case opString:
			if left < 1 {
				return d.short(i, src, pos)
			}
			n, start := int(src[pos]), pos+1
			if n >= 0x80 {
				if n, start = length(src, pos); start < 0 {
					return d.fail(i, src, pos, "a wrong length")
				}
			}
			if n > len(src)-start {
				return d.short(i, src, pos)
			}
			pos = start + n
			*(*string)(q) = string(src[start:pos])
		default:
			var err error
			if pos, err = d.step(i, src, pos, q); err != nil {
				return pos, err
			}
		}
	}
	return pos, nil
}

// step does what run leaves out because it is rarer or slower.
func (d *decoder) step(i int, src []byte, pos int, q unsafe.Pointer) (int, error) {
	s := &d.steps[i]
	left := len(src) - pos
	switch s.code {
	case opReverse, opInteger, opFloat:
		return d.number(i, src, pos, q)
	case opBool:
		if left < 1 {
			return d.short(i, src, pos)
		}
		if src[pos] > 1 {
			return d.fail(i, src, pos, "a bool that is neither 0 nor 1")
		}
		*(*byte)(q) = src[pos]
		return pos + 1, nil
	case opBytes:
		return d.bytes(i, src, pos, q)
	case opTime:
		if left < timeBytes {
			return d.short(i, src, pos)
		}
		if !decodeTime(src[pos:], q) {
			return d.fail(i, src, pos, "an instant with a second or more of nanoseconds")
		}
		return pos + timeBytes, nil
	case opMark:
		if left < 1 {
			return d.short(i, src, pos)
		}
		if src[pos] != 0 {
			return d.fail(i, src, pos, "an empty struct that is not 0")
		}
		return pos + 1, nil
	case opArray:
		return s.sub.elements(src, pos, sliceHeader{data: q, len: int(s.n)}, s.stride)
	case opList:
		return d.list(i, src, pos, q)
	case opOptional:
		return d.optional(i, src, pos, q)
	case opMap:
		return d.mapping(i, src, pos, q)
	case opCustom:
		n, start := length(src, pos)
		if start < 0 || n > len(src)-start {
			return d.fail(i, src, pos, "a wrong length")
		}
		if err := s.c.decode(src[start:start+n:start+n], q); err != nil {
			return pos, fmt.Errorf("decoding %s: %sa %s by its own method: %w", d.typ, fieldPrefix(d.paths[i]), s.c.typ, err)
		}
		return start + n, nil
	}
	end := skip(src, pos, s.skip)
	if end < 0 {
		return d.fail(i, src, pos, "a wrong "+s.skip.Kind.String()+" to be skipped")
	}
	return end, nil
}

// uvarint reads a length in its shortest form; next < 0 if there is none.
func uvarint(src []byte, pos int) (v uint64, next int) {
	if pos < len(src) && src[pos] < 0x80 {
		return uint64(src[pos]), pos + 1
	}
	v, n := binary.Uvarint(src[min(pos, len(src)):])
	if n <= 0 || n != uvarintLen(v) {
		return 0, -1
	}
	return v, pos + n
}

// length reads the length of something that follows; next < 0 if it is none.
func length(src []byte, pos int) (n, next int) {
	v, next := uvarint(src, pos)
	if v > math.MaxInt32 && v > uint64(len(src)) {
		return 0, -1
	}
	return int(v), next
}

// lengthOrNil reads the length of a list, map or bytes, -1 for nil, and refuses one whose elements of at least least bytes
// would not fit into what is left.
func lengthOrNil(src []byte, pos, least int) (n, next int) {
	v, next := uvarint(src, pos)
	if next < 0 || v == 0 {
		return -1, next
	}
	if v-1 > uint64((len(src)-next)/least) {
		return 0, -1
	}
	return int(v - 1), next
}

func (d *decoder) bytes(i int, src []byte, pos int, q unsafe.Pointer) (int, error) {
	n, start := lengthOrNil(src, pos, 1)
	if start < 0 {
		return d.fail(i, src, pos, "a wrong length")
	}
	if n < 0 {
		*(*[]byte)(q) = nil
		return start, nil
	}
	b := make([]byte, n)
	copy(b, src[start:])
	*(*[]byte)(q) = b
	return start + n, nil
}

func (d *decoder) number(i int, src []byte, pos int, q unsafe.Pointer) (int, error) {
	s := &d.steps[i]
	wide := uintptr(s.wide)
	if len(src)-pos < int(wide) {
		return d.short(i, src, pos)
	}
	v := readInteger(src[pos:], wide)
	if s.code == opFloat {
		*(*float64)(q) = float64(math.Float32frombits(uint32(v)))
		return pos + int(wide), nil
	}
	if s.signed {
		v = signExtend(v, wide)
	}
	storeInteger(q, s.n, v)
	if wide > s.n && loadInteger(q, s.n, s.signed) != v {
		return d.fail(i, src, pos, "a number that does not fit into an int of this platform")
	}
	return pos + int(wide), nil
}

func (d *decoder) list(i int, src []byte, pos int, q unsafe.Pointer) (int, error) {
	s := &d.steps[i]
	n, start := lengthOrNil(src, pos, s.sub.min)
	if start < 0 {
		return d.fail(i, src, pos, "a wrong length")
	}
	if n < 0 {
		*(*sliceHeader)(q) = sliceHeader{}
		return start, nil
	}
	if high, size := bits.Mul(uint(n), uint(s.stride)); high != 0 || size > math.MaxInt/2 {
		return d.fail(i, src, pos, "a list longer than memory")
	}
	h := s.list.make(n)
	*(*sliceHeader)(q) = h
	if s.flat {
		size := n * int(s.stride)
		if size > len(src)-start {
			return d.short(i, src, pos)
		}
		copy(unsafe.Slice((*byte)(h.data), size), src[start:])
		return start + size, nil
	}
	return s.sub.elements(src, start, h, s.stride)
}

func (d *decoder) elements(src []byte, pos int, h sliceHeader, stride uintptr) (int, error) {
	var err error
	for i := range h.len {
		if pos, err = d.run(src, pos, unsafe.Add(h.data, uintptr(i)*stride)); err != nil {
			return pos, err
		}
	}
	return pos, nil
}

func (d *decoder) optional(i int, src []byte, pos int, q unsafe.Pointer) (int, error) {
	s := &d.steps[i]
	switch {
	case pos >= len(src):
		return d.short(i, src, pos)
	case src[pos] == 0:
		*(*unsafe.Pointer)(q) = nil
		return pos + 1, nil
	case src[pos] != 1:
		return d.fail(i, src, pos, "an optional value that is neither absent (0) nor present (1)")
	}
	p := reflect.New(s.sub.typ).UnsafePointer()
	*(*unsafe.Pointer)(q) = p
	return s.sub.run(src, pos+1, p)
}

// lister makes slices of one type.
type lister struct {
	typ  reflect.Type // of the slice
	size int          // bytes of an element
	kind listKind
}

type listKind uint8

const (
	listAny     listKind = iota
	listFlat             // no pointers inside: any memory will do
	listStrings          //
)

func newLister(t reflect.Type) *lister {
	l := &lister{typ: t, size: int(t.Elem().Size())}
	switch {
	case t.Elem().Kind() == reflect.String:
		l.kind = listStrings
	case memoryOf(t.Elem()) == memoryFlat && l.size > 0:
		l.kind = listFlat
	}
	return l
}

func (l *lister) make(n int) sliceHeader {
	h := sliceHeader{len: n, cap: n}
	switch l.kind {
	case listStrings:
		h.data = unsafe.Pointer(unsafe.SliceData(make([]string, n)))
	case listFlat:
		h.data = unsafe.Pointer(unsafe.SliceData(make([]uint64, (n*l.size+7)/8)))
	default: // costs one small allocation more
		h.data = reflect.MakeSlice(l.typ, n, n).UnsafePointer()
	}
	return h
}

func (d *decoder) short(i int, src []byte, pos int) (int, error) {
	return d.fail(i, src, pos, "a value that goes on behind the end")
}

func fieldPrefix(path string) string {
	if path == "" {
		return ""
	}
	return "field " + path + ": "
}

// fail makes the error of step i. The bytes themselves are not shown: they may be anything.
func (d *decoder) fail(i int, src []byte, pos int, what string) (int, error) {
	return pos, fmt.Errorf("decoding %s: %s%s at byte %d of %d", d.typ, fieldPrefix(d.paths[i]), what, pos, len(src))
}
