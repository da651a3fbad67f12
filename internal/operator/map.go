package operator

import "github.com/flottio/flott/internal/record"

// Map makes one record of each.
type Map[T, U any] struct {
	F func(T) U
	Cursor
	out   Output
	fresh *record.Rows[U]
}

// Open implements Operator.
func (m *Map[T, U]) Open(c *Context) error {
	m.out, m.fresh = c.Out[0], record.NewRows[U]()
	return nil
}

// Process implements Operator.
func (m *Map[T, U]) Process(_ int, b record.Batch) error {
	in := b.(*record.Rows[T])
	if same, ok := any(m).(*Map[T, T]); ok {
		return same.inPlace(in)
	}
	out := m.fresh.Get()
	m.begin(in)
	f, from, to := m.F, in.Rows, out.Extend(len(in.Rows))
	to = to[:len(from)]
	for i := range from {
		m.at = i
		to[i] = f(from[i])
	}
	m.end()
	out.Take(&in.Head)
	out.Head.Hashes = out.Head.Hashes[:0] // of another type's key
	in.Release()
	return m.out.Emit(out)
}

// inPlace is Process when the type stays: the batch is ours, so it is overwritten.
func (m *Map[T, U]) inPlace(in *record.Rows[U]) error {
	rows := in.Rows
	f := any(m.F).(func(U) U)
	m.begin(in)
	for i := range rows {
		m.at = i
		rows[i] = f(rows[i])
	}
	m.end()
	in.Head.Hashes = in.Head.Hashes[:0]
	return m.out.Emit(in)
}

// Close implements Operator.
func (m *Map[T, U]) Close() error { return nil }

// TryMap makes one record of each, or fails.
type TryMap[T, U any] struct {
	F func(T) (U, error)
	Cursor
	out   Output
	fresh *record.Rows[U]
}

// Open implements Operator.
func (m *TryMap[T, U]) Open(c *Context) error {
	m.out, m.fresh = c.Out[0], record.NewRows[U]()
	return nil
}

// Process implements Operator.
func (m *TryMap[T, U]) Process(_ int, b record.Batch) error {
	in := b.(*record.Rows[T])
	out := m.fresh.Get()
	m.begin(in)
	for i := range in.Rows {
		m.at = i
		v, err := m.F(in.Rows[i])
		if err != nil {
			return err
		}
		out.Rows = append(out.Rows, v)
	}
	m.end()
	out.Take(&in.Head)
	out.Head.Hashes = out.Head.Hashes[:0]
	in.Release()
	return m.out.Emit(out)
}

// Close implements Operator.
func (m *TryMap[T, U]) Close() error { return nil }
