package jobmanager

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	mrand "math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flottio/flott/internal/blob"
	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/keygroup"
)

// Cluster runs one attempt of a job at a time. Its methods do not wait: what comes of them is told to Driver.Post. They are called by
// the driver's goroutine only.
type Cluster interface {
	Deploy(Attempt)
	Cancel(attempt string)
	SnapshotEnumerators(attempt string, id checkpoint.ID)
	// Trigger sends the order for barriers to all sources, then opens the enumerators' valves.
	Trigger(attempt string, id checkpoint.ID, o checkpoint.Options)
	Complete(attempt string, id checkpoint.ID)
	Abort(attempt string, id checkpoint.ID)
	AskSettled(attempt string)
}

// Attempt is one execution of a job's tasks.
type Attempt struct {
	ID     string
	Number int // counts from 1
	// Restored is the checkpoint it goes on from, None for a fresh start; then Manifest and Plan are nil.
	Restored checkpoint.ID
	Manifest *checkpoint.Manifest
	Plan     *checkpoint.RestorePlan
	Dir      string
	// Open verifies a file of the restored checkpoint and opens it.
	Open func(h checkpoint.Handle) (blob.Content, error)
}

// Config is everything a job is run with.
type Config struct {
	JobName string
	// JobID is 32 hexadecimal digits; empty means DefaultJobID(JobName).
	JobID                       string
	Graph, CodeVersion, KeyHash string // for the manifest
	Vertices                    []checkpoint.Vertex
	// Operators are those that a checkpoint holds, each with the vertex it runs in as Chain.
	Operators   []checkpoint.Target
	Checkpoints checkpoint.Config
	Restart     RestartConfig

	Dir          string // of checkpoints; empty: in memory
	SavepointDir string
	// Restore is empty, Latest, or a path.
	Restore string
	// Claim takes over what Restore names, to delete it when newer checkpoints have replaced it (A15.5).
	Claim             bool
	AllowNonRestored  bool
	CompatibleSchemas func(uid string, stored, declared checkpoint.State) error

	// Disk, Wall, Log and Seed may be left out.
	Disk blob.Disk
	// Wall is the wall clock: it dates what is stored and said, and decides nothing, since it may jump. Nil means time.Now.
	Wall func() time.Time
	Log  *slog.Logger
	Seed uint64 // of the jitter of restarts
}

// ErrSuspend as the cause of the context of Run ends the process's part in the job and keeps everything it needs to go on; any other
// end of the context cancels the job.
var ErrSuspend = errors.New("the process is to end")

// RefusedError says why a job cannot go on from a checkpoint.
type RefusedError struct {
	From     string
	Refusals []checkpoint.Refusal
}

func (e *RefusedError) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "restoring from %s is refused:", e.From)
	for _, r := range e.Refusals {
		s.WriteString("\n  " + r.Text)
	}
	return s.String()
}

// Result is how a job ended.
type Result struct {
	Terminal checkpoint.Terminal
	Failure  *Failure
	// Latest is the directory of the newest checkpoint, or of the savepoint the job was stopped with, that stays; empty if none does.
	Latest   string
	Attempts int
	Stats    checkpoint.Stats
}

// Snapshot is what can be seen of a running job.
type Snapshot struct {
	Status   Status
	Attempt  string
	Attempts int
	Dropped  int64
	Failure  *Failure      // the last
	Restored checkpoint.ID // what the first attempt went on from
	Stats    checkpoint.Stats
	Started  time.Time
	// RunningSince is when the job began to run, or did again; DownSince when it last ceased to, without being over. At most one is
	// set; before the first run none is.
	RunningSince, DownSince time.Time
	RestoredAt              time.Time // when the newest attempt was deployed that was restored from a checkpoint; zero if none was
}

// runs reports whether records are processed in a status.
func (s Status) runs() bool { return s == StatusRunning || s == StatusStopping || s == StatusFinishing }

// Over reports whether the job has ended.
func (s Status) Over() bool { return s >= StatusFinished }

// times carries the times of a snapshot on from the one before.
func (s *Snapshot) times(before *Snapshot, now time.Time) {
	s.RunningSince, s.DownSince = before.RunningSince, before.DownSince
	switch {
	case s.Status.Over():
		s.RunningSince, s.DownSince = time.Time{}, time.Time{}
	case s.Status.runs():
		s.DownSince = time.Time{}
		if s.RunningSince.IsZero() {
			s.RunningSince = now
		}
	case !s.RunningSince.IsZero():
		s.RunningSince, s.DownSince = time.Time{}, now
	}
}

// Driver runs one job: one goroutine owns the machine; work on storage runs beside it and comes back as events.
type Driver struct {
	config  Config
	storage *Storage
	cluster Cluster
	job     *Job
	began   time.Time

	inbox struct {
		sync.Mutex
		events []Event
	}
	bell       chan struct{} // holds one ring
	background sync.WaitGroup
	done       chan struct{} // closed when Run returns
	seen       atomic.Pointer[Snapshot]
	undeleted  undeleted
	requests   struct {
		sync.Mutex
		last    checkpoint.RequestID
		replies map[checkpoint.RequestID]chan Reply
	}

	// Owned by the goroutine of Run.
	first          Chosen
	plan           *checkpoint.RestorePlan
	planned        bool // the note of first was given to the caller of Plan
	maxParallelism map[string]int
	drafts         map[checkpoint.ID]*draft
	manifests      map[checkpoint.ID]*checkpoint.Manifest // complete ones that an attempt may go on from
	ended          *Ended
	stuck          error // of the attempt that does not end
	restoredAt     time.Time
	toldOf         checkpoint.Reason // of the failed checkpoint that was logged last
	toldAt         time.Duration
	same           recurrence
}

// New returns a driver that has not started, or all that is wrong with the configuration.
func New(c Config) (*Driver, error) {
	if c.JobID == "" {
		c.JobID = DefaultJobID(c.JobName)
	}
	if c.Wall == nil {
		c.Wall = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s, err := NewStorage(c.Disk, c.Dir, c.SavepointDir, c.JobID)
	if c.Claim && c.Restore != "" && c.Dir == "" {
		err = errors.Join(err, errors.New("execution.state-recovery.claim-mode: CLAIM needs execution.checkpointing.dir: the snapshot is deleted "+
			"when a newer checkpoint has replaced it, and one in memory would be gone with the process"))
	}
	if err := errors.Join(err, c.Checkpoints.Validate(), c.Restart.Validate()); err != nil {
		return nil, err
	}
	d := &Driver{config: c, storage: s, bell: make(chan struct{}, 1), done: make(chan struct{}),
		maxParallelism: map[string]int{}, drafts: map[checkpoint.ID]*draft{}, manifests: map[checkpoint.ID]*checkpoint.Manifest{}}
	d.requests.replies = map[checkpoint.RequestID]chan Reply{}
	d.seen.Store(&Snapshot{})
	return d, nil
}

// Storage returns where the job's checkpoints lie; tasks write their state through it.
func (d *Driver) Storage() *Storage { return d.storage }

// Post tells the driver what happened. It does not block; any goroutine may call it, at any time.
func (d *Driver) Post(e Event) {
	d.inbox.Lock()
	d.inbox.events = append(d.inbox.events, e)
	d.inbox.Unlock()
	select {
	case d.bell <- struct{}{}:
	default:
	}
}

func (d *Driver) take() []Event {
	d.inbox.Lock()
	defer d.inbox.Unlock()
	events := d.inbox.events
	d.inbox.events = nil
	return events
}

// Status returns what can be seen of the job. Any goroutine may call it.
func (d *Driver) Status() Snapshot { return *d.seen.Load() }

// Plan returns the plan of the restore that Run would begin with, nil for a fresh start, and what is to be said about it.
// It verifies all of the snapshot, until ctx ends. It takes the lock of the job's directory for the time being, and claims nothing. Not to
// be called while Run runs.
func (d *Driver) Plan(ctx context.Context) (*checkpoint.RestorePlan, string, error) {
	release, err := d.lock()
	if err != nil {
		return nil, "", err
	}
	d.planned = true
	err = errors.Join(d.choose(ctx), release())
	return d.plan, d.first.Note, err
}

func (d *Driver) lock() (func() error, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return d.storage.Lock(fmt.Sprintf("process %d on host %s, job %q, since %s", os.Getpid(), host, d.config.JobName,
		d.config.Wall().UTC().Format(time.RFC3339)))
}

// choose finds what to go on from and plans it.
func (d *Driver) choose(ctx context.Context) (err error) {
	if d.first, err = d.storage.Choose(ctx, d.config.Restore); err != nil {
		return err
	}
	for _, t := range d.config.Operators {
		d.maxParallelism[t.UID] = t.MaxParallelism
		if t.MaxParallelism == 0 {
			d.maxParallelism[t.UID] = keygroup.DefaultMax(t.Parallelism)
		}
	}
	if d.first.Manifest == nil {
		return nil
	}
	d.manifests[d.first.Manifest.ID] = d.first.Manifest
	d.plan, err = d.planFor(d.first.Manifest, d.first.Dir)
	return err
}

func (d *Driver) planFor(m *checkpoint.Manifest, dir string) (*checkpoint.RestorePlan, error) {
	p, refusals := checkpoint.PlanRestore(checkpoint.RestoreRequest{Manifest: m, JobName: d.config.JobName, KeyHash: d.config.KeyHash,
		Operators: d.config.Operators, AllowNonRestored: d.config.AllowNonRestored, CompatibleSchemas: d.config.CompatibleSchemas})
	if len(refusals) > 0 {
		return nil, &RefusedError{dir, refusals}
	}
	for _, o := range p.Operators {
		d.maxParallelism[o.UID] = o.MaxParallelism
	}
	return p, nil
}

// Run runs the job to its end. The error is why it could not start, or why it failed; a cancelled job is no error. Everything it
// started has ended when it returns.
func (d *Driver) Run(ctx context.Context, cluster Cluster) (r Result, err error) {
	defer close(d.done)
	release, err := d.lock()
	if err != nil {
		return r, err
	}
	defer func() {
		if d.stuck == nil {
			err = errors.Join(err, release())
		}
	}()
	if err := d.choose(ctx); err != nil {
		if ctx.Err() != nil { // the user did not want to wait for it: nothing has happened
			return Result{Terminal: terminalOf(ctx)}, nil
		}
		return r, err
	}
	start := Start{LastID: d.first.LastID, Owned: d.first.Owned}
	if d.first.Manifest != nil {
		start.Restore = d.first.Manifest.ID
		if d.config.Claim && !slices.Contains(d.first.Owned, checkpoint.Completed{ID: start.Restore}) {
			if err := d.storage.claim(d.first); err != nil {
				return r, err
			}
			start.Claimed, start.Owned = start.Restore, d.first.owning()
		}
	}
	if d.first.Note != "" && !d.planned {
		d.config.Log.Info(d.first.Note)
	}
	var run [6]byte
	if _, err := rand.Read(run[:]); err != nil {
		return r, fmt.Errorf("reading random numbers: %w", err)
	}
	d.cluster, d.began = cluster, time.Now()
	d.job = NewJob(JobSpec{Run: hex.EncodeToString(run[:]), Vertices: d.config.Vertices, Checkpoints: d.config.Checkpoints,
		Restart: d.config.Restart, Rand: mrand.New(mrand.NewPCG(d.config.Seed, 1))})
	d.step(start)
	d.loop(ctx)
	d.background.Wait()
	d.refuseRest()
	return d.result()
}

// GiveUp makes Run return err although the running attempt has not ended, and may never end. The job's directory stays locked until the process
// ends: nobody else may run the job while something of it still runs here. Any goroutine may call it.
func (d *Driver) GiveUp(err error) { d.Post(givenUp{err}) }

// givenUp is for the driver alone; the machine does not see it.
type givenUp struct{ err error }

func (givenUp) event() {}

// terminalOf says how a job ends whose context has ended.
func terminalOf(ctx context.Context) checkpoint.Terminal {
	if errors.Is(context.Cause(ctx), ErrSuspend) {
		return checkpoint.Suspended
	}
	return checkpoint.Cancelled
}

func (d *Driver) result() (Result, error) {
	if d.stuck != nil {
		return Result{Terminal: checkpoint.Failed, Failure: d.job.Failure(), Latest: d.storage.Dir(d.job.Coordinator().Latest()),
			Attempts: d.job.Attempts(), Stats: d.job.Coordinator().Stats()}, d.stuck
	}
	e := d.ended
	r := Result{Terminal: e.Terminal, Failure: e.Failure, Latest: d.storage.Dir(e.Latest), Attempts: d.job.Attempts(),
		Stats: d.job.Coordinator().Stats()}
	if e.Failure != nil {
		return r, fmt.Errorf("job %q failed: %w", d.config.JobName, e.Failure.Err)
	}
	return r, nil
}

func (d *Driver) loop(ctx context.Context) {
	cancelled := ctx.Done()
	for d.ended == nil && d.stuck == nil {
		var fired <-chan time.Time
		stop := func() bool { return true }
		if at, ok := d.job.NextTimer(); ok {
			timer := time.NewTimer(at - d.now())
			fired, stop = timer.C, timer.Stop
		}
		select {
		case <-d.bell:
			for _, e := range d.take() {
				if g, ok := e.(givenUp); ok {
					d.stuck = g.err
					continue
				}
				d.step(e)
			}
		case <-fired:
			d.step(TimerFired{})
		case <-cancelled:
			cancelled = nil
			d.step(Cancel{Suspend: terminalOf(ctx) == checkpoint.Suspended})
		}
		stop()
	}
}

// now is the machine's time, since the beginning: by the monotonic clock, so that no interval, pause or timeout depends on the wall clock.
func (d *Driver) now() time.Duration { return time.Since(d.began) }

// step notes what an event brings with it for the manifest, tells the machine, and carries its answers out.
func (d *Driver) step(e Event) {
	if d.ended == nil {
		switch e := e.(type) {
		case Acked:
			if x := d.drafts[e.ID]; x != nil {
				x.Add(e.Task, e.Parts)
			}
		case EnumeratorsSnapshotted:
			if x := d.drafts[e.ID]; x != nil {
				x.Enumerators(e.States)
			}
		case DeployFailed:
			if d.explainDamage(e) {
				return
			}
			d.config.Log.Error("the attempt could not be started", "attempt", e.Attempt, "class", e.Failure.Class, "error", e.Failure.Err)
			d.tellSame(e.Attempt, e.Failure)
		case TaskFailed:
			d.config.Log.Error("the attempt failed", "attempt", e.Attempt, "class", e.Failure.Class, "error", e.Failure.Err)
			d.tellSame(e.Attempt, e.Failure)
		}
	}
	before := d.seen.Load()
	for _, a := range d.job.Step(d.now(), e) {
		d.carry(a)
	}
	d.look()
	d.tell(e, before, d.seen.Load())
}

// tellAgain is how often checkpoints that fail for one reason are logged: their causes name files, which always differ.
const tellAgain = 10 * time.Second

// tell logs that checkpoints are given up, and that the job fails because of it: one that restarts again and again, or stores nothing any more,
// must say why.
func (d *Driver) tell(e Event, before, now *Snapshot) {
	r := now.Stats.LastFailed
	again := d.toldOf != r.Reason || d.now()-d.toldAt >= tellAgain
	if now.Stats.Failed > before.Stats.Failed && r.Reason.Counts() && again {
		d.toldOf, d.toldAt = r.Reason, d.now()
		d.config.Log.Warn("a checkpoint failed", "checkpoint", r.ID, "reason", r.Reason.Text(), "error", r.Cause, "failed", now.Stats.Failed)
	}
	switch e.(type) {
	case TaskFailed, DeployFailed: // logged as they came
	default:
		if f := now.Failure; f != nil && f != before.Failure {
			d.config.Log.Error("the attempt failed", "attempt", now.Attempt, "class", f.Class, "error", f.Err)
		}
	}
}

func (d *Driver) look() {
	s := &Snapshot{Status: d.job.Status(), Attempt: d.job.attempt, Attempts: d.job.Attempts(), Dropped: d.job.Dropped(),
		Failure: d.job.Failure(), Started: d.began, Stats: d.job.Coordinator().Stats(), RestoredAt: d.restoredAt}
	s.times(d.seen.Load(), time.Now())
	if d.first.Manifest != nil {
		s.Restored = d.first.Manifest.ID
	}
	d.seen.Store(s)
}

// Savepoint takes a savepoint below dir, or in the default directory if dir is empty, and returns its path. The job goes on.
func (d *Driver) Savepoint(ctx context.Context, dir string) (string, error) {
	return d.request(ctx, checkpoint.Options{Kind: checkpoint.Savepoint}, dir)
}

// StopWithSavepoint takes a savepoint and ends the job with it; drain ends all input first, so that every window fires. It returns the
// savepoint's path once the job has ended; with an error the path says that the savepoint is complete although the job did not stop.
func (d *Driver) StopWithSavepoint(ctx context.Context, dir string, drain bool) (string, error) {
	o := checkpoint.Options{Kind: checkpoint.Savepoint, Stop: checkpoint.Suspend}
	if drain {
		o.Stop = checkpoint.Drain
	}
	return d.request(ctx, o, dir)
}

// Checkpoint takes a checkpoint now and returns its path.
func (d *Driver) Checkpoint(ctx context.Context) (string, error) {
	return d.request(ctx, checkpoint.Options{}, "")
}

func (d *Driver) request(ctx context.Context, o checkpoint.Options, dir string) (string, error) {
	answer := make(chan Reply, 1)
	d.requests.Lock()
	d.requests.last++
	id := d.requests.last
	d.requests.replies[id] = answer
	d.requests.Unlock()
	d.Post(Request{ID: id, Options: o, Directory: dir})
	select {
	case r := <-answer:
		return d.outcome(o, r)
	case <-ctx.Done():
		d.Post(Withdraw{id})
		return "", fmt.Errorf("waiting for a %v: %w; it is not taken if it had not begun", o, context.Cause(ctx))
	case <-d.done:
		select {
		case r := <-answer: // both had come
			return d.outcome(o, r)
		default:
			return "", fmt.Errorf("taking a %v: the job has ended", o)
		}
	}
}

func (d *Driver) outcome(o checkpoint.Options, r Reply) (dir string, err error) {
	if r.Result.ID != checkpoint.None && r.Result.Reason == checkpoint.NoReason {
		dir = d.storage.Dir(r.Result.ID)
	}
	if r.Err != nil {
		return dir, fmt.Errorf("taking a %v: %w", o, r.Err)
	}
	return dir, nil
}

func (d *Driver) answer(r Reply) {
	d.requests.Lock()
	defer d.requests.Unlock()
	if c := d.requests.replies[r.Request]; c != nil {
		c <- r
		delete(d.requests.replies, r.Request)
	}
}

// refuseRest answers what came in too late.
func (d *Driver) refuseRest() {
	for _, e := range d.take() {
		if _, ok := e.(Request); ok && d.stuck == nil { // the callers of a job that is stuck see that it is done
			d.step(e)
		}
	}
}
