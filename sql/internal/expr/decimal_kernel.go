package expr

import (
	"fmt"
	"math/big"

	"github.com/flottio/flott/column"
)

// decimalSite is what the loops over decimals need to know. Operands are 64 or 128 bits wide; those of 64 may be whole numbers.
type decimalSite struct {
	a, b, out int // scales
	digits    int // precision of the result
	clipped   bool
}

func decimalKernel(name string, s *Site) (Kernel, error) {
	a, b := AsDecimal(s.Type(0)), AsDecimal(s.Type(1))
	d := decimalSite{a: int(a.Scale), b: int(b.Scale), out: int(s.Result.Scale), digits: int(s.Result.Precision)}
	d.clipped = d.digits == column.MaxDecimalPrecision
	short := s.Result.Storage() == column.Int64s && s.Type(0).Storage() == column.Int64s && s.Type(1).Storage() == column.Int64s
	switch name {
	case "+", "-":
		sign := int64(1)
		if name == "-" {
			sign = -1
		}
		if short && d.out >= max(d.a, d.b) {
			return d.sumShort(sign), nil
		}
		return d.sum(sign), nil
	case "*":
		if short && d.out == d.a+d.b {
			return mulShort, nil
		}
		return d.product(), nil
	case "/":
		return d.quotient(), nil
	case "MOD":
		return d.remainder(), nil
	}
	return nil, fmt.Errorf("BUG: %s of decimals", name)
}

// sumShort: all of it fits 64 bits, because the result has at most 18 digits.
func (d decimalSite) sumShort(sign int64) Kernel {
	fa, fb := column.Pow10Int64[d.out-d.a], sign*column.Pow10Int64[d.out-d.b]
	return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		a, b, to := args[0].I64[:n], args[1].I64[:n], out.I64[:n]
		for i, x := range a {
			to[i] = x*fa + b[i]*fb
		}
		return nil
	}
}

func mulShort(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
	out.Resize(n)
	a, b, to := args[0].I64[:n], args[1].I64[:n], out.I64[:n]
	for i, x := range a {
		to[i] = x * b[i]
	}
	return nil
}

func longAt(v *column.Vector, i int) column.Int128 {
	if v.Store == column.Int64s {
		return column.Int128From(v.I64[i])
	}
	return v.I128[i]
}

// setDecimal stores an unscaled value if it has at most the digits of the type; else it is NULL, as in Flink.
func setDecimal(out *column.Vector, i int, x column.Int128, ok bool) {
	if !ok || x.Abs().Cmp(column.Pow10[out.Type.Precision]) >= 0 {
		out.SetNull(i)
		return
	}
	if out.Store == column.Int64s {
		out.I64[i] = int64(x.Lo)
	} else {
		out.I128[i] = x
	}
}

func (d decimalSite) sum(sign int64) Kernel {
	common := max(d.a, d.b)
	return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		for i := range n {
			x, xOK := longAt(args[0], i).ScaleUp(common - d.a)
			y, yOK := longAt(args[1], i).ScaleUp(common - d.b)
			if sign < 0 {
				y = y.Neg()
			}
			s := x.Add(y)
			if xOK && yOK && (x.Sign() != y.Sign() || s.Sign() == x.Sign()) {
				setDecimal(out, i, s.ScaleDown(common-d.out), true)
				continue
			}
			s, ok := d.bigSum(longAt(args[0], i), longAt(args[1], i), sign)
			setDecimal(out, i, s, ok)
		}
		return nil
	}
}

// bigSum is for sums of more than 127 bits before they are rounded.
func (d decimalSite) bigSum(a, b column.Int128, sign int64) (column.Int128, bool) {
	common := max(d.a, d.b)
	x, y := bigScaled(a, common-d.a), bigScaled(b, common-d.b)
	x.Add(x, y.Mul(y, big.NewInt(sign)))
	return fromBig(roundBig(x, common-d.out))
}

func bigScaled(a column.Int128, up int) *big.Int {
	x := new(big.Int).Lsh(big.NewInt(a.Hi), 64)
	x.Add(x, new(big.Int).SetUint64(a.Lo))
	return x.Mul(x, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(up)), nil))
}

// roundBig drops digits, half away from zero.
func roundBig(x *big.Int, digits int) *big.Int {
	if digits <= 0 {
		return x
	}
	p := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	q, r := new(big.Int).QuoRem(x, p, new(big.Int))
	if r.Lsh(r.Abs(r), 1).Cmp(p) >= 0 {
		q.Add(q, big.NewInt(int64(x.Sign())))
	}
	return q
}

func fromBig(x *big.Int) (column.Int128, bool) {
	if x.BitLen() > 127 {
		return column.Int128{}, false
	}
	m := new(big.Int).Abs(x)
	v := column.Int128{Lo: new(big.Int).And(m, new(big.Int).SetUint64(^uint64(0))).Uint64(), Hi: new(big.Int).Rsh(m, 64).Int64()}
	if x.Sign() < 0 {
		v = v.Neg()
	}
	return v, true
}

func (d decimalSite) product() Kernel {
	drop := d.a + d.b - d.out
	return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		a, b := args[0], args[1]
		if drop == 0 && a.Store == column.Int64s && b.Store == column.Int64s && out.Store == column.Int128s {
			x, y, to := a.I64[:n], b.I64[:n], out.I128[:n] // of at most 37 digits
			for i := range x {
				to[i] = column.Mul64(x[i], y[i])
			}
			return nil
		}
		for i := range n {
			p, ok := column.MulScaled(longAt(a, i), longAt(b, i), drop)
			setDecimal(out, i, p, ok)
		}
		return nil
	}
}

func (d decimalSite) quotient() Kernel {
	up := d.out + d.b - d.a // the factor 10^up gives the quotient of unscaled numbers the scale of the result
	return func(e *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		for i := range n {
			x, y := longAt(args[0], i), longAt(args[1], i)
			if y.Sign() == 0 {
				if !e.Skip(i) {
					return errDivision
				}
				continue
			}
			q, ok := quoShort(x, y, up)
			if !ok {
				q, ok = column.DivScaled(x, y, d.a-d.b, d.out)
			}
			setDecimal(out, i, q, ok)
		}
		return nil
	}
}

// quoShort is x * 10^up / y rounded half away from zero, where everything is so short that Flink's rounding to 38 digits before cannot be
// seen; ok is false elsewhere.
func quoShort(x, y column.Int128, up int) (column.Int128, bool) {
	a, aOK := x.Int64()
	b, bOK := y.Int64()
	if !aOK || !bOK || up < 0 || up >= len(column.Pow10Int64) {
		return x, false
	}
	m := column.Mul64(a, column.Pow10Int64[up])
	if short, ok := m.Int64(); !ok || short == -short {
		return x, ok && short == 0
	}
	v, _ := m.Int64()
	q, r := v/b, v%b
	if abs64(r) >= abs64(b)-abs64(r) {
		if (v < 0) == (b < 0) {
			q++
		} else {
			q--
		}
	}
	return column.Int128From(q), true
}

func abs64(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}

func (d decimalSite) remainder() Kernel {
	common := max(d.a, d.b)
	return func(e *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		for i := range n {
			a, b := longAt(args[0], i), longAt(args[1], i)
			if b.Sign() == 0 {
				if !e.Skip(i) {
					return errDivision
				}
				continue
			}
			x, xOK := a.ScaleUp(common - d.a)
			y, yOK := b.ScaleUp(common - d.b)
			if !xOK || !yOK {
				z := new(big.Int).Rem(bigScaled(a, common-d.a), bigScaled(b, common-d.b))
				r, ok := fromBig(roundBig(z, common-d.out))
				setDecimal(out, i, r, ok)
				continue
			}
			_, r := x.QuoRem(y)
			setDecimal(out, i, r.ScaleDown(common-d.out), true)
		}
		return nil
	}
}

// CompareDecimals orders two unscaled numbers of different scales by value.
func CompareDecimals(a column.Int128, aScale int, b column.Int128, bScale int) int {
	if aScale > bScale {
		return -CompareDecimals(b, bScale, a, aScale)
	}
	x, ok := a.ScaleUp(bScale - aScale)
	if !ok { // it has more digits than any DECIMAL
		return a.Sign()
	}
	return x.Cmp(b)
}
