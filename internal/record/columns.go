package record

import (
	"sync"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/schema"
)

// Columns is a batch of rows as columns, for SQL. The zero value is not usable: NewColumns, or Fresh of another batch.
//
// Operators read and write the columns directly; they are owned by the batch's owner. A column that was taken out is replaced by nil before
// the batch is released.
type Columns struct {
	Head Header
	column.Batch
	types []column.Type // of an edge: what Fresh makes
	dead  bool
}

var columnsPool = sync.Pool{New: func() any { return new(Columns) }}

// NewColumns returns an empty batch with columns of the types, which it keeps and nobody changes.
func NewColumns(types []column.Type) *Columns {
	c := BareColumns(types)
	for _, t := range types {
		c.Cols = append(c.Cols, column.New(t))
	}
	return c
}

// BareColumns returns a batch of the types without columns: the caller appends one for each type, and sets N.
func BareColumns(types []column.Type) *Columns {
	c := columnsPool.Get().(*Columns)
	c.types = types
	return c
}

// Len implements Batch.
func (c *Columns) Len() int { return c.N }

// Header implements Batch.
func (c *Columns) Header() *Header { return &c.Head }

// Types are the types of the columns; nobody changes them.
func (c *Columns) Types() []column.Type { return c.types }

// Full implements Batch.
func (c *Columns) Full() bool { return c.N >= column.BatchRows }

// Bytes implements Batch.
func (c *Columns) Bytes() int {
	return c.Batch.Bytes() + 8*len(c.Head.Times) + 8*len(c.Head.Hashes)
}

// Fresh implements Batch.
func (c *Columns) Fresh() Batch { return NewColumns(c.types) }

// Clone implements Batch.
func (c *Columns) Clone() Batch {
	d := NewColumns(c.types)
	c.Slice(d, 0, c.N)
	d.Head.Split = c.Head.Split
	return d
}

// Gather implements Batch.
func (c *Columns) Gather(dst Batch, at []int32) {
	d := dst.(*Columns)
	before := d.N
	c.Batch.Gather(&d.Batch, at)
	if d.Head.takesTimes(before, &c.Head) {
		d.Head.Times = gather(d.Head.Times, c.Head.Times, at, column.BatchRows)
	}
	if d.Head.takesHashes(before, &c.Head) {
		d.Head.Hashes = gather(d.Head.Hashes, c.Head.Hashes, at, column.BatchRows)
	}
	d.Head.pad(d.N)
}

// Slice implements Batch.
func (c *Columns) Slice(dst Batch, from, to int) {
	d := dst.(*Columns)
	before := d.N
	c.Batch.Slice(&d.Batch, from, to)
	if d.Head.takesTimes(before, &c.Head) {
		d.Head.Times = append(d.Head.Times, c.Head.Times[from:to]...)
	}
	if d.Head.takesHashes(before, &c.Head) {
		d.Head.Hashes = append(d.Head.Hashes, c.Head.Hashes[from:to]...)
	}
	d.Head.pad(d.N)
}

// At implements Batch: the row as "+I[1, x]".
func (c *Columns) At(i int) any {
	if i < 0 || i >= c.N {
		return nil
	}
	return describeRow{c.Kind(i), c.Row(i)}
}

// describeRow is a row for an error message.
type describeRow struct {
	Kind   schema.RowKind
	Values []any
}

// Release implements Batch.
func (c *Columns) Release() {
	checkAlive(c.dead)
	c.scribble()
	c.Batch.Release()
	c.Head.Times = c.Head.Times[:0]
	c.Head.Hashes = c.Head.Hashes[:0]
	c.Head.Split = 0
	c.types = nil
	columnsPool.Put(c)
}
