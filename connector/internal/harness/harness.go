// Package harness plays the engine around one source or sink in the connectors' tests. Only tests import it.
package harness

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/flottio/flott"
)

// Enumeration is an EnumeratorContext that does everything at once.
type Enumeration struct {
	Subtasks int
	Assigned [][]flott.Split
	NoMore   []bool
	Err      error
}

// NewEnumeration returns a context for so many readers.
func NewEnumeration(subtasks int) *Enumeration {
	return &Enumeration{Subtasks: subtasks, Assigned: make([][]flott.Split, subtasks), NoMore: make([]bool, subtasks)}
}

// Context implements flott.EnumeratorContext.
func (c *Enumeration) Context() context.Context { return context.Background() }

// Parallelism implements flott.EnumeratorContext.
func (c *Enumeration) Parallelism() int { return c.Subtasks }

// Assign implements flott.EnumeratorContext.
func (c *Enumeration) Assign(subtask int, s flott.Split) {
	c.Assigned[subtask] = append(c.Assigned[subtask], s)
}

// NoMoreSplits implements flott.EnumeratorContext.
func (c *Enumeration) NoMoreSplits(subtask int) { c.NoMore[subtask] = true }

// Async implements flott.EnumeratorContext.
func (c *Enumeration) Async(work func(context.Context) (any, error), done func(any, error) error) {
	c.Err = errors.Join(c.Err, done(work(context.Background())))
}

// After implements flott.EnumeratorContext; f is never called.
func (c *Enumeration) After(int64, func() error) {}

// Reading is a ReaderContext that collects bad records.
type Reading struct {
	Ctx   context.Context
	Woken chan struct{} // has an element after Wake
	Wakes atomic.Int64
	Bad   []flott.BadRecord
	Done  []int32
}

// NewReading returns a context that ends with ctx.
func NewReading(ctx context.Context) *Reading {
	return &Reading{Ctx: ctx, Woken: make(chan struct{}, 1)}
}

// Context implements flott.ReaderContext.
func (c *Reading) Context() context.Context { return c.Ctx }

// Subtask implements flott.ReaderContext.
func (c *Reading) Subtask() int { return 0 }

// Parallelism implements flott.ReaderContext.
func (c *Reading) Parallelism() int { return 1 }

// Wake implements flott.ReaderContext.
func (c *Reading) Wake() {
	c.Wakes.Add(1)
	select {
	case c.Woken <- struct{}{}:
	default:
	}
}

// Now implements flott.ReaderContext.
func (c *Reading) Now() int64 { return time.Now().UnixMilli() }

// SplitDone implements flott.ReaderContext.
func (c *Reading) SplitDone(number int32) { c.Done = append(c.Done, number) }

// Reject implements flott.ReaderContext.
func (c *Reading) Reject(b flott.BadRecord) error {
	b.Raw = bytes.Clone(b.Raw)
	c.Bad = append(c.Bad, b)
	return nil
}

// Writing is a WriterContext.
type Writing struct {
	Ctx      context.Context
	Index    int
	Subtasks int
	Woken    chan struct{}
}

// Context implements flott.WriterContext.
func (c *Writing) Context() context.Context { return c.Ctx }

// UID implements flott.WriterContext.
func (c *Writing) UID() string { return "sink" }

// JobID implements flott.WriterContext.
func (c *Writing) JobID() string { return "job" }

// Attempt implements flott.WriterContext.
func (c *Writing) Attempt() string { return "1" }

// Subtask implements flott.WriterContext.
func (c *Writing) Subtask() int { return c.Index }

// Parallelism implements flott.WriterContext.
func (c *Writing) Parallelism() int { return c.Subtasks }

// Now implements flott.WriterContext.
func (c *Writing) Now() int64 { return 1 }

// Wake implements flott.WriterContext.
func (c *Writing) Wake() {
	select {
	case c.Woken <- struct{}{}:
	default:
	}
}

// Job runs a source with any parallelism and restores it at will.
type Job[T any] struct {
	Source   flott.Source[T]
	NewBatch func() *flott.Batch[T]
	Read     []T

	state      []byte
	held       []flott.Split
	enumerator flott.Enumerator
	context    *Enumeration
	readers    []flott.Reader[T]
	Contexts   []*Reading
	given      []int
	told       []bool
	Ended      int
}

// Start begins an attempt from the last Snapshot.
func (j *Job[T]) Start(ctx context.Context, subtasks int) error {
	j.context = NewEnumeration(subtasks)
	j.readers, j.Contexts, j.given, j.told, j.Ended = nil, nil, make([]int, subtasks), make([]bool, subtasks), 0
	var err error
	if j.enumerator, err = j.Source.NewEnumerator(j.context, j.state); err != nil {
		return err
	}
	if len(j.held) > 0 {
		if err := j.enumerator.Return(j.held); err != nil {
			return err
		}
	}
	if err := j.enumerator.Start(); err != nil {
		return err
	}
	for range subtasks {
		c := NewReading(ctx)
		r, err := j.Source.NewReader(c)
		if err != nil {
			return err
		}
		j.Contexts, j.readers = append(j.Contexts, c), append(j.readers, r)
	}
	return errors.Join(j.context.Err, j.deliver())
}

func (j *Job[T]) deliver() error {
	for i, r := range j.readers {
		if given := j.context.Assigned[i]; len(given) > j.given[i] {
			fresh := given[j.given[i]:]
			j.given[i] = len(given)
			if err := r.Assign(fresh); err != nil {
				return err
			}
		}
		if j.context.NoMore[i] && !j.told[i] {
			j.told[i] = true
			r.NoMoreSplits()
		}
	}
	return nil
}

// Step lets one subtask read once.
func (j *Job[T]) Step(subtask int) (flott.ReadStatus, error) {
	b := j.NewBatch()
	status, err := j.readers[subtask].Read(b)
	if err != nil {
		return status, err
	}
	j.Read = append(j.Read, b.Rows...)
	b.Release()
	if status == flott.NeedSplit {
		err = errors.Join(j.enumerator.Request(subtask), j.context.Err)
	}
	return status, errors.Join(err, j.deliver())
}

// Snapshot takes a checkpoint to restore from.
func (j *Job[T]) Snapshot() error {
	j.held = nil
	for _, r := range j.readers {
		splits, err := r.Snapshot()
		if err != nil {
			return err
		}
		j.held = append(j.held, splits...)
	}
	var err error
	j.state, err = j.enumerator.Snapshot()
	return err
}

// Close ends the attempt.
func (j *Job[T]) Close() error {
	var errs []error
	for _, r := range j.readers {
		errs = append(errs, r.Close())
	}
	return errors.Join(append(errs, j.enumerator.Close())...)
}

// Run reads to the end, with a restart and the next of the parallelisms after every so many rounds; 0: none.
func (j *Job[T]) Run(ctx context.Context, every int, parallel ...int) error {
	for turn := 0; ; turn++ {
		n := parallel[turn%len(parallel)]
		if err := j.Start(ctx, n); err != nil {
			return err
		}
		ended := 0
		for step := 1; ended < n && (every == 0 || step%(every*4*n) != 0); step++ {
			status, err := j.Step(step % n)
			if err != nil {
				return errors.Join(err, j.Close())
			}
			if status == flott.End {
				ended++
			} else {
				ended = 0
			}
		}
		if err := errors.Join(j.Snapshot(), j.Close()); err != nil || ended == n {
			return err
		}
	}
}
