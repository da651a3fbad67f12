package operator

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/flottio/flott/codec"
	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
)

// reading is the record of the tests.
type reading struct {
	Key  string
	Time int64
	N    int64
}

// rig runs a window operator as a number of subtasks, each with a backend of its own, and restores it at will.
type rig struct {
	t      testing.TB
	plan   func() Operator
	store  func() state.Store // nil: in memory
	maxPar int
	now    int64
	tasks  []*rigTask
	wm     int64
	key    *codec.Key[string]
	timed  bool
	got    []string // results since the last look
	late   []string
	drops  Counters
}

type rigTask struct {
	op      Operator
	backend *state.Backend
}

// captured is an output that prints the records.
type captured[T any] struct {
	rig  *rig
	into *[]string
}

func (c captured[T]) Emit(b record.Batch) error {
	in := record.Handover(b).(*record.Rows[T])
	for i, v := range in.Rows {
		*c.into = append(*c.into, fmt.Sprintf("%v@%d", v, in.Head.Times[i]))
	}
	in.Release()
	return nil
}

const rigGroups = 16

func newRig(t testing.TB, parallelism int, plan func() Operator) *rig {
	return newRigOn(t, parallelism, plan, nil)
}

func newRigOn(t testing.TB, parallelism int, plan func() Operator, store func() state.Store) *rig {
	k, err := codec.ForKey[string]()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, plan: plan, store: store, maxPar: rigGroups, wm: NoTime, key: k, timed: true}
	t.Cleanup(r.close)
	r.open(parallelism, nil)
	return r
}

func (r *rig) close() {
	for _, x := range r.tasks {
		r.must(x.op.Close())
		r.must(x.backend.Close())
	}
	r.tasks = nil
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) open(parallelism int, files []*state.File) {
	r.t.Helper()
	for i := range parallelism {
		own := keygroup.RangeOf(i, r.maxPar, parallelism)
		cfg := state.Config{Groups: state.Groups{First: own.First, End: own.Last + 1, Max: r.maxPar}}
		if r.store != nil {
			cfg.Store, cfg.CacheBytes = r.store(), 512
		}
		b, err := state.NewBackend(cfg)
		r.must(err)
		if files != nil {
			r.must(b.Restore(files...))
		}
		c := &Context{
			UID: "op", Subtask: i, Parallelism: parallelism, MaxParallelism: r.maxPar, KeyGroups: own, Backend: b,
			Out:      []Output{captured[string]{r, &r.got}, captured[reading]{r, &r.late}},
			Counters: &r.drops, Now: func() int64 { return r.now },
			Restored: Restored{IsRestored: files != nil, Watermark: r.wm},
		}
		op := r.plan()
		r.must(op.Open(c))
		if left := b.CheckRestored(); len(left) > 0 {
			r.t.Fatalf("state without a home: %v", left)
		}
		r.tasks = append(r.tasks, &rigTask{op, b})
	}
}

// restore snapshots all subtasks and starts anew from the files.
func (r *rig) restore(parallelism int) {
	r.t.Helper()
	var files []*state.File
	for i, x := range r.tasks {
		s, err := x.backend.Snapshot()
		r.must(err)
		var buf bytes.Buffer
		_, err = s.Write(&buf)
		r.must(err)
		s.Release()
		f, err := state.OpenFile(fmt.Sprint("file", i), bytes.NewReader(buf.Bytes()), int64(buf.Len()))
		r.must(err)
		files = append(files, f)
	}
	r.close()
	r.open(parallelism, files)
}

// send gives a batch of records to the subtasks that own them, and returns what came out.
func (r *rig) send(rows ...reading) []string {
	r.t.Helper()
	parts := make([]*record.Rows[reading], len(r.tasks))
	for _, v := range rows {
		h := r.key.Hash(&v.Key)
		i := keygroup.SubtaskOf(keygroup.Of(h, r.maxPar), r.maxPar, len(r.tasks))
		if parts[i] == nil {
			parts[i] = record.NewRows[reading]()
		}
		parts[i].Append(v, v.Time, r.timed)
	}
	for i, p := range parts {
		if p != nil {
			r.must(r.tasks[i].op.Process(0, record.Handover(p)))
			r.must(r.tasks[i].backend.Maintain())
		}
	}
	return r.take()
}

// advance brings event time to wm.
func (r *rig) advance(wm int64) []string {
	r.t.Helper()
	for _, x := range r.tasks {
		r.drive(func() (bool, error) { return x.op.(Advancer).Advance(wm) })
	}
	r.wm = wm
	return r.take()
}

// tick brings processing time to now.
func (r *rig) tick(now int64) []string {
	r.t.Helper()
	r.now = now
	for _, x := range r.tasks {
		for x.op.(Clocked).NextTick() <= now {
			more, err := x.op.(Clocked).Tick(now)
			r.must(err)
			if !more {
				break
			}
		}
		if next := x.op.(Clocked).NextTick(); next <= now {
			r.t.Fatalf("the next tick is at %d after the tick of %d", next, now)
		}
	}
	return r.take()
}

func (r *rig) drive(call func() (bool, error)) {
	r.t.Helper()
	for range 1 << 20 {
		before := len(r.got)
		more, err := call()
		r.must(err)
		if n := len(r.got) - before; n > fireRowsMax+scanRows {
			r.t.Fatalf("one call made %d results", n)
		}
		if !more {
			return
		}
	}
	r.t.Fatal("it never ends")
}

func (r *rig) take() []string {
	got := r.got
	r.got = nil
	return got
}

func (r *rig) takeLate() []string {
	late := r.late
	r.late = nil
	return late
}

// sums is the function of the tests: how many records, and their sum, with a start that is not zero.
type sums struct{ batch bool }

type sumAcc struct{ N, Sum int64 }

func (sums) Start(a *sumAcc)           { *a = sumAcc{0, 1000} }
func (sums) Add(a *sumAcc, v reading)  { a.N++; a.Sum += v.N }
func (sums) Merge(a, b *sumAcc)        { a.N += b.N; a.Sum += b.Sum - 1000 }
func (sums) Result(a *sumAcc) [2]int64 { return [2]int64{a.N, a.Sum - 1000} }

type batchSums struct{ sums }

func (s batchSums) AddAll(accs []*sumAcc, rows []reading) {
	for i, a := range accs {
		s.Add(a, rows[i])
	}
}

func printed(k string, w Span, n, sum int64) string {
	return fmt.Sprintf("%s [%d,%d) n=%d sum=%d", k, w.Start, w.End, n, sum)
}

func sumsPlan(w Windows, lateness int64, late int) func() Operator {
	f := AggregateWindows(NewFold(batchSums{}), func(k string, w Span, r [2]int64) string { return printed(k, w, r[0], r[1]) })
	return planWith(w, lateness, late, f)
}

// listPlan does the same with all records kept: accumulators that share memory.
func listPlan(w Windows, lateness int64, late int) func() Operator {
	f := ListWindows(func(k string, w Span, rows []reading, emit func(string)) error {
		sum := int64(0)
		for _, v := range rows {
			sum += v.N
		}
		emit(printed(k, w, int64(len(rows)), sum))
		return nil
	})
	return planWith(w, lateness, late, f)
}

// reducePlan does the same with a reduce of records.
func reducePlan(w Windows, lateness int64, late int) func() Operator {
	f := ReduceWindows[string](func(a, b reading) reading {
		return reading{a.Key, a.Time + b.Time, a.N + b.N}
	})
	g := WindowFunction[string, reading, Reduced[reading], string]{
		Fold: Fold[reading, Reduced[reading], struct{}]{Add: func(a *Reduced[reading], v reading) { v.Time = 1; f.Add(a, v) }, Merge: f.Merge},
		Result: func(k string, w Span, a *Reduced[reading]) string {
			v := f.Result(k, w, a)
			return printed(k, w, v.Time, v.N)
		},
	}
	return planWith(w, lateness, late, g)
}

func planWith[A any](w Windows, lateness int64, late int, f WindowFunction[string, reading, A, string]) func() Operator {
	if p := w.Check(ms(lateness)); len(p) > 0 {
		panic(fmt.Sprint(p))
	}
	return func() Operator {
		return NewWindowOperator(WindowPlan[string, reading, A, string]{
			Keys: KeyFinder[string, reading]{Key: func(v reading) string { return v.Key }}, Windows: w, Lateness: ms(lateness), Function: f, Late: late,
		})
	}
}

// reference is the same, record by record and window by window, as Flink's documentation has it.
type reference struct {
	w        Windows
	lateness int64
	wm       int64
	windows  map[string][]*refWindow
	out      []string
	late     []string
	dropped  int
}

type refWindow struct {
	Span
	vals []int64
}

func newReference(w Windows, lateness int64) *reference {
	return &reference{w: w, lateness: lateness, wm: NoTime, windows: map[string][]*refWindow{}}
}

// assign gives the windows of a time, the latest first.
func (r *reference) assign(t int64) (list []Span) {
	size, slide, off := r.w.Size.Milliseconds(), r.w.Slide.Milliseconds(), r.w.Offset.Milliseconds()
	if r.w.Kind == WindowSession {
		return []Span{{t, t + r.w.Gap.Milliseconds()}}
	}
	start := int64(math.Floor(float64(t-off)/float64(slide)))*slide + off
	for ; start > t-size; start -= slide {
		list = append(list, Span{start, start + size})
	}
	return list
}

func (r *reference) isLate(s Span) bool { return s.End-1+r.lateness <= r.wm }

func (r *reference) add(v reading) {
	skipped := true
	for _, s := range r.assign(v.Time) {
		win := &refWindow{Span: s}
		rest := r.windows[v.Key]
		if r.w.Kind == WindowSession {
			rest = nil
			for _, old := range r.windows[v.Key] {
				if old.Start <= win.End && win.Start <= old.End {
					win.Start, win.End, win.vals = min(win.Start, old.Start), max(win.End, old.End), append(win.vals, old.vals...)
				} else {
					rest = append(rest, old)
				}
			}
			if r.isLate(win.Span) {
				continue
			}
			r.windows[v.Key] = append(rest, win)
		} else {
			if r.isLate(s) {
				continue
			}
			i := slices.IndexFunc(rest, func(x *refWindow) bool { return x.Span == s })
			if i >= 0 {
				win = rest[i]
			} else {
				r.windows[v.Key] = append(rest, win)
			}
		}
		skipped = false
		win.vals = append(win.vals, v.N)
		if win.End-1 <= r.wm {
			r.emit(v.Key, win)
		}
	}
	switch {
	case skipped && v.Time+r.lateness <= r.wm:
		r.late = append(r.late, fmt.Sprintf("%v@%d", v, v.Time))
	case skipped:
		r.dropped++
	}
}

func (r *reference) emit(key string, w *refWindow) {
	sum := int64(0)
	for _, v := range w.vals {
		sum += v
	}
	r.out = append(r.out, fmt.Sprintf("%s@%d", printed(key, w.Span, int64(len(w.vals)), sum), w.End-1))
}

func (r *reference) advance(wm int64) {
	type due struct {
		key string
		w   *refWindow
	}
	var list []due
	for k, ws := range r.windows {
		for _, w := range ws {
			if w.End-1 > r.wm && w.End-1 <= wm {
				list = append(list, due{k, w})
			}
		}
	}
	slices.SortFunc(list, func(a, b due) int {
		return cmp.Or(cmp.Compare(a.w.End, b.w.End), cmp.Compare(a.key, b.key))
	})
	for _, d := range list {
		r.emit(d.key, d.w)
	}
	r.wm = wm
	for k, ws := range r.windows {
		r.windows[k] = slices.DeleteFunc(ws, func(w *refWindow) bool { return r.isLate(w.Span) })
	}
}

func (r *reference) take() []string {
	out := r.out
	r.out = nil
	return out
}

func (r *reference) takeLate() []string {
	late := r.late
	r.late = nil
	return late
}

// A window of many keys fires in pieces, each of bounded size, and every key once.
func TestWindowsFireInPieces(t *testing.T) {
	const keys = 3*fireRowsMax + 17
	for name, w := range map[string]Windows{
		"tumbling": {Kind: WindowTumbling, Size: ms(10), Slide: ms(10)},
		"sliding":  {Kind: WindowSliding, Size: ms(10), Slide: ms(5)},
		"session":  {Kind: WindowSession, Gap: ms(10)},
		"global":   {Kind: WindowGlobal},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 1, sumsPlan(w, 0, 0))
			for i := 0; i < keys; i += 100 {
				var rows []reading
				for k := i; k < min(i+100, keys); k++ {
					rows = append(rows, reading{fmt.Sprint(k), 3, 1}, reading{fmt.Sprint(k), 7, 1})
				}
				r.send(rows...)
			}
			pieces := 0
			r.drive(func() (bool, error) {
				pieces++
				return r.tasks[0].op.(Advancer).Advance(math.MaxInt64)
			})
			seen := map[string]int{}
			for _, s := range r.got {
				seen[s]++
			}
			windows := 1
			if name == "sliding" {
				windows = 3
			}
			if len(seen) != windows*keys || len(r.got) != windows*keys || pieces < 3*windows {
				t.Fatalf("%d results, %d distinct, in %d pieces; want %d", len(r.got), len(seen), pieces, windows*keys)
			}
		})
	}
}
