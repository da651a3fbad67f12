package record

import (
	"fmt"

	"github.com/flottio/flott/codec"
)

// rowsCodec is the BodyCodec of Rows[T].
type rowsCodec[T any] struct {
	codec *codec.Codec[T]
	pool  *Rows[T] // for Get alone
}

// NewRowsCodec returns the codec of batches of T, or why values of T cannot leave the process: see codec.For.
func NewRowsCodec[T any]() (BodyCodec, error) {
	c, err := codec.For[T]()
	if err != nil {
		return nil, fmt.Errorf("records of this edge cannot be sent to another process: %w", err)
	}
	return &rowsCodec[T]{codec: c, pool: NewRows[T]()}, nil
}

// Kind implements BodyCodec.
func (c *rowsCodec[T]) Kind() BodyKind { return BodyRows }

// Append implements BodyCodec.
func (c *rowsCodec[T]) Append(dst []byte, b Batch) []byte {
	return c.codec.AppendAll(dst, b.(*Rows[T]).Rows)
}

// Decode implements BodyCodec.
func (c *rowsCodec[T]) Decode(src []byte, count int) (Batch, error) {
	if count > len(src)/c.codec.LeastBytes() {
		return nil, fmt.Errorf("%d records of at least %d bytes do not fit into %d", count, c.codec.LeastBytes(), len(src))
	}
	b := c.pool.Get()
	n, err := c.codec.DecodeAll(src, b.Extend(count))
	if err == nil && n != len(src) {
		err = fmt.Errorf("%d records take %d bytes, and there are %d", count, n, len(src))
	}
	if err != nil {
		b.Release()
		return nil, err
	}
	return b, nil
}
