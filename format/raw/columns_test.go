package raw_test

import (
	"testing"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/format/internal/columntest"
	"github.com/flottio/flott/format/raw"
)

// TestColumnsRoundTrip writes and reads each value as one record.
func TestColumnsRoundTrip(t *testing.T) {
	for _, little := range []bool{false, true} {
		for _, c := range columntest.Types(false) {
			field := column.Field{Name: "v", Type: c.Type}
			f, err := raw.Columns([]column.Field{field}, raw.ColumnOptions{LittleEndian: little})
			if err != nil {
				continue
			}
			for _, x := range c.Values {
				b, back := columntest.Batch([]column.Field{field}, nil), columntest.Batch([]column.Field{field}, nil)
				b.AppendRow(0, x)
				record, err := f.NewColumnEncoder().Append(nil, b.Cols, 0)
				if err != nil {
					continue // a line feed
				}
				if err := f.NewColumnDecoder([]int{0}).Append(record, &back); err != nil {
					t.Fatal(err)
				}
				back.N++
				columntest.Compare(t, &b, &back)
			}
		}
	}
	f, _ := raw.Columns([]column.Field{{Name: "v", Type: column.Of(column.Int)}}, raw.ColumnOptions{})
	got := columntest.Decode(f, []column.Field{{Name: "v", Type: column.Of(column.Int)}}, nil, "abc")
	if want := "column 1: wrong length: expected 4 bytes of a INT, got 3 bytes"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
