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

// reader reads the splits of one subtask, one after the other.
type reader[T any] struct {
	ctx    flott.ReaderContext
	format format.Format[T]
	dec    format.Decoder[T]

	queue  []split
	noMore bool
	number int32 // of the split that was opened last, in the order of Assign
	ended  bool  // that split is read to its end, which the engine is told once it has the records
	cur    *cursor
	path   string // of the split that was opened last
	buf    []byte // kept from split to split

	done, total int64
}

// Assign implements flott.Reader.
func (r *reader[T]) Assign(splits []flott.Split) error {
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
func (r *reader[T]) NoMoreSplits() { r.noMore = true }

// Read implements flott.Reader.
func (r *reader[T]) Read(b *flott.Batch[T]) (flott.ReadStatus, error) {
	if r.ended {
		r.ended = false
		r.ctx.SplitDone(r.number)
	}
	if r.cur == nil {
		if len(r.queue) == 0 {
			if r.noMore {
				return flott.End, nil
			}
			return flott.NeedSplit, nil
		}
		if err := r.open(); err != nil {
			return flott.More, err
		}
	}
	b.Head.Split = r.number
	end, err := r.fill(b)
	if err != nil || !end {
		return flott.More, err
	}
	return flott.More, r.finish()
}

func (r *reader[T]) open() error {
	s := r.queue[0]
	if r.buf == nil {
		r.buf = make([]byte, bufferBytes)
	}
	cur, err := open(s, r.format.NewFramer(), r.buf)
	if err != nil {
		return err
	}
	r.queue = r.queue[1:]
	r.cur, r.path = cur, s.id()
	r.number++
	return r.header()
}

// header prepares for the records at the start of the file that are not rows. A split that begins in the middle needs them too, and
// must not begin before their end.
func (r *reader[T]) header() error {
	n := r.format.HeaderRecords()
	if n == 0 || r.cur.split.Offset == 0 {
		r.cur.headers = n
		return nil
	}
	top := r.cur.split
	top.Start, top.Offset = 0, 0
	c, err := open(top, r.format.NewFramer(), make([]byte, beyondBytes))
	if err != nil {
		return err
	}
	c.headers = n
	if err = errors.Join(r.readHeader(c), c.close()); err == nil && r.cur.pos < c.pos {
		r.cur.restart(c.pos)
	}
	return err
}

func (r *reader[T]) readHeader(c *cursor) error {
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
func (r *reader[T]) takeHeader(c *cursor, record []byte, err error) error {
	if h, ok := r.dec.(format.HeaderDecoder); ok && err == nil {
		err = h.DecodeHeader(record)
	}
	if err != nil {
		return fmt.Errorf("reading the header of file %s: %w", c.split.Path, err)
	}
	c.headers--
	return nil
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
func (r *reader[T]) reject(record []byte, cause error) error {
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
func (r *reader[T]) finish() error {
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
func (r *reader[T]) Snapshot() ([]flott.Split, error) {
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
func (r *reader[T]) SplitName(number int32) string {
	if number != r.number {
		return ""
	}
	return r.path
}

// Progress implements flott.Progressor, in bytes of the files.
func (r *reader[T]) Progress() (done, total int64) {
	if r.cur == nil {
		return r.done, r.total
	}
	return r.done + r.cur.progress(), r.total
}

// Close implements flott.Reader.
func (r *reader[T]) Close() error {
	if r.cur == nil {
		return nil
	}
	c := r.cur
	r.cur = nil
	return c.close()
}
