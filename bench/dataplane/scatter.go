package main

import (
	"slices"

	"github.com/flottio/flott/bench/measure"
	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/internal/network"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
)

// scattered counts what each target got.
var scattered [8]int64

// maxParallelism is that of a small job.
const maxParallelism = 128

// scatter spreads batches over targets and passes full ones to deliver.
type scatter struct {
	n     int
	keys  operator.KeyFinder[int64, click]
	table []uint16
	hash  *network.Hash
	open  []*record.Rows[click]
	route []int32
	at    [][]int32
	order []int32
	fresh *record.Rows[click]
}

func newScatter(n int) *scatter {
	s := &scatter{n: n, table: keygroup.Route(maxParallelism, n), fresh: record.NewRows[click](), at: make([][]int32, n)}
	s.keys.Key = func(c click) int64 { return c.User }
	must(s.keys.Init())
	s.hash = &network.Hash{N: n, Table: s.table, Hashes: func(b record.Batch) []uint64 { return s.keys.Rehash(b.(*record.Rows[click])) }}
	for range n {
		s.open = append(s.open, s.fresh.Get())
	}
	return s
}

func (s *scatter) deliver(to int) {
	b := s.open[to]
	scattered[to] += int64(b.Len())
	s.open[to] = s.fresh.Get()
	b.Release()
}

func (s *scatter) run(n int, spread func(*record.Rows[click])) {
	pieces(n, s.fresh.Cap(), func(part []click) {
		b := s.fresh.Get()
		b.Rows = append(b.Rows, part...)
		spread(b)
		b.Release()
	})
	for to := range s.open {
		s.deliver(to)
	}
}

// lists makes the list of the rows of each target, then gathers target by target: a call to a batch for each target, none for each record.
func (s *scatter) lists(b *record.Rows[click]) {
	_, each, err := s.hash.Route(b, s.route[:0])
	must(err)
	s.route = each
	for i := range s.at {
		s.at[i] = s.at[i][:0]
	}
	for i, to := range each {
		s.at[to] = append(s.at[to], int32(i))
	}
	for to, rows := range s.at {
		b.Gather(s.open[to], rows)
		if s.open[to].Full() {
			s.deliver(to)
		}
	}
}

// sorted makes one list in order of targets, by counting.
func (s *scatter) sorted(b *record.Rows[click]) {
	_, each, err := s.hash.Route(b, s.route[:0])
	must(err)
	s.route = each
	var count [9]int32
	for _, to := range each {
		count[to+1]++
	}
	for i := range s.n {
		count[i+1] += count[i]
	}
	starts := count
	s.order = slices.Grow(s.order[:0], len(each))[:len(each)]
	for i, to := range each {
		s.order[count[to]] = int32(i)
		count[to]++
	}
	for to := range s.n {
		b.Gather(s.open[to], s.order[starts[to]:starts[to+1]])
		if s.open[to].Full() {
			s.deliver(to)
		}
	}
}

// copied copies record by record into the target's batch, looking at the target for each: it must know the type of the rows.
func (s *scatter) copied(b *record.Rows[click]) {
	hashes := s.keys.Rehash(b)
	for i, h := range hashes {
		to := s.table[h&(maxParallelism-1)]
		t := s.open[to]
		t.Rows = append(t.Rows, b.Rows[i])
		t.Head.Hashes = append(t.Head.Hashes, h)
		if t.Full() {
			s.deliver(int(to))
		}
	}
}

// receiver is a target that takes a record at a time.
type receiver interface{ put(c click, h uint64) }

type recordTarget struct {
	s  *scatter
	to int
}

func (r *recordTarget) put(c click, h uint64) {
	t := r.s.open[r.to]
	t.Rows = append(t.Rows, c)
	t.Head.Hashes = append(t.Head.Hashes, h)
	if t.Full() {
		r.s.deliver(r.to)
	}
}

func scatterCases(n int) []measure.Case {
	s := newScatter(n)
	var targets []receiver
	var channels []chan click
	for to := range n {
		targets = append(targets, &recordTarget{s, to})
		channels = append(channels, make(chan click, 1024))
	}
	return []measure.Case{
		{Name: "**list of rows for each target, then gather**", Run: func(n int) { s.run(n, s.lists) }},
		{Name: "one list in order of targets (counting sort), then gather", Run: func(n int) { s.run(n, s.sorted) }},
		{Name: "copied record by record, type known", Run: func(n int) { s.run(n, s.copied) }},
		{Name: "interface call per record", Run: func(n int) {
			s.run(n, func(b *record.Rows[click]) {
				for i := range b.Rows {
					h := s.keys.Codec.Hash(&b.Rows[i].User)
					targets[s.table[h&(maxParallelism-1)]].put(b.Rows[i], h)
				}
			})
		}},
		{Name: "Go channel of records (sent and taken by one goroutine)", Run: func(n int) {
			s.run(n, func(b *record.Rows[click]) {
				for i := range b.Rows {
					h := s.keys.Codec.Hash(&b.Rows[i].User)
					channels[s.table[h&(maxParallelism-1)]] <- b.Rows[i]
				}
				for to, c := range channels {
					for range len(c) {
						<-c
						scattered[to]++
					}
				}
			})
		}},
	}
}

// hashCases compare a hash that travels with the record with one that is computed by the partitioner and again by the state.
func hashCases() []measure.Case {
	ints := operator.KeyFinder[int64, click]{Key: func(c click) int64 { return c.User }}
	texts := operator.KeyFinder[string, click]{Key: func(c click) string { return c.URL }}
	type pair struct {
		URL  string
		User int64
	}
	pairs := operator.KeyFinder[pair, click]{Key: func(c click) pair { return pair{c.URL, c.User} }}
	must(ints.Init())
	must(texts.Init())
	must(pairs.Init())
	fresh := record.NewRows[click]()
	each := func(name string, find func(*record.Rows[click]), hash func(*record.Rows[click])) []measure.Case {
		run := func(again bool) func(int) {
			return func(n int) {
				pieces(n, fresh.Cap(), func(part []click) {
					b := fresh.Get()
					b.Rows = append(b.Rows, part...)
					hash(b)
					find(b)
					if again {
						hash(b)
					}
					b.Release()
				})
			}
		}
		return []measure.Case{
			{Name: "**" + name + " key, hash carried**", Run: run(false)}, {Name: name + " key, hash computed again", Run: run(true)},
		}
	}
	cases := each("int64", func(b *record.Rows[click]) { ints.Keys(b) }, func(b *record.Rows[click]) { ints.Rehash(b) })
	cases = append(cases, each("string", func(b *record.Rows[click]) { texts.Keys(b) }, func(b *record.Rows[click]) { texts.Rehash(b) })...)
	return append(cases, each("struct", func(b *record.Rows[click]) { pairs.Keys(b) }, func(b *record.Rows[click]) { pairs.Rehash(b) })...)
}
