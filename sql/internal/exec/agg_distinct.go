package exec

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/schema"
)

// distinctSet is the values that DISTINCT calls over the same arguments have seen: a table from group and arguments to how often they came,
// a number for each filter. Calls with the same filter share one. Where nothing is taken back a bit does.
//
// Rows in which an argument is NULL are left out: no aggregate counts them.
type distinctSet struct {
	args   []int
	slots  []distinctSlot
	counts bool // numbers, not bits
	table  table
	layout *keyLayout

	rows   []int32 // that have arguments
	at     []unsafe.Pointer
	hashes []uint64
	cols   []*column.Vector
	dead   []int32
}

// distinctSlot is the rows of one filter that change the set.
type distinctSlot struct {
	pick
	signs []int64
}

const distinctFiltersMax = 64

// joinSet finds or makes the set of a call.
func (f *fold) joinSet(c *foldCall) {
	var args []int
	for _, a := range c.args {
		if a >= 0 {
			args = append(args, a)
		}
	}
	c.set = slices.IndexFunc(f.sets, func(s *distinctSet) bool { return slices.Equal(s.args, args) })
	if c.set < 0 {
		c.set = len(f.sets)
		f.sets = append(f.sets, &distinctSet{args: args, counts: f.retract})
	}
	s := f.sets[c.set]
	c.slot = slices.IndexFunc(s.slots, func(p distinctSlot) bool { return p.filter == c.Filter })
	if c.slot < 0 {
		c.slot = len(s.slots)
		s.slots = append(s.slots, distinctSlot{pick: pick{filter: c.Filter}})
	}
}

// words is the size of an entry.
func (s *distinctSet) words() int {
	if s.counts {
		return len(s.slots)
	}
	return 1
}

// spec describes the table of set i over an input of the types.
func (f *fold) setSpec(i int, types []column.Type) (*tableSpec, error) {
	s := f.sets[i]
	if len(s.slots) > distinctFiltersMax {
		return nil, fmt.Errorf("%d different filters of DISTINCT aggregates over the same arguments: at most %d are possible",
			len(s.slots), distinctFiltersMax)
	}
	keys := keySpec{lead: len(f.keys)}
	for _, k := range append(slices.Clone(f.keys), s.args...) {
		keys.types = append(keys.types, types[k])
	}
	s.layout = newKeyLayout(keys)
	name := "seen"
	if s.counts {
		name = "times"
	}
	value := &schema.Type{Kind: schema.Struct, Fields: []schema.Field{{
		Name: name, Type: &schema.Type{Kind: schema.Array, Len: s.words(), Elem: schema.Scalar(schema.Uint64)},
	}}}
	return &tableSpec{layout: s.layout, words: s.words(), schema: value, place: state.Place{Name: fmt.Sprintf("distinct %d", i)}}, nil
}

// update finds out which rows bring a value that was not there, or take the last one away: what the calls fold.
func (s *distinctSet) update(f *fold, b *folding) error {
	s.choose(b)
	for i := range s.slots {
		p := &s.slots[i]
		p.begin()
		if s.counts && len(p.signs) < b.in.N {
			p.signs = make([]int64, max(b.in.N, column.BatchRows))
		}
	}
	defer func() {
		for i := range s.slots {
			s.slots[i].own = s.slots[i].chosen
		}
	}()
	if len(s.rows) == 0 {
		return nil
	}
	release := s.gather(f, b)
	if cap(s.at) < len(s.rows) {
		s.at = make([]unsafe.Pointer, max(len(s.rows), column.BatchRows))
	}
	s.at = s.at[:len(s.rows)]
	err := s.table.upsert(s.cols, s.hashes, s.at, b.nowMs)
	release()
	if err != nil {
		return err
	}
	for i := range s.slots {
		if s.counts {
			s.count(i, b)
		} else {
			s.mark(i, b)
		}
	}
	return s.sweep()
}

// choose finds the rows that have all arguments and pass a filter.
func (s *distinctSet) choose(b *folding) {
	s.rows = append(s.rows[:0], b.rows...)
	for _, a := range s.args {
		v := b.in.Cols[a]
		if v.Valid == nil && v.Store != column.None {
			continue
		}
		s.rows = slices.DeleteFunc(s.rows, func(r int32) bool { return v.IsNull(int(r)) })
	}
	if slices.ContainsFunc(s.slots, func(p distinctSlot) bool { return p.filter < 0 }) {
		return
	}
	s.rows = slices.DeleteFunc(s.rows, func(r int32) bool {
		for i := range s.slots {
			if b.in.Cols[s.slots[i].filter].Bool[r] {
				return false
			}
		}
		return true
	})
}

// gather brings together the keys, arguments and hashes of the chosen rows.
func (s *distinctSet) gather(f *fold, b *folding) (release func()) {
	s.cols = s.cols[:0]
	if len(s.rows) == b.in.N {
		for _, k := range f.keys {
			s.cols = append(s.cols, b.in.Cols[k])
		}
		for _, a := range s.args {
			s.cols = append(s.cols, b.in.Cols[a])
		}
		s.hashes = append(s.hashes[:0], b.hashes...)
		return func() {}
	}
	take := func(c int) {
		v := column.New(b.in.Cols[c].Type)
		b.in.Cols[c].Gather(v, s.rows)
		s.cols = append(s.cols, v)
	}
	for _, k := range f.keys {
		take(k)
	}
	for _, a := range s.args {
		take(a)
	}
	s.hashes = s.hashes[:0]
	for _, r := range s.rows {
		s.hashes = append(s.hashes, b.hashes[r])
	}
	return func() {
		for _, v := range s.cols {
			v.Release()
		}
	}
}

// mark sets the bit of a filter, and passes on the rows that found it clear.
func (s *distinctSet) mark(slot int, b *folding) {
	p := &s.slots[slot]
	bit := uint64(1) << slot
	var keep []bool
	if p.filter >= 0 {
		keep = b.in.Cols[p.filter].Bool
	}
	for j, r := range s.rows {
		if keep != nil && !keep[r] {
			continue
		}
		if w := (*uint64)(s.at[j]); *w&bit == 0 {
			*w |= bit
			p.add(b, r)
		}
	}
}

// count changes the number of a filter, and passes on the rows that bring it from 0 or to 0. What was never there cannot be taken back.
func (s *distinctSet) count(slot int, b *folding) {
	p := &s.slots[slot]
	var keep []bool
	if p.filter >= 0 {
		keep = b.in.Cols[p.filter].Bool
	}
	for j, r := range s.rows {
		if keep != nil && !keep[r] {
			continue
		}
		n := (*int64)(unsafe.Add(s.at[j], 8*slot))
		switch {
		case b.signs == nil || b.signs[r] > 0:
			if *n++; *n == 1 {
				p.signs[r] = 1
				p.add(b, r)
			}
		case *n > 0:
			if *n--; *n == 0 {
				p.signs[r] = -1
				p.add(b, r)
			}
		}
	}
}

// sweep removes the entries that have come down to 0.
func (s *distinctSet) sweep() error {
	if !s.counts {
		return nil
	}
	s.dead = s.dead[:0]
	for j, p := range s.at {
		gone := true
		for _, n := range unsafe.Slice((*int64)(p), len(s.slots)) {
			gone = gone && n == 0
		}
		if gone {
			s.dead = append(s.dead, int32(j))
		}
	}
	return s.table.remove(s.dead, s.hashes)
}
