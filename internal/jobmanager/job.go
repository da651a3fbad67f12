package jobmanager

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/invariant"
)

// Job is the life of one job, from Start to Ended.
//
//	            Running            all drained             final checkpoint complete, all settled
//	restoring ----------> running -------------> finishing ---------------------------------------+
//	    ^                  |    \ stop requested                                                   v
//	    |                  |     +-----> stopping -- savepoint complete, all settled --------> finished
//	    | delay over,      | failure (of any of these)
//	    | nothing unknown  v                   no restart
//	restarting <------- failing -------------------------------------------------------------> failed
//	             attempt ended
//
//	any of them -- Cancel --> canceling -- attempt ended --> canceled
//
// Problem. Tasks fail while a checkpoint is being written, users stop jobs that are failing, input ends while a savepoint runs. Whatever
// comes together, each record's effect must be committed once, and the job must end.
//
// Idea. As with the coordinator it contains: one machine is told everything in one order and answers with what to do. A job restarts as
// a whole, so there is at most one attempt, and everything an attempt says is fenced by its id.
//
// Tasks whose input has ended stay and take part in checkpoints until all have drained. Then a final checkpoint is taken at
// once, everybody is told that it is complete, everybody commits and says so (settled), and the job ends. So no checkpoint has
// partly finished vertices, and the last transaction is committed (A8.2). If a task fails before, the job restarts, and drains again
// (✗ FLINK-32945). Without checkpoints the final one is taken all the same, for its effect on the sinks, but nothing is stored.
//
// Rules that hold whatever the order of events:
//   - a new attempt is deployed only after the old one has ended and after the fate of every manifest is known (A2.9);
//   - NotifyComplete comes after ManifestWritten said so, or the checkpoint stores nothing;
//   - every request gets one Reply; that of a stop says success only when the job has ended;
//   - there is one Ended, and it is the last action.
//
// It belongs to one goroutine. The zero Job is not ready; see NewJob.
type Job struct {
	spec        JobSpec
	coordinator *checkpoint.Coordinator
	restart     *Restart
	status      Status
	now         time.Duration
	out         []Action

	number     int // of attempts so far
	attempt    string
	alive      bool // deployed, and AttemptEnded has not come
	drained    tally
	settled    tally
	settling   bool          // AskSettled was sent
	finalFrom  checkpoint.ID // all had drained when this id was the next; None before
	finalAsked bool          // the final checkpoint was requested and not answered
	finalAt    time.Duration // no final checkpoint before: holds back retries

	failure   *Failure // the last
	restartAt time.Duration
	unknown   checkpoint.Completed // of which it is not known whether it is on disk; ID None if there is none
	reading   bool                 // ReadBack is under way
	found     checkpoint.Completed // read back while the job was ending already: the coordinator does not know it

	claimed    checkpoint.ID // taken over, None if none was
	stop       stopping
	commitOnly []checkpoint.ID // final checkpoints that store nothing
	givenUp    []checkpoint.ID // recently, oldest first: what comes late for them is litter
	committed  bool            // one of them is complete
	ending     *Ended
	keep       bool // the job failed in a way in which its checkpoints are needed, whatever the retention says
	deleting   int  // ids whose DeleteDone is awaited
	purged     bool
	over       bool
	dropped    int64
}

// JobSpec is what a Job must know of its job.
type JobSpec struct {
	// Run is a text that no other process has used for this job: attempts are named after it.
	Run         string
	Vertices    []checkpoint.Vertex
	Checkpoints checkpoint.Config // valid
	Restart     RestartConfig     // valid
	Rand        *rand.Rand        // for the jitter of restarts
}

// Status is where in its life a job is.
type Status uint8

// The statuses.
const (
	Created Status = iota
	StatusRestoring
	StatusRunning
	StatusFailing
	StatusRestarting
	StatusStopping
	StatusFinishing
	StatusCanceling
	StatusFinished
	StatusFailed
	StatusCanceled
	StatusSuspended
)

var statusNames = [...]string{"CREATED", "INITIALIZING", "RUNNING", "FAILING", "RESTARTING", "STOPPING", "FINISHING", "CANCELLING",
	"FINISHED", "FAILED", "CANCELED", "SUSPENDED"}

// String returns the status in upper case, as Flink's clients know it.
func (s Status) String() string { return statusNames[s] }

// stopping is a request to stop with a savepoint.
type stopping struct {
	request checkpoint.RequestID // 0: none
	id      checkpoint.ID        // its savepoint, once it has begun
	done    *checkpoint.Result   // the savepoint is complete; the reply waits for the end
}

// tally counts which of the tasks have said something.
type tally struct {
	said    [][]bool
	missing int
}

func newTally(vertices []checkpoint.Vertex) tally {
	t := tally{said: make([][]bool, len(vertices))}
	for v := range vertices {
		t.said[v] = make([]bool, vertices[v].Parallelism)
		t.missing += vertices[v].Parallelism
	}
	return t
}

// add notes one and reports whether it was the last.
func (t *tally) add(k checkpoint.Task) bool {
	if t.said[k.Vertex][k.Subtask] {
		return false
	}
	t.said[k.Vertex][k.Subtask] = true
	t.missing--
	return t.missing == 0
}

// NewJob returns a job that has not started.
func NewJob(spec JobSpec) *Job {
	return &Job{spec: spec, restart: NewRestart(spec.Restart, spec.Checkpoints.Interval > 0, spec.Rand)}
}

// Step takes an event at the moment now, which never goes back, and returns what to do. The result is valid until the next Step.
func (j *Job) Step(now time.Duration, e Event) []Action {
	invariant.Check(now >= j.now, "time went back from %v to %v", j.now, now)
	j.now, j.out = now, j.out[:0]
	if j.over {
		j.late(e)
		return j.out
	}
	j.handle(e)
	if j.coordinator != nil {
		j.maybeFinal()
		j.maybeFinish()
		j.maybeRestart()
		j.maybeEnd()
	}
	return j.out
}

// NextTimer returns when the job wants a TimerFired, if nothing else happens before. Ask after every Step.
func (j *Job) NextTimer() (at time.Duration, ok bool) {
	if j.coordinator == nil || j.over {
		return 0, false
	}
	at, ok = j.coordinator.NextTimer()
	if j.status == StatusFinishing && !j.settling && !j.finalAsked && j.ending == nil && (!ok || j.finalAt < at) {
		return j.finalAt, true
	}
	if j.status == StatusRestarting && !j.reading && !j.coordinator.Publishing() && (!ok || j.restartAt < at) {
		return j.restartAt, true
	}
	return at, ok
}

// Status returns where in its life the job is.
func (j *Job) Status() Status { return j.status }

// Attempts returns the number of attempts so far.
func (j *Job) Attempts() int { return j.number }

// Failure returns the newest failure, nil if there was none.
func (j *Job) Failure() *Failure { return j.failure }

// Dropped returns the number of events of attempts that are gone.
func (j *Job) Dropped() int64 { return j.dropped }

// Coordinator returns the checkpoint coordinator for reading, nil before Start.
func (j *Job) Coordinator() *checkpoint.Coordinator { return j.coordinator }

func (j *Job) do(a Action) { j.out = append(j.out, a) }

// late answers what comes after the end.
func (j *Job) late(e Event) {
	if r, ok := e.(Request); ok {
		j.do(Reply{Request: r.ID, Err: fmt.Errorf("the job is %v", j.status)})
	}
}

func (j *Job) handle(e Event) {
	if _, ok := e.(Start); !ok && j.coordinator == nil {
		j.beforeStart(e)
		return
	}
	if a, ok := attemptOf(e); ok && (a != j.attempt || !j.alive) {
		j.dropped++
		return
	}
	switch e := e.(type) {
	case Start:
		j.start(e)
	case Running:
		j.running()
	case DeployFailed:
		j.fail(e.Failure)
	case TaskDrained:
		if j.drained.add(e.Task) && j.status != StatusRestoring {
			j.allDrained()
		}
	case TaskSettled:
		j.settled.add(e.Task)
	case TaskFailed:
		j.fail(e.Failure)
	case AttemptEnded:
		j.attemptEnded()
	case TimerFired:
		j.tell(checkpoint.Tick{})
	case Request:
		j.request(e)
	case Withdraw:
		j.tell(checkpoint.Withdraw{ID: e.ID})
	case Cancel:
		j.cancel(e)
	default:
		j.handleCheckpoint(e)
	}
}

// handleCheckpoint passes on what concerns the coordinator.
func (j *Job) handleCheckpoint(e Event) {
	switch e := e.(type) {
	case Acked:
		j.tell(checkpoint.Acked{ID: e.ID, Attempt: j.taskAttempt(e.Task), Bytes: e.Bytes})
	case Declined:
		j.tell(checkpoint.DeclinedBy{ID: e.ID, Attempt: j.taskAttempt(e.Task), Reason: e.Reason, Cause: text(e.Err)})
	case EnumeratorsSnapshotted:
		var bytes int64
		for _, s := range e.States {
			bytes += int64(len(s))
		}
		j.tell(checkpoint.EnumeratorsSnapshotted{ID: e.ID, Bytes: bytes, Cause: text(e.Err)})
	case Prepared:
		j.tell(checkpoint.Prepared{ID: e.ID, Cause: text(e.Err)})
	case ManifestWritten:
		j.manifestWritten(e)
	case ReadBackDone:
		j.readBackDone(e)
	case DeleteDone:
		j.deleting -= len(e.IDs)
		j.tell(checkpoint.DeleteDone{IDs: e.IDs, Cause: text(e.Err)})
	default:
		invariant.Bug("unknown event %T", e)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// attemptOf returns the attempt that an event is from.
func attemptOf(e Event) (string, bool) {
	switch e := e.(type) {
	case Running:
		return e.Attempt, true
	case DeployFailed:
		return e.Attempt, true
	case TaskDrained:
		return e.Attempt, true
	case TaskSettled:
		return e.Attempt, true
	case TaskFailed:
		return e.Attempt, true
	case AttemptEnded:
		return e.Attempt, true
	case Acked:
		return e.Attempt, true
	case Declined:
		return e.Attempt, true
	case EnumeratorsSnapshotted:
		return e.Attempt, true
	}
	return "", false
}

// Beginning.

func (j *Job) beforeStart(e Event) {
	switch e := e.(type) {
	case Request:
		j.refuse(e.ID)
	case Withdraw: // it was refused
	case Cancel:
		j.status, j.over = StatusCanceled, true
		j.do(Ended{Terminal: checkpoint.Cancelled})
	default:
		invariant.Bug("%T before Start", e)
	}
}

func (j *Job) start(e Start) {
	if j.coordinator != nil {
		invariant.Bug("a job was started twice")
	}
	j.coordinator = checkpoint.NewCoordinator(j.spec.Checkpoints, max(e.LastID, e.Restore))
	j.claimed = e.Claimed
	j.deploy(e.Restore, e.Owned)
}

// deploy starts the next attempt. REQUIRES: nothing of the last one runs, and what is on disk is known.
func (j *Job) deploy(restore checkpoint.ID, owned []checkpoint.Completed) {
	invariant.Check(!j.alive && !j.coordinator.Publishing() && j.unknown.ID == checkpoint.None, "deploying over attempt %s", j.attempt)
	j.number++
	j.attempt = fmt.Sprintf("%s-%d", j.spec.Run, j.number)
	j.alive, j.settling, j.finalFrom, j.finalAt = true, false, checkpoint.None, 0
	j.drained, j.settled = newTally(j.spec.Vertices), newTally(j.spec.Vertices)
	j.status = StatusRestoring
	j.do(CleanUp{j.coordinator.LastID()})
	j.do(Deploy{Attempt: j.attempt, Number: j.number, Restore: restore})
	j.tell(checkpoint.Start{Vertices: j.spec.Vertices, Restored: restore, Completed: owned})
}

// taskAttempt names a task of the current attempt for the coordinator; never used twice.
func (j *Job) taskAttempt(t checkpoint.Task) checkpoint.Attempt {
	const maxVertices, maxSubtasks = 1 << 16, 1 << 16
	invariant.Check(t.Vertex < maxVertices && t.Subtask < maxSubtasks, "task %v", t)
	return checkpoint.Attempt((int64(j.number)*maxVertices+int64(t.Vertex))*maxSubtasks + int64(t.Subtask))
}

func (j *Job) eachTask(f func(checkpoint.Task)) {
	for v := range j.spec.Vertices {
		for s := range j.spec.Vertices[v].Parallelism {
			f(checkpoint.Task{Vertex: v, Subtask: s})
		}
	}
}

func (j *Job) running() {
	if j.status != StatusRestoring {
		return
	}
	j.status = StatusRunning
	j.eachTask(func(t checkpoint.Task) {
		j.tell(checkpoint.TaskRunning{Task: t, Attempt: j.taskAttempt(t)})
	})
	if j.drained.missing == 0 {
		j.allDrained()
	}
}

// Ending by itself.

// allDrained notes that no record will come any more: a checkpoint that begins from now on is final.
func (j *Job) allDrained() {
	if j.status != StatusRunning && j.status != StatusStopping {
		return
	}
	j.finalFrom = j.coordinator.LastID() + 1
	if j.status == StatusRunning {
		j.status = StatusFinishing
	}
}

// finalRequest is the job's own request for a final checkpoint; those of users are positive.
const finalRequest checkpoint.RequestID = -1

// finalRetryDelay is from a final checkpoint that failed to the next. How often that may happen is the coordinator's to count: beyond the
// tolerable failures it fails the attempt.
const finalRetryDelay = time.Second

// maybeFinal asks for the final checkpoint, at once and not at the next interval (A8.2).
func (j *Job) maybeFinal() {
	if j.status != StatusFinishing || j.settling || j.finalAsked || j.ending != nil || j.now < j.finalAt {
		return
	}
	j.finalAsked = true
	j.tell(checkpoint.Request{ID: finalRequest})
}

// completed is called when everybody was told that a checkpoint is complete.
func (j *Job) completed(id checkpoint.ID) {
	final := j.status == StatusFinishing && id >= j.finalFrom
	stops := j.stop.request != 0 && id == j.stop.id
	if (final || stops) && !j.settling {
		j.settling = true
		j.do(AskSettled{j.attempt})
	}
}

// maybeFinish ends the job once everything is committed. A savepoint that is under way is waited for: its user was promised one.
func (j *Job) maybeFinish() {
	if !j.settling || j.settled.missing > 0 || j.ending != nil || j.status != StatusFinishing && j.status != StatusStopping {
		return
	}
	for _, r := range j.coordinator.InProgress(nil) {
		if r.Options.Kind == checkpoint.Savepoint {
			return
		}
	}
	j.end(checkpoint.Finished, nil)
}

// Failing and restarting.

func (j *Job) fail(f Failure) {
	if j.ending != nil || j.status == StatusFailing || j.status == StatusRestarting {
		return // the first failure is the cause, the others follow from it
	}
	if j.committed {
		f = Failure{Permanent, fmt.Errorf("failed while output was being committed at the end of input; without checkpoints the job cannot "+
			"be repeated without doubling what is committed (set execution.checkpointing.interval): %w", f.Err)}
	}
	j.failure = &f
	d := j.restart.Decide(j.now, f)
	if !d.Restart {
		// A job that could not be restored, or that contradicts itself, must not take with it what somebody could still go on from.
		j.keep = j.status == StatusRestoring || f.Class == Bug
		f.Err = fmt.Errorf("%w\nnot restarted: %s", f.Err, d.Why)
		j.end(checkpoint.Failed, &f)
		return
	}
	j.status, j.restartAt = StatusFailing, j.now+d.Delay
	j.stopFailed(fmt.Errorf("the job failed before it had stopped, and restarts: %w", f.Err))
	j.tell(checkpoint.Quiesce{})
	if j.alive {
		j.do(CancelAttempt{j.attempt})
	}
}

func (j *Job) attemptEnded() {
	j.alive = false
	switch {
	case j.ending != nil:
	case j.status == StatusFailing:
		j.status = StatusRestarting
	default:
		j.fail(Failure{Transient, errors.New("the attempt ended by itself")})
		if j.ending == nil {
			j.status = StatusRestarting
		}
	}
}

// maybeRestart deploys once the delay is over, the attempt is gone, and it is known what to go on from.
func (j *Job) maybeRestart() {
	if j.status != StatusRestarting || j.reading || j.now < j.restartAt || j.coordinator.Publishing() {
		return
	}
	if j.unknown.ID != checkpoint.None {
		j.reading = true
		j.do(ReadBack{j.unknown.ID})
		return
	}
	j.deploy(j.coordinator.Latest(), slices.Clone(j.coordinator.Completed()))
}

func (j *Job) manifestWritten(e ManifestWritten) {
	if e.Result == checkpoint.PublishUnknown {
		for _, r := range j.coordinator.InProgress(nil) {
			if r.ID == e.ID && (r.Options.Kind == checkpoint.Periodic || r.Options.Synchronous()) {
				j.unknown = checkpoint.Completed{ID: e.ID, Kind: r.Options.Kind}
			}
		}
	}
	j.tell(checkpoint.Published{ID: e.ID, Result: e.Result, Bytes: e.Bytes, Cause: text(e.Err)})
}

// readBackDone goes on from what is on disk. As long as that cannot be read, the job does not go on: skipping the checkpoint could
// repeat what it has committed (A2.9 ✗ FLINK-22502).
func (j *Job) readBackDone(e ReadBackDone) {
	j.reading = false
	if j.ending != nil {
		if e.Err == nil && e.Visible {
			j.found = j.unknown
		}
		if e.Err == nil {
			j.unknown = checkpoint.Completed{}
		}
		return
	}
	if e.Err != nil {
		f := Failure{Transient, fmt.Errorf("finding out whether checkpoint %d is complete: %w", e.ID, e.Err)}
		j.failure = &f
		d := j.restart.Decide(j.now, f)
		if !d.Restart {
			j.keep = true
			j.end(checkpoint.Failed, &f)
			return
		}
		j.restartAt = j.now + d.Delay
		return
	}
	found := j.unknown
	j.unknown = checkpoint.Completed{}
	owned := slices.Clone(j.coordinator.Completed())
	restore := j.coordinator.Latest()
	if e.Visible {
		owned = append(slices.DeleteFunc(owned, func(c checkpoint.Completed) bool { return c.ID >= found.ID }), found)
		restore = max(restore, found.ID)
	}
	j.deploy(restore, owned)
}

// Requests.

func (j *Job) refuse(id checkpoint.RequestID) {
	j.do(Reply{Request: id, Err: fmt.Errorf("the job is %v; a checkpoint or savepoint needs a running job", j.status)})
}

func (j *Job) request(e Request) {
	if j.status != StatusRunning || j.ending != nil {
		j.refuse(e.ID)
		return
	}
	if e.Options.Synchronous() {
		j.stop = stopping{request: e.ID}
		j.status = StatusStopping
	}
	j.tell(checkpoint.Request{ID: e.ID, Options: e.Options, Directory: e.Directory})
}

// reply passes on the coordinator's answer. That of a stop waits for the end of the job.
func (j *Job) reply(a checkpoint.Reply) {
	r := a.Result
	if a.Request == finalRequest {
		j.finalAsked = false
		j.finalAt = j.now + finalRetryDelay
		return
	}
	var err error
	switch {
	case r.Reason != checkpoint.NoReason:
		err = fmt.Errorf("checkpoint %d: %s", r.ID, r.Reason.Text())
		if r.ID == checkpoint.None {
			err = errors.New(r.Reason.Text())
		}
		if r.Cause != "" {
			err = fmt.Errorf("%w: %s", err, r.Cause)
		}
	case slices.Contains(j.commitOnly, r.ID):
		err = errors.New("the job reached the end of its input and stored nothing")
	}
	if a.Request != j.stop.request {
		j.do(Reply{a.Request, r, err})
		return
	}
	if err == nil {
		j.stop.done = &r
		if j.status != StatusStopping {
			j.stopFailed(fmt.Errorf("the job was %v before it had stopped", j.status))
		}
		return
	}
	j.stop = stopping{}
	if j.status == StatusStopping && j.ending == nil {
		// It never reached the sources: the job goes on. If it did, FailJob follows.
		j.status = StatusRunning
		if j.finalFrom != checkpoint.None {
			j.status = StatusFinishing
		}
	}
	j.do(Reply{a.Request, r, err})
}

// stopFailed answers a stop whose savepoint is complete although the job has not stopped (A9.3 ✗ FLINK-21030): the job goes on from the
// savepoint, whose transactions may be committed. One whose savepoint is not complete is answered when it is given up.
func (j *Job) stopFailed(why error) {
	if j.stop.done == nil {
		return
	}
	r := *j.stop.done
	j.do(Reply{j.stop.request, r, fmt.Errorf("savepoint %d is complete, but stopping failed: %w", r.ID, why)})
	j.stop = stopping{}
}

// Ending.

func (j *Job) cancel(e Cancel) {
	if j.ending != nil {
		return
	}
	if e.Suspend {
		j.end(checkpoint.Suspended, nil)
	} else {
		j.end(checkpoint.Cancelled, nil)
	}
}

// end begins to end the job: what is under way is awaited, then what is not retained is deleted.
func (j *Job) end(t checkpoint.Terminal, f *Failure) {
	j.ending = &Ended{Terminal: t, Failure: f}
	switch t {
	case checkpoint.Cancelled, checkpoint.Suspended:
		j.status = StatusCanceling
		j.stopFailed(errors.New("the job was cancelled"))
	case checkpoint.Failed:
		j.status = StatusFailing
		j.stopFailed(fmt.Errorf("the job failed before it had stopped: %w", f.Err))
	}
	j.tell(checkpoint.Quiesce{})
	if j.alive {
		j.do(CancelAttempt{j.attempt})
	}
}

func (j *Job) maybeEnd() {
	if j.ending == nil || j.alive || j.reading || j.coordinator.Publishing() {
		return
	}
	latest := max(j.coordinator.Latest(), j.found.ID)
	if slices.Contains(j.commitOnly, latest) || j.unknown.ID > latest {
		latest = checkpoint.None // a newer one may be there: who goes on has to look
	}
	if !j.purged {
		j.purged = true
		j.purge()
	}
	if j.deleting > 0 {
		return
	}
	if gone := j.purgeable(); slices.Contains(gone, latest) {
		latest = checkpoint.None
	}
	j.ending.Latest = latest
	j.status = map[checkpoint.Terminal]Status{checkpoint.Finished: StatusFinished, checkpoint.Cancelled: StatusCanceled,
		checkpoint.Failed: StatusFailed, checkpoint.Suspended: StatusSuspended}[j.ending.Terminal]
	j.over = true
	if j.unknown.ID == checkpoint.None {
		j.do(CleanUp{j.coordinator.LastID()})
	}
	if j.stop.done != nil {
		j.do(Reply{j.stop.request, *j.stop.done, nil})
	}
	j.do(*j.ending)
}

// purgeable returns the checkpoints that do not outlive the job.
func (j *Job) purgeable() []checkpoint.ID {
	if j.keep || j.spec.Checkpoints.Externalized.KeepAfter(j.ending.Terminal) {
		return nil
	}
	var ids []checkpoint.ID
	for _, c := range append(slices.Clone(j.coordinator.Completed()), j.found) {
		if c.ID == j.claimed && j.ending.Terminal != checkpoint.Finished && c.ID == j.coordinator.Latest() {
			continue // nothing has replaced it: it would be all that is left of the user's job
		}
		if c.ID != checkpoint.None && c.Kind == checkpoint.Periodic && !slices.Contains(j.commitOnly, c.ID) {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

func (j *Job) purge() {
	if ids := j.purgeable(); len(ids) > 0 {
		j.deleting += len(ids)
		j.do(Delete{ids})
	}
}
