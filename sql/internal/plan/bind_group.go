package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/expr"
)

// grouping is the GROUP BY and the aggregates of a SELECT while it is bound.
type grouping struct {
	scope *scope
	used  bool // GROUP BY or HAVING stands there
	keys  []expr.Expr
	names []string
	sets  [][]int // nil: one set of all keys
	calls []*call
	// window is that of GROUP BY TUMBLE(...) and its like.
	window *groupWindow
}

// call is an aggregate or window function over expressions.
type call struct {
	f        *expr.Agg
	args     []expr.Expr
	distinct bool
	filter   expr.Expr
	order    []orderKey
	of       column.Type
	pos      ast.Pos
	// Of window functions.
	partition []expr.Expr
	frame     Frame
}

func newGrouping() *grouping { return &grouping{} }

func (g *grouping) active() bool { return g.used || len(g.calls) > 0 || len(g.keys) > 0 }

// aggRef stands for the result of an aggregate until there is a column for it.
type aggRef struct {
	n  int
	of column.Type
}

// Type implements expr.Expr.
func (a *aggRef) Type() column.Type { return a.of }

// String implements expr.Expr.
func (a *aggRef) String() string { return fmt.Sprintf("aggregate%d", a.n) }

// Grouping, GroupingID and GroupID are calls of an Aggregate with Sets, whose arguments are keys: a bit is set for each one that the set of
// the row leaves out. GroupID numbers sets that are written several times.
var (
	Grouping   = &expr.Agg{Name: "GROUPING", Resolve: resolveGrouping}
	GroupingID = &expr.Agg{Name: "GROUPING_ID", Resolve: resolveGrouping}
	GroupID    = &expr.Agg{Name: "GROUP_ID", Resolve: resolveGrouping}
)

func resolveGrouping(args []expr.Arg) (expr.Signature, error) {
	sig := expr.Signature{Result: column.Of(column.BigInt).Nullable(false)}
	for _, a := range args {
		sig.Args = append(sig.Args, a.Type)
	}
	return sig, nil
}

func lookupAgg(s *scope, x *ast.Call) *expr.Agg {
	name := upper(x.Func)
	if f := s.b.Session.Function(x.Func); f != nil && f.Agg != nil {
		return f.Agg
	}
	switch name {
	case "GROUPING":
		return Grouping
	case "GROUPING_ID":
		return GroupingID
	case "GROUP_ID":
		return GroupID
	case "JSON_OBJECTAGG", "JSON_ARRAYAGG":
		name = jsonAgg(name, x.JSON)
	}
	return expr.LookupAgg(name)
}

// aggregate binds a call of an aggregate function without OVER.
func (s *scope) aggregate(x *ast.Call, f *expr.Agg) expr.Expr {
	switch {
	case f.WindowOnly:
		s.b.failf(x.Pos, "%s needs OVER (...)", f.Name).Length = len(f.Name)
		return nil
	case s.inAgg:
		s.b.failf(x.Pos, "%s stands inside of another aggregate", f.Name).Length = len(f.Name)
		return nil
	case s.group == nil:
		e := s.b.failf(x.Pos, "the aggregate %s cannot stand in %s", f.Name, s.clause)
		e.Length = len(f.Name)
		if s.clause == "WHERE" {
			e.Hint = "conditions on aggregates belong into HAVING"
		}
		return nil
	}
	inside := *s
	inside.inAgg, inside.overs = true, nil
	c := inside.aggCall(x, f)
	if c == nil {
		return nil
	}
	text := c.text()
	for i, known := range s.group.calls {
		if known.text() == text {
			return &aggRef{i, known.of}
		}
	}
	s.group.calls = append(s.group.calls, c)
	return &aggRef{len(s.group.calls) - 1, c.of}
}

// aggCall binds the parts of a call.
func (s *scope) aggCall(x *ast.Call, f *expr.Agg) *call {
	c := &call{f: f, distinct: x.Distinct, pos: x.Pos}
	ok := true
	for _, a := range x.Args {
		if _, star := a.(*ast.Star); star {
			if f.Name != "COUNT" {
				s.b.failf(a.Position(), "%s(*): only COUNT takes *", f.Name)
				ok = false
			}
			continue
		}
		e := s.expr(a)
		ok = ok && e != nil
		c.args = append(c.args, e)
	}
	if x.Nulls == ast.IgnoreNulls {
		s.b.notYet(x.Pos, "IGNORE NULLS")
		ok = false
	}
	if x.Filter != nil {
		c.filter = s.condition(x.Filter, "FILTER")
		ok = ok && c.filter != nil
	}
	for _, it := range append(x.OrderBy[:len(x.OrderBy):len(x.OrderBy)], x.WithinGroup...) {
		e := s.expr(it.X)
		ok = ok && e != nil
		c.order = append(c.order, orderKeyOf(e, it))
	}
	if !ok {
		return nil
	}
	if f.Name == "COUNT" && len(c.args) == 0 && !slices.ContainsFunc(x.Args, func(a ast.Expr) bool { _, star := a.(*ast.Star); return star }) {
		s.b.failf(x.Pos, "COUNT() takes * or values").Length = len("COUNT")
		return nil
	}
	return s.resolveAgg(c)
}

// resolveAgg asks the function for types and casts the arguments.
func (s *scope) resolveAgg(c *call) *call {
	view := make([]expr.Arg, len(c.args))
	for i, a := range c.args {
		view[i].Type = a.Type()
		view[i].Literal, _ = a.(*expr.Literal)
	}
	sig, err := c.f.Resolve(view)
	if err != nil {
		s.b.failf(c.pos, "%s: %v", c.f.Name, err).Length = len(c.f.Name)
		return nil
	}
	for i := range c.args {
		c.args[i] = expr.Coerce(c.args[i], sig.Args[i])
	}
	c.of = sig.Result
	c.of.Attribute = column.NoAttribute
	return c
}

// text is what makes two calls the same.
func (c *call) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s(%v", c.f.Name, c.distinct)
	for _, a := range c.args {
		b.WriteString("," + a.String())
	}
	if c.filter != nil {
		b.WriteString(" FILTER " + c.filter.String())
	}
	for _, k := range c.order {
		fmt.Fprintf(&b, " BY %s %v %v", k.e, k.desc, k.nullsLast)
	}
	return b.String()
}

// each applies f to the expressions of a call.
func (c *call) each(f func(expr.Expr) expr.Expr) {
	for i := range c.args {
		c.args[i] = f(c.args[i])
	}
	for i := range c.partition {
		c.partition[i] = f(c.partition[i])
	}
	for i := range c.order {
		c.order[i].e = f(c.order[i].e)
	}
	if c.filter != nil {
		c.filter = f(c.filter)
	}
}

// bindGroupBy binds the keys.
func (s *selected) bindGroupBy(x *ast.GroupBy) {
	s.group.used = true
	in := s.scope.in("GROUP BY")
	in.aliases = s.items
	sets := [][]int{{}}
	several := false
	for _, item := range x.Items {
		part := s.groupItem(in, item)
		several = several || item.Kind != ast.GroupExpr
		var product [][]int
		for _, a := range sets {
			for _, b := range part {
				product = append(product, union(a, b))
			}
		}
		sets = product
		if len(sets) > maxGroupingSets {
			s.b.failf(item.Pos, "more than %d grouping sets", maxGroupingSets)
			return
		}
	}
	if several {
		all := len(sets) == 1 && len(sets[0]) == len(s.group.keys)
		if !all {
			s.group.sets = sets
		}
	}
}

const maxGroupingSets = 4096

func union(a, b []int) []int {
	out := slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

// groupItem returns the grouping sets that an item stands for.
func (s *selected) groupItem(in *scope, item ast.GroupItem) [][]int {
	switch item.Kind {
	case ast.GroupExpr, ast.GroupTuple:
		var set []int
		for _, x := range item.Exprs {
			set = union(set, s.groupKey(in, x))
		}
		for _, it := range item.Items {
			for _, part := range s.groupItem(in, it) {
				set = union(set, part)
			}
		}
		return [][]int{set}
	case ast.Sets:
		var out [][]int
		for _, it := range item.Items {
			out = append(out, s.groupItem(in, it)...)
		}
		return out
	}
	var parts [][]int
	for _, it := range item.Items {
		if part := s.groupItem(in, it); len(part) > 0 {
			parts = append(parts, part[0])
		}
	}
	if item.Kind == ast.Rollup {
		out := [][]int{}
		for n := len(parts); n >= 0; n-- {
			var set []int
			for _, p := range parts[:n] {
				set = union(set, p)
			}
			out = append(out, set)
		}
		return out
	}
	if 1<<len(parts) > maxGroupingSets {
		s.b.failf(item.Pos, "CUBE of %d expressions has more than %d grouping sets", len(parts), maxGroupingSets)
		return nil
	}
	return cube(parts)
}

func cube(parts [][]int) [][]int {
	var out [][]int
	for mask := 1<<len(parts) - 1; mask >= 0; mask-- {
		var set []int
		for i, p := range parts {
			if mask>>(len(parts)-1-i)&1 == 1 {
				set = union(set, p)
			}
		}
		out = append(out, set)
	}
	return out
}

// groupKey adds an expression to the keys and returns its place; a window is several keys.
func (s *selected) groupKey(in *scope, x ast.Expr) []int {
	if c, ok := x.(*ast.Call); ok && isGroupWindow(c) {
		return s.windowKeys()
	}
	if items := rowItems(x); items != nil {
		var set []int
		for _, it := range items {
			set = union(set, s.groupKey(in, it))
		}
		return set
	}
	e := in.expr(x)
	if e == nil {
		return nil
	}
	return []int{s.group.addKey(e)}
}

func (g *grouping) addKey(e expr.Expr) int {
	text := e.String()
	for i, k := range g.keys {
		if k.String() == text {
			return i
		}
	}
	g.keys = append(g.keys, e)
	return len(g.keys) - 1
}

// aggregate builds the Aggregate and puts the other expressions over its columns.
func (s *selected) aggregate() {
	g := s.group
	before := s.node
	exprs := slices.Clone(g.keys)
	for _, c := range g.calls {
		exprs = append(exprs, c.args...)
		exprs = append(exprs, orderExprs(c.order)...)
		if c.filter != nil {
			exprs = append(exprs, c.filter)
		}
	}
	for i, e := range exprs {
		if len(subqueriesOf(e)) > 0 {
			s.b.notYet(subqueriesOf(e)[0].pos, "a subquery inside of an aggregate or GROUP BY")
			return
		}
		exprs[i] = e
	}
	if !s.checkGrouping() {
		return
	}
	in, places := narrow(s.node, exprs)
	a := &Aggregate{Input: in, Keys: places[:len(g.keys)], Sets: g.sets}
	s.keyFields(a)
	places = places[len(g.keys):]
	for _, c := range g.calls {
		var ac AggCall
		ac, places = c.over(places)
		a.Calls = append(a.Calls, ac)
		a.Out = append(a.Out, Field{ac.Name, ac.Of})
	}
	s.node = a
	s.each(func(e expr.Expr) expr.Expr { return s.regroup(e, a.Out, before.Schema()) })
}

// checkGrouping refuses GROUPING(x) of what is no key.
func (s *selected) checkGrouping() bool {
	ok := true
	for _, c := range s.group.calls {
		if c.f != Grouping && c.f != GroupingID {
			continue
		}
		for _, a := range c.args {
			text := a.String()
			if !slices.ContainsFunc(s.group.keys, func(k expr.Expr) bool { return k.String() == text }) {
				s.b.failf(c.pos, "%s takes expressions of GROUP BY", c.f.Name).Length = len(c.f.Name)
				ok = false
			}
		}
	}
	return ok
}

func (s *selected) keyFields(a *Aggregate) {
	in := a.Input.Schema()
	var out Schema
	for i, k := range a.Keys {
		f := in[k]
		if slices.ContainsFunc(a.Sets, func(set []int) bool { return !slices.Contains(set, i) }) {
			f.Type.NotNull = false
		}
		out = append(out, f)
	}
	a.Out = withoutAttributes(out)
}

// over puts a call over columns: args, order and filter are the first of places, which it returns the rest of.
func (c *call) over(places []int) (AggCall, []int) {
	ac := AggCall{Func: c.f, Args: places[:len(c.args)], Distinct: c.distinct, Filter: -1, Of: c.of, Name: c.f.Name}
	places = places[len(c.args):]
	ac.Order = sortKeys(c.order, places)
	places = places[len(c.order):]
	if c.filter != nil {
		ac.Filter = places[0]
		places = places[1:]
	}
	if len(ac.Order) == 0 {
		ac.Order = nil
	}
	return ac, places
}

// narrow projects exactly what is needed, unless all of it are columns; it says where each expression is.
func narrow(n Node, exprs []expr.Expr) (Node, []int) {
	places := make([]int, len(exprs))
	plain := true
	for i, e := range exprs {
		c, ok := e.(*expr.Column)
		if plain = plain && ok; plain {
			places[i] = c.Index
		}
	}
	if plain {
		return n, places
	}
	p := &Project{Input: n}
	known := map[string]int{}
	in := n.Schema()
	for i, e := range exprs {
		text := e.String()
		at, ok := known[text]
		if !ok {
			at = len(p.Exprs)
			known[text] = at
			p.Exprs = append(p.Exprs, e)
			name := fmt.Sprintf("$f%d", at)
			if c, ok := e.(*expr.Column); ok {
				name = in[c.Index].Name
			} else if c, ok := e.(*expr.Call); ok && isField(c) {
				name = c.Args[0].Type().Fields[fieldIndex(c)].Name
			}
			p.Out = append(p.Out, Field{name, e.Type()})
		}
		places[i] = at
	}
	return p, places
}

// regroup puts an expression over the columns of the aggregate.
func (s *selected) regroup(e expr.Expr, out, before Schema) expr.Expr {
	text := e.String()
	for i, k := range s.group.keys {
		if k.String() == text {
			return columnOf(out, i)
		}
	}
	switch x := e.(type) {
	case *aggRef:
		return columnOf(out, len(s.group.keys)+x.n)
	case *windowRef:
		return s.group.windowColumn(x, out)
	case *subRef:
		return x.mapOuter(func(e expr.Expr) expr.Expr { return s.regroup(e, out, before) })
	case *expr.Column:
		pos := s.scope.pos[x]
		e := s.b.failf(pos, "the column %s is neither in GROUP BY nor inside of an aggregate", before[x.Index].Name)
		e.Length = len(before[x.Index].Name)
		return nullLiteral()
	case *expr.Cast:
		return &expr.Cast{Arg: s.regroup(x.Arg, out, before), Of: x.Of, Try: x.Try}
	case *expr.Call:
		args := make([]expr.Expr, len(x.Args))
		for i, a := range x.Args {
			args[i] = s.regroup(a, out, before)
		}
		return recall(x, args)
	}
	return e
}

// recall is a call with other arguments. A key that some grouping sets leave out can be NULL, so that the call may be too.
func recall(x *expr.Call, args []expr.Expr) expr.Expr {
	lost := false
	for i, a := range args {
		lost = lost || x.Args[i].Type().NotNull && !a.Type().NotNull
	}
	of := x.Of
	if lost && isField(x) {
		of.NotNull = false
	} else if lost {
		if c, err := expr.NewCall(x.Func, args...); err == nil {
			of.NotNull = c.Of.NotNull
		}
	}
	return &expr.Call{Func: x.Func, Args: args, Of: of}
}
