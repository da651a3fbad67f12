package operator

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
)

// hit is the record of the benchmarks.
type hit struct {
	Key  int64
	Time int64
	User int64
}

type hitCount struct {
	Key    int64
	Window Span
	Count  int64
}

const (
	benchRecords = 1 << 21
	benchBatch   = 512
	// benchPerMs is how many records there are per millisecond of event time.
	benchPerMs  = 100
	benchBehind = 2000 // ms out of order
)

func benchHits(keys int64) []hit {
	rng := rand.New(rand.NewPCG(1, 2))
	rows := make([]hit, benchRecords)
	for i := range rows {
		rows[i] = hit{rng.Int64N(keys) * 7919, 1_000_000 + int64(i)/benchPerMs - rng.Int64N(benchBehind), int64(i)}
	}
	return rows
}

type discardAll struct{ n *int }

func (d discardAll) Emit(b record.Batch) error {
	*d.n += b.Len()
	b.Release()
	return nil
}

// benchWindows measures a window operator, and a hand-written loop that does the same on the same records in the same run.
func benchWindows(b *testing.B, keys int64, w Windows, loop func([]hit) int) {
	rows := benchHits(keys)
	runtime.GC()
	start := time.Now()
	want := loop(rows)
	perLoop := time.Since(start)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if got := runWindows(b, rows, w); got != want {
			b.Fatalf("%d results, the loop has %d", got, want)
		}
	}
	b.StopTimer()
	own := b.Elapsed() / time.Duration(b.N)
	b.ReportMetric(float64(own.Nanoseconds())/benchRecords, "ns/record")
	b.ReportMetric(float64(perLoop.Nanoseconds())/benchRecords, "loop-ns/record")
	b.ReportMetric(float64(perLoop)/float64(own), "ratio")
	b.ReportMetric(float64(want)/benchRecords, "results/record")
}

func runWindows(b *testing.B, rows []hit, w Windows) (results int) {
	bk, err := state.NewBackend(state.Config{Groups: state.Groups{First: 0, End: 128, Max: 128}})
	if err != nil {
		b.Fatal(err)
	}
	op := NewWindowOperator(WindowPlan[int64, hit, int64, hitCount]{
		Keys: KeyFinder[int64, hit]{Key: func(h hit) int64 { return h.Key }}, Windows: w,
		Function: AggregateWindows(NewFold(Count[hit]{}), func(k int64, w Span, n int64) hitCount { return hitCount{k, w, n} }),
	})
	c := &Context{
		UID: "op", Parallelism: 1, MaxParallelism: 128, KeyGroups: keygroup.All(128), Backend: bk,
		Out: []Output{discardAll{&results}}, Counters: &Counters{}, Now: func() int64 { return 0 },
	}
	if err := op.Open(c); err != nil {
		b.Fatal(err)
	}
	fresh := record.NewRows[hit]()
	advance := op.(Advancer).Advance
	for at := 0; at < len(rows); at += benchBatch {
		in := fresh.Get()
		in.Rows = append(in.Rows, rows[at:at+benchBatch]...)
		for i := range in.Rows {
			in.Head.Times = append(in.Head.Times, in.Rows[i].Time)
		}
		if err := op.Process(0, in); err != nil {
			b.Fatal(err)
		}
		wm := benchWatermark(at + benchBatch)
		if at+benchBatch == len(rows) {
			wm = record.MaxWatermark
		}
		for more := true; more; {
			if more, err = advance(wm); err != nil {
				b.Fatal(err)
			}
		}
	}
	return results
}

func benchWatermark(seen int) int64 { return 1_000_000 + int64(seen-1)/benchPerMs - benchBehind - 1 }

// loopTumbling counts as one would write it by hand: a map per open window.
func loopTumbling(size int64) func([]hit) int {
	return func(rows []hit) (results int) {
		open := map[int64]map[int64]int64{}
		fire := func(wm int64) {
			for s, m := range open {
				if s+size-1 <= wm {
					for k, n := range m {
						benchSink = hitCount{k, Span{s, s + size}, n}
						results++
					}
					delete(open, s)
				}
			}
		}
		last, m := int64(-1), map[int64]int64(nil)
		for i := range rows {
			s := rows[i].Time - rows[i].Time%size
			if s != last {
				if m = open[s]; m == nil {
					m = map[int64]int64{}
					open[s] = m
				}
				last = s
			}
			m[rows[i].Key]++
			if i%benchBatch == benchBatch-1 {
				fire(benchWatermark(i + 1))
				last = -1
			}
		}
		fire(record.MaxWatermark - 1)
		return results
	}
}

var benchSink hitCount

// loopSliding counts by panes of one slide, merged when a window fires.
func loopSliding(size, slide int64) func([]hit) int {
	return func(rows []hit) (results int) {
		panes := map[int64]map[int64]int64{}
		next := int64(0) // end of the next window
		fire := func(wm int64) {
			for ; next-1 <= wm && len(panes) > 0; next += slide {
				sum := map[int64]int64{}
				for s := next - size; s < next; s += slide {
					for k, n := range panes[s] {
						sum[k] += n
					}
				}
				for k, n := range sum {
					benchSink = hitCount{k, Span{next - size, next}, n}
					results++
				}
				delete(panes, next-size)
			}
		}
		last, m := int64(-1), map[int64]int64(nil)
		for i := range rows {
			s := rows[i].Time - rows[i].Time%slide
			if s != last {
				if m = panes[s]; m == nil {
					m = map[int64]int64{}
					panes[s] = m
				}
				last = s
			}
			m[rows[i].Key]++
			if i%benchBatch == benchBatch-1 {
				if next == 0 {
					next = 1_000_000 - benchBehind
					next -= next % slide
				}
				fire(benchWatermark(i + 1))
				last = -1
			}
		}
		fire(record.MaxWatermark - 1)
		return results
	}
}

type loopSession struct{ start, end, n int64 }

// loopSessions keeps the sessions of each key in a list, and looks at all of them once a second of event time.
func loopSessions(gap int64) func([]hit) int {
	return func(rows []hit) (results int) {
		open := map[int64][]loopSession{}
		fire := func(wm int64) {
			for k, list := range open {
				kept := list[:0]
				for _, s := range list {
					if s.end-1 > wm {
						kept = append(kept, s)
						continue
					}
					benchSink = hitCount{k, Span{s.start, s.end}, s.n}
					results++
				}
				if len(kept) == 0 {
					delete(open, k)
				} else {
					open[k] = kept
				}
			}
		}
		looked := int64(0)
		for i := range rows {
			s := loopSession{rows[i].Time, rows[i].Time + gap, 1}
			list := open[rows[i].Key]
			kept := list[:0]
			for _, o := range list {
				if o.start <= s.end && s.start <= o.end {
					s = loopSession{min(s.start, o.start), max(s.end, o.end), s.n + o.n}
				} else {
					kept = append(kept, o)
				}
			}
			open[rows[i].Key] = append(kept, s)
			if wm := benchWatermark(i + 1); i%benchBatch == benchBatch-1 && wm >= looked+1000 {
				looked = wm
				fire(wm)
			}
		}
		fire(record.MaxWatermark - 1)
		return results
	}
}

func BenchmarkTumbling(b *testing.B) {
	for _, keys := range []int64{1000, 1_000_000} {
		for _, size := range []int64{1000, 10_000} {
			b.Run(fmt.Sprintf("%dms/keys=%d", size, keys), func(b *testing.B) {
				benchWindows(b, keys, Windows{Kind: WindowTumbling, Size: ms(size), Slide: ms(size)}, loopTumbling(size))
			})
		}
	}
}

func BenchmarkSliding(b *testing.B) {
	for _, keys := range []int64{1000, 1_000_000} {
		b.Run(fmt.Sprintf("keys=%d", keys), func(b *testing.B) {
			benchWindows(b, keys, Windows{Kind: WindowSliding, Size: ms(10_000), Slide: ms(1000)}, loopSliding(10_000, 1000))
		})
	}
}

func BenchmarkSession(b *testing.B) {
	for _, keys := range []int64{1000, 1_000_000} {
		b.Run(fmt.Sprintf("keys=%d", keys), func(b *testing.B) {
			benchWindows(b, keys, Windows{Kind: WindowSession, Gap: ms(100)}, loopSessions(100))
		})
	}
}
