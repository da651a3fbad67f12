package flott

import (
	"errors"
	"math"

	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/state"
)

// timerKind is the kind of time of a timer.
type timerKind uint8

const (
	eventTimers timerKind = iota
	processingTimers
	timerKinds
)

// Names of the timers' state.
var timerStates = [timerKinds]string{"event-timers", "processing-timers"}

// timerNames are for people.
var timerNames = [timerKinds]string{"event timer", "processing timer"}

// maxFiring bounds the timers that fire before the task looks around: output gets a chance to leave, so that the outbox stays bounded however
// many timers are due (A6.10).
const maxFiring = 1024

// timerService is the timers of a keyed operator.
type timerService[K comparable] struct {
	timers [timerKinds]*state.Timers[K]
}

// open registers the timers that the setup asked for with a function.
func (s *timerService[K]) open(c *operator.Context, event, processing bool) error {
	for kind, wanted := range [timerKinds]bool{event, processing} {
		if !wanted {
			continue
		}
		t, err := state.RegisterTimers[K](c.Backend, c.UID, timerStates[kind])
		if err != nil {
			return err
		}
		s.timers[kind] = t
	}
	return nil
}

var errNoTimerFunction = operator.Permanent(errors.New("a timer was set, but setup gave no function for it: call OnEventTimer or " +
	"OnProcessingTimer there"))

func (s *timerService[K]) set(key K, hash uint64, kind timerKind, at int64) error {
	if s.timers[kind] == nil {
		return errNoTimerFunction
	}
	_, err := s.timers[kind].Register(key, hash, at)
	return err
}

func (s *timerService[K]) delete(key K, hash uint64, kind timerKind, at int64) {
	if t := s.timers[kind]; t != nil {
		t.Delete(key, hash, at)
	}
}

// next is the earliest processing-time timer.
func (s *timerService[K]) next() int64 {
	if t := s.timers[processingTimers]; t != nil {
		return t.Next()
	}
	return math.MaxInt64
}

// due calls f for timers up to a time, in the order of time and registration, a bounded number; more says that others are due.
func (s *timerService[K]) due(kind timerKind, upTo int64, f func(key K, hash uint64, at int64) error) (more bool, err error) {
	t := s.timers[kind]
	if t == nil {
		return false, nil
	}
	for range maxFiring {
		x, ok := t.Pop(upTo)
		if !ok {
			return false, nil
		}
		if err := f(x.Key, x.Hash, x.TimeMs); err != nil {
			return false, err
		}
	}
	return t.Next() <= upTo, nil
}
