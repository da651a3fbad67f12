package pebblestate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// prefix is what the names of stores' folders begin with; the process's number follows.
const prefix = "flott-state-"

// Folder is the name of a store's folder below a directory for temporary files. name must be unique within the process.
func Folder(parent, name string) string {
	return filepath.Join(parent, fmt.Sprintf("%s%d-%s", prefix, os.Getpid(), name))
}

// Sweep removes the stores that dead processes have left below parent. A store whose lock is held belongs to a living process, also one that
// sees other process numbers.
func Sweep(parent string) (removed int, err error) {
	entries, err := os.ReadDir(parent)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	own := strconv.Itoa(os.Getpid())
	for _, e := range entries {
		rest, ours := strings.CutPrefix(e.Name(), prefix)
		pid, _, _ := strings.Cut(rest, "-")
		// Locks do not hold against the process that has them.
		if !ours || !e.IsDir() || pid == own {
			continue
		}
		dir := filepath.Join(parent, e.Name())
		if !isDead(dir) {
			continue
		}
		if e := os.RemoveAll(dir); e != nil {
			err = errors.Join(err, fmt.Errorf("removing the local state %s of a process that is gone: %w", dir, e))
			continue
		}
		removed++
	}
	return removed, err
}

// isDead reports whether dir is a store that nobody has open.
func isDead(dir string) bool {
	if _, err := os.Stat(filepath.Join(dir, marker)); err != nil {
		return false // not a store, or one that is just being made
	}
	lock, err := vfs.Default.Lock(filepath.Join(dir, "db", "LOCK"))
	if errors.Is(err, os.ErrNotExist) {
		return true // killed before the database was there
	}
	if err != nil {
		return false
	}
	return lock.Close() == nil
}
