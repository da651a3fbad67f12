package flotttest_test

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/internal/sim"
	"github.com/flottio/flott/internal/taskmanager"
)

var (
	seedsFlag = flag.Int("seeds", 4000, "number of seeds that TestSeeds runs")
	firstFlag = flag.Uint64("seed", 0, "first seed; with -seeds 1 the run is traced")
)

// TestSeeds runs whole jobs, each in an order and with troubles drawn from its seed, and holds them against their invariants.
//
//	go test ./flotttest -run Seeds -seeds 100000 -v
func TestSeeds(t *testing.T) {
	var tally tally
	start := time.Now()
	seeds(t, *firstFlag, *seedsFlag, func(seed uint64) error {
		k := expand(seed)
		var trace io.Writer
		if *seedsFlag == 1 {
			trace = os.Stderr
		}
		r, err := run(k, nil, trace)
		tally.add(k, r)
		return err
	})
	d := time.Since(start)
	t.Logf("%d seeds in %.1f s on %d cores: %.0f seeds per second; %v", *seedsFlag, d.Seconds(), runtime.GOMAXPROCS(0),
		float64(*seedsFlag)/d.Seconds(), &tally)
}

// seeds runs f for seeds in parallel and reports the least that fails.
func seeds(t *testing.T, first uint64, n int, f func(seed uint64) error) {
	t.Helper()
	var next atomic.Uint64
	var failed struct {
		sync.Mutex
		seed uint64
		err  error
	}
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for {
				i := next.Add(1) - 1
				if i >= uint64(n) {
					return
				}
				if err := guarded(first+i, f); err != nil {
					failed.Lock()
					if failed.err == nil || first+i < failed.seed {
						failed.seed, failed.err = first+i, err
					}
					failed.Unlock()
					next.Store(uint64(n))
				}
			}
		})
	}
	all.Wait()
	if failed.err != nil {
		k := expand(failed.seed)
		t.Fatalf("%v\n\nseed %d:\n    %v\n\nreplay with a trace:\n    go test ./flotttest -run 'Seeds$' -seed %d -seeds 1\n", failed.err, failed.seed, k,
			failed.seed)
	}
}

// guarded turns a panic of the engine into an error, so that the seed is named.
func guarded(seed uint64, f func(uint64) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			stack := make([]byte, 8<<10)
			err = fmt.Errorf("panic: %v\n%s", p, stack[:runtime.Stack(stack, false)])
		}
	}()
	return f(seed)
}

// run runs the trial of the knobs. plant, if not nil, plants a bug.
func run(k knobs, plant func(*trial, *sim.Config), trace io.Writer) (sim.Result, error) {
	x := newTrial(k)
	w := &watch{prompt: x.knobs.Static}
	c := k.config(func(attempt int) (*taskmanager.Job, error) {
		env := flott.NewEnv()
		x.build(env)
		j, err := env.Compile(k.settings(attempt))
		if err != nil {
			return nil, err
		}
		j.ID, j.Name = "sim", "sim"
		j.Settings = taskmanager.Settings{ExactlyOnce: true, MaxConcurrent: k.MaxConcurrent, BufferTimeoutMs: k.BufferTimeoutMs,
			QueueElements: k.QueueElements}
		return j, nil
	})
	c.Hooks, c.Trace = w.hooks(), trace
	if plant != nil {
		plant(x, &c)
	}
	r, err := sim.Run(c)
	if err == nil {
		err = x.check()
	}
	return r, err
}

// tally counts what the runs have been through: troubles that never happen find nothing.
type tally struct {
	mu    sync.Mutex
	total sim.Result
}

func (s *tally) add(_ knobs, r sim.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total.Steps += r.Steps
	s.total.Attempts += r.Attempts
	s.total.Checkpoints += r.Checkpoints
	s.total.Savepoints += r.Savepoints
	s.total.Aborts += r.Aborts
	s.total.Crashes += r.Crashes
	s.total.Faults += r.Faults
}

func (s *tally) String() string {
	r := s.total
	return fmt.Sprintf("%d steps, %d attempts, %d checkpoints, %d savepoints, %d aborts, %d crashes, %d faults", r.Steps, r.Attempts, r.Checkpoints,
		r.Savepoints, r.Aborts, r.Crashes, r.Faults)
}

func TestSeedGivesTheSameRunTwice(t *testing.T) {
	seeds(t, 0, 200, func(seed uint64) error {
		k := expand(seed)
		a, err := run(k, nil, nil)
		if err != nil {
			return err
		}
		b, err := run(k, nil, nil)
		if err == nil && a != b {
			err = fmt.Errorf("once %+v, once %+v", a, b)
		}
		return err
	})
}
