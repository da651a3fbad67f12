package blackhole

import (
	"github.com/flottio/flott"
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/table"
)

// Table is the table connector 'blackhole': it takes every kind of change and keeps nothing.
type Table struct{}

var _ table.SinkFactory = Table{}

// Name implements table.Factory.
func (Table) Name() string { return "blackhole" }

// Options implements table.Factory.
func (Table) Options() []table.Option { return nil }

// Sink implements table.SinkFactory.
func (Table) Sink(d *table.Definition, _ table.Mode) (table.Sink, error) {
	o := table.NewOptions(d)
	return tableSink{o.Own("sink.parallelism")}, o.Err()
}

type tableSink struct{ table.Own }

// Mode implements table.Sink.
func (tableSink) Mode(query table.Mode) table.Mode { return query }

// Check implements flott.Sink.
func (tableSink) Check() error { return nil }

// NewWriter implements flott.Sink.
func (tableSink) NewWriter(flott.WriterContext, [][]byte) (flott.Writer[*column.Batch], error) {
	return tableWriter{}, nil
}

type tableWriter struct{}

// Write implements flott.Writer: the batches' memory is used again.
func (tableWriter) Write(in *flott.Batch[*column.Batch]) error {
	for _, b := range in.Rows {
		b.Release()
	}
	return nil
}

// Prepare implements flott.Writer.
func (tableWriter) Prepare(flott.Preparation) (flott.Flush, error) { return nil, nil }

// Close implements flott.Writer.
func (tableWriter) Close() error { return nil }
