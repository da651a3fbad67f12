package exec

import (
	"fmt"
	"unsafe"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/internal/expr"
)

// GroupAggregate keeps the result of aggregates for each group, and emits how it changes. SELECT DISTINCT is one without calls. The output is the
// keys, then the results.
//
// The input is partitioned by the keys' hashes. A batch is folded as a whole: each group that it touches emits once what the batch
// changed in it. So a row that comes and goes within a batch is not seen, and batches of one row give Flink's changelog to the letter.
type GroupAggregate struct {
	Env *expr.Env
	// In are the types of the input's columns.
	In []column.Type
	// Keys are the places of the group's columns; none: one group of all rows, which exists from the first row on.
	Keys  []int
	Calls []AggCall
	// Retracts says that the input has rows of kind -U or -D.
	Retracts bool
	// UpdateBefore says that the consumer needs -U rows.
	UpdateBefore bool
	// TTLMs is how long the state of a group lives after its last change, in milliseconds of processing time; 0: for ever.
	TTLMs int64

	ctx    *operator.Context
	out    operator.Output
	fold   *fold
	groups groupState
	types  []column.Type
	signs  signReader
	rows   []int32
	touch  touched
	index  []int32
	kinds  []schema.RowKind
}

// groupState is the state of the groups of a batch: words, and objects where there are any.
type groupState struct {
	layout   *keyLayout
	table    table
	objects  table
	cols     []*column.Vector
	hashes   []uint64
	at, objs []unsafe.Pointer
}

// touched are the groups that a batch has touched, in the order of their first rows, with what they were before it.
type touched struct {
	rows     []int32
	at, objs []unsafe.Pointer
	words    []uint64         // of all groups, side by side
	before   []unsafe.Pointer // into words
	results  []*column.Vector // of calls with objects; nil for others
}

// Open implements operator.Operator.
func (g *GroupAggregate) Open(c *operator.Context) (err error) {
	g.ctx, g.out, g.signs.retracts = c, c.Out[0], g.Retracts
	if g.fold, err = newFold(foldSpec{env: g.Env, keys: g.Keys, calls: g.Calls, retract: g.Retracts, sets: true}); err != nil {
		return err
	}
	for _, k := range g.Keys {
		g.types = append(g.types, plain(g.In[k]))
	}
	for _, a := range g.Calls {
		g.types = append(g.types, a.Of)
	}
	g.touch.results = make([]*column.Vector, len(g.Calls))
	return g.groups.open(c, g.fold, g.In, g.TTLMs)
}

// plain is a type without its time attribute.
func plain(t column.Type) column.Type {
	t.Attribute = column.NoAttribute
	return t
}

// open registers the tables of a fold.
func (s *groupState) open(c *operator.Context, f *fold, in []column.Type, ttlMs int64) (err error) {
	keys := keySpec{lead: len(f.keys)}
	for _, k := range f.keys {
		keys.types = append(keys.types, in[k])
	}
	s.layout = newKeyLayout(keys)
	place := state.Place{UID: c.UID, TTL: state.TTL{Ms: ttlMs}}
	spec := func(t tableSpec, name string) *tableSpec {
		t.backend, t.place = c.Backend, place
		t.place.Name = name
		return &t
	}
	s.table, _, err = openTable(spec(tableSpec{layout: s.layout, words: f.words, schema: f.schema()}, "groups"), keyedTable)
	if err != nil {
		return err
	}
	if f.objects != nil {
		t := tableSpec{layout: newKeyLayout(keys), objects: f.objects, schema: f.objectSchema()}
		if s.objects, _, err = openTable(spec(t, "objects"), keyedTable); err != nil {
			return err
		}
	}
	for i, set := range f.sets {
		t, err := f.setSpec(i, in)
		if err != nil {
			return err
		}
		if set.table, _, err = openTable(spec(*t, t.place.Name), keyedTable); err != nil {
			return err
		}
	}
	return nil
}

// load finds the state of each row's group.
func (s *groupState) load(f *fold, in *column.Batch, nowMs int64) error {
	s.cols = s.cols[:0]
	for _, k := range f.keys {
		s.cols = append(s.cols, in.Cols[k])
	}
	if cap(s.at) < in.N {
		n := max(in.N, column.BatchRows)
		s.hashes, s.at = make([]uint64, n), make([]unsafe.Pointer, n)
		if s.objects != nil {
			s.objs = make([]unsafe.Pointer, n)
		}
	}
	s.hashes, s.at = s.hashes[:in.N], s.at[:in.N]
	column.Hash(s.cols, in.N, s.hashes)
	if err := s.table.upsert(s.cols, s.hashes, s.at, nowMs); err != nil || s.objects == nil {
		return err
	}
	s.objs = s.objs[:in.N]
	return s.objects.upsert(s.cols, s.hashes, s.objs, nowMs)
}

func (s *groupState) objectAt(i int) unsafe.Pointer {
	if s.objects == nil {
		return nil
	}
	return s.objs[i]
}

// Process implements operator.Operator.
func (g *GroupAggregate) Process(_ int, b record.Batch) error {
	in := b.(*record.Columns)
	g.ctx.Counters.In.Add(in.N)
	if in.N == 0 {
		in.Release()
		return nil
	}
	f, now := g.fold, g.ctx.Now()
	if err := g.groups.load(f, &in.Batch, now); err != nil {
		return err
	}
	g.touch.begin(f)
	work := folding{in: &in.Batch, at: g.groups.at, objs: g.groups.objs, hashes: g.groups.hashes, nowMs: now}
	err := g.add(&work)
	if err == nil {
		err = g.emit(in)
	}
	in.Release()
	return err
}

// add folds the batch.
func (g *GroupAggregate) add(w *folding) error {
	if w.signs = g.signs.of(w.in); w.signs != nil {
		return g.addSigned(w)
	}
	for i, p := range w.at {
		h := (*uint64)(p)
		if *h&touchedBit == 0 {
			if err := g.touch.add(g.fold, &g.groups, i); err != nil {
				return err
			}
		}
		*h++
	}
	w.rows = g.fold.all(w.in.N)
	return g.fold.update(w)
}

// addSigned folds a batch with rows that are taken back. A group without rows has nothing to take back: such rows are left out, as in Flink,
// where they come after the group's time to live. A group that loses its last row and gets another begins anew: then the rows so far are folded
// first.
func (g *GroupAggregate) addSigned(w *folding) error {
	g.rows = g.rows[:0]
	for i, p := range w.at {
		h := (*uint64)(p)
		seen := *h&touchedBit != 0
		if !seen {
			if err := g.touch.add(g.fold, &g.groups, i); err != nil {
				return err
			}
		}
		n := *h &^ touchedBit
		switch {
		case w.signs[i] > 0:
			if n == 0 && seen {
				if err := g.foldSome(w); err != nil {
					return err
				}
				g.fold.clearGroup(p, g.groups.objectAt(i))
			}
			*h++
		case n == 0:
			g.ctx.Counters.Dropped.Add(1)
			continue
		default:
			*h--
		}
		g.rows = append(g.rows, int32(i))
	}
	return g.foldSome(w)
}

func (g *GroupAggregate) foldSome(w *folding) error {
	w.rows = g.rows
	err := g.fold.update(w)
	g.rows = g.rows[:0]
	return err
}

func (t *touched) begin(f *fold) {
	t.rows, t.at, t.objs, t.words, t.before = t.rows[:0], t.at[:0], t.objs[:0], t.words[:0], t.before[:0]
	for i := range f.calls {
		if f.calls[i].object >= 0 {
			t.results[i] = column.New(f.calls[i].Of)
		}
	}
}

// add notes the group of a row.
func (t *touched) add(f *fold, s *groupState, row int) error {
	p := s.at[row]
	words := unsafe.Slice((*uint64)(p), f.words)
	t.rows, t.at, t.words = append(t.rows, int32(row)), append(t.at, p), append(t.words, words...)
	words[0] |= touchedBit
	if s.objects == nil {
		return nil
	}
	o := s.objs[row]
	t.objs = append(t.objs, o)
	for i := range f.calls {
		if f.calls[i].object >= 0 {
			if err := f.result(i, nil, t.objs[len(t.objs)-1:], t.results[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// emit sends what has changed, and removes the groups that have no rows.
func (g *GroupAggregate) emit(in *record.Columns) error {
	t, f := &g.touch, g.fold
	n := len(t.rows)
	for i := range n {
		*(*uint64)(t.at[i]) &^= touchedBit
		t.before = append(t.before, unsafe.Pointer(&t.words[i*f.words]))
	}
	results := make([]*column.Vector, len(f.calls))
	for i := range f.calls {
		v := column.New(f.calls[i].Of)
		if f.calls[i].object >= 0 {
			v.Release()
			v, t.results[i] = t.results[i], nil
		} else if err := f.result(i, t.before, nil, v); err != nil {
			return err
		}
		if err := f.result(i, t.at, t.objs, v); err != nil {
			return err
		}
		results[i] = v
	}
	out := g.change(in, results)
	for _, v := range results {
		v.Release()
	}
	if err := g.bury(); err != nil {
		return err
	}
	if out.N == 0 {
		out.Release()
		return nil
	}
	g.ctx.Counters.Out.Add(out.N)
	return g.out.Emit(out)
}

// change makes the output of a batch: results has for each call the results before it, then those after it.
func (g *GroupAggregate) change(in *record.Columns, results []*column.Vector) *record.Columns {
	t := &g.touch
	n := int32(len(t.rows))
	g.index, g.kinds, g.rows = g.index[:0], g.kinds[:0], g.rows[:0]
	put := func(kind schema.RowKind, group, at int32) {
		g.kinds, g.rows, g.index = append(g.kinds, kind), append(g.rows, t.rows[group]), append(g.index, at)
	}
	for i := range n {
		was, is := t.words[int(i)*g.fold.words] > 0, *(*uint64)(t.at[i]) > 0
		switch {
		case !was && is:
			put(schema.Insert, i, n+i)
		case was && !is:
			put(schema.Delete, i, i)
		case was && (g.TTLMs > 0 || anyDiffers(results, int(i), int(n+i))):
			if g.UpdateBefore {
				put(schema.UpdateBefore, i, i)
			}
			put(schema.UpdateAfter, i, n+i)
		}
	}
	out := record.NewColumns(g.types)
	for c, k := range g.Keys {
		in.Cols[k].Gather(out.Cols[c], g.rows)
	}
	for c, v := range results {
		v.Gather(out.Cols[len(g.Keys)+c], g.index)
	}
	out.N = len(g.rows)
	for _, k := range g.kinds {
		if k != schema.Insert {
			out.Kinds = append(make([]schema.RowKind, 0, max(out.N, column.BatchRows)), g.kinds...)
			break
		}
	}
	return out
}

// bury removes the groups without rows.
func (g *GroupAggregate) bury() error {
	t := &g.touch
	g.rows = g.rows[:0]
	for i, p := range t.at {
		if *(*uint64)(p) == 0 {
			g.rows = append(g.rows, t.rows[i])
		}
	}
	if len(g.rows) == 0 {
		return nil
	}
	if err := g.groups.table.remove(g.rows, g.groups.hashes); err != nil {
		return fmt.Errorf("removing groups without rows: %w", err)
	}
	if g.groups.objects != nil {
		return g.groups.objects.remove(g.rows, g.groups.hashes)
	}
	return nil
}

// Close implements operator.Operator.
func (g *GroupAggregate) Close() error { return nil }
