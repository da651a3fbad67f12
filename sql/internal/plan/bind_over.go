package plan

import (
	"fmt"
	"slices"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/expr"
)

// overs collects the window functions of a SELECT.
type overs struct{ calls []*call }

// overRef stands for the result of a window function until there is a column for it.
type overRef struct {
	n  int
	of column.Type
}

// Type implements expr.Expr.
func (o *overRef) Type() column.Type { return o.of }

// String implements expr.Expr.
func (o *overRef) String() string { return fmt.Sprintf("over%d", o.n) }

// overCall binds f(...) OVER (...).
func (s *scope) overCall(x *ast.Call) expr.Expr {
	name := upper(x.Func)
	f := lookupAgg(s, x)
	switch {
	case f == nil && (flinkFunctions[name] || expr.Lookup(name) != nil):
		s.b.failf(x.Pos, "%s cannot be called with OVER, or not yet", name).Length = len(name)
		return nil
	case f == nil:
		s.unknownFunction(x.Pos, name)
		return nil
	case s.overs == nil:
		s.b.failf(x.Pos, "%s OVER cannot stand in %s", name, s.clause).Length = len(name)
		return nil
	}
	inside := *s
	inside.overs = nil
	w := inside.resolveWindow(x.Over)
	c := inside.aggCall(x, f)
	if c == nil || w == nil {
		return nil
	}
	ok := true
	for _, p := range w.PartitionBy {
		e := inside.in("PARTITION BY").expr(p)
		ok = ok && e != nil
		c.partition = append(c.partition, e)
	}
	c.order = nil // ORDER BY of OVER; that within the parentheses is not for window functions
	for _, it := range w.OrderBy {
		e := inside.in("ORDER BY").expr(it.X)
		ok = ok && e != nil
		c.order = append(c.order, orderKeyOf(e, it))
	}
	if !ok || !inside.frame(c, w) {
		return nil
	}
	text := c.overText() + c.text()
	for i, known := range s.overs.calls {
		if known.overText()+known.text() == text {
			return &overRef{i, known.of}
		}
	}
	s.overs.calls = append(s.overs.calls, c)
	return &overRef{len(s.overs.calls) - 1, c.of}
}

// resolveWindow puts a named window and what is written together.
func (s *scope) resolveWindow(w *ast.Window) *ast.Window {
	if w.Ref.Text == "" {
		return w
	}
	var names []string
	for _, n := range s.windows {
		if n.Name.Text != w.Ref.Text {
			names = append(names, n.Name.Text)
			continue
		}
		base := s.resolveWindow(n.Window)
		if base == nil {
			return nil
		}
		merged := *base
		if len(w.PartitionBy) > 0 {
			merged.PartitionBy = w.PartitionBy
		}
		if len(w.OrderBy) > 0 {
			merged.OrderBy = w.OrderBy
		}
		if w.Frame != nil {
			merged.Frame = w.Frame
		}
		return &merged
	}
	s.b.failf(w.Ref.Pos, "there is no window %s", w.Ref.Text).Near(w.Ref.Text, names)
	return nil
}

func (c *call) overText() string {
	s := fmt.Sprintf("%+v", c.frame)
	for _, p := range c.partition {
		s += "|" + p.String()
	}
	for _, k := range c.order {
		s += fmt.Sprintf("|%s %v %v", k.e, k.desc, k.nullsLast)
	}
	return s
}

// frame reads ROWS and RANGE. Without one it is everything up to the current row and its equals, or all rows if there is no order.
func (s *scope) frame(c *call, w *ast.Window) bool {
	f := w.Frame
	if f == nil {
		c.frame = Frame{Default: true, FromStart: true, ToEnd: len(c.order) == 0}
		return true
	}
	if f.Exclude != ast.ExcludeDefault && f.Exclude != ast.ExcludeNoOthers {
		s.b.notYet(f.Pos, "EXCLUDE")
		return false
	}
	c.frame.Rows = f.Unit == ast.Rows
	start, fromStart, ok := s.bound(f.Start, c)
	c.frame.Start, c.frame.FromStart = start, fromStart
	if !ok || f.End == nil {
		return ok
	}
	c.frame.End, c.frame.ToEnd, ok = s.bound(f.End, c)
	if ok && !c.frame.FromStart && !c.frame.ToEnd && c.frame.Start > c.frame.End {
		s.b.failf(f.Pos, "the frame ends before it begins")
		return false
	}
	return ok
}

func (s *scope) bound(x *ast.Bound, c *call) (n int64, unbounded, ok bool) {
	switch x.Kind {
	case ast.UnboundedPreceding, ast.UnboundedFollowing:
		return 0, true, true
	case ast.CurrentRow:
		return 0, false, true
	}
	lit, isLit := s.expr(x.X).(*expr.Literal)
	if !isLit || lit.Value == nil {
		s.b.failf(x.Pos, "the bound of a frame is a constant")
		return 0, false, false
	}
	switch v := lit.Value.(type) {
	case int32:
		n = int64(v)
	case int64:
		n = v
	}
	if c.frame.Rows != lit.Of.IsInteger() || !c.frame.Rows && lit.Of.ID != column.IntervalMillis && !lit.Of.IsInteger() {
		want := "an interval"
		if c.frame.Rows {
			want = "a number of rows"
		}
		s.b.failf(x.Pos, "the bound of this frame is %s, got %s", want, lit.Of)
		return 0, false, false
	}
	if x.Kind == ast.Preceding {
		n = -n
	}
	return n, false, true
}

// window puts an Over node on top for each partition, order and frame, and the expressions over its columns.
func (s *selected) window() {
	results := make([]*expr.Column, len(s.overs.calls))
	for i, c := range s.overs.calls {
		if results[i] != nil {
			continue
		}
		var group []int
		for j := i; j < len(s.overs.calls); j++ {
			if results[j] == nil && s.overs.calls[j].overText() == c.overText() {
				group = append(group, j)
			}
		}
		s.overNode(group, results)
	}
	s.each(func(e expr.Expr) expr.Expr {
		return expr.Rewrite(e, func(e expr.Expr) expr.Expr {
			if o, ok := e.(*overRef); ok {
				return results[o.n]
			}
			return e
		})
	})
}

func (s *selected) overNode(group []int, results []*expr.Column) {
	first := s.overs.calls[group[0]]
	exprs := slices.Clone(first.partition)
	exprs = append(exprs, orderExprs(first.order)...)
	for _, j := range group {
		exprs = append(exprs, s.overs.calls[j].args...)
		if f := s.overs.calls[j].filter; f != nil {
			exprs = append(exprs, f)
		}
	}
	in, places := extend(s.node, exprs)
	schema := in.Schema()
	o := &Over{Input: in, Partition: places[:len(first.partition)], Frame: first.frame, Out: schema[:len(schema):len(schema)]}
	places = places[len(first.partition):]
	if len(first.order) > 0 {
		o.Order = sortKeys(first.order, places)
		places = places[len(first.order):]
	}
	for _, j := range group {
		c := *s.overs.calls[j]
		c.order = nil
		var ac AggCall
		ac, places = c.over(places)
		o.Calls = append(o.Calls, ac)
		o.Out = append(o.Out, Field{ac.Name, ac.Of})
		results[j] = columnOf(o.Out, len(o.Out)-1)
	}
	for _, j := range group {
		results[j].Name = s.overs.calls[j].f.Name
	}
	s.node = o
}
