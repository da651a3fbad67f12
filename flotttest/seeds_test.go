package flotttest_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/sim"
	"github.com/flottio/flott/internal/taskmanager"
)

var (
	seedsFlag  = flag.Int("seeds", 4000, "number of seeds that TestSeeds and TestEveryGraph run")
	firstFlag  = flag.Uint64("seed", 0, "first seed; with -seeds 1 the run is traced")
	graphsFlag = flag.String("graphs", "basic", "graphs of TestSeeds: basic, all, or the name of one")
	replayFlag = flag.String("replay", "", "knobs as JSON, as a failure prints them: TestSeeds runs these alone, with a trace")
)

// TestSeeds runs whole jobs, each in an order and with troubles drawn from its seed, and holds them against their invariants.
//
//	go test ./flotttest -run Seeds -seeds 100000 -v
func TestSeeds(t *testing.T) {
	graphs := graphNames
	switch *graphsFlag {
	case "basic":
	case "all":
		graphs = allGraphs
	default:
		graphs = []string{*graphsFlag}
	}
	if *replayFlag != "" {
		var k knobs
		d := json.NewDecoder(strings.NewReader(*replayFlag))
		d.DisallowUnknownFields()
		if err := d.Decode(&k); err != nil {
			t.Fatalf("-replay: %v", err)
		}
		if _, err := guarded(k, nil, os.Stderr); err != nil {
			t.Fatal(err)
		}
		return
	}
	runSeeds(t, graphs)
}

// TestEveryGraph is TestSeeds over more graphs: windows of each kind, with events that come late, and at-least-once.
func TestEveryGraph(t *testing.T) { runSeeds(t, allGraphs) }

func runSeeds(t *testing.T, graphs []string) {
	t.Helper()
	var tally tally
	start := time.Now()
	seeds(t, *seedsFlag, graphs, func(k knobs) (sim.Result, error) {
		var trace io.Writer
		if *seedsFlag == 1 {
			trace = os.Stderr
		}
		r, err := guarded(k, nil, trace)
		tally.add(r)
		return r, err
	})
	d := time.Since(start)
	line := fmt.Sprintf("%d seeds over %v in %.1f s on %d cores: %.0f seeds per second, 0 violations; %v", *seedsFlag, graphs, d.Seconds(),
		runtime.GOMAXPROCS(0), float64(*seedsFlag)/d.Seconds(), &tally)
	t.Log(line)
	seedsGiven := false
	flag.Visit(func(f *flag.Flag) { seedsGiven = seedsGiven || f.Name == "seeds" })
	if seedsGiven && !testing.Verbose() {
		sayThroughGo(line)
	}
}

// sayThroughGo writes a line to the output of the go command, which drops what a passing test prints unless it has -v. Only a terminal or a
// pipe will do: in a file the line would overwrite others. Where that is not possible, the line is left to -v.
func sayThroughGo(line string) {
	theirs := fmt.Sprintf("/proc/%d/fd/1", os.Getppid())
	info, err := os.Stat(theirs)
	if err != nil || info.Mode()&(os.ModeCharDevice|os.ModeNamedPipe) == 0 {
		return
	}
	f, err := os.OpenFile(theirs, os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	fmt.Fprintln(f, line)
}

// seeds runs f for seeds in parallel, reports the least that fails, and what is left of it when it is reduced.
func seeds(t *testing.T, n int, graphs []string, f func(knobs) (sim.Result, error)) {
	t.Helper()
	first := *firstFlag
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
				if _, err := f(expand(first+i, graphs)); err != nil {
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
	if failed.err == nil {
		return
	}
	k := expand(failed.seed, graphs)
	small, err := shrink(k, func(k knobs) (sim.Result, error) { return guarded(k, nil, nil) })
	if err == nil {
		small, err = k, failed.err // found by f alone
	}
	t.Fatalf("violation: %v\n\nseed %d:\n    %v\n\nreduced: %v\n    %v\n\nreplay with a trace:\n    %s\n", failed.err, failed.seed, k, err, small,
		small.replay())
}

// guarded is run that turns a panic of the engine into an error, so that the seed is named.
func guarded(k knobs, plant func(*trial, *sim.Config), trace io.Writer) (r sim.Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			stack := make([]byte, 8<<10)
			err = fmt.Errorf("panic: %v\n%s", p, stack[:runtime.Stack(stack, false)])
		}
	}()
	return run(k, plant, trace)
}

// run runs the trial of the knobs. plant, if not nil, plants a bug.
func run(k knobs, plant func(*trial, *sim.Config), trace io.Writer) (sim.Result, error) {
	x := newTrial(k)
	// At-least-once reads again what the restored watermark has passed; its effect is in the restored state.
	w := &watch{prompt: x.knobs.Static && !k.Tardy && !k.atLeastOnce(), tardy: k.Tardy}
	c := k.config(func(attempt int) (*taskmanager.Job, error) {
		env := flott.NewEnv()
		x.build(env)
		j, err := env.Compile(k.settings(attempt))
		if err != nil {
			return nil, err
		}
		j.ID, j.Name = "sim", "sim"
		j.Settings = taskmanager.Settings{ExactlyOnce: !k.atLeastOnce(), MaxConcurrent: k.MaxConcurrent, BufferTimeoutMs: k.BufferTimeoutMs,
			QueueElements: k.QueueElements}
		return j, nil
	})
	c.Hooks, c.Trace = x.hooks(w), trace
	if plant != nil {
		plant(x, &c)
	}
	r, err := sim.Run(c)
	x.again = r.Attempts > 1+r.Stops
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

func (s *tally) add(r sim.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total.Steps += r.Steps
	s.total.Attempts += r.Attempts
	s.total.Checkpoints += r.Checkpoints
	s.total.Savepoints += r.Savepoints
	s.total.Aborts += r.Aborts
	s.total.Crashes += r.Crashes
	s.total.Faults += r.Faults
	s.total.Failures += r.Failures
	s.total.Stops += r.Stops
	s.total.Serialised += r.Serialised
}

func (s *tally) String() string {
	r := s.total
	return fmt.Sprintf("%d steps, %d attempts, %d checkpoints, %d savepoints, %d stops, %d aborts, %d crashes, %d faults, %d failures, %d elements serialised",
		r.Steps, r.Attempts, r.Checkpoints, r.Savepoints, r.Stops, r.Aborts, r.Crashes, r.Faults, r.Failures, r.Serialised)
}

// hooks adds to the watch of the edges that a job which was stopped with a savepoint has committed everything that is in it: nothing is
// committed when the next one starts.
func (t *trial) hooks(w *watch) sim.Hooks {
	h := w.hooks()
	h.Stopped = func() error {
		t.settled = t.committed()
		return nil
	}
	h.Opened = func(a *taskmanager.Attempt, p *checkpoint.RestorePlan) error {
		if n := t.committed(); t.settled >= 0 && n != t.settled {
			return fmt.Errorf("%d records were committed when the job had stopped, %d before the next one ran: the stop left some behind", t.settled, n)
		}
		t.settled = -1
		return w.opened(a, p)
	}
	return h
}

func TestSeedGivesTheSameRunTwice(t *testing.T) {
	seeds(t, 400, allGraphs, func(k knobs) (sim.Result, error) {
		a, err := guarded(k, nil, nil)
		if err != nil {
			return a, err
		}
		b, err := guarded(k, nil, nil)
		if err == nil && a != b {
			err = fmt.Errorf("once %+v, once %+v", a, b)
		}
		return b, err
	})
}
