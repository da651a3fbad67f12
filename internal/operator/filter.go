package operator

import "github.com/flottio/flott/internal/record"

// Filter keeps the records for which F holds. It compacts the batch in place: it owns it.
type Filter[T any] struct {
	F func(T) bool
	Cursor
	out      Output
	counters *Counters
}

// Open implements Operator.
func (o *Filter[T]) Open(c *Context) error {
	o.out, o.counters = c.Out[0], c.Counters
	return nil
}

// Process implements Operator.
func (o *Filter[T]) Process(_ int, b record.Batch) error {
	in := b.(*record.Rows[T])
	o.begin(in)
	n, before := o.compact(in), len(in.Rows)
	o.end()
	o.counters.Dropped.Add(before - n)
	if n < before {
		clear(in.Rows[n:])
		in.Rows = in.Rows[:n]
		if len(in.Head.Times) > 0 {
			in.Head.Times = in.Head.Times[:n]
		}
	}
	return o.out.Emit(in)
}

// compact moves the kept records, and their times, to the front. A batch here has no hashes: those live between a partitioner and its operator.
func (o *Filter[T]) compact(in *record.Rows[T]) int {
	f, rows, n := o.F, in.Rows, 0
	if len(in.Head.Times) == 0 {
		for i := range rows {
			o.at = i
			if f(rows[i]) {
				rows[n] = rows[i]
				n++
			}
		}
		return n
	}
	times := in.Head.Times[:len(rows)]
	for i := range rows {
		o.at = i
		if f(rows[i]) {
			rows[n], times[n] = rows[i], times[i]
			n++
		}
	}
	return n
}

// Close implements Operator.
func (o *Filter[T]) Close() error { return nil }
