package codec

import (
	"bytes"
	"encoding/binary"
	"math"
	"reflect"
	"strings"
	"time"
	"unsafe"

	"github.com/flottio/flott/schema"
)

// keyProgram is encoder, decoder, hash and equality of a key in one: the steps say where the parts are, each method what it does
// with them. It is apart from encoder and decoder because nothing in it may let the key escape to the heap.
type keyProgram struct {
	typ   reflect.Type
	steps []keyStep
	paths []string // of each step, for errors
}

type keyCode uint8

const (
	keyWord    keyCode = iota // an integer of 8 bytes in memory
	keyInteger                // any other integer, and bool
	keyString
	keyFloat64
	keyFloat32
	keyBytes // n integers of one byte
	keyTime
	keyArray
	keyMark // the zero byte of a struct or array without parts
)

type keyStep struct {
	code   keyCode
	bool   bool
	signed bool
	wide   uint8 // keyInteger: encoded bytes
	off    uintptr
	n      uintptr // bytes in memory; keyArray: elements
	stride uintptr
	sub    *keyProgram
}

func (k *keyProgram) add(n *node, off uintptr, path string) {
	s := keyStep{off: off, n: n.typ.Size(), wide: uint8(n.schema.Kind.FixedBytes())}
	switch kind := n.schema.Kind; kind {
	case schema.Struct:
		for _, f := range n.fields {
			k.add(f.node, off+f.offset, path+"."+f.name)
		}
		if len(n.fields) > 0 {
			return
		}
		s.code = keyMark
	case schema.Array:
		s.n = uintptr(n.schema.Len)
		switch e := n.elem.schema.Kind; {
		case s.n == 0:
			s.code = keyMark
		case e == schema.Uint8 || e == schema.Int8:
			s.code = keyBytes
		default:
			s.code, s.stride, s.sub = keyArray, n.elem.typ.Size(), &keyProgram{typ: n.typ}
			s.sub.add(n.elem, 0, path+"[]")
		}
	case schema.String:
		s.code = keyString
	case schema.Float64:
		s.code = keyFloat64
	case schema.Float32:
		s.code = keyFloat32
	case schema.Time:
		s.code = keyTime
	default:
		s.code, s.signed, s.bool = keyInteger, isSigned(kind) || kind == schema.Duration, kind == schema.Bool
		if s.n == 8 {
			s.code = keyWord
		}
	}
	k.steps = append(k.steps, s)
	k.paths = append(k.paths, strings.TrimPrefix(path, "."))
}

// plain reports whether Go's == is canonical equality.
func (k *keyProgram) plain() bool {
	for i := range k.steps {
		switch s := &k.steps[i]; s.code {
		case keyFloat64, keyFloat32, keyTime:
			return false
		case keyArray:
			if !s.sub.plain() {
				return false
			}
		}
	}
	return true
}

func instant(q unsafe.Pointer) (sec int64, nsec uint32) {
	t := (*time.Time)(q)
	return t.Unix(), uint32(t.Nanosecond())
}

func (k *keyProgram) append(dst []byte, p unsafe.Pointer) []byte {
	for i := range k.steps {
		s := &k.steps[i]
		q := unsafe.Add(p, s.off)
		switch s.code {
		case keyWord:
			dst = binary.LittleEndian.AppendUint64(dst, *(*uint64)(q))
		case keyInteger:
			v := loadInteger(q, s.n, s.signed)
			for range s.wide {
				dst = append(dst, byte(v))
				v >>= 8
			}
		case keyString:
			v := *(*string)(q)
			dst = append(binary.AppendUvarint(dst, uint64(len(v))), v...)
		case keyFloat64:
			dst = binary.LittleEndian.AppendUint64(dst, canonical64(*(*float64)(q)))
		case keyFloat32:
			dst = binary.LittleEndian.AppendUint32(dst, canonical32(*(*float32)(q)))
		case keyBytes:
			dst = append(dst, unsafe.Slice((*byte)(q), s.n)...)
		case keyTime:
			dst = appendTime(dst, q)
		case keyArray:
			for j := range s.n {
				dst = s.sub.append(dst, unsafe.Add(q, j*s.stride))
			}
		case keyMark:
			dst = append(dst, 0)
		}
	}
	return dst
}

func (k *keyProgram) equal(a, b unsafe.Pointer) bool {
	for i := range k.steps {
		s := &k.steps[i]
		x, y := unsafe.Add(a, s.off), unsafe.Add(b, s.off)
		same := true
		switch s.code {
		case keyWord:
			same = *(*uint64)(x) == *(*uint64)(y)
		case keyInteger:
			same = loadInteger(x, s.n, s.signed) == loadInteger(y, s.n, s.signed)
		case keyString:
			same = *(*string)(x) == *(*string)(y)
		case keyFloat64:
			same = canonical64(*(*float64)(x)) == canonical64(*(*float64)(y))
		case keyFloat32:
			same = canonical32(*(*float32)(x)) == canonical32(*(*float32)(y))
		case keyBytes:
			same = bytes.Equal(unsafe.Slice((*byte)(x), s.n), unsafe.Slice((*byte)(y), s.n))
		case keyTime:
			xs, xn := instant(x)
			ys, yn := instant(y)
			same = xs == ys && xn == yn // not Time.Equal, which prefers monotonic readings
		case keyArray:
			for j := uintptr(0); j < s.n && same; j++ {
				same = s.sub.equal(unsafe.Add(x, j*s.stride), unsafe.Add(y, j*s.stride))
			}
		}
		if !same {
			return false
		}
	}
	return true
}

// decode reads one key at src[pos:] and returns the position behind it.
func (k *keyProgram) decode(src []byte, pos int, p unsafe.Pointer) (int, error) {
	for i := range k.steps {
		s := &k.steps[i]
		q := unsafe.Add(p, s.off)
		var err error
		switch s.code {
		case keyString:
			n, start := length(src, pos)
			if start < 0 || n > len(src)-start {
				return k.fail(i, src, pos, "a wrong length")
			}
			pos = start + n
			*(*string)(q) = string(src[start:pos])
		case keyBytes:
			if uintptr(len(src)-pos) < s.n {
				return k.fail(i, src, pos, "a value that goes on behind the end")
			}
			pos += copy(unsafe.Slice((*byte)(q), s.n), src[pos:])
		case keyArray:
			for j := range s.n {
				if pos, err = s.sub.decode(src, pos, unsafe.Add(q, j*s.stride)); err != nil {
					return pos, err
				}
			}
		default:
			if pos, err = k.decodeFixed(i, src, pos, q); err != nil {
				return pos, err
			}
		}
	}
	return pos, nil
}

// decodeFixed reads a part of a fixed width.
func (k *keyProgram) decodeFixed(i int, src []byte, pos int, q unsafe.Pointer) (int, error) {
	s := &k.steps[i]
	wide := max(int(s.wide), 1)
	if len(src)-pos < wide {
		return k.fail(i, src, pos, "a value that goes on behind the end")
	}
	b := src[pos : pos+wide]
	pos += wide
	switch s.code {
	case keyTime:
		if !decodeTime(b, q) {
			return k.fail(i, src, pos-wide, "an instant with a second or more of nanoseconds")
		}
		return pos, nil
	case keyMark:
		if b[0] != 0 {
			return k.fail(i, src, pos-wide, "an empty struct that is not 0")
		}
		return pos, nil
	}
	v := readInteger(b, uintptr(wide))
	canonical := v
	switch {
	case s.code == keyFloat64:
		canonical = canonical64(math.Float64frombits(v))
	case s.code == keyFloat32:
		canonical = uint64(canonical32(math.Float32frombits(uint32(v))))
	case s.bool:
		canonical = v & 1
	}
	if v != canonical {
		return k.fail(i, src, pos-wide, "a bool or float that is not canonical")
	}
	if s.signed {
		v = signExtend(v, uintptr(wide))
	}
	storeInteger(q, s.n, v)
	if uintptr(wide) > s.n && loadInteger(q, s.n, s.signed) != v {
		return k.fail(i, src, pos-wide, "a number that does not fit into an int of this platform")
	}
	return pos, nil
}
