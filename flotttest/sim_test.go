package flotttest_test

import (
	"testing"

	"github.com/flottio/flott"
	"github.com/flottio/flott/flotttest"
)

type pair struct {
	Key int64
	N   int64
}

func TestKeyedCountSurvivesCrashes(t *testing.T) {
	for seed := range uint64(300) {
		var in []pair
		for i := range 200 {
			in = append(in, pair{int64(i % 7), 1})
		}
		src := flotttest.FromSlice(4, in...)
		src.Seed = seed + 1
		out := flotttest.NewLedger[pair]()
		o := flotttest.Options{Seed: seed, Parallelism: 2, OtherParallelism: 3, CheckpointEvery: 40, Crashes: 3, CrashEvery: 150}
		r, err := flotttest.Simulate(o, func(env *flott.Env) {
			s := flott.From(env, "in", src.Source())
			k := flott.KeyBy(s, func(p pair) int64 { return p.Key })
			flott.Reduce(k, "sum", func(a, b pair) pair { return pair{a.Key, a.N + b.N} }).To("out", out)
		})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[pair]int{}
		for _, p := range out.Records() {
			seen[p]++
		}
		for key := range int64(7) {
			n := int64(len(in)) / 7
			if key < int64(len(in))%7 {
				n++
			}
			for i := int64(1); i <= n; i++ {
				if seen[pair{key, i}] != 1 {
					t.Fatalf("seed %d (%+v): key %d count %d seen %d times", seed, r, key, i, seen[pair{key, i}])
				}
			}
		}
		if len(seen) != len(in) {
			t.Fatalf("seed %d: %d distinct results", seed, len(seen))
		}
	}
}
