package sim

import (
	"fmt"

	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/network"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/task"
	"github.com/flottio/flott/internal/taskmanager"
)

// Hooks look at a run from outside, between two steps, and may change what they see: for invariants, and for the deliberate bugs that tests
// of the tests plant. Each may be nil; an error ends the run.
type Hooks struct {
	// Restoring gets the plan of a restore before anything of the attempt exists.
	Restoring func(*checkpoint.RestorePlan)
	// Reading gets the bytes of a stored file as they are read, and returns those that the restore sees.
	Reading func(h checkpoint.Handle, b []byte) []byte
	// Opened is called when all operators are open and nothing has run; plan is nil for a fresh start.
	Opened func(a *taskmanager.Attempt, plan *checkpoint.RestorePlan) error
	// Sent is called for each element that a task has put into a queue, right after the step. It may change the element, and those before
	// it that wait in the queue.
	Sent func(s *Sent) error
	// Completing is called before tasks hear that a checkpoint, or the savepoint that the job stops with, is complete; false keeps it from them.
	Completing func(id checkpoint.ID, stops bool) bool
	// Stopped is called when the job has stopped with a savepoint and everything is committed.
	Stopped func() error
	// Ended is called when the job has ended, before its tasks are closed.
	Ended func(a *taskmanager.Attempt) error
}

// Sent is an element on its way.
type Sent struct {
	Task     *task.Task
	Edge     *task.EdgeSpec
	Receiver int
	Queue    *network.Queue
	// Number of the element in its queue, from 0.
	Number  uint64
	Element *record.Element
}

// tap watches one queue.
type tap struct {
	Sent
	seen   uint64
	frames *record.Frames // nil: elements stay as they are
	wire   []byte
}

// tapQueues begins to watch the queues of the attempt, and notes which tasks they connect.
func (l *life) tapQueues() {
	l.taps = make([][]tap, len(l.attempt.Tasks))
	l.near = make([][]int, len(l.attempt.Tasks))
	l.read = make([]*operator.Counters, len(l.attempt.Tasks))
	l.readBefore = make([]int64, len(l.attempt.Tasks))
	receiver := map[*network.Queue]int{}
	for i, t := range l.attempt.Tasks {
		l.near[i] = append(l.near[i], i)
		if t.IsSource() {
			l.read[i] = t.Gauges()[0].Counters
		}
		t.Inputs(func(q *network.Queue) { receiver[q] = i })
	}
	for i, t := range l.attempt.Tasks {
		t.Edges(func(e *task.EdgeSpec, subtask int, q *network.Queue) {
			x := tap{Sent: Sent{Task: t, Edge: e, Receiver: subtask, Queue: q}}
			if l.SerialiseEdges {
				x.frames = l.frames(e)
			}
			l.taps[i] = append(l.taps[i], x)
			l.near[i] = append(l.near[i], receiver[q])
			l.near[receiver[q]] = append(l.near[receiver[q]], i)
		})
	}
}

// look shows the hook what task i has sent.
func (l *life) look(i int) error {
	for k := range l.taps[i] {
		t := &l.taps[i][k]
		for sent := t.Queue.Sent(); t.seen < sent; t.seen++ {
			t.Number, t.Element = t.seen, t.Queue.At(t.seen)
			if t.frames != nil {
				if err := t.serialise(); err != nil {
					return err
				}
				l.result.Serialised++
			}
			if l.Trace != nil {
				l.traceElement(&t.Sent)
			}
			if l.Hooks.Sent == nil {
				continue
			}
			if err := l.Hooks.Sent(&t.Sent); err != nil {
				return err
			}
		}
	}
	return nil
}

// frames are those of an edge whose elements go through bytes.
func (l *life) frames(e *task.EdgeSpec) *record.Frames {
	body, err := e.Body()
	if err != nil {
		if l.failed == nil {
			l.failed = fmt.Errorf("%s: %w", e.Name, err)
		}
		return nil
	}
	return &record.Frames{Body: body}
}

// serialise replaces the element in the queue by what its bytes are read as.
func (t *tap) serialise() error {
	var err error
	if t.wire, err = t.frames.Append(t.wire[:0], t.Element); err != nil {
		return fmt.Errorf("%s: encoding an element: %w", t.Edge.Name, err)
	}
	e, n, err := t.frames.Decode(t.wire)
	if err != nil || n != len(t.wire) {
		return fmt.Errorf("%s: decoding an element of %d bytes took %d: %w", t.Edge.Name, len(t.wire), n, err)
	}
	if t.Element.Kind == record.KindBatch {
		t.Element.Batch.Release()
	}
	clear(t.wire) // what was decoded must keep nothing of it
	*t.Element = e
	return nil
}

func (l *life) traceElement(s *Sent) {
	_, from, _ := s.Task.Place()
	e := s.Element
	switch e.Kind {
	case record.KindBatch:
		l.tracef("  %s %d>%d: batch", s.Edge.Name, from, s.Receiver)
		for i := range e.Batch.Len() {
			at := int64(record.NoTime)
			if h := e.Batch.Header(); len(h.Times) > 0 {
				at = h.Times[i]
			}
			l.tracef("      @%d %+v", at, e.Batch.At(i))
		}
	case record.KindWatermark:
		l.tracef("  %s %d>%d: watermark %d", s.Edge.Name, from, s.Receiver, e.Time)
	case record.KindBarrier:
		l.tracef("  %s %d>%d: barrier %d", s.Edge.Name, from, s.Receiver, e.Barrier.ID)
	case record.KindCancel:
		l.tracef("  %s %d>%d: cancel %d", s.Edge.Name, from, s.Receiver, e.Barrier.ID)
	case record.KindStatus:
		l.tracef("  %s %d>%d: idle %v", s.Edge.Name, from, s.Receiver, e.Idle)
	case record.KindEnd:
		l.tracef("  %s %d>%d: end", s.Edge.Name, from, s.Receiver)
	}
}
