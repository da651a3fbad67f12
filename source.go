package flott

import (
	"context"

	"github.com/flottio/flott/internal/operator"
)

// Source describes where records come from: options, not connections. A source is split into splits (file ranges, Kafka
// partitions); one enumerator per job finds and assigns them, one reader per subtask reads those assigned to it.
//
// The engine calls Check before anything starts, NewEnumerator once per attempt of the job and NewReader once per subtask and
// attempt. Readers and enumerators are each used by one goroutine.
type Source[T any] interface {
	// Check returns all problems of the options at once (errors.Join), without touching the outside world more than needed.
	Check() error
	// Bounded reports whether the source ends.
	Bounded() bool
	// NewEnumerator returns the enumerator. restored is what its predecessor's Snapshot returned, nil for a fresh start.
	NewEnumerator(ctx EnumeratorContext, restored []byte) (Enumerator, error)
	// NewReader returns a reader without splits.
	NewReader(ctx ReaderContext) (Reader[T], error)
}

// Permanent marks an error that another attempt cannot cure: the job fails at once, whatever its restart strategy. For sources and sinks, and
// for functions that know.
func Permanent(err error) error { return operator.Permanent(err) }

// Split is a unit of a source's input with the position up to which it has been read: ID, unique within the source and stable over
// restarts, and Position, where to go on, in the source's own encoding (empty: from the start). At every moment a split is in exactly
// one place: with the enumerator, on the way, with a reader, or finished (A10.1).
type Split = operator.Split

// EnumeratorContext is what an enumerator may use. Its methods are called from the enumerator's own calls and from the done
// function of Async only.
type EnumeratorContext interface {
	Context() context.Context
	// Parallelism is the number of readers.
	Parallelism() int
	// Assign gives a split to the reader of a subtask. The engine keeps assignments and snapshots in order (A10.2).
	Assign(subtask int, s Split)
	// NoMoreSplits tells the reader that it gets no more: it ends after the splits it has.
	NoMoreSplits(subtask int)
	// Async runs work (listing files, asking brokers) off the enumerator's goroutine and done on it, with work's result. An error
	// of done fails the attempt.
	Async(work func(context.Context) (any, error), done func(any, error) error)
	// After calls f on the enumerator's goroutine once delayMs milliseconds have passed; for periodic discovery. An error of f
	// fails the attempt.
	After(delayMs int64, f func() error)
}

// Enumerator finds splits and assigns them. It never blocks: slow work goes through EnumeratorContext.Async. An error fails the attempt.
type Enumerator interface {
	// Start is called once, before any other method.
	Start() error
	// Return gives back splits that readers held at the checkpoint the job is restored from, with their positions.
	// It is called before Start. Each of them is assigned again: until all are, the source's watermark stays where it is.
	Return(splits []Split) error
	// Request says that a subtask's reader has nothing to read.
	Request(subtask int) error
	// Snapshot returns all that the enumerator knows and has not assigned, for NewEnumerator after a restore.
	Snapshot() ([]byte, error)
	// Complete says that checkpoint id and all before it are complete. May be missing or repeated (A2.16).
	Complete(id int64) error
	Close() error
}

// ReaderContext is what a reader may use.
type ReaderContext interface {
	// Context ends when the attempt ends.
	Context() context.Context
	Subtask() int
	Parallelism() int
	// Now is processing time in milliseconds since the epoch.
	Now() int64
	// Wake makes the engine call Read again after it returned Idle. The only method that any goroutine may call.
	Wake()
	// SplitDone says that the split with this number (see Reader.Read) is read to its end: it no longer holds back event time.
	SplitDone(number int32)
	// Reject hands over input that could not be decoded. nil means: go on with the next record (it was counted, and sent to the
	// dead letters if there are any); an error must be returned from Read at once.
	Reject(BadRecord) error
}

// DropCounter is implemented by the engine's ReaderContext: a reader that passes over bad input because its own options say so counts it here.
type DropCounter interface{ Drop(records int) }

// BadRecord is input that could not be decoded, and where it was found.
type BadRecord struct {
	// Split is the split's ID, for a file its path.
	Split string
	// Offset is the byte offset (or the log offset) of the record within the split's file or partition.
	Offset int64
	// Line and Column count from 1; 0 when they mean nothing for this source.
	Line, Column int
	// Raw is the record's bytes. The receiver copies what it keeps.
	Raw []byte
	// Err says what was wrong.
	Err error
}

// ReadStatus is what a reader says after Read.
type ReadStatus uint8

const (
	// More: Read can be called again at once.
	More ReadStatus = iota
	// Idle: nothing to read now; the reader calls Wake when that changes, or gets a split.
	Idle
	// NeedSplit: all assigned splits are read; the engine sends a request to the enumerator.
	NeedSplit
	// End: all splits are read and no more will come.
	End
)

// Reader reads the splits assigned to one subtask. It never blocks for the outside world: a client that waits does so in a goroutine
// of its own, hands over through a bounded queue, and calls Wake.
type Reader[T any] interface {
	// Assign adds splits.
	Assign(splits []Split) error
	// NoMoreSplits says that Assign will not be called again.
	NoMoreSplits()
	// Read appends records of exactly one split to b, up to b.Cap(), and sets b.Head.Split to the split's number in the order
	// of Assign (0 for the first). It fills b.Head.Times when the source knows event times.
	Read(b *Batch[T]) (ReadStatus, error)
	// Snapshot returns the splits not fully read, each positioned behind the last record that Read returned. The slice is a copy (A3.5).
	Snapshot() ([]Split, error)
	Close() error
}

// SplitNamer is implemented by readers that can name a split by its number, for errors and metrics.
type SplitNamer interface{ SplitName(number int32) string }

// Locator is implemented by readers that can say in which place of their input they are, for the error when Read panics: in a function of the
// user's, perhaps. Called on the reader's goroutine.
type Locator interface{ Location() string }

// Progressor is implemented by readers of bounded sources that know how far they are.
type Progressor interface {
	// Progress returns work done and work known so far, in any one unit (bytes, rows). Called on the reader's goroutine.
	Progress() (done, total int64)
}
