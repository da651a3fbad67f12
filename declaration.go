package flott

import (
	"errors"
	"fmt"
	"strings"

	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/internal/operator"
)

// declaration is a state that a setup function has declared: its name, and where in the user's code.
type declaration struct {
	name string
	at   graph.Position
}

func (d declaration) String() string { return fmt.Sprintf("state %q (%s)", d.name, d.at) }

// enginePrefix begins the names of the engine's own states, which stand beside the user's in the same operator.
const enginePrefix = "@"

// maxStateNameBytes bounds the name of a state.
const maxStateNameBytes = 255

// nameProblem says why a state cannot have a name; empty if it can.
func nameProblem(name string) string {
	switch {
	case name == "":
		return "it has no name: a state is stored and found again under its name"
	case strings.HasPrefix(name, enginePrefix):
		return "names that begin with " + enginePrefix + " are the engine's own: choose another"
	case strings.HasSuffix(name, "/keys"):
		return "names that end in /keys are the engine's own: choose another"
	case len(name) > maxStateNameBytes || strings.ContainsAny(name, "\x00\n\r"):
		return fmt.Sprintf("a name has at most %d bytes and no line breaks", maxStateNameBytes)
	}
	return ""
}

// misuse is what a function panics with that uses state or timers where it must not. It is an error of the user's code.
type misuse string

// Error says what is wrong, and where.
func (m misuse) Error() string { return string(m) }

// Unwrap marks it as permanent: every attempt would meet it again.
func (m misuse) Unwrap() error { return operator.Permanent(errors.New(string(m))) }

// declare notes a state of the user's: keyed state and operator state of one operator share their names. ok is false if there is something
// wrong with it, which Open reports with everything else that is.
func (s *scope) declare(name string) (d declaration, ok bool) {
	d = declaration{name, caller()}
	if s.closed {
		panic(misuse(fmt.Sprintf("%s of operator %q is declared while records are processed: declare it in setup, before its function is returned",
			d, s.op.Name)))
	}
	problem := nameProblem(name)
	for _, x := range s.declarations {
		if x.name == name {
			problem = fmt.Sprintf("it is declared already, at %s: give one of them another name", x.at)
		}
	}
	if problem != "" {
		s.refuse(d, operator.Permanent(errors.New(problem)))
		return d, false
	}
	s.declarations = append(s.declarations, d)
	return d, true
}

// refuse notes what is wrong with a declaration.
func (s *scope) refuse(d declaration, err error) {
	if err != nil {
		s.err = errors.Join(s.err, fmt.Errorf("%s: %w", d, err))
	}
}

// statePosition is where a state was declared, empty if the user did not.
func (s *scope) statePosition(name string) string {
	for _, d := range s.declarations {
		if d.name == name || d.name+"/keys" == name {
			return d.at.String()
		}
	}
	return ""
}

// setUp runs a setup function; what it must not do is an error, not a panic.
func (s *scope) setUp(f func()) (err error) {
	defer func() {
		s.closed = true
		switch p := recover().(type) {
		case nil:
			err = s.err
		case misuse:
			err = errors.Join(s.err, operator.Permanent(p))
		default:
			panic(p)
		}
	}()
	f()
	return nil
}

// misused says where state or timers of an operator, named by what, were used wrongly.
func (s *scope) misused(what string) misuse {
	where := "outside of a call of that operator's functions: each operator has state and timers of its own, so declare it in the setup of the " +
		"one that uses it"
	switch {
	case !s.closed:
		where = "in setup, where there is no key: use it in the function that setup returns"
	case s.writable:
		where = "in the function for the broadcast stream, whose records have no key: only broadcast state can be used there"
	}
	return misuse(fmt.Sprintf("%s of operator %q is used at %s %s", what, s.op.Name, caller(), where))
}

// eventTimeProblem says why something that needs event time cannot be had here; nil if it can.
func (n *node) eventTimeProblem(what, instead string) error {
	from, missing := n.env.graph.MissingEventTime(n.id)
	if !missing {
		return nil
	}
	return operator.Permanent(fmt.Errorf("%s needs watermarks, and none reach this operator from %s: give the source flott.Watermarks(...), or %s",
		what, from.Title(), instead))
}
