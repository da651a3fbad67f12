package physical

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flottio/flott"
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/sql/internal/catalog"
	"github.com/flottio/flott/sql/internal/exec"
	"github.com/flottio/flott/sql/internal/expr"
	"github.com/flottio/flott/sql/internal/plan"
	"github.com/flottio/flott/sql/table"
)

// sink is implemented by the ends of plans.
type sink interface{ isSink() }

// sinkOp writes into a table.
type sinkOp struct {
	logical *plan.Sink
	out     table.Sink
	takes   table.Mode
	def     *table.Definition
}

func (s *sinkOp) isSink() {}

func (t *translator) sink(l *plan.Sink) (*Node, error) {
	in, err := t.node(l.Input)
	if err != nil {
		return nil, err
	}
	s := &sinkOp{logical: l}
	if s.def, err = t.definition(l.Table, nil); err != nil {
		return nil, err
	}
	in = t.enforceNotNull(in, s)
	if t.set.Batch && !in.Kinds.InsertOnly() {
		in = t.final(in)
	}
	if s.out, err = t.set.Connectors.Sink(s.def, in.Kinds.mode()); err != nil {
		return nil, err
	}
	s.takes = s.out.Mode(in.Kinds.mode())
	if in, err = t.fit(in, s); err != nil {
		return nil, err
	}
	n := &Node{Op: s, In: []Input{forward(in)}, Out: in.Out, Kinds: in.Kinds, rows: "into " + s.def.Path}
	own, err := parallelism(s.def, "sink.parallelism", s.out)
	if err != nil {
		return nil, err
	}
	if own > 0 && own != in.Parallelism {
		n.Parallelism = own
		n.In[0] = t.spread(in, s)
	}
	return t.add(n), nil
}

// spread is the edge to a sink with another parallelism: changes of one key stay in order.
func (t *translator) spread(in *Node, s *sinkOp) Input {
	if in.Kinds.InsertOnly() {
		return Input{Node: in, Partition: graph.Rebalance}
	}
	if pk := sinkKey(s); len(pk) > 0 {
		return hashed(in, pk)
	}
	every := make([]int, len(in.Out))
	for i := range every {
		every[i] = i
	}
	return hashed(in, every)
}

// sinkKey is the primary key of the sink's table as places of the columns that are written.
func sinkKey(s *sinkOp) []int {
	var key []int
	written := s.logical.Input.Schema()
	for _, name := range s.logical.Table.PrimaryKey {
		at := slices.IndexFunc(written, func(f plan.Field) bool { return f.Name == name })
		if at < 0 {
			at = slices.IndexFunc(s.logical.Table.Columns, func(c catalog.Column) bool { return c.Name == name })
		}
		key = append(key, at)
	}
	return key
}

// fit makes what the sink can take of what the query makes, or says why it cannot.
func (t *translator) fit(in *Node, s *sinkOp) (*Node, error) {
	if in.Kinds.InsertOnly() {
		return in, nil
	}
	if s.takes == table.InsertOnly {
		return nil, fmt.Errorf("table sink '%s' doesn't support consuming update and delete changes which is produced by node %s: "+
			"its connector '%s' takes insertions only", s.def.Path, updater(in), s.def.Options["connector"])
	}
	pk := sinkKey(s)
	if len(pk) == 0 {
		if s.takes == table.Upsert {
			return nil, fmt.Errorf("table sink '%s' takes upserts: the query makes updates (%s), so it needs a PRIMARY KEY", s.def.Path, updater(in))
		}
		return in, nil
	}
	same := false
	for _, k := range in.Upsert {
		same = same || k.within(pk)
	}
	conflict := s.logical.OnConflict
	switch {
	case t.set.Materialize == "NONE" || same && t.set.Materialize != "FORCE":
		return in, nil
	case conflict == "" && t.set.Materialize != "FORCE":
		return nil, fmt.Errorf("the query's upsert key %s differs from the primary key [%s] of the sink '%s': rows of several upsert keys may meet "+
			"in one key of the sink; say what then happens with ON CONFLICT DO ERROR, NOTHING or DEDUPLICATE",
			keyNames(in.Upsert, in.Out), names(in.Out, pk), s.def.Path)
	}
	return t.materialize(in, pk, conflict), nil
}

// updater is the nearest node that makes updates of insertions.
func updater(n *Node) string {
	for {
		var next *Node
		for _, in := range n.In {
			if !in.Kinds.InsertOnly() {
				next = in.Node
			}
		}
		if next == nil {
			return n.Op.describe(n)
		}
		n = next
	}
}

func (s *sinkOp) name() string { return "Sink" }

func (s *sinkOp) describe(n *Node) string {
	text := fmt.Sprintf("Sink(table=[%s], fields=[%s]", s.def.Path, fieldNames(n.Out))
	if s.logical.OnConflict != "" {
		text += ", conflictStrategy=[" + s.logical.OnConflict + "]"
	}
	return text + ")"
}

// needsBefore: a sink by key needs none if the changes come by its key.
func (s *sinkOp) needsBefore(n *Node, _ int, _ bool) bool {
	if s.takes == table.Retract {
		return true
	}
	pk := sinkKey(s)
	for _, k := range n.In[0].Upsert {
		if k.within(pk) {
			return false
		}
	}
	return len(pk) == 0
}

func (s *sinkOp) stateful() bool { return true }

func (s *sinkOp) attach(b *builder, n *Node) error { return b.sink(n, s.out) }

// Collect is the end of a query whose result goes to whoever asked. It is the root of a logical plan.
type Collect struct {
	Input plan.Node
	To    flott.Sink[*column.Batch]
}

// Schema implements plan.Node.
func (c *Collect) Schema() plan.Schema { return c.Input.Schema() }

// Inputs implements plan.Node.
func (c *Collect) Inputs() []plan.Node { return []plan.Node{c.Input} }

// With implements plan.Node.
func (c *Collect) With(in ...plan.Node) plan.Node { return &Collect{in[0], c.To} }

type collectOp struct{ to flott.Sink[*column.Batch] }

func (c *collectOp) isSink() {}

func (t *translator) collect(l *Collect) (*Node, error) {
	in, err := t.node(l.Input)
	if err != nil {
		return nil, err
	}
	if t.set.Batch && !in.Kinds.InsertOnly() {
		in = t.final(in)
	}
	edge := hashed(in, nil)
	if in.Parallelism == 1 {
		edge = forward(in)
	}
	return t.add(&Node{Op: &collectOp{l.To}, In: []Input{edge}, Out: in.Out, Kinds: in.Kinds, Parallelism: 1, rows: "collect"}), nil
}

func (c *collectOp) name() string { return "Sink" }

func (c *collectOp) describe(n *Node) string {
	return "Sink(table=[*anonymous_collect$1*], fields=[" + fieldNames(n.Out) + "])"
}

func (c *collectOp) needsBefore(*Node, int, bool) bool { return true }

func (c *collectOp) stateful() bool { return true }

func (c *collectOp) attach(b *builder, n *Node) error { return b.sink(n, c.to) }

// enforceNotNull keeps NULL out of columns that the sink's table says have none, where the query may make it.
func (t *translator) enforceNotNull(in *Node, s *sinkOp) *Node {
	var columns []int
	at := 0
	for _, c := range s.logical.Table.Columns {
		if c.Computed != nil || c.Virtual {
			continue
		}
		if at < len(in.Out) && c.Type.NotNull && !in.Out[at].Type.NotNull {
			columns = append(columns, at)
		}
		at++
	}
	if len(columns) == 0 {
		return in
	}
	n := &Node{Op: &enforceOp{columns, t.set.DropNulls, s.def.Path}, In: []Input{forward(in)}, Out: in.Out, Kinds: in.Kinds, Unique: in.Unique,
		Upsert: in.Upsert, rows: in.rows, cols: in.cols}
	return t.add(n)
}

// enforceOp refuses or drops rows with NULL where the sink's table has none.
type enforceOp struct {
	columns []int
	drop    bool
	table   string
}

func (e *enforceOp) name() string { return "ConstraintEnforcer" }

func (e *enforceOp) describe(n *Node) string {
	return "ConstraintEnforcer[NotNullEnforcer(fields=[" + names(n.Out, e.columns) + "])]"
}

func (e *enforceOp) needsBefore(_ *Node, _ int, behind bool) bool { return behind }

func (e *enforceOp) attach(b *builder, n *Node) error {
	in := make([]string, len(e.columns))
	for i, c := range e.columns {
		in[i] = n.Out[c].Name
	}
	return b.operator(n, func() operator.Operator {
		return &exec.Enforce{Columns: e.columns, Names: in, Drop: e.drop, Table: e.table}
	})
}

func fieldNames(s plan.Schema) string {
	parts := make([]string, len(s))
	for i, f := range s {
		parts[i] = f.Name
	}
	return strings.Join(parts, ", ")
}

func names(s plan.Schema, at []int) string {
	parts := make([]string, len(at))
	for i, c := range at {
		parts[i] = s[c].Name
	}
	return strings.Join(parts, ", ")
}

func keyNames(keys []Key, s plan.Schema) string {
	if len(keys) == 0 {
		return "(none)"
	}
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = "[" + names(s, k) + "]"
	}
	return strings.Join(parts, " or ")
}

func exprList(exprs []expr.Expr, out, in plan.Schema) string {
	parts := make([]string, len(exprs))
	for i, e := range exprs {
		parts[i] = plan.Text(e, in)
		if parts[i] != out[i].Name {
			parts[i] += " AS " + out[i].Name
		}
	}
	return strings.Join(parts, ", ")
}

func (s *sinkOp) passes()    {}
func (c *collectOp) passes() {}
func (e *enforceOp) passes() {}
