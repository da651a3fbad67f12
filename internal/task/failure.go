package task

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

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
	*err = &panicError{value: p, stack: trim(string(debug.Stack()))}
}

type panicError struct {
	value any
	stack string
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

// located says where an error arose: operator, subtask, and the record in work.
func (t *Task) located(err error) error {
	var done *operator.Failure
	if errors.As(err, &done) {
		return err
	}
	f := &operator.Failure{Operator: t.spec.Name, Subtask: t.spec.Subtask, Parallelism: t.spec.Parallelism, Err: err}
	var known *opError
	if errors.As(err, &known) {
		f.UID, f.Operator = known.link.spec.UID, known.link.spec.Name
	}
	// The operator at work that stands last in the chain is the one whose function was running when it panicked: those before it wait for
	// it. An error that was returned knows its operator.
	for _, l := range t.chain.links {
		d, ok := l.op.(operator.Describer)
		if !ok {
			continue
		}
		if rec, working := d.Current(); working && (known == nil || known.link == l) {
			f.UID, f.Operator, f.Record = l.spec.UID, l.spec.Name, operator.Shorten(rec)
		}
	}
	var p *panicError
	if errors.As(err, &p) {
		f.Stack = p.stack
	}
	return f
}

// trim keeps of a stack what a user can act on: from the panic on, without the frames of the engine and the runtime.
func trim(stack string) string {
	lines := strings.Split(stack, "\n")
	var kept []string
	started := false
	for i := 1; i+1 < len(lines); i += 2 {
		name, at := lines[i], lines[i+1]
		if strings.HasPrefix(name, "panic(") {
			started = true
			continue
		}
		if !started || strings.HasPrefix(name, "runtime.") || strings.HasPrefix(name, "runtime/debug") {
			continue
		}
		if strings.Contains(name, "flottio/flott/internal/") || len(kept) >= 2*maxFrames {
			break
		}
		kept = append(kept, name, at)
	}
	return strings.Join(kept, "\n")
}

// maxFrames bounds the frames of a stack that are kept.
const maxFrames = 20
