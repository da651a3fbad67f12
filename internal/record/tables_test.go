package record

import (
	"testing"

	"github.com/flottio/flott/column"
)

// TestCloneOfTables: two owners of a batch of a table's rows take it apart independently.
func TestCloneOfTables(t *testing.T) {
	b := column.NewBatch([]column.Type{column.Of(column.BigInt)})
	b.AppendRow(0, int64(7))
	r := NewRows[*column.Batch]()
	r.Append(&b, NoTime, false)
	c := r.Clone().(*Rows[*column.Batch])
	b.Cols[0].I64[0] = 8
	if got := c.Rows[0].Cols[0].I64[0]; got != 7 {
		t.Errorf("the clone has %d", got)
	}
	if Count(c) != 1 || Count(NewRows[int]()) != 0 {
		t.Error("rows are to be counted")
	}
}
