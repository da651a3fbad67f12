package operator

import (
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
)

// accumulatorState is the name of the one state that running reduces and aggregates have.
const accumulatorState = "@accumulator"

// Reduced is the state of a running reduce.
type Reduced[T any] struct {
	Any   bool
	Value T
}

// Reduce combines the records of each key and emits the combined record after each one.
type Reduce[K comparable, T any] struct {
	Keys KeyFinder[K, T]
	F    func(a, b T) T
	Cursor
	ctx   *Context
	table *state.Table[K, Reduced[T]]
	vals  []*Reduced[T]
}

// Open implements Operator.
func (r *Reduce[K, T]) Open(c *Context) (err error) {
	r.ctx = c
	if err := r.Keys.Init(); err != nil {
		return err
	}
	r.table, err = openTable[K, Reduced[T]](c, accumulatorState)
	return err
}

// openTable registers a table under the operator's uid.
func openTable[K comparable, V any](c *Context, name string) (*state.Table[K, V], error) {
	d, err := state.Describe[K, V]()
	if err != nil {
		return nil, err
	}
	return state.RegisterTable(c.Backend, c.UID, name, d)
}

// Process implements Operator.
func (r *Reduce[K, T]) Process(_ int, b record.Batch) error {
	in := b.(*record.Rows[T])
	keys, hashes := r.Keys.Find(in, r.ctx.KeyGroups, r.ctx.MaxParallelism)
	r.vals = pointers(r.vals, len(keys))
	if err := r.table.Upsert(keys, hashes, r.vals); err != nil {
		return err
	}
	r.begin(in)
	rows := in.Rows
	for i, v := range r.vals {
		r.at = i
		if v.Any {
			v.Value = r.F(v.Value, rows[i])
		} else {
			*v = Reduced[T]{true, rows[i]}
		}
		rows[i] = v.Value
	}
	r.end()
	in.Head.Hashes = in.Head.Hashes[:0]
	return r.ctx.Out[0].Emit(in)
}

// Current implements Describer.
func (r *Reduce[K, T]) Current() (rec any, ok bool) { return firstWorking(&r.Keys, &r.Cursor) }

// Close implements Operator.
func (r *Reduce[K, T]) Close() error { return nil }

// Aggregate folds the records of each key and emits a result after each one. O is the result with its key.
type Aggregate[K comparable, T, A, R, O any] struct {
	Keys KeyFinder[K, T]
	Agg  Fold[T, A, R]
	Make func(K, R) O
	Cursor
	ctx   *Context
	table *state.Table[K, A]
	accs  []*A
	fresh *record.Rows[O]
}

// Open implements Operator.
func (a *Aggregate[K, T, A, R, O]) Open(c *Context) (err error) {
	a.ctx, a.fresh = c, record.NewRows[O]()
	if err := a.Keys.Init(); err != nil {
		return err
	}
	d, err := state.Describe[K, A]()
	if err != nil {
		return err
	}
	if start := a.Agg.Start; start != nil {
		d.Init = func(_ *K, v *A) { start(v) }
	}
	a.table, err = state.RegisterTable(c.Backend, c.UID, accumulatorState, d)
	return err
}

// Process implements Operator.
func (a *Aggregate[K, T, A, R, O]) Process(_ int, b record.Batch) error {
	in := b.(*record.Rows[T])
	keys, hashes := a.Keys.Find(in, a.ctx.KeyGroups, a.ctx.MaxParallelism)
	a.accs = pointers(a.accs, len(keys))
	if err := a.table.Upsert(keys, hashes, a.accs); err != nil {
		return err
	}
	out := a.fresh.Get()
	rows := out.Extend(len(keys))
	a.begin(in)
	for i, acc := range a.accs {
		a.at = i
		a.Agg.Add(acc, in.Rows[i])
		rows[i] = a.Make(keys[i], a.Agg.Result(acc))
	}
	a.end()
	out.Take(&in.Head)
	out.Head.Hashes = out.Head.Hashes[:0]
	in.Release()
	return a.ctx.Out[0].Emit(out)
}

// Current implements Describer.
func (a *Aggregate[K, T, A, R, O]) Current() (rec any, ok bool) {
	return firstWorking(&a.Keys, &a.Cursor)
}

// Close implements Operator.
func (a *Aggregate[K, T, A, R, O]) Close() error { return nil }

// pointers returns a slice of n pointers, reusing p.
func pointers[V any](p []*V, n int) []*V {
	if cap(p) < n {
		return make([]*V, n, 2*n)
	}
	return p[:n]
}
