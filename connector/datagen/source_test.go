package datagen

import (
	"context"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/connector/internal/harness"
	"github.com/flottio/flott/internal/record"
)

func same(i int64) int64 { return i }

func upTo(n int) []int64 {
	all := make([]int64, n)
	for i := range all {
		all[i] = int64(i)
	}
	return all
}

// TestEachOnce makes every index once, whatever the parallelism and however often it changes.
func TestEachOnce(t *testing.T) {
	for _, n := range []int{0, 1, 10, 20000} {
		for every := range 5 {
			for _, parallel := range [][]int{{1}, {4}, {1, 4, 2, 7, 3}} {
				j := &harness.Job[int64]{Source: Source(same, Rows(int64(n))), NewBatch: record.NewRows[int64]}
				if err := j.Run(context.Background(), every, parallel...); err != nil {
					t.Fatal(err)
				}
				slices.Sort(j.Read)
				if !slices.Equal(j.Read, upTo(n)) {
					t.Fatalf("%d rows, restarted every %d, parallelism %v: %d records", n, every, parallel, len(j.Read))
				}
			}
		}
	}
}

// TestSideBySide keeps the splits of one subtask within a batch of each other: event time advances evenly.
func TestSideBySide(t *testing.T) {
	j := &harness.Job[int64]{Source: Source(same), NewBatch: record.NewRows[int64]}
	j.Start(context.Background(), 4)
	for i := range 8 {
		j.Step(i % 4)
	}
	j.Snapshot()
	j.Read = nil
	j.Start(context.Background(), 1)
	for range 40 {
		if s, err := j.Step(0); s != flott.More || err != nil {
			t.Fatal(s, err)
		}
	}
	slices.Sort(j.Read)
	for i := range 30 * record.Limit[int64]() {
		if j.Read[i] != int64(8*record.Limit[int64]()+i) {
			t.Fatalf("record %d is %d", i, j.Read[i])
		}
	}
	if j.Source.Bounded() {
		t.Error("bounded")
	}
}

// TestRate runs for ten seconds of a clock that only the test moves.
func TestRate(t *testing.T) {
	for _, c := range []struct {
		rate     int64
		parallel int
	}{{1, 1}, {10, 3}, {1000, 2}, {100000, 1}} {
		synctest.Test(t, func(t *testing.T) {
			j := &harness.Job[int64]{Source: Source(same, RatePerSecond(c.rate)), NewBatch: record.NewRows[int64]}
			if err := j.Start(t.Context(), c.parallel); err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			for time.Since(begin) < 10*time.Second {
				idle := 0
				for i := range c.parallel {
					s, err := j.Step(i)
					if err != nil {
						t.Fatal(err)
					}
					if s == flott.Idle {
						idle++
					}
				}
				if idle == c.parallel {
					<-j.Contexts[0].Woken // time passes only here
				}
			}
			want := float64(10 * c.rate)
			if got := float64(len(j.Read)); math.Abs(got-want) > want/100+float64(2*c.parallel) {
				t.Errorf("%+v: %v records in 10 s", c, got)
			}
			if wakes := j.Contexts[0].Wakes.Load(); wakes > 10_100 || wakes < 5 {
				t.Errorf("%+v: woken %d times", c, wakes)
			}
			// Held up for a minute, it makes up for a second.
			j.Read = nil
			<-time.After(time.Minute)
			for i := range c.parallel {
				for s := flott.More; s == flott.More; {
					s, _ = j.Step(i)
				}
			}
			if got := len(j.Read); got > int(c.rate)+c.parallel {
				t.Errorf("%+v: %d records at once after a minute", c, got)
			}
			j.Close()
		})
	}
}

func TestCheck(t *testing.T) {
	if err := Source(same, Rows(-1), RatePerSecond(0)).Check(); err == nil {
		t.Error("bad options were taken")
	}
	for _, state := range []string{"\x01\xff", "\x01\x03", "\x01\x03\x00"} {
		if _, err := Source(same).NewEnumerator(harness.NewEnumeration(1), []byte(state)); err == nil {
			t.Errorf("state %q was taken", state)
		}
	}
}

func BenchmarkSource(b *testing.B) {
	j := &harness.Job[int64]{Source: Source(same), NewBatch: record.NewRows[int64]}
	j.Start(b.Context(), 1)
	j.Step(0)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N / record.Limit[int64]() {
		j.Step(0)
		j.Read = j.Read[:0]
	}
}
