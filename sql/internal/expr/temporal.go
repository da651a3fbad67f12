package expr

import (
	"errors"
	"fmt"
	"math"

	"github.com/flottio/flott/column"
)

// Functions on times. The binder writes units as STRING literals:
//
//	EXTRACT(unit FROM x)              as EXTRACT(unit, x)
//	CEIL(x TO unit), FLOOR(x TO unit) as CEIL(x, unit), FLOOR(x, unit)
//	TIMESTAMPADD(unit, n, x)          as it stands; TIMESTAMPDIFF alike
//	(a, b) OVERLAPS (c, d)            as OVERLAPS(a, b, c, d)
//	CURRENT_DATE and its like         without arguments
var temporalFuncs = []*Func{
	{Name: "EXTRACT", Strict: true, Resolve: resolveExtract, Kernel: func(s *Site) (Kernel, error) {
		return extractKernel(timeUnits[literalWord(s, 0)], s.Type(1), 1, s.Env), nil
	}},
	partFunc("YEAR", unitYear), partFunc("QUARTER", unitQuarter), partFunc("MONTH", unitMonth), partFunc("WEEK", unitWeek),
	partFunc("DAYOFYEAR", unitDOY), partFunc("DAYOFMONTH", unitDay), partFunc("DAYOFWEEK", unitDOW), partFunc("HOUR", unitHour),
	partFunc("MINUTE", unitMinute), partFunc("SECOND", unitSecond),
	{Name: "TIMESTAMPADD", Strict: true, Resolve: resolveTimestampAdd, Kernel: timestampAddKernel},
	{Name: "TIMESTAMPDIFF", Strict: true, Resolve: resolveTimestampDiff, Kernel: timestampDiffKernel},
	{Name: "OVERLAPS", Strict: true, Resolve: resolveOverlaps, Kernel: rowwise(overlaps)},
}

// timeUnit is a unit of EXTRACT, FLOOR, CEIL, TIMESTAMPADD and TIMESTAMPDIFF.
type timeUnit uint8

const (
	unitNone timeUnit = iota
	unitNanosecond
	unitMicrosecond
	unitMillisecond
	unitSecond
	unitMinute
	unitHour
	unitDay
	unitWeek
	unitMonth
	unitQuarter
	unitYear
	unitDecade
	unitCentury
	unitMillennium
	unitISOYear
	unitDOW
	unitISODOW
	unitDOY
	unitEpoch
)

var timeUnits = map[string]timeUnit{"NANOSECOND": unitNanosecond, "MICROSECOND": unitMicrosecond, "MILLISECOND": unitMillisecond,
	"SECOND": unitSecond, "MINUTE": unitMinute, "HOUR": unitHour, "DAY": unitDay, "WEEK": unitWeek, "MONTH": unitMonth, "QUARTER": unitQuarter,
	"YEAR": unitYear, "DECADE": unitDecade, "CENTURY": unitCentury, "MILLENNIUM": unitMillennium, "ISOYEAR": unitISOYear, "DOW": unitDOW,
	"ISODOW": unitISODOW, "DOY": unitDOY, "EPOCH": unitEpoch, "SQL_TSI_MICROSECOND": unitMicrosecond, "SQL_TSI_SECOND": unitSecond,
	"SQL_TSI_MINUTE": unitMinute, "SQL_TSI_HOUR": unitHour, "SQL_TSI_DAY": unitDay, "SQL_TSI_WEEK": unitWeek, "SQL_TSI_MONTH": unitMonth,
	"SQL_TSI_QUARTER": unitQuarter, "SQL_TSI_YEAR": unitYear, "FRAC_SECOND": unitMicrosecond, "SQL_TSI_FRAC_SECOND": unitNanosecond}

// clock reports whether the unit is a part of the day.
func (u timeUnit) clock() bool { return u >= unitNanosecond && u <= unitHour }

// nanos is the length of units up to WEEK.
func (u timeUnit) nanos() int64 {
	return [...]int64{0, 1, 1000, 1_000_000, 1_000_000_000, 60_000_000_000, 3_600_000_000_000, 86_400_000_000_000, 604_800_000_000_000}[u]
}

// months is the length of units from MONTH to MILLENNIUM.
func (u timeUnit) months() int64 {
	return [...]int64{1, 3, 12, 120, 1200, 12000}[u-unitMonth]
}

func unitOf(a Arg) (timeUnit, error) {
	w := wordOf(a.Literal)
	u := timeUnits[w]
	if u == unitNone {
		return u, fmt.Errorf("there is no unit of time %q", w)
	}
	return u, nil
}

func resolveExtract(args []Arg) (Signature, error) {
	sig, err := takes("EXTRACT", "word point | word span", gives(longType))(args)
	if err != nil {
		return sig, err
	}
	u, err := unitOf(args[0])
	if err == nil {
		err = extractable(u, sig.Args[1])
	}
	return sig, err
}

func extractable(u timeUnit, t column.Type) error {
	ok := true
	switch t.ID {
	case column.Time:
		ok = u.clock() || u == unitEpoch
	case column.IntervalMonths:
		ok = u >= unitMonth && u <= unitMillennium
	case column.IntervalMillis:
		ok = u <= unitDay || u == unitEpoch
	}
	if !ok {
		return fmt.Errorf("a value of type %s has no such part", t)
	}
	return nil
}

func partFunc(name string, u timeUnit) *Func {
	resolve := takes(name, "point | span", gives(longType))
	return &Func{Name: name, Strict: true,
		Resolve: func(args []Arg) (Signature, error) {
			sig, err := resolve(args)
			if err == nil {
				err = extractable(u, sig.Args[0])
			}
			return sig, err
		},
		Kernel: func(s *Site) (Kernel, error) { return extractKernel(u, s.Type(0), 0, s.Env), nil }}
}

// extractKernel takes a part of argument k.
func extractKernel(u timeUnit, t column.Type, k int, env *Env) Kernel {
	if t.IsInterval() {
		return rowKernelOf(func(r *row) error { return r.setWhole(intervalPart(u, r.args[k], r.i)) })
	}
	zone := env.zone()
	perSecond := UnitsPerSecond(t)
	fast := t.ID == column.Timestamp && t.Storage() == column.Int64s && (u == unitHour || u == unitMinute || u == unitSecond)
	return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		v := args[k]
		if fast {
			div, wrap := perSecond*(u.nanos()/1_000_000_000), int64(60)
			if u == unitHour {
				wrap = 24
			}
			for i, x := range v.I64[:n] {
				out.I64[i] = floorMod(floorDiv(x, div), wrap)
			}
			return nil
		}
		for i := range n {
			sec, nano := localAt(v, i)
			if t.ID == column.TimestampLTZ && u != unitEpoch {
				sec += offsetAt(zone, sec)
			}
			out.I64[i] = timePart(u, sec, nano)
		}
		return nil
	}
}

// localAt is any point in time as seconds and nanoseconds; a time of the day is that of 1970-01-01.
func localAt(v *column.Vector, i int) (sec, nano int64) {
	switch v.Type.ID {
	case column.Date:
		return int64(v.I32[i]) * daySecond, 0
	case column.Time:
		ms := int64(v.I32[i])
		return floorDiv(ms, 1000), floorMod(ms, 1000) * 1_000_000
	}
	return momentAt(v, i)
}

func timePart(u timeUnit, sec, nano int64) int64 {
	days := floorDiv(sec, daySecond)
	rest := sec - days*daySecond
	switch u {
	case unitNanosecond:
		return nano
	case unitMicrosecond:
		return nano / 1000
	case unitMillisecond:
		return nano / 1_000_000
	case unitSecond:
		return rest % 60
	case unitMinute:
		return rest / 60 % 60
	case unitHour:
		return rest / 3600
	case unitEpoch:
		return sec
	case unitDOW:
		return int64(weekday(days)) + 1
	case unitISODOW:
		return int64(weekday(days)+6)%7 + 1
	case unitWeek:
		_, week := isoWeek(days)
		return int64(week)
	case unitISOYear:
		year, _ := isoWeek(days)
		return int64(year)
	}
	year, month, day := dateOf(days)
	y := int64(year)
	switch u {
	case unitDay:
		return int64(day)
	case unitMonth:
		return int64(month)
	case unitQuarter:
		return int64(month+2) / 3
	case unitDecade:
		return floorDiv(y, 10)
	case unitCentury:
		return floorDiv(y+99, 100)
	case unitMillennium:
		return floorDiv(y+999, 1000)
	case unitDOY:
		return int64(dayOfYear(days, year))
	}
	return y
}

func intervalPart(u timeUnit, v *column.Vector, i int) int64 {
	if v.Type.ID == column.IntervalMonths {
		m := int64(v.I32[i])
		switch u {
		case unitMonth:
			return m % 12
		case unitQuarter:
			return m%12/3 + 1
		}
		return m / u.months()
	}
	ms := v.I64[i]
	switch u {
	case unitNanosecond:
		return ms % 1000 * 1_000_000
	case unitMicrosecond:
		return ms % 1000 * 1000
	case unitMillisecond:
		return ms % 1000
	case unitSecond:
		return ms / 1000 % 60
	case unitMinute:
		return ms / 60_000 % 60
	case unitHour:
		return ms / 3_600_000 % 24
	case unitEpoch:
		return ms / 1000
	}
	return ms / dayMs
}

var errTimeUnit = errors.New("must be one of NANOSECOND, MICROSECOND, MILLISECOND, SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER, YEAR")

func lengthUnit(a Arg) (timeUnit, error) {
	u, err := unitOf(a)
	if err == nil && u > unitYear {
		err = fmt.Errorf("the unit %s %w", wordOf(a.Literal), errTimeUnit)
	}
	return u, err
}

// resolveTimestampAdd: a date stays one with units of days and more, and becomes a timestamp with others.
func resolveTimestampAdd(args []Arg) (Signature, error) {
	sig, err := takes("TIMESTAMPADD", "word long point", givesArg(2))(args)
	if err != nil {
		return sig, err
	}
	u, err := lengthUnit(args[0])
	if err == nil && u.clock() && sig.Result.ID == column.Date {
		sig.Result = column.TimestampType(column.DefaultTimestampDigits).Nullable(anyNullable(args))
	}
	return sig, err
}

func timestampAddKernel(s *Site) (Kernel, error) {
	u := timeUnits[literalWord(s, 0)]
	zone, local := s.Env.zone(), s.Type(2).ID == column.TimestampLTZ
	return rowKernelOf(func(r *row) error {
		count := r.whole(1)
		sec, nano := localAt(r.args[2], r.i)
		if u < unitMonth {
			per := u.nanos()
			if count > math.MaxInt64/per || count < -(math.MaxInt64/per) {
				return r.null()
			}
			if per >= 1_000_000_000 {
				sec += count * (per / 1_000_000_000)
			} else {
				perSecond := 1_000_000_000 / per
				sec += floorDiv(count, perSecond)
				nano += floorMod(count, perSecond) * per
			}
			sec, nano = sec+floorDiv(nano, 1_000_000_000), floorMod(nano, 1_000_000_000)
			return r.setPoint(sec, nano)
		}
		if count > 1_000_000 || count < -1_000_000 {
			return r.null()
		}
		if local {
			sec += offsetAt(zone, sec)
		}
		days := floorDiv(sec, daySecond)
		sec += (addMonths(days, count*u.months()) - days) * daySecond
		if local {
			sec = utcOf(zone, sec)
		}
		return r.setPoint(sec, nano)
	}), nil
}

// setPoint stores a point in time in whatever type the result has; times wrap at midnight.
func (r *row) setPoint(sec, nano int64) error {
	switch r.out.Type.ID {
	case column.Date:
		return r.setWhole(floorDiv(sec, daySecond))
	case column.Time:
		return r.setWhole(floorMod(sec, daySecond)*1000 + nano/1_000_000)
	}
	return r.setInstant(sec, nano)
}

func resolveTimestampDiff(args []Arg) (Signature, error) {
	sig, err := takes("TIMESTAMPDIFF", "word point point", gives(intType))(args)
	if err != nil {
		return sig, err
	}
	_, err = lengthUnit(args[0])
	return sig, err
}

// timestampDiffKernel counts whole units from the second argument to the third.
func timestampDiffKernel(s *Site) (Kernel, error) {
	u := timeUnits[literalWord(s, 0)]
	zone := s.Env.zone()
	mixed := (s.Type(1).ID == column.TimestampLTZ) != (s.Type(2).ID == column.TimestampLTZ)
	at := func(r *row, k int) (sec, nano int64) {
		sec, nano = localAt(r.args[k], r.i)
		if r.args[k].Type.ID == column.TimestampLTZ && (mixed || u >= unitMonth) {
			sec += offsetAt(zone, sec)
		}
		return sec, nano
	}
	return rowKernelOf(func(r *row) error {
		fromSec, fromNano := at(r, 1)
		toSec, toNano := at(r, 2)
		if u >= unitMonth {
			months := monthsBetween(toSec*1000+toNano/1_000_000, fromSec*1000+fromNano/1_000_000)
			return r.setWhole(months / u.months())
		}
		sec, nano := toSec-fromSec, toNano-fromNano
		per := u.nanos()
		if per < 1_000_000_000 {
			return r.setWhole(sec*(1_000_000_000/per) + nano/per)
		}
		if sec > 0 && nano < 0 {
			sec--
		} else if sec < 0 && nano > 0 {
			sec++
		}
		return r.setWhole(sec / (per / 1_000_000_000))
	}), nil
}

func resolveOverlaps(args []Arg) (Signature, error) {
	return takes("OVERLAPS", "point point point point | point span point point | point point point span | point span point span",
		gives(boolType))(args)
}

// overlaps: periods have their ends in any order and include them.
func overlaps(r *row) error {
	period := func(k int) (from, to int64) {
		from = millisAt(r.args[k], r.i)
		switch end := r.args[k+1]; end.Type.ID {
		case column.IntervalMillis:
			to = from + end.I64[r.i]
		case column.IntervalMonths:
			days := floorDiv(from, dayMs)
			to = from + (addMonths(days, int64(end.I32[r.i]))-days)*dayMs
		default:
			to = millisAt(end, r.i)
		}
		return min(from, to), max(from, to)
	}
	a, b := period(0)
	c, d := period(2)
	return r.setBool(a <= d && c <= b)
}
