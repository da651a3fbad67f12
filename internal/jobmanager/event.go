package jobmanager

import "github.com/flottio/flott/internal/checkpoint"

// Event is what happens to a Job. The set is closed. Events that name an attempt and are not of the current one are dropped and
// counted (A1.2).
type Event interface{ event() }

type (
	// Start takes that the job begins. Restore is the checkpoint it goes on from, None for a fresh start; LastID the greatest id
	// that was ever used in its directory; Owned the complete checkpoints that are now its own to delete, ascending. Claimed, one of
	// them, was somebody else's until now; None if there is none.
	Start struct {
		Restore checkpoint.ID
		Claimed checkpoint.ID
		LastID  checkpoint.ID
		Owned   []checkpoint.Completed
	}
	// Running takes that all tasks of an attempt run, with their state.
	Running struct{ Attempt string }
	// DeployFailed takes that an attempt could not be built, restored or opened. AttemptEnded follows once it is cancelled.
	DeployFailed struct {
		Attempt string
		Failure Failure
	}
	// TaskDrained takes that a task has processed and flushed all its input; it stays, and serves barriers.
	TaskDrained struct {
		Attempt string
		Task    checkpoint.Task
	}
	// TaskSettled answers AskSettled: everything of complete checkpoints is committed.
	TaskSettled struct {
		Attempt string
		Task    checkpoint.Task
	}
	// TaskFailed takes that a task, or an enumerator, has failed.
	TaskFailed struct {
		Attempt string
		Failure Failure
	}
	// AttemptEnded takes that nothing of an attempt runs any more: no goroutine, no open file.
	AttemptEnded struct{ Attempt string }

	// Acked takes that a task's snapshot is durable. Parts, by uid, are its operators' parts of the checkpoint; they are for
	// the manifest, the machine does not look at them.
	Acked struct {
		Attempt string
		Task    checkpoint.Task
		ID      checkpoint.ID
		Bytes   int64
		Parts   map[string]checkpoint.Subtask
	}
	// Declined takes that a task will not acknowledge.
	Declined struct {
		Attempt string
		Task    checkpoint.Task
		ID      checkpoint.ID
		Reason  checkpoint.Reason
		Err     error
	}
	// EnumeratorsSnapshotted answers SnapshotEnumerators. States, by uid, are for the manifest.
	EnumeratorsSnapshotted struct {
		Attempt string
		ID      checkpoint.ID
		States  map[string][]byte
		Err     error
	}

	// Prepared answers Prepare.
	Prepared struct {
		ID  checkpoint.ID
		Err error
	}
	// ManifestWritten answers WriteManifest, also when it failed or is unknown.
	ManifestWritten struct {
		ID     checkpoint.ID
		Result checkpoint.PublishResult
		Bytes  int64
		Err    error
	}
	// ReadBackDone answers ReadBack: whether the checkpoint is there and durable, or why that cannot be told.
	ReadBackDone struct {
		ID      checkpoint.ID
		Visible bool
		Err     error
	}
	// DeleteDone answers Delete. An error says that something is left.
	DeleteDone struct {
		IDs []checkpoint.ID
		Err error
	}

	// TimerFired takes that the moment of NextTimer has come. Harmless at any other.
	TimerFired struct{}
	// Request takes a user's wish for a checkpoint, a savepoint, or to stop with one. It gets exactly one Reply.
	Request struct {
		ID        checkpoint.RequestID
		Options   checkpoint.Options
		Directory string // below which a savepoint is made
	}
	// Withdraw takes that nobody waits for a Request any more: if it has not begun it never will.
	Withdraw struct{ ID checkpoint.RequestID }
	// Cancel takes that the user ends the job now. Suspend keeps what is needed to go on later, whatever the retention says:
	// this process ends, not the job.
	Cancel struct{ Suspend bool }
)

func (Start) event()                  {}
func (Running) event()                {}
func (DeployFailed) event()           {}
func (TaskDrained) event()            {}
func (TaskSettled) event()            {}
func (TaskFailed) event()             {}
func (AttemptEnded) event()           {}
func (Acked) event()                  {}
func (Declined) event()               {}
func (EnumeratorsSnapshotted) event() {}
func (Prepared) event()               {}
func (ManifestWritten) event()        {}
func (ReadBackDone) event()           {}
func (DeleteDone) event()             {}
func (TimerFired) event()             {}
func (Request) event()                {}
func (Withdraw) event()               {}
func (Cancel) event()                 {}

// Action is what a Job asks its driver to do. The set is closed. Those of one Step are carried out in order; what takes long goes to
// the background and comes back as an event.
type Action interface{ action() }

type (
	// Deploy: start an attempt of all tasks from a checkpoint, None being from scratch. Answers: Running or DeployFailed.
	Deploy struct {
		Attempt string
		Number  int // counts from 1
		Restore checkpoint.ID
	}
	// CancelAttempt: stop all of it. Answer: AttemptEnded.
	CancelAttempt struct{ Attempt string }

	// Prepare: make the place where a checkpoint is written. Answer: Prepared.
	Prepare struct {
		ID        checkpoint.ID
		Options   checkpoint.Options
		Directory string
	}
	// PrepareNothing: what is written for this checkpoint is dropped. No answer.
	PrepareNothing struct{ ID checkpoint.ID }
	// SnapshotEnumerators: close the valves and take the enumerators' states. Answer: EnumeratorsSnapshotted.
	SnapshotEnumerators struct {
		Attempt string
		ID      checkpoint.ID
	}
	// TriggerSources: send barriers into all sources, then open the valves.
	TriggerSources struct {
		Attempt string
		ID      checkpoint.ID
		Options checkpoint.Options
	}
	// WriteManifest: make the checkpoint complete (A2.8 a, b). Answer: ManifestWritten.
	WriteManifest struct {
		ID      checkpoint.ID
		Options checkpoint.Options
	}
	// NotifyComplete: tell the tasks, then the enumerators.
	NotifyComplete struct {
		Attempt string
		ID      checkpoint.ID
	}
	// NotifyAbort: tell the tasks, then the enumerators.
	NotifyAbort struct {
		Attempt string
		ID      checkpoint.ID
	}
	// AskSettled: ask all tasks to say when everything of complete checkpoints is committed. Answers: TaskSettled.
	AskSettled struct{ Attempt string }

	// ReadBack: find out whether the manifest of this checkpoint is there, and make sure that it stays (A2.9). Answer: ReadBackDone.
	ReadBack struct{ ID checkpoint.ID }
	// Delete: remove complete checkpoints. Answer: DeleteDone.
	Delete struct{ IDs []checkpoint.ID }
	// Discard: remove what was written for a checkpoint that was given up. No answer.
	Discard struct{ ID checkpoint.ID }
	// CleanUp: remove what crashed or given-up checkpoints up to Through have left. Nothing of an attempt runs. No answer.
	CleanUp struct{ Through checkpoint.ID }

	// Reply: answer a Request.
	Reply struct {
		Request checkpoint.RequestID
		Result  checkpoint.Result
		Err     error // nil: the checkpoint Result.ID is complete, and if the request was to stop, the job has stopped
	}
	// Ended: the job is over, nothing is under way any more.
	Ended struct {
		Terminal checkpoint.Terminal
		Failure  *Failure      // Failed only
		Latest   checkpoint.ID // the newest checkpoint that stays and that the job could go on from; None if there is none
	}
)

func (Deploy) action()              {}
func (CancelAttempt) action()       {}
func (Prepare) action()             {}
func (PrepareNothing) action()      {}
func (SnapshotEnumerators) action() {}
func (TriggerSources) action()      {}
func (WriteManifest) action()       {}
func (NotifyComplete) action()      {}
func (NotifyAbort) action()         {}
func (AskSettled) action()          {}
func (ReadBack) action()            {}
func (Delete) action()              {}
func (Discard) action()             {}
func (CleanUp) action()             {}
func (Reply) action()               {}
func (Ended) action()               {}
