package file

import (
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"sync"

	"github.com/zeebo/xxh3"

	"github.com/flottio/flott/format"
)

// part is a file being written by a writer, used by the task's goroutine alone except for its output.
type part struct {
	bucket        string
	hidden, final string // below the sink's directory, with forward slashes
	path          string // of the hidden file
	out           *output
	packer        io.WriteCloser    // compresses into out; nil for none
	rows          format.FileWriter // writes out's content as a whole; nil: it is records
	buf           []byte            // encoded, not yet written
	length        int64             // written to the file
	digest        *xxh3.Hasher      // of what was written; nil for a file that never goes on over a checkpoint
	records       int64
	openedMs      int64
	touchedMs     int64
	// prepared: named by a snapshot, so it may only be removed by a recovery that knows which checkpoint counts.
	prepared bool
}

// Write takes the bytes that go into the file: plain, or from the compressor.
func (p *part) Write(data []byte) (int, error) {
	n, err := p.out.h.Write(data)
	p.length += int64(n)
	if err != nil {
		return n, fmt.Errorf("writing %d bytes at offset %d: %w", len(data), p.length-int64(n), advise(err))
	}
	if p.digest != nil {
		p.digest.Write(data) // never fails
	}
	return n, nil
}

// drain hands the buffer to the operating system.
func (p *part) drain() error {
	if len(p.buf) == 0 {
		return nil
	}
	var err error
	if p.packer != nil {
		_, err = p.packer.Write(p.buf)
	} else {
		_, err = p.Write(p.buf)
	}
	p.buf = p.buf[:0]
	return err
}

// end hands everything to the operating system; no record follows.
func (p *part) end() error {
	if err := p.drain(); err != nil {
		return err
	}
	if p.rows != nil {
		rows := p.rows
		p.rows = nil
		return rows.Close()
	}
	if p.packer == nil {
		return nil
	}
	err := p.packer.Close()
	p.packer = nil
	return err
}

// filled is the size the file has reached, as far as it is known before compression has ended.
func (p *part) filled() int64 {
	switch {
	case p.rows != nil:
		return p.length + p.rows.Buffered()
	case p.packer != nil:
		return p.length
	}
	return p.length + int64(len(p.buf))
}

// output is the open file of a part. The task's goroutine writes while a flush syncs; whoever ends it, ends it once.
type output struct {
	h  handle
	mu struct {
		sync.Mutex
		closed bool
		err    error // of a sync: the file is lost, a second sync could report success for pages that never reached the disk (A18.1)
	}
}

// sync makes what was written durable. After finish it is done already.
func (o *output) sync() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.syncLocked()
}

func (o *output) syncLocked() error {
	if o.mu.err == nil && !o.mu.closed {
		if err := o.h.Sync(); err != nil {
			o.mu.err = fmt.Errorf("making it durable: %w", advise(err))
		}
	}
	return o.mu.err
}

// finish makes the file durable and closes it.
func (o *output) finish() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	err := o.syncLocked()
	if !o.mu.closed {
		o.mu.closed = true
		if cerr := o.h.Close(); err == nil && cerr != nil {
			o.mu.err = fmt.Errorf("closing it: %w", advise(cerr))
			err = o.mu.err
		}
	}
	return err
}

// errAbandoned says that the writer was closed before the file was durable.
var errAbandoned = errors.New("the writer was closed")

// abandon closes the file as it is: a flush that comes later fails.
func (o *output) abandon() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.mu.closed {
		o.mu.closed, o.mu.err = true, errAbandoned
		_ = o.h.Close() // nothing of it counts
	}
}

// place gives a part its names below the sink's directory.
func (p *part) place(dir, final, owner string) {
	p.final = path.Join(p.bucket, final)
	p.hidden = path.Join(p.bucket, hiddenName(final, owner))
	p.path = filepath.Join(dir, filepath.FromSlash(p.hidden))
}
