package pebblestate_test

import (
	"flag"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/internal/state/pebblestate"
)

var benchTimers = flag.Int64("bench.timers", 1_000_000, "timers of BenchmarkTimers; 10000000 for the figures of RFC 0002")

// BenchmarkTimers sets timers, one a key, at random times, and fires them all in steps of a hundredth of the time, in memory and on
// disk, by processor time.
func BenchmarkTimers(b *testing.B) {
	for _, disk := range []bool{false, true} {
		name := map[bool]string{false: "hashmap", true: "rocksdb"}[disk]
		b.Run(name, func(b *testing.B) {
			for range b.N {
				timersOnce(b, disk, *benchTimers)
			}
		})
	}
}

func timersOnce(b *testing.B, disk bool, n int64) {
	cfg := state.Config{Groups: state.Groups{End: 128, Max: 128}}
	if disk {
		s, err := pebblestate.Open(b.TempDir()+"/s", 64<<20)
		if err != nil {
			b.Fatal(err)
		}
		cfg.Store = s
	}
	bk, err := state.NewBackend(cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer bk.Close()
	d, _ := state.Describe[int64, int64]()
	x, err := state.RegisterTimers[int64](bk, "op", "timers")
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	before := liveBytes()
	start := processorTime()
	for k := range n {
		if err := x.Register(k, d.KeyHash(&k), rng.Int64N(1_000_000)); err != nil {
			b.Fatal(err)
		}
	}
	set := processorTime() - start
	b.ReportMetric(float64(liveBytes()-before)/float64(n), "heap-B/timer")
	start = processorTime()
	fired := int64(0)
	for wm := int64(10_000); wm <= 1_000_000; wm += 10_000 {
		for {
			_, ok, err := x.Pop(wm)
			if err != nil {
				b.Fatal(err)
			}
			if !ok {
				break
			}
			fired++
		}
	}
	if fired != n {
		b.Fatalf("%d of %d timers fired", fired, n)
	}
	b.ReportMetric(float64(set.Nanoseconds())/float64(n), "set-cpu-ns/timer")
	b.ReportMetric(float64((processorTime()-start).Nanoseconds())/float64(n), "fire-cpu-ns/timer")
}

// processorTime is that of the whole process, with what the store does in the background.
func processorTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func liveBytes() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
