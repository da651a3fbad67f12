package checkpoint

import (
	"fmt"
	"slices"
	"time"

	"github.com/flottio/flott/internal/invariant"
)

// Coordinator decides when checkpoints of one job begin, when they are complete, and when they are given up (A2).
//
//	request --> queue --> Prepare --> SnapshotEnumerators --> TriggerSources
//	 (timer,                 |              |                       |   acks of all the plan's attempts
//	  user, end)             +--------------+----------+------------+----------+
//	                          decline, timeout, loss   |                       v
//	                                                   v                    Publish  (manifest, then pointer: the commit point)
//	                              NotifyAbort, Discard, Reply           ok /   | failed    \ unknown
//	                                                                      /    v            \
//	          in memory, abort older, NotifyComplete, Delete subsumed <--+   abort           +--> FailJob: nothing deleted,
//	                                                                                              nobody told (A2.9)
//
// Problem. Sources, tasks, disk and users act at once and fail at any moment; a checkpoint must be complete for all or for
// nobody, what it replaces may vanish only after it is durable, and a job that no longer checkpoints must be noticed.
//
// Idea. One machine that is told everything in one order (Step) and answers with what to do. It keeps no thread and no clock:
// instead of setting timers it says when it wants to be woken (NextTimer), so there is none that fires too late or twice.
//
// Rules that hold whatever the order of events:
//   - one checkpoint at most is between its beginning and TriggerSources (A2.2);
//   - ids strictly increase, also across restarts, and are stored as used before use (A1.3);
//   - barriers go out only after the enumerators' snapshot (A2.4 ✗ FLINK-18641);
//   - from Publish to Published a checkpoint can no longer be given up: its fate is on disk;
//   - every checkpoint that began ends in exactly one of complete, given up, unknown; every request gets exactly one Reply.
//
// A savepoint that lets the job go on commits nothing (A9.1): no NotifyComplete, no subsuming. One that stops the job does,
// and if it fails once its barriers are out, the job fails over, since its sources may have stopped already (A2.11).
// Ordinary savepoints never count as failures: a user's mistyped directory must not bring the job down.
//
// The zero Coordinator is not ready; see NewCoordinator. It belongs to one goroutine.
type Coordinator struct {
	config   Config
	started  bool
	vertices []Vertex
	tasks    [][]taskStatus

	queue     []request  // in the order of A2.1
	yield     bool       // a savepoint was the last to begin: a checkpoint that may begin goes before the next
	pending   []*pending // ascending by id
	completed []Completed
	deleting  []ID // Delete not confirmed (A2.2)
	lastID    ID   // greatest ever used
	latest    ID   // greatest complete one that tasks go on from: a checkpoint, or a savepoint that stopped the job
	expired   []ID // recently, oldest first (A2.12)

	periodicAt   time.Duration // next periodic beginning; never if there is no interval
	pauseUntil   time.Duration // no periodic beginning before (A2.3)
	finalAt      time.Duration // no final checkpoint before: holds back retries
	inBacklog    bool
	failures     int // in a row (A2.11)
	lastSuccess  ID
	stopping     bool // a savepoint that stops the job is pending, or has succeeded
	failing      bool // FailJob was asked for
	stats        Stats
	out          []Action
	now          time.Duration
	everNotified ID // invariants only
}

// never is a moment that does not come.
const never time.Duration = 1<<63 - 1

type phase uint8

const (
	preparing phase = iota
	snapshottingEnumerators
	awaiting
	publishing
)

// pending is a checkpoint that has begun.
type pending struct {
	request
	id       ID
	phase    phase
	plan     roster
	waiting  []Attempt // of plan.Await, not acknowledged
	begun    time.Duration
	deadline time.Duration
	record   Record
}

// NewCoordinator returns a coordinator that uses ids greater than lastID, the greatest stored as used. config must be valid.
func NewCoordinator(config Config, lastID ID) *Coordinator {
	if err := config.Validate(); err != nil {
		invariant.Bug("a coordinator got an invalid configuration: %v", err)
	}
	return &Coordinator{config: config, lastID: lastID, periodicAt: never}
}

// Step takes an event at the moment now, which never goes back, and returns what to do. The result is valid until the next
// Step. An acknowledgement that comes together with the timeout still counts.
func (c *Coordinator) Step(now time.Duration, e Event) []Action {
	invariant.Check(now >= c.now, "time went back from %v to %v", c.now, now)
	c.now, c.out = now, c.out[:0]
	c.handle(e)
	c.expire()
	c.maybeRequestPeriodic()
	c.maybeRequestFinal()
	c.maybeBegin()
	if invariant.Enabled {
		c.check()
	}
	return c.out
}

// NextTimer returns when the coordinator wants a Tick, if nothing else happens before. Ask after every Step.
func (c *Coordinator) NextTimer() (at time.Duration, ok bool) {
	at = never
	if c.running() {
		at = c.periodicAt
		if c.finalAt > c.now && c.needsFinal() {
			at = min(at, c.finalAt)
		}
	}
	for _, p := range c.pending {
		if p.phase != publishing {
			at = min(at, p.deadline)
		}
	}
	return at, at != never
}

// LastID returns the greatest id ever used.
func (c *Coordinator) LastID() ID { return c.lastID }

// Latest returns the newest checkpoint to go on from after a failure: a checkpoint, or a savepoint that stopped the job
// (A9.3 ✗ FLINK-21030). None if there is none.
func (c *Coordinator) Latest() ID { return c.latest }

// Completed returns the retained checkpoints, ascending. The caller must not change it.
func (c *Coordinator) Completed() []Completed { return c.completed }

// Publishing reports whether the fate of a checkpoint is being decided on disk. A driver that fails over waits for it.
func (c *Coordinator) Publishing() bool {
	return slices.ContainsFunc(c.pending, func(p *pending) bool { return p.phase == publishing })
}

// running reports whether checkpoints may begin.
func (c *Coordinator) running() bool { return c.started && !c.stopping && !c.failing }

func (c *Coordinator) do(a Action) { c.out = append(c.out, a) }

func (c *Coordinator) handle(e Event) {
	switch e := e.(type) {
	case Start:
		c.start(e)
	case Quiesce:
		c.quiesce()
	case TaskRunning:
		c.setTask(e.Task, taskStatus{phase: taskRunning, attempt: e.Attempt})
	case TaskEnded:
		if c.isCurrent(e.Task, e.Attempt) {
			c.setTask(e.Task, taskStatus{phase: taskEnded, attempt: e.Attempt, endedAt: c.lastID + 1})
		}
	case TaskFinished:
		c.taskFinished(e)
	case TaskFailed:
		c.taskFailed(e)
	case Tick:
	case Backlog:
		c.setBacklog(e.Reading)
	case Request:
		c.request(e)
	case Withdraw:
		c.withdraw(e)
	case Prepared:
		c.prepared(e)
	case EnumeratorsSnapshotted:
		c.enumeratorsSnapshotted(e)
	case Acked:
		c.acked(e)
	case DeclinedBy:
		c.declined(e)
	case Published:
		c.published(e)
	case DeleteDone:
		c.deleteDone(e)
	default:
		invariant.Bug("unknown event %T", e)
	}
}

// The job's life.

func (c *Coordinator) start(e Start) {
	if c.started || len(c.pending) > 0 {
		invariant.Bug("Start while running, or while checkpoint %v is being published", c.pending)
	}
	c.started, c.stopping, c.failing, c.inBacklog = true, false, false, false
	c.vertices = e.Vertices
	c.tasks = make([][]taskStatus, len(e.Vertices))
	for v := range e.Vertices {
		c.tasks[v] = make([]taskStatus, e.Vertices[v].Parallelism)
	}
	c.completed = slices.Clone(e.Completed)
	c.lastID = max(c.lastID, e.Restored)
	c.latest = e.Restored
	for _, x := range c.completed {
		c.lastID = max(c.lastID, x.ID)
	}
	if e.Restored != None {
		c.stats.Restored++
		c.stats.LastRestored = e.Restored
	}
	c.pauseUntil, c.finalAt = 0, 0
	c.rearm()
}

// quiesce aborts what is pending and queued, so that the job can stop or fail over. What is being published is left alone.
func (c *Coordinator) quiesce() {
	c.started, c.periodicAt = false, never
	for _, p := range slices.Clone(c.pending) {
		if p.phase != publishing {
			c.abort(p, CoordinatorStopped, "")
		}
	}
	for _, r := range c.queue {
		c.refuse(r, CoordinatorStopped, "")
	}
	c.queue = c.queue[:0]
}

func (c *Coordinator) setTask(t Task, s taskStatus) {
	if !c.started {
		return
	}
	c.tasks[t.Vertex][t.Subtask] = s
}

func (c *Coordinator) isCurrent(t Task, a Attempt) bool {
	if !c.started {
		return false
	}
	s := c.tasks[t.Vertex][t.Subtask]
	return s.takesPart() && s.attempt == a
}

// taskFinished aborts what the attempt has not acknowledged (A8.6 ✗ FLINK-23884): it was there when the plan was made, and
// will not answer any more. The wish stands, and is tried again with a new plan.
func (c *Coordinator) taskFinished(e TaskFinished) {
	if !c.isCurrent(e.Task, e.Attempt) {
		return
	}
	c.setTask(e.Task, taskStatus{phase: taskFinished, attempt: e.Attempt})
	for _, p := range slices.Clone(c.pending) {
		if !slices.Contains(p.waiting, e.Attempt) {
			continue
		}
		if p.options.Synchronous() && p.phase == awaiting {
			c.abort(p, EndOfInput, "")
			continue
		}
		again := p.request
		p.request.id = 0 // no reply yet
		c.abort(p, EndOfInput, "")
		if again.id != 0 || !slices.ContainsFunc(c.queue, func(r request) bool { return r.options.Kind == Periodic }) {
			c.enqueue(again) // one of ours that waits already is the same wish
		}
	}
}

// taskFailed aborts what the attempt has not acknowledged (A2.13).
func (c *Coordinator) taskFailed(e TaskFailed) {
	if !c.isCurrent(e.Task, e.Attempt) {
		return
	}
	c.setTask(e.Task, taskStatus{})
	for _, p := range slices.Clone(c.pending) {
		if slices.Contains(p.waiting, e.Attempt) {
			c.abort(p, TaskLost, fmt.Sprintf("%s (%d/%d)", c.vertices[e.Task.Vertex].Name, e.Task.Subtask+1,
				c.vertices[e.Task.Vertex].Parallelism))
		}
	}
}

// Beginning.

// maybeBegin starts the requests whose turn has come (A2.2).
func (c *Coordinator) maybeBegin() {
	for c.running() {
		at := c.turn()
		if at < 0 {
			return
		}
		r := c.queue[at]
		c.queue = slices.Delete(c.queue, at, at+1)
		c.begin(r)
	}
}

// turn returns the place in the queue of the request that begins next, -1 if none may. It is the first that may begin, not the
// first: a savepoint that waits for another holds nobody back. And after a savepoint a checkpoint that waits has its turn
// before the next one, whether the savepoint was taken or failed: savepoints go first, and can be asked for as fast as they
// fail, but a job without checkpoints is not safe.
func (c *Coordinator) turn() int {
	first := -1
	for i, r := range c.queue {
		if !c.mayBegin(r) {
			continue
		}
		if r.options.Kind == Periodic || !c.yield {
			return i
		}
		if first < 0 {
			first = i
		}
	}
	return first
}

func (c *Coordinator) mayBegin(r request) bool {
	periodic, savepoints := 0, 0
	for _, p := range c.pending {
		switch {
		case p.phase < awaiting:
			return false
		case p.options.Kind == Savepoint:
			savepoints++
		default:
			periodic++
		}
	}
	if r.options.Kind == Savepoint { // not held by checkpoints, only by another savepoint
		return savepoints == 0
	}
	return periodic < c.config.MaxConcurrent && len(c.deleting) <= c.config.MaxConcurrent
}

func (c *Coordinator) begin(r request) {
	plan, reason, cause := makePlan(c.vertices, c.tasks)
	if reason != NoReason {
		c.refuse(r, reason, cause)
		if r.final {
			c.finalAt = c.now + finalRetryDelay
		}
		return
	}
	c.lastID++
	p := &pending{
		request:  r,
		id:       c.lastID,
		plan:     plan,
		waiting:  slices.Clone(plan.Await),
		begun:    c.now,
		deadline: c.now + c.config.Timeout,
		record:   Record{ID: c.lastID, Options: r.options, Begun: c.now, Tasks: len(plan.Await)},
	}
	c.pending = append(c.pending, p)
	c.stopping = r.options.Synchronous()
	c.yield = r.options.Kind == Savepoint
	c.stats.Triggered++
	c.do(Prepare{p.id, r.options, r.directory})
}

func (c *Coordinator) find(id ID) *pending {
	for _, p := range c.pending {
		if p.id == id {
			return p
		}
	}
	return nil
}

func (c *Coordinator) prepared(e Prepared) {
	p := c.find(e.ID)
	switch {
	case p == nil:
		c.do(Discard{e.ID}) // given up meanwhile; its place has come into being since
	case p.phase != preparing:
		invariant.Bug("checkpoint %d was prepared twice", e.ID)
	case e.Cause != "":
		c.abort(p, StorageFailed, e.Cause)
	default:
		p.phase = snapshottingEnumerators
		c.do(SnapshotEnumerators{p.id})
	}
}

func (c *Coordinator) enumeratorsSnapshotted(e EnumeratorsSnapshotted) {
	p := c.find(e.ID)
	switch {
	case p == nil:
	case p.phase != snapshottingEnumerators:
		invariant.Bug("the enumerators were snapshotted for checkpoint %d when nobody had asked", e.ID)
	case e.Cause != "":
		c.abort(p, EnumeratorFailed, e.Cause)
	default:
		p.phase = awaiting
		p.record.Bytes += e.Bytes
		c.do(TriggerSources{p.id, p.options, p.plan.Trigger})
	}
}

// Acknowledgements.

// acked sorts an acknowledgement into one of four (A2.6): it counts; it is a duplicate; it is of an attempt that is not
// concerned; the checkpoint is gone. In the latter two the private files are litter.
func (c *Coordinator) acked(e Acked) {
	p := c.find(e.ID)
	switch {
	case p == nil:
		c.stats.late(slices.Contains(c.expired, e.ID))
		c.do(DiscardSnapshot{e.ID, e.Attempt})
	case !p.plan.has(e.Attempt):
		c.stats.UnknownAcks++
		c.do(DiscardSnapshot{e.ID, e.Attempt})
	case p.phase < awaiting:
		invariant.Bug("attempt %d acknowledged checkpoint %d before its barrier was sent", e.Attempt, e.ID)
	default:
		at := slices.Index(p.waiting, e.Attempt)
		if at < 0 {
			return // a duplicate: the files are the same
		}
		p.waiting = slices.Delete(p.waiting, at, at+1)
		p.record.Bytes += e.Bytes
		p.record.Acked++
		p.record.LastAck = c.now - p.begun
		p.record.Acks = append(p.record.Acks, Ack{p.plan.taskOf(e.Attempt), p.record.LastAck, e.Bytes})
		if len(p.waiting) == 0 { // (A2.7): the enumerators are in, else no barrier had gone out
			p.phase = publishing
			c.do(Publish{p.id, p.options, p.plan.Finished})
		}
	}
}

func (c *Coordinator) declined(e DeclinedBy) {
	p := c.find(e.ID)
	if p == nil || p.phase == publishing || !slices.Contains(p.waiting, e.Attempt) {
		return // given up before, or of an attempt that has nothing to say
	}
	reason := e.Reason
	if reason == NoReason {
		reason = Declined
	}
	c.abort(p, reason, e.Cause)
}

// Completion (A2.8). (a) and (b), the manifest and its pointer, are in Publish; what follows may not move.
func (c *Coordinator) published(e Published) {
	p := c.find(e.ID)
	if p == nil || p.phase != publishing {
		invariant.Bug("checkpoint %d was published when nobody had asked", e.ID)
	}
	p.record.Bytes += e.Bytes
	switch e.Result {
	case PublishOK:
		c.complete(p)
	case PublishFailed:
		c.abort(p, ManifestFailed, e.Cause)
	default:
		c.unknown(p, e.Cause)
	}
}

func (c *Coordinator) complete(p *pending) {
	effective := p.options.Kind == Periodic || p.options.Synchronous()
	overtaken := p.id < c.latest // a newer one was published faster: nothing is left to tell
	c.remove(p)
	var deleted []ID
	if effective { // (c)
		c.latest = max(c.latest, p.id)
		deleted = c.keep(Completed{p.id, p.options.Kind})
	}
	if p.id > c.lastSuccess {
		c.lastSuccess, c.failures = p.id, 0
	}
	if p.options.Kind == Periodic { // else savepoints in quick succession would put checkpoints off for ever
		c.pauseUntil = c.now + c.config.MinPause
	}
	p.record.finish(RecordCompleted, c.now, NoReason, "")
	c.stats.complete(p.record, c.config.HistorySize)
	if effective { // (d), savepoints excepted
		for _, older := range slices.Clone(c.pending) {
			if older.id < p.id && older.options.Kind == Periodic && older.phase != publishing {
				c.abort(older, Subsumed, "")
			}
		}
	}
	if effective && !overtaken && c.started { // (e); without a running job its restore is the notice (A2.15)
		invariant.Check(p.id > c.everNotified, "completion of %d is told after that of %d", p.id, c.everNotified)
		c.everNotified = p.id
		c.do(NotifyComplete{p.id, p.plan.Await})
	}
	if p.request.id != 0 {
		c.do(Reply{p.request.id, Result{ID: p.id, Duration: p.record.Duration, Bytes: p.record.Bytes}})
	}
	if len(deleted) > 0 { // (f), (g)
		c.deleting = append(c.deleting, deleted...)
		c.do(Delete{deleted})
	}
}

// keep adds a completed checkpoint and returns those that it makes superfluous.
func (c *Coordinator) keep(x Completed) (deleted []ID) {
	at := len(c.completed)
	for at > 0 && c.completed[at-1].ID > x.ID {
		at--
	}
	c.completed, deleted = Retain(slices.Insert(c.completed, at, x), c.config.NumRetained)
	return deleted
}

// unknown fails the job over: the checkpoint may be the newest one or not to be; whoever restores reads which (A2.9). Its
// files must stay, and nobody may be told either way.
func (c *Coordinator) unknown(p *pending, cause string) {
	c.remove(p)
	p.record.finish(RecordUnknown, c.now, ManifestUnknown, cause)
	c.stats.fail(p.record, c.config.HistorySize)
	if p.request.id != 0 {
		c.do(Reply{p.request.id, Result{ID: p.id, Reason: ManifestUnknown, Cause: cause, Duration: p.record.Duration}})
	}
	if c.started && p.options != (Options{Kind: Savepoint}) { // nothing rests on a savepoint that lets the job go on
		c.failJob(p.id, ManifestUnknown, failText(p.id, ManifestUnknown, cause))
	}
}

// failJob begins nothing any more until the job starts again.
func (c *Coordinator) failJob(id ID, reason Reason, text string) {
	c.failing = true
	c.do(FailJob{id, reason, text})
}

func (c *Coordinator) deleteDone(e DeleteDone) {
	c.deleting = slices.DeleteFunc(c.deleting, func(id ID) bool { return slices.Contains(e.IDs, id) })
	if e.Cause != "" { // never silent (✗ FLINK-26450)
		c.stats.FailedDeletes += len(e.IDs)
		c.stats.LastDeleteFailure = e.Cause
	}
}

// Giving up.

// expire aborts what has not been acknowledged in time (A2.12).
func (c *Coordinator) expire() {
	for _, p := range slices.Clone(c.pending) {
		if p.phase == publishing || c.now < p.deadline {
			continue
		}
		if len(c.expired) == maxExpiredIDs {
			c.expired = slices.Delete(c.expired, 0, 1)
		}
		c.expired = append(c.expired, p.id)
		c.abort(p, Expired, fmt.Sprintf("%d of %d tasks have not acknowledged", len(p.waiting), len(p.plan.Await)))
	}
}

// abort gives a checkpoint up (A2.10): dispose of it, count, tell everybody, answer. The next request's turn comes at the
// end of the Step.
func (c *Coordinator) abort(p *pending, reason Reason, cause string) {
	c.remove(p)
	p.record.finish(RecordFailed, c.now, reason, cause)
	c.stats.fail(p.record, c.config.HistorySize)
	c.do(NotifyAbort{p.id, c.latest, p.plan.Await})
	c.do(Discard{p.id})
	if p.request.id != 0 {
		c.do(Reply{p.request.id, Result{ID: p.id, Reason: reason, Cause: cause, Duration: p.record.Duration}})
	}
	if p.options.Kind == Periodic && c.now >= c.finalAt {
		c.finalAt = c.now + finalRetryDelay
	}
	if p.options.Synchronous() {
		c.stopFailed(p, reason, cause)
		return
	}
	c.countFailure(p, reason, cause)
}

// stopFailed: sources that have seen the barrier have stopped, and only a restart brings them back (A2.11). Before that the
// job simply goes on.
func (c *Coordinator) stopFailed(p *pending, reason Reason, cause string) {
	if p.phase >= awaiting && c.started {
		c.failJob(p.id, StopWithSavepointFail, failText(p.id, reason, cause))
		return
	}
	c.stopping = false
}

// countFailure keeps the counter of A2.11.
func (c *Coordinator) countFailure(p *pending, reason Reason, cause string) {
	if !reason.Counts() || p.options.Kind == Savepoint || p.id <= c.lastSuccess || !c.started {
		return
	}
	c.failures++
	limit := c.config.TolerableFailures
	if limit == Unlimited || c.failures <= limit {
		return
	}
	c.failJob(p.id, reason, failText(p.id, reason, cause)+fmt.Sprintf(
		"; that is %d in a row, and execution.checkpointing.tolerable-failed-checkpoints is %d", c.failures, limit))
	c.failures = 0
}

func (c *Coordinator) remove(p *pending) {
	c.pending = slices.DeleteFunc(c.pending, func(x *pending) bool { return x == p })
}

func failText(id ID, reason Reason, cause string) string {
	s := fmt.Sprintf("checkpoint %d: %s", id, reason.Text())
	if cause != "" {
		s += ": " + cause
	}
	return s
}

// check holds the machine against its invariants, after every Step of builds that check.
func (c *Coordinator) check() {
	early, last := 0, ID(0)
	for _, p := range c.pending {
		invariant.Check(p.id > last && p.id <= c.lastID, "pending ids %d, %d; last id %d", last, p.id, c.lastID)
		last = p.id
		if p.phase < awaiting {
			early++
		}
		invariant.Check(p.phase != publishing || len(p.waiting) == 0, "%d is published before all have acknowledged", p.id)
	}
	invariant.Check(early <= 1, "%d checkpoints are beginning at once", early)
	invariant.Check(len(c.pending) <= c.config.MaxConcurrent+1, "%d checkpoints are pending", len(c.pending))
	users := c.queuedOfUsers()
	invariant.Check(users <= maxQueuedRequests, "%d requests of users are queued", users)
	invariant.Check(len(c.queue)-users <= maxOwnRequests, "%d requests of ours are queued", len(c.queue)-users)
	for i := 1; i < len(c.completed); i++ {
		invariant.Check(c.completed[i-1].ID < c.completed[i].ID, "completed %v", c.completed)
	}
}
