package expr

import (
	"unsafe"

	"github.com/flottio/flott/column"
)

// The sums. SUM and AVG are NULL when there was no value, $SUM0 is 0. Sums of whole numbers have the argument's type and wrap around, those of
// decimals have 38 digits; the average of whole numbers is cut to their type, as in Flink.
var (
	Sum  = &Agg{Name: "SUM", Resolve: oneNumber(sumType), New: newSum(false)}
	Sum0 = &Agg{
		Name:    "$SUM0",
		Resolve: oneNumber(func(t column.Type) column.Type { return sumType(t).Nullable(false) }), New: newSum(true),
	}
	Avg = &Agg{Name: "AVG", Resolve: oneNumber(avgType), New: newAvg}
)

var sumAggs = []*Agg{Sum, Sum0, Avg}

func sumType(t column.Type) column.Type {
	if t.ID == column.Decimal {
		return column.DecimalType(column.MaxDecimalPrecision, int(t.Scale))
	}
	return t.Nullable(true)
}

func avgType(t column.Type) column.Type {
	if t.ID == column.Decimal {
		return column.DecimalType(column.MaxDecimalPrecision, max(6, int(t.Scale)))
	}
	return t.Nullable(true)
}

func newSum(zero bool) func(s *AggSite) (Accumulator, error) {
	return func(s *AggSite) (Accumulator, error) {
		switch t := s.Args[0].Type(); {
		case t.ID == column.Decimal:
			return &sum128{zero: zero}, nil
		case t.ID == column.Float:
			return &sumFloat{zero: zero, single: true}, nil
		case t.ID == column.Double:
			return &sumFloat{zero: zero}, nil
		}
		return &sumWhole{zero: zero}, nil
	}
}

func newAvg(s *AggSite) (Accumulator, error) {
	switch t := s.Args[0].Type(); {
	case t.ID == column.Decimal:
		return &sum128{avg: true, from: int(t.Scale), to: int(s.Result.Scale)}, nil
	case t.ID == column.Float, t.ID == column.Double:
		return &sumFloat{avg: true}, nil
	}
	return &sumWhole{avg: true}, nil
}

// The states of sums; n counts the values that are not NULL.
type (
	wholeSum struct{ n, sum int64 }
	floatSum struct {
		n   int64
		sum float64
	}
	longSum struct {
		n   int64
		sum column.Int128
	}
)

type sumWhole struct{ zero, avg bool }

func (*sumWhole) Words() int { return 2 }

func (*sumWhole) Update(in *AggInput) error {
	switch v := in.Args[0]; v.Store {
	case column.Int8s:
		addWhole(in, v.I8)
	case column.Int16s:
		addWhole(in, v.I16)
	case column.Int32s:
		addWhole(in, v.I32)
	case column.Int64s:
		addWhole(in, v.I64)
	}
	return nil
}

func addWhole[E int8 | int16 | int32 | int64](in *AggInput, values []E) {
	valid, signs, rows := in.Args[0].Valid, in.Signs, in.Rows[:len(in.At)]
	for i, p := range in.At {
		r := rows[i]
		if valid != nil && !valid.Get(int(r)) {
			continue
		}
		s := (*wholeSum)(unsafe.Add(p, in.Offset))
		if signs == nil {
			s.n++
			s.sum += int64(values[r])
			continue
		}
		s.n += signs[r]
		s.sum += signs[r] * int64(values[r])
	}
}

func (*sumWhole) Merge(to, from States) error {
	for i, p := range to.At {
		a, b := (*wholeSum)(unsafe.Add(p, to.Offset)), (*wholeSum)(unsafe.Add(from.At[i], from.Offset))
		a.n += b.n
		a.sum += b.sum
	}
	return nil
}

func (a *sumWhole) Result(s States, out *column.Vector) error {
	for _, p := range s.At {
		switch w := (*wholeSum)(unsafe.Add(p, s.Offset)); {
		case w.n <= 0 && a.zero:
			out.AppendInt(0)
		case w.n <= 0:
			out.Nulls(1)
		case a.avg:
			out.AppendInt(w.sum / w.n)
		default:
			out.AppendInt(w.sum)
		}
	}
	return nil
}

// sumFloat adds floats: SUM of FLOAT in single precision, all else in double.
type sumFloat struct{ zero, avg, single bool }

func (*sumFloat) Words() int { return 2 }

func (a *sumFloat) Update(in *AggInput) error {
	switch v := in.Args[0]; v.Store {
	case column.Float32s:
		addFloat(in, v.F32, a.single)
	case column.Float64s:
		addFloat(in, v.F64, a.single)
	}
	return nil
}

func addFloat[E float32 | float64](in *AggInput, values []E, single bool) {
	valid, signs, rows := in.Args[0].Valid, in.Signs, in.Rows[:len(in.At)]
	for i, p := range in.At {
		r := rows[i]
		if valid != nil && !valid.Get(int(r)) {
			continue
		}
		by := int64(1)
		if signs != nil {
			by = signs[r]
		}
		s := (*floatSum)(unsafe.Add(p, in.Offset))
		s.n += by
		s.sum += float64(by) * float64(values[r])
		if single {
			s.sum = float64(float32(s.sum))
		}
	}
}

func (a *sumFloat) Merge(to, from States) error {
	for i, p := range to.At {
		x, y := (*floatSum)(unsafe.Add(p, to.Offset)), (*floatSum)(unsafe.Add(from.At[i], from.Offset))
		x.n += y.n
		x.sum += y.sum
		if a.single {
			x.sum = float64(float32(x.sum))
		}
	}
	return nil
}

func (a *sumFloat) Result(s States, out *column.Vector) error {
	for _, p := range s.At {
		switch w := (*floatSum)(unsafe.Add(p, s.Offset)); {
		case w.n <= 0 && a.zero:
			out.AppendFloat(0)
		case w.n <= 0:
			out.Nulls(1)
		case a.avg:
			out.AppendFloat(w.sum / float64(w.n))
		default:
			out.AppendFloat(w.sum)
		}
	}
	return nil
}

// sum128 adds decimals. A sum of more than 38 digits is NULL; beyond 128 bits it wraps around.
type sum128 struct {
	zero, avg bool
	from, to  int // scales of argument and average
}

func (*sum128) Words() int { return 3 }

func (*sum128) Update(in *AggInput) error {
	v := in.Args[0]
	rows := in.Rows[:len(in.At)]
	for i, p := range in.At {
		r := rows[i]
		if v.Valid != nil && !v.Valid.Get(int(r)) {
			continue
		}
		var x column.Int128
		if v.Store == column.Int64s {
			x = column.Int128From(v.I64[r])
		} else {
			x = v.I128[r]
		}
		s := (*longSum)(unsafe.Add(p, in.Offset))
		if in.Signs != nil && in.Signs[r] < 0 {
			s.n--
			s.sum = s.sum.Sub(x)
			continue
		}
		s.n++
		s.sum = s.sum.Add(x)
	}
	return nil
}

func (*sum128) Merge(to, from States) error {
	for i, p := range to.At {
		a, b := (*longSum)(unsafe.Add(p, to.Offset)), (*longSum)(unsafe.Add(from.At[i], from.Offset))
		a.n += b.n
		a.sum = a.sum.Add(b.sum)
	}
	return nil
}

func (a *sum128) Result(s States, out *column.Vector) error {
	for _, p := range s.At {
		w := (*longSum)(unsafe.Add(p, s.Offset))
		x, ok := w.sum, w.n > 0 || a.zero
		if ok && a.avg {
			x, ok = column.DivScaled(x, column.Int128From(w.n), a.from, a.to)
		}
		if !ok || x.Digits() > column.MaxDecimalPrecision {
			out.Nulls(1)
			continue
		}
		out.AppendInt128(x)
	}
	return nil
}
