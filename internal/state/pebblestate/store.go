// Package pebblestate is the store of the rocksdb backend: an LSM tree (Pebble) on local disk, behind the cache of package state.
//
// The folder is scratch. Nothing in it outlives the process: it is wiped when it is opened and removed when it is closed, so there
// is no log and nothing to recover. What a checkpoint needs leaves through Snapshot. Every failure of the disk, also those that
// happen in the background, is an error of the next call; none brings the process down or blocks a task for ever.
//
// The package owns what Pebble starts in the background, which ends in Close. internal/taskmanager imports it.
package pebblestate

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/flottio/flott/internal/state"
)

// Store keeps entries in a Pebble database. One goroutine owns it; its snapshots may be read by others.
type Store struct {
	db    *pebble.DB
	batch *pebble.Batch
	cache *pebble.Cache
	fs    vfs.FS
	dir   string
	// failed is the first error of the background; progress has a token when a flush or compaction has ended.
	failed   atomic.Pointer[error]
	progress chan struct{}
	// unchecked is how many bytes were written since the last look at how far the background is behind.
	unchecked      int
	memtablesBytes uint64
}

// Options of a Store.
type Options struct {
	// MemoryBytes is what the database may use: two thirds for memtables, the rest for blocks read. 0: 64 MiB.
	MemoryBytes int
	// FS is where the folder is; nil for the disk.
	FS vfs.FS
}

const (
	memoryBytesDefault = 64 << 20
	memoryBytesMin     = 4 << 20
	// batchBytesMax is how much is written to the memtable at once: less than half of one, or it would become a table of its own.
	batchBytesMax = 128 << 10
	// memtables is for how many full ones there is memory, sublevelsMax how many layers may wait to be compacted, before Set waits. Pebble
	// itself would wait where no error can reach it, on a full disk for ever: its own limits are out of reach. (Bytes count, not tables:
	// the first are small, and not written before there are enough of them.)
	memtables    = 4
	sublevelsMax = 10
	unreachable  = 1000
	// sublevelsCompacted is at how many layers, halved, compaction begins: each time it rewrites much of the next level, for however little.
	sublevelsCompacted = 8
	// indexBlockBytes is larger than Pebble's 4 KiB, which would be a level of index more for each read.
	indexBlockBytes = 32 << 10
	levels          = 7
	// lookAgain is when a wait for the background looks by itself, lest it depend on which event comes when.
	lookAgain      = 20 * time.Millisecond
	marker         = "FLOTT-SCRATCH"
	markerContents = "local state of a running Flott task; may be deleted when the task is gone\n"
)

// Open makes an empty store in dir, whose previous content, if it is that of a store, is deleted. Any other folder is refused.
func Open(dir string, memoryBytes int) (*Store, error) {
	return OpenWith(dir, Options{MemoryBytes: memoryBytes})
}

// OpenWith is Open with all options.
func OpenWith(dir string, o Options) (*Store, error) {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.MemoryBytes == 0 {
		o.MemoryBytes = memoryBytesDefault
	}
	o.MemoryBytes = max(o.MemoryBytes, memoryBytesMin)
	s := &Store{fs: o.FS, dir: dir, progress: make(chan struct{}, 1), memtablesBytes: uint64(o.MemoryBytes) / 3 * 2}
	if err := s.prepare(); err != nil {
		return nil, fmt.Errorf("preparing %w", s.explain(err))
	}
	// Memtables are taken out of the cache: one of the size of the blocks alone would be full of them, and have no room for a block.
	s.cache = pebble.NewCache(int64(o.MemoryBytes))
	db, err := pebble.Open(filepath.Join(dir, "db"), s.options(o))
	if err != nil {
		s.cache.Unref()
		err = s.explain(err) // while the folder is there
		return nil, fmt.Errorf("opening %w", errors.Join(err, s.fs.RemoveAll(dir)))
	}
	s.db, s.batch = db, db.NewBatch()
	return s, nil
}

// prepare makes the folder, empty but for its marker.
func (s *Store) prepare() error {
	names, err := s.fs.List(s.dir)
	if err == nil && len(names) > 0 {
		if _, err := s.fs.Stat(s.fs.PathJoin(s.dir, marker)); err != nil {
			return errors.New("it has files that are not Flott's: choose an empty folder")
		}
	}
	if err := s.fs.RemoveAll(s.dir); err != nil {
		return err
	}
	if err := s.fs.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	f, err := s.fs.Create(s.fs.PathJoin(s.dir, marker), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte(markerContents))
	return errors.Join(err, f.Close())
}

func (s *Store) options(o Options) *pebble.Options {
	po := &pebble.Options{
		FS: o.FS, Cache: s.cache, DisableWAL: true, FormatMajorVersion: pebble.FormatNewest,
		MemTableSize:                s.memtablesBytes / memtables,
		MemTableStopWritesThreshold: unreachable, L0StopWritesThreshold: unreachable,
		L0CompactionThreshold: sublevelsCompacted, LBaseMaxBytes: 64 << 20, Logger: quiet{s},
	}
	for i := range po.Levels {
		po.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		po.Levels[i].IndexBlockSize = indexBlockBytes
	}
	// A Get does not ask the filters of the last level, where nearly all keys are.
	po.Levels[levels-1].FilterPolicy = pebble.NoFilterPolicy
	po.ApplyCompressionSettings(compression)
	po.EventListener = &pebble.EventListener{
		BackgroundError: s.fail,
		DataCorruption:  func(i pebble.DataCorruptionInfo) { s.fail(fmt.Errorf("%v", i)) },
		FlushEnd:        func(pebble.FlushInfo) { s.advance() },
		CompactionEnd:   func(pebble.CompactionInfo) { s.advance() },
	}
	return po
}

// compression is for the last level only, which has nine tenths of the data: the others are rewritten many times.
func compression() pebble.DBCompressionSettings {
	c := pebble.DBCompressionNone
	c.Name, c.Levels[levels-1] = "last level", sstable.SnappyCompression
	return c
}

func (s *Store) fail(err error) {
	s.failed.CompareAndSwap(nil, &err)
	s.advance()
}

func (s *Store) advance() {
	select {
	case s.progress <- struct{}{}:
	default:
	}
}

func (s *Store) check() error {
	if err := s.failed.Load(); err != nil {
		return s.explain(*err)
	}
	return nil
}

// explain says where an error happened, and what to do about a full disk.
func (s *Store) explain(err error) error {
	if !vfs.IsNoSpaceError(err) {
		return fmt.Errorf("local state in %s: %w", s.dir, err)
	}
	size := "unknown"
	if u, usageErr := s.fs.GetDiskUsage(s.dir); usageErr == nil {
		size = fmt.Sprintf("%d bytes, %d of them free", u.TotalBytes, u.AvailBytes)
	}
	return fmt.Errorf("local state in %s: its disk is full (%s): choose a larger one by state.backend.rocksdb.localdir or io.tmp.dirs: %w",
		s.dir, size, err)
}

// quiet drops what Pebble logs and turns what it takes for fatal into an error: its callers return after it.
type quiet struct{ s *Store }

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (q quiet) Fatalf(format string, args ...any) {
	q.s.fail(fmt.Errorf(format, args...))
}

// Get implements state.Store.
func (s *Store) Get(key, dst []byte) ([]byte, bool, error) {
	if err := s.commit(); err != nil {
		return dst, false, err
	}
	val, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return dst, false, nil
	}
	if err != nil {
		return dst, false, s.explain(err)
	}
	dst = append(dst, val...)
	return dst, true, closer.Close()
}

// Set implements state.Store.
func (s *Store) Set(key, val []byte) error {
	return s.wrote(s.batch.Set(key, val, nil))
}

// Delete implements state.Store.
func (s *Store) Delete(key []byte) error {
	return s.wrote(s.batch.Delete(key, nil))
}

// DeleteRange implements state.Store.
func (s *Store) DeleteRange(lo, hi []byte) error {
	return s.wrote(s.batch.DeleteRange(lo, hi, nil))
}

func (s *Store) wrote(err error) error {
	if err != nil {
		return s.explain(err)
	}
	if s.batch.Len() < batchBytesMax {
		return nil
	}
	return s.commit()
}

// commit makes the batch visible to reads, and waits while the background is far behind.
func (s *Store) commit() error {
	if s.batch.Empty() {
		return nil
	}
	if err := s.check(); err != nil {
		return err
	}
	s.unchecked += s.batch.Len() // before the commit, which may take the bytes away
	if err := s.batch.Commit(pebble.NoSync); err != nil {
		return s.explain(err)
	}
	s.batch.Reset()
	if s.unchecked < batchBytesMax {
		return nil
	}
	s.unchecked = 0
	for s.behind() {
		select {
		case <-s.progress:
		case <-time.After(lookAgain):
		}
		if err := s.check(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) behind() bool {
	m := s.db.Metrics()
	return m.MemTable.Size > s.memtablesBytes || m.Levels[0].Sublevels > sublevelsMax
}

// Iterate implements state.Store.
func (s *Store) Iterate(lo, hi []byte) (state.StoreIterator, error) {
	if err := s.commit(); err != nil {
		return nil, err
	}
	return iterate(s.db, lo, hi)
}

// Snapshot implements state.Store.
func (s *Store) Snapshot() (state.StoreSnapshot, error) {
	if err := s.commit(); err != nil {
		return nil, err
	}
	return snapshot{s.db.NewSnapshot()}, nil
}

// Close implements state.Store.
func (s *Store) Close() error {
	err := errors.Join(s.batch.Close(), s.db.Close())
	s.cache.Unref()
	if err = errors.Join(err, s.fs.RemoveAll(s.dir)); err != nil {
		return fmt.Errorf("closing local state in %s: %w", s.dir, err)
	}
	return nil
}

type snapshot struct{ s *pebble.Snapshot }

func (s snapshot) Iterate(lo, hi []byte) (state.StoreIterator, error) { return iterate(s.s, lo, hi) }
func (s snapshot) Close() error                                       { return s.s.Close() }

func iterate(r pebble.Reader, lo, hi []byte) (state.StoreIterator, error) {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: lo, UpperBound: hi})
	if err != nil {
		return nil, err
	}
	return &iterator{it: it}, nil
}

type iterator struct {
	it      *pebble.Iterator
	started bool
	err     error
}

func (i *iterator) Next() bool {
	ok := false
	if i.started {
		ok = i.it.Next()
	} else {
		i.started, ok = true, i.it.First()
	}
	if ok {
		_, i.err = i.it.ValueAndErr()
	}
	return ok && i.err == nil
}

func (i *iterator) Key() []byte { return i.it.Key() }

func (i *iterator) Value() []byte {
	v, _ := i.it.ValueAndErr() // Next has seen the error
	return v
}

func (i *iterator) Close() error { return errors.Join(i.err, i.it.Close()) }
