package main

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/connector/collection"
	"github.com/flottio/flott/flotttest"
)

// reference ranks with all clicks in hand.
func reference(clicks []Click) (want []string) {
	counts := map[time.Time]map[string]int64{}
	for _, c := range clicks {
		start := c.Time.Truncate(window)
		if counts[start] == nil {
			counts[start] = map[string]int64{}
		}
		counts[start][c.URL]++
	}
	for start, perURL := range counts {
		var all []Ranked
		for url, n := range perURL {
			all = append(all, Ranked{start, 0, url, n})
		}
		slices.SortFunc(all, func(a, b Ranked) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.URL, b.URL)) })
		for i, r := range all[:min(best, len(all))] {
			r.Rank = i + 1
			want = append(want, fmt.Sprint(r))
		}
	}
	slices.Sort(want)
	return want
}

// Under crashes and at changing parallelism the ranks are those of the reference.
func TestAgainstReference(t *testing.T) {
	clicks := madeUp(3000)
	want := reference(clicks)
	for seed := range uint64(20) {
		out := flotttest.NewLedger[Ranked]()
		o := flotttest.Options{Seed: seed, Parallelism: 2, OtherParallelism: 3, CheckpointEvery: 40, Crashes: 3, CrashEvery: 100}
		if _, err := flotttest.Simulate(o, func(env *flott.Env) { top(env, collection.Source(clicks)).To("out", out) }); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		var got []string
		for _, r := range out.Records() {
			r.WindowStart = r.WindowStart.UTC()
			got = append(got, fmt.Sprint(r))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: got %v, want %v", seed, got, want)
		}
	}
}
