package operator

import "github.com/flottio/flott/internal/record"

// Collector takes the records that a function makes of one record, with that record's event time.
type Collector[U any] struct {
	rows  *record.Rows[U]
	out   Output
	time  int64
	timed bool
	err   error
}

// Emit adds a record.
func (c *Collector[U]) Emit(v U) { c.EmitAt(v, c.time, c.timed) }

// EmitAt adds a record with an event time of its own.
func (c *Collector[U]) EmitAt(v U, t int64, timed bool) {
	c.rows.Append(v, t, timed)
	if c.rows.Full() {
		c.Flush()
	}
}

// Flush hands on what was collected. An error stays until Err.
func (c *Collector[U]) Flush() {
	if c.rows.Len() == 0 {
		return
	}
	full := c.rows
	c.rows = full.Get()
	if err := c.out.Emit(full); err != nil && c.err == nil {
		c.err = err
	}
}

// Err returns the first error of handing on.
func (c *Collector[U]) Err() error { return c.err }

// NewCollector returns a collector for an output.
func NewCollector[U any](out Output) *Collector[U] {
	return &Collector[U]{rows: record.NewRows[U](), out: out}
}

// FlatMap makes any number of records of each.
type FlatMap[T, U any] struct {
	F func(T, func(U)) error
	Cursor
	emit      func(U)
	collector *Collector[U]
}

// Open implements Operator.
func (m *FlatMap[T, U]) Open(c *Context) error {
	m.collector = NewCollector[U](c.Out[0])
	m.emit = m.collector.Emit
	return nil
}

// Process implements Operator.
func (m *FlatMap[T, U]) Process(_ int, b record.Batch) error {
	in := b.(*record.Rows[T])
	m.begin(in)
	times := in.Head.Times
	m.collector.timed = len(times) > 0
	for i := range in.Rows {
		m.at = i
		if len(times) > 0 {
			m.collector.time = times[i]
		}
		if err := m.F(in.Rows[i], m.emit); err != nil {
			return err
		}
		if m.collector.err != nil {
			break
		}
	}
	m.end()
	in.Release()
	m.collector.Flush()
	return m.collector.err
}

// Close implements Operator.
func (m *FlatMap[T, U]) Close() error { return nil }
