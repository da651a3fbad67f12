package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
)

// diskTimers keeps timers in a Store, ordered by time, key group and key, and a bounded number of the earliest in memory.
//
// Problem: a hundred million keys with a timer each do not fit into memory. A read of the store to see whether a timer is there, for each one
// set, a tombstone for each one that fires, and a scan over these tombstones for the next one would each cost more than the user's function.
//
// Idea: memory and store share out the order between them. The head has every timer before low, the store every one from low on. So what is set
// for a time before low never reaches the store, what is set later is written blindly, and what is deleted there is a tombstone, blindly. When the
// head is empty the next timers are read in one go and low moves up behind them; what they leave in the store is garbage before low, where no
// iterator looks, until one range delete for many such reads takes it away. When the head is full its later half goes to the store and low
// moves down. A state with few timers never touches the store.
//
// Timers of one time come in the order of key group and key, not of registration.
//
// Invariant: head[at:] is sorted; all of it is before low; the head is empty only if there is no timer at all.
// Invariant: in the store there is garbage in [swept, low) only, and no other timer before low.
type diskTimers[K comparable] struct {
	store       Store
	prefix, end []byte
	groups      Groups
	keys        Format[K]
	keyHash     func(k *K) uint64

	head       []Timer[K]
	at         int
	low, swept []byte
	reads      int // of the store since garbage was swept
	key, other []byte
	held       K
}

const (
	// headMax is how many timers are in memory; half of them are read, or written, at once.
	headMax = 2048
	// readsPerSweep is after how many reads garbage is deleted.
	readsPerSweep = 64
)

func newDiskTimers[K comparable](b *Backend, keys Format[K], keyHash func(*K) uint64) *diskTimers[K] {
	prefix := b.prefix()
	d := &diskTimers[K]{store: b.cfg.Store, prefix: prefix, end: after(prefix), groups: b.cfg.Groups, keys: keys, keyHash: keyHash}
	d.low, d.swept = d.end, d.end
	return d
}

// appendKey appends the place of a timer in the order: also the whole of its key in the store.
func (d *diskTimers[K]) appendKey(dst []byte, key K, hash uint64, timeMs int64) []byte {
	dst = append(dst, d.prefix...)
	dst = binary.BigEndian.AppendUint64(dst, uint64(timeMs)^1<<63)
	dst = binary.BigEndian.AppendUint16(dst, uint16(d.groups.of(hash)))
	d.held = key // lest the argument escape
	return d.keys.Append(dst, &d.held)
}

// find is the place in the head of the timer whose bytes are in d.key.
func (d *diskTimers[K]) find(timeMs int64) (int, bool) {
	lo, hi := d.at, len(d.head)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		x := &d.head[mid]
		order := 1
		switch {
		case x.TimeMs < timeMs:
			order = -1
		case x.TimeMs == timeMs:
			d.other = d.appendKey(d.other[:0], x.Key, x.Hash, timeMs)
			order = bytes.Compare(d.other, d.key)
		}
		switch {
		case order == 0:
			return mid, true
		case order < 0:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return lo, false
}

// set adds a timer; one that is there stays.
func (d *diskTimers[K]) set(x Timer[K]) error {
	d.key = d.appendKey(d.key[:0], x.Key, x.Hash, x.TimeMs)
	if bytes.Compare(d.key, d.low) >= 0 {
		if err := d.store.Set(d.key, nil); err != nil {
			return fmt.Errorf("writing a timer to the store: %w", err)
		}
		return nil
	}
	i, ok := d.find(x.TimeMs)
	if ok {
		return nil
	}
	if i == d.at && d.at > 0 {
		d.at--
		d.head[d.at] = x
	} else {
		d.head = slices.Insert(d.head, i, x)
	}
	if len(d.head)-d.at > headMax {
		return d.spill()
	}
	if len(d.head) > 2*headMax { // only gone ones
		d.close()
	}
	return nil
}

// close takes the gone timers out of the head.
func (d *diskTimers[K]) close() {
	n := copy(d.head, d.head[d.at:])
	clear(d.head[n:])
	d.head, d.at = d.head[:n], 0
}

// spill writes the later half of the head to the store.
func (d *diskTimers[K]) spill() error {
	if err := d.sweep(); err != nil {
		return err
	}
	d.close()
	later := d.head[headMax/2:]
	for i, x := range later {
		d.key = d.appendKey(d.key[:0], x.Key, x.Hash, x.TimeMs)
		if i == 0 {
			d.low = bytes.Clone(d.key)
			d.swept = d.low
		}
		if err := d.store.Set(d.key, nil); err != nil {
			return fmt.Errorf("writing timers to the store: %w", err)
		}
	}
	clear(later)
	d.head = d.head[:headMax/2]
	return nil
}

// sweep deletes the garbage.
func (d *diskTimers[K]) sweep() error {
	d.reads = 0
	if bytes.Equal(d.swept, d.low) {
		return nil
	}
	if err := d.store.DeleteRange(d.swept, d.low); err != nil {
		return fmt.Errorf("deleting timers that have fired from the store: %w", err)
	}
	d.swept = d.low
	return nil
}

// delete removes a timer, if it is there.
func (d *diskTimers[K]) delete(x Timer[K]) error {
	d.key = d.appendKey(d.key[:0], x.Key, x.Hash, x.TimeMs)
	if bytes.Compare(d.key, d.low) >= 0 {
		if err := d.store.Delete(d.key); err != nil {
			return fmt.Errorf("deleting a timer from the store: %w", err)
		}
		return nil
	}
	i, ok := d.find(x.TimeMs)
	if !ok {
		return nil
	}
	if i == d.at {
		return d.removeFirst()
	}
	d.head = slices.Delete(d.head, i, i+1)
	return nil
}

// removeFirst takes the first timer out of the head, and reads on when it was the last there.
func (d *diskTimers[K]) removeFirst() error {
	d.head[d.at] = Timer[K]{}
	if d.at++; d.at < len(d.head) {
		return nil
	}
	d.head, d.at = d.head[:0], 0
	return d.read()
}

// read fills the empty head from the store.
func (d *diskTimers[K]) read() (err error) {
	if bytes.Equal(d.low, d.end) {
		return nil
	}
	it, err := d.store.Iterate(d.low, d.end)
	if err != nil {
		return fmt.Errorf("reading timers from the store: %w", err)
	}
	low := d.end
	for it.Next() {
		if len(d.head) == headMax/2 {
			low = bytes.Clone(it.Key())
			break
		}
		x, err := d.decode(it.Key())
		if err != nil {
			_ = it.Close()
			return err
		}
		d.head = append(d.head, x)
	}
	if err := it.Close(); err != nil {
		return fmt.Errorf("reading timers from the store: %w", err)
	}
	d.low = low
	if d.reads++; d.reads == readsPerSweep || len(d.head) == 0 {
		return d.sweep()
	}
	return nil
}

func (d *diskTimers[K]) decode(key []byte) (x Timer[K], err error) {
	key = key[len(d.prefix):]
	x.TimeMs = int64(binary.BigEndian.Uint64(key) ^ 1<<63)
	if _, err = d.keys.Decode(key[10:], &d.held); err != nil {
		return x, fmt.Errorf("decoding a timer of the store: %w", err)
	}
	x.Key, x.Hash = d.held, d.keyHash(&d.held)
	return x, nil
}

// each calls f for all timers, in their order.
func (d *diskTimers[K]) each(f func(Timer[K])) error {
	for _, x := range d.head[d.at:] {
		f(x)
	}
	it, err := d.store.Iterate(d.low, d.end)
	if err != nil {
		return fmt.Errorf("reading timers from the store: %w", err)
	}
	for it.Next() {
		x, err := d.decode(it.Key())
		if err != nil {
			_ = it.Close()
			return err
		}
		f(x)
	}
	return it.Close()
}

// frozenTimers are the timers of a snapshot: a copy of the head, and a range of the store's snapshot.
type frozenTimers[K comparable] struct {
	head   []Timer[K]
	lo, hi []byte
	prefix int // bytes of the prefix
	groups Groups
	set    Descriptor[timerKey[K], uint64]
}

func (d *diskTimers[K]) freeze(set Descriptor[timerKey[K], uint64]) frozenState {
	return &frozenTimers[K]{head: slices.Clone(d.head[d.at:]), lo: d.low, hi: d.end, prefix: len(d.prefix), groups: d.groups, set: set}
}

func (f *frozenTimers[K]) release() {}

// encode writes what a set in memory would: time, key, number. The number is the same for all, as if all had been registered at once.
func (f *frozenTimers[K]) encode(c *chunks, store StoreSnapshot) (err error) {
	one := uint64(1)
	for _, x := range f.head {
		group := f.groups.of(x.Hash)
		p := c.begin(group)
		before := len(p.buf)
		p.buf = f.set.Values.Append(f.set.Keys.Append(p.buf, &timerKey[K]{x.TimeMs, x.Key}), &one)
		if err := c.end(group, p, before); err != nil {
			return err
		}
	}
	it, err := store.Iterate(f.lo, f.hi)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := it.Close(); err == nil {
			err = closeErr
		}
	}()
	for it.Next() {
		key := it.Key()[f.prefix:]
		group := int(binary.BigEndian.Uint16(key[8:]))
		p := c.begin(group)
		before := len(p.buf)
		p.buf = binary.LittleEndian.AppendUint64(p.buf, binary.BigEndian.Uint64(key)^1<<63)
		p.buf = f.set.Values.Append(append(p.buf, key[10:]...), &one)
		if err := c.end(group, p, before); err != nil {
			return err
		}
	}
	return nil
}

// restore sets the timers of a file.
func (d *diskTimers[K]) restore(f *File, state int, groups Groups, set *Descriptor[timerKey[K], uint64]) error {
	number, err := readerOf(set, f.head.states[state])
	if err != nil {
		return err
	}
	return f.each(state, groups, func(s segmentRef, src []byte) error {
		var k timerKey[K]
		var seq uint64
		for range s.entries {
			n, err := set.Keys.Decode(src, &k)
			if err != nil {
				return fmt.Errorf("decoding a timer: %w", err)
			}
			m, err := number(src[n:], &seq)
			if err != nil {
				return fmt.Errorf("decoding the number of a timer: %w", err)
			}
			src = src[n+m:]
			hash := d.keyHash(&k.key)
			if g := d.groups.of(hash); g != int(s.group) {
				return fmt.Errorf("key %v is of key group %d", k.key, g)
			}
			if err := d.set(Timer[K]{k.key, hash, k.time}); err != nil {
				return err
			}
		}
		return endOf(src)
	})
}
