package codec

import (
	"fmt"
	"math/bits"
	"testing"
)

// TestHashSpreads hashes keys as people have them, and looks at the low bits, which pick a key group, and at the high bits,
// which pick a place in a table: neither may be far from even.
func TestHashSpreads(t *testing.T) {
	const n = 1 << 16
	type pair struct{ A, B int32 }
	hashes := map[string][]uint64{}
	add := func(name string, h uint64) { hashes[name] = append(hashes[name], h) }
	ints, strs, pairs := mustForKey[int64](t), mustForKey[string](t), mustForKey[pair](t)
	for i := range int64(n) {
		shifted, s, p := i<<40, fmt.Sprintf("user-%d", i), pair{int32(i % 256), int32(i / 256)}
		add("counting", ints.Hash(&i))
		add("shifted", ints.Hash(&shifted))
		add("strings", strs.Hash(&s))
		add("pairs", pairs.Hash(&p))
	}
	for name, hs := range hashes {
		seen := make(map[uint64]bool, n)
		var low, high [128]int
		for _, h := range hs {
			seen[h] = true
			low[h%128]++
			high[h>>57]++
		}
		if len(seen) != n {
			t.Errorf("%s: %d collisions among %d keys", name, n-len(seen), n)
		}
		for i := range 128 {
			for _, got := range []int{low[i], high[i]} { // 512 expected, standard deviation 22.5
				if got < 512-6*23 || got > 512+6*23 {
					t.Errorf("%s: %d of %d keys in bucket %d of 128", name, got, n, i)
				}
			}
		}
	}
}

// TestMixAvalanches flips each bit of the input: about half of the output must change.
func TestMixAvalanches(t *testing.T) {
	for bit := range 64 {
		changed := 0
		for i := range uint64(1000) {
			changed += bits.OnesCount64(mix(i) ^ mix(i^1<<bit))
		}
		if changed < 31000 || changed > 33000 {
			t.Errorf("bit %d changes %d of 64000 bits", bit, changed)
		}
	}
}
