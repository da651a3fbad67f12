package file

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/format"
)

// Sink writes records into files below dir, exactly once.
//
// A file is written under a hidden name (it begins with a dot), closed when it is rolled, made durable before the checkpoint that
// contains it is acknowledged, and renamed to its final name once that checkpoint is complete: whoever reads the files whose names
// do not begin with a dot sees each record once, whatever crashes. Names are part-<subtask>-<attempt>-<n><suffix>.
//
// A directory may hold the files of other sinks and jobs and of earlier runs; they are left alone.
//
// Finished files must stay where they are until the checkpoint after the one that finished them is complete; a reader that takes
// them away earlier makes a recovery report them lost.
func Sink[T any](dir string, f format.Format[T], opts ...SinkOption) flott.Sink[T] {
	return &sink[T]{target: newTarget(dir, f, opts), format: f}
}

// target is a directory to write into and how: what sinks of values and of columns share. It is immutable.
type target struct {
	dir     string
	records records
	cfg     sinkConfig
	disk    disk
	spawn   func(func()) // runs closing of files in the background
}

// records is what a target needs of a format.
type records interface {
	Name() string
	Header() []byte
	Separator() []byte
}

func newTarget(dir string, f records, opts []SinkOption) target {
	s := target{dir: dir, records: f, disk: localDisk{}, spawn: func(f func()) { go f() }}
	s.cfg = sinkConfig{rollBytes: DefaultRollBytes, rollOnCheckpoint: true, suffix: "." + f.Name()}
	for _, o := range opts {
		o(&s.cfg)
	}
	if s.cfg.compression != None || s.cfg.whole != nil {
		s.cfg.rollOnCheckpoint = true
	}
	return s
}

// DefaultRollBytes is the size at which a file is finished and the next one begun.
const DefaultRollBytes = 128 << 20

// SinkOption changes how Sink writes.
type SinkOption func(*sinkConfig)

type sinkConfig struct {
	bucket           any // func(*T) string
	bucketLayout     string
	rollBytes        int64
	rollIntervalMs   int64
	rollInactivityMs int64
	rollOnCheckpoint bool
	compression      Compression
	suffix           string
	acknowledged     map[string]bool
	partitions       *PartitionCommit
	whole            format.FileFormat // of files that are written as a whole
	errs             []error
}

// Bucket puts each record into the sub-directory that f names: a relative path with forward slashes, no element of which begins
// with a dot; "" is the directory itself. At most 256 files are open per subtask: with more buckets at a time files get small.
func Bucket[T any](f func(*T) string) SinkOption {
	return func(c *sinkConfig) { c.bucket = f }
}

// BucketByTime puts records into sub-directories by processing time in UTC, in Go's layout: "2006-01-02/15" makes one an hour.
func BucketByTime(layout string) SinkOption {
	return func(c *sinkConfig) { c.bucketLayout = layout }
}

// RollSize finishes a file when it has reached sizeBytes.
func RollSize(sizeBytes int64) SinkOption {
	return func(c *sinkConfig) {
		if sizeBytes <= 0 {
			c.errs = append(c.errs, fmt.Errorf("RollSize(%d): the size must be positive", sizeBytes))
		}
		c.rollBytes = sizeBytes
	}
}

// RollInterval finishes a file when it has been open for d.
func RollInterval(d time.Duration) SinkOption {
	return func(c *sinkConfig) { c.rollIntervalMs = c.millis("RollInterval", d) }
}

// RollInactivity finishes a file when nothing was written to it for d.
func RollInactivity(d time.Duration) SinkOption {
	return func(c *sinkConfig) { c.rollInactivityMs = c.millis("RollInactivity", d) }
}

// RollOnCheckpoint says whether every checkpoint finishes all files (the default: what was written is visible one checkpoint
// later), or files go on over checkpoints until size, interval or inactivity end them: fewer and larger files, seen later. Savepoints
// and the end of the input always finish all files.
func RollOnCheckpoint(on bool) SinkOption {
	return func(c *sinkConfig) { c.rollOnCheckpoint = on }
}

// Compress compresses files and adds .gz or .zst to their names. Every checkpoint then finishes all files.
func Compress(by Compression) SinkOption {
	return func(c *sinkConfig) {
		if by > Zstd {
			c.errs = append(c.errs, fmt.Errorf("Compress(%d): unknown compression", by))
			return
		}
		c.compression = by
	}
}

// Suffix is the end of the files' names instead of "." and the format's name.
func Suffix(suffix string) SinkOption {
	return func(c *sinkConfig) {
		if strings.ContainsAny(suffix, "/\\\x00") {
			c.errs = append(c.errs, fmt.Errorf("Suffix(%q): must not contain a slash, a backslash or a zero byte", suffix))
		}
		c.suffix = suffix
	}
}

// AcknowledgeLost names finished files, relative to the directory, as an error listed them, whose loss is accepted: a recovery goes on
// without them.
func AcknowledgeLost(files ...string) SinkOption {
	return func(c *sinkConfig) {
		if c.acknowledged == nil {
			c.acknowledged = map[string]bool{}
		}
		for _, f := range files {
			c.acknowledged[filepath.ToSlash(f)] = true
		}
	}
}

func (c *sinkConfig) millis(option string, d time.Duration) int64 {
	if d < time.Millisecond {
		c.errs = append(c.errs, fmt.Errorf("%s(%v): must be at least 1 ms", option, d))
	}
	return d.Milliseconds()
}

// sink implements flott.Sink, Committer and Recoverer. It is immutable.
type sink[T any] struct {
	target
	format format.Format[T]
}

var (
	_ flott.Sink[int] = (*sink[int])(nil)
	_ flott.Committer = (*sink[int])(nil)
	_ flott.Recoverer = (*sink[int])(nil)
	_ flott.Ticker    = (*writer[int])(nil)
)

// Check reports bad options, a format that cannot write T, and a directory that cannot be written.
func (s *sink[T]) Check() error {
	errs := s.check()
	if s.cfg.bucket != nil {
		if _, ok := s.cfg.bucket.(func(*T) string); !ok {
			var v T
			errs = append(errs, fmt.Errorf("Bucket takes a %T, but the records are %T", s.cfg.bucket, v))
		}
		if s.cfg.bucketLayout != "" {
			errs = append(errs, errors.New("Bucket and BucketByTime exclude each other"))
		}
	}
	if err := s.format.Check(); err != nil {
		errs = append(errs, err)
	}
	return s.problems(errs)
}

func (s *target) problems(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("file sink into %s: %w", s.dir, errors.Join(errs...))
}

func (s *target) check() []error {
	errs := slices.Clone(s.cfg.errs)
	if s.dir == "" {
		errs = append(errs, errors.New("the directory is empty"))
	} else if err := s.checkDir(); err != nil {
		errs = append(errs, err)
	}
	return errs
}

// checkDir proves that the directory, or the nearest one above it that exists, can be written.
func (s *target) checkDir() error {
	dir, err := filepath.Abs(s.dir)
	if err != nil {
		return err
	}
	for {
		info, err := os.Stat(dir)
		switch {
		case errors.Is(err, os.ErrNotExist) && filepath.Dir(dir) != dir:
			dir = filepath.Dir(dir)
			continue
		case err != nil:
			return advise(err)
		case !info.IsDir():
			return fmt.Errorf("%s is not a directory", dir)
		}
		if err := s.disk.Probe(dir); err != nil {
			return advise(err)
		}
		return nil
	}
}

// Commit renames hidden files to their final names.
func (s *target) Commit(ctx context.Context, committables [][]byte) error {
	var dirs []string
	var lost []error
	var complete []pending
	for _, c := range committables {
		if err := ctx.Err(); err != nil {
			return err
		}
		p, err := decodePending(c)
		if err != nil {
			return err
		}
		if p.Partition {
			complete = append(complete, p)
			continue
		}
		err = s.commit(p)
		var l *lostError
		switch {
		case errors.As(err, &l):
			if !s.cfg.acknowledged[p.Final] {
				lost = append(lost, err)
			}
			continue
		case err != nil:
			return fmt.Errorf("finishing %s: %w", s.at(p.Final), err)
		}
		dirs = append(dirs, filepath.Dir(s.at(p.Final)))
	}
	for _, d := range distinct(dirs) {
		if err := s.disk.SyncDir(d); err != nil {
			return fmt.Errorf("making the names of finished files durable: %w", advise(err))
		}
	}
	if len(lost) > 0 {
		return flott.Permanent(errors.Join(lost...))
	}
	return s.tell(complete)
}

// lostError says that records of a complete checkpoint are gone (A11.5).
type lostError struct{ text string }

func (e *lostError) Error() string { return e.text }

// commit is idempotent: a rename is atomic, so exactly one of the two names exists, and the final one means that it was done.
func (s *target) commit(p pending) error {
	size, hidden, err := s.disk.Size(s.at(p.Hidden))
	if err != nil {
		return advise(err)
	}
	_, finished, err := s.disk.Size(s.at(p.Final))
	if err != nil {
		return advise(err)
	}
	switch {
	case !hidden && finished:
		return nil
	case !hidden:
		return s.lost(p, "neither %s nor %s exists", s.at(p.Hidden), s.at(p.Final))
	case size < p.Length:
		return s.lost(p, "%s has %d bytes, the checkpoint recorded %d", s.at(p.Hidden), size, p.Length)
	case size > p.Length:
		return flott.Permanent(fmt.Errorf("%s has %d bytes, the checkpoint recorded %d: another run of the job, restored from an older checkpoint, "+
			"has written to it; restore from that run's checkpoints", s.at(p.Hidden), size, p.Length))
	case finished:
		return flott.Permanent(fmt.Errorf("%s exists already beside %s: move one of them away", s.at(p.Final), s.at(p.Hidden)))
	}
	if err := s.disk.Rename(s.at(p.Hidden), s.at(p.Final)); err != nil {
		return advise(err)
	}
	return nil
}

func (s *target) lost(p pending, text string, args ...any) error {
	moved := ""
	if p.Dir != s.dir {
		moved = fmt.Sprintf(" (it was written when the sink's directory was %s)", p.Dir)
	}
	return &lostError{fmt.Sprintf("%d records of checkpoint %d are lost: %s%s. If something took the finished file away, put it back, or accept "+
		"with file.AcknowledgeLost(%q)", p.Records, p.Checkpoint, fmt.Sprintf(text, args...), moved, p.Final)}
}

// lockWait bounds how long a recovery waits for the last attempt's goroutines to let go of a file.
const (
	lockWaitMs      = 5000
	lockWaitPollMs  = 50
	lockWaitTriesNr = lockWaitMs / lockWaitPollMs
)

// Recover commits what the restored checkpoint contains, then removes the unfinished files of this sink that it does not name: what
// was written after it.
func (s *target) Recover(ctx context.Context, r flott.Recovery) error {
	if err := s.makeDir(); err != nil {
		return fmt.Errorf("making the directory of the file sink %s: %w", s.dir, advise(err))
	}
	if err := s.disk.Probe(s.dir); err != nil {
		return fmt.Errorf("file sink into %s: %w", s.dir, advise(err))
	}
	if err := s.Commit(ctx, r.Committables); err != nil {
		return fmt.Errorf("committing again what the restored checkpoint contains: %w", err)
	}
	named := map[string]bool{}
	for _, state := range r.States {
		st, err := decodeState(state)
		if err != nil {
			return err
		}
		for _, f := range st.Files {
			named[s.at(f.Hidden)] = true
		}
	}
	return s.removeLeftovers(ctx, owner(r.JobID, r.UID), named)
}

// makeDir makes the sink's directory durable. One that exists may be what an attempt made that crashed before it was: everything above is
// synced too, as far as we may.
func (s *target) makeDir() error {
	if err := s.disk.MkdirAll(s.dir); err != nil {
		return err
	}
	dir, err := filepath.Abs(s.dir)
	if err != nil {
		return err
	}
	for ; ; dir = filepath.Dir(dir) {
		if err := s.disk.SyncDir(dir); err != nil && !errors.Is(err, os.ErrPermission) {
			return err
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// removeLeftovers takes every lock before it removes anything: one file that a living process writes means that none is a leftover.
func (s *target) removeLeftovers(ctx context.Context, owner string, named map[string]bool) error {
	var leftovers []string
	err := s.disk.Walk(s.dir, func(path string) error {
		if ownedBy(filepath.Base(path), owner) && !named[path] {
			leftovers = append(leftovers, path)
		}
		return ctx.Err()
	})
	if err != nil {
		return fmt.Errorf("looking for unfinished files in %s: %w", s.dir, advise(err))
	}
	for _, path := range leftovers {
		h, err := s.continueFile(ctx, path)
		if err != nil {
			return fmt.Errorf("taking over the unfinished file %s: %w", path, err)
		}
		if err := h.Close(); err != nil {
			return fmt.Errorf("taking over the unfinished file %s: %w", path, err)
		}
	}
	for _, path := range leftovers {
		if err := s.disk.Remove(path); err != nil {
			return fmt.Errorf("removing the unfinished file %s: %w", path, advise(err))
		}
	}
	return nil
}

// continueFile opens and locks an unfinished file, waiting a little for the last attempt to let go of it.
func (s *target) continueFile(ctx context.Context, path string) (handle, error) {
	for try := 0; ; try++ {
		h, err := s.disk.Continue(path)
		if !errors.Is(err, errLocked) || try == lockWaitTriesNr {
			return h, advise(err)
		}
		wait := time.NewTimer(lockWaitPollMs * time.Millisecond)
		select {
		case <-ctx.Done():
			wait.Stop()
			return nil, ctx.Err()
		case <-wait.C:
		}
	}
}

// at is the path of a file of the sink.
func (s *target) at(rel string) string { return filepath.Join(s.dir, filepath.FromSlash(rel)) }

// distinct returns the different elements in order.
func distinct(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}
