package flott

import (
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
)

// KeyedProcess gives each record of a keyed stream to a function with state and timers per key. setup is called once for each subtask, and
// perhaps more often to learn what state there is: it declares state on k and returns the function. name is the uid of its state.
//
//	totals := flott.KeyedProcess(perUser, "totals", func(k *flott.KeyedContext[string, Total]) func(Order) error {
//		sum := flott.NewValue[int64](k, "sum")
//		return func(o Order) error {
//			sum.Set(sum.Get() + o.Amount)
//			k.Emit(Total{k.Key(), sum.Get()})
//			return nil
//		}
//	})
func KeyedProcess[K comparable, T, Out any](s KeyedStream[K, T], name string,
	setup func(k *KeyedContext[K, Out]) func(v T) error) Stream[Out] {
	var n *node
	out := keyedThen[K, T, Out](s, "process", name, func() operator.Operator {
		return &keyedOperator[K, Out]{node: n, ports: func(k *KeyedContext[K, Out]) []port[K] {
			return []port[K]{newPort(s, setup(k))}
		}}
	})
	n = out.node
	n.needs(setup != nil, "KeyedProcess", "setup")
	return out
}

// CoProcess gives the records of two keyed streams, partitioned by the same type of key, to two functions that share state and timers per key.
// There is no order between the streams; event time is that of the slower one. setup and name are as for KeyedProcess.
func CoProcess[K comparable, A, B, Out any](a KeyedStream[K, A], b KeyedStream[K, B], name string,
	setup func(k *KeyedContext[K, Out]) (func(v A) error, func(v B) error)) Stream[Out] {
	var n *node
	out := keyedThen[K, A, Out](a, "coProcess", name, func() operator.Operator {
		return &keyedOperator[K, Out]{node: n, ports: func(k *KeyedContext[K, Out]) []port[K] {
			fa, fb := setup(k)
			return []port[K]{newPort(a, fa), newPort(b, fb)}
		}}
	})
	n = out.node
	n.needs(setup != nil, "CoProcess", "setup")
	n.connect(b.stream, 1)
	return out
}

// port is one input of a keyed operator.
type port[K comparable] interface {
	init() error
	// Current is the record whose key is being asked for.
	operator.Describer
	// each calls the user's function for every record; at says which it is at.
	each(b record.Batch, o keyedInput[K]) error
}

// keyedInput is what a port sets for each record.
type keyedInput[K comparable] interface {
	// begin is called for each batch; keyed says that its records have keys.
	begin(b record.Batch, keyed bool)
	at(i int, key K, hash uint64, time int64)
	failed() error
	context() *operator.Context
}

// typedPort is the input of records of type T.
type typedPort[K comparable, T any] struct {
	keys operator.KeyFinder[K, T]
	f    func(T) error
}

func newPort[K comparable, T any](s KeyedStream[K, T], f func(T) error) port[K] {
	return &typedPort[K, T]{keys: operator.KeyFinder[K, T]{Key: s.key}, f: f}
}

func (p *typedPort[K, T]) init() error { return p.keys.Init() }

// Current implements operator.Describer.
func (p *typedPort[K, T]) Current() (any, bool) { return p.keys.Current() }

func (p *typedPort[K, T]) each(b record.Batch, o keyedInput[K]) error {
	in := b.(*record.Rows[T])
	c := o.context()
	keys, hashes := p.keys.Find(in, c.KeyGroups, c.MaxParallelism)
	times := in.Head.Times
	o.begin(b, true)
	for i := range in.Rows {
		t := int64(NoTime)
		if len(times) > 0 {
			t = times[i]
		}
		o.at(i, keys[i], hashes[i], t)
		if err := p.f(in.Rows[i]); err != nil {
			return err
		}
		if err := o.failed(); err != nil {
			return err
		}
	}
	in.Release()
	return nil
}

// keyedOperator runs the user's keyed functions.
type keyedOperator[K comparable, Out any] struct {
	node   *node
	ports  func(*KeyedContext[K, Out]) []port[K]
	inputs []port[K]
	k      *KeyedContext[K, Out]

	batch record.Batch
	index int

	firing  bool // a timer, set for firesAt in milliseconds
	kind    timerKind
	firesAt int64
}

// Open implements operator.Operator.
func (o *keyedOperator[K, Out]) Open(c *operator.Context) error {
	o.k = &KeyedContext[K, Out]{op: c, node: o.node, out: operator.NewCollector[Out](c.Out[0]), time: NoTime, mark: c.Restored.Watermark,
		states: scope{op: c}}
	if err := o.k.states.setUp(func() { o.inputs = o.ports(o.k) }); err != nil {
		return err
	}
	for _, p := range o.inputs {
		if err := p.init(); err != nil {
			return err
		}
	}
	return o.k.timers.open(c, o.k.onTimers)
}

// Process implements operator.Operator.
func (o *keyedOperator[K, Out]) Process(input int, b record.Batch) error {
	if err := o.inputs[input].each(b, o); err != nil {
		return err
	}
	o.batch, o.k.keyed = nil, false
	return o.k.finish()
}

func (o *keyedOperator[K, Out]) begin(b record.Batch, keyed bool) {
	o.batch, o.k.keyed = b, keyed
}
func (o *keyedOperator[K, Out]) failed() error              { return o.k.failed() }
func (o *keyedOperator[K, Out]) context() *operator.Context { return o.k.op }

func (o *keyedOperator[K, Out]) at(i int, key K, hash uint64, time int64) {
	o.index = i
	o.k.key, o.k.hash, o.k.time = key, hash, time
}

// Current implements operator.Describer.
func (o *keyedOperator[K, Out]) Current() (any, bool) {
	for _, p := range o.inputs {
		if rec, ok := p.Current(); ok {
			return rec, ok
		}
	}
	if o.batch == nil || o.index >= o.batch.Len() {
		return nil, false
	}
	return o.batch.At(o.index), true
}

// Place implements operator.Placer.
func (o *keyedOperator[K, Out]) Place() string {
	if !o.firing {
		return ""
	}
	return operator.PlaceOfKey(o.k.key, timerTitles[o.kind]+" of "+operator.TimeText(o.firesAt))
}

// Advance implements operator.Advancer.
func (o *keyedOperator[K, Out]) Advance(wm int64) (bool, error) {
	// Functions that ask during the firing see the new watermark, as in Flink.
	o.k.mark = wm
	return o.fire(eventTimers, wm)
}

// NextTick implements operator.Clocked.
func (o *keyedOperator[K, Out]) NextTick() int64 { return o.k.timers.next() }

// Tick implements operator.Clocked.
func (o *keyedOperator[K, Out]) Tick(now int64) (bool, error) { return o.fire(processingTimers, now) }

// fire calls the timer function for a bounded number of due timers.
func (o *keyedOperator[K, Out]) fire(kind timerKind, upTo int64) (more bool, err error) {
	o.k.keyed = true
	more, err = o.k.timers.due(kind, upTo, func(key K, hash uint64, at int64) error {
		o.k.key, o.k.hash, o.k.time = key, hash, at
		o.firing, o.kind, o.firesAt = true, kind, at
		if kind == processingTimers {
			o.k.time = NoTime
		}
		if err := o.k.onTimers[kind](toTime(at)); err != nil {
			return err
		}
		return o.k.failed()
	})
	o.k.keyed = false
	if err != nil {
		return false, err
	}
	o.firing = false
	return more, o.k.finish()
}

// Snapshot implements operator.Snapshotter.
func (o *keyedOperator[K, Out]) Snapshot(operator.Checkpoint) (operator.Saved, operator.Flush, error) {
	return o.k.states.save(), nil, nil
}

// OperatorState implements operator.Declarer.
func (o *keyedOperator[K, Out]) OperatorState() []operator.ListState { return o.k.states.declared() }

// StatePosition implements operator.Locator.
func (o *keyedOperator[K, Out]) StatePosition(name string) string {
	return o.k.states.statePosition(name)
}

// Close implements operator.Operator.
func (o *keyedOperator[K, Out]) Close() error { return nil }

// Process gives each record of a stream without keys to a function that can emit any number of records, use side outputs and have operator
// state. setup is called once for each subtask. name is the uid of its state.
func Process[T, Out any](s Stream[T], name string, setup func(p *ProcessContext[Out]) func(v T) error) Stream[Out] {
	var n *node
	out := then[T, Out](s, "process", name, func() operator.Operator { return &processOperator[T, Out]{node: n, setup: setup} })
	n = out.node
	n.needs(setup != nil, "Process", "setup")
	n.graph().Stateful = true
	return out
}

// ProcessContext is what a function without keys sees beside its record. It is a KeyedContext without key, state and timers.
type ProcessContext[Out any] struct{ k KeyedContext[struct{}, Out] }

// Emit sends a record downstream with the event time of the current record.
func (p *ProcessContext[Out]) Emit(v Out) { p.k.Emit(v) }

// TimeMillis is the current record's event time, NoTime if it has none.
func (p *ProcessContext[Out]) TimeMillis() int64 { return p.k.time }

// Subtask is which of the parallel instances this is, from 0.
func (p *ProcessContext[Out]) Subtask() int { return p.k.op.Subtask }

// EmitSide sends a record to a side output. Without a reader of the tag it is dropped, and counted.
func EmitSide[Out, U any](p *ProcessContext[Out], tag *OutputTag[U], v U) { EmitTo(&p.k, tag, v) }

// processOperator runs a function without keys.
type processOperator[T, Out any] struct {
	node  *node
	setup func(*ProcessContext[Out]) func(T) error
	p     *ProcessContext[Out]
	f     func(T) error
	batch record.Batch
	index int
}

// Open implements operator.Operator.
func (o *processOperator[T, Out]) Open(c *operator.Context) error {
	o.p = &ProcessContext[Out]{KeyedContext[struct{}, Out]{op: c, node: o.node, out: operator.NewCollector[Out](c.Out[0]), time: NoTime,
		states: scope{op: c}}}
	return o.p.k.states.setUp(func() { o.f = o.setup(o.p) })
}

// Process implements operator.Operator.
func (o *processOperator[T, Out]) Process(_ int, b record.Batch) error {
	in := b.(*record.Rows[T])
	o.batch = b
	times := in.Head.Times
	for i := range in.Rows {
		o.index, o.p.k.time = i, NoTime
		if len(times) > 0 {
			o.p.k.time = times[i]
		}
		if err := o.f(in.Rows[i]); err != nil {
			return err
		}
	}
	o.batch = nil
	in.Release()
	return o.p.k.finish()
}

// Current implements operator.Describer.
func (o *processOperator[T, Out]) Current() (any, bool) {
	if o.batch == nil || o.index >= o.batch.Len() {
		return nil, false
	}
	return o.batch.At(o.index), true
}

// Snapshot implements operator.Snapshotter.
func (o *processOperator[T, Out]) Snapshot(operator.Checkpoint) (operator.Saved, operator.Flush, error) {
	return o.p.k.states.save(), nil, nil
}

// OperatorState implements operator.Declarer.
func (o *processOperator[T, Out]) OperatorState() []operator.ListState {
	return o.p.k.states.declared()
}

// StatePosition implements operator.Locator.
func (o *processOperator[T, Out]) StatePosition(name string) string {
	return o.p.k.states.statePosition(name)
}

// Close implements operator.Operator.
func (o *processOperator[T, Out]) Close() error { return nil }
