package state

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"unsafe"
)

// cache is the part of a table that has a store: the table's memory then holds a bounded part of the entries, decoded, and what is
// changed reaches
// the store when it is evicted or when a snapshot is taken. Eviction is CLOCK, in batches, and only at the begin of a call on the
// table, so that
// pointers handed out stay good until the next call.
//
// Invariant: an entry in memory without flagStored is not in the store; one without flagDirty is there with the same value.
type cache[K comparable, V any] struct {
	store   Store
	prefix  []byte
	groups  Groups // the key group is the first part of a key behind the prefix
	flags   []uint8
	len     int // entries in memory and in the store
	hand    uint32
	budget  *budget
	charged int // bytes of the budget that this table has taken
	cost    int // estimated bytes of one entry in memory
	absent  filter
	key     []byte
	val     []byte
	scanner scanner[V]
}

// Flags of an entry in memory.
const (
	flagUsed   uint8 = 1 << iota // since the hand of the clock came by
	flagDirty                    // changed since it was written to the store
	flagStored                   // in the store, possibly with an older value
)

// budget is the memory that the caches of one backend share.
type budget struct {
	limitBytes  int
	usedBytes   int // of entries and filters
	filterBytes int
}

// evictPart: an overfull cache evicts 1/evictPart of its entries at once, so that the work is paid in batches.
const evictPart = 32

func newCache[K comparable, V any](s Store, prefix []byte, groups Groups, b *budget) *cache[K, V] {
	return &cache[K, V]{
		store: s, prefix: prefix, groups: groups, budget: b, cost: int(unsafe.Sizeof(entry[K, V]{})) + 16,
		absent: filter{budget: b},
	}
}

func (c *cache[K, V]) growFlags(n int) {
	for len(c.flags) < n {
		c.flags = append(c.flags, 0)
	}
}

// makeRoom evicts entries until n more fit into the budget, or the table is empty: a budget smaller than a batch is overdrawn by one
// batch.
func (c *cache[K, V]) makeRoom(t *Table[K, V], n int) error {
	t.reserve(n)
	c.charge(t)
	for c.budget.usedBytes+n*c.cost > c.budget.limitBytes && t.len > 0 {
		if err := c.evict(t, max(n, t.len/evictPart, 1)); err != nil {
			return err
		}
		c.charge(t)
	}
	return nil
}

func (c *cache[K, V]) charge(t *Table[K, V]) {
	now := t.len*c.cost + c.absent.bytes
	c.budget.usedBytes += now - c.charged
	c.charged = now
}

// evict takes n entries out of memory, those first that were not used since the hand last passed.
func (c *cache[K, V]) evict(t *Table[K, V], n int) error {
	for n > 0 && t.len > 0 {
		if c.hand >= t.nextID {
			c.hand = 0
		}
		id := c.hand
		c.hand++
		if t.live[id>>6] == 0 {
			c.hand = (id>>6 + 1) << 6
			continue
		}
		if t.live[id>>6]&(1<<(id&63)) == 0 {
			continue
		}
		if c.flags[id]&flagUsed != 0 {
			c.flags[id] &^= flagUsed
			continue
		}
		if err := c.write(t, id); err != nil {
			return err
		}
		e := &t.pages[id>>t.shift].entries[id&t.mask]
		t.drop(id, t.indexHash(&e.key, t.desc.KeyHash(&e.key)))
		n--
	}
	return nil
}

// write brings a dirty entry to the store.
func (c *cache[K, V]) write(t *Table[K, V], id uint32) error {
	if c.flags[id]&flagDirty == 0 {
		return nil
	}
	e := &t.pages[id>>t.shift].entries[id&t.mask]
	hash := t.desc.KeyHash(&e.key)
	c.val = t.desc.Values.Append(c.val[:0], &e.val)
	if err := c.store.Set(c.keyOf(t, &e.key, hash), c.val); err != nil {
		return fmt.Errorf("writing an entry to the store: %w", err)
	}
	if c.flags[id]&flagStored == 0 {
		c.absent.add(t.indexHash(&e.key, hash))
	}
	c.flags[id] = c.flags[id]&^flagDirty | flagStored
	c.learn(t, len(c.val))
	return nil
}

// learn keeps the estimate of an entry's memory: values that hold pointers take about their encoded size on the heap.
func (c *cache[K, V]) learn(t *Table[K, V], encoded int) {
	if !t.pointers {
		return
	}
	fixed := int(unsafe.Sizeof(entry[K, V]{})) + 16
	c.cost += (fixed + 2*encoded - c.cost) / 16
	c.cost = max(c.cost, fixed)
}

func (c *cache[K, V]) keyOf(t *Table[K, V], k *K, hash uint64) []byte {
	c.key = append(c.key[:0], c.prefix...)
	c.key = binary.BigEndian.AppendUint16(c.key, uint16(c.groups.of(hash)))
	c.key = t.desc.Keys.Append(c.key, k)
	return c.key
}

// load brings an entry from the store into memory; ok is false when it is not there. h is the index hash.
func (c *cache[K, V]) load(t *Table[K, V], k *K, h uint64) (id uint32, ok bool, err error) {
	if !c.absent.mayHave(h) {
		return 0, false, nil
	}
	c.val, ok, err = c.store.Get(c.keyOf(t, k, t.desc.KeyHash(k)), c.val[:0])
	if err != nil {
		return 0, false, fmt.Errorf("reading an entry from the store: %w", err)
	}
	if !ok {
		return 0, false, nil
	}
	id, e := t.add(h)
	e.key = *k
	if t.desc.Keep != nil {
		t.desc.Keep(&e.key)
	}
	c.flags[id] = flagUsed | flagStored
	if _, err := t.desc.Values.Decode(c.val, &e.val); err != nil {
		return 0, false, fmt.Errorf("decoding a value of the store: %w", err)
	}
	c.learn(t, len(c.val))
	return id, true, nil
}

func (c *cache[K, V]) delete(t *Table[K, V], k *K, id uint32, inMemory bool) (bool, error) {
	hash := t.desc.KeyHash(k)
	h := t.indexHash(k, hash)
	stored := inMemory && c.flags[id]&flagStored != 0
	if !inMemory {
		if !c.absent.mayHave(h) {
			return false, nil
		}
		var err error
		if c.val, stored, err = c.store.Get(c.keyOf(t, k, hash), c.val[:0]); err != nil {
			return false, fmt.Errorf("reading an entry from the store: %w", err)
		}
		if !stored {
			return false, nil
		}
	} else {
		t.drop(id, h)
		c.flags[id] = 0
	}
	if stored {
		if err := c.store.Delete(c.keyOf(t, k, hash)); err != nil {
			return false, fmt.Errorf("deleting an entry from the store: %w", err)
		}
	}
	c.len--
	c.scanner.deletes++
	return true, nil
}

func (c *cache[K, V]) clear() error {
	if err := c.store.DeleteRange(c.prefix, after(c.prefix)); err != nil {
		return fmt.Errorf("clearing a table of the store: %w", err)
	}
	c.len, c.hand = 0, 0
	c.absent.reset()
	clear(c.flags)
	c.flags = c.flags[:0]
	c.budget.usedBytes -= c.charged
	c.charged = 0
	return c.scanner.close()
}

// after is the first key behind all that begin with prefix.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	panic("BUG: state: prefix of a table is all ones")
}

// flush brings everything that is dirty to the store.
func (c *cache[K, V]) flush(t *Table[K, V]) error {
	for w, set := range t.live {
		for ; set != 0; set &= set - 1 {
			if err := c.write(t, uint32(w<<6+bits.TrailingZeros64(set))); err != nil {
				return err
			}
		}
	}
	return nil
}

// scanner is the scan in progress on a table with a store. Values are decoded apart from the cache, which a scan must not turn over.
type scanner[V any] struct {
	it      StoreIterator
	at      uint64
	deletes int // on the table, since the scan began
	vals    []V
	pending bool // it stands on an entry that has not been given out
}

func (s *scanner[V]) close() error {
	it := s.it
	s.it, s.at, s.pending = nil, 0, false
	if it == nil {
		return nil
	}
	return it.Close()
}

func (c *cache[K, V]) scan(t *Table[K, V], cursor uint64, keys []K, vals []*V) (n int, next uint64, err error) {
	s := &c.scanner
	if cursor == 0 {
		if err = s.close(); err != nil {
			return 0, 0, err
		}
		if err = c.flush(t); err != nil {
			return 0, 0, err
		}
		if s.it, err = c.store.Iterate(c.prefix, after(c.prefix)); err != nil {
			return 0, 0, fmt.Errorf("scanning the store: %w", err)
		}
		s.deletes = 0
	}
	if s.it == nil || cursor != s.at {
		panic("BUG: state: Scan goes on with a cursor that is not that of the last call")
	}
	if cap(s.vals) < len(keys) {
		s.vals = make([]V, len(keys))
	}
	clear(s.vals[:cap(s.vals)])
	for s.it.Next() {
		if s.deletes > 0 {
			var ok bool
			if c.val, ok, err = c.store.Get(s.it.Key(), c.val[:0]); err != nil {
				return 0, 0, fmt.Errorf("scanning the store: %w", err)
			}
			if !ok {
				continue
			}
		}
		if _, err := t.desc.Keys.Decode(s.it.Key()[len(c.prefix)+2:], &keys[n]); err != nil {
			return 0, 0, fmt.Errorf("decoding a key of the store: %w", err)
		}
		if _, err := t.desc.Values.Decode(s.it.Value(), &s.vals[n]); err != nil {
			return 0, 0, fmt.Errorf("decoding a value of the store: %w", err)
		}
		vals[n] = &s.vals[n]
		if n++; n == len(keys) {
			s.at++
			return n, s.at, nil
		}
	}
	return n, 0, s.close()
}

// close ends a scan that is under way.
func (t *Table[K, V]) close() error {
	if t.store == nil {
		return nil
	}
	return t.store.scanner.close()
}

// maintain brings the cache of a table back under the limit.
func (t *Table[K, V]) maintain() error {
	if t.store == nil {
		return nil
	}
	return t.store.makeRoom(t, 0)
}
