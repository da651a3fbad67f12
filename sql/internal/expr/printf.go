package expr

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/flottio/flott/column"
)

var printfFuncs = []*Func{
	{Name: "PRINTF", Resolve: takes("PRINTF", "text any*", mayGive(textType)), Kernel: rowwise(printf)},
}

// directive is one %... of a format, as java.util.Formatter reads it.
type directive struct {
	arg                            int // from 1; 0 for the next one
	minus, hash, plus, space, zero bool
	comma, paren, same             bool
	width, precision               int // -1: none
	verb                           byte
	upper                          bool
}

// printf gives NULL where format and arguments do not fit.
func printf(r *row) error {
	if r.isNull(0) {
		return r.null()
	}
	b, f := r.free(), r.text(0)
	next, last := 1, 0
	for i := 0; i < len(f); {
		if f[i] != '%' {
			b = append(b, f[i])
			i++
			continue
		}
		d, size, ok := readDirective(f[i+1:])
		if !ok {
			return r.null()
		}
		i += size + 1
		switch d.verb {
		case 'n':
			b = append(b, '\n')
			continue
		case '%':
			b = d.pad(b, "%")
			continue
		}
		switch {
		case d.same:
		case d.arg > 0:
			last = d.arg
		default:
			last = next
			next++
		}
		if last < 1 || last >= len(r.args) {
			return r.null()
		}
		text, ok := d.format(r, last)
		if !ok {
			return r.null()
		}
		if d.upper {
			text = strings.ToUpper(text)
		}
		if b = d.pad(b, text); len(b) > maxMadeBytes {
			return errMadeTooLong
		}
	}
	return r.setBytes(b)
}

func readDirective(f string) (d directive, size int, ok bool) {
	d.width, d.precision = -1, -1
	i := 0
	number := func() int {
		from := i
		for i < len(f) && f[i] >= '0' && f[i] <= '9' && i-from < 7 {
			i++
		}
		n, err := strconv.Atoi(f[from:i])
		if err != nil {
			return -1
		}
		return n
	}
	if i < len(f) && f[i] >= '1' && f[i] <= '9' {
		if n := number(); i < len(f) && f[i] == '$' {
			d.arg = n
			i++
		} else {
			i = 0
		}
	}
	flags := map[byte]*bool{'-': &d.minus, '#': &d.hash, '+': &d.plus, ' ': &d.space, '0': &d.zero, ',': &d.comma, '(': &d.paren, '<': &d.same}
	for i < len(f) && flags[f[i]] != nil {
		if *flags[f[i]] {
			return d, 0, false
		}
		*flags[f[i]] = true
		i++
	}
	d.width = number()
	if i < len(f) && f[i] == '.' {
		i++
		if d.precision = number(); d.precision < 0 {
			return d, 0, false
		}
	}
	if i >= len(f) {
		return d, 0, false
	}
	d.verb = f[i]
	if strings.IndexByte("BHSCXEGA", d.verb) >= 0 {
		d.upper = true
		d.verb += 'a' - 'A'
	}
	bad := d.minus && d.zero || (d.minus || d.zero) && d.width < 0 || d.plus && d.space
	return d, i + 1, !bad && strings.IndexByte("bhscdoxefgan%", d.verb) >= 0
}

func (d *directive) pad(b []byte, text string) []byte {
	missing := max(d.width-utf8.RuneCountInString(text), 0)
	fill := strings.Repeat(" ", missing)
	if d.minus {
		return append(append(b, text...), fill...)
	}
	return append(append(b, fill...), text...)
}

func (d *directive) format(r *row, k int) (string, bool) {
	v := r.args[k]
	null := v.IsNull(r.i)
	text := "null"
	switch {
	case d.verb == 'b':
		text = "true"
		if null || v.Type.ID == column.Boolean && !v.Bool[r.i] {
			text = "false"
		}
	case null:
	case d.verb == 's':
		text = javaText(r.e, v, r.i)
	case d.verb == 'h':
		if v.Store != column.Strings {
			return "", false
		}
		text = strconv.FormatUint(uint64(uint32(javaHash(v.Str[r.i]))), 16)
	case d.verb == 'c':
		return d.character(v, r.i)
	case strings.IndexByte("dox", d.verb) >= 0:
		return d.wholeNumber(v, r.i)
	default:
		return d.realNumber(v, r.i)
	}
	if d.precision >= 0 {
		text = text[:runeOffset(text, int64(d.precision))]
	}
	return text, true
}

func javaHash(s string) (h int32) {
	for _, c := range s {
		h = h*31 + int32(c)
	}
	return h
}

// javaText is toString() of the value's Java class: times in ISO form, intervals as their number, truth in lower case.
func javaText(e *Eval, v *column.Vector, i int) string {
	switch v.Type.ID {
	case column.Boolean:
		return strconv.FormatBool(v.Bool[i])
	case column.Timestamp, column.TimestampLTZ:
		sec, nano := momentAt(v, i)
		b := appendISO(nil, sec, nano, true)
		if v.Type.ID == column.TimestampLTZ {
			b = append(appendISO(nil, sec, nano, false), 'Z')
		}
		return string(b)
	case column.Time:
		return strings.TrimSuffix(string(appendTime(nil, int(v.I32[i]), 3)), ".0")
	case column.IntervalMonths:
		return strconv.Itoa(int(v.I32[i]))
	case column.IntervalMillis:
		return strconv.FormatInt(v.I64[i], 10)
	}
	return string(AppendText(nil, v, i, e.Env.zone()))
}

// appendISO writes 2020-01-02T03:04, with seconds and a fraction of 3, 6 or 9 digits if they are not zero, or always with seconds.
func appendISO(b []byte, sec, nano int64, short bool) []byte {
	days := floorDiv(sec, daySecond)
	b = append(appendDate(b, days), 'T')
	clock := appendClock(nil, sec-days*daySecond)
	if short && nano == 0 && sec%60 == 0 {
		return append(b, clock[:5]...)
	}
	b = append(b, clock...)
	return appendFraction(b, nano)
}

// appendFraction writes as many groups of three digits as are needed.
func appendFraction(b []byte, nano int64) []byte {
	switch {
	case nano == 0:
		return b
	case nano%1_000_000 == 0:
		return appendPadded(append(b, '.'), nano/1_000_000, 3)
	case nano%1000 == 0:
		return appendPadded(append(b, '.'), nano/1000, 6)
	}
	return appendPadded(append(b, '.'), nano, 9)
}

func (d *directive) character(v *column.Vector, i int) (string, bool) {
	switch {
	case d.precision >= 0:
		return "", false
	case v.Type.IsInteger() && v.Type.ID != column.BigInt:
		if x := integerAt(v, i); x >= 0 && x <= utf8.MaxRune {
			return string(rune(x)), true
		}
	case v.Type.IsText() && utf8.RuneCountInString(v.Str[i]) == 1:
		return v.Str[i], true
	}
	return "", false
}

func (d *directive) wholeNumber(v *column.Vector, i int) (string, bool) {
	if !v.Type.IsInteger() || d.precision >= 0 {
		return "", false
	}
	x := integerAt(v, i)
	if d.verb == 'd' {
		digits := strconv.FormatUint(abs64(x), 10)
		return d.signed(digits, x < 0), true
	}
	bits := uint64(x)
	switch v.Type.ID {
	case column.TinyInt:
		bits = uint64(uint8(x))
	case column.SmallInt:
		bits = uint64(uint16(x))
	case column.Int:
		bits = uint64(uint32(x))
	}
	base, prefix := 16, "0x"
	if d.verb == 'o' {
		base, prefix = 8, "0"
	}
	digits := strconv.FormatUint(bits, base)
	if d.hash {
		digits = prefix + digits
	}
	if d.zero {
		digits = strings.Repeat("0", max(d.width-len(digits), 0)) + digits
	}
	return digits, true
}

// signed adds the sign, groups of digits and leading zeros.
func (d *directive) signed(digits string, negative bool) string {
	whole, frac, point := strings.Cut(digits, ".")
	if d.comma {
		for at := len(whole) - 3; at > 0; at -= 3 {
			whole = whole[:at] + "," + whole[at:]
		}
	}
	if point {
		whole += "." + frac
	}
	before, after := "", ""
	switch {
	case negative && d.paren:
		before, after = "(", ")"
	case negative:
		before = "-"
	case d.plus:
		before = "+"
	case d.space:
		before = " "
	}
	if d.zero {
		whole = strings.Repeat("0", max(d.width-len(whole)-len(before)-len(after), 0)) + whole
	}
	return before + whole + after
}

func (d *directive) realNumber(v *column.Vector, i int) (string, bool) {
	var x float64
	switch v.Type.ID {
	case column.Float:
		x = float64(v.F32[i])
	case column.Double:
		x = v.F64[i]
	case column.Decimal:
		if d.verb == 'f' {
			return d.decimal(longAt(v, i), int(v.Type.Scale)), true
		}
		x, _ = decimalToFloat(longAt(v, i), int(v.Type.Scale), 64, nil)
	default:
		return "", false
	}
	if math.IsNaN(x) {
		return "NaN", true
	}
	if math.IsInf(x, 0) {
		return d.signed("Infinity", x < 0), true
	}
	precision := d.precision
	if precision < 0 {
		precision = 6
	}
	abs := math.Abs(x)
	switch d.verb {
	case 'f':
		return d.signed(strconv.FormatFloat(roundFloat(abs, 64, precision, true), 'f', precision, 64), math.Signbit(x)), true
	case 'e':
		return d.signed(strconv.FormatFloat(abs, 'e', precision, 64), math.Signbit(x)), true
	case 'g':
		precision = max(precision, 1)
		if abs != 0 && (abs < 1e-4 || abs >= math.Pow10(precision)) {
			return d.signed(strconv.FormatFloat(abs, 'e', precision-1, 64), math.Signbit(x)), true
		}
		places := precision - 1
		if abs >= 1 {
			places = precision - int(math.Floor(math.Log10(abs))) - 1
		} else if abs > 0 {
			places = precision - int(math.Floor(math.Log10(abs))) - 1
		}
		return d.signed(strconv.FormatFloat(abs, 'f', max(places, 0), 64), math.Signbit(x)), true
	}
	return strconv.FormatFloat(x, 'x', -1, 64), true
}

func (d *directive) decimal(x column.Int128, scale int) string {
	precision := d.precision
	if precision < 0 {
		precision = 6
	}
	zeros := 0
	if precision < scale {
		x = x.ScaleDown(scale - precision)
		scale = precision
	} else {
		zeros = precision - scale
	}
	digits := string(x.Abs().AppendDecimal(nil, scale))
	if scale == 0 && zeros > 0 {
		digits += "."
	}
	return d.signed(digits+strings.Repeat("0", zeros), x.Sign() < 0)
}
