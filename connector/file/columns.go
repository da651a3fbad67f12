package file

import (
	"errors"
	"fmt"

	"github.com/flottio/flott"
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/format"
)

// Columns says how files are read as batches of columns: by records or, if Files is set, by a format of whole files.
type Columns struct {
	Format format.ColumnFormat
	Files  format.FileFormat
	// Fields are the places of the fields to read, in the format; Types are their types, and behind them those of the columns that Extra gives.
	Fields []int
	Types  []column.Type
	// Extra gives the values of the columns behind the fields, the same for all rows of a file: as column.Vector.At returns them. nil: none.
	Extra func(File) ([]any, error)
	// Order is the place in the batches of each of Types; nil: as they are.
	Order []int
	// NewCutter makes what decides, for one split, where a batch has to end; nil: nothing does.
	NewCutter func() Cutter
	// Limit ends the reading of a subtask after so many rows; 0: never.
	Limit int64
}

// Cutter decides where batches end: see table.Cutter.
type Cutter interface {
	// Begin starts a batch.
	Begin()
	// Late reports whether the batch has to end before row i.
	Late(b *column.Batch, i int) bool
}

// File is a file that is read.
type File struct {
	Path                      string
	SizeBytes, ModifiedMillis int64
}

// ColumnSource is Source for batches of columns. A record is a batch of at most column.BatchRows rows of one split; positions are at any row.
func ColumnSource(pattern string, c Columns, opts ...SourceOption) flott.Source[*column.Batch] {
	s := &columnSource{columns: c}
	s.cfg = sourceConfig{patterns: []string{pattern}, splitBytes: DefaultSplitBytes}
	for _, o := range opts {
		o(&s.cfg)
	}
	if s.columns.Order == nil {
		for i := range c.Types {
			s.columns.Order = append(s.columns.Order, i)
		}
	}
	return s
}

type columnSource struct {
	columns Columns
	cfg     sourceConfig
}

var (
	_ flott.SplitNamer = (*columnReader)(nil)
	_ flott.Progressor = (*columnReader)(nil)
)

// Check implements flott.Source.
func (s *columnSource) Check() error {
	if errs := s.cfg.check(); len(errs) > 0 {
		return fmt.Errorf("file source %s: %w", s.cfg.patterns[0], errors.Join(errs...))
	}
	return nil
}

// Bounded implements flott.Source.
func (s *columnSource) Bounded() bool { return s.cfg.monitorMs == 0 }

// NewEnumerator implements flott.Source.
func (s *columnSource) NewEnumerator(ctx flott.EnumeratorContext, restored []byte) (flott.Enumerator, error) {
	return newEnumerator(ctx, s.cfg, s.columns.Files == nil && s.columns.Format.Splittable(), restored)
}

// NewReader implements flott.Source.
func (s *columnSource) NewReader(ctx flott.ReaderContext) (flott.Reader[*column.Batch], error) {
	f := filler{columns: &s.columns, left: s.columns.Limit, types: make([]column.Type, len(s.columns.Types))}
	for i, t := range s.columns.Types {
		f.types[s.columns.Order[i]] = t
	}
	if s.columns.Files != nil {
		return &wholeReader{filler: f, ctx: ctx, number: -1}, nil
	}
	dec := s.columns.Format.NewColumnDecoder(s.columns.Fields)
	header, _ := dec.(format.HeaderDecoder)
	r := &columnReader{filler: f, scan: scan{ctx: ctx, frames: s.columns.Format, header: header, number: -1}, dec: dec}
	r.ignore = s.columns.Format.IgnoresErrors()
	return r, nil
}

// filler makes the batches of a reader.
type filler struct {
	columns *Columns
	types   []column.Type // in the batches' order
	extra   []any         // values of the split's file
	cutter  Cutter        // of the split; nil: none
	left    int64         // rows until the limit
	out     *column.Batch
	fields  column.Batch // the decoded columns of out, in the decoder's order
}

// begin prepares for the file of a split.
func (f *filler) begin(s *split) (err error) {
	f.extra, f.cutter = nil, nil
	if f.columns.Extra != nil {
		f.extra, err = f.columns.Extra(File{s.Path, s.Size, s.Modified / 1e6})
		if err != nil {
			return fmt.Errorf("file %s: %w", s.Path, err)
		}
	}
	if f.columns.NewCutter != nil {
		f.cutter = f.columns.NewCutter()
	}
	return nil
}

// start makes an empty batch.
func (f *filler) start() {
	b := column.NewBatch(f.types)
	b.Reserve(column.BatchRows)
	f.out = &b
	f.fields = column.Batch{Cols: f.fields.Cols[:0]}
	for i := range f.columns.Fields {
		f.fields.Cols = append(f.fields.Cols, b.Cols[f.columns.Order[i]])
	}
	if f.cutter != nil {
		f.cutter.Begin()
	}
}

// row counts the row that was appended to the fields, unless the batch has to end before it.
func (f *filler) row() bool {
	if f.cutter != nil && f.cutter.Late(f.out, f.out.N) {
		f.undo()
		return false
	}
	f.out.N++
	f.fields.N++
	return true
}

// undo removes what was appended of a row.
func (f *filler) undo() { f.fields.Truncate(f.fields.N) }

// emit hands the batch over, completed by the file's values.
func (f *filler) emit(b *flott.Batch[*column.Batch]) {
	n := f.out.N
	if f.columns.Limit > 0 {
		if int64(n) > f.left {
			n = int(f.left)
			f.out.Truncate(n)
		}
		f.left -= int64(n)
	}
	if n == 0 {
		f.out.Release()
		return
	}
	for i, x := range f.extra {
		v := f.out.Cols[f.columns.Order[len(f.columns.Fields)+i]]
		if x == nil {
			v.Nulls(n)
			continue
		}
		one := column.New(v.Type)
		one.Append(x)
		v.Repeat(one, 0, n)
		one.Release()
	}
	b.Rows = append(b.Rows, f.out)
}

// spent reports whether no more rows are wanted.
func (f *filler) spent() bool { return f.columns.Limit > 0 && f.left <= 0 }

// columnReader reads records into columns.
type columnReader struct {
	scan
	filler
	dec    format.ColumnDecoder
	ignore bool // records that cannot be decoded
}

// Read implements flott.Reader.
func (r *columnReader) Read(b *flott.Batch[*column.Batch]) (flott.ReadStatus, error) {
	before := r.cur
	status, opened, err := r.next()
	if err != nil || !opened {
		return status, err
	}
	if r.cur != before {
		if err := r.begin(&r.cur.split); err != nil {
			return flott.More, err
		}
	}
	b.Head.Split = r.number
	r.start()
	end, err := r.fill()
	if err != nil {
		r.out.Release()
		return flott.More, err
	}
	r.emit(b)
	if !end && !r.spent() {
		return flott.More, nil
	}
	return flott.More, r.finish()
}

// fill appends records until the batch is full, the split ends, or enough was read from the file.
func (r *columnReader) fill() (end bool, err error) {
	c := r.cur
	last, from := c.split.End, c.pos
	for fills := 0; r.out.N < column.BatchRows && c.pos-from < column.BatchBytes; {
		if last >= 0 && c.begin >= last || r.spent() {
			return true, nil
		}
		record, advance, err := c.framer.Next(c.buf[c.r:c.w], c.eof)
		switch {
		case record == nil && err == nil && advance > 0:
			c.pass(advance)
			continue
		case record == nil && err == nil && (c.eof || fills == fillsMax):
			return c.eof, nil
		case record == nil && err == nil:
			fills++
			err = c.more()
		case c.headers > 0:
			err = r.takeHeader(c, record, err)
			c.consume(advance)
		default:
			if err == nil {
				err = r.dec.Append(record, &r.fields)
			}
			if err != nil {
				r.undo()
				err = r.bad(record, err)
			} else if !r.row() {
				return false, nil
			}
			c.consume(advance)
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}

// bad handles a record that cannot be decoded: counted if the table ignores it, else as the source says.
func (r *columnReader) bad(record []byte, cause error) error {
	if count, ok := r.ctx.(flott.DropCounter); ok && r.ignore {
		count.Drop(1)
		return nil
	}
	return r.reject(record, cause)
}
