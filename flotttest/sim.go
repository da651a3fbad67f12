// Package flotttest tests jobs: under go test, in one process and one goroutine, with scripted input, virtual time, crashes at any moment and
// seeds.
//
// Run runs a job once. Equivalent runs it in many ways that must not matter. Both use the real engine; what is replaced is clock, disk and
// chance. The package owns no engine of its own; users' tests, and ours, import it.
package flotttest

import (
	"fmt"
	"io"
	"testing"

	"github.com/flottio/flott"
	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/internal/sim"
	"github.com/flottio/flott/internal/taskmanager"
)

// Options say how a job is run. The zero value runs it with parallelism 1 and without troubles. "Every" is the mean number of steps between
// two, a step being what a task does with one batch; 0 means never.
type Options struct {
	// Seed draws the order of everything. The same seed gives the same run.
	Seed        uint64
	Parallelism int
	// OtherParallelism, if set, is the parallelism of every second attempt.
	OtherParallelism int
	NoChaining       bool
	// Backend is hashmap (the default) or rocksdb, OtherBackend that of every second attempt; LocalDir is where rocksdb keeps its files.
	Backend, OtherBackend, LocalDir string
	// QueueElements bounds each queue between two subtasks, so that backpressure shows; 0 leaves the engine's own bound.
	QueueElements int
	// SlowSources makes sources work that many times less often than other tasks, so that checkpoints fit between their records.
	SlowSources int

	// SerialiseEdges turns each element that one subtask sends to another into bytes and back, as between two processes.
	SerialiseEdges bool

	CheckpointEvery int
	// Crashes bounds the crashes that CrashEvery and CrashAtBarrier cause. CrashAtBarrier: each time a checkpoint is stored, before
	// anybody hears of it.
	Crashes, CrashEvery int
	CrashAtBarrier      bool
	// CrashAtCheckpoint crashes once when so many checkpoints are complete, CrashAtRecord once when so many records have been read; 0: never.
	CrashAtCheckpoint, CrashAtRecord int
	// Restarts bounds the restarts after failures of user code.
	Restarts int
	// MaxSteps bounds the run; 0 means 2 million.
	MaxSteps int
	// Trace, if set, gets a line for each event.
	Trace io.Writer
}

// Result is what a run did.
type Result = sim.Result

// Option changes Options.
type Option func(*Options)

// Seed draws the order of everything from n.
func Seed(n uint64) Option { return func(o *Options) { o.Seed = n } }

// Parallelism sets the number of subtasks of operators that do not set their own.
func Parallelism(n int) Option { return func(o *Options) { o.Parallelism = n } }

// Checkpoints takes a checkpoint every so many steps, on average.
func Checkpoints(every int) Option { return func(o *Options) { o.CheckpointEvery = every } }

// CrashAtCheckpoint crashes once, when n checkpoints are complete. The job goes on from the newest one.
func CrashAtCheckpoint(n int) Option { return func(o *Options) { o.CrashAtCheckpoint = n } }

// CrashAtRecord crashes once, when n records have been read.
func CrashAtRecord(n int) Option { return func(o *Options) { o.CrashAtRecord = n } }

// Trace writes a line for each event.
func Trace(w io.Writer) Option { return func(o *Options) { o.Trace = w } }

// With changes any of the options.
func With(f func(*Options)) Option { return f }

// Run runs the job to its end in this goroutine, and fails the test if it does not get there. Without options: parallelism 1, seed 0, a
// checkpoint every 100 steps or so, no troubles.
func Run(t testing.TB, build func(*flott.Env), options ...Option) Result {
	t.Helper()
	o := Options{CheckpointEvery: 100}
	for _, f := range options {
		f(&o)
	}
	r, err := Simulate(o, build)
	if err != nil {
		t.Fatalf("running the job: %v", err)
	}
	return r
}

// Simulate runs the job to its end in this goroutine, in an order drawn from the seed.
func Simulate(o Options, build func(*flott.Env)) (Result, error) {
	c := sim.Config{
		Seed: o.Seed, CheckpointEvery: o.CheckpointEvery, Crashes: o.Crashes, CrashEvery: o.CrashEvery,
		CrashAtBarrier: o.CrashAtBarrier, Restarts: o.Restarts, MaxSteps: o.MaxSteps, SlowSources: o.SlowSources, Trace: o.Trace,
		SerialiseEdges: o.SerialiseEdges,
		Job:            func(attempt int) (*taskmanager.Job, error) { return o.job(attempt, build) },
	}
	if o.CrashAtCheckpoint > 0 || o.CrashAtRecord > 0 {
		crash := &appointment{checkpoint: o.CrashAtCheckpoint, record: int64(o.CrashAtRecord)}
		c.CrashWhen, c.Hooks.Opened = crash.due, crash.opened
	}
	return sim.Run(c)
}

// job compiles the job for an attempt.
func (o *Options) job(attempt int, build func(*flott.Env)) (*taskmanager.Job, error) {
	parallelism, backend := max(1, o.Parallelism), o.Backend
	if attempt%2 == 1 {
		if o.OtherParallelism > 0 {
			parallelism = o.OtherParallelism
		}
		if o.OtherBackend != "" {
			backend = o.OtherBackend
		}
	}
	if backend == "rocksdb" && o.LocalDir == "" {
		return nil, fmt.Errorf("the backend rocksdb needs a LocalDir: t.TempDir() will do")
	}
	env := flott.NewEnv()
	build(env)
	j, err := env.Compile(graph.Settings{Parallelism: parallelism, Chaining: !o.NoChaining})
	if err != nil {
		return nil, err
	}
	j.ID, j.Name = "sim", "sim"
	j.Settings = taskmanager.Settings{ExactlyOnce: true, MaxConcurrent: 1, Backend: backend, LocalDir: o.LocalDir, QueueElements: o.QueueElements}
	return j, nil
}
