package state

import (
	"math/bits"
	"unsafe"
)

// page is a run of entries that lie together in memory.
//
// Pages never move once there is more than one, so a *V stays good while the table grows. A page with epoch <= Table.frozen is also
// read by a
// snapshot in the background and is immutable: own replaces it by a clone before anything in it is written or handed out for writing.
type page[K comparable, V any] struct {
	entries []entry[K, V]
	epoch   uint32
}

// retiredPage was replaced while snapshots still read it: those with epochs in [made, replaced).
type retiredPage[K comparable, V any] struct {
	entries        []entry[K, V]
	made, replaced uint32
}

const (
	// pageBytesMax bounds what the first write to a frozen page has to copy: about a microsecond.
	pageBytesMax = 8 << 10
	// pageShiftMin..pageShiftMax are 16 to 256 entries a page.
	pageShiftMin, pageShiftMax = 4, 8
	// sparePagesBytesMax bounds the memory kept for the clones of the next snapshot.
	sparePagesBytesMax = 64 << 20
	// firstEntries is what a table begins with: there are jobs with thousands of windows, each a table.
	firstEntries = 8
)

func pageShift(entryBytes uintptr, deep bool) uint8 {
	s := uint8(pageShiftMax)
	for s > pageShiftMin && entryBytes<<s > pageBytesMax {
		s--
	}
	if deep && s > 6 {
		s = 6 // a clone looks at the live bits of its page as one word
	}
	return s
}

// reserve makes room for n more entries where that could move entries, that is while the table has only its first, still growing page.
func (t *Table[K, V]) reserve(n int) {
	if len(t.pages) > 1 || len(t.free) >= n {
		return
	}
	full := int(t.mask) + 1
	want := min(max(firstEntries, int(t.nextID)+n), full)
	if len(t.pages) == 0 {
		t.addPage(roundUp(want))
		return
	}
	pg := &t.pages[0]
	if len(pg.entries) >= want {
		return
	}
	entries := make([]entry[K, V], roundUp(want))
	copy(entries, pg.entries)
	old := *pg
	pg.entries = entries
	if old.epoch <= t.frozen {
		t.shareUnread(0)
	}
	pg.epoch = t.epoch
	if t.store != nil {
		t.store.growFlags(len(entries))
	}
}

func roundUp(n int) int { return 1 << bits.Len(uint(n-1)) }

func (t *Table[K, V]) addPage(entries int) {
	var es []entry[K, V]
	if n := len(t.spare); n > 0 && len(t.spare[n-1]) == entries {
		es = t.spare[n-1]
		t.spare = t.spare[:n-1]
		clear(es)
	} else {
		es = make([]entry[K, V], entries)
	}
	t.pages = append(t.pages, page[K, V]{entries: es, epoch: t.epoch})
	if t.deep {
		t.unread = append(t.unread, 0)
	}
	for need := (len(t.pages)<<t.shift + 63) >> 6; len(t.live) < need; {
		t.live = append(t.live, 0)
	}
	if t.store != nil {
		t.store.growFlags((len(t.pages)-1)<<t.shift + entries)
	}
}

// add makes a zero entry, indexed under h. REQUIRES: reserve was called in this vector operation.
func (t *Table[K, V]) add(h uint64) (uint32, *entry[K, V]) {
	var id uint32
	if n := len(t.free); n > 0 {
		id = t.free[n-1]
		t.free = t.free[:n-1]
	} else {
		id = t.nextID
		t.nextID++
		if int(id>>t.shift) == len(t.pages) {
			t.addPage(int(t.mask) + 1)
		}
	}
	if t.pages[id>>t.shift].epoch <= t.frozen {
		t.clone(int(id >> t.shift))
	}
	t.live[id>>6] |= 1 << (id & 63)
	t.len++
	t.index.insert(h, id)
	e := &t.pages[id>>t.shift].entries[id&t.mask]
	*e = entry[K, V]{}
	if t.deep {
		t.unread[id>>t.shift] &^= 1 << (id & t.mask)
	}
	return id, e
}

// drop takes entry id, indexed under h, out of memory.
func (t *Table[K, V]) drop(id uint32, h uint64) {
	t.index.remove(h, id)
	if t.pages[id>>t.shift].epoch <= t.frozen {
		t.clone(int(id >> t.shift))
	}
	t.pages[id>>t.shift].entries[id&t.mask] = entry[K, V]{} // lets go of what it points to
	t.live[id>>6] &^= 1 << (id & 63)
	t.len--
	t.free = append(t.free, id)
}

// own makes the entry id one that may be changed, and, where V shares memory, one that leads to nothing a snapshot reads.
func (t *Table[K, V]) own(id uint32) {
	p := int(id >> t.shift)
	if t.pages[p].epoch <= t.frozen {
		t.clone(p)
	}
	if !t.deep || t.unread[p] == 0 {
		return
	}
	if t.frozen == 0 {
		t.unread[p] = 0 // no snapshot reads it any more
		return
	}
	bit := uint64(1) << (id & t.mask)
	if t.unread[p]&bit == 0 {
		return
	}
	t.unread[p] &^= bit
	e := &t.pages[p].entries[id&t.mask]
	e.val = t.desc.Values.mustCopy(&e.val)
}

// clone replaces page p, which a snapshot reads, by a copy of it.
func (t *Table[K, V]) clone(p int) {
	pg := &t.pages[p]
	var es []entry[K, V]
	if n := len(t.spare); n > 0 && len(t.spare[n-1]) == len(pg.entries) {
		es = t.spare[n-1]
		t.spare = t.spare[:n-1]
	} else {
		es = make([]entry[K, V], len(pg.entries))
	}
	copy(es, pg.entries)
	t.retire(p)
	pg.entries, pg.epoch = es, t.epoch
	t.shareUnread(p)
	t.clones++
}

// shareUnread notes that the entries of page p still share memory with those of a snapshot.
func (t *Table[K, V]) shareUnread(p int) {
	if !t.deep {
		return
	}
	first := p << t.shift
	t.unread[p] = t.live[first>>6] >> (first & 63) & (^uint64(0) >> (64 - len(t.pages[p].entries)))
}

func (t *Table[K, V]) retire(p int) {
	if pg := t.pages[p]; pg.epoch <= t.frozen {
		t.retired = append(t.retired, retiredPage[K, V]{pg.entries, pg.epoch, t.epoch})
	}
}

// frozenTable is what a snapshot reads: immutable until it is released.
type frozenTable[K comparable, V any] struct {
	pages []page[K, V]
	live  []uint64
	shift uint8
	epoch uint32
	len   int
}

// freeze gives a snapshot of the table in memory; the work is a copy of 32 bytes a page. Every freeze is followed by one release.
func (t *Table[K, V]) freeze() frozenTable[K, V] {
	f := frozenTable[K, V]{
		pages: append([]page[K, V](nil), t.pages...), live: append([]uint64(nil), t.live...),
		shift: t.shift, epoch: t.epoch, len: t.len,
	}
	t.active = append(t.active, t.epoch)
	t.frozen = t.epoch
	t.epoch++
	return f
}

// release ends a snapshot: nobody reads f any more. Pages that were replaced under it are kept for the clones of the next.
func (t *Table[K, V]) release(f frozenTable[K, V]) {
	t.frozen = 0
	kept := t.active[:0]
	for _, e := range t.active {
		if e != f.epoch {
			kept = append(kept, e)
			t.frozen = max(t.frozen, e)
		}
	}
	t.active = kept
	still := t.retired[:0]
	for _, r := range t.retired {
		if t.isRead(r) {
			still = append(still, r)
		} else {
			t.keepSpare(r.entries)
		}
	}
	clear(t.retired[len(still):])
	t.retired = still
}

// keepSpare keeps a page for the clones of the next snapshot, or for the next window, unless that would hold on to much memory.
func (t *Table[K, V]) keepSpare(es []entry[K, V]) {
	pageBytes := len(es) * int(unsafe.Sizeof(entry[K, V]{}))
	if len(es) != int(t.mask)+1 || (len(t.spare)+1)*pageBytes > sparePagesBytesMax {
		return
	}
	if t.pointers {
		clear(es) // lets go of what they lead to
	}
	t.spare = append(t.spare, es)
}

func (t *Table[K, V]) isRead(r retiredPage[K, V]) bool {
	for _, e := range t.active {
		if r.made <= e && e < r.replaced {
			return true
		}
	}
	return false
}
