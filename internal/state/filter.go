package state

// filter answers "certainly absent" for keys that were never written to the store, so that new keys, the common miss, cost no read of
// it (a miss
// costs a store as much as a hit). A chain of Bloom filters, each for twice as many keys as the one before; 64-bit blocks, so that one
// filter costs
// one cache miss. Deleted keys stay: they cost a read in vain.
//
// Its memory is bounded: a filter for whose growth there is none left is given up, and answers "may be there" from then on.
type filter struct {
	parts     []filterPart
	budget    *budget // shared by the filters of a backend
	bytes     int
	exhausted bool
}

// filterPartOfBudget: the filters of a backend take at most 1/filterPartOfBudget of what its caches have.
const filterPartOfBudget = 3

// reset empties the filter.
func (f *filter) reset() {
	f.budget.filterBytes -= f.bytes
	*f = filter{budget: f.budget}
}

type filterPart struct {
	blocks []uint64
	used   int
}

// filterBlocksMin is 1024 blocks: some 5000 keys in 8 KiB.
const (
	filterBlocksMin    = 1 << 10
	filterKeysPerBlock = 5 // 12.8 bits a key, 4 bits set
)

func (f *filter) add(h uint64) {
	if f.exhausted {
		return
	}
	h = filterHash(h)
	n := len(f.parts)
	if n == 0 || f.parts[n-1].used >= filterKeysPerBlock*len(f.parts[n-1].blocks) {
		more := 8 * filterBlocksMin << n
		if f.budget.filterBytes+more > f.budget.limitBytes/filterPartOfBudget {
			f.reset()
			f.exhausted = true
			return
		}
		f.parts = append(f.parts, filterPart{blocks: make([]uint64, filterBlocksMin<<n)})
		f.bytes += more
		f.budget.filterBytes += more
		n++
	}
	p := &f.parts[n-1]
	p.blocks[h>>32&uint64(len(p.blocks)-1)] |= filterBits(h)
	p.used++
}

func (f *filter) mayHave(h uint64) bool {
	if f.exhausted {
		return true
	}
	h = filterHash(h)
	want := filterBits(h)
	for i := len(f.parts) - 1; i >= 0; i-- {
		p := &f.parts[i]
		if p.blocks[h>>32&uint64(len(p.blocks)-1)]&want == want {
			return true
		}
	}
	return false
}

// filterHash spreads the bits: the low ones of a subtask's hashes are not free, they chose its key groups.
func filterHash(h uint64) uint64 {
	h ^= h >> 32
	h *= 0x9e3779b97f4a7c15
	return h ^ h>>29
}

func filterBits(h uint64) uint64 {
	return 1<<(h&63) | 1<<(h>>6&63) | 1<<(h>>12&63) | 1<<(h>>18&63)
}
