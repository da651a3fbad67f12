package datagen

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/connector/internal/harness"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/sql/table"
)

func tableRows(t *testing.T, every int, columns []table.Column, options map[string]string) []string {
	t.Helper()
	s, err := Table{Now: func() int64 { return 1_700_000_000_123 }}.Source(&table.Definition{Path: "t", Columns: columns, Options: options})
	if err != nil {
		t.Fatal(err)
	}
	j := &harness.Job[*column.Batch]{Source: s, NewBatch: record.NewRows[*column.Batch]}
	if err := j.Run(context.Background(), every, 1, 3, 2); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, b := range j.Read {
		for i := range b.N {
			all = append(all, string(b.AppendPrinted(nil, i)))
		}
	}
	slices.Sort(all)
	return all
}

// TestTable makes rows of many types, the same with and without restarts, within their bounds.
func TestTable(t *testing.T) {
	columns := []table.Column{{Name: "id", Type: column.Of(column.Int)}, {Name: "n", Type: column.Of(column.SmallInt)},
		{Name: "s", Type: column.StringType()}, {Name: "ts", Type: column.TimestampType(3)}, {Name: "d", Type: column.DecimalType(5, 2)},
		{Name: "l", Type: column.ArrayType(column.Of(column.Boolean))}, {Name: "f", Type: column.Of(column.Double)},
		{Name: "r", Type: column.RowType(column.Field{Name: "x", Type: column.Of(column.TinyInt)})}, {Name: "z", Type: column.StringType()}}
	options := map[string]string{"fields.id.kind": "sequence", "fields.id.start": "5", "fields.id.end": "3004", "fields.n.min": "-2", "fields.n.max": "3",
		"fields.s.length": "4", "fields.r.x.min": "7", "fields.r.x.max": "7", "fields.z.null-rate": "1", "fields.f.min": "0.5", "fields.f.max": "0.75",
		"rows-per-second": "1000000000", "fields.ts.max-past": "10 s", "fields.l.length": "2"}
	want := tableRows(t, 0, columns, options)
	if len(want) != 3000 || !strings.HasPrefix(want[0], "+I[10, ") {
		t.Fatalf("%d rows, the first %s", len(want), want[0])
	}
	for every := 1; every < 4; every++ {
		if got := tableRows(t, every, columns, options); !slices.Equal(got, want) {
			t.Errorf("restarted every %d: other rows", every)
		}
	}
	counts := map[string]int{}
	for _, row := range want {
		fields := strings.SplitN(strings.Trim(row, "+I[]"), ", ", 3)
		counts[fields[1]]++
		if !strings.Contains(row, ", +I[7], null]") || !strings.Contains(row, "2023-11-14T22:13") && !strings.Contains(row, "2023-11-14T22:12") ||
			!strings.Contains(row, ", 0.") {
			t.Fatalf("row %s", row)
		}
	}
	if len(counts) != 6 || counts["-2"] < 400 {
		t.Errorf("numbers from -2 to 3: %v", counts)
	}
}

func TestTableOptions(t *testing.T) {
	columns := []table.Column{{Name: "a", Type: column.Of(column.Int)}, {Name: "b", Type: column.StringType()}}
	_, err := Table{}.Source(&table.Definition{Path: "t", Columns: columns, Options: map[string]string{"row-per-second": "1", "fields.a.kind": "sequence",
		"fields.b.min": "1", "fields.c.kind": "random", "number-of-rows": "-1"}})
	for _, want := range []string{"did you mean 'rows-per-second'?", "'fields.a.start' is missing", "'fields.b.min' = '1'", "'fields.c.kind' is unknown",
		"'number-of-rows' = '-1'"} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("missing %s in: %v", want, err)
		}
	}
	s, err := Table{}.Source(&table.Definition{Path: "t", Columns: columns, Options: map[string]string{"number-of-rows": "150"}})
	if err != nil || !s.Bounded() {
		t.Fatal(err)
	}
	s.(table.LimitPusher).PushLimit(120)
	if b := s.(*tableSource).rowsOf(1); b.N != 20 {
		t.Errorf("the second block of 120 rows has %d", b.N)
	}
}
