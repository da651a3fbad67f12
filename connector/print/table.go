package print

import (
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/flottio/flott"
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/table"
)

// Table is the table connector 'print': each row is a line as "+I[1, abc]". It takes every kind of change.
type Table struct {
	// Out is written to instead of the standard output and the standard error; for tests.
	Out io.Writer
}

var _ table.SinkFactory = Table{}

// Name implements table.Factory.
func (Table) Name() string { return "print" }

// Options implements table.Factory.
func (Table) Options() []table.Option {
	return []table.Option{
		{Key: "print-identifier", Doc: "begins every line, in front of the subtask's number"},
		{Key: "standard-error", Default: "false", Doc: "write to the standard error instead of the standard output"},
	}
}

// Sink implements table.SinkFactory.
func (t Table) Sink(d *table.Definition, _ table.Mode) (table.Sink, error) {
	o := table.NewOptions(d, t.Options()...)
	s := &tableSink{name: o.Text("print-identifier"), out: t.Out}
	s.Own = o.Own("sink.parallelism")
	toError := o.Bool("standard-error")
	switch {
	case s.out != nil:
	case toError:
		s.out = os.Stderr
	default:
		s.out = os.Stdout
	}
	return s, o.Err()
}

type tableSink struct {
	table.Own
	out  io.Writer
	name string
}

// Mode implements table.Sink.
func (s *tableSink) Mode(query table.Mode) table.Mode { return query }

// Check implements flott.Sink.
func (s *tableSink) Check() error { return nil }

// NewWriter implements flott.Sink.
func (s *tableSink) NewWriter(ctx flott.WriterContext, _ [][]byte) (flott.Writer[*column.Batch], error) {
	return &tableWriter{out: s.out, prefix: prefix(s.name, ctx)}, nil
}

// prefix is "name:2> ", of which name and number are there if they say something.
func prefix(name string, ctx flott.WriterContext) string {
	if ctx.Parallelism() > 1 {
		if name != "" {
			name += ":"
		}
		name += strconv.Itoa(ctx.Subtask() + 1)
	}
	if name != "" {
		name += "> "
	}
	return name
}

type tableWriter struct {
	out    io.Writer
	prefix string
	buf    []byte
}

// Write implements flott.Writer: the lines of a batch are written at once.
func (w *tableWriter) Write(in *flott.Batch[*column.Batch]) error {
	w.buf = w.buf[:0]
	rows := 0
	for _, b := range in.Rows {
		for i := range b.N {
			w.buf = append(w.buf, w.prefix...)
			w.buf = append(b.AppendPrinted(w.buf, i), '\n')
		}
		rows += b.N
	}
	printing.Lock()
	_, err := w.out.Write(w.buf)
	printing.Unlock()
	if cap(w.buf) > bufferKeepBytes {
		w.buf = nil
	}
	if err != nil {
		return fmt.Errorf("printing %d rows: %w", rows, err)
	}
	return nil
}

// Prepare implements flott.Writer: everything is written already.
func (w *tableWriter) Prepare(flott.Preparation) (flott.Flush, error) { return nil, nil }

// Close implements flott.Writer.
func (w *tableWriter) Close() error { return nil }
