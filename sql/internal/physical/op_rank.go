package physical

import (
	"errors"
	"fmt"
	"slices"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/sql/internal/exec"
	"github.com/flottio/flott/sql/internal/plan"
)

// rankOp is Top-N.
type rankOp struct {
	rank *plan.Rank
	kind string // AppendFast, UpdateFast, Retract
	key  Key    // of UpdateFast
}

func (t *translator) rank(l *plan.Rank) (*Node, error) {
	in, err := t.node(l.Input)
	if err != nil {
		return nil, err
	}
	if n := t.deduplicate(l, in); n != nil {
		return n, nil
	}
	return t.topN(l, in), nil
}

func (t *translator) topN(l *plan.Rank, in *Node) *Node {
	op := &rankOp{rank: l, kind: "RetractStrategy"}
	if in.Kinds.InsertOnly() {
		op.kind = "AppendFastStrategy"
	}
	n := &Node{Op: op, In: []Input{hashed(in, l.Partition)}, Out: l.Out, Kinds: all, cols: in.cols, window: in.window,
		rows: fmt.Sprintf("top %d to %d of (%s) by [%s] %s", l.From, l.To, in.rows, texts(in.cols, l.Partition), sortTexts(in.cols, l.Order))}
	if l.Number {
		n.cols = append(slices.Clone(in.cols), "rank")
		n.Unique = []Key{makeKey(append(slices.Clone(l.Partition), len(in.Out))...)}
	}
	if l.From == 1 && l.To == 1 && l.ToColumn < 0 {
		n.Unique = addKey(n.Unique, makeKey(l.Partition...))
	}
	n.Upsert = slices.Clone(n.Unique)
	for _, k := range in.Unique {
		n.Unique = addKey(n.Unique, k)
		if Key(l.Partition).within(k) {
			n.Upsert = addKey(n.Upsert, k)
		}
	}
	return t.add(n)
}

func sortTexts(cols []string, keys []plan.SortKey) string {
	s := ""
	for _, k := range keys {
		s += fmt.Sprintf("%s %v %v,", cols[k.Column], k.Desc, k.NullsLast)
	}
	return s
}

func (r *rankOp) name() string { return "Rank" }

func (r *rankOp) describe(n *Node) string {
	in := n.In[0].Out
	to := fmt.Sprint(r.rank.To)
	if r.rank.ToColumn >= 0 {
		to = in[r.rank.ToColumn].Name
	}
	return fmt.Sprintf("Rank(strategy=[%s], rankType=[ROW_NUMBER], rankRange=[rankStart=%d, rankEnd=%s], partitionBy=[%s], orderBy=[%s], select=[%s])",
		r.kind, r.rank.From, to, names(in, r.rank.Partition), plan.SortText(r.rank.Order, in), fieldNames(n.Out))
}

func (r *rankOp) needsBefore(*Node, int, bool) bool { return r.key == nil }
func (r *rankOp) stateful() bool                    { return true }
func (r *rankOp) makes() bool                       { return true }

func (r *rankOp) attach(b *builder, n *Node) error {
	in, l := n.In[0], r.rank
	rank := exec.Rank{In: in.Out.Types(), Partition: l.Partition, Order: sortKeys(l.Order), From: l.From, To: l.To, ToColumn: l.ToColumn,
		Number: l.Number, Input: exec.RankChangelog, UpdateBefore: n.before, TTLMs: b.set.StateTTL.Milliseconds()}
	if in.Kinds.InsertOnly() {
		rank.Input = exec.RankInserts
	}
	return b.operator(n, func() operator.Operator {
		own := rank
		return &own
	})
}

func sortKeys(keys []plan.SortKey) []exec.SortKey {
	out := make([]exec.SortKey, len(keys))
	for i, k := range keys {
		out[i] = exec.SortKey(k)
	}
	return out
}

// dedupOp keeps the first or the last row of each key in time.
type dedupOp struct {
	rank *plan.Rank
	last bool
	proc bool // by the clock
}

// deduplicate recognises the rank that keeps one row by a time attribute.
func (t *translator) deduplicate(l *plan.Rank, in *Node) *Node {
	if l.From != 1 || l.To != 1 || l.ToColumn >= 0 || len(l.Order) != 1 || !in.Kinds.InsertOnly() || l.Number {
		return nil
	}
	of := in.Out[l.Order[0].Column].Type
	if !isTime(of) {
		return nil
	}
	op := &dedupOp{l, l.Order[0].Desc, of.Attribute == column.Proctime}
	n := &Node{Op: op, In: []Input{hashed(in, l.Partition)}, Out: l.Out, Kinds: Inserts | updates, cols: in.cols, window: in.window,
		Unique: []Key{makeKey(l.Partition...)},
		rows:   fmt.Sprintf("one of (%s) by [%s], %s", in.rows, texts(in.cols, l.Partition), sortTexts(in.cols, l.Order))}
	if op.proc && !op.last {
		n.Kinds = Inserts
	}
	n.Upsert = n.Unique
	for _, k := range in.Unique {
		n.Unique = addKey(n.Unique, k)
	}
	return t.add(n)
}

func (d *dedupOp) name() string { return "Deduplicate" }

func (d *dedupOp) describe(n *Node) string {
	keep, order := "FirstRow", "ROWTIME"
	if d.last {
		keep = "LastRow"
	}
	if d.proc {
		order = "PROCTIME"
	}
	return fmt.Sprintf("Deduplicate(keep=[%s], key=[%s], order=[%s])", keep, names(n.In[0].Out, d.rank.Partition), order)
}

func (d *dedupOp) needsBefore(*Node, int, bool) bool { return true }
func (d *dedupOp) stateful() bool                    { return true }
func (d *dedupOp) makes() bool                       { return true }

func (d *dedupOp) attach(b *builder, n *Node) error {
	dedup := exec.Deduplicate{In: n.In[0].Out.Types(), Keys: d.rank.Partition, Time: d.rank.Order[0].Column, KeepLast: d.last,
		UpdateBefore: n.before, TTLMs: b.set.StateTTL.Milliseconds()}
	if d.proc {
		dedup.Time = -1
	}
	return b.operator(n, func() operator.Operator {
		own := dedup
		return &own
	})
}

// sortOp orders rows: by event time in streaming, all of them at the end in batch.
type sortOp struct {
	sort  *plan.Sort
	batch bool
}

func (t *translator) sort(l *plan.Sort) (*Node, error) {
	in, err := t.node(l.Input)
	if err != nil {
		return nil, err
	}
	switch {
	case len(l.Keys) == 0:
		return t.limit(l, in), nil
	case t.set.Batch:
		if !in.Kinds.InsertOnly() {
			in = t.final(in)
		}
	case l.Fetch >= 0:
		r := &plan.Rank{Input: l.Input, Order: l.Keys, From: l.Offset + 1, To: l.Offset + l.Fetch, ToColumn: -1, Out: l.Schema()}
		return t.topN(r, in), nil
	case in.Out[l.Keys[0].Column].Type.Attribute == column.NoAttribute:
		return nil, errors.New("Sort on a non-time-attribute field is not supported: a stream has no last row. Order by an ascending time " +
			"attribute first, add LIMIT, or SET 'execution.runtime-mode' = 'batch'")
	case l.Keys[0].Desc:
		return nil, errors.New("Sort: Primary sort order of a streaming table must be ascending on time")
	}
	n := &Node{Op: &sortOp{l, t.set.Batch}, In: []Input{hashed(in, nil)}, Out: in.Out, Kinds: in.Kinds, Unique: in.Unique, Upsert: in.Upsert,
		cols: in.cols, window: in.window, rows: fmt.Sprintf("sort (%s) %s", in.rows, sortTexts(in.cols, l.Keys))}
	return t.add(n), nil
}

func (s *sortOp) name() string { return "Sort" }

func (s *sortOp) describe(n *Node) string {
	text := "TemporalSort(orderBy=["
	if s.batch {
		text = "Sort(orderBy=["
	}
	text += plan.SortText(s.sort.Keys, n.In[0].Out) + "]"
	if s.sort.Fetch >= 0 {
		text += fmt.Sprintf(", offset=[%d], fetch=[%d]", s.sort.Offset, s.sort.Fetch)
	}
	return text + ")"
}

func (s *sortOp) needsBefore(*Node, int, bool) bool { return true }
func (s *sortOp) stateful() bool                    { return true }

func (s *sortOp) attach(*builder, *Node) error { return notYet("ORDER BY") }

// limitOp keeps some of the rows, whichever come first.
type limitOp struct{ offset, fetch int64 }

func (t *translator) limit(l *plan.Sort, in *Node) *Node {
	n := &Node{Op: &limitOp{l.Offset, l.Fetch}, In: []Input{hashed(in, nil)}, Out: in.Out, Kinds: in.Kinds, Unique: in.Unique, Upsert: in.Upsert,
		cols: in.cols, window: in.window, rows: fmt.Sprintf("limit (%s) %d %d", in.rows, l.Offset, l.Fetch)}
	if in.Parallelism == 1 {
		n.In[0].Partition = graph.Default
	}
	if !in.Kinds.InsertOnly() {
		n.Kinds = all
	}
	return t.add(n)
}

func (l *limitOp) name() string { return "Limit" }

func (l *limitOp) describe(*Node) string {
	return fmt.Sprintf("Limit(offset=[%d], fetch=[%d])", l.offset, l.fetch)
}

func (l *limitOp) needsBefore(*Node, int, bool) bool { return true }
func (l *limitOp) stateful() bool                    { return true }

func (l *limitOp) attach(*builder, *Node) error { return notYet("LIMIT without ORDER BY") }

// finalOp keeps a changelog until the input ends and gives the rows that are left.
type finalOp struct{}

func (t *translator) final(in *Node) *Node {
	every := make([]int, len(in.Out))
	for i := range every {
		every[i] = i
	}
	edge := hashed(in, every)
	if in.Parallelism == 1 {
		edge = forward(in)
	}
	n := &Node{Op: &finalOp{}, In: []Input{edge}, Out: in.Out, Kinds: Inserts, Unique: in.Unique, cols: in.cols, window: in.window, rows: in.rows}
	return t.add(n)
}

func (f *finalOp) name() string { return "FinalResult" }

func (f *finalOp) describe(*Node) string { return "FinalResult()" }

func (f *finalOp) needsBefore(*Node, int, bool) bool { return true }

func (f *finalOp) attach(b *builder, n *Node) error {
	types := n.Out.Types()
	return b.operator(n, func() operator.Operator { return &exec.Final{Types: types} })
}
