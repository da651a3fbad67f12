package flott

import (
	"context"
	"testing"
	"time"

	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/internal/task"
	"github.com/flottio/flott/internal/taskmanager"
)

type memSource[T any] struct {
	rows  []T
	loops int
}

func (m memSource[T]) Check() error  { return nil }
func (m memSource[T]) Bounded() bool { return true }
func (m memSource[T]) NewEnumerator(ctx EnumeratorContext, r []byte) (Enumerator, error) {
	return &memEnum{ctx: ctx}, nil
}
func (m memSource[T]) NewReader(ctx ReaderContext) (Reader[T], error) {
	return &memReader[T]{rows: m.rows, loops: m.loops}, nil
}

type memEnum struct{ ctx EnumeratorContext }

func (e *memEnum) Start() error {
	for i := range e.ctx.Parallelism() {
		e.ctx.Assign(i, Split{ID: string(rune('a' + i))})
		e.ctx.NoMoreSplits(i)
	}
	return nil
}
func (e *memEnum) Return([]Split) error      { return nil }
func (e *memEnum) Request(int) error         { return nil }
func (e *memEnum) Snapshot() ([]byte, error) { return nil, nil }
func (e *memEnum) Complete(int64) error      { return nil }
func (e *memEnum) Close() error              { return nil }

type memReader[T any] struct {
	rows      []T
	at, loops int
	ready     bool
}

func (r *memReader[T]) Assign([]Split) error { r.ready = true; return nil }
func (r *memReader[T]) NoMoreSplits()        {}
func (r *memReader[T]) Read(b *Batch[T]) (ReadStatus, error) {
	if !r.ready {
		return Idle, nil
	}
	n := min(b.Cap(), len(r.rows)-r.at)
	b.Rows = append(b.Rows, r.rows[r.at:r.at+n]...)
	r.at += n
	if r.at == len(r.rows) {
		r.at = 0
		r.loops--
		if r.loops == 0 {
			return End, nil
		}
	}
	return More, nil
}
func (r *memReader[T]) Snapshot() ([]Split, error) { return nil, nil }
func (r *memReader[T]) Close() error               { return nil }

type countSink[T any] struct{ n *int }

func (c countSink[T]) Check() error { return nil }
func (c countSink[T]) NewWriter(WriterContext, [][]byte) (Writer[T], error) {
	return countWriter[T]{c.n}, nil
}

type countWriter[T any] struct{ n *int }

func (c countWriter[T]) Write(b *Batch[T]) error            { *c.n += b.Len(); return nil }
func (c countWriter[T]) Prepare(Preparation) (Flush, error) { return nil, nil }
func (c countWriter[T]) Close() error                       { return nil }

type events struct {
	drained chan error
	ended   chan struct{}
}

func (e *events) Deployed(a string, err error) {
	if err != nil {
		e.drained <- err
	}
}
func (e *events) Reported(r task.Report) {
	if r.Kind == task.ReportDrained {
		e.drained <- nil
	}
	if r.Kind == task.ReportFailed {
		e.drained <- r.Err
	}
}
func (e *events) Failed(a string, err error)                                             { e.drained <- err }
func (e *events) EnumeratorsSnapshotted(string, checkpoint.ID, map[string][]byte, error) {}
func (e *events) Ended(string, error)                                                    { close(e.ended) }

func runBench(b testing.TB, p int, build func(*Env)) {
	env := NewEnv()
	build(env)
	j, err := env.Compile(graph.Settings{Parallelism: p, Chaining: true})
	if err != nil {
		b.Fatal(err)
	}
	j.Settings.ExactlyOnce = true
	ev := &events{drained: make(chan error, 100), ended: make(chan struct{})}
	c := &taskmanager.Cluster{Job: j, Events: ev}
	n := 0
	for _, ch := range j.Plan.Chains {
		n += ch.Parallelism
	}
	c.Deploy("1", nil)
	for range n {
		select {
		case err := <-ev.drained:
			if err != nil {
				b.Fatal(err)
			}
		case <-time.After(60 * time.Second):
			b.Fatal("timeout")
		}
	}
	c.Cancel("1")
	<-ev.ended
	_ = context.Background
}

type rec struct {
	URL  string
	User int64
	TS   int64
}

func mkrows() []rec {
	rows := make([]rec, 1<<20)
	for i := range rows {
		rows[i] = rec{"http://x/y", int64(i * 7 % 1000), int64(i)}
	}
	return rows
}

func BenchmarkChain(b *testing.B) {
	rows := mkrows()
	loops := max(1, b.N/len(rows))
	b.Run("engine", func(b *testing.B) {
		b.ReportAllocs()
		loops := max(1, b.N/len(rows))
		n := 0
		runBench(b, 1, func(env *Env) {
			s := From(env, "src", Source[rec](memSource[rec]{rows, loops}))
			m := Map(s, func(r rec) rec { r.User *= 3; return r }).Filter(func(r rec) bool { return r.User&7 != 0 })
			Map(m, func(r rec) int64 { return r.User + r.TS }).To("out", countSink[int64]{&n})
		})
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(loops*len(rows)), "ns/rec")
	})
	b.Run("loop", func(b *testing.B) {
		b.ReportAllocs()
		loops := max(1, b.N/len(rows))
		var sum int64
		f1 := func(r rec) rec { r.User *= 3; return r }
		f2 := func(r rec) bool { return r.User&7 != 0 }
		f3 := func(r rec) int64 { return r.User + r.TS }
		var n int
		for range loops {
			for i := range rows {
				r := f1(rows[i])
				if f2(r) {
					sum += f3(r)
					n++
				}
			}
		}
		sinkhole = sum
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(loops*len(rows)), "ns/rec")
	})
	_ = loops
}

var sinkhole int64
