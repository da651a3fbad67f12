// Package sim runs a whole job in one goroutine, in an order drawn from a seed: the steps of all tasks, the work that tasks have done
// elsewhere, the enumerators' letters, checkpoints, faults, crashes and restores. Time is virtual, storage is memory. The same seed gives the
// same run.
//
// It uses the real tasks, coordinator, manifests and restore plans; what it replaces is clock, disk, goroutines and chance. It checks nothing
// itself: Hooks do. flotttest is its face for users.
package sim

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/taskmanager"
)

// Config says what one run does. "Every" is the mean number of steps between two; 0 means never.
type Config struct {
	Seed uint64
	// Job builds the job for an attempt; parallelism, chaining and the rest may differ from attempt to attempt.
	Job func(attempt int) (*taskmanager.Job, error)

	// CheckpointEvery of 0 leaves only the final one. A savepoint here is one that lets the job go on.
	CheckpointEvery, SavepointEvery int
	// Stops bounds how often the job is stopped with a savepoint, StopEvery apart on average; the next attempt starts from the savepoint.
	Stops, StopEvery int
	// MaxConcurrent bounds the checkpoints under way; 0 means 1. TimeoutMs is their timeout in virtual time; 0 means 10 minutes.
	MaxConcurrent int
	TimeoutMs     int64
	// AtLeastOnce is the mode of checkpoints that Job's settings have; false is exactly-once.
	AtLeastOnce bool

	// Crashes bounds the crashes of all kinds but those of CrashWhen.
	Crashes, CrashEvery int
	// CrashMomentEvery is the mean number of dangerous moments between two that are hit: a checkpoint is stored but nobody has heard of it,
	// a restore has begun, sinks have recovered, operators are open. A crash makes another one soon after it likely.
	CrashMomentEvery int
	// CrashAtBarrier crashes as soon as a checkpoint is stored, each time, instead of at random.
	CrashAtBarrier bool
	// CrashWhen is asked after each step, with the number of checkpoints completed so far; nil: never.
	CrashWhen func(checkpoints int) bool

	// Faults bounds the faults: storage that fails (a snapshot cannot be written, a checkpoint cannot be begun or published, or nobody knows
	// whether it was), and checkpoints that are declined for no reason.
	Faults, FaultEvery int
	// ClockJumps bounds how often time passes although there is something to do. Without anything to do it always passes.
	ClockJumps, ClockEvery int
	// SlowSources makes a source work that many times less often than other tasks, so that checkpoints fit between its records; 0 means 1.
	SlowSources int
	// SerialiseEdges turns each element that one task sends to another into bytes and back.
	SerialiseEdges bool
	// Restarts bounds the restarts after failures of user code.
	Restarts int
	// MaxSteps bounds the run; 0 means 2 million.
	MaxSteps int

	Hooks Hooks
	// Trace, if set, gets a line for each event.
	Trace io.Writer
}

// Result is what a run did.
type Result struct {
	Steps, Attempts, Checkpoints, Savepoints, Aborts, Crashes, Faults, Failures, Stops int
	// Serialised is the number of elements that went through bytes.
	Serialised int
	// Hash is a digest of everything that happened, in order: two runs of one seed have the same.
	Hash uint64
}

const (
	maxStepsDefault = 2_000_000
	// quietMsMax is how long virtual time may go on without anything happening.
	quietMsMax = 60 * 60 * 1000
	// maxTimeStepMs bounds how far time moves at once.
	maxTimeStepMs = 200
	// relapseSteps is within how many steps the second of two crashes in a row comes.
	relapseSteps = 30
	// maxSavepoints bounds the savepoints of a run.
	maxSavepoints = 6
)

// Run runs the job to its end.
func Run(c Config) (Result, error) {
	if c.MaxSteps == 0 {
		c.MaxSteps = maxStepsDefault
	}
	if c.MaxConcurrent == 0 {
		c.MaxConcurrent = 1
	}
	w := &world{Config: c, rng: rand.New(rand.NewPCG(c.Seed, 0x5eed)), files: map[string][]byte{},
		manifests: map[checkpoint.ID]*checkpoint.Manifest{}}
	w.result.Hash = 14695981039346656037
	err := w.run()
	if err != nil {
		return w.result, fmt.Errorf("seed %d, attempt %d, step %d: %w", c.Seed, w.attempts, w.result.Steps, err)
	}
	return w.result, nil
}

// world is everything that outlives an attempt.
type world struct {
	Config
	rng        *rand.Rand
	result     Result
	now        int64 // virtual milliseconds
	quiet      int64 // now when something last happened
	files      map[string][]byte
	manifests  map[checkpoint.ID]*checkpoint.Manifest
	completed  []checkpoint.Completed // stored, ascending, savepoints excepted
	stopped    checkpoint.ID          // the newest savepoint that the job was stopped with; None: none
	lastID     checkpoint.ID
	attempts   int
	base       checkpoint.Attempt // attempts of subtasks are numbered on
	crashAt    int                // step; 0: none is planned
	savepoints int
	done       bool
}

var (
	errCrash = errors.New("crash")
	// errFailover is a failure that no user code has caused, and that does not count as one.
	errFailover = errors.New("failover")
	// errStopped is the end of an attempt that was stopped with a savepoint.
	errStopped = errors.New("stopped with a savepoint")
)

func (w *world) run() error {
	for !w.done {
		err := w.live()
		switch {
		case errors.Is(err, errCrash):
			w.result.Crashes++
			if w.CrashMomentEvery > 0 && w.rng.IntN(3) == 0 {
				w.crashAt = w.result.Steps + 1 + w.rng.IntN(relapseSteps)
			}
		case errors.Is(err, errFailover):
		case errors.Is(err, errStopped):
			// Whoever starts the job from the savepoint has nothing else of the one before.
			w.result.Stops++
			w.completed = nil
		case err != nil && errors.As(err, new(userError)) && !operator.IsPermanent(err) && w.result.Failures < w.Restarts:
			w.result.Failures++
		case err != nil:
			return err
		}
	}
	return nil
}

// userError is a failure that a task reported.
type userError struct{ error }

func (e userError) Unwrap() error { return e.error }

// live runs one attempt to its end, crash or failure.
func (w *world) live() (err error) {
	l := newLife(w)
	defer func() {
		l.cancel()
		if l.attempt != nil {
			err = errors.Join(err, l.attempt.Close())
		}
	}()
	w.attempts++
	w.result.Attempts++
	if err := l.start(); err != nil {
		return err
	}
	for !w.done {
		if w.result.Steps++; w.result.Steps > w.MaxSteps {
			return fmt.Errorf("no end after %d steps:\n%s", w.MaxSteps, l.describe())
		}
		if err := l.step(); err != nil {
			return err
		}
	}
	if w.Hooks.Ended != nil {
		return w.Hooks.Ended(l.attempt)
	}
	return nil
}

// mix adds to the digest of the run.
func (w *world) mix(x uint64) {
	w.result.Hash = (w.result.Hash ^ x) * 1099511628211
	w.result.Hash ^= w.result.Hash >> 29
}

// note adds an event to the trace and the digest.
func (w *world) note(what string, args ...int64) {
	w.mix(uint64(len(what))<<32 ^ uint64(what[0])<<8 ^ uint64(w.result.Steps))
	for _, a := range args {
		w.mix(uint64(a))
	}
	if w.Trace != nil {
		fmt.Fprintf(w.Trace, "%6d %s", w.result.Steps, what)
		for _, a := range args {
			fmt.Fprintf(w.Trace, " %d", a)
		}
		fmt.Fprintln(w.Trace)
	}
}

// tracef adds a line to the trace alone.
func (w *world) tracef(format string, args ...any) {
	if w.Trace != nil {
		fmt.Fprintf(w.Trace, "%6d "+format+"\n", append([]any{w.result.Steps}, args...)...)
	}
}

// oneIn draws true once in n times; never for 0.
func (w *world) oneIn(n int) bool { return n > 0 && w.rng.IntN(n) == 0 }

// latest is the newest that is stored, of checkpoints and savepoints that stopped the job.
func (w *world) latest() checkpoint.ID {
	if len(w.completed) == 0 {
		return w.stopped
	}
	return max(w.stopped, w.completed[len(w.completed)-1].ID)
}
