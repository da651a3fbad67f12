package blob

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// Delete removes a checkpoint: its manifest first, durably, so that no half checkpoint looks like a whole one, then its files, then the
// directory. Files for which live returns true (other checkpoints need them) stay, and the directory with them. It may be called
// again after an error and goes on where it stopped; what is gone already is no error, anything else is (✗ FLINK-26450). live may be
// nil.
func (s *Store) Delete(dir string, live func(name string) bool) error {
	if err := s.ownDir(dir); err != nil {
		return fmt.Errorf("deleting %s: %w", dir, err)
	}
	manifest := path.Join(dir, ManifestName)
	switch err := s.disk.Remove(manifest); {
	case err == nil:
		if err := s.disk.SyncDir(dir); err != nil {
			return fmt.Errorf("deleting %s: making the removal of its manifest durable: %w", dir, err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("deleting %s: %w", dir, err)
	}
	if err := s.empty(dir, live); err != nil {
		return fmt.Errorf("deleting %s: %w", dir, err)
	}
	return nil
}

// ownDir refuses a directory that has become a link: what is behind it is somebody else's, and would be emptied.
func (s *Store) ownDir(dir string) error {
	entries, err := s.disk.List(path.Dir(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name == path.Base(dir) && (e.Link || !e.Dir) {
			return errors.New("it is a link or a file, not the directory that was made; nothing behind it is touched")
		}
	}
	return nil
}

// Forget removes what Note has written; it is no error if there is nothing.
func (s *Store) Forget(dir, name string) error {
	if err := s.disk.Remove(path.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing %s: %w", path.Join(dir, name), err)
	}
	return nil
}

// SweepNotes removes what a crash left of a file that Replace or Note was writing. The caller sees to it that none is being written.
func (s *Store) SweepNotes(dir string) (removed []string, err error) {
	removed, err = s.sweepTemporary(dir)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return removed, err
}

// empty removes the files of a directory and, if nothing is left, the directory.
func (s *Store) empty(dir string, live func(name string) bool) error {
	entries, err := s.disk.List(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	kept := false
	for _, e := range entries {
		name := path.Join(dir, e.Name)
		switch {
		case live != nil && live(name):
			kept = true
		case e.Dir && !e.Link:
			errs = append(errs, fmt.Errorf("%s is a directory; nothing here makes one, so it is left alone", name))
		default:
			if err := s.disk.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	if kept || len(errs) > 0 {
		return errors.Join(errs...)
	}
	if err := s.disk.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// The removal need not be durable: a directory without a manifest that comes back after a power cut is swept.
	return nil
}

// Keep says what a sweep leaves alone.
type Keep struct {
	// Live reports whether a retained manifest refers to a file; nil: none does.
	Live func(name string) bool
	// Pending reports whether checkpoint id belongs to the running attempt and may still become complete; nil: none does.
	Pending func(id int64) bool
}

// Sweep removes what crashes left in a job's directory: temporary files, and chk-n without a manifest that is not pending. It returns what
// it removed. Complete checkpoints are never touched but for temporary files in them.
func (s *Store) Sweep(jobDir string, keep Keep) (removed []string, err error) {
	found, err := s.Checkpoints(jobDir)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, f := range found {
		if keep.Pending != nil && keep.Pending(f.ID) {
			continue
		}
		if !f.Complete {
			if err := s.Delete(f.Dir, keep.Live); err != nil {
				errs = append(errs, err)
			} else {
				removed = append(removed, f.Dir)
			}
			continue
		}
		if s.ownDir(f.Dir) != nil {
			continue // moved away by the user, who has left a link
		}
		names, err := s.sweepTemporary(f.Dir)
		removed = append(removed, names...)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return removed, fmt.Errorf("sweeping %s: %w", jobDir, err)
	}
	return removed, nil
}

func (s *Store) sweepTemporary(dir string) (removed []string, err error) {
	entries, err := s.disk.List(dir)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, e := range entries {
		if e.Dir || !IsTemporary(e.Name) {
			continue
		}
		name := path.Join(dir, e.Name)
		if err := s.disk.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
			continue
		}
		removed = append(removed, name)
	}
	return removed, errors.Join(errs...)
}

// IsTemporary reports whether a file's name marks it as being written.
func IsTemporary(name string) bool { return strings.HasPrefix(name, tempPrefix) }

// Discard removes what was written for a checkpoint that was given up. It refuses if there is a manifest: then it is complete.
func (s *Store) Discard(dir string) error {
	if err := s.ownDir(dir); err != nil {
		return fmt.Errorf("discarding %s: %w", dir, err)
	}
	c, err := s.disk.Open(path.Join(dir, ManifestName))
	switch {
	case err == nil:
		return errors.Join(fmt.Errorf("discarding %s: it has a manifest, so it is complete", dir), c.Close())
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("discarding %s: %w", dir, err)
	}
	if err := s.empty(dir, nil); err != nil {
		return fmt.Errorf("discarding %s: %w", dir, err)
	}
	return nil
}
