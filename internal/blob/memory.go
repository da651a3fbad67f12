package blob

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"sync"
)

// Memory is a file system in memory that is as forgetful as a real one: what was not synced may be gone, or torn, after Crash. For
// tests and simulation.
type Memory struct {
	mu struct {
		sync.Mutex
		dirs  map[string]*memDir
		locks map[string]string
	}
}

// memDir is a directory. live is what processes see, durable what a crash cannot take; changes lead from one to the other.
type memDir struct {
	live, durable map[string]*memNode
	changes       []memChange
}

// memChange is one operation on a directory, atomic at a crash: name then holds node (nil: nothing) and from nothing.
type memChange struct {
	name, from string
	node       *memNode
}

// memNode is a file, or with dir set a directory.
type memNode struct {
	dir    bool
	data   []byte
	synced int
}

// NewMemory returns an empty disk with a root directory.
func NewMemory() *Memory {
	m := &Memory{}
	m.mu.dirs = map[string]*memDir{"/": newMemDir(), ".": newMemDir()}
	m.mu.locks = map[string]string{}
	return m
}

func newMemDir() *memDir {
	return &memDir{live: map[string]*memNode{}, durable: map[string]*memNode{}}
}

func pathError(op, name string, err error) error { return &fs.PathError{Op: op, Path: name, Err: err} }

func (m *Memory) parentLocked(op, name string) (*memDir, string, error) {
	dir, file := path.Split(path.Clean(name))
	d := m.mu.dirs[path.Clean("./"+dir)]
	if path.IsAbs(name) {
		d = m.mu.dirs[path.Clean(dir)]
	}
	if d == nil {
		return nil, "", pathError(op, name, fs.ErrNotExist)
	}
	return d, file, nil
}

func (d *memDir) change(c memChange) {
	d.changes = append(d.changes, c)
	c.apply(d.live)
}

func (c memChange) apply(to map[string]*memNode) {
	if c.from != "" {
		delete(to, c.from)
	}
	if c.node == nil {
		delete(to, c.name)
	} else {
		to[c.name] = c.node
	}
}

type memFile struct {
	disk *Memory
	node *memNode
}

func (f *memFile) Write(p []byte) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.node.data = append(f.node.data, p...)
	return len(p), nil
}

func (f *memFile) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.node.synced = len(f.node.data)
	return nil
}

func (f *memFile) Close() error { return nil }

// Create makes a new file.
func (m *Memory) Create(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, file, err := m.parentLocked("create", name)
	if err != nil {
		return nil, err
	}
	if d.live[file] != nil {
		return nil, pathError("create", name, fs.ErrExist)
	}
	n := &memNode{}
	d.change(memChange{name: file, node: n})
	return &memFile{m, n}, nil
}

type memContent struct{ *bytes.Reader }

func (memContent) Close() error { return nil }

// Open opens a file for reading.
func (m *Memory) Open(name string) (Content, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, file, err := m.parentLocked("open", name)
	if err != nil {
		return nil, err
	}
	n := d.live[file]
	switch {
	case n == nil:
		return nil, pathError("open", name, fs.ErrNotExist)
	case n.dir:
		return nil, pathError("open", name, errors.New("expected a file, found a directory"))
	}
	return memContent{bytes.NewReader(n.data[:len(n.data):len(n.data)])}, nil
}

// Rename moves a file within a directory.
func (m *Memory) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, old, err := m.parentLocked("rename", from)
	if err != nil {
		return err
	}
	d2, file, err := m.parentLocked("rename", to)
	if err != nil {
		return err
	}
	if d != d2 || d.live[old] == nil || d.live[old].dir {
		return pathError("rename", from, fs.ErrNotExist)
	}
	d.change(memChange{name: file, from: old, node: d.live[old]})
	return nil
}

// Remove removes a file or an empty directory.
func (m *Memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, file, err := m.parentLocked("remove", name)
	if err != nil {
		return err
	}
	n := d.live[file]
	if n == nil {
		return pathError("remove", name, fs.ErrNotExist)
	}
	if n.dir {
		if len(m.mu.dirs[path.Clean(name)].live) > 0 {
			return pathError("remove", name, errors.New("directory not empty"))
		}
		delete(m.mu.dirs, path.Clean(name))
	}
	d.change(memChange{name: file})
	return nil
}

// Mkdir makes one directory.
func (m *Memory) Mkdir(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mu.dirs[path.Clean(name)] != nil {
		return pathError("mkdir", name, fs.ErrExist)
	}
	d, file, err := m.parentLocked("mkdir", name)
	if err != nil {
		return err
	}
	if d.live[file] != nil {
		return pathError("mkdir", name, fs.ErrExist)
	}
	d.change(memChange{name: file, node: &memNode{dir: true}})
	m.mu.dirs[path.Clean(name)] = newMemDir()
	return nil
}

// List returns what is in a directory.
func (m *Memory) List(name string) ([]Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.mu.dirs[path.Clean(name)]
	if d == nil {
		return nil, pathError("list", name, fs.ErrNotExist)
	}
	var entries []Entry
	for _, file := range slices.Sorted(maps.Keys(d.live)) {
		n := d.live[file]
		entries = append(entries, Entry{Name: file, Dir: n.dir, Bytes: int64(len(n.data))})
	}
	return entries, nil
}

// SyncDir makes what happened in a directory durable.
func (m *Memory) SyncDir(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.mu.dirs[path.Clean(name)]
	if d == nil {
		return pathError("sync", name, fs.ErrNotExist)
	}
	d.durable, d.changes = maps.Clone(d.live), nil
	return nil
}

// Lock takes a lock; Crash frees all.
func (m *Memory) Lock(name, owner string) (func() error, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if holder, held := m.mu.locks[name]; held {
		return nil, &LockedError{Name: name, Owner: holder}
	}
	m.mu.locks[name] = owner
	return func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.mu.locks, name)
		return nil
	}, nil
}

// Damage changes a file's bytes in place, for tests of corruption; f gets them and returns the new ones, nil to remove the file.
func (m *Memory) Damage(name string, f func([]byte) []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, file, err := m.parentLocked("damage", name)
	if err != nil {
		return err
	}
	n := d.live[file]
	if n == nil {
		return pathError("damage", name, fs.ErrNotExist)
	}
	data := f(slices.Clone(n.data))
	if data == nil {
		d.change(memChange{name: file})
		return nil
	}
	n.data, n.synced = data, len(data)
	return nil
}

// Crash cuts the power: of each directory some of the changes since its last SyncDir are lost, of each file some of what was written
// since its last Sync, and what stays of it may be torn (S12-S14). Files being written must not be used any more.
func (m *Memory) Crash(rng *rand.Rand) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.locks = map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(m.mu.dirs)) {
		d := m.mu.dirs[name]
		for _, c := range d.changes {
			if rng.IntN(2) == 0 {
				c.apply(d.durable)
			}
		}
		d.live, d.changes = maps.Clone(d.durable), nil
	}
	m.crashNodesLocked(rng)
}

func (m *Memory) crashNodesLocked(rng *rand.Rand) {
	reachable := map[string]*memDir{}
	done := map[*memNode]bool{}
	var walk func(name string)
	walk = func(name string) {
		d := m.mu.dirs[name]
		if d == nil {
			d = newMemDir() // the directory's removal was lost, its content's was not
		}
		reachable[name] = d
		for _, file := range slices.Sorted(maps.Keys(d.live)) {
			n := d.live[file]
			if n.dir {
				walk(path.Join(name, file))
			} else if !done[n] {
				done[n] = true
				n.tear(rng)
			}
		}
	}
	walk("/")
	walk(".")
	m.mu.dirs = reachable
}

// tear loses a part of what was not synced and spoils a part of the rest.
func (n *memNode) tear(rng *rand.Rand) {
	if loose := len(n.data) - n.synced; loose > 0 {
		n.data = slices.Clone(n.data[:n.synced+rng.IntN(loose+1)])
		for i := n.synced; i < len(n.data); i++ {
			if rng.IntN(4) == 0 {
				n.data[i] = 0
			}
		}
	}
	n.synced = len(n.data)
}
