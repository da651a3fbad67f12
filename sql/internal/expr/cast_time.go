package expr

import "github.com/flottio/flott/column"

// castToTime is between dates, times and timestamps; nil if there is no such cast.
func castToTime(from, to column.Type) caster {
	switch {
	case !from.IsTemporal(), from.ID == column.Date && to.ID == column.Time, from.ID == column.Time && to.ID == column.Date:
		return nil
	case from.ID == column.Date && to.ID == column.Date:
		return copyCast
	case from.ID == column.Time && to.ID == column.Time:
		return func(_ *castRun, in, out *column.Vector, n int) {
			out.Resize(n)
			for i, ms := range in.I32[:n] {
				out.I32[i] = cutTime(ms, to)
			}
		}
	case from.IsTimestamp() && from.ID == to.ID:
		return castPrecision(from, to)
	case from.IsTimestamp() && to.IsTimestamp():
		return castZone(to.ID == column.TimestampLTZ)
	case from.IsTimestamp():
		return castPartOf(from, to)
	}
	return func(r *castRun, in, out *column.Vector, n int) { // a DATE or TIME becomes a timestamp
		out.Resize(n)
		for i, x := range in.I32[:n] {
			sec, nano := int64(x)*daySecond, int64(0)
			if from.ID == column.Time {
				sec, nano = int64(x)/1000, int64(x)%1000*1_000_000
			}
			if to.ID == column.TimestampLTZ {
				sec = utcOf(r.zone, sec)
			}
			setMoment(out, i, sec, nano)
		}
	}
}

// cutTime cuts a time of the day to the digits of the type.
func cutTime(ms int32, t column.Type) int32 {
	if t.Precision >= 3 {
		return ms
	}
	step := int32(nanoStep(int(t.Precision)) / 1_000_000)
	return ms - ms%step
}

// castPrecision changes the number of digits behind the second.
func castPrecision(from, to column.Type) caster {
	a, b := UnitsPerSecond(from), UnitsPerSecond(to)
	if to.Precision >= from.Precision && from.Storage() == column.Int64s && to.Storage() == column.Int64s {
		f := b / a
		return func(_ *castRun, in, out *column.Vector, n int) {
			if f == 1 {
				in.Slice(out, 0, n)
				return
			}
			out.Resize(n)
			for i, x := range in.I64[:n] {
				out.I64[i] = x * f
			}
		}
	}
	return func(_ *castRun, in, out *column.Vector, n int) {
		out.Resize(n)
		for i := range n {
			sec, nano := momentAt(in, i)
			setMoment(out, i, sec, nano)
		}
	}
}

// castZone reads a timestamp as local time, or shows an instant in local time.
func castZone(toInstant bool) caster {
	return func(r *castRun, in, out *column.Vector, n int) {
		out.Resize(n)
		for i := range n {
			sec, nano := momentAt(in, i)
			if toInstant {
				sec = utcOf(r.zone, sec)
			} else {
				sec += offsetAt(r.zone, sec)
			}
			setMoment(out, i, sec, nano)
		}
	}
}

// castPartOf takes the date or the time of a timestamp.
func castPartOf(from, to column.Type) caster {
	return func(r *castRun, in, out *column.Vector, n int) {
		out.Resize(n)
		for i := range n {
			sec, nano := momentAt(in, i)
			if from.ID == column.TimestampLTZ {
				sec += offsetAt(r.zone, sec)
			}
			day := floorDiv(sec, daySecond)
			if to.ID == column.Date {
				out.I32[i] = int32(day)
			} else {
				out.I32[i] = cutTime(int32((sec-day*daySecond)*1000+nano/1_000_000), to)
			}
		}
	}
}
