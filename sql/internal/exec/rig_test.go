package exec

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/schema"
)

// change is a row of a changelog.
type change struct {
	Kind schema.RowKind
	Row  []any
}

func (c change) String() string { return fmt.Sprintf("%v%v", c.Kind, printRow(c.Row)) }

func printRow(row []any) string {
	var b bytes.Buffer
	for i, x := range row {
		if i > 0 {
			b.WriteString(", ")
		}
		if x == nil {
			b.WriteString("NULL")
			continue
		}
		fmt.Fprint(&b, x)
	}
	return "[" + b.String() + "]"
}

// aggRig runs an operator as a number of subtasks, each with a backend of its own, and restores it at will.
type aggRig struct {
	t      testing.TB
	types  []column.Type
	keys   []int
	plan   func() operator.Operator
	store  func() state.Store // nil: in memory
	now    int64
	wm     int64
	tasks  []*aggTask
	out    []change
	counts operator.Counters
}

type aggTask struct {
	op      operator.Operator
	backend *state.Backend
}

const rigGroups = 16

func (r *aggRig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func newAggRig(t testing.TB, types []column.Type, keys []int, parallelism int, plan func() operator.Operator) *aggRig {
	r := &aggRig{t: t, types: types, keys: keys, plan: plan, wm: record.NoTime}
	t.Cleanup(r.close)
	r.open(parallelism, nil)
	return r
}

func (r *aggRig) close() {
	for _, x := range r.tasks {
		r.must(x.op.Close())
		r.must(x.backend.Close())
	}
	r.tasks = nil
}

type rigOutput struct{ r *aggRig }

func (o rigOutput) Emit(b record.Batch) error {
	in := record.Handover(b).(*record.Columns)
	for i := range in.N {
		o.r.out = append(o.r.out, change{in.Kind(i), column.CloneValue(in.Row(i)).([]any)})
	}
	in.Release()
	return nil
}

func (r *aggRig) open(parallelism int, files []*state.File) {
	r.t.Helper()
	for i := range parallelism {
		own := keygroup.RangeOf(i, rigGroups, parallelism)
		cfg := state.Config{Groups: state.Groups{First: own.First, End: own.Last + 1, Max: rigGroups}, NowMs: r.now}
		if r.store != nil {
			cfg.Store, cfg.CacheBytes = r.store(), 512
		}
		b, err := state.NewBackend(cfg)
		r.must(err)
		if files != nil {
			r.must(b.Restore(files...))
		}
		c := &operator.Context{
			UID: "op", Subtask: i, Parallelism: parallelism, MaxParallelism: rigGroups, KeyGroups: own, Backend: b,
			Out: []operator.Output{rigOutput{r}}, Counters: &r.counts, Now: func() int64 { return r.now },
			Restored: operator.Restored{IsRestored: files != nil, Watermark: r.wm},
		}
		op := r.plan()
		r.must(op.Open(c))
		if left := b.CheckRestored(); len(left) > 0 {
			r.t.Fatalf("state without a home: %v", left)
		}
		r.tasks = append(r.tasks, &aggTask{op, b})
	}
}

// snapshot writes the state of all subtasks.
func (r *aggRig) snapshot() []*state.File {
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
	return files
}

// restore starts anew from a snapshot.
func (r *aggRig) restore(parallelism int) {
	r.t.Helper()
	files := r.snapshot()
	r.close()
	r.open(parallelism, files)
}

// send gives rows, in one batch for each subtask, to those that own them, and returns what came out.
func (r *aggRig) send(rows ...change) []change {
	r.t.Helper()
	all := record.NewColumns(r.types)
	for _, c := range rows {
		all.AppendRow(c.Kind, c.Row...)
	}
	var cols []*column.Vector
	for _, k := range r.keys {
		cols = append(cols, all.Cols[k])
	}
	hashes := make([]uint64, all.N)
	column.Hash(cols, all.N, hashes)
	for i, x := range r.tasks {
		var at []int32
		for j, h := range hashes {
			if keygroup.SubtaskOf(keygroup.Of(h, rigGroups), rigGroups, len(r.tasks)) == i {
				at = append(at, int32(j))
			}
		}
		if len(at) == 0 {
			continue
		}
		part := record.NewColumns(r.types)
		all.Gather(part, at)
		r.must(x.op.Process(0, record.Handover(part)))
		r.must(x.backend.Maintain())
	}
	return r.take()
}

func (r *aggRig) take() []change {
	out := r.out
	r.out = nil
	return out
}

// advance brings event time to wm.
func (r *aggRig) advance(wm int64) []change {
	r.t.Helper()
	r.wm = wm
	for _, x := range r.tasks {
		a, ok := x.op.(operator.Advancer)
		for calls := 0; ok; calls++ {
			before := len(r.out)
			more, err := a.Advance(wm)
			r.must(err)
			if len(r.out)-before > 1<<15 {
				r.t.Fatalf("one call made %d rows", len(r.out)-before)
			}
			if !more {
				break
			}
			if calls > 1<<20 {
				r.t.Fatal("it never ends")
			}
		}
	}
	return r.take()
}

// tick brings processing time to now.
func (r *aggRig) tick(now int64) []change {
	r.t.Helper()
	r.now = now
	for _, x := range r.tasks {
		for calls := 0; x.op.(operator.Clocked).NextTick() <= now; calls++ {
			more, err := x.op.(operator.Clocked).Tick(now)
			r.must(err)
			if !more && x.op.(operator.Clocked).NextTick() <= now || calls > 1<<20 {
				r.t.Fatalf("after the tick of %d the next is at %d", now, x.op.(operator.Clocked).NextTick())
			}
		}
	}
	return r.take()
}

// bag is rows and how often each is there.
type bag map[string]int

// apply folds a changelog into a bag, and fails on a row that is taken back without being there.
func (b bag) apply(t testing.TB, changes []change) {
	t.Helper()
	for _, c := range changes {
		k := printRow(c.Row)
		if c.Kind.Adds() {
			b[k]++
			continue
		}
		if b[k] == 0 {
			t.Fatalf("%v takes back a row that is not there", c)
		}
		if b[k]--; b[k] == 0 {
			delete(b, k)
		}
	}
}

func (b bag) list() []string {
	var list []string
	for k, n := range b {
		for range n {
			list = append(list, k)
		}
	}
	slices.Sort(list)
	return list
}

func printAll(changes []change) []string {
	var list []string
	for _, c := range changes {
		list = append(list, c.String())
	}
	return list
}
