package sim

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/taskmanager"
)

// life is one attempt of the job.
type life struct {
	*world
	ctx        context.Context
	cancel     context.CancelFunc
	attempt    *taskmanager.Attempt
	plan       *checkpoint.RestorePlan
	coord      *checkpoint.Coordinator
	assemblies map[checkpoint.ID]*taskmanager.Assembly
	begun      []checkpoint.ID // triggered and not decided
	work       []errand
	letters    []func() error
	timers     []timer
	events     []checkpoint.Event
	ids        [][]checkpoint.Attempt // by chain and subtask
	drained    [][]bool
	undrained  int
	settled    int
	asked      bool          // to settle
	stopAsked  bool          // a stop with a savepoint was requested
	stops      bool          // what was asked to settle is a stop
	stopID     checkpoint.ID // its savepoint; None: there is none yet
	asleep     []bool
	taps       [][]tap              // by task
	read       []*operator.Counters // of sources, by task; nil for others
	readBefore []int64
	fresh      bool    // records were read since the last request for a checkpoint
	near       [][]int // tasks that see what a task does, itself included
	failed     error
	acting     bool
}

// errand is work off the tasks' goroutines.
type errand struct {
	work func(context.Context) error
	done func(error)
}

type timer struct {
	at int64
	f  func() error
}

func newLife(w *world) *life {
	l := &life{world: w, assemblies: map[checkpoint.ID]*taskmanager.Assembly{}}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

func (l *life) start() error {
	job, err := l.Job(l.attempts - 1)
	if err != nil {
		return err
	}
	latest := l.latest()
	l.note("attempt", int64(l.attempts), int64(latest))
	again := latest != checkpoint.None
	if again && l.danger() {
		return errCrash
	}
	restored, err := l.restore(job, latest)
	if err != nil {
		return err
	}
	if l.attempt, err = taskmanager.Build(l.ctx, job, fmt.Sprintf("a%d", l.attempts), restored, l); err != nil {
		return err
	}
	if err := l.attempt.Recover(l.ctx, restored); err != nil {
		return err
	}
	if again && l.danger() {
		return errCrash
	}
	if err := l.attempt.Open(restored); err != nil {
		return err
	}
	if again && l.danger() {
		return errCrash
	}
	l.tapQueues()
	if l.Hooks.Opened != nil {
		if err := l.Hooks.Opened(l.attempt, l.plan); err != nil {
			return err
		}
	}
	l.coordinate(job, latest)
	return nil
}

// coordinate starts the coordinator.
func (l *life) coordinate(job *taskmanager.Job, latest checkpoint.ID) {
	l.asleep = make([]bool, len(l.attempt.Tasks))
	l.fresh = true
	l.undrained = len(l.attempt.Tasks)
	cfg := checkpoint.DefaultConfig()
	cfg.NumRetained, cfg.TolerableFailures, cfg.MaxConcurrent = 2, checkpoint.Unlimited, l.MaxConcurrent
	if l.AtLeastOnce {
		cfg.Mode = checkpoint.AtLeastOnce
	}
	if l.TimeoutMs > 0 {
		cfg.Timeout = time.Duration(l.TimeoutMs) * time.Millisecond
	}
	l.coord = checkpoint.NewCoordinator(cfg, l.lastID)
	for _, c := range job.Plan.Chains {
		l.ids = append(l.ids, make([]checkpoint.Attempt, c.Parallelism))
		l.drained = append(l.drained, make([]bool, c.Parallelism))
	}
	l.tell(checkpoint.Start{Vertices: job.Vertices(), Restored: latest, Completed: l.completed})
	for i, c := range job.Plan.Chains {
		for s := range c.Parallelism {
			l.base++
			l.ids[i][s] = l.base
			l.tell(checkpoint.TaskRunning{Task: checkpoint.Task{Vertex: i, Subtask: s}, Attempt: l.base})
		}
	}
}

func (l *life) restore(job *taskmanager.Job, id checkpoint.ID) (*taskmanager.Restored, error) {
	if id == checkpoint.None {
		return nil, nil
	}
	// Stored is what the encoding holds, not what is in memory.
	b, err := l.manifests[id].Encode()
	if err != nil {
		return nil, err
	}
	m, err := checkpoint.ParseManifest(b)
	if err != nil {
		return nil, err
	}
	targets, err := job.Targets()
	if err != nil {
		return nil, err
	}
	plan, refused := checkpoint.PlanRestore(checkpoint.RestoreRequest{
		Manifest: m, JobName: job.Name, KeyHash: taskmanager.KeyHash, Operators: targets,
		CompatibleSchemas: taskmanager.CompatibleSchemas})
	if len(refused) > 0 {
		return nil, fmt.Errorf("restore refused: %s", refused[0].Text)
	}
	if l.Hooks.Restoring != nil {
		l.Hooks.Restoring(plan)
	}
	job.AdoptMaxParallelism(plan)
	l.plan = plan
	return &taskmanager.Restored{Plan: plan, Open: func(h checkpoint.Handle) (taskmanager.Content, error) {
		b, ok := l.files[h.Path]
		if !ok {
			return nil, fmt.Errorf("file %s is not there", h.Path)
		}
		if l.Hooks.Reading != nil {
			b = l.Hooks.Reading(h, b)
		} else if sha256.Sum256(b) != [sha256.Size]byte(h.Digest) {
			return nil, fmt.Errorf("file %s is damaged", h.Path)
		}
		return content{bytes.NewReader(b)}, nil
	}}, nil
}

type content struct{ *bytes.Reader }

func (content) Close() error  { return nil }
func (c content) Size() int64 { return c.Reader.Size() }

// crash ends the attempt at once. Work under way has happened or has not, in a prefix of its order; nobody hears of it.
func (l *life) crash() error {
	l.note("crash")
	for len(l.work) > 0 && l.rng.IntN(2) == 0 {
		e := l.work[0]
		l.work = l.work[1:]
		_ = e.work(l.ctx)
	}
	return errCrash
}

// danger draws whether a dangerous moment is hit.
func (l *life) danger() bool {
	return l.result.Crashes < l.Crashes && l.oneIn(l.CrashMomentEvery)
}

// fault draws whether an operation of storage fails.
func (l *life) fault() bool {
	if l.result.Faults >= l.Faults || !l.oneIn(l.FaultEvery) {
		return false
	}
	l.result.Faults++
	return true
}

var errFault = errors.New("injected: the storage failed")

func (l *life) describe() string {
	var b strings.Builder
	for i, t := range l.attempt.Tasks {
		fmt.Fprintf(&b, "  task %d asleep=%v %s\n", i, l.asleep[i], t.Describe())
	}
	fmt.Fprintf(&b, "  checkpoints begun=%v stored=%v work=%d letters=%d timers=%d now=%d\n", l.begun, l.completed, len(l.work), len(l.letters),
		len(l.timers), l.now)
	return b.String()
}
