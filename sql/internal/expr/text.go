package expr

import (
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/flottio/flott/column"
)

// Functions on texts. Characters are code points. The binder writes
//
//	a || b                         as "||"(a, b)
//	TRIM([BOTH ...] [c] FROM x)    as TRIM(symbol, c, x) or TRIM(symbol, x); TRIM(x) is itself. The symbol is a STRING literal
//	POSITION(a IN b [FROM n])      as POSITION(a, b [, n])
//	SUBSTRING(x FROM a [FOR n])    as SUBSTRING(x, a [, n])
//	OVERLAY(x PLACING y FROM a FOR n)  as OVERLAY(x, y, a [, n])
var textFuncs = []*Func{
	ConcatOp,
	strict("CONCAT", "text text*", gives(textType), fixedPer(concatKernel)),
	{Name: "CONCAT_WS", Resolve: takes("CONCAT_WS", "text text*", gives(textType)), Kernel: rowwise(concatWithSeparator)},
	strict("UPPER", "text", givesArg(0), caseKernel('a', 'z', upperText)),
	strict("LOWER", "text", givesArg(0), caseKernel('A', 'Z', lowerText)),
	strict("INITCAP", "text", givesArg(0), rowwise(initCap)),
	substringFunc, alias("SUBSTR", substringFunc),
	strict("LEFT", "text int", gives(textType), rowwise(func(r *row) error {
		s := r.text(0)
		return r.setText(s[:runeOffset(s, r.whole(1))])
	})),
	strict("RIGHT", "text int", gives(textType), rowwise(func(r *row) error {
		s := r.text(0)
		n := int64(utf8.RuneCountInString(s)) - max(r.whole(1), 0)
		return r.setText(s[runeOffset(s, n):])
	})),
	charLength, alias("CHARACTER_LENGTH", charLength),
	strict("POSITION", "text text int?", gives(intType), rowwise(locate)),
	strict("LOCATE", "text text int?", gives(intType), rowwise(locate)),
	fails(strict("INSTR", "text text int? int?", gives(intType), rowwise(instr))),
	{Name: "TRIM", Strict: true, Resolve: resolveTrim, Kernel: trimKernel},
	strict("LTRIM", "text text?", givesVarying(0), rowwise(func(r *row) error { return trimRow(r, 1, true, false) })),
	strict("RTRIM", "text text?", givesVarying(0), rowwise(func(r *row) error { return trimRow(r, 1, false, true) })),
	strict("BTRIM", "text text?", givesVarying(0), rowwise(func(r *row) error { return trimRow(r, 1, true, true) })),
	strict("STARTSWITH", "text text | bin bin", gives(boolType), prefixKernel(strings.HasPrefix)),
	strict("ENDSWITH", "text text | bin bin", gives(boolType), prefixKernel(strings.HasSuffix)),
}

// ConcatOp is ||. CHAR(a) || CHAR(b) is CHAR(a + b).
var ConcatOp = &Func{Name: "||", Strict: true, Resolve: takes("||", "text text | bin bin", sumOfLengths), Kernel: fixedPer(concatKernel)}

// fixedPer makes a kernel of its own for each site.
func fixedPer(f func() Kernel) func(*Site) (Kernel, error) {
	return func(*Site) (Kernel, error) { return f(), nil }
}

func sumOfLengths(args []Arg, types []column.Type) (column.Type, error) {
	t := types[0]
	if types[1].ID != t.ID {
		t = varying(t)
	}
	t.Precision = int32(min(int64(types[0].Precision)+int64(types[1].Precision), column.MaxLength))
	return t.Nullable(anyNullable(args)), nil
}

func concatKernel() Kernel {
	var mem arena
	return func(e *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		for i := range n {
			b := mem.space()
			for _, v := range args {
				b = append(b, v.Str[i]...)
			}
			out.Str[i] = mem.keep(b)
		}
		return nil
	}
}

// concatWithSeparator leaves NULLs out.
func concatWithSeparator(r *row) error {
	if r.isNull(0) {
		return r.null()
	}
	b, first := r.free(), true
	for k := 1; k < len(r.args); k++ {
		if r.isNull(k) {
			continue
		}
		if !first {
			b = append(b, r.text(0)...)
		}
		b, first = append(b, r.text(k)...), false
	}
	return r.setBytes(b)
}

// caseKernel maps ASCII letters of a range to the other case; texts with other characters go through slow.
func caseKernel(from, to byte, slow func(string) string) func(*Site) (Kernel, error) {
	return fixedPer(func() Kernel {
		var mem arena
		return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
			out.Resize(n)
			for i, s := range args[0].Str[:n] {
				first, ascii := len(s), true
				for j := 0; j < len(s); j++ {
					if c := s[j]; c >= utf8.RuneSelf {
						ascii = false
						break
					} else if c-from <= to-from && j < first {
						first = j
					}
				}
				switch {
				case !ascii:
					s = slow(s)
				case first < len(s):
					b := append(mem.space(), s...)
					for j := first; j < len(b); j++ {
						if b[j]-from <= to-from {
							b[j] ^= 0x20
						}
					}
					s = mem.keep(b)
				}
				out.Str[i] = s
			}
			return nil
		}
	})
}

// The characters whose other case is several characters.
var (
	upperText = func(s string) string { return wideUpper.Replace(strings.ToUpper(s)) }
	lowerText = func(s string) string { return strings.ToLower(wideLower.Replace(s)) }
	wideUpper = strings.NewReplacer("ß", "SS", "ŉ", "ʼN", "ǰ", "J̌", "ﬀ", "FF", "ﬁ", "FI", "ﬂ", "FL", "ﬃ", "FFI", "ﬄ", "FFL", "ﬅ", "ST", "ﬆ", "ST")
	wideLower = strings.NewReplacer("İ", "i̇")
)

// initCap knows words of ASCII letters and digits, as Flink does.
func initCap(r *row) error {
	b := append(r.free(), r.text(0)...)
	start := true
	for i, c := range b {
		lower, upper := c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z'
		switch {
		case lower && start:
			b[i] = c - 'a' + 'A'
		case upper && !start:
			b[i] = c - 'A' + 'a'
		}
		start = !lower && !upper && (c < '0' || c > '9')
	}
	return r.setBytes(b)
}

// runeOffset is where the n-th character begins: 0 for n below 1, the end for n beyond it.
func runeOffset(s string, n int64) int {
	if n <= 0 {
		return 0
	}
	at := 0
	for at < len(s) && n > 0 {
		if s[at] < utf8.RuneSelf {
			at++
		} else {
			_, size := utf8.DecodeRuneInString(s[at:])
			at += size
		}
		n--
	}
	return at
}

var substringFunc = &Func{Name: "SUBSTRING", Strict: true, Resolve: resolveSubstring, Kernel: fixed(substringKernel)}

func resolveSubstring(args []Arg) (Signature, error) {
	return takes("SUBSTRING", "text int int?", func(_ []Arg, types []column.Type) (column.Type, error) {
		return varying(types[0]).Nullable(true), nil
	})(args)
}

// substringKernel: positions count from 1, from the end if negative; 0 is 1. A negative length is NULL.
func substringKernel(e *Eval, args []*column.Vector, n int, out *column.Vector) error {
	out.Resize(n)
	from := args[1].I32[:n]
	var length []int32
	if len(args) > 2 {
		length = args[2].I32[:n]
	}
	for i, s := range args[0].Str[:n] {
		count := int64(math.MaxInt32)
		if length != nil {
			if count = int64(length[i]); count < 0 {
				if !e.Skip(i) {
					out.SetNull(i)
				}
				continue
			}
		}
		start := int64(from[i])
		switch {
		case start > 0:
			start--
		case start < 0:
			if start += int64(utf8.RuneCountInString(s)); start < 0 {
				out.Str[i] = ""
				continue
			}
		}
		s = s[runeOffset(s, start):]
		if count < int64(len(s)) {
			s = s[:runeOffset(s, count)]
		}
		out.Str[i] = s
	}
	return nil
}

var charLength = strict("CHAR_LENGTH", "text", gives(intType), fixed(func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
	out.Resize(n)
	for i, s := range args[0].Str[:n] {
		out.I32[i] = int32(utf8.RuneCountInString(s))
	}
	return nil
}))

// locate is LOCATE(what, text [, from]).
func locate(r *row) error {
	return r.setWhole(indexFrom(r.text(1), r.text(0), r.wholeOr(2, 1)-1) + 1)
}

// indexFrom is the place of sub, counted in characters from 0, at or after from; -1 if it is not there.
func indexFrom(s, sub string, from int64) int64 {
	if sub == "" {
		return 0
	}
	start := runeOffset(s, from)
	at := strings.Index(s[start:], sub)
	if at < 0 {
		return -1
	}
	return int64(utf8.RuneCountInString(s[:start+at]))
}

// instr is INSTR(text, what [, from [, nth]]). A negative from counts, and searches, from the end.
func instr(r *row) error {
	s, sub, from, nth := r.text(0), r.text(1), r.wholeOr(2, 1), r.wholeOr(3, 1)
	if nth <= 0 {
		return fmt.Errorf("the appearance that INSTR looks for must be positive, got %d", nth)
	}
	if from == 0 {
		return r.setWhole(0)
	}
	if from > 0 {
		return r.setWhole(nthIndex(s, sub, from, nth))
	}
	at := nthIndex(reversed(s), reversed(sub), -from, nth)
	if at > 0 {
		at = int64(utf8.RuneCountInString(s)+2-utf8.RuneCountInString(sub)) - at
	}
	return r.setWhole(at)
}

func nthIndex(s, sub string, from, nth int64) int64 {
	at, start := int64(-1), from-1
	for range min(nth, int64(len(s))+2) {
		if at = indexFrom(s, sub, start); at < 0 {
			return 0
		}
		start = at + 1
	}
	return at + 1
}

func reversed(s string) string { return string(appendReversed(nil, s)) }

func appendReversed(b []byte, s string) []byte {
	for len(s) > 0 {
		_, size := utf8.DecodeLastRuneInString(s)
		b = append(b, s[len(s)-size:]...)
		s = s[:len(s)-size]
	}
	return b
}

func resolveTrim(args []Arg) (Signature, error) {
	if len(args) == 1 {
		return takes("TRIM", "text", givesVarying(0))(args)
	}
	sig, err := takes("TRIM", "word text text?", givesVarying(len(args)-1))(args)
	if err == nil {
		switch w := wordOf(args[0].Literal); w {
		case "BOTH", "LEADING", "TRAILING":
		default:
			err = fmt.Errorf("trims BOTH, LEADING or TRAILING, got %q", w)
		}
	}
	return sig, err
}

// wordOf is the text of a symbol.
func wordOf(l *Literal) string {
	if l == nil {
		return ""
	}
	s, _ := l.Value.(string)
	return strings.ToUpper(s)
}

// literalWord is the symbol at argument k of a site.
func literalWord(s *Site, k int) string {
	v, _ := constantOf(s.Args[k], s.Env)
	w, _ := v.(string)
	return strings.ToUpper(w)
}

func trimKernel(s *Site) (Kernel, error) {
	if len(s.Args) == 1 {
		return rowKernelOf(func(r *row) error { return r.setText(strings.Trim(r.text(0), " ")) }), nil
	}
	where := literalWord(s, 0)
	front, back := where != "TRAILING", where != "LEADING"
	return rowKernelOf(func(r *row) error {
		if r.has(2) {
			return r.setText(trimText(r.text(2), r.text(1), front, back))
		}
		return r.setText(trimText(r.text(1), " ", front, back))
	}), nil
}

func trimRow(r *row, set int, front, back bool) error {
	return r.setText(trimText(r.text(0), r.textOr(set, " "), front, back))
}

func trimText(s, set string, front, back bool) string {
	if front {
		s = strings.TrimLeft(s, set)
	}
	if back {
		s = strings.TrimRight(s, set)
	}
	return s
}

func prefixKernel(has func(s, part string) bool) func(*Site) (Kernel, error) {
	return fixed(func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		part := args[1].Str[:n]
		for i, s := range args[0].Str[:n] {
			out.Bool[i] = has(s, part[i])
		}
		return nil
	})
}

// allRunes reports whether a text is not empty and ok holds for all of its characters.
func allRunes(s string, ok func(rune) bool) bool {
	for _, c := range s {
		if !ok(c) {
			return false
		}
	}
	return s != ""
}

func isLetter(c rune) bool { return unicode.IsLetter(c) }
func isDigit(c rune) bool  { return unicode.IsDigit(c) }
