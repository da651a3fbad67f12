package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/flottio/flott/schema"
	"github.com/zeebo/xxh3"
)

func hashInt(k *int64) uint64 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(*k))
	return xxh3.Hash(b[:])
}

func hashString(k *string) uint64 { return xxh3.HashString(*k) }

func intFormat() Format[int64] {
	return Format[int64]{
		Append: func(dst []byte, v *int64) []byte { return binary.BigEndian.AppendUint64(dst, uint64(*v)) },
		Decode: func(src []byte, v *int64) (int, error) {
			if len(src) < 8 {
				return 0, fmt.Errorf("int64 needs 8 bytes, has %d", len(src))
			}
			*v = int64(binary.BigEndian.Uint64(src))
			return 8, nil
		},
		Schema: schema.Scalar(schema.Int64),
	}
}

func bytesFormat() Format[[]byte] {
	return Format[[]byte]{
		Append: func(dst []byte, v *[]byte) []byte { return append(binary.AppendUvarint(dst, uint64(len(*v))), *v...) },
		Decode: func(src []byte, v *[]byte) (int, error) {
			n, w := binary.Uvarint(src)
			if w <= 0 || n > uint64(len(src)-w) {
				return 0, fmt.Errorf("bytes cut short")
			}
			*v = append([]byte(nil), src[w:w+int(n)]...)
			return w + int(n), nil
		},
		Schema: schema.Scalar(schema.Bytes),
		Shared: true,
	}
}

func intTable() *Table[int64, int64] {
	return NewTable(Descriptor[int64, int64]{KeyHash: hashInt, Keys: intFormat(), Values: intFormat()})
}

// check compares a table with a map in both directions.
func check[V any](t *testing.T, tb *Table[int64, V], want map[int64]V, same func(a, b V) bool) {
	t.Helper()
	if tb.Len() != len(want) {
		t.Fatalf("table has %d entries, want %d", tb.Len(), len(want))
	}
	keys, vals := make([]int64, 100), make([]*V, 100)
	seen := map[int64]bool{}
	for cur := uint64(0); ; {
		n, next, err := tb.Scan(cur, keys, vals)
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			w, ok := want[keys[i]]
			if !ok || seen[keys[i]] || !same(*vals[i], w) {
				t.Fatalf("scan gives %d -> %v, want %v (present %v, seen before %v)", keys[i], *vals[i], w, ok, seen[keys[i]])
			}
			seen[keys[i]] = true
		}
		if cur = next; cur == 0 {
			break
		}
	}
	if len(seen) != len(want) {
		t.Fatalf("scan gave %d entries, want %d", len(seen), len(want))
	}
	for k, w := range want {
		v, err := tb.Get(k, hashInt(&k))
		if err != nil || v == nil || !same(*v, w) {
			t.Fatalf("get %d: %v %v, want %v", k, v, err, w)
		}
	}
}

func sameInt(a, b int64) bool { return a == b }

// frozenMap reads a snapshot the way the encoder does.
func frozenMap[V any](f frozenTable[int64, V], copyOf func(V) V) map[int64]V {
	m := map[int64]V{}
	for w, set := range f.live {
		for b := range 64 {
			if set&(1<<b) != 0 {
				id := uint32(w<<6 + b)
				e := &f.pages[id>>f.shift].entries[id&(1<<f.shift-1)]
				m[e.key] = copyOf(e.val)
			}
		}
	}
	return m
}

func TestTableAgainstMapWithSnapshots(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			space := []int64{10, 300, 5000, 40000}[seed%4]
			tb, want := intTable(), map[int64]int64{}
			type snap struct {
				f    frozenTable[int64, int64]
				want map[int64]int64
			}
			var snaps []snap
			for range 250 {
				switch n := 1 + rng.IntN(700); rng.IntN(8) {
				case 0, 1, 2, 3:
					keys, hashes, vals := make([]int64, n), make([]uint64, n), make([]*int64, n)
					for i := range keys {
						keys[i] = rng.Int64N(space)
						hashes[i] = hashInt(&keys[i])
					}
					if err := tb.Upsert(keys, hashes, vals); err != nil {
						t.Fatal(err)
					}
					for i, k := range keys {
						*vals[i]++
						want[k]++
					}
				case 4:
					for range n {
						k := rng.Int64N(space)
						_, ok := want[k]
						got, err := tb.Delete(k, hashInt(&k))
						if err != nil || got != ok {
							t.Fatalf("delete %d: %v %v, want %v", k, got, err, ok)
						}
						delete(want, k)
					}
				case 5:
					k := rng.Int64N(space)
					v, _ := tb.UpsertOne(k, hashInt(&k))
					*v = 7
					want[k] = 7
				case 6:
					s := snap{f: tb.freeze(), want: maps.Clone(want)}
					snaps = append(snaps, s)
				case 7:
					if len(snaps) > 0 {
						i := rng.IntN(len(snaps))
						got := frozenMap(snaps[i].f, func(v int64) int64 { return v })
						if !maps.Equal(got, snaps[i].want) {
							t.Fatal("a snapshot changed after it was taken")
						}
						tb.release(snaps[i].f)
						snaps = append(snaps[:i], snaps[i+1:]...)
					}
				}
			}
			check(t, tb, want, sameInt)
			if err := tb.Clear(); err != nil {
				t.Fatal(err)
			}
			check(t, tb, map[int64]int64{}, sameInt)
			for _, s := range snaps {
				if got := frozenMap(s.f, func(v int64) int64 { return v }); !maps.Equal(got, s.want) {
					t.Fatal("a snapshot changed when the table was cleared")
				}
			}
		})
	}
}

// A value that leads to memory of its own must not change under a snapshot, whether it was reached by Upsert, Find, Get or Scan.
func TestTableSharedValuesUnderSnapshot(t *testing.T) {
	tb := NewTable(Descriptor[int64, []byte]{KeyHash: hashInt, Keys: intFormat(), Values: bytesFormat()})
	const n = 1000
	for k := range int64(n) {
		v, _ := tb.UpsertOne(k, hashInt(&k))
		*v = []byte{byte(k), 0}
	}
	for round := range 3 {
		f := tb.freeze()
		before := frozenMap(f, func(v []byte) []byte { return append([]byte(nil), v...) })
		keys, hashes, vals := make([]int64, n), make([]uint64, n), make([]*[]byte, n)
		for k := range int64(n) {
			keys[k], hashes[k] = k, hashInt(&k)
		}
		switch round {
		case 0:
			_ = tb.Upsert(keys, hashes, vals)
		case 1:
			_ = tb.Find(keys, hashes, vals)
		case 2:
			if m, _, _ := tb.Scan(0, keys, vals); m != n {
				t.Fatal(m)
			}
		}
		for i := range vals {
			(*vals[i])[1]++ // in place
		}
		after := frozenMap(f, func(v []byte) []byte { return v })
		if !maps.EqualFunc(before, after, bytes.Equal) {
			t.Fatalf("round %d: a snapshot changed", round)
		}
		tb.release(f)
		for k := range int64(n) {
			if v, _ := tb.Get(k, hashInt(&k)); (*v)[1] != byte(round+1) {
				t.Fatalf("round %d: key %d has %d", round, k, (*v)[1])
			}
		}
	}
}

func TestTableDuplicatesInOneVector(t *testing.T) {
	tb := intTable()
	keys := []int64{5, 5, 6, 5}
	hashes, vals := make([]uint64, 4), make([]*int64, 4)
	for i := range keys {
		hashes[i] = hashInt(&keys[i])
	}
	_ = tb.Upsert(keys, hashes, vals)
	if vals[0] != vals[1] || vals[0] != vals[3] || vals[0] == vals[2] {
		t.Fatal("the same key must give the same pointer")
	}
}

// Keys that share all 32 bits of hash in the index are still told apart.
func TestTableCollidingHashes(t *testing.T) {
	tb := NewTable(Descriptor[int64, int64]{KeyHash: func(k *int64) uint64 { return uint64(*k) & 3 << 40 }})
	keys, hashes, vals := make([]int64, 3000), make([]uint64, 3000), make([]*int64, 3000)
	for i := range keys {
		keys[i] = int64(i)
		hashes[i] = tb.Hash(&keys[i])
	}
	_ = tb.Upsert(keys, hashes, vals)
	for i := range vals {
		*vals[i] = int64(i)
	}
	_ = tb.Find(keys, hashes, vals)
	for i := range vals {
		if *vals[i] != int64(i) {
			t.Fatalf("key %d has %d", i, *vals[i])
		}
	}
}

func TestTableUpsertDoesNotAllocate(t *testing.T) {
	tb := intTable()
	keys, hashes, vals := make([]int64, 1024), make([]uint64, 1024), make([]*int64, 1024)
	for i := range keys {
		keys[i] = int64(i)
		hashes[i] = hashInt(&keys[i])
	}
	_ = tb.Upsert(keys, hashes, vals)
	if n := testing.AllocsPerRun(100, func() { _ = tb.Upsert(keys, hashes, vals) }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}
