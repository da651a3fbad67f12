package file

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/flottio/flott"
	"github.com/flottio/flott/format"
)

// fillsMax bounds how often one Read reads from the file, so that a barrier can come between two of them even when nothing but blank
// lines is found.
const fillsMax = 16

// scan is the splits of one subtask, read one after the other: what readers of values and of columns share.
type scan struct {
	ctx    flott.ReaderContext
	frames frames
	header format.HeaderDecoder // nil: the format has none

	queue  []split
	noMore bool
	number int32 // of the split that was opened last, in the order of Assign
	ended  bool  // that split is read to its end, which the engine is told once it has the records
	cur    *cursor
	path   string // of the split that was opened last
	buf    []byte // kept from split to split

	done, total int64
}

// frames is what a scan needs of a format.
type frames interface {
	NewFramer() format.Framer
	HeaderRecords() int
}

// Assign implements flott.Reader.
func (r *scan) Assign(splits []flott.Split) error {
	for _, fs := range splits {
		s, err := decodeSplit(fs)
		if err != nil {
			return err
		}
		r.queue = append(r.queue, s)
		r.total += s.work()
	}
	return nil
}

// NoMoreSplits implements flott.Reader.
func (r *scan) NoMoreSplits() { r.noMore = true }

// next opens a split if none is open. opened is false if there is none; status then says what the reader is waiting for.
func (r *scan) next() (status flott.ReadStatus, opened bool, err error) {
	if r.ended {
		r.ended = false
		r.ctx.SplitDone(r.number)
	}
	if r.cur != nil {
		return flott.More, true, nil
	}
	if len(r.queue) == 0 {
		if r.noMore {
			return flott.End, false, nil
		}
		return flott.NeedSplit, false, nil
	}
	return flott.More, true, r.open()
}

func (r *scan) open() error {
	s := r.queue[0]
	if r.buf == nil {
		r.buf = make([]byte, bufferBytes)
	}
	cur, err := open(s, r.frames.NewFramer(), r.buf)
	if err != nil {
		return err
	}
	r.queue = r.queue[1:]
	r.cur, r.path = cur, s.id()
	r.number++
	return r.readHeaders()
}

// readHeaders prepares for the records at the start of the file that are not rows. A split that begins in the middle needs them too, and must
// not begin before their end.
func (r *scan) readHeaders() error {
	n := r.frames.HeaderRecords()
	if n == 0 || r.cur.split.Offset == 0 {
		r.cur.headers = n
		return nil
	}
	top := r.cur.split
	top.Start, top.Offset = 0, 0
	c, err := open(top, r.frames.NewFramer(), make([]byte, beyondBytes))
	if err != nil {
		return err
	}
	c.headers = n
	if err = errors.Join(r.readHeader(c), c.close()); err == nil && r.cur.pos < c.pos {
		r.cur.restart(c.pos)
	}
	return err
}

func (r *scan) readHeader(c *cursor) error {
	for c.headers > 0 {
		record, advance, err := c.framer.Next(c.buf[c.r:c.w], c.eof)
		switch {
		case record != nil || err != nil:
			err = r.takeHeader(c, record, err)
			c.consume(advance)
		case advance > 0:
			c.pass(advance)
		case c.eof:
			return nil
		default:
			err = c.more()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// takeHeader hands over one record that is not a row.
func (r *scan) takeHeader(c *cursor, record []byte, err error) error {
	if r.header != nil && err == nil {
		err = r.header.DecodeHeader(record)
	}
	if err != nil {
		return fmt.Errorf("reading the header of file %s: %w", c.split.Path, err)
	}
	c.headers--
	return nil
}

// reader reads values.
type reader[T any] struct {
	scan
	dec format.Decoder[T]
}

// Read implements flott.Reader.
func (r *reader[T]) Read(b *flott.Batch[T]) (flott.ReadStatus, error) {
	status, opened, err := r.next()
	if err != nil || !opened {
		return status, err
	}
	b.Head.Split = r.number
	end, err := r.fill(b)
	if err != nil || !end {
		return flott.More, err
	}
	return flott.More, r.finish()
}

// fill appends records until the batch is full, the split ends, or enough was read from the file.
func (r *reader[T]) fill(b *flott.Batch[T]) (end bool, err error) {
	c := r.cur
	b.Rows = slices.Grow(b.Rows, max(0, b.Cap()-len(b.Rows)))
	last := c.split.End
	for room, fills := b.Cap()-len(b.Rows), 0; room > 0; {
		if last >= 0 && c.begin >= last {
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
			err = r.take(b, record, err)
			c.consume(advance)
			room--
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}

// take decodes one record into the batch.
func (r *reader[T]) take(b *flott.Batch[T], record []byte, err error) error {
	if err != nil {
		return r.reject(record, err)
	}
	n := len(b.Rows)
	b.Rows = b.Rows[:n+1]
	if err = r.dec.Decode(record, &b.Rows[n]); err == nil {
		return nil
	}
	b.Rows = b.Rows[:n]
	return r.reject(record, err)
}

// reject hands over a record that cannot be decoded, with its place in the file.
func (r *scan) reject(record []byte, cause error) error {
	c := r.cur
	bad := flott.BadRecord{Split: c.split.Path, Offset: c.begin, Raw: record, Err: cause}
	line, err := c.line(c.begin)
	if err != nil {
		return err
	}
	bad.Line, bad.Column = line, 1
	var f *format.Error
	if errors.As(cause, &f) {
		bad.Line += max(0, f.Line-1)
		bad.Column = max(1, f.Column)
	}
	return r.ctx.Reject(bad)
}

// finish closes a split that was read to its end.
func (r *scan) finish() error {
	c := r.cur
	r.cur, r.ended = nil, true
	r.buf = c.buf
	r.done += c.split.work()
	err := c.finish()
	if cerr := c.close(); err == nil && cerr != nil && !errors.Is(cerr, os.ErrClosed) {
		err = fmt.Errorf("closing file %s: %w", c.split.Path, cerr)
	}
	return err
}

// Snapshot implements flott.Reader.
func (r *scan) Snapshot() ([]flott.Split, error) {
	var all []flott.Split
	if r.cur != nil {
		s := r.cur.split
		s.Offset = r.cur.pos
		all = append(all, s.encode())
	}
	for i := range r.queue {
		all = append(all, r.queue[i].encode())
	}
	return all, nil
}

// SplitName implements flott.SplitNamer for the split being read.
func (r *scan) SplitName(number int32) string {
	if number != r.number {
		return ""
	}
	return r.path
}

// Progress implements flott.Progressor, in bytes of the files.
func (r *scan) Progress() (done, total int64) {
	if r.cur == nil {
		return r.done, r.total
	}
	return r.done + r.cur.progress(), r.total
}

// Close implements flott.Reader.
func (r *scan) Close() error {
	if r.cur == nil {
		return nil
	}
	c := r.cur
	r.cur = nil
	return c.close()
}
