package pebblestate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sys/unix"
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
	for _, e := range entries {
		rest, ours := strings.CutPrefix(e.Name(), prefix)
		number, _, _ := strings.Cut(rest, "-")
		pid, e2 := strconv.Atoi(number)
		// Locks do not hold against the process that has them.
		if !ours || !e.IsDir() || e2 != nil || pid == os.Getpid() {
			continue
		}
		dir := filepath.Join(parent, e.Name())
		if !isDead(dir, pid) {
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

// isDead reports whether nobody has the store in dir open. A folder without a lock is one that is just being made, or that its owner or
// another sweep was removing when it was killed: then the process number decides.
func isDead(dir string, pid int) bool {
	name := filepath.Join(dir, "db", "LOCK")
	if _, err := os.Stat(name); err != nil {
		return errors.Is(unix.Kill(pid, 0), unix.ESRCH)
	}
	lock, err := vfs.Default.Lock(name)
	return err == nil && lock.Close() == nil
}
