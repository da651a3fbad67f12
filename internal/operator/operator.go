// Package operator is the operator interface and every built-in operator. An operator transforms batches; it owns its state and
// is used by one goroutine, that of its task. It never blocks, never reads a clock, and never looks at barriers: what has to happen
// around a checkpoint reaches it through Snapshotter and Completer.
//
// Imported by task and by the root package, which supplies the user's functions.
package operator

import (
	"context"
	"slices"

	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/record"
)

// Operator is the least that every operator has. One interface call per batch.
type Operator interface {
	// Open is called once before anything else, with state restored. It declares state and keeps what it needs of c.
	Open(c *Context) error
	// Process takes ownership of the batch, which came on the given input (0 for the first or only one).
	Process(input int, b record.Batch) error
	// Close releases resources; called once, also after a failed Open.
	Close() error
}

// Output takes the batches that an operator makes.
type Output interface {
	// Emit hands the batch over. It never blocks: what does not fit waits in the task's outbox, and the task takes no more input.
	Emit(b record.Batch) error
}

// Advancer is implemented by operators that act on event time.
type Advancer interface {
	// Advance says that event time has reached wm. The operator fires what is due in pieces: more = true asks for another call
	// with the same wm once its output has gone, so that the outbox stays bounded however many timers are due (A6.10).
	Advance(wm int64) (more bool, err error)
}

// Clocked is implemented by operators that act on processing time.
type Clocked interface {
	// NextTick is the processing time of the earliest thing to do, in milliseconds; math.MaxInt64 for none. Asked once per step.
	NextTick() int64
	// Tick does what is due at now; more as for Advance.
	Tick(now int64) (more bool, err error)
}

// Finisher is implemented by operators that act on the end of all inputs, after the last watermark.
type Finisher interface {
	Finish() (more bool, err error)
}

// WatermarkSource is implemented by operators that make watermarks: sources, and assigners in the middle of a chain. What the task
// feeds to Advance does not pass them.
type WatermarkSource interface {
	// Watermark is the watermark for everything emitted so far, and whether the output is idle. Asked after each batch
	// and each tick, cheap.
	Watermark() (wm int64, idle bool)
}

// Snapshotter is implemented by operators with operator state (not keyed: that belongs to the backend).
type Snapshotter interface {
	// Snapshot captures the state at a barrier, synchronously. What must be made durable first happens in the Flush that it
	// returns, off the task's goroutine, or nil.
	Snapshot(b Checkpoint) (Saved, Flush, error)
}

// Declarer is implemented by operators with operator state of their own, so that a restore can be planned before anything runs.
type Declarer interface {
	// OperatorState returns the lists that Snapshot makes, without elements.
	OperatorState() []ListState
}

// Locator is implemented by operators whose states are declared in functions of the user's.
type Locator interface {
	// StatePosition is the file:line of a state's declaration; empty for a state that is the engine's.
	StatePosition(name string) string
}

// Completer is implemented by operators that act when a checkpoint is complete.
type Completer interface {
	// Complete says that checkpoint id and all before it are complete (A2.16: it may be repeated, or be missing).
	Complete(id checkpoint.ID) error
	// Settled reports whether everything of completed checkpoints has been done: a finished task waits for it (A8.2).
	Settled() bool
}

// Holder is implemented by operators that may have to hold back their input (a sink whose buffer is full).
type Holder interface{ Holding() bool }

// Describer names the record an operator was working on, for the error when user code panics.
type Describer interface {
	// Current returns the record in work, and whether there is one.
	Current() (rec any, ok bool)
}

// Placer names what an operator is working on beside or instead of a record, for the error when user code fails.
type Placer interface {
	// Place is a timer, a window, a place in the input, in words; empty if there is nothing to name.
	Place() string
}

// Source is an operator at the head of a task that reads splits.
type Source interface {
	Operator
	WatermarkSource
	// Poll reads at most one batch and emits it.
	Poll() (SourceStatus, error)
	// Assign and NoMoreSplits bring the enumerator's decisions.
	Assign(splits []SplitState) error
	NoMoreSplits()
	// HoldWatermark keeps the watermark where it is while held.
	HoldWatermark(held bool)
	// Stop makes Poll emit nothing from now on (stop-with-savepoint).
	Stop()
	// Progress is the share of bounded input that was read, or total 0.
	Progress() (done, total int64)
}

// NoTime is record.NoTime.
const NoTime = record.NoTime

// SourceStatus says what a source waits for.
type SourceStatus uint8

// What Poll says.
const (
	SourceMore SourceStatus = iota
	SourceIdle
	SourceNeedsSplit
	SourceEnd
)

// Split is a unit of a source's input: see flott.Split.
type Split struct {
	ID       string
	Position []byte
}

// SplitState is a split with the greatest event time its reader had seen, so that the watermark of a restored split neither
// runs ahead nor falls back (A6.9).
type SplitState struct {
	Split
	MaxTime int64
}

// Recovery is what a restored checkpoint knows of a sink: see flott.Recovery.
type Recovery struct {
	UID, JobID, Attempt string
	Restored            bool
	States              [][]byte
	Committables        [][]byte
}

// Checkpoint is what an operator is told of the barrier it snapshots for.
type Checkpoint struct {
	ID        checkpoint.ID
	Savepoint bool
	// Last says that no record follows.
	Last bool
}

// Saved is the operator state of one subtask.
type Saved struct {
	Lists []ListState
}

// ListState is one named list of operator state.
type ListState struct {
	Name     string
	Mode     Mode
	Elements [][]byte
}

// Mode says how the elements of a list are spread over the subtasks after a change of parallelism (A14.1).
type Mode uint8

// The modes of operator state.
const (
	SplitList Mode = iota // round robin
	Union                 // every subtask gets all
	Replicate             // broadcast state: equal on all; subtask i takes copy i mod old parallelism
)

// Flush makes durable what belongs to a snapshot and returns the state that only exists then.
type Flush func(ctx context.Context) (Saved, error)

// Restored gives an operator its operator state back.
type Restored struct {
	// IsRestored says that the job started from a checkpoint, even if nothing is stored for this operator.
	IsRestored bool
	Lists      []ListState
	// Watermark is the event time the operator had reached.
	Watermark int64
}

// Add appends elements to a named list: those that one subtask of before had, of perhaps several.
func (r *Restored) Add(name string, elements [][]byte) {
	for i := range r.Lists {
		if r.Lists[i].Name == name {
			// The capacity is the manifest's: others restore from it, too.
			r.Lists[i].Elements = append(slices.Clip(r.Lists[i].Elements), elements...)
			return
		}
	}
	r.Lists = append(r.Lists, ListState{Name: name, Elements: elements})
}

// List returns the elements of a named list.
func (r *Restored) List(name string) [][]byte {
	for i := range r.Lists {
		if r.Lists[i].Name == name {
			return r.Lists[i].Elements
		}
	}
	return nil
}

// Counters are the balance of one operator: In = Out + Dropped + Late + DeadLetters for one that makes one record of each
// (D14). Written by the task's goroutine once per batch.
type Counters struct {
	In, Out, Late, DeadLetters, Dropped Counter
}
