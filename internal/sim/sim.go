// Package sim runs a whole job in one goroutine, in an order drawn from a seed: the steps of all tasks, the work that tasks have done
// elsewhere, the enumerators' letters, checkpoints, crashes and restores. Time is virtual, storage is memory. The same seed gives the same run.
//
// flotttest is its face for users.
package sim

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"time"

	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/task"
	"github.com/flottio/flott/internal/taskmanager"
)

// Config says what one run does.
type Config struct {
	Seed uint64
	// Job builds the job for an attempt; the parallelism may differ from attempt to attempt.
	Job func(attempt int) (*taskmanager.Job, error)
	// CheckpointEvery is the mean number of steps between two checkpoints; 0: none but the final one.
	CheckpointEvery int
	// Crashes bounds the crashes; CrashEvery is the mean number of steps between two.
	Crashes, CrashEvery int
	// CrashAtBarrier crashes right after each complete checkpoint, Crashes times at most, instead of at random.
	CrashAtBarrier bool
	// Restarts bounds the restarts after failures of user code.
	Restarts int
	// MaxSteps bounds the run; 0 means 2 million.
	MaxSteps int
	// Watch is called after every step of a task; an error ends the run. For invariants.
	Watch func(a *taskmanager.Attempt) error
	// Trace, if set, gets a line for each event.
	Trace io.Writer
}

// Result is what a run did.
type Result struct {
	Steps, Checkpoints, Crashes, Failures int
	// Hash is a digest of the trace: two runs of one seed have the same.
	Hash uint64
}

const (
	maxStepsDefault = 2_000_000
	// quietLimit is the number of steps without any progress after which virtual time moves on.
	quietMsMax = 60 * 60 * 1000
)

// Run runs the job to its end.
func Run(c Config) (Result, error) {
	if c.MaxSteps == 0 {
		c.MaxSteps = maxStepsDefault
	}
	w := &world{Config: c, rng: rand.New(rand.NewPCG(c.Seed, 0x5eed)), files: map[string][]byte{}, manifests: map[checkpoint.ID][]byte{}}
	w.trace = fnv.New64a()
	err := w.run()
	w.result.Hash = w.trace.Sum64()
	if err != nil {
		return w.result, fmt.Errorf("seed %d, step %d: %w", c.Seed, w.result.Steps, err)
	}
	return w.result, nil
}

// world is everything outside of the tasks.
type world struct {
	Config
	rng    *rand.Rand
	result Result
	trace  interface {
		io.Writer
		Sum64() uint64
	}
	now       int64 // virtual milliseconds
	files     map[string][]byte
	manifests map[checkpoint.ID][]byte
	completed []checkpoint.Completed
	lastID    checkpoint.ID
	latest    checkpoint.ID
	attempts  int
	base      checkpoint.Attempt // attempts of subtasks are numbered on
	life      *life
	done      bool
}

// life is one attempt.
type life struct {
	*world
	ctx        context.Context
	cancel     context.CancelFunc
	id         string
	attempt    *taskmanager.Attempt
	coord      *checkpoint.Coordinator
	assemblies map[checkpoint.ID]*taskmanager.Assembly
	work       []errand
	letters    []func() error
	timers     []timer
	events     []checkpoint.Event
	ids        map[[2]int]checkpoint.Attempt
	drained    map[[2]int]bool
	settled    int
	asked      bool
	asleep     []bool // by task: returned a waiting status since the last change anywhere
	awake      int
	failed     error
	acting     bool
}

type errand struct {
	work func(context.Context) error
	done func(error)
}

type timer struct {
	at int64
	f  func() error
}

var errCrash = errors.New("crash")

func (w *world) run() error {
	for !w.done {
		err := w.live()
		switch {
		case errors.Is(err, errCrash):
			w.result.Crashes++
		case err != nil && w.life != nil && w.life.failed != nil && w.result.Failures < w.Restarts:
			w.result.Failures++
		case err != nil:
			return err
		}
	}
	return nil
}

// live runs one attempt to its end, crash or failure.
func (w *world) live() (err error) {
	l := &life{world: w, id: fmt.Sprintf("a%d", w.attempts), assemblies: map[checkpoint.ID]*taskmanager.Assembly{},
		ids: map[[2]int]checkpoint.Attempt{}, drained: map[[2]int]bool{}}
	w.life = l
	l.ctx, l.cancel = context.WithCancel(context.Background())
	defer l.cancel()
	w.note("attempt %d from checkpoint %d", w.attempts, w.latest)
	job, err := w.Job(w.attempts)
	w.attempts++
	if err != nil {
		return err
	}
	if err := l.start(job); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.attempt.Close()) }()
	for !w.done {
		if w.result.Steps++; w.result.Steps > w.MaxSteps {
			return fmt.Errorf("no end after %d steps:\n%s", w.MaxSteps, l.describe())
		}
		if err := l.step(); err != nil {
			return err
		}
	}
	return nil
}

func (l *life) start(job *taskmanager.Job) error {
	restored, err := l.restore(job)
	if err != nil {
		return err
	}
	if l.attempt, err = taskmanager.Build(l.ctx, job, l.id, restored, l); err != nil {
		return err
	}
	if err := l.attempt.Recover(l.ctx, restored); err != nil {
		return err
	}
	if err := l.attempt.Open(restored); err != nil {
		return err
	}
	l.asleep = make([]bool, len(l.attempt.Tasks))
	cfg := checkpoint.DefaultConfig()
	cfg.NumRetained, cfg.TolerableFailures = 3, checkpoint.Unlimited
	l.coord = checkpoint.NewCoordinator(cfg, l.lastID)
	var vertices []checkpoint.Vertex
	for _, c := range job.Plan.Chains {
		v := checkpoint.Vertex{Name: c.Name, Parallelism: c.Parallelism}
		for _, in := range c.Inputs {
			v.Inputs = append(v.Inputs, checkpoint.VertexInput{From: in.FromChain})
		}
		vertices = append(vertices, v)
	}
	l.tell(checkpoint.Start{Vertices: vertices, Restored: l.latest, Completed: l.completed})
	for i, c := range job.Plan.Chains {
		for s := range c.Parallelism {
			l.base++
			l.ids[[2]int{i, s}] = l.base
			l.tell(checkpoint.TaskRunning{Task: checkpoint.Task{Vertex: i, Subtask: s}, Attempt: l.base})
		}
	}
	return nil
}

func (l *life) restore(job *taskmanager.Job) (*taskmanager.Restored, error) {
	if l.latest == checkpoint.None {
		return nil, nil
	}
	m, err := checkpoint.ParseManifest(l.manifests[l.latest])
	if err != nil {
		return nil, err
	}
	targets, err := job.Targets()
	if err != nil {
		return nil, err
	}
	plan, refused := checkpoint.PlanRestore(checkpoint.RestoreRequest{Manifest: m, JobName: job.Name, KeyHash: taskmanager.KeyHash, Operators: targets})
	if len(refused) > 0 {
		return nil, fmt.Errorf("restore refused: %s", refused[0].Text)
	}
	job.AdoptMaxParallelism(plan)
	return &taskmanager.Restored{Plan: plan, Open: func(h checkpoint.Handle) (taskmanager.Content, error) {
		b, ok := l.files[h.Path]
		if !ok {
			return nil, fmt.Errorf("file %s is not there", h.Path)
		}
		return content{bytes.NewReader(b)}, nil
	}}, nil
}

type content struct{ *bytes.Reader }

func (content) Close() error  { return nil }
func (c content) Size() int64 { return c.Reader.Size() }

// note adds to the trace.
func (w *world) note(format string, args ...any) {
	fmt.Fprintf(w.trace, format+"\n", args...)
	if w.Trace != nil {
		fmt.Fprintf(w.Trace, "%6d %s\n", w.result.Steps, fmt.Sprintf(format, args...))
	}
}

// Now implements task.Env.
func (l *life) Now() int64 { return l.now }

// Go implements task.Env.
func (l *life) Go(work func(context.Context) error, done func(error)) {
	l.work = append(l.work, errand{work, done})
}

// Post implements taskmanager.Host.
func (l *life) Post(f func() error) { l.letters = append(l.letters, f) }

// After implements taskmanager.Host.
func (l *life) After(delayMs int64, f func() error) {
	l.timers = append(l.timers, timer{l.now + delayMs, f})
}

// WriteState implements task.Env.
func (l *life) WriteState(_ context.Context, id checkpoint.ID, name string, write func(io.Writer) error) (task.Handle, error) {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return task.Handle{}, err
	}
	path := fmt.Sprintf("chk-%d-%s", id, name)
	l.files[path] = b.Bytes()
	return task.Handle{Path: path, Length: int64(b.Len()), Digest: sha256.Sum256(b.Bytes())}, nil
}

// Report implements task.Env.
func (l *life) Report(r task.Report) {
	key := [2]int{r.Task, r.Subtask}
	switch r.Kind {
	case task.ReportNeedsSplit:
		l.attempt.Request(r.Task, r.Subtask)
	case task.ReportAck:
		l.note("ack %d of %v", r.Checkpoint, key)
		if a := l.assemblies[r.Checkpoint]; a != nil {
			a.Add(r.Task, r.Subtask, r.Snapshot)
		}
		l.tell(checkpoint.Acked{ID: r.Checkpoint, Attempt: l.ids[key]})
	case task.ReportDecline:
		l.note("decline %d of %v: %v", r.Checkpoint, key, r.Err)
		l.tell(checkpoint.DeclinedBy{ID: r.Checkpoint, Attempt: l.ids[key], Reason: r.Reason})
	case task.ReportDrained:
		l.note("drained %v", key)
		l.drained[key] = true
		l.tell(checkpoint.TaskEnded{Task: checkpoint.Task{Vertex: key[0], Subtask: key[1]}, Attempt: l.ids[key]})
	case task.ReportSettled:
		if l.settled++; l.settled == len(l.attempt.Tasks) {
			l.note("settled")
			l.done = true
		}
	case task.ReportFailed:
		l.note("failed %v", key)
		l.failed = r.Err
	}
}

// tell queues an event for the coordinator. Actions run one after another, never inside one another.
func (l *life) tell(e checkpoint.Event) {
	l.events = append(l.events, e)
	if l.acting {
		return
	}
	l.acting = true
	for len(l.events) > 0 {
		e := l.events[0]
		l.events = l.events[1:]
		for _, a := range append([]checkpoint.Action(nil), l.coord.Step(time.Duration(l.now)*time.Millisecond, e)...) {
			l.act(a)
		}
		l.lastID = max(l.lastID, l.coord.LastID())
	}
	l.acting = false
}
