package operator

import (
	"math"
	"slices"

	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
)

const (
	// fireRowsMax bounds the results of one call of Advance, and with them the task's outbox (A6.10).
	fireRowsMax = 4096
	// mergeRowsMax bounds the accumulators merged in one call, so that a step stays short.
	mergeRowsMax = 4 * fireRowsMax
	// scanRows is how many entries are read from a table at once.
	scanRows = 256
)

// firing is where the firing of a window stands.
type firing[K comparable, A any] struct {
	active bool
	window Span
	// panes still to be merged, and the table that the results come from: the only pane's, or merged.
	todo   []*pane[K, A]
	source *state.Table[K, A]
	merged *state.Table[K, A] // scratch: filled and emptied within one pass, never part of a snapshot
	make   func() *state.Table[K, A]
	cursor uint64
	keys   []K
	vals   []*A
	hashes []uint64
	accs   []*A
}

func (f *firing[K, A]) init(d state.Descriptor[K, A]) {
	f.keys, f.vals, f.hashes, f.accs = make([]K, scanRows), make([]*A, scanRows), make([]uint64, scanRows), make([]*A, scanRows)
	f.make = func() *state.Table[K, A] { return state.NewTable(d) }
}

// Advance implements Advancer.
func (o *PaneWindows[K, T, A, O]) Advance(wm int64) (more bool, err error) {
	if !o.Windows.EventTime() && wm != record.MaxWatermark {
		return false, nil
	}
	return o.advance(wm)
}

// NextTick implements Clocked.
func (o *PaneWindows[K, T, A, O]) NextTick() int64 {
	if !o.Windows.ProcessingTime || o.global || len(o.panes) == 0 {
		return math.MaxInt64
	}
	if o.firing.active {
		return math.MinInt64
	}
	if end, ok := o.nextFire(); ok {
		return end
	}
	return math.MaxInt64
}

// Tick implements Clocked.
func (o *PaneWindows[K, T, A, O]) Tick(now int64) (more bool, err error) {
	return o.advance(satAdd(now, -1))
}

// advance fires the windows up to wm in the order of their ends.
func (o *PaneWindows[K, T, A, O]) advance(wm int64) (more bool, err error) {
	rows, merges := fireRowsMax, mergeRowsMax
	for rows > 0 && merges > 0 {
		if !o.firing.active {
			end, ok := o.nextFire()
			if !ok || end-1 > wm || o.global && wm != record.MaxWatermark {
				o.fired = max(o.fired, wm)
				return false, o.finish()
			}
			if err := o.start(end); err != nil {
				return false, err
			}
		}
		done, err := o.step(&rows, &merges)
		if err != nil {
			return false, err
		}
		if done {
			o.firing.active = false
			o.fired = max(o.fired, o.firing.window.MaxTime())
			if err := o.clean(); err != nil {
				return false, err
			}
		}
	}
	return true, o.out.flush()
}

func (o *PaneWindows[K, T, A, O]) finish() error {
	if err := o.clean(); err != nil {
		return err
	}
	return o.out.flush()
}

// nextFire is the end of the first window with records that has not fired.
func (o *PaneWindows[K, T, A, O]) nextFire() (end int64, ok bool) {
	for _, p := range o.panes {
		end = p.firstEnd
		if end-1 <= o.fired {
			if p.lastEnd-1 <= o.fired {
				continue
			}
			end = o.grid.endFrom(satAdd(o.fired, 2))
		}
		if end <= p.lastEnd {
			return end, true
		}
	}
	return 0, false
}

// holds returns the panes of the window that ends at end.
func (o *PaneWindows[K, T, A, O]) holds(end int64) []*pane[K, A] {
	start := o.window(end).Start
	from, _ := slices.BinarySearchFunc(o.panes, start, func(p *pane[K, A], t int64) int { return compareTimes(p.start, t) })
	to := from
	for to < len(o.panes) && o.panes[to].end <= end {
		to++
	}
	return o.panes[from:to]
}

func (o *PaneWindows[K, T, A, O]) window(end int64) Span {
	if o.global {
		return always
	}
	if o.grid.gaps || o.grid.size == o.grid.pane {
		start, _, _ := o.grid.paneOf(satAdd(end, -1)) // right also where the end of time cuts the window short
		return Span{start, end}
	}
	return Span{satAdd(end, -o.grid.size), end}
}

// start begins to fire the window that ends at end.
func (o *PaneWindows[K, T, A, O]) start(end int64) error {
	f := &o.firing
	f.active, f.window, f.cursor, f.todo = true, o.window(end), 0, nil
	panes := o.holds(end)
	if o.rolling != nil {
		for len(panes) > 0 && o.rolling.holds(panes[0].start) {
			panes = panes[1:]
		}
		f.todo = panes
		return nil
	}
	if len(panes) == 1 {
		f.source = panes[0].table
		return nil
	}
	if f.merged == nil {
		f.merged = f.make()
	}
	f.source, f.todo = f.merged, panes
	return f.merged.Clear()
}

// step does a bounded piece of the firing.
func (o *PaneWindows[K, T, A, O]) step(rows, merges *int) (done bool, err error) {
	f := &o.firing
	if o.rolling != nil {
		return o.stepRolling(rows, merges)
	}
	for len(f.todo) > 0 {
		if *merges <= 0 {
			return false, nil
		}
		n, err := o.mergeSome(f.todo[0].table)
		if err != nil {
			return false, err
		}
		*merges -= n
		if f.cursor == 0 {
			f.todo = f.todo[1:]
		}
	}
	for *rows > 0 {
		n, next, err := f.source.Scan(f.cursor, f.keys, f.vals)
		if err != nil {
			return false, err
		}
		for i, acc := range f.vals[:n] {
			if err := o.out.fire(f.keys[i], f.window, acc); err != nil {
				return false, err
			}
		}
		*rows -= n
		if f.cursor = next; next == 0 {
			return true, nil
		}
	}
	return false, nil
}

// mergeSome merges the next entries of a pane into the scratch table.
func (o *PaneWindows[K, T, A, O]) mergeSome(from *state.Table[K, A]) (n int, err error) {
	f := &o.firing
	n, f.cursor, err = from.Scan(f.cursor, f.keys, f.vals)
	if err != nil {
		return n, err
	}
	o.Keys.Codec.HashAll(f.keys[:n], f.hashes)
	if err := f.merged.Upsert(f.keys[:n], f.hashes[:n], f.accs[:n]); err != nil {
		return n, err
	}
	if !o.temp.format.Shared {
		merge := o.Function.Merge
		for i, acc := range f.accs[:n] {
			merge(acc, f.vals[i])
		}
		return n, nil
	}
	for i, acc := range f.accs[:n] {
		if err := o.temp.merged(acc, f.vals[i]); err != nil {
			return n, err
		}
	}
	return n, nil
}

// clean drops the panes that no window needs any more. A global window goes once it has fired.
func (o *PaneWindows[K, T, A, O]) clean() error {
	n := 0
	for n < len(o.panes) && o.cleanup(o.panes[n]) <= o.fired {
		if err := o.state.DropNamespace(o.panes[n].namespace); err != nil {
			return err
		}
		n++
	}
	if n > 0 {
		o.hint = nil
		clear(o.spread.slots)
		o.panes = slices.Delete(o.panes, 0, n)
	}
	return nil
}

// refire adds a late record to its pane and emits the windows that it is still allowed to change, the latest first.
func (o *PaneWindows[K, T, A, O]) refire(p *pane[K, A], row T, key K, hash uint64) error {
	acc, err := p.table.UpsertOne(key, hash)
	if err != nil {
		return err
	}
	o.Function.Add(acc, row)
	if o.rolling.holds(p.start) {
		if err := o.rolling.forget(); err != nil {
			return err
		}
	}
	for end := p.lastEnd; end >= p.firstEnd; {
		if m := satAdd(end, -1); m <= o.fired && satAdd(m, o.lateness) > o.fired {
			if err := o.fireKey(end, key, hash); err != nil {
				return err
			}
		}
		before := satAdd(end, -o.grid.slide)
		if before >= end {
			break
		}
		end = before
	}
	return nil
}

// fireKey emits the window that ends at end for one key.
func (o *PaneWindows[K, T, A, O]) fireKey(end int64, key K, hash uint64) error {
	panes := o.holds(end)
	if len(panes) == 1 {
		acc, err := panes[0].table.Get(key, hash)
		if err != nil || acc == nil {
			return err
		}
		return o.out.fire(key, o.window(end), acc)
	}
	var sum A
	o.temp.fresh(&sum)
	for _, p := range panes {
		acc, err := p.table.Get(key, hash)
		if err != nil {
			return err
		}
		if acc == nil {
			continue
		}
		if err := o.temp.merged(&sum, acc); err != nil {
			return err
		}
	}
	return o.out.fire(key, o.window(end), &sum)
}
