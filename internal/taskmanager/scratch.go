package taskmanager

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/flottio/flott/internal/blob"
)

// scratch is the directory of an attempt's local state. A process that is killed cannot remove its own, so that each new attempt removes those
// of attempts of the same job that nobody runs any more, whatever backend it has itself. Who runs one holds the lock on a file beside the directory:
//
//	flott-<job>-<attempt>.lock   made and locked first, removed last
//	flott-<job>-<attempt>/
type scratch struct {
	dir    string
	unlock func() error
}

const lockSuffix = ".lock"

// newScratch makes a directory for an attempt.
func newScratch(dir, jobID, attempt string) (*scratch, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making a directory for local state in %s (state.backend.rocksdb.localdir or io.tmp.dirs): %w", dir, err)
	}
	s := &scratch{dir: scratchPrefix(dir, jobID) + attempt}
	lock := s.dir + lockSuffix
	for s.unlock == nil {
		var err error
		if s.unlock, err = lockScratch(lock, attempt); err != nil {
			return nil, fmt.Errorf("making a directory for local state in %s (state.backend.rocksdb.localdir or io.tmp.dirs): %w", dir, err)
		}
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		err = fmt.Errorf("making a directory for local state in %s (state.backend.rocksdb.localdir or io.tmp.dirs): %w", dir, err)
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// lockScratch takes the lock of a lock file, made if need be. It returns nil for the moment in which somebody else has it, or has removed the
// file between its opening and the lock: then what was locked is no longer the file of that name. owner must be unique.
func lockScratch(lock, owner string) (unlock func() error, err error) {
	unlock, err = blob.Local{}.Lock(lock, owner)
	var held *blob.LockedError
	if errors.As(err, &held) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if text, err := os.ReadFile(lock); err == nil && strings.TrimSpace(string(text)) == owner {
		return unlock, nil
	}
	return nil, unlock()
}

func scratchPrefix(dir, jobID string) string {
	return filepath.Join(dir, "flott-"+jobID[:min(len(jobID), 12)]+"-")
}

// sweepScratch removes what attempts of the job have left below dir that nobody runs any more. attempt is who asks.
func sweepScratch(dir, jobID, attempt string) error {
	locks, err := filepath.Glob(escapeGlob(scratchPrefix(dir, jobID)) + "*" + lockSuffix)
	if err != nil {
		return fmt.Errorf("looking for local state that was left behind: %w", err)
	}
	for _, lock := range locks {
		unlock, err := lockScratch(lock, "swept for "+attempt)
		if err != nil {
			return fmt.Errorf("looking at local state that may have been left behind: %w", err)
		}
		if unlock == nil {
			continue // in use
		}
		dead := &scratch{dir: strings.TrimSuffix(lock, lockSuffix), unlock: unlock}
		if err := dead.close(); err != nil {
			return fmt.Errorf("removing local state that was left behind: %w", err)
		}
	}
	return nil
}

// escapeGlob takes the meaning from the characters of a pattern.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// close removes the directory, then gives up the lock.
func (s *scratch) close() error {
	return errors.Join(os.RemoveAll(s.dir), os.Remove(s.dir+lockSuffix), s.unlock())
}
