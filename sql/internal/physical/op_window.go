package physical

import (
	"fmt"
	"slices"
	"time"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/sql/internal/exec"
	"github.com/flottio/flott/sql/internal/expr"
	"github.com/flottio/flott/sql/internal/plan"
)

// windowAggOp is an aggregate of windows: its result goes out when event time or the clock has passed a window's end. Its columns are the keys
// but those of the window, the calls, and what columns says.
type windowAggOp struct {
	keys     []int
	calls    []plan.AggCall
	window   plan.Window
	proctime bool
	columns  []exec.WindowColumn
}

// windowAggregate makes the aggregate whose keys hold a window's start and end. Where the window was only just put on the rows, the aggregate
// does that itself; else it waits for the end of the window that each row came with.
func (t *translator) windowAggregate(in *Node, l *plan.Aggregate) (*Node, error) {
	w := in.window
	var n *Node
	var place []int // of the keys in n's columns
	if from, keys, calls, ok := unwindow(in, l); ok {
		n, place = t.ownWindow(from, keys, calls, l, w)
	} else {
		var err error
		if n, place, err = t.givenWindow(in, l, w); err != nil {
			return nil, err
		}
	}
	exprs := make([]expr.Expr, 0, len(l.Out))
	for i := range l.Keys {
		exprs = append(exprs, asType(n, place[i], l.Out[i].Type))
	}
	first := len(n.Op.(*windowAggOp).keys)
	for i := range l.Calls {
		exprs = append(exprs, asType(n, first+i, l.Out[len(l.Keys)+i].Type))
	}
	out := t.calc(n, nil, exprs, l.Out)
	return out, nil
}

func asType(n *Node, at int, of column.Type) expr.Expr {
	return &expr.Column{Index: at, Of: of, Name: n.Out[at].Name}
}

// unwindow takes the window function away from below an aggregate: keys and calls over what it reads. It fails if something between them reads
// the window's columns other than to pass them on.
func unwindow(in *Node, l *plan.Aggregate) (from *Node, keys []int, calls []plan.AggCall, ok bool) {
	calc, isCalc := in.Op.(*calcOp)
	table := in
	if isCalc {
		table = in.In[0].Node
	}
	op, isTable := table.Op.(*windowTableOp)
	if !isTable || op.window.Kind == plan.Session && !sessionKeys(op.window, in, l) {
		return nil, nil, nil, false
	}
	below := table.In[0].Node
	if !isCalc {
		return below, l.Keys, l.Calls, !usesWindow(l, in.window)
	}
	if calc.filter != nil && maxColumn(calc.filter) >= len(below.Out) {
		return nil, nil, nil, false
	}
	for i, e := range calc.exprs {
		if maxColumn(e) >= len(below.Out) && i != in.window.start && i != in.window.end && i != in.window.time {
			return nil, nil, nil, false
		}
	}
	return below, l.Keys, l.Calls, !usesWindow(l, in.window)
}

// sessionKeys reports whether the keys of an aggregate are those by which a session tells rows apart.
func sessionKeys(w plan.Window, in *Node, l *plan.Aggregate) bool {
	var keys []int
	for _, k := range l.Keys {
		if k == in.window.start || k == in.window.end || k == in.window.time {
			continue
		}
		if c, ok := in.Op.(*calcOp); ok && c.exprs != nil {
			col, isColumn := c.exprs[k].(*expr.Column)
			if !isColumn {
				return false
			}
			k = col.Index
		}
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return slices.Equal(keys, makeKey(w.Partition...))
}

// usesWindow reports whether calls read the window's own columns.
func usesWindow(l *plan.Aggregate, w *windowed) bool {
	for _, c := range l.Calls {
		for _, a := range append(slices.Clone(c.Args), c.Filter) {
			if a >= 0 && (a == w.start || a == w.end || a == w.time) {
				return true
			}
		}
	}
	return false
}

func maxColumn(e expr.Expr) int {
	most := -1
	for _, c := range expr.Columns(e) {
		most = max(most, c)
	}
	return most
}

// ownWindow aggregates rows that are put into windows here.
func (t *translator) ownWindow(below *Node, keys []int, calls []plan.AggCall, l *plan.Aggregate, w *windowed) (n *Node, place []int) {
	in := t.withoutWindow(below, l, w)
	op := &windowAggOp{calls: calls, window: w.spec, proctime: w.proctime}
	op.window.Time = len(in.Out) - 1
	place = make([]int, len(keys))
	var bounds []int
	for i, k := range keys {
		switch k {
		case w.start, w.end, w.time:
			bounds = append(bounds, i)
		default:
			place[i] = len(op.keys)
			op.keys = append(op.keys, k)
		}
	}
	for _, i := range bounds {
		place[i] = len(op.keys) + len(calls) + len(op.columns)
		switch keys[i] {
		case w.start:
			op.columns = append(op.columns, exec.WindowStart)
		case w.end:
			op.columns = append(op.columns, exec.WindowEnd)
		default:
			op.columns = append(op.columns, exec.WindowTime)
		}
	}
	n = t.windowAgg(in, op, l, place)
	m := &windowed{spec: w.spec, proctime: w.proctime, start: -1, end: -1, time: -1}
	for i, k := range keys {
		switch k {
		case w.start:
			m.start = place[i]
		case w.end:
			m.end = place[i]
		case w.time:
			m.time = place[i]
		}
	}
	n.window = m
	return n, place
}

// withoutWindow makes the input of an aggregate anew: its columns with NULL in place of the window's, and the time behind them.
func (t *translator) withoutWindow(below *Node, l *plan.Aggregate, w *windowed) *Node {
	in, err := t.node(l.Input)
	if err != nil {
		panic("BUG: physical: the input of an aggregate was translated before and cannot be now")
	}
	var filter expr.Expr
	var exprs []expr.Expr
	if c, ok := in.Op.(*calcOp); ok {
		filter, exprs = c.filter, slices.Clone(c.exprs)
	}
	if exprs == nil {
		for i, f := range in.Out {
			exprs = append(exprs, &expr.Column{Index: i, Of: f.Type, Name: f.Name})
		}
	}
	for _, at := range []int{w.start, w.end, w.time} {
		if at >= 0 {
			exprs[at] = &expr.Literal{Of: column.Of(column.Boolean)}
		}
	}
	out := slices.Clone(in.Out)
	for _, at := range []int{w.start, w.end, w.time} {
		if at >= 0 {
			out[at].Type = column.Of(column.Boolean)
		}
	}
	clock := below.Out[w.spec.Time]
	exprs = append(exprs, &expr.Column{Index: w.spec.Time, Of: clock.Type, Name: clock.Name})
	return t.calc(below, filter, exprs, append(out, clock))
}

// givenWindow aggregates rows that came out of windows: each window ends once, so a window of one step around its last instant tells them apart.
func (t *translator) givenWindow(in *Node, l *plan.Aggregate, w *windowed) (n *Node, place []int, err error) {
	if w.spec.Kind == plan.Session {
		return nil, nil, notYet("a second aggregate over the windows of SESSION, or one with conditions on them")
	}
	end := in.Out[w.end]
	last, err := expr.NewCall(expr.Lookup("-"), &expr.Column{Index: w.end, Of: end.Type, Name: end.Name},
		&expr.Literal{Value: int64(1), Of: column.Of(column.IntervalMillis).Nullable(false)})
	if err != nil {
		return nil, nil, err
	}
	clock := column.TimestampType(3)
	clock.NotNull = true
	if w.local {
		clock.ID = column.TimestampLTZ
	}
	exprs := make([]expr.Expr, 0, len(in.Out)+1)
	for i, f := range in.Out {
		exprs = append(exprs, &expr.Column{Index: i, Of: f.Type, Name: f.Name})
	}
	clock.Attribute = column.Rowtime
	out := append(slices.Clone(in.Out), plan.Field{Name: "window_time", Type: clock})
	below := t.calc(in, nil, append(exprs, expr.Coerce(last, clock)), out)
	op := &windowAggOp{keys: l.Keys, calls: l.Calls, proctime: w.proctime,
		window: plan.Window{Kind: plan.Tumble, Time: len(in.Out), Size: w.spec.Size, Offset: w.spec.Offset}}
	if w.spec.Kind != plan.Tumble {
		op.window.Size, op.window.Offset = w.spec.Step, w.spec.Offset%w.spec.Step
	}
	place = make([]int, len(l.Keys))
	m := &windowed{spec: w.spec, proctime: w.proctime, local: w.local, start: -1, end: -1, time: -1}
	for i, k := range l.Keys {
		place[i] = i
		switch k {
		case w.start:
			m.start = i
		case w.end:
			m.end = i
		}
	}
	n = t.windowAgg(below, op, l, place)
	n.window = m
	return n, place, nil
}

func (t *translator) windowAgg(in *Node, op *windowAggOp, l *plan.Aggregate, place []int) *Node {
	n := &Node{Op: op, In: []Input{hashed(in, op.keys)}, Kinds: Inserts}
	for _, k := range op.keys {
		n.Out = append(n.Out, plain(in.Out[k]))
		n.cols = append(n.cols, in.cols[k])
	}
	for i, c := range op.calls {
		n.Out = append(n.Out, l.Out[len(l.Keys)+i])
		n.cols = append(n.cols, callText(c, in.cols))
	}
	clock := in.Out[op.window.Time].Type
	for _, c := range op.columns {
		f := plan.Field{Name: [...]string{"window_start", "window_end", "window_time"}[c], Type: column.TimestampType(3).Nullable(false)}
		if c == exec.WindowTime {
			f.Type.ID, f.Type.Attribute = clock.ID, clock.Attribute
		}
		n.Out = append(n.Out, f)
		n.cols = append(n.cols, f.Name)
	}
	n.Unique = []Key{makeKey(place...)}
	n.Upsert = n.Unique
	w := op.window
	n.rows = fmt.Sprintf("windows %d %v %v %v at %s of (%s) by [%s]", w.Kind, w.Size, w.Step, w.Offset, in.cols[w.Time], in.rows,
		texts(in.cols, op.keys))
	return t.add(n)
}

// plain is a field that is no time attribute any more.
func plain(f plan.Field) plan.Field {
	f.Type.Attribute = column.NoAttribute
	return f
}

func (w *windowAggOp) name() string { return "WindowAggregate" }

func (w *windowAggOp) describe(n *Node) string {
	in := n.In[0].Out
	s := "WindowAggregate("
	if len(w.keys) > 0 {
		s += "groupBy=[" + names(in, w.keys) + "], "
	}
	agg := &plan.Aggregate{Keys: w.keys, Calls: w.calls}
	s += "window=[" + plan.WindowText(w.window, in) + "], select=[" + aggregateList(agg, in, n.Out)
	for _, f := range n.Out[len(w.keys)+len(w.calls):] {
		s += ", " + f.Name
	}
	return s + "])"
}

func (w *windowAggOp) needsBefore(*Node, int, bool) bool { return true }
func (w *windowAggOp) stateful() bool                    { return true }

func (w *windowAggOp) attach(b *builder, n *Node) error {
	in := n.In[0]
	types, retracts := in.Out.Types(), !in.Kinds.InsertOnly()
	calls, err := aggCalls(b, w.calls, in.Node, retracts)
	if err != nil {
		return err
	}
	window := execWindow(w.window, w.proctime)
	return b.operator(n, func() operator.Operator {
		if window.Kind == exec.Session {
			return &exec.SessionAggregate{Env: b.env, In: types, Keys: w.keys, Calls: calls, Window: window, Columns: w.columns, Retracts: retracts}
		}
		return &exec.WindowAggregate{Env: b.env, In: types, Keys: w.keys, Calls: calls, Window: window, Columns: w.columns, Retracts: retracts}
	})
}

func execWindow(w plan.Window, proctime bool) exec.Window {
	ms := time.Duration.Milliseconds
	return exec.Window{Kind: exec.WindowKind(w.Kind), Time: w.Time, ProcessingTime: proctime, SizeMs: ms(w.Size), StepMs: ms(w.Step),
		OffsetMs: ms(w.Offset)}
}

// windowTableOp adds the bounds of its windows to each row.
type windowTableOp struct{ window plan.Window }

func (t *translator) windowTable(l *plan.WindowTable) (*Node, error) {
	in, err := t.node(l.Input)
	if err != nil {
		return nil, err
	}
	w := l.Window
	of := in.Out[w.Time].Type
	if !in.Kinds.InsertOnly() {
		return nil, fmt.Errorf("a window table function doesn't support consuming update and delete changes which is produced by node %s", updater(in))
	}
	n := &Node{Op: &windowTableOp{w}, In: []Input{forward(in)}, Out: l.Out, Kinds: in.Kinds,
		rows: fmt.Sprintf("windows %v of (%s) at %s", w, in.rows, in.cols[w.Time])}
	at := len(in.Out)
	n.cols = append(slices.Clone(in.cols), "window_start", "window_end", "window_time")
	n.window = &windowed{spec: w, start: at, end: at + 1, time: at + 2, proctime: of.Attribute == column.Proctime,
		local: of.ID == column.TimestampLTZ}
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

func (w *windowTableOp) attach(b *builder, n *Node) error {
	in := n.In[0]
	types := in.Out.Types()
	window := execWindow(w.window, in.Out[w.window.Time].Type.Attribute == column.Proctime)
	columns := []exec.WindowColumn{exec.WindowStart, exec.WindowEnd, exec.WindowTime}
	return b.operator(n, func() operator.Operator {
		if w.window.Kind == plan.Session {
			return &exec.SessionAggregate{Env: b.env, In: types, Keys: w.window.Partition, Window: window, Columns: columns, Rows: true}
		}
		return &exec.WindowTable{Env: b.env, In: types, Window: window, Columns: columns}
	})
}
