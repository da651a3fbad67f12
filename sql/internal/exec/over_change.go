package exec

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/schema"
)

// overChange is what a batch does to a partition whose rows are all kept.
type overChange struct {
	before []overRow // sorted
	rows   []changedRow
}

// changedRow is a row after the batch, and its place before it, -1 for a new one.
type changedRow struct {
	overRow
	was int
}

// change takes a batch of changes, for OverChanges, or keeps its rows for the end, for OverFinal.
func (o *OverAggregate) change(in *record.Columns) error {
	o.order = o.order[:0]
	clear(o.touch)
	for i, s := range o.vals {
		row := overRow{time: math.MaxInt64 - 1, key: o.sortKey(in, i), row: o.encodeRow(in, i)}
		if o.Mode == OverFinal {
			s.pending = append(s.pending, row)
			if s.due == math.MaxInt64 {
				s.due = row.time
				o.queue.push(overDue{s.due, o.hashes[i], string([]byte(o.keys[i]))})
			}
			continue
		}
		c := o.touch[s]
		if c == nil {
			c = &overChange{before: s.pending}
			for j, r := range s.pending {
				c.rows = append(c.rows, changedRow{r, j})
			}
			o.touch[s] = c
			o.order = append(o.order, s)
		}
		if !in.Kind(i).Adds() {
			if !c.remove(row) {
				o.ctx.Counters.Dropped.Add(1)
			}
			continue
		}
		at, _ := slices.BinarySearchFunc(c.rows, row.key, func(r changedRow, k string) int { return strings.Compare(r.key, k) })
		at = c.behindPeers(at, row.key)
		c.rows = slices.Insert(c.rows, at, changedRow{row, -1})
	}
	if o.Mode == OverFinal {
		return nil
	}
	for _, s := range o.order {
		if err := o.send(s, o.touch[s]); err != nil {
			return err
		}
	}
	if err := o.flush(); err != nil {
		return err
	}
	return o.forgetEmpty()
}

// behindPeers is the place behind the last row whose key is not greater; at is a place near it.
func (c *overChange) behindPeers(at int, key string) int {
	for at > 0 && c.rows[at-1].key > key {
		at--
	}
	for at < len(c.rows) && c.rows[at].key <= key {
		at++
	}
	return at
}

// remove takes one equal row out.
func (c *overChange) remove(row overRow) bool {
	i := slices.IndexFunc(c.rows, func(r changedRow) bool { return r.row == row.row })
	if i < 0 {
		return false
	}
	c.rows = slices.Delete(c.rows, i, i+1)
	return true
}

func (o *OverAggregate) sortKey(in *record.Columns, i int) string {
	o.buf = o.buf[:0]
	for _, k := range o.Order {
		o.buf = column.AppendSortKey(o.buf, in.Cols[k.Column], i, k.Desc, k.NullsLast)
	}
	return string(o.buf)
}

// send emits how a partition's rows and results have changed: what is gone, then the rest in order.
func (o *OverAggregate) send(s *overState, c *overChange) error {
	after := make([]overRow, len(c.rows))
	for i, r := range c.rows {
		after[i] = r.overRow
	}
	both := column.NewBatch(o.types)
	defer both.Release()
	for _, rows := range [][]overRow{c.before, after} {
		var f frameState
		o.frames.fresh(&f)
		if err := o.frames.advance(&f, rows, &both, len(o.In)); err != nil {
			return fmt.Errorf("computing a partition anew: %w", err)
		}
	}
	s.pending = after
	if o.batch == nil {
		o.batch = record.NewColumns(o.types)
	}
	var at []int32
	var kinds []schema.RowKind
	kept := make([]bool, len(c.before))
	for _, r := range c.rows {
		if r.was >= 0 {
			kept[r.was] = true
		}
	}
	for i, k := range kept {
		if !k {
			at, kinds = append(at, int32(i)), append(kinds, schema.Delete)
		}
	}
	for i, r := range c.rows {
		now := len(c.before) + i
		switch {
		case r.was < 0:
			at, kinds = append(at, int32(now)), append(kinds, schema.Insert)
		case anyDiffers(both.Cols[len(o.In):], r.was, now):
			if o.UpdateBefore {
				at, kinds = append(at, int32(r.was)), append(kinds, schema.UpdateBefore)
			}
			at, kinds = append(at, int32(now)), append(kinds, schema.UpdateAfter)
		}
	}
	b := o.batch
	for i, v := range both.Cols {
		v.Gather(b.Cols[i], at)
	}
	b.Kinds = append(b.NeedKinds(), kinds...)
	b.N += len(at)
	return nil
}

// forgetEmpty removes partitions without rows.
func (o *OverAggregate) forgetEmpty() error {
	var dead []int
	for i, s := range o.vals {
		if len(s.pending) == 0 {
			dead = append(dead, i)
		}
	}
	for _, i := range dead {
		if err := o.table.Clear(o.keys[i], o.hashes[i]); err != nil {
			return err
		}
	}
	return nil
}
