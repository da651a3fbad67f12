package plan

import (
	"slices"

	"github.com/flottio/flott/sql/internal/expr"
)

// pulled is a subquery without what it reads of the query around: that is in its conditions and output expressions, which are over the
// node's columns and those of the query around (outer, around).
type pulled struct {
	node  Node
	outs  []expr.Expr
	conds []expr.Expr
	// single: at most one row for each row of the query around.
	single bool
	// empty are the values of outs where the query has no row, for aggregates without GROUP BY; nil: it has none then.
	empty []expr.Expr
}

// pullUp takes out of a node what reads the query around. why is not empty where that is not possible.
func pullUp(n Node) (p *pulled, why string) {
	if !readsOuter(n) {
		p = &pulled{node: n, single: atMostOne(n)}
		for i := range n.Schema() {
			p.outs = append(p.outs, columnOf(n.Schema(), i))
		}
		p.empty = emptyValues(n)
		return p, ""
	}
	switch n := n.(type) {
	case *Filter:
		return pullFilter(n)
	case *Project:
		if p, why = pullUp(n.Input); why != "" {
			return nil, why
		}
		return p.project(n.Exprs), ""
	case *Aggregate:
		return pullAggregate(n)
	case *Sort:
		return pullSort(n)
	case *Join:
		return pullJoin(n)
	}
	return nil, "in this place"
}

// readsOuter reports whether a node or what is below it reads the query around.
func readsOuter(n Node) bool {
	for _, e := range nodeExprs(n) {
		if hasOuter(e) {
			return true
		}
	}
	return slices.ContainsFunc(n.Inputs(), readsOuter)
}

func nodeExprs(n Node) []expr.Expr {
	switch n := n.(type) {
	case *Filter:
		return []expr.Expr{n.Cond}
	case *Project:
		return n.Exprs
	case *Join:
		if n.Cond != nil {
			return []expr.Expr{n.Cond}
		}
	case *TemporalJoin:
		return []expr.Expr{n.Cond}
	case *Correlate:
		return n.Args
	case *Values:
		return slices.Concat(n.Rows...)
	}
	return nil
}

// atMostOne reports whether a node surely has at most one row.
func atMostOne(n Node) bool {
	switch n := n.(type) {
	case *Aggregate:
		return len(n.Keys) == 0 && n.Sets == nil
	case *Project, *Filter:
		return atMostOne(n.Inputs()[0])
	case *Sort:
		return n.Fetch == 1 || n.Fetch == 0 || atMostOne(n.Input)
	case *Values:
		return len(n.Rows) <= 1
	}
	return false
}

// emptyValues are what an aggregate without GROUP BY gives for no rows; nil for other nodes.
func emptyValues(n Node) []expr.Expr {
	switch n := n.(type) {
	case *Aggregate:
		if len(n.Keys) > 0 || n.Sets != nil {
			return nil
		}
		var out []expr.Expr
		for _, c := range n.Calls {
			out = append(out, emptyResult(c))
		}
		return out
	case *Project:
		in := emptyValues(n.Input)
		if in == nil {
			return nil
		}
		out := make([]expr.Expr, len(n.Exprs))
		for i, e := range n.Exprs {
			out[i] = expr.Map(e, func(c *expr.Column) expr.Expr { return in[c.Index] })
		}
		return out
	}
	return nil
}

func emptyResult(c AggCall) expr.Expr {
	switch c.Func.Name {
	case "COUNT", "APPROX_COUNT_DISTINCT", "$SUM0":
		return &expr.Literal{Value: int64(0), Of: c.Of}
	}
	return &expr.Literal{Of: c.Of.Nullable(true)}
}

// project puts expressions over the node's output expressions over what is below.
func (p *pulled) project(exprs []expr.Expr) *pulled {
	q := *p
	q.outs = make([]expr.Expr, len(exprs))
	for i, e := range exprs {
		q.outs[i] = p.over(e)
	}
	if p.empty != nil {
		q.empty = make([]expr.Expr, len(exprs))
		for i, e := range exprs {
			q.empty[i] = expr.Map(e, func(c *expr.Column) expr.Expr { return p.empty[c.Index] })
		}
	}
	return &q
}

// over puts an expression over outs over the node's columns.
func (p *pulled) over(e expr.Expr) expr.Expr {
	return expr.Map(e, func(c *expr.Column) expr.Expr { return p.outs[c.Index] })
}

func pullFilter(n *Filter) (*pulled, string) {
	p, why := pullUp(n.Input)
	if why != "" {
		return nil, why
	}
	if p.empty != nil {
		return nil, "in HAVING"
	}
	q := *p
	var own []expr.Expr
	for _, c := range expr.Conjuncts(n.Cond) {
		if c = p.over(c); hasOuter(c) {
			q.conds = append(q.conds[:len(q.conds):len(q.conds)], c)
		} else {
			own = append(own, c)
		}
	}
	if len(own) > 0 {
		q.node = &Filter{Input: p.node, Cond: and(own)}
	}
	return &q, ""
}

// equalities splits conditions of the form own = around. ok is false if there is another one.
func (p *pulled) equalities() (own, other []expr.Expr, ok bool) {
	for _, c := range p.conds {
		call, isCall := c.(*expr.Call)
		if !isCall || call.Func.Name != "=" {
			return nil, nil, false
		}
		l, r := call.Args[0], call.Args[1]
		if readsAround(l) {
			l, r = r, l
		}
		if readsAround(l) || readsOwn(r) {
			return nil, nil, false
		}
		own, other = append(own, l), append(other, r)
	}
	return own, other, true
}

// readsAround reports whether an expression of a subquery reads the query around.
func readsAround(e expr.Expr) bool {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		switch e.(type) {
		case *outer, *around:
			found = true
		}
		return !found
	})
	return found
}

func readsOwn(e expr.Expr) bool { return len(expr.Columns(e)) > 0 }

// keyed gives a node with the output expressions and, behind them, what the conditions compare, as columns. The conditions are over
// those columns then.
func (p *pulled) keyed() (n Node, keys []int, conds []expr.Expr, ok bool) {
	own, other, ok := p.equalities()
	if !ok || slices.ContainsFunc(p.outs, readsAround) {
		return nil, nil, nil, false
	}
	n, places := narrow(p.node, slices.Concat(p.outs, own))
	if !slices.Equal(places[:len(p.outs)], ascending(len(p.outs))) { // columns in place: outs are the first
		n, places = projected(p.node, slices.Concat(p.outs, own))
	}
	keys = places[len(p.outs):]
	s := n.Schema()
	for i, k := range keys {
		conds = append(conds, mustCall("=", columnOf(s, k), other[i]))
	}
	return n, keys, conds, true
}

func ascending(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// projected is a projection of exactly the expressions.
func projected(n Node, exprs []expr.Expr) (Node, []int) {
	p := &Project{Input: n}
	for _, e := range exprs {
		name := "$f"
		if c, ok := e.(*expr.Column); ok {
			name = c.Name
		}
		p.Exprs = append(p.Exprs, e)
		p.Out = append(p.Out, Field{name, e.Type()})
	}
	return p, ascending(len(exprs))
}

// pullAggregate groups by what is compared with the query around as well.
func pullAggregate(n *Aggregate) (*pulled, string) {
	p, why := pullUp(n.Input)
	if why != "" {
		return nil, why
	}
	in, keys, _, ok := p.keyed()
	if !ok || n.Sets != nil {
		return nil, "below an aggregate, by more than ="
	}
	_, other, _ := p.equalities()
	a := &Aggregate{Input: in, Calls: n.Calls}
	s := in.Schema()
	a.Keys = slices.Concat(n.Keys, keys)
	for _, k := range a.Keys {
		a.Out = append(a.Out, s[k])
	}
	for _, c := range n.Calls {
		a.Out = append(a.Out, Field{c.Name, c.Of})
	}
	q := &pulled{node: a, single: len(n.Keys) == 0}
	for i := range n.Keys {
		q.outs = append(q.outs, columnOf(a.Out, i))
	}
	for i := range keys {
		q.conds = append(q.conds, mustCall("=", columnOf(a.Out, len(n.Keys)+i), other[i]))
	}
	for i := range n.Calls {
		q.outs = append(q.outs, columnOf(a.Out, len(a.Keys)+i))
	}
	if q.single {
		q.empty = emptyValues(n)
	}
	return q, ""
}

// pullSort: the order of a subquery counts only with LIMIT, and then for the rows of each row of the query around: a Rank.
func pullSort(n *Sort) (*pulled, string) {
	p, why := pullUp(n.Input)
	if why != "" {
		return nil, why
	}
	if n.Fetch < 0 && n.Offset == 0 {
		return p, ""
	}
	in, keys, conds, ok := p.keyed()
	if !ok || n.Fetch < 0 {
		return nil, "below LIMIT, by more than ="
	}
	r := &Rank{Input: in, Partition: keys, Order: n.Keys, From: n.Offset + 1, To: n.Offset + n.Fetch, ToColumn: -1, Out: in.Schema()}
	q := &pulled{node: r, conds: conds, single: n.Fetch <= 1}
	for i := range p.outs {
		q.outs = append(q.outs, columnOf(r.Out, i))
	}
	return q, ""
}

func pullJoin(n *Join) (*pulled, string) {
	if n.Cond != nil && hasOuter(n.Cond) && n.Kind != Inner || (n.Kind == Right || n.Kind == Full) {
		return nil, "in an outer join"
	}
	l, why := pullUp(n.Left)
	if why != "" {
		return nil, why
	}
	r, why := pullUp(n.Right)
	if why != "" {
		return nil, why
	}
	if n.Kind != Inner && (len(r.conds) > 0 || slices.ContainsFunc(r.outs, readsAround)) {
		return nil, "on the right side of an outer join"
	}
	width := len(l.node.Schema())
	j := &Join{Kind: n.Kind, Left: l.node, Right: r.node, TTL: n.TTL, Out: joinSchema(n.Kind, l.node.Schema(), r.node.Schema())}
	q := &pulled{node: j, conds: l.conds}
	q.outs = append(q.outs, l.outs...)
	if len(n.Out) > len(n.Left.Schema()) {
		for _, e := range r.outs {
			q.outs = append(q.outs, retypeColumns(expr.Shift(e, width), j.Out))
		}
	}
	for _, c := range r.conds {
		q.conds = append(q.conds[:len(q.conds):len(q.conds)], expr.Shift(c, width))
	}
	if n.Cond == nil {
		return q, ""
	}
	both := slices.Clone(l.outs)
	for _, e := range r.outs {
		both = append(both, expr.Shift(e, width))
	}
	var own []expr.Expr
	for _, c := range expr.Conjuncts(n.Cond) {
		c = expr.Map(c, func(c *expr.Column) expr.Expr { return both[c.Index] })
		if hasOuter(c) {
			q.conds = append(q.conds[:len(q.conds):len(q.conds)], c)
		} else {
			own = append(own, c)
		}
	}
	j.Cond = and(own)
	return q, ""
}

// materialise gives a node with columns for the output expressions; nil if they read the query around. The node's own columns come first, so
// that conditions stay what they are.
func (p *pulled) materialise() (Node, []expr.Expr) {
	if slices.ContainsFunc(p.outs, readsAround) {
		return nil, nil
	}
	n, places := extend(p.node, p.outs)
	outs := make([]expr.Expr, len(places))
	for i, at := range places {
		outs[i] = columnOf(n.Schema(), at)
	}
	return n, outs
}

// aggregated groups by what is compared with the query around and computes f over each output expression; with rows, f without arguments
// comes first.
func (p *pulled) aggregated(f *expr.Agg, rows bool) (*pulled, bool) {
	in, keys, conds, ok := p.keyed()
	if !ok {
		return nil, false
	}
	_, other, _ := p.equalities()
	s := in.Schema()
	a := &Aggregate{Input: in, Keys: keys}
	for _, k := range keys {
		a.Out = append(a.Out, s[k])
	}
	add := func(args ...int) {
		view := make([]expr.Arg, len(args))
		for i, c := range args {
			view[i].Type = s[c].Type
		}
		sig, err := f.Resolve(view)
		if err != nil {
			panic("BUG: plan: " + f.Name + ": " + err.Error())
		}
		a.Calls = append(a.Calls, AggCall{Func: f, Args: args, Filter: -1, Of: sig.Result, Name: f.Name})
		a.Out = append(a.Out, Field{f.Name, sig.Result})
	}
	if rows {
		add()
	}
	for i := range p.outs {
		add(i)
	}
	q := &pulled{node: a, single: true}
	for i := range conds {
		q.conds = append(q.conds, mustCall("=", columnOf(a.Out, i), other[i]))
	}
	for i := range a.Calls {
		q.outs = append(q.outs, columnOf(a.Out, len(keys)+i))
	}
	return q, true
}
