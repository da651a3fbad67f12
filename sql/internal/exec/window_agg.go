package exec

import (
	"math"
	"slices"
	"unsafe"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/sql/internal/expr"
)

// WindowAggregate computes aggregates over TUMBLE, HOP and CUMULATE windows of each group, and emits a window once, when the watermark (or the
// clock) has passed its end. The output is the keys, the results, then the columns of the window. The input is partitioned by the keys' hashes.
//
// Rows are folded into slices of time (slicer), a table for each; a window is its only slice, or merged from several when it fires. A slice is
// dropped as a whole with its last window. The slices of a CUMULATE window are merged into its first one as they fire, so that each window costs
// one slice.
//
// Which windows have fired follows from event time alone: those that end at or before it. It is restored with the state.
type WindowAggregate struct {
	Env *expr.Env
	// In are the types of the input's columns.
	In []column.Type
	// Keys are the places of the group's columns, without those of the window.
	Keys  []int
	Calls []AggCall
	// Window is of any kind but Session.
	Window Window
	// Columns are the window's columns that are emitted.
	Columns []WindowColumn
	// Retracts says that the input has rows of kind -U or -D.
	Retracts bool

	ctx    *operator.Context
	out    operator.Output
	fold   *fold
	slices slicer
	zone   zoneShift
	state  windowState
	emit   windowOut
	wm     int64 // event time, or processing time: windows whose last instant is at or before it have fired
	firing windowFiring
	times  []int64
	signs  signReader
	at     []unsafe.Pointer
	objs   []unsafe.Pointer
	hashes []uint64
}

// windowState is the tables of the slices by their ends.
type windowState struct {
	words, objects panes // objects is nil without them
	ends           []int64
}

const (
	// fireRowsMax bounds the rows that one call of Advance emits, and with them the task's outbox (A6.10); mergeRowsMax what it merges.
	fireRowsMax  = 4096
	mergeRowsMax = 4 * fireRowsMax
	// scanRows is how many entries are read from a table at once.
	scanRows = 256
)

// Open implements operator.Operator.
func (w *WindowAggregate) Open(c *operator.Context) (err error) {
	w.ctx, w.out = c, c.Out[0]
	if err := w.Window.Check(); err != nil {
		return err
	}
	w.fold, err = newFold(foldSpec{env: w.Env, keys: w.Keys, calls: w.Calls, retract: w.Retracts})
	if err != nil {
		return err
	}
	w.slices, w.zone = newSlicer(w.Window), newZoneShift(w.In[w.Window.Time], w.Env.Zone)
	w.signs.retracts = w.Retracts
	w.emit = newWindowOut(w.fold, w.In, w.In[w.Window.Time], w.Columns)
	w.emit.zone = w.zone
	if err := w.openState(c); err != nil || c.DeclareOnly {
		return err
	}
	w.wm = math.MinInt64
	if !w.Window.ProcessingTime && c.Restored.IsRestored {
		w.wm = c.Restored.Watermark
	}
	w.state.ends = w.state.words.namespaces()
	for _, end := range w.state.ends { // of a subtask that had come less far
		if last := w.slices.lastEnd(end); w.fired(last) {
			w.wm = min(w.wm, w.zone.instant(last-1)-1)
		}
	}
	return nil
}

func (w *WindowAggregate) openState(c *operator.Context) (err error) {
	keys := keySpec{lead: len(w.Keys)}
	for _, k := range w.Keys {
		keys.types = append(keys.types, w.In[k])
	}
	place := func(name string) state.Place { return state.Place{UID: c.UID, Name: name} }
	words := &tableSpec{
		layout: newKeyLayout(keys), words: w.fold.words, schema: w.fold.schema(), backend: c.Backend, place: place("slices"),
	}
	if _, w.state.words, err = openTable(words, paneTables); err != nil {
		return err
	}
	f := &w.firing
	if f.words, _, err = openTable(words, scratchTable); err != nil || w.fold.objects == nil {
		f.init(w.emit.keyTypes)
		return err
	}
	objs := &tableSpec{
		layout: newKeyLayout(keys), objects: w.fold.objects, schema: w.fold.objectSchema(), backend: c.Backend, place: place("objects of slices"),
	}
	if _, w.state.objects, err = openTable(objs, paneTables); err != nil {
		return err
	}
	f.objects, _, err = openTable(objs, scratchTable)
	f.init(w.emit.keyTypes)
	return err
}

// fired reports whether the window that ends at end has fired.
func (w *WindowAggregate) fired(end int64) bool { return w.zone.instant(end-1) <= w.wm }

// Process implements operator.Operator.
func (w *WindowAggregate) Process(_ int, b record.Batch) error {
	in := b.(*record.Columns)
	w.ctx.Counters.In.Add(in.N)
	defer in.Release()
	if in.N == 0 {
		return nil
	}
	if err := w.sliceEnds(&in.Batch); err != nil {
		return err
	}
	return bySlice(&in.Batch, w.times, func(part *column.Batch, end int64) error { return w.add(part, end) })
}

// sliceEnds fills times with the slice of each row.
func (w *WindowAggregate) sliceEnds(in *column.Batch) (err error) {
	w.times = w.times[:0]
	if w.Window.ProcessingTime {
		now := max(w.ctx.Now(), satAdd(w.wm, 1)) // a clock that goes back does not open a window that has fired
		end := w.slices.sliceEnd(w.zone.local(now))
		for range in.N {
			w.times = append(w.times, end)
		}
		return nil
	}
	if w.times, err = timesOf(in.Cols[w.Window.Time], in.N, w.times); err != nil {
		return err
	}
	from, to := int64(0), int64(0) // of the last row's slice
	for i, t := range w.times {
		t = w.zone.local(t)
		if t < from || t >= to {
			to = w.slices.sliceEnd(t)
			from = to - w.slices.slice
		}
		w.times[i] = to
	}
	return nil
}

// bySlice calls f for the rows of each slice of a batch, in the order in which the slices come.
func bySlice(in *column.Batch, ends []int64, f func(part *column.Batch, end int64) error) error {
	first := ends[0]
	if !slices.ContainsFunc(ends, func(e int64) bool { return e != first }) {
		return f(in, first)
	}
	var order []int64
	rows := map[int64][]int32{}
	for i, e := range ends {
		if rows[e] == nil {
			order = append(order, e)
		}
		rows[e] = append(rows[e], int32(i))
	}
	for _, e := range order {
		part := column.NewBatch(in.Types())
		in.Gather(&part, rows[e])
		err := f(&part, e)
		part.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

// add folds rows of one slice.
func (w *WindowAggregate) add(in *column.Batch, end int64) error {
	first, last := w.slices.firstEnd(end), w.slices.lastEnd(end)
	switch {
	case last < first: // between the windows of a HOP with gaps
		w.ctx.Counters.Dropped.Add(in.N)
		return nil
	case w.fired(last):
		w.ctx.Counters.Late.Add(in.N)
		return nil
	case w.slices.kind == Cumulate && w.fired(end):
		end = w.slices.start(last) + w.slices.slice // where what has fired is merged
	}
	if err := w.load(in, end); err != nil {
		return err
	}
	work := folding{in: in, at: w.at, objs: w.objs, rows: w.fold.all(in.N), signs: w.signs.of(in), hashes: w.hashes}
	for i, p := range w.at {
		by := int64(1)
		if work.signs != nil {
			by = work.signs[i]
		}
		*(*int64)(p) += by
	}
	return w.fold.update(&work)
}

// load finds the state of each row's group in a slice.
func (w *WindowAggregate) load(in *column.Batch, end int64) error {
	i, ok := slices.BinarySearch(w.state.ends, end)
	if !ok {
		w.state.ends = slices.Insert(w.state.ends, i, end)
	}
	words, err := w.state.words.at(end)
	if err != nil {
		return err
	}
	cols := make([]*column.Vector, len(w.Keys))
	for i, k := range w.Keys {
		cols[i] = in.Cols[k]
	}
	w.hashes, w.at = resized(w.hashes, in.N), resized(w.at, in.N)
	column.Hash(cols, in.N, w.hashes)
	if err := words.upsert(cols, w.hashes, w.at, 0); err != nil || w.state.objects == nil {
		return err
	}
	objs, err := w.state.objects.at(end)
	if err != nil {
		return err
	}
	w.objs = resized(w.objs, in.N)
	return objs.upsert(cols, w.hashes, w.objs, 0)
}

// resized is a slice of n elements of any content.
func resized[E any](s []E, n int) []E {
	if cap(s) < n {
		return make([]E, n, max(n, column.BatchRows))
	}
	return s[:n]
}

// Close implements operator.Operator.
func (w *WindowAggregate) Close() error { return nil }
