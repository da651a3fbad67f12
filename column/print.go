package column

import (
	"math"
	"strconv"
	"strings"
)

// AppendPrinted appends row i as the print sink and test results show it: "+I[1, abc, null]". Values look as Java prints them, which is what Flink
// does: 2020-04-15T08:05, 1.0E10, nested rows with their kind, bytes as numbers.
func (b *Batch) AppendPrinted(dst []byte, i int) []byte {
	return appendPrintedRow(append(dst, b.Kind(i).String()...), b.Cols, i)
}

func appendPrintedRow(dst []byte, cols []*Vector, i int) []byte {
	dst = append(dst, '[')
	for c, v := range cols {
		if c > 0 {
			dst = append(dst, ", "...)
		}
		dst = v.AppendPrinted(dst, i)
	}
	return append(dst, ']')
}

// AppendPrinted appends value i as in a printed row.
func (v *Vector) AppendPrinted(dst []byte, i int) []byte {
	if v.IsNull(i) {
		return append(dst, "null"...)
	}
	switch v.Type.ID {
	case Boolean:
		return strconv.AppendBool(dst, v.Bool[i])
	case Float:
		return appendJavaFloat(dst, float64(v.F32[i]), 32)
	case Double:
		return appendJavaFloat(dst, v.F64[i], 64)
	case Decimal:
		return appendJavaDecimal(dst, v.Decimal(i), int(v.Type.Scale))
	case Binary, Varbinary:
		return appendBytes(dst, v.Str[i])
	case Date:
		return AppendDate(dst, int64(v.I32[i]))
	case Time:
		return appendJavaTime(dst, int64(v.I32[i])/1000, int64(v.I32[i])%1000*nanosPerMs, false)
	case Timestamp, TimestampLTZ:
		sec, nanos := v.Instant(i)
		days, rest := FloorDiv(sec, dayMs/1000)
		zoned := v.Type.ID == TimestampLTZ
		dst = appendJavaTime(append(AppendDate(dst, days), 'T'), rest, nanos, zoned)
		if zoned {
			dst = append(dst, 'Z')
		}
		return dst
	case IntervalMonths:
		return appendPeriod(dst, int64(v.I32[i]))
	case IntervalMillis:
		return appendDuration(dst, v.I64[i])
	case Array:
		return v.appendElements(append(dst, '['), i, ']')
	case Map, Multiset:
		return v.appendElements(append(dst, '{'), i, '}')
	case Row:
		return appendPrintedRow(append(dst, "+I"...), v.Kids, i)
	}
	switch v.Store {
	case Int8s:
		return strconv.AppendInt(dst, int64(v.I8[i]), 10)
	case Int16s:
		return strconv.AppendInt(dst, int64(v.I16[i]), 10)
	case Int32s:
		return strconv.AppendInt(dst, int64(v.I32[i]), 10)
	case Int64s:
		return strconv.AppendInt(dst, v.I64[i], 10)
	}
	return append(dst, v.Str[i]...)
}

func (v *Vector) appendElements(dst []byte, i int, end byte) []byte {
	for e := v.Off[i]; e < v.Off[i+1]; e++ {
		if e > v.Off[i] {
			dst = append(dst, ", "...)
		}
		dst = v.Kids[0].AppendPrinted(dst, int(e))
		if v.Store == Maps {
			dst = v.Kids[1].AppendPrinted(append(dst, '='), int(e))
		}
	}
	return append(dst, end)
}

func appendBytes(dst []byte, s string) []byte {
	dst = append(dst, '[')
	for i := range len(s) {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = strconv.AppendInt(dst, int64(int8(s[i])), 10)
	}
	return append(dst, ']')
}

// appendJavaFloat has at least one digit behind the point, and an exponent from ten million on and below a thousandth.
func appendJavaFloat(dst []byte, f float64, bits int) []byte {
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
		if !strings.Contains(string(dst[from:]), ".") {
			dst = append(dst, ".0"...)
		}
		return dst
	}
	text := strconv.FormatFloat(f, 'e', -1, bits)
	mantissa, exponent, _ := strings.Cut(text, "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, _ := strconv.Atoi(exponent) // our own text
	return strconv.AppendInt(append(append(dst, mantissa...), 'E'), int64(n), 10)
}

// appendJavaDecimal has an exponent where the first digit is behind the seventh place.
func appendJavaDecimal(dst []byte, x Int128, scale int) []byte {
	digits := AppendDecimal(nil, x, 0)
	negative := digits[0] == '-'
	if negative {
		digits = digits[1:]
	}
	adjusted := len(digits) - 1 - scale
	if scale == 0 || adjusted >= -6 {
		return AppendDecimal(dst, x, scale)
	}
	if negative {
		dst = append(dst, '-')
	}
	dst = append(dst, digits[0])
	if len(digits) > 1 {
		dst = append(append(dst, '.'), digits[1:]...)
	}
	return strconv.AppendInt(append(dst, 'E'), int64(adjusted), 10)
}

// appendJavaTime leaves out seconds that are zero, and writes fractions in groups of three digits.
func appendJavaTime(dst []byte, sec, nanos int64, always bool) []byte {
	digits := 0
	switch {
	case nanos == 0:
	case nanos%nanosPerMs == 0:
		digits = 3
	case nanos%1000 == 0:
		digits = 6
	default:
		digits = 9
	}
	from := len(dst)
	dst = AppendTimeOfDay(dst, sec, nanos, digits)
	if digits == 0 && sec%60 == 0 && !always {
		dst = dst[:from+len("15:04")]
	}
	return dst
}

func appendPeriod(dst []byte, months int64) []byte {
	if months == 0 {
		return append(dst, "P0D"...)
	}
	dst = append(dst, 'P')
	if y := months / 12; y != 0 {
		dst = append(strconv.AppendInt(dst, y, 10), 'Y')
	}
	if m := months % 12; m != 0 {
		dst = append(strconv.AppendInt(dst, m, 10), 'M')
	}
	return dst
}

func appendDuration(dst []byte, ms int64) []byte {
	if ms == 0 {
		return append(dst, "PT0S"...)
	}
	sec, rest := ms/1000, ms%1000
	dst = append(dst, "PT"...)
	if h := sec / 3600; h != 0 {
		dst = append(strconv.AppendInt(dst, h, 10), 'H')
	}
	if m := sec % 3600 / 60; m != 0 {
		dst = append(strconv.AppendInt(dst, m, 10), 'M')
	}
	s := sec % 60
	if s == 0 && rest == 0 {
		return dst
	}
	if s == 0 && rest < 0 {
		dst = append(dst, '-')
	}
	dst = strconv.AppendInt(dst, s, 10)
	if rest != 0 {
		dst = appendPadded(append(dst, '.'), max(rest, -rest), 3)
		for dst[len(dst)-1] == '0' {
			dst = dst[:len(dst)-1]
		}
	}
	return append(dst, 'S')
}
