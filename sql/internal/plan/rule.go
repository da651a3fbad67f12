package plan

import (
	"slices"

	"github.com/flottio/flott/sql/internal/expr"
)

// Optimize makes a plan with the same rows: conditions as far down as they go, Top-N where ROW_NUMBER is limited, columns and fields of nested rows
// only where somebody reads them.
func Optimize(root Node) Node {
	n := pushDown(root, nil)
	n = mergeAll(n)
	n, _ = prune(n, wholeOf(n.Schema()))
	n = mergeAll(n)
	return pushIntoScans(n)
}

// rewriteInputs applies f to the inputs of a node.
func rewriteInputs(n Node, f func(Node) Node) Node {
	in := n.Inputs()
	out := make([]Node, len(in))
	changed := false
	for i, x := range in {
		out[i] = f(x)
		changed = changed || out[i] != x
	}
	if !changed {
		return n
	}
	return n.With(out...)
}

// conjunction joins conditions with AND; nil for none.
func conjunction(conds []expr.Expr) expr.Expr {
	var out expr.Expr
	for _, c := range conds {
		if out == nil {
			out = c
			continue
		}
		t := c.Type()
		t.NotNull = t.NotNull && out.Type().NotNull
		out = &expr.Call{Func: expr.And, Args: []expr.Expr{out, c}, Of: t}
	}
	return out
}

// filtered puts conditions above a node. TRUE is left out.
func filtered(n Node, conds []expr.Expr) Node {
	conds = slices.DeleteFunc(slices.Clone(conds), func(e expr.Expr) bool {
		l, ok := e.(*expr.Literal)
		return ok && l.Value == true
	})
	if len(conds) == 0 {
		return n
	}
	return &Filter{Input: n, Cond: conjunction(conds)}
}

func conjuncts(e expr.Expr) []expr.Expr {
	if e == nil {
		return nil
	}
	return expr.Conjuncts(e)
}

// steady reports whether an expression gives the same value whenever and however often it is computed.
func steady(e expr.Expr) bool {
	ok := true
	expr.Walk(e, func(e expr.Expr) bool {
		if c, isCall := e.(*expr.Call); isCall && c.Func.Volatility == expr.Volatile {
			ok = false
		}
		return ok
	})
	return ok
}

func putIn(e expr.Expr, exprs []expr.Expr) expr.Expr {
	return expr.Map(e, func(c *expr.Column) expr.Expr { return exprs[c.Index] })
}

// cheap reports whether an expression costs nothing to compute again.
func cheap(e expr.Expr) bool {
	switch e := e.(type) {
	case *expr.Column, *expr.Literal:
		return true
	case *expr.Call:
		return isField(e) && cheap(e.Args[0])
	}
	return false
}

// mergeAll makes one projection of two, unless that would compute something twice.
func mergeAll(n Node) Node {
	n = rewriteInputs(n, mergeAll)
	p, ok := n.(*Project)
	if !ok {
		return n
	}
	in, ok := p.Input.(*Project)
	if !ok || !mergeable(p, in) {
		return n
	}
	out := &Project{Input: in.Input, Out: p.Out}
	for _, e := range p.Exprs {
		out.Exprs = append(out.Exprs, putIn(e, in.Exprs))
	}
	return out
}

func mergeable(p, in *Project) bool {
	uses := make([]int, len(in.Exprs))
	for _, e := range p.Exprs {
		expr.Walk(e, func(e expr.Expr) bool {
			if c, ok := e.(*expr.Column); ok {
				uses[c.Index]++
			}
			return true
		})
	}
	for i, e := range in.Exprs {
		if uses[i] > 1 && !cheap(e) || !steady(e) {
			return false
		}
	}
	return true
}

// pushIntoScans tells scans which rows the filter above them wants.
func pushIntoScans(n Node) Node {
	n = rewriteInputs(n, pushIntoScans)
	f, ok := n.(*Filter)
	if !ok {
		return n
	}
	return &Filter{Input: pushComparisons(f.Input, conjuncts(f.Cond)), Cond: f.Cond}
}

// pushComparisons passes comparisons of columns with constants on to a scan below projections and the watermark.
func pushComparisons(n Node, conds []expr.Expr) Node {
	switch x := n.(type) {
	case *Watermark:
		return x.With(pushComparisons(x.Input, conds))
	case *Project:
		below := make([]expr.Expr, len(conds))
		for i, c := range conds {
			below[i] = putIn(c, x.Exprs)
		}
		return x.With(pushComparisons(x.Input, below))
	case *Scan:
		s := *x
		for _, c := range conds {
			if cmp, ok := comparison(c); ok && (s.Paths == nil || len(s.Paths[cmp.Column]) == 1) {
				cmp.Column = s.Columns[cmp.Column]
				s.Pushed = append(s.Pushed, cmp)
			}
		}
		return &s
	}
	return n
}

var mirrored = map[string]string{"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

// comparison recognises a column compared with a constant.
func comparison(e expr.Expr) (Comparison, bool) {
	c, ok := e.(*expr.Call)
	if !ok {
		return Comparison{}, false
	}
	if len(c.Args) == 1 && (c.Func.Name == "IS NULL" || c.Func.Name == "IS NOT NULL") {
		if col, ok := c.Args[0].(*expr.Column); ok {
			return Comparison{Column: col.Index, Op: c.Func.Name}, true
		}
	}
	mirror, known := mirrored[c.Func.Name]
	if !known || len(c.Args) != 2 {
		return Comparison{}, false
	}
	op, a, b := c.Func.Name, c.Args[0], c.Args[1]
	if _, ok := a.(*expr.Literal); ok {
		op, a, b = mirror, b, a
	}
	col, isColumn := a.(*expr.Column)
	l, isLiteral := b.(*expr.Literal)
	if !isColumn || !isLiteral || l.Value == nil || !l.Of.Nullable(true).Same(col.Of.Nullable(true)) {
		return Comparison{}, false
	}
	return Comparison{Column: col.Index, Op: op, Value: l.Value}, true
}
