package flott

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/flottio/flott/config"
	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/jobmanager"
	"github.com/flottio/flott/internal/metrics"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/task"
	"github.com/flottio/flott/internal/taskmanager"
)

// Job is a checked graph with its configuration, ready to run once.
type Job struct {
	name     string
	engine   *taskmanager.Job
	driver   *jobmanager.Driver
	cluster  *localCluster
	registry *metrics.Registry
	started  time.Time
}

// Prepare draws the job's graph and checks it with the configuration: all problems at once, and nothing was started. Settings that build makes
// with Env.Set are the weakest layer of the configuration, so Prepare validates it. log may be nil.
func Prepare(name string, build func(*Env), cfg *config.Set, log *slog.Logger) (*Job, error) {
	return prepare(name, build, cfg, log, time.Now)
}

// prepare is Prepare with another wall clock, for tests.
func prepare(name string, build func(*Env), cfg *config.Set, log *slog.Logger, wall func() time.Time) (*Job, error) {
	if cfg == nil {
		cfg = config.New()
	}
	env := NewEnv()
	build(env)
	for _, s := range env.settings {
		cfg.DefineCode(s.key, s.value, s.origin)
	}
	engine, err := env.Compile(graphSettings(cfg))
	if err := errors.Join(cfg.Validate(), err); err != nil {
		return nil, err
	}
	if n := config.PipelineName.Get(cfg); n != "" {
		name = n
	}
	engine.Name, engine.ID = name, jobmanager.DefaultJobID(name)
	engine.Settings = taskSettings(cfg)
	targets, err := engine.Targets()
	if err != nil {
		return nil, err
	}
	j := &Job{name: name, engine: engine, registry: metrics.New(time.Now)}
	j.driver, err = jobmanager.New(jobmanager.Config{
		JobName: name, JobID: engine.ID, Graph: engine.Plan.Hash, CodeVersion: Version, KeyHash: taskmanager.KeyHash,
		Vertices: engine.Vertices(), Operators: targets, Checkpoints: checkpointConfig(cfg), Restart: restartConfig(cfg),
		Dir: config.CheckpointDir.Get(cfg), SavepointDir: config.SavepointDir.Get(cfg), Restore: config.RecoveryPath.Get(cfg),
		Claim:            config.RecoveryClaimMode.Get(cfg) == config.Claim,
		AllowNonRestored: config.RecoveryIgnoreUnclaimedState.Get(cfg), CompatibleSchemas: taskmanager.CompatibleSchemas, Log: log,
		Seed: uint64(time.Now().UnixNano()), Wall: wall,
	})
	if err != nil {
		return nil, err
	}
	registerJob(j.registry.Group(metrics.Scope{Level: metrics.JobManagerJobLevel, Host: "localhost", JobID: engine.ID, JobName: name}),
		j.driver.Status, time.Now)
	j.cluster = &localCluster{job: j}
	j.cluster.engine = &taskmanager.Cluster{Job: engine, Storage: stateStorage{j.driver.Storage()}, Events: j.cluster, Log: log,
		Wall: wall}
	return j, nil
}

// Version is that of Flott, written into snapshots.
const Version = "0.1.0-dev"

// Name is the job's name.
func (j *Job) Name() string { return j.name }

// Plan draws the chains of the job as text.
func (j *Job) Plan() string { return j.engine.Graph.String(j.engine.Plan) }

// PlanJSON is the plan as data: the job plan of Flink's REST API, with more fields; docs/cli.md describes them.
func (j *Job) PlanJSON() ([]byte, error) {
	d := j.engine.Graph.Document(j.engine.Plan)
	d.JobID, d.Name = j.engine.ID, j.name
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(d)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// RestorePlan says what the configured snapshot would restore, what is new, and what would be dropped. An error is a refusal or a damage.
// All of the snapshot is verified, which takes as long as reading it; the end of ctx ends that with an error.
func (j *Job) RestorePlan(ctx context.Context) (string, error) {
	p, note, err := j.driver.Plan(ctx)
	if isDirectoryError(err) {
		return "", err
	}
	if err != nil {
		return "", &RestoreError{err}
	}
	if p == nil {
		if note == "" {
			note = "a fresh start: nothing is restored"
		}
		return note, nil
	}
	return p.String(), nil
}

// RestoreError says that a snapshot cannot be restored.
type RestoreError struct{ Err error }

// Error implements error.
func (e *RestoreError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *RestoreError) Unwrap() error { return e.Err }

// StuckError says that a function of the job has not returned for task.cancellation.timeout although the job, or an attempt of it, was cancelled.
// Go cannot end a goroutine: the process should end.
type StuckError struct{ Err error }

// Error implements error.
func (e *StuckError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *StuckError) Unwrap() error { return e.Err }

// JobResult is how a job ended.
type JobResult struct {
	// Status is FINISHED, CANCELED, FAILED or SUSPENDED.
	Status   string
	Duration time.Duration
	Restarts int
	// RecordsIn is what sources emitted and RecordsOut what sinks took in the last attempt; the others are what did not go through.
	RecordsIn, RecordsOut, Late, DeadLetters, Dropped int64
	// Latest is the directory of the newest checkpoint or savepoint that stays; empty if none does.
	Latest string
}

// Run runs the job to its end. A cancelled ctx cancels it; with ErrSuspend as its cause everything is kept that is needed to go on.
// It can be called once. With a *StuckError something of the job still runs.
func (j *Job) Run(ctx context.Context) (JobResult, error) {
	j.started = time.Now()
	r, err := j.driver.Run(ctx, j.cluster)
	p := j.Progress(metrics.Snapshot{})
	res := JobResult{
		Status: terminalNames[r.Terminal], Duration: time.Since(j.started), Restarts: max(0, r.Attempts-1), Latest: r.Latest,
		RecordsIn: int64(p.RecordsIn), RecordsOut: int64(p.RecordsOut), Late: int64(p.Late), DeadLetters: int64(p.DeadLetters), Dropped: int64(p.Dropped),
	}
	if err != nil {
		res.Status = "FAILED"
		if r.Attempts == 0 && !isDirectoryError(err) || isRestoreFailure(err) {
			err = &RestoreError{err}
		}
	}
	return res, err
}

var terminalNames = map[checkpoint.Terminal]string{checkpoint.Finished: "FINISHED", checkpoint.Cancelled: "CANCELED", checkpoint.Failed: "FAILED",
	checkpoint.Suspended: "SUSPENDED"}

// DirectoryError says that the directory that an option names cannot be used; nothing was started.
type DirectoryError = jobmanager.DirectoryError

func isDirectoryError(err error) bool { return errors.As(err, new(*DirectoryError)) }

func isRestoreFailure(err error) bool {
	var refused *jobmanager.RefusedError
	return errors.As(err, &refused)
}

// ErrSuspend as the cause of the context of Run ends the process's part in the job and keeps everything it needs to go on.
var ErrSuspend = jobmanager.ErrSuspend

// Savepoint takes a savepoint below dir, or in the configured directory if dir is empty, and returns its path. The job goes on.
func (j *Job) Savepoint(ctx context.Context, dir string) (string, error) {
	return j.driver.Savepoint(ctx, dir)
}

// StopWithSavepoint takes a savepoint and ends the job with it; drain ends all input first, so that every window fires.
func (j *Job) StopWithSavepoint(ctx context.Context, dir string, drain bool) (string, error) {
	return j.driver.StopWithSavepoint(ctx, dir, drain)
}

// Metrics are the job's, for a server of its own.
func (j *Job) Metrics() *metrics.Registry { return j.registry }

// Progress sums up the metrics; previous gives the rates.
func (j *Job) Progress(previous metrics.Snapshot) metrics.Progress {
	return j.registry.Snapshot().Progress(previous)
}

// Waiting says what of the job has not ended although it was cancelled, or is to be restarted.
func (j *Job) Waiting() []string { return j.cluster.engine.Waiting() }

// Status is where the job stands.
func (j *Job) Status() jobmanager.Snapshot { return j.driver.Status() }

// localCluster runs attempts in this process and tells the driver what comes of them.
type localCluster struct {
	job    *Job
	engine *taskmanager.Cluster

	mu struct {
		sync.Mutex
		unregister func()
		numbers    map[string]int
	}
}

// Deploy implements jobmanager.Cluster.
func (c *localCluster) Deploy(a jobmanager.Attempt) {
	c.mu.Lock()
	if c.mu.numbers == nil {
		c.mu.numbers = map[string]int{}
	}
	c.mu.numbers[a.ID] = a.Number
	c.mu.Unlock()
	if a.Plan == nil {
		c.engine.Deploy(a.ID, nil)
		return
	}
	c.job.engine.AdoptMaxParallelism(a.Plan)
	c.engine.Deploy(a.ID, &taskmanager.Restored{Plan: a.Plan, Open: func(h checkpoint.Handle) (taskmanager.Content, error) { return a.Open(h) }})
}

// Cancel implements jobmanager.Cluster, and so do those below.
func (c *localCluster) Cancel(attempt string) { c.engine.Cancel(attempt) }

func (c *localCluster) SnapshotEnumerators(attempt string, id checkpoint.ID) {
	c.engine.SnapshotEnumerators(attempt, id)
}

func (c *localCluster) Trigger(attempt string, id checkpoint.ID, o checkpoint.Options) {
	c.engine.Trigger(attempt, id, o)
}
func (c *localCluster) Complete(attempt string, id checkpoint.ID) { c.engine.Complete(attempt, id) }
func (c *localCluster) Abort(attempt string, id checkpoint.ID)    { c.engine.Abort(attempt, id) }
func (c *localCluster) AskSettled(attempt string)                 { c.engine.AskSettled(attempt) }

// Deployed implements taskmanager.Events, and so do those below.
func (c *localCluster) Deployed(attempt string, err error) {
	if err != nil {
		c.job.driver.Post(jobmanager.DeployFailed{Attempt: attempt, Failure: classify(err)})
		return
	}
	c.mu.Lock()
	if c.mu.unregister != nil {
		c.mu.unregister()
	}
	c.mu.unregister = c.engine.Attempt().Register(c.job.registry, c.mu.numbers[attempt])
	c.mu.Unlock()
	c.job.driver.Post(jobmanager.Running{Attempt: attempt})
}

func (c *localCluster) Reported(r task.Report) {
	at := checkpoint.Task{Vertex: r.Task, Subtask: r.Subtask}
	var e jobmanager.Event
	switch r.Kind {
	case task.ReportAck:
		parts := taskmanager.Part(r.Snapshot)
		e = jobmanager.Acked{Attempt: r.Attempt, Task: at, ID: r.Checkpoint, Bytes: r.Snapshot.Bytes(), Parts: parts}
	case task.ReportDecline:
		e = jobmanager.Declined{Attempt: r.Attempt, Task: at, ID: r.Checkpoint, Reason: r.Reason, Err: r.Err}
	case task.ReportDrained:
		e = jobmanager.TaskDrained{Attempt: r.Attempt, Task: at}
	case task.ReportSettled:
		e = jobmanager.TaskSettled{Attempt: r.Attempt, Task: at}
	case task.ReportFailed:
		e = jobmanager.TaskFailed{Attempt: r.Attempt, Failure: classify(r.Err)}
	default:
		return
	}
	c.job.driver.Post(e)
}

func (c *localCluster) Failed(attempt string, err error) {
	c.job.driver.Post(jobmanager.TaskFailed{Attempt: attempt, Failure: classify(err)})
}

func (c *localCluster) EnumeratorsSnapshotted(attempt string, id checkpoint.ID, states map[string][]byte, err error) {
	c.job.driver.Post(jobmanager.EnumeratorsSnapshotted{Attempt: attempt, ID: id, States: states, Err: err})
}

// Stuck gives the job up: what does not end cannot be waited for any longer.
func (c *localCluster) Stuck(_ string, err error) { c.job.driver.GiveUp(&StuckError{err}) }

func (c *localCluster) Ended(attempt string, err error) {
	c.job.driver.Post(jobmanager.AttemptEnded{Attempt: attempt})
}

// classify puts an error into one of the classes that decide about recovery.
func classify(err error) jobmanager.Failure {
	f := jobmanager.Failure{Class: jobmanager.Transient, Err: operator.Advise(err)}
	var user *operator.Failure
	switch {
	case errors.As(err, &user) && user.Bug:
		f.Class = jobmanager.Bug
	case operator.IsHopeless(err):
		f.Class = jobmanager.Permanent
	case errors.As(err, &user) && user.Stack != "":
		f.Class = jobmanager.User
	}
	return f
}

// stateStorage stores the state files of tasks among the job's checkpoints.
type stateStorage struct{ s *jobmanager.Storage }

// WriteState implements taskmanager.Storage.
func (s stateStorage) WriteState(ctx context.Context, id checkpoint.ID, name string, write func(io.Writer) error) (task.Handle, error) {
	h, err := s.s.WriteState(ctx, id, name, write)
	return task.Handle{Path: h.Path, Length: h.Length, Digest: h.Digest}, err
}
