package physical

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/sql/internal/exec"
	"github.com/flottio/flott/sql/internal/expr"
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
		return t.groupingSets(l, in)
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

func (g *groupOp) attach(b *builder, n *Node) error {
	in := n.In[0]
	types, retracts := in.Out.Types(), !in.Kinds.InsertOnly()
	calls, err := aggCalls(b, g.agg.Calls, in.Node, retracts)
	if err != nil {
		return err
	}
	return b.operator(n, func() operator.Operator {
		return &exec.GroupAggregate{Env: b.env, In: types, Keys: g.agg.Keys, Calls: calls, Retracts: retracts, UpdateBefore: n.before,
			TTLMs: b.set.StateTTL.Milliseconds()}
	})
}

// aggCalls are calls as the operators take them; one that cannot do what is asked of it is refused.
func aggCalls(b *builder, calls []plan.AggCall, in *Node, retracts bool) ([]exec.AggCall, error) {
	out := make([]exec.AggCall, len(calls))
	for i, c := range calls {
		e := exec.AggCall{Func: c.Func, Distinct: c.Distinct, Filter: c.Filter, Of: c.Of}
		for _, a := range c.Args {
			e.Args = append(e.Args, argument(in, a))
		}
		if len(c.Order) > 0 {
			return nil, notYet("ORDER BY inside of %s", c.Func.Name)
		}
		if c.Func.New == nil {
			return nil, notYet("the aggregate %s here", c.Func.Name)
		}
		acc, err := c.Func.New(&expr.AggSite{Args: e.Args, Result: c.Of, Retract: retracts, Env: b.env})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Func.Name, err)
		}
		if acc == nil {
			return nil, notYet("%s over rows that may be taken back (%s)", c.Func.Name, updater(in))
		}
		out[i] = e
	}
	return out, nil
}

// argument is a column of an aggregate's input, or the constant that it is.
func argument(in *Node, at int) expr.Expr {
	if c, ok := in.Op.(*calcOp); ok && c.exprs != nil {
		if l, ok := c.exprs[at].(*expr.Literal); ok {
			return l
		}
	}
	return &expr.Column{Index: at, Of: in.Out[at].Type, Name: in.Out[at].Name}
}

// overOp computes window functions.
type overOp struct {
	over *plan.Over
	mode exec.OverMode
}

func (t *translator) over(l *plan.Over) (*Node, error) {
	in, err := t.node(l.Input)
	if err != nil {
		return nil, err
	}
	if t.set.Batch && !in.Kinds.InsertOnly() {
		in = t.final(in)
	}
	op := &overOp{over: l}
	if op.mode, err = t.overMode(l, in); err != nil {
		return nil, err
	}
	n := &Node{Op: op, In: []Input{hashed(in, l.Partition)}, Out: l.Out, Kinds: in.Kinds, Unique: in.Unique, Upsert: in.Upsert,
		rows: fmt.Sprintf("over (%s) by [%s]", in.rows, texts(in.cols, l.Partition))}
	if op.mode == exec.OverChanges {
		n.Kinds = all
	}
	n.cols = slices.Clone(in.cols)
	for _, c := range l.Calls {
		n.cols = append(n.cols, callText(c, in.cols))
	}
	return t.add(n), nil
}

// overMode says when results can be known: by a time attribute as rows come, by other columns only again with each change.
func (t *translator) overMode(l *plan.Over, in *Node) (exec.OverMode, error) {
	if t.set.Batch {
		return exec.OverFinal, nil
	}
	if in.Kinds.InsertOnly() && len(l.Order) == 1 && !l.Order[0].Desc {
		switch in.Out[l.Order[0].Column].Type.Attribute {
		case column.Rowtime:
			return exec.OverEventTime, nil
		case column.Proctime:
			return exec.OverProcessingTime, nil
		}
	}
	if len(l.Order) == 0 {
		return 0, errors.New("OVER needs ORDER BY in streaming mode")
	}
	if isTime(in.Out[l.Order[0].Column].Type) && l.Order[0].Desc {
		return 0, errors.New("OVER windows' ordering in stream mode must be ascending by time")
	}
	return exec.OverChanges, nil
}

func (o *overOp) name() string { return "OverAggregate" }

func (o *overOp) describe(n *Node) string {
	return "OverAggregate" + strings.TrimPrefix(plan.Describe(o.over), "Over")
}

func (o *overOp) needsBefore(*Node, int, bool) bool { return true }
func (o *overOp) stateful() bool                    { return true }

func (o *overOp) makes() bool { return o.mode == exec.OverChanges }

func (o *overOp) attach(b *builder, n *Node) error {
	in, l := n.In[0], o.over
	calls := make([]exec.AggCall, len(l.Calls))
	for i, c := range l.Calls {
		calls[i] = exec.AggCall{Func: c.Func, Distinct: c.Distinct, Filter: c.Filter, Of: c.Of}
		for _, a := range c.Args {
			calls[i].Args = append(calls[i].Args, argument(in.Node, a))
		}
	}
	over := exec.OverAggregate{Env: b.env, In: in.Out.Types(), Partition: l.Partition, Time: -1, Calls: calls, Mode: o.mode,
		Frame:    exec.Frame{Rows: l.Frame.Rows, Start: l.Frame.Start, End: l.Frame.End, FromStart: l.Frame.FromStart, ToEnd: l.Frame.ToEnd},
		Retracts: !in.Kinds.InsertOnly(), UpdateBefore: n.before, TTLMs: b.set.StateTTL.Milliseconds()}
	if o.mode == exec.OverEventTime {
		over.Time = l.Order[0].Column
	}
	for _, k := range l.Order {
		over.Order = append(over.Order, exec.OrderKey(k))
	}
	return b.operator(n, func() operator.Operator {
		own := over
		return &own
	})
}
