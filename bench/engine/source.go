package main

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/flottio/flott"
)

// input is records in memory, read again and again. Every subtask reads its share, starting at its own place.
type input[T any] struct {
	rows []T
	// records is how many all subtasks read together; a multiple of the number of subtasks.
	records int
	// again changes a record when the input is read for the nth time (n from 1), so that event time goes on; nil: it stays.
	again func(v *T, n int)
	meter *meter
}

// part is the rows that a subtask reads.
func (in *input[T]) part(subtask, parallelism int) []T {
	n := len(in.rows) / parallelism
	return in.rows[subtask*n : (subtask+1)*n]
}

// scan calls f with the records of a subtask, piece by piece. It is the loops' way to read.
func (in *input[T]) scan(subtask, parallelism int, f func([]T)) {
	const piece = 4096
	rows, share := in.part(subtask, parallelism), in.records/parallelism
	var changed []T
	at, turn := 0, 0
	for done := 0; done < share; {
		part := rows[at:min(len(rows), at+piece, at+share-done)]
		in.meter.read(done, done+len(part), share)
		done += len(part)
		if at += len(part); at == len(rows) {
			at = 0
		}
		if in.again != nil && turn > 0 {
			changed = append(changed[:0], part...)
			for i := range changed {
				in.again(&changed[i], turn)
			}
			part = changed
		}
		if at == 0 {
			turn++
		}
		f(part)
	}
}

// source gives the records to a job. It implements flott.Source.
type source[T any] struct{ in *input[T] }

func (source[T]) Check() error  { return nil }
func (source[T]) Bounded() bool { return true }

func (source[T]) NewEnumerator(ctx flott.EnumeratorContext, _ []byte) (flott.Enumerator, error) {
	return &oneSplitEach{ctx: ctx}, nil
}

func (s source[T]) NewReader(ctx flott.ReaderContext) (flott.Reader[T], error) {
	share := s.in.records / ctx.Parallelism()
	return &reader[T]{in: s.in, rows: s.in.part(ctx.Subtask(), ctx.Parallelism()), left: share, share: share}, nil
}

// oneSplitEach gives one split to each reader.
type oneSplitEach struct{ ctx flott.EnumeratorContext }

func (e *oneSplitEach) Start() error {
	for i := range e.ctx.Parallelism() {
		e.ctx.Assign(i, flott.Split{ID: fmt.Sprint(i)})
		e.ctx.NoMoreSplits(i)
	}
	return nil
}

func (e *oneSplitEach) Return([]flott.Split) error { return nil }
func (e *oneSplitEach) Request(int) error          { return nil }
func (e *oneSplitEach) Snapshot() ([]byte, error)  { return nil, nil }
func (e *oneSplitEach) Complete(int64) error       { return nil }
func (e *oneSplitEach) Close() error               { return nil }

type reader[T any] struct {
	in                    *input[T]
	rows                  []T
	at, turn, left, share int
	splits                []flott.Split
}

func (r *reader[T]) Assign(s []flott.Split) error {
	r.splits = append(r.splits, s...)
	return nil
}

func (r *reader[T]) NoMoreSplits() {}

func (r *reader[T]) Read(b *flott.Batch[T]) (flott.ReadStatus, error) {
	if len(r.splits) == 0 {
		return flott.Idle, nil
	}
	n := min(b.Cap(), r.left, len(r.rows)-r.at)
	b.Rows = append(b.Rows, r.rows[r.at:r.at+n]...)
	if r.in.again != nil && r.turn > 0 {
		for i := range b.Rows {
			r.in.again(&b.Rows[i], r.turn)
		}
	}
	r.in.meter.read(r.share-r.left, r.share-r.left+n, r.share)
	r.left -= n
	if r.at += n; r.at == len(r.rows) {
		r.at, r.turn = 0, r.turn+1
	}
	if r.left == 0 {
		return flott.End, nil
	}
	return flott.More, nil
}

func (r *reader[T]) Snapshot() ([]flott.Split, error) {
	return append([]flott.Split(nil), r.splits...), nil
}
func (r *reader[T]) Close() error { return nil }

// meter notes when a run passes from warming up to being measured, and what is allocated until its input has been read. Both the
// engine's readers and the loops report to it.
type meter struct {
	// warm is the share of the records that is read before measuring starts.
	warm   float64
	start  atomic.Int64 // nanoseconds since the epoch of this process
	began  atomic.Int64 // objects allocated until then
	ended  atomic.Int64
	cpu    [2]atomic.Int64 // the process's processor time at start and when the input has been read, in nanoseconds
	finish atomic.Int64    // the last write of a sink
	sum    atomic.Int64
	gapMax atomic.Int64 // the longest time between two writes of one sink, in nanoseconds
	marks  []int        // records read, of one subtask, at which to note the time
	times  []time.Duration
	spent  []int64 // the process's processor time at the marks, in nanoseconds
}

var epoch = time.Now()

func (m *meter) read(before, after, share int) {
	if w := int(m.warm * float64(share)); before <= w && after > w && m.start.Load() == 0 {
		m.began.Store(mallocs())
		m.cpu[0].Store(processorTime())
		m.start.Store(int64(time.Since(epoch)))
	}
	if after == share {
		m.cpu[1].Store(processorTime())
		m.ended.Store(mallocs())
	}
	for len(m.times) < len(m.marks) && after >= m.marks[len(m.times)] {
		m.times = append(m.times, time.Since(epoch))
		m.spent = append(m.spent, processorTime())
	}
}

func (m *meter) done() { m.finish.Store(int64(time.Since(epoch))) }

func mallocs() int64 {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.Mallocs)
}

// processorTime is what this process has used, in nanoseconds. On a machine that others use it says more than the clock.
func processorTime() int64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// sample is what one run cost.
type sample struct {
	ns, cpu, allocs float64 // per record
	sum             int64
}

func (m *meter) sample(records int) sample {
	n := float64(records) * (1 - m.warm)
	return sample{
		ns:     float64(m.finish.Load()-m.start.Load()) / n,
		cpu:    float64(m.cpu[1].Load()-m.cpu[0].Load()) / n,
		allocs: max(0, float64(m.ended.Load()-m.began.Load())/n),
		sum:    m.sum.Load(),
	}
}

// sink adds up what it gets, so that nothing can be optimised away and the loop can be compared. It implements flott.Sink.
type sink[T any] struct {
	meter *meter
	value func(*T) int64
}

func (sink[T]) Check() error { return nil }

func (s sink[T]) NewWriter(flott.WriterContext, [][]byte) (flott.Writer[T], error) {
	return &writer[T]{sink: s}, nil
}

type writer[T any] struct {
	sink[T]
	last int64
}

func (w *writer[T]) Write(b *flott.Batch[T]) error {
	s := int64(0)
	for i := range b.Rows {
		s += w.value(&b.Rows[i])
	}
	w.meter.sum.Add(s)
	now := int64(time.Since(epoch))
	if w.last > 0 && w.meter.start.Load() > 0 && now-w.last > w.meter.gapMax.Load() {
		w.meter.gapMax.Store(now - w.last)
	}
	w.last = now
	w.meter.finish.Store(now)
	return nil
}

func (w *writer[T]) Prepare(flott.Preparation) (flott.Flush, error) { return nil, nil }
func (w *writer[T]) Close() error                                   { return nil }
