package expr

import (
	"slices"
	"strings"
	"testing"

	"github.com/flottio/flott/column"
)

// countingFunc is a function that counts the rows it is called for and fails for negative numbers.
func countingFunc(rows *int) *Func {
	return &Func{
		Name: "COUNTED", Strict: true, Fails: true,
		Resolve: func(args []Arg) (Signature, error) {
			return Signature{[]column.Type{args[0].Type}, args[0].Type}, nil
		},
		Kernel: fixed(func(e *Eval, args []*column.Vector, n int, out *column.Vector) error {
			*rows += n
			out.Resize(n)
			for i, x := range args[0].I32[:n] {
				if x < 0 && !e.Skip(i) {
					return errReference
				}
				out.I32[i] = x + 1
			}
			return nil
		}),
	}
}

func intBatch(values ...any) *column.Batch {
	b := column.NewBatch([]column.Type{column.Of(column.Int)})
	for _, v := range values {
		b.AppendRow(0, v)
	}
	return &b
}

func TestCommonSubExpressionsOnce(t *testing.T) {
	rows := 0
	x := must(t, countingFunc(&rows), &Column{Of: column.Of(column.Int)})
	p, err := Compile(nil, must(t, Plus, x, x), must(t, Greater, x, intLiteral(2)))
	if err != nil {
		t.Fatal(err)
	}
	out := make([]*column.Vector, 2)
	for round := range 3 {
		in := intBatch(int32(round), nil, int32(7))
		rows = 0
		if err := p.EvalAll(&Eval{}, in, out); err != nil {
			t.Fatal(err)
		}
		if rows != in.N {
			t.Errorf("round %d: %d rows were computed, want each of %d once", round, rows, in.N)
		}
		if got, want := out[0].At(0), int32(2*round+2); got != want || out[0].At(1) != nil || out[1].At(2) != true {
			t.Errorf("round %d: %v, want %v", round, got, want)
		}
	}
}

// TestOnlyWhereNeeded: what can fail is not evaluated for rows that were decided before.
func TestOnlyWhereNeeded(t *testing.T) {
	rows := 0
	col := &Column{Of: column.Of(column.Int)}
	fails := must(t, Greater, must(t, countingFunc(&rows), col), intLiteral(5))
	isSmall := must(t, Less, col, intLiteral(0))
	in := intBatch(int32(-1), int32(3), int32(9), nil, int32(-5))
	for name, e := range map[string]Expr{
		"AND":      must(t, And, must(t, GreaterEqual, col, intLiteral(0)), fails),
		"OR":       must(t, And, must(t, Not, isSmall), must(t, Or, isSmall, fails)),
		"CASE":     must(t, Case, isSmall, &Literal{Value: false, Of: column.Of(column.Boolean)}, fails),
		"COALESCE": must(t, And, must(t, GreaterEqual, col, intLiteral(0)), must(t, Coalesce, must(t, IsTrue, fails), fails)),
	} {
		rows = 0
		p, err := Compile(nil, e)
		if err != nil {
			t.Fatal(err)
		}
		sel, err := p.Select(&Eval{}, in, 0, []int32{77})
		if err != nil || !slices.Equal(sel, []int32{77, 2}) {
			t.Errorf("%s: %v, %v", name, sel, err)
		}
	}
	p, err := Compile(nil, fails)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = p.Select(&Eval{}, in, 0, nil); err == nil || !strings.Contains(err.Error(), "COUNTED") {
		t.Errorf("the error does not name the expression: %v", err)
	}
}

func TestTextsBesideTimes(t *testing.T) {
	date := literal(t, "2024-02-29", column.Of(column.Date))
	for text, want := range map[string]string{"2024-02-29": "TRUE", "2024-02-28": "FALSE", "no date": "NULL"} {
		s := &Literal{Value: text, Of: column.StringType().Nullable(false)}
		if got := evalOne(t, must(t, Equal, s, date)); got != want {
			t.Errorf("%q = DATE: %s, want %s", text, got, want)
		}
		if got := evalOne(t, must(t, In, date, s, s)); got != want {
			t.Errorf("DATE IN (%q): %s, want %s", text, got, want)
		}
	}
}
