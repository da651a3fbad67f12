package parse

import (
	"strings"

	"github.com/flottio/flott/sql/internal/ast"
)

// special are the functions whose arguments have words between them. Each takes the arguments up to ")".
var special map[string]func(p *parser, c *ast.Call)

func init() {
	special = map[string]func(p *parser, c *ast.Call){
		"EXTRACT": (*parser).extractArgs, "CEIL": (*parser).roundArgs, "CEILING": (*parser).roundArgs, "FLOOR": (*parser).roundArgs,
		"TRIM": (*parser).trimArgs, "POSITION": (*parser).positionArgs, "SUBSTRING": (*parser).substringArgs,
		"OVERLAY": (*parser).overlayArgs, "TIMESTAMPADD": (*parser).unitArgs, "TIMESTAMPDIFF": (*parser).unitArgs,
		"JSON_VALUE": (*parser).jsonPathArgs, "JSON_QUERY": (*parser).jsonPathArgs, "JSON_EXISTS": (*parser).jsonPathArgs,
		"JSON_OBJECT": (*parser).jsonObjectArgs, "JSON_OBJECTAGG": (*parser).jsonObjectArgs,
		"JSON_ARRAY": (*parser).jsonArrayArgs, "JSON_ARRAYAGG": (*parser).jsonArrayArgs, "DESCRIPTOR": nil,
	}
}

// call takes the parentheses behind a function's name and what follows them.
func (p *parser) call(pos ast.Pos, name ast.Path) ast.Expr {
	bare := p.toks[p.i-1]
	c := &ast.Call{Pos: pos, Func: name}
	p.expect("(")
	args := (*parser).plainArgs
	if len(name) == 1 && bare.kind == tWord {
		if bare.kw == "DESCRIPTOR" {
			return p.descriptor(pos)
		}
		if f := special[bare.kw]; f != nil {
			args = f
		}
	}
	if !p.at(")") || bare.kind == tWord && strings.HasPrefix(bare.kw, "JSON_") {
		args(p, c)
	}
	p.expect(")")
	p.callTail(c)
	return c
}

// callTail takes WITHIN GROUP, IGNORE NULLS, FILTER and OVER.
func (p *parser) callTail(c *ast.Call) {
	if p.acceptSeq("WITHIN", "GROUP") {
		p.expect("(")
		c.WithinGroup = p.orderBy()
		p.expect(")")
	}
	p.nullTreatment(c)
	if p.seq("FILTER", "(") {
		p.next()
		p.expect("(", "WHERE")
		c.Filter = p.expr()
		p.expect(")")
	}
	p.nullTreatment(c)
	if p.at("OVER") && (p.peekIs(1, "(") || p.peek(1).kind == tWord || p.peek(1).kind == tQuoted) {
		p.next()
		c.Over = p.over()
	}
}

func (p *parser) nullTreatment(c *ast.Call) {
	switch {
	case p.acceptSeq("IGNORE", "NULLS"):
		c.Nulls = ast.IgnoreNulls
	case p.acceptSeq("RESPECT", "NULLS"):
		c.Nulls = ast.RespectNulls
	}
}

// plainArgs takes [DISTINCT] a, name => b, TABLE t, * [ORDER BY ...].
func (p *parser) plainArgs(c *ast.Call) {
	if p.peek(1).kw != "=>" && !p.peekIs(1, ",") && !p.peekIs(1, ")") {
		if p.accept("DISTINCT") {
			c.Distinct = true
		} else {
			p.accept("ALL")
		}
	}
	p.moreArgs(c)
	p.nullTreatment(c)
	if p.at("ORDER") {
		c.OrderBy = p.orderBy()
	}
}

func (p *parser) moreArgs(c *ast.Call) {
	for {
		c.Args = append(c.Args, p.arg())
		if !p.accept(",") {
			return
		}
	}
}

func (p *parser) arg() ast.Expr {
	if p.isName() && p.peekIs(1, "=>") {
		n := &ast.NamedArg{Pos: p.tok().pos, Name: p.name("the name of an argument")}
		p.next()
		n.Value = p.argValue()
		return n
	}
	return p.argValue()
}

// argValue takes an expression, a table or a query as an argument.
func (p *parser) argValue() ast.Expr {
	t := p.tok()
	table := &ast.TableArg{Pos: t.pos}
	switch {
	case p.at("TABLE") && p.peekIs(1, "("):
		p.i += 2
		if p.atQuery() {
			table.Query = p.query()
		} else {
			table.Func = p.tableCall()
		}
		p.expect(")")
	case p.at("TABLE") && (p.peek(1).kind == tWord || p.peek(1).kind == tQuoted):
		p.next()
		table.Table = p.path("the name of a table")
	case p.at("MODEL") && (p.peek(1).kind == tQuoted || p.peek(1).kind == tWord && p.peek(1).kw == ""):
		p.next()
		return &ast.ModelArg{Pos: t.pos, Model: p.path("the name of a model")}
	default:
		x := p.starOr()
		sub, ok := x.(*ast.Subquery)
		if !ok || !p.at("PARTITION") && !p.at("ORDER") {
			return x
		}
		table.Query = sub.Query
	}
	if p.acceptSeq("PARTITION", "BY") {
		table.PartitionBy = p.partitionBy()
	}
	if p.seq("ORDER", "BY") {
		table.OrderBy = p.tableOrder()
	}
	return table
}

// partitionBy takes a or (a, b): without parentheses the comma belongs to the arguments.
func (p *parser) partitionBy() []ast.Expr {
	if p.at("(") {
		p.next()
		list := p.exprs()
		p.expect(")")
		return list
	}
	return []ast.Expr{p.expr()}
}

func (p *parser) tableOrder() []ast.OrderItem {
	p.i += 2
	if p.at("(") {
		p.next()
		items := p.orderItems()
		p.expect(")")
		return items
	}
	return []ast.OrderItem{p.orderItem()}
}

func (p *parser) tableCall() *ast.Call {
	pos := p.tok().pos
	name := p.path("the name of a table function")
	if c, ok := p.call(pos, name).(*ast.Call); ok {
		return c
	}
	return &ast.Call{Pos: pos, Func: name}
}

func (p *parser) descriptor(pos ast.Pos) ast.Expr {
	d := &ast.DescriptorArg{Pos: pos}
	for !p.at(")") {
		c := ast.DescriptorColumn{Name: p.name("the name of a column")}
		if !p.at(",") && !p.at(")") {
			c.Type = p.typeName()
		}
		d.Columns = append(d.Columns, c)
		if !p.accept(",") || p.err != nil {
			break
		}
	}
	p.expect(")")
	return d
}

// symbol takes a word that is an argument, in upper case.
func (p *parser) symbol(what string) ast.Expr {
	t := p.tok()
	if t.kind != tWord {
		p.fail(what)
	}
	s := &ast.Symbol{Pos: t.pos, Text: strings.ToUpper(p.text(t))}
	p.next()
	return s
}

func (p *parser) extractArgs(c *ast.Call) {
	if p.tok().kind != tWord || !p.peekIs(1, "FROM") {
		p.plainArgs(c)
		return
	}
	c.Args = append(c.Args, p.symbol("a unit of time"))
	p.expect("FROM")
	c.Args = append(c.Args, p.expr())
}

func (p *parser) roundArgs(c *ast.Call) {
	p.plainArgs(c)
	if len(c.Args) == 1 && p.accept("TO") {
		c.Args = append(c.Args, p.symbol("a unit of time"))
	}
}

func (p *parser) unitArgs(c *ast.Call) {
	if p.tok().kind == tWord && p.peekIs(1, ",") {
		c.Args = append(c.Args, p.symbol("a unit of time"))
		p.next()
		p.moreArgs(c)
		return
	}
	p.plainArgs(c)
}

func (p *parser) trimArgs(c *ast.Call) {
	t := p.tok()
	symbol := &ast.Symbol{Pos: t.pos, Text: "BOTH"}
	side := t.kw == "BOTH" || t.kw == "LEADING" || t.kw == "TRAILING"
	if n := p.peek(1); side && t.kind == tWord && n.kw != ")" && n.kw != "," && n.kw != "." {
		symbol.Text = t.kw
		p.next()
		if p.accept("FROM") {
			c.Args = append(c.Args, symbol, p.expr())
			return
		}
		x := p.expr()
		if p.at(")") { // TRIM(BOTH x)
			c.Args = append(c.Args, symbol, x)
			return
		}
		p.expect("FROM")
		c.Args = append(c.Args, symbol, x, p.expr())
		return
	}
	p.plainArgs(c)
	if len(c.Args) == 1 && p.accept("FROM") {
		c.Args = append(c.Args[:0], symbol, c.Args[0], p.expr())
	}
}

func (p *parser) positionArgs(c *ast.Call) {
	x := p.binary(precRange + 1) // IN is no operator here
	c.Args = append(c.Args, x)
	if p.accept("IN") {
		c.Args = append(c.Args, p.expr())
		if p.accept("FROM") {
			c.Args = append(c.Args, p.expr())
		}
		return
	}
	if p.accept(",") {
		p.moreArgs(c)
	}
}

func (p *parser) substringArgs(c *ast.Call) {
	p.plainArgs(c)
	if len(c.Args) != 1 {
		return
	}
	switch {
	case p.accept("FROM"):
		c.Args = append(c.Args, p.expr())
		if p.accept("FOR") {
			c.Args = append(c.Args, p.expr())
		}
	case p.at("FOR"):
		one := &ast.Literal{Pos: p.tok().pos, Kind: ast.ExactLit, Text: "1"}
		p.next()
		c.Args = append(c.Args, one, p.expr())
	}
}

func (p *parser) overlayArgs(c *ast.Call) {
	p.plainArgs(c)
	if len(c.Args) != 1 || !p.accept("PLACING") {
		return
	}
	c.Args = append(c.Args, p.expr())
	p.expect("FROM")
	c.Args = append(c.Args, p.expr())
	if p.accept("FOR") {
		c.Args = append(c.Args, p.expr())
	}
}

// over takes what stands behind OVER.
func (p *parser) over() *ast.Window {
	if !p.at("(") {
		pos := p.tok().pos
		return &ast.Window{Pos: pos, Bare: true, Ref: p.name("the name of a window")}
	}
	return p.window()
}

// window takes ([name] [PARTITION BY ...] [ORDER BY ...] [frame]).
func (p *parser) window() *ast.Window {
	w := &ast.Window{Pos: p.tok().pos}
	p.expect("(")
	if p.isName() && !p.seq("PARTITION", "BY") && !p.seq("ORDER", "BY") && !p.atFrame() {
		w.Ref = p.name("the name of a window")
	}
	if p.acceptSeq("PARTITION", "BY") {
		w.PartitionBy = p.exprs()
	}
	if p.is("ORDER") {
		w.OrderBy = p.orderBy()
	}
	if p.is("ROWS") || p.is("RANGE") {
		w.Frame = p.frame()
	}
	p.expect(")")
	return w
}

func (p *parser) atFrame() bool {
	return (p.at("ROWS") || p.at("RANGE")) && !p.peekIs(1, ")") && !p.peekIs(1, "PARTITION") && !p.peekIs(1, "ORDER")
}

func (p *parser) frame() *ast.Frame {
	f := &ast.Frame{Pos: p.tok().pos, Unit: ast.Rows}
	if p.at("RANGE") {
		f.Unit = ast.Range
	}
	p.next()
	if p.accept("BETWEEN") {
		f.Start = p.bound()
		p.expect("AND")
		f.End = p.bound()
	} else {
		f.Start = p.bound()
	}
	if p.accept("EXCLUDE") {
		switch {
		case p.acceptSeq("CURRENT", "ROW"):
			f.Exclude = ast.ExcludeCurrentRow
		case p.acceptSeq("NO", "OTHERS"):
			f.Exclude = ast.ExcludeNoOthers
		case p.accept("GROUP"):
			f.Exclude = ast.ExcludeGroup
		default:
			p.expect("TIES")
			f.Exclude = ast.ExcludeTies
		}
	}
	return f
}

func (p *parser) bound() *ast.Bound {
	b := &ast.Bound{Pos: p.tok().pos}
	if p.acceptSeq("CURRENT", "ROW") {
		b.Kind = ast.CurrentRow
		return b
	}
	unbounded := p.at("UNBOUNDED") && (p.peekIs(1, "PRECEDING") || p.peekIs(1, "FOLLOWING"))
	if unbounded {
		p.next()
	} else {
		b.X = p.binary(precRange + 1) // AND separates the bounds
	}
	following := p.one("PRECEDING", "FOLLOWING") == "FOLLOWING"
	switch {
	case following && unbounded:
		b.Kind = ast.UnboundedFollowing
	case following:
		b.Kind = ast.Following
	case !unbounded:
		b.Kind = ast.Preceding
	}
	return b
}
