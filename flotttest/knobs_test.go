package flotttest_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"

	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/internal/sim"
	"github.com/flottio/flott/internal/taskmanager"
)

// knobs are everything that a seed decides about a run, apart from the order of steps. They are printed when it fails.
type knobs struct {
	Seed  uint64
	Order uint64 // another order of steps for the same input; 0: that of Seed
	Graph string

	Splits, Records, Keys int // of each source: splits, records in each
	Disorder              int64
	MaxBatch              int
	Static                bool
	Tardy, Lists          bool // of windows: some events come behind what the source allows; their function gets lists
	ReadSeed              uint64

	Parallelism []int // by attempt; the last goes on
	Chained     []bool

	QueueElements   int
	BufferTimeoutMs int64
	SlowSources     int

	CheckpointEvery, SavepointEvery  int
	MaxConcurrent                    int
	TimeoutMs                        int64
	Crashes, CrashEvery, MomentEvery int
	Faults, FaultEvery               int
	ClockJumps, ClockEvery           int
	Stops, StopEvery                 int
	Failures, FailureEvery           int
	SerialiseEdges                   bool
}

// Limits of what a seed may ask for: small, because small runs that differ find more than long ones.
const (
	maxSplits    = 4
	maxKeys      = 6
	maxAttempts  = 12
	keysOfEvents = 8
)

// expand draws the knobs of a seed. Every kind of trouble is on in some seeds and off in others, so that none hides another.
func expand(seed uint64, graphs []string) knobs {
	rng := rand.New(rand.NewPCG(seed, 0xabc))
	one := func(of ...int) int { return of[rng.IntN(len(of))] }
	on := func() bool { return rng.IntN(3) > 0 }
	k := knobs{
		Seed: seed, Graph: graphs[seed%uint64(len(graphs))],
		Splits: 1 + rng.IntN(maxSplits), Records: one(1, 8, 20, 40), Keys: 1 + rng.IntN(maxKeys),
		Disorder: int64(one(0, 3, 40)), MaxBatch: one(0, 1, 2, 5), Static: rng.IntN(2) == 0, ReadSeed: 1 + rng.Uint64N(1<<40),
		QueueElements: one(0, 1, 1, 2, 4), BufferTimeoutMs: int64(one(0, 0, 50, 1000)), MaxConcurrent: 1 + rng.IntN(2),
		SlowSources: one(1, 4, 16),
	}
	if on() {
		k.CheckpointEvery = one(10, 30, 100)
	}
	if rng.IntN(4) == 0 {
		k.SavepointEvery = 60
	}
	if on() {
		k.TimeoutMs = int64(one(50, 500, 5000))
		k.ClockJumps, k.ClockEvery = 20, one(20, 80)
	}
	if on() {
		k.Crashes = 1 + rng.IntN(4)
		k.CrashEvery = one(0, 100, 400, 1000)
		k.MomentEvery = one(0, 2, 5)
	}
	if on() {
		k.Faults, k.FaultEvery = 1+rng.IntN(3), one(2, 6, 20)
	}
	// The common case is the one in the name of the graph: two by two.
	p, chained := 2, rng.IntN(2) == 0
	if rng.IntN(3) == 0 {
		p = 1 + rng.IntN(4)
	}
	rescales := on()
	for range maxAttempts {
		k.Parallelism, k.Chained = append(k.Parallelism, p), append(k.Chained, chained)
		if rescales && rng.IntN(2) == 0 {
			p = 1 + rng.IntN(4)
		}
		if rng.IntN(4) == 0 {
			chained = !chained
		}
	}
	// What makes further attempts costs time: the four graphs alone have little of it.
	rare := 3
	if len(graphs) == len(graphNames) {
		rare = 16
	}
	if rng.IntN(rare) == 0 {
		k.MaxConcurrent, k.SavepointEvery = 3, 60
	}
	if rng.IntN(rare) == 0 {
		k.Stops, k.StopEvery = 1+rng.IntN(3), one(40, 200)
	}
	if rng.IntN(rare) == 0 {
		k.Failures, k.FailureEvery = 1+rng.IntN(3), one(10, 100, 300)
	}
	k.SerialiseEdges, k.Tardy, k.Lists = rng.IntN(2*rare) == 0, rng.IntN(2) == 0, rng.IntN(2) == 0
	if !k.windowed() {
		k.Tardy, k.Lists = false, false
	}
	return k
}

func (k knobs) String() string {
	type plain knobs
	return fieldName.ReplaceAllString(strings.Trim(fmt.Sprintf("%+v", plain(k)), "{}"), "\n    $1")
}

var fieldName = regexp.MustCompile(` (\w+:)`)

func (k knobs) windowed() bool {
	return k.Graph == "tumbling" || k.Graph == "sliding" || k.Graph == "session"
}

func (k knobs) atLeastOnce() bool { return k.Graph == "at-least-once" }

func at[V any](list []V, i int) V { return list[min(i, len(list)-1)] }

// config is the run that the knobs describe.
func (k knobs) config(build func(parallelism int) (*taskmanager.Job, error)) sim.Config {
	seed := k.Seed
	if k.Order != 0 {
		seed ^= k.Order * 0x9e3779b97f4a7c15
	}
	return sim.Config{
		Seed: seed, Stops: k.Stops, StopEvery: k.StopEvery, Restarts: k.Failures, SerialiseEdges: k.SerialiseEdges, AtLeastOnce: k.atLeastOnce(),
		CheckpointEvery: k.CheckpointEvery, SavepointEvery: k.SavepointEvery, MaxConcurrent: k.MaxConcurrent, TimeoutMs: k.TimeoutMs,
		Crashes: k.Crashes, CrashEvery: k.CrashEvery, CrashMomentEvery: k.MomentEvery, SlowSources: k.SlowSources, Faults: k.Faults, FaultEvery: k.FaultEvery,
		ClockJumps: k.ClockJumps, ClockEvery: k.ClockEvery, MaxSteps: 300_000,
		Job: func(attempt int) (*taskmanager.Job, error) { return build(attempt) },
	}
}

// settings are the plan's for an attempt.
func (k knobs) settings(attempt int) graph.Settings {
	return graph.Settings{Parallelism: at(k.Parallelism, attempt), Chaining: at(k.Chained, attempt)}
}
