package column

import (
	"math"
	"math/bits"
)

// Milliseconds and nanoseconds of longer units.
const (
	dayMs      = 86_400_000
	nanosPerMs = 1_000_000
	nanosPerS  = 1_000_000_000
)

// UnitsPerSecond is in what parts of a second values of a TIMESTAMP type count: 1000, a million, or a billion in 128 bits.
func (t Type) UnitsPerSecond() int64 {
	switch {
	case t.Precision <= 3:
		return 1_000
	case t.Precision <= 6:
		return 1_000_000
	}
	return nanosPerS
}

// FloorDiv divides towards minus infinity.
func FloorDiv(a, b int64) (quotient, remainder int64) {
	quotient, remainder = a/b, a%b
	if remainder < 0 {
		quotient, remainder = quotient-1, remainder+b
	}
	return quotient, remainder
}

// AppendInstant adds the point in time to a vector of TIMESTAMP or TIMESTAMP_LTZ; digits of the fraction beyond the type's are cut off. false:
// it does not fit.
func (v *Vector) AppendInstant(sec, nanos int64) bool {
	keep := int64(nanosPerS)
	for range v.Type.Precision {
		keep /= 10
	}
	nanos -= nanos % keep
	if v.Store == Int128s {
		v.I128 = append(v.I128, NanosOf(sec, nanos))
		v.One()
		return true
	}
	per := v.Type.UnitsPerSecond()
	if sec > math.MaxInt64/per-1 || sec < math.MinInt64/per+1 {
		return false
	}
	v.I64 = append(v.I64, sec*per+nanos/(nanosPerS/per))
	v.One()
	return true
}

// NanosOf is a point in time as nanoseconds since the epoch.
func NanosOf(sec, nanos int64) Int128 {
	hi, lo := bits.Mul64(uint64(sec), nanosPerS)
	if sec < 0 {
		hi -= nanosPerS
	}
	return Int128{Lo: lo, Hi: int64(hi)}.Add(Int128From(nanos))
}

// Instant is value i of a vector of TIMESTAMP or TIMESTAMP_LTZ as seconds since the epoch and nanoseconds from 0 on.
func (v *Vector) Instant(i int) (sec, nanos int64) {
	if v.Store == Int128s {
		return splitNanos(v.I128[i])
	}
	per := v.Type.UnitsPerSecond()
	sec, part := FloorDiv(v.I64[i], per)
	return sec, part * (nanosPerS / per)
}

func splitNanos(x Int128) (sec, nanos int64) {
	negative := x.Sign() < 0
	if negative {
		x = x.Neg()
	}
	q, r := bits.Div64(uint64(x.Hi)%nanosPerS, x.Lo, nanosPerS)
	sec, nanos = int64(q), int64(r)
	if negative {
		sec, nanos = -sec, -nanos
		if nanos < 0 {
			sec, nanos = sec-1, nanos+nanosPerS
		}
	}
	return sec, nanos
}

// DaysOf counts the days from 1970-01-01 to a date of the Gregorian calendar. Years begin in March here, so that the leap day is the last of
// its year and a month's first day is a linear formula.
func DaysOf(year, month, day int) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	era, yearOfEra := FloorDiv(int64(year), 400)
	dayOfYear := int64((153*(month-3)+2)/5 + day - 1)
	return era*146097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - 719468
}

// DateOf is the date of a day, the reverse of DaysOf.
func DateOf(days int64) (year, month, day int) {
	era, d := FloorDiv(days+719468, 146097)
	yoe := (d - d/1460 + d/36524 - d/146096) / 365
	doy := d - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = int(doy-(153*mp+2)/5) + 1
	month = int(mp) + 3
	y := yoe + era*400
	if month > 12 {
		month, y = month-12, y+1
	}
	return int(y), month, day
}

func daysIn(year, month int) int {
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

func two(b []byte, i int) (int, bool) {
	hi, lo := b[i]-'0', b[i+1]-'0'
	return int(hi)*10 + int(lo), hi <= 9 && lo <= 9
}

// ParseDate reads "2006-01-02", all of b.
func ParseDate(b []byte) (days int64, ok bool) {
	if len(b) != len("2006-01-02") || b[4] != '-' || b[7] != '-' {
		return 0, false
	}
	century, ok1 := two(b, 0)
	year, ok2 := two(b, 2)
	month, ok3 := two(b, 5)
	day, ok4 := two(b, 8)
	year += century * 100
	if !(ok1 && ok2 && ok3 && ok4) || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, false
	}
	return DaysOf(year, month, day), true
}

// ParseTimeOfDay reads "15:04:05", all of b, with up to nine digits of fraction; without seconds if short allows it.
func ParseTimeOfDay(b []byte, short bool) (sec, nanos int64, ok bool) {
	if len(b) == len("15:04") && short {
		h, ok1 := two(b, 0)
		m, ok2 := two(b, 3)
		return int64(h*3600 + m*60), 0, ok1 && ok2 && b[2] == ':' && h < 24 && m < 60
	}
	if len(b) < len("15:04:05") || b[2] != ':' || b[5] != ':' {
		return 0, 0, false
	}
	h, ok1 := two(b, 0)
	m, ok2 := two(b, 3)
	s, ok3 := two(b, 6)
	if !(ok1 && ok2 && ok3) || h > 23 || m > 59 || s > 59 {
		return 0, 0, false
	}
	sec = int64(h*3600 + m*60 + s)
	if len(b) == len("15:04:05") {
		return sec, 0, true
	}
	fraction := b[len("15:04:05"):]
	if fraction[0] != '.' || len(fraction) < 2 || len(fraction) > 10 {
		return 0, 0, false
	}
	unit := int64(nanosPerS / 10)
	for _, c := range fraction[1:] {
		if c-'0' > 9 {
			return 0, 0, false
		}
		nanos += int64(c-'0') * unit
		unit /= 10
	}
	return sec, nanos, true
}

// ParseTimestamp reads a date, the separator and a time of day, all of b, as a point in time in UTC.
func ParseTimestamp(b []byte, separator byte, short bool) (sec, nanos int64, ok bool) {
	const date = len("2006-01-02")
	if len(b) < date+1 || b[date] != separator {
		return 0, 0, false
	}
	days, ok := ParseDate(b[:date])
	if !ok {
		return 0, 0, false
	}
	sec, nanos, ok = ParseTimeOfDay(b[date+1:], short)
	return days*(dayMs/1000) + sec, nanos, ok
}

func appendTwo(dst []byte, n int) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }

// AppendDate appends "2006-01-02"; years beyond four digits have a sign, as in ISO 8601.
func AppendDate(dst []byte, days int64) []byte {
	year, month, day := DateOf(days)
	if year < 0 {
		dst = append(dst, '-')
		year = -year
	} else if year > 9999 {
		dst = append(dst, '+')
	}
	dst = appendPadded(dst, int64(year), 4)
	dst = appendTwo(append(dst, '-'), month)
	return appendTwo(append(dst, '-'), day)
}

func appendPadded(dst []byte, n int64, digits int) []byte {
	var b [20]byte
	i := len(b)
	for n > 0 || len(b)-i < digits {
		i--
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return append(dst, b[i:]...)
}

// AppendTimeOfDay appends "15:04:05" and, after a point, so many digits of the fraction.
func AppendTimeOfDay(dst []byte, sec, nanos int64, digits int) []byte {
	dst = appendTwo(dst, int(sec/3600))
	dst = appendTwo(append(dst, ':'), int(sec/60%60))
	dst = appendTwo(append(dst, ':'), int(sec%60))
	if digits > 0 {
		for range 9 - digits {
			nanos /= 10
		}
		dst = appendPadded(append(dst, '.'), nanos, digits)
	}
	return dst
}

// AppendTimestamp appends a date, the separator and a time of day.
func AppendTimestamp(dst []byte, sec, nanos int64, separator byte, digits int) []byte {
	days, rest := FloorDiv(sec, dayMs/1000)
	dst = append(AppendDate(dst, days), separator)
	return AppendTimeOfDay(dst, rest, nanos, digits)
}
