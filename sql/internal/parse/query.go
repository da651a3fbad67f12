package parse

import (
	"strings"

	"github.com/flottio/flott/sql/internal/ast"
)

// atQuery reports whether a query begins here (and not with a parenthesis).
func (p *parser) atQuery() bool {
	switch p.tok().kw {
	case "SELECT", "WITH":
		return p.tok().kind == tWord
	case "VALUES":
		n := p.peek(1)
		return p.tok().kind == tWord && n.kw != "." && n.kw != ")" && n.kw != "," && n.kw != "="
	case "TABLE":
		n := p.peek(1)
		return p.tok().kind == tWord && (n.kind == tWord || n.kind == tQuoted)
	}
	return false
}

// atQueryTail reports whether what follows a query in parentheses makes it part of a larger one.
func (p *parser) atQueryTail() bool {
	switch p.tok().kw {
	case "UNION", "INTERSECT", "EXCEPT", "MINUS", "LIMIT", "OFFSET", "FETCH":
		return p.tok().kind == tWord
	case "ORDER":
		return p.seq("ORDER", "BY")
	}
	return false
}

// query takes a query with everything that belongs to it.
func (p *parser) query() *ast.Query {
	q := &ast.Query{Pos: p.tok().pos}
	if !p.enter() {
		q.Body = &ast.Values{Pos: q.Pos}
		return q
	}
	defer p.leave()
	if p.is("WITH") {
		q.With = p.with()
	}
	q.Body = p.setOps(p.queryTerm(), 0)
	p.orderAndLimit(q)
	return q
}

// queryTail goes on with a query of which the first operand was already taken.
func (p *parser) queryTail(first *ast.Query) *ast.Query {
	q := &ast.Query{Pos: first.Pos}
	q.Body = p.setOps(first, 0)
	p.orderAndLimit(q)
	return q
}

func (p *parser) orderAndLimit(q *ast.Query) {
	if p.is("ORDER") {
		q.OrderBy = p.orderBy()
	}
	for p.err == nil {
		switch {
		case q.Limit == nil && p.accept("LIMIT"):
			if p.at("ALL") {
				p.next()
				continue
			}
			q.Limit = p.expr()
			if p.at(",") && q.Offset == nil { // LIMIT start, count
				p.next()
				q.Offset, q.Limit = q.Limit, p.expr()
			}
		case q.Offset == nil && p.accept("OFFSET"):
			q.Offset = p.expr()
			if !p.accept("ROWS") {
				p.accept("ROW")
			}
		case q.Limit == nil && p.accept("FETCH"):
			p.one("FIRST", "NEXT")
			if p.at("ROW") || p.at("ROWS") {
				q.Limit = &ast.Literal{Pos: p.tok().pos, Kind: ast.ExactLit, Text: "1"}
			} else {
				q.Limit = p.expr()
			}
			p.one("ROWS", "ROW")
			p.expect("ONLY")
		default:
			return
		}
	}
}

func (p *parser) with() *ast.With {
	w := &ast.With{Pos: p.tok().pos}
	p.next()
	if p.at("RECURSIVE") && !p.peekIs(1, "AS") && !p.peekIs(1, "(") {
		p.next()
		w.Recursive = true
	}
	for {
		t := ast.CommonTable{Pos: p.tok().pos, Name: p.name("the name of a common table")}
		if p.at("(") {
			t.Columns = p.names("the name of a column")
		}
		p.expect("AS", "(")
		t.Query = p.query()
		p.expect(")")
		w.Tables = append(w.Tables, t)
		if !p.accept(",") {
			return w
		}
	}
}

var setOps = map[string]ast.SetOpKind{"UNION": ast.Union, "INTERSECT": ast.Intersect, "EXCEPT": ast.Except, "MINUS": ast.Except}

// setOps takes UNION, EXCEPT (level 0) and INTERSECT (level 1, which binds tighter).
func (p *parser) setOps(left ast.Body, level int) ast.Body {
	for n := 0; p.link(n); n++ {
		t := p.tok()
		kind, ok := setOps[t.kw]
		if !ok || t.kind != tWord {
			p.note("UNION")
			return left
		}
		own := 0
		if kind == ast.Intersect {
			own = 1
		}
		if own < level {
			return left
		}
		p.next()
		op := &ast.SetOp{Pos: left.Position(), OpPos: t.pos, Kind: kind}
		if p.accept("ALL") {
			op.All = true
		} else {
			p.accept("DISTINCT")
		}
		op.L = left
		op.R = p.queryTerm()
		if own == 0 {
			op.R = p.setOps(op.R, 1)
		}
		left = op
	}
	return left
}

func (p *parser) queryTerm() ast.Body {
	t := p.tok()
	switch {
	case p.is("SELECT"):
		return p.selectBody()
	case p.is("VALUES"):
		return p.values()
	case p.is("TABLE"):
		p.next()
		return &ast.TableQuery{Pos: t.pos, Table: p.path("the name of a table")}
	case p.accept("("):
		q := p.query()
		p.expect(")")
		return q
	}
	p.fail("a query")
	return &ast.Values{Pos: t.pos}
}

func (p *parser) values() *ast.Values {
	v := &ast.Values{Pos: p.tok().pos}
	p.next()
	for {
		v.Rows = append(v.Rows, p.expr())
		if !p.accept(",") {
			return v
		}
	}
}

func (p *parser) selectBody() *ast.Select {
	s := &ast.Select{Pos: p.tok().pos}
	p.next()
	s.Hints = p.hints()
	if p.at("STREAM") && !p.peekIs(1, ",") && !p.peekIs(1, "FROM") && !p.peekIs(1, ".") {
		p.next()
	}
	if p.accept("DISTINCT") {
		s.Distinct = true
	} else {
		p.accept("ALL")
	}
	for {
		s.Items = append(s.Items, p.selectItem())
		if !p.accept(",") {
			break
		}
	}
	if p.accept("FROM") {
		s.From = p.from()
	}
	if p.accept("WHERE") {
		s.Where = p.expr()
	}
	if p.is("GROUP") && p.peekIs(1, "BY") {
		s.GroupBy = p.groupBy()
	}
	if p.accept("HAVING") {
		s.Having = p.expr()
	}
	if p.accept("WINDOW") {
		s.Windows = p.namedWindows()
	}
	if p.accept("QUALIFY") {
		s.Qualify = p.expr()
	}
	return s
}

func (p *parser) selectItem() ast.SelectItem {
	item := ast.SelectItem{Pos: p.tok().pos}
	item.X = p.starOr()
	if p.accept("AS") {
		if p.tok().kind == tString {
			p.failAt(p.tok(), "an alias is a name: with `...` or without quotes, not with '...'")
		}
		item.Alias = p.name("an alias")
	} else if _, star := item.X.(*ast.Star); !star && p.atAlias() {
		item.Alias = p.name("an alias")
	}
	return item
}

// atAlias reports whether an alias without AS stands here.
func (p *parser) atAlias() bool {
	t := p.tok()
	if t.kind == tQuoted {
		return true
	}
	if t.kind != tWord {
		return false
	}
	switch t.kw {
	case "WINDOW":
		return p.peek(1).kind != tWord && p.peek(1).kind != tQuoted
	case "OFFSET":
		return p.peek(1).kind == tPunct && p.peek(1).kw != "(" || p.peek(1).kind == tEOF
	case "PARTITION", "EXCLUDE":
		return false
	case "LEFT", "RIGHT":
		n := p.peek(1).kw
		return n != "JOIN" && n != "OUTER" && n != "SEMI" && n != "ANTI"
	case "FORMAT":
		return !p.peekIs(1, "JSON")
	case "MATCH_RECOGNIZE", "PIVOT", "UNPIVOT":
		return !p.peekIs(1, "(") && !p.peekIs(2, "NULLS")
	case "RESPECT", "IGNORE":
		return !p.peekIs(1, "NULLS")
	}
	return !ast.Structural[t.kw]
}

func (p *parser) groupBy() *ast.GroupBy {
	g := &ast.GroupBy{Pos: p.tok().pos}
	p.i += 2
	if p.accept("DISTINCT") {
		g.Distinct = true
	} else if p.at("ALL") {
		p.next()
	}
	g.Items = p.groupItems()
	return g
}

func (p *parser) groupItems() []ast.GroupItem {
	var items []ast.GroupItem
	for {
		items = append(items, p.groupItem())
		if !p.accept(",") {
			return items
		}
	}
}

func (p *parser) groupItem() ast.GroupItem {
	g := ast.GroupItem{Pos: p.tok().pos}
	if !p.enter() {
		return g
	}
	defer p.leave()
	switch {
	case p.seq("ROLLUP", "("):
		g.Kind = ast.Rollup
		p.next()
	case p.seq("CUBE", "("):
		g.Kind = ast.Cube
		p.next()
	case p.seq("GROUPING", "SETS"):
		g.Kind = ast.Sets
		p.i += 2
	case p.seq("(", ")"):
		g.Kind = ast.GroupTuple
		p.i += 2
		return g
	default:
		x := p.expr()
		if c, ok := x.(*ast.Collection); ok && c.Kind == ast.Tuple {
			g.Kind, g.Exprs = ast.GroupTuple, c.Items
			return g
		}
		g.Exprs = []ast.Expr{x}
		return g
	}
	p.expect("(")
	g.Items = p.groupItems()
	p.expect(")")
	return g
}

func (p *parser) namedWindows() []ast.NamedWindow {
	var list []ast.NamedWindow
	for {
		w := ast.NamedWindow{Name: p.name("the name of a window")}
		p.expect("AS")
		w.Window = p.window()
		list = append(list, w)
		if !p.accept(",") {
			return list
		}
	}
}

// orderBy takes ORDER BY and its items.
func (p *parser) orderBy() []ast.OrderItem {
	p.expect("ORDER", "BY")
	return p.orderItems()
}

func (p *parser) orderItems() []ast.OrderItem {
	var items []ast.OrderItem
	for {
		items = append(items, p.orderItem())
		if !p.accept(",") {
			return items
		}
	}
}

func (p *parser) orderItem() ast.OrderItem {
	o := ast.OrderItem{Pos: p.tok().pos, X: p.expr()}
	if p.accept("DESC") {
		o.Desc = true
	} else {
		p.accept("ASC")
	}
	if p.accept("NULLS") {
		o.Nulls = ast.NullsLast
		if p.one("FIRST", "LAST") == "FIRST" {
			o.Nulls = ast.NullsFirst
		}
	}
	return o
}

// hints takes /*+ ... */ if it is there.
func (p *parser) hints() []ast.Hint {
	if !p.at("/*+") {
		return nil
	}
	p.next()
	var hints []ast.Hint
	for !p.at("*/") {
		t := p.tok()
		h := ast.Hint{Pos: t.pos, Name: strings.ToUpper(p.name("the name of a hint").Text)}
		if p.accept("(") {
			for !p.at(")") {
				h.Args = append(h.Args, p.hintArg())
				if !p.accept(",") || p.err != nil {
					break
				}
			}
			p.expect(")")
		}
		hints = append(hints, h)
		if p.err != nil {
			break
		}
		p.accept(",")
	}
	p.expect("*/")
	return hints
}

// hintArg takes 'k' = 'v', name = 'v', 'v', name or a number.
func (p *parser) hintArg() ast.HintArg {
	a := ast.HintArg{Pos: p.tok().pos}
	value := func() ast.Expr {
		switch t := p.tok(); t.kind {
		case tString:
			return p.stringLiteral()
		case tNumber:
			p.next()
			return &ast.Literal{Pos: t.pos, Kind: ast.ExactLit, Text: p.text(t)}
		default:
			return &ast.Ident{Pos: t.pos, Parts: p.path("a value of a hint")}
		}
	}
	a.Value = value()
	if !p.accept("=") {
		return a
	}
	a.HasKey = true
	switch k := a.Value.(type) {
	case *ast.Literal:
		a.Key = k.Text
	case *ast.Ident:
		a.Key = strings.Join(k.Parts.Strings(), ".")
	}
	a.Value = value()
	return a
}
