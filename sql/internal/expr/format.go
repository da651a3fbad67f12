package expr

import (
	"math"
	"strconv"
	"time"

	"github.com/flottio/flott/column"
)

// Format is the text of a value as CAST to STRING gives it; NULL is "NULL". Local timestamps are shown in UTC.
func Format(value any, t column.Type) string { return FormatIn(value, t, time.UTC) }

// FormatIn is Format with a zone for local timestamps.
func FormatIn(value any, t column.Type, zone *time.Location) string {
	if value == nil {
		return "NULL"
	}
	v := column.New(t)
	defer v.Release()
	v.Append(value)
	return string(AppendText(nil, v, 0, zone))
}

// AppendText appends the text of value i as CAST to STRING gives it.
func AppendText(dst []byte, v *column.Vector, i int, zone *time.Location) []byte {
	if v.IsNull(i) {
		return append(dst, "NULL"...)
	}
	switch v.Type.ID {
	case column.Boolean:
		if v.Bool[i] {
			return append(dst, "TRUE"...)
		}
		return append(dst, "FALSE"...)
	case column.TinyInt, column.SmallInt, column.Int, column.BigInt:
		return strconv.AppendInt(dst, integerAt(v, i), 10)
	case column.Float:
		return AppendFloat(dst, float64(v.F32[i]), 32)
	case column.Double:
		return AppendFloat(dst, v.F64[i], 64)
	case column.Decimal:
		return longAt(v, i).AppendDecimal(dst, int(v.Type.Scale))
	case column.Date:
		return appendDate(dst, int64(v.I32[i]))
	case column.Time:
		return appendTime(dst, int(v.I32[i]), int(v.Type.Precision))
	case column.Timestamp:
		sec, nano := momentAt(v, i)
		return appendTimestamp(dst, sec, nano, int(v.Type.Precision))
	case column.TimestampLTZ:
		sec, nano := momentAt(v, i)
		return appendTimestamp(dst, sec+offsetAt(zone, sec), nano, int(v.Type.Precision))
	case column.IntervalMonths:
		return appendMonths(dst, int64(v.I32[i]))
	case column.IntervalMillis:
		return appendMillis(dst, v.I64[i])
	case column.Array, column.Map, column.Multiset, column.Row:
		return appendNested(dst, v, i, zone)
	}
	return append(dst, v.Str[i]...)
}

func appendNested(dst []byte, v *column.Vector, i int, zone *time.Location) []byte {
	switch v.Store {
	case column.Structs:
		dst = append(dst, '(')
		for k, kid := range v.Kids {
			if k > 0 {
				dst = append(dst, ", "...)
			}
			dst = AppendText(dst, kid, i, zone)
		}
		return append(dst, ')')
	case column.Lists:
		dst = append(dst, '[')
		for e := int(v.Off[i]); e < int(v.Off[i+1]); e++ {
			if e > int(v.Off[i]) {
				dst = append(dst, ", "...)
			}
			dst = AppendText(dst, v.Kids[0], e, zone)
		}
		return append(dst, ']')
	}
	dst = append(dst, '{')
	for e := int(v.Off[i]); e < int(v.Off[i+1]); e++ {
		if e > int(v.Off[i]) {
			dst = append(dst, ", "...)
		}
		dst = append(AppendText(dst, v.Kids[0], e, zone), '=')
		dst = AppendText(dst, v.Kids[1], e, zone)
	}
	return append(dst, '}')
}

// AppendFloat appends a floating point number as Java writes it: the shortest digits, at least one behind the point, and an exponent below
// 0.001 and from 10,000,000 on.
func AppendFloat(dst []byte, f float64, bits int) []byte {
	switch a := math.Abs(f); {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case a == 0 || a >= 1e-3 && a < 1e7:
		from := len(dst)
		dst = strconv.AppendFloat(dst, f, 'f', -1, bits)
		for _, c := range dst[from:] {
			if c == '.' {
				return dst
			}
		}
		return append(dst, ".0"...)
	}
	from := len(dst)
	dst = strconv.AppendFloat(dst, f, 'e', -1, bits)
	point, e := false, len(dst)
	for j := from; j < len(dst); j++ {
		switch dst[j] {
		case '.':
			point = true
		case 'e':
			e = j
		}
	}
	exp, _ := strconv.Atoi(string(dst[e+1:]))
	dst = dst[:e]
	if !point {
		dst = append(dst, ".0"...)
	}
	return strconv.AppendInt(append(dst, 'E'), int64(exp), 10)
}

func appendPadded(dst []byte, x int64, width int) []byte {
	if x < 0 {
		dst, x = append(dst, '-'), -x
	}
	var buf [20]byte
	at := len(buf)
	for x > 0 || width > 0 {
		at--
		width--
		buf[at] = byte('0' + x%10)
		x /= 10
	}
	return append(dst, buf[at:]...)
}

func appendDate(dst []byte, days int64) []byte {
	y, m, d := dateOf(days)
	dst = append(appendPadded(dst, int64(y), 4), '-')
	dst = append(appendPadded(dst, int64(m), 2), '-')
	return appendPadded(dst, int64(d), 2)
}

func appendClock(dst []byte, sec int64) []byte {
	dst = append(appendPadded(dst, sec/3600, 2), ':')
	dst = append(appendPadded(dst, sec/60%60, 2), ':')
	return appendPadded(dst, sec%60, 2)
}

// appendTime shows the milliseconds up to the last digit that is not zero, at least one if there is a precision.
func appendTime(dst []byte, ms, precision int) []byte {
	dst = appendClock(dst, int64(ms/1000))
	rest := ms % 1000
	for n := min(precision, 3); n > 0; n-- {
		if n == min(precision, 3) {
			dst = append(dst, '.')
		}
		dst = append(dst, byte('0'+rest/100))
		if rest = rest % 100 * 10; rest == 0 {
			break
		}
	}
	return dst
}

func appendTimestamp(dst []byte, sec, nano int64, precision int) []byte {
	days := floorDiv(sec, daySecond)
	dst = append(appendDate(dst, days), ' ')
	dst = appendClock(dst, sec-days*daySecond)
	if precision == 0 {
		return dst
	}
	return appendPadded(append(dst, '.'), nano/nanoStep(precision), precision)
}

func appendSign(dst []byte, x int64) ([]byte, int64) {
	if x < 0 {
		return append(dst, '-'), -x
	}
	return append(dst, '+'), x
}

func appendMonths(dst []byte, months int64) []byte {
	dst, months = appendSign(dst, months)
	dst = append(strconv.AppendInt(dst, months/12, 10), '-')
	return appendPadded(dst, months%12, 2)
}

func appendMillis(dst []byte, ms int64) []byte {
	dst, ms = appendSign(dst, ms)
	dst = append(strconv.AppendInt(dst, ms/dayMs, 10), ' ')
	dst = append(appendClock(dst, ms%dayMs/1000), '.')
	return appendPadded(dst, ms%1000, 3)
}

// offsetAt is the offset of a zone from UTC in seconds.
func offsetAt(zone *time.Location, sec int64) int64 {
	if zone == nil || zone == time.UTC {
		return 0
	}
	_, off := time.Unix(sec, 0).In(zone).Zone()
	return int64(off)
}

// utcOf is the instant of a local time, in seconds. Of two the earlier; one that a clock jumps over moves on by the jump.
func utcOf(zone *time.Location, local int64) int64 {
	if zone == nil || zone == time.UTC {
		return local
	}
	before, after := offsetAt(zone, local-daySecond), offsetAt(zone, local+daySecond)
	if u := local - before; before == after || offsetAt(zone, u) == before {
		return u
	}
	if u := local - after; offsetAt(zone, u) == after {
		return u
	}
	return local - before
}
