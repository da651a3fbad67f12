//go:build !unix

package blob

import (
	"errors"
	"os"
)

var errHeld = errors.New("held by another process")

// tryLock refuses: without a lock two processes could run one job on one directory.
func tryLock(*os.File) error { return errors.New("file locks are not supported on this system") }

func diskSpace(string) (free, total uint64, ok bool) { return 0, 0, false }
