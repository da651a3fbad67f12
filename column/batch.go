package column

import "github.com/flottio/flott/schema"

// BatchRows is the number of rows at which a writer hands a batch over, and BatchBytes the size (docs/rfc/0004-sql.md).
const (
	BatchRows  = 2048
	BatchBytes = 1 << 20
)

// Batch is rows as columns of one length. The zero value has no columns.
type Batch struct {
	Cols []*Vector
	// Kinds are the row kinds; nil when all are Insert.
	Kinds []schema.RowKind
	// N is the number of rows. It counts even when there are no columns.
	N int
}

// NewBatch returns an empty batch of the types.
func NewBatch(types []Type) Batch {
	b := Batch{Cols: make([]*Vector, len(types))}
	for i, t := range types {
		b.Cols[i] = New(t)
	}
	return b
}

// Kind is the kind of row i.
func (b *Batch) Kind(i int) schema.RowKind {
	if b.Kinds == nil {
		return schema.Insert
	}
	return b.Kinds[i]
}

// NeedKinds makes Kinds explicit.
func (b *Batch) NeedKinds() []schema.RowKind {
	if b.Kinds == nil {
		b.Kinds = make([]schema.RowKind, b.N, max(b.N, BatchRows))
	}
	return b.Kinds
}

// Gather appends the rows at the given positions to dst, whose columns have the same storages.
func (b *Batch) Gather(dst *Batch, at []int32) {
	if b.Kinds != nil || dst.Kinds != nil {
		dst.Kinds = dst.NeedKinds()
		for _, i := range at {
			dst.Kinds = append(dst.Kinds, b.Kind(int(i)))
		}
	}
	for c, v := range b.Cols {
		v.Gather(dst.Cols[c], at)
	}
	dst.N += len(at)
}

// Slice appends the rows [from, to) to dst, whose columns have the same storages.
func (b *Batch) Slice(dst *Batch, from, to int) {
	if b.Kinds != nil || dst.Kinds != nil {
		dst.Kinds = dst.NeedKinds()
		for i := from; i < to; i++ {
			dst.Kinds = append(dst.Kinds, b.Kind(i))
		}
	}
	for c, v := range b.Cols {
		v.Slice(dst.Cols[c], from, to)
	}
	dst.N += to - from
}

// AppendRow adds a row of Go values as At returns them.
func (b *Batch) AppendRow(kind schema.RowKind, values ...any) {
	if kind != schema.Insert || b.Kinds != nil {
		b.Kinds = append(b.NeedKinds(), kind)
	}
	for c, x := range values {
		b.Cols[c].Append(x)
	}
	b.N++
}

// Row returns row i as Go values.
func (b *Batch) Row(i int) []any {
	row := make([]any, len(b.Cols))
	for c, v := range b.Cols {
		row[c] = v.At(i)
	}
	return row
}

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() {
	for _, v := range b.Cols {
		v.Reset()
	}
	b.Kinds, b.N = nil, 0
}

// Bytes estimates the memory of the values.
func (b *Batch) Bytes() int {
	n := len(b.Kinds)
	for _, v := range b.Cols {
		n += v.Bytes()
	}
	return n
}

// Full reports whether a writer should hand the batch over.
func (b *Batch) Full() bool { return b.N >= BatchRows }

// Types are the types of the columns.
func (b *Batch) Types() []Type {
	t := make([]Type, len(b.Cols))
	for i, v := range b.Cols {
		t[i] = v.Type
	}
	return t
}

// Release gives the columns back.
func (b *Batch) Release() {
	for i, v := range b.Cols {
		v.Release()
		b.Cols[i] = nil
	}
	b.Cols, b.Kinds, b.N = b.Cols[:0], nil, 0
}
