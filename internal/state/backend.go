package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Backend is the state of one subtask: it registers the states of the operators of its chain, restores them, and snapshots all of them
// at once.
// One goroutine owns it. Without a Store everything is in memory.
//
// Life: New, Restore (if there is something to), registrations, CheckRestored, then batches and snapshots, Close.
type Backend struct {
	cfg    Config
	states []registered
	byID   map[[2]string]int
	files  []*File
	budget budget
	open   int // snapshots not released
}

// Config of a Backend.
type Config struct {
	// Groups are the key groups of the subtask. For operators without keys Groups{0, 1, 1} will do.
	Groups Groups
	// Store holds what exceeds CacheBytes; nil keeps everything in memory. The backend owns it and closes it.
	Store Store
	// CacheBytes bounds the memory of the decoded entries in front of the store, as far as it can be estimated. 0: 64 MiB.
	CacheBytes int
	// TimersInMemory keeps timers in memory although there is a Store.
	TimersInMemory bool
	// NowMs is the processing time that entries without a stamp get when they are restored into a state with a time to live.
	NowMs int64
}

// registered is what a backend needs of a state. freeze and release run on the task, encode in the background.
type registered interface {
	info() StateInfo
	freeze() (frozenState, error)
	restore(f *File, state int, groups Groups) error
	maintain() error
	close() error
}

type frozenState interface {
	encode(c *chunks, store StoreSnapshot) error
	release()
}

const cacheBytesDefault = 64 << 20

// NewBackend makes a backend without states.
func NewBackend(cfg Config) (*Backend, error) {
	if err := cfg.Groups.validate(); err != nil {
		return nil, fmt.Errorf("making a state backend: %w", err)
	}
	if cfg.CacheBytes == 0 {
		cfg.CacheBytes = cacheBytesDefault
	}
	return &Backend{cfg: cfg, byID: map[[2]string]int{}, budget: budget{limitBytes: cfg.CacheBytes}}, nil
}

// Restore gives the files that states registered from now on take their entries from: all that may hold key groups of this subtask.
// They must stay open until CheckRestored.
func (b *Backend) Restore(files ...*File) error {
	if len(b.states) > 0 {
		panic("BUG: state: Restore after a state was registered")
	}
	var errs []error
	for _, f := range files {
		if f.head.groups.Max != b.cfg.Groups.Max && len(f.head.states) > 0 {
			errs = append(errs, fmt.Errorf("restoring %s: it was written with max parallelism %d, the operator has %d: the max "+
				"parallelism is fixed by the first checkpoint; set it to %d", f.name, f.head.groups.Max, b.cfg.Groups.Max, f.head.groups.Max))
		}
	}
	b.files = files
	return errors.Join(errs...)
}

// CheckRestored ends the registrations and returns the states of the restored files that no registration took, sorted. It is for the
// caller to
// refuse them or to drop them as told (allowNonRestoredState).
func (b *Backend) CheckRestored() []StateInfo {
	var left []StateInfo
	seen := map[[2]string]bool{}
	for _, f := range b.files {
		for _, s := range f.head.states {
			id := [2]string{s.UID, s.Name}
			if _, ok := b.byID[id]; !ok && !seen[id] {
				seen[id] = true
				left = append(left, s)
			}
		}
	}
	slices.SortFunc(left, func(x, y StateInfo) int { return slices.Compare([]string{x.UID, x.Name}, []string{y.UID, y.Name}) })
	b.files = nil
	return left
}

// register adds a state and restores it.
func (b *Backend) register(r registered) error {
	info := r.info()
	id := [2]string{info.UID, info.Name}
	if _, ok := b.byID[id]; ok {
		return fmt.Errorf("registering %v: it is registered already", info)
	}
	if len(b.states) == statesMax {
		return fmt.Errorf("registering %v: a subtask has at most %d states", info, statesMax)
	}
	b.byID[id] = len(b.states)
	b.states = append(b.states, r)
	for _, f := range b.files {
		i, written, ok := f.find(info.UID, info.Name)
		if !ok {
			continue
		}
		if written.Kind != info.Kind {
			return fmt.Errorf("restoring %v from %s: there it is %v", info, f.name, written)
		}
		if err := r.restore(f, i, b.cfg.Groups); err != nil {
			return fmt.Errorf("restoring %v from %s: %w", info, f.name, err)
		}
	}
	if r, ok := r.(interface{ restored() }); ok {
		r.restored()
	}
	return nil
}

// prefix is what the keys of the state that is registered next begin with in the store.
func (b *Backend) prefix() []byte { return binary.BigEndian.AppendUint32(nil, uint32(len(b.states))) }

// OnDisk reports whether there is a Store.
func (b *Backend) OnDisk() bool { return b.cfg.Store != nil }

// Maintain is called between batches, when no pointer into a table is held: it brings the caches back under their limit.
func (b *Backend) Maintain() error {
	if b.cfg.Store == nil || b.budget.usedBytes <= b.budget.limitBytes {
		return nil
	}
	for _, s := range b.states {
		if err := s.maintain(); err != nil {
			return err
		}
	}
	return nil
}

// Close drops all state and removes what the store has on disk.
func (b *Backend) Close() error {
	if b.open > 0 {
		panic(fmt.Sprintf("BUG: state: closing a backend with %d snapshots that were not released", b.open))
	}
	if b.cfg.Store == nil {
		return nil
	}
	var errs []error
	for _, s := range b.states {
		errs = append(errs, s.close())
	}
	return errors.Join(append(errs, b.cfg.Store.Close())...)
}

// makeTable makes a table as the backend keeps them.
func makeTable[K comparable, V any](b *Backend, d Descriptor[K, V], prefix []byte) *Table[K, V] {
	t := NewTable(d)
	t.groups = b.cfg.Groups
	if b.cfg.Store != nil {
		t.store = newCache[K, V](b.cfg.Store, prefix, b.cfg.Groups, &b.budget)
	}
	return t
}

// RegisterTable adds keyed state of a name to an operator and restores it.
func RegisterTable[K comparable, V any](b *Backend, uid, name string, d Descriptor[K, V]) (*Table[K, V], error) {
	r := &tableState[K, V]{
		StateInfo: StateInfo{UID: uid, Name: name, Kind: KindTable, Keys: d.Keys.Schema, Values: d.Values.Schema},
		table:     makeTable(b, d, b.prefix()),
	}
	if err := b.register(r); err != nil {
		return nil, err
	}
	return r.table, nil
}

// tableState is a table as a backend knows it.
type tableState[K comparable, V any] struct {
	StateInfo
	table   *Table[K, V]
	expired func(v *V) bool // nil: nothing expires
}

func (s *tableState[K, V]) info() StateInfo { return s.StateInfo }

func (s *tableState[K, V]) maintain() error { return s.table.maintain() }

func (s *tableState[K, V]) close() error { return s.table.close() }

func (s *tableState[K, V]) freeze() (frozenState, error) {
	return freezeTable(s.table, nil, s.expired)
}

func (s *tableState[K, V]) restore(f *File, state int, groups Groups) error {
	return restoreTable(s.table, f, state, groups)
}
