// Package blob stores checkpoints and savepoints on a file system: data files first, `_metadata` last, each durable before anybody is
// told (A15.2, A18.1), and verifies on every read what it stored (A15.10).
//
// It owns names, durability, digests, locks and deletion. It never decides which checkpoints exist, are kept or restored: that is
// internal/checkpoint, and the JobManager carries it out. It knows nothing of what is inside a data file.
//
//	disk.go    what is needed of a file system; three of them: Local, Memory (loses what was not synced), Faulty (fails as told)
//	store.go   writing: data files, manifests
//	read.go    reading: everything verified
//	delete.go  deleting a checkpoint, sweeping what a crash left
//	layout.go  names: <dir>/<job>/chk-n/_metadata, savepoint-<job>-<random>
//
// The JobManager, the TaskManager and the command line import it; it imports nothing of the engine.
package blob

import (
	"errors"
	"io"
)

// Disk is what storage needs of a file system. Names are paths with slashes. A missing file is fs.ErrNotExist, an existing one
// fs.ErrExist, as in package os. Any goroutine may call any method.
type Disk interface {
	// Create makes a new file; fs.ErrExist if there is one: no path is written twice (A1.5).
	Create(name string) (File, error)
	// Open opens a file for reading.
	Open(name string) (Content, error)
	// Rename moves a file within a directory, atomically.
	Rename(from, to string) error
	// Remove removes a file or an empty directory.
	Remove(name string) error
	// Mkdir makes one directory; fs.ErrExist if there is one.
	Mkdir(name string) error
	// List returns what is in a directory, by name.
	List(name string) ([]Entry, error)
	// SyncDir makes what was created, renamed and removed in a directory durable.
	SyncDir(name string) error
	// Lock takes the lock file name for this process, writing owner into it; release gives it back. A lock that is held is a
	// *LockedError with the holder's owner. The lock of a process that died is free.
	Lock(name, owner string) (release func() error, err error)
}

// File is a file being written.
type File interface {
	io.Writer
	// Sync makes what was written durable. After an error the file is lost: the pages may be marked clean (A18.1).
	Sync() error
	Close() error
}

// Content is a file being read.
type Content interface {
	io.ReaderAt
	io.Closer
	// Size is the length in bytes when it was opened.
	Size() int64
}

// Entry is a file or directory in a listing.
type Entry struct {
	Name string
	Dir  bool
	// Link says that it is a symbolic link; the other fields are of what it leads to, if there is something.
	Link bool
	// Bytes is a file's length.
	Bytes int64
}

// LockedError says who holds a lock.
type LockedError struct {
	Name, Owner string
}

func (e *LockedError) Error() string {
	return "locked by another process (" + e.Owner + "), lock file " + e.Name
}

// ErrUnknown marks a publication of which it is unknown whether it is durable (A2.9): nothing may be deleted and nobody told until it
// was read back.
var ErrUnknown = errors.New("it is unknown whether the manifest is durable")
