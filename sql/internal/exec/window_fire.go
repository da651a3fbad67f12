package exec

import (
	"math"
	"slices"
	"unsafe"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/record"
)

// windowFiring is where the firing of a window stands.
type windowFiring struct {
	active bool
	end    int64
	// todo are the ends of the slices still to be merged into scratch; then the result is scanned.
	todo    []int64
	scratch bool // the result is in words and objects, else in the slice named by end
	source  int64
	words   table // scratch: filled and emptied within one pass, never part of a snapshot
	objects table
	cursor  uint64

	keyTypes []column.Type
	cols     []*column.Vector
	at, to   []unsafe.Pointer
	objs     []unsafe.Pointer
	toObjs   []unsafe.Pointer
	hashes   []uint64
}

func (f *windowFiring) init(keys []column.Type) {
	f.keyTypes = keys
	for _, t := range keys {
		f.cols = append(f.cols, column.New(t))
	}
	f.at, f.to = make([]unsafe.Pointer, scanRows), make([]unsafe.Pointer, scanRows)
	f.objs, f.toObjs = make([]unsafe.Pointer, scanRows), make([]unsafe.Pointer, scanRows)
	f.hashes = make([]uint64, scanRows)
}

// Advance implements operator.Advancer.
func (w *WindowAggregate) Advance(wm int64) (more bool, err error) {
	if w.Window.ProcessingTime && wm != record.MaxWatermark {
		return false, nil
	}
	return w.advance(wm)
}

// NextTick implements operator.Clocked.
func (w *WindowAggregate) NextTick() int64 {
	if !w.Window.ProcessingTime {
		return math.MaxInt64
	}
	if w.firing.active {
		return math.MinInt64
	}
	if end, ok := w.nextFire(); ok {
		return w.zone.instant(end-1) + 1
	}
	return math.MaxInt64
}

// Tick implements operator.Clocked.
func (w *WindowAggregate) Tick(now int64) (more bool, err error) { return w.advance(now - 1) }

// advance fires the windows up to wm in the order of their ends, as far as one call may.
func (w *WindowAggregate) advance(wm int64) (more bool, err error) {
	rows, merges := fireRowsMax, mergeRowsMax
	for rows > 0 && merges > 0 {
		if !w.firing.active {
			end, ok := w.nextFire()
			if !ok || w.zone.instant(end-1) > wm {
				w.wm = max(w.wm, wm)
				return false, w.flush()
			}
			if err := w.start(end); err != nil {
				return false, err
			}
		}
		done, err := w.step(&rows, &merges)
		if err != nil {
			return false, err
		}
		if done {
			w.firing.active = false
			w.wm = max(w.wm, w.zone.instant(w.firing.end-1))
			if err := w.clean(); err != nil {
				return false, err
			}
		}
	}
	return true, w.flush()
}

// nextFire is the end of the first window with rows that has not fired.
func (w *WindowAggregate) nextFire() (end int64, ok bool) {
	for _, s := range w.state.ends {
		e, last := w.slices.firstEnd(s), w.slices.lastEnd(s)
		for e <= last && w.fired(e) {
			e += max(w.slices.every, 1)
		}
		if e <= last && (!ok || e < end) {
			end, ok = e, true
		}
		if ok && s >= end {
			break // later slices are in later windows
		}
	}
	return end, ok
}

// start begins to fire the window that ends at end.
func (w *WindowAggregate) start(end int64) error {
	f := &w.firing
	f.active, f.end, f.cursor, f.scratch, f.todo = true, end, 0, false, nil
	start := w.slices.start(end)
	var holds []int64
	for _, s := range w.state.ends {
		if s > start && s <= end {
			holds = append(holds, s)
		}
	}
	if w.slices.kind == Cumulate {
		// What is behind the first slice is merged into it, and gone.
		f.source = start + w.slices.slice
		if f.todo = slices.DeleteFunc(holds, func(s int64) bool { return s == f.source }); len(f.todo) > 0 {
			if i, ok := slices.BinarySearch(w.state.ends, f.source); !ok {
				w.state.ends = slices.Insert(w.state.ends, i, f.source)
			}
		}
		return nil
	}
	if len(holds) == 1 {
		f.source = holds[0]
		return nil
	}
	f.scratch, f.todo = true, holds
	if f.objects != nil {
		if err := f.objects.clear(); err != nil {
			return err
		}
	}
	return f.words.clear()
}

// tables are those that the firing's result is in.
func (w *WindowAggregate) tables() (words, objects table, err error) {
	f := &w.firing
	if f.scratch {
		return f.words, f.objects, nil
	}
	return w.tablesOf(f.source)
}

func (w *WindowAggregate) tablesOf(end int64) (words, objects table, err error) {
	if words, err = w.state.words.at(end); err != nil || w.state.objects == nil {
		return words, nil, err
	}
	objects, err = w.state.objects.at(end)
	return words, objects, err
}

// step does a bounded piece of the firing.
func (w *WindowAggregate) step(rows, merges *int) (done bool, err error) {
	f := &w.firing
	for len(f.todo) > 0 {
		if *merges <= 0 {
			return false, nil
		}
		n, err := w.mergeSome(f.todo[0])
		if err != nil {
			return false, err
		}
		*merges -= n
		if f.cursor == 0 {
			if w.slices.kind == Cumulate {
				if err := w.drop(f.todo[0]); err != nil {
					return false, err
				}
			}
			f.todo = f.todo[1:]
		}
	}
	words, objects, err := w.tables()
	if err != nil {
		return false, err
	}
	for *rows > 0 {
		n, next, err := w.scan(words, objects)
		if err != nil {
			return false, err
		}
		if err := w.emit.add(f.cols, f.at[:n], f.objs[:n], span{w.slices.start(f.end), f.end}); err != nil {
			return false, err
		}
		*rows -= n
		if f.cursor = next; next == 0 {
			return true, nil
		}
	}
	return false, nil
}

// scan reads the next groups of a slice: keys into cols, states into at and objs.
func (w *WindowAggregate) scan(words, objects table) (n int, next uint64, err error) {
	f := &w.firing
	for _, c := range f.cols {
		c.Reset()
	}
	if n, next, err = words.scan(f.cursor, f.cols, f.at); err != nil {
		return 0, 0, err
	}
	column.Hash(f.cols, n, f.hashes)
	if objects != nil {
		err = objects.find(f.cols, f.hashes[:n], f.objs[:n], 0)
	}
	return n, next, err
}

// mergeSome merges the next groups of a slice into the firing's tables.
func (w *WindowAggregate) mergeSome(slice int64) (n int, err error) {
	f := &w.firing
	words, objects, err := w.tablesOf(slice)
	if err != nil {
		return 0, err
	}
	n, next, err := w.scan(words, objects)
	if err != nil {
		return 0, err
	}
	f.cursor = next
	intoWords, intoObjects, err := w.tables()
	if err != nil {
		return 0, err
	}
	if err := intoWords.upsert(f.cols, f.hashes[:n], f.to[:n], 0); err != nil {
		return 0, err
	}
	if objects != nil {
		if err := intoObjects.upsert(f.cols, f.hashes[:n], f.toObjs[:n], 0); err != nil {
			return 0, err
		}
	}
	return n, w.fold.merge(f.to[:n], f.toObjs[:n], f.at[:n], f.objs[:n])
}

// clean drops the slices that no window needs any more.
func (w *WindowAggregate) clean() error {
	for i := 0; i < len(w.state.ends); {
		end := w.state.ends[i]
		if !w.fired(w.slices.lastEnd(end)) {
			i++
			continue
		}
		if err := w.drop(end); err != nil {
			return err
		}
	}
	return nil
}

func (w *WindowAggregate) drop(end int64) error {
	if i, ok := slices.BinarySearch(w.state.ends, end); ok {
		w.state.ends = slices.Delete(w.state.ends, i, i+1)
	}
	if w.state.objects != nil {
		if err := w.state.objects.drop(end); err != nil {
			return err
		}
	}
	return w.state.words.drop(end)
}

func (w *WindowAggregate) flush() error { return w.emit.flush(w.ctx.Counters, w.out) }
