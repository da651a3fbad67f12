// Package watermark owns event-time progress: how the watermarks of a task's inputs become the task's own, and how a source
// derives watermarks from the times of its records.
//
// Everything here is pure: events in, results out; time that passes comes in as an argument. It never reads a clock, starts a
// goroutine or sends anything. A Merge or a generator belongs to one task; none is safe for concurrent use. The task, the
// gate and the sources' drivers may import it.
package watermark

import (
	"math"

	"github.com/flottio/flott/internal/invariant"
)

// Watermarks are event times in milliseconds since the epoch: no more records with an event time <= t will come.
const (
	// None is the watermark of an input or a task that has seen none yet.
	None int64 = math.MinInt64
	// End is the watermark after the last record: every event-time timer fires. Nothing but the end of the inputs
	// produces it (E12): an input alone that claims it is taken as ended.
	End int64 = math.MaxInt64
)

// Merge combines the watermarks of a task's inputs.
//
//	input 0  --12----15-------->  \
//	input 1  --9--idle~~~~~~~~~~>  +--> out = min over the inputs that take part, and never back
//	input 2  --20------END|       /
//
// Problem. An operator may act on time t only when every input has passed t. An input that has nothing to say (idle) must not
// hold the others for ever, and when it speaks again, with an older watermark, it must not turn time back.
//
// Rules.
//  1. out = min over the inputs that take part: not idle, not ended, and not lagging.
//  2. out never goes back, whatever arrives (E12).
//  3. An idle input that becomes active again while its watermark is behind out is lagging: it takes part again as soon as it
//     has caught up. Until then its records may be late; that is what idleness was a bet on.
//  4. When every input that has not ended is idle, the task is idle, and out advances to the greatest watermark of all
//     inputs: nobody is left who could still bring something older in good time.
//  5. An ended input no longer holds anybody. Only when all inputs have ended is out = End; an input that ended beside one
//     that is merely idle does not drag time to its end. (Its last watermark before the end still counts for rule 4.)
//
// Invariant: out is the greatest value ever returned. Invariant: idle implies that some input has not ended.
//
// Rejected: the minimum over lagging inputs too, with out standing still meanwhile. It is as safe but one input that flickers
// between idle and active would then hold the whole task again and again.
type Merge struct {
	inputs []Input
	out    int64
	idle   bool
	open   int // inputs that have not ended
	active int // inputs neither ended nor idle
}

// Input is what a Merge knows of one input; it is stored in snapshots (A6.9).
type Input struct {
	Watermark int64 `json:"watermark"` // greatest seen, below End; None if none
	Idle      bool  `json:"idle,omitzero"`
	Ended     bool  `json:"ended,omitzero"`
	lagging   bool  // active again, behind out; computed by Restore
}

// Change says what an event has done to the task's own watermark and status.
type Change struct {
	Watermark  int64 // out, after the event
	Advanced   bool  // out went up: forward it
	BecameIdle bool  // the task has become idle: forward it, after the watermark
	Resumed    bool  // the task is active again: forward it, before the watermark
}

// NewMerge returns a Merge of n inputs, all active and without a watermark. REQUIRES: n >= 1.
func NewMerge(n int) *Merge { return NewMergeAt(n, None) }

// NewMergeAt returns a Merge for a restore with another number of inputs: out and every input start at t, the least
// watermark of the old subtasks. Records that were not late before can then not be late now, and no window fires again
// (A6.9 ✗ FLINK-36663).
func NewMergeAt(n int, t int64) *Merge {
	invariant.Check(n >= 1, "merging the watermarks of %d inputs", n)
	if t == End { // the old subtasks had all ended; new inputs say so themselves
		t = End - 1
	}
	m := &Merge{inputs: make([]Input, n), out: t, open: n, active: n}
	for i := range m.inputs {
		m.inputs[i].Watermark = t
	}
	return m
}

// Restore returns a Merge that goes on where a Merge with this snapshot and this out stood. REQUIRES: inputs is not empty.
func Restore(inputs []Input, out int64) *Merge {
	m := &Merge{inputs: append([]Input(nil), inputs...), out: out}
	for i := range m.inputs {
		in := &m.inputs[i]
		in.Watermark = min(in.Watermark, End-1)
		if in.Ended {
			continue
		}
		m.open++
		if !in.Idle {
			m.active++
			in.lagging = in.Watermark < out
		}
	}
	m.idle = m.open > 0 && m.active == 0
	return m
}

// Snapshot appends the state of all inputs to dst, in order. With Now it is all that Restore needs.
func (m *Merge) Snapshot(dst []Input) []Input {
	for _, in := range m.inputs {
		in.lagging = false // derived: Restore computes it
		dst = append(dst, in)
	}
	return dst
}

// Now returns the task's watermark, None if there is none yet.
func (m *Merge) Now() int64 { return m.out }

// Idle reports whether the task is idle.
func (m *Merge) Idle() bool { return m.idle }

// Watermark takes watermark t from an input. Going back is ignored, and so is anything from an ended input. From an idle
// input it is kept, and counts when the input becomes active or the whole task is idle (rule 4). t = End has the effect of End.
func (m *Merge) Watermark(input int, t int64) (out int64, advanced bool) {
	if t == End {
		c := m.End(input)
		return c.Watermark, c.Advanced
	}
	in := &m.inputs[input]
	if in.Ended || t <= in.Watermark {
		return m.out, false
	}
	before := in.Watermark
	in.Watermark = t
	if in.Idle && m.active > 0 {
		return m.out, false
	}
	if in.lagging {
		in.lagging = t < m.out
	} else if before > m.out {
		return m.out, false // this input did not hold anybody back
	}
	return m.advance()
}

// BecomeIdle takes from an input that it has nothing to say until further notice.
func (m *Merge) BecomeIdle(input int) Change {
	in := &m.inputs[input]
	if in.Ended || in.Idle {
		return Change{Watermark: m.out}
	}
	in.Idle, in.lagging = true, false
	m.active--
	return m.settle()
}

// BecomeActive takes from an input that it speaks again. Drivers call it for an explicit status, and before the first record
// or watermark of an idle input.
func (m *Merge) BecomeActive(input int) Change {
	in := &m.inputs[input]
	if in.Ended || !in.Idle {
		return Change{Watermark: m.out}
	}
	in.Idle = false
	in.lagging = in.Watermark < m.out
	m.active++
	c := Change{Resumed: m.idle}
	m.idle = false
	c.Watermark, c.Advanced = m.advance()
	return c
}

// End takes from an input that its last record has come. REQUIRES: the input was drained. An input of a job that stops with
// a savepoint, not drained, has not ended in event time, and End must not be called for it (A9.2 ✗ FLINK-21132).
func (m *Merge) End(input int) Change {
	in := &m.inputs[input]
	if in.Ended {
		return Change{Watermark: m.out}
	}
	if !in.Idle {
		m.active--
	}
	in.Ended, in.Idle, in.lagging = true, false, false
	m.open--
	return m.settle()
}

// settle recomputes out and status after an input has left the merge.
func (m *Merge) settle() Change {
	becameIdle := m.open > 0 && m.active == 0 && !m.idle
	if m.open == 0 {
		m.idle = false
	} else if becameIdle {
		m.idle = true
	}
	c := Change{BecameIdle: becameIdle}
	c.Watermark, c.Advanced = m.advance()
	return c
}

// advance applies rules 1, 2, 4 and 5.
func (m *Merge) advance() (int64, bool) {
	t := None
	switch {
	case m.open == 0:
		t = End
	case m.active == 0:
		for i := range m.inputs {
			t = max(t, m.inputs[i].Watermark)
		}
	default:
		t = m.least()
	}
	if t <= m.out {
		return m.out, false
	}
	m.out = t
	return t, true
}

// least returns the minimum over the inputs that take part, or None if it cannot be above out.
func (m *Merge) least() int64 {
	t, found := End, false
	for i := range m.inputs {
		in := &m.inputs[i]
		if in.Ended || in.Idle || in.lagging {
			continue
		}
		if in.Watermark <= m.out {
			return None
		}
		t, found = min(t, in.Watermark), true
	}
	if !found {
		return None // all that are active lag: wait for one to catch up
	}
	return t
}
