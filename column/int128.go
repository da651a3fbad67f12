package column

import "math/bits"

// Int128 is a signed 128-bit integer in two's complement: unscaled decimals of more than 18 digits, and nanoseconds since the epoch.
type Int128 struct {
	Lo uint64
	Hi int64
}

// Int128From widens v.
func Int128From(v int64) Int128 { return Int128{Lo: uint64(v), Hi: v >> 63} }

// Int64 returns the value if it fits.
func (a Int128) Int64() (v int64, ok bool) { return int64(a.Lo), a.Hi == int64(a.Lo)>>63 }

// Sign is -1, 0 or 1.
func (a Int128) Sign() int {
	switch {
	case a.Hi < 0:
		return -1
	case a.Hi == 0 && a.Lo == 0:
		return 0
	}
	return 1
}

// Cmp is -1, 0 or 1 as a is less than, equal to or greater than b.
func (a Int128) Cmp(b Int128) int {
	switch {
	case a.Hi < b.Hi || a.Hi == b.Hi && a.Lo < b.Lo:
		return -1
	case a == b:
		return 0
	}
	return 1
}

// Add wraps around on overflow.
func (a Int128) Add(b Int128) Int128 {
	lo, carry := bits.Add64(a.Lo, b.Lo, 0)
	hi, _ := bits.Add64(uint64(a.Hi), uint64(b.Hi), carry)
	return Int128{lo, int64(hi)}
}

// Sub wraps around on overflow.
func (a Int128) Sub(b Int128) Int128 {
	lo, borrow := bits.Sub64(a.Lo, b.Lo, 0)
	hi, _ := bits.Sub64(uint64(a.Hi), uint64(b.Hi), borrow)
	return Int128{lo, int64(hi)}
}

// Neg is -a.
func (a Int128) Neg() Int128 { return Int128{}.Sub(a) }

// Pow10 are the powers of ten that fit: Pow10[38] is the largest.
var Pow10 = func() (p [MaxDecimalPrecision + 1]Int128) {
	p[0] = Int128{Lo: 1}
	for i := 1; i < len(p); i++ {
		p[i], _ = p[i-1].Mul(Int128{Lo: 10})
	}
	return p
}()

// Pow10Int64 are the powers of ten that fit 64 bits.
var Pow10Int64 = func() (p [19]int64) {
	for i := range p {
		p[i] = int64(Pow10[i].Lo)
	}
	return p
}()

// Mul64 is the exact product of two 64-bit numbers.
func Mul64(a, b int64) Int128 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	return Int128{lo, int64(hi) - a>>63&b - b>>63&a}
}

// Abs is the magnitude, as an unsigned number if a is the least Int128.
func (a Int128) Abs() Int128 {
	if a.Hi < 0 {
		return a.Neg()
	}
	return a
}

// Mul reports ok = false if the product does not fit.
func (a Int128) Mul(b Int128) (product Int128, ok bool) {
	x, xFits := a.Int64()
	y, yFits := b.Int64()
	if xFits && yFits {
		return Mul64(x, y), true
	}
	w := mulWide(a.Abs(), b.Abs())
	neg := a.Hi^b.Hi < 0
	return w.int128(neg)
}

// QuoRem divides towards zero; the remainder has the sign of a. It panics if b is zero.
func (a Int128) QuoRem(b Int128) (quo, rem Int128) {
	if x, ok := a.Int64(); ok {
		if y, ok := b.Int64(); ok && y != -1 {
			return Int128From(x / y), Int128From(x % y)
		}
	}
	m := a.Abs()
	q, r := wide{m.Lo, uint64(m.Hi)}.quoRem(b.Abs())
	quo, rem = Int128{q[0], int64(q[1])}, r
	if a.Hi^b.Hi < 0 {
		quo = quo.Neg()
	}
	if a.Hi < 0 {
		rem = rem.Neg()
	}
	return quo, rem
}

// Digits is the number of decimal digits of the magnitude; zero has none.
func (a Int128) Digits() int {
	m := a.Abs()
	lo, hi := 0, len(Pow10)
	for lo < hi { // the first power that is greater
		mid := (lo + hi) / 2
		if m.Cmp(Pow10[mid]) < 0 {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// ScaleUp multiplies by 10^n, n >= 0; ok is false if that does not fit.
func (a Int128) ScaleUp(n int) (Int128, bool) {
	if n >= len(Pow10) {
		return Int128{}, a.Sign() == 0
	}
	return a.Mul(Pow10[n])
}

// ScaleDown divides by 10^n, n >= 0, and rounds half away from zero.
func (a Int128) ScaleDown(n int) Int128 {
	switch {
	case n == 0:
		return a
	case n > len(Pow10):
		return Int128{}
	}
	q, _ := a.QuoRem(Pow10[n-1])
	return q.roundDigit()
}

// roundDigit drops the last digit and rounds by it.
func (a Int128) roundDigit() Int128 {
	q, r := a.QuoRem(Int128{Lo: 10})
	switch d, _ := r.Int64(); {
	case d >= 5:
		return q.Add(Int128{Lo: 1})
	case d <= -5:
		return q.Sub(Int128{Lo: 1})
	}
	return q
}

// Float64 is the nearest float64 of a / 10^scale for small numbers, and within one unit in the last place for others.
func (a Int128) Float64() float64 {
	m := a.Abs()
	f := float64(uint64(m.Hi))*(1<<64) + float64(m.Lo)
	if a.Hi < 0 {
		return -f
	}
	return f
}

// AppendDecimal appends the text of a / 10^scale with all digits behind the point.
func (a Int128) AppendDecimal(dst []byte, scale int) []byte {
	var buf [48]byte
	at := len(buf)
	m := wide{a.Abs().Lo, uint64(a.Abs().Hi)}
	hi, lo := m[1], m[0]
	for n := 0; n <= scale || hi != 0 || lo != 0; n++ {
		if n == scale && scale > 0 {
			at--
			buf[at] = '.'
		}
		var d uint64
		hi, d = bits.Div64(0, hi, 10)
		lo, d = bits.Div64(d, lo, 10)
		at--
		buf[at] = byte('0' + d)
	}
	if a.Hi < 0 {
		dst = append(dst, '-')
	}
	return append(dst, buf[at:]...)
}

// String is the number in decimal.
func (a Int128) String() string { return string(a.AppendDecimal(nil, 0)) }

// MulScaled is a * b / 10^drop, 0 <= drop <= 39, rounded half away from zero; ok is false if it has more than 38 digits.
func MulScaled(a, b Int128, drop int) (Int128, bool) {
	w := mulWide(a.Abs(), b.Abs())
	if drop > 1 {
		w, _ = w.quoRem(Pow10[drop-1])
	}
	if drop > 0 {
		var r Int128
		if w, r = w.quoRem(Int128{Lo: 10}); r.Lo >= 5 {
			w = w.increment()
		}
	}
	v, ok := w.int128(a.Hi^b.Hi < 0)
	return v, ok && v.Abs().Cmp(Pow10[MaxDecimalPrecision]) < 0
}

// DivScaled is a / b for b != 0 as Flink divides: the quotient of the unscaled numbers, where a has shift digits more behind the point than b
// (or fewer: negative), rounded half away from zero to 38 digits and then to scale digits behind the point; ok is false if that has more
// than 38 digits.
func DivScaled(a, b Int128, shift, scale int) (Int128, bool) {
	if a.Sign() == 0 {
		return Int128{}, true
	}
	x, y := a.Abs(), b.Abs()
	up := MaxDecimalPrecision + y.Digits() - x.Digits() // the quotient gets 38 or 39 digits
	w := mulWide(x, Pow10[min(up, MaxDecimalPrecision)])
	if up > MaxDecimalPrecision {
		w = w.mul(Pow10[up-MaxDecimalPrecision])
	}
	q, r := w.quoRem(y)
	if q.less(wide{Pow10[38].Lo, uint64(Pow10[38].Hi)}) {
		if twice := (wide{r.Lo, uint64(r.Hi)}).add(wide{r.Lo, uint64(r.Hi)}); !twice.less(wide{y.Lo, uint64(y.Hi)}) {
			q = q.increment()
		}
	} else {
		var digit Int128
		if q, digit = q.quoRem(Int128{Lo: 10}); digit.Lo >= 5 {
			q = q.increment()
		}
		up--
	}
	v, _ := q.int128(a.Hi^b.Hi < 0)
	has := shift + up // digits behind the point so far
	ok := true
	if has >= scale {
		v = v.ScaleDown(has - scale)
	} else {
		v, ok = v.ScaleUp(scale - has)
	}
	return v, ok && v.Abs().Cmp(Pow10[MaxDecimalPrecision]) < 0
}

// wide is an unsigned 256-bit number, lowest word first.
type wide [4]uint64

// mulWide is the product of two magnitudes.
func mulWide(a, b Int128) wide {
	return wide{a.Lo, uint64(a.Hi)}.mul(b)
}

// mul keeps the low 256 bits.
func (w wide) mul(b Int128) (p wide) {
	for i, x := range w {
		if x == 0 {
			continue
		}
		var carry uint64
		for j, y := range [2]uint64{b.Lo, uint64(b.Hi)} {
			if i+j >= len(p) {
				break
			}
			hi, lo := bits.Mul64(x, y)
			var c uint64
			lo, c = bits.Add64(lo, carry, 0)
			hi += c
			p[i+j], c = bits.Add64(p[i+j], lo, 0)
			carry = hi + c
		}
		for k := i + 2; k < len(p) && carry != 0; k++ {
			p[k], carry = bits.Add64(p[k], carry, 0)
		}
	}
	return p
}

func (w wide) add(b wide) wide {
	var c uint64
	for i := range w {
		w[i], c = bits.Add64(w[i], b[i], c)
	}
	return w
}

func (w wide) increment() wide { return w.add(wide{1}) }

func (w wide) less(b wide) bool {
	for i := len(w) - 1; i >= 0; i-- {
		if w[i] != b[i] {
			return w[i] < b[i]
		}
	}
	return false
}

// int128 is the number with a sign; ok is false if it does not fit.
func (w wide) int128(neg bool) (Int128, bool) {
	v := Int128{w[0], int64(w[1])}
	ok := w[2] == 0 && w[3] == 0 && v.Hi >= 0
	if neg {
		v = v.Neg()
	}
	return v, ok
}

// quoRem divides by a magnitude.
func (w wide) quoRem(b Int128) (q wide, rem Int128) {
	if b.Hi == 0 {
		var r uint64
		for i := len(w) - 1; i >= 0; i-- {
			q[i], r = bits.Div64(r, w[i], b.Lo)
		}
		return q, Int128{Lo: r}
	}
	// Schoolbook division by two normalized words.
	shift := uint(bits.LeadingZeros64(uint64(b.Hi)))
	b1, b0 := uint64(b.Hi)<<shift|b.Lo>>(64-shift), b.Lo<<shift
	var u [5]uint64
	u[4] = w[3] >> (64 - shift)
	for i := 3; i > 0; i-- {
		u[i] = w[i]<<shift | w[i-1]>>(64-shift)
	}
	u[0] = w[0] << shift
	for j := 2; j >= 0; j-- {
		q[j] = divideStep(u[j:j+3], b1, b0)
	}
	return q, Int128{u[0]>>shift | u[1]<<(64-shift), int64(u[1] >> shift)}
}

// divideStep finds one word of a quotient and takes its part off the three words of u, of which the upper two are less than the divisor.
func divideStep(u []uint64, b1, b0 uint64) uint64 {
	q := ^uint64(0)
	if u[2] < b1 {
		var r uint64
		q, r = bits.Div64(u[2], u[1], b1)
		for {
			hi, lo := bits.Mul64(q, b0)
			if hi < r || hi == r && lo <= u[0] {
				break
			}
			q--
			var c uint64
			if r, c = bits.Add64(r, b1, 0); c != 0 {
				break
			}
		}
	}
	for {
		h0, l0 := bits.Mul64(q, b0)
		h1, l1 := bits.Mul64(q, b1)
		mid, c := bits.Add64(h0, l1, 0)
		x0, borrow := bits.Sub64(u[0], l0, 0)
		x1, borrow := bits.Sub64(u[1], mid, borrow)
		x2, borrow := bits.Sub64(u[2], h1+c, borrow)
		if borrow == 0 {
			u[0], u[1], u[2] = x0, x1, x2
			return q
		}
		q--
	}
}
