// Package values is the table connector 'values': rows given in Go, and sinks that collect the changelog they are given. For tests.
//
// It imports public packages only, never the engine's.
package values

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/flottio/flott"
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/table"
)

// Factory is the connector 'values' over tables, found by the option 'data-id', or by the last part of a table's path.
type Factory struct{ Tables map[string]*Table }

// Table is the rows of a table, or what was written to it.
type Table struct {
	// Rows are read in order by one subtask.
	Rows []Row
	// Changes is what kinds of rows Rows has. Sinks take what it says, unless TakesAll is set.
	Changes  table.Mode
	TakesAll bool
	// BatchRows is how many rows are one batch; 0 is 1: a watermark can follow each row.
	BatchRows int
	// PauseAfter ends reading after so many rows without ending the table, which waits for a savepoint; 0: never.
	PauseAfter int

	mu struct {
		sync.Mutex
		written []Row
		printed []string
	}
}

// Row is a row with its kind; Values are as column.Vector.At returns them.
type Row struct {
	Kind   schema.RowKind
	Values []any
}

// Written returns what was written so far.
func (t *Table) Written() []Row {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.mu.written)
}

// Printed returns what was written so far as the print sink shows it.
func (t *Table) Printed() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.mu.printed)
}

var (
	_ table.SourceFactory = Factory{}
	_ table.SinkFactory   = Factory{}
)

// Name implements table.Factory.
func (Factory) Name() string { return "values" }

// Options implements table.Factory.
func (Factory) Options() []table.Option {
	return []table.Option{
		{Key: "data-id", Doc: "the table's name in Go; default: its name"},
		{Key: "bounded", Default: "true", Doc: "whether the table ends"},
		{Key: "changelog-mode", Doc: "kinds of rows that are read: I, or I,UA,D, or I,UB,UA,D"},
		{Key: "sink-changelog-mode-enforced", Doc: "kinds of rows that are taken, as for changelog-mode"},
		{Key: "disable-lookup", Default: "false", Doc: "whether the table cannot be asked for the rows of a key"},
		{Key: "sink-insert-only", Default: "false", Doc: "whether only inserted rows are taken"},
	}
}

func (f Factory) open(d *table.Definition) (*Table, *table.Options) {
	o := table.NewOptions(d, f.Options()...)
	id := o.Text("data-id")
	if id == "" {
		id = d.Path[strings.LastIndexByte(d.Path, '.')+1:]
	}
	t := f.Tables[id]
	if t == nil {
		o.Add(fmt.Errorf("there are no values with the name '%s'", id))
	}
	return t, o
}

func mode(o *table.Options, key string, none table.Mode) table.Mode {
	switch kinds := strings.ToUpper(strings.ReplaceAll(o.Text(key), " ", "")); {
	case kinds == "":
		return none
	case kinds == "I":
		return table.InsertOnly
	case strings.Contains(kinds, "UB") || strings.Contains(kinds, "D") && !strings.Contains(kinds, "UA"):
		return table.Retract
	case strings.Contains(kinds, "UA"):
		return table.Upsert
	}
	o.Bad(key, "I, or I,UA,D, or I,UB,UA,D")
	return none
}

// Source implements table.SourceFactory.
func (f Factory) Source(d *table.Definition) (table.Source, error) {
	t, o := f.open(d)
	s := &source{table: t, bounded: o.Bool("bounded")}
	if t != nil {
		s.mode = mode(o, "changelog-mode", t.Changes)
		for i, r := range t.Rows {
			if want := len(d.Columns) + len(d.Metadata); len(r.Values) != want {
				o.Add(fmt.Errorf("row %d has %d values, the table %d columns", i, len(r.Values), want))
			}
		}
	}
	for _, c := range d.Columns {
		s.types = append(s.types, c.Type)
	}
	for _, m := range d.Metadata {
		s.types = append(s.types, m.Type)
	}
	for i := range d.Columns {
		s.wanted = append(s.wanted, i)
	}
	return s, o.Err()
}

// Sink implements table.SinkFactory.
func (f Factory) Sink(d *table.Definition, query table.Mode) (table.Sink, error) {
	t, o := f.open(d)
	s := &sink{table: t}
	switch {
	case t == nil:
	case o.Given("sink-changelog-mode-enforced"):
		s.mode = mode(o, "sink-changelog-mode-enforced", query)
	case o.Bool("sink-insert-only"):
		s.mode = table.InsertOnly
	case t.TakesAll:
		s.mode = query
	default:
		s.mode = t.Changes
	}
	return s, o.Err()
}

// source is one split: its position is the number of the next row.
type source struct {
	table   *Table
	bounded bool
	mode    table.Mode
	types   []column.Type
	wanted  []int
	cutter  func() *table.Cutter
}

var _ table.WatermarkPusher = (*source)(nil)

func (s *source) Mode() table.Mode      { return s.mode }
func (s *source) Project(columns []int) { s.wanted = columns }
func (s *source) Check() error          { return nil }
func (s *source) Bounded() bool         { return s.bounded }

// PushWatermark implements table.WatermarkPusher.
func (s *source) PushWatermark(column int, delayMs, everyMs int64) {
	s.cutter = func() *table.Cutter {
		c := table.NewCutter(column, delayMs, everyMs)
		return &c
	}
}

// Parallelism implements table.Paralleler: one subtask reads.
func (s *source) Parallelism() int { return 1 }

// NewEnumerator implements flott.Source.
func (s *source) NewEnumerator(ctx flott.EnumeratorContext, restored []byte) (flott.Enumerator, error) {
	e := &enumerator{ctx: ctx}
	if len(restored) == 0 {
		e.split = []flott.Split{split(0)}
	}
	return e, nil
}

func split(next int) flott.Split {
	return flott.Split{ID: "rows", Position: strconv.AppendInt(nil, int64(next), 10)}
}

// NewReader implements flott.Source.
func (s *source) NewReader(ctx flott.ReaderContext) (flott.Reader[*column.Batch], error) {
	r := &reader{source: s, ctx: ctx, next: -1}
	if s.cutter != nil {
		r.cutter = s.cutter()
	}
	return r, nil
}

type enumerator struct {
	ctx   flott.EnumeratorContext
	split []flott.Split // the one split, until it is given out
}

// Start implements flott.Enumerator.
func (e *enumerator) Start() error {
	for _, s := range e.split {
		e.ctx.Assign(0, s)
	}
	e.split = nil
	for i := range e.ctx.Parallelism() {
		e.ctx.NoMoreSplits(i)
	}
	return nil
}

// Return implements flott.Enumerator.
func (e *enumerator) Return(splits []flott.Split) error {
	e.split = append(e.split, splits...)
	return nil
}

func (e *enumerator) Request(int) error         { return nil }
func (e *enumerator) Snapshot() ([]byte, error) { return []byte{1}, nil }
func (e *enumerator) Complete(int64) error      { return nil }
func (e *enumerator) Close() error              { return nil }

type reader struct {
	source *source
	ctx    flott.ReaderContext
	next   int // row; -1: another subtask reads
	noMore bool
	done   bool
	cutter *table.Cutter
}

// Assign implements flott.Reader.
func (r *reader) Assign(splits []flott.Split) error {
	for _, s := range splits {
		n, err := strconv.Atoi(string(s.Position))
		if err != nil || n < 0 {
			return fmt.Errorf("restoring a table of values: position %q", s.Position)
		}
		r.next = n
	}
	return nil
}

// NoMoreSplits implements flott.Reader.
func (r *reader) NoMoreSplits() { r.noMore = true }

// Read implements flott.Reader.
func (r *reader) Read(b *flott.Batch[*column.Batch]) (flott.ReadStatus, error) {
	t := r.source.table
	end := len(t.Rows)
	if t.PauseAfter > 0 {
		end = min(end, t.PauseAfter)
	}
	if r.next < 0 || r.done {
		if r.noMore {
			return flott.End, nil
		}
		return flott.NeedSplit, nil
	}
	if r.next >= end {
		if end < len(t.Rows) || t.PauseAfter > 0 || !r.source.bounded {
			return flott.Idle, nil
		}
		r.done = true
		r.ctx.SplitDone(0)
		return flott.More, nil
	}
	types := make([]column.Type, len(r.source.wanted))
	for i, c := range r.source.wanted {
		types[i] = r.source.types[c]
	}
	out := column.NewBatch(types)
	if r.cutter != nil {
		r.cutter.Begin()
	}
	values := make([]any, len(types))
	for range max(1, t.BatchRows) {
		if r.next == end {
			break
		}
		row := t.Rows[r.next]
		for i, c := range r.source.wanted {
			values[i] = row.Values[c]
		}
		out.AppendRow(row.Kind, values...)
		if r.cutter != nil && r.cutter.Late(&out, out.N-1) {
			out.Truncate(out.N - 1)
			break
		}
		r.next++
	}
	b.Rows = append(b.Rows, &out)
	return flott.More, nil
}

// Snapshot implements flott.Reader.
func (r *reader) Snapshot() ([]flott.Split, error) {
	if r.next < 0 || r.done {
		return nil, nil
	}
	return []flott.Split{split(r.next)}, nil
}

// Close implements flott.Reader.
func (r *reader) Close() error { return nil }

type sink struct {
	table *Table
	mode  table.Mode
}

func (s *sink) Mode(table.Mode) table.Mode { return s.mode }
func (s *sink) Check() error               { return nil }

// NewWriter implements flott.Sink.
func (s *sink) NewWriter(flott.WriterContext, [][]byte) (flott.Writer[*column.Batch], error) {
	return writer{s.table}, nil
}

type writer struct{ table *Table }

// Write implements flott.Writer.
func (w writer) Write(in *flott.Batch[*column.Batch]) error {
	w.table.mu.Lock()
	defer w.table.mu.Unlock()
	for _, b := range in.Rows {
		for i := range b.N {
			row := Row{Kind: b.Kind(i), Values: b.Row(i)}
			for c := range row.Values {
				row.Values[c] = column.CloneValue(row.Values[c])
			}
			w.table.mu.written = append(w.table.mu.written, row)
			w.table.mu.printed = append(w.table.mu.printed, string(b.AppendPrinted(nil, i)))
		}
	}
	return nil
}

func (w writer) Prepare(flott.Preparation) (flott.Flush, error) { return nil, nil }
func (w writer) Close() error                                   { return nil }
