package operator

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
)

// TestRollingSumsInPieces: so many keys that every part of a firing (panes out, turn, panes in, results) takes several calls of Advance. Keys come
// and go, so that numbers are used again, and there are times without any record.
func TestRollingSumsInPieces(t *testing.T) {
	const keys, panes = 6000, 20
	w := Windows{Kind: WindowSliding, Size: ms(50), Slide: ms(10)}
	for seed := range uint64(2) {
		rng := rand.New(rand.NewPCG(seed, 5))
		r, ref := newRig(t, 1, sumsPlan(w, 0, 1)), newReference(w, 0)
		for p := range int64(panes) {
			var rows []reading
			first := rng.IntN(2) * keys / 2 // the other half is not there
			for k := first; k < keys && p%9 != 8; k++ {
				rows = append(rows, reading{strconv.Itoa(k), 10*p + rng.Int64N(10), rng.Int64N(100)})
			}
			for _, v := range rows {
				ref.add(v)
			}
			desc := fmt.Sprintf("seed %d", seed)
			compareStep(t, desc, int(p), "batch", r.send(rows...), ref.take())
			ref.advance(10*p + 9)
			compareStep(t, desc, int(p), "watermark", r.advance(10*p+9), ref.take())
		}
		ref.advance(1 << 40)
		compareStep(t, "end", panes, "end", r.advance(1<<40), ref.take())
	}
}
