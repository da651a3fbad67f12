package flott

import (
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

	running bool // setup is over

	key  K
	hash uint64
	time int64 // of the record or timer
	mark int64
	err  error

	timers    *timerService[K]
	onEvent   func(at time.Time) error
	onProcess func(at time.Time) error
	states    scope
}

// Key is the current record's or timer's key.
func (k *KeyedContext[K, Out]) Key() K { return k.key }

// HasTime reports whether the current record has an event time.
func (k *KeyedContext[K, Out]) HasTime() bool { return k.time != NoTime }

// Time is the current record's event time, or the time of the timer; the zero time if there is none.
func (k *KeyedContext[K, Out]) Time() time.Time { return toTime(k.time) }

// TimeMillis is Time in milliseconds since the epoch, NoTime if there is none.
func (k *KeyedContext[K, Out]) TimeMillis() int64 { return k.time }

// Watermark is how far event time has come: no record before it is expected any more. The zero time before the first watermark.
func (k *KeyedContext[K, Out]) Watermark() time.Time { return toTime(k.mark) }

// Now is processing time: the wall clock, read once per batch.
func (k *KeyedContext[K, Out]) Now() time.Time { return toTime(k.op.Now()) }

// Subtask and Parallelism say which of how many parallel instances this is.
func (k *KeyedContext[K, Out]) Subtask() int { return k.op.Subtask }

// Parallelism is the number of subtasks of the operator.
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

// OnEventTimer sets the function that is called when event time reaches a timer set with SetEventTimer. Call it in setup.
func (k *KeyedContext[K, Out]) OnEventTimer(f func(at time.Time) error) { k.onEvent = f }

// OnProcessingTimer is the same for processing time.
func (k *KeyedContext[K, Out]) OnProcessingTimer(f func(at time.Time) error) { k.onProcess = f }

// SetEventTimer asks for a call of the event timer function for the current key once the watermark has reached at. Setting a timer
// again for the same key and time changes nothing. Timers are state: they survive restarts.
func (k *KeyedContext[K, Out]) SetEventTimer(at time.Time) {
	k.setTimer(eventTimers, at)
}

// DeleteEventTimer takes back a timer of the current key.
func (k *KeyedContext[K, Out]) DeleteEventTimer(at time.Time) {
	k.fail(k.timers.delete(k.key, k.hash, eventTimers, at.UnixMilli()))
}

// SetProcessingTimer asks for a call of the processing timer function for the current key at that time, or as soon as possible after it.
func (k *KeyedContext[K, Out]) SetProcessingTimer(at time.Time) {
	k.setTimer(processingTimers, at)
}

// DeleteProcessingTimer takes back a timer of the current key.
func (k *KeyedContext[K, Out]) DeleteProcessingTimer(at time.Time) {
	k.fail(k.timers.delete(k.key, k.hash, processingTimers, at.UnixMilli()))
}

// fail keeps the first error of state or timers.
func (k *KeyedContext[K, Out]) fail(err error) {
	if err != nil && k.err == nil {
		k.err = err
	}
}

func (k *KeyedContext[K, Out]) setTimer(kind timerKind, at time.Time) {
	k.fail(k.timers.set(k.key, k.hash, kind, at.UnixMilli()))
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
