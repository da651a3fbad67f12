package physical

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flottio/flott/sql/internal/plan"
)

// groupOp is a grouped aggregate over a changelog.
type groupOp struct{ agg *plan.Aggregate }

func (t *translator) aggregate(l *plan.Aggregate) (*Node, error) {
	in, err := t.node(l.Input)
	if err != nil {
		return nil, err
	}
	if l.Sets != nil {
		if in, l, err = t.expand(in, l); err != nil {
			return nil, err
		}
	}
	if w := in.window; w != nil && w.start >= 0 && w.end >= 0 && slices.Contains(l.Keys, w.start) && slices.Contains(l.Keys, w.end) {
		return t.windowAggregate(in, l)
	}
	keys := make([]int, len(l.Keys))
	for i := range keys {
		keys[i] = i
	}
	n := &Node{Op: &groupOp{l}, In: []Input{hashed(in, l.Keys)}, Out: l.Out, Unique: []Key{makeKey(keys...)}, Upsert: []Key{makeKey(keys...)}}
	switch {
	case in.Kinds.InsertOnly() && len(l.Calls) == 0:
		n.Kinds = Inserts
	case in.Kinds.InsertOnly():
		n.Kinds = Inserts | updates
	default:
		n.Kinds = all
	}
	n.rows = fmt.Sprintf("group (%s) by [%s]", in.rows, texts(in.cols, l.Keys))
	n.cols = aggregateCols(in, l)
	return t.add(n), nil
}

// aggregateCols are what an aggregate's columns are.
func aggregateCols(in *Node, l *plan.Aggregate) []string {
	cols := make([]string, 0, len(l.Out))
	for _, k := range l.Keys {
		cols = append(cols, in.cols[k])
	}
	for _, c := range l.Calls {
		cols = append(cols, callText(c, in.cols))
	}
	return cols
}

// callText is a call over canonical columns.
func callText(c plan.AggCall, cols []string) string {
	args := texts(cols, c.Args)
	if c.Distinct {
		args = "DISTINCT " + args
	}
	s := c.Func.Name + "(" + args + ")"
	if c.Filter >= 0 {
		s += " FILTER " + cols[c.Filter]
	}
	for _, k := range c.Order {
		s += fmt.Sprintf(" BY %s %v %v", cols[k.Column], k.Desc, k.NullsLast)
	}
	return s
}

func (g *groupOp) name() string { return "GroupAggregate" }

func (g *groupOp) describe(n *Node) string {
	in := n.In[0].Out
	s := "GroupAggregate("
	if len(g.agg.Keys) > 0 {
		s += "groupBy=[" + names(in, g.agg.Keys) + "], "
	}
	return s + "select=[" + aggregateList(g.agg, in, n.Out) + "])"
}

// aggregateList is keys and calls with the names of their results.
func aggregateList(a *plan.Aggregate, in, out plan.Schema) string {
	var parts []string
	for _, k := range a.Keys {
		parts = append(parts, in[k].Name)
	}
	for i, c := range a.Calls {
		parts = append(parts, plan.CallText(c, in)+" AS "+out[len(a.Keys)+i].Name)
	}
	return strings.Join(parts, ", ")
}

func (g *groupOp) needsBefore(*Node, int, bool) bool { return true }
func (g *groupOp) stateful() bool                    { return true }
func (g *groupOp) makes() bool                       { return true }

func (g *groupOp) attach(*builder, *Node) error { return notYet("GROUP BY") }

// expand turns grouping sets into one grouping over rows that come once per set.
func (t *translator) expand(in *Node, l *plan.Aggregate) (*Node, *plan.Aggregate, error) {
	return nil, nil, notYet("GROUPING SETS, ROLLUP and CUBE")
}

// windowAggOp is an aggregate of windows: its result goes out when event time or the clock has passed a window's end.
type windowAggOp struct {
	agg    *plan.Aggregate
	window *windowed
}

func (t *translator) windowAggregate(in *Node, l *plan.Aggregate) (*Node, error) {
	return nil, notYet("aggregates of windows")
}

// windowTableOp adds the bounds of its windows to each row.
type windowTableOp struct{ window plan.Window }

func (t *translator) windowTable(l *plan.WindowTable) (*Node, error) {
	in, err := t.node(l.Input)
	if err != nil {
		return nil, err
	}
	w := l.Window
	if !in.Kinds.InsertOnly() {
		return nil, fmt.Errorf("a window table function doesn't support consuming update and delete changes which is produced by node %s", updater(in))
	}
	n := &Node{Op: &windowTableOp{w}, In: []Input{forward(in)}, Out: l.Out, Kinds: in.Kinds,
		rows: fmt.Sprintf("windows %v of (%s) at %s", w, in.rows, in.cols[w.Time])}
	at := len(in.Out)
	n.cols = append(slices.Clone(in.cols), "window_start", "window_end", "window_time")
	n.window = &windowed{spec: w, start: at, end: at + 1, time: at + 2}
	if w.Kind == plan.Session {
		n.In[0] = hashed(in, w.Partition)
	}
	for _, k := range in.Unique {
		n.Unique = addKey(n.Unique, makeKey(append(slices.Clone(k), at, at+1)...))
	}
	n.Upsert = n.Unique
	return t.add(n), nil
}

func (w *windowTableOp) name() string { return "WindowTableFunction" }

func (w *windowTableOp) describe(n *Node) string {
	return "WindowTableFunction(window=[" + plan.WindowText(w.window, n.In[0].Out) + "])"
}

func (w *windowTableOp) needsBefore(*Node, int, bool) bool { return true }
func (w *windowTableOp) stateful() bool                    { return w.window.Kind == plan.Session }

func (w *windowTableOp) attach(*builder, *Node) error { return notYet("window table functions") }

// overOp computes window functions.
type overOp struct{ over *plan.Over }

func (t *translator) over(l *plan.Over) (*Node, error) {
	in, err := t.node(l.Input)
	if err != nil {
		return nil, err
	}
	if !in.Kinds.InsertOnly() && !t.set.Batch {
		return nil, fmt.Errorf("OVER doesn't support consuming update and delete changes which is produced by node %s", updater(in))
	}
	n := &Node{Op: &overOp{l}, In: []Input{hashed(in, l.Partition)}, Out: l.Out, Kinds: in.Kinds, Unique: in.Unique, Upsert: in.Upsert,
		rows: fmt.Sprintf("over (%s) by [%s]", in.rows, texts(in.cols, l.Partition))}
	n.cols = slices.Clone(in.cols)
	for _, c := range l.Calls {
		n.cols = append(n.cols, callText(c, in.cols))
	}
	return t.add(n), nil
}

func (o *overOp) name() string { return "OverAggregate" }

func (o *overOp) describe(n *Node) string {
	return "OverAggregate" + strings.TrimPrefix(plan.Describe(o.over), "Over")
}

func (o *overOp) needsBefore(*Node, int, bool) bool { return true }
func (o *overOp) stateful() bool                    { return true }

func (o *overOp) attach(*builder, *Node) error { return notYet("OVER windows") }
