package parse

import (
	"strconv"

	"github.com/flottio/flott/sql/internal/ast"
)

// parser is one pass over the tokens of a script.
//
// The first mistake of a statement is kept in err, and the parser then stands at the end of the script until recover: everything that is
// under way finds nothing more to read and returns. Functions therefore return nodes alone, never nil for a node that callers look into.
type parser struct {
	src  string
	toks []token
	i    int

	err   *Error
	errAt int // the token of err

	depth  int // of nesting, at most MaxDepth
	chain  int // operators in long rows so far in this statement
	params int // ? so far in this statement

	// A statement that has a mistake is read again with trace, which notes what would have been right at the token noteAt.
	trace  bool
	notes  []string
	noteAt int
}

func (p *parser) tok() token { return p.toks[p.i] }

// peek is the token n behind the current one.
func (p *parser) peek(n int) token {
	if p.i+n < len(p.toks) {
		return p.toks[p.i+n]
	}
	return p.toks[len(p.toks)-1]
}

func (p *parser) next() {
	if p.i < len(p.toks)-1 {
		p.i++
	}
}

// at reports whether the current token is the keyword or punctuation, without taking note of it.
func (p *parser) at(kw string) bool { return p.peekIs(0, kw) }

func (p *parser) peekIs(n int, kw string) bool {
	t := p.peek(n)
	return t.kw == kw && (t.kind == tWord || t.kind == tPunct)
}

// seq reports whether the tokens from the current one on are these.
func (p *parser) seq(kws ...string) bool {
	for n, kw := range kws {
		if !p.peekIs(n, kw) {
			return false
		}
	}
	return true
}

// is is at for what an error should name as expected.
func (p *parser) is(kw string) bool {
	if p.at(kw) {
		return true
	}
	p.note(kw)
	return false
}

func (p *parser) note(what string) {
	if !p.trace || p.err != nil {
		return
	}
	if p.noteAt != p.i {
		p.noteAt, p.notes = p.i, p.notes[:0]
	}
	p.notes = append(p.notes, what)
}

// accept takes the keyword or punctuation if it is there.
func (p *parser) accept(kw string) bool {
	if p.is(kw) {
		p.next()
		return true
	}
	return false
}

// acceptSeq takes all of the words or none.
func (p *parser) acceptSeq(kws ...string) bool {
	if !p.seq(kws...) {
		if !p.at(kws[0]) {
			p.note(kws[0])
		}
		return false
	}
	p.i += len(kws)
	return true
}

// expect takes the words, each of which has to be there.
func (p *parser) expect(kws ...string) {
	for _, kw := range kws {
		if !p.accept(kw) {
			p.fail(quoteWord(kw))
			return
		}
	}
}

// one takes one of the words and returns it; an error if none is there.
func (p *parser) one(kws ...string) string {
	for _, kw := range kws {
		if p.accept(kw) {
			return kw
		}
	}
	p.fail("")
	return kws[0]
}

// fail says that something else was expected at the current token; expected may be empty when the words tried say it.
func (p *parser) fail(expected string) {
	if p.err != nil {
		return
	}
	t := p.tok()
	if t.kind == tBad {
		p.failAt(t, t.kw)
		return
	}
	e := &Error{Pos: t.pos, Found: p.describe(t), length: int(t.end - t.pos.Offset)}
	if p.noteAt == p.i {
		e.Expected = p.notes
	}
	e.want = expected
	p.stop(e)
}

// failAt is a mistake at a token that needs its own words.
func (p *parser) failAt(t token, message string) {
	if p.err == nil {
		p.stop(&Error{Pos: t.pos, Message: message, Found: p.describe(t), length: int(t.end - t.pos.Offset)})
	}
}

func (p *parser) stop(e *Error) {
	p.err, p.errAt, p.i = e, p.i, len(p.toks)-1
}

func (p *parser) describe(t token) string {
	if t.kind == tEOF {
		return "the end of the script"
	}
	s := p.text(t)
	if len(s) > 40 {
		s = s[:40] + "..."
	}
	return s
}

// enter counts a level of nesting; leave has to follow.
func (p *parser) enter() bool {
	p.depth++
	if p.depth > MaxDepth {
		p.failAt(p.tok(), "nested more than "+strconv.Itoa(MaxDepth)+" levels deep")
		return false
	}
	return true
}

func (p *parser) leave() { p.depth-- }

// link counts the n-th operator of a row. Rows make trees as deep as they are long, so that all long rows of a statement count together.
func (p *parser) link(n int) bool {
	if n < 64 {
		return true
	}
	p.chain++
	if n > MaxChain || p.chain > 5*MaxChain {
		p.failAt(p.tok(), "more than "+strconv.Itoa(MaxChain)+" operators in a row")
		return false
	}
	return true
}

// name takes a name: with quotes, or any word, reserved or not. The caller has made sure that only a name can stand here.
func (p *parser) name(what string) ast.Name {
	t := p.tok()
	switch t.kind {
	case tWord:
		p.next()
		return ast.Name{Pos: t.pos, Text: p.text(t)}
	case tQuoted:
		p.next()
		s := unquote(p.text(t), "`")
		if s == "" {
			p.failAt(t, "a name cannot be empty")
		}
		return ast.Name{Pos: t.pos, Text: s}
	}
	p.note(what)
	p.fail(what)
	return ast.Name{Pos: t.pos}
}

func (p *parser) isName() bool { return p.tok().kind == tWord || p.tok().kind == tQuoted }

// path takes a name of parts with dots.
func (p *parser) path(what string) ast.Path {
	path := ast.Path{p.name(what)}
	for p.at(".") {
		p.next()
		path = append(path, p.name(what))
	}
	return path
}

// names takes (a, b, c).
func (p *parser) names(what string) []ast.Name {
	var names []ast.Name
	p.expect("(")
	for {
		names = append(names, p.name(what))
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return names
}

// plainString takes a '...' as a value.
func (p *parser) plainString(what string) ast.String {
	t := p.tok()
	if t.kind != tString {
		p.note(what)
		p.fail(what + ", in single quotes")
		return ast.String{Pos: t.pos}
	}
	lit := p.stringLiteral()
	return ast.String{Pos: t.pos, Text: lit.Text}
}

// integer takes a whole number.
func (p *parser) integer(what string) int {
	t := p.tok()
	if t.kind != tNumber {
		p.note(what)
		p.fail(what)
		return 0
	}
	n, err := strconv.ParseInt(p.text(t), 10, 32)
	if err != nil {
		p.failAt(t, what+" is a whole number up to 2147483647")
	}
	p.next()
	return int(n)
}

// options takes ('k' = 'v', ...).
func (p *parser) options() []ast.Option {
	p.expect("(")
	var options []ast.Option
	for !p.at(")") {
		key := p.plainString("the key of an option")
		p.expect("=")
		value := p.plainString("the value of an option")
		options = append(options, ast.Option{Pos: key.Pos, Key: key.Text, Value: value.Text, ValuePos: value.Pos})
		if !p.accept(",") || p.err != nil {
			break
		}
	}
	p.expect(")")
	return options
}

// withOptions takes WITH (...) if it is there.
func (p *parser) withOptions() []ast.Option {
	if !p.accept("WITH") {
		return nil
	}
	return p.options()
}

// comment takes COMMENT 'text' if it is there.
func (p *parser) comment() *ast.String {
	if !p.at("COMMENT") || p.peek(1).kind != tString {
		p.note("COMMENT")
		return nil
	}
	p.next()
	s := p.plainString("the comment")
	return &s
}
