// Package flotttest tests jobs: under go test, in one process, with scripted input, virtual time, crashes at any moment and seeds.
package flotttest

import (
	"io"

	"github.com/flottio/flott"
	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/internal/sim"
	"github.com/flottio/flott/internal/taskmanager"
)

// Options say how a job is run.
type Options struct {
	Seed        uint64
	Parallelism int
	// OtherParallelism, if set, is the parallelism of every second attempt.
	OtherParallelism int
	NoChaining       bool
	// CheckpointEvery and CrashEvery are mean numbers of steps; 0: never.
	CheckpointEvery, Crashes, CrashEvery int
	CrashAtBarrier                       bool
	Restarts                             int
	MaxSteps                             int
	// Trace, if set, gets a line for each event.
	Trace io.Writer
}

// Result is what a simulated run did.
type Result = sim.Result

// Simulate runs the job in one goroutine, in an order drawn from the seed. The same seed gives the same run.
func Simulate(o Options, build func(*flott.Env)) (Result, error) {
	return sim.Run(sim.Config{
		Seed: o.Seed, CheckpointEvery: o.CheckpointEvery, Crashes: o.Crashes, CrashEvery: o.CrashEvery,
		CrashAtBarrier: o.CrashAtBarrier, Restarts: o.Restarts,
		MaxSteps: o.MaxSteps, Trace: o.Trace,
		Job: func(attempt int) (*taskmanager.Job, error) {
			p := max(1, o.Parallelism)
			if o.OtherParallelism > 0 && attempt%2 == 1 {
				p = o.OtherParallelism
			}
			env := flott.NewEnv()
			build(env)
			j, err := env.Compile(graph.Settings{Parallelism: p, Chaining: !o.NoChaining})
			if err != nil {
				return nil, err
			}
			j.ID, j.Name = "sim", "sim"
			j.Settings.ExactlyOnce, j.Settings.MaxConcurrent = true, 1
			return j, nil
		},
	})
}
