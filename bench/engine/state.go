package main

import (
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/flottio/flott/bench/measure"
)

var rocksdb = []string{"state.backend.type=rocksdb"}

// hotRow compares the backends when all keys fit into the cache of rocksdb.
func hotRow(r *row, cores int, o options) ([]result, error) {
	const keys = 100_000
	disk := *r
	disk.special = nil
	disk.engine = countEngine(keys, 0.25, job{options: rocksdb})
	disk.loop = countEngine(keys, 0.25, job{})
	return disk.run(cores, o)
}

// growingEvents returns n events whose keys grow in number: one in five has a new key, the others one of the newest.
func growingEvents(n int) []event {
	const newest = 50_000
	rng := rand.New(rand.NewPCG(5, 6))
	rows := make([]event, n)
	keys := int64(1)
	for i := range rows {
		k := keys - 1 - rng.Int64N(min(keys, newest))
		if i%5 == 0 {
			k = keys
			keys++
		}
		// A bijection, so that neighbours in time are not neighbours on disk.
		rows[i] = event{Key: k * 0x5851f42d4c957f2d, Time: int64(i), Value: 1}
	}
	return rows
}

// Ten times the memory limit: memoryBytes of it are half cache of decoded entries and a quarter Pebble's.
const (
	smallMemory      = "state.backend.rocksdb.memory.fixed-per-slot=16m"
	smallMemoryBytes = 16 << 20
	entryBytes       = 32 // of a key and a counter in memory
)

// biggerRow grows the state to ten times the memory limit and compares the last million records with the first.
func biggerRow(r *row, cores int, o options) ([]result, error) {
	keys := 10 * smallMemoryBytes / entryBytes
	if o.quick {
		keys /= 4
	}
	rows := growingEvents(keys * 5)
	var first, last, ratio []float64
	for range min(o.rounds, 3) {
		debug.FreeOSMemory()
		n := len(rows)
		// What counts is steady: the first million begins once the job runs, so both are measured between two places in the input.
		m := &meter{marks: []int{million / 8, million/8 + million, n - million, n}}
		in := &input[event]{rows: rows, records: n, meter: m}
		if err := runJob(job{parallelism: 1, options: append([]string{smallMemory}, rocksdb...)}, countJob(in)); err != nil {
			return nil, err
		}
		a := float64(m.times[1]-m.times[0]) / million
		b := float64(m.times[3]-m.times[2]) / million
		first, last, ratio = append(first, a), append(last, b), append(ratio, a/b)
	}
	return []result{{Name: r.name, Cores: cores, Ratio: measure.Median(ratio), NsPerRecord: measure.Median(last),
		LoopNsPerRecord: measure.Median(first), floor: r.floor, note: r.note}}, nil
}

// uniformRow touches keys of a state ten times the memory limit at random: nearly every record reads from disk.
func uniformRow(r *row, cores int, o options) ([]result, error) {
	keys := 10 * smallMemoryBytes / entryBytes
	if o.quick {
		return nil, nil
	}
	rng := rand.New(rand.NewPCG(7, 8))
	rows := make([]event, keys+2*million)
	for i := range rows {
		k := i
		if i >= keys {
			k = rng.IntN(keys)
		}
		rows[i] = event{Key: int64(k) * 0x5851f42d4c957f2d, Time: int64(i), Value: 1}
	}
	m := &meter{marks: []int{keys, keys + million, keys + 2*million}}
	in := &input[event]{rows: rows, records: len(rows), meter: m}
	if err := runJob(job{parallelism: 1, options: append([]string{smallMemory}, rocksdb...)}, countJob(in)); err != nil {
		return nil, err
	}
	a, b := float64(m.times[1]-m.times[0])/million, float64(m.times[2]-m.times[1])/million
	return []result{{Name: r.name, Cores: cores, Ratio: a / b, NsPerRecord: b, LoopNsPerRecord: a, note: r.note}}, nil
}

// checkpointRow compares the keyed count over a million keys with a checkpoint each second and without.
func checkpointRow(r *row, cores int, o options) ([]result, error) {
	n := 96 * million
	if o.quick {
		n = 48 * million
	}
	run := func(options ...string) (sample, time.Duration, error) {
		debug.FreeOSMemory()
		m := &meter{warm: 0.1}
		in := &input[event]{rows: uniformEvents(1<<20, million), records: n, meter: m}
		err := runJob(job{parallelism: cores, options: options}, countJob(in))
		return m.sample(n), time.Duration(m.gapMax.Load()), err
	}
	var with, without, ratio, pauses, gaps, pauseRatio []float64
	for range min(o.rounds, 3) {
		a, pause, err := run("execution.checkpointing.interval=1s")
		if err != nil {
			return nil, err
		}
		b, gap, err := run()
		if err != nil {
			return nil, err
		}
		with, without, ratio = append(with, a.ns), append(without, b.ns), append(ratio, b.ns/a.ns)
		pauses, gaps = append(pauses, float64(pause)), append(gaps, float64(gap))
		pauseRatio = append(pauseRatio, float64(longestPause)/float64(pause))
	}
	return []result{
		{Name: r.name, Cores: cores, Ratio: measure.Median(ratio), NsPerRecord: measure.Median(with), LoopNsPerRecord: measure.Median(without),
			floor: r.floor, note: r.note},
		{Name: r.name + "-pause", Cores: cores, Ratio: measure.Median(pauseRatio), NsPerRecord: measure.Median(pauses),
			LoopNsPerRecord: measure.Median(gaps), floor: 1, note: "longest time between two batches, ns; loop: without checkpoints; ratio: 20 ms to it"},
	}, nil
}

// longestPause is how long a checkpoint may keep a task from its records.
const longestPause = 20 * time.Millisecond
