package main

import (
	"fmt"
	"sync"

	"github.com/flottio/flott/bench/measure"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
)

// rows is a batch in its simplest form. Batches of one type come from one pool and have one size.
type rows[T any] struct {
	v    []T
	pool *sync.Pool
}

func newRows[T any](size int) *sync.Pool {
	p := &sync.Pool{}
	p.New = func() any { return &rows[T]{v: make([]T, 0, size), pool: p} }
	return p
}

func (r *rows[T]) release() {
	r.v = r.v[:0]
	r.pool.Put(r)
}

type batch interface{ release() }

// batchOp is an operator of batches: one interface call for each batch.
type batchOp interface{ process(b batch) }

type batchMap[T, U any] struct {
	f    func(T) U
	pool *sync.Pool
	to   batchOp
}

func (m *batchMap[T, U]) process(b batch) {
	in, out := b.(*rows[T]), m.pool.Get().(*rows[U])
	f, from := m.f, in.v
	to := out.v[:len(from)]
	for i := range from {
		to[i] = f(from[i])
	}
	out.v = to
	in.release()
	m.to.process(out)
}

// batchUpdate is batchMap when the type stays: the batch is ours, so it is overwritten.
type batchUpdate[T any] struct {
	f  func(T) T
	to batchOp
}

func (m *batchUpdate[T]) process(b batch) {
	f, v := m.f, b.(*rows[T]).v
	for i := range v {
		v[i] = f(v[i])
	}
	m.to.process(b)
}

type batchFilter[T any] struct {
	f  func(T) bool
	to batchOp
}

func (o *batchFilter[T]) process(b batch) {
	in := b.(*rows[T])
	f, v, n := o.f, in.v, 0
	for i := range v {
		if f(v[i]) {
			v[n] = v[i]
			n++
		}
	}
	in.v = v[:n]
	o.to.process(in)
}

type batchSum struct{ total int64 }

func (s *batchSum) process(b batch) {
	in := b.(*rows[int64])
	t := s.total
	for _, v := range in.v {
		t += v
	}
	s.total = t
	in.release()
}

func runBatches(n, size int) {
	end := &batchSum{}
	first, last := newRows[click](size), newRows[int64](size)
	var head batchOp = &batchUpdate[click]{triple, &batchFilter[click]{odd, &batchMap[click, int64]{score, last, end}}}
	pieces(n, size, func(part []click) {
		in := first.Get().(*rows[click])
		in.v = append(in.v, part...)
		head.process(in)
	})
	sum = end.total
}

// runFusedBatches has one operator for the whole chain: no batch between its functions, but a call for each that passes the record on.
func runFusedBatches(n int) {
	end := &batchSum{}
	first, last := newRows[click](512), newRows[int64](512)
	var out *rows[int64]
	chain := fused(func(v int64) { out.v = append(out.v, v) })
	pieces(n, 512, func(part []click) {
		in := first.Get().(*rows[click])
		in.v = append(in.v, part...)
		out = last.Get().(*rows[int64])
		for i := range in.v {
			chain(in.v[i])
		}
		in.release()
		end.process(out)
	})
	sum = end.total
}

func runBoxedBatches(n int) {
	s := int64(0)
	end := boxedEnd{&s}
	first, last := newRows[any](512), newRows[any](512)
	var head batchOp = &batchUpdate[any]{boxedTriple, &batchFilter[any]{boxedOdd, &batchMap[any, any]{boxedScore, last, end}}}
	pieces(n, 512, func(part []click) {
		in := first.Get().(*rows[any])
		for i := range part {
			in.v = append(in.v, part[i])
		}
		head.process(in)
	})
	sum = s
}

type boxedEnd struct{ s *int64 }

func (e boxedEnd) process(b batch) {
	in := b.(*rows[any])
	for _, v := range in.v {
		*e.s += v.(int64)
	}
	in.release()
}

// The chain as built: operators of internal/operator, joined as a task joins them.

type next struct{ op operator.Operator }

func (o next) Emit(b record.Batch) error { return o.op.Process(0, record.Handover(b)) }

type builtSum struct{ total int64 }

func (s *builtSum) Emit(b record.Batch) error {
	t := s.total
	for _, v := range b.(*record.Rows[int64]).Rows {
		t += v
	}
	s.total = t
	b.Release()
	return nil
}

// builtChain returns the head of the chain that ends in out.
func builtChain(out operator.Output) operator.Operator {
	third := &operator.Map[click, int64]{F: score}
	second := &operator.Filter[click]{F: odd}
	first := &operator.Map[click, click]{F: triple}
	open(third, out)
	open(second, next{third})
	open(first, next{second})
	return first
}

func open(o operator.Operator, out operator.Output) {
	must(o.Open(&operator.Context{Out: []operator.Output{out}, Counters: &operator.Counters{}}))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func runBuilt(n int) {
	end := &builtSum{}
	head, fresh := builtChain(end), record.NewRows[click]()
	pieces(n, fresh.Cap(), func(part []click) {
		in := fresh.Get()
		in.Rows = append(in.Rows, part...)
		must(head.Process(0, in))
	})
	sum = end.total
}

func sizeCases() []measure.Case {
	var all []measure.Case
	for _, size := range []int{512, 16, 64, 128, 256, 1024, 2048, 4096} {
		all = append(all, measure.Case{Name: fmt.Sprint(size), Run: func(n int) { runBatches(n, size) }})
	}
	return all
}

func ownershipCases() []measure.Case {
	end := func(b record.Batch) {
		t := int64(0)
		for _, c := range b.(*record.Rows[click]).Rows {
			t += c.User
		}
		sum = t
	}
	fresh := record.NewRows[click]()
	fill := func(b *record.Rows[click], part []click) *record.Rows[click] {
		b.Rows = append(b.Rows, part...)
		return b
	}
	return []measure.Case{
		{Name: "**handed over, pooled**", Run: func(n int) {
			pieces(n, 512, func(part []click) {
				b := fill(fresh.Get(), part)
				end(b)
				b.Release()
			})
		}},
		{Name: "copied for the receiver, pooled", Run: func(n int) {
			pieces(n, 512, func(part []click) {
				b := fill(fresh.Get(), part)
				c := b.Clone()
				end(c)
				b.Release()
				c.Release()
			})
		}},
		{Name: "handed over, allocated for each batch", Run: func(n int) {
			pieces(n, 512, func(part []click) {
				b := &record.Rows[click]{Rows: make([]click, 0, 512)}
				end(fill(b, part))
			})
		}},
	}
}
