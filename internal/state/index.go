package state

import "unsafe"

// index maps 32 bits of hash to candidate entry ids. It never looks at an entry: a slot holds all that growing, splitting and deleting
// need.
//
// Problem: one big array of slots has to be rehashed at once when it is full. With 16 M entries that is a pause of 100 ms and more,
// most of it
// clearing memory, in the middle of a batch.
//
// Idea: extendible hashing. A directory picks a segment by the top bits of the hash, a segment is a linear-probing array of at most
// segmentSlotsMax slots. A full segment is split in two; nothing else moves. The longest single piece of work is one split (32 KiB
// read, 64 KiB
// written: some 20 us) plus doubling the directory (24 bytes a segment).
//
// Slot: the top 32 bits of the hash in its top 32 bits, entry id + 1 in the low 32; 0 is empty. The directory takes the topmost bits,
// the position
// inside a segment the lowest bits of those 32, so they are independent. Deleting shifts back: there are no tombstones.
//
// Invariant: for every slot w of segment s of depth d, the top d bits of w equal those of the directory places that point to s.
// Invariant: a segment has at least a quarter of its slots empty, so that probing ends.
type index struct {
	// dir has 1<<depth places, each the first slot of a segment; several neighbouring ones share one that is less deep than the directory.
	dir   []*uint64
	mask  uint64 // slots in a segment - 1
	shift uint8  // 32 - depth
	segs  []*segment
}

// segment is the part of a segment that only inserts and deletes look at.
type segment struct {
	slots []uint64
	used  int
	depth uint8
}

const (
	segmentSlotsMin = 8
	segmentSlotsMax = 4096
	// cachedSegments are surely in the second-level cache: loading them beforehand gains nothing.
	cachedSegments = 8
	// directoryDepthMax bounds the directory: 20 bits of directory and 12 of position use up the 32 bits of hash in a slot.
	directoryDepthMax = 20
	tagMask           = 0xffffffff << 32
)

func (x *index) reset() {
	x.segs = []*segment{{slots: make([]uint64, segmentSlotsMin)}}
	x.dir = []*uint64{&x.segs[0].slots[0]}
	x.shift, x.mask = 32, segmentSlotsMin-1
}

// place is where in the directory the segment of h is.
func (x *index) place(h uint64) uint64 { return h >> 32 >> (x.shift & 63) }

// home is the slot where probing for h begins: a pointer, because the lookup of a batch does nothing but this, and bounds are known.
// Invariant: all segments have mask+1 slots.
func home(segment *uint64, h, mask uint64) *uint64 { return slotAt(segment, h>>32&mask) }

func slotAt(segment *uint64, i uint64) *uint64 {
	return (*uint64)(unsafe.Add(unsafe.Pointer(segment), i<<3))
}

// clear empties the index. It keeps the segments if they were filled well with the used entries: the next window is likely to need as
// many.
func (x *index) clear(used int) {
	if len(x.segs) == 1 || 4*used < segmentSlotsMax*len(x.dir) {
		x.reset()
		return
	}
	for _, s := range x.segs {
		if s.used > 0 {
			clear(s.slots)
			s.used = 0
		}
	}
}

// candidates sets words[i] to the first slot with the same 32 bits as hashes[i], or to 0 when there is none.
func (x *index) candidates(hashes, words []uint64) {
	dir, mask, shift := x.dir, x.mask, x.shift&63
	if len(dir) > cachedSegments {
		// Phase 1: load the home slots. Nothing depends on the loads, so that the cache misses overlap.
		for i, h := range hashes {
			words[i] = *home(dir[h>>32>>shift], h, mask)
		}
	}
	// Phase 2: probe, in the cache.
	for i, h := range hashes {
		slots := dir[h>>32>>shift]
		w := *home(slots, h, mask)
		for p := h >> 32; w != 0 && (w^h)>>32 != 0; {
			p++
			w = *slotAt(slots, p&mask)
		}
		words[i] = w
	}
}

// insert adds id under h. REQUIRES: the key is absent.
func (x *index) insert(h uint64, id uint32) {
	s := x.segs[x.place(h)]
	for s.used >= len(s.slots)-len(s.slots)/4 && x.grow(x.place(h)) {
		s = x.segs[x.place(h)]
	}
	s.put(h&tagMask | uint64(id+1))
}

func (s *segment) put(w uint64) {
	mask := uint64(len(s.slots) - 1)
	p := w >> 32 & mask
	for s.slots[p] != 0 {
		p = (p + 1) & mask
	}
	s.slots[p] = w
	s.used++
}

// remove takes out the slot of id under h. REQUIRES: it is there.
func (x *index) remove(h uint64, id uint32) {
	s := x.segs[x.place(h)]
	slots, mask := s.slots, uint64(len(s.slots)-1)
	want := h&tagMask | uint64(id+1)
	p := h >> 32 & mask
	for slots[p] != want {
		if slots[p] == 0 {
			panic("BUG: state index: removing an entry that is not indexed")
		}
		p = (p + 1) & mask
	}
	// Shift back every slot of the cluster that may move over the hole.
	for q := (p + 1) & mask; slots[q] != 0; q = (q + 1) & mask {
		home := slots[q] >> 32 & mask
		if (q-home)&mask >= (q-p)&mask {
			slots[p] = slots[q]
			p = q
		}
	}
	slots[p] = 0
	s.used--
}

// grow makes room in the segment at place d; false when it can only get fuller (2^32 slots in use, or hashes that are all the same).
func (x *index) grow(d uint64) bool {
	s := x.segs[d]
	if len(s.slots) == segmentSlotsMax {
		return x.split(d)
	}
	if len(x.dir) != 1 {
		panic("BUG: state index: small segment in a directory of many")
	}
	bigger := &segment{slots: make([]uint64, 2*len(s.slots))}
	for _, w := range s.slots {
		if w != 0 {
			bigger.put(w)
		}
	}
	x.segs[0], x.dir[0], x.mask = bigger, &bigger.slots[0], uint64(len(bigger.slots)-1)
	return true
}

func (x *index) split(d uint64) bool {
	s := x.segs[d]
	if s.depth == directoryDepthMax {
		if s.used == segmentSlotsMax-1 {
			panic("BUG: state index: segment overflow: the hash function gives the same top 32 bits to thousands of keys")
		}
		return false
	}
	if s.depth == 32-x.shift {
		x.double()
		d <<= 1
	}
	bit := uint64(1) << (63 - s.depth)
	var halves [2]*segment
	for i := range halves {
		halves[i] = &segment{slots: make([]uint64, segmentSlotsMax), depth: s.depth + 1}
	}
	for _, w := range s.slots {
		if w != 0 {
			halves[min(w&bit, 1)].put(w)
		}
	}
	span := uint64(1) << (32 - x.shift - s.depth)
	first := d &^ (span - 1)
	for i := range span {
		h := halves[i/(span/2)]
		x.dir[first+i], x.segs[first+i] = &h.slots[0], h
	}
	return true
}

func (x *index) double() {
	dir, segs := make([]*uint64, 2*len(x.dir)), make([]*segment, 2*len(x.segs))
	for i := range x.dir {
		dir[2*i], dir[2*i+1] = x.dir[i], x.dir[i]
		segs[2*i], segs[2*i+1] = x.segs[i], x.segs[i]
	}
	x.dir, x.segs = dir, segs
	x.shift--
}
