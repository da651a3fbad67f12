package physical

import (
	"slices"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/sql/internal/exec"
	"github.com/flottio/flott/sql/internal/expr"
	"github.com/flottio/flott/sql/internal/plan"
)

// calcOp filters rows and computes columns.
type calcOp struct {
	filter expr.Expr   // nil: all rows
	exprs  []expr.Expr // nil: the input's columns
}

func (t *translator) project(l *plan.Project) (*Node, error) {
	var filter expr.Expr
	input := l.Input
	if f, ok := input.(*plan.Filter); ok {
		filter, input = f.Cond, f.Input
	}
	in, err := t.node(input)
	if err != nil {
		return nil, err
	}
	return t.calc(in, filter, l.Exprs, l.Out), nil
}

func (t *translator) filter(l *plan.Filter) (*Node, error) {
	in, err := t.node(l.Input)
	if err != nil {
		return nil, err
	}
	return t.calc(in, l.Cond, nil, in.Out), nil
}

// calc puts a Calc behind a node, unless it would do nothing.
func (t *translator) calc(in *Node, filter expr.Expr, exprs []expr.Expr, out plan.Schema) *Node {
	if filter == nil && isIdentity(exprs, in.Out) && sameNames(out, in.Out) {
		return in
	}
	n := &Node{Op: &calcOp{filter, exprs}, In: []Input{forward(in)}, Out: out, Kinds: in.Kinds, rows: in.rows}
	if filter != nil {
		n.rows += " where " + text(filter, in.cols)
	}
	if exprs == nil {
		n.Unique, n.Upsert, n.cols, n.window = in.Unique, in.Upsert, in.cols, in.window
		return t.add(n)
	}
	for _, e := range exprs {
		n.cols = append(n.cols, text(e, in.cols))
	}
	to := placesOf(exprs, len(in.Out))
	n.Unique, n.Upsert = mapKeys(in.Unique, to), mapKeys(in.Upsert, to)
	n.window = in.window.mapped(to)
	return t.add(n)
}

func isIdentity(exprs []expr.Expr, in plan.Schema) bool {
	if exprs == nil {
		return true
	}
	for i, e := range exprs {
		if c, ok := e.(*expr.Column); !ok || c.Index != i {
			return false
		}
	}
	return len(exprs) == len(in)
}

func sameNames(a, b plan.Schema) bool {
	return slices.EqualFunc(a, b, func(x, y plan.Field) bool {
		return x.Name == y.Name && x.Type.Equal(y.Type) && x.Type.Attribute == y.Type.Attribute
	})
}

// placesOf says where each of n columns goes that is passed on as it is; -1: nowhere.
func placesOf(exprs []expr.Expr, n int) []int {
	to := make([]int, n)
	for i := range to {
		to[i] = -1
	}
	for i, e := range exprs {
		if at, ok := passed(e); ok && to[at] < 0 {
			to[at] = i
		}
	}
	return to
}

// passed reports whether an expression is a column whose values it keeps apart: a key stays one.
func passed(e expr.Expr) (at int, ok bool) {
	switch e := e.(type) {
	case *expr.Column:
		return e.Index, true
	case *expr.Cast:
		c, ok := e.Arg.(*expr.Column)
		if ok && injective(c.Of, e.Of) {
			return c.Index, true
		}
	}
	return 0, false
}

// injective reports whether a cast never makes two values one.
func injective(from, to column.Type) bool {
	switch {
	case from.IsInteger() && to.IsInteger():
		return to.ID >= from.ID
	case from.IsText() && to.IsText():
		return to.Precision >= from.Precision
	case from.IsInteger() && to.ID == column.Varchar:
		return to.Precision >= 20
	case from.ID == to.ID && from.IsTimestamp():
		return to.Precision >= from.Precision
	}
	return from.Same(to)
}

func mapKeys(keys []Key, to []int) []Key {
	var out []Key
	for _, k := range keys {
		mapped := make([]int, 0, len(k))
		for _, c := range k {
			if to[c] >= 0 {
				mapped = append(mapped, to[c])
			}
		}
		if len(mapped) == len(k) {
			out = append(out, makeKey(mapped...))
		}
	}
	return out
}

func (c *calcOp) name() string { return "Calc" }

func (c *calcOp) describe(n *Node) string {
	in := n.In[0].Out
	s := "Calc(select=["
	if c.exprs == nil {
		s += fieldNames(in)
	} else {
		s += exprList(c.exprs, n.Out, in)
	}
	s += "]"
	if c.filter != nil {
		s += ", where=[" + plan.Text(c.filter, in) + "]"
	}
	return s + ")"
}

// needsBefore: a condition on more than the key judges the old and the new row of an update each by its own.
func (c *calcOp) needsBefore(n *Node, _ int, behind bool) bool {
	if behind || c.filter == nil {
		return behind
	}
	for _, k := range n.In[0].Upsert {
		cols := expr.Columns(c.filter)
		if Key(cols).within(k) {
			return false
		}
	}
	return true
}

func (c *calcOp) attach(b *builder, n *Node) error {
	in := n.In[0].Out.Types()
	if _, err := expr.Compile(b.env, compiled(c)...); err != nil {
		return err
	}
	return b.operator(n, func() operator.Operator {
		return &exec.Calc{Env: b.env, In: in, Filter: c.filter, Exprs: c.exprs}
	})
}

func compiled(c *calcOp) []expr.Expr {
	if c.filter == nil {
		return c.exprs
	}
	return append([]expr.Expr{c.filter}, c.exprs...)
}

func (c *calcOp) passes() {}
