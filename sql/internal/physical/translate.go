package physical

import (
	"fmt"
	"strings"
	"time"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/sql/internal/expr"
	"github.com/flottio/flott/sql/internal/plan"
	"github.com/flottio/flott/sql/table"
)

// Settings are what the session says about plans. The zero value is a streaming job in UTC without connectors.
type Settings struct {
	Env        *expr.Env
	Connectors *table.Registry
	// Batch gives final results only; every source must be bounded.
	Batch bool
	// StateTTL is table.exec.state.ttl; 0: state is kept for ever.
	StateTTL time.Duration
	// IdleTimeout is table.exec.source.idle-timeout; 0: sources are never idle.
	IdleTimeout time.Duration
	// WatermarkEvery is pipeline.auto-watermark-interval: how far event time moves before a watermark goes out.
	WatermarkEvery time.Duration
	// Materialize is table.exec.sink.upsert-materialize: AUTO, NONE or FORCE.
	Materialize string
	// DropNulls is table.exec.sink.not-null-enforcer DROP: rows with NULL in a NOT NULL column are dropped and not an error.
	DropNulls bool
	// TwoPhase is table.optimizer.agg-phase-strategy: false for ONE_PHASE.
	TwoPhase bool
}

// Plan is the physical plan of one job.
type Plan struct {
	Sinks []*Node
	set   Settings
	nodes []*Node // inputs first
}

// NotYet is something that is understood and cannot run yet.
type NotYet struct{ What string }

// Error says so.
func (n *NotYet) Error() string { return "not supported yet: " + n.What }

func notYet(format string, args ...any) error { return &NotYet{fmt.Sprintf(format, args...)} }

// New plans the sinks of one job: logical plans whose roots are Sink or Collect nodes. An error says why such a job cannot run.
func New(roots []plan.Node, set Settings) (*Plan, error) {
	t := &translator{set: set, done: map[plan.Node]*Node{}, known: map[string]*Node{}}
	p := &Plan{set: set}
	for _, r := range roots {
		n, err := t.node(r)
		if err != nil {
			return nil, err
		}
		p.Sinks = append(p.Sinks, n)
	}
	p.nodes = reachable(p.Sinks)
	p.inferBefores()
	if err := p.check(); err != nil {
		return nil, err
	}
	p.nameStates()
	return p, nil
}

// reachable lists the nodes that the sinks need, inputs first.
func reachable(sinks []*Node) []*Node {
	var out []*Node
	seen := map[*Node]bool{}
	var visit func(*Node)
	visit = func(n *Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		for _, in := range n.In {
			visit(in.Node)
		}
		out = append(out, n)
		n.number = len(out)
	}
	for _, s := range sinks {
		visit(s)
	}
	return out
}

// check refuses what a job of this mode cannot do.
func (p *Plan) check() error {
	if !p.set.Batch {
		return nil
	}
	for _, n := range p.nodes {
		if s, ok := n.Op.(*sourceOp); ok && !n.Bounded {
			return fmt.Errorf("table %s is unbounded: 'execution.runtime-mode' = 'batch' needs sources that end", s.path())
		}
	}
	return nil
}

// translator makes physical nodes of logical ones.
type translator struct {
	set  Settings
	done map[plan.Node]*Node
	// known are the nodes by what they compute: the same work is done once.
	known map[string]*Node
}

func (t *translator) node(l plan.Node) (*Node, error) {
	if n := t.done[l]; n != nil {
		return n, nil
	}
	n, err := t.translate(l)
	if err != nil {
		return nil, err
	}
	t.done[l] = n
	return n, nil
}

func (t *translator) translate(l plan.Node) (*Node, error) {
	switch l := l.(type) {
	case *plan.Scan:
		return t.scan(l, nil)
	case *plan.Watermark:
		return t.watermark(l)
	case *plan.Values:
		return t.values(l)
	case *plan.Project:
		return t.project(l)
	case *plan.Filter:
		return t.filter(l)
	case *plan.SetOp:
		return t.setOp(l)
	case *plan.Sink:
		return t.sink(l)
	case *plan.Aggregate:
		return t.aggregate(l)
	case *plan.WindowTable:
		return t.windowTable(l)
	case *plan.Join:
		return t.join(l)
	case *plan.TemporalJoin:
		return t.temporalJoin(l)
	case *plan.Correlate:
		return t.correlate(l)
	case *plan.Over:
		return t.over(l)
	case *plan.Rank:
		return t.rank(l)
	case *plan.Sort:
		return t.sort(l)
	case *translated:
		return l.Node, nil
	case *Collect:
		return t.collect(l)
	}
	return nil, notYet("%T", l)
}

// add finishes a node. One that computes the same as an earlier one is that one.
func (t *translator) add(n *Node) *Node {
	n.inheritParallelism()
	if len(n.In) > 0 {
		n.Bounded = true
		for _, in := range n.In {
			n.Bounded = n.Bounded && in.Bounded
		}
	}
	if _, isSink := n.Op.(sink); isSink {
		return n
	}
	digest := n.digest()
	if same := t.known[digest]; same != nil {
		return same
	}
	t.known[digest] = n
	return n
}

// inheritParallelism keeps a node with an edge that spreads nothing in the subtasks of its input.
func (n *Node) inheritParallelism() {
	if n.Parallelism > 0 || len(n.In) == 0 {
		return
	}
	for _, in := range n.In {
		switch {
		case in.Partition == graph.Global:
			n.Parallelism = 1
			return
		case in.Partition != graph.Default || in.Parallelism != n.In[0].Parallelism:
			return
		}
	}
	n.Parallelism = n.In[0].Parallelism
}

// digest says what the node computes of which nodes, by places.
func (n *Node) digest() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s|%s", n.Op.describe(n), n.Out.Types())
	for _, f := range n.Out {
		b.WriteByte('|')
		b.WriteString(f.Name)
	}
	for _, in := range n.In {
		fmt.Fprintf(&b, "|%p %d %v", in.Node, in.Partition, in.Keys)
	}
	return b.String()
}

// text is an expression with what columns are in place of the columns: equal for equal work, wherever the columns lie.
func text(e expr.Expr, cols []string) string {
	return expr.Map(e, func(c *expr.Column) expr.Expr { return columnText{c.Of, cols[c.Index]} }).String()
}

// columnText is a column under its canonical name.
type columnText struct {
	of   column.Type
	text string
}

// Type implements expr.Expr.
func (c columnText) Type() column.Type { return c.of }

// String implements expr.Expr.
func (c columnText) String() string { return c.text }

// texts are the canonical names of some columns, joined.
func texts(cols []string, at []int) string {
	parts := make([]string, len(at))
	for i, a := range at {
		parts[i] = cols[a]
	}
	return strings.Join(parts, ", ")
}

// InsertOnly reports whether no row that reaches a sink is ever taken back.
func (p *Plan) InsertOnly() bool {
	for _, s := range p.Sinks {
		if !s.In[0].Kinds.InsertOnly() {
			return false
		}
	}
	return true
}
