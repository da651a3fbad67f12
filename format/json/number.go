package json

import (
	"unsafe"

	"github.com/flottio/flott/format/internal/scalar"
)

// int reads an integer literal: exactly, and without a detour through floating point. A literal with a fraction or an exponent is
// no integer, not even 1.0 or 1e3.
func (d *decoder) int(o *op, p unsafe.Pointer, i int) int {
	first := i
	negative := i < len(d.data) && d.data[i] == '-'
	if negative {
		first++
	}
	v, end, overflow := scalar.Digits(d.data, first)
	if !d.integerEnds(first, end) {
		return d.notInteger(i)
	}
	n, ok := scalar.Signed(v, negative, o.bits)
	if overflow || !ok {
		return d.outOfRange(o, i)
	}
	switch o.bits {
	case 64:
		*(*int64)(p) = n
	case 32:
		*(*int32)(p) = int32(n)
	case 16:
		*(*int16)(p) = int16(n)
	case 8:
		*(*int8)(p) = int8(n)
	}
	return end
}

func (d *decoder) uint(o *op, p unsafe.Pointer, i int) int {
	v, end, overflow := scalar.Digits(d.data, i)
	if !d.integerEnds(i, end) {
		if _, integer, err := scalar.Number(d.data, i); integer && err == nil { // it has a minus
			return d.outOfRange(o, i)
		}
		return d.notInteger(i)
	}
	if overflow || v>>(o.bits-1)>>1 != 0 {
		return d.outOfRange(o, i)
	}
	switch o.bits {
	case 64:
		*(*uint64)(p) = v
	case 32:
		*(*uint32)(p) = uint32(v)
	case 16:
		*(*uint16)(p) = uint16(v)
	case 8:
		*(*uint8)(p) = uint8(v)
	}
	return end
}

// integerEnds reports whether the digits from first to end are a whole integer literal.
func (d *decoder) integerEnds(first, end int) bool {
	if end == first || d.data[first] == '0' && end > first+1 {
		return false
	}
	return end == len(d.data) || d.data[end] != '.' && d.data[end]|0x20 != 'e'
}

func (d *decoder) notInteger(i int) int {
	if i < len(d.data) && isNumberStart(d.data[i]) {
		if end, _, err := scalar.Number(d.data, i); err != nil {
			return d.malformedNumber(end)
		}
	}
	return d.null(i, "an integer")
}

func isNumberStart(c byte) bool { return c == '-' || c-'0' <= 9 }

func (d *decoder) malformedNumber(at int) int {
	if at >= len(d.data) {
		return d.fail(at, "unexpected end of the record", "the rest of a number", "")
	}
	return d.fail(at, "malformed number", "", d.token(at))
}

func (d *decoder) outOfRange(o *op, i int) int {
	return d.fail(i, "number out of range", "a value that fits "+o.typ.Kind().String(), d.token(i))
}

func (d *decoder) float(o *op, p unsafe.Pointer, i int) int {
	if d.isNull(i) {
		return i + len("null")
	}
	end := d.numberEnd(i)
	if end == failed {
		return failed
	}
	f, err := scalar.Float(d.data[i:end], o.bits)
	if err != nil {
		return d.outOfRange(o, i)
	}
	if o.bits == 32 {
		*(*float32)(p) = float32(f)
	} else {
		*(*float64)(p) = f
	}
	return end
}

// numberEnd returns where the number at i ends.
func (d *decoder) numberEnd(i int) int {
	if i >= len(d.data) || !isNumberStart(d.data[i]) {
		return d.unexpected(i, "a number")
	}
	end, _, err := scalar.Number(d.data, i)
	if err != nil {
		return d.malformedNumber(end)
	}
	return end
}

// number reads a json.Number: the literal as it is.
func (d *decoder) number(p unsafe.Pointer, i int) int {
	if d.isNull(i) {
		return i + len("null")
	}
	end := d.numberEnd(i)
	if end != failed {
		*(*string)(p) = string(d.data[i:end])
	}
	return end
}
