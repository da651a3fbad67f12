package state

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"math/bits"
	"runtime"

	"github.com/flottio/flott/codec"
	"github.com/flottio/flott/internal/keygroup"
)

// Snapshot is the state of a backend at one moment. Write may run on another goroutine while the task goes on; Release is for the
// task, when
// Write has returned or will never be called.
type Snapshot struct {
	backend *Backend
	head    fileHead
	states  []frozenState
	store   StoreSnapshot
	done    bool
}

// Info is what a manifest records of a file.
type Info struct {
	Length int64
	Digest [32]byte // SHA-256 of the whole
}

// Snapshot freezes all state, at the cost of some 40 bytes of copying a page of memory (and, with a store, of writing what is dirty to
// it).
func (b *Backend) Snapshot() (*Snapshot, error) {
	s := &Snapshot{backend: b, head: fileHead{hash: codec.HashName, groups: b.cfg.Groups}}
	b.open++
	taken := false
	defer func() {
		if !taken { // also when a codec of the user panics
			s.Release()
		}
	}()
	for _, r := range b.states {
		f, err := r.freeze()
		if err != nil {
			return nil, fmt.Errorf("snapshotting %v: %w", r.info(), err)
		}
		s.states = append(s.states, f)
		s.head.states = append(s.head.states, r.info())
	}
	if b.cfg.Store != nil {
		var err error
		if s.store, err = b.cfg.Store.Snapshot(); err != nil {
			return nil, fmt.Errorf("snapshotting the store: %w", err)
		}
	}
	taken = true
	return s, nil
}

// Release gives up the snapshot.
func (s *Snapshot) Release() {
	if s.done {
		return
	}
	s.done = true
	s.backend.open--
	for _, f := range s.states {
		f.release()
	}
	if s.store != nil {
		_ = s.store.Close() // it was only read
	}
}

// Write writes the snapshot file. It may be called again after an error, with another writer.
func (s *Snapshot) Write(w io.Writer) (Info, error) {
	fw := &fileWriter{w: w, sum: sha256.New()}
	fw.write(s.head.append(nil))
	for i, f := range s.states {
		if err := s.writeState(fw, i, f); err != nil {
			return Info{}, fmt.Errorf("writing %v: %w", s.head.states[i], err)
		}
	}
	foot := appendFoot(nil, fw.segs)
	if len(foot) > footBytesMax {
		return Info{}, fmt.Errorf("writing a snapshot: its foot of %d bytes exceeds %d", len(foot), footBytesMax)
	}
	offset := fw.offset
	fw.write(foot)
	fw.write(appendTrailer(nil, foot, offset))
	if fw.err != nil {
		return Info{}, fmt.Errorf("writing a snapshot at offset %d: %w", fw.offset, fw.err)
	}
	info := Info{Length: fw.offset}
	fw.sum.Sum(info.Digest[:0])
	return info, nil
}

func (s *Snapshot) writeState(fw *fileWriter, i int, f frozenState) error {
	groups := s.head.groups
	c := &chunks{file: fw, state: i, groups: groups, mapper: keygroup.NewMapper(groups.Max), parts: make([]chunk, groups.End-groups.First)}
	if err := f.encode(c, s.store); err != nil {
		return err
	}
	return c.flush()
}

// fileWriter counts, digests and remembers the first error.
type fileWriter struct {
	w      io.Writer
	sum    hash.Hash
	offset int64
	segs   []segmentRef
	err    error
	head   []byte
}

func (w *fileWriter) write(p []byte) {
	if w.err != nil || len(p) == 0 {
		return
	}
	n, err := w.w.Write(p)
	w.sum.Write(p[:n])
	w.offset += int64(n)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	w.err = err
}

// chunks sorts entries by key group in one pass over the pages: each group has a buffer, which becomes a segment when it, or all
// together, are full.
type chunks struct {
	file   *fileWriter
	state  int
	groups Groups
	mapper keygroup.Mapper
	parts  []chunk // by key group - First
	bytes  int
	since  int // entries since the last yield
}

type chunk struct {
	buf     []byte
	entries uint32
}

const (
	// chunkBytes is when one key group becomes a segment, chunksBytesMax when all do.
	chunkBytes     = 64 << 10
	chunksBytesMax = 8 << 20
	// yieldEntries is after how many entries, some 2 ms, the processor is offered to others. Otherwise a task on a busy machine waits
	// for one time slice of the scheduler (10 ms) of each snapshot that is being written.
	yieldEntries = 1 << 14
)

// begin gives the buffer to append an entry to, end takes it back.
func (c *chunks) begin(group int) *chunk { return &c.parts[group-c.groups.First] }

func (c *chunks) end(group int, p *chunk, before int) error {
	p.entries++
	if c.since++; c.since == yieldEntries {
		c.since = 0
		runtime.Gosched()
	}
	c.bytes += len(p.buf) - before
	if len(p.buf) > segmentBytesMax {
		return fmt.Errorf("an entry of key group %d takes %d bytes, the limit is %d", group, len(p.buf)-before, segmentBytesMax)
	}
	if len(p.buf) >= chunkBytes {
		c.cut(group, p)
		return c.file.err
	}
	if c.bytes >= chunksBytesMax {
		return c.flush()
	}
	return nil
}

func (c *chunks) cut(group int, p *chunk) {
	if p.entries == 0 {
		return
	}
	s := segmentRef{state: uint32(c.state), group: uint32(group), entries: p.entries, bytes: uint32(len(p.buf)), offset: c.file.offset}
	c.file.head = appendSegmentHead(c.file.head[:0], s, p.buf)
	c.file.write(c.file.head)
	c.file.write(p.buf)
	c.file.segs = append(c.file.segs, s)
	c.bytes -= len(p.buf)
	p.buf, p.entries = p.buf[:0], 0
	if cap(p.buf) > 2*chunkBytes {
		p.buf = nil
	}
}

func (c *chunks) flush() error {
	for i := range c.parts {
		c.cut(i+c.groups.First, &c.parts[i])
	}
	return c.file.err
}

// frozenEntries is a table in a snapshot: pages in memory, or a range of the store's snapshot.
type frozenEntries[K comparable, V any] struct {
	table   *Table[K, V] // only for release and for what never changes: desc, groups
	desc    Descriptor[K, V]
	pages   frozenTable[K, V]
	prefix  []byte // of the table in the store
	lead    []byte // before each key in the file: a namespace
	expired func(v *V) bool
}

func freezeTable[K comparable, V any](t *Table[K, V], lead []byte, expired func(v *V) bool) (frozenState, error) {
	f := &frozenEntries[K, V]{table: t, desc: t.desc, lead: lead, expired: expired}
	if t.store != nil {
		f.prefix = t.store.prefix
		return f, t.store.flush(t)
	}
	f.pages = t.freeze()
	return f, nil
}

func (f *frozenEntries[K, V]) release() {
	if f.prefix == nil {
		f.table.release(f.pages)
	}
}

func (f *frozenEntries[K, V]) encode(c *chunks, store StoreSnapshot) error {
	if f.prefix != nil {
		return f.encodeStore(c, store)
	}
	mask := uint32(1)<<f.pages.shift - 1
	for w, set := range f.pages.live {
		for ; set != 0; set &= set - 1 {
			id := uint32(w<<6 + bits.TrailingZeros64(set))
			e := &f.pages.pages[id>>f.pages.shift].entries[id&mask]
			if f.expired != nil && f.expired(&e.val) {
				continue
			}
			group := c.mapper.Of(f.desc.KeyHash(&e.key))
			p := c.begin(group)
			before := len(p.buf)
			p.buf = append(p.buf, f.lead...)
			p.buf = f.desc.Keys.Append(p.buf, &e.key)
			p.buf = f.desc.Values.Append(p.buf, &e.val)
			if err := c.end(group, p, before); err != nil {
				return err
			}
		}
	}
	return nil
}

// encodeStore copies bytes: what is in the store has the format of the file already.
func (f *frozenEntries[K, V]) encodeStore(c *chunks, store StoreSnapshot) (err error) {
	it, err := store.Iterate(f.prefix, after(f.prefix))
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := it.Close(); err == nil {
			err = closeErr
		}
	}()
	var v V
	for it.Next() {
		key := it.Key()[len(f.prefix):]
		if f.expired != nil {
			if _, err := f.desc.Values.Decode(it.Value(), &v); err != nil {
				return fmt.Errorf("decoding a value of the store: %w", err)
			}
			if f.expired(&v) {
				continue
			}
		}
		group := int(key[0])<<8 | int(key[1])
		p := c.begin(group)
		before := len(p.buf)
		p.buf = append(p.buf, f.lead...)
		p.buf = append(p.buf, key[2:]...)
		p.buf = append(p.buf, it.Value()...)
		if err := c.end(group, p, before); err != nil {
			return err
		}
	}
	return nil
}
