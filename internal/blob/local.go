package blob

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
)

// Local is the machine's own file system, or one that is mounted. The zero Local is ready.
type Local struct{}

var _ Disk = Local{}

type localFile struct {
	*os.File
	name    string
	written atomic.Int64
}

// Create makes a new file.
func (Local) Create(name string) (File, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, explain(err, name, 0)
	}
	return &localFile{File: f, name: name}, nil
}

func (f *localFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	f.written.Add(int64(n))
	return n, explain(err, f.name, int64(len(p)-n))
}

func (f *localFile) Sync() error { return explain(f.File.Sync(), f.name, 0) }

type localContent struct {
	*os.File
	size int64
}

func (c *localContent) Size() int64 { return c.size }

// Open opens a file for reading. What is no file is an error before it is opened: opening a pipe waits for its writer.
func (Local) Open(name string) (Content, error) {
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: fmt.Errorf("expected a file, found %s", kindOf(info.Mode()))}
	}
	if errors.Is(err, syscall.ENOTDIR) {
		err = &fs.PathError{Op: "open", Path: name, Err: fmt.Errorf("%w: what should be its directory is a file", fs.ErrNotExist)}
	}
	if err != nil {
		return nil, explain(err, name, 0)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, explain(err, name, 0)
	}
	if info, err = f.Stat(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &localContent{f, info.Size()}, nil
}

// kindOf names what is no regular file.
func kindOf(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a directory"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	}
	return fmt.Sprintf("a special file (%v)", m)
}

// Rename moves a file within a directory.
func (Local) Rename(from, to string) error { return explain(os.Rename(from, to), to, 0) }

// Remove removes a file or an empty directory.
func (Local) Remove(name string) error { return explain(os.Remove(name), name, 0) }

// Mkdir makes one directory.
func (Local) Mkdir(name string) error { return explain(os.Mkdir(name, 0o755), name, 0) }

// List returns what is in a directory. A symbolic link counts as what it leads to, if there is something.
func (Local) List(name string) ([]Entry, error) {
	files, err := os.ReadDir(name)
	if err != nil {
		return nil, explain(err, name, 0)
	}
	entries := make([]Entry, 0, len(files))
	for _, f := range files {
		info, err := f.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed between the two calls
		}
		if err != nil {
			return nil, explain(err, filepath.Join(name, f.Name()), 0)
		}
		link := info.Mode()&fs.ModeSymlink != 0
		if link {
			if target, err := os.Stat(filepath.Join(name, f.Name())); err == nil {
				info = target
			}
		}
		entries = append(entries, Entry{Name: f.Name(), Dir: info.IsDir(), Link: link, Bytes: info.Size()})
	}
	return entries, nil
}

// SyncDir makes what happened in a directory durable.
func (Local) SyncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return explain(err, name, 0)
	}
	return errors.Join(explain(d.Sync(), name, 0), d.Close())
}

// maxOwnerBytes bounds what is read of a lock file.
const maxOwnerBytes = 1 << 10

// Lock takes an advisory lock (flock), which the kernel gives back when the process ends, however it ends. The file stays: removing
// it would let two processes hold locks on two files of one name.
func (Local) Lock(name, owner string) (func() error, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, explain(err, name, 0)
	}
	if err := tryLock(f); err != nil {
		defer f.Close()
		if !errors.Is(err, errHeld) {
			return nil, fmt.Errorf("locking %s: %w", name, err)
		}
		text, _ := io.ReadAll(io.LimitReader(f, maxOwnerBytes))
		holder := strings.TrimSpace(string(text))
		if holder == "" {
			holder = "it has not said which yet"
		}
		return nil, &LockedError{Name: name, Owner: holder}
	}
	if err := writeOwner(f, owner); err != nil {
		return nil, errors.Join(explain(err, name, int64(len(owner))), f.Close())
	}
	return f.Close, nil
}

func writeOwner(f *os.File, owner string) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(owner+"\n"), 0)
	return err
}

// explain adds to an error of the file system what somebody needs who must repair it: the disk, the path, the bytes, the user.
func explain(err error, name string, needBytes int64) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		need := ""
		if needBytes > 0 {
			need = fmt.Sprintf("; %d more bytes were needed at once", needBytes)
		}
		return fmt.Errorf("%s: the disk is full%s%s; free space there or choose another directory: %w", name, need, describeDisk(name), err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: user %d may not do this in directory %s: %w", name, os.Getuid(), filepath.Dir(name), err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%s: the file system is mounted read-only%s: %w", name, describeDisk(name), err)
	}
	return err
}

// describeDisk returns the free space of the disk that holds name, for an error's text; empty if it cannot be told.
func describeDisk(name string) string {
	for dir := filepath.Dir(name); ; dir = filepath.Dir(dir) {
		if free, total, ok := diskSpace(dir); ok {
			return fmt.Sprintf(" (disk of %s: %d of %d bytes free)", dir, free, total)
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}
