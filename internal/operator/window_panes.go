package operator

import (
	"math"
	"slices"

	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
)

// PaneWindows puts the records of a keyed stream into tumbling, sliding or global windows.
//
// Problem: a timer per key and window, a search per record, and for sliding windows one copy of a record per window, cost more than the
// user's function.
//
// Idea: time is cut into panes (window.go); each open pane has a table of its own, from key to accumulator, and a record is added in one
// pane. A batch is sorted by pane, so that each pane sees one vector operation. A window fires by a scan over its pane, or over the
// merged panes; it closes for all keys at once, by dropping the pane's table.
//
// Which windows have fired follows from the operator's watermark alone: those with MaxTime <= watermark. It is restored with the
// state, and a checkpoint never falls between a watermark and the end of its firing.
//
// Invariant: panes are sorted by start; every pane in it has a table, and one window that is not yet cleaned up.
type PaneWindows[K comparable, T, A, O any] struct {
	WindowPlan[K, T, A, O]
	Cursor

	ctx      *Context
	out      windowOutput[K, T, A, O]
	grid     grid
	global   bool
	lateness int64
	state    *state.Windowed[K, A]
	panes    []*pane[K, A]
	fired    int64 // every window with MaxTime <= fired has fired; between two passes the watermark
	firing   firing[K, A]
	rolling  *rolling[K, A] // nil: windows are merged anew each time
	temp     accumulators[A]

	hint   *pane[K, A] // where the last record fell
	accs   []*A
	spread spread[K, A]
}

// pane is a span of time between two neighbouring edges of windows.
type pane[K comparable, A any] struct {
	span
	namespace         int64 // of its table: where the pane starts
	end               int64
	firstEnd, lastEnd int64 // of the windows that hold it
	table             *state.Table[K, A]
}

// span answers whether a time is in it, with the ends of time included.
type span struct {
	start int64
	width uint64
}

func (s span) has(t int64) bool { return t >= s.start && uint64(t)-uint64(s.start) < s.width }

func newSpan(start, end int64) span {
	if start == math.MinInt64 {
		start++ // that is NoTime
	}
	s := span{start, uint64(end) - uint64(start)}
	if end == math.MaxInt64 {
		s.width++
	}
	return s
}

// fate is what becomes of a record of a pane.
type fate uint8

const (
	kept   fate = iota // no window that holds it has fired
	refire             // some window has fired, and takes late records still
	late
	outside // in no window
)

// Open implements Operator.
func (o *PaneWindows[K, T, A, O]) Open(c *Context) error {
	o.ctx, o.lateness, o.global = c, o.Lateness.Milliseconds(), o.Windows.Kind == WindowGlobal
	if err := o.Keys.Init(); err != nil {
		return err
	}
	d, err := windowDescriptor(&o.Function)
	if err != nil {
		return err
	}
	if o.state, err = state.RegisterWindowed(c.Backend, c.UID, windowState, d); err != nil || c.DeclareOnly {
		return err
	}
	o.out = newWindowOutput(c, &o.Function, o.Late)
	o.temp = accumulators[A]{start: o.Function.Start, merge: o.Function.Merge, format: d.Values}
	o.firing.init(d)
	if !o.global {
		o.grid = newGrid(o.Windows)
	}
	// Sums in memory are only for panes in memory. Accumulators that lead to memory of their own would have to be copied for every stage.
	if o.grid.size > o.grid.pane && !d.Values.Shared && !c.Backend.OnDisk() {
		o.rolling = newRolling(d, o.Function.Merge)
	}
	o.fired = windowWatermark(c)
	if !o.Windows.EventTime() {
		o.fired = NoTime
	}
	return o.restore()
}

// windowState is the name of the accumulators' state. A window function's own states stand beside it, so it is one that users do not choose.
const windowState = "@windows"

// restore finds the panes that the state holds. A pane that should be gone was written by a subtask that had come less far: its last
// window has not fired, and is made up for.
func (o *PaneWindows[K, T, A, O]) restore() error {
	for _, start := range o.state.Namespaces() {
		p, err := o.addPane(start)
		if err != nil {
			return err
		}
		if !o.global && o.cleanup(p) <= o.fired {
			o.fired = min(o.fired, satAdd(p.lastEnd, -2))
		}
	}
	return nil
}

// addPane opens the pane that begins at start.
func (o *PaneWindows[K, T, A, O]) addPane(start int64) (*pane[K, A], error) {
	table, err := o.state.At(start)
	if err != nil {
		return nil, err
	}
	p := &pane[K, A]{namespace: start, table: table}
	if o.global {
		p.span, p.end, p.firstEnd, p.lastEnd = newSpan(start, math.MaxInt64), math.MaxInt64, math.MaxInt64, math.MaxInt64
	} else {
		_, p.end, _ = o.grid.paneOf(start)
		p.span, p.firstEnd, p.lastEnd = newSpan(start, p.end), o.grid.firstEnd(p.end), o.grid.lastEnd(start, p.end)
	}
	at, _ := slices.BinarySearchFunc(o.panes, p.start, func(q *pane[K, A], t int64) int { return compareTimes(q.start, t) })
	o.panes = slices.Insert(o.panes, at, p)
	return p, nil
}

func compareTimes(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// cleanup is the watermark at which nothing more can come to the pane.
func (o *PaneWindows[K, T, A, O]) cleanup(p *pane[K, A]) int64 {
	return satAdd(satAdd(p.lastEnd, -1), o.lateness)
}

// open is the open pane that t falls into, or nil.
func (o *PaneWindows[K, T, A, O]) open(t int64) *pane[K, A] {
	if o.hint != nil && o.hint.has(t) {
		return o.hint
	}
	at, found := slices.BinarySearchFunc(o.panes, t, func(p *pane[K, A], t int64) int { return compareTimes(p.start, t) })
	if !found {
		at--
	}
	if at < 0 || !o.panes[at].has(t) {
		return nil
	}
	o.hint = o.panes[at]
	return o.hint
}

// classify says what becomes of records at t, and in which pane. It opens the pane if need be.
func (o *PaneWindows[K, T, A, O]) classify(t int64) (slot[K, A], error) {
	if t == NoTime {
		return slot[K, A]{}, errNoEventTime
	}
	p := o.open(t)
	if p == nil {
		start, end, ok := o.grid.paneOf(t)
		if !ok {
			return slot[K, A]{span: newSpan(end, satAdd(start, o.grid.slide)), fate: outside}, nil
		}
		if satAdd(satAdd(o.grid.lastEnd(start, end), -1), o.lateness) <= o.fired {
			return slot[K, A]{span: newSpan(start, end), fate: late}, nil
		}
		var err error
		if p, err = o.addPane(start); err != nil {
			return slot[K, A]{}, err
		}
		o.hint = p
	}
	s := slot[K, A]{span: p.span, pane: p}
	if p.firstEnd-1 <= o.fired {
		s.fate = refire
	}
	return s, nil
}

// Process implements Operator.
func (o *PaneWindows[K, T, A, O]) Process(_ int, b record.Batch) error {
	in := b.(*record.Rows[T])
	if in.Len() == 0 {
		in.Release()
		return nil
	}
	keys, hashes := o.Keys.Find(in, o.ctx.KeyGroups, o.ctx.MaxParallelism)
	o.begin(in)
	err := o.put(in, keys, hashes)
	o.end()
	if err != nil {
		return err
	}
	in.Release()
	return o.out.flush()
}

// put adds the records of a batch to their panes.
func (o *PaneWindows[K, T, A, O]) put(in *record.Rows[T], keys []K, hashes []uint64) error {
	if !o.Windows.EventTime() {
		p, err := o.current()
		if err != nil {
			return err
		}
		return o.addAll(p, in, keys, hashes)
	}
	times, err := timesOf(in)
	if err != nil {
		return err
	}
	first, err := o.classify(times[0])
	if err != nil {
		return err
	}
	if first.fate == kept && first.hasAll(times) {
		return o.addAll(first.pane, in, keys, hashes)
	}
	v := vector[K, T]{in: in, keys: keys, hashes: hashes}
	if err := o.sort(first, &v); err != nil || len(v.keys) == 0 {
		return err
	}
	o.accs = pointers(o.accs, len(v.keys))
	if err := o.spread.upsert(v.keys, v.hashes, o.accs); err != nil {
		return err
	}
	o.collect(o.accs, in.Rows)
	return nil
}

func (s span) hasAll(times []int64) bool {
	for _, t := range times {
		if !s.has(t) {
			return false
		}
	}
	return true
}

// current is the pane of processing time, or the one of a global window. A clock that goes back does not open a window that has fired.
func (o *PaneWindows[K, T, A, O]) current() (*pane[K, A], error) {
	if o.global {
		if len(o.panes) > 0 {
			return o.panes[0], nil
		}
		return o.addPane(math.MinInt64)
	}
	now := max(o.ctx.Now(), satAdd(o.fired, 1))
	if o.firing.active { // nor does it add to one whose results are leaving
		now = max(now, o.firing.window.End)
	}
	if p := o.open(now); p != nil {
		return p, nil
	}
	start, _, ok := o.grid.paneOf(now)
	if !ok {
		return nil, nil
	}
	return o.addPane(start)
}

// addAll adds a whole batch to one pane; nil is no window at all.
func (o *PaneWindows[K, T, A, O]) addAll(p *pane[K, A], in *record.Rows[T], keys []K, hashes []uint64) error {
	if p == nil {
		o.ctx.Counters.Dropped.Add(len(keys))
		return nil
	}
	o.accs = pointers(o.accs, len(keys))
	if err := p.table.Upsert(keys, hashes, o.accs); err != nil {
		return err
	}
	o.collect(o.accs, in.Rows)
	return nil
}

// collect adds each record to its accumulator.
func (o *PaneWindows[K, T, A, O]) collect(accs []*A, rows []T) {
	if addAll := o.Function.AddAll; addAll != nil {
		defer o.findCulprit(accs, rows)
		addAll(accs, rows)
		return
	}
	add := o.Function.Add
	for i, acc := range accs {
		o.at = i
		add(acc, rows[i])
	}
}

// findCulprit looks for the record at which a function that takes whole batches has panicked: it adds them once more, one by one, so that the
// same panic comes at its record. What that does to the accumulators does not matter: the attempt fails.
func (o *PaneWindows[K, T, A, O]) findCulprit(accs []*A, rows []T) {
	p := recover()
	if p == nil {
		return
	}
	for i, acc := range accs {
		o.at = i
		o.Function.Add(acc, rows[i])
	}
	o.end() // none of them alone
	panic(p)
}

// Current implements Describer.
func (o *PaneWindows[K, T, A, O]) Current() (rec any, ok bool) {
	return firstWorking(&o.Keys, &o.Cursor)
}

// Place implements Placer.
func (o *PaneWindows[K, T, A, O]) Place() string { return o.out.place() }

// Close implements Operator.
func (o *PaneWindows[K, T, A, O]) Close() error { return nil }
