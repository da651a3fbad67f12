package flotttest_test

import (
	"fmt"
	"math/rand/v2"

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
}

var graphNames = []string{"keyed", "union", "broadcast"}

func newTrial(k knobs) *trial {
	t := &trial{knobs: k}
	switch k.Graph {
	case "keyed":
		t.keyed()
	case "union":
		t.union()
	case "broadcast":
		t.broadcast()
	}
	return t
}

// input draws a source whose splits are numbered from first.
func (t *trial) input(first int) flotttest.Script[event] {
	k := t.knobs
	rng := rand.New(rand.NewPCG(k.Seed, uint64(first)+77))
	s := flotttest.Script[event]{Seed: k.ReadSeed, MaxBatch: k.MaxBatch, Static: k.Static}
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
			records = append(records, flotttest.At(base-rng.Int64N(k.Disorder+1), e))
		}
		s.Splits = append(s.Splits, records)
	}
	return s
}

func (t *trial) times() flott.WatermarkStrategy[event] {
	return flott.SourceTimes[event]().OutOfOrder(millis(t.knobs.Disorder))
}

func kept(e event) bool   { return !e.Drop }
func keyOf(e event) int64 { return e.Key }

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
		s := flott.From(env, "in", src.Source(), t.times()).Filter(kept)
		flott.Reduce(flott.KeyBy(s, keyOf), "sum", add).To("out", out)
	}
	t.check = func() error { return t.checkSums(out.Records()) }
}

// union: two sources, one of them behind a map.
func (t *trial) union() {
	left, right, out := t.input(0), t.input(maxSplits), flotttest.NewLedger[event]()
	t.build = func(env *flott.Env) {
		a := flott.From(env, "left", left.Source(), t.times()).Filter(kept)
		b := flott.Map(flott.From(env, "right", right.Source(), t.times()).Filter(kept), func(e event) event { return e })
		flott.Reduce(flott.KeyBy(a.Union(b), keyOf), "sum", add).To("out", out)
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
		s := flott.From(env, "in", src.Source(), t.times()).Filter(kept)
		r := flott.From(env, "rules", script.Source())
		flott.BroadcastProcess(flott.KeyBy(s, keyOf), r, "many", applyRules).To("out", out)
	}
	t.check = func() error { return t.checkRules(out.Records(), len(rules)) }
}

// ruleKey is the key of what the first subtask says of each rule.
const ruleKey = keysOfEvents

func applyRules(k *flott.KeyedContext[int64, event]) (func(event) error, func(int32) error) {
	last := flott.NewBroadcastState[string, int32](k, "last")
	return func(e event) error {
			e.Rule, _ = last.Get("n")
			k.Emit(e)
			return nil
		}, func(n int32) error {
			if was, _ := last.Get("n"); was != n-1 {
				return fmt.Errorf("rule %d came to subtask %d behind rule %d", n, k.Subtask(), was)
			}
			last.Put("n", n)
			if k.Subtask() == 0 {
				k.Emit(event{Key: ruleKey, Rule: n})
			}
			return nil
		}
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
