package main

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/flottio/flott"
)

// The windowed rows count events of windowKeys keys, 100 a millisecond, up to a second out of order.
const (
	windowKeys   = 10_000
	perMs        = 100
	disorderMs   = 1000
	windowMs     = 10_000
	slideMs      = 1_000
	windowEvents = 1 << 20
)

// timedEvents returns the input for so many subtasks: each has its own stretch of rows over the same time.
var timedEvents = func() func(cores int) []event {
	var mu sync.Mutex
	all := map[int][]event{}
	return func(cores int) []event {
		mu.Lock()
		defer mu.Unlock()
		if rows := all[cores]; rows != nil {
			return rows
		}
		rng := rand.New(rand.NewPCG(3, 4))
		rows := make([]event, windowEvents)
		stretch := windowEvents / cores
		for i := range rows {
			at := int64(i%stretch) * int64(cores) / perMs
			rows[i] = event{Key: int64(rng.IntN(windowKeys)), Time: disorderMs + at - rng.Int64N(disorderMs), Value: 1}
		}
		all[cores] = rows
		return rows
	}
}()

// later moves an event by the time that one pass over the input takes.
func later(e *event, turn int) { e.Time += int64(turn) * (windowEvents / perMs) }

func windowInput(cores, records int, m *meter) *input[event] {
	return &input[event]{rows: timedEvents(cores), records: records, again: later, meter: m}
}

func windowValue(c *count) int64 { return windowSum(c.Key, c.Window.Start, c.Value) }

func windowSum(key, start, n int64) int64 { return n*31 + key ^ start }

func windowEngine(w func() flott.WindowAssigner) func(cores, records int) (sample, error) {
	return func(cores, records int) (sample, error) {
		m := &meter{warm: 0.25}
		in := windowInput(cores, records, m)
		err := runJob(job{parallelism: cores}, func(env *flott.Env) {
			times := flott.WatermarksMillis(func(e event) int64 { return e.Time }).OutOfOrder(disorderMs * time.Millisecond)
			events := flott.From(env, "events", flott.Source[event](source[event]{in}), times)
			windows := flott.KeyBy(events, keyOf).Window(w())
			flott.Aggregate(windows, "count", flott.Count[event]()).To("counts", sink[count]{m, windowValue})
		})
		return m.sample(records), err
	}
}

func tumbling() flott.WindowAssigner { return flott.Tumbling(windowMs * time.Millisecond) }
func sliding() flott.WindowAssigner {
	return flott.Sliding(windowMs*time.Millisecond, slideMs*time.Millisecond)
}

// windowLoop runs a hand-written windowed count on one goroutine, or behind a hand-written exchange.
func windowLoop(receiver func(m *meter) counter) func(cores, records int) (sample, error) {
	return func(cores, records int) (sample, error) {
		m := &meter{warm: 0.25}
		in := windowInput(cores, records, m)
		if cores > 1 {
			exchange(in, cores, func(int) counter { return receiver(m) })
		} else {
			r := receiver(m)
			top := int64(0)
			in.scan(0, 1, func(rows []event) {
				for i := range rows {
					top = max(top, rows[i].Time)
				}
				r.add(rows, top)
			})
			r.end()
		}
		m.done()
		return m.sample(records), nil
	}
}

// tumblingCounter keeps a map for each window, and remembers the last one used.
type tumblingCounter struct {
	meter   *meter
	windows map[int64]map[int64]*int64
	last    map[int64]*int64
	lastAt  int64
	nextEnd int64
	sum     int64
}

func newTumblingCounter(m *meter) counter {
	return &tumblingCounter{meter: m, windows: map[int64]map[int64]*int64{}, lastAt: -1, nextEnd: windowMs}
}

func (c *tumblingCounter) add(rows []event, top int64) {
	for i := range rows {
		start := rows[i].Time / windowMs * windowMs
		if start != c.lastAt {
			if c.last = c.windows[start]; c.last == nil {
				c.last = map[int64]*int64{}
				c.windows[start] = c.last
			}
			c.lastAt = start
		}
		p := c.last[rows[i].Key]
		if p == nil {
			p = new(int64)
			c.last[rows[i].Key] = p
		}
		*p++
	}
	if top-disorderMs >= c.nextEnd {
		c.fire(top - disorderMs)
	}
}

func (c *tumblingCounter) fire(upTo int64) {
	for start, w := range c.windows {
		if start+windowMs > upTo {
			continue
		}
		for key, n := range w {
			c.sum += windowSum(key, start, *n)
		}
		delete(c.windows, start)
	}
	c.lastAt = -1
	c.nextEnd = upTo/windowMs*windowMs + windowMs
}

func (c *tumblingCounter) end() {
	c.fire(1 << 61)
	c.meter.sum.Add(c.sum)
}

// slidingCounter counts by second, and when a second is over adds it to the totals, takes off the second that has left the window, and
// emits the totals.
type slidingCounter struct {
	meter  *meter
	panes  map[int64]map[int64]int64 // by second
	totals map[int64]int64
	open   map[int64]int64
	openAt int64
	next   int64 // second that closes next
	last   int64 // greatest second with an event
	sum    int64
}

func newSlidingCounter(m *meter) counter {
	return &slidingCounter{meter: m, panes: map[int64]map[int64]int64{}, totals: map[int64]int64{}, openAt: -1}
}

func (c *slidingCounter) add(rows []event, top int64) {
	for i := range rows {
		second := rows[i].Time / slideMs
		if second != c.openAt {
			if c.open = c.panes[second]; c.open == nil {
				c.open = map[int64]int64{}
				c.panes[second] = c.open
			}
			c.openAt = second
			c.last = max(c.last, second)
		}
		c.open[rows[i].Key]++
	}
	for top-disorderMs >= (c.next+1)*slideMs && top < 1<<61 {
		c.close()
	}
}

func (c *slidingCounter) close() {
	for key, n := range c.panes[c.next] {
		c.totals[key] += n
	}
	const panes = windowMs / slideMs
	for key, n := range c.panes[c.next-panes] {
		if c.totals[key] -= n; c.totals[key] == 0 {
			delete(c.totals, key)
		}
	}
	delete(c.panes, c.next-panes)
	start := (c.next + 1 - panes) * slideMs
	for key, n := range c.totals {
		c.sum += windowSum(key, start, n)
	}
	c.next++
	c.openAt = -1
}

func (c *slidingCounter) end() {
	for c.next < c.last+windowMs/slideMs {
		c.close()
	}
	c.meter.sum.Add(c.sum)
}
