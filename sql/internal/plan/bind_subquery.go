package plan

import (
	"fmt"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/expr"
)

// subKind is what a subquery stands for.
type subKind uint8

const (
	scalarSub subKind = iota
	existsSub
	inSub  // left = ANY(query)
	anySub // left op ANY(query)
	allSub // left op ALL(query)
)

// subRef is a subquery in an expression until it is a join.
type subRef struct {
	kind subKind
	pos  ast.Pos
	q    *pulled
	left []expr.Expr
	op   string
	of   column.Type
}

// Type implements expr.Expr.
func (s *subRef) Type() column.Type { return s.of }

// String implements expr.Expr.
func (s *subRef) String() string { return fmt.Sprintf("subquery%d", s.pos.Offset) }

// mapOuter returns the subquery with f applied to what it reads of the query around.
func (s *subRef) mapOuter(f func(expr.Expr) expr.Expr) expr.Expr {
	c := *s
	c.left = nil
	for _, l := range s.left {
		c.left = append(c.left, f(l))
	}
	q := *s.q
	apply := func(list []expr.Expr) []expr.Expr {
		var out []expr.Expr
		for _, e := range list {
			out = append(out, expr.Rewrite(e, func(e expr.Expr) expr.Expr {
				if o, ok := e.(*outer); ok && o.level == 1 {
					return &around{f(o.col)}
				}
				return e
			}))
		}
		return out
	}
	q.conds, q.outs = apply(s.q.conds), apply(s.q.outs)
	c.q = &q
	return &c
}

// escapes reports whether the subquery reads columns beyond the next query around.
func (s *subRef) escapes() bool {
	for _, l := range s.left {
		if hasOuter(l) {
			return true
		}
	}
	return false
}

// around is an expression over the query around, within one of the subquery.
type around struct{ e expr.Expr }

// Type implements expr.Expr.
func (a *around) Type() column.Type { return a.e.Type() }

// String implements expr.Expr.
func (a *around) String() string { return "around(" + a.e.String() + ")" }

// subqueriesOf lists the subqueries in an expression.
func subqueriesOf(e expr.Expr) []*subRef {
	var out []*subRef
	expr.Walk(e, func(e expr.Expr) bool {
		if s, ok := e.(*subRef); ok {
			out = append(out, s)
		}
		return true
	})
	return out
}

// subqueryExpr binds IN, EXISTS, ANY, ALL and scalar subqueries; IN of a list is comparisons.
func (s *scope) subqueryExpr(x ast.Expr) expr.Expr {
	boolean := column.Of(column.Boolean)
	switch x := x.(type) {
	case *ast.In:
		if x.Query == nil {
			return s.inList(x)
		}
		return s.negate(x.Pos, x.Not, s.inQuery(x.Pos, x.X, x.Query, subRef{kind: inSub, op: "=", of: boolean}))
	case *ast.Quantified:
		if x.Query == nil {
			return s.quantifiedList(x)
		}
		ref := subRef{kind: anySub, op: x.Op.String(), of: boolean}
		switch {
		case x.All && x.Op == ast.OpNe:
			ref.kind, ref.op = inSub, "="
			return s.negate(x.Pos, true, s.inQuery(x.Pos, x.X, x.Query, ref))
		case x.All:
			ref.kind = allSub
		case x.Op == ast.OpEq:
			ref.kind = inSub
		}
		return s.inQuery(x.Pos, x.X, x.Query, ref)
	case *ast.Exists:
		if x.Unique {
			s.b.notYet(x.Pos, "UNIQUE (...)")
			return nil
		}
		if q := s.pull(x.Pos, x.Query); q != nil {
			return &subRef{kind: existsSub, pos: x.Pos, q: q, of: boolean.Nullable(false)}
		}
	case *ast.Subquery:
		q := s.pull(x.Pos, x.Query)
		if q == nil {
			return nil
		}
		if len(q.outs) != 1 {
			s.b.failf(x.Pos, "a subquery that stands for a value has one column, this has %d", len(q.outs))
			return nil
		}
		of := q.outs[0].Type().Nullable(true)
		of.Attribute = column.NoAttribute
		return &subRef{kind: scalarSub, pos: x.Pos, q: q, of: of}
	}
	return nil
}

func (s *scope) negate(pos ast.Pos, not bool, e expr.Expr) expr.Expr {
	if !not {
		return e
	}
	return s.call(pos, "NOT", e)
}

// pull binds a subquery and takes out what it reads of this query.
func (s *scope) pull(pos ast.Pos, q *ast.Query) *pulled {
	if s.noSubs {
		s.b.failf(pos, "a subquery cannot stand in %s", s.clause)
		return nil
	}
	n := s.b.query(q, s)
	if n == nil {
		return nil
	}
	p, why := pullUp(n)
	if why != "" {
		s.b.notYet(pos, "a subquery that reads columns of the query around "+why)
		return nil
	}
	return p
}

// inQuery binds x IN (query) and x op ANY|ALL (query).
func (s *scope) inQuery(pos ast.Pos, x ast.Expr, query *ast.Query, ref subRef) expr.Expr {
	items := rowItems(x)
	if items == nil {
		items = []ast.Expr{x}
	}
	left := s.exprs(items...)
	q := s.pull(pos, query)
	if q == nil || anyNil(left) {
		return nil
	}
	if len(q.outs) != len(left) {
		s.b.failf(pos, "the subquery has %s, the left side %d", plural(len(q.outs), "column"), len(left))
		return nil
	}
	if len(left) > 1 && ref.op != "=" && ref.op != "<>" {
		s.b.notYet(pos, "rows beside "+ref.op+" and a subquery")
		return nil
	}
	own := *q
	own.outs = append([]expr.Expr(nil), q.outs...)
	for i := range left {
		t, ok := expr.ComparableType(left[i].Type(), own.outs[i].Type())
		if !ok {
			s.b.failf(pos, "cannot compare %s with %s of the subquery", left[i].Type(), own.outs[i].Type())
			return nil
		}
		left[i], own.outs[i] = expr.Coerce(left[i], t), expr.Coerce(own.outs[i], t)
	}
	ref.pos, ref.q, ref.left = pos, &own, left
	return &ref
}

// inList is x IN (a, b): a call of IN if there is one, else comparisons.
func (s *scope) inList(x *ast.In) expr.Expr {
	var e expr.Expr
	if items := rowItems(x.X); items != nil || expr.Lookup("IN") == nil {
		parts := make([]expr.Expr, len(x.List))
		for i, y := range x.List {
			parts[i] = s.comparison(&ast.Binary{Pos: x.Pos, OpPos: x.Pos, Op: ast.OpEq, L: x.X, R: y})
		}
		if e = parts[0]; len(parts) > 1 {
			e = s.call(x.Pos, "OR", parts...)
		}
	} else {
		e = s.call(x.Pos, "IN", append([]expr.Expr{s.expr(x.X)}, s.exprs(x.List...)...)...)
	}
	return s.negate(x.Pos, x.Not, e)
}

func (s *scope) quantifiedList(x *ast.Quantified) expr.Expr {
	parts := make([]expr.Expr, len(x.List))
	for i, y := range x.List {
		parts[i] = s.comparison(&ast.Binary{Pos: x.Pos, OpPos: x.Pos, Op: x.Op, L: x.X, R: y})
	}
	if len(parts) == 1 {
		return parts[0]
	}
	if x.All {
		return s.call(x.Pos, "AND", parts...)
	}
	return s.call(x.Pos, "OR", parts...)
}

// filter keeps the rows for which a condition holds. Subqueries that are conjuncts become semi and anti joins; others add columns to the
// result, which the caller drops.
func (b *Binder) filter(n Node, cond expr.Expr) Node {
	var plain []expr.Expr
	var rest []expr.Expr
	for _, c := range expr.Conjuncts(cond) {
		if len(subqueriesOf(c)) > 0 {
			rest = append(rest, c)
		} else {
			plain = append(plain, c)
		}
	}
	if len(plain) > 0 {
		n = &Filter{Input: n, Cond: and(plain)}
	}
	for _, c := range rest {
		not := false
		inner := c
		if call, ok := c.(*expr.Call); ok && call.Func.Name == "NOT" {
			inner, not = call.Args[0], true
		}
		if ref, ok := inner.(*subRef); ok && ref.kind != scalarSub {
			if n = b.semi(n, ref, not); n == nil {
				return nil
			}
			continue
		}
		var e expr.Expr
		if n, e = b.withSubqueries(n, c); n == nil {
			return nil
		}
		n = &Filter{Input: n, Cond: e}
	}
	return n
}

// semi keeps the rows for which EXISTS, IN or ANY holds, or with not those for which it does not.
func (b *Binder) semi(n Node, ref *subRef, not bool) Node {
	right, outs := ref.q.node, ref.q.outs
	if ref.kind != existsSub { // which needs no column
		if right, outs = ref.q.materialise(); right == nil {
			return b.notCorrelated(ref)
		}
	}
	width := len(n.Schema())
	var conds []expr.Expr
	nullable := false
	for i, l := range ref.left {
		r := expr.Shift(outs[i], width)
		conds = append(conds, mustCall(ref.op, l, r))
		nullable = nullable || !l.Type().NotNull || !r.Type().NotNull
	}
	kind := Semi
	switch {
	case ref.kind == allSub && not: // a row for which it is false
		conds = []expr.Expr{mustCall("NOT", and(conds))}
	case ref.kind == allSub: // no row for which it is false or unknown
		kind, conds = Anti, []expr.Expr{mustCall("IS NOT TRUE", and(conds))}
	case not && nullable && len(ref.q.conds) > 0: // of the rows that belong to this one: none for which it is true or unknown
		kind, conds = Anti, []expr.Expr{mustCall("IS NOT FALSE", and(conds))}
	case not && nullable:
		kind = NullAnti
	case not:
		kind = Anti
	}
	for _, c := range ref.q.conds {
		conds = append(conds, overBoth(c, width))
	}
	return &Join{Kind: kind, Left: n, Right: right, Cond: and(conds), Out: joinSchema(kind, n.Schema(), right.Schema())}
}

func (b *Binder) notCorrelated(ref *subRef) Node {
	b.notYet(ref.pos, "a subquery that computes with columns of the query around in its SELECT")
	return nil
}

// overBoth puts a condition of a subquery over the columns of both sides of a join, width of them on the left.
func overBoth(e expr.Expr, width int) expr.Expr {
	switch x := e.(type) {
	case *outer:
		if x.level == 1 {
			own := *x.col
			return &own
		}
		return &outer{x.level - 1, x.col}
	case *around:
		return x.e
	case *expr.Column:
		return &expr.Column{Index: x.Index + width, Of: x.Of, Name: x.Name}
	case *expr.Cast:
		return &expr.Cast{Arg: overBoth(x.Arg, width), Of: x.Of, Try: x.Try}
	case *expr.Call:
		args := make([]expr.Expr, len(x.Args))
		for i, a := range x.Args {
			args[i] = overBoth(a, width)
		}
		return &expr.Call{Func: x.Func, Args: args, Of: x.Of}
	}
	return e
}

// withSubqueries joins the subqueries of an expression to a node and puts columns in their places.
func (b *Binder) withSubqueries(n Node, e expr.Expr) (Node, expr.Expr) {
	switch x := e.(type) {
	case *subRef:
		return b.subColumn(n, x)
	case *expr.Cast:
		n, arg := b.withSubqueries(n, x.Arg)
		return n, &expr.Cast{Arg: arg, Of: x.Of, Try: x.Try}
	case *expr.Call:
		args := make([]expr.Expr, len(x.Args))
		for i, a := range x.Args {
			if n, args[i] = b.withSubqueries(n, a); n == nil {
				return nil, nil
			}
		}
		return n, &expr.Call{Func: x.Func, Args: args, Of: x.Of}
	}
	return n, e
}

// subColumn joins a subquery and gives its value.
func (b *Binder) subColumn(n Node, ref *subRef) (Node, expr.Expr) {
	switch ref.kind {
	case scalarSub:
		return b.scalar(n, ref)
	case existsSub, inSub:
		return b.mark(n, ref)
	}
	b.notYet(ref.pos, ref.op+" ANY|ALL of a subquery other than as a condition of its own")
	return nil, nil
}

// scalar left-joins the one row that a subquery has for each row.
func (b *Binder) scalar(n Node, ref *subRef) (Node, expr.Expr) {
	q := ref.q
	if !q.single {
		var ok bool
		if q, ok = q.aggregated(lookupSingleValue(), false); !ok {
			b.notYet(ref.pos, "a subquery for a value that compares with columns of the query around by more than =")
			return nil, nil
		}
	}
	right, outs := q.materialise()
	if right == nil {
		return b.notCorrelated(ref), nil
	}
	left := n.Schema()
	j := leftJoin(n, right, q.conds)
	value := retypeColumns(expr.Shift(outs[0], len(left)), j.Out)
	if q.empty == nil || isNull(q.empty[0]) {
		return j, value
	}
	// Without a row of its own an aggregate over nothing has a value all the same: COUNT is 0.
	marked := &Project{Input: right}
	for i, f := range right.Schema() {
		marked.Exprs = append(marked.Exprs, columnOf(right.Schema(), i))
		marked.Out = append(marked.Out, f)
	}
	marked.Exprs = append(marked.Exprs, trueLiteral())
	marked.Out = append(marked.Out, Field{"$found", trueLiteral().Of})
	j = leftJoin(n, marked, q.conds)
	found := columnOf(j.Out, len(j.Out)-1)
	value = retypeColumns(expr.Shift(outs[0], len(left)), j.Out)
	return j, mustCall("CASE", mustCall("IS NULL", found), expr.Coerce(q.empty[0], ref.of), value)
}

func isNull(e expr.Expr) bool {
	l, ok := e.(*expr.Literal)
	return ok && l.Value == nil
}

func trueLiteral() *expr.Literal {
	return &expr.Literal{Value: true, Of: column.Of(column.Boolean).Nullable(false)}
}

func leftJoin(n, right Node, conds []expr.Expr) *Join {
	width := len(n.Schema())
	var over []expr.Expr
	for _, c := range conds {
		over = append(over, overBoth(c, width))
	}
	return &Join{Kind: Left, Left: n, Right: right, Cond: and(over), Out: joinSchema(Left, n.Schema(), right.Schema())}
}

// retypeColumns gives columns the types of a schema: behind an outer join they can be NULL.
func retypeColumns(e expr.Expr, s Schema) expr.Expr {
	return expr.Map(e, func(c *expr.Column) expr.Expr { return columnOf(s, c.Index) })
}

// mark gives EXISTS and IN as a value: the rows of the subquery, each once, are left-joined; IN also needs to know whether there are rows at
// all and whether one is NULL.
func (b *Binder) mark(n Node, ref *subRef) (Node, expr.Expr) {
	q := ref.q
	refuse := func() (Node, expr.Expr) {
		b.notYet(ref.pos, "a subquery in this place that compares with columns of the query around by more than =")
		return nil, nil
	}
	count := expr.LookupAgg("COUNT")
	counted, ok := q.aggregated(count, true)
	if !ok {
		return refuse()
	}
	right, outs := counted.materialise()
	j := leftJoin(n, right, counted.conds)
	rows := retypeColumns(expr.Shift(outs[0], len(n.Schema())), j.Out)
	zero := &expr.Literal{Value: int64(0), Of: column.Of(column.BigInt).Nullable(false)}
	some := mustCall(">", mustCall("COALESCE", rows, zero), zero)
	if ref.kind == existsSub {
		return j, some
	}
	hits := *q
	for i, l := range ref.left {
		hits.conds = append(hits.conds[:len(hits.conds):len(hits.conds)], mustCall("=", q.outs[i], asAround(l)))
	}
	grouped, ok := hits.aggregated(count, true)
	if !ok {
		return refuse()
	}
	right, hitOuts := grouped.materialise()
	k := leftJoin(j, right, grouped.conds)
	hit := mustCall("IS NOT NULL", retypeColumns(expr.Shift(hitOuts[0], len(j.Out)), k.Out))
	unknown := &expr.Literal{Of: column.Of(column.Boolean)}
	args := []expr.Expr{mustCall("NOT", some), falseLiteral(), hit, trueLiteral()}
	for i, l := range ref.left {
		if !l.Type().NotNull {
			args = append(args, mustCall("IS NULL", l), unknown)
		}
		if !q.outs[i].Type().NotNull {
			known := retypeColumns(expr.Shift(outs[1+i], len(n.Schema())), k.Out)
			args = append(args, mustCall("<", known, rows), unknown)
		}
	}
	return k, mustCall("CASE", append(args, falseLiteral())...)
}

func falseLiteral() *expr.Literal {
	return &expr.Literal{Value: false, Of: column.Of(column.Boolean).Nullable(false)}
}

func asAround(e expr.Expr) expr.Expr { return &around{e} }

// lookupSingleValue is the aggregate that fails if there is more than one row.
func lookupSingleValue() *expr.Agg {
	if f := expr.LookupAgg("SINGLE_VALUE"); f != nil {
		return f
	}
	return &expr.Agg{Name: "SINGLE_VALUE", Resolve: expr.LookupAgg("MAX").Resolve}
}
