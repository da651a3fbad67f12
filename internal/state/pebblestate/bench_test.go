package pebblestate_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/internal/state/pebblestate"
)

const benchBatch = 1024

// BenchmarkUpsert counts random keys: in memory, in a cache that holds all, in one that holds a tenth, on a disk.
func BenchmarkUpsert(b *testing.B) {
	for _, c := range []struct {
		name       string
		keys       int64
		disk       bool
		cacheBytes int
	}{
		{"hashmap", 100_000, false, 0},
		{"rocksdb-all-cached", 100_000, true, 256 << 20},
		{"rocksdb-tenth-cached", 100_000, true, 320 << 10},
		{"rocksdb-new-keys", 1 << 40, true, 1 << 20},
	} {
		b.Run(fmt.Sprintf("%s/n=%d", c.name, c.keys), func(b *testing.B) {
			cfg := state.Config{Groups: state.Groups{End: 128, Max: 128}, CacheBytes: c.cacheBytes}
			if c.disk {
				s, err := pebblestate.Open(b.TempDir()+"/s", 64<<20)
				if err != nil {
					b.Fatal(err)
				}
				cfg.Store = s
			}
			count(b, cfg, c.keys)
		})
	}
}

func count(b *testing.B, cfg state.Config, space int64) {
	bk, err := state.NewBackend(cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer bk.Close()
	d, _ := state.Describe[int64, int64]()
	t, err := state.RegisterTable(bk, "op", "counts", d)
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	keys, hashes, vals := make([]int64, benchBatch), make([]uint64, benchBatch), make([]*int64, benchBatch)
	batch := func(next func(i int) int64) {
		for i := range keys {
			keys[i] = next(i)
			hashes[i] = d.KeyHash(&keys[i])
		}
		if err := t.Upsert(keys, hashes, vals); err != nil {
			b.Fatal(err)
		}
		for _, v := range vals {
			*v++
		}
	}
	if space <= 1<<20 {
		for at := int64(0); at < space; at += benchBatch {
			batch(func(i int) int64 { return (at + int64(i)) % space })
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i += benchBatch {
		batch(func(int) int64 { return rng.Int64N(space) })
	}
}
