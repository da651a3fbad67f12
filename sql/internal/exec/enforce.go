package exec

import (
	"fmt"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
)

// Enforce keeps NULL out of columns that a sink's table declares NOT NULL: it fails, or drops such rows and counts them.
type Enforce struct {
	Columns []int
	Names   []string // of the columns, for the error
	Table   string
	Drop    bool

	out   operator.Output
	count *operator.Counters
	keep  []int32
}

// Open implements operator.Operator.
func (e *Enforce) Open(c *operator.Context) error {
	e.out, e.count = c.Out[0], c.Counters
	return nil
}

// Process implements operator.Operator.
func (e *Enforce) Process(_ int, b record.Batch) error {
	in := b.(*record.Columns)
	e.count.In.Add(in.N)
	clean := true
	for k, c := range e.Columns {
		v := in.Cols[c]
		if !v.HasNulls() {
			continue
		}
		if row := firstNull(v); row >= 0 && !e.Drop {
			return operator.Permanent(fmt.Errorf("column %s of table %s is NOT NULL, a NULL was to be written into it by row %v: set "+
				"'table.exec.sink.not-null-enforcer' = 'DROP' to leave such rows out", e.Names[k], e.Table, in.At(row)))
		}
		clean = false
	}
	if clean {
		e.count.Out.Add(in.N)
		return e.out.Emit(in)
	}
	e.keep = e.keep[:0]
	for i := range in.N {
		if !e.nullIn(in, i) {
			e.keep = append(e.keep, int32(i))
		}
	}
	kept := record.NewColumns(in.Types())
	in.Gather(kept, e.keep)
	e.count.Dropped.Add(in.N - kept.N)
	in.Release()
	if kept.N == 0 {
		kept.Release()
		return nil
	}
	e.count.Out.Add(kept.N)
	return e.out.Emit(kept)
}

func (e *Enforce) nullIn(in *record.Columns, row int) bool {
	for _, c := range e.Columns {
		if in.Cols[c].IsNull(row) {
			return true
		}
	}
	return false
}

// firstNull is the first row with NULL, -1 if there is none.
func firstNull(v *column.Vector) int {
	for i := range v.Len {
		if v.IsNull(i) {
			return i
		}
	}
	return -1
}

// Close implements operator.Operator.
func (e *Enforce) Close() error { return nil }
