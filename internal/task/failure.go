package task

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/flottio/flott/codec"
	"github.com/flottio/flott/internal/operator"
)

// opError remembers in which operator an error arose, on its way up.
type opError struct {
	link *link
	err  error
}

func (e *opError) Error() string { return e.err.Error() }
func (e *opError) Unwrap() error { return e.err }

// wrap notes the operator, innermost first: an error that has one keeps it.
func wrap(l *link, err error) error {
	if err == nil {
		return nil
	}
	var known *opError
	if errors.As(err, &known) {
		return err
	}
	return &opError{l, err}
}

// rescue turns a panic of user code into an error of the task. A BUG: of ours is not recovered: going on could be wrong.
func (t *Task) rescue(err *error) {
	p := recover()
	if p == nil {
		return
	}
	if s, ok := p.(string); ok && strings.HasPrefix(s, "BUG: ") {
		panic(p)
	}
	*err = newPanicError(p, debug.Stack())
}

// panicError is a panic that was recovered. bug says that it arose in the engine, not in a function of the user.
type panicError struct {
	value any
	stack string
	bug   bool
}

func newPanicError(value any, stack []byte) *panicError {
	e := &panicError{value: value, stack: userFrames(string(stack))}
	var marshal *codec.MarshalError
	if cause, ok := value.(error); ok && errors.As(cause, &marshal) {
		return e // a codec of the user returned an error where there is no way to return one
	}
	if e.stack == "" {
		e.bug, e.stack = true, string(stack[:min(len(stack), maxStackBytes)])
	}
	return e
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// Unwrap gives the cause if the panic was with an error.
func (e *panicError) Unwrap() error {
	err, _ := e.value.(error)
	return err
}

func isPanic(err error) bool {
	var p *panicError
	return errors.As(err, &p)
}

// located says where an error arose: operator, subtask, and the record, timer or window in work.
func (t *Task) located(err error) error {
	var done *operator.Failure
	if errors.As(err, &done) {
		return err
	}
	f := &operator.Failure{Operator: t.spec.Name, Subtask: t.spec.Subtask, Parallelism: t.spec.Parallelism, Err: err}
	at := t.chain.at
	var known *opError
	if errors.As(err, &known) {
		at = known.link
	}
	if at != nil {
		f.UID, f.Operator = at.spec.UID, at.spec.Name
		t.chain.describe(at, f)
	}
	var p *panicError
	if errors.As(err, &p) {
		f.Stack, f.Bug = p.stack, p.bug
	}
	return f
}

// describe fills in what an operator, or a partitioner behind it, is working on. It calls functions of the user (String methods), which the
// package fmt guards.
func (c *chain) describe(l *link, f *operator.Failure) {
	describe(l.op, f)
	for _, e := range c.edges {
		if f.Record == "" && c.links[e.spec.Operator] == l {
			describe(e.spec.Partitioner, f)
		}
	}
}

func describe(what any, f *operator.Failure) {
	if d, ok := what.(operator.Describer); ok {
		if rec, working := d.Current(); working {
			f.Record = operator.Shorten(rec)
		}
	}
	if p, ok := what.(operator.Placer); ok {
		f.Place = p.Place()
	}
}
