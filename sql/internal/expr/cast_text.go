package expr

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flottio/flott/column"
)

// castToText writes values as texts and fits them to the length of the type.
func castToText(from, to column.Type, env *Env) caster {
	if from.IsText() {
		return fitTexts(to, env.LegacyCast)
	}
	if from.IsBinary() {
		return func(r *castRun, in, out *column.Vector, n int) {
			out.Resize(n)
			for i, s := range in.Str[:n] {
				if out.Str[i] = s; !utf8.ValidString(s) {
					if len(r.failed) == 0 {
						r.reason = "the bytes are not UTF-8, which MAKE_VALID_UTF8 mends"
					}
					r.fail(in, i)
					out.Str[i] = ""
				}
				out.Str[i] = fitText(out.Str[i], to)
			}
		}
	}
	if from.ID == column.Boolean && env.LegacyCast {
		return func(_ *castRun, in, out *column.Vector, n int) {
			out.Resize(n)
			for i, b := range in.Bool[:n] {
				out.Str[i] = "false"
				if b {
					out.Str[i] = "true"
				}
			}
		}
	}
	return writeTexts(to, env)
}

// writeTexts appends the texts of a batch to one memory, which they are views of.
func writeTexts(to column.Type, env *Env) caster {
	var buf []byte
	var ends []int
	fit := to.Precision != column.MaxLength && !env.LegacyCast
	return func(r *castRun, in, out *column.Vector, n int) {
		buf, ends = buf[:0], ends[:0]
		for i := range n {
			if !in.IsNull(i) {
				buf = AppendText(buf, in, i, r.zone)
			}
			ends = append(ends, len(buf))
		}
		all := string(buf)
		out.Resize(n)
		from := 0
		for i, end := range ends {
			out.Str[i] = all[from:end]
			from = end
			if fit {
				out.Str[i] = fitText(out.Str[i], to)
			}
		}
	}
}

// fitTexts cuts or pads to the length of the type, in characters.
func fitTexts(to column.Type, legacy bool) caster {
	if legacy || to.Precision == column.MaxLength {
		return copyCast
	}
	return func(_ *castRun, in, out *column.Vector, n int) {
		out.Resize(n)
		for i, s := range in.Str[:n] {
			out.Str[i] = fitText(s, to)
		}
	}
}

func fitText(s string, to column.Type) string {
	limit := int(to.Precision)
	if to.ID == column.Varchar && len(s) <= limit {
		return s
	}
	if len(s) > limit { // only then can it have too many characters
		seen := 0
		for at := range s {
			if seen == limit {
				return s[:at]
			}
			seen++
		}
	}
	if to.ID == column.Char {
		if missing := limit - utf8.RuneCountInString(s); missing > 0 {
			return s + strings.Repeat(" ", missing)
		}
	}
	return s
}

func castToBinary(from, to column.Type, env *Env) caster {
	if !from.IsText() && !from.IsBinary() {
		return nil
	}
	if env.LegacyCast || to.Precision == column.MaxLength {
		return copyCast
	}
	limit := int(to.Precision)
	return func(_ *castRun, in, out *column.Vector, n int) {
		out.Resize(n)
		for i, s := range in.Str[:n] {
			switch {
			case len(s) > limit:
				s = s[:limit]
			case len(s) < limit && to.ID == column.Binary:
				s += strings.Repeat("\x00", limit-len(s))
			}
			out.Str[i] = s
		}
	}
}

// castFromText reads texts.
func castFromText(to column.Type) caster {
	switch {
	case to.ID == column.Boolean:
		return readTexts(func(s string, _ *time.Location, out *column.Vector, i int) (ok bool) {
			out.Bool[i], ok = parseBool(s)
			return ok
		})
	case to.IsInteger():
		bits := map[column.ID]int{column.TinyInt: 8, column.SmallInt: 16, column.Int: 32, column.BigInt: 64}[to.ID]
		return readTexts(func(s string, _ *time.Location, out *column.Vector, i int) bool {
			x, ok := parseWhole(s, bits)
			if ok {
				setInteger(out, i, x)
			}
			return ok
		})
	case to.ID == column.Float:
		return readTexts(func(s string, _ *time.Location, out *column.Vector, i int) bool {
			f, ok := parseFloat(s, 32)
			out.F32[i] = float32(f)
			return ok
		})
	case to.ID == column.Double:
		return readTexts(func(s string, _ *time.Location, out *column.Vector, i int) (ok bool) {
			out.F64[i], ok = parseFloat(s, 64)
			return ok
		})
	case to.ID == column.Decimal:
		return readTexts(func(s string, _ *time.Location, out *column.Vector, i int) bool {
			x, ok := parseDecimal(s, int(to.Precision), int(to.Scale))
			if ok {
				setDecimal(out, i, x, true)
			}
			return ok
		})
	}
	return readTimes(to)
}

func readTimes(to column.Type) caster {
	switch to.ID {
	case column.Date:
		return readTexts(func(s string, _ *time.Location, out *column.Vector, i int) bool {
			d, ok := parseDate(s)
			out.I32[i] = int32(d)
			return ok
		})
	case column.Time:
		return readTexts(func(s string, _ *time.Location, out *column.Vector, i int) bool {
			ms, ok := parseTime(s)
			out.I32[i] = cutTime(int32(ms), to)
			return ok
		})
	case column.Timestamp, column.TimestampLTZ:
		return readTexts(func(s string, zone *time.Location, out *column.Vector, i int) bool {
			sec, nano, ok := parseTimestamp(s)
			if ok && to.ID == column.TimestampLTZ {
				sec = utcOf(zone, sec)
			}
			setMoment(out, i, sec, nano)
			return ok
		})
	case column.IntervalMonths, column.IntervalMillis:
		read := parseMonths
		if to.ID == column.IntervalMillis {
			read = parseMillis
		}
		return readTexts(func(s string, _ *time.Location, out *column.Vector, i int) bool {
			x, ok := read(s)
			setInteger(out, i, x)
			return ok
		})
	}
	return nil
}

// readTexts calls read for each text that is not NULL; where it fails the value is zero.
func readTexts(read func(s string, zone *time.Location, out *column.Vector, i int) bool) caster {
	return func(r *castRun, in, out *column.Vector, n int) {
		out.Resize(n)
		zeroAll(out)
		for i, s := range in.Str[:n] {
			if in.Valid != nil && !in.Valid.Get(i) {
				continue
			}
			if !read(s, r.zone, out, i) {
				r.fail(in, i)
			}
		}
	}
}

// zeroAll clears the values of a vector that was resized.
func zeroAll(v *column.Vector) {
	clear(v.Bool)
	clear(v.I8)
	clear(v.I16)
	clear(v.I32)
	clear(v.I64)
	clear(v.F32)
	clear(v.F64)
	clear(v.I128)
	clear(v.Str)
}
