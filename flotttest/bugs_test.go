package flotttest_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/flottio/flott"
	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/keygroup"
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
}

const maxSeedsToFind = 4000

func TestSeedsFindDeliberateBugs(t *testing.T) {
	for _, b := range bugs {
		t.Run(b.name, func(t *testing.T) {
			for seed := range uint64(maxSeedsToFind) {
				k := expand(seed)
				if k.Graph != b.graph {
					continue
				}
				if _, err := run(k, nil, nil); err != nil {
					t.Fatalf("without the bug: %v", err)
				}
				if _, err := run(k, b.plant, nil); err != nil {
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
		for i := range p.Operators {
			if p.Operators[i].Enumerator == nil {
				continue
			}
			for k := range p.Operators[i].Subtasks {
				for _, l := range p.Operators[i].Subtasks[k].Lists {
					shiftSplits(l.State.Elements)
				}
			}
		}
	}
}

func shiftSplits(elements [][]byte) {
	for i, e := range elements {
		s, err := operator.DecodeSplit(e)
		if err != nil {
			panic(err)
		}
		if s.MaxTime != operator.NoTime {
			s.MaxTime += 100
		}
		elements[i] = s.Append(nil)
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
			t, ok := x.timers.Pop(watermark.End)
			if !ok {
				break
			}
			now = append(now, t)
		}
		for _, t := range append(slices.Clone(now), before...) {
			if !h.KeyGroups.Contains(keygroup.Of(t.Hash, keygroup.DefaultMax(1))) {
				continue // after a change of parallelism it lies elsewhere
			}
			if _, err := x.timers.Register(t.Key, t.Hash, t.TimeMs); err != nil {
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
