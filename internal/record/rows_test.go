package record

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flottio/flott/internal/invariant"
)

// TestGatherAndSlice appends rows of one batch to another in both ways and compares with appending record by record, for all
// combinations of times and hashes on both sides.
func TestGatherAndSlice(t *testing.T) {
	const seed = 3
	rng := rand.New(rand.NewPCG(seed, 0))
	fill := func(n int, times, hashes bool) *Rows[int64] {
		r := NewRows[int64]()
		for range n {
			v := rng.Int64()
			r.Append(v, v>>8, times)
			if hashes {
				r.Head.Hashes = append(r.Head.Hashes, uint64(v)*31)
			}
		}
		return r
	}
	for round := range 400 {
		bit := func(i int) bool { return round>>i&1 == 1 }
		src, dst := fill(100+rng.IntN(500), bit(0), bit(1)), fill(rng.IntN(600), bit(2), bit(3))
		from, to := rng.IntN(50), 50+rng.IntN(50)
		var at []int32
		for i := from; i < to; i++ {
			at = append(at, int32(i))
		}
		want := slices.Concat(dst.Rows, src.Rows[from:to])
		old := len(dst.Rows)
		timed, hashed := bit(0) || bit(2) && old > 0, bit(1) && (bit(3) || old == 0)
		if bit(4) {
			src.Gather(dst, at)
		} else {
			src.Slice(dst, from, to)
		}
		if !slices.Equal(dst.Rows, want) {
			t.Fatalf("seed %d, round %d: rows differ", seed, round)
		}
		if got := len(dst.Head.Times); got != 0 && got != len(want) || timed != (got > 0) {
			t.Fatalf("seed %d, round %d: %d times for %d records, timed %v", seed, round, got, len(want), timed)
		}
		if got := len(dst.Head.Hashes); hashed && got != len(want) || !hashed && got != 0 {
			t.Fatalf("seed %d, round %d: %d hashes for %d records, hashed %v", seed, round, got, len(want), hashed)
		}
		for i, v := range want {
			stamped := bit(0) && i >= old || bit(2) && i < old
			if timed && dst.Head.Times[i] != v>>8 && (stamped || dst.Head.Times[i] != NoTime) {
				t.Fatalf("seed %d, round %d: time %d of record %d", seed, round, dst.Head.Times[i], i)
			}
			if hashed && dst.Head.Hashes[i] != uint64(v)*31 {
				t.Fatalf("seed %d, round %d: hash of record %d", seed, round, i)
			}
		}
		src.Release()
		dst.Release()
	}
}

// TestHandoverPoisons shows that a batch which was handed over cannot be read any more, and the new owner's can.
func TestHandoverPoisons(t *testing.T) {
	if !invariant.Enabled {
		t.Skip("needs the tag invariants")
	}
	b := NewRows[int64]()
	b.Append(42, 1, true)
	kept := b.Rows
	next := Handover(b).(*Rows[int64])
	if kept[0] == 42 || len(b.Rows) != 0 {
		t.Errorf("the former owner still reads %v, %v", kept, b.Rows)
	}
	if next.Rows[0] != 42 || next.Head.Times[0] != 1 {
		t.Errorf("the new owner reads %v", next.Rows)
	}
	defer func() {
		if recover() == nil {
			t.Error("releasing a batch after handing it over went unnoticed")
		}
	}()
	b.Release()
}

// TestNoAllocation: moving batches through the pool, gathering and merging allocate nothing once warm.
func TestNoAllocation(t *testing.T) {
	if invariant.Enabled {
		t.Skip("poison copies")
	}
	at := make([]int32, 300)
	src := NewRows[int64]()
	src.Extend(512)
	round := func() {
		dst := src.Get()
		src.Gather(dst, at)
		src.Gather(dst, at)
		src.Slice(dst, 0, 300)
		dst.Release()
	}
	round()
	if n := testing.AllocsPerRun(50, round); n >= 1 {
		t.Errorf("%v allocations for each batch", n)
	}
}

// TestAppendMixed appends records with and without event time in every order: a record without must not shift the times of those behind it.
func TestAppendMixed(t *testing.T) {
	for pattern := range 1 << 6 {
		r := NewRows[int64]()
		for i := range int64(6) {
			r.Append(i, 100+i, pattern>>i&1 == 1)
		}
		if pattern == 0 {
			if len(r.Head.Times) != 0 {
				t.Errorf("no record has a time, and the batch has %v", r.Head.Times)
			}
			continue
		}
		for i := range int64(6) {
			want := int64(NoTime)
			if pattern>>i&1 == 1 {
				want = 100 + i
			}
			if len(r.Head.Times) != 6 || r.Head.Times[i] != want {
				t.Fatalf("pattern %06b: times %v, want %d at %d", pattern, r.Head.Times, want, i)
			}
		}
	}
}
