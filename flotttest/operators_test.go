package flotttest_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/flotttest"
)

// item is the input of every operator's test: each key comes from one split, so that its order is given.
type item struct {
	Key, N int64
}

// line is the output.
type line struct {
	Key  int64
	Text string
}

func linef(key int64, format string, args ...any) line {
	return line{key, fmt.Sprintf(format, args...)}
}

const (
	itemSplits   = 4
	itemKeys     = 9
	itemDisorder = 20
)

// items are 4 splits of records up to 20 ms out of order.
func items(perSplit int) flotttest.Script[item] {
	s := flotttest.Script[item]{Splits: make([][]flotttest.Record[item], itemSplits)}
	x := uint64(12345)
	draw := func(n uint64) int64 {
		x = x*6364136223846793005 + 1442695040888963407
		return int64((x >> 33) % n)
	}
	for split := range s.Splits {
		base := int64(10_000)
		for range perSplit {
			base += draw(40)
			key := draw(itemKeys)
			for key%itemSplits != int64(split) {
				key = draw(itemKeys)
			}
			s.Splits[split] = append(s.Splits[split], flotttest.At(base-draw(itemDisorder), item{key, draw(100)}))
		}
	}
	return s
}

// lateItems is one split whose later records come behind a pause, so that the watermark has passed everywhere.
func lateItems() flotttest.Script[item] {
	var r []flotttest.Record[item]
	for i := range int64(60) {
		r = append(r, flotttest.At(10_000+10*i, item{i % 5, i}))
	}
	for i := range int64(20) {
		// 100 ms windows: some of these are within the allowed lateness, some behind it.
		r = append(r, flotttest.At(10_000+30*i, item{i % 5, 1000 + i}).After(time.Second))
	}
	return flotttest.Records(r...)
}

var itemTimes = flott.SourceTimes[item]().OutOfOrder(itemDisorder * time.Millisecond)

func itemKey(v item) int64 { return v.Key }

// sink ends a graph in lines.
func sink[T any](s flott.Stream[T], out flott.Sink[line], f func(T) line) {
	flott.Map(s, f).To("out", out)
}

func itemLine(v item) line { return linef(v.Key, "%d", v.N) }

func windowLine(r flott.Result[int64, int64]) line {
	return linef(r.Key, "%d-%d %d", r.Window.Start, r.Window.End, r.Value)
}

type graphOf func(env *flott.Env, in flott.Source[item], out flott.Sink[line])

// stream makes a graph of one that begins with a stream of items.
func stream(f func(s flott.Stream[item], out flott.Sink[line])) graphOf {
	return func(env *flott.Env, in flott.Source[item], out flott.Sink[line]) {
		f(flott.From(env, "in", in, itemTimes), out)
	}
}

// keyed makes a graph of one that begins with a keyed stream.
func keyed(f func(k flott.KeyedStream[int64, item], out flott.Sink[line])) graphOf {
	return stream(func(s flott.Stream[item], out flott.Sink[line]) { f(flott.KeyBy(s, itemKey), out) })
}

// windowed makes a graph that sums windows.
func windowed(a flott.WindowAssigner) graphOf {
	return keyed(func(k flott.KeyedStream[int64, item], out flott.Sink[line]) {
		sink(flott.Aggregate(k.Window(a), "windows", flott.Sum(func(v item) int64 { return v.N })), out, windowLine)
	})
}

var oddItems = flott.NewOutputTag[item]("odd")
var lateTag = flott.NewOutputTag[item]("late")

// operatorCases is every operator of the DataStream API. Those whose records may meet in any order are compared without order.
var operatorCases = []struct {
	name      string
	unordered bool
	input     func() flotttest.Script[item]
	graph     graphOf
}{
	{name: "map", graph: stream(func(s flott.Stream[item], out flott.Sink[line]) { sink(s, out, itemLine) })},
	{name: "flatMap", graph: stream(func(s flott.Stream[item], out flott.Sink[line]) {
		sink(flott.FlatMap(s, func(v item, emit func(item)) {
			for i := range v.N % 4 {
				emit(item{v.Key, i})
			}
		}), out, itemLine)
	})},
	{name: "filter", graph: stream(func(s flott.Stream[item], out flott.Sink[line]) {
		sink(s.Filter(func(v item) bool { return v.N%2 == 0 }), out, itemLine)
	})},
	{name: "process, operator state", graph: stream(processItems), unordered: true},
	{name: "keyBy", graph: keyed(func(k flott.KeyedStream[int64, item], out flott.Sink[line]) {
		sink(flott.KeyedProcess(k, "keys", func(k *flott.KeyedContext[int64, line]) func(item) error {
			return func(v item) error { k.Emit(linef(k.Key(), "%d", v.N)); return nil }
		}), out, func(l line) line { return l })
	})},
	{name: "reduce", graph: keyed(func(k flott.KeyedStream[int64, item], out flott.Sink[line]) {
		sink(flott.Reduce(k, "sum", addItems), out, itemLine)
	})},
	{name: "aggregate", graph: keyed(func(k flott.KeyedStream[int64, item], out flott.Sink[line]) {
		sink(flott.Aggregate(k, "max", flott.Max(func(v item) int64 { return v.N })), out, windowLine)
	})},
	{name: "keyed process, state and timers", graph: keyed(func(k flott.KeyedStream[int64, item], out flott.Sink[line]) {
		flott.KeyedProcess(k, "everything", everything).To("out", out)
	})},
	{name: "side output", graph: stream(func(s flott.Stream[item], out flott.Sink[line]) {
		even := flott.Process(s, "split", func(p *flott.ProcessContext[item]) func(item) error {
			return func(v item) error {
				if v.N%2 == 1 {
					flott.EmitSide(p, oddItems, v)
				} else {
					p.Emit(v)
				}
				return nil
			}
		})
		odd := flott.Map(flott.SideOutput(even, oddItems), func(v item) line { return linef(100+v.Key, "odd %d", v.N) })
		flott.Map(even, itemLine).Union(odd).To("out", out)
	})},
	{name: "union", graph: func(env *flott.Env, in flott.Source[item], out flott.Sink[line]) {
		a := flott.From(env, "in", in, itemTimes)
		b := flott.Map(a.Filter(func(v item) bool { return v.N > 50 }), func(v item) item { return item{v.Key + 100, v.N} })
		sink(flott.Reduce(flott.KeyBy(a.Union(b), itemKey), "sum", addItems), out, itemLine)
	}},
	{name: "connect, coProcess", graph: func(env *flott.Env, in flott.Source[item], out flott.Sink[line]) {
		a := flott.From(env, "in", in, itemTimes)
		b := flott.From(env, "other", items(40).Source(), itemTimes)
		flott.CoProcess(flott.KeyBy(a, itemKey), flott.KeyBy(b, itemKey), "join", joinItems).To("out", out)
	}},
	{name: "broadcast state", input: pausedItems, graph: broadcastItems},
	{name: "tumbling window", graph: windowed(flott.Tumbling(100 * time.Millisecond))},
	{name: "tumbling window, offset", graph: windowed(flott.Tumbling(100 * time.Millisecond).Offset(30 * time.Millisecond))},
	{name: "sliding window", graph: windowed(flott.Sliding(120*time.Millisecond, 40*time.Millisecond))},
	{name: "session window", graph: windowed(flott.Session(60 * time.Millisecond))},
	{name: "global window", graph: keyed(func(k flott.KeyedStream[int64, item], out flott.Sink[line]) {
		w := k.Window(flott.Global()).Trigger(flott.CountTrigger(3))
		sink(flott.Reduce(w, "triples", addItems), out, itemLine)
	})},
	{name: "window reduce", graph: keyed(func(k flott.KeyedStream[int64, item], out flott.Sink[line]) {
		sink(flott.Reduce(k.Window(flott.Tumbling(50*time.Millisecond)), "sum", addItems), out, itemLine)
	})},
	{name: "window process", graph: keyed(func(k flott.KeyedStream[int64, item], out flott.Sink[line]) {
		flott.WindowProcess(k.Window(flott.Sliding(100*time.Millisecond, 50*time.Millisecond)), "list", listItems).To("out", out)
	})},
	{name: "session window process", graph: keyed(func(k flott.KeyedStream[int64, item], out flott.Sink[line]) {
		flott.WindowProcess(k.Window(flott.Session(40*time.Millisecond)), "list", listItems).To("out", out)
	})},
	{name: "allowed lateness, late output", input: lateItems, graph: keyed(lateWindows(flott.Tumbling(100 * time.Millisecond)))},
	{name: "lateness, sliding", input: lateItems, graph: keyed(lateWindows(flott.Sliding(200*time.Millisecond, 100*time.Millisecond)))},
	{name: "lateness, session", input: lateItems, graph: keyed(lateWindows(flott.Session(15 * time.Millisecond)))},
	{name: "forward", graph: stream(func(s flott.Stream[item], out flott.Sink[line]) { sink(s.Forward(), out, itemLine) })},
	{name: "rebalance", graph: stream(func(s flott.Stream[item], out flott.Sink[line]) { sink(s.Rebalance(), out, itemLine) }), unordered: true},
	{name: "shuffle", graph: stream(func(s flott.Stream[item], out flott.Sink[line]) { sink(s.Shuffle(), out, itemLine) }), unordered: true},
	{name: "broadcast", graph: stream(func(s flott.Stream[item], out flott.Sink[line]) { firstSubtask(s.Broadcast(), out) })},
	{name: "global", graph: stream(func(s flott.Stream[item], out flott.Sink[line]) { firstSubtask(s.Global(), out) })},
	{name: "custom partitioner", graph: stream(func(s flott.Stream[item], out flott.Sink[line]) {
		sink(s.PartitionCustom(func(v item, n int) int { return int(v.Key) % n }), out, itemLine)
	})},
	{name: "watermarks in the middle", graph: func(env *flott.Env, in flott.Source[item], out flott.Sink[line]) {
		s := flott.From(env, "in", in, itemTimes).Filter(func(v item) bool { return v.N != 3 })
		k := flott.KeyBy(flott.Map(s, func(v item) item { return v }), itemKey)
		sink(flott.Aggregate(k.Window(flott.Tumbling(time.Second)), "count", flott.Count[item]()), out, windowLine)
	}},
}

func addItems(a, b item) item { return item{a.Key, a.N + b.N} }

func processItems(s flott.Stream[item], out flott.Sink[line]) {
	flott.Process(s, "count", func(p *flott.ProcessContext[line]) func(item) error {
		counts := flott.NewOperatorList[int64](p, "records", false)
		return func(v item) error {
			counts.Add(v.N)
			p.Emit(itemLine(v))
			if len(counts.Get()) >= 2 {
				for _, n := range counts.Get() {
					p.Emit(linef(0, "counted %d", n))
				}
				counts.Clear()
			}
			return nil
		}
	}).Parallelism(1).To("out", out) // one list, or how much is left in it at the end would depend on the parallelism
}

// everything has state of every kind, and timers.
func everything(k *flott.KeyedContext[int64, line]) func(item) error {
	sum := flott.NewValue[int64](k, "sum")
	recent := flott.NewList[int64](k, "recent")
	seen := flott.NewMap[int64, int64](k, "seen")
	product := flott.NewReducing[int64](k, "product", func(a, b int64) int64 { return a*31 + b })
	mean := flott.NewAggregating(k, "mean", flott.Average(func(n int64) float64 { return float64(n) }))
	k.OnEventTimer(func(at time.Time) error {
		k.Emit(linef(k.Key(), "timer %d: %d", at.UnixMilli(), len(recent.Get())))
		recent.Clear()
		return nil
	})
	return func(v item) error {
		sum.Update(func(n int64) int64 { return n + v.N })
		recent.Add(v.N)
		n, _ := seen.Get(v.N % 3)
		seen.Put(v.N%3, n+1)
		product.Add(v.N)
		mean.Add(v.N)
		p, _ := product.Get()
		m, _ := mean.Get()
		k.SetEventTimer(time.UnixMilli(100_000))
		if v.N%10 == 0 {
			seen.Clear()
		}
		k.Emit(linef(k.Key(), "%d %d %d %d %.3f", sum.Get(), n, seen.Len(), p, m))
		return nil
	}
}

// joinItems counts both sides per 100 ms of event time, which is the same whatever order the sides come in.
func joinItems(k *flott.KeyedContext[int64, line]) (func(item) error, func(item) error) {
	sums := flott.NewMap[int64, [2]int64](k, "sums")
	k.OnEventTimer(func(at time.Time) error {
		s, _ := sums.Get(at.UnixMilli())
		sums.Remove(at.UnixMilli())
		k.Emit(linef(k.Key(), "%d %v", at.UnixMilli(), s))
		return nil
	})
	side := func(i int) func(item) error {
		return func(v item) error {
			end := k.TimeMillis()/100*100 + 99
			s, _ := sums.Get(end)
			s[i] += v.N
			sums.Put(end, s)
			k.SetEventTimer(time.UnixMilli(end))
			return nil
		}
	}
	return side(0), side(1)
}

// pausedItems lets everything else happen before the first record of each split.
func pausedItems() flotttest.Script[item] {
	s := items(40)
	for i := range s.Splits {
		s.Splits[i][0] = s.Splits[i][0].After(10 * time.Second)
	}
	return s
}

func broadcastItems(env *flott.Env, in flott.Source[item], out flott.Sink[line]) {
	s := flott.KeyBy(flott.From(env, "in", in, itemTimes), itemKey)
	rules := flott.From(env, "rules", flotttest.FromSlice(1, item{0, 3}, item{1, 5}, item{2, 7}, item{0, 4}).Source())
	flott.BroadcastProcess(s, rules, "rules applied", func(k *flott.KeyedContext[int64, line]) (func(item) error, func(item) error) {
		factors := flott.NewBroadcastState[int64, int64](k, "factors")
		total := flott.NewValue[int64](k, "total")
		return func(v item) error {
				f, _ := factors.Get(v.Key % 3)
				total.Set(total.Get() + f*v.N)
				k.Emit(linef(v.Key, "%d of %d rules", total.Get(), factors.Len()))
				return nil
			}, func(r item) error {
				factors.Put(r.Key, r.N)
				return nil
			}
	}).To("out", out)
}

func listItems(k *flott.KeyedContext[int64, line]) func(flott.Window, []item) error {
	windows := flott.NewValue[int64](k, "number")
	return func(w flott.Window, records []item) error {
		windows.Set(windows.Get() + 1)
		sum := int64(0)
		for _, r := range records {
			sum += r.N
		}
		k.Emit(linef(k.Key(), "%d-%d: %d records %d, window %d", w.Start, w.End, len(records), sum, windows.Get()))
		return nil
	}
}

func lateWindows(a flott.WindowAssigner) func(flott.KeyedStream[int64, item], flott.Sink[line]) {
	return func(k flott.KeyedStream[int64, item], out flott.Sink[line]) {
		w := k.Window(a).AllowedLateness(250 * time.Millisecond).LateTo(lateTag)
		sums := flott.Aggregate(w, "windows", flott.Sum(func(v item) int64 { return v.N }))
		late := flott.Map(flott.SideOutput(sums, lateTag), func(v item) line { return linef(100+v.Key, "late %d", v.N) })
		flott.Map(sums, windowLine).Union(late).To("out", out)
	}
}

// firstSubtask keeps what the first subtask got.
func firstSubtask(s flott.Stream[item], out flott.Sink[line]) {
	flott.Process(s, "first", func(p *flott.ProcessContext[line]) func(item) error {
		return func(v item) error {
			if p.Subtask() == 0 {
				p.Emit(itemLine(v))
			}
			return nil
		}
	}).To("out", out)
}

func lineKey(l line) string { return fmt.Sprintf("of key %d", l.Key) }

// TestOperatorsAreEquivalent prints a table of operator and variation.
func TestOperatorsAreEquivalent(t *testing.T) {
	var table strings.Builder
	header := true
	for _, c := range operatorCases {
		input := items(40)
		if c.input != nil {
			input = c.input()
		}
		e := flotttest.Equivalence[line]{Order: lineKey, Seeds: 2}
		if c.unordered {
			e.Order = nil
		}
		outcomes := flotttest.Compare(t, c.graph, input, e)
		if header {
			header = false
			fmt.Fprintf(&table, "%-34s", "")
			for i := range outcomes {
				fmt.Fprintf(&table, " %4d", i+1)
			}
			table.WriteByte('\n')
		}
		fmt.Fprintf(&table, "%-34s", c.name)
		for _, o := range outcomes {
			mark := "ok"
			if o.Err != nil {
				mark = "FAIL"
				t.Errorf("%s, %s: %v", c.name, o.Variation, o.Err)
			}
			fmt.Fprintf(&table, " %4s", mark)
		}
		table.WriteByte('\n')
	}
	for i, v := range flotttest.Variations("") {
		fmt.Fprintf(&table, "%4d: %s\n", i+1, v.Name)
	}
	fmt.Fprint(os.Stdout, table.String())
}

// A job that keeps state in a variable instead of with the engine is one that its runs tell apart.
func TestEquivalentFindsStateOutsideOfTheEngine(t *testing.T) {
	n := int64(0)
	outcomes := flotttest.Compare(t, keyed(func(k flott.KeyedStream[int64, item], out flott.Sink[line]) {
		n = 0
		sink(flott.Reduce(k, "sum", func(a, b item) item { n++; return item{a.Key, n} }), out, itemLine)
	}), items(40), flotttest.Equivalence[line]{Order: lineKey, Seeds: 1})
	for _, o := range outcomes {
		if o.Variation == "restore at every barrier" && o.Err == nil {
			t.Errorf("%s: was not told apart", o.Variation)
		}
	}
}
