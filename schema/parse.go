package schema

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Parse reads the text form that String writes; spaces may be more or fewer. The text may come from anywhere: its length and
// depth are bounded (TextBytesMax, DepthMax), and an error says at which byte it stopped being a schema.
func Parse(text string) (*Type, error) {
	if len(text) > TextBytesMax {
		return nil, fmt.Errorf("parsing schema: %d bytes, at most %d are allowed", len(text), TextBytesMax)
	}
	p := parser{text: text}
	t := p.parseType(0)
	p.space()
	if p.err == nil && p.pos < len(text) {
		p.fail("nothing may follow the type")
	}
	if p.err != nil {
		return nil, fmt.Errorf("parsing schema %s: %w", strconv.Quote(shorten(text)), p.err)
	}
	return t, nil
}

func shorten(s string) string {
	const shownBytesMax = 200
	if len(s) > shownBytesMax {
		return s[:shownBytesMax] + "..."
	}
	return s
}

// parser keeps the first error; every method does nothing after it.
type parser struct {
	text string
	pos  int
	err  error
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("at byte %d: %s", p.pos, fmt.Sprintf(format, args...))
	}
}

func (p *parser) space() {
	for p.pos < len(p.text) && (p.text[p.pos] == ' ' || p.text[p.pos] == '\n' || p.text[p.pos] == '\t') {
		p.pos++
	}
}

func (p *parser) maybe(c byte) bool {
	p.space()
	if p.err != nil || p.pos >= len(p.text) || p.text[p.pos] != c {
		return false
	}
	p.pos++
	return true
}

func (p *parser) expect(c byte) {
	if !p.maybe(c) {
		p.fail("expected %q", c)
	}
}

func (p *parser) word() string {
	p.space()
	n := nameLen(p.text[p.pos:])
	if n == 0 {
		p.fail("expected a name")
	}
	w := p.text[p.pos : p.pos+n]
	p.pos += n
	return w
}

func (p *parser) quoted() string {
	p.space()
	if p.pos >= len(p.text) || p.text[p.pos] != '"' {
		p.fail("expected a quoted name")
		return ""
	}
	q, err := strconv.QuotedPrefix(p.text[p.pos:])
	if err != nil {
		p.fail("the quoted name has no end or a wrong escape")
		return ""
	}
	s, err := strconv.Unquote(q)
	if err != nil {
		p.fail("the quoted name has a wrong escape")
		return ""
	}
	p.pos += len(q)
	return s
}

func (p *parser) number() int {
	p.space()
	start := p.pos
	for p.pos < len(p.text) && '0' <= p.text[p.pos] && p.text[p.pos] <= '9' {
		p.pos++
	}
	n, err := strconv.ParseUint(p.text[start:p.pos], 10, 64)
	if err != nil || n > math.MaxInt32 {
		p.pos = start
		p.fail("expected a number of at most %d", math.MaxInt32)
		return 0
	}
	return int(n)
}

func (p *parser) parseType(depth int) *Type {
	if depth >= DepthMax {
		p.fail("more than %d types inside one another", DepthMax)
	}
	name := p.word()
	if p.err != nil {
		return nil
	}
	k := Kind(slices.Index(kindNames[1:], name) + 1)
	t := &Type{Kind: k}
	switch k {
	case Invalid:
		p.pos -= len(name)
		p.fail("unknown type %q", shorten(name))
		return nil
	case Struct:
		p.parseFields(t, depth)
		return t
	case List, Array, Map, Optional, Custom:
	default:
		return t
	}
	p.expect('<')
	switch k {
	case Custom:
		t.Name = p.quoted()
	case Array:
		t.Len = p.number()
		p.expect(',')
	case Map:
		t.Key = p.parseType(depth + 1)
		p.expect(',')
	}
	if k != Custom {
		t.Elem = p.parseType(depth + 1)
	}
	p.expect('>')
	return t
}

func (p *parser) parseFields(t *Type, depth int) {
	p.expect('{')
	if p.maybe('}') {
		return
	}
	seen := map[string]bool{}
	for p.err == nil {
		p.space()
		var name string
		if p.pos < len(p.text) && p.text[p.pos] == '"' {
			name = p.quoted()
		} else {
			name = p.word()
		}
		if seen[name] {
			p.fail("second field called %q", shorten(name))
		}
		seen[name] = true
		if p.err != nil {
			return
		}
		t.Fields = append(t.Fields, Field{Name: name, Type: p.parseType(depth + 1)})
		if !p.maybe(',') {
			break
		}
	}
	p.expect('}')
}
