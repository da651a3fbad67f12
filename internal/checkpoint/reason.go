package checkpoint

import "fmt"

// Reason says why a checkpoint was not taken, or was given up. The set is closed: who adds one decides here whether it counts
// against the tolerable failures (A2.11).
type Reason uint8

const (
	NoReason Reason = iota

	// Skipped: never began.

	TooEarly           // the minimum pause has not passed (A2.3)
	TasksNotRunning    // a required task is not running yet (A2.5)
	TooManyRequests    // the queue is full (A2.1)
	CoordinatorStopped // the job is stopping, suspended, or failing
	PeriodicDisabled   // no interval is set, or the scheduler is stopped
	Withdrawn          // who had asked for it gave up waiting before it began

	// Given up, and counted.

	Expired               // not complete within the timeout (✗ FLINK-17351: was not counted, nobody noticed)
	Declined              // a subtask declined for a reason of its own
	AsyncSnapshotFailed   // a subtask could not write its snapshot
	EnumeratorFailed      // a source's enumerator could not be snapshotted
	StorageFailed         // the place of the checkpoint could not be made
	ManifestFailed        // the manifest could not be written; nothing of it is visible
	ManifestUnknown       // it is unknown whether the manifest was written (A2.9): nothing is deleted, the job fails over
	StopWithSavepointFail // a savepoint that should stop the job failed: the job fails over (A2.11)

	// Given up, and not counted: the checkpoint was in the way of something else.

	Subsumed      // a newer checkpoint completed first
	NewerBarrier  // a subtask saw the barrier of a newer checkpoint first
	CancelMarker  // a subtask upstream has given it up
	TaskNotReady  // a subtask was not running when the barrier came
	TaskClosing   // a subtask was closing when the barrier came
	TaskLost      // a subtask that had not acknowledged failed (A2.13)
	EndOfInput    // a subtask ended before its barrier came
	PartlyEnded   // union state whose subtasks have ended in part only (A8.4)
	NeighbourFail // a file shared with another subtask failed through that one (A6.12)

	numReasons
)

type reasonText struct {
	name, text string
	counts     bool
}

var reasons = [numReasons]reasonText{
	NoReason:           {"none", "no reason", false},
	TooEarly:           {"too-early", "the minimum pause between checkpoints has not passed", false},
	TasksNotRunning:    {"tasks-not-running", "not all required tasks are running", false},
	TooManyRequests:    {"too-many-requests", "the queue of checkpoint requests is full", false},
	CoordinatorStopped: {"stopped", "the job is stopping", false},
	PeriodicDisabled:   {"periodic-disabled", "periodic checkpoints are switched off", false},
	Withdrawn:          {"withdrawn", "whoever had asked for it gave up waiting before it began", false},

	Expired:               {"expired", "not complete within the timeout", true},
	Declined:              {"declined", "a task declined", true},
	AsyncSnapshotFailed:   {"async-snapshot-failed", "a task could not write its snapshot", true},
	EnumeratorFailed:      {"enumerator-failed", "the enumerator of a source could not be snapshotted", true},
	StorageFailed:         {"storage-failed", "the place for the checkpoint could not be made", true},
	ManifestFailed:        {"manifest-failed", "the manifest could not be written", true},
	ManifestUnknown:       {"manifest-unknown", "it is unknown whether the manifest was written", true},
	StopWithSavepointFail: {"stop-with-savepoint-failed", "the savepoint that should stop the job failed", true},

	Subsumed:      {"subsumed", "a newer checkpoint completed first", false},
	NewerBarrier:  {"newer-barrier", "a task received the barrier of a newer checkpoint first", false},
	CancelMarker:  {"cancel-marker", "a task upstream has given the checkpoint up", false},
	TaskNotReady:  {"task-not-ready", "a task was not ready", false},
	TaskClosing:   {"task-closing", "a task was closing", false},
	TaskLost:      {"task-lost", "a task failed", false},
	EndOfInput:    {"end-of-input", "a task ended before its barrier came", false},
	PartlyEnded:   {"partly-ended", "only some subtasks of an operator with union state have ended", false},
	NeighbourFail: {"neighbour-failed", "a file shared with another task could not be written", false},
}

// Counts reports whether a failure for this reason counts against the tolerable failures (A2.11).
func (r Reason) Counts() bool { return r < numReasons && reasons[r].counts }

// String returns the short name used in logs and metrics, such as "expired".
func (r Reason) String() string {
	if r < numReasons {
		return reasons[r].name
	}
	return fmt.Sprintf("Reason(%d)", uint8(r))
}

// Text returns the reason as words for people.
func (r Reason) Text() string {
	if r < numReasons {
		return reasons[r].text
	}
	return r.String()
}
