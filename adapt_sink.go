package flott

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/taskmanager"
)

// sinkOperator runs a Writer at the end of a chain and carries its committables through the two phases.
//
// Invariant: a committable is in pending from Prepare on until Commit has returned for it, and every snapshot holds all of pending: a
// checkpoint that is given up takes nothing with it.
type sinkOperator[T any] struct {
	sink      Sink[T]
	committer Committer
	ctx       *operator.Context
	writer    Writer[T]
	ready     Ready
	ticker    Ticker
	marks     WatermarkWriter
	nextTick  int64
	pending   []*prepared
	attempts  int
	batch     record.Batch
}

// prepared is what a writer prepared for one checkpoint. Its committables are filled in by the flush, which runs elsewhere and ends before the
// snapshot is acknowledged.
type prepared struct {
	id           checkpoint.ID
	committables [][]byte
	committing   bool
}

// tickEveryMs is how often a writer that wants it is told the time.
const tickEveryMs = 100

func newSinkOperator[T any](s Sink[T]) *sinkOperator[T] {
	c, _ := s.(Committer)
	return &sinkOperator[T]{sink: s, committer: c}
}

// Open implements operator.Operator.
func (s *sinkOperator[T]) Open(c *operator.Context) (err error) {
	s.ctx, s.nextTick = c, math.MaxInt64
	s.writer, err = s.sink.NewWriter(writerContext[T]{s}, c.Restored.List(taskmanager.WriterState))
	if err != nil {
		return err
	}
	s.ready, _ = s.writer.(Ready)
	s.marks, _ = s.writer.(WatermarkWriter)
	if s.ticker, _ = s.writer.(Ticker); s.ticker != nil {
		s.nextTick = c.Now() + tickEveryMs
	}
	return nil
}

// Process implements operator.Operator.
func (s *sinkOperator[T]) Process(_ int, b record.Batch) error {
	in := b.(*record.Rows[T])
	s.ctx.Counters.Out.Add(in.Records())
	if err := s.writer.Write(in); err != nil {
		return err
	}
	in.Release()
	return nil
}

// Holding implements operator.Holder.
func (s *sinkOperator[T]) Holding() bool { return s.ready != nil && !s.ready.Ready() }

// Advance implements operator.Advancer.
func (s *sinkOperator[T]) Advance(watermark int64) (bool, error) {
	if s.marks == nil {
		return false, nil
	}
	return false, s.marks.Advance(watermark)
}

// NextTick implements operator.Clocked.
func (s *sinkOperator[T]) NextTick() int64 { return s.nextTick }

// Tick implements operator.Clocked.
func (s *sinkOperator[T]) Tick(now int64) (bool, error) {
	s.nextTick = now + tickEveryMs
	return false, s.ticker.Tick(now)
}

// Snapshot implements operator.Snapshotter.
func (s *sinkOperator[T]) Snapshot(c operator.Checkpoint) (operator.Saved, operator.Flush, error) {
	flush, err := s.writer.Prepare(Preparation{Checkpoint: int64(c.ID), Savepoint: c.Savepoint, Last: c.Last})
	if err != nil {
		return operator.Saved{}, nil, err
	}
	mine := &prepared{id: c.ID}
	s.pending = append(s.pending, mine)
	all := append([]*prepared(nil), s.pending...)
	return operator.Saved{}, func(ctx context.Context) (operator.Saved, error) {
		p := Prepared{}
		if flush != nil {
			if p, err = flush(ctx); err != nil {
				// What was prepared may be lost: going on without it would lose records.
				return operator.Saved{}, operator.Fatal(err)
			}
		}
		mine.committables = p.Committables
		var saved operator.Saved
		if p.State != nil {
			saved.Lists = append(saved.Lists, operator.ListState{Name: taskmanager.WriterState, Elements: [][]byte{p.State}})
		}
		list := operator.ListState{Name: taskmanager.CommittablesState}
		for _, x := range all {
			list.Elements = append(list.Elements, x.committables...)
		}
		if len(list.Elements) > 0 {
			saved.Lists = append(saved.Lists, list)
		}
		return saved, nil
	}, nil
}

// Complete implements operator.Completer.
func (s *sinkOperator[T]) Complete(id checkpoint.ID) error {
	var batch []*prepared
	var committables [][]byte
	for _, p := range s.pending {
		if p.id <= id && !p.committing {
			p.committing = true
			batch = append(batch, p)
			committables = append(committables, p.committables...)
		}
	}
	if len(batch) == 0 {
		return nil
	}
	s.ctx.Later(func(ctx context.Context) error {
		if s.committer == nil || len(committables) == 0 {
			return nil
		}
		return commit(ctx, s.committer, committables)
	}, func(err error) error {
		if err != nil {
			return fmt.Errorf("committing the output of checkpoint %d: %w", id, err)
		}
		n := 0
		for _, p := range s.pending {
			if !p.committing || p.id > id {
				s.pending[n] = p
				n++
			}
		}
		s.pending = s.pending[:n]
		return nil
	})
	return nil
}

// Settled implements operator.Completer. What was prepared for a checkpoint that is not complete is not waited for.
func (s *sinkOperator[T]) Settled() bool {
	for _, p := range s.pending {
		if p.committing {
			return false
		}
	}
	return true
}

// Close implements operator.Operator.
func (s *sinkOperator[T]) Close() error {
	if s.writer == nil {
		return nil
	}
	return s.writer.Close()
}

// Bounds of retrying a commit: about 13 s in all.
const (
	maxCommitAttempts  = 8
	commitRetryFirstMs = 100
)

// commit commits with bounded retries (A11.4).
func commit(ctx context.Context, c Committer, committables [][]byte) (err error) {
	for i := range maxCommitAttempts {
		if err = c.Commit(ctx, committables); err == nil || operator.IsHopeless(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(commitRetryFirstMs<<i) * time.Millisecond):
		}
	}
	return fmt.Errorf("giving up after %d attempts: %w", maxCommitAttempts, err)
}

// writerContext is the WriterContext of a sinkOperator.
type writerContext[T any] struct{ s *sinkOperator[T] }

func (c writerContext[T]) Context() context.Context { return c.s.ctx.Ctx }
func (c writerContext[T]) UID() string              { return c.s.ctx.UID }
func (c writerContext[T]) JobID() string            { return c.s.ctx.JobID }
func (c writerContext[T]) Attempt() string          { return c.s.ctx.Attempt }
func (c writerContext[T]) Subtask() int             { return c.s.ctx.Subtask }
func (c writerContext[T]) Parallelism() int         { return c.s.ctx.Parallelism }
func (c writerContext[T]) Now() int64               { return c.s.ctx.Now() }
func (c writerContext[T]) Wake()                    { c.s.ctx.Wake() }
