package main

import (
	"math/rand/v2"
	"sync"

	"github.com/flottio/flott"
)

// event is a record with a key.
type event struct{ Key, Time, Value int64 }

var made = struct {
	sync.Mutex
	events map[[2]int][]event
}{events: map[[2]int][]event{}}

// uniformEvents returns n events of so many keys, each as often as every other, in random order. Made once.
func uniformEvents(n, keys int) []event {
	made.Lock()
	defer made.Unlock()
	if rows, ok := made.events[[2]int{n, keys}]; ok {
		return rows
	}
	rng := rand.New(rand.NewPCG(1, 2))
	rows := make([]event, n)
	for i := range rows {
		rows[i] = event{Key: int64(i % keys), Time: int64(i), Value: int64(i*7919%1000 + 1)}
	}
	rng.Shuffle(n, func(i, j int) { rows[i].Key, rows[j].Key = rows[j].Key, rows[i].Key })
	made.events[[2]int{n, keys}] = rows
	return rows
}

type count = flott.Result[int64, int64]

func keyOf(e event) int64        { return e.Key }
func countValue(c *count) int64  { return c.Value ^ c.Key }
func valueOf(key, n int64) int64 { return n ^ key }

// countEngine counts by key and emits a result for each record.
func countEngine(keys int, warm float64, j job) func(cores, records int) (sample, error) {
	return func(cores, records int) (sample, error) {
		m := &meter{warm: warm}
		in := &input[event]{rows: uniformEvents(1<<20, keys), records: records, meter: m}
		j := j
		if j.parallelism == 0 {
			j.parallelism = cores
		}
		err := runJob(j, countJob(in))
		return m.sample(records), err
	}
}

func countJob(in *input[event]) func(*flott.Env) {
	return func(env *flott.Env) {
		byKey := flott.KeyBy(flott.From(env, "events", flott.Source[event](source[event]{in})), keyOf)
		flott.Aggregate(byKey, "count", flott.Count[event]()).To("counts", sink[count]{in.meter, countValue})
	}
}

// countLoop is a Go map from key to counter: on one core a loop around it, on more the input is spread by hand (see exchange).
func countLoop(keys int, warm float64) func(cores, records int) (sample, error) {
	return func(cores, records int) (sample, error) {
		if cores > 1 {
			return countExchangeLoop(keys, warm)(cores, records)
		}
		m := &meter{warm: warm}
		in := &input[event]{rows: uniformEvents(1<<20, keys), records: records, meter: m}
		c := &mapCounter{counts: map[int64]*int64{}, meter: m}
		in.scan(0, 1, func(rows []event) { c.add(rows, 0) })
		c.end()
		m.done()
		return m.sample(records), nil
	}
}

// countExchangeLoop has two goroutines that read and two that count.
func countExchangeLoop(keys int, warm float64) func(cores, records int) (sample, error) {
	return func(_, records int) (sample, error) {
		m := &meter{warm: warm}
		in := &input[event]{rows: uniformEvents(1<<20, keys), records: records, meter: m}
		exchange(in, 2, func(int) counter {
			return &mapCounter{counts: map[int64]*int64{}, meter: m}
		})
		m.done()
		return m.sample(records), nil
	}
}

type mapCounter struct {
	counts map[int64]*int64
	meter  *meter
	sum    int64
}

func (c *mapCounter) add(rows []event, _ int64) {
	s := c.sum
	for i := range rows {
		p := c.counts[rows[i].Key]
		if p == nil {
			p = new(int64)
			c.counts[rows[i].Key] = p
		}
		*p++
		s += valueOf(rows[i].Key, *p)
	}
	c.sum = s
}

func (c *mapCounter) end() { c.meter.sum.Add(c.sum) }

// counter is the receiving half of a hand-written exchange: rows, and how far the time of all senders has come.
type counter interface {
	add(rows []event, watermark int64)
	end()
}

// parcel is what one sender sends to one receiver.
type parcel struct {
	from int
	rows *[]event
	time int64 // the greatest so far of this sender
}

// exchange is how one would write it by hand: each of n goroutines reads its share and fills a slice for each receiver; full slices
// go over Go channels to n receivers, and come back through a pool.
func exchange(in *input[event], n int, receiver func(subtask int) counter) {
	const size = 512
	pool := sync.Pool{New: func() any { s := make([]event, 0, size); return &s }}
	channels := make([]chan parcel, n)
	for i := range channels {
		channels[i] = make(chan parcel, 16)
	}
	var receivers sync.WaitGroup
	for i := range n {
		receivers.Go(func() {
			r := receiver(i)
			times := make([]int64, n)
			for p := range channels[i] {
				times[p.from] = max(times[p.from], p.time)
				least := times[0]
				for _, t := range times {
					least = min(least, t)
				}
				r.add(*p.rows, least)
				pool.Put(p.rows)
			}
			r.end()
		})
	}
	each(n, func(subtask int) {
		open := make([]*[]event, n)
		for i := range open {
			open[i] = pool.Get().(*[]event)
			*open[i] = (*open[i])[:0]
		}
		top := int64(0)
		in.scan(subtask, n, func(rows []event) {
			for i := range rows {
				e := &rows[i]
				top = max(top, e.Time)
				to := spread(e.Key) % uint64(n)
				s := append(*open[to], *e)
				*open[to] = s
				if len(s) == size {
					channels[to] <- parcel{subtask, open[to], top}
					open[to] = pool.Get().(*[]event)
					*open[to] = (*open[to])[:0]
				}
			}
		})
		for to := range open {
			channels[to] <- parcel{subtask, open[to], 1 << 62}
		}
	})
	for _, c := range channels {
		close(c)
	}
	receivers.Wait()
}

// spread mixes the bits of a key, which may be anything.
func spread(key int64) uint64 {
	x := uint64(key) * 0x9e3779b97f4a7c15
	return x ^ x>>32
}
