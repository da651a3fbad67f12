package flotttest_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/flottio/flott/internal/sim"
)

// maxShrinkRuns bounds the runs that reducing a failure takes.
const maxShrinkRuns = 600

// shrink reduces the knobs of a run that fails to a smaller one that fails, too: fewer records, troubles, subtasks, steps. It is greedy: a
// change that still fails stays, until none does.
func shrink(k knobs, try func(knobs) (sim.Result, error)) (knobs, error) {
	runs := 0
	best, err := try(k)
	fails := func(c knobs) (sim.Result, error) {
		runs++
		return try(c)
	}
	for again := true; again && runs < maxShrinkRuns; {
		again = false
		for _, change := range reductions {
			c := k.clone()
			for change(&c) && runs < maxShrinkRuns {
				r, e := fails(c)
				if e == nil {
					break
				}
				k, best, err, again = c.clone(), r, e, true
			}
		}
	}
	for order := uint64(1); order <= 40 && runs < maxShrinkRuns+40; order++ {
		c := k.clone()
		c.Order = order
		if r, e := fails(c); e != nil && r.Steps < best.Steps {
			k, best, err = c, r, e
		}
	}
	return k, err
}

// reductions make a run smaller, each in one way by one step; false when there is none left.
var reductions = []func(*knobs) bool{
	zero(func(k *knobs) *int { return &k.Crashes }), zero(func(k *knobs) *int { return &k.Faults }), zero(func(k *knobs) *int { return &k.Failures }),
	zero(func(k *knobs) *int { return &k.Stops }), zero(func(k *knobs) *int { return &k.ClockJumps }),
	zero(func(k *knobs) *int { return &k.SavepointEvery }), zero(func(k *knobs) *int { return &k.CheckpointEvery }),
	func(k *knobs) bool { return off(&k.SerialiseEdges) }, func(k *knobs) bool { return off(&k.Tardy) }, func(k *knobs) bool { return off(&k.Lists) },
	halve(1, func(k *knobs) *int { return &k.Records }), less(1, func(k *knobs) *int { return &k.Records }),
	less(1, func(k *knobs) *int { return &k.Splits }), less(1, func(k *knobs) *int { return &k.Keys }),
	less(0, func(k *knobs) *int { return &k.Crashes }), less(0, func(k *knobs) *int { return &k.Faults }),
	less(0, func(k *knobs) *int { return &k.Failures }), less(0, func(k *knobs) *int { return &k.Stops }),
	less(1, func(k *knobs) *int { return &k.MaxConcurrent }), halve(0, func(k *knobs) *int { return &k.ClockJumps }),
	zero(func(k *knobs) *int { return &k.MomentEvery }), zero(func(k *knobs) *int { return &k.CrashEvery }),
	zero(func(k *knobs) *int { return &k.QueueElements }), less(1, func(k *knobs) *int { return &k.SlowSources }),
	zero(func(k *knobs) *int { return &k.MaxBatch }), zero(func(k *knobs) *int64 { return &k.Disorder }),
	zero(func(k *knobs) *int64 { return &k.BufferTimeoutMs }), zero(func(k *knobs) *int64 { return &k.TimeoutMs }),
	func(k *knobs) bool { return uniform(&k.Chained) }, func(k *knobs) bool { return uniform(&k.Parallelism) },
	func(k *knobs) bool {
		most := slices.Max(k.Parallelism)
		for i := range k.Parallelism {
			k.Parallelism[i] = min(k.Parallelism[i], max(1, most-1))
		}
		return most > 1
	},
}

func (k knobs) clone() knobs {
	k.Parallelism, k.Chained = slices.Clone(k.Parallelism), slices.Clone(k.Chained)
	return k
}

func zero[N int | int64](f func(*knobs) *N) func(*knobs) bool {
	return func(k *knobs) bool {
		n := f(k)
		was := *n
		*n = 0
		return was != 0
	}
}

func less(least int, f func(*knobs) *int) func(*knobs) bool {
	return func(k *knobs) bool {
		n := f(k)
		if *n <= least {
			return false
		}
		*n--
		return true
	}
}

func halve(least int, f func(*knobs) *int) func(*knobs) bool {
	return func(k *knobs) bool {
		n := f(k)
		if *n/2 < least || *n == 0 {
			return false
		}
		*n /= 2
		return true
	}
}

func off(b *bool) bool {
	was := *b
	*b = false
	return was
}

// uniform makes all attempts like the first.
func uniform[V comparable](list *[]V) bool {
	if len(*list) == 1 {
		return false
	}
	*list = (*list)[:1]
	return true
}

// replay is the command that runs the knobs again.
func (k knobs) replay() string {
	b, err := json.Marshal(k)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("go test ./flotttest -run 'Seeds$' -replay '%s'", b)
}

// TestShrinkReducesAFailure plants a bug, takes a run that finds it, and wants one that is smaller in every way and still finds it, also when
// its knobs went through the text of the command.
func TestShrinkReducesAFailure(t *testing.T) {
	try := func(k knobs) (sim.Result, error) { return run(k, loseCommittables, nil) }
	for seed := range uint64(maxSeedsToFind) {
		k := expand(seed, graphNames)
		if k.Records < 20 || k.Crashes < 2 {
			continue
		}
		before, err := try(k)
		if err == nil {
			continue
		}
		small, err := shrink(k, try)
		if err == nil {
			t.Fatalf("seed %d: what was reduced does not fail: %v", seed, small)
		}
		b, _ := json.Marshal(small)
		var again knobs
		if err := json.Unmarshal(b, &again); err != nil {
			t.Fatal(err)
		}
		after, err := try(again)
		if err == nil || after.Steps*2 > before.Steps || small.Records > 5 || small.Splits > k.Splits || small.Crashes > 1 || small.Faults > 0 || slices.Max(small.Parallelism) > 2 {
			t.Fatalf("seed %d: %d steps became %d, with %v: %v", seed, before.Steps, after.Steps, small, err)
		}
		t.Logf("seed %d: %d steps became %d, with %v\n%s", seed, before.Steps, after.Steps, small, small.replay())
		return
	}
	t.Fatal("no seed finds the bug")
}
