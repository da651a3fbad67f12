package checkpoint

import "fmt"

// ID numbers the checkpoints of a job. IDs strictly increase over the life of the job, across restarts and leaders, and are
// never used twice (A1.3). 0 is no checkpoint.
type ID int64

// None is the ID of no checkpoint.
const None ID = 0

// Kind says to whom a checkpoint belongs.
type Kind uint8

const (
	// Periodic marks a checkpoint owned by the system: taken to recover from, deleted when newer ones are complete.
	Periodic Kind = iota
	// Savepoint marks one owned by the user: never counted nor deleted by the system (A2.14), always aligned.
	Savepoint
)

// String returns "checkpoint" or "savepoint".
func (k Kind) String() string {
	switch k {
	case Periodic:
		return "checkpoint"
	case Savepoint:
		return "savepoint"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Stop says what follows a savepoint.
type Stop uint8

const (
	// GoOn lets the job run on.
	GoOn Stop = iota
	// Suspend stops the job after the savepoint without an end of input: no timer fires, no window closes, so that it can
	// go on elsewhere as if nothing had happened (A9.2 ✗ FLINK-21132).
	Suspend
	// Drain ends all input first: the watermark goes to its end, every window fires, the savepoint holds what is left.
	Drain
)

// String returns "go on", "suspend" or "drain".
func (s Stop) String() string {
	switch s {
	case GoOn:
		return "go on"
	case Suspend:
		return "suspend"
	case Drain:
		return "drain"
	}
	return fmt.Sprintf("Stop(%d)", uint8(s))
}

// Options travel in the barrier: what a subtask must know to take its part (A6.1). The zero Options is an ordinary
// checkpoint.
type Options struct {
	Kind Kind
	Stop Stop // GoOn unless Kind is Savepoint
}

// Synchronous reports whether no record may pass a subtask between its snapshot and its end (A9.2).
func (o Options) Synchronous() bool { return o.Stop != GoOn }

// String returns the options in words.
func (o Options) String() string {
	if o.Stop == GoOn {
		return o.Kind.String()
	}
	return o.Kind.String() + " and " + o.Stop.String()
}
