package exec

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/internal/state/pebblestate"
	"github.com/flottio/flott/schema"
)

// opRig runs an operator as a number of subtasks, each with a backend of its own, and restores it at another parallelism.
type opRig struct {
	t     testing.TB
	make  func() operator.Operator
	types [2][]column.Type
	keys  [2][]int // where rows go; nil: no keys, one subtask
	disk  bool
	nowMs int64
	wm    int64
	rows  int // in a batch; 0: as many as are given
	tasks []opTask
	got   []string
	bag   map[string]int
	drops operator.Counters
}

type opTask struct {
	op      operator.Operator
	backend *state.Backend
}

const opRigGroups = 24

// Emit implements operator.Output: it folds what comes. A retraction of what is not there fails the test.
func (r *opRig) Emit(b record.Batch) error {
	in := record.Handover(b).(*record.Columns)
	if in.Kinds != nil && len(in.Kinds) != in.N {
		r.t.Fatalf("a batch of %d rows has %d kinds", in.N, len(in.Kinds))
	}
	for _, v := range in.Cols {
		if v.Len != in.N {
			r.t.Fatalf("a batch of %d rows has a column of %d", in.N, v.Len)
		}
	}
	for i := range in.N {
		row := fmt.Sprint(in.Row(i))
		r.got = append(r.got, in.Kind(i).String()+row)
		if isRetract(in.Kind(i)) {
			if r.bag[row]--; r.bag[row] < 0 {
				r.t.Fatalf("%s%s takes back what is not there; last: %v", in.Kind(i), row, r.got[max(0, len(r.got)-20):])
			}
		} else {
			r.bag[row]++
		}
		if r.bag[row] == 0 {
			delete(r.bag, row)
		}
	}
	in.Release()
	return nil
}

func (r *opRig) start(parallelism int, files ...[]byte) {
	r.t.Helper()
	if r.bag == nil {
		r.bag, r.wm = map[string]int{}, neverMs
	}
	r.stop()
	r.tasks = nil
	for i := range parallelism {
		own := keygroup.RangeOf(i, opRigGroups, parallelism)
		cfg := state.Config{Groups: state.Groups{First: own.First, End: own.Last + 1, Max: opRigGroups}, CacheBytes: 32 << 10, NowMs: r.nowMs}
		if r.disk {
			s, err := pebblestate.OpenWith("d", pebblestate.Options{MemoryBytes: 4 << 20, FS: vfs.NewMem()})
			r.must(err)
			cfg.Store = s
		}
		b, err := state.NewBackend(cfg)
		r.must(err)
		var opened []*state.File
		for n, f := range files {
			o, err := state.OpenFile(fmt.Sprint("file ", n), bytes.NewReader(f), int64(len(f)))
			r.must(err)
			opened = append(opened, o)
		}
		r.must(b.Restore(opened...))
		op := r.make()
		r.must(op.Open(&operator.Context{
			UID: "op", Out: []operator.Output{r, r}, Backend: b, Counters: &r.drops, Now: func() int64 { return r.nowMs }, Subtask: i,
			Parallelism: parallelism, MaxParallelism: opRigGroups, KeyGroups: own,
			Restored: operator.Restored{IsRestored: len(files) > 0, Watermark: r.wm},
		}))
		if left := b.CheckRestored(); len(left) > 0 {
			r.t.Fatalf("nothing restores %v", left)
		}
		r.tasks = append(r.tasks, opTask{op, b})
	}
}

func (r *opRig) stop() {
	for _, t := range r.tasks {
		r.must(t.op.Close())
		r.must(t.backend.Close())
	}
}

// restart takes a snapshot and restores it at the parallelism, or on the other backend.
func (r *opRig) restart(parallelism int) {
	r.t.Helper()
	var files [][]byte
	for _, t := range r.tasks {
		s, err := t.backend.Snapshot()
		r.must(err)
		var buf bytes.Buffer
		_, err = s.Write(&buf)
		r.must(err)
		s.Release()
		files = append(files, buf.Bytes())
	}
	r.start(parallelism, files...)
}

func (r *opRig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// change is one row of a changelog.
type rowChange struct {
	kind schema.RowKind
	row  []any
}

// send gives the rows to the subtasks they belong to, in batches.
func (r *opRig) send(input int, rows ...rowChange) {
	r.t.Helper()
	for len(rows) > 0 {
		n := len(rows)
		if r.rows > 0 {
			n = min(n, r.rows)
		}
		parts := make([]*record.Columns, len(r.tasks))
		for _, c := range rows[:n] {
			to := 0
			if r.keys[input] != nil {
				one := record.NewColumns(r.types[input])
				one.AppendRow(0, c.row...)
				var h [1]uint64
				column.Hash(colsAt(nil, one.Cols, r.keys[input]), 1, h[:])
				to = keygroup.SubtaskOf(keygroup.Of(h[0], opRigGroups), opRigGroups, len(r.tasks))
			}
			if parts[to] == nil {
				parts[to] = record.NewColumns(r.types[input])
			}
			parts[to].AppendRow(c.kind, c.row...)
		}
		for i, b := range parts {
			if b == nil {
				continue
			}
			r.must(r.tasks[i].op.Process(input, record.Handover(b)))
			r.must(r.tasks[i].backend.Maintain())
		}
		rows = rows[n:]
	}
}

// advance moves event time.
func (r *opRig) advance(wm int64) {
	r.t.Helper()
	r.wm = wm
	for _, t := range r.tasks {
		for more := true; more; {
			var err error
			more, err = t.op.(operator.Advancer).Advance(wm)
			r.must(err)
		}
	}
}

// tick moves processing time.
func (r *opRig) tick(now int64) {
	r.t.Helper()
	r.nowMs = now
	for _, t := range r.tasks {
		c, ok := t.op.(operator.Clocked)
		for more := ok && c.NextTick() <= now; more; {
			var err error
			more, err = c.Tick(now)
			r.must(err)
		}
	}
}

// expect compares what has been emitted since the last look, in order.
func (r *opRig) expect(want ...string) {
	r.t.Helper()
	if !slices.Equal(r.got, want) {
		r.t.Fatalf("got\n  %s\nwant\n  %s", strings.Join(r.got, "\n  "), strings.Join(want, "\n  "))
	}
	r.got = r.got[:0]
}

// compare compares the folded output with the rows that should be there.
func (r *opRig) compare(want [][]any) {
	r.t.Helper()
	left := map[string]int{}
	for k, n := range r.bag {
		left[k] = n
	}
	for _, w := range want {
		left[fmt.Sprint(w)]--
	}
	var wrong []string
	for k, n := range left {
		if n != 0 {
			wrong = append(wrong, fmt.Sprintf("%+d %s", n, k))
		}
	}
	slices.Sort(wrong)
	if len(wrong) > 0 {
		r.t.Fatalf("too many (+) and missing (-):\n  %s", strings.Join(wrong[:min(len(wrong), 20)], "\n  "))
	}
}

// logGen draws a changelog and keeps what it folds to.
type logGen struct {
	rng  *rand.Rand
	draw func() []any
	// unique are the columns of a unique key; nil: equal rows may come several times.
	unique     []int
	insertOnly bool
	upsert     bool // no -U
	rows       [][]any
}

func (g *logGen) next(n int) []rowChange {
	var out []rowChange
	for len(out) < n {
		row := g.draw()
		if !g.insertOnly && len(g.rows) > 0 && g.rng.IntN(3) == 0 {
			i := g.rng.IntN(len(g.rows))
			out = append(out, rowChange{schema.Delete, g.rows[i]})
			g.rows = slices.Delete(g.rows, i, i+1)
			continue
		}
		i := -1
		if g.unique != nil {
			i = slices.IndexFunc(g.rows, func(r []any) bool {
				return !slices.ContainsFunc(g.unique, func(u int) bool { return r[u] != row[u] })
			})
		}
		if i < 0 {
			g.rows = append(g.rows, row)
			out = append(out, rowChange{schema.Insert, row})
			continue
		}
		if g.insertOnly {
			continue
		}
		if !g.upsert {
			out = append(out, rowChange{schema.UpdateBefore, g.rows[i]})
		}
		out = append(out, rowChange{schema.UpdateAfter, row})
		g.rows[i] = row
	}
	return out
}

// rigSeeds runs a test on both backends with some seeds.
func rigSeeds(t *testing.T, run func(t *testing.T, rng *rand.Rand, disk bool)) {
	for _, disk := range []bool{false, true} {
		for seed := range uint64(4) {
			t.Run(fmt.Sprintf("disk=%v,seed=%d", disk, seed), func(t *testing.T) { run(t, rand.New(rand.NewPCG(seed, 5)), disk) })
		}
	}
}

const neverMs = math.MinInt64

// finish ends the input.
func (r *opRig) finish() {
	r.t.Helper()
	for _, t := range r.tasks {
		f, ok := t.op.(operator.Finisher)
		for more := ok; more; {
			var err error
			more, err = f.Finish()
			r.must(err)
		}
	}
}
