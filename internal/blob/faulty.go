package blob

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path"
	"strings"
	"sync"
	"syscall"
)

// Op is an operation on a disk. The set is closed.
type Op string

// The operations that can be made to fail.
const (
	OpCreate  Op = "create"
	OpWrite   Op = "write"
	OpSync    Op = "sync"
	OpClose   Op = "close"
	OpOpen    Op = "open"
	OpRead    Op = "read"
	OpRename  Op = "rename"
	OpRemove  Op = "remove"
	OpMkdir   Op = "mkdir"
	OpList    Op = "list"
	OpSyncDir Op = "syncdir"
	OpLock    Op = "lock"
)

// ErrCrashed is what every operation returns after the simulated process has died.
var ErrCrashed = errors.New("simulated crash")

// Fault makes an operation fail.
type Fault struct {
	Op Op
	// Match is a part of the path; empty matches all.
	Match string
	// Skip lets so many matching operations succeed first; then Times fail, 0 meaning all.
	Skip, Times int
	// Err is the error; nil is EIO.
	Err error
	// Short makes a write store the first half of its bytes before it fails.
	Short bool
}

// Faulty is a disk that fails as told. Its zero value with a Disk never fails. Set the fields before use.
type Faulty struct {
	Disk
	// SpaceBytes is how much may be written before the disk is full; 0: no limit. Removing does not free.
	SpaceBytes int64
	// CrashAfter is the number of operations after which every operation returns ErrCrashed; 0: never.
	CrashAfter int
	// Rate is the probability of EIO per operation, drawn from Rand.
	Rate float64
	Rand *rand.Rand

	mu struct {
		sync.Mutex
		faults  []Fault
		ops     int
		written int64
	}
}

var _ Disk = (*Faulty)(nil)

// Fail adds faults.
func (d *Faulty) Fail(faults ...Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mu.faults = append(d.mu.faults, faults...)
}

// Heal removes all faults, limits and the crash.
func (d *Faulty) Heal() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mu.faults, d.SpaceBytes, d.CrashAfter, d.Rate = nil, 0, 0, 0
}

// Ops returns the number of operations so far.
func (d *Faulty) Ops() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mu.ops
}

// check counts an operation and returns its error, with the number of bytes of a write that get through.
func (d *Faulty) check(op Op, name string, size int) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mu.ops++
	if d.CrashAfter > 0 && d.mu.ops > d.CrashAfter {
		return 0, ErrCrashed
	}
	for i := range d.mu.faults {
		f := &d.mu.faults[i]
		if f.Op != op || !strings.Contains(name, f.Match) || f.Times < 0 {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.Times == 1 {
			f.Times = -1
		} else if f.Times > 1 {
			f.Times--
		}
		err := f.Err
		if err == nil {
			err = syscall.EIO
		}
		through := 0
		if f.Short {
			through = size / 2
		}
		return through, fmt.Errorf("%s %s: %w", op, name, err)
	}
	if d.Rate > 0 && d.Rand.Float64() < d.Rate {
		return 0, fmt.Errorf("%s %s: %w", op, name, syscall.EIO)
	}
	if op == OpWrite && d.SpaceBytes > 0 {
		if free := d.SpaceBytes - d.mu.written; int64(size) > free {
			d.mu.written = d.SpaceBytes
			return int(free), explain(syscall.ENOSPC, name, int64(size)-free)
		}
	}
	d.mu.written += int64(size)
	return size, nil
}

type faultyFile struct {
	disk *Faulty
	name string
	File
}

func (f *faultyFile) Write(p []byte) (int, error) {
	through, err := f.disk.check(OpWrite, f.name, len(p))
	n, werr := f.File.Write(p[:through])
	return n, errors.Join(err, werr)
}

func (f *faultyFile) Sync() error {
	if _, err := f.disk.check(OpSync, f.name, 0); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *faultyFile) Close() error {
	_, err := f.disk.check(OpClose, f.name, 0)
	return errors.Join(err, f.File.Close())
}

type faultyContent struct {
	disk *Faulty
	name string
	Content
}

func (c *faultyContent) ReadAt(p []byte, off int64) (int, error) {
	if _, err := c.disk.check(OpRead, c.name, 0); err != nil {
		return 0, err
	}
	n, err := c.Content.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("reading %s: %w", c.name, err)
	}
	return n, err
}

// Create makes a new file.
func (d *Faulty) Create(name string) (File, error) {
	if _, err := d.check(OpCreate, name, 0); err != nil {
		return nil, err
	}
	f, err := d.Disk.Create(name)
	if err != nil {
		return nil, err
	}
	return &faultyFile{d, name, f}, nil
}

// Open opens a file for reading.
func (d *Faulty) Open(name string) (Content, error) {
	if _, err := d.check(OpOpen, name, 0); err != nil {
		return nil, err
	}
	c, err := d.Disk.Open(name)
	if err != nil {
		return nil, err
	}
	return &faultyContent{d, name, c}, nil
}

// Rename moves a file.
func (d *Faulty) Rename(from, to string) error {
	if _, err := d.check(OpRename, path.Base(from)+" -> "+to, 0); err != nil {
		return err
	}
	return d.Disk.Rename(from, to)
}

// Remove removes a file or an empty directory.
func (d *Faulty) Remove(name string) error {
	if _, err := d.check(OpRemove, name, 0); err != nil {
		return err
	}
	return d.Disk.Remove(name)
}

// Mkdir makes one directory.
func (d *Faulty) Mkdir(name string) error {
	if _, err := d.check(OpMkdir, name, 0); err != nil {
		return err
	}
	return d.Disk.Mkdir(name)
}

// List returns what is in a directory.
func (d *Faulty) List(name string) ([]Entry, error) {
	if _, err := d.check(OpList, name, 0); err != nil {
		return nil, err
	}
	return d.Disk.List(name)
}

// SyncDir makes what happened in a directory durable.
func (d *Faulty) SyncDir(name string) error {
	if _, err := d.check(OpSyncDir, name, 0); err != nil {
		return err
	}
	return d.Disk.SyncDir(name)
}

// Lock takes a lock.
func (d *Faulty) Lock(name, owner string) (func() error, error) {
	if _, err := d.check(OpLock, name, 0); err != nil {
		return nil, err
	}
	return d.Disk.Lock(name, owner)
}
