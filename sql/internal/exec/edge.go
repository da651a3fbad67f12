package exec

import (
	"fmt"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
)

// Unwrap takes the batches out of what a table's source emits: records that are batches.
type Unwrap struct {
	Types []column.Type
	out   operator.Output
	count *operator.Counters
}

// Open implements operator.Operator.
func (u *Unwrap) Open(c *operator.Context) error {
	u.out, u.count = c.Out[0], c.Counters
	return nil
}

// Process implements operator.Operator.
func (u *Unwrap) Process(_ int, b record.Batch) error {
	in := b.(*record.Rows[*column.Batch])
	for i, batch := range in.Rows {
		in.Rows[i] = nil
		if batch.N == 0 {
			continue
		}
		if len(batch.Cols) != len(u.Types) {
			return fmt.Errorf("BUG: the source made %d columns, the plan has %d", len(batch.Cols), len(u.Types))
		}
		out := record.BareColumns(u.Types)
		out.Batch = *batch
		u.count.In.Add(out.N)
		u.count.Out.Add(out.N)
		if err := u.out.Emit(out); err != nil {
			return err
		}
	}
	in.Release()
	return nil
}

// Close implements operator.Operator.
func (u *Unwrap) Close() error { return nil }

// Wrap hands batches to a table's sink as records.
type Wrap struct {
	out   operator.Output
	fresh *record.Rows[*column.Batch]
	count *operator.Counters
}

// Open implements operator.Operator.
func (w *Wrap) Open(c *operator.Context) error {
	w.out, w.fresh, w.count = c.Out[0], record.NewRows[*column.Batch](), c.Counters
	return nil
}

// Process implements operator.Operator.
func (w *Wrap) Process(_ int, b record.Batch) error {
	in := b.(*record.Columns)
	w.count.In.Add(in.N)
	w.count.Out.Add(in.N)
	batch := in.Batch
	in.Batch = column.Batch{}
	in.Release()
	out := w.fresh.Get()
	out.Append(&batch, record.NoTime, false)
	return w.out.Emit(out)
}

// Close implements operator.Operator.
func (w *Wrap) Close() error { return nil }
