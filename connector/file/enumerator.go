package file

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/flottio/flott"
)

const (
	// assignSplitsMax bounds how many small files a reader gets at once.
	assignSplitsMax = 64
	// assignShare leaves the other readers their part near the end: a reader gets at most 1/assignShare of its even share at once.
	assignShare = 4
)

// enumerator finds files and gives out their splits on request, in the order of the paths.
//
// A file is in exactly one of: pending (whole, or from at on if it is the first), returned, given out. With Monitor the paths of all
// of them stay in known.
type enumerator struct {
	ctx      flott.EnumeratorContext
	cfg      sourceConfig
	cuttable bool

	listed   bool // the first listing is done
	returned []split
	share    int // how many of the returned splits a reader gets at once
	pending  []found
	at       int // splits of pending[0] that are given out already
	known    map[string]bool
	waiting  map[int]bool // subtasks with nothing to read
}

func (e *enumerator) Start() error {
	if e.listed && e.cfg.monitorMs == 0 {
		return nil
	}
	e.list()
	return nil
}

func (e *enumerator) list() {
	e.ctx.Async(func(context.Context) (any, error) {
		files, err := list(e.cfg.patterns)
		if e.cfg.filter != nil {
			files = slices.DeleteFunc(files, func(f found) bool { return !e.cfg.filter(f.Path) })
		}
		return files, err
	}, func(result any, err error) error {
		if err != nil {
			return err
		}
		return e.discovered(result.([]found))
	})
}

func (e *enumerator) discovered(files []found) error {
	if e.cfg.monitorMs > 0 {
		files = slices.DeleteFunc(files, func(f found) bool { return e.known[f.Path] })
		if e.known == nil {
			e.known = map[string]bool{}
		}
		for _, f := range files {
			e.known[f.Path] = true
		}
		e.ctx.After(e.cfg.monitorMs, func() error { e.list(); return nil })
	} else if len(files) == 0 && !e.cfg.allowNone {
		here, _ := os.Getwd() // only for the message
		return flott.Permanent(fmt.Errorf("no file matches %s (relative patterns start in %s). If that is no mistake, give the source the option "+
			"AllowNone", strings.Join(e.cfg.patterns, ", "), here))
	}
	e.listed = true
	e.pending = append(e.pending, files...)
	e.serve()
	return nil
}

// serve answers the subtasks that wait, in order.
func (e *enumerator) serve() {
	subtasks := make([]int, 0, len(e.waiting))
	for s := range e.waiting {
		subtasks = append(subtasks, s)
	}
	slices.Sort(subtasks)
	for _, s := range subtasks {
		e.give(s)
	}
}

// Request implements flott.Enumerator.
func (e *enumerator) Request(subtask int) error {
	e.waiting[subtask] = true
	e.give(subtask)
	return nil
}

func (e *enumerator) give(subtask int) {
	// All at once: a split that a reader holds holds back event time, one that waits here does not, and the rest of it would be late.
	for n := e.share; n > 0 && len(e.returned) > 0; n-- {
		e.ctx.Assign(subtask, e.returned[0].encode())
		e.returned = e.returned[1:]
		delete(e.waiting, subtask)
	}
	if !e.waiting[subtask] {
		return
	}
	n := min(assignSplitsMax, max(1, len(e.pending)/(assignShare*max(1, e.ctx.Parallelism()))))
	for bytes := int64(0); n > 0 && bytes < e.cfg.splitBytes; n-- {
		s, ok := e.next()
		if !ok {
			break
		}
		delete(e.waiting, subtask)
		bytes += s.work()
		e.ctx.Assign(subtask, s.encode())
	}
	if e.waiting[subtask] && e.listed && e.cfg.monitorMs == 0 {
		delete(e.waiting, subtask)
		e.ctx.NoMoreSplits(subtask)
	}
}

func (e *enumerator) next() (split, bool) {
	for len(e.pending) > 0 {
		if s, ok := e.pending[0].split(e.at, e.cfg.splitBytes, e.cuttable); ok {
			e.at++
			return s, true
		}
		e.pending, e.at = e.pending[1:], 0
	}
	return split{}, false
}

// Return implements flott.Enumerator.
func (e *enumerator) Return(splits []flott.Split) error {
	for _, fs := range splits {
		s, err := decodeSplit(fs)
		if err != nil {
			return err
		}
		e.returned = append(e.returned, s)
	}
	e.shareOut()
	return nil
}

// shareOut spreads the returned splits evenly, in the order of the paths.
func (e *enumerator) shareOut() {
	slices.SortFunc(e.returned, func(a, b split) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Start, b.Start))
	})
	readers := max(1, e.ctx.Parallelism())
	e.share = (len(e.returned) + readers - 1) / readers
}

// Complete implements flott.Enumerator.
func (e *enumerator) Complete(int64) error { return nil }

// Close implements flott.Enumerator.
func (e *enumerator) Close() error { return nil }

// The enumerator's state: version, listed, split size, splits of the first pending file that are given out, returned splits,
// pending files, known paths. Lists of paths are sorted or nearly so: each path says how many bytes it shares with the one before.
const enumeratorVersion = 1

// Snapshot implements flott.Enumerator.
func (e *enumerator) Snapshot() ([]byte, error) {
	out := []byte{enumeratorVersion, 0}
	if e.listed {
		out[1] = 1
	}
	out = binary.AppendUvarint(out, uint64(e.cfg.splitBytes))
	out = binary.AppendUvarint(out, uint64(e.at))
	out = binary.AppendUvarint(out, uint64(len(e.returned)))
	for i := range e.returned {
		position := mustJSON(&e.returned[i])
		out = append(binary.AppendUvarint(out, uint64(len(position))), position...)
	}
	out = binary.AppendUvarint(out, uint64(len(e.pending)))
	before := ""
	for _, f := range e.pending {
		out = appendPath(out, before, f.Path)
		before = f.Path
		out = binary.AppendUvarint(out, uint64(f.Size))
		out = binary.AppendVarint(out, f.Modified)
		out = binary.AppendUvarint(out, f.Inode)
	}
	known := make([]string, 0, len(e.known))
	for p := range e.known {
		known = append(known, p)
	}
	slices.Sort(known)
	out = binary.AppendUvarint(out, uint64(len(known)))
	before = ""
	for _, p := range known {
		out = appendPath(out, before, p)
		before = p
	}
	return out, nil
}

func appendPath(out []byte, before, path string) []byte {
	shared := 0
	for shared < min(len(before), len(path)) && before[shared] == path[shared] {
		shared++
	}
	out = binary.AppendUvarint(out, uint64(shared))
	out = binary.AppendUvarint(out, uint64(len(path)-shared))
	return append(out, path[shared:]...)
}

func (e *enumerator) restore(data []byte) error {
	if len(data) < 2 || data[0] != enumeratorVersion {
		return errors.New("its state has an unknown version")
	}
	r := stateReader{left: data[2:]}
	e.listed = data[1] == 1
	splitBytes := int64(r.uvarint())
	e.at = int(r.uvarint())
	for n := r.count(); n > 0; n-- {
		s, err := decodeSplit(flott.Split{ID: "(returned)", Position: r.bytes(r.count())})
		if err != nil {
			return err
		}
		e.returned = append(e.returned, s)
	}
	before := ""
	for n := r.count(); n > 0; n-- {
		before = r.path(before)
		f := found{Path: before, Size: int64(r.uvarint()), Modified: r.varint(), Inode: r.uvarint()}
		e.pending = append(e.pending, f)
	}
	before = ""
	for n := r.count(); n > 0; n-- {
		before = r.path(before)
		if e.known == nil {
			e.known = map[string]bool{}
		}
		e.known[before] = true
	}
	if r.bad || len(r.left) > 0 {
		return fmt.Errorf("its state of %d bytes is damaged", len(data))
	}
	e.recut(splitBytes)
	e.shareOut()
	return nil
}

// recut moves the rest of a file that was begun with another split size to the returned splits: the pieces given out stay as they were.
func (e *enumerator) recut(splitBytes int64) {
	if e.at == 0 || len(e.pending) == 0 {
		return
	}
	if splitBytes == e.cfg.splitBytes {
		return
	}
	for n := e.at; ; n++ {
		s, ok := e.pending[0].split(n, max(1, splitBytes), e.cuttable)
		if !ok {
			break
		}
		e.returned = append(e.returned, s)
	}
	e.pending, e.at = e.pending[1:], 0
}

// stateReader reads what Snapshot wrote. Every count is bounded by the bytes that are left.
type stateReader struct {
	left []byte
	bad  bool
}

func (r *stateReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.left)
	return v * uint64(r.take(n))
}

func (r *stateReader) varint() int64 {
	v, n := binary.Varint(r.left)
	return v * int64(r.take(n))
}

// take consumes n bytes; 0 if they are not there.
func (r *stateReader) take(n int) int {
	if n <= 0 || r.bad {
		r.bad, r.left = true, nil
		return 0
	}
	r.left = r.left[n:]
	return 1
}

func (r *stateReader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.left)) {
		r.bad, r.left = true, nil
		return 0
	}
	return int(n)
}

func (r *stateReader) bytes(n int) []byte {
	n = min(n, len(r.left))
	b := bytes.Clone(r.left[:n])
	r.left = r.left[n:]
	return b
}

func (r *stateReader) path(before string) string {
	shared, n := r.uvarint(), r.count()
	if shared > uint64(len(before)) {
		r.bad = true
		return ""
	}
	return before[:shared] + string(r.bytes(n))
}
