package print

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/connector/internal/harness"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/table"
)

func TestTable(t *testing.T) {
	b := column.NewBatch([]column.Type{column.Of(column.Int), column.StringType()})
	b.AppendRow(schema.Insert, int32(1), "a")
	b.AppendRow(schema.UpdateAfter, nil, "b")
	for _, c := range []struct {
		options  map[string]string
		subtasks int
		want     string
	}{
		{nil, 1, "+I[1, a]\n+U[null, b]\n"},
		{nil, 2, "2> +I[1, a]\n2> +U[null, b]\n"},
		{map[string]string{"connector": "print", "print-identifier": "x"}, 2, "x:2> +I[1, a]\nx:2> +U[null, b]\n"},
	} {
		var out bytes.Buffer
		s, err := Table{Out: &out}.Sink(&table.Definition{Path: "t", Options: c.options}, table.Upsert)
		if err != nil {
			t.Fatal(err)
		}
		w, err := s.NewWriter(&harness.Writing{Ctx: context.Background(), Index: 1, Subtasks: c.subtasks}, nil)
		if err != nil {
			t.Fatal(err)
		}
		in := record.NewRows[*column.Batch]()
		in.Append(&b, 0, false)
		if err := w.Write(in); err != nil || out.String() != c.want {
			t.Errorf("printed %q, want %q (%v)", out.String(), c.want, err)
		}
	}
	_, err := Table{}.Sink(&table.Definition{Path: "t", Options: map[string]string{"print-identifer": "x", "standard-error": "yes"}}, table.InsertOnly)
	if err == nil || !strings.Contains(err.Error(), "did you mean 'print-identifier'?") || !strings.Contains(err.Error(), "expected true or false") {
		t.Errorf("two problems expected: %v", err)
	}
}
