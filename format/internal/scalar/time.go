package scalar

import (
	"math"
	"strconv"
	"time"
)

// Unit is how a time is written: as text, or as a count since the epoch.
type Unit uint8

// The units. RFC3339 is text; the others are integers.
const (
	RFC3339 Unit = iota
	Seconds
	Millis
	Micros
	Nanos
)

// UnitOf returns the unit that a struct tag's option names.
func UnitOf(option string) (Unit, bool) {
	switch option {
	case "unix":
		return Seconds, true
	case "unixms":
		return Millis, true
	case "unixmicro":
		return Micros, true
	case "unixnano":
		return Nanos, true
	}
	return RFC3339, false
}

// Time returns the time n units after the epoch, in UTC. Every int64 is a valid time.
func (u Unit) Time(n int64) time.Time {
	switch u {
	case Seconds:
		return time.Unix(n, 0).UTC()
	case Millis:
		return time.UnixMilli(n).UTC()
	case Micros:
		return time.UnixMicro(n).UTC()
	case Nanos:
		return time.Unix(0, n).UTC()
	}
	panic("BUG: RFC3339 is not a count")
}

// InCalendar reports whether t lies in the years 0 to 9999, those that RFC 3339 can write. A count outside of them is a mistake: of its unit, or
// a marker for "never" that no window could hold.
func InCalendar(t time.Time) bool {
	y := t.UTC().Year()
	return y >= 0 && y <= 9999
}

// Count returns the number of whole units between the epoch and t; false if that is no int64. A fraction is cut towards the past.
func (u Unit) Count(t time.Time) (int64, bool) {
	var perSecond int64
	switch u {
	case Seconds:
		return t.Unix(), true
	case Millis:
		perSecond = 1e3
	case Micros:
		perSecond = 1e6
	case Nanos:
		perSecond = 1e9
	}
	sec, part := t.Unix(), int64(t.Nanosecond())/(1e9/perSecond)
	if sec < math.MinInt64/perSecond-1 || sec > math.MaxInt64/perSecond {
		return 0, false
	}
	if sec < 0 { // from the second above, so that the product alone cannot overflow where the sum does not
		n := (sec + 1) * perSecond
		below := perSecond - part
		return n - below, n >= math.MinInt64+below
	}
	n := sec * perSecond
	return n + part, n <= math.MaxInt64-part
}

// ParseTime parses RFC 3339, strictly: "2006-01-02T15:04:05.999999999Z" or with an offset; 'T' and 'Z' in capitals, one to nine
// digits of fraction, no leap second. The result is in UTC.
func ParseTime(b []byte) (time.Time, bool) {
	if len(b) < len("2006-01-02T15:04:05Z") || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return time.Time{}, false
	}
	century, a := two(b, 0)
	year, y := two(b, 2)
	month, m := two(b, 5)
	day, d := two(b, 8)
	hour, h := two(b, 11)
	minute, mi := two(b, 14)
	second, s := two(b, 17)
	year += century * 100
	if !(a && y && m && d && h && mi && s) || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59 ||
		day < 1 || day > daysIn(year, month) {
		return time.Time{}, false
	}
	nanos, i, ok := fraction(b, 19)
	if !ok {
		return time.Time{}, false
	}
	offset, ok := zone(b[i:])
	if !ok {
		return time.Time{}, false
	}
	sec := daysFromEpoch(year, month, day)*86400 + int64(hour*3600+minute*60+second-offset)
	return time.Unix(sec, nanos).UTC(), true
}

func two(b []byte, i int) (int, bool) {
	hi, lo := b[i]-'0', b[i+1]-'0'
	return int(hi)*10 + int(lo), hi <= 9 && lo <= 9
}

func fraction(b []byte, i int) (nanos int64, end int, ok bool) {
	if b[i] != '.' {
		return 0, i, true
	}
	start := i + 1
	unit := int64(100000000)
	for i = start; i < len(b) && b[i]-'0' <= 9; i++ {
		nanos += int64(b[i]-'0') * unit
		unit /= 10
	}
	return nanos, i, i > start && i-start <= 9
}

// zone returns the offset from UTC in seconds that b, all of it, says.
func zone(b []byte) (int, bool) {
	if len(b) == 1 {
		return 0, b[0] == 'Z'
	}
	if len(b) != 6 || b[0] != '+' && b[0] != '-' || b[3] != ':' {
		return 0, false
	}
	h, ok1 := two(b, 1)
	m, ok2 := two(b, 4)
	if !ok1 || !ok2 || h > 23 || m > 59 {
		return 0, false
	}
	offset := h*3600 + m*60
	if b[0] == '-' {
		offset = -offset
	}
	return offset, true
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

// daysFromEpoch counts days from 1970-01-01 in the Gregorian calendar. Years begin in March here, so that the leap day is the
// last of its year and a month's first day is a linear formula.
func daysFromEpoch(year, month, day int) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	era := year / 400
	if year < 0 { // March of year -1 is before January of year 0
		era = (year - 399) / 400
	}
	yearOfEra := year - era*400
	dayOfYear := (153*(month-3)+2)/5 + day - 1
	dayOfEra := yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear
	return int64(era)*146097 + int64(dayOfEra) - 719468
}

// AppendTime appends t in UTC as RFC 3339, with as many digits of fraction as it needs (none for whole seconds). ok is false
// if its year has not four digits.
func AppendTime(dst []byte, t time.Time) (_ []byte, ok bool) {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return dst, false
	}
	hour, minute, second := t.Clock()
	dst = appendTwo(dst, year/100)
	dst = appendTwo(dst, year%100)
	dst = appendTwo(append(dst, '-'), int(month))
	dst = appendTwo(append(dst, '-'), day)
	dst = appendTwo(append(dst, 'T'), hour)
	dst = appendTwo(append(dst, ':'), minute)
	dst = appendTwo(append(dst, ':'), second)
	if nanos := t.Nanosecond(); nanos != 0 {
		at := len(dst)
		dst = strconv.AppendInt(dst, int64(nanos)+1e9, 10) // the leading 1 keeps the zeros and becomes the point
		dst[at] = '.'
		for dst[len(dst)-1] == '0' {
			dst = dst[:len(dst)-1]
		}
	}
	return append(dst, 'Z'), true
}

func appendTwo(dst []byte, n int) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }
