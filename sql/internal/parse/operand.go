package parse

import (
	"strings"

	"github.com/flottio/flott/sql/internal/ast"
)

var wordLiterals = map[string]ast.LiteralKind{"NULL": ast.NullLit, "TRUE": ast.TrueLit, "FALSE": ast.FalseLit, "UNKNOWN": ast.UnknownLit}

// bareCalls are the functions that are called without parentheses.
var bareCalls = map[string]bool{"CURRENT_DATE": true, "CURRENT_TIME": true, "CURRENT_TIMESTAMP": true, "LOCALTIME": true,
	"LOCALTIMESTAMP": true, "CURRENT_USER": true, "CURRENT_CATALOG": true, "CURRENT_SCHEMA": true, "SESSION_USER": true, "SYSTEM_USER": true}

// keywordExpr takes an operand that begins with a keyword of its own; nil, and nothing taken, if the word is a name here.
func (p *parser) keywordExpr(t token) ast.Expr {
	if kind, ok := wordLiterals[t.kw]; ok {
		p.next()
		return &ast.Literal{Pos: t.pos, Kind: kind}
	}
	if bareCalls[t.kw] && !p.peekIs(1, "(") && !p.peekIs(1, ".") {
		p.next()
		return &ast.Call{Pos: t.pos, Func: ast.Path{{Pos: t.pos, Text: t.kw}}, Bare: true}
	}
	paren := p.peekIs(1, "(")
	switch t.kw {
	case "DATE", "TIME", "TIMESTAMP", "TIMESTAMP_LTZ":
		return p.timeLiteral(t)
	case "INTERVAL":
		return p.interval()
	case "CASE":
		return p.caseExpr()
	case "CAST", "TRY_CAST":
		if paren {
			return p.cast()
		}
	case "EXISTS", "UNIQUE":
		if paren {
			p.i++
			x := &ast.Exists{Pos: t.pos, Unique: t.kw == "UNIQUE"}
			p.expect("(")
			x.Query = p.query()
			p.expect(")")
			return x
		}
	case "ARRAY", "MULTISET", "MAP", "ROW":
		return p.collection(t)
	case "DEFAULT":
		if n := p.peek(1); n.kind == tPunct && (n.kw == "," || n.kw == ")") {
			p.next()
			return &ast.DefaultArg{Pos: t.pos}
		}
	}
	return nil
}

// timeLiteral takes DATE '...' and its like; nil if the word is not followed by a string.
func (p *parser) timeLiteral(t token) ast.Expr {
	words := 1
	kind := map[string]ast.LiteralKind{"DATE": ast.DateLit, "TIME": ast.TimeLit, "TIMESTAMP": ast.TimestampLit,
		"TIMESTAMP_LTZ": ast.TimestampLTZLit}[t.kw]
	switch {
	case p.seq("TIMESTAMP", "WITH", "LOCAL", "TIME", "ZONE"):
		kind, words = ast.TimestampLTZLit, 5
	case p.seq("TIMESTAMP", "WITHOUT", "TIME", "ZONE"), p.seq("TIME", "WITHOUT", "TIME", "ZONE"):
		words = 4
	}
	if s := p.peek(words); s.kind != tString || !strings.HasPrefix(p.text(s), "'") {
		return nil
	}
	p.i += words
	lit := p.stringLiteral()
	lit.Pos, lit.Kind = t.pos, kind
	return lit
}

var units = map[string]ast.Unit{"YEAR": ast.Year, "QUARTER": ast.Quarter, "MONTH": ast.Month, "WEEK": ast.Week, "DAY": ast.Day,
	"HOUR": ast.Hour, "MINUTE": ast.Minute, "SECOND": ast.Second, "YEARS": ast.Year, "QUARTERS": ast.Quarter, "MONTHS": ast.Month,
	"WEEKS": ast.Week, "DAYS": ast.Day, "HOURS": ast.Hour, "MINUTES": ast.Minute, "SECONDS": ast.Second}

// interval takes INTERVAL '1' DAY, also INTERVAL 1 DAY; nil if INTERVAL is a name here.
func (p *parser) interval() ast.Expr {
	n, sign := 1, false
	if p.peekIs(n, "-") || p.peekIs(n, "+") {
		sign = p.peekIs(n, "-")
		n++
	}
	v := p.peek(n)
	if v.kind != tString && (v.kind != tNumber || units[p.peek(n+1).kw] == ast.NoUnit) {
		return nil
	}
	x := &ast.Interval{Pos: p.tok().pos, Negative: sign}
	p.i += n
	if v.kind == tString {
		x.Text = p.stringLiteral().Text
	} else {
		x.Text = p.text(v)
		p.next()
	}
	x.Qual = p.qualifier()
	return x
}

// qualifier takes DAY(3) TO SECOND(6).
func (p *parser) qualifier() ast.Qualifier {
	q := ast.Qualifier{Pos: p.tok().pos, Precision: -1, Fraction: -1}
	q.From = p.unit()
	if p.at("(") {
		p.next()
		q.Precision = p.integer("the number of digits")
		if q.From == ast.Second && p.accept(",") {
			q.Fraction = p.integer("the number of digits of the fraction")
		}
		p.expect(")")
	}
	if p.at("TO") && units[p.peek(1).kw] != ast.NoUnit {
		p.next()
		at := p.tok()
		q.To = p.unit()
		if q.To <= q.From && p.err == nil {
			p.failAt(at, "an interval goes from the larger to the smaller unit, not from "+q.From.String()+" to "+q.To.String())
		}
		if q.To == ast.Second && p.at("(") {
			p.next()
			q.Fraction = p.integer("the number of digits of the fraction")
			p.expect(")")
		}
	}
	return q
}

func (p *parser) unit() ast.Unit {
	t := p.tok()
	u := units[t.kw]
	if u == ast.NoUnit || t.kind != tWord {
		for u := ast.Year; u <= ast.Second; u++ {
			p.note(u.String())
		}
		p.fail("a unit of time")
		return ast.Second
	}
	p.next()
	return u
}

func (p *parser) caseExpr() ast.Expr {
	c := &ast.Case{Pos: p.tok().pos}
	p.next()
	if !p.at("WHEN") {
		c.Operand = p.expr()
	}
	for p.is("WHEN") {
		w := ast.When{Pos: p.tok().pos}
		p.next()
		w.Conds = p.exprs()
		p.expect("THEN")
		w.Result = p.expr()
		c.Whens = append(c.Whens, w)
	}
	if len(c.Whens) == 0 {
		p.fail("WHEN")
	}
	if p.accept("ELSE") {
		c.Else = p.expr()
	}
	p.expect("END")
	return c
}

func (p *parser) cast() ast.Expr {
	c := &ast.Cast{Pos: p.tok().pos, Try: p.at("TRY_CAST")}
	p.next()
	p.expect("(")
	c.X = p.expr()
	p.expect("AS")
	c.Type = p.typeName()
	p.expect(")")
	return c
}

var collections = map[string]ast.CollectionKind{"ROW": ast.RowOf, "ARRAY": ast.ArrayOf, "MAP": ast.MapOf, "MULTISET": ast.MultisetOf}

// collection takes ARRAY[...], ARRAY(SELECT ...), ROW(...) and their like; nil if the word is a name here.
func (p *parser) collection(t token) ast.Expr {
	c := &ast.Collection{Pos: t.pos, Kind: collections[t.kw]}
	switch {
	case p.peekIs(1, "["):
		if c.Kind == ast.RowOf {
			return nil
		}
		p.i += 2
		if !p.at("]") {
			c.Items = p.exprs()
		}
		p.expect("]")
		if c.Kind == ast.MapOf && len(c.Items)%2 != 0 && p.err == nil {
			p.failAt(t, "MAP[...] takes keys and values in turn: the last key has no value")
		}
	case p.peekIs(1, "(") && c.Kind == ast.RowOf:
		p.i += 2
		if !p.at(")") {
			c.Items = p.rowItems()
		}
		p.expect(")")
	case p.peekIs(1, "("):
		p.i += 2
		if p.atQuery() {
			c.Query = p.query()
		} else if !p.at(")") {
			c.Items = p.exprs()
		}
		p.expect(")")
	default:
		return nil
	}
	return c
}

// rowItems takes the items of ROW(...), among which t.* may be.
func (p *parser) rowItems() []ast.Expr {
	var items []ast.Expr
	for {
		items = append(items, p.starOr())
		if !p.accept(",") {
			return items
		}
	}
}

// starOr takes * or an expression.
func (p *parser) starOr() ast.Expr {
	if t := p.tok(); p.at("*") {
		p.next()
		return &ast.Star{Pos: t.pos}
	}
	return p.expr()
}
