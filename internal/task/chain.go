package task

import (
	"context"
	"math"

	"github.com/flottio/flott/internal/network"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
)

// OperatorSpec is one operator of a chain, as the plan describes it. Operators stand in an order in which every parent comes before
// its children.
type OperatorSpec struct {
	UID, Name string
	// Parent is the position of the operator whose output feeds this one inside the chain, and Tag which of its outputs; -1 for the head.
	Parent, Tag int
	// Outputs is the number of outputs: the main one and the side outputs.
	Outputs int
	New     func() operator.Operator
}

// EdgeSpec is one outgoing edge of a chain: from an output of one of its operators to the subtasks of another task.
type EdgeSpec struct {
	// Name says from and to which operator, for errors and metrics.
	Name string
	// Operator is the position in the chain, Tag the output.
	Operator, Tag int
	Partitioner   network.Partitioner
	// Body makes the codec of its batches, for an edge that leaves the process; inside of one nothing is encoded.
	Body   func() (record.BodyCodec, error)
	Queues []*network.Queue
}

// link is one operator in its chain with what it can do, looked up once.
type link struct {
	spec OperatorSpec
	op   operator.Operator

	advancer  operator.Advancer
	clocked   operator.Clocked
	finisher  operator.Finisher
	marks     operator.WatermarkSource
	snapshots operator.Snapshotter
	completes operator.Completer
	holder    operator.Holder

	counters operator.Counters
	gauges   Gauges
	// in is the event time the operator was told of, out the one it passes on. Both never fall.
	in, out int64
	idle    bool
}

func newLink(s OperatorSpec) *link {
	l := &link{spec: s, op: s.New(), in: record.NoTime, out: record.NoTime}
	l.gauges.UID, l.gauges.Name, l.gauges.Counters = s.UID, s.Name, &l.counters
	l.gauges.In.Store(record.NoTime)
	l.gauges.Out.Store(record.NoTime)
	l.advancer, _ = l.op.(operator.Advancer)
	l.clocked, _ = l.op.(operator.Clocked)
	l.finisher, _ = l.op.(operator.Finisher)
	l.marks, _ = l.op.(operator.WatermarkSource)
	l.snapshots, _ = l.op.(operator.Snapshotter)
	l.completes, _ = l.op.(operator.Completer)
	l.holder, _ = l.op.(operator.Holder)
	return l
}

// chain runs operators by direct calls and carries control through them in order. Data is pushed: an operator's Emit calls the next
// operator's Process. Control is driven from outside, operator by operator, so that firing a million timers can pause between two.
type chain struct {
	links  []*link
	edges  []*edge
	source operator.Source // the head, when it reads splits

	// cursor is where a control pass stands; idle when it is len(links).
	cursor int
	pass   pass
	// final watermark, now, of the pass in progress
	mark int64
	now  int64
	// at is the operator that is called right now, the innermost if they call one another; nil between two calls.
	at   *link
	head bool // the head's input watermark changed in this pass
}

// pass is what a control pass through the chain does.
type pass uint8

const (
	passNone pass = iota
	passWatermark
	passTick
	passFinish
)

// fan is the output of one operator: the operators behind it in the chain, and the edges that leave the task.
type fan struct {
	chain    *chain
	from     *link
	children []*link
	edges    []*edge
}

// Emit implements operator.Output.
func (f *fan) Emit(b record.Batch) error {
	n := b.Len()
	if n == 0 {
		b.Release()
		return nil
	}
	n = record.Count(b)
	f.from.counters.Out.Add(n)
	last := len(f.children) + len(f.edges) - 1
	if last < 0 {
		b.Release()
		return nil
	}
	i := 0
	for _, c := range f.children {
		x := b
		if i < last {
			x = b.Clone()
		}
		i++
		c.counters.In.Add(n)
		f.chain.at = c
		if err := c.op.Process(0, record.Handover(x)); err != nil {
			return wrap(c, err)
		}
		f.chain.at = f.from
	}
	for _, e := range f.edges {
		x := b
		if i < last {
			x = b.Clone()
		}
		i++
		if err := e.emit(x); err != nil {
			return err
		}
	}
	return nil
}

// outputs builds the outputs of the operator at position i.
func (c *chain) outputs(i int) []operator.Output {
	outs := make([]operator.Output, max(1, c.links[i].spec.Outputs))
	for tag := range outs {
		f := &fan{chain: c, from: c.links[i]}
		for _, l := range c.links {
			if l.spec.Parent == i && l.spec.Tag == tag {
				f.children = append(f.children, l)
			}
		}
		for _, e := range c.edges {
			if e.spec.Operator == i && e.spec.Tag == tag {
				f.edges = append(f.edges, e)
			}
		}
		outs[tag] = f
	}
	return outs
}

// busy reports whether a control pass is in progress.
func (c *chain) busy() bool { return c.pass != passNone }

// begin starts a control pass. REQUIRES: not busy.
func (c *chain) begin(p pass) {
	c.pass, c.cursor = p, 0
}

// run goes on with the pass until it ends or an operator asks to be called again (more).
func (c *chain) run() (more bool, err error) {
	for c.cursor < len(c.links) {
		l := c.links[c.cursor]
		c.at = l
		more, err := c.visit(l)
		if err != nil {
			return false, wrap(l, err)
		}
		if more {
			return true, nil
		}
		c.cursor++
	}
	c.pass = passNone
	return false, nil
}

func (c *chain) visit(l *link) (more bool, err error) {
	switch c.pass {
	case passTick:
		if l.clocked != nil && l.clocked.NextTick() <= c.now {
			if more, err = l.clocked.Tick(c.now); more || err != nil {
				return more, err
			}
		}
	case passFinish:
		if l.finisher != nil {
			return l.finisher.Finish()
		}
		return false, nil
	}
	return c.advance(l)
}

// advance brings the operator's event time up to that of its parent and lets it fire.
func (c *chain) advance(l *link) (more bool, err error) {
	in, idle := c.mark, l.idle
	if l.spec.Parent >= 0 {
		p := c.links[l.spec.Parent]
		in, idle = p.out, p.idle
	}
	if in > l.in {
		if l.advancer != nil {
			if more, err = l.advancer.Advance(in); more || err != nil {
				return more, err
			}
		}
		l.in = in
	}
	if l.marks != nil {
		var out int64
		out, l.idle = l.marks.Watermark()
		l.out = max(l.out, out)
		// The end of time passes every assigner: nothing follows that it could hold back.
		if l.in == record.MaxWatermark {
			l.out = record.MaxWatermark
		}
		return false, nil
	}
	l.out = max(l.out, l.in)
	if l.spec.Parent >= 0 {
		l.idle = idle
	}
	return false, nil
}

// marksChanged reports whether an operator that makes watermarks has a new one to pass on.
func (c *chain) marksChanged() bool {
	for _, l := range c.links {
		if l.marks == nil {
			continue
		}
		if wm, idle := l.marks.Watermark(); wm > l.out || idle != l.idle {
			return true
		}
	}
	return false
}

// nextTick is the earliest processing time at which an operator wants to act.
func (c *chain) nextTick() int64 {
	next := int64(math.MaxInt64)
	for _, l := range c.links {
		if l.clocked != nil {
			next = min(next, l.clocked.NextTick())
		}
	}
	return next
}

// holding reports whether an operator holds back the input.
func (c *chain) holding() bool {
	for _, l := range c.links {
		if l.holder != nil && l.holder.Holding() {
			return true
		}
	}
	return false
}

func (c *chain) open(ctx context.Context, t *Task) error {
	for i, l := range c.links {
		r, known := t.spec.Restored[l.spec.UID]
		r.IsRestored = t.spec.IsRestored
		if !known || l.op == operator.Operator(c.source) {
			// A source makes its watermark anew from the splits that it is given, which need not be those that it had: starting where it
			// stood could be ahead of their records (A6.9).
			r.Watermark = record.NoTime
		}
		l.in, l.out = r.Watermark, r.Watermark
		c.at = l
		if err := l.op.Open(t.context(ctx, i, r)); err != nil {
			return wrap(l, err)
		}
	}
	return nil
}

func (c *chain) close() (err error) {
	for _, l := range c.links {
		if e := l.op.Close(); e != nil && err == nil {
			err = wrap(l, e)
		}
	}
	return err
}
