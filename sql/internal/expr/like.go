package expr

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/flottio/flott/column"
)

// Like is LIKE(text, pattern) and LIKE(text, pattern, escape); without an escape no character is special but % and _. Similar is SIMILAR TO.
var (
	Like    = likeFunc("LIKE", checkLike, newLikeMatcher)
	Similar = likeFunc("SIMILAR TO", checkSimilar, newSimilarMatcher)
)

type matcherMaker func(pattern, escape string) (func(s string) bool, error)

func likeFunc(name string, check func(pattern, escape string) error, compile matcherMaker) *Func {
	return &Func{Name: name, Strict: true, Fails: true, Safe: constantPattern, Resolve: resolveLike(check), Kernel: likeKernel(compile)}
}

func resolveLike(check func(pattern, escape string) error) func(args []Arg) (Signature, error) {
	return func(args []Arg) (Signature, error) {
		if len(args) != 2 && len(args) != 3 {
			return Signature{}, fmt.Errorf("takes 2 or 3 arguments, got %d", len(args))
		}
		sig := Signature{Result: column.Of(column.Boolean).Nullable(anyNullable(args))}
		var texts []string
		for _, a := range args {
			if !a.Type.IsText() && a.Type.ID != column.Null {
				return Signature{}, fmt.Errorf("expects character strings, got %s", a.Type)
			}
			t := a.Type
			if t.ID == column.Null {
				t = column.StringType()
			}
			sig.Args = append(sig.Args, t)
			if a.Literal != nil {
				if s, ok := a.Literal.Value.(string); ok {
					texts = append(texts, s)
				}
			}
		}
		switch {
		case len(texts) >= 2 && len(args) == 3 && args[1].Literal != nil && args[2].Literal != nil:
			return sig, check(texts[len(texts)-2], texts[len(texts)-1])
		case len(args) == 2 && args[1].Literal != nil && len(texts) > 0:
			return sig, check(texts[len(texts)-1], "")
		}
		return sig, nil
	}
}

// constantPattern: it was checked when the call was resolved.
func constantPattern(args []Expr) bool {
	for _, a := range args[1:] {
		if l, ok := a.(*Literal); !ok || l.Value == nil {
			return false
		}
	}
	return true
}

func checkLike(pattern, escape string) error {
	_, err := splitPattern(pattern, escape)
	return err
}

func checkSimilar(pattern, escape string) error {
	_, err := newSimilarMatcher(pattern, escape)
	return err
}

// likeKernel compiles a constant pattern once, and others as often as they change.
func likeKernel(compile matcherMaker) func(s *Site) (Kernel, error) {
	return func(s *Site) (Kernel, error) {
		var pattern, escape string
		var match func(s string) bool
		if k := constantLike(s, compile); k != nil {
			return k, nil
		}
		return func(e *Eval, args []*column.Vector, n int, out *column.Vector) (err error) {
			out.Resize(n)
			for i, x := range args[0].Str[:n] {
				if e.Skip(i) {
					out.Bool[i] = false
					continue
				}
				p, esc := args[1].Str[i], ""
				if len(args) == 3 {
					esc = args[2].Str[i]
				}
				if match == nil || p != pattern || esc != escape {
					if match, err = compile(p, esc); err != nil {
						return err
					}
					pattern, escape = strings.Clone(p), strings.Clone(esc)
				}
				out.Bool[i] = match(x)
			}
			return nil
		}, nil
	}
}

// constantLike is the loop for a constant pattern, which the common ones have without a call per row; nil if it is not constant.
func constantLike(s *Site, compile matcherMaker) Kernel {
	pattern, ok := s.Constant(1)
	escape := any("")
	if len(s.Args) == 3 {
		var isConstant bool
		escape, isConstant = s.Constant(2)
		ok = ok && isConstant
	}
	if !ok {
		return nil
	}
	match, err := compile(pattern.(string), escape.(string))
	if err != nil {
		return nil
	}
	loop := func(texts []string, out []bool) {
		for i, x := range texts {
			out[i] = match(x)
		}
	}
	inner := strings.Trim(pattern.(string), "%")
	plain := escape == "" && !strings.ContainsAny(inner, "%_|*+?{}()[].^$\\") // special in neither LIKE nor SIMILAR TO
	before, after := strings.HasPrefix(pattern.(string), "%"), strings.HasSuffix(pattern.(string), "%")
	switch {
	case !plain || inner == "":
	case before && after:
		loop = func(texts []string, out []bool) {
			for i, x := range texts {
				out[i] = strings.Contains(x, inner)
			}
		}
	case before:
		loop = func(texts []string, out []bool) {
			for i, x := range texts {
				out[i] = strings.HasSuffix(x, inner)
			}
		}
	case after:
		loop = func(texts []string, out []bool) {
			for i, x := range texts {
				out[i] = strings.HasPrefix(x, inner)
			}
		}
	}
	return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		loop(args[0].Str[:n], out.Bool[:n])
		return nil
	}
}

// likeSegment is what stands between two %: runes, of which -1 is any.
type likeSegment struct {
	text  string // if there is no any
	runes []rune
	any   bool
}

const anyRune = -1

// splitPattern cuts a LIKE pattern at its %.
func splitPattern(pattern, escape string) ([]likeSegment, error) {
	esc := rune(-1)
	switch utf8.RuneCountInString(escape) {
	case 0:
	case 1:
		esc, _ = utf8.DecodeRuneInString(escape)
	default:
		return nil, fmt.Errorf("Invalid escape character '%s'", escape)
	}
	segments := []likeSegment{{}}
	runes := []rune(pattern)
	for i := 0; i < len(runes); i++ {
		last := &segments[len(segments)-1]
		switch r := runes[i]; {
		case r == esc:
			if i+1 == len(runes) || runes[i+1] != '_' && runes[i+1] != '%' && runes[i+1] != esc {
				return nil, fmt.Errorf("Invalid escape sequence '%s', %d", pattern, i)
			}
			i++
			last.runes = append(last.runes, runes[i])
		case r == '%':
			segments = append(segments, likeSegment{})
		case r == '_':
			last.any = true
			last.runes = append(last.runes, anyRune)
		default:
			last.runes = append(last.runes, r)
		}
	}
	for i := range segments {
		if !segments[i].any {
			segments[i].text = string(segments[i].runes)
		}
	}
	return segments, nil
}

func newLikeMatcher(pattern, escape string) (func(s string) bool, error) {
	segs, err := splitPattern(pattern, escape)
	if err != nil {
		return nil, err
	}
	plain, empty := true, 0
	for i, s := range segs {
		plain = plain && !s.any
		if i > 0 && i < len(segs)-1 && len(s.runes) == 0 {
			empty++
		}
	}
	first, last := segs[0].text, segs[len(segs)-1].text
	inner := len(segs) - 2 - empty
	switch {
	case plain && len(segs) == 1:
		return func(s string) bool { return s == first }, nil
	case plain && inner == 0 && first == "":
		return func(s string) bool { return strings.HasSuffix(s, last) }, nil
	case plain && inner == 0 && last == "":
		return func(s string) bool { return strings.HasPrefix(s, first) }, nil
	case plain && inner == 1 && first == "" && last == "":
		for _, s := range segs {
			first += s.text
		}
		return func(s string) bool { return strings.Contains(s, first) }, nil
	}
	return func(s string) bool { return matchSegments(s, segs) }, nil
}

// matchSegments: the first segment begins the text, the last ends it, and each other is taken where it comes first.
func matchSegments(s string, segs []likeSegment) bool {
	n := segs[0].matchAt(s)
	if n < 0 {
		return false
	}
	s = s[n:]
	if len(segs) == 1 {
		return s == ""
	}
	for i := 1; i < len(segs)-1; i++ {
		end := segs[i].find(s)
		if end < 0 {
			return false
		}
		s = s[end:]
	}
	return segs[len(segs)-1].ends(s)
}

// matchAt is the length of the segment at the start of s, -1 if it is not there.
func (g *likeSegment) matchAt(s string) int {
	if !g.any {
		if strings.HasPrefix(s, g.text) {
			return len(g.text)
		}
		return -1
	}
	at := 0
	for _, want := range g.runes {
		r, n := utf8.DecodeRuneInString(s[at:])
		if n == 0 || want != anyRune && r != want {
			return -1
		}
		at += n
	}
	return at
}

// find is the end of the first place of the segment in s, -1 if there is none.
func (g *likeSegment) find(s string) int {
	if !g.any {
		if i := strings.Index(s, g.text); i >= 0 {
			return i + len(g.text)
		}
		return -1
	}
	for i := range s {
		if n := g.matchAt(s[i:]); n >= 0 {
			return i + n
		}
	}
	return -1
}

func (g *likeSegment) ends(s string) bool {
	if !g.any {
		return strings.HasSuffix(s, g.text)
	}
	at := len(s)
	for range g.runes {
		if at == 0 {
			return false
		}
		_, n := utf8.DecodeLastRuneInString(s[:at])
		at -= n
	}
	return g.matchAt(s[at:]) == len(s)-at
}

// newSimilarMatcher makes a regular expression: % and _ are SQL's, repetition, choice, groups and sets are as written.
func newSimilarMatcher(pattern, escape string) (func(s string) bool, error) {
	if utf8.RuneCountInString(escape) > 1 {
		return nil, fmt.Errorf("Invalid escape character '%s'", escape)
	}
	var b strings.Builder
	b.WriteString("^(?s:")
	runes := []rune(pattern)
	for i := 0; i < len(runes); i++ {
		switch r := runes[i]; {
		case escape != "" && string(r) == escape:
			if i++; i == len(runes) {
				return nil, fmt.Errorf("Invalid escape sequence '%s', %d", pattern, i-1)
			}
			if strings.ContainsRune(`[]()|^-+*_%?{}`, runes[i]) {
				b.WriteString(regexp.QuoteMeta(string(runes[i])))
			} else {
				b.WriteRune(runes[i])
			}
		case r == '_':
			b.WriteByte('.')
		case r == '%':
			b.WriteString(".*")
		case r == '$' || r == '^' && (i == 0 || runes[i-1] != '['):
			b.WriteString(`\` + string(r))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteString(")$")
	re, err := regexp.Compile(b.String())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the pattern '%s' of SIMILAR TO is not valid", pattern), err)
	}
	return re.MatchString, nil
}
