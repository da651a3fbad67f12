// Package scalar turns text into numbers and times and back, without allocating. It is shared by the text formats; it knows
// neither records nor fields. Imported by the formats only.
package scalar

import (
	"encoding/binary"
	"errors"
	"math"
	"strconv"
	"unsafe"
)

// ErrRange means that a number does not fit its type.
var ErrRange = errors.New("out of range")

// ErrSyntax means that the text is not of the form asked for.
var ErrSyntax = errors.New("bad syntax")

// Digits reads the decimal digits at b[i:] and returns their value and where they end. overflow: the value exceeds 64 bits
// (the digits are read to their end all the same).
func Digits(b []byte, i int) (v uint64, end int, overflow bool) {
	start := i
	for i+8 <= len(b) && i-start < 16 {
		w := binary.LittleEndian.Uint64(b[i:])
		if !eightDigits(w) {
			break
		}
		v = v*100000000 + eightDigitValue(w)
		i += 8
	}
	for i < len(b) && i-start < 19 { // 19 digits always fit
		c := b[i] - '0'
		if c > 9 {
			return v, i, false
		}
		v = v*10 + uint64(c)
		i++
	}
	for i < len(b) {
		c := b[i] - '0'
		if c > 9 {
			break
		}
		if v > math.MaxUint64/10 || v*10 > math.MaxUint64-uint64(c) {
			overflow = true
		} else {
			v = v*10 + uint64(c)
		}
		i++
	}
	return v, i, overflow
}

// eightDigits reports whether all eight bytes are '0' to '9': the high nibble is 3, and stays 3 when 6 is added.
func eightDigits(w uint64) bool {
	const high = 0xf0f0f0f0f0f0f0f0
	return w&high == 0x3030303030303030 && (w+0x0606060606060606)&high == 0x3030303030303030
}

// eightDigitValue folds neighbours: 8 digits to 4 pairs to 2 quadruples to 1 number.
func eightDigitValue(w uint64) uint64 {
	w -= 0x3030303030303030
	w = w*10 + w>>8
	return ((w&0x000000ff000000ff)*0x000f424000000064 + (w>>16&0x000000ff000000ff)*0x0000271000000001) >> 32
}

// Int parses all of b as a signed integer of the given size in bits: an optional sign and digits.
func Int(b []byte, bits int) (int64, error) {
	i, negative := 0, false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		i, negative = 1, b[0] == '-'
	}
	v, end, overflow := Digits(b, i)
	if end == i || end != len(b) {
		return 0, ErrSyntax
	}
	n, ok := Signed(v, negative, bits)
	if overflow || !ok {
		return 0, ErrRange
	}
	return n, nil
}

// Uint parses all of b as an unsigned integer of the given size in bits.
func Uint(b []byte, bits int) (uint64, error) {
	i := 0
	if len(b) > 0 && b[0] == '+' {
		i = 1
	}
	v, end, overflow := Digits(b, i)
	if end == i || end != len(b) {
		return 0, ErrSyntax
	}
	if overflow || v>>(bits-1)>>1 != 0 {
		return 0, ErrRange
	}
	return v, nil
}

// Signed gives magnitude v its sign and reports whether the result fits in bits.
func Signed(v uint64, negative bool, bits int) (int64, bool) {
	limit := uint64(1) << (bits - 1)
	if negative {
		return -int64(v), v <= limit
	}
	return int64(v), v < limit
}

var pow10 = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// Number reads a number of RFC 8259's grammar at b[i:] and returns where it ends, and whether it is an integer literal (neither
// fraction nor exponent). ErrSyntax: end is where the grammar is broken.
func Number(b []byte, i int) (end int, integer bool, err error) {
	if i < len(b) && b[i] == '-' {
		i++
	}
	start := i
	i = digitsEnd(b, i)
	if i == start {
		return i, false, ErrSyntax
	}
	if b[start] == '0' && i > start+1 {
		return start + 1, false, ErrSyntax
	}
	integer = true
	if i < len(b) && b[i] == '.' {
		integer = false
		fraction := i + 1
		if i = digitsEnd(b, fraction); i == fraction {
			return i, false, ErrSyntax
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		integer = false
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		exponent := i
		if i = digitsEnd(b, i); i == exponent {
			return i, false, ErrSyntax
		}
	}
	return i, integer, nil
}

func digitsEnd(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

// Float parses all of b, which Number or the caller has delimited, to the nearest value of the given size in bits (32 or 64).
// Short decimals are exact by one multiplication or division of exact values; the rest goes to strconv.
func Float(b []byte, bits int) (float64, error) {
	if bits == 64 {
		if f, ok := shortFloat(b); ok {
			return f, nil
		}
	}
	f, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(b), len(b)), bits)
	if err != nil {
		if errors.Is(err, strconv.ErrRange) {
			return 0, ErrRange
		}
		return 0, ErrSyntax
	}
	return f, nil
}

// shortFloat handles [-]digits[.digits] with a mantissa below 2^53 and at most 22 digits behind the point.
func shortFloat(b []byte) (float64, bool) {
	i, negative := 0, false
	if len(b) > 0 && b[0] == '-' {
		i, negative = 1, true
	}
	if len(b)-i > 17 || len(b) == i {
		return 0, false
	}
	var mantissa uint64
	point := -1
	for ; i < len(b); i++ {
		c := b[i] - '0'
		if c > 9 {
			if b[i] != '.' || point >= 0 {
				return 0, false
			}
			point = i
			continue
		}
		mantissa = mantissa*10 + uint64(c)
	}
	if mantissa >= 1<<53 || b[len(b)-1] == '.' || b[len(b)-1] == '-' {
		return 0, false
	}
	f := float64(mantissa)
	if point >= 0 {
		f /= pow10[len(b)-1-point]
	}
	if negative {
		f = -f
	}
	return f, true
}

// AppendFloat appends the shortest text that reads back as f, in JSON's form. f is finite.
func AppendFloat(dst []byte, f float64, bits int) []byte {
	exact := float64(uint64(1) << 53) // integers below it are their own shortest text
	if bits == 32 {
		exact = 1 << 24
	}
	if f == math.Trunc(f) && math.Abs(f) < exact && (f != 0 || !math.Signbit(f)) {
		return strconv.AppendInt(dst, int64(f), 10)
	}
	form := byte('f')
	if a := math.Abs(f); a != 0 {
		small, large := a < 1e-6, a >= 1e21
		if bits == 32 {
			small, large = float32(a) < 1e-6, float32(a) >= 1e21
		}
		if small || large {
			form = 'e'
		}
	}
	dst = strconv.AppendFloat(dst, f, form, -1, bits)
	if n := len(dst); form == 'e' && n >= 4 && dst[n-4] == 'e' && dst[n-3] == '-' && dst[n-2] == '0' { // e-09 -> e-9
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}
