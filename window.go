package flott

import (
	"time"

	"github.com/flottio/flott/codec"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
)

// Window is a span of time: Start included, End not, in milliseconds since the epoch. The zero Window belongs to results that have none; the
// global window goes from NoTime to the greatest int64.
type Window struct{ Start, End int64 }

// StartTime returns Start in UTC.
func (w Window) StartTime() time.Time { return time.UnixMilli(w.Start).UTC() }

// EndTime returns End in UTC.
func (w Window) EndTime() time.Time { return time.UnixMilli(w.End).UTC() }

// WindowAssigner says into which windows a record falls. Make one with Tumbling, Sliding, Session or Global. It is a value; its methods
// return new ones. Windows go by event time unless ProcessingTime says otherwise. Lengths are in whole milliseconds.
type WindowAssigner struct{ a operator.Windows }

// Tumbling windows follow one another without gap: of a minute, they start at every full minute in UTC.
func Tumbling(size time.Duration) WindowAssigner {
	return WindowAssigner{operator.Windows{Kind: operator.WindowTumbling, Size: size, Slide: size}}
}

// Sliding windows of one size start at every slide, so that a record is in size/slide of them. It is kept once: results are put together
// from panes, which is why reduce functions must be associative here, and aggregators need Merge. With a slide longer than the size there are
// gaps between the windows; records in them are dropped and counted.
func Sliding(size, slide time.Duration) WindowAssigner {
	return WindowAssigner{operator.Windows{Kind: operator.WindowSliding, Size: size, Slide: slide}}
}

// Session windows hold the records of a key as long as no gap of that length lies between them.
func Session(gap time.Duration) WindowAssigner {
	return WindowAssigner{operator.Windows{Kind: operator.WindowSession, Gap: gap}}
}

// Global is one window per key for all time. It fires at the end of bounded input, or as its Trigger says.
func Global() WindowAssigner { return WindowAssigner{operator.Windows{Kind: operator.WindowGlobal}} }

// Offset moves where tumbling and sliding windows start, which without it is counted from the epoch: days of a zone two hours ahead of UTC
// are Tumbling(24*time.Hour).Offset(-2*time.Hour).
func (a WindowAssigner) Offset(d time.Duration) WindowAssigner {
	a.a.Offset = d
	return a
}

// ProcessingTime puts records into windows by the clock at the time they are processed. Results then depend on how fast that is; what is
// open at the end of bounded input fires.
func (a WindowAssigner) ProcessingTime() WindowAssigner {
	a.a.ProcessingTime = true
	return a
}

// Trigger makes windows fire earlier than at their end. Others than CountTrigger, and evictors, are still to come.
type Trigger struct{ count int64 }

// CountTrigger fires a global window of a key at every n of its records; the window then starts anew. At the end of bounded input fewer than
// n records left over do not fire.
func CountTrigger(n int) Trigger { return Trigger{int64(n)} }

// windowing is how records are put into windows and when the windows close.
type windowing[T any] struct {
	assigner WindowAssigner
	lateness time.Duration
	late     *OutputTag[T]
}

// WindowedStream is a keyed stream whose records are put into windows: give it to Reduce, Aggregate or WindowProcess. It is a value; its
// methods return new ones.
//
// A window fires when the watermark passes its end: no record of it is expected any more. The results have the event time End - 1 ms.
// A record that comes still later is late: it goes to the output of LateTo, or is counted and dropped.
type WindowedStream[K comparable, T any] struct {
	stream KeyedStream[K, T]
	w      windowing[T]
}

// Window puts the records of each key into windows.
func (s KeyedStream[K, T]) Window(a WindowAssigner) WindowedStream[K, T] {
	return WindowedStream[K, T]{stream: s, w: windowing[T]{assigner: a}}
}

// AllowedLateness keeps windows for so long, in event time, after they have fired. Each late record that comes in this time fires its
// windows again, for its key, with the updated result.
func (s WindowedStream[K, T]) AllowedLateness(d time.Duration) WindowedStream[K, T] {
	s.w.lateness = d
	return s
}

// LateTo sends late records to a side output of the window operator: read it with SideOutput(result, tag).
func (s WindowedStream[K, T]) LateTo(tag *OutputTag[T]) WindowedStream[K, T] {
	s.w.late = tag
	return s
}

// Trigger sets when windows fire.
func (s WindowedStream[K, T]) Trigger(t Trigger) WindowedStream[K, T] {
	s.w.assigner.a.Count = t.count
	if t.count < 1 {
		s.w.assigner.a.Count = -1 // refused with the graph
	}
	return s
}

func (s WindowedStream[K, T]) keyed() KeyedStream[K, T] { return s.stream }
func (s WindowedStream[K, T]) windowing() *windowing[T] { return &s.w }

// windowsThen adds a window operator; open makes it for one subtask.
func windowsThen[K comparable, T, O any](s KeyedStream[K, T], w *windowing[T], name string,
	open func(n *node, late int) operator.Operator) Stream[O] {
	var n *node
	out := keyedThen[K, T, O](s, "window", name, func() operator.Operator {
		late := 0
		if w.late != nil {
			late = n.tagIndex(w.late)
		}
		return open(n, late)
	})
	n = out.node
	n.graph().NeedsEventTime = w.assigner.a.EventTime()
	for _, p := range w.assigner.a.Check(w.lateness) {
		n.problem("window %q: %s", name, p)
	}
	return out
}

// planOf is what the engine is told of the windows.
func planOf[K comparable, T, A, O any](s KeyedStream[K, T], w *windowing[T], f operator.WindowFunction[K, T, A, O],
	late int) operator.WindowPlan[K, T, A, O] {
	return operator.WindowPlan[K, T, A, O]{
		Keys: operator.KeyFinder[K, T]{Key: s.key}, Windows: w.assigner.a, Lateness: w.lateness, Function: f, Late: late,
	}
}

func reduceWindows[K comparable, T any](s KeyedStream[K, T], w *windowing[T], name string, f func(a, b T) T) Stream[T] {
	return storing[T](windowsThen[K, T, T](s, w, name, func(_ *node, late int) operator.Operator {
		return operator.NewWindowOperator(planOf(s, w, operator.ReduceWindows[K](f), late))
	}))
}

func aggregateWindows[K comparable, T, A, R any](s KeyedStream[K, T], w *windowing[T], name string,
	agg Aggregator[T, A, R]) Stream[Result[K, R]] {
	return storing[A](windowsThen[K, T, Result[K, R]](s, w, name, func(_ *node, late int) operator.Operator {
		f := operator.AggregateWindows(operator.NewFold(agg), func(k K, at operator.Span, v R) Result[K, R] {
			return Result[K, R]{Key: k, Window: Window(at), Value: v}
		})
		return operator.NewWindowOperator(planOf(s, w, f, late))
	}))
}

// WindowProcess gives all records of a key and window to a function when the window fires, in the order in which they arrived (in sliding
// windows only within a slide). It keeps every record until then: where Aggregate or Reduce will do, they need far less. setup and k are as
// for KeyedProcess: state declared on k is per key and outlives windows; Emit gives records the event time End - 1 ms. There are no
// timers. The function must not keep or change records.
//
//	spread := flott.WindowProcess(perSensor.Window(flott.Tumbling(time.Minute)), "spread",
//		func(k *flott.KeyedContext[string, Spread]) func(flott.Window, []Reading) error {
//			return func(w flott.Window, rs []Reading) error {
//				k.Emit(spreadOf(k.Key(), w, rs))
//				return nil
//			}
//		})
func WindowProcess[K comparable, T, Out any](s WindowedStream[K, T], name string,
	setup func(k *KeyedContext[K, Out]) func(w Window, records []T) error) Stream[Out] {
	out := storing[T](windowsThen[K, T, Out](s.stream, &s.w, name, func(n *node, late int) operator.Operator {
		return &windowProcessOperator[K, T, Out]{node: n, setup: setup, plan: func(f operator.WindowFunction[K, T, []T, Out]) windowOperator {
			return operator.NewWindowOperator(planOf(s.stream, &s.w, f, late)).(windowOperator)
		}}
	}))
	out.node.needs(setup != nil, "WindowProcess", "setup")
	return out
}

// windowOperator is what every window operator is.
type windowOperator interface {
	operator.Operator
	operator.Advancer
	operator.Clocked
	operator.Describer
	operator.Placer
}

// windowProcessOperator puts a KeyedContext around a window operator.
type windowProcessOperator[K comparable, T, Out any] struct {
	node  *node
	setup func(k *KeyedContext[K, Out]) func(w Window, records []T) error
	plan  func(operator.WindowFunction[K, T, []T, Out]) windowOperator
	k     *KeyedContext[K, Out]
	windowOperator
}

// Open implements operator.Operator.
func (o *windowProcessOperator[K, T, Out]) Open(c *operator.Context) error {
	key, err := codec.ForKey[K]()
	if err != nil {
		return err
	}
	k := &KeyedContext[K, Out]{op: c, node: o.node, out: operator.NewCollector[Out](c.Out[0]), time: NoTime, mark: c.Restored.Watermark,
		states: scope{op: c}}
	o.k = k
	var f func(Window, []T) error
	if err := k.states.setUp(func() { f = o.setup(k) }); err != nil {
		return err
	}
	for kind, f := range k.onTimers {
		if f != nil {
			return operator.Permanent(operator.Errorf("%s: a window function has no timers: use KeyedProcess", timerSetters[kind]))
		}
	}
	o.windowOperator = o.plan(operator.ListWindows(func(key1 K, w operator.Span, rows []T, _ func(Out)) error {
		k.key, k.hash, k.time, k.keyed = key1, key.Hash(&key1), w.MaxTime(), true
		err := f(Window(w), rows)
		k.keyed = false
		if err != nil {
			return err
		}
		return k.failed()
	}))
	return o.windowOperator.Open(c)
}

// Current implements operator.Describer; setup may fail before there is a window operator.
func (o *windowProcessOperator[K, T, Out]) Current() (any, bool) {
	if o.windowOperator == nil {
		return nil, false
	}
	return o.windowOperator.Current()
}

// Place implements operator.Placer.
func (o *windowProcessOperator[K, T, Out]) Place() string {
	if o.windowOperator == nil {
		return ""
	}
	return o.windowOperator.Place()
}

// Process implements operator.Operator.
func (o *windowProcessOperator[K, T, Out]) Process(input int, b record.Batch) error {
	if err := o.windowOperator.Process(input, b); err != nil {
		return err
	}
	return o.k.finish()
}

// Advance implements operator.Advancer.
func (o *windowProcessOperator[K, T, Out]) Advance(wm int64) (bool, error) {
	o.k.mark = wm
	more, err := o.windowOperator.Advance(wm)
	if err != nil {
		return false, err
	}
	return more, o.k.finish()
}

// Tick implements operator.Clocked.
func (o *windowProcessOperator[K, T, Out]) Tick(now int64) (bool, error) {
	more, err := o.windowOperator.Tick(now)
	if err != nil {
		return false, err
	}
	return more, o.k.finish()
}

// Snapshot implements operator.Snapshotter.
func (o *windowProcessOperator[K, T, Out]) Snapshot(operator.Checkpoint) (operator.Saved, operator.Flush, error) {
	return o.k.states.save(), nil, nil
}

// OperatorState implements operator.Declarer.
func (o *windowProcessOperator[K, T, Out]) OperatorState() []operator.ListState {
	return o.k.states.declared()
}

// StatePosition implements operator.Locator.
func (o *windowProcessOperator[K, T, Out]) StatePosition(name string) string {
	return o.k.states.statePosition(name)
}

// Close implements operator.Operator; Open may have failed before there was anything to close.
func (o *windowProcessOperator[K, T, Out]) Close() error {
	if o.windowOperator == nil {
		return nil
	}
	return o.windowOperator.Close()
}
