package file

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/flottio/flott"
	"github.com/flottio/flott/format"
)

const (
	// bufferBytes is read at a time: enough to make the call cheap, little enough to stay in the second level of the cache.
	bufferBytes = 256 << 10
	// beyondBytes is read at a time behind the end of a split, to finish its last record.
	beyondBytes = 16 << 10
	// bufferMaxBytes bounds what a record may make the buffer grow to; the format's own limit is usually far below.
	bufferMaxBytes = 1 << 30
)

// cursor is an open split: a window of plain bytes moving over its file.
type cursor struct {
	split  split
	file   *os.File
	plain  io.ReadCloser // decompresses; nil for a plain file
	framer format.Framer

	buf  []byte
	r, w int   // buf[r:w] is not yet consumed
	base int64 // offset of buf[0]
	eof  bool
	pos  int64 // behind the last record
	// begin is where the record begins that Next returns next: not before pos, and before offset only while a record that is too
	// long is passed over.
	begin int64

	headers int // records still to come that are not rows

	// Lines are counted when an error needs them: newlines before counted. What is decompressed cannot be read again, so there
	// they are counted as it is consumed.
	lines   int64
	counted int64
}

// open opens the split's file at its offset.
func open(s split, framer format.Framer, buf []byte) (*cursor, error) {
	file, err := os.Open(s.Path)
	if err != nil {
		return nil, s.missing(err)
	}
	c := &cursor{split: s, file: file, framer: framer, buf: buf, pos: s.Offset, begin: s.Offset}
	if err := c.start(); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func (c *cursor) start() error {
	info, err := c.file.Stat()
	if err != nil {
		return c.split.missing(err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("file %s is no longer a regular file (%s)", c.split.Path, info.Mode())
	}
	if err := c.split.verify(info); err != nil {
		return err
	}
	if by := compressionOf(c.split.Path); by != None {
		if c.plain, err = by.decompress(bufio.NewReaderSize(c.file, bufferBytes)); err != nil {
			return c.damaged(err)
		}
		return c.skip(c.split.Offset)
	}
	if c.split.Start > 0 && c.split.Offset == c.split.Start {
		return c.enter()
	}
	c.base = c.split.Offset
	return nil
}

// enter finds the first record that begins in the split; the bytes before it belong to the split before.
func (c *cursor) enter() error {
	c.base = c.split.Start - 1
	for {
		advance, ok := c.framer.Sync(c.buf[c.r:c.w])
		c.r += advance
		if ok || c.eof || c.offset() >= c.split.End {
			break
		}
		if err := c.more(); err != nil {
			return err
		}
	}
	c.pos = max(c.pos, c.offset())
	c.begin = c.pos
	return nil
}

// restart goes on at an offset of a plain file, with nothing read.
func (c *cursor) restart(offset int64) {
	c.base, c.pos, c.begin, c.r, c.w, c.eof = offset, offset, offset, 0, 0, false
}

// skip passes over what was read before a restore.
func (c *cursor) skip(to int64) error {
	for c.base < to {
		n, err := c.plain.Read(c.buf[:min(int64(len(c.buf)), to-c.base)])
		c.lines += int64(bytes.Count(c.buf[:n], newline))
		c.base += int64(n)
		if err == io.EOF && c.base < to {
			return fmt.Errorf("file %s has %d plain bytes, but was read up to byte %d before: it was changed", c.split.Path, c.base, to)
		}
		if err != nil && err != io.EOF {
			return c.damaged(err)
		}
	}
	c.counted = c.base
	return nil
}

// offset is that of the first byte that is not consumed.
func (c *cursor) offset() int64 { return c.base + int64(c.r) }

// more reads on. It keeps what is not consumed at the start of the buffer, which grows if a record fills it.
func (c *cursor) more() error {
	if c.plain != nil {
		c.count(c.r)
	}
	if c.r > 0 {
		copy(c.buf, c.buf[c.r:c.w])
		c.base += int64(c.r)
		c.r, c.w = 0, c.w-c.r
	}
	if c.w == len(c.buf) {
		if len(c.buf) >= bufferMaxBytes {
			return fmt.Errorf("file %s: the record at offset %d is longer than %d bytes", c.split.Path, c.base, bufferMaxBytes)
		}
		c.buf = append(c.buf, make([]byte, len(c.buf))...)
	}
	if c.plain != nil {
		return c.fill(c.plain, len(c.buf), c.damaged)
	}
	at := c.base + int64(c.w)
	upTo := int64(beyondBytes)
	if at < c.split.End {
		upTo = c.split.End - at
	}
	section := io.NewSectionReader(c.file, at, upTo)
	return c.fill(section, c.w+int(min(upTo, int64(len(c.buf)-c.w))), func(err error) error {
		return fmt.Errorf("reading file %s at offset %d: %w", c.split.Path, at, err)
	})
}

// fill reads into buf[w:limit] until at least one byte has come.
func (c *cursor) fill(from io.Reader, limit int, explain func(error) error) error {
	for {
		n, err := from.Read(c.buf[c.w:limit])
		c.w += n
		switch {
		case n > 0:
			return nil // the error, if any, comes again
		case err == io.EOF:
			return c.ended()
		case err != nil:
			return explain(err)
		}
	}
}

// ended handles the end of the file.
func (c *cursor) ended() error {
	c.eof = true
	if at := c.base + int64(c.w); c.plain == nil && at < c.split.End {
		if info, err := c.file.Stat(); err == nil {
			at = info.Size()
		}
		return fmt.Errorf("file %s has shrunk while it was read: it ends at byte %d, recorded were %d bytes, modified %s",
			c.split.Path, at, c.split.Size, stamp(c.split.Modified))
	}
	return nil
}

// damaged explains an error of decompressing. Unless the file itself could not be read, every attempt will meet it again.
func (c *cursor) damaged(err error) error {
	if errors.As(err, new(*fs.PathError)) {
		return fmt.Errorf("reading file %s: %w", c.split.Path, err)
	}
	return flott.Permanent(fmt.Errorf("reading file %s: its %s data is cut off or damaged behind plain byte %d (line %d): %w",
		c.split.Path, compressionOf(c.split.Path), c.base+int64(c.w), 1+c.lines+int64(bytes.Count(c.buf[c.r:c.w], newline)), err))
}

// finish verifies that the file is still the one that was found.
func (c *cursor) finish() error {
	info, err := c.file.Stat()
	if err != nil {
		return c.split.missing(err)
	}
	if err := c.split.verify(info); err != nil {
		return fmt.Errorf("after reading it: %w", err)
	}
	return nil
}

func (c *cursor) close() error {
	var err error
	if c.plain != nil {
		err = c.plain.Close()
	}
	return errors.Join(err, c.file.Close())
}

// consume passes over a record, or an error in its place.
func (c *cursor) consume(advance int) {
	c.r += advance
	c.pos = c.offset()
	c.begin = c.pos
}

// pass passes over bytes without a record: blank lines, behind which the next record begins, or the middle of one that is too long.
func (c *cursor) pass(advance int) {
	c.r += advance
	if last := c.buf[c.r-1]; last == '\n' || last == '\r' {
		c.begin = c.offset()
	}
}

var newline = []byte{'\n'}

// count counts the lines in the buffer before index to.
func (c *cursor) count(to int) {
	if from := int(c.counted - c.base); from < to {
		c.lines += int64(bytes.Count(c.buf[max(0, from):to], newline))
		c.counted = c.base + int64(to)
	}
}

// line is the number of the line at an offset, from 1. Offsets ask in ascending order.
func (c *cursor) line(offset int64) (int, error) {
	if c.plain != nil {
		c.count(int(offset - c.base))
		return int(c.lines) + 1, nil
	}
	buf := make([]byte, bufferBytes)
	for c.counted < offset {
		n, err := c.file.ReadAt(buf[:min(int64(len(buf)), offset-c.counted)], c.counted)
		if n == 0 && err != nil {
			return 0, fmt.Errorf("counting the lines of file %s: %w", c.split.Path, err)
		}
		c.lines += int64(bytes.Count(buf[:n], newline))
		c.counted += int64(n)
	}
	return int(c.lines) + 1, nil
}

// progress is how much of the split's work is done.
func (c *cursor) progress() int64 {
	if c.plain == nil {
		return max(0, min(c.offset()-c.split.Start, c.split.work()))
	}
	at, _ := c.file.Seek(0, io.SeekCurrent) // cannot fail on an open file; only for display
	return at
}
