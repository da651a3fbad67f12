package exec

import (
	"slices"
	"strings"
	"testing"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/internal/expr"
)

var valueTypes = []column.Type{column.StringType(), column.Of(column.Int), column.StringType(), column.DecimalType(2, 1)}

func valueCalls(t testing.TB) []AggCall {
	text := func(s string) *expr.Literal { return &expr.Literal{Value: s, Of: column.StringType().Nullable(false)} }
	tenth := &expr.Literal{Value: 0.1, Of: column.Of(column.Double).Nullable(false)}
	return []AggCall{
		aggOf(t, valueTypes, "FIRST_VALUE", false, -1, 1), aggOf(t, valueTypes, "LAST_VALUE", false, -1, 1),
		aggOf(t, valueTypes, "LISTAGG", false, -1, 2, text("-")), aggOf(t, valueTypes, "LISTAGG", true, -1, 2),
		aggOf(t, valueTypes, "ARRAY_AGG", false, -1, 1), aggOf(t, valueTypes, "ARRAY_AGG", true, -1, 1),
		aggOf(t, valueTypes, "COLLECT", false, -1, 2), aggOf(t, valueTypes, "PERCENTILE", false, -1, 3, tenth),
		aggOf(t, valueTypes, "JSON_ARRAYAGG_NULL_ON_NULL", false, -1, 2), aggOf(t, valueTypes, "JSON_ARRAYAGG_ABSENT_ON_NULL", false, -1, 1),
		aggOf(t, valueTypes, "VAR_POP", false, -1, 1), aggOf(t, valueTypes, "STDDEV_SAMP", false, -1, 1),
	}
}

// Aggregates that keep values, over rows that come and go, one by one, with a restore between all of them.
func TestAggregatesOfValues(t *testing.T) {
	for _, pebble := range []bool{false, true} {
		rig := &aggRig{t: t, types: valueTypes, keys: []int{0}, plan: func() operator.Operator {
			return &GroupAggregate{Env: utc(), In: valueTypes, Keys: []int{0}, Calls: valueCalls(t), Retracts: true, UpdateBefore: false}
		}}
		if pebble {
			rig.store = pebbleStore(t)
		}
		rig.open(1, nil)
		row := func(kind schema.RowKind, n, s, d any) change { return change{kind, []any{"k", n, s, d}} }
		for _, step := range []struct {
			in   change
			want string
		}{
			{row(schema.Insert, int32(3), "b", int64(30)), `+I[k, 3, 3, b, b, [3], [3], {[b] [1]}, 3, ["b"], [3], 0, NULL]`},
			{row(schema.Insert, nil, "a", int64(90)), `+U[k, 3, 3, b-a, b,a, [3 <nil>], [3], {[b a] [1 1]}, 3.6, ["b","a"], [3], 0, NULL]`},
			{row(schema.Insert, int32(5), "b", int64(50)),
				`+U[k, 3, 5, b-a-b, b,a, [3 <nil> 5], [3 5], {[b a] [2 1]}, 3.4000000000000004, ["b","a","b"], [3,5], 1, 1]`},
			{row(schema.Delete, int32(3), "b", int64(30)),
				`+U[k, 5, 5, a-b, b,a, [<nil> 5], [5], {[a b] [1 1]}, 5.4, ["a","b"], [5], 0, NULL]`},
			{row(schema.Delete, int32(5), "b", int64(50)), `+U[k, NULL, NULL, a, a, [<nil>], NULL, {[a] [1]}, 9, ["a"], [], NULL, NULL]`},
		} {
			if got := printAll(rig.send(step.in)); !slices.Equal(got, []string{step.want}) {
				t.Fatalf("after %v:\n%q\nwant\n%q", step.in, got, step.want)
			}
			rig.restore(2)
		}
		if got := rig.send(row(schema.Delete, nil, "a", int64(90))); len(got) != 1 || got[0].Kind != schema.Delete {
			t.Fatalf("%v", got)
		}
		rig.close()
	}
}

// The kinds of the output, row by row, are Flink's.
func TestGroupAggregateChangelog(t *testing.T) {
	types := []column.Type{column.StringType(), column.Of(column.Int)}
	for _, before := range []bool{true, false} {
		rig := newAggRig(t, types, []int{0}, 1, func() operator.Operator {
			calls := []AggCall{aggOf(t, types, "MAX", false, -1, 1)}
			return &GroupAggregate{Env: utc(), In: types, Keys: []int{0}, Calls: calls, Retracts: true, UpdateBefore: before}
		})
		var got []string
		for _, c := range []change{
			{schema.Delete, []any{"x", int32(1)}}, // of no group: left out
			{schema.Insert, []any{"x", int32(1)}}, {schema.Insert, []any{"x", int32(0)}}, {schema.Insert, []any{"x", int32(2)}},
			{schema.UpdateBefore, []any{"x", int32(2)}}, {schema.UpdateAfter, []any{"x", int32(5)}},
			{schema.Delete, []any{"x", int32(5)}}, {schema.Delete, []any{"x", int32(0)}}, {schema.Delete, []any{"x", int32(1)}},
			{schema.Insert, []any{"x", nil}},
		} {
			got = append(got, printAll(rig.send(c))...)
		}
		want := []string{"+I[x, 1]", "-U[x, 1]", "+U[x, 2]", "-U[x, 2]", "+U[x, 1]", "-U[x, 1]", "+U[x, 5]", "-U[x, 5]", "+U[x, 1]", "-D[x, 1]",
			"+I[x, NULL]"}
		if !before {
			want = slices.DeleteFunc(want, func(s string) bool { return strings.HasPrefix(s, "-U") })
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got  %q\nwant %q", got, want)
		}
	}
}

// A group that was not touched for its time to live begins anew.
func TestGroupAggregateTimeToLive(t *testing.T) {
	types := []column.Type{column.StringType(), column.Of(column.Int)}
	rig := newAggRig(t, types, []int{0}, 1, func() operator.Operator {
		calls := []AggCall{aggOf(t, types, "SUM", false, -1, 1), aggOf(t, types, "COUNT", true, -1, 1), aggOf(t, types, "FIRST_VALUE", false, -1, 1)}
		return &GroupAggregate{Env: utc(), In: types, Keys: []int{0}, Calls: calls, TTLMs: 100}
	})
	var got []string
	for _, step := range []struct {
		at int64
		n  int32
	}{{0, 1}, {99, 1}, {150, 2}, {260, 2}} {
		rig.now = step.at
		got = append(got, printAll(rig.send(change{Row: []any{"x", step.n}}))...)
	}
	if want := []string{"+I[x, 1, 1, 1]", "+U[x, 2, 1, 1]", "+U[x, 4, 2, 1]", "+I[x, 2, 1, 2]"}; !slices.Equal(got, want) {
		t.Fatalf("got  %q\nwant %q", got, want)
	}
}

// A snapshot of other aggregates is refused, and the error shows both.
func TestChangedAggregateIsRefused(t *testing.T) {
	types := []column.Type{column.StringType(), column.Of(column.Int)}
	name := "SUM"
	plan := func() operator.Operator {
		return &GroupAggregate{Env: utc(), In: types, Keys: []int{0}, Calls: []AggCall{aggOf(t, types, name, false, -1, 1)}}
	}
	rig := newAggRig(t, types, []int{0}, 1, plan)
	rig.send(change{Row: []any{"x", int32(1)}})
	files := rig.snapshot()
	b, err := state.NewBackend(state.Config{Groups: state.Groups{End: rigGroups, Max: rigGroups}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	if err := b.Restore(files...); err != nil {
		t.Fatal(err)
	}
	name = "AVG"
	err = plan().Open(&operator.Context{UID: "op", Backend: b, Out: []operator.Output{discard{}}})
	if err == nil || !strings.Contains(err.Error(), "SUM(INT)") || !strings.Contains(err.Error(), "AVG(INT)") {
		t.Fatalf("%v", err)
	}
}

// GROUPING SETS are groups of expanded rows.
func TestExpand(t *testing.T) {
	types := []column.Type{column.Of(column.Int), column.StringType()}
	rig := newAggRig(t, types, nil, 1, func() operator.Operator {
		return &Expand{In: types, Keys: []int{0, 1}, Sets: [][]int{{0, 1}, {1}, {}}}
	})
	got := printAll(rig.send(change{schema.UpdateBefore, []any{int32(1), "a"}}))
	want := []string{"-U[1, a, 1, a, 0]", "-U[1, a, NULL, a, 2]", "-U[1, a, NULL, NULL, 3]"}
	if !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

// Few different values are counted exactly, many within 5 %, also when they are counted apart and merged.
func TestApproxCountDistinct(t *testing.T) {
	acc, err := expr.ApproxCountDistinct.New(&expr.AggSite{})
	if err != nil {
		t.Fatal(err)
	}
	a := acc.(expr.ObjectAccumulator)
	for _, n := range []int64{0, 1, 200, 300, 5000, 200000} {
		halves := []expr.Object{a.New(), a.New()}
		v, out := column.New(column.Of(column.BigInt)), column.New(column.Of(column.BigInt))
		for i := range n {
			v.AppendInt(i)
		}
		for i := range v.Len {
			for _, h := range halves[i%2 : 1+i%2] {
				if err := h.Update([]*column.Vector{v}, i, false); err != nil {
					t.Fatal(err)
				}
			}
		}
		read := a.New()
		if err := read.Decode(halves[1].Append(nil)); err != nil {
			t.Fatal(err)
		}
		if err := halves[0].Merge(read); err != nil {
			t.Fatal(err)
		}
		if err := a.ResultOf(halves[0], out); err != nil {
			t.Fatal(err)
		}
		if off := out.I64[0] - n; off != 0 && (n <= 200 || off > n/20 || off < -n/20) {
			t.Errorf("%d different values are counted as %d", n, out.I64[0])
		}
	}
}
