package file

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flottio/flott"
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/format"
	"github.com/flottio/flott/schema"
)

// ColumnOutput says how batches of columns are written: as records or, if Files is set, as files of a format of whole files.
type ColumnOutput struct {
	Format format.ColumnFormat
	Files  format.FileFormat
	// Fields are the places, in the batches, of the columns that are written, in the format's order.
	Fields []int
	// Partition names the sub-directory of a row of a batch, appended to dst; nil: there are none. It is used by one goroutine for each writer that
	// it is made for.
	Partition func() func(dst []byte, b *column.Batch, row int) []byte
}

// ColumnSink is Sink for batches of columns. Rows must be inserted only.
func ColumnSink(dir string, c ColumnOutput, opts ...SinkOption) flott.Sink[*column.Batch] {
	var f records = c.Format
	if c.Files != nil {
		f = wholeRecords{c.Files}
		opts = append(slices.Clone(opts), func(cfg *sinkConfig) { cfg.whole = c.Files })
	}
	return &columnSink{target: newTarget(dir, f, opts), columns: c}
}

// wholeRecords is a format without records.
type wholeRecords struct{ format.FileFormat }

func (wholeRecords) Header() []byte    { return nil }
func (wholeRecords) Separator() []byte { return nil }

type columnSink struct {
	target
	columns ColumnOutput
}

var (
	_ flott.Committer       = (*columnSink)(nil)
	_ flott.Recoverer       = (*columnSink)(nil)
	_ flott.Ticker          = (*columnWriter)(nil)
	_ flott.WatermarkWriter = (*columnWriter)(nil)
)

// Check reports bad options and a directory that cannot be written.
func (s *columnSink) Check() error {
	errs := s.check()
	if s.cfg.compression != None && s.cfg.whole != nil {
		errs = append(errs, fmt.Errorf("files of format %s are compressed inside: leave out the compression of files", s.records.Name()))
	}
	return s.problems(errs)
}

// NewWriter implements flott.Sink.
func (s *columnSink) NewWriter(ctx flott.WriterContext, restored [][]byte) (flott.Writer[*column.Batch], error) {
	w := &columnWriter{fields: s.columns.Fields}
	if s.columns.Files == nil {
		w.enc = s.columns.Format.NewColumnEncoder()
	}
	if s.columns.Partition != nil {
		w.partition = s.columns.Partition()
		w.groups = map[string]int{}
	}
	if err := w.begin(&s.target, ctx, restored); err != nil {
		return nil, err
	}
	return w, nil
}

// columnWriter writes batches of columns.
type columnWriter struct {
	fileSet
	enc       format.ColumnEncoder // nil: files of a whole
	fields    []int
	partition func(dst []byte, b *column.Batch, row int) []byte

	cols   []*column.Vector
	groups map[string]int // place in rows of a partition of the batch
	names  []string
	rows   [][]int32
	name   []byte
}

// rowsAtOnce is how many rows are handed to a file of a whole before its size is looked at.
const rowsAtOnce = 256

// Write implements flott.Writer.
func (w *columnWriter) Write(in *flott.Batch[*column.Batch]) error {
	if err := w.failed.Load(); err != nil {
		return *err
	}
	for _, b := range in.Rows {
		if err := w.batch(b); err != nil {
			return err
		}
		b.Release()
	}
	return nil
}

func (w *columnWriter) batch(b *column.Batch) error {
	for i := range b.Kinds {
		if b.Kinds[i] != schema.Insert {
			return fmt.Errorf("BUG: a row of kind %s for files, which only take inserted rows", b.Kinds[i])
		}
	}
	w.cols = w.cols[:0]
	for _, f := range w.fields {
		w.cols = append(w.cols, b.Cols[f])
	}
	w.group(b)
	now := w.ctx.Now()
	for g, name := range w.names {
		for at := w.rows[g]; len(at) > 0; {
			p, err := w.part(name, now)
			if err != nil {
				return err
			}
			n, err := w.some(p, at)
			if err != nil {
				return err
			}
			at = at[n:]
		}
	}
	return nil
}

// group sorts the batch's rows by partition, in the order in which partitions and rows come.
func (w *columnWriter) group(b *column.Batch) {
	for g := range w.rows {
		w.rows[g] = w.rows[g][:0]
	}
	w.names = w.names[:0]
	clear(w.groups)
	g := -1
	for i := range b.N {
		if w.partition != nil {
			w.name = w.partition(w.name[:0], b, i)
		}
		if g < 0 || string(w.name) != w.names[g] {
			g = w.groupOf(w.name)
		}
		w.rows[g] = append(w.rows[g], int32(i))
	}
}

func (w *columnWriter) groupOf(name []byte) int {
	g, ok := w.groups[string(name)]
	if ok {
		return g
	}
	g = len(w.names)
	w.names = append(w.names, strings.Clone(string(name)))
	if w.groups != nil {
		w.groups[w.names[g]] = g
	}
	if g == len(w.rows) {
		w.rows = append(w.rows, nil)
	}
	return g
}

// some writes rows into a part until it is drained or they end, and returns how many.
func (w *columnWriter) some(p *part, at []int32) (int, error) {
	if p.rows != nil {
		at = at[:min(len(at), rowsAtOnce)]
		p.records += int64(len(at))
		if err := p.rows.Write(w.cols, at); err != nil {
			return 0, w.broken(p, err)
		}
		if p.filled() >= w.sink.cfg.rollBytes {
			return len(at), w.roll(p)
		}
		return len(at), nil
	}
	roll := w.sink.cfg.rollBytes
	for n, i := range at {
		buf, err := w.enc.Append(p.buf, w.cols, int(i))
		if err != nil {
			return n, fmt.Errorf("encoding a row for %s as %s: %w", w.sink.at(p.final), w.sink.records.Name(), err)
		}
		p.buf = append(buf, w.sep...)
		p.records++
		if len(p.buf) >= drainBytes || p.filled() >= roll {
			_, err := w.drain(p)
			return n + 1, err
		}
	}
	return len(at), nil
}
