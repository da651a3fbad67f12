package sql

import (
	"github.com/flottio/flott"
	"github.com/flottio/flott/column"
)

// result is the sink of a query: it hands batches to whoever asked. After a restart rows come again.
type result struct{ take func(*column.Batch) error }

// Check implements flott.Sink.
func (r *result) Check() error { return nil }

// NewWriter implements flott.Sink.
func (r *result) NewWriter(flott.WriterContext, [][]byte) (flott.Writer[*column.Batch], error) {
	return resultWriter{r}, nil
}

type resultWriter struct{ r *result }

// Write implements flott.Writer.
func (w resultWriter) Write(b *flott.Batch[*column.Batch]) error {
	if w.r.take == nil {
		return nil
	}
	for _, rows := range b.Rows {
		if err := w.r.take(rows); err != nil {
			return err
		}
	}
	return nil
}

// Prepare implements flott.Writer.
func (w resultWriter) Prepare(flott.Preparation) (flott.Flush, error) { return nil, nil }

// Close implements flott.Writer.
func (w resultWriter) Close() error { return nil }
