package sim

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"

	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/task"
)

var _ task.Env = (*life)(nil)

// Now implements task.Env.
func (l *life) Now() int64 { return l.now }

// Go implements task.Env.
func (l *life) Go(work func(context.Context) error, done func(error)) {
	l.work = append(l.work, errand{work, done})
}

// Post implements taskmanager.Host.
func (l *life) Post(f func() error) { l.letters = append(l.letters, f) }

// After implements taskmanager.Host.
func (l *life) After(delayMs int64, f func() error) {
	l.timers = append(l.timers, timer{l.now + delayMs, f})
}

// WriteState implements task.Env.
func (l *life) WriteState(_ context.Context, id checkpoint.ID, name string, write func(io.Writer) error) (task.Handle, error) {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return task.Handle{}, err
	}
	if l.fault() {
		l.note("storage fails for checkpoint", int64(id))
		return task.Handle{}, errFault
	}
	path := fmt.Sprintf("chk-%d-%s", id, name)
	if _, twice := l.files[path]; twice {
		panic("BUG: file " + path + " is written twice (A1.5)")
	}
	l.files[path] = b.Bytes()
	return task.Handle{Path: path, Length: int64(b.Len()), Digest: sha256.Sum256(b.Bytes())}, nil
}

// Report implements task.Env.
func (l *life) Report(r task.Report) {
	chain, subtask := int64(r.Task), int64(r.Subtask)
	switch r.Kind {
	case task.ReportNeedsSplit:
		l.attempt.Request(r.Task, r.Subtask)
	case task.ReportAck:
		l.note("ack", int64(r.Checkpoint), chain, subtask)
		if a := l.assemblies[r.Checkpoint]; a != nil {
			a.Add(r.Task, r.Subtask, r.Snapshot)
		}
		l.tell(checkpoint.Acked{ID: r.Checkpoint, Attempt: l.ids[r.Task][r.Subtask]})
	case task.ReportDecline:
		l.note("decline", int64(r.Checkpoint), chain, subtask)
		l.tell(checkpoint.DeclinedBy{ID: r.Checkpoint, Attempt: l.ids[r.Task][r.Subtask], Reason: r.Reason})
	case task.ReportDrained:
		l.note("drained", chain, subtask)
		if !l.drained[r.Task][r.Subtask] {
			l.drained[r.Task][r.Subtask] = true
			l.undrained--
		}
		l.tell(checkpoint.TaskEnded{Task: checkpoint.Task{Vertex: r.Task, Subtask: r.Subtask}, Attempt: l.ids[r.Task][r.Subtask]})
	case task.ReportSettled:
		if l.settled++; l.settled == len(l.attempt.Tasks) {
			l.note("settled")
			l.settle()
		}
	case task.ReportFailed:
		l.note("failed", chain, subtask)
		l.tracef("  %v", r.Err)
		if l.failed == nil {
			l.failed = userError{r.Err}
		}
	}
}

// settle ends the job, or the attempt that was stopped.
func (l *life) settle() {
	if !l.stops {
		l.done = true
		return
	}
	l.failed = errStopped
	if l.Hooks.Stopped != nil {
		if err := l.Hooks.Stopped(); err != nil {
			l.failed = err
		}
	}
}
