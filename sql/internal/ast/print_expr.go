package ast

import "strings"

// Precedences as in the parser: what binds tighter is higher.
const (
	precNot     = 26
	precIs      = 28
	precRange   = 32
	precOperand = 33 // operands of BETWEEN, LIKE and of bounds
	precUnary   = 80
	precPrimary = 100
)

func (o Op) prec() int {
	switch {
	case o == OpOr:
		return 22
	case o == OpAnd:
		return 24
	case o >= OpMemberOf && o <= OpNotSubmultisetOf:
		return precRange
	case o >= OpMultisetUnion && o <= OpMultisetExceptAll:
		return 36
	case o == OpMultisetIntersect || o == OpMultisetIntersectAll:
		return 38
	case o == OpAdd || o == OpSub:
		return 40
	case o >= OpMul:
		return 60
	case o == OpNot:
		return precNot
	case o < OpOr:
		return precUnary
	}
	return 30
}

func prec(x Expr) int {
	switch x := x.(type) {
	case *Unary:
		return x.Op.prec()
	case *Binary:
		return x.Op.prec()
	case *Is:
		return precIs
	case *Between, *In, *Like:
		return precRange
	case *Quantified:
		return x.Op.prec()
	case *Lambda:
		return 1
	}
	return precPrimary
}

// expr prints x, in parentheses if it binds less tight than least.
func (p *printer) expr(x Expr, least int) {
	if prec(x) < least {
		p.parens(func() { p.expr(x, 0) })
		return
	}
	switch x := x.(type) {
	case *Literal:
		p.literal(x)
	case *Interval:
		p.interval(x)
	case *Ident:
		p.path(x.Parts)
	case *Star:
		p.star(x)
	case *FieldAccess:
		p.fieldBase(x.X)
		p.w(".")
		p.name(x.Name)
	case *Index:
		if _, id := x.X.(*Ident); id {
			p.expr(x.X, 0)
		} else {
			p.fieldBase(x.X)
		}
		p.w("[")
		p.expr(x.I, 0)
		p.w("]")
	case *Unary, *Binary, *Is, *Between, *In, *Like, *Quantified:
		p.operator(x)
	case *Exists:
		p.w("EXISTS ")
		p.sub(x.Query)
	case *Subquery:
		p.sub(x.Query)
	case *Case:
		p.caseExpr(x)
	case *Cast:
		p.when(x.Try, "TRY_")
		p.w("CAST(")
		p.expr(x.X, 0)
		p.w(" AS ")
		p.typeName(x.Type)
		p.w(")")
	case *Collection:
		p.collection(x)
	case *Lambda:
		p.names(x.Params)
		p.w(" -> ")
		p.expr(x.Body, 0)
	case *Param:
		p.w("?")
	default:
		p.argument(x)
	}
}

func (p *printer) sub(q *Query) { p.parens(func() { p.query(q) }) }

func (p *printer) interval(x *Interval) {
	p.w("INTERVAL ")
	p.when(x.Negative, "-")
	p.w(QuoteString(x.Text), " ")
	p.qualifier(x.Qual)
}

func (p *printer) star(x *Star) {
	switch {
	case x.X != nil:
		p.fieldBase(x.X)
		p.w(".")
	case len(x.Of) > 0:
		p.path(x.Of)
		p.w(".")
	}
	p.w("*")
}

// fieldBase prints what stands before a dot or bracket.
func (p *printer) fieldBase(x Expr) {
	switch x := x.(type) {
	case *Call:
		if !x.Bare && x.Over == nil && x.Filter == nil && x.Nulls == NullsDefault && x.WithinGroup == nil {
			p.expr(x, 0)
			return
		}
	case *FieldAccess, *Index, *Cast, *Collection, *Subquery:
		p.expr(x, 0)
		return
	}
	p.parens(func() { p.expr(x, 0) })
}

func (p *printer) operator(x Expr) {
	not := func(b bool) string {
		if b {
			return " NOT"
		}
		return ""
	}
	switch x := x.(type) {
	case *Unary:
		p.unary(x)
	case *Binary:
		p.expr(x.L, x.Op.prec())
		p.w(" ", x.Op.String(), " ")
		p.expr(x.R, x.Op.prec()+1)
	case *Is:
		p.expr(x.X, precIs)
		p.w(" IS", not(x.Not), " ", x.Kind.String())
	case *Between:
		p.expr(x.X, precRange)
		p.w(not(x.Not), " BETWEEN ")
		p.when(x.Symmetric, "SYMMETRIC ")
		p.expr(x.Low, precOperand)
		p.w(" AND ")
		p.expr(x.High, precOperand)
	case *In:
		p.expr(x.X, precRange)
		p.w(not(x.Not), " IN ")
		p.listOrQuery(x.List, x.Query)
	case *Like:
		p.expr(x.X, precRange)
		p.w(not(x.Not), " ", x.Kind.String(), " ")
		p.expr(x.Pattern, precOperand)
		if x.Escape != nil {
			p.w(" ESCAPE ")
			p.expr(x.Escape, precOperand)
		}
	case *Quantified:
		p.expr(x.X, x.Op.prec())
		quantifier := " ANY "
		if x.All {
			quantifier = " ALL "
		}
		p.w(" ", x.Op.String(), quantifier)
		p.listOrQuery(x.List, x.Query)
	}
}

func (p *printer) listOrQuery(list []Expr, q *Query) {
	if q != nil {
		p.sub(q)
		return
	}
	p.parens(func() { p.exprs(list) })
}

func (p *printer) unary(x *Unary) {
	switch x.Op {
	case OpFormatJSON:
		p.expr(x.X, 0)
		p.w(" FORMAT JSON")
		return
	case OpNot:
		p.w("NOT ")
		p.expr(x.X, precNot)
		return
	}
	p.w(x.Op.String())
	p.when(x.Op >= OpNot, " ")
	p.expr(x.X, precUnary+1) // also another sign: -- is a comment
}

func (p *printer) caseExpr(x *Case) {
	p.w("CASE")
	if x.Operand != nil {
		p.w(" ")
		p.expr(x.Operand, 0)
	}
	for _, w := range x.Whens {
		p.w(" WHEN ")
		p.exprs(w.Conds)
		p.w(" THEN ")
		p.expr(w.Result, 0)
	}
	if x.Else != nil {
		p.w(" ELSE ")
		p.expr(x.Else, 0)
	}
	p.w(" END")
}

func (p *printer) collection(x *Collection) {
	p.w(x.Kind.String())
	switch {
	case x.Query != nil:
		p.sub(x.Query)
	case x.Kind == RowOf || x.Kind == Tuple:
		p.parens(func() { p.exprs(x.Items) })
	default:
		p.w("[")
		p.exprs(x.Items)
		p.w("]")
	}
}

func (p *printer) argument(x Expr) {
	switch x := x.(type) {
	case *Call:
		p.call(x)
	case *Symbol:
		p.w(x.Text)
	case *NamedArg:
		p.name(x.Name)
		p.w(" => ")
		p.expr(x.Value, 0)
	case *DefaultArg:
		p.w("DEFAULT")
	case *TableArg:
		p.tableArg(x)
	case *ModelArg:
		p.w("MODEL ")
		p.path(x.Model)
	case *DescriptorArg:
		p.w("DESCRIPTOR(")
		p.comma(len(x.Columns), func(i int) {
			p.name(x.Columns[i].Name)
			if t := x.Columns[i].Type; t != nil {
				p.w(" ")
				p.typeName(t)
			}
		})
		p.w(")")
	}
}

func (p *printer) tableArg(x *TableArg) {
	p.w("TABLE ")
	switch {
	case x.Query != nil:
		p.sub(x.Query)
	case x.Func != nil:
		p.parens(func() { p.call(x.Func) })
	default:
		p.path(x.Table)
	}
	if len(x.PartitionBy) > 0 {
		p.w(" PARTITION BY (")
		p.exprs(x.PartitionBy)
		p.w(")")
	}
	if len(x.OrderBy) > 0 {
		p.w(" ORDER BY (")
		p.comma(len(x.OrderBy), func(i int) { p.orderItem(x.OrderBy[i]) })
		p.w(")")
	}
}

// funcName prints names of functions without quotes where that means the same: most are not names but words of the language.
func (p *printer) funcName(path Path, special bool) {
	if len(path) != 1 {
		p.path(path)
		return
	}
	name := path[0].Text
	upper := strings.ToUpper(name)
	plain := name != "" && (name[0] < '0' || name[0] > '9')
	for i := range len(name) {
		c := name[i]
		plain = plain && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_')
	}
	if !plain || Structural[upper] || constructs[upper] && !special {
		p.name(path[0])
		return
	}
	p.w(name)
}

func (p *printer) call(c *Call) {
	p.funcName(c.Func, c.JSON != nil)
	if c.Bare {
		return
	}
	p.w("(")
	p.when(c.Distinct, "DISTINCT ")
	p.args(c)
	if len(c.OrderBy) > 0 {
		p.when(len(c.Args) > 0, " ")
		p.orderBy(c.OrderBy)
	}
	if c.JSON != nil {
		p.json(c.JSON, len(c.Args) > 0)
	}
	p.w(")")
	if len(c.WithinGroup) > 0 {
		p.w(" WITHIN GROUP (")
		p.orderBy(c.WithinGroup)
		p.w(")")
	}
	p.when(c.Nulls == IgnoreNulls, " IGNORE NULLS")
	p.when(c.Nulls == RespectNulls, " RESPECT NULLS")
	if c.Filter != nil {
		p.w(" FILTER (WHERE ")
		p.expr(c.Filter, 0)
		p.w(")")
	}
	if c.Over != nil {
		p.w(" OVER ")
		p.window(c.Over)
	}
}

// args prints the arguments, with the words of standard SQL between them where they have no other form.
func (p *printer) args(c *Call) {
	a := c.Args
	symbol := func(i int) bool {
		_, ok := a[i].(*Symbol)
		return ok
	}
	name := strings.ToUpper(c.Func.Last().Text)
	switch {
	case len(a) == 0 || len(c.Func) != 1:
	case name == "EXTRACT" && symbol(0):
		p.infixArgs(a, " FROM ")
		return
	case len(a) == 2 && symbol(1):
		p.infixArgs(a, " TO ")
		return
	case name == "TRIM" && symbol(0):
		p.expr(a[0], 0)
		if len(a) == 3 {
			p.w(" ")
			p.expr(a[1], 0)
		}
		p.w(" FROM ")
		p.expr(a[len(a)-1], 0)
		return
	case c.JSON != nil && (name == "JSON_OBJECT" || name == "JSON_OBJECTAGG"):
		p.comma(len(a)/2, func(i int) {
			p.w("KEY ")
			p.infixArgs(a[2*i:2*i+2], " VALUE ")
		})
		return
	case name == "POSITION" && len(a) > 1: // its first argument ends at IN
		p.comma(len(a), func(i int) { p.expr(a[i], precOperand) })
		return
	}
	p.exprs(a)
}

func (p *printer) infixArgs(a []Expr, word string) {
	p.expr(a[0], 0)
	p.w(word)
	p.expr(a[1], 0)
}

var wrapperNames = [...]string{"", "WITHOUT ARRAY WRAPPER", "WITH UNCONDITIONAL ARRAY WRAPPER", "WITH CONDITIONAL ARRAY WRAPPER"}

func (p *printer) json(j *JSONClauses, space bool) {
	add := func(s string) {
		p.when(space, " ")
		p.w(s)
		space = true
	}
	if j.Returning != nil {
		add("RETURNING ")
		p.typeName(j.Returning)
	}
	if j.Wrapper != WrapperDefault {
		add(wrapperNames[j.Wrapper])
	}
	behavior := func(b *JSONBehavior, on string) {
		if b == nil {
			return
		}
		add(b.Kind.String())
		if b.Default != nil {
			p.w(" ")
			p.expr(b.Default, 0)
		}
		p.w(on)
	}
	behavior(j.OnEmpty, " ON EMPTY")
	behavior(j.OnError, " ON ERROR")
	if j.Nulls == NullOnNull {
		add("NULL ON NULL")
	} else if j.Nulls == AbsentOnNull {
		add("ABSENT ON NULL")
	}
}
