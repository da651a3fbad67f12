package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/flottio/flott"
	"github.com/flottio/flott/config"
	"github.com/flottio/flott/connector/collection"
	"github.com/flottio/flott/flotttest"
)

// reference finds the place of each click by looking at everything.
func reference(clicks []Click, places []Place) (want []string) {
	for _, c := range clicks {
		best := Place{City: "unknown"}
		for _, p := range places {
			if p.User == c.User && !p.Time.After(c.Time) && !p.Time.Before(best.Time) {
				best = p
			}
		}
		want = append(want, fmt.Sprint(PlacedClick{c, best.City}))
	}
	slices.Sort(want)
	return want
}

// The job finds for each click the place that a look at everything finds, on every backend and at every parallelism.
func TestAgainstReference(t *testing.T) {
	for _, backend := range []string{"hashmap", "rocksdb"} {
		for _, parallelism := range []int{1, 2, 3} {
			t.Run(fmt.Sprintf("%s/%d", backend, parallelism), func(t *testing.T) {
				clicks, places := bundled(uint64(parallelism), 3000)
				out := flotttest.NewLedger[PlacedClick]()
				cfg := config.New()
				cfg.Define("state.backend.type=" + backend)
				cfg.Define(fmt.Sprintf("parallelism.default=%d", parallelism))
				job, err := flott.Prepare("enrich", func(env *flott.Env) {
					enrich(env, collection.Source(clicks), collection.Source(places)).To("out", out)
				}, cfg, nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := job.Run(context.Background()); err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, c := range out.Records() {
					c.Time = c.Time.UTC()
					got = append(got, fmt.Sprint(c))
				}
				slices.Sort(got)
				if want := reference(clicks, places); !slices.Equal(got, want) {
					t.Fatalf("%d clicks, want %d; the first that differ: %s", len(got), len(want), firstDifference(got, want))
				}
			})
		}
	}
}

// The same under crashes: stepped from seeds, killed and restored in between.
func TestUnderCrashes(t *testing.T) {
	clicks, places := bundled(9, 150)
	want := reference(clicks, places)
	for seed := range uint64(20) {
		out := flotttest.NewLedger[PlacedClick]()
		r, err := flotttest.Simulate(flotttest.Options{Seed: seed, Parallelism: 2, OtherParallelism: 3, CheckpointEvery: 40, Crashes: 3, CrashEvery: 150},
			func(env *flott.Env) {
				enrich(env, collection.Source(clicks), collection.Source(places)).To("out", out)
			})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		var got []string
		for _, c := range out.Records() {
			c.Time = c.Time.UTC()
			got = append(got, fmt.Sprint(c))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d (%+v): %d clicks, want %d; the first that differ: %s", seed, r, len(got), len(want), firstDifference(got, want))
		}
	}
}

func firstDifference(got, want []string) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return strings.Join([]string{"got", got[i], "want", want[i]}, " ")
		}
	}
	return "none up to the shorter"
}
