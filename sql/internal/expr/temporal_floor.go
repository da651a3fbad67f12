package expr

import (
	"errors"
	"fmt"
	"math"

	"github.com/flottio/flott/column"
)

// FLOOR and CEIL of numbers, and of times to a unit.
var floorFuncs = []*Func{
	{Name: "FLOOR", Strict: true, Resolve: resolveFloor, Kernel: floorKernel(false)},
	{Name: "CEIL", Strict: true, Resolve: resolveFloor, Kernel: floorKernel(true)},
	{Name: "CEILING", Strict: true, Resolve: resolveFloor, Kernel: floorKernel(true)},
}

func resolveFloor(args []Arg) (Signature, error) {
	sig, err := takes("FLOOR", "num | point word", givesArg(0))(args)
	switch {
	case err != nil:
		return sig, err
	case len(args) == 2:
		u, err := unitOf(args[1])
		switch {
		case err != nil:
			return sig, err
		case u > unitMillennium:
			return sig, fmt.Errorf("a time is not rounded to %s", wordOf(args[1].Literal))
		case sig.Args[0].ID == column.Time && !u.clock():
			return sig, errors.New("a time of the day is rounded to units below DAY only")
		}
		return sig, nil
	case sig.Result.ID == column.Decimal:
		sig.Result.Scale = 0
	}
	return sig, nil
}

func floorKernel(up bool) func(*Site) (Kernel, error) {
	round := math.Floor
	if up {
		round = math.Ceil
	}
	return func(s *Site) (Kernel, error) {
		if len(s.Args) == 2 {
			return floorTimeKernel(s, up), nil
		}
		switch t := s.Type(0); {
		case t.IsInteger():
			return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
				args[0].Slice(out, 0, n)
				return nil
			}, nil
		case t.ID == column.Decimal:
			return rowKernelOf(func(r *row) error {
				q, rem := longAt(r.args[0], r.i).QuoRem(column.Pow10[t.Scale])
				switch sign := rem.Sign(); {
				case up && sign > 0:
					q = q.Add(column.Int128{Lo: 1})
				case !up && sign < 0:
					q = q.Sub(column.Int128{Lo: 1})
				}
				setDecimal(r.out, r.i, q, true)
				return nil
			}), nil
		case t.ID == column.Float:
			return unary(func(out, a []float32) {
				for i, x := range a {
					out[i] = float32(round(float64(x)))
				}
			}, func(v *column.Vector) []float32 { return v.F32 }), nil
		}
		return unary(func(out, a []float64) {
			for i, x := range a {
				out[i] = round(x)
			}
		}, func(v *column.Vector) []float64 { return v.F64 }), nil
	}
}

func floorTimeKernel(s *Site, up bool) Kernel {
	u := timeUnits[literalWord(s, 1)]
	t, zone := s.Type(0), s.Env.zone()
	return rowKernelOf(func(r *row) error {
		v, i := r.args[0], r.i
		if t.ID == column.Date {
			if u.clock() {
				return r.setWhole(int64(v.I32[i]))
			}
			if u == unitDay && up {
				return r.setWhole(int64(v.I32[i]) + 1) // Flink's: a date is its first moment, and the day after is above it
			}
			return r.setWhole(floorDays(int64(v.I32[i]), u, up))
		}
		sec, nano := localAt(v, i)
		offset := int64(0)
		if t.ID == column.TimestampLTZ {
			offset = offsetAt(zone, sec)
			sec += offset
		}
		if u > unitDay {
			sec, nano = floorDays(floorDiv(sec, daySecond), u, up)*daySecond, 0
		} else {
			sec, nano = floorClock(sec, nano, u, up)
		}
		if t.ID == column.TimestampLTZ {
			if u < unitDay {
				sec -= offset
			} else {
				sec = utcOf(zone, sec)
			}
		}
		return r.setPoint(sec, nano)
	})
}

func floorClock(sec, nano int64, u timeUnit, up bool) (int64, int64) {
	per := u.nanos()
	if per < 1_000_000_000 {
		rest := nano % per
		if nano -= rest; up && rest > 0 {
			nano += per
		}
		return sec + nano/1_000_000_000, nano % 1_000_000_000
	}
	per /= 1_000_000_000
	rest := floorMod(sec, per)
	if sec -= rest; up && rest+nano > 0 {
		sec += per
	}
	return sec, 0
}

// floorDays rounds a day to a unit from WEEK on; weeks begin on Sunday. What is above a decade, century or millennium is always the next one.
func floorDays(days int64, u timeUnit, up bool) int64 {
	year, month, day := dateOf(days)
	years := func(per, first int) int64 {
		y := int(floorDiv(int64(year-first), int64(per)))*per + first
		if up {
			y += per
		}
		return daysOf(y, 1, 1)
	}
	switch u {
	case unitWeek:
		back := int64(weekday(days))
		if up && back > 0 {
			back -= 7
		}
		return days - back
	case unitMonth, unitQuarter:
		per := int(u.months())
		first := (month-1)/per*per + 1
		start := daysOf(year, first, 1)
		if up && (month != first || day > 1) {
			return addMonths(start, int64(per))
		}
		return start
	case unitYear:
		if up && (month > 1 || day > 1) {
			year++
		}
		return daysOf(year, 1, 1)
	case unitDecade:
		return years(10, 0)
	case unitCentury:
		return years(100, 1)
	case unitMillennium:
		return years(1000, 1)
	}
	return days
}
