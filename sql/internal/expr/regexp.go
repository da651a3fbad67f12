package expr

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"github.com/flottio/flott/column"
)

// The regular expressions of Flink are Java's. Ours run in linear time: what needs backtracking (look-around, back references, possessive
// quantifiers) is refused by name. A literal expression that is wrong is refused when the query is made, by the three functions that do so in
// Flink; otherwise the result for a wrong expression is NULL, or FALSE for REGEXP.
var regexpFuncs = []*Func{
	regexpFunc("REGEXP", "text text", gives(boolType), true, func(re *pattern, r *row) error {
		return r.setBool(r.text(1) != "" && re.matches(r.text(0)))
	}),
	regexpFunc("REGEXP_EXTRACT", "text text int?", mayGive(textType), true, regexpExtract),
	regexpFunc("REGEXP_REPLACE", "text text text", mayGive(textType), true, func(re *pattern, r *row) error {
		if !re.mayMatch(r.text(0)) {
			return r.setText(r.text(0))
		}
		return r.setText(re.ReplaceAllLiteralString(r.text(0), r.text(2)))
	}),
	regexpFunc("REGEXP_COUNT", "text text", mayGive(intType), false, func(re *pattern, r *row) error {
		n := int64(0)
		re.each(r.text(0), func([]int) bool { n++; return true })
		return r.setWhole(n)
	}),
	regexpFunc("REGEXP_INSTR", "text text", mayGive(intType), false, func(re *pattern, r *row) error {
		s := r.text(0)
		if m := re.find(s); m != nil {
			return r.setWhole(int64(utf8.RuneCountInString(s[:m[0]])) + 1)
		}
		return r.setWhole(0)
	}),
	regexpFunc("REGEXP_SUBSTR", "text text", mayGive(textType), false, func(re *pattern, r *row) error {
		s := r.text(0)
		if m := re.find(s); m != nil {
			return r.setText(s[m[0]:m[1]])
		}
		return r.null()
	}),
	fails(strict("REGEXP_EXTRACT_ALL", "text text long?", mayGive(column.ArrayType(textType)), regexpExtractAll)),
}

// pattern is a compiled expression.
type pattern struct {
	*regexp.Regexp
	// need is a literal that every match contains; "" if none is known.
	need string
	// anchored says that a match depends on what stands before it, so that a text must not be cut.
	anchored bool
}

// mayMatch is false only where nothing matches.
func (p *pattern) mayMatch(s string) bool { return p.need == "" || strings.Contains(s, p.need) }

func (p *pattern) matches(s string) bool { return p.mayMatch(s) && p.MatchString(s) }

func (p *pattern) find(s string) []int {
	if !p.mayMatch(s) {
		return nil
	}
	return p.FindStringSubmatchIndex(s)
}

// each calls f for the places of all matches until it returns false, by Java's rule: an empty match right behind another counts.
func (p *pattern) each(s string, f func(m []int) bool) {
	if !p.mayMatch(s) {
		return
	}
	if p.anchored {
		for _, m := range p.FindAllStringSubmatchIndex(s, -1) {
			if !f(m) {
				return
			}
		}
		return
	}
	for from := 0; from <= len(s); {
		m := p.FindStringSubmatchIndex(s[from:])
		if m == nil {
			return
		}
		for i := range m {
			if m[i] >= 0 {
				m[i] += from
			}
		}
		if !f(m) {
			return
		}
		if from = m[1]; m[0] == m[1] {
			_, size := utf8.DecodeRuneInString(s[from:])
			from += max(size, 1)
		}
	}
}

// errBacktracking marks expressions that Java has and linear time has not.
var errBacktracking = errors.New("is not supported: regular expressions are matched in linear time")

// compilePattern translates and compiles a Java expression.
func compilePattern(java string) (*pattern, error) {
	text, err := translatePattern(java)
	if err != nil {
		return nil, err
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	p := &pattern{Regexp: re}
	if tree, err := syntax.Parse(text, syntax.Perl); err == nil {
		p.anchored = dependsOnPlace(tree)
		p.need = neededLiteral(tree.Simplify())
	}
	return p, nil
}

func dependsOnPlace(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpBeginLine, syntax.OpBeginText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	}
	for _, sub := range re.Sub {
		if dependsOnPlace(sub) {
			return true
		}
	}
	return false
}

// neededLiteral is the longest literal that each match contains.
func neededLiteral(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase == 0 {
			return string(re.Rune)
		}
	case syntax.OpCapture, syntax.OpPlus:
		return neededLiteral(re.Sub[0])
	case syntax.OpConcat:
		best := ""
		for _, sub := range re.Sub {
			if s := neededLiteral(sub); len(s) > len(best) {
				best = s
			}
		}
		return best
	}
	return ""
}

// javaClasses are Java's names of POSIX classes.
var javaClasses = map[string]string{"Lower": "a-z", "Upper": "A-Z", "ASCII": "\\x00-\\x7f", "Alpha": "a-zA-Z", "Digit": "0-9", "Alnum": "a-zA-Z0-9",
	"Punct": "!-/:-@\\[-`{-~", "Graph": "!-~", "Print": " -~", "Blank": " \\t", "Cntrl": "\\x00-\\x1f\\x7f", "XDigit": "0-9a-fA-F",
	"Space": " \\t\\n\\v\\f\\r"}

// javaProperties are Java's names of Unicode properties that Go calls otherwise.
var javaProperties = map[string]string{"IsAlphabetic": "L", "IsLetter": "L", "IsLowercase": "Ll", "IsUppercase": "Lu", "IsDigit": "Nd",
	"IsPunctuation": "P", "javaLowerCase": "Ll", "javaUpperCase": "Lu", "javaLetter": "L", "javaDigit": "Nd"}

// translatePattern writes a Java expression in Go's syntax.
func translatePattern(java string) (string, error) {
	var b strings.Builder
	class := 0 // depth of [
	for i := 0; i < len(java); i++ {
		c, rest := java[i], java[i+1:]
		switch {
		case c == '\\' && rest != "":
			n, err := translateEscape(&b, rest, class > 0)
			if err != nil {
				return "", err
			}
			i += n
			continue
		case class > 0:
			if c == '&' && strings.HasPrefix(rest, "&") {
				return "", fmt.Errorf("the intersection of character classes (&&) in %q %w", java, errBacktracking)
			}
			if c == '[' {
				if !strings.HasPrefix(rest, ":") {
					return "", fmt.Errorf("a character class within another in %q %w", java, errBacktracking)
				}
				b.WriteByte('\\')
			}
			if c == ']' {
				class--
			}
		case c == '[':
			class++
			b.WriteByte(c)
			for _, first := range []string{"^", "]"} { // a bracket at the beginning stands for itself
				if strings.HasPrefix(java[i+1:], first) {
					b.WriteString(first)
					i++
				}
			}
			continue
		case c == '(':
			for _, look := range []string{"?=", "?!", "?<=", "?<!", "?>"} {
				if strings.HasPrefix(rest, look) {
					return "", fmt.Errorf("(%s in %q %w", look, java, errBacktracking)
				}
			}
		case strings.IndexByte("*+?}", c) >= 0 && strings.HasPrefix(rest, "+"):
			return "", fmt.Errorf("the possessive quantifier %c+ in %q %w", c, java, errBacktracking)
		}
		b.WriteByte(c)
	}
	return b.String(), nil
}

// translateEscape writes what stands behind a backslash and returns its length.
func translateEscape(b *strings.Builder, s string, inClass bool) (int, error) {
	class := func(set string) {
		if inClass {
			b.WriteString(set)
		} else {
			b.WriteString("[" + set + "]")
		}
	}
	switch c := s[0]; {
	case c >= '1' && c <= '9' && !inClass, c == 'k':
		return 0, fmt.Errorf("the back reference \\%c %w", c, errBacktracking)
	case c == 'G', c == 'X':
		return 0, fmt.Errorf("\\%c %w", c, errBacktracking)
	case c == 's':
		class(" \\t\\n\\v\\f\\r")
	case c == 'S' && !inClass:
		b.WriteString("[^ \\t\\n\\v\\f\\r]")
	case c == 'h':
		class(" \\t\\x{a0}\\x{1680}\\x{180e}\\x{2000}-\\x{200a}\\x{202f}\\x{205f}\\x{3000}")
	case c == 'R':
		b.WriteString("(?:\\r\\n|[\\n\\v\\f\\r\\x{85}\\x{2028}\\x{2029}])")
	case c == 'e':
		b.WriteString("\\x1b")
	case c == 'Z':
		b.WriteString("(?:\\n?\\z)")
	case c == 'u' && len(s) >= 5:
		b.WriteString("\\x{" + s[1:5] + "}")
		return 5, nil
	case (c == 'p' || c == 'P') && strings.HasPrefix(s[1:], "{") && strings.Contains(s, "}"):
		end := strings.IndexByte(s, '}')
		name := s[2:end]
		set, ok := javaClasses[name]
		switch {
		case ok && c == 'p':
			class(set)
		case ok && !inClass:
			b.WriteString("[^" + set + "]")
		default:
			if property := javaProperties[name]; property != "" {
				name = property
			}
			name = strings.TrimPrefix(name, "Is")
			b.WriteString("\\" + s[:1] + "{" + name + "}")
		}
		return end + 1, nil
	default:
		b.WriteString("\\" + s[:1])
	}
	return 1, nil
}

// patternCache keeps the expressions of a site that are not constant: those that were used last.
type patternCache struct {
	fixed   *pattern
	isFixed bool
	known   map[string]*pattern
	errs    map[string]error
}

// maxPatterns bounds the compiled expressions of one call.
const maxPatterns = 256

func newPatternCache(s *Site, k int) (*patternCache, error) {
	c := &patternCache{known: map[string]*pattern{}, errs: map[string]error{}}
	v, ok := constantOf(s.Args[k], s.Env)
	text, isText := v.(string)
	if !ok || !isText {
		return c, nil
	}
	p, err := compilePattern(text)
	if errors.Is(err, errBacktracking) {
		return nil, err
	}
	c.fixed, c.isFixed = p, true
	return c, nil
}

// get returns nil for an expression that is wrong, and an error for one that is right in Java and not supported here.
func (c *patternCache) get(text string) (*pattern, error) {
	if c.isFixed {
		return c.fixed, nil
	}
	if p, ok := c.known[text]; ok {
		return p, c.errs[text]
	}
	if len(c.known) >= maxPatterns {
		clear(c.known)
		clear(c.errs)
	}
	p, err := compilePattern(text)
	if !errors.Is(err, errBacktracking) {
		err = nil
	}
	text = strings.Clone(text)
	c.known[text] = p
	if err != nil {
		c.errs[text] = err
	}
	return p, err
}

// regexpFunc makes a function of (text, expression, ...). checked: a literal expression is judged at once.
func regexpFunc(name, forms string, result resultOf, checked bool, f func(re *pattern, r *row) error) *Func {
	resolve := takes(name, forms, result)
	return &Func{Name: name, Strict: true, Fails: true,
		Resolve: func(args []Arg) (Signature, error) {
			sig, err := resolve(args)
			if err != nil || !checked || args[1].Literal == nil {
				return sig, err
			}
			if text, ok := args[1].Literal.Value.(string); ok {
				if _, err := compilePattern(text); err != nil {
					return sig, fmt.Errorf("invalid regular expression for %s: %w", name, err)
				}
			}
			return sig, nil
		},
		Kernel: func(s *Site) (Kernel, error) {
			cache, err := newPatternCache(s, 1)
			if err != nil {
				return nil, err
			}
			return rowKernelOf(func(r *row) error {
				re, err := cache.get(r.text(1))
				switch {
				case err != nil:
					return err
				case re == nil && r.out.Store == column.Bools:
					return r.setBool(false)
				case re == nil:
					return r.null()
				}
				return f(re, r)
			}), nil
		}}
}

func regexpExtract(re *pattern, r *row) error {
	s, group := r.text(0), r.wholeOr(2, 0)
	if group < 0 || group > int64(re.NumSubexp()) {
		return r.null()
	}
	m := re.find(s)
	if m == nil || m[2*group] < 0 {
		return r.null()
	}
	return r.setText(s[m[2*group]:m[2*group+1]])
}

func regexpExtractAll(s *Site) (Kernel, error) {
	cache, err := newPatternCache(s, 1)
	if err != nil {
		return nil, err
	}
	return listwise(func(r *row, out *column.Vector) (bool, error) {
		re, err := cache.get(r.text(1))
		group := r.wholeOr(2, 1)
		if err != nil || re == nil || group < 0 || group > int64(re.NumSubexp()) {
			return false, err
		}
		s := r.text(0)
		re.each(s, func(m []int) bool {
			if m[2*group] < 0 {
				out.Nulls(1)
			} else {
				out.Append(s[m[2*group]:m[2*group+1]])
			}
			return true
		})
		return true, nil
	}), nil
}
