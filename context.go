package flott

import (
	"errors"
	"fmt"
	"time"

	"github.com/flottio/flott/internal/operator"
)

// KeyedContext is what a keyed function sees beside its record: the current key, times, output, state and timers. The setup function
// declares state on it; the functions that it returns use it. It belongs to one subtask and must not be used outside of its calls.
//
// State and timers can fail with an error of the disk under the rocksdb backend. Such an error is kept: reads give zero values, and the
// attempt fails before anything of the record gets out. Functions need not check it.
type KeyedContext[K comparable, Out any] struct {
	op    *operator.Context
	node  *node
	out   *operator.Collector[Out]
	sides map[any]any // *OutputTag[U] -> *operator.Collector[U]
	flush []func() error

	// keyed says that a record or timer with a key is being processed: else there is no key whose state could be meant.
	keyed bool
	key   K
	hash  uint64
	time  int64 // of the record or timer
	mark  int64
	err   error

	timers   timerService[K]
	onTimers [timerKinds]func(at time.Time) error
	states   scope
}

// Key is the current record's or timer's key.
func (k *KeyedContext[K, Out]) Key() K { return k.key }

// HasTime reports whether the current record has an event time.
func (k *KeyedContext[K, Out]) HasTime() bool { return k.time != NoTime }

// Time is the current record's event time, or the time of the timer; the zero time if there is none.
func (k *KeyedContext[K, Out]) Time() time.Time { return toTime(k.time) }

// TimeMillis is Time in milliseconds since the epoch, NoTime if there is none.
func (k *KeyedContext[K, Out]) TimeMillis() int64 { return k.time }

// Watermark is how far event time has come: no record with a time at or before it is expected any more. One that comes all the same is late.
// The zero time before the first watermark; the last watermark, at the end of bounded input, lies far in the future.
func (k *KeyedContext[K, Out]) Watermark() time.Time { return toTime(k.mark) }

// Now is processing time: the wall clock, read once per batch.
func (k *KeyedContext[K, Out]) Now() time.Time { return toTime(k.op.Now()) }

// Subtask is which of the parallel instances this is, from 0.
func (k *KeyedContext[K, Out]) Subtask() int { return k.op.Subtask }

// Parallelism is the number of the operator's parallel instances.
func (k *KeyedContext[K, Out]) Parallelism() int { return k.op.Parallelism }

// Emit sends a record downstream, with the event time of the current record or timer.
func (k *KeyedContext[K, Out]) Emit(v Out) { k.out.EmitAt(v, k.time, k.time != NoTime) }

// EmitAt sends a record with an event time of its own.
func (k *KeyedContext[K, Out]) EmitAt(v Out, at time.Time) { k.out.EmitAt(v, at.UnixMilli(), true) }

// EmitTo sends a record to a side output. Without a reader of the tag it is dropped, and counted.
func EmitTo[K comparable, Out, U any](k *KeyedContext[K, Out], tag *OutputTag[U], v U) {
	c, known := k.sides[tag].(*operator.Collector[U])
	if !known {
		c = k.side(tag, func(out operator.Output) (any, func() error) {
			c := operator.NewCollector[U](out)
			return c, func() error { c.Flush(); return c.Err() }
		}).(*operator.Collector[U])
	}
	c.EmitAt(v, k.time, k.time != NoTime)
}

// side makes the collector of a side output at its first use.
func (k *KeyedContext[K, Out]) side(tag any, collector func(operator.Output) (any, func() error)) any {
	if k.sides == nil {
		k.sides = map[any]any{}
	}
	out := operator.Output(operator.Discard{Dropped: &k.op.Counters.Dropped})
	n := k.node.tagIndex(tag)
	if n > 0 {
		out = k.op.Out[n]
	}
	c, flush := collector(out)
	k.sides[tag] = c
	k.flush = append(k.flush, flush)
	return c
}

// OnEventTimer sets the function that is called for each timer set with SetEventTimer, once event time has reached it: with the time of the
// timer, its key as Key, and its time as Time. Call it in setup. The job is refused if no watermarks reach the operator on all its inputs. An
// error of f fails the attempt.
func (k *KeyedContext[K, Out]) OnEventTimer(f func(at time.Time) error) {
	k.onTimer(eventTimers, f)
}

// OnProcessingTimer is the same for processing time: f is called for timers set with SetProcessingTimer. The timer has no event time: HasTime
// is false, and records that f emits have none.
func (k *KeyedContext[K, Out]) OnProcessingTimer(f func(at time.Time) error) {
	k.onTimer(processingTimers, f)
}

// SetEventTimer asks for a call of the event timer function for the current key once the watermark has reached at, in whole milliseconds; if
// it has already, at the next watermark. Setting a timer again for the same key and time changes nothing. Timers are state: they survive restarts.
func (k *KeyedContext[K, Out]) SetEventTimer(at time.Time) {
	k.setTimer(eventTimers, at)
}

// DeleteEventTimer takes back a timer of the current key; without such a timer it does nothing.
func (k *KeyedContext[K, Out]) DeleteEventTimer(at time.Time) {
	k.deleteTimer(eventTimers, at)
}

// SetProcessingTimer asks for a call of the processing timer function for the current key at that time, in whole milliseconds, or as soon as
// possible after it. Otherwise as SetEventTimer. At the end of bounded input timers that have not fired do not fire any more.
func (k *KeyedContext[K, Out]) SetProcessingTimer(at time.Time) {
	k.setTimer(processingTimers, at)
}

// DeleteProcessingTimer takes back a timer of the current key; without such a timer it does nothing.
func (k *KeyedContext[K, Out]) DeleteProcessingTimer(at time.Time) {
	k.deleteTimer(processingTimers, at)
}

// onTimer keeps what to call for timers of a kind.
func (k *KeyedContext[K, Out]) onTimer(kind timerKind, f func(at time.Time) error) {
	at := caller()
	if k.states.closed {
		panic(misuse(fmt.Sprintf("%s of operator %q is called at %s, while records are processed: call it in setup", timerSetters[kind], k.op.Name, at)))
	}
	problem := func(err error) {
		if err != nil {
			k.states.err = errors.Join(k.states.err, operator.Permanent(fmt.Errorf("%s (%s): %w", timerSetters[kind], at, err)))
		}
	}
	switch {
	case f == nil:
		problem(errors.New("the function is nil"))
	case k.onTimers[kind] != nil:
		problem(errors.New("there is a function already: an operator has one for all timers of a kind"))
	case kind == eventTimers:
		problem(k.node.eventTimeProblem("an event-time timer", "use processing-time timers"))
	}
	k.onTimers[kind] = f
}

// fail keeps the first error of state or timers.
func (k *KeyedContext[K, Out]) fail(err error) {
	if err != nil && k.err == nil {
		k.err = err
	}
}

func (k *KeyedContext[K, Out]) setTimer(kind timerKind, at time.Time) {
	k.checkTimer(kind)
	k.fail(k.timers.set(k.key, k.hash, kind, at.UnixMilli()))
}

func (k *KeyedContext[K, Out]) deleteTimer(kind timerKind, at time.Time) {
	k.checkTimer(kind)
	k.fail(k.timers.delete(k.key, k.hash, kind, at.UnixMilli()))
}

// checkTimer panics where a timer could never fire, or would be that of some other key.
func (k *KeyedContext[K, Out]) checkTimer(kind timerKind) {
	if !k.keyed {
		panic(k.states.misused(timerNames[kind]))
	}
	if k.onTimers[kind] == nil {
		panic(misuse(fmt.Sprintf("%s of operator %q is used at %s, but setup gave no function for it: call %s in setup", timerNames[kind], k.op.Name,
			caller(), timerSetters[kind])))
	}
}

// failed is the first error of state or timers.
func (k *KeyedContext[K, Out]) failed() error {
	if k.err == nil {
		k.err = k.states.err
	}
	return k.err
}

// finish hands on what was emitted and reports what failed.
func (k *KeyedContext[K, Out]) finish() error {
	k.out.Flush()
	err := k.out.Err()
	for _, f := range k.flush {
		if e := f(); err == nil {
			err = e
		}
	}
	if failed := k.failed(); failed != nil {
		return failed
	}
	return err
}

func toTime(ms int64) time.Time {
	if ms == NoTime {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
