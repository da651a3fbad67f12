// Package parse reads SQL: a lexer, a parser by recursive descent, and the types of the columns that a script names. It knows the grammar
// and nothing else: whether a table exists or a function is supported, later stages say, with the positions of the nodes.
//
// Flink's grammar is accepted with these differences, all of them texts that Flink refuses. A reserved word is a name wherever only a name
// can stand, so that a column may be called timestamp, value or user without quotes. != is <>. x::type is CAST. INTERVAL 5 SECOND needs no
// quotes. SET key = value needs none either.
//
// All functions are safe for use by several goroutines.
package parse

import (
	"slices"

	"github.com/flottio/flott/sql/internal/ast"
)

// Statement is one statement of a script with the bytes [Start, End) it was written in, without the semicolon.
type Statement struct {
	ast.Statement
	Start, End int
}

func newParser(src string) *parser {
	return &parser{src: src, toks: lex(src), noteAt: -1}
}

// Script reads all statements. If there are mistakes the error is of type Errors, with one entry for each statement that has one, and the
// statements returned are those that have none. Reading ends at MaxErrors mistakes.
func Script(src string) ([]Statement, error) {
	p := newParser(src)
	var list []Statement
	var errs Errors
	for {
		for p.at(";") {
			p.next()
		}
		if p.tok().kind == tEOF {
			break
		}
		first := p.i
		s := p.statement()
		if !p.atEnd() {
			p.unexpected()
		}
		if p.err == nil {
			list = append(list, Statement{Statement: s, Start: int(p.toks[first].pos.Offset), End: int(p.toks[p.i-1].end)})
			p.chain, p.params = 0, 0
			continue
		}
		errs = append(errs, p.explainError(first, func(p *parser) {
			p.statement()
			if !p.atEnd() {
				p.unexpected()
			}
		}))
		if len(errs) == MaxErrors {
			break
		}
		p.recover()
	}
	if len(errs) > 0 {
		return list, errs
	}
	return list, nil
}

// unexpected is what stands behind a complete statement.
func (p *parser) unexpected() {
	p.note("';'")
	p.fail("the end of the statement")
}

// explainError reads the statement that begins at the token first again, to know what was expected, and returns its mistake.
func (p *parser) explainError(first int, read func(*parser)) *Error {
	q := &parser{src: p.src, toks: p.toks, i: first, trace: true, noteAt: -1}
	read(q)
	if q.err == nil { // cannot be: the same tokens by the same rules
		return p.err
	}
	q.finish(q.err)
	return q.err
}

// recover goes on behind the semicolon that ends the statement with the mistake.
func (p *parser) recover() {
	p.i = p.errAt
	p.err, p.depth, p.chain, p.params = nil, 0, 0, 0
	for !p.atEnd() {
		p.next()
	}
}

// end makes sure that everything was read; again reads it once more for the error.
func (p *parser) end(again func(*parser)) error {
	if p.tok().kind != tEOF && p.err == nil {
		p.fail("the end")
	}
	if p.err == nil {
		return nil
	}
	return p.explainError(0, func(q *parser) {
		again(q)
		if q.tok().kind != tEOF {
			q.fail("the end")
		}
	})
}

// One reads a script of exactly one statement. The error is of type *Error or Errors.
func One(src string) (ast.Statement, error) {
	p := newParser(src)
	read := func(p *parser) ast.Statement {
		s := p.statement()
		p.accept(";")
		return s
	}
	s := read(p)
	if err := p.end(func(p *parser) { read(p) }); err != nil {
		return nil, err
	}
	return s, nil
}

// Expr reads an expression. The error is of type *Error.
func Expr(src string) (ast.Expr, error) {
	p := newParser(src)
	x := p.starOr()
	if err := p.end(func(p *parser) { p.starOr() }); err != nil {
		return nil, err
	}
	return x, nil
}

// Elements reads what stands between the parentheses of CREATE TABLE. The error is of type *Error.
func Elements(src string) (ast.TableElements, error) {
	read := func(p *parser) (e ast.TableElements) {
		for p.tableElement(&e, false); p.accept(","); p.tableElement(&e, false) {
		}
		return e
	}
	p := newParser(src)
	e := read(p)
	if err := p.end(func(p *parser) { read(p) }); err != nil {
		return ast.TableElements{}, err
	}
	return e, nil
}

// Piece is a part of a script: the bytes [Start, End) of one statement without its semicolon.
type Piece struct {
	Start, End int
	// Complete says that a semicolon ends it. The last piece of a script may lack one.
	Complete bool
}

// Split cuts a script into statements without parsing them, so that it works on what is still being typed. The semicolons inside
// STATEMENT SET BEGIN ... END belong to that statement.
func Split(src string) []Piece {
	toks := lex(src)
	var pieces []Piece
	start := 0
	inSet := false
	for i, t := range toks {
		switch {
		case t.kind == tWord && t.kw == "BEGIN" && i >= start+2 && toks[i-1].kw == "SET" && toks[i-2].kw == "STATEMENT":
			inSet = true
		case t.kind == tWord && t.kw == "END" && inSet && (toks[i-1].kw == ";" || toks[i-1].kw == "BEGIN"):
			inSet = false
		case t.kind == tPunct && t.kw == ";" && !inSet, t.kind == tEOF:
			if i > start {
				pieces = append(pieces, Piece{Start: int(toks[start].pos.Offset), End: int(toks[i-1].end), Complete: t.kind != tEOF})
			}
			start = i + 1
		}
	}
	return pieces
}

// Keywords returns all keywords in upper case, sorted, for completion and highlighting.
func Keywords() []string {
	list := make([]string, 0, len(keywords))
	for k := range keywords {
		list = append(list, k)
	}
	return sorted(list)
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}
