package state

import (
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const benchBatch = 1024

// cpuTime measures what the loop took of the processor, which on a shared machine says more than the clock on the wall.
func cpuTime(b *testing.B, loop func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var from, to unix.Timespec
	b.ReportAllocs()
	b.ResetTimer()
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &from)
	loop()
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &to)
	b.ReportMetric(float64(to.Nano()-from.Nano())/float64(b.N), "cpu-ns/op")
}

// stream gives batches of random keys with their hashes, made before the clock starts.
func stream[K comparable](n int, key func(int64) K, hash func(*K) uint64) (keys []K, hashes []uint64) {
	rng := rand.New(rand.NewPCG(1, 2))
	const records = 1 << 21
	keys, hashes = make([]K, records), make([]uint64, records)
	for i := range keys {
		keys[i] = key(rng.Int64N(int64(n)))
		hashes[i] = hash(&keys[i])
	}
	return keys, hashes
}

func benchUpsert[K comparable](b *testing.B, n int, key func(int64) K, d Descriptor[K, int64]) {
	keys, hashes := stream(n, key, d.KeyHash)
	b.Run(fmt.Sprintf("table/n=%d", n), func(b *testing.B) {
		tb, vals := NewTable(d), make([]*int64, benchBatch)
		for i := range int64(n) {
			k := key(i)
			_, _ = tb.UpsertOne(k, d.KeyHash(&k))
		}
		cpuTime(b, func() {
			for i, at := 0, 0; i < b.N; i += benchBatch {
				_ = tb.Upsert(keys[at:at+benchBatch], hashes[at:at+benchBatch], vals)
				for _, v := range vals {
					*v++
				}
				at = (at + benchBatch) % len(keys)
			}
		})
	})
	b.Run(fmt.Sprintf("gomap/n=%d", n), func(b *testing.B) {
		m := map[K]int64{}
		for i := range int64(n) {
			m[key(i)] = 0
		}
		cpuTime(b, func() {
			for i, at := 0, 0; i < b.N; i += benchBatch {
				for _, k := range keys[at : at+benchBatch] {
					m[k]++
				}
				at = (at + benchBatch) % len(keys)
			}
		})
	})
}

func BenchmarkUpsertInt64(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		benchUpsert(b, n, func(i int64) int64 { return i * 7919 }, Descriptor[int64, int64]{KeyHash: hashInt})
	}
}

func BenchmarkUpsertString(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		url := func(i int64) string { return fmt.Sprintf("https://example.com/%d", i) }
		benchUpsert(b, n, url, Descriptor[string, int64]{KeyHash: hashString})
	}
}

// Inserting n new keys, the index growing from nothing.
func BenchmarkInsertInt64(b *testing.B) {
	const n = 1_000_000
	keys, hashes := make([]int64, n), make([]uint64, n)
	for i := range keys {
		keys[i] = int64(i) * 7919
		hashes[i] = hashInt(&keys[i])
	}
	b.Run("table", func(b *testing.B) {
		vals := make([]*int64, n)
		for range b.N {
			tb := intTable()
			for at := 0; at < n; at += 1000 {
				_ = tb.Upsert(keys[at:at+1000], hashes[at:at+1000], vals[:1000])
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/key")
	})
	b.Run("gomap", func(b *testing.B) {
		for range b.N {
			m := map[int64]int64{}
			for _, k := range keys {
				m[k] = 0
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/key")
	})
}

func benchTable(b *testing.B, n int64) (*Backend, *Table[int64, int64]) {
	bk := mustBackend(b, allGroups(128), nil, 0)
	tb := mustTable[int64](b, bk, "op", "counts")
	for k := range n {
		put(b, tb, k*7919, k)
	}
	return bk, tb
}

func BenchmarkSnapshotSync(b *testing.B) {
	bk, _ := benchTable(b, 1_000_000)
	b.ResetTimer()
	for range b.N {
		s, err := bk.Snapshot()
		if err != nil {
			b.Fatal(err)
		}
		s.Release()
	}
}

func BenchmarkSnapshotWrite(b *testing.B) {
	const n = 1_000_000
	bk, _ := benchTable(b, n)
	b.ResetTimer()
	for range b.N {
		s, _ := bk.Snapshot()
		if _, err := s.Write(io.Discard); err != nil {
			b.Fatal(err)
		}
		s.Release()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/entry")
}

func BenchmarkRestore(b *testing.B) {
	const n = 1_000_000
	bk, _ := benchTable(b, n)
	src := mustWrite(b, bk)
	b.ResetTimer()
	for range b.N {
		to := mustBackend(b, allGroups(128), nil, 0)
		if err := to.Restore(mustOpen(b, src)); err != nil {
			b.Fatal(err)
		}
		if got := mustTable[int64](b, to, "op", "counts").Len(); got != n {
			b.Fatal(got)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/entry")
}

// The longest batch and the mean cost of a record from the moment of the freeze until every page has been cloned.
func BenchmarkUpsertUnderSnapshot(b *testing.B) {
	const n = 1_000_000
	_, tb := benchTable(b, n)
	keys, hashes := stream(n, func(i int64) int64 { return i * 7919 }, tb.desc.KeyHash)
	vals := make([]*int64, benchBatch)
	var longest time.Duration
	at := 0
	cpuTime(b, func() {
		for range b.N {
			f := tb.freeze()
			for range 64 {
				start := time.Now()
				_ = tb.Upsert(keys[at:at+benchBatch], hashes[at:at+benchBatch], vals)
				for _, v := range vals {
					*v++
				}
				longest = max(longest, time.Since(start))
				at = (at + benchBatch) % len(keys)
			}
			tb.release(f)
		}
	})
	b.ReportMetric(float64(longest.Microseconds()), "us-longest-batch")
}
