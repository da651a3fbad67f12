package exec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/internal/expr"
)

// table is keyed state of a fold behind one interface call a batch: from key columns to words, or to objects. What K and V are, only
// tableOf knows. Pointers that it gives out are good until the next call on it.
type table interface {
	// upsert points at[i] to the value of the key in row i, adding it when absent; hashes are those of the leading key columns.
	upsert(cols []*column.Vector, hashes []uint64, at []unsafe.Pointer, nowMs int64) error
	// find is upsert for reading, with nil for what is absent.
	find(cols []*column.Vector, hashes []uint64, at []unsafe.Pointer, nowMs int64) error
	// remove deletes the keys of the given rows of the last upsert or find; hashes are those of that call.
	remove(rows []int32, hashes []uint64) error
	// scan appends the next keys to cols and points at to their values, for reading: as state.Table.Scan. Not with a time to live.
	scan(cursor uint64, cols []*column.Vector, at []unsafe.Pointer) (n int, next uint64, err error)
	len() int
	clear() error
}

// panes are tables by the end of a slice of time.
type panes interface {
	at(ns int64) (table, error)
	namespaces() []int64
	drop(ns int64) error
}

// tableSpec is a table to be opened.
type tableSpec struct {
	layout *keyLayout
	// words are how many words a value has; 0: it has objects.
	words   int
	objects []expr.ObjectAccumulator
	schema  *schema.Type // of the value
	backend *state.Backend
	place   state.Place
}

// tableWordsMax is the most words that a group's state may have.
const tableWordsMax = 128

// tableKind is what is opened of a tableSpec.
type tableKind uint8

const (
	keyedTable   tableKind = iota // registered, with the place's time to live
	scratchTable                  // in memory, never part of a snapshot
	paneTables                    // registered, by namespace
)

// openTable opens a table of words or objects by key.
func openTable(s *tableSpec, kind tableKind) (table, panes, error) {
	switch s.layout.words {
	case 1:
		return openKeyed[uint64](s, kind)
	case 2:
		return openKeyed[[2]uint64](s, kind)
	}
	return openKeyed[string](s, kind)
}

func openKeyed[K comparable](s *tableSpec, kind tableKind) (table, panes, error) {
	timed := kind == keyedTable && s.place.TTL.Ms > 0
	switch {
	case s.objects != nil:
		return open(s, kind, describeObjects[K](s))
	case s.words <= 1 && !timed: // few sizes: each makes code, for each kind of key
		return open(s, kind, describeWords[K, [1]uint64](s))
	case s.words <= 4:
		return open(s, kind, describeWords[K, [4]uint64](s))
	case s.words <= 16:
		return open(s, kind, describeWords[K, [16]uint64](s))
	case s.words <= tableWordsMax:
		return open(s, kind, describeWords[K, [tableWordsMax]uint64](s))
	}
	return nil, nil, fmt.Errorf("the aggregates of one query need %d words of state per group, at most %d are possible: "+
		"split the query", s.words, tableWordsMax)
}

func open[K comparable, V any](s *tableSpec, kind tableKind, d state.Descriptor[K, V]) (table, panes, error) {
	t := &tableOf[K, V]{layout: s.layout}
	var err error
	switch {
	case kind == scratchTable:
		t.plain = state.NewTable(d)
	case kind == paneTables:
		p := &panesOf[K, V]{layout: s.layout, open: map[int64]*tableOf[K, V]{}}
		p.state, err = state.RegisterWindowed(s.backend, s.place.UID, s.place.Name, d)
		return nil, p, err
	case s.place.TTL.Ms > 0:
		t.timed, err = state.RegisterDescribed(s.backend, s.place, d)
	default:
		t.plain, err = state.RegisterTable(s.backend, s.place.UID, s.place.Name, d)
	}
	return t, nil, err
}

// describeWords describes a table whose values are the first words of V, an array of words.
func describeWords[K comparable, V any](s *tableSpec) state.Descriptor[K, V] {
	d := describeKeys[K, V](s.layout)
	n := s.words
	d.Values = state.Format[V]{
		Append: func(dst []byte, v *V) []byte {
			for _, w := range wordsOf(v, n) {
				dst = binary.LittleEndian.AppendUint64(dst, w)
			}
			return dst
		},
		Decode: func(src []byte, v *V) (int, error) {
			if len(src) < 8*n {
				return 0, errShortState
			}
			for i := range wordsOf(v, n) {
				wordsOf(v, n)[i] = binary.LittleEndian.Uint64(src[8*i:])
			}
			return 8 * n, nil
		},
		Schema: s.schema,
	}
	return d
}

var errShortState = errors.New("the bytes of a group's state end inside a word")

// objects are the states of a group that are no words.
type objects struct{ list []expr.Object }

func describeObjects[K comparable](s *tableSpec) state.Descriptor[K, objects] {
	d := describeKeys[K, objects](s.layout)
	accs := s.objects
	fresh := func(o *objects) {
		o.list = make([]expr.Object, len(accs))
		for i, a := range accs {
			o.list[i] = a.New()
		}
	}
	d.Init = func(_ *K, o *objects) { fresh(o) }
	d.Values = state.Format[objects]{
		Append: func(dst []byte, o *objects) []byte {
			for _, x := range o.list {
				buf := x.Append(nil)
				dst = append(binary.AppendUvarint(dst, uint64(len(buf))), buf...)
			}
			return dst
		},
		Decode: func(src []byte, o *objects) (int, error) {
			fresh(o)
			at := 0
			for _, x := range o.list {
				n, took := binary.Uvarint(src[at:])
				if took <= 0 || n > uint64(len(src)-at-took) {
					return 0, errShortState
				}
				at += took
				if err := x.Decode(src[at : at+int(n)]); err != nil {
					return 0, err
				}
				at += int(n)
			}
			return at, nil
		},
		Schema: s.schema, Shared: true,
	}
	return d
}

// tableOf implements table.
type tableOf[K comparable, V any] struct {
	layout *keyLayout
	plain  *state.Table[K, V]
	timed  *state.Value[K, V] // instead of plain, if entries have a time to live
	keys   []K
}

func (t *tableOf[K, V]) pack(cols []*column.Vector, n int) []K {
	if cap(t.keys) < n {
		t.keys = make([]K, n, max(n, column.BatchRows))
	}
	t.keys = t.keys[:n]
	pack(t.layout, cols, n, t.keys)
	return t.keys
}

// typed is at as pointers to values.
func typed[V any](at []unsafe.Pointer) []*V {
	return unsafe.Slice((**V)(unsafe.Pointer(unsafe.SliceData(at))), len(at))
}

func (t *tableOf[K, V]) upsert(cols []*column.Vector, hashes []uint64, at []unsafe.Pointer, nowMs int64) error {
	keys := t.pack(cols, len(hashes))
	if t.timed != nil {
		return t.timed.Upsert(keys, hashes, typed[V](at), nowMs)
	}
	return t.plain.Upsert(keys, hashes, typed[V](at))
}

func (t *tableOf[K, V]) find(cols []*column.Vector, hashes []uint64, at []unsafe.Pointer, nowMs int64) error {
	keys := t.pack(cols, len(hashes))
	if t.timed != nil {
		return t.timed.Find(keys, hashes, typed[V](at), nowMs)
	}
	return t.plain.Find(keys, hashes, typed[V](at))
}

func (t *tableOf[K, V]) remove(rows []int32, hashes []uint64) error {
	for _, r := range rows {
		if t.timed != nil {
			if err := t.timed.Clear(t.keys[r], hashes[r]); err != nil {
				return err
			}
			continue
		}
		if _, err := t.plain.Delete(t.keys[r], hashes[r]); err != nil {
			return err
		}
	}
	return nil
}

func (t *tableOf[K, V]) scan(cursor uint64, cols []*column.Vector, at []unsafe.Pointer) (int, uint64, error) {
	if cap(t.keys) < len(at) {
		t.keys = make([]K, len(at))
	}
	t.keys = t.keys[:len(at)]
	n, next, err := t.plain.Scan(cursor, t.keys, typed[V](at))
	if err != nil {
		return 0, 0, err
	}
	return n, next, unpack(t.layout, t.keys[:n], cols)
}

func (t *tableOf[K, V]) len() int {
	if t.timed != nil {
		return t.timed.Len()
	}
	return t.plain.Len()
}

func (t *tableOf[K, V]) clear() error { return t.plain.Clear() }

// panesOf implements panes.
type panesOf[K comparable, V any] struct {
	layout *keyLayout
	state  *state.Windowed[K, V]
	open   map[int64]*tableOf[K, V]
}

func (p *panesOf[K, V]) at(ns int64) (table, error) {
	if t := p.open[ns]; t != nil {
		return t, nil
	}
	plain, err := p.state.At(ns)
	if err != nil {
		return nil, err
	}
	t := &tableOf[K, V]{layout: p.layout, plain: plain}
	p.open[ns] = t
	return t, nil
}

func (p *panesOf[K, V]) namespaces() []int64 { return p.state.Namespaces() }

func (p *panesOf[K, V]) drop(ns int64) error {
	delete(p.open, ns)
	return p.state.DropNamespace(ns)
}
