package journeys

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/flottio/flott"
	"github.com/flottio/flott/config"
	"github.com/flottio/flott/flotttest"
)

// number is a record of most jobs here.
type number struct{ Key, N int64 }

func numbers(n, keys int) []number {
	in := make([]number, n)
	for i := range in {
		in[i] = number{int64(i % keys), 1}
	}
	return in
}

// settings are a configuration: "key=value" each.
func settings(defs ...string) *config.Set {
	c := config.New()
	for _, d := range defs {
		c.Define(d)
	}
	return c
}

// run prepares and runs a job.
func run(t *testing.T, name string, build func(*flott.Env), defs ...string) (flott.JobResult, error) {
	t.Helper()
	job, err := flott.Prepare(name, build, settings(defs...), nil)
	if err != nil {
		return flott.JobResult{}, err
	}
	return job.Run(context.Background())
}

// runningCounts checks that out holds 1, 2, ..., n once for each key: what a count emits that saw each record exactly once.
func runningCounts(t *testing.T, out []number, n, keys int) {
	t.Helper()
	seen := map[number]int{}
	for _, r := range out {
		seen[r]++
	}
	for _, r := range expectedCounts(n, keys) {
		if seen[r] != 1 {
			t.Fatalf("key %d reached %d %d times, want once", r.Key, r.N, seen[r])
		}
	}
	if len(out) != n {
		t.Fatalf("%d records, want %d", len(out), n)
	}
}

func expectedCounts(n, keys int) (want []number) {
	for k := range keys {
		of := n / keys
		if k < n%keys {
			of++
		}
		for i := 1; i <= of; i++ {
			want = append(want, number{int64(k), int64(i)})
		}
	}
	return want
}

func sum(a, b number) number { return number{a.Key, a.N + b.N} }

func keyOf(n number) int64 { return n.Key }

// Journey J10: a map function panics on the 1,000th record once. The job restarts from its latest checkpoint and the result is exact.
func TestJ10PanicOnTheThousandthRecord(t *testing.T) {
	for _, backend := range []string{"hashmap", "rocksdb"} {
		for _, strategy := range []string{"fixed-delay", "failure-rate", "exponential-delay"} {
			t.Run(backend+"/"+strategy, func(t *testing.T) {
				out := flotttest.NewLedger[number]()
				var seen atomic.Int64
				r, err := run(t, "thousandth", func(env *flott.Env) {
					s := flott.From(env, "in", flotttest.FromSlice(3, numbers(20_000, 7)...).Source())
					m := flott.Map(s, func(v number) number {
						if seen.Add(1) == 1000 {
							panic("the thousandth")
						}
						return v
					})
					flott.Reduce(flott.KeyBy(m, keyOf), "sum", sum).To("out", out)
				}, "parallelism.default=2", "execution.checkpointing.interval=10 ms", "execution.checkpointing.dir="+t.TempDir(),
					"state.backend.type="+backend, "restart-strategy.type="+strategy,
					"restart-strategy.fixed-delay.delay=1 ms", "restart-strategy.failure-rate.delay=1 ms",
					"restart-strategy.exponential-delay.initial-backoff=1 ms")
				if err != nil {
					t.Fatal(err)
				}
				if r.Status != "FINISHED" || r.Restarts != 1 {
					t.Errorf("ended %s after %d restarts, want FINISHED after 1", r.Status, r.Restarts)
				}
				runningCounts(t, out.Records(), 20_000, 7)
			})
		}
	}
}

// The same without checkpoints in a directory, and a function that fails with an error instead: it fails the job when no restart is allowed, and
// says what, where and on which record.
func TestPanicInUserCodeIsExplained(t *testing.T) {
	for _, how := range []string{"panic", "error"} {
		t.Run(how, func(t *testing.T) {
			_, err := run(t, "explained", func(env *flott.Env) {
				s := flott.From(env, "in", flotttest.FromSlice(1, numbers(2000, 7)...).Source())
				n := 0
				flott.TryMap(s, func(v number) (number, error) {
					if n++; n < 1000 {
						return v, nil
					}
					if how == "panic" {
						var m map[string]int
						m["boom"] = 1
					}
					return v, fmt.Errorf("boom")
				}).Named("careless").To("out", flotttest.NewLedger[number]())
			}, "restart-strategy.type=none")
			if err == nil {
				t.Fatal("the job did not fail")
			}
			want := []string{`operator "careless"`, "subtask 1 of 1", "{Key:5 N:1}", "boom"}
			if how == "panic" {
				want = []string{`operator "careless"`, "subtask 1 of 1", "{Key:5 N:1}", "assignment to entry in nil map", "failure_test.go:"}
			}
			says(t, err.Error(), want...)
		})
	}
}

// says checks that a message has all parts.
func says(t *testing.T, message string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(message, p) {
			t.Errorf("the message lacks %q:\n%s", p, message)
		}
	}
}
