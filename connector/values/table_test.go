package values

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/flottio/flott"
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/connector/internal/harness"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/table"
)

func definition() *table.Definition {
	return &table.Definition{Path: "c.d.t", Columns: []table.Column{{Name: "a", Type: column.Of(column.Int)}, {Name: "ts", Type: column.TimestampType(3)}}}
}

func rows(n int) *Table {
	t := &Table{Changes: table.Retract}
	for i := range n {
		t.Rows = append(t.Rows, Row{schema.RowKind(i % 4), []any{int32(i), int64(i) * 1000}})
	}
	return t
}

// TestEachOnce reads and writes every row once, in order, with restarts at other parallelisms.
func TestEachOnce(t *testing.T) {
	for every := range 4 {
		values := rows(7)
		values.BatchRows = 2
		f := Factory{Tables: map[string]*Table{"t": values, "out": {TakesAll: true}}}
		s, err := f.Source(definition())
		if err != nil {
			t.Fatal(err)
		}
		s.Project([]int{1, 0})
		j := &harness.Job[*column.Batch]{Source: s, NewBatch: record.NewRows[*column.Batch]}
		if err := j.Run(context.Background(), every, 1, 3, 2); err != nil {
			t.Fatal(err)
		}
		d := definition()
		d.Options = map[string]string{"data-id": "out"}
		k, err := f.Sink(d, table.Retract)
		if err != nil {
			t.Fatal(err)
		}
		w, _ := k.NewWriter(nil, nil)
		in := record.NewRows[*column.Batch]()
		in.Rows = append(in.Rows, j.Read...)
		if err := w.Write(in); err != nil {
			t.Fatal(err)
		}
		want := "+I[1970-01-01T00:00, 0] -U[1970-01-01T00:00:01, 1] +U[1970-01-01T00:00:02, 2] -D[1970-01-01T00:00:03, 3] " +
			"+I[1970-01-01T00:00:04, 4] -U[1970-01-01T00:00:05, 5] +U[1970-01-01T00:00:06, 6]"
		if got := strings.Join(f.Tables["out"].Printed(), " "); got != want {
			t.Errorf("restarted every %d:\n got %s\nwant %s", every, got, want)
		}
	}
}

// TestPauseAndCut stops at the pause, and ends batches before late rows.
func TestPauseAndCut(t *testing.T) {
	values := rows(6)
	values.PauseAfter, values.BatchRows = 5, 10
	values.Rows[3].Values[1] = int64(500)
	s, err := Factory{Tables: map[string]*Table{"t": values}}.Source(definition())
	if err != nil {
		t.Fatal(err)
	}
	s.(table.WatermarkPusher).PushWatermark(1, 1000, 200)
	r, _ := s.NewReader(harness.NewReading(context.Background()))
	if err := r.Assign([]flott.Split{split(0)}); err != nil {
		t.Fatal(err)
	}
	r.NoMoreSplits()
	var sizes []int
	for range 4 {
		b := record.NewRows[*column.Batch]()
		status, err := r.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range b.Rows {
			sizes = append(sizes, x.N)
		}
		if status == flott.Idle {
			break
		}
	}
	if fmt.Sprint(sizes) != "[3 2]" {
		t.Errorf("batches of %v rows, want 3 and 2", sizes)
	}
	if splits, _ := r.Snapshot(); string(splits[0].Position) != "5" {
		t.Errorf("position %s", splits[0].Position)
	}
}
