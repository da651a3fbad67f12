package file

import (
	"errors"
	"fmt"
	"os"

	"github.com/flottio/flott"
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/format"
)

// wholeReader reads files of a format that has no records, one after the other. A split is a file, its offset a number of rows.
type wholeReader struct {
	filler
	ctx    flott.ReaderContext
	queue  []split
	noMore bool
	number int32
	ended  bool

	cur         *wholeFile
	done, total int64
}

type wholeFile struct {
	split split
	file  *os.File
	rows  format.FileReader
}

// Assign implements flott.Reader.
func (r *wholeReader) Assign(splits []flott.Split) error {
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
func (r *wholeReader) NoMoreSplits() { r.noMore = true }

// Read implements flott.Reader.
func (r *wholeReader) Read(b *flott.Batch[*column.Batch]) (flott.ReadStatus, error) {
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
	r.start()
	n, err := r.cur.rows.Read(&r.fields, column.BatchRows)
	if err != nil {
		r.out.Release()
		return flott.More, fmt.Errorf("reading file %s behind row %d: %w", r.cur.split.Path, r.cur.split.Offset, err)
	}
	end := n == 0
	if taken := r.take(n); taken < n {
		n = taken
		err = r.cur.rows.SeekRow(r.cur.split.Offset + int64(n))
	}
	r.cur.split.Offset += int64(n)
	r.emit(b)
	if err == nil && (end || r.spent()) {
		err = r.finish()
	}
	return flott.More, err
}

// take counts the n rows that were read, up to one before which the batch has to end.
func (r *wholeReader) take(n int) int {
	r.fields.N = 0
	for r.cutter != nil && r.out.N < n {
		if r.cutter.Late(r.out, r.out.N) {
			n = r.out.N
			break
		}
		r.out.N++
	}
	r.out.N, r.fields.N = n, n
	r.fields.Truncate(n)
	return n
}

func (r *wholeReader) open() error {
	s := r.queue[0]
	f, err := os.Open(s.Path)
	if err != nil {
		return s.missing(err)
	}
	info, err := f.Stat()
	if err == nil {
		err = s.verify(info)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	rows, err := r.columns.Files.OpenFile(f, info.Size(), r.columns.Fields)
	if err == nil && s.Offset > 0 {
		err = rows.SeekRow(s.Offset)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("reading file %s: %w", s.Path, err), f.Close())
	}
	r.queue = r.queue[1:]
	r.cur = &wholeFile{s, f, rows}
	r.number++
	return r.begin(&s)
}

func (r *wholeReader) finish() error {
	c := r.cur
	r.cur, r.ended = nil, true
	r.done += c.split.work()
	info, err := c.file.Stat()
	if err == nil {
		err = c.split.verify(info)
	}
	return errors.Join(err, c.close())
}

func (c *wholeFile) close() error { return errors.Join(c.rows.Close(), c.file.Close()) }

// Snapshot implements flott.Reader.
func (r *wholeReader) Snapshot() ([]flott.Split, error) {
	var all []flott.Split
	if r.cur != nil {
		all = append(all, r.cur.split.encode())
	}
	for i := range r.queue {
		all = append(all, r.queue[i].encode())
	}
	return all, nil
}

// SplitName implements flott.SplitNamer for the file being read.
func (r *wholeReader) SplitName(number int32) string {
	if number != r.number || r.cur == nil {
		return ""
	}
	return r.cur.split.Path
}

// Progress implements flott.Progressor, in bytes of the files.
func (r *wholeReader) Progress() (done, total int64) {
	done = r.done
	if r.cur != nil && r.cur.rows.Rows() > 0 {
		done += int64(float64(r.cur.split.work()) * float64(r.cur.split.Offset) / float64(r.cur.rows.Rows()))
	}
	return done, r.total
}

// Close implements flott.Reader.
func (r *wholeReader) Close() error {
	if r.cur == nil {
		return nil
	}
	c := r.cur
	r.cur = nil
	return c.close()
}
