package checkpoint

import "time"

// RequestID is the caller's name for a request; it comes back in the Reply. Those of users are positive, those of the driver itself
// negative; 0 marks the coordinator's own.
type RequestID int64

// Event is what happens to a Coordinator. The set is closed.
type Event interface{ event() }

type (
	// Start takes that the job begins to run, for the first time or after Quiesce. Restored is the checkpoint it was restored
	// from, None for a fresh start; Completed are the complete checkpoints the job owns, as read from storage, ascending.
	// No task runs yet.
	Start struct {
		Vertices  []Vertex
		Restored  ID
		Completed []Completed
	}
	// Quiesce takes that the job is failing over, stopping or done: whatever is pending or queued is aborted. What is being
	// published goes on; wait until Publishing returns false before choosing where to go on from (A2.9).
	Quiesce struct{}

	// TaskRunning takes that an attempt runs, after its restore.
	TaskRunning struct {
		Task    Task
		Attempt Attempt
	}
	// TaskEnded takes that an attempt has reached the end of its input and waits for a checkpoint that begins from now on.
	TaskEnded struct {
		Task    Task
		Attempt Attempt
	}
	// TaskFinished takes that an attempt is gone for good, by itself.
	TaskFinished struct {
		Task    Task
		Attempt Attempt
	}
	// TaskFailed takes that an attempt is gone and will be replaced.
	TaskFailed struct {
		Task    Task
		Attempt Attempt
	}

	// Tick takes that the moment of NextTimer has come. Harmless at any other.
	Tick struct{}
	// Backlog takes that sources have begun, or ended, to read a backlog (A2.17).
	Backlog struct{ Reading bool }
	// Request takes a user's wish for a checkpoint or a savepoint.
	Request struct {
		ID        RequestID
		Options   Options
		Directory string // of a savepoint; passed on to Prepare
	}

	// Withdraw takes that nobody waits for a Request any more. If it has not begun it never will.
	Withdraw struct{ ID RequestID }

	// Prepared answers Prepare.
	Prepared struct {
		ID    ID
		Cause string // not empty: it failed
	}
	// EnumeratorsSnapshotted answers SnapshotEnumerators.
	EnumeratorsSnapshotted struct {
		ID    ID
		Bytes int64
		Cause string // not empty: it failed
	}
	// Acked takes that an attempt's snapshot is durable.
	Acked struct {
		ID      ID
		Attempt Attempt
		Bytes   int64
	}
	// DeclinedBy takes that an attempt will not acknowledge.
	DeclinedBy struct {
		ID      ID
		Attempt Attempt
		Reason  Reason
		Cause   string
	}
	// Published answers Publish.
	Published struct {
		ID     ID
		Result PublishResult
		Bytes  int64  // of the manifest and what is in it
		Cause  string // of a failure
	}
	// DeleteDone answers Delete, for some or all of its ids.
	DeleteDone struct {
		IDs   []ID
		Cause string // not empty: something is left; the sweep of storage will find it
	}
)

// PublishResult is what is known of a manifest and its pointer after an attempt to write them (A2.9).
type PublishResult uint8

const (
	// PublishUnknown: perhaps written. Nothing is deleted, nobody is told, the job fails over and reads back.
	PublishUnknown PublishResult = iota
	// PublishOK: durable and visible.
	PublishOK
	// PublishFailed: definitely not visible.
	PublishFailed
)

func (Start) event()                  {}
func (Quiesce) event()                {}
func (TaskRunning) event()            {}
func (TaskEnded) event()              {}
func (TaskFinished) event()           {}
func (TaskFailed) event()             {}
func (Tick) event()                   {}
func (Backlog) event()                {}
func (Request) event()                {}
func (Withdraw) event()               {}
func (Prepared) event()               {}
func (EnumeratorsSnapshotted) event() {}
func (Acked) event()                  {}
func (DeclinedBy) event()             {}
func (Published) event()              {}
func (DeleteDone) event()             {}

// Action is what a Coordinator asks its driver to do. The set is closed. Those of one Step are carried out in order; what
// takes long goes to the background and comes back as an event.
type Action interface{ action() }

type (
	// Prepare: store that ids up to ID are used (A1.3), then make the place where ID is written. Answer: Prepared.
	Prepare struct {
		ID        ID
		Options   Options
		Directory string
	}
	// SnapshotEnumerators: close the valve of each source's enumerator and take its state (A10.2). Answer:
	// EnumeratorsSnapshotted.
	SnapshotEnumerators struct{ ID ID }
	// TriggerSources: send the barrier's order to these attempts, then open the valves.
	TriggerSources struct {
		ID       ID
		Options  Options
		Attempts []Attempt
	}
	// Publish: write the manifest durably, then its pointer (A2.8 a, b); a savepoint is read back before success is reported
	// (A9.5). Finished are recorded as such. Answer: Published.
	Publish struct {
		ID       ID
		Options  Options
		Finished []Task
	}
	// NotifyComplete: tell these attempts, then the enumerators, that everything up to ID is complete (A2.16).
	NotifyComplete struct {
		ID       ID
		Attempts []Attempt
	}
	// NotifyAbort: tell these attempts, then the enumerators (opening their valves), that ID is given up (A2.10).
	NotifyAbort struct {
		ID            ID
		LastCompleted ID
		Attempts      []Attempt
	}
	// Delete: remove the pointers of these completed checkpoints, then, each only when its pointer is surely gone, their
	// files (A2.8 f, g; A1.4). Answer: DeleteDone.
	Delete struct{ IDs []ID }
	// Discard: remove what was written for an id that was given up; it never had a pointer. No answer.
	Discard struct{ ID ID }
	// DiscardSnapshot: remove the private files of a snapshot that came too late or from an attempt that is not concerned
	// (A2.6). No answer.
	DiscardSnapshot struct {
		ID      ID
		Attempt Attempt
	}
	// Reply: answer a Request.
	Reply struct {
		Request RequestID
		Result  Result
	}
	// FailJob: fail the job over.
	FailJob struct {
		ID     ID
		Reason Reason
		Text   string
	}
)

// Result is the outcome of a request. Reason is NoReason for success.
type Result struct {
	ID       ID // None if it never began
	Reason   Reason
	Cause    string
	Duration time.Duration
	Bytes    int64
}

func (Prepare) action()             {}
func (SnapshotEnumerators) action() {}
func (TriggerSources) action()      {}
func (Publish) action()             {}
func (NotifyComplete) action()      {}
func (NotifyAbort) action()         {}
func (Delete) action()              {}
func (Discard) action()             {}
func (DiscardSnapshot) action()     {}
func (Reply) action()               {}
func (FailJob) action()             {}
