package statetest

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flottio/flott/internal/state"
)

// manyTimers: far more timers than a backend on disk has in memory, at times that come near and far, some deleted, some set while others fire,
// snapshots restored at another parallelism and on the other backend in the middle.
func manyTimers(t *testing.T, open, other Opener) {
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 11))
		t.Logf("seed %d", seed)
		f, m := newFleet(t, 1+rng.IntN(2), nil, open), newModel()
		const space = 5000
		now := int64(-20_000)
		var set [][2]int64
		for round := range 12 {
			far := []int64{100, 5_000, 40_000}[rng.IntN(3)]
			for range 4000 {
				k := rng.Int64N(space)
				s, h := f.of(k)
				id := [2]int64{now + rng.Int64N(far), k}
				if len(set) > 0 && rng.IntN(5) == 0 { // it may have fired
					id = set[rng.IntN(len(set))]
					s, h = f.of(id[1])
					must(t, s.timers.Delete(id[1], h, id[0]))
					delete(m.timers, id)
					continue
				}
				must(t, s.timers.Register(k, h, id[0]))
				m.timers[id] = true
				set = append(set, id)
			}
			if now += rng.Int64N(3000); round%4 != 1 {
				f.fire(t, now, m)
			}
			if round%3 == 2 {
				p := f.begin(t, m)
				f.fire(t, now+500, m) // the snapshot stays as it was
				p.finish(t)
				back := newFleet(t, 1+rng.IntN(3), p.files, open, other)
				back.compare(t, p.want)
				f.close(t)
				f, m = back, p.want
			}
		}
		f.fire(t, math.MaxInt64-1, m)
		f.close(t)
	}
}

// timersOfOneTime: nothing but the key tells them apart.
func timersOfOneTime(t *testing.T, open, other Opener) {
	h := intHash(t)
	b := one(t, open)
	x, err := state.RegisterTimers[int64](b, "op", "timers")
	must(t, err)
	const n = 9000
	for k := range int64(n) {
		must(t, x.Register(k, h(k), 7))
	}
	for k := int64(0); k < n; k += 3 {
		must(t, x.Delete(k, h(k), 7))
		must(t, x.Delete(k, h(k), 8)) // not there
	}
	back, err := state.RegisterTimers[int64](one(t, other, snapshot(t, b)), "op", "timers")
	must(t, err)
	for _, x := range []*state.Timers[int64]{x, back} {
		var got []int64
		for {
			f, ok, err := x.Pop(7)
			must(t, err)
			if !ok {
				break
			}
			if got = append(got, f.Key); len(got)%1000 == 0 {
				must(t, x.Register(f.Key, f.Hash, 6)) // comes at once
			}
			if len(got) == 6005 {
				must(t, x.Register(-1, h(-1), 9))
			}
		}
		slices.SortFunc(got, cmp.Compare)
		if got = slices.Compact(got); len(got) != n*2/3 || slices.ContainsFunc(got, func(k int64) bool { return k%3 == 0 }) {
			t.Fatalf("%d keys fired", len(got))
		}
		if x.Next() != 9 {
			t.Fatal(x.Next())
		}
	}
}
