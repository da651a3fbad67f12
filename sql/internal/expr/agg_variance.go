package expr

import (
	"math"
	"unsafe"

	"github.com/flottio/flott/column"
)

// The variances: of the population, or of a sample, which has none of a single value.
var varianceAggs = []*Agg{
	{Name: "VAR_POP", Resolve: oneNumber(avgType), New: newVariance(false, false)},
	{Name: "VAR_SAMP", Resolve: oneNumber(avgType), New: newVariance(true, false)},
	{Name: "VARIANCE", Resolve: oneNumber(avgType), New: newVariance(true, false)},
	{Name: "STDDEV_POP", Resolve: oneNumber(avgType), New: newVariance(false, true)},
	{Name: "STDDEV_SAMP", Resolve: oneNumber(avgType), New: newVariance(true, true)},
	{Name: "STDDEV", Resolve: oneNumber(avgType), New: newVariance(true, true)},
}

func newVariance(sample, root bool) func(*AggSite) (Accumulator, error) {
	return func(s *AggSite) (Accumulator, error) {
		return &variance{sample: sample, root: root, scale: math.Pow10(int(s.Args[0].Type().Scale)), of: s.Result}, nil
	}
}

// moments is the state of a variance: number, mean, and sum of squares of the distances from it (Welford's), which does not lose the digits that
// a difference of two large sums loses.
type moments struct {
	n        int64
	mean, m2 float64
}

type variance struct {
	sample, root bool
	scale        float64 // of a decimal argument, as a power of ten
	of           column.Type
}

func (*variance) Words() int { return 3 }

func (a *variance) Update(in *AggInput) error {
	v := in.Args[0]
	for i, p := range in.At {
		r := int(in.Rows[i])
		if v.IsNull(r) {
			continue
		}
		a.add((*moments)(unsafe.Add(p, in.Offset)), Number(v, r)/a.scale, in.Signs != nil && in.Signs[r] < 0)
	}
	return nil
}

func (a *variance) add(s *moments, x float64, retract bool) {
	switch {
	case !retract:
		s.n++
		d := x - s.mean
		s.mean += d / float64(s.n)
		s.m2 += d * (x - s.mean)
	case s.n <= 1:
		*s = moments{}
	default:
		s.n--
		d := x - s.mean
		s.mean -= d / float64(s.n)
		s.m2 = max(0, s.m2-d*(x-s.mean))
	}
}

// Number is value i of a vector of numbers as a float; a decimal is unscaled.
func Number(v *column.Vector, i int) float64 {
	switch v.Store {
	case column.Int8s:
		return float64(v.I8[i])
	case column.Int16s:
		return float64(v.I16[i])
	case column.Int32s:
		return float64(v.I32[i])
	case column.Int64s:
		return float64(v.I64[i])
	case column.Float32s:
		return float64(v.F32[i])
	case column.Float64s:
		return v.F64[i]
	case column.Int128s:
		return v.I128[i].Float64()
	}
	return math.NaN()
}

func (*variance) Merge(to, from States) error {
	for i, p := range to.At {
		a, b := (*moments)(unsafe.Add(p, to.Offset)), (*moments)(unsafe.Add(from.At[i], from.Offset))
		n := a.n + b.n
		if b.n == 0 || n <= 0 {
			continue
		}
		d := b.mean - a.mean
		a.m2 += b.m2 + d*d*float64(a.n)*float64(b.n)/float64(n)
		a.mean += d * float64(b.n) / float64(n)
		a.n = n
	}
	return nil
}

func (a *variance) Result(s States, out *column.Vector) error {
	for _, p := range s.At {
		w := (*moments)(unsafe.Add(p, s.Offset))
		n := w.n
		if a.sample {
			n--
		}
		if n <= 0 || w.n <= 0 {
			out.Nulls(1)
			continue
		}
		x := w.m2 / float64(n)
		if a.root {
			x = math.Sqrt(x)
		}
		appendNumber(out, x)
	}
	return nil
}

// appendNumber appends a float as the vector's type; NULL if a decimal has no room for it.
func appendNumber(out *column.Vector, x float64) {
	switch t := out.Type; {
	case t.ID == column.Decimal:
		whole, ok := decimalOf(x, int(t.Scale))
		if !ok {
			out.Nulls(1)
			return
		}
		out.AppendInt128(whole)
	case t.IsInteger():
		out.AppendInt(int64(x))
	default:
		out.AppendFloat(x)
	}
}

// decimalOf is x with so many digits behind the point, rounded half away from zero.
func decimalOf(x float64, scale int) (column.Int128, bool) {
	x = math.Round(x * math.Pow10(scale))
	if !(math.Abs(x) < 1e38) {
		return column.Int128{}, false
	}
	hi := math.Floor(math.Abs(x) / (1 << 64))
	v := column.Int128{Hi: int64(hi), Lo: uint64(math.Abs(x) - hi*(1<<64))}
	if x < 0 {
		v = v.Neg()
	}
	return v, true
}
