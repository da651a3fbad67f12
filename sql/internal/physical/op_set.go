package physical

import (
	"fmt"
	"strings"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/connector/datagen"
	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/sql/internal/exec"
	"github.com/flottio/flott/sql/internal/expr"
	"github.com/flottio/flott/sql/internal/plan"
)

// valuesOp is rows written in the query.
type valuesOp struct{ rows [][]expr.Expr }

func (t *translator) values(l *plan.Values) (*Node, error) {
	n := &Node{Op: &valuesOp{l.Rows}, Out: l.Out, Kinds: Inserts, Bounded: true, Parallelism: 1}
	var b strings.Builder
	b.WriteString("values")
	for _, r := range l.Rows {
		fmt.Fprintf(&b, " %s", r)
	}
	n.rows = b.String()
	for i := range l.Out {
		n.cols = append(n.cols, fmt.Sprintf("value%d", i))
	}
	if len(l.Rows) <= 1 {
		n.Unique = []Key{{}}
	}
	return t.add(n), nil
}

func (v *valuesOp) name() string { return "Values" }

func (v *valuesOp) describe(n *Node) string {
	return strings.Replace(plan.Describe(&plan.Values{Rows: v.rows, Out: n.Out}), "Values(", "Values(tuples=", 1)
}

func (v *valuesOp) needsBefore(*Node, int, bool) bool { return false }
func (v *valuesOp) stateful() bool                    { return true }

// attach: a source of one record that is made when it is read.
func (v *valuesOp) attach(b *builder, n *Node) error {
	types := n.Out.Types()
	for _, r := range v.rows {
		if _, err := expr.Compile(b.env, r...); err != nil {
			return err
		}
	}
	source := datagen.Source(func(int64) *column.Batch { return v.batch(b.env, types) }, datagen.Rows(1), datagen.AtOnce(1))
	stream := flott.From(b.to, n.uid, source).Parallelism(1).Raw()
	b.attached(n, stream, func() operator.Operator { return &exec.Unwrap{Types: types} })
	return nil
}

func (v *valuesOp) batch(env *expr.Env, types []column.Type) *column.Batch {
	out := column.NewBatch(types)
	eval := expr.Eval{Env: env, NowMs: time.Now().UnixMilli()}
	one := column.Batch{N: 1}
	for _, r := range v.rows {
		p, err := expr.Compile(env, r...)
		if err != nil {
			panic(fmt.Sprintf("BUG: compiling VALUES a second time: %v", err))
		}
		row := make([]any, len(r))
		for i := range r {
			value, err := p.Eval(&eval, &one, i)
			if err != nil {
				panic(fmt.Errorf("VALUES: %w", err))
			}
			row[i] = column.CloneValue(value.At(0))
			value.Release()
		}
		out.AppendRow(0, row...)
	}
	return &out
}

// unionOp is UNION ALL.
type unionOp struct{}

func (t *translator) setOp(l *plan.SetOp) (*Node, error) {
	if l.Kind != plan.Union || !l.All {
		return nil, notYet("INTERSECT and EXCEPT")
	}
	n := &Node{Op: &unionOp{}, Out: l.Out}
	var rows []string
	for _, x := range l.Input {
		in, err := t.node(x)
		if err != nil {
			return nil, err
		}
		n.In = append(n.In, forward(in))
		n.Kinds |= in.Kinds
		rows = append(rows, in.rows)
	}
	n.rows = "union (" + strings.Join(rows, ") and (") + ")"
	for i := range l.Out {
		n.cols = append(n.cols, fmt.Sprintf("(%s)", n.In[0].cols[i]))
	}
	t.alignUnion(n)
	return t.add(n), nil
}

// alignUnion gives a union whose inputs differ in parallelism that of one subtask: a changelog must not be spread at random.
func (t *translator) alignUnion(n *Node) {
	same := true
	for _, in := range n.In[1:] {
		same = same && in.Parallelism == n.In[0].Parallelism
	}
	if same || n.Kinds.InsertOnly() {
		return
	}
	n.Parallelism = 1
	for i := range n.In {
		if n.In[i].Parallelism != 1 {
			n.In[i].Partition = graph.Global
		}
	}
}

func (u *unionOp) name() string { return "Union" }

func (u *unionOp) describe(n *Node) string {
	return "Union(all=[true], union=[" + fieldNames(n.Out) + "])"
}

func (u *unionOp) needsBefore(_ *Node, _ int, behind bool) bool { return behind }
func (u *unionOp) passes()                                      {}

func (u *unionOp) attach(b *builder, n *Node) error {
	return b.operator(n, func() operator.Operator { return &operator.Pass{} })
}

// normalizeOp makes a changelog with -U of one by key.
type normalizeOp struct{ key Key }

func (t *translator) normalize(in *Node, key Key) *Node {
	n := &Node{Op: &normalizeOp{key}, In: []Input{hashed(in, key)}, Out: in.Out, Kinds: all, Unique: in.Unique, Upsert: in.Unique, cols: in.cols,
		rows: in.rows}
	return t.add(n)
}

func (o *normalizeOp) name() string { return "ChangelogNormalize" }

func (o *normalizeOp) describe(n *Node) string {
	return "ChangelogNormalize(key=[" + names(n.Out, o.key) + "])"
}

func (o *normalizeOp) needsBefore(*Node, int, bool) bool { return false }
func (o *normalizeOp) stateful() bool                    { return true }
func (o *normalizeOp) makes() bool                       { return true }

func (o *normalizeOp) attach(b *builder, n *Node) error {
	types := n.Out.Types()
	return b.operator(n, func() operator.Operator {
		return &exec.Deduplicate{In: types, Keys: o.key, Time: -1, KeepLast: true, UpdateBefore: n.before, Normalize: true,
			TTLMs: b.set.StateTTL.Milliseconds()}
	})
}

// materializeOp keeps the rows of each primary key of a sink, so that a deletion brings back the row before.
type materializeOp struct {
	key      Key
	conflict string
}

func (t *translator) materialize(in *Node, key []int, conflict string) *Node {
	n := &Node{Op: &materializeOp{Key(key), conflict}, In: []Input{hashed(in, key)}, Out: in.Out, Kinds: all, Unique: []Key{makeKey(key...)},
		Upsert: []Key{makeKey(key...)}, cols: in.cols, rows: in.rows}
	return t.add(n)
}

func (o *materializeOp) name() string { return "SinkMaterializer" }

func (o *materializeOp) describe(n *Node) string {
	return "SinkMaterializer(pk=[" + names(n.Out, o.key) + "])"
}

func (o *materializeOp) needsBefore(*Node, int, bool) bool { return true }
func (o *materializeOp) stateful() bool                    { return true }
func (o *materializeOp) makes() bool                       { return true }

func (o *materializeOp) attach(*builder, *Node) error { return notYet("ON CONFLICT") }
