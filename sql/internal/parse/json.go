package parse

import "github.com/flottio/flott/sql/internal/ast"

// jsonPathArgs takes the arguments of JSON_VALUE, JSON_QUERY and JSON_EXISTS.
func (p *parser) jsonPathArgs(c *ast.Call) {
	p.jsonList(c)
	clauses := &ast.JSONClauses{Pos: p.tok().pos}
	empty := *clauses
	if p.accept("RETURNING") {
		clauses.Returning = p.typeName()
	}
	switch {
	case p.accept("WITHOUT"):
		p.accept("ARRAY")
		p.expect("WRAPPER")
		clauses.Wrapper = ast.WithoutWrapper
	case p.accept("WITH"):
		clauses.Wrapper = ast.WithWrapper
		if p.accept("CONDITIONAL") {
			clauses.Wrapper = ast.WithConditionalWrapper
		} else {
			p.accept("UNCONDITIONAL")
		}
		p.accept("ARRAY")
		p.expect("WRAPPER")
	}
	for p.err == nil && !p.at(")") {
		b := p.jsonBehavior()
		p.expect("ON")
		if p.one("EMPTY", "ERROR") == "EMPTY" {
			clauses.OnEmpty = b
		} else {
			clauses.OnError = b
		}
	}
	if *clauses != empty {
		c.JSON = clauses
	}
}

func (p *parser) jsonBehavior() *ast.JSONBehavior {
	b := &ast.JSONBehavior{Pos: p.tok().pos}
	switch {
	case p.accept("NULL"):
		b.Kind = ast.JSONNull
	case p.accept("ERROR"):
		b.Kind = ast.JSONError
	case p.accept("TRUE"):
		b.Kind = ast.JSONTrue
	case p.accept("FALSE"):
		b.Kind = ast.JSONFalse
	case p.accept("UNKNOWN"):
		b.Kind = ast.JSONUnknown
	case p.accept("DEFAULT"):
		b.Kind = ast.JSONDefault
		b.Default = p.expr()
	case p.accept("EMPTY"):
		b.Kind = ast.JSONEmpty
		if p.accept("ARRAY") {
			b.Kind = ast.JSONEmptyArray
		} else if p.accept("OBJECT") {
			b.Kind = ast.JSONEmptyObject
		}
	default:
		p.fail("')'")
	}
	return b
}

// jsonList takes a, b FORMAT JSON, ...
func (p *parser) jsonList(c *ast.Call) {
	for {
		c.Args = append(c.Args, p.jsonArg())
		if !p.accept(",") {
			return
		}
	}
}

func (p *parser) jsonArg() ast.Expr {
	x := p.starOr()
	if p.acceptSeq("FORMAT", "JSON") {
		return &ast.Unary{Pos: x.Position(), Op: ast.OpFormatJSON, X: x}
	}
	return x
}

// jsonObjectArgs takes [KEY] k VALUE v, ... NULL|ABSENT ON NULL.
func (p *parser) jsonObjectArgs(c *ast.Call) {
	c.JSON = &ast.JSONClauses{Pos: p.tok().pos}
	for !p.at(")") && !p.atOnNull() {
		if p.at("KEY") && !p.peekIs(1, "VALUE") && !p.peekIs(1, ":") {
			p.next()
		}
		k := p.binary(precLowest)
		if !p.accept(":") {
			p.expect("VALUE")
		}
		c.Args = append(c.Args, k, p.jsonArg())
		if !p.accept(",") || p.err != nil {
			break
		}
	}
	p.onNull(c.JSON)
}

func (p *parser) jsonArrayArgs(c *ast.Call) {
	c.JSON = &ast.JSONClauses{Pos: p.tok().pos}
	if !p.at(")") && !p.atOnNull() {
		p.jsonList(c)
	}
	if p.at("ORDER") {
		c.OrderBy = p.orderBy()
	}
	p.onNull(c.JSON)
}

func (p *parser) atOnNull() bool { return p.seq("NULL", "ON", "NULL") || p.seq("ABSENT", "ON", "NULL") }

func (p *parser) onNull(j *ast.JSONClauses) {
	switch {
	case p.acceptSeq("NULL", "ON", "NULL"):
		j.Nulls = ast.NullOnNull
	case p.acceptSeq("ABSENT", "ON", "NULL"):
		j.Nulls = ast.AbsentOnNull
	}
}
