package physical

import (
	"fmt"
	"sync"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/sql/internal/exec"
	"github.com/flottio/flott/sql/internal/expr"
	"github.com/flottio/flott/sql/table"
)

// Build draws the job. An error says which operator cannot be built; nothing was started. It may be called again with another graph.
func (p *Plan) Build(to *flott.Env) error {
	b := &builder{to: to, env: p.set.Env, set: p.set, made: map[*Node]flott.AttachedStream{}}
	for _, n := range p.nodes {
		if err := n.Op.attach(b, n); err != nil {
			return err
		}
	}
	return nil
}

// builder puts nodes into a graph.
type builder struct {
	to   *flott.Env
	env  *expr.Env
	set  Settings
	made map[*Node]flott.AttachedStream
}

// operator attaches a node with its inputs.
func (b *builder) operator(n *Node, operator func() operator.Operator) error {
	b.made[n] = b.to.Attach(b.attachment(n, operator))
	return nil
}

func (b *builder) attachment(n *Node, operator func() operator.Operator) flott.Attached {
	a := flott.Attached{Kind: n.Op.name(), Name: shorten(n.Op.describe(n)), UID: n.uid, Operator: operator, Parallelism: n.Parallelism,
		Stateful: isStateful(n)}
	for i, in := range n.In {
		a.Inputs = append(a.Inputs, flott.AttachedInput{From: b.made[in.Node], Port: i, Partition: in.Partition, Hashes: hashes(in)})
	}
	if _, union := n.Op.(*unionOp); union {
		for i := range a.Inputs {
			a.Inputs[i].Port = 0
		}
	}
	return a
}

func isStateful(n *Node) bool {
	s, ok := n.Op.(stateful)
	return ok && s.stateful()
}

const shownNameChars = 80

func shorten(s string) string {
	r := []rune(s)
	if len(r) > shownNameChars {
		return string(r[:shownNameChars-3]) + "..."
	}
	return s
}

// hashes makes the function of one sending subtask that hashes the key columns of a batch.
func hashes(in Input) func() func(record.Batch) []uint64 {
	if in.Partition != graph.Hash {
		return nil
	}
	return func() func(record.Batch) []uint64 {
		cols := make([]*column.Vector, len(in.Keys))
		var out []uint64
		return func(b record.Batch) []uint64 {
			c := b.(*record.Columns)
			for i, k := range in.Keys {
				cols[i] = c.Cols[k]
			}
			if cap(out) < c.N {
				out = make([]uint64, max(c.N, column.BatchRows))
			}
			out = out[:c.N]
			column.Hash(cols, c.N, out)
			return out
		}
	}
}

// source adds the source of a table with its watermark.
func (b *builder) source(n *Node, s *sourceOp) (flott.AttachedStream, error) {
	if s.mark == nil || s.mark.expr == nil {
		return flott.From(b.to, n.uid, flott.Source[*column.Batch](s.src)).Parallelism(n.Parallelism).Raw(), nil
	}
	strategy, err := b.strategy(s)
	if err != nil {
		return flott.AttachedStream{}, err
	}
	return flott.From(b.to, n.uid, flott.Source[*column.Batch](s.src), strategy).Parallelism(n.Parallelism).Raw(), nil
}

// strategy makes event time of the watermarks that the rows of a batch allow: the greatest is the batch's.
func (b *builder) strategy(s *sourceOp) (w flott.WatermarkStrategy[*column.Batch], err error) {
	top, err := b.greatest(s)
	if err != nil {
		return w, err
	}
	if p, ok := s.src.(table.WatermarkPusher); ok {
		if col, delay, simple := simpleMark(s.mark); simple {
			p.PushWatermark(col, delay, b.set.WatermarkEvery.Milliseconds())
		}
	}
	w = flott.WatermarksMillis(top).Custom(func() func(int64) int64 { return func(t int64) int64 { return t } })
	if b.set.IdleTimeout > 0 {
		w = w.Idle(b.set.IdleTimeout)
	}
	return w, nil
}

// greatest returns a function for any number of goroutines that gives the greatest watermark of a batch, record.NoTime if there is none.
func (b *builder) greatest(s *sourceOp) (func(*column.Batch) int64, error) {
	if col, delay, ok := simpleMark(s.mark); ok {
		return func(in *column.Batch) int64 {
			t := greatest(in.Cols[col], in.N)
			if t == record.NoTime {
				return t
			}
			return t - delay
		}, nil
	}
	e := s.mark.expr
	t := e.Type()
	if t.Precision != 3 {
		t.Precision = 3
		e = expr.Coerce(e, t)
	}
	if _, err := expr.Compile(b.env, e); err != nil {
		return nil, err
	}
	type program struct {
		*expr.Program
		eval expr.Eval
	}
	programs := sync.Pool{New: func() any {
		p, err := expr.Compile(b.env, e)
		if err != nil {
			panic(fmt.Sprintf("BUG: compiling the watermark a second time: %v", err))
		}
		return &program{p, expr.Eval{Env: b.env}}
	}}
	return func(in *column.Batch) int64 {
		p := programs.Get().(*program)
		p.eval.NowMs = time.Now().UnixMilli()
		v, err := p.Eval(&p.eval, in, 0)
		if err != nil {
			panic(fmt.Errorf("the watermark of table %s: %w", s.path(), err))
		}
		top := greatest(v, in.N)
		v.Release()
		programs.Put(p)
		return top
	}, nil
}

// greatest is the greatest value of a column of milliseconds.
func greatest(v *column.Vector, n int) int64 {
	top := int64(record.NoTime)
	if !v.HasNulls() {
		for _, t := range v.I64[:n] {
			top = max(top, t)
		}
		return top
	}
	for i, t := range v.I64[:n] {
		if v.Valid.Get(i) {
			top = max(top, t)
		}
	}
	return top
}

// simpleMark recognises a column of milliseconds, or one less a constant interval.
func simpleMark(m *mark) (col int, delayMs int64, ok bool) {
	e := m.expr
	if c, isCast := e.(*expr.Cast); isCast && c.Arg.Type().Same(c.Of) {
		e = c.Arg
	}
	if c, isCall := e.(*expr.Call); isCall && c.Func.Name == "-" && len(c.Args) == 2 {
		l, isLiteral := c.Args[1].(*expr.Literal)
		if !isLiteral || l.Of.ID != column.IntervalMillis || l.Value == nil {
			return 0, 0, false
		}
		delayMs, isLiteral = l.Value.(int64)
		if !isLiteral {
			return 0, 0, false
		}
		e = c.Args[0]
	}
	c, isColumn := e.(*expr.Column)
	if !isColumn || !c.Of.IsTimestamp() || c.Of.Storage() != column.Int64s || c.Of.Precision != 3 {
		return 0, 0, false
	}
	return c.Index, delayMs, true
}

// attached puts an operator behind a stream that is already there.
func (b *builder) attached(n *Node, from flott.AttachedStream, operator func() operator.Operator) {
	b.made[n] = b.to.Attach(flott.Attached{Kind: "columns", Operator: operator, Parallelism: n.Parallelism,
		Inputs: []flott.AttachedInput{{From: from}}})
}

// sink ends the graph in a sink of batches.
func (b *builder) sink(n *Node, to flott.Sink[*column.Batch]) error {
	a := b.attachment(n, func() operator.Operator { return &exec.Wrap{} })
	a.Kind, a.Name, a.UID, a.Stateful = "rows", "", "", false
	wrapped := b.to.Attach(a)
	flott.Typed[*column.Batch](wrapped).To(n.uid, to).Parallelism(n.Parallelism)
	return nil
}
