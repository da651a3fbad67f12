package expr

import "github.com/flottio/flott/column"

const (
	dayMs     = 86_400_000
	daySecond = 86_400
)

// daysOf is the day of a date of the proleptic Gregorian calendar, counted from 1970-01-01.
func daysOf(year, month, day int) int64 {
	y := int64(year)
	if month <= 2 {
		y--
	}
	era := floorDiv(y, 400)
	yoe := y - era*400
	doy := int64((153*((month+9)%12)+2)/5 + day - 1)
	return era*146097 + yoe*365 + yoe/4 - yoe/100 + doy - 719468
}

// dateOf is the date of a day.
func dateOf(days int64) (year, month, day int) {
	z := days + 719468
	era := floorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = int(doy-(153*mp+2)/5) + 1
	month = int(mp+2)%12 + 1
	year = int(yoe + era*400)
	if month <= 2 {
		year++
	}
	return year, month, day
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 {
	m := a % b
	if m < 0 {
		m += b
	}
	return m
}

func daysInMonth(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// addMonths moves a day by months; a day that the month does not have becomes its last.
func addMonths(days, months int64) int64 {
	y, m, d := dateOf(days)
	total := int64(y)*12 + int64(m-1) + months
	year, month := int(floorDiv(total, 12)), int(floorMod(total, 12))+1
	return daysOf(year, month, min(d, daysInMonth(year, month)))
}

// UnitsPerSecond is the unit of stored timestamps: 1000, 1,000,000 or 1,000,000,000.
func UnitsPerSecond(t column.Type) int64 {
	switch {
	case t.Precision <= 3:
		return 1000
	case t.Precision <= 6:
		return 1_000_000
	}
	return 1_000_000_000
}

// momentAt is timestamp i as whole seconds since the epoch and the nanoseconds of that second.
func momentAt(v *column.Vector, i int) (sec, nano int64) {
	if v.Store == column.Int128s {
		return splitNanos(v.I128[i])
	}
	unit := UnitsPerSecond(v.Type)
	sec = floorDiv(v.I64[i], unit)
	return sec, (v.I64[i] - sec*unit) * (1_000_000_000 / unit)
}

func splitNanos(x column.Int128) (sec, nano int64) {
	q, r := x.QuoRem(column.Int128{Lo: 1_000_000_000})
	sec, _ = q.Int64()
	nano, _ = r.Int64()
	if nano < 0 {
		sec, nano = sec-1, nano+1_000_000_000
	}
	return sec, nano
}

// setMoment stores a timestamp; digits that the type does not have are cut off.
func setMoment(out *column.Vector, i int, sec, nano int64) {
	nano -= nano % nanoStep(int(out.Type.Precision))
	if out.Store == column.Int128s {
		out.I128[i] = column.Mul64(sec, 1_000_000_000).Add(column.Int128From(nano))
		return
	}
	unit := UnitsPerSecond(out.Type)
	out.I64[i] = sec*unit + nano/(1_000_000_000/unit)
}

// nanoStep is the nanoseconds of one in the last digit.
func nanoStep(precision int) int64 { return column.Pow10Int64[9-min(max(precision, 0), 9)] }
