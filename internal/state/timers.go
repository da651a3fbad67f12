package state

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
)

// Timers are the timers of one operator and one kind of time: a set of (time, key), popped in the order of time (A13.6). Those of one time
// come in memory in the order of registration, on disk in that of their keys' bytes. They are keyed state: written by key group, restored by
// whoever owns the key.
//
// In memory a 4-ary heap orders them; a table is the set. Deleting leaves the heap alone: what is no longer in the table, or is there with
// another number because it was registered again, is skipped when it comes up, and the heap is rebuilt when most of it is such. With a Store
// they are diskTimers. One goroutine owns them. Errors are the store's.
//
// Invariant: the first of the heap is live, so that Next is a load.
type Timers[K comparable] struct {
	set  *Table[timerKey[K], uint64] // -> number of the registration
	disk *diskTimers[K]              // nil: in memory
	StateInfo
	heap    []timerItem[K]
	last    uint64 // number of the last registration
	keyHash func(k *K) uint64
	keep    func(k *K)
}

// Timer is one that is due.
type Timer[K comparable] struct {
	Key    K
	Hash   uint64
	TimeMs int64
}

type timerKey[K comparable] struct {
	time int64
	key  K
}

type timerItem[K comparable] struct {
	time int64
	seq  uint64
	hash uint64
	key  K
}

// RegisterTimers adds the timers of a name to an operator and restores them.
func RegisterTimers[K comparable](b *Backend, uid, name string) (*Timers[K], error) {
	d, err := Describe[K, uint64]()
	if err != nil {
		return nil, err
	}
	return RegisterTimersOf(b, uid, name, d)
}

// RegisterTimersOf is RegisterTimers for keys that d describes; its values are those of Describe.
func RegisterTimersOf[K comparable](b *Backend, uid, name string, d Descriptor[K, uint64]) (*Timers[K], error) {
	t := &Timers[K]{keep: d.Keep, keyHash: d.KeyHash, StateInfo: StateInfo{UID: uid, Name: name, Kind: KindTimers, Values: d.Values.Schema}}
	keys := d.Keys
	t.Keys = leading("@time", keys.Schema)
	t.set = NewTable(Descriptor[timerKey[K], uint64]{
		KeyHash: func(k *timerKey[K]) uint64 { return d.KeyHash(&k.key) },
		Mix:     func(k *timerKey[K], h uint64) uint64 { return mixNumber(h, uint64(k.time)) },
		Equal: func(a, b *timerKey[K]) bool {
			return a.time == b.time && (a.key == b.key || d.Equal != nil && d.Equal(&a.key, &b.key))
		},
		Keys: Format[timerKey[K]]{
			Append: func(dst []byte, k *timerKey[K]) []byte {
				return keys.Append(binary.LittleEndian.AppendUint64(dst, uint64(k.time)), &k.key)
			},
			Decode: func(src []byte, k *timerKey[K]) (int, error) {
				if len(src) < 8 {
					return 0, errShort
				}
				k.time = int64(binary.LittleEndian.Uint64(src))
				n, err := keys.Decode(src[8:], &k.key)
				return n + 8, err
			},
			Schema: t.Keys,
		},
		Values: d.Values,
	})
	t.set.groups = b.cfg.Groups
	if b.cfg.Store != nil && !b.cfg.TimersInMemory {
		t.disk = newDiskTimers(b, keys, d.KeyHash)
	}
	return t, b.register(t)
}

// mixNumber spreads a number into the index hash of a composite key.
func mixNumber(h, n uint64) uint64 {
	h ^= n * 0x9e3779b97f4a7c15
	h ^= h >> 32
	return h * 0xd6e8feb86659fd93
}

// Each calls f for all timers, in no order. It is for tests and tools: on disk it reads all.
func (t *Timers[K]) Each(f func(Timer[K])) error {
	if t.disk != nil {
		return t.disk.each(f)
	}
	for i := range t.heap {
		if x := &t.heap[i]; t.isLive(x) {
			f(Timer[K]{x.key, x.hash, x.time})
		}
	}
	return nil
}

// Next is the time of the earliest timer, math.MaxInt64 without one.
func (t *Timers[K]) Next() int64 {
	if d := t.disk; d != nil {
		if len(d.head) == 0 {
			return math.MaxInt64
		}
		return d.head[d.at].TimeMs
	}
	if len(t.heap) == 0 {
		return math.MaxInt64
	}
	return t.heap[0].time
}

// Register sets a timer. The same key and time twice are one timer, in its first place. hash is the key's. An error says that the key
// belongs to another subtask, or is the store's.
func (t *Timers[K]) Register(key K, hash uint64, timeMs int64) error {
	if t.keep != nil {
		t.keep(&key)
	}
	if t.disk != nil {
		if err := t.set.checkOwned(t.set.hold(timerKey[K]{timeMs, key}), hash); err != nil {
			return err
		}
		return t.disk.set(Timer[K]{key, hash, timeMs})
	}
	seq, err := t.set.UpsertOne(timerKey[K]{timeMs, key}, hash)
	if err != nil || *seq != 0 {
		return err
	}
	t.last++
	*seq = t.last
	t.push(timerItem[K]{timeMs, t.last, hash, key})
	return nil
}

// Delete removes a timer, if it is set.
func (t *Timers[K]) Delete(key K, hash uint64, timeMs int64) error {
	if t.disk != nil {
		return t.disk.delete(Timer[K]{key, hash, timeMs})
	}
	ok, _ := t.set.Delete(timerKey[K]{timeMs, key}, hash) // in memory: no error
	if !ok {
		return nil
	}
	if 2*t.set.Len() < len(t.heap) && len(t.heap) > 64 {
		t.rebuild()
	}
	t.prune()
	return nil
}

// Pop removes and returns the first timer at or before upTo. Timers that were registered by what an earlier one did come in their order,
// deleted ones do not come: loop over it to fire a watermark.
func (t *Timers[K]) Pop(upTo int64) (x Timer[K], ok bool, err error) {
	if d := t.disk; d != nil {
		if len(d.head) == 0 || d.head[d.at].TimeMs > upTo {
			return x, false, nil
		}
		x = d.head[d.at]
		return x, true, d.removeFirst()
	}
	if len(t.heap) == 0 || t.heap[0].time > upTo {
		return x, false, nil
	}
	i := t.heap[0]
	_, _ = t.set.Delete(timerKey[K]{i.time, i.key}, i.hash) // in memory: no error
	t.removeFirst()
	t.prune()
	return Timer[K]{i.key, i.hash, i.time}, true, nil
}

// prune takes off the top what was deleted.
func (t *Timers[K]) prune() {
	for len(t.heap) > 0 && !t.isLive(&t.heap[0]) {
		t.removeFirst()
	}
}

func (t *Timers[K]) isLive(i *timerItem[K]) bool {
	seq, _ := t.set.Get(timerKey[K]{i.time, i.key}, i.hash) // in memory: no error
	return seq != nil && *seq == i.seq
}

func (t *Timers[K]) rebuild() {
	t.heap = slices.DeleteFunc(t.heap, func(i timerItem[K]) bool { return !t.isLive(&i) })
	t.heapify()
}

func (t *Timers[K]) heapify() {
	for i := (len(t.heap) - 2) / 4; i >= 0 && len(t.heap) > 1; i-- {
		t.down(i)
	}
}

func before[K comparable](a, b *timerItem[K]) bool {
	return a.time < b.time || a.time == b.time && a.seq < b.seq
}

func (t *Timers[K]) push(x timerItem[K]) {
	t.heap = append(t.heap, x)
	h := t.heap
	i := len(h) - 1
	for i > 0 {
		up := (i - 1) / 4
		if !before(&x, &h[up]) {
			break
		}
		h[i] = h[up]
		i = up
	}
	h[i] = x
}

func (t *Timers[K]) removeFirst() {
	n := len(t.heap) - 1
	t.heap[0] = t.heap[n]
	t.heap[n] = timerItem[K]{} // lets go of the key
	t.heap = t.heap[:n]
	if n > 1 {
		t.down(0)
	}
}

func (t *Timers[K]) down(i int) {
	h := t.heap
	x := h[i]
	for {
		first := 4*i + 1
		if first >= len(h) {
			break
		}
		least := first
		for c := first + 1; c < min(first+4, len(h)); c++ {
			if before(&h[c], &h[least]) {
				least = c
			}
		}
		if !before(&h[least], &x) {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = x
}

func (t *Timers[K]) info() StateInfo { return t.StateInfo }

func (t *Timers[K]) maintain() error { return nil }

func (t *Timers[K]) close() error { return nil }

func (t *Timers[K]) freeze() (frozenState, error) {
	if t.disk != nil {
		return t.disk.freeze(t.set.desc), nil
	}
	return freezeTable(t.set, nil, nil)
}

func (t *Timers[K]) restore(f *File, state int, groups Groups) error {
	if t.disk != nil {
		return t.disk.restore(f, state, groups, &t.set.desc)
	}
	return restoreTable(t.set, f, state, groups)
}

// restored numbers the timers anew: those of several subtasks were counted apart. Between equal times and numbers the order of the files
// decides, which is the order of the set.
func (t *Timers[K]) restored() {
	if t.set.Len() == 0 {
		return
	}
	keys, seqs := make([]timerKey[K], 256), make([]*uint64, 256)
	for cursor, more := uint64(0), true; more; more = cursor != 0 {
		var n int
		n, cursor, _ = t.set.Scan(cursor, keys, seqs) // in memory: no error
		for i := range n {
			t.heap = append(t.heap, timerItem[K]{keys[i].time, *seqs[i], t.keyHash(&keys[i].key), keys[i].key})
		}
	}
	slices.SortStableFunc(t.heap, func(a, b timerItem[K]) int {
		return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.seq, b.seq))
	})
	for i := range t.heap {
		x := &t.heap[i]
		t.last++
		x.seq = t.last
		seq, _ := t.set.Get(timerKey[K]{x.time, x.key}, x.hash)
		*seq = x.seq
	}
}
