package state

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/flottio/flott/schema"
)

// Windowed is keyed state divided by a namespace, which is the start of a window or pane: a table per namespace. What ends together is
// dropped
// together, at the cost of one table, not of its entries. One goroutine owns it.
type Windowed[K comparable, V any] struct {
	backend *Backend
	desc    Descriptor[K, V]
	prefix  []byte // in the store
	StateInfo
	spaces []space[K, V] // ascending
	last   *space[K, V]  // of the last At; nil when spaces has changed
	unused []*Table[K, V]
}

type space[K comparable, V any] struct {
	ns    int64
	table *Table[K, V]
}

// unusedTablesMax is how many dropped tables are kept, with their memory, for the windows to come.
const unusedTablesMax = 2

// RegisterWindowed adds windowed state of a name to an operator and restores it.
func RegisterWindowed[K comparable, V any](b *Backend, uid, name string, d Descriptor[K, V]) (*Windowed[K, V], error) {
	w := &Windowed[K, V]{
		backend: b, desc: d, prefix: b.prefix(),
		StateInfo: StateInfo{UID: uid, Name: name, Kind: KindWindowed, Keys: leading("@namespace", d.Keys.Schema), Values: d.Values.Schema},
	}
	return w, b.register(w)
}

// leading describes a key with a number of eight bytes before it.
func leading(name string, key *schema.Type) *schema.Type {
	return structOf(name, schema.Scalar(schema.Int64), "key", key)
}

// At returns the table of a namespace, a new one if it has none. It is good until DropNamespace; pointers into it are until the next
// call on it.
func (w *Windowed[K, V]) At(ns int64) (*Table[K, V], error) {
	if w.last != nil && w.last.ns == ns {
		return w.last.table, nil
	}
	i, ok := w.search(ns)
	if !ok {
		w.spaces = slices.Insert(w.spaces, i, space[K, V]{ns, w.newTable(ns)})
	}
	w.last = &w.spaces[i]
	return w.last.table, nil
}

// Has reports whether the namespace has a table.
func (w *Windowed[K, V]) Has(ns int64) bool {
	_, ok := w.search(ns)
	return ok
}

func (w *Windowed[K, V]) search(ns int64) (int, bool) {
	return slices.BinarySearchFunc(w.spaces, ns, func(s space[K, V], ns int64) int { return cmp.Compare(s.ns, ns) })
}

func (w *Windowed[K, V]) newTable(ns int64) *Table[K, V] {
	if n := len(w.unused); n > 0 {
		t := w.unused[n-1]
		w.unused = w.unused[:n-1]
		return t
	}
	prefix := w.prefix
	if w.backend.cfg.Store != nil {
		prefix = binary.BigEndian.AppendUint64(slices.Clone(prefix), uint64(ns))
	}
	return makeTable(w.backend, w.desc, prefix)
}

// Namespaces returns those that have a table, ascending. The slice is the caller's.
func (w *Windowed[K, V]) Namespaces() []int64 {
	list := make([]int64, len(w.spaces))
	for i, s := range w.spaces {
		list[i] = s.ns
	}
	return list
}

// DropNamespace removes a namespace with all its entries; one that is not there is no error.
func (w *Windowed[K, V]) DropNamespace(ns int64) error {
	i, ok := w.search(ns)
	if !ok {
		return nil
	}
	t := w.spaces[i].table
	w.spaces, w.last = slices.Delete(w.spaces, i, i+1), nil
	if err := t.Clear(); err != nil {
		return fmt.Errorf("dropping namespace %d of %v: %w", ns, w.StateInfo, err)
	}
	// A table with a store has the namespace in its keys; one that a snapshot has frozen keeps its bookkeeping until the release.
	if t.store == nil && t.frozen == 0 && len(w.unused) < unusedTablesMax {
		w.unused = append(w.unused, t)
	}
	return nil
}

func (w *Windowed[K, V]) info() StateInfo { return w.StateInfo }

func (w *Windowed[K, V]) maintain() error {
	for _, s := range w.spaces {
		if err := s.table.maintain(); err != nil {
			return err
		}
	}
	return nil
}

func (w *Windowed[K, V]) close() error {
	var errs []error
	for _, s := range w.spaces {
		errs = append(errs, s.table.close())
	}
	return errors.Join(errs...)
}

// frozenSpaces is a windowed state in a snapshot.
type frozenSpaces []frozenState

func (w *Windowed[K, V]) freeze() (frozenState, error) {
	var f frozenSpaces
	for _, s := range w.spaces {
		t, err := freezeTable(s.table, binary.LittleEndian.AppendUint64(nil, uint64(s.ns)), nil)
		if err != nil {
			f.release()
			return nil, err
		}
		f = append(f, t)
	}
	return f, nil
}

func (f frozenSpaces) encode(c *chunks, store StoreSnapshot) error {
	for _, t := range f {
		if err := t.encode(c, store); err != nil {
			return err
		}
	}
	return nil
}

func (f frozenSpaces) release() {
	for _, t := range f {
		t.release()
	}
}

func (w *Windowed[K, V]) restore(f *File, state int, groups Groups) error {
	written := f.head.states[state]
	if !written.Keys.Equal(w.Keys) {
		return keysChanged(written.Keys, w.Keys)
	}
	decode, err := w.desc.Values.reader(written.Values)
	if err != nil {
		return err
	}
	l := newLoader[K, V](nil, decode)
	return f.each(state, groups, func(s segmentRef, src []byte) error {
		for left := s.entries; left > 0; {
			n, rest, err := w.loadRun(l, src, int(min(left, restoreBlock)), int(s.group))
			if err != nil {
				return err
			}
			src = rest
			left -= uint32(n)
		}
		return endOf(src)
	})
}

// loadRun restores up to most entries that share a namespace; the encoder writes table by table, so runs are long.
func (w *Windowed[K, V]) loadRun(l *loader[K, V], src []byte, most, group int) (n int, rest []byte, err error) {
	var ns int64
	for ; n < most; n++ {
		if len(src) < 8 {
			return 0, nil, errShort
		}
		at := int64(binary.LittleEndian.Uint64(src))
		if n == 0 {
			ns = at
			if l.table, err = w.At(ns); err != nil {
				return 0, nil, err
			}
		} else if at != ns {
			break
		}
		took, err := l.add(src[8:], n, group)
		if err != nil {
			return 0, nil, err
		}
		src = src[8+took:]
	}
	return n, src, l.put(n)
}
