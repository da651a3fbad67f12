package flotttest_test

import (
	"bytes"
	"slices"
	"strconv"
	"testing"

	"github.com/flottio/flott"
	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/internal/network"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/sim"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/internal/taskmanager"
	"github.com/flottio/flott/internal/watermark"
)

// A test that cannot fail is a defect: each of these bugs, planted from outside, must be found within maxSeedsToFind seeds, while the same seeds
// without it pass.
var bugs = []struct {
	name  string
	graph string
	plant func(*trial, *sim.Config)
}{
	{"barrier forwarded before the records before it", "keyed", overtake},
	{"committable lost", "union", loseCommittables},
	{"timer restored twice", "timers", restoreTimersTwice},
	{"watermark running ahead after a restore", "timers", runAhead},
	{"split given to two readers", "broadcast", giveTwice},
	{"stop with a savepoint that forgets its commit", "keyed", forgetLastCommit},
	{"session merged twice", "session", mergeTwice},
	{"barriers not aligned", "keyed", doNotAlign},
	{"records skipped after a restore, at least once", "at-least-once", skipRecords},
	{"keyed state forgotten after a failure", "tumbling", forgetKeyedState},
	{"barrier overtakes the one before it", "union", swapBarriers},
}

const maxSeedsToFind = 4000

func TestDeliberateBugsAreFound(t *testing.T) {
	for _, b := range bugs {
		t.Run(b.name, func(t *testing.T) {
			for seed := range uint64(maxSeedsToFind) {
				k := expand(seed, []string{b.graph})
				if _, err := guarded(k, nil, nil); err != nil {
					t.Fatalf("without the bug: %v", err)
				}
				if _, err := guarded(k, b.plant, nil); err != nil {
					t.Logf("found by seed %d: %v", seed, err)
					return
				}
			}
			t.Fatalf("not found by %d seeds", maxSeedsToFind)
		})
	}
}

// overtake lets each barrier pass the batch that it should follow.
func overtake(_ *trial, c *sim.Config) {
	watched := c.Hooks.Sent
	c.Hooks.Sent = func(s *sim.Sent) error {
		if err := watched(s); err != nil || s.Element.Kind != record.KindBarrier || s.Number == s.Queue.Taken() {
			return err
		}
		if before := s.Queue.At(s.Number - 1); before.Kind == record.KindBatch {
			*before, *s.Element = *s.Element, *before
		}
		return nil
	}
}

// forgetLastCommit keeps from the tasks that the savepoint with which the job stops is complete.
func forgetLastCommit(_ *trial, c *sim.Config) {
	c.Hooks.Completing = func(_ checkpoint.ID, stops bool) bool { return !stops }
}

// mergeTwice makes the aggregator of windows add one of two accumulators twice.
func mergeTwice(t *trial, _ *sim.Config) { t.mergeTwice = true }

// doNotAlign runs a job at-least-once that was promised exactly-once.
func doNotAlign(_ *trial, c *sim.Config) {
	compile := c.Job
	c.Job = func(attempt int) (*taskmanager.Job, error) {
		j, err := compile(attempt)
		if err == nil {
			j.Settings.ExactlyOnce = false
		}
		return j, err
	}
}

// skipRecords restores each split one record further than it was read.
func skipRecords(t *trial, c *sim.Config) {
	c.Hooks.Restoring = func(p *checkpoint.RestorePlan) {
		eachSplit(p, func(s *operator.SplitState) {
			if n, err := strconv.Atoi(string(s.Position)); err == nil && n+1 < t.lengths[s.ID] {
				s.Position = strconv.AppendInt(nil, int64(n+1), 10)
			}
		})
	}
}

// forgetKeyedState restores everything but keyed state, in attempts that follow a failure.
func forgetKeyedState(_ *trial, c *sim.Config) {
	c.Hooks.Restoring = func(p *checkpoint.RestorePlan) {
		for i := range p.Operators {
			for k := range p.Operators[i].Subtasks {
				p.Operators[i].Subtasks[k].Keyed = nil
			}
		}
	}
}

// swapBarriers lets a barrier pass the one that waits before it, as more than one checkpoint is under way.
func swapBarriers(_ *trial, c *sim.Config) {
	watched := c.Hooks.Sent
	waiting := map[*network.Queue]uint64{}
	c.Hooks.Sent = func(s *sim.Sent) error {
		if err := watched(s); err != nil || s.Element.Kind != record.KindBarrier {
			return err
		}
		if n, ok := waiting[s.Queue]; ok && n >= s.Queue.Taken() {
			before := s.Queue.At(n)
			*before, *s.Element = *s.Element, *before
		}
		waiting[s.Queue] = s.Number
		return nil
	}
}

// loseCommittables forgets what sinks have prepared and not yet committed when the job is restored.
func loseCommittables(_ *trial, c *sim.Config) {
	c.Hooks.Restoring = func(p *checkpoint.RestorePlan) {
		for i := range p.Operators {
			for k := range p.Operators[i].Subtasks {
				s := &p.Operators[i].Subtasks[k]
				s.Lists = slices.DeleteFunc(s.Lists, func(l checkpoint.ListRead) bool { return l.State.Name == taskmanager.CommittablesState })
			}
		}
	}
}

// runAhead restores splits with event times later than any that was read from them.
func runAhead(_ *trial, c *sim.Config) {
	c.Hooks.Restoring = func(p *checkpoint.RestorePlan) {
		eachSplit(p, func(s *operator.SplitState) {
			if s.MaxTime != operator.NoTime {
				s.MaxTime += 100
			}
		})
	}
}

// eachSplit changes the stored splits.
func eachSplit(p *checkpoint.RestorePlan, f func(*operator.SplitState)) {
	for i := range p.Operators {
		if p.Operators[i].Enumerator == nil {
			continue
		}
		for k := range p.Operators[i].Subtasks {
			for _, l := range p.Operators[i].Subtasks[k].Lists {
				for n, e := range l.State.Elements {
					s, err := operator.DecodeSplit(e)
					if err != nil {
						panic(err)
					}
					f(&s)
					l.State.Elements[n] = s.Append(nil)
				}
			}
		}
	}
}

// giveTwice gives each reader the first split of its neighbour as well.
func giveTwice(t *trial, _ *sim.Config) {
	t.source = func(s flott.Source[event]) flott.Source[event] { return doubled{s} }
}

type doubled struct{ flott.Source[event] }

func (d doubled) NewEnumerator(c flott.EnumeratorContext, restored []byte) (flott.Enumerator, error) {
	return d.Source.NewEnumerator(&doubledContext{EnumeratorContext: c}, restored)
}

type doubledContext struct {
	flott.EnumeratorContext
	done bool
}

func (c *doubledContext) Assign(subtask int, s flott.Split) {
	c.EnumeratorContext.Assign(subtask, s)
	if !c.done && c.Parallelism() > 1 {
		c.done = true
		c.EnumeratorContext.Assign((subtask+1)%c.Parallelism(), s)
	}
}

// restoreTimersTwice restores, beside the timers of a checkpoint, those that were restored before and may have fired since.
func restoreTimersTwice(_ *trial, c *sim.Config) {
	var before []state.Timer[int64]
	c.Hooks.Reading = func(h checkpoint.Handle, b []byte) []byte {
		f, err := state.OpenFile(h.Path, bytes.NewReader(b), int64(len(b)))
		if err != nil || len(b) == 0 {
			return b
		}
		x, err := openBuckets(f, h.KeyGroups)
		if err != nil {
			return b // of another operator
		}
		var now []state.Timer[int64]
		for {
			t, ok, err := x.timers.Pop(watermark.End)
			if !ok || err != nil {
				break
			}
			now = append(now, t)
		}
		for _, t := range append(slices.Clone(now), before...) {
			if !h.KeyGroups.Contains(keygroup.Of(t.Hash, keygroup.DefaultMax(1))) {
				continue // after a change of parallelism it lies elsewhere
			}
			if err := x.timers.Register(t.Key, t.Hash, t.TimeMs); err != nil {
				return b
			}
		}
		before = append(before, now...)
		return x.encode()
	}
}

// bucketState is the state of countBuckets.
type bucketState struct {
	backend *state.Backend
	timers  *state.Timers[int64]
}

func openBuckets(f *state.File, r keygroup.Range) (x bucketState, err error) {
	if x.backend, err = state.NewBackend(state.Config{Groups: state.Groups{First: r.First, End: r.Last + 1, Max: keygroup.DefaultMax(1)}}); err != nil {
		return x, err
	}
	if err = x.backend.Restore(f); err != nil {
		return x, err
	}
	if _, err = state.RegisterMap[int64, int64, [2]int32](x.backend, state.Place{UID: manyOut, Name: "counts"}); err != nil {
		return x, err
	}
	if _, err = state.RegisterValue[int64, int32](x.backend, state.Place{UID: manyOut, Name: "open"}); err != nil {
		return x, err
	}
	x.timers, err = state.RegisterTimers[int64](x.backend, manyOut, "@event-timers")
	return x, err
}

func (x bucketState) encode() []byte {
	s, err := x.backend.Snapshot()
	if err != nil {
		panic(err)
	}
	defer s.Release()
	var b bytes.Buffer
	if _, err := s.Write(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}
