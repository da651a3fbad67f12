package task

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
)

// aligner is what checkpoint.Align (exactly once) and checkpoint.Track (at least once) have in common.
type aligner interface {
	Barrier(dst []checkpoint.TaskAction, input int, id checkpoint.ID, o checkpoint.Options) []checkpoint.TaskAction
	Cancel(dst []checkpoint.TaskAction, input int, id checkpoint.ID) []checkpoint.TaskAction
	Abort(dst []checkpoint.TaskAction, id checkpoint.ID) []checkpoint.TaskAction
	Trigger(dst []checkpoint.TaskAction, id checkpoint.ID, o checkpoint.Options) []checkpoint.TaskAction
}

func newAligner(inputs int, s *Spec) aligner {
	if s.ExactlyOnce || inputs == 0 {
		return checkpoint.NewAlign(inputs, max(1, s.MaxConcurrent), s.RestoredID)
	}
	return checkpoint.NewTrack(inputs, s.RestoredID)
}

// Trigger begins a checkpoint at a source. Any goroutine may call it and those that follow; false says that the task has ended.
func (t *Task) Trigger(id checkpoint.ID, o checkpoint.Options) bool {
	return t.mail.post(func() error {
		if o.Synchronous() && t.chain.source != nil {
			t.stopped = true
			t.chain.source.Stop()
			if o.Stop == checkpoint.Drain && t.ending == endNone {
				// Event time ends first; the barrier follows behind the last window.
				t.end()
				t.mail.post(func() error { return t.act(t.align.Trigger(nil, id, o)) })
				return nil
			}
		}
		return t.act(t.align.Trigger(nil, id, o))
	})
}

// Abort says that a checkpoint is given up.
func (t *Task) Abort(id checkpoint.ID) bool {
	return t.mail.post(func() error { return t.act(t.align.Abort(nil, id)) })
}

// Complete says that a checkpoint and all before it are complete.
func (t *Task) Complete(id checkpoint.ID) bool {
	return t.mail.post(func() error {
		for _, l := range t.chain.links {
			if l.completes != nil {
				t.chain.at = l
				if err := l.completes.Complete(id); err != nil {
					return wrap(l, err)
				}
			}
		}
		return nil
	})
}

// Assign gives splits to the source at the head.
func (t *Task) Assign(splits []operator.SplitState) bool {
	return t.mail.post(func() error {
		t.requested, t.chain.at = false, t.chain.links[0]
		return wrap(t.chain.links[0], t.chain.source.Assign(splits))
	})
}

// NoMoreSplits tells the source that it has all its splits.
func (t *Task) NoMoreSplits() bool {
	return t.mail.post(func() error {
		t.chain.source.NoMoreSplits()
		return nil
	})
}

// HoldWatermark keeps the source's watermark where it is while held.
func (t *Task) HoldWatermark(held bool) bool {
	return t.mail.post(func() error {
		t.chain.source.HoldWatermark(held)
		return nil
	})
}

// Settled asks whether everything of completed checkpoints is committed; the answer is ReportSettled, once it is true.
func (t *Task) Settled() bool {
	return t.mail.post(func() error {
		t.settling = true
		t.checkSettled()
		return nil
	})
}

func (t *Task) checkSettled() {
	if !t.settling {
		return
	}
	for _, l := range t.chain.links {
		if l.completes != nil && !l.completes.Settled() {
			return
		}
	}
	t.settling = false
	t.report(Report{Kind: ReportSettled})
}

// act carries out what the aligner asks for, in order.
func (t *Task) act(actions []checkpoint.TaskAction) error {
	for _, a := range actions {
		switch a.Kind {
		case checkpoint.Block:
			t.gate.blocked[a.Input] = true
		case checkpoint.UnblockAll:
			t.gate.unblockAll()
		case checkpoint.Snapshot:
			if err := t.snapshot(a.ID, a.Options); err != nil {
				return err
			}
		case checkpoint.ForwardCancel:
			for _, e := range t.chain.edges {
				e.control(record.Element{Kind: record.KindCancel, Barrier: record.Barrier{ID: a.ID}})
			}
		case checkpoint.Decline:
			t.report(Report{Kind: ReportDecline, Checkpoint: a.ID, Reason: a.Reason})
		case checkpoint.Drop:
			t.obsolete.Add(1)
		}
	}
	return nil
}

// snapshot is the task's part of a checkpoint: one atomic step between two elements, in the order of A3. An error of the synchronous part
// fails the task (A2.11).
func (t *Task) snapshot(id checkpoint.ID, o checkpoint.Options) error {
	start := time.Now()
	// After the barrier that stops the job nothing may happen here any more (A9.2).
	t.stopped = t.stopped || o.Synchronous()
	for _, e := range t.chain.edges {
		e.control(record.Element{Kind: record.KindBarrier, Barrier: record.Barrier{ID: id, Options: o}})
	}
	cp := operator.Checkpoint{ID: id, Savepoint: o.Kind == checkpoint.Savepoint, Last: o.Synchronous() || t.ending == endDone}
	s := &Snapshot{Finished: t.ending == endDone, KeyGroups: t.keyGroups(), Operators: make([]OperatorSnapshot, len(t.chain.links))}
	flushes := make([]operator.Flush, len(t.chain.links))
	for i, l := range t.chain.links {
		s.Operators[i] = OperatorSnapshot{UID: l.spec.UID, Watermark: l.in, Keyed: t.keyed(l.spec.UID)}
		if l.snapshots == nil {
			continue
		}
		t.chain.at = l
		saved, flush, err := l.snapshots.Snapshot(cp)
		if err != nil {
			return wrap(l, fmt.Errorf("taking the snapshot of checkpoint %d: %w", id, err))
		}
		s.Operators[i].Lists, flushes[i] = saved.Lists, flush
	}
	t.chain.at = nil
	keyed, err := t.freeze()
	if err != nil {
		return fmt.Errorf("freezing keyed state for checkpoint %d: %w", id, err)
	}
	s.SyncMicros = time.Since(start).Microseconds()
	t.upload(id, s, flushes, keyed)
	return nil
}

// upload is the asynchronous part: sinks make their data durable, keyed state is written, then the snapshot is acknowledged or declined,
// once (A3.3).
func (t *Task) upload(id checkpoint.ID, s *Snapshot, flushes []operator.Flush, keyed *state.Snapshot) {
	if keyed != nil {
		t.frozen = append(t.frozen, keyed)
	}
	name := fmt.Sprintf("task-%d-%d-%s", t.spec.ID, t.spec.Subtask, t.spec.Attempt)
	t.uploads.add(func(ctx context.Context) error {
		start := time.Now()
		for i, flush := range flushes {
			if flush == nil {
				continue
			}
			saved, err := flush(ctx)
			if err != nil {
				return wrap(t.chain.links[i], fmt.Errorf("making the output of checkpoint %d durable: %w", id, err))
			}
			s.Operators[i].Lists = append(s.Operators[i].Lists, saved.Lists...)
		}
		if keyed != nil {
			h, err := t.env.WriteState(ctx, id, name, func(w io.Writer) error {
				_, err := keyed.Write(w)
				return err
			})
			if err != nil {
				return fmt.Errorf("writing keyed state of checkpoint %d: %w", id, err)
			}
			s.Keyed = &h
		}
		if err := t.storeLists(ctx, id, name, s); err != nil {
			return err
		}
		s.AsyncMicros = time.Since(start).Microseconds()
		return nil
	}, func(err error) error {
		t.release(keyed)
		if operator.IsFatal(err) {
			return err
		}
		if err != nil {
			t.report(Report{Kind: ReportDecline, Checkpoint: id, Reason: checkpoint.AsyncSnapshotFailed, Err: t.located(err)})
			return nil
		}
		t.report(Report{Kind: ReportAck, Checkpoint: id, Snapshot: s})
		return nil
	})
}

// inlineBytesMax is what one operator's lists may have inside the manifest (A15.3); what is more goes into a file.
const inlineBytesMax = 20 << 10

// storeLists moves large operator state into files.
func (t *Task) storeLists(ctx context.Context, id checkpoint.ID, name string, s *Snapshot) error {
	for i := range s.Operators {
		o := &s.Operators[i]
		for k := range o.Lists {
			l := &o.Lists[k]
			size := 0
			for _, e := range l.Elements {
				size += len(e)
			}
			if size <= inlineBytesMax {
				continue
			}
			h, err := t.env.WriteState(ctx, id, fmt.Sprintf("%s-list-%d-%d", name, i, k), func(w io.Writer) error {
				for _, e := range l.Elements {
					if _, err := w.Write(e); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return fmt.Errorf("%s: writing operator state %q of checkpoint %d: %w", o.UID, l.Name, id, err)
			}
			if o.Files == nil {
				o.Files = map[string]Handle{}
			}
			o.Files[l.Name] = h
		}
	}
	return nil
}

// freeze takes keyed state as it is now; nil when no operator of the chain has any.
func (t *Task) freeze() (*state.Snapshot, error) {
	if t.spec.Backend == nil || len(t.spec.Backend.States()) == 0 {
		return nil, nil
	}
	return t.spec.Backend.Snapshot()
}

// keyed reports whether an operator has keyed state.
func (t *Task) keyed(uid string) bool {
	if t.spec.Backend != nil {
		for _, s := range t.spec.Backend.States() {
			if s.UID == uid {
				return true
			}
		}
	}
	return false
}

func (t *Task) keyGroups() keygroup.Range {
	return keygroup.RangeOf(t.spec.Subtask, t.spec.MaxParallelism, t.spec.Parallelism)
}

// release gives up a snapshot of keyed state that was written, or will never be.
func (t *Task) release(keyed *state.Snapshot) {
	if i := slices.Index(t.frozen, keyed); i >= 0 {
		t.frozen = slices.Delete(t.frozen, i, i+1)
		keyed.Release()
	}
}
