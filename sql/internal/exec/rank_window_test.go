package exec

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/internal/expr"
)

func TestWindowRankIsTheFirstOfEachWindow(t *testing.T) {
	rigSeeds(t, func(t *testing.T, rng *rand.Rand, disk bool) {
		spec := WindowRank{In: timedTypes, Partition: []int{0, 2}, End: 2, Order: []SortKey{{Column: 1, Desc: true}}, From: 1 + rng.Int64N(2)}
		spec.To, spec.Number = spec.From+rng.Int64N(4), rng.IntN(2) == 0
		spec.LastOfEqual = spec.To == 1
		r := &opRig{t: t, disk: disk, types: [2][]column.Type{timedTypes}, keys: [2][]int{{0, 2}}}
		r.make = func() operator.Operator {
			c := spec
			return &c
		}
		r.start(1)
		var rows [][]any
		wm := int64(0)
		for range 12 {
			more := timedGen(rng, rng.IntN(60), wm-5, 30)
			for _, c := range more {
				c.row[2] = (c.row[2].(int64)/10 + 1) * 10
				if c.row[2].(int64)-1 > wm {
					rows = append(rows, c.row)
				}
			}
			r.advance(wm)
			r.send(0, more...)
			wm += rng.Int64N(15)
			r.restart(1 + rng.IntN(3))
		}
		r.advance(math.MaxInt64)
		parts := map[[2]any][][]any{}
		for _, row := range rows {
			parts[[2]any{row[0], row[2]}] = append(parts[[2]any{row[0], row[2]}], row)
		}
		var want [][]any
		for _, p := range parts {
			slices.SortStableFunc(p, func(a, b []any) int { return -cmp.Compare(a[1].(int64), b[1].(int64)) })
			for n := spec.From; n <= min(spec.To, int64(len(p))); n++ {
				row := slices.Clone(p[n-1])
				if spec.Number {
					row = append(row, n)
				}
				want = append(want, row)
			}
		}
		r.compare(want)
		r.stop()
	})
}

// Of rows of one time the last that came is the last.
func TestWindowDeduplicationKeepsTheLast(t *testing.T) {
	types := []column.Type{text, stamp, stamp}
	r := &opRig{t: t, types: [2][]column.Type{types}, rows: 1}
	r.make = func() operator.Operator {
		return &WindowRank{In: types, Partition: []int{2}, End: 2, Order: []SortKey{{Column: 1, Desc: true}}, From: 1, To: 1, LastOfEqual: true}
	}
	r.start(1)
	for i, s := range []string{"a", "b", "c"} {
		r.send(0, rowChange{schema.Insert, []any{s, []int64{3, 7, 7}[i], int64(10)}})
	}
	r.advance(9)
	r.expect("+I[c 7 10]")
}

// repeat gives the numbers below its argument.
var repeat = &expr.TableFunc{
	Name: "REPEAT",
	Make: func(*expr.Site) (func(*expr.Eval, []*column.Vector, int, *column.Batch) error, error) {
		return func(_ *expr.Eval, args []*column.Vector, i int, out *column.Batch) error {
			for n := range args[0].I64[i] {
				out.AppendRow(schema.Insert, n)
			}
			return nil
		}, nil
	},
}

func TestCorrelate(t *testing.T) {
	types := []column.Type{bigint, text}
	n := &expr.Column{Index: 0, Of: bigint}
	run := func(left bool, cond expr.Expr) *opRig {
		r := &opRig{t: t, types: [2][]column.Type{types}}
		r.make = func() operator.Operator {
			return &Correlate{Env: &expr.Env{}, In: types, Func: repeat, Args: []expr.Expr{n}, Result: []column.Type{bigint}, Left: left, Cond: cond}
		}
		r.start(1)
		r.send(0, rowChange{schema.Insert, []any{int64(2), "two"}}, rowChange{schema.Insert, []any{int64(0), "none"}}, rowChange{schema.Insert, []any{nil, "null"}},
			rowChange{schema.Insert, []any{int64(1), "one"}}, rowChange{schema.Delete, []any{int64(2), "two"}})
		return r
	}
	run(false, nil).expect("+I[2 two 0]", "+I[2 two 1]", "+I[1 one 0]", "-D[2 two 0]", "-D[2 two 1]")
	run(true, nil).expect("+I[2 two 0]", "+I[2 two 1]", "+I[0 none <nil>]", "+I[<nil> null <nil>]", "+I[1 one 0]", "-D[2 two 0]", "-D[2 two 1]")
	positive := mustCall(t, expr.Greater, &expr.Column{Index: 2, Of: bigint}, &expr.Literal{Value: int64(0), Of: bigint})
	run(true, positive).expect("+I[2 two 1]", "+I[0 none <nil>]", "+I[<nil> null <nil>]", "+I[1 one <nil>]", "-D[2 two 1]")

	r := run(false, nil)
	r.got = nil
	r.send(0, rowChange{schema.Insert, []any{int64(5000), "many"}}, rowChange{schema.Insert, []any{int64(3), "few"}})
	if len(r.got) != 5003 {
		t.Errorf("%d rows, want 5003", len(r.got))
	}
}
