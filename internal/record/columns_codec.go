package record

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/schema"
)

// BodyColumns is a batch of columns: a byte that says whether row kinds follow (1) or all rows are inserted (0), the kinds, a byte for each
// row, and the rows one after another as column.RowCodec writes them.
const BodyColumns BodyKind = 2

// columnsCodec is the BodyCodec of Columns.
type columnsCodec struct {
	rows  column.RowCodec
	types []column.Type
}

// NewColumnsCodec returns the codec of batches with columns of the types.
func NewColumnsCodec(types []column.Type) BodyCodec {
	return &columnsCodec{column.RowCodec{Types: types}, types}
}

// Kind implements BodyCodec.
func (c *columnsCodec) Kind() BodyKind { return BodyColumns }

// Append implements BodyCodec.
func (c *columnsCodec) Append(dst []byte, b Batch) []byte {
	in := b.(*Columns)
	if in.Kinds == nil {
		dst = append(dst, 0)
	} else {
		dst = append(dst, 1)
		for _, k := range in.Kinds {
			dst = append(dst, byte(k))
		}
	}
	for i := range in.N {
		dst = c.rows.Append(dst, in.Cols, i)
	}
	return dst
}

// Decode implements BodyCodec.
func (c *columnsCodec) Decode(src []byte, count int) (Batch, error) {
	// Every row takes a byte for each eight columns at least; rows without columns take none, and no memory.
	if len(src) == 0 || len(c.types) > 0 && count > len(src) {
		return nil, fmt.Errorf("%d rows do not fit into %d bytes", count, len(src))
	}
	b := NewColumns(c.types)
	fail := func(err error) (Batch, error) {
		b.Release()
		return nil, err
	}
	flag, src := src[0], src[1:]
	if flag > 1 || flag == 1 && count > len(src) {
		return fail(fmt.Errorf("the row kinds of %d rows are damaged", count))
	}
	if flag == 1 {
		for _, k := range src[:count] {
			if k > byte(schema.Delete) {
				return fail(fmt.Errorf("there is no row kind %d", k))
			}
			b.Kinds = append(b.Kinds, schema.RowKind(k))
		}
		src = src[count:]
	}
	// Texts of the rows share this copy.
	text := unsafe.String(unsafe.SliceData(slices.Clone(src)), len(src))
	for i := range count {
		n, err := c.rows.Decode(text, b.Cols)
		if err != nil {
			return fail(fmt.Errorf("row %d of %d: %w", i, count, err))
		}
		text = text[n:]
	}
	b.N = count
	if len(text) > 0 {
		return fail(fmt.Errorf("%d bytes are left behind %d rows", len(text), count))
	}
	return b, nil
}
