package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/bench/measure"
)

// The latency row sends 100 records a millisecond through keyBy and a running count.
const (
	latencyTick    = 250 * time.Microsecond
	latencyPerTick = 25
	latencyKeys    = 1000
	latencyAim     = 5 * time.Millisecond // of the 99th percentile
)

// pacer hands out records in real time: those of tick i become due at start + i ticks, however late the goroutine is, so that
// a receiver that stalls is not spared the records that should have come meanwhile.
type pacer struct {
	start time.Time
	sent  int
	total int
}

// due appends the records that are due, stamped with when they were.
func (p *pacer) due(rows []event, most int) []event {
	now := time.Since(p.start)
	for p.sent < p.total && len(rows) < most {
		at := time.Duration(p.sent/latencyPerTick+1) * latencyTick
		if at > now {
			break
		}
		rows = append(rows, event{Key: int64(p.sent % latencyKeys), Time: int64(p.start.Add(at).Sub(epoch)), Value: 1})
		p.sent++
	}
	return rows
}

// pacedSource is a source that gives records as they become due.
type pacedSource struct {
	source[event]
	total int
}

func (pacedSource) NewEnumerator(ctx flott.EnumeratorContext, _ []byte) (flott.Enumerator, error) {
	return &oneSplitEach{ctx: ctx}, nil
}

func (s pacedSource) NewReader(ctx flott.ReaderContext) (flott.Reader[event], error) {
	r := &pacedReader{pacer: pacer{start: time.Now(), total: s.total / ctx.Parallelism()}, stop: make(chan struct{})}
	r.ended.Go(func() {
		t := time.NewTicker(latencyTick)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				ctx.Wake()
			case <-r.stop:
				return
			}
		}
	})
	return r, nil
}

type pacedReader struct {
	pacer
	stop   chan struct{}
	ended  sync.WaitGroup
	splits []flott.Split
}

func (r *pacedReader) Assign(s []flott.Split) error { r.splits = append(r.splits, s...); return nil }
func (r *pacedReader) NoMoreSplits()                {}

func (r *pacedReader) Read(b *flott.Batch[event]) (flott.ReadStatus, error) {
	if len(r.splits) == 0 {
		return flott.Idle, nil
	}
	b.Rows = r.due(b.Rows, b.Cap())
	switch {
	case r.sent == r.total:
		return flott.End, nil
	case len(b.Rows) == b.Cap():
		return flott.More, nil
	}
	return flott.Idle, nil
}

func (r *pacedReader) Snapshot() ([]flott.Split, error) { return r.splits, nil }

func (r *pacedReader) Close() error {
	close(r.stop)
	r.ended.Wait()
	return nil
}

// latencies collects how late records reach the end.
type latencies struct {
	sync.Mutex
	late []float64
}

// take notes the lateness of records with these times. The first fifth of a run is for warming up.
func (l *latencies) take(times []int64) {
	now := int64(time.Since(epoch))
	l.Lock()
	defer l.Unlock()
	for _, t := range times {
		l.late = append(l.late, float64(now-t))
	}
}

func (l *latencies) quantile(q float64) float64 { return measure.Quantile(l.late[len(l.late)/5:], q) }

type latencySink struct{ l *latencies }

func (latencySink) Check() error { return nil }

func (s latencySink) NewWriter(flott.WriterContext, [][]byte) (flott.Writer[event], error) {
	return &latencyWriter{l: s.l}, nil
}

type latencyWriter struct {
	l     *latencies
	times []int64
}

func (w *latencyWriter) Write(b *flott.Batch[event]) error {
	w.times = w.times[:0]
	for i := range b.Rows {
		w.times = append(w.times, b.Rows[i].Time)
	}
	w.l.take(w.times)
	return nil
}

func (w *latencyWriter) Prepare(flott.Preparation) (flott.Flush, error) { return nil, nil }
func (w *latencyWriter) Close() error                                   { return nil }

// latencyRow measures from when a record is due until the sink has its count, over a 2 x 2 exchange; the loop is a goroutine with a
// ticker and one with a map, joined by a Go channel of slices.
func latencyRow(r *row, cores int, o options) ([]result, error) {
	seconds := 4
	if o.quick {
		seconds = 2
	}
	total := seconds * int(time.Second/latencyTick) * latencyPerTick
	var p50, p99, loop50, loop99 []float64
	for range min(o.rounds, 3) {
		l := &latencies{}
		if err := runJob(job{parallelism: 2}, latencyJob(l, total)); err != nil {
			return nil, err
		}
		if len(l.late) != total {
			return nil, fmt.Errorf("running %s: %d of %d records arrived", r.name, len(l.late), total)
		}
		h := &latencies{}
		latencyLoop(h, total)
		p50, p99 = append(p50, l.quantile(0.5)), append(p99, l.quantile(0.99))
		loop50, loop99 = append(loop50, h.quantile(0.5)), append(loop99, h.quantile(0.99))
	}
	row := func(name string, engine, loop []float64, floor float64, note string) result {
		x := result{Name: r.name + name, Cores: cores, NsPerRecord: measure.Median(engine), LoopNsPerRecord: measure.Median(loop), note: note}
		x.Ratio = x.LoopNsPerRecord / x.NsPerRecord
		if floor > 0 {
			x.Ratio, x.floor = floor/x.NsPerRecord, 1
		}
		return x
	}
	return []result{
		row("-p50", p50, loop50, 0, "ns from due to written; loop: ticker, Go channel, map"),
		row("-p99", p99, loop99, float64(latencyAim), "ratio: the aim of 5 ms to it"),
	}, nil
}

func latencyJob(l *latencies, total int) func(*flott.Env) {
	return func(env *flott.Env) {
		events := flott.From(env, "events", flott.Source[event](pacedSource{total: total}))
		counted := flott.Reduce(flott.KeyBy(events, keyOf), "count", func(a, b event) event { b.Value += a.Value; return b })
		counted.To("latencies", latencySink{l})
	}
}

func latencyLoop(l *latencies, total int) {
	c := make(chan []event, 64)
	p := pacer{start: time.Now(), total: total}
	var all sync.WaitGroup
	all.Go(func() {
		t := time.NewTicker(latencyTick)
		defer t.Stop()
		for p.sent < p.total {
			<-t.C
			if rows := p.due(nil, 512); len(rows) > 0 {
				c <- rows
			}
		}
		close(c)
	})
	counts := map[int64]*int64{}
	var times []int64
	for rows := range c {
		times = times[:0]
		for i := range rows {
			n := counts[rows[i].Key]
			if n == nil {
				n = new(int64)
				counts[rows[i].Key] = n
			}
			*n++
			times = append(times, rows[i].Time)
		}
		l.take(times)
	}
	all.Wait()
}
