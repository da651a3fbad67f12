package operator

import (
	"math"

	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
)

// CountWindows fires the global window of a key at every so many of its records, and lets it start anew. What is left of a key at the end of
// input does not fire, as in Flink.
type CountWindows[K comparable, T, A, O any] struct {
	WindowPlan[K, T, A, O]
	Cursor
	ctx   *Context
	out   windowOutput[K, T, A, O]
	temp  accumulators[A]
	table *state.Table[K, Counted[A]]
	vals  []*Counted[A]
	fired []int // rows of the batch that made their window fire
}

// Counted is an accumulator with the number of its records.
type Counted[A any] struct {
	Count int64
	Acc   A
}

// Open implements Operator.
func (o *CountWindows[K, T, A, O]) Open(c *Context) error {
	o.ctx = c
	if err := o.Keys.Init(); err != nil {
		return err
	}
	d, err := state.Describe[K, Counted[A]]()
	if err != nil {
		return err
	}
	if start := o.Function.Start; start != nil {
		d.Init = func(_ *K, v *Counted[A]) { start(&v.Acc) }
	}
	if o.table, err = state.RegisterTable(c.Backend, c.UID, windowState, d); err != nil || c.DeclareOnly {
		return err
	}
	o.temp = accumulators[A]{start: o.Function.Start}
	o.out = newWindowOutput(c, &o.Function, o.Late)
	return nil
}

// Process implements Operator.
func (o *CountWindows[K, T, A, O]) Process(_ int, b record.Batch) error {
	in := b.(*record.Rows[T])
	keys, hashes := o.Keys.Find(in, o.ctx.KeyGroups, o.ctx.MaxParallelism)
	o.vals = pointers(o.vals, len(keys))
	if err := o.table.Upsert(keys, hashes, o.vals); err != nil {
		return err
	}
	o.begin(in)
	add, full := o.Function.Add, o.Windows.Count
	for i, v := range o.vals {
		o.at = i
		add(&v.Acc, in.Rows[i])
		if v.Count++; v.Count < full {
			continue
		}
		if err := o.out.fire(keys[i], always, &v.Acc); err != nil {
			return err
		}
		v.Count = 0
		o.temp.fresh(&v.Acc)
		o.fired = append(o.fired, i)
	}
	o.end()
	if err := o.forget(keys, hashes); err != nil {
		return err
	}
	in.Release()
	return o.out.flush()
}

// forget removes the keys that have fired and have had no record since.
func (o *CountWindows[K, T, A, O]) forget(keys []K, hashes []uint64) error {
	for _, i := range o.fired {
		v, err := o.table.Get(keys[i], hashes[i])
		if err != nil {
			return err
		}
		if v == nil || v.Count > 0 {
			continue
		}
		if _, err := o.table.Delete(keys[i], hashes[i]); err != nil {
			return err
		}
	}
	o.fired = o.fired[:0]
	return nil
}

// Current implements Describer.
func (o *CountWindows[K, T, A, O]) Current() (rec any, ok bool) {
	return firstWorking(&o.Keys, &o.Cursor)
}

// Place implements Placer.
func (o *CountWindows[K, T, A, O]) Place() string { return o.out.place() }

// Close implements Operator.
func (o *CountWindows[K, T, A, O]) Close() error { return nil }

// Advance implements Advancer: event time means nothing to a count.
func (o *CountWindows[K, T, A, O]) Advance(int64) (bool, error) { return false, nil }

// NextTick implements Clocked.
func (o *CountWindows[K, T, A, O]) NextTick() int64 { return math.MaxInt64 }

// Tick implements Clocked.
func (o *CountWindows[K, T, A, O]) Tick(int64) (bool, error) { return false, nil }
