package physical

import (
	"fmt"
	"slices"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/internal/expr"
	"github.com/flottio/flott/sql/internal/plan"
)

// groupingSets turns GROUPING SETS into one grouping over rows that come once for each set, with NULL in the keys that the set leaves out
// and the set's number as one more key.
func (t *translator) groupingSets(l *plan.Aggregate, in *Node) (*Node, error) {
	e := &expansion{in: in, agg: l}
	e.columns()
	union := &Node{Op: &unionOp{}, Out: e.out, Kinds: in.Kinds, cols: e.cols, rows: fmt.Sprintf("sets %v of (%s)", l.Sets, in.rows)}
	for i := range l.Sets {
		union.In = append(union.In, forward(t.calc(in, nil, e.exprs(i), e.out)))
	}
	union.Parallelism = in.Parallelism
	union.window = in.window
	for i, k := range l.Keys { // windows stay in all sets
		if w := in.window; w != nil && (k == w.start || k == w.end || k == w.time) {
			union.window = e.window(union.window, k, len(in.Out)+i)
		}
	}
	inner := &plan.Aggregate{Input: &translated{t.add(union)}, Keys: e.keys, Calls: e.calls, Out: e.inner}
	n, err := t.aggregate(inner)
	if err != nil {
		return nil, err
	}
	return t.calc(n, nil, e.result(), l.Out), nil
}

// translated is a logical node that stands for a physical one.
type translated struct{ *Node }

// Schema implements plan.Node.
func (t *translated) Schema() plan.Schema { return t.Node.Out }

// Inputs implements plan.Node.
func (t *translated) Inputs() []plan.Node { return nil }

// With implements plan.Node.
func (t *translated) With(...plan.Node) plan.Node { return t }

// expansion is the columns of an expanded input: those of the input, a copy of each key, the set's number, and GROUPING and its like.
type expansion struct {
	in    *Node
	agg   *plan.Aggregate
	out   plan.Schema
	cols  []string
	keys  []int // of the inner aggregate
	calls []plan.AggCall
	inner plan.Schema
	marks []int // places of calls that say which keys a set has
}

func isGrouping(c plan.AggCall) bool {
	return c.Func == plan.Grouping || c.Func == plan.GroupingID || c.Func == plan.GroupID
}

func (e *expansion) columns() {
	e.out, e.cols = slices.Clone(e.in.Out), slices.Clone(e.in.cols)
	key := func(f plan.Field, col string) {
		e.keys = append(e.keys, len(e.out))
		e.out, e.cols = append(e.out, f), append(e.cols, col)
		e.inner = append(e.inner, f)
	}
	for i, k := range e.agg.Keys {
		key(plan.Field{Name: e.agg.Out[i].Name, Type: e.agg.Out[i].Type}, e.in.cols[k])
	}
	key(plan.Field{Name: "$e", Type: column.Of(column.BigInt).Nullable(false)}, "set")
	for i, c := range e.agg.Calls {
		if isGrouping(c) {
			e.marks = append(e.marks, i)
			key(plan.Field{Name: fmt.Sprintf("$g%d", i), Type: c.Of}, callText(c, e.in.cols))
		}
	}
	for i, c := range e.agg.Calls {
		if !isGrouping(c) {
			e.calls = append(e.calls, c)
			e.inner = append(e.inner, e.agg.Out[len(e.agg.Keys)+i])
		}
	}
}

// exprs are the columns of a row for one set.
func (e *expansion) exprs(set int) []expr.Expr {
	var out []expr.Expr
	for i, f := range e.in.Out {
		out = append(out, &expr.Column{Index: i, Of: f.Type, Name: f.Name})
	}
	for i, k := range e.agg.Keys {
		of := e.agg.Out[i].Type
		if slices.Contains(e.agg.Sets[set], i) {
			out = append(out, &expr.Column{Index: k, Of: of, Name: e.in.Out[k].Name})
		} else {
			out = append(out, &expr.Literal{Of: of.Nullable(true)})
		}
	}
	big := column.Of(column.BigInt).Nullable(false)
	out = append(out, &expr.Literal{Value: int64(set), Of: big})
	for _, m := range e.marks {
		out = append(out, &expr.Literal{Value: e.mark(e.agg.Calls[m], set), Of: big})
	}
	return out
}

// mark is the value of GROUPING and its like for a set.
func (e *expansion) mark(c plan.AggCall, set int) int64 {
	if c.Func == plan.GroupID {
		same := int64(0)
		for _, s := range e.agg.Sets[:set] {
			if slices.Equal(s, e.agg.Sets[set]) {
				same++
			}
		}
		return same
	}
	bits := int64(0)
	for _, a := range c.Args {
		bits <<= 1
		i := slices.Index(e.agg.Keys, a)
		if !slices.Contains(e.agg.Sets[set], i) {
			bits |= 1
		}
	}
	return bits
}

// result arranges the inner aggregate's columns as those of the one with sets.
func (e *expansion) result() []expr.Expr {
	var out []expr.Expr
	for i := range e.agg.Keys {
		out = append(out, &expr.Column{Index: i, Of: e.agg.Out[i].Type, Name: e.agg.Out[i].Name})
	}
	mark, call := len(e.agg.Keys)+1, len(e.keys)
	for i, c := range e.agg.Calls {
		f := e.agg.Out[len(e.agg.Keys)+i]
		at := &call
		if isGrouping(c) {
			at = &mark
		}
		out = append(out, &expr.Column{Index: *at, Of: f.Type, Name: f.Name})
		*at++
	}
	return out
}

// window follows a column of the window to its copy among the keys.
func (e *expansion) window(w *windowed, column, to int) *windowed {
	m := *w
	switch column {
	case w.start:
		m.start = to
	case w.end:
		m.end = to
	case w.time:
		m.time = to
	}
	return &m
}
