// Package file reads records from files and writes them into files, exactly once.
//
// The source finds files by pattern, cuts large ones into splits and reads them from the position that a checkpoint recorded. The
// sink writes hidden files and renames them when the checkpoint that contains them is complete. Both work on the file systems of this
// machine (or those mounted there).
//
// It imports public packages only, never the engine's.
package file

import (
	"errors"
	"fmt"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/format"
)

// Source reads the records of all files that the pattern matches: a file, a directory, or a pattern as in "logs/*.json" and
// "logs/**/*.json" (see path.Match; "**" is any number of directories). Files whose names end in .gz and .zst are decompressed. More
// patterns: option Patterns.
//
// It is bounded (every file that exists at the start is read once) unless Monitor is given. Files are read in the order of their
// paths, several at a time when there are several subtasks, so that records of different files mix.
//
// A file must stay and not change until it is read; if it vanishes, shrinks or is replaced, the job fails naming it. Lines appended
// after it was found are not read.
func Source[T any](pattern string, f format.Format[T], opts ...SourceOption) flott.Source[T] {
	s := &source[T]{format: f}
	s.cfg = sourceConfig{patterns: []string{pattern}, splitBytes: DefaultSplitBytes}
	for _, o := range opts {
		o(&s.cfg)
	}
	return s
}

// DefaultSplitBytes is the size of the pieces that large files are read in.
const DefaultSplitBytes = 64 << 20

// SourceOption changes how Source reads.
type SourceOption func(*sourceConfig)

type sourceConfig struct {
	patterns   []string
	splitBytes int64
	monitorMs  int64
	allowNone  bool
	filter     func(path string) bool
	errs       []error
}

// Patterns adds files, directories and patterns. A file matched by several is read once.
func Patterns(more ...string) SourceOption {
	return func(c *sourceConfig) { c.patterns = append(c.patterns, more...) }
}

// SplitSize cuts plain files into pieces of sizeBytes that subtasks read side by side. Compressed files, and formats that cannot be
// entered in the middle, are read whole.
func SplitSize(sizeBytes int64) SourceOption {
	return func(c *sourceConfig) {
		if sizeBytes <= 0 {
			c.errs = append(c.errs, fmt.Errorf("SplitSize(%d): the size must be positive", sizeBytes))
		}
		c.splitBytes = sizeBytes
	}
}

// AllowNone makes it no error that no file matches: the source is then empty.
func AllowNone() SourceOption {
	return func(c *sourceConfig) { c.allowNone = true }
}

// Filter leaves out files for whose path f is false. f is called on another goroutine than everything else, and after every restart for new files.
func Filter(f func(path string) bool) SourceOption {
	return func(c *sourceConfig) { c.filter = f }
}

// Monitor looks for new files every interval; the source then never ends. A file is read once under its path, as it is when
// it is found: write it elsewhere (or under a name that does not match) and rename it. The paths of all files read are kept in
// the checkpoints.
func Monitor(interval time.Duration) SourceOption {
	return func(c *sourceConfig) {
		if interval < time.Millisecond {
			c.errs = append(c.errs, fmt.Errorf("Monitor(%v): must be at least 1 ms", interval))
		}
		c.monitorMs = max(1, interval.Milliseconds())
	}
}

// source implements flott.Source. It is immutable.
type source[T any] struct {
	format format.Format[T]
	cfg    sourceConfig
}

var (
	_ flott.Source[int] = (*source[int])(nil)
	_ flott.SplitNamer  = (*reader[int])(nil)
	_ flott.Progressor  = (*reader[int])(nil)
)

// Check implements flott.Source. Files are looked for by the enumerator: they need not exist where the job is submitted.
func (s *source[T]) Check() error {
	errs := s.cfg.check()
	if err := s.format.Check(); err != nil {
		errs = append(errs, err)
	}
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("file source %s: %w", s.cfg.patterns[0], errors.Join(errs...))
}

func (c *sourceConfig) check() []error {
	errs := append([]error(nil), c.errs...)
	for _, p := range c.patterns {
		if err := checkPattern(p); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// Bounded implements flott.Source.
func (s *source[T]) Bounded() bool { return s.cfg.monitorMs == 0 }

// NewEnumerator implements flott.Source.
func (s *source[T]) NewEnumerator(ctx flott.EnumeratorContext, restored []byte) (flott.Enumerator, error) {
	return newEnumerator(ctx, s.cfg, s.format.Splittable(), restored)
}

func newEnumerator(ctx flott.EnumeratorContext, cfg sourceConfig, cuttable bool, restored []byte) (flott.Enumerator, error) {
	e := &enumerator{ctx: ctx, cfg: cfg, cuttable: cuttable, waiting: map[int]bool{}}
	if len(restored) == 0 {
		return e, nil
	}
	if err := e.restore(restored); err != nil {
		return nil, fmt.Errorf("restoring the file source %s: %w", cfg.patterns[0], err)
	}
	return e, nil
}

// NewReader implements flott.Source.
func (s *source[T]) NewReader(ctx flott.ReaderContext) (flott.Reader[T], error) {
	dec, err := s.format.NewDecoder()
	if err != nil {
		return nil, err
	}
	header, _ := dec.(format.HeaderDecoder)
	return &reader[T]{scan: scan{ctx: ctx, frames: s.format, header: header, number: -1}, dec: dec}, nil
}
