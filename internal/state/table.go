package state

import (
	"fmt"
	"math"
	"math/bits"
	"reflect"
	"unsafe"

	"github.com/flottio/flott/internal/invariant"
)

// Table is keyed state of one name: a map from K to V made for vectors of keys. K may be a composite (key and user key, key and window
// start).
//
// Problem: a Go map costs a cache miss or two per record, hides its entries (no pointer to a value), and cannot be read by a
// checkpoint while the
// task goes on writing.
//
// Idea: an index of 8-byte slots over pages of entries. Vector calls work in phases (load all slots, then all entries, then insert
// what is
// missing), so that the cache misses of a batch overlap. Entries are found by id, so that a snapshot is a copy of the list of pages;
// whoever
// then writes to a page that a snapshot holds replaces it by a clone first (page.go).
//
// A table is not safe for concurrent use. Pointers that it hands out are valid until the next call on the table and must not be kept,
// nor may
// anything they lead to.
//
// Invariant: id is live <=> bit id of live is set <=> exactly one slot of the index holds id.
type Table[K comparable, V any] struct {
	pages    []page[K, V]
	frozen   uint32 // pages with epoch <= frozen belong to a snapshot; 0 when there is none
	shift    uint8  // id >> shift is the page, id & mask the entry in it
	mask     uint32
	index    index
	mix      func(k *K, h uint64) uint64
	store    *cache[K, V] // nil: everything is in memory
	deep     bool         // V shares memory: entries of cloned pages are copied one by one, through the codec
	pointers bool         // entries hold pointers: pages are not kept for later

	live    []uint64 // bitmap by id
	free    []uint32 // ids to be used again, last first
	nextID  uint32
	len     int
	epoch   uint32   // of pages made now
	unread  []uint64 // by page, if deep: live entries that still share memory with a snapshot
	active  []uint32 // epochs of the snapshots that have not been released
	retired []retiredPage[K, V]
	spare   [][]entry[K, V]
	clones  int // pages cloned for snapshots, ever

	desc    Descriptor[K, V]
	groups  Groups // of the subtask; Max 0: not checked
	scratch *scratch
	held    K // see hold
}

// Descriptor says what a table holds. Keys and Values are mandatory for tables that are snapshotted or have a store.
type Descriptor[K comparable, V any] struct {
	// KeyHash gives the 64-bit hash that travels with the batch: of the key, not of the rest of a composite. Mandatory.
	KeyHash func(k *K) uint64
	// Mix makes the index hash of a composite from the key's hash; nil when K is the key itself.
	Mix func(k *K, h uint64) uint64
	// Keep makes a key that is added the table's own, where the caller's shares memory that will be written again; nil: keys may be kept.
	Keep func(k *K)
	// Init fills a value that Upsert adds; nil leaves it zero.
	Init func(k *K, v *V)
	// Equal tells keys equal that Go's == does not (NaN, one instant in two locations); nil: == decides.
	Equal  func(a, b *K) bool
	Keys   Format[K]
	Values Format[V]
}

type entry[K comparable, V any] struct {
	key K
	val V
}

// blockLen is the number of keys that go through the phases together: their slots and entries stay in the first-level cache.
const blockLen = 256

type scratch struct {
	hash [blockLen]uint64
	word [blockLen]uint64
	miss [blockLen]int32
}

// NewTable makes an empty table in memory. Tables that take part in checkpoints are made by Register.
func NewTable[K comparable, V any](d Descriptor[K, V]) *Table[K, V] {
	if d.KeyHash == nil {
		panic("BUG: state: table without KeyHash")
	}
	t := &Table[K, V]{desc: d, mix: d.Mix, deep: d.Values.Shared, epoch: 1, scratch: new(scratch)}
	t.pointers = hasPointers(reflect.TypeFor[entry[K, V]]())
	t.shift = pageShift(unsafe.Sizeof(entry[K, V]{}), t.deep)
	t.mask = 1<<t.shift - 1
	t.index.reset()
	return t
}

// Len is the number of entries, on disk or in memory.
func (t *Table[K, V]) Len() int {
	if t.store != nil {
		return t.store.len
	}
	return t.len
}

// Hash is the hash to pass along with k.
func (t *Table[K, V]) Hash(k *K) uint64 { return t.desc.KeyHash(k) }

// Upsert points vals[i] to the value of keys[i], adding it when absent (zero, or made by Init). hashes are the key hashes of the
// batch. A key that
// comes twice gives the same pointer twice. What is reached through the pointers may be changed until the next call on the table.
// An error comes from the store only; the vector is then incomplete and the task must fail.
func (t *Table[K, V]) Upsert(keys []K, hashes []uint64, vals []*V) error {
	if t.store != nil {
		if err := t.store.makeRoom(t, len(keys)); err != nil {
			return err
		}
	}
	t.reserve(len(keys))
	for len(keys) > 0 {
		n := min(len(keys), blockLen)
		misses := t.lookup(keys[:n], hashes[:n], vals[:n], true)
		for _, m := range t.scratch.miss[:misses] {
			v, err := t.upsertSlow(&keys[m], hashes[m], t.indexHash(&keys[m], hashes[m]))
			if err != nil {
				return err
			}
			vals[m] = v
		}
		keys, hashes, vals = keys[n:], hashes[n:], vals[n:]
	}
	return nil
}

// Find points vals[i] to the value of keys[i], or sets nil when it is absent. The values are for reading only: changes may be lost.
func (t *Table[K, V]) Find(keys []K, hashes []uint64, vals []*V) error {
	return t.findAll(keys, hashes, vals, false)
}

// findAll is Find; with write, what is found may be changed.
func (t *Table[K, V]) findAll(keys []K, hashes []uint64, vals []*V, write bool) error {
	if t.store != nil {
		if err := t.store.makeRoom(t, len(keys)); err != nil {
			return err
		}
	}
	for len(keys) > 0 {
		n := min(len(keys), blockLen)
		misses := t.lookup(keys[:n], hashes[:n], vals[:n], write)
		for _, m := range t.scratch.miss[:misses] {
			v, err := t.findSlow(&keys[m], t.indexHash(&keys[m], hashes[m]), write)
			if err != nil {
				return err
			}
			vals[m] = v
		}
		keys, hashes, vals = keys[n:], hashes[n:], vals[n:]
	}
	return nil
}

// lookup fills vals for the keys that are in memory and returns how many are not; their places are in scratch.miss, their index hashes in
// scratch.hash. REQUIRES: len(keys) <= blockLen, all three of one length.
func (t *Table[K, V]) lookup(keys []K, hashes []uint64, vals []*V, write bool) (misses int) {
	hs := hashes[:len(keys)]
	if t.mix != nil {
		hs = t.scratch.hash[:len(keys)]
		for i := range keys {
			hs[i] = t.mix(&keys[i], hashes[i])
		}
	}
	ws := t.scratch.word[:len(keys)]
	t.index.candidates(hs, ws)
	return t.compare(keys, ws, vals[:len(keys)], write)
}

// compare is phase 3: it loads the entries that the words of the index point to. What differs (another key with the same 32 bits of
// hash) is left to the slow path, as is what is absent.
func (t *Table[K, V]) compare(keys []K, ws []uint64, vals []*V, write bool) (misses int) {
	pages, shift, mask, flags, mark := t.pages, t.shift&31, t.mask, t.flags(), flagUsed
	var shared uint32 // pages up to this epoch must be looked at before they are handed out
	if write {
		mark |= flagDirty
		shared = t.frozen
	}
	if t.deep {
		shared = math.MaxUint32
	}
	for i, w := range ws {
		if w != 0 {
			id := uint32(w) - 1
			pg := &pages[id>>shift]
			if pg.epoch <= shared {
				t.own(id) // replaces pages[...] in place
			}
			e := &pg.entries[id&mask]
			if e.key == keys[i] {
				if flags != nil {
					flags[id] |= mark
				}
				vals[i] = &e.val
				continue
			}
		}
		t.scratch.miss[misses] = int32(i)
		misses++
	}
	return misses
}

// flags is nil for tables in memory.
func (t *Table[K, V]) flags() []uint8 {
	if t.store == nil {
		return nil
	}
	return t.store.flags
}

// find is the id of k in memory.
func (t *Table[K, V]) find(k *K, h uint64) (id uint32, ok bool) {
	slots, m := t.index.dir[t.index.place(h)], t.index.mask
	for p := h >> 32 & m; ; p = (p + 1) & m {
		w := *slotAt(slots, p)
		if w == 0 {
			return 0, false
		}
		if (w^h)>>32 == 0 {
			id = uint32(w) - 1
			at := &t.pages[id>>t.shift].entries[id&t.mask].key
			if *at == *k || t.desc.Equal != nil && t.desc.Equal(at, k) {
				return id, true
			}
		}
	}
}

// hold puts a key where its address may be passed on: the functions of the descriptor would move a local one to the heap, at every call.
func (t *Table[K, V]) hold(key K) *K {
	t.held = key
	return &t.held
}

func (t *Table[K, V]) indexHash(k *K, hash uint64) uint64 {
	if t.mix == nil {
		return hash
	}
	return t.mix(k, hash)
}

// upsertSlow finds k, loads it from the store, or adds it. h is the index hash.
func (t *Table[K, V]) upsertSlow(k *K, hash, h uint64) (*V, error) {
	if id, ok := t.find(k, h); ok {
		return t.touch(id, true), nil
	}
	if err := t.checkOwned(k, hash); err != nil {
		return nil, err
	}
	if t.store != nil {
		id, ok, err := t.store.load(t, k, h)
		if err != nil {
			return nil, err
		}
		if ok {
			return t.touch(id, true), nil
		}
		t.store.len++
	}
	id, e := t.add(h)
	e.key = *k
	if t.desc.Keep != nil {
		t.desc.Keep(&e.key)
	}
	if t.desc.Init != nil {
		t.desc.Init(k, &e.val)
	}
	if t.store != nil {
		t.store.flags[id] = flagUsed | flagDirty
	}
	return &e.val, nil
}

// checkOwned refuses to add a key that another subtask owns: it would be lost at the next rescaling (A13.3).
func (t *Table[K, V]) checkOwned(k *K, hash uint64) error {
	if invariant.Enabled {
		invariant.Check(t.desc.KeyHash(k) == hash, "state: key %v came with hash %x, its own is %x", *k, hash, t.desc.KeyHash(k))
	}
	if t.groups.Max == 0 {
		return nil
	}
	if g := t.groups.of(hash); g < t.groups.First || g >= t.groups.End {
		invariant.Check(false, "state: key %v is of key group %d, the subtask owns [%d, %d)", *k, g, t.groups.First, t.groups.End)
		return fmt.Errorf("adding key %v to state: it is of key group %d, but this subtask owns [%d, %d): "+
			"the record was sent to the wrong subtask", *k, g, t.groups.First, t.groups.End)
	}
	return nil
}

func (t *Table[K, V]) findSlow(k *K, h uint64, write bool) (*V, error) {
	if id, ok := t.find(k, h); ok {
		return t.touch(id, write), nil
	}
	if t.store == nil {
		return nil, nil
	}
	id, ok, err := t.store.load(t, k, h)
	if err != nil || !ok {
		return nil, err
	}
	return t.touch(id, write), nil
}

// touch makes an entry in memory ready to be handed out.
func (t *Table[K, V]) touch(id uint32, write bool) *V {
	if pg := &t.pages[id>>t.shift]; (write || t.deep) && (pg.epoch <= t.frozen || t.deep) {
		t.own(id)
	}
	if t.store != nil {
		t.store.flags[id] |= flagUsed
		if write {
			t.store.flags[id] |= flagDirty
		}
	}
	return &t.pages[id>>t.shift].entries[id&t.mask].val
}

// Get is Find for one key.
func (t *Table[K, V]) Get(key K, hash uint64) (*V, error) { return t.get(key, hash, false) }

func (t *Table[K, V]) get(key K, hash uint64, write bool) (*V, error) {
	if t.store != nil {
		if err := t.store.makeRoom(t, 1); err != nil {
			return nil, err
		}
	}
	k := t.hold(key)
	return t.findSlow(k, t.indexHash(k, hash), write)
}

// UpsertOne is Upsert for one key.
func (t *Table[K, V]) UpsertOne(key K, hash uint64) (*V, error) {
	if t.store != nil {
		if err := t.store.makeRoom(t, 1); err != nil {
			return nil, err
		}
	}
	t.reserve(1)
	k := t.hold(key)
	return t.upsertSlow(k, hash, t.indexHash(k, hash))
}

// Delete removes key and reports whether it was there.
func (t *Table[K, V]) Delete(key K, hash uint64) (bool, error) {
	k := t.hold(key)
	h := t.indexHash(k, hash)
	id, ok := t.find(k, h)
	if t.store != nil {
		return t.store.delete(t, k, id, ok)
	}
	if ok {
		t.drop(id, h)
	}
	return ok, nil
}

// Clear removes all entries.
func (t *Table[K, V]) Clear() error {
	if t.store != nil {
		if err := t.store.clear(); err != nil {
			return err
		}
	}
	t.dropAll()
	return nil
}

// dropAll empties the memory. Pages that snapshots hold stay theirs, others are kept for what comes next.
func (t *Table[K, V]) dropAll() {
	for i := range t.pages {
		if t.pages[i].epoch <= t.frozen {
			t.retire(i)
		} else {
			t.keepSpare(t.pages[i].entries)
		}
	}
	clear(t.pages)
	clear(t.live)
	t.pages, t.unread, t.live, t.free, t.nextID = t.pages[:0], t.unread[:0], t.live[:0], t.free[:0], 0
	t.index.clear(t.len)
	t.len = 0
}

// Scan fills keys and vals (of one length) with the next entries and returns how many, and the cursor to go on with: 0 when there are
// no more.
// Begin with cursor 0. The order is unspecified, but the same for the same history of calls. Entries may be deleted between the calls
// of a scan;
// entries added meanwhile may or may not be seen. The values are for reading only and valid until the next call on the table.
func (t *Table[K, V]) Scan(cursor uint64, keys []K, vals []*V) (n int, next uint64, err error) {
	if t.store != nil {
		return t.store.scan(t, cursor, keys, vals)
	}
	for w := int(cursor >> 6); w < len(t.live); w++ {
		set := t.live[w]
		if w == int(cursor>>6) {
			set &= ^uint64(0) << (cursor & 63)
		}
		for ; set != 0; set &= set - 1 {
			id := uint32(w<<6 + bits.TrailingZeros64(set))
			if n == len(keys) {
				return n, uint64(id), nil
			}
			vals[n] = t.touch(id, false)
			keys[n] = t.pages[id>>t.shift].entries[id&t.mask].key
			n++
		}
	}
	return n, 0, nil
}
