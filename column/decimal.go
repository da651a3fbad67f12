package column

import (
	"math/bits"
	"strconv"
)

// maxExponent bounds exponents of decimals read from text: beyond it a value is 0 or does not fit.
const maxExponent = 1000

var powers = func() (p [MaxDecimalPrecision + 1]Int128) {
	p[0] = Int128From(1)
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1].mulSmall(10)
	}
	return p
}()

// mulSmall multiplies by a small positive number and wraps around on overflow.
func (a Int128) mulSmall(x uint64) Int128 {
	hi, lo := bits.Mul64(a.Lo, x)
	return Int128{Lo: lo, Hi: int64(uint64(a.Hi)*x + hi)}
}

// ParseDecimal reads a decimal number, all of b, with sign, fraction and exponent ("-12.5e3"), rounded half up to the type's scale; the result
// is unscaled. inRange is false if it has more digits than the type takes.
func ParseDecimal(b []byte, t Type) (unscaled Int128, ok, inRange bool) {
	i := 0
	negative := len(b) > 0 && b[0] == '-'
	if negative || len(b) > 0 && b[0] == '+' {
		i++
	}
	var digits [MaxDecimalPrecision + 2]byte // significant ones; one more is needed to round
	n, point, seen := 0, 0, false            // the value is 0.d1d2d3... * 10^point
	fraction := false
	for ; i < len(b); i++ {
		c := b[i]
		switch {
		case c == '.' && !fraction:
			fraction = true
			continue
		case c-'0' > 9:
			exponent, valid := parseExponent(b[i:])
			if !valid || !seen {
				return Int128{}, false, true
			}
			point += exponent
			i = len(b)
			continue
		}
		seen = true
		if !fraction && (n > 0 || c != '0') {
			point++
		}
		switch {
		case n == 0 && c == '0':
			if fraction {
				point--
			}
		case n < len(digits):
			digits[n] = c - '0'
			n++
		}
	}
	if !seen {
		return Int128{}, false, true
	}
	unscaled, inRange = placeDigits(digits[:n], point+int(t.Scale), int(t.Precision))
	if negative {
		unscaled = unscaled.Neg()
	}
	return unscaled, true, inRange
}

func parseExponent(b []byte) (int, bool) {
	if len(b) < 2 || b[0]|0x20 != 'e' {
		return 0, false
	}
	x, err := strconv.Atoi(string(b[1:]))
	if err != nil {
		return 0, false
	}
	return max(-maxExponent, min(x, maxExponent)), true
}

// placeDigits makes a whole number of 0.d1d2... * 10^places.
func placeDigits(digits []byte, places, precision int) (x Int128, inRange bool) {
	if len(digits) == 0 || places < 0 {
		return x, true
	}
	if places > precision {
		return x, false
	}
	for i := range places {
		x = x.mulSmall(10)
		if i < len(digits) {
			x = x.Add(Int128From(int64(digits[i])))
		}
	}
	if places < len(digits) && digits[places] >= 5 {
		x = x.Add(Int128From(1))
	}
	return x, x.Cmp(powers[precision]) < 0
}

// AppendDecimal appends an unscaled decimal as plain digits with exactly scale digits of fraction.
func AppendDecimal(dst []byte, x Int128, scale int) []byte {
	if x.Sign() < 0 {
		dst = append(dst, '-')
		x = x.Neg()
	}
	var b [44]byte
	i := len(b)
	for n := 0; n <= scale || x != (Int128{}); n++ {
		if n == scale && scale > 0 {
			i--
			b[i] = '.'
		}
		var r uint64
		hi := uint64(x.Hi)
		q := hi / 10
		x.Lo, r = bits.Div64(hi%10, x.Lo, 10)
		x.Hi = int64(q)
		i--
		b[i] = '0' + byte(r)
	}
	return append(dst, b[i:]...)
}

// Decimal is value i of a vector of DECIMAL, unscaled.
func (v *Vector) Decimal(i int) Int128 {
	if v.Store == Int128s {
		return v.I128[i]
	}
	return Int128From(v.I64[i])
}

// AppendDecimal adds an unscaled value to a vector of DECIMAL.
func (v *Vector) AppendDecimal(x Int128) {
	if v.Store == Int128s {
		v.I128 = append(v.I128, x)
	} else {
		v.I64 = append(v.I64, int64(x.Lo))
	}
	v.One()
}

// Fits reports whether an unscaled decimal has at most so many digits.
func (a Int128) Fits(precision int) bool {
	if a.Sign() < 0 {
		a = a.Neg()
	}
	return a.Sign() >= 0 && a.Cmp(powers[precision]) < 0
}
