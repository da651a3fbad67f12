package task

import (
	"sync/atomic"

	"github.com/flottio/flott/internal/network"
	"github.com/flottio/flott/internal/operator"
)

// Gauges is what others may see of an operator while its task runs. The task writes, anyone reads.
type Gauges struct {
	UID, Name string
	Counters  *operator.Counters
	// In and Out are the event times the operator was told of and passes on.
	In, Out atomic.Int64
	// Done and Total are how far a bounded source has read.
	Done, Total atomic.Int64
}

// Gauges returns those of the task's operators, in the order of the chain.
func (t *Task) Gauges() []*Gauges {
	g := make([]*Gauges, len(t.chain.links))
	for i, l := range t.chain.links {
		g[i] = &l.gauges
	}
	return g
}

// Busy says how the task has spent its time.
func (t *Task) Busy() *Busy { return &t.busy }

// Place says which subtask this is.
func (t *Task) Place() (chain, subtask int, name string) {
	return t.spec.ID, t.spec.Subtask, t.spec.Name
}

// Edges calls f for each queue that the task writes to. For a simulation that watches what is sent, between two steps.
func (t *Task) Edges(f func(e *EdgeSpec, receiver int, q *network.Queue)) {
	for _, e := range t.chain.edges {
		for i, q := range e.spec.Queues {
			f(&e.spec, i, q)
		}
	}
}

// IsSource reports whether the task reads splits.
func (t *Task) IsSource() bool { return t.chain.source != nil }

// Inputs calls f for each queue that the task reads; as Edges.
func (t *Task) Inputs(f func(q *network.Queue)) {
	for _, in := range t.gate.inputs {
		f(in.Queue)
	}
}

// Publish makes the gauges current; for a simulation, between two steps.
func (t *Task) Publish() { t.publish() }

// publish makes what others may see current; called now and then, not per batch.
func (t *Task) publish() {
	for _, l := range t.chain.links {
		l.gauges.In.Store(l.in)
		l.gauges.Out.Store(l.out)
	}
	if s := t.chain.source; s != nil {
		done, total := s.Progress()
		t.chain.links[0].gauges.Done.Store(done)
		t.chain.links[0].gauges.Total.Store(total)
	}
}
