// Package blackhole is a sink that counts records and drops them: for measuring, and for jobs whose output does not matter.
//
// It imports public packages only, never the engine's.
package blackhole

import (
	"sync/atomic"

	"github.com/flottio/flott"
)

// Sink takes everything and keeps nothing.
func Sink[T any](opts ...Option) flott.Sink[T] {
	s := &sink[T]{}
	for _, o := range opts {
		o(&s.cfg)
	}
	return s
}

// Option changes what Sink does.
type Option func(*options)

type options struct{ count *atomic.Int64 }

// Count adds the number of records to n. After a restart records are counted again.
func Count(n *atomic.Int64) Option { return func(o *options) { o.count = n } }

type sink[T any] struct{ cfg options }

// Check implements flott.Sink.
func (s *sink[T]) Check() error { return nil }

// NewWriter implements flott.Sink.
func (s *sink[T]) NewWriter(flott.WriterContext, [][]byte) (flott.Writer[T], error) {
	return writer[T]{s.cfg.count}, nil
}

type writer[T any] struct{ count *atomic.Int64 }

// Write implements flott.Writer.
func (w writer[T]) Write(b *flott.Batch[T]) error {
	if w.count != nil {
		w.count.Add(int64(len(b.Rows)))
	}
	return nil
}

// Prepare implements flott.Writer.
func (w writer[T]) Prepare(flott.Preparation) (flott.Flush, error) { return nil, nil }

// Close implements flott.Writer.
func (w writer[T]) Close() error { return nil }
