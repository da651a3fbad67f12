package main

import (
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"github.com/flottio/flott"
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

// The limit of memory for the rows with ten times as much state. An entry is a key and an account.
const (
	smallMemory      = "state.backend.rocksdb.memory.fixed-per-slot=32m"
	smallMemoryBytes = 32 << 20
	entryBytes       = 8 + 8*accountWords
	accountWords     = 24
)

// account is state of middle size: a count and what else one keeps of a customer.
type account [accountWords]int64

// accounts is an aggregator over accounts.
type accounts struct{}

func (accounts) Add(a *account, e event) {
	a[0]++
	a[1+a[0]%(accountWords-1)] += e.Value
}

func (accounts) Merge(a, from *account) {
	for i := range a {
		a[i] += from[i]
	}
}

func (accounts) Result(a *account) int64 { return a[0] }

func accountJob(in *input[event]) func(*flott.Env) {
	return func(env *flott.Env) {
		byKey := flott.KeyBy(flott.From(env, "events", flott.Source[event](source[event]{in})), keyOf)
		flott.Aggregate(byKey, "accounts", flott.Aggregator[event, account, int64](accounts{})).To("counts", sink[count]{in.meter, countValue})
	}
}

// biggerRow counts random keys of a state ten times the memory limit, so that nearly every record is read from disk, and compares the last
// million records with the first. The state is made before.
func biggerRow(r *row, cores int, o options) ([]result, error) {
	keys, piece := 10*smallMemoryBytes/entryBytes, million
	if o.quick {
		keys, piece = keys/4, million/8
	}
	more := 2 * piece
	rng := rand.New(rand.NewPCG(7, 8))
	rows := make([]event, keys+more)
	for i := range rows {
		k := i
		if i >= keys {
			k = rng.IntN(keys)
		}
		rows[i] = event{Key: scattered(k), Time: int64(i), Value: 1}
	}
	return firstAndLast(r, cores, rows, keys, piece)
}

// growingRow lets the state grow from nothing to ten times the memory limit: one record in five has a new key, the others one of
// the newest. The first million fits into memory, so this shows what the disk costs.
func growingRow(r *row, cores int, o options) ([]result, error) {
	const newest = 50_000
	n, piece := 10*smallMemoryBytes/entryBytes*5, million
	if o.quick {
		n, piece = n/4, million/4
	}
	rng := rand.New(rand.NewPCG(5, 6))
	rows := make([]event, n)
	keys := 1
	for i := range rows {
		k := keys - 1 - rng.IntN(min(keys, newest))
		if i%5 == 0 {
			k = keys
			keys++
		}
		rows[i] = event{Key: scattered(k), Time: int64(i), Value: 1}
	}
	return firstAndLast(r, cores, rows, piece/8, piece)
}

// scattered is a bijection: numbers that are neighbours are not neighbours on disk.
func scattered(k int) int64 { return int64(k) * 0x5851f42d4c957f2d }

// firstAndLast compares the last piece of the records with the piece that begins at from. It runs once: it takes long.
func firstAndLast(r *row, cores int, rows []event, from, piece int) ([]result, error) {
	debug.FreeOSMemory()
	n := len(rows)
	m := &meter{marks: []int{from, from + piece, n - piece, n}}
	in := &input[event]{rows: rows, records: n, meter: m}
	if err := runJob(job{parallelism: 1, options: append([]string{smallMemory}, rocksdb...)}, accountJob(in)); err != nil {
		return nil, err
	}
	first := float64(m.times[1]-m.times[0]) / float64(piece)
	last := float64(m.times[3]-m.times[2]) / float64(piece)
	return []result{{Name: r.name, Cores: cores, Ratio: first / last, NsPerRecord: last, LoopNsPerRecord: first, floor: r.floor,
		cpuRatio: float64(m.spent[1]-m.spent[0]) / float64(m.spent[3]-m.spent[2]), note: r.note}}, nil
}

// checkpointRow compares the keyed count over a million keys with a checkpoint each second and without.
func checkpointRow(r *row, cores int, o options) ([]result, error) {
	n := 64 * million
	if o.quick {
		n = 32 * million
	}
	run := func(options ...string) (sample, time.Duration, error) {
		debug.FreeOSMemory()
		m := &meter{warm: 0.1}
		in := &input[event]{rows: uniformEvents(1<<20, million), records: n, meter: m}
		err := runJob(job{parallelism: cores, options: options}, countJob(in))
		return m.sample(n), time.Duration(m.gapMax.Load()), err
	}
	var with, without, ratio, pauses, gaps []float64
	for range o.rounds {
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
	}
	return []result{
		{Name: r.name, Cores: cores, Ratio: measure.Median(ratio), NsPerRecord: measure.Median(with), LoopNsPerRecord: measure.Median(without),
			floor: r.floor, note: r.note},
		// Other processes can only add to the longest pause, so the quietest run counts.
		{Name: r.name + "-pause", Cores: cores, Ratio: float64(longestPause) / slices.Min(pauses), NsPerRecord: slices.Min(pauses),
			LoopNsPerRecord: slices.Min(gaps), floor: 1,
			note: "longest time between two batches, ns, least of the runs; loop: without checkpoints; ratio: 20 ms to it"},
	}, nil
}

// longestPause is how long a checkpoint may keep a task from its records.
const longestPause = 20 * time.Millisecond
