package expr

import (
	"math"
	"strconv"
	"strings"

	"github.com/flottio/flott/column"
)

// The readers of texts, as Flink's casts read them. ok is false for what they do not accept.

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'
}

func trimmed(s string) string {
	for len(s) > 0 && isSpace(s[0]) {
		s = s[1:]
	}
	for len(s) > 0 && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// parseWhole reads a whole number within the given bits; digits behind a point are checked and ignored.
func parseWhole(s string, bits int) (int64, bool) {
	s = trimmed(s)
	neg := false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		neg = s[0] == '-'
		s = s[1:]
	}
	if s == "" || s == "." {
		return 0, false
	}
	limit := uint64(1) << (bits - 1)
	if !neg {
		limit--
	}
	var x uint64
	for i := 0; i < len(s); i++ {
		d := s[i] - '0'
		if s[i] == '.' {
			return signed(x, neg), allDigits(s[i+1:])
		}
		if d > 9 || x > (math.MaxUint64-9)/10 {
			return 0, false
		}
		if x = x*10 + uint64(d); x > limit {
			return 0, false
		}
	}
	return signed(x, neg), true
}

func signed(x uint64, neg bool) int64 {
	if neg {
		return -int64(x)
	}
	return int64(x)
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// parseFloat reads what Java's parseDouble reads, but for its hexadecimal form and letters of types.
func parseFloat(s string, bits int) (float64, bool) {
	s = trimmed(s)
	switch strings.TrimLeft(s, "+-") {
	case "NaN", "Infinity":
		if len(strings.TrimLeft(s, "+-")) < len(s)-1 {
			return 0, false
		}
	default:
		for i := 0; i < len(s); i++ {
			if c := s[i]; (c < '0' || c > '9') && c != '.' && c != 'e' && c != 'E' && c != '-' && c != '+' {
				return 0, false
			}
		}
	}
	f, err := strconv.ParseFloat(strings.TrimPrefix(s, "+"), bits)
	return f, err == nil || math.IsInf(f, 0)
}

// parseDecimal reads a number with an optional exponent as an unscaled value, rounded half away from zero.
func parseDecimal(s string, precision, scale int) (column.Int128, bool) {
	s = trimmed(s)
	neg := strings.HasPrefix(s, "-")
	if neg || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	exp := 0
	if e := strings.IndexAny(s, "eE"); e >= 0 {
		n, err := strconv.Atoi(s[e+1:])
		if err != nil || n > 1000 || n < -1000 {
			return column.Int128{}, false
		}
		exp, s = n, s[:e]
	}
	whole, frac, _ := strings.Cut(s, ".")
	if whole == "" && frac == "" || !allDigits(whole) || !allDigits(frac) {
		return column.Int128{}, false
	}
	v, ok := digitsToDecimal(whole, frac, exp+scale)
	if !ok || v.Cmp(column.Pow10[precision]) >= 0 {
		return column.Int128{}, false
	}
	if neg {
		v = v.Neg()
	}
	return v, true
}

// digitsToDecimal is whole.frac * 10^shift, rounded half up.
func digitsToDecimal(whole, frac string, shift int) (column.Int128, bool) {
	var v column.Int128
	point := len(whole) + shift // digits that count
	n := len(whole) + len(frac)
	digit := func(i int) byte {
		switch {
		case i < 0 || i >= n:
			return 0
		case i < len(whole):
			return whole[i] - '0'
		}
		return frac[i-len(whole)] - '0'
	}
	for i := range max(point, 0) {
		if i >= n && v.Sign() == 0 {
			break
		}
		if v.Cmp(column.Pow10[column.MaxDecimalPrecision-1]) >= 0 {
			return v, false
		}
		v, _ = v.Mul(column.Int128{Lo: 10})
		v = v.Add(column.Int128{Lo: uint64(digit(i))})
	}
	if point >= 0 && digit(point) >= 5 {
		v = v.Add(column.Int128{Lo: 1})
	}
	return v, true
}

func parseBool(s string) (value, ok bool) {
	s = trimmed(s)
	if len(s) > 5 {
		return false, false
	}
	switch strings.ToLower(s) {
	case "t", "true", "y", "yes", "1":
		return true, true
	case "f", "false", "n", "no", "0":
		return false, true
	}
	return false, false
}

// small reads a number of few digits, spaces around it allowed.
func small(s string) (int, bool) {
	s = trimmed(s)
	if s == "" || len(s) > 9 || !allDigits(s) {
		return 0, false
	}
	x := 0
	for i := 0; i < len(s); i++ {
		x = x*10 + int(s[i]-'0')
	}
	return x, true
}

// parseDate reads y, y-m and y-m-d; what follows a space is ignored.
func parseDate(s string) (int64, bool) {
	if sp := strings.IndexByte(s, ' '); sp > 0 {
		s = s[:sp]
	}
	m, d := 1, 1
	year, rest, hasMonth := strings.Cut(s, "-")
	y, ok := small(year)
	if hasMonth {
		month, day, hasDay := strings.Cut(rest, "-")
		var okM, okD bool
		m, okM = small(month)
		if okD = true; hasDay {
			d, okD = small(day)
		}
		ok = ok && okM && okD
	}
	if !ok || y > 9999 || m < 1 || m > 12 || d < 1 || d > daysInMonth(y, m) {
		return 0, false
	}
	return daysOf(y, m, d), true
}

// parseTime reads h:m, h:m:s and h:m:s.fraction, and returns milliseconds.
func parseTime(s string) (int, bool) {
	hour, rest, ok := strings.Cut(s, ":")
	if !ok {
		return 0, false
	}
	minute, second, hasSecond := strings.Cut(rest, ":")
	h, okH := small(hour)
	m, okM := small(minute)
	sec, ms, okS := 0, 0, true
	if hasSecond {
		whole, frac, _ := strings.Cut(second, ".")
		if sec, okS = small(whole); okS {
			ms, okS = fraction(trimmed(frac), 3)
		}
	}
	if !okH || !okM || !okS || h > 23 || m > 59 || sec > 59 {
		return 0, false
	}
	return ((h*60+m)*60+sec)*1000 + ms, true
}

// fraction reads digits behind a point as a number of n digits.
func fraction(s string, n int) (int, bool) {
	if len(s) > 9 || !allDigits(s) {
		return 0, false
	}
	x := 0
	for i := range n {
		x *= 10
		if i < len(s) {
			x += int(s[i] - '0')
		}
	}
	return x, true
}

// parseTimestamp reads y-m-d and y-m-d h:m:s with up to 9 digits of a fraction; month, day and parts of the time have one or two digits.
func parseTimestamp(s string) (sec, nano int64, ok bool) {
	date, clock, hasClock := strings.Cut(s, " ")
	year, rest, ok1 := strings.Cut(date, "-")
	month, day, ok2 := strings.Cut(rest, "-")
	y, ok3 := small(year)
	m, ok4 := shortNumber(month)
	d, ok5 := shortNumber(day)
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || len(year) < 4 || m < 1 || m > 12 || d < 1 || d > daysInMonth(y, m) {
		return 0, 0, false
	}
	sec = daysOf(y, m, d) * daySecond
	if !hasClock {
		return sec, 0, true
	}
	hour, rest, ok1 := strings.Cut(clock, ":")
	minute, second, ok2 := strings.Cut(rest, ":")
	second, frac, _ := strings.Cut(second, ".")
	h, ok3 := shortNumber(hour)
	min, ok4 := shortNumber(minute)
	x, ok5 := shortNumber(second)
	f, ok6 := fraction(frac, 9)
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || !ok6 || h > 23 || min > 59 || x > 59 {
		return 0, 0, false
	}
	return sec + int64(h*3600+min*60+x), int64(f), true
}

func shortNumber(s string) (int, bool) {
	if len(s) == 0 || len(s) > 2 || !allDigits(s) {
		return 0, false
	}
	return small(s)
}

// parseMonths reads "+1-06" as Format writes it, parseMillis "+1 02:03:04.005".
func parseMonths(s string) (int64, bool) {
	s, neg := cutSign(trimmed(s))
	year, month, ok := strings.Cut(s, "-")
	y, ok1 := small(year)
	m, ok2 := small(month)
	return signed(uint64(y*12+m), neg), ok && ok1 && ok2
}

func parseMillis(s string) (int64, bool) {
	s, neg := cutSign(trimmed(s))
	day, clock, ok := strings.Cut(s, " ")
	d, ok1 := small(day)
	ms, ok2 := parseTime(clock)
	return signed(uint64(d)*dayMs+uint64(ms), neg), ok && ok1 && ok2
}

func cutSign(s string) (rest string, neg bool) {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		return s[1:], s[0] == '-'
	}
	return s, false
}
