package expr

import (
	"errors"
	"fmt"
	"strings"

	"github.com/flottio/flott/column"
)

// TemporalMinus is (a - b) in an interval: its third argument is a SYMBOL literal with the unit of the result, of which those from YEAR to MONTH
// give an interval of months and all others one of milliseconds.
var TemporalMinus = &Func{Name: "TEMPORAL_MINUS", Strict: true, Resolve: resolveTemporalMinus, Kernel: temporalMinusKernel}

// resolveTimes judges the operators on times and intervals; ok is false if neither argument is one.
func resolveTimes(op string, args []Arg) (sig Signature, ok bool, err error) {
	a, b := args[0].Type, args[1].Type
	if !a.IsInterval() && !a.IsTemporal() && !b.IsInterval() && !b.IsTemporal() {
		return sig, false, nil
	}
	refuse := fmt.Errorf("cannot be applied to %s and %s", a, b)
	var result column.Type
	switch {
	case (op == "+" || op == "-") && (a.IsInterval() || a.ID == column.Null) && b.IsInterval(),
		(op == "+" || op == "-") && a.IsInterval() && b.ID == column.Null:
		if a.ID == column.Null {
			a = b.Nullable(true)
		} else if b.ID == column.Null {
			b = a.Nullable(true)
		}
		if a.ID != b.ID {
			return sig, false, refuse
		}
		result = a
		if a.Interval != b.Interval {
			result.Interval = ""
		}
	case (op == "+" || op == "-") && a.IsTemporal() && b.IsInterval():
		result = moved(a, b)
	case op == "+" && a.IsInterval() && b.IsTemporal():
		result = moved(b, a)
	case op == "-" && a.IsTemporal() && b.IsTemporal():
		return sig, false, errors.New("the difference of two times needs a unit: (a - b) DAY, or TIMESTAMPDIFF")
	case (op == "*" || op == "/") && a.IsInterval() && (b.IsNumeric() || b.ID == column.Null):
		result, b = a, factor(b)
	case op == "*" && (a.IsNumeric() || a.ID == column.Null) && b.IsInterval():
		result, a = b, factor(a)
	default:
		return sig, false, refuse
	}
	result.Attribute = column.NoAttribute
	return Signature{[]column.Type{a, b}, result.Nullable(anyNullable(args))}, true, nil
}

// factor is the type in which an interval is multiplied.
func factor(t column.Type) column.Type {
	if t.IsInteger() || t.ID == column.Null {
		return column.Of(column.BigInt).Nullable(!t.NotNull)
	}
	return column.Of(column.Double).Nullable(!t.NotNull)
}

// moved is the type of a time plus an interval: a date that moves by hours becomes a timestamp.
func moved(t, interval column.Type) column.Type {
	unit, _, _ := strings.Cut(interval.Interval, " ")
	unit, _, _ = strings.Cut(unit, "(")
	if t.ID == column.Date && (unit == "HOUR" || unit == "MINUTE" || unit == "SECOND") {
		return column.TimestampType(0)
	}
	return t
}

func timeKernel(op string, s *Site) (Kernel, error) {
	a, b := s.Type(0), s.Type(1)
	switch {
	case op == "*" && a.IsInterval():
		return multiplied(0, 1), nil
	case op == "*":
		return multiplied(1, 0), nil
	case op == "/":
		return dividedInterval, nil
	case a.IsInterval() && b.IsInterval() && a.ID == column.IntervalMonths && op == "+":
		return binary(add[int32], func(v *column.Vector) []int32 { return v.I32 }), nil
	case a.IsInterval() && b.IsInterval() && a.ID == column.IntervalMonths:
		return binary(sub[int32], func(v *column.Vector) []int32 { return v.I32 }), nil
	case a.IsInterval() && b.IsInterval() && op == "+":
		return binary(add[int64], func(v *column.Vector) []int64 { return v.I64 }), nil
	case a.IsInterval() && b.IsInterval():
		return binary(sub[int64], func(v *column.Vector) []int64 { return v.I64 }), nil
	case a.IsInterval():
		return movedKernel(1, 0, 1), nil
	case op == "-":
		return movedKernel(0, 1, -1), nil
	}
	return movedKernel(0, 1, 1), nil
}

func multiplied(interval, by int) Kernel {
	return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		v, f := args[interval], args[by]
		for i := range n {
			if f.Store == column.Float64s {
				setInteger(out, i, saturated(float64(integerAt(v, i))*f.F64[i]))
			} else {
				setInteger(out, i, integerAt(v, i)*f.I64[i])
			}
		}
		return nil
	}
}

func dividedInterval(e *Eval, args []*column.Vector, n int, out *column.Vector) error {
	out.Resize(n)
	v, f := args[0], args[1]
	for i := range n {
		switch {
		case f.Store == column.Float64s:
			setInteger(out, i, saturated(float64(integerAt(v, i))/f.F64[i]))
		case f.I64[i] != 0:
			setInteger(out, i, integerAt(v, i)/f.I64[i])
		case !e.Skip(i):
			return errDivision
		}
	}
	return nil
}

// movedKernel adds sign times an interval to a time.
func movedKernel(at, by int, sign int64) Kernel {
	return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		t, d := args[at], args[by]
		switch {
		case d.Type.ID == column.IntervalMonths:
			moveMonths(out, t, d.I32[:n], sign)
		case t.Type.ID == column.Date && out.Type.ID == column.Date:
			for i, ms := range d.I64[:n] {
				out.I32[i] = t.I32[i] + int32(sign*ms/dayMs)
			}
		case t.Type.ID == column.Date:
			for i, ms := range d.I64[:n] {
				out.I64[i] = int64(t.I32[i])*dayMs + sign*ms
			}
		case t.Type.ID == column.Time:
			for i, ms := range d.I64[:n] {
				out.I32[i] = int32(floorMod(int64(t.I32[i])+sign*ms, dayMs))
			}
		case t.Store == column.Int64s:
			f := sign * UnitsPerSecond(t.Type) / 1000
			for i, ms := range d.I64[:n] {
				out.I64[i] = t.I64[i] + f*ms
			}
		default:
			for i, ms := range d.I64[:n] {
				out.I128[i] = t.I128[i].Add(column.Mul64(ms, sign*1_000_000))
			}
		}
		return nil
	}
}

func moveMonths(out, t *column.Vector, months []int32, sign int64) {
	for i, m := range months {
		by := sign * int64(m)
		switch {
		case t.Type.ID == column.Time:
			out.I32[i] = t.I32[i]
		case t.Type.ID == column.Date:
			out.I32[i] = int32(addMonths(int64(t.I32[i]), by))
		default:
			sec, nano := momentAt(t, i)
			day := floorDiv(sec, daySecond)
			setMoment(out, i, addMonths(day, by)*daySecond+sec-day*daySecond, nano)
		}
	}
}

func resolveTemporalMinus(args []Arg) (Signature, error) {
	if len(args) != 3 || args[2].Literal == nil {
		return Signature{}, errors.New("expects two times and a unit")
	}
	a, b := args[0].Type, args[1].Type
	common, ok := CommonType([]column.Type{a, b})
	if !ok || !common.IsTemporal() {
		return Signature{}, fmt.Errorf("cannot be applied to %s and %s", a, b)
	}
	unit, _ := args[2].Literal.Value.(string)
	t := column.Of(column.IntervalMillis)
	if isMonthUnit(unit) {
		t = column.Of(column.IntervalMonths)
	}
	t.Interval = unit
	nullable := !a.NotNull || !b.NotNull
	return Signature{[]column.Type{common, common, args[2].Type}, t.Nullable(nullable)}, nil
}

func isMonthUnit(unit string) bool {
	unit, _, _ = strings.Cut(unit, " ")
	unit, _, _ = strings.Cut(unit, "(")
	return unit == "YEAR" || unit == "QUARTER" || unit == "MONTH"
}

func temporalMinusKernel(s *Site) (Kernel, error) {
	months := s.Result.ID == column.IntervalMonths
	return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		for i := range n {
			a, b := millisAt(args[0], i), millisAt(args[1], i)
			if months {
				out.I32[i] = int32(monthsBetween(a, b))
			} else {
				out.I64[i] = a - b
			}
		}
		return nil
	}, nil
}

// millisAt is a date, time or timestamp in milliseconds, rounded down.
func millisAt(v *column.Vector, i int) int64 {
	switch v.Type.ID {
	case column.Date:
		return int64(v.I32[i]) * dayMs
	case column.Time:
		return int64(v.I32[i])
	}
	sec, nano := momentAt(v, i)
	return sec*1000 + nano/1_000_000
}

// monthsBetween counts the full months from b to a.
func monthsBetween(a, b int64) int64 {
	if a < b {
		return -monthsBetween(b, a)
	}
	ay, am, ad := dateOf(floorDiv(a, dayMs))
	by, bm, bd := dateOf(floorDiv(b, dayMs))
	m := int64(ay-by)*12 + int64(am-bm)
	if ad < bd || ad == bd && floorMod(a, dayMs) < floorMod(b, dayMs) {
		m--
	}
	return m
}

// saturated is Java's narrowing of a floating point number: towards zero, the nearest number at the ends, NaN is 0.
func saturated(x float64) int64 {
	switch {
	case x != x:
		return 0
	case x >= 1<<63:
		return 1<<63 - 1
	case x < -1<<63:
		return -1 << 63
	}
	return int64(x)
}
