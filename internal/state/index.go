package state

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
	// dir holds 1<<depth slices; several neighbouring places share one segment when it is less deep than the directory.
	dir   [][]uint64
	shift uint8 // 64 - depth
	segs  []*segment
}

// segment is the part of a segment that only inserts and deletes look at.
type segment struct {
	used  int
	depth uint8
}

const (
	segmentSlotsMin = 8
	segmentSlotsMax = 4096
	// directoryDepthMax bounds the directory: 20 bits of directory and 12 of position use up the 32 bits of hash in a slot.
	directoryDepthMax = 20
	tagMask           = 0xffffffff << 32
)

func (x *index) reset() {
	x.dir = [][]uint64{make([]uint64, segmentSlotsMin)}
	x.segs = []*segment{{}}
	x.shift = 64
}

// clear empties the index. It keeps the segments if they were filled well with the used entries: the next window is likely to need as
// many.
func (x *index) clear(used int) {
	if len(x.segs) == 1 || 4*used < segmentSlotsMax*len(x.dir) {
		x.reset()
		return
	}
	for i, s := range x.segs {
		if s.used > 0 {
			clear(x.dir[i])
			s.used = 0
		}
	}
}

// insert adds id under h. REQUIRES: the key is absent.
func (x *index) insert(h uint64, id uint32) {
	d := h >> x.shift
	for s := x.segs[d]; s.used >= len(x.dir[d])-len(x.dir[d])/4; s = x.segs[d] {
		if !x.grow(d) {
			break
		}
		d = h >> x.shift
	}
	x.segs[d].used++
	place(x.dir[d], h&tagMask|uint64(id+1))
}

func place(slots []uint64, w uint64) {
	mask := uint64(len(slots) - 1)
	p := w >> 32 & mask
	for slots[p] != 0 {
		p = (p + 1) & mask
	}
	slots[p] = w
}

// remove takes out the slot of id under h. REQUIRES: it is there.
func (x *index) remove(h uint64, id uint32) {
	d := h >> x.shift
	slots := x.dir[d]
	mask := uint64(len(slots) - 1)
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
	x.segs[d].used--
}

// grow makes room in the segment at directory place d; false when it can only get fuller (2^32 slots in use, or hashes that are all
// the same).
func (x *index) grow(d uint64) bool {
	old := x.dir[d]
	if len(old) < segmentSlotsMax {
		if len(x.dir) != 1 {
			panic("BUG: state index: small segment in a directory of many")
		}
		slots := make([]uint64, 2*len(old))
		for _, w := range old {
			if w != 0 {
				place(slots, w)
			}
		}
		x.dir[d] = slots
		return true
	}
	return x.split(d)
}

func (x *index) split(d uint64) bool {
	s := x.segs[d]
	if s.depth == directoryDepthMax {
		if s.used == segmentSlotsMax-1 {
			panic("BUG: state index: segment overflow: the hash function gives the same top 32 bits to thousands of keys")
		}
		return false
	}
	if int(s.depth) == depth(x.shift) {
		x.double()
		d <<= 1
	}
	bit := uint64(1) << (63 - s.depth)
	old := x.dir[d]
	lo, hi := make([]uint64, segmentSlotsMax), make([]uint64, segmentSlotsMax)
	los, his := &segment{depth: s.depth + 1}, &segment{depth: s.depth + 1}
	for _, w := range old {
		switch {
		case w == 0:
		case w&bit == 0:
			place(lo, w)
			los.used++
		default:
			place(hi, w)
			his.used++
		}
	}
	span := uint64(1) << (depth(x.shift) - int(s.depth))
	first := d &^ (span - 1)
	for i := first; i < first+span/2; i++ {
		x.dir[i], x.segs[i] = lo, los
	}
	for i := first + span/2; i < first+span; i++ {
		x.dir[i], x.segs[i] = hi, his
	}
	return true
}

func depth(shift uint8) int { return 64 - int(shift) }

func (x *index) double() {
	dir, segs := make([][]uint64, 2*len(x.dir)), make([]*segment, 2*len(x.segs))
	for i := range x.dir {
		dir[2*i], dir[2*i+1] = x.dir[i], x.dir[i]
		segs[2*i], segs[2*i+1] = x.segs[i], x.segs[i]
	}
	x.dir, x.segs = dir, segs
	x.shift--
}

// bytes is the memory the slots take.
func (x *index) bytes() int {
	n := 0
	for i := range x.dir {
		if i == 0 || &x.dir[i][0] != &x.dir[i-1][0] {
			n += 8 * len(x.dir[i])
		}
	}
	return n
}
