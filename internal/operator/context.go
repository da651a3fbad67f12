package operator

import (
	"context"

	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/internal/state"
)

// Context is what an operator gets at Open.
type Context struct {
	// Ctx ends when the attempt ends.
	Ctx                       context.Context
	JobID, Attempt, UID, Name string
	Subtask, Parallelism      int
	MaxParallelism            int
	KeyGroups                 keygroup.Range
	// Out are the outputs; 0 is the main one, side outputs follow in the order of the graph.
	Out []Output
	// Backend holds keyed state.
	Backend  *state.Backend
	Restored Restored
	Counters *Counters
	// Now is processing time in milliseconds, read by the task once per step.
	Now func() int64
	// Wake makes the task step again; any goroutine may call it.
	Wake func()
	// Later runs work off the task's goroutine and done on it. Work of one operator runs in order, one at a time.
	Later func(work func(context.Context) error, done func(error) error)
	// Request asks the enumerator for a split.
	Request func()
	// DeclareOnly says that the operator is opened to learn what state it has, not to run.
	DeclareOnly bool
}
