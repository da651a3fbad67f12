package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/flottio/flott/schema"
	"github.com/zeebo/xxh3"
)

// File is an open snapshot file: head and foot are read and verified, segments are when they are used. It is safe for concurrent use
// if its
// io.ReaderAt is.
type File struct {
	name string
	r    io.ReaderAt
	head *fileHead
	segs []segmentRef
}

// DamageError says what of a snapshot file is not as it was written.
type DamageError struct {
	File   string
	Offset int64
	What   string // with the state, if it is known
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("snapshot file %s is damaged at offset %d: %s", e.File, e.Offset, e.What)
}

// OpenFile reads head and foot of a snapshot file of size bytes; name is for messages. Damage is a *DamageError.
func OpenFile(name string, r io.ReaderAt, size int64) (*File, error) {
	f := &File{name: name, r: r}
	headEnd, err := f.readHead(size)
	if err != nil {
		return nil, err
	}
	trailer := make([]byte, trailerBytes)
	at := size - trailerBytes
	if err := f.read(trailer, at, "trailer"); err != nil {
		return nil, err
	}
	offset, length, sum, err := parseTrailer(trailer)
	if err != nil {
		return nil, f.damage(at, err.Error())
	}
	if offset < headEnd || length < 0 || length > footBytesMax || offset > at || offset+length != at {
		return nil, f.damage(at, fmt.Sprintf("trailer places a foot of %d bytes at offset %d, the file has %d bytes", length, offset, size))
	}
	foot := make([]byte, length)
	if err := f.read(foot, offset, "foot"); err != nil {
		return nil, err
	}
	if got := segmentSum(trailer[:16], foot); got != sum {
		return nil, f.damage(offset, fmt.Sprintf("foot: checksum %016x, want %016x", got, sum))
	}
	if f.segs, err = parseFoot(foot, f.head, headEnd, offset); err != nil {
		return nil, f.damage(offset, "foot: "+err.Error())
	}
	return f, nil
}

func (f *File) readHead(size int64) (end int64, err error) {
	if size < headFixedBytes+8+trailerBytes {
		return 0, f.damage(size, fmt.Sprintf("it has only %d bytes", size))
	}
	fixed := make([]byte, headFixedBytes)
	if err := f.read(fixed, 0, "head"); err != nil {
		return 0, err
	}
	if got := string(fixed[:8]); got != fileMagic {
		return 0, f.damage(0, fmt.Sprintf("it begins with %q, want %q: this is not a snapshot file", got, fileMagic))
	}
	n := int64(binary.LittleEndian.Uint32(fixed[12:]))
	if n > headBytesMax || headFixedBytes+n+8+trailerBytes > size {
		return 0, f.damage(12, fmt.Sprintf("head of %d bytes in a file of %d", n, size))
	}
	head := make([]byte, headFixedBytes+n+8)
	if err := f.read(head, 0, "head"); err != nil {
		return 0, err
	}
	covered := head[:headFixedBytes+n]
	if got, want := xxh3.Hash(covered), binary.LittleEndian.Uint64(head[len(covered):]); got != want {
		return 0, f.damage(0, fmt.Sprintf("head: checksum %016x, want %016x", got, want))
	}
	if v := binary.LittleEndian.Uint32(fixed[8:]); v != fileVersion {
		return 0, fmt.Errorf("opening snapshot file %s: it has format version %d, this version of Flott reads %d: use the version that wrote it",
			f.name, v, fileVersion)
	}
	if f.head, err = parseHead(covered[headFixedBytes:]); err != nil {
		return 0, f.damage(headFixedBytes, "head: "+err.Error())
	}
	return int64(len(head)), nil
}

// read fills p from offset.
func (f *File) read(p []byte, offset int64, what string) error {
	n, err := f.r.ReadAt(p, offset)
	if n == len(p) {
		return nil
	}
	if errors.Is(err, io.EOF) || err == nil {
		return f.damage(offset, fmt.Sprintf("%s: wanted %d bytes, found %d", what, len(p), n))
	}
	return fmt.Errorf("reading snapshot file %s at offset %d (%s): %w", f.name, offset, what, err)
}

func (f *File) damage(offset int64, what string) error {
	return &DamageError{File: f.name, Offset: offset, What: what}
}

// Name is the name the file was opened with.
func (f *File) Name() string { return f.name }

// Groups are the key groups that the writing subtask owned.
func (f *File) Groups() Groups { return f.head.groups }

// States lists what the file holds.
func (f *File) States() []StateInfo { return f.head.states }

// Entries counts the entries of States()[state].
func (f *File) Entries(state int) int {
	n := 0
	for _, s := range f.segs {
		if int(s.state) == state {
			n += int(s.entries)
		}
	}
	return n
}

func (f *File) find(uid, name string) (int, StateInfo, bool) {
	for i, s := range f.head.states {
		if s.UID == uid && s.Name == name {
			return i, s, true
		}
	}
	return 0, StateInfo{}, false
}

// segment reads and verifies one segment into *space, which grows as needed.
func (f *File) segment(s segmentRef, space *[]byte) (payload []byte, err error) {
	n := segmentBytes + int(s.bytes)
	if cap(*space) < n {
		*space = make([]byte, n)
	}
	buf := (*space)[:n]
	what := fmt.Sprintf("%v, key group %d", f.head.states[s.state], s.group)
	if err := f.read(buf, s.offset, what); err != nil {
		return nil, err
	}
	payload = buf[segmentBytes:]
	want := appendSegmentHead(nil, s, nil)
	if string(buf[:20]) != string(want[:20]) {
		return nil, f.damage(s.offset, fmt.Sprintf("%s: segment begins with %x, want %x", what, buf[:20], want[:20]))
	}
	if got, want := segmentSum(buf[:20], payload), binary.LittleEndian.Uint64(buf[20:]); got != want {
		return nil, f.damage(s.offset, fmt.Sprintf("%s: checksum of %d bytes is %016x, want %016x", what, s.bytes, got, want))
	}
	return payload, nil
}

// each calls fn with the payload of every segment of a state in the wanted key groups, in the order of the file.
func (f *File) each(state int, groups Groups, fn func(s segmentRef, payload []byte) error) error {
	var space []byte
	for _, s := range f.segs {
		if int(s.state) != state || !groups.has(int(s.group)) {
			continue
		}
		payload, err := f.segment(s, &space)
		if err != nil {
			return err
		}
		if err := fn(s, payload); err != nil {
			return fmt.Errorf("snapshot file %s, segment at offset %d (%v, key group %d): %w", f.name, s.offset, f.head.states[state], s.group, err)
		}
	}
	return nil
}

// Verify reads the whole file and returns all its damage: nil if it is whole. Where head or foot are damaged nothing behind them can
// be found.
func Verify(name string, r io.ReaderAt, size int64) []error {
	f, err := OpenFile(name, r, size)
	if err != nil {
		return []error{err}
	}
	var damage []error
	var space []byte
	for _, s := range f.segs {
		if _, err := f.segment(s, &space); err != nil {
			damage = append(damage, err)
		}
	}
	return damage
}

// IsFile reports whether r begins as a snapshot file does.
func IsFile(r io.ReaderAt) bool {
	var magic [len(fileMagic)]byte
	n, _ := r.ReadAt(magic[:], 0)
	return string(magic[:n]) == fileMagic
}

// restoreBlock is how many entries are decoded before they are inserted together.
const restoreBlock = 256

// loader puts the entries of segments into a table.
type loader[K comparable, V any] struct {
	table  *Table[K, V]
	decode func([]byte, *V) (int, error)
	keys   []K
	hashes []uint64
	vals   []V
	at     []*V
}

func newLoader[K comparable, V any](t *Table[K, V], decode func([]byte, *V) (int, error)) *loader[K, V] {
	return &loader[K, V]{
		table: t, decode: decode, keys: make([]K, restoreBlock), hashes: make([]uint64, restoreBlock),
		vals: make([]V, restoreBlock), at: make([]*V, restoreBlock),
	}
}

// add reads one entry from the front of src.
func (l *loader[K, V]) add(src []byte, i, group int) (int, error) {
	n, err := l.table.desc.Keys.Decode(src, &l.keys[i])
	if err != nil {
		return 0, fmt.Errorf("decoding a key: %w", err)
	}
	m, err := l.decode(src[n:], &l.vals[i])
	if err != nil {
		return 0, fmt.Errorf("decoding the value of key %v: %w", l.keys[i], err)
	}
	l.hashes[i] = l.table.desc.KeyHash(&l.keys[i])
	if g := l.table.groups.of(l.hashes[i]); g != group {
		return 0, fmt.Errorf("key %v is of key group %d", l.keys[i], g)
	}
	return n + m, nil
}

// put inserts the first n entries. Each must be new.
func (l *loader[K, V]) put(n int) error {
	before := l.table.Len()
	if err := l.table.Upsert(l.keys[:n], l.hashes[:n], l.at[:n]); err != nil {
		return err
	}
	if got := l.table.Len() - before; got != n {
		return fmt.Errorf("%d of %d keys are there twice", n-got, n)
	}
	for i := range n {
		*l.at[i] = l.vals[i]
	}
	clear(l.vals[:n])
	return nil
}

// readerOf checks the schemas of a state of a file against the table's.
func readerOf[K comparable, V any](d *Descriptor[K, V], written StateInfo) (func([]byte, *V) (int, error), error) {
	if !written.Keys.Equal(d.Keys.Schema) {
		return nil, keysChanged(written.Keys, d.Keys.Schema)
	}
	return d.Values.reader(written.Values)
}

func keysChanged(written, current *schema.Type) error {
	return fmt.Errorf("the type of the keys has changed, which no restore can follow:\n%s",
		schema.Compare("written", written, "current", current))
}

func restoreTable[K comparable, V any](t *Table[K, V], f *File, state int, groups Groups) error {
	decode, err := readerOf(&t.desc, f.head.states[state])
	if err != nil {
		return err
	}
	l := newLoader(t, decode)
	return f.each(state, groups, func(s segmentRef, src []byte) error {
		for left := s.entries; left > 0; {
			n := int(min(left, restoreBlock))
			for i := range n {
				took, err := l.add(src, i, int(s.group))
				if err != nil {
					return err
				}
				src = src[took:]
			}
			if err := l.put(n); err != nil {
				return err
			}
			left -= uint32(n)
		}
		return endOf(src)
	})
}

func endOf(src []byte) error {
	if len(src) > 0 {
		return fmt.Errorf("%d bytes are left behind the last entry", len(src))
	}
	return nil
}
