package flott

import (
	"math"
	"time"

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

// Names of the timers' state, of the timers in messages, and of the methods that give them a function.
var (
	timerStates  = [timerKinds]string{enginePrefix + "event-timers", enginePrefix + "processing-timers"}
	timerNames   = [timerKinds]string{"an event-time timer", "a processing-time timer"}
	timerSetters = [timerKinds]string{"OnEventTimer", "OnProcessingTimer"}
)

// timerTitles name a timer that fires, in errors.
var timerTitles = [timerKinds]string{"event timer", "processing timer"}

// maxFiring bounds the timers that fire before the task looks around: output gets a chance to leave, so that the outbox stays bounded however
// many timers are due (A6.10).
const maxFiring = 1024

// timerService is the timers of a keyed operator.
type timerService[K comparable] struct {
	timers [timerKinds]*state.Timers[K]
}

// open registers the timers that the setup asked for with a function.
func (s *timerService[K]) open(c *operator.Context, functions [timerKinds]func(time.Time) error) error {
	for kind, f := range functions {
		if f == nil {
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

func (s *timerService[K]) set(key K, hash uint64, kind timerKind, at int64) error {
	return s.timers[kind].Register(key, hash, at)
}

func (s *timerService[K]) delete(key K, hash uint64, kind timerKind, at int64) error {
	return s.timers[kind].Delete(key, hash, at)
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
		x, ok, err := t.Pop(upTo)
		if !ok || err != nil {
			return false, err
		}
		if err := f(x.Key, x.Hash, x.TimeMs); err != nil {
			return false, err
		}
	}
	return t.Next() <= upTo, nil
}
