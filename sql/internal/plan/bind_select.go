package plan

import (
	"fmt"
	"slices"

	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/expr"
)

// selected is a SELECT while it is bound: its expressions are first over what FROM gives, then over each node that is put on top.
type selected struct {
	b     *Binder
	scope *scope
	node  Node
	group *grouping
	overs *overs

	items   []named
	having  expr.Expr
	qualify expr.Expr
	order   []orderKey
}

// selectQuery binds SELECT with the ORDER BY behind it.
func (b *Binder) selectQuery(x *ast.Select, order []ast.OrderItem, parent *scope) Node {
	rel := b.fromClause(x, parent)
	if rel != nil && x.Where != nil {
		if cond := b.newScope(rel, parent).condition(x.Where, "WHERE"); cond != nil {
			rel = b.where(rel, cond)
		}
	}
	if rel == nil {
		return nil
	}
	s := &selected{b: b, node: rel.node, group: newGrouping(), overs: &overs{}}
	s.scope = b.newScope(rel, parent)
	s.scope.windows = x.Windows
	known := len(b.errs)
	s.bindItems(x)
	if x.GroupBy != nil {
		s.bindGroupBy(x.GroupBy)
	}
	s.bindRest(x, order)
	if len(b.errs) > known {
		return nil
	}
	return s.build(x.Distinct)
}

func (b *Binder) fromClause(x *ast.Select, parent *scope) *relation {
	if x.From == nil {
		one := &Values{Rows: [][]expr.Expr{{}}}
		return &relation{node: one}
	}
	before := b.ttl
	b.stateHints(x.Hints)
	rel := b.from(x.From, parent, nil)
	b.ttl = before
	return rel
}

// bindItems binds the SELECT list; every item, even if one is wrong.
func (s *selected) bindItems(x *ast.Select) {
	in := s.scope.in("SELECT")
	in.group, in.overs = s.group, s.overs
	s.group.scope = in
	if x.GroupBy != nil { // TUMBLE_START and its like need the window first
		s.bindWindow(x.GroupBy)
		in = s.scope.in("SELECT")
		in.group, in.overs = s.group, s.overs
	}
	for i, item := range x.Items {
		if star, ok := item.X.(*ast.Star); ok {
			s.items = append(s.items, in.star(star)...)
			continue
		}
		e := in.expr(item.X)
		if e == nil {
			e = nullLiteral()
		}
		s.items = append(s.items, named{itemName(item, i), e})
	}
}

func itemName(item ast.SelectItem, i int) string {
	if item.Alias.Text != "" {
		return item.Alias.Text
	}
	switch x := item.X.(type) {
	case *ast.Ident:
		return x.Parts.Last().Text
	case *ast.FieldAccess:
		return x.Name.Text
	}
	return fmt.Sprintf("EXPR$%d", i)
}

// star is the columns of *, t.* and (row).*.
func (s *scope) star(x *ast.Star) []named {
	if x.X != nil {
		return s.rowStar(s.expr(x.X), x.Pos)
	}
	if s.rel == nil || len(s.rel.sources) == 0 && len(x.Of) == 0 {
		s.b.failf(x.Pos, "* needs tables in FROM")
		return nil
	}
	var cols []named
	switch {
	case len(x.Of) == 0:
		cols = s.rel.columns
	default:
		var ok bool
		if cols, ok = s.starOf(x); !ok {
			if _, n := lookup(s.rel.columns, x.Of[0].Text); n == 0 { // no row either: a table is missing
				s.unknownName(&ast.Ident{Pos: x.Pos, Parts: append(x.Of[:len(x.Of):len(x.Of)], ast.Name{})})
				return nil
			}
			return s.rowStar(s.expr(&ast.Ident{Pos: x.Pos, Parts: x.Of}), x.Pos)
		}
	}
	out := make([]named, len(cols))
	for i, c := range cols {
		out[i] = named{c.name, s.mark(c.x, 0, x.Pos)}
	}
	return out
}

func (s *scope) starOf(x *ast.Star) ([]named, bool) {
	for _, src := range s.rel.sources {
		path := append(x.Of[:len(x.Of):len(x.Of)], ast.Name{})
		if src.matches(path) == len(x.Of) {
			return src.columns, true
		}
	}
	return nil, false
}

// rowStar is the fields of a row.
func (s *scope) rowStar(e expr.Expr, pos ast.Pos) []named {
	if e == nil {
		return nil
	}
	t := e.Type()
	if len(t.Fields) == 0 {
		s.b.failf(pos, ".* needs a ROW, got %s", t)
		return nil
	}
	out := make([]named, len(t.Fields))
	for i, f := range t.Fields {
		out[i] = named{f.Name, fieldOf(e, i)}
	}
	return out
}

// bindRest binds HAVING, QUALIFY and ORDER BY.
func (s *selected) bindRest(x *ast.Select, order []ast.OrderItem) {
	if x.Having != nil {
		in := s.scope.in("HAVING")
		in.group, in.aliases = s.group, s.items
		s.group.used = true
		s.having = in.condition(x.Having, "HAVING")
	}
	if x.Qualify != nil {
		in := s.scope.in("QUALIFY")
		in.group, in.overs, in.aliases = s.group, s.overs, s.items
		s.qualify = in.condition(x.Qualify, "QUALIFY")
	}
	for _, it := range order {
		if e := s.orderBy(it); e != nil {
			s.order = append(s.order, orderKeyOf(e, it))
		}
	}
}

// orderBy is an ordinal, an alias, or an expression over the tables; aliases can be parts of it.
func (s *selected) orderBy(it ast.OrderItem) expr.Expr {
	out := make(Schema, len(s.items))
	for i, n := range s.items {
		out[i] = Field{n.name, n.x.Type()}
	}
	if e := s.b.ordinal(it, out); e != nil {
		if c, ok := e.(*expr.Column); ok {
			return s.items[c.Index].x
		}
		return nil
	}
	if id, ok := it.X.(*ast.Ident); ok && len(id.Parts) == 1 {
		for _, n := range s.items {
			if n.name == id.Parts[0].Text {
				return n.x
			}
		}
	}
	in := s.scope.in("ORDER BY")
	in.group, in.overs, in.aliases = s.group, s.overs, s.items
	return in.expr(it.X)
}

// build puts the nodes on top of each other: aggregate, HAVING, window functions, QUALIFY, projection, DISTINCT, sort.
func (s *selected) build(distinct bool) Node {
	if s.group.active() {
		s.aggregate()
		if s.having != nil && len(s.b.errs) == 0 {
			s.filter(&s.having)
		}
	}
	if len(s.b.errs) > 0 {
		return nil
	}
	s.planSubqueries()
	if len(s.overs.calls) > 0 {
		s.window()
	}
	if s.qualify != nil {
		s.filter(&s.qualify)
	}
	if s.node == nil {
		return nil
	}
	return s.project(distinct)
}

// filter keeps the rows for which a condition holds. It may have subqueries, which become joins.
func (s *selected) filter(cond *expr.Expr) {
	if s.node == nil {
		return
	}
	n := len(s.node.Schema())
	if s.node = s.b.filter(s.node, *cond); s.node != nil {
		s.node = firstColumns(s.node, n)
	}
	*cond = nil
}

// each applies f to every expression that is still to be computed.
func (s *selected) each(f func(expr.Expr) expr.Expr) {
	for i := range s.items {
		s.items[i].x = f(s.items[i].x)
	}
	for i := range s.order {
		s.order[i].e = f(s.order[i].e)
	}
	if s.having != nil {
		s.having = f(s.having)
	}
	if s.qualify != nil {
		s.qualify = f(s.qualify)
	}
	for _, c := range s.overs.calls {
		c.each(f)
	}
}

// planSubqueries makes joins of the subqueries in SELECT and ORDER BY.
func (s *selected) planSubqueries() {
	s.each(func(e expr.Expr) expr.Expr {
		if s.node == nil || len(subqueriesOf(e)) == 0 || e == s.qualify {
			return e
		}
		var out expr.Expr
		s.node, out = s.b.withSubqueries(s.node, e)
		return out
	})
}

func (s *selected) project(distinct bool) Node {
	p := &Project{Input: s.node}
	for _, it := range s.items {
		p.Exprs = append(p.Exprs, it.x)
		p.Out = append(p.Out, Field{it.name, it.x.Type()})
	}
	places := make([]int, len(s.order))
	for i, k := range s.order {
		text := k.e.String()
		places[i] = slices.IndexFunc(p.Exprs, func(e expr.Expr) bool { return e.String() == text })
		if places[i] >= 0 {
			continue
		}
		if distinct {
			s.b.failf(ast.Pos{}, "ORDER BY of SELECT DISTINCT can only use what is selected")
			return nil
		}
		places[i] = len(p.Exprs)
		p.Exprs = append(p.Exprs, k.e)
		p.Out = append(p.Out, Field{fmt.Sprintf("$f%d", places[i]), k.e.Type()})
	}
	var n Node = p
	if p.identity() {
		n = s.node
	}
	if distinct {
		n = distinctOf(n)
	}
	if len(s.order) > 0 {
		n = &Sort{Input: n, Keys: sortKeys(s.order, places), Fetch: -1}
	}
	return firstColumns(n, len(s.items))
}

// identity reports whether a projection passes all columns as they are.
func (n *Project) identity() bool {
	in := n.Input.Schema()
	if len(in) != len(n.Exprs) {
		return false
	}
	for i, e := range n.Exprs {
		if c, ok := e.(*expr.Column); !ok || c.Index != i || n.Out[i].Name != in[i].Name {
			return false
		}
	}
	return true
}

// distinctOf groups by all columns.
func distinctOf(n Node) Node {
	in := n.Schema()
	a := &Aggregate{Input: n, Out: withoutAttributes(in)}
	for i := range in {
		a.Keys = append(a.Keys, i)
	}
	return a
}

func withoutAttributes(in Schema) Schema {
	out := append(Schema(nil), in...)
	if !hasWindow(in) {
		for i := range out {
			out[i].Type.Attribute = 0
		}
	}
	return out
}

// hasWindow reports whether the columns have a window's start and end: grouping by them keeps its time an attribute.
func hasWindow(s Schema) bool {
	start := slices.ContainsFunc(s, func(f Field) bool { return f.Name == "window_start" })
	return start && slices.ContainsFunc(s, func(f Field) bool { return f.Name == "window_end" })
}

// where puts a condition on a relation.
func (b *Binder) where(rel *relation, cond expr.Expr) *relation {
	n := b.filter(rel.node, cond)
	if n == nil {
		return nil
	}
	out := *rel
	out.node = firstColumns(n, len(rel.node.Schema()))
	return &out
}
