package exec

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/internal/state/pebblestate"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/internal/expr"
)

// The columns of the aggregates' tests.
const (
	colBig = iota
	colText
	colInt
	colDecimal
	colDouble
	colWord
	colFlag
	colFixed
	colLong
)

var aggTypes = []column.Type{
	column.Of(column.BigInt), column.StringType(), column.Of(column.Int), column.DecimalType(10, 2), column.Of(column.Double), column.StringType(),
	column.Of(column.Boolean), column.Of(column.BigInt).Nullable(false), column.DecimalType(30, 3),
}

func randomRow(r *rand.Rand) []any {
	maybe := func(x any) any {
		if r.IntN(6) == 0 {
			return nil
		}
		return x
	}
	return []any{
		maybe(r.Int64N(5) - 1), maybe(fmt.Sprint("key ", r.IntN(3))), maybe(int32(r.IntN(8) - 3)), maybe(r.Int64N(2000) - 500),
		maybe(float64(r.IntN(40)-20) / 4), maybe(fmt.Sprint("w", r.IntN(9))), maybe(r.IntN(2) == 0), r.Int64N(4),
		maybe(column.Int128From(r.Int64N(100000) - 50000)),
	}
}

func pebbleStore(t testing.TB) func() state.Store {
	return func() state.Store {
		s, err := pebblestate.OpenWith("store", pebblestate.Options{FS: vfs.NewMem()})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func utc() *expr.Env { return &expr.Env{Zone: time.UTC} }

// aggOf makes a call over columns of the tests.
func aggOf(t testing.TB, types []column.Type, name string, distinct bool, filter int, args ...any) AggCall {
	t.Helper()
	f := expr.LookupAgg(name)
	if f == nil {
		t.Fatalf("no aggregate %s", name)
	}
	c := AggCall{Func: f, Distinct: distinct, Filter: filter}
	var view []expr.Arg
	for _, a := range args {
		var e expr.Expr
		switch a := a.(type) {
		case int:
			e = &expr.Column{Index: a, Of: types[a]}
		case *expr.Literal:
			e = a
		}
		l, _ := e.(*expr.Literal)
		c.Args, view = append(c.Args, e), append(view, expr.Arg{Type: e.Type(), Literal: l})
	}
	sig, err := f.Resolve(view)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	c.Of = sig.Result
	return c
}

// modelAgg computes a call over the rows of a group, in the order in which they were added.
func modelAgg(t testing.TB, c AggCall, rows [][]any) any {
	var vals []any
	seen := map[any]bool{}
	for _, row := range rows {
		if c.Filter >= 0 && row[c.Filter] != true {
			continue
		}
		if len(c.Args) == 0 {
			vals = append(vals, row)
			continue
		}
		x := row[c.Args[0].(*expr.Column).Index]
		if x == nil || c.Distinct && seen[x] {
			continue
		}
		seen[x] = true
		vals = append(vals, x)
	}
	n := int64(len(vals))
	whole, long, float := int64(0), column.Int128{}, 0.0
	for _, x := range vals {
		switch x := x.(type) {
		case int32:
			whole += int64(x)
		case int64:
			whole += x
			long = long.Add(column.Int128From(x))
		case column.Int128:
			long = long.Add(x)
		case float64:
			float += x
		}
	}
	isInt := len(c.Args) > 0 && c.Args[0].Type().ID == column.Int
	isDouble := len(c.Args) > 0 && c.Args[0].Type().ID == column.Double
	switch name := c.Func.Name; {
	case name == "COUNT":
		return n
	case name == "$SUM0" && isInt:
		return int32(whole)
	case n == 0:
		return nil
	case name == "SUM" && isInt:
		return int32(whole)
	case name == "SUM" && isDouble:
		return float
	case name == "SUM":
		return long
	case name == "AVG" && isInt:
		return int32(whole / n)
	case name == "AVG" && isDouble:
		return float / float64(n)
	case name == "AVG":
		q, _ := column.DivScaled(long, column.Int128From(n), int(c.Args[0].Type().Scale), int(c.Of.Scale))
		return q
	case name == "MIN":
		return slices.MinFunc(vals, compareAny)
	case name == "MAX":
		return slices.MaxFunc(vals, compareAny)
	}
	t.Fatalf("no model of %s", c.Func.Name)
	return nil
}

func compareAny(a, b any) int {
	switch a := a.(type) {
	case int32:
		return cmp.Compare(a, b.(int32))
	case int64:
		return cmp.Compare(a, b.(int64))
	case float64:
		return cmp.Compare(a, b.(float64))
	case string:
		return cmp.Compare(a, b.(string))
	case column.Int128:
		return a.Cmp(b.(column.Int128))
	}
	panic(fmt.Sprintf("%T", a))
}

// modelGroups is the table that a GROUP BY over the rows makes.
func modelGroups(t testing.TB, keys []int, calls []AggCall, rows [][]any) bag {
	groups := map[string][][]any{}
	for _, row := range rows {
		var key []any
		for _, k := range keys {
			key = append(key, row[k])
		}
		groups[printRow(key)] = append(groups[printRow(key)], row)
	}
	out := bag{}
	for _, g := range groups {
		var row []any
		for _, k := range keys {
			row = append(row, g[0][k])
		}
		for _, c := range calls {
			row = append(row, modelAgg(t, c, g))
		}
		out[printRow(row)]++
	}
	return out
}

func testCalls(t testing.TB) []AggCall {
	return []AggCall{
		aggOf(t, aggTypes, "COUNT", false, -1), aggOf(t, aggTypes, "COUNT", false, colFlag), aggOf(t, aggTypes, "COUNT", false, -1, colText),
		aggOf(t, aggTypes, "COUNT", true, -1, colInt), aggOf(t, aggTypes, "COUNT", true, colFlag, colInt),
		aggOf(t, aggTypes, "SUM", true, colFlag, colInt), aggOf(t, aggTypes, "COUNT", true, -1, colWord),
		aggOf(t, aggTypes, "SUM", false, -1, colInt), aggOf(t, aggTypes, "$SUM0", false, colFlag, colInt),
		aggOf(t, aggTypes, "SUM", false, -1, colDecimal), aggOf(t, aggTypes, "SUM", false, -1, colDouble),
		aggOf(t, aggTypes, "SUM", false, -1, colLong), aggOf(t, aggTypes, "AVG", false, -1, colInt),
		aggOf(t, aggTypes, "AVG", false, -1, colDecimal), aggOf(t, aggTypes, "AVG", false, colFlag, colDouble),
		aggOf(t, aggTypes, "MIN", false, -1, colInt), aggOf(t, aggTypes, "MAX", false, colFlag, colDecimal),
		aggOf(t, aggTypes, "MIN", false, -1, colDouble), aggOf(t, aggTypes, "MAX", false, -1, colWord),
		aggOf(t, aggTypes, "MIN", false, colFlag, colWord), aggOf(t, aggTypes, "MAX", false, -1, colLong),
	}
}

// A random changelog, folded by the operator, gives the table that the rows that are left give. With restores at other parallelisms, on both
// backends.
func TestGroupAggregateAgainstModel(t *testing.T) {
	for _, keys := range [][]int{{colBig}, {colFixed}, {colInt}, {colBig, colText}, {colBig, colFixed}, {colInt, colFlag}, {colLong}, {}} {
		for _, retract := range []bool{false, true} {
			for _, pebble := range []bool{false, true} {
				t.Run(fmt.Sprintf("keys=%v,retract=%v,pebble=%v", keys, retract, pebble), func(t *testing.T) {
					seeds := uint64(3)
					if pebble {
						seeds = 1
					}
					for seed := range seeds {
						testGroups(t, keys, retract, pebble, seed)
					}
				})
			}
		}
	}
}

func testGroups(t *testing.T, keys []int, retract, pebble bool, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	calls := testCalls(t)
	rig := &aggRig{t: t, types: aggTypes, keys: keys, wm: -1 << 63, plan: func() operator.Operator {
		return &GroupAggregate{Env: utc(), In: aggTypes, Keys: keys, Calls: calls, Retracts: retract, UpdateBefore: true}
	}}
	if pebble {
		rig.store = pebbleStore(t)
	}
	rig.open(1+r.IntN(3), nil)
	defer rig.close()
	var live [][]any
	got := bag{}
	for step := range 30 {
		var batch []change
		for range 1 + r.IntN(50) {
			if retract && len(live) > 0 && r.IntN(5) < 2+step/20 {
				i := r.IntN(len(live))
				batch = append(batch, change{[]schema.RowKind{schema.Delete, schema.UpdateBefore}[r.IntN(2)], live[i]})
				live = slices.Delete(live, i, i+1)
				continue
			}
			row := randomRow(r)
			batch = append(batch, change{[]schema.RowKind{schema.Insert, schema.UpdateAfter}[r.IntN(2)], row})
			live = append(live, row)
		}
		got.apply(t, rig.send(batch...))
		if want := modelGroups(t, keys, calls, live); !slices.Equal(got.list(), want.list()) {
			t.Fatalf("seed %d, step %d:\n%q\nwant\n%q", seed, step, got.list(), want.list())
		}
		if r.IntN(8) == 0 {
			rig.restore(1 + r.IntN(3))
		}
	}
}
