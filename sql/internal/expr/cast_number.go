package expr

import (
	"math"
	"strconv"
	"strings"

	"github.com/flottio/flott/column"
)

func integerAt(v *column.Vector, i int) int64 {
	switch v.Store {
	case column.Int8s:
		return int64(v.I8[i])
	case column.Int16s:
		return int64(v.I16[i])
	case column.Int32s:
		return int64(v.I32[i])
	}
	return v.I64[i]
}

func setInteger(v *column.Vector, i int, x int64) {
	switch v.Store {
	case column.Int8s:
		v.I8[i] = int8(x)
	case column.Int16s:
		v.I16[i] = int16(x)
	case column.Int32s:
		v.I32[i] = int32(x)
	default:
		v.I64[i] = x
	}
}

// castToNumber casts numbers, booleans and single-unit intervals to numbers and whole numbers to booleans; nil if there is no such cast.
func castToNumber(from, to column.Type) caster {
	switch {
	case from.ID == column.Boolean && to.ID == column.Boolean:
		return copyCast
	case from.ID == column.Boolean:
		return boolToNumber
	case to.ID == column.Boolean && from.IsInteger():
		return numberToBool
	case from.ID == column.Decimal && to.ID == column.Decimal:
		return rescale(from, to)
	case from.ID == column.Decimal && to.IsNumeric():
		return decimalToNumber(from, to)
	case to.ID == column.Decimal && (from.ID == column.Float || from.ID == column.Double):
		return floatToDecimal(from)
	case to.ID == column.Decimal && from.IsInteger():
		return rescale(AsDecimal(from), to)
	case from.IsNumeric() && to.IsNumeric():
		return convertNumbers
	case from.IsInterval():
		return intervalToNumber(from, to)
	}
	return nil
}

func boolToNumber(_ *castRun, in, out *column.Vector, n int) {
	out.Resize(n)
	for i, b := range in.Bool[:n] {
		x := int64(boolInt(b))
		switch out.Type.ID {
		case column.Float:
			out.F32[i] = float32(x)
		case column.Double:
			out.F64[i] = float64(x)
		case column.Decimal:
			d, ok := column.Int128From(x).ScaleUp(int(out.Type.Scale))
			setDecimal(out, i, d, ok)
		default:
			setInteger(out, i, x)
		}
	}
}

func numberToBool(_ *castRun, in, out *column.Vector, n int) {
	out.Resize(n)
	for i := range n {
		out.Bool[i] = integerAt(in, i) != 0
	}
}

// convertNumbers is between whole and floating point numbers: whole ones wrap around, others saturate as Java's do.
func convertNumbers(_ *castRun, in, out *column.Vector, n int) {
	out.Resize(n)
	switch in.Store {
	case column.Int8s:
		convertFrom(in.I8[:n], out)
	case column.Int16s:
		convertFrom(in.I16[:n], out)
	case column.Int32s:
		convertFrom(in.I32[:n], out)
	case column.Int64s:
		convertFrom(in.I64[:n], out)
	case column.Float32s:
		convertFloats(in.F32[:n], out)
	case column.Float64s:
		convertFloats(in.F64[:n], out)
	}
}

func convertFrom[A whole](a []A, out *column.Vector) {
	switch out.Store {
	case column.Int8s:
		convert(a, out.I8)
	case column.Int16s:
		convert(a, out.I16)
	case column.Int32s:
		convert(a, out.I32)
	case column.Int64s:
		convert(a, out.I64)
	case column.Float32s:
		convert(a, out.F32)
	case column.Float64s:
		convert(a, out.F64)
	}
}

func convert[A, B number](a []A, out []B) {
	out = out[:len(a)]
	for i, x := range a {
		out[i] = B(x)
	}
}

func convertFloats[A float32 | float64](a []A, out *column.Vector) {
	switch out.Store {
	case column.Float32s:
		convert(a, out.F32)
	case column.Float64s:
		convert(a, out.F64)
	case column.Int64s:
		for i, x := range a {
			out.I64[i] = saturated(float64(x))
		}
	default:
		for i, x := range a {
			setInteger(out, i, int64(saturated32(float64(x))))
		}
	}
}

func saturated32(x float64) int32 {
	return int32(min(max(saturated(x), math.MinInt32), math.MaxInt32))
}

// rescale is between decimals, rounded half away from zero; NULL where there are too many digits before the point. A source of whole numbers
// is of any width.
func rescale(from, to column.Type) caster {
	by := int(to.Scale) - int(from.Scale)
	safe := to.Precision-int32(to.Scale) >= from.Precision-int32(from.Scale) && by >= 0 // no digit is lost
	return func(_ *castRun, in, out *column.Vector, n int) {
		switch {
		case safe && by == 0 && in.Store == out.Store:
			in.Slice(out, 0, n)
			return
		case safe && in.Store == column.Int64s && out.Store == column.Int64s:
			out.Resize(n)
			f := column.Pow10Int64[by]
			for i, x := range in.I64[:n] {
				out.I64[i] = x * f
			}
			return
		case safe && by == 0 && in.Store == column.Int64s && out.Store == column.Int128s:
			out.Resize(n)
			for i, x := range in.I64[:n] {
				out.I128[i] = column.Int128From(x)
			}
			return
		}
		out.Resize(n)
		for i := range n {
			var x column.Int128
			if in.Store == column.Int128s {
				x = in.I128[i]
			} else {
				x = column.Int128From(integerAt(in, i))
			}
			ok := true
			if by >= 0 {
				x, ok = x.ScaleUp(by)
			} else {
				x = x.ScaleDown(-by)
			}
			setDecimal(out, i, x, ok)
		}
	}
}

func decimalToNumber(from, to column.Type) caster {
	scale := int(from.Scale)
	if to.IsInteger() {
		return func(_ *castRun, in, out *column.Vector, n int) {
			out.Resize(n)
			for i := range n {
				q, _ := longAt(in, i).QuoRem(column.Pow10[scale])
				setInteger(out, i, int64(q.Lo))
			}
		}
	}
	bits := 64
	if to.ID == column.Float {
		bits = 32
	}
	var buf []byte
	return func(_ *castRun, in, out *column.Vector, n int) {
		out.Resize(n)
		for i := range n {
			var f float64
			if f, buf = decimalToFloat(longAt(in, i), scale, bits, buf); bits == 32 {
				out.F32[i] = float32(f)
			} else {
				out.F64[i] = f
			}
		}
	}
}

// decimalToFloat is the nearest floating point number: one exact division for numbers that allow it, else by way of the text.
func decimalToFloat(x column.Int128, scale, bits int, buf []byte) (float64, []byte) {
	if v, ok := x.Int64(); ok && bits == 64 && v > -1<<53 && v < 1<<53 && scale <= 22 {
		return float64(v) / pow10Float[scale], buf
	}
	buf = x.AppendDecimal(buf[:0], scale)
	f, _ := strconv.ParseFloat(string(buf), bits)
	return f, buf
}

// pow10Float are the powers of ten that are exact.
var pow10Float = func() (p [23]float64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}()

// floatToDecimal rounds the shortest decimal form, as Flink does by way of Double.toString.
func floatToDecimal(from column.Type) caster {
	var buf []byte
	return func(r *castRun, in, out *column.Vector, n int) {
		out.Resize(n)
		for i := range n {
			var f float64
			if from.ID == column.Float {
				f = float64(in.F32[i])
			} else {
				f = in.F64[i]
			}
			if math.IsNaN(f) || math.IsInf(f, 0) {
				r.fail(in, i)
				setDecimal(out, i, column.Int128{}, true)
				continue
			}
			buf = strconv.AppendFloat(buf[:0], f, 'f', -1, 64)
			digits := string(buf)
			neg := strings.HasPrefix(digits, "-")
			whole, frac, _ := strings.Cut(strings.TrimPrefix(digits, "-"), ".")
			x, ok := digitsToDecimal(whole, frac, int(out.Type.Scale))
			if neg {
				x = x.Neg()
			}
			setDecimal(out, i, x, ok)
		}
	}
}

// intervalUnit is the months or milliseconds of an interval type that has a single unit.
func intervalUnit(t column.Type) (int64, bool) {
	unit, _, _ := strings.Cut(t.Interval, "(")
	switch unit {
	case "YEAR":
		return 12, true
	case "MONTH":
		return 1, true
	case "DAY":
		return dayMs, true
	case "HOUR":
		return dayMs / 24, true
	case "MINUTE":
		return 60_000, true
	case "SECOND":
		return 1000, true
	}
	return 1, false
}

func intervalToNumber(from, to column.Type) caster {
	unit, ok := intervalUnit(from)
	if !ok || !to.IsInteger() {
		return nil
	}
	return func(_ *castRun, in, out *column.Vector, n int) {
		out.Resize(n)
		for i := range n {
			setInteger(out, i, integerAt(in, i)/unit)
		}
	}
}

func castToInterval(from, to column.Type) caster {
	if from.ID == to.ID {
		return copyCast
	}
	unit, ok := intervalUnit(to)
	if !ok || !from.IsInteger() {
		return nil
	}
	return func(_ *castRun, in, out *column.Vector, n int) {
		out.Resize(n)
		for i := range n {
			setInteger(out, i, integerAt(in, i)*unit)
		}
	}
}
