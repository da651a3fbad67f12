package file

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"syscall"
)

// memDisk is a file system in memory that can crash at any operation. A killed process keeps what the operating system was told; a power
// loss keeps what was synced and, by chance, some of the rest.
type memDisk struct {
	rng     *rand.Rand
	files   map[string]*memFile
	durable map[string]*memFile // names as of the last sync of their directory
	dirs    map[string]bool     // directory -> entry is durable
	// crashIn counts operations down to a crash; negative: none.
	crashIn int
	// freeBytes is the space left; negative: no limit.
	freeBytes int
	readOnly  bool
	syncErr   error
	opens     int
	maxOpens  int
}

type memFile struct {
	data   []byte
	synced []byte
	locked bool
}

type crashed struct{}

func newMemDisk(rng *rand.Rand) *memDisk {
	return &memDisk{rng: rng, files: map[string]*memFile{}, durable: map[string]*memFile{}, dirs: map[string]bool{"/": true}, crashIn: -1, freeBytes: -1}
}

// op is called before and after the effect of each operation.
func (d *memDisk) op() {
	if d.crashIn == 0 {
		panic(crashed{})
	}
	if d.crashIn > 0 {
		d.crashIn--
	}
}

// crash is what is left when the process is gone, or the power.
func (d *memDisk) crash(power bool) {
	d.crashIn, d.opens = -1, 0
	if power {
		d.losePower()
	}
	for _, f := range d.files {
		f.locked = false
	}
	d.durable = map[string]*memFile{}
	for name, f := range d.files {
		f.synced = bytes.Clone(f.data)
		d.durable[name] = f
	}
}

func (d *memDisk) losePower() {
	var dirs []string
	for dir := range d.dirs {
		dirs = append(dirs, dir)
	}
	sort.Strings(dirs) // parents first
	files := map[string]*memFile{}
	for _, dir := range dirs {
		if _, above := d.dirs[filepath.Dir(dir)]; !above || !d.dirs[dir] && d.rng.IntN(2) == 0 {
			delete(d.dirs, dir)
			continue
		}
		d.dirs[dir] = true
		from := d.durable
		if d.rng.IntN(2) == 0 {
			from = d.files
		}
		for name, f := range from {
			if filepath.Dir(name) == dir {
				files[name] = f
			}
		}
	}
	d.files = files
	var names []string
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		f := files[name]
		if bytes.HasPrefix(f.data, f.synced) {
			f.data = f.data[:len(f.synced)+d.rng.IntN(len(f.data)-len(f.synced)+1)]
		} else if d.rng.IntN(2) == 0 {
			f.data = f.synced
		}
	}
}

func (d *memDisk) MkdirAll(dir string) error {
	d.op()
	for ; ; dir = filepath.Dir(dir) {
		if _, ok := d.dirs[dir]; ok {
			break
		}
		d.dirs[dir] = false
	}
	d.op()
	return nil
}

func (d *memDisk) Probe(string) error {
	if d.readOnly {
		return syscall.EROFS
	}
	return nil
}

func (d *memDisk) Create(path string) (handle, error) {
	d.op()
	if d.readOnly {
		return nil, syscall.EROFS
	}
	if d.files[path] != nil {
		return nil, fs.ErrExist
	}
	if _, ok := d.dirs[filepath.Dir(path)]; !ok {
		return nil, fs.ErrNotExist
	}
	f := &memFile{locked: true}
	d.files[path] = f
	d.op()
	d.opened()
	return &memHandle{d, f, false}, nil
}

func (d *memDisk) opened() {
	d.opens++
	d.maxOpens = max(d.maxOpens, d.opens)
}

func (d *memDisk) Continue(path string) (handle, error) {
	d.op()
	f := d.files[path]
	if f == nil {
		return nil, fs.ErrNotExist
	}
	if f.locked {
		return nil, fmt.Errorf("%s: %w", path, errLocked)
	}
	f.locked = true
	d.opened()
	return &memHandle{d, f, false}, nil
}

func (d *memDisk) Size(path string) (int64, bool, error) {
	f := d.files[path]
	if f == nil {
		return 0, false, nil
	}
	return int64(len(f.data)), true, nil
}

func (d *memDisk) Rename(from, to string) error {
	d.op()
	f := d.files[from]
	if f == nil {
		return fs.ErrNotExist
	}
	if d.files[to] != nil {
		panic("renamed over a finished file " + to)
	}
	delete(d.files, from)
	d.files[to] = f
	d.op()
	return nil
}

func (d *memDisk) Remove(path string) error {
	d.op()
	if d.files[path] == nil {
		return fs.ErrNotExist
	}
	delete(d.files, path)
	d.op()
	return nil
}

func (d *memDisk) SyncDir(dir string) error {
	d.op()
	for name := range d.durable {
		if filepath.Dir(name) == dir {
			delete(d.durable, name)
		}
	}
	for name, f := range d.files {
		if filepath.Dir(name) == dir {
			d.durable[name] = f
		}
	}
	for sub := range d.dirs {
		if filepath.Dir(sub) == dir {
			d.dirs[sub] = true
		}
	}
	d.op()
	return nil
}

func (d *memDisk) Walk(dir string, visit func(string) error) error {
	var names []string
	for name := range d.files {
		if strings.HasPrefix(name, dir+"/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, n := range names {
		if err := visit(n); err != nil {
			return err
		}
	}
	return nil
}

type memHandle struct {
	d      *memDisk
	f      *memFile
	closed bool
}

func (h *memHandle) alive() {
	if h.closed {
		panic("BUG: a closed file was used")
	}
}

func (h *memHandle) Write(p []byte) (int, error) {
	h.alive()
	if h.d.crashIn == 0 {
		h.f.data = append(h.f.data, p[:h.d.rng.IntN(len(p)+1)]...)
	}
	h.d.op()
	if free := h.d.freeBytes; free >= 0 {
		if free < len(p) {
			h.f.data = append(h.f.data, p[:free]...)
			h.d.freeBytes = 0
			return free, syscall.ENOSPC
		}
		h.d.freeBytes -= len(p)
	}
	h.f.data = append(h.f.data, p...)
	return len(p), nil
}

func (h *memHandle) ReadAt(p []byte, off int64) (int, error) { return copy(p, h.f.data[off:]), nil }
func (h *memHandle) Size() (int64, error)                    { return int64(len(h.f.data)), nil }

func (h *memHandle) Truncate(size int64) error {
	h.alive()
	h.d.op()
	h.f.data = bytes.Clone(h.f.data[:size])
	h.d.op()
	return nil
}

func (h *memHandle) Sync() error {
	h.alive()
	h.d.op()
	if h.d.syncErr != nil {
		return h.d.syncErr
	}
	h.f.synced = bytes.Clone(h.f.data)
	h.d.op()
	return nil
}

func (h *memHandle) Close() error {
	if h.closed {
		return errors.New("closed twice")
	}
	h.closed, h.f.locked = true, false
	h.d.opens--
	return nil
}
