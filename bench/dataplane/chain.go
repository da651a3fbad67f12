package main

import (
	"iter"
	"sync"

	"github.com/flottio/flott/bench/measure"
)

// click is a record of middle size.
type click struct {
	URL        string
	User, Time int64
}

// The functions of the chain. They are variables because an engine calls what it was given: a compiler cannot inline them.
var (
	triple = func(c click) click { c.User *= 3; return c }
	odd    = func(c click) bool { return c.User&7 != 0 }
	score  = func(c click) int64 { return c.User + c.Time }
)

// sum is what a chain ends in.
var sum int64

// clicks is the input: small enough to stay in the cache, so that what is measured is the chain and not the memory.
var clicks = func() []click {
	rows := make([]click, 1<<13)
	for i := range rows {
		rows[i] = click{"http://example.com/page", int64(i * 7 % 1000), int64(i)}
	}
	return rows
}()

// input calls f with n records of the input, piece by piece.
func input(n int, f func([]click)) {
	for n > 0 {
		part := clicks[:min(n, len(clicks))]
		f(part)
		n -= len(part)
	}
}

// pieces calls f with n records of the input in pieces of at most size.
func pieces(n, size int, f func([]click)) {
	input(n, func(rows []click) {
		for len(rows) > 0 {
			k := min(size, len(rows))
			f(rows[:k])
			rows = rows[k:]
		}
	})
}

func chainCases() []measure.Case {
	return []measure.Case{
		{Name: "hand-written loop, functions called through variables", Run: runLoop},
		{Name: "hand-written loop, functions inlined by the compiler", Run: runInlined},
		{Name: "**batch of rows, one interface call per batch and operator**", Run: func(n int) { runBatches(n, 512) }},
		{Name: "**the same, as built (internal/operator)**", Run: runBuilt},
		{Name: "batch of rows, the functions fused into one closure", Run: runFusedBatches},
		{Name: "fused closures, a call per record and operator", Run: runClosures},
		{Name: "interface push per record, typed", Run: runPush},
		{Name: "interface push per record, boxed in `any`", Run: runBoxedPush},
		{Name: "batch of `any` rows", Run: runBoxedBatches},
		{Name: "iterators (iter.Seq)", Run: runIterators},
		{Name: "goroutine per operator, Go channel of batches", Run: runBatchChannels},
		{Name: "goroutine per operator, Go channel of records", Run: runRecordChannels},
	}
}

func runLoop(n int) {
	s := int64(0)
	input(n, func(rows []click) {
		for i := range rows {
			if c := triple(rows[i]); odd(c) {
				s += score(c)
			}
		}
	})
	sum = s
}

func runInlined(n int) {
	s := int64(0)
	input(n, func(rows []click) {
		for i := range rows {
			c := rows[i]
			if c.User *= 3; c.User&7 != 0 {
				s += c.User + c.Time
			}
		}
	})
	sum = s
}

// Interface push: each operator has a method for one record.

type taker[T any] interface{ take(T) }

type pushMap[T, U any] struct {
	f  func(T) U
	to taker[U]
}

func (m *pushMap[T, U]) take(v T) { m.to.take(m.f(v)) }

type pushFilter[T any] struct {
	f  func(T) bool
	to taker[T]
}

func (o *pushFilter[T]) take(v T) {
	if o.f(v) {
		o.to.take(v)
	}
}

type pushSum struct{ total int64 }

func (s *pushSum) take(v int64) { s.total += v }

func runPush(n int) {
	end := &pushSum{}
	var head taker[click] = &pushMap[click, click]{triple, &pushFilter[click]{odd, &pushMap[click, int64]{score, end}}}
	input(n, func(rows []click) {
		for i := range rows {
			head.take(rows[i])
		}
	})
	sum = end.total
}

type pushBoxedSum struct{ total int64 }

func (s *pushBoxedSum) take(v any) { s.total += v.(int64) }

// boxed makes the chain's functions into what an untyped engine calls.
var (
	boxedTriple = func(v any) any { return triple(v.(click)) }
	boxedOdd    = func(v any) bool { return odd(v.(click)) }
	boxedScore  = func(v any) any { return score(v.(click)) }
)

func runBoxedPush(n int) {
	end := &pushBoxedSum{}
	var head taker[any] = &pushMap[any, any]{boxedTriple, &pushFilter[any]{boxedOdd, &pushMap[any, any]{boxedScore, end}}}
	input(n, func(rows []click) {
		for i := range rows {
			head.take(rows[i])
		}
	})
	sum = end.total
}

// Fused closures: each operator is a function of one record that calls the next.

func runClosures(n int) {
	s := int64(0)
	first := fused(func(v int64) { s += v })
	input(n, func(rows []click) {
		for i := range rows {
			first(rows[i])
		}
	})
	sum = s
}

func fused(end func(int64)) func(click) {
	third := func(f func(click) int64, to func(int64)) func(click) { return func(c click) { to(f(c)) } }(score, end)
	second := func(f func(click) bool, to func(click)) func(click) {
		return func(c click) {
			if f(c) {
				to(c)
			}
		}
	}(odd, third)
	return func(f func(click) click, to func(click)) func(click) { return func(c click) { to(f(c)) } }(triple, second)
}

// Iterators: each operator pulls from the one before.

func mapSeq[T, U any](in iter.Seq[T], f func(T) U) iter.Seq[U] {
	return func(yield func(U) bool) {
		for v := range in {
			if !yield(f(v)) {
				return
			}
		}
	}
}

func filterSeq[T any](in iter.Seq[T], f func(T) bool) iter.Seq[T] {
	return func(yield func(T) bool) {
		for v := range in {
			if f(v) && !yield(v) {
				return
			}
		}
	}
}

func runIterators(n int) {
	from := func(yield func(click) bool) {
		for n > 0 {
			rows := clicks[:min(n, len(clicks))]
			n -= len(rows)
			for i := range rows {
				if !yield(rows[i]) {
					return
				}
			}
		}
	}
	s := int64(0)
	for v := range mapSeq(filterSeq(mapSeq(from, triple), odd), score) {
		s += v
	}
	sum = s
}

// Goroutine per operator.

func runRecordChannels(n int) {
	a, b, c := make(chan click, 256), make(chan click, 256), make(chan int64, 256)
	var all sync.WaitGroup
	all.Go(func() {
		defer close(b)
		for v := range a {
			b <- triple(v)
		}
	})
	all.Go(func() {
		defer close(c)
		for v := range b {
			if odd(v) {
				c <- score(v)
			}
		}
	})
	s := int64(0)
	all.Go(func() {
		for v := range c {
			s += v
		}
	})
	input(n, func(rows []click) {
		for i := range rows {
			a <- rows[i]
		}
	})
	close(a)
	all.Wait()
	sum = s
}

func runBatchChannels(n int) {
	type batch = *[]click
	pool := sync.Pool{New: func() any { b := make([]click, 0, 512); return &b }}
	scores := sync.Pool{New: func() any { b := make([]int64, 0, 512); return &b }}
	a, b, c := make(chan batch, 8), make(chan batch, 8), make(chan *[]int64, 8)
	var all sync.WaitGroup
	all.Go(func() {
		defer close(b)
		for in := range a {
			for i, v := range *in {
				(*in)[i] = triple(v)
			}
			b <- in
		}
	})
	all.Go(func() {
		defer close(c)
		for in := range b {
			out := scores.Get().(*[]int64)
			*out = (*out)[:0]
			for _, v := range *in {
				if odd(v) {
					*out = append(*out, score(v))
				}
			}
			pool.Put(in)
			c <- out
		}
	})
	s := int64(0)
	all.Go(func() {
		for in := range c {
			for _, v := range *in {
				s += v
			}
			scores.Put(in)
		}
	})
	pieces(n, 512, func(rows []click) {
		in := pool.Get().(*[]click)
		*in = append((*in)[:0], rows...)
		a <- in
	})
	close(a)
	all.Wait()
	sum = s
}
