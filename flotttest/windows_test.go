package flotttest_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/flotttest"
)

// eventID names an event of the input.
type eventID struct {
	Split, Seq int32
	Key        int64
}

// fired is what came out of a window, or one late event.
type fired struct {
	Key, Start, End int64
	Late            bool
	Events          []eventID
}

// Lengths of the windows of the trials, in milliseconds.
const (
	windowMs = 60
	slideMs  = 20
	gapMs    = 15
)

var lateEvents = flott.NewOutputTag[event]("late")

func (t *trial) assigner() flott.WindowAssigner {
	switch t.knobs.Graph {
	case "tumbling":
		return flott.Tumbling(millis(windowMs))
	case "sliding":
		return flott.Sliding(millis(windowMs), millis(slideMs))
	}
	return flott.Session(millis(gapMs))
}

// windows: all events of a window, collected by an aggregator whose accumulators are merged, or given to a function as a list.
func (t *trial) windows() {
	t.knobs.Static = true // or events would be late by chance
	src, out := t.input(0), flotttest.NewLedger[fired]()
	t.build = func(env *flott.Env) {
		w := flott.KeyBy(t.from(env, "in", src), t.keyOf).Window(t.assigner()).LateTo(lateEvents)
		results, late := t.collect(w)
		into(t, results.Union(flott.Map(late, func(e event) fired {
			return fired{Key: e.Key, Late: true, Events: []eventID{idOf(e)}}
		})), out)
	}
	in := map[eventID]arrival{}
	for _, records := range src.Splits {
		last := int64(flott.NoTime)
		for _, r := range records {
			last = max(last, r.Time)
			if !r.Value.Drop {
				in[idOf(r.Value)] = arrival{at: r.Time, tardy: r.Time < last-t.knobs.Disorder}
			}
		}
	}
	t.check = func() error { return t.checkWindows(out.Records(), in) }
}

// arrival is when an event was, and whether it comes later than its source allows, so that it may be late.
type arrival struct {
	at    int64
	tardy bool
}

func idOf(e event) eventID { return eventID{e.Split, e.Seq, e.Key} }

func (t *trial) collect(w flott.WindowedStream[int64, event]) (flott.Stream[fired], flott.Stream[event]) {
	if t.knobs.Lists {
		results := flott.WindowProcess(w, manyOut, func(k *flott.KeyedContext[int64, fired]) func(flott.Window, []event) error {
			return func(w flott.Window, events []event) error {
				f := fired{Key: k.Key(), Start: w.Start, End: w.End}
				for _, e := range events {
					f.Events = append(f.Events, idOf(e))
				}
				k.Emit(f)
				return t.trouble.may()
			}
		})
		return results, flott.SideOutput(results, lateEvents)
	}
	results := flott.Aggregate(w, manyOut, collector{t})
	return flott.Map(results, func(r flott.Result[int64, []eventID]) fired {
		return fired{Key: r.Key, Start: r.Window.Start, End: r.Window.End, Events: r.Value}
	}), flott.SideOutput(results, lateEvents)
}

// collector collects the names of events.
type collector struct{ t *trial }

func (c collector) Add(acc *[]eventID, e event) {
	c.t.trouble.must()
	*acc = append(*acc, idOf(e))
}

func (c collector) Merge(acc, from *[]eventID) {
	c.t.trouble.must()
	*acc = append(*acc, *from...)
	if c.t.mergeTwice {
		*acc = append(*acc, *from...)
	}
}

func (c collector) Result(acc *[]eventID) []eventID {
	c.t.trouble.must()
	return slices.Clone(*acc)
}

// checkWindows holds the output against the input: every event in each of its windows once, and every window once. What is tardy is in all
// its windows that had not fired, and in the late output if that is none.
func (t *trial) checkWindows(got []fired, in map[eventID]arrival) error {
	type place struct{ key, start int64 }
	windows, found, late := map[place]bool{}, map[eventID][]int64{}, map[eventID]int{}
	for _, f := range got {
		if f.Late {
			late[f.Events[0]]++
			continue
		}
		if windows[place{f.Key, f.Start}] && !t.reopens() {
			return fmt.Errorf("window %d-%d of key %d fired twice", f.Start, f.End, f.Key)
		}
		windows[place{f.Key, f.Start}] = true
		if err := t.checkWindow(f, in); err != nil {
			return fmt.Errorf("window %d-%d of key %d: %w", f.Start, f.End, f.Key, err)
		}
		for _, e := range f.Events {
			found[e] = append(found[e], f.Start)
		}
	}
	for e, a := range in {
		all, n := t.windowsOf(a.at), len(found[e])
		switch {
		case late[e] > 0 && (!a.tardy || late[e] > 1 || n > 0):
			return fmt.Errorf("event %+v of %d came out late %d times, tardy %v, and in windows %v", e, a.at, late[e], a.tardy, found[e])
		case late[e] == 0 && n == 0:
			return fmt.Errorf("event %+v of %d is lost", e, a.at)
		case n > all, n < all && !a.tardy:
			return fmt.Errorf("event %+v of %d is in windows %v, and belongs into %d", e, a.at, found[e], all)
		case n < all && t.knobs.Graph == "sliding" && n > 0 && slices.Min(found[e]) <= a.at-int64(n)*slideMs:
			return fmt.Errorf("event %+v of %d is in windows %v, which are not the last of its windows", e, a.at, found[e])
		}
	}
	return t.checkSessions(got)
}

// windowsOf is how many windows an event is in.
func (t *trial) windowsOf(int64) int {
	if t.knobs.Graph == "sliding" {
		return windowMs / slideMs
	}
	return 1
}

// reopens says that a window may begin where one began that has fired: a session whose first event came again.
func (t *trial) reopens() bool { return t.knobs.Graph == "session" && t.knobs.Tardy }

// checkWindow checks that the window is one, and holds nothing that does not belong into it and nothing twice.
func (t *trial) checkWindow(f fired, in map[eventID]arrival) error {
	seen := map[eventID]bool{}
	var times []int64
	for _, e := range f.Events {
		a, known := in[e]
		if !known || seen[e] || e.Key != f.Key || a.at < f.Start || a.at >= f.End {
			return fmt.Errorf("event %+v of %d: known %v, here already %v", e, a.at, known, seen[e])
		}
		seen[e] = true
		times = append(times, a.at)
	}
	if len(times) == 0 {
		return fmt.Errorf("it is empty")
	}
	slices.Sort(times)
	first, last := times[0], times[len(times)-1]
	if t.knobs.Graph != "session" {
		step := int64(windowMs)
		if t.knobs.Graph == "sliding" {
			step = slideMs
		}
		if f.End-f.Start != windowMs || f.Start%step != 0 {
			return fmt.Errorf("there is no such window")
		}
		return nil
	}
	if f.Start != first || f.End != last+gapMs {
		return fmt.Errorf("its events are from %d to %d", first, last)
	}
	for i := range len(times) - 1 {
		if times[i+1]-times[i] > gapMs {
			return fmt.Errorf("there is a gap between %d and %d", times[i], times[i+1])
		}
	}
	return nil
}

// checkSessions checks that sessions of a key do not overlap: they would be one. One may begin where another ends, which has fired by then.
// Tardy events may come to one that has fired.
func (t *trial) checkSessions(got []fired) error {
	if t.knobs.Graph != "session" || t.knobs.Tardy {
		return nil
	}
	last := map[int64]int64{}
	for _, f := range got { // in the order of event time, for a key
		if end, ok := last[f.Key]; ok && !f.Late && f.Start < end {
			return fmt.Errorf("key %d: the session from %d overlaps the one until %d", f.Key, f.Start, end)
		}
		last[f.Key] = f.End
	}
	return nil
}

// tardiness moves the time of some events behind what the source allows.
func (t *trial) tardiness(draw func(int64) int64) time.Duration {
	if !t.knobs.Tardy || draw(6) > 0 {
		return 0
	}
	return millis(t.knobs.Disorder + 1 + draw(4*windowMs))
}
