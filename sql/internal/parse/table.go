package parse

import "github.com/flottio/flott/sql/internal/ast"

// from takes what stands behind FROM: tables with commas and joins.
func (p *parser) from() ast.TableRef {
	left := p.joins()
	for n := 0; p.link(n); n++ {
		t := p.tok()
		if !p.accept(",") {
			return left
		}
		left = &ast.Join{Pos: left.Position(), OpPos: t.pos, Kind: ast.Cross, Comma: true, L: left, R: p.joins()}
	}
	return left
}

// joins takes a table and those that are joined to it.
func (p *parser) joins() ast.TableRef {
	left := p.tableRef()
	for n := 0; p.link(n); n++ {
		j := p.joinOp()
		if j == nil {
			return left
		}
		j.Pos, j.L = left.Position(), left
		j.R = p.tableRef()
		if j.Kind != ast.Cross && !j.Natural {
			switch {
			case p.accept("ON"):
				j.On = p.expr()
			case p.accept("USING"):
				j.Using = p.names("the name of a column")
			}
		}
		left = j
	}
	return left
}

// joinOp takes [NATURAL] [LEFT [OUTER]] JOIN and its relatives; nil if none is there.
func (p *parser) joinOp() *ast.Join {
	j := &ast.Join{OpPos: p.tok().pos}
	if p.at("NATURAL") {
		p.next()
		j.Natural = true
	}
	switch {
	case p.accept("JOIN"):
		return j
	case p.accept("INNER"):
	case p.accept("CROSS"):
		j.Kind = ast.Cross
	case p.at("LEFT") && p.peekIs(1, "SEMI"), p.at("LEFT") && p.peekIs(1, "ANTI"):
		j.Kind = ast.Semi
		if p.peekIs(1, "ANTI") {
			j.Kind = ast.Anti
		}
		p.i += 2
	case p.accept("LEFT"):
		j.Kind = ast.Left
		p.accept("OUTER")
	case p.accept("RIGHT"):
		j.Kind = ast.Right
		p.accept("OUTER")
	case p.accept("FULL"):
		j.Kind = ast.Full
		p.accept("OUTER")
	default:
		if j.Natural {
			p.fail("JOIN")
		}
		return nil
	}
	p.expect("JOIN")
	return j
}

// tableRef takes one table with everything that belongs to it.
func (p *parser) tableRef() ast.TableRef {
	pos := p.tok().pos
	if !p.enter() {
		return &ast.TableName{Pos: pos}
	}
	defer p.leave()
	t := p.tablePrimary()
	for n := 0; p.link(n); n++ {
		switch {
		case p.seq("MATCH_RECOGNIZE", "("):
			m := p.matchRecognize(t)
			m.Alias = p.alias()
			t = m
		case p.seq("PIVOT", "("):
			t = p.pivot(t)
		case p.at("UNPIVOT") && (p.peekIs(1, "(") || p.peekIs(2, "NULLS")):
			t = p.unpivot(t)
		case p.at("TABLESAMPLE"):
			t = p.sample(t)
		default:
			return t
		}
	}
	return t
}

func (p *parser) tablePrimary() ast.TableRef {
	pos := p.tok().pos
	lateral := p.at("LATERAL") && (p.peekIs(1, "(") || p.peek(1).kind == tWord || p.peek(1).kind == tQuoted)
	if lateral {
		p.next()
	}
	switch {
	case p.at("("):
		return p.tableParens(pos, lateral)
	case p.seq("TABLE", "("):
		p.i += 2
		f := &ast.TableFunc{Pos: pos, Lateral: lateral, Wrapped: true, Call: p.tableCall()}
		p.expect(")")
		return p.tableFuncTail(f)
	case p.seq("UNNEST", "("):
		p.i += 2
		u := &ast.Unnest{Pos: pos, Lateral: lateral, Exprs: p.exprs()}
		p.expect(")")
		u.WithOrdinality = p.acceptSeq("WITH", "ORDINALITY")
		u.Alias = p.alias()
		return u
	case p.isName() && (p.tok().kind == tQuoted || !p.structural()):
		name := p.path("the name of a table")
		if p.at("(") {
			call, _ := p.call(pos, name).(*ast.Call)
			if call == nil {
				call = &ast.Call{Pos: pos, Func: name}
			}
			return p.tableFuncTail(&ast.TableFunc{Pos: pos, Lateral: lateral, Call: call})
		}
		t := &ast.TableName{Pos: pos, Path: name, Hints: p.hints()}
		t.AsOf = p.asOf()
		t.Alias = p.alias()
		if t.Hints == nil {
			t.Hints = p.hints()
		}
		return t
	}
	p.note("a table")
	p.fail("a table, a query in parentheses or a table function")
	return &ast.TableName{Pos: pos, Path: ast.Path{{Pos: pos}}}
}

func (p *parser) tableFuncTail(f *ast.TableFunc) ast.TableRef {
	f.Hints = p.hints()
	f.AsOf = p.asOf()
	f.Alias = p.alias()
	return f
}

// tableParens takes (query), (VALUES ...) or a join in parentheses.
func (p *parser) tableParens(pos ast.Pos, lateral bool) ast.TableRef {
	p.next()
	d := &ast.DerivedTable{Pos: pos, Lateral: lateral}
	if p.atQuery() {
		d.Query = p.query()
	} else {
		t := p.from()
		inner, ok := t.(*ast.DerivedTable)
		if !ok || inner.Alias != nil || inner.Lateral {
			p.expect(")")
			return t
		}
		d.Query = inner.Query
		if p.atQueryTail() {
			d.Query = p.queryTail(inner.Query)
		}
	}
	p.expect(")")
	d.Hints = p.hints()
	d.Alias = p.alias()
	return d
}

func (p *parser) asOf() ast.Expr {
	if !p.acceptSeq("FOR", "SYSTEM_TIME") {
		return nil
	}
	p.expect("AS", "OF")
	return p.binary(precRange + 1)
}

// alias takes [AS] name [(columns)] if it is there.
func (p *parser) alias() *ast.Alias {
	a := &ast.Alias{Pos: p.tok().pos}
	if !p.accept("AS") && !p.atAlias() {
		return nil
	}
	a.Name = p.name("an alias")
	if p.at("(") {
		a.Columns = p.names("the name of a column")
	}
	return a
}

func (p *parser) sample(t ast.TableRef) ast.TableRef {
	s := &ast.Sample{Pos: t.Position(), Input: t}
	p.next()
	s.Bernoulli = p.one("BERNOULLI", "SYSTEM") == "BERNOULLI"
	p.expect("(")
	s.Percent = p.expr()
	p.expect(")")
	if p.accept("REPEATABLE") {
		p.expect("(")
		s.Seed = p.expr()
		p.expect(")")
	}
	return s
}

func (p *parser) pivot(t ast.TableRef) ast.TableRef {
	v := &ast.Pivot{Pos: t.Position(), Input: t}
	p.i += 2
	for {
		v.Aggs = append(v.Aggs, p.selectItem())
		if !p.accept(",") {
			break
		}
	}
	p.expect("FOR")
	v.Axes = p.nameOrNames()
	p.expect("IN", "(")
	for {
		v.Values = append(v.Values, p.selectItem())
		if !p.accept(",") {
			break
		}
	}
	p.expect(")", ")")
	v.Alias = p.alias()
	return v
}

func (p *parser) nameOrNames() []ast.Name {
	if p.at("(") {
		return p.names("the name of a column")
	}
	return []ast.Name{p.name("the name of a column")}
}

func (p *parser) unpivot(t ast.TableRef) ast.TableRef {
	u := &ast.Unpivot{Pos: t.Position(), Input: t}
	p.next()
	if p.accept("INCLUDE") {
		u.IncludeNulls = true
		p.expect("NULLS")
	} else if p.accept("EXCLUDE") {
		p.expect("NULLS")
	}
	p.expect("(")
	u.Measures = p.nameOrNames()
	p.expect("FOR")
	u.Axes = p.nameOrNames()
	p.expect("IN", "(")
	for {
		item := ast.UnpivotItem{Pos: p.tok().pos, Columns: p.nameOrNames()}
		if p.accept("AS") {
			x := p.expr()
			item.Values = []ast.Expr{x}
			if c, ok := x.(*ast.Collection); ok && c.Kind == ast.Tuple {
				item.Values = c.Items
			}
		}
		u.In = append(u.In, item)
		if !p.accept(",") {
			break
		}
	}
	p.expect(")", ")")
	u.Alias = p.alias()
	return u
}
