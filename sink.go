package flott

import (
	"context"

	"github.com/flottio/flott/internal/operator"
)

// Sink describes where records go: options, not connections.
//
// Exactly-once runs in two phases (A11). At a barrier the writer prepares: everything written before it is made durable but
// not visible, described by committables that become part of the checkpoint. When the checkpoint is complete the committables are
// committed, in checkpoint order; after a failure those of the restored checkpoint are committed again, so Commit is idempotent.
type Sink[T any] interface {
	// Check returns all problems of the options at once (errors.Join).
	Check() error
	// NewWriter returns the writer of one subtask. restored holds the states that writers returned at the checkpoint
	// the job is restored from: the states of the old subtasks that this one takes over, none for a fresh start.
	NewWriter(ctx WriterContext, restored [][]byte) (Writer[T], error)
}

// WriterContext is what a writer may use.
type WriterContext interface {
	// Context ends when the attempt ends.
	Context() context.Context
	// UID is the sink's uid within the job, unique and stable; JobID identifies the job over restarts.
	UID() string
	JobID() string
	// Attempt identifies this execution and is never reused: files and transactions named after it cannot meet those of another.
	Attempt() string
	Subtask() int
	Parallelism() int
	// Now is processing time in milliseconds since the epoch, read once per batch.
	Now() int64
	// Wake makes the engine ask Ready again. Any goroutine may call it.
	Wake()
}

// Writer writes the records of one subtask. It is used by one goroutine and never blocks for longer than local disk does.
type Writer[T any] interface {
	// Write takes the records of the batch, which is the caller's again afterwards: nothing of it may be kept.
	Write(b *Batch[T]) error
	// Prepare ends what belongs to the barrier: nothing written afterwards may become part of it. The Flush it returns is
	// run off the task's goroutine, while Write goes on, and makes everything durable before the snapshot is acknowledged.
	Prepare(p Preparation) (Flush, error)
	// Close releases everything. It must not make anything visible.
	Close() error
}

// Preparation says what a writer prepares for.
type Preparation struct {
	Checkpoint int64
	// Savepoint says that nothing of it will be committed on completion unless the job stops with it (A9.1).
	Savepoint bool
	// Last says that no record follows: bounded input has ended, or the job stops with this savepoint.
	Last bool
}

// Flush makes prepared data durable. It runs on a goroutine of its own.
type Flush func(ctx context.Context) (Prepared, error)

// Prepared is a writer's part of a checkpoint.
type Prepared struct {
	// State is given to NewWriter after a restore; nil for none.
	State []byte
	// Committables are given to Commit once the checkpoint is complete.
	Committables [][]byte
}

// Ready is implemented by writers with a bounded buffer: false holds back the input until Wake.
type Ready interface{ Ready() bool }

// Ticker is implemented by writers that act on processing time (rolling a file after an interval). Tick is called on the task's goroutine
// at most every 100 ms.
type Ticker interface{ Tick(nowMs int64) error }

// WatermarkWriter is implemented by writers that act on event time. Advance is called on the task's goroutine when everything up to the
// watermark has been written.
type WatermarkWriter interface{ Advance(watermark int64) error }

// Committer is implemented by sinks that take part in two-phase commit.
type Committer interface {
	// Commit makes committables visible. It is idempotent: one that is visible already is a success. It runs off the task's goroutine,
	// in checkpoint order. An error is retried a bounded number of times and then fails the attempt.
	Commit(ctx context.Context, committables [][]byte) error
}

// Recoverer is implemented by sinks that leave something behind when a process dies (unfinished files, open transactions).
type Recoverer interface {
	// Recover runs once per attempt, before any writer of it exists. r holds all that the restored checkpoint knows of this sink;
	// it is empty for a fresh start. Recover first commits r.Committables (again), then removes what belongs to this sink and is
	// named neither by them nor by r.States (A11.3).
	Recover(ctx context.Context, r Recovery) error
}

// Recovery is what a restored checkpoint knows of a sink: UID, JobID, the new Attempt, whether there was a checkpoint (Restored), the
// States of all its writers and all Committables.
type Recovery = operator.Recovery
