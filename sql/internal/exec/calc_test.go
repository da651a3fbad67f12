package exec

import (
	"testing"
	"time"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/sql/internal/expr"
)

// collector keeps what an operator emits.
type collector struct{ rows [][]any }

func (c *collector) Emit(b record.Batch) error {
	in := b.(*record.Columns)
	for i := range in.N {
		c.rows = append(c.rows, in.Row(i))
	}
	in.Release()
	return nil
}

func mustCall(t testing.TB, f *expr.Func, args ...expr.Expr) expr.Expr {
	t.Helper()
	c, err := expr.NewCall(f, args...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCalcFiltersAndComputes(t *testing.T) {
	types := []column.Type{column.Of(column.BigInt), column.StringType()}
	a, s := &expr.Column{Index: 0, Of: types[0]}, &expr.Column{Index: 1, Of: types[1]}
	two := &expr.Literal{Value: int64(2), Of: column.Of(column.BigInt)}
	calc := &Calc{
		Env: &expr.Env{Zone: time.UTC}, In: types,
		Filter: mustCall(t, expr.Greater, a, two),
		Exprs:  []expr.Expr{s, mustCall(t, expr.Times, a, two), s},
	}
	out := &collector{}
	ctx := &operator.Context{Out: []operator.Output{out}, Counters: &operator.Counters{}, Now: func() int64 { return 0 }}
	if err := calc.Open(ctx); err != nil {
		t.Fatal(err)
	}
	b := record.NewColumns(types)
	b.AppendRow(0, int64(1), "a")
	b.AppendRow(0, int64(3), "b")
	b.AppendRow(0, nil, "c")
	b.AppendRow(0, int64(4), nil)
	if err := calc.Process(0, b); err != nil {
		t.Fatal(err)
	}
	want := [][]any{{"b", int64(6), "b"}, {nil, int64(8), nil}}
	if len(out.rows) != 2 {
		t.Fatalf("got %v", out.rows)
	}
	for i, r := range want {
		for k, x := range r {
			if out.rows[i][k] != x {
				t.Errorf("row %d: got %v, want %v", i, out.rows[i], r)
			}
		}
	}
}
