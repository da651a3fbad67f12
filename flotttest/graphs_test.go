package flotttest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/flotttest"
)

// event is the record of all graphs. Its place in the input is part of it, so that whoever meets it can tell what should have come before.
type event struct {
	Split int32 // over all sources
	Seq   int32 // among the kept events of its split and key
	Key   int64
	Drop  bool
	Rule  int32
	// Seen counts the events of each split; 1 for its own split in the input, the sum in the output of a reduce.
	Seen [2 * maxSplits]int32
}

// trial is one run: a graph, its input, and what must come out.
type trial struct {
	knobs  knobs
	build  func(env *flott.Env)
	check  func() error
	events int // that must come out
	// source stands between a script and the job; for deliberate bugs.
	source func(flott.Source[event]) flott.Source[event]
	sums   *flotttest.Ledger[event] // of the graph keyed
	// mergeTwice is a deliberate bug of windows.
	mergeTwice bool
	lengths    map[string]int // of splits, for another one
	trouble    *trouble
	// committed counts what the ledger holds; settled is that count when the job was stopped, -1 otherwise.
	committed func() int
	settled   int
	// again says that the job went back to a checkpoint, so that at-least-once may double records.
	again bool
}

// from adds a source of the trial.
func (t *trial) from(env *flott.Env, name string, s flotttest.Script[event]) flott.Stream[event] {
	src := s.Source()
	if t.source != nil {
		src = t.source(src)
	}
	return flott.From(env, name, flott.Source[event](troubledSource{src, t.trouble}), t.times()).Filter(t.kept)
}

// graphNames are the graphs of TestSeeds, allGraphs those of TestEveryGraph.
var (
	graphNames = []string{"keyed", "union", "timers", "broadcast"}
	allGraphs  = append(slices.Clone(graphNames), "tumbling", "sliding", "session", "at-least-once")
)

func newTrial(k knobs) *trial {
	t := &trial{knobs: k, trouble: newTrouble(k), settled: -1, lengths: map[string]int{}}
	switch k.Graph {
	case "keyed":
		t.keyed()
	case "union":
		t.union()
	case "timers":
		t.timers()
	case "broadcast":
		t.broadcast()
	case "tumbling", "sliding", "session":
		t.windows()
	case "at-least-once":
		t.keyed()
		t.check = func() error { return t.checkAtLeastOnce(t.sums.Records()) }
	default:
		panic("there is no graph " + k.Graph)
	}
	return t
}

// input draws a source whose splits are numbered from first.
func (t *trial) input(first int) flotttest.Script[event] {
	k := t.knobs
	rng := rand.New(rand.NewPCG(k.Seed, uint64(first)+77))
	s := flotttest.Script[event]{Seed: k.ReadSeed, MaxBatch: k.MaxBatch, OneAtATime: !k.Static}
	for i := range k.Splits {
		split := first + i
		base := int64(1000)
		var next [keysOfEvents]int32
		var records []flotttest.Record[event]
		for range 1 + rng.IntN(k.Records) {
			base += rng.Int64N(30)
			e := event{Split: int32(split), Key: rng.Int64N(int64(k.Keys)), Drop: rng.IntN(5) == 0}
			e.Seen[split] = 1
			if !e.Drop {
				e.Seq = next[e.Key]
				next[e.Key]++
				t.events++
			}
			at := base - rng.Int64N(k.Disorder+1) - t.tardiness(rng.Int64N).Milliseconds()
			records = append(records, flotttest.At(at, e))
		}
		s.Splits = append(s.Splits, records)
		t.lengths[fmt.Sprintf("split-%d", i)] = len(records)
	}
	return s
}

func (t *trial) times() flott.WatermarkStrategy[event] {
	return flott.SourceTimes[event]().OutOfOrder(millis(t.knobs.Disorder))
}

// add is the reduce of two graphs: it emits the newest event with the counts of all.
func add(sum, e event) event {
	for i := range e.Seen {
		e.Seen[i] += sum.Seen[i]
	}
	return e
}

// keyed: two source subtasks, two keyed subtasks, alignment between them.
func (t *trial) keyed() {
	src, out := t.input(0), flotttest.NewLedger[event]()
	t.build = func(env *flott.Env) {
		s := t.from(env, "in", src)
		into(t, flott.Reduce(flott.KeyBy(s, t.keyOf), "sum", t.add), out)
	}
	t.sums = out
	t.check = func() error { return t.checkSums(out.Records()) }
}

// union: two sources, one of them behind a map.
func (t *trial) union() {
	left, right, out := t.input(0), t.input(maxSplits), flotttest.NewLedger[event]()
	t.build = func(env *flott.Env) {
		a := t.from(env, "left", left)
		b := flott.Map(t.from(env, "right", right), func(e event) event { t.trouble.must(); return e })
		into(t, flott.Reduce(flott.KeyBy(a.Union(b), t.keyOf), "sum", t.add), out)
	}
	t.check = func() error { return t.checkSums(out.Records()) }
}

// checkSums checks the output of the reduce: each event once, behind those before it in its split and key, and counted once.
func (t *trial) checkSums(records []event) error {
	var total [keysOfEvents]int32
	for _, e := range records {
		if e.Seen[e.Split] != e.Seq+1 {
			return fmt.Errorf("event %d of split %d and key %d came out as number %d of them: lost, doubled or out of order", e.Seq, e.Split, e.Key,
				e.Seen[e.Split]-1)
		}
		sum := int32(0)
		for _, n := range e.Seen {
			sum += n
		}
		if total[e.Key]++; total[e.Key] != sum {
			return fmt.Errorf("key %d: result number %d, in the order of commits, is that of event number %d", e.Key, total[e.Key], sum)
		}
	}
	if len(records) != t.events {
		return fmt.Errorf("%d events came out, %d went in", len(records), t.events)
	}
	return nil
}

// checkAtLeastOnce checks that no event is lost, and that none is doubled unless the job went back to a checkpoint.
func (t *trial) checkAtLeastOnce(records []event) error {
	if !t.again {
		return t.checkSums(records)
	}
	seen := map[eventID]bool{}
	for _, e := range records {
		seen[idOf(e)] = true
		if e.Seen[e.Split] < e.Seq+1 {
			return fmt.Errorf("event %d of split %d and key %d came out as number %d of them: one before it is lost", e.Seq, e.Split, e.Key, e.Seen[e.Split]-1)
		}
	}
	if len(seen) != t.events {
		return fmt.Errorf("%d events came out, %d went in", len(seen), t.events)
	}
	return nil
}

// bucket is how many events of each of two inputs a key had until a time.
type bucket struct {
	Key, End int64
	Counts   [2]int32
}

// bucketMs is the length of a bucket.
const bucketMs = 50

func bucketEnd(at int64) int64 { return (at/bucketMs+1)*bucketMs - 1 }

// timers: two inputs that share state and event-time timers. No event is late, so that the result is one and the same.
func (t *trial) timers() {
	t.knobs.Static = true
	left, right, out := t.input(0), t.input(maxSplits), flotttest.NewLedger[bucket]()
	t.build = func(env *flott.Env) {
		a := flott.KeyBy(t.from(env, "left", left), t.keyOf)
		b := flott.KeyBy(t.from(env, "right", right), t.keyOf)
		into(t, flott.CoProcess(a, b, "many", t.countBuckets), out)
	}
	want := map[bucket]int{}
	for side, s := range []flotttest.Script[event]{left, right} {
		for _, records := range s.Splits {
			for _, r := range records {
				if !r.Value.Drop {
					want[bucket{Key: r.Value.Key, End: bucketEnd(r.Time)}] += 1 << (16 * side)
				}
			}
		}
	}
	t.check = func() error { return checkBuckets(out.Records(), want) }
}

func (t *trial) countBuckets(k *flott.KeyedContext[int64, bucket]) (func(event) error, func(event) error) {
	counts := flott.NewMap[int64, [2]int32](k, "counts")
	open := flott.NewValue[int32](k, "open")
	clock := newClock(k)
	k.OnEventTimer(func(at time.Time) error {
		end := at.UnixMilli()
		n, ok := counts.Get(end)
		if !ok || k.Watermark().Before(at) {
			return fmt.Errorf("the timer at %d of key %d fired at watermark %v, with a bucket %v", end, k.Key(), k.Watermark(), ok)
		}
		counts.Remove(end)
		open.Set(open.Get() - 1)
		if err := t.trouble.may(); err != nil {
			return err
		}
		k.Emit(bucket{k.Key(), end, n})
		return clock.check()
	})
	count := func(side int) func(event) error {
		return func(event) error {
			end := bucketEnd(k.TimeMillis())
			n, ok := counts.Get(end)
			if n[side]++; !ok {
				open.Set(open.Get() + 1)
			}
			counts.Put(end, n)
			if open.Get() != int32(counts.Len()) {
				return fmt.Errorf("key %d has %d buckets, and counted %d", k.Key(), counts.Len(), open.Get())
			}
			at := time.UnixMilli(end)
			if n[0]%3 == 2 {
				k.DeleteEventTimer(at)
			}
			k.SetEventTimer(at)
			return clock.check()
		}
	}
	return may(t.trouble, count(0)), may(t.trouble, count(1))
}

func checkBuckets(got []bucket, want map[bucket]int) error {
	last := map[int64]int64{}
	for _, b := range got {
		if b.End <= last[b.Key] {
			return fmt.Errorf("key %d: the bucket until %d came out behind that until %d", b.Key, b.End, last[b.Key])
		}
		last[b.Key] = b.End
		counts := want[bucket{Key: b.Key, End: b.End}]
		if b.Counts != [2]int32{int32(counts & 0xffff), int32(counts >> 16)} {
			return fmt.Errorf("key %d, until %d: counts %v, not %d and %d", b.Key, b.End, b.Counts, counts&0xffff, counts>>16)
		}
	}
	if len(got) != len(want) {
		return fmt.Errorf("%d buckets came out of %d", len(got), len(want))
	}
	return nil
}

// broadcast: rules on every subtask, in one order, beside keyed events.
func (t *trial) broadcast() {
	src, out := t.input(0), flotttest.NewLedger[event]()
	var rules []int32
	for i := range rand.New(rand.NewPCG(t.knobs.Seed, 9)).IntN(12) {
		rules = append(rules, int32(i+1))
	}
	script := flotttest.FromSlice(1, rules...)
	script.Seed, script.MaxBatch = t.knobs.ReadSeed, t.knobs.MaxBatch
	t.build = func(env *flott.Env) {
		s := t.from(env, "in", src)
		r := flott.From(env, "rules", script.Source())
		into(t, flott.BroadcastProcess(flott.KeyBy(s, t.keyOf), r, "many", t.applyRules), out)
	}
	t.check = func() error { return t.checkRules(out.Records(), len(rules)) }
}

// clock checks that the watermark that an operator sees never falls.
type clock[Out any] struct {
	k    *flott.KeyedContext[int64, Out]
	last time.Time
}

func newClock[Out any](k *flott.KeyedContext[int64, Out]) *clock[Out] { return &clock[Out]{k: k} }

func (c *clock[Out]) check() error {
	now := c.k.Watermark()
	if now.Before(c.last) {
		return fmt.Errorf("the watermark of subtask %d fell from %v to %v", c.k.Subtask(), c.last, now)
	}
	c.last = now
	return nil
}

// ruleKey is the key of what the first subtask says of each rule.
const ruleKey = keysOfEvents

func (t *trial) applyRules(k *flott.KeyedContext[int64, event]) (func(event) error, func(int32) error) {
	last := flott.NewBroadcastState[string, int32](k, "last")
	next := flott.NewMap[int32, int32](k, "next")
	clock := newClock(k)
	return may(t.trouble, func(e event) error {
			if n, _ := next.Get(e.Split); n != e.Seq {
				return fmt.Errorf("event %d of split %d and key %d came in the place of event %d", e.Seq, e.Split, e.Key, n)
			}
			next.Put(e.Split, e.Seq+1)
			if err := clock.check(); err != nil {
				return err
			}
			e.Rule, _ = last.Get("n")
			k.Emit(e)
			return nil
		}), may(t.trouble, func(n int32) error {
			if was, _ := last.Get("n"); was != n-1 {
				return fmt.Errorf("rule %d came to subtask %d behind rule %d", n, k.Subtask(), was)
			}
			last.Put("n", n)
			if k.Subtask() == 0 {
				k.Emit(event{Key: ruleKey, Rule: n})
			}
			return nil
		})
}

func (t *trial) checkRules(records []event, rules int) error {
	var seq [2 * maxSplits][keysOfEvents]int32
	var rule [keysOfEvents + 1]int32
	events := 0
	for _, e := range records {
		if e.Rule < rule[e.Key] || e.Key == ruleKey && e.Rule != rule[e.Key]+1 {
			return fmt.Errorf("key %d: rule %d after rule %d", e.Key, e.Rule, rule[e.Key])
		}
		rule[e.Key] = e.Rule
		if e.Key == ruleKey {
			continue
		}
		events++
		next := &seq[e.Split][e.Key]
		if e.Seq != *next {
			return fmt.Errorf("event %d of split %d and key %d came out in the place of event %d", e.Seq, e.Split, e.Key, *next)
		}
		*next++
	}
	if events != t.events || int(rule[ruleKey]) != rules {
		return fmt.Errorf("%d events and %d rules came out, %d and %d went in", events, rule[ruleKey], t.events, rules)
	}
	return nil
}
