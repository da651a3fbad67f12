package codec

import (
	"encoding/binary"
	"math/bits"
	"reflect"
	"unsafe"

	"github.com/flottio/flott/schema"
)

// opcode is one kind of step of an encoder or a decoder.
type opcode uint8

const (
	opCopy    opcode = iota // n bytes that are the same in memory and encoded
	opCopy4                 // as opCopy, with n known to the compiler: a load and a store
	opCopy8                 //
	opCopy16                //
	opReverse               // a number of n bytes on a big-endian machine
	opInteger               // a number whose width in memory (n) is not the encoded one (wide)
	opFloat                 // float32 in the bytes, float64 in memory (decoder only)
	opBool
	opString
	opBytes
	opTime
	opMark // the zero byte of a struct or array without parts
	opArray
	opList
	opOptional
	opMap
	opCustom
	opSkip // a value that the Go type has no place for (decoder only)
)

// encoder is the program that makes bytes: steps with offsets from the start of one value.
type encoder struct {
	steps []encodeStep
}

type encodeStep struct {
	code   opcode
	wide   uint8 // opInteger: encoded bytes
	signed bool
	off    uintptr
	n      uintptr  // bytes in memory; opArray: elements
	stride uintptr  // opArray, opList: bytes from element to element in memory
	flat   bool     // opArray, opList: elements are the same in memory and encoded
	sub    *encoder // element
	m      *mapping
	c      *custom
}

func compileEncoder(n *node) encoder {
	var e encoder
	e.add(n, 0)
	for i := range e.steps {
		if s := &e.steps[i]; s.code == opCopy {
			s.code = copyCode(s.n)
		}
	}
	return e
}

// copyCode picks the step for a run of n bytes.
func copyCode(n uintptr) opcode {
	switch n {
	case 4:
		return opCopy4
	case 8:
		return opCopy8
	case 16:
		return opCopy16
	}
	return opCopy
}

func (e *encoder) add(n *node, off uintptr) {
	s := encodeStep{off: off, n: n.typ.Size()}
	switch n.schema.Kind {
	case schema.Bool:
		s.code = opBool
	case schema.String:
		s.code = opString
	case schema.Bytes:
		s.code = opBytes
	case schema.Time:
		s.code = opTime
	case schema.Struct:
		if len(n.fields) > 0 {
			for _, f := range n.fields {
				e.add(f.node, off+f.offset)
			}
			return
		}
		s.code = opMark
	case schema.Array:
		if n.schema.Len > 0 {
			e.addElements(opArray, n, s)
			return
		}
		s.code = opMark
	case schema.List:
		e.addElements(opList, n, s)
		return
	case schema.Optional:
		sub := compileEncoder(n.elem)
		s.code, s.sub = opOptional, &sub
	case schema.Map:
		s.code, s.m = opMap, newMapping(n)
	case schema.Custom:
		s.code, s.c = opCustom, &custom{typ: n.typ}
	default:
		s.scalar(n)
		e.push(s)
		return
	}
	e.steps = append(e.steps, s)
}

func (s *encodeStep) scalar(n *node) {
	wide := uintptr(n.schema.Kind.FixedBytes())
	switch {
	case wide != s.n:
		s.code, s.wide, s.signed = opInteger, uint8(wide), n.typ.Kind() < reflect.Uint
	case littleEndian || s.n == 1:
		s.code = opCopy
	default:
		s.code = opReverse
	}
}

// push appends a step, or makes the one before longer if both are one run of bytes.
func (e *encoder) push(s encodeStep) {
	if k := len(e.steps) - 1; k >= 0 && s.code == opCopy && e.steps[k].code == opCopy && e.steps[k].off+e.steps[k].n == s.off {
		e.steps[k].n += s.n
		return
	}
	e.steps = append(e.steps, s)
}

func (e *encoder) addElements(code opcode, n *node, s encodeStep) {
	sub := compileEncoder(n.elem)
	s.code, s.sub, s.stride, s.n = code, &sub, n.elem.typ.Size(), uintptr(n.schema.Len)
	s.flat = sub.flat(s.stride)
	if s.flat && code == opArray {
		s.code, s.n = opCopy, s.n*s.stride
		e.push(s)
		return
	}
	e.steps = append(e.steps, s)
}

// flat reports whether the bytes are those in memory, all size of them.
func (e *encoder) flat(size uintptr) bool {
	if len(e.steps) != 1 || e.steps[0].off != 0 || e.steps[0].n != size {
		return false
	}
	c := e.steps[0].code
	return c >= opCopy && c <= opCopy16
}

func (e *encoder) append(dst []byte, p unsafe.Pointer) []byte {
	for i := range e.steps {
		s := &e.steps[i]
		q := unsafe.Add(p, s.off)
		switch s.code {
		case opCopy:
			dst = append(dst, unsafe.Slice((*byte)(q), s.n)...)
		case opCopy4:
			dst = append(dst, (*[4]byte)(q)[:]...)
		case opCopy8:
			dst = append(dst, (*[8]byte)(q)[:]...)
		case opCopy16:
			dst = append(dst, (*[16]byte)(q)[:]...)
		case opReverse, opInteger:
			dst = s.number(dst, q)
		case opBool:
			dst = append(dst, *(*byte)(q)&1)
		case opString:
			v := *(*string)(q)
			if len(v) < 0x80 {
				dst = append(dst, byte(len(v)))
			} else {
				dst = binary.AppendUvarint(dst, uint64(len(v)))
			}
			dst = append(dst, v...)
		case opBytes:
			v := *(*[]byte)(q)
			if v == nil {
				dst = append(dst, 0)
				break
			}
			dst = append(binary.AppendUvarint(dst, uint64(len(v))+1), v...)
		case opTime:
			dst = appendTime(dst, q)
		case opMark:
			dst = append(dst, 0)
		case opArray:
			dst = s.elements(dst, q, s.n)
		case opList:
			dst = s.list(dst, q)
		case opOptional:
			dst = s.optional(dst, q)
		case opMap:
			dst = s.m.append(dst, *(*unsafe.Pointer)(q))
		case opCustom:
			dst = s.c.append(dst, q)
		}
	}
	return dst
}

// number appends a number byte by byte: on big-endian machines, and for int and uint on 32-bit ones.
func (s *encodeStep) number(dst []byte, q unsafe.Pointer) []byte {
	v := loadInteger(q, s.n, s.signed)
	wide := int(s.wide)
	if s.code == opReverse {
		wide = int(s.n)
	}
	for range wide {
		dst = append(dst, byte(v))
		v >>= 8
	}
	return dst
}

// loadInteger reads a number of n bytes as it lies in memory, extended to 64 bits.
func loadInteger(q unsafe.Pointer, n uintptr, signed bool) uint64 {
	var v uint64
	switch n {
	case 1:
		v = uint64(*(*uint8)(q))
	case 2:
		v = uint64(*(*uint16)(q))
	case 4:
		v = uint64(*(*uint32)(q))
	default:
		return *(*uint64)(q)
	}
	if signed {
		return signExtend(v, n)
	}
	return v
}

// storeInteger is the inverse of loadInteger.
func storeInteger(q unsafe.Pointer, n uintptr, v uint64) {
	switch n {
	case 1:
		*(*uint8)(q) = uint8(v)
	case 2:
		*(*uint16)(q) = uint16(v)
	case 4:
		*(*uint32)(q) = uint32(v)
	default:
		*(*uint64)(q) = v
	}
}

func signExtend(v uint64, n uintptr) uint64 {
	shift := 64 - 8*n
	return uint64(int64(v<<shift) >> shift)
}

// readInteger reads the first n bytes of src, which has them, as little endian.
func readInteger(src []byte, n uintptr) uint64 {
	switch n {
	case 8:
		return binary.LittleEndian.Uint64(src)
	case 4:
		return uint64(binary.LittleEndian.Uint32(src))
	case 2:
		return uint64(binary.LittleEndian.Uint16(src))
	}
	return uint64(src[0])
}

func (s *encodeStep) list(dst []byte, q unsafe.Pointer) []byte {
	h := (*sliceHeader)(q)
	if h.data == nil {
		return append(dst, 0)
	}
	return s.elements(binary.AppendUvarint(dst, uint64(h.len)+1), h.data, uintptr(h.len))
}

func (s *encodeStep) elements(dst []byte, p unsafe.Pointer, n uintptr) []byte {
	if s.flat {
		return append(dst, unsafe.Slice((*byte)(p), n*s.stride)...)
	}
	for i := range n {
		dst = s.sub.append(dst, unsafe.Add(p, i*s.stride))
	}
	return dst
}

func (s *encodeStep) optional(dst []byte, q unsafe.Pointer) []byte {
	p := *(*unsafe.Pointer)(q)
	if p == nil {
		return append(dst, 0)
	}
	return s.sub.append(append(dst, 1), p)
}

// sliceHeader is a slice of any type as it lies in memory.
type sliceHeader struct {
	data unsafe.Pointer
	len  int
	cap  int
}

// uvarintLen returns the number of bytes of v as uvarint.
func uvarintLen(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }
