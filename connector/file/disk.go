package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// disk is what the sink does to a file system, so that tests can put crashes, full disks and lost writes between any two steps.
// Paths are those of the operating system.
type disk interface {
	MkdirAll(dir string) error
	// Probe proves that files can be created in dir, and leaves nothing behind.
	Probe(dir string) error
	// Create makes a file that must not exist, and locks it.
	Create(path string) (handle, error)
	// Continue opens an existing file for appending, and locks it. errLocked if another process holds it.
	Continue(path string) (handle, error)
	// Size returns the size of a regular file; ok is false if there is nothing of that name.
	Size(path string) (size int64, ok bool, err error)
	Rename(from, to string) error
	Remove(path string) error
	SyncDir(dir string) error
	// Walk calls visit for the path of every regular file below dir, links not followed. What cannot be listed is passed over:
	// nothing of ours is where we may not look.
	Walk(dir string, visit func(path string) error) error
}

// handle is an open, locked file that is appended to.
type handle interface {
	Write(p []byte) (int, error)
	ReadAt(p []byte, off int64) (int, error)
	Size() (int64, error)
	// Truncate cuts the file and goes on appending there.
	Truncate(size int64) error
	Sync() error
	// Close releases the lock. It syncs nothing.
	Close() error
}

// errLocked says that a living process writes the file.
var errLocked = errors.New("another running job writes it")

// localDisk is the file system of this machine.
type localDisk struct{}

func (localDisk) MkdirAll(dir string) error { return os.MkdirAll(dir, 0o777) }

func (localDisk) Probe(dir string) error { return probe(dir) }

func (localDisk) Create(path string) (handle, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o666)
	if err != nil {
		return nil, err
	}
	return lockOrClose(f)
}

func (localDisk) Continue(path string) (handle, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|noFollow, 0)
	if err != nil {
		return nil, err
	}
	return lockOrClose(f)
}

func lockOrClose(f *os.File) (handle, error) {
	if err := lock(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return localFile{f}, nil
}

func (localDisk) Size(path string) (int64, bool, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, false, nil
	case err != nil:
		return 0, false, err
	case !info.Mode().IsRegular():
		return 0, false, fmt.Errorf("%s is not a regular file (%s)", path, info.Mode())
	}
	return info.Size(), true, nil
}

func (localDisk) Rename(from, to string) error { return os.Rename(from, to) }

func (localDisk) Remove(path string) error { return os.Remove(path) }

func (localDisk) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) {
		err = nil // file systems that cannot sync a directory keep their entries durable themselves
	}
	return errors.Join(err, d.Close())
}

func (localDisk) Walk(dir string, visit func(path string) error) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil && entry != nil && entry.IsDir() && path != dir:
			return filepath.SkipDir
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case entry.Type().IsRegular():
			return visit(path)
		}
		return nil
	})
}

// localFile is an *os.File behind handle.
type localFile struct{ *os.File }

func (f localFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// advise adds to an error of the operating system what can be done about it.
func advise(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: free space there, then the job goes on from its last checkpoint without loss", err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: mount it writable or choose another directory", err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: give this user (uid %d) the right to create files there, or choose another directory", err, os.Getuid())
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return fmt.Errorf("%w: raise the limit of open files (ulimit -n)", err)
	}
	return err
}
