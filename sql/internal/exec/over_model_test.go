package exec

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/internal/expr"
)

func overCalls(t testing.TB, all bool) []AggCall {
	two := &expr.Literal{Value: int32(2), Of: column.Of(column.Int).Nullable(false)}
	minus := &expr.Literal{Value: int32(-99), Of: column.Of(column.Int).Nullable(false)}
	calls := []AggCall{
		aggOf(t, aggTypes, "COUNT", false, -1), aggOf(t, aggTypes, "SUM", false, -1, colInt), aggOf(t, aggTypes, "MIN", false, -1, colInt),
		aggOf(t, aggTypes, "MAX", false, colFlag, colWord), aggOf(t, aggTypes, "COUNT", true, -1, colInt),
		aggOf(t, aggTypes, "AVG", false, -1, colDecimal),
	}
	if !all {
		return calls
	}
	return append(calls, aggOf(t, aggTypes, "LAG", false, -1, colInt, two), aggOf(t, aggTypes, "LAG", false, -1, colInt, two, minus),
		aggOf(t, aggTypes, "ROW_NUMBER", false, -1), aggOf(t, aggTypes, "RANK", false, -1), aggOf(t, aggTypes, "DENSE_RANK", false, -1))
}

// modelOver computes every row of a sorted partition from its frame.
func modelOver(t testing.TB, f Frame, calls []AggCall, rows [][]any, same func(a, b []any) bool) (out [][]any) {
	for i, row := range rows {
		var frame [][]any
		first := i
		for first > 0 && same(rows[first-1], row) {
			first--
		}
		dense := int64(1)
		for j := 1; j <= i; j++ {
			if !same(rows[j], rows[j-1]) {
				dense++
			}
		}
		for j, r := range rows {
			var in bool
			if f.Rows {
				in = (f.FromStart || j-i >= int(f.Start)) && (f.ToEnd || j-i <= int(f.End))
			} else {
				peer := same(r, row)
				in = (j <= i || peer || f.ToEnd) && (f.FromStart || peer || f.Start < 0 && r[colTime].(int64) >= row[colTime].(int64)+f.Start)
				if f.ToEnd && !f.FromStart {
					in = j >= first
				}
			}
			if in {
				frame = append(frame, r)
			}
		}
		result := slices.Clone(row)
		for _, c := range calls {
			var x any
			switch c.Func.Name {
			case "LAG":
				if i >= 2 {
					x = rows[i-2][colInt]
				} else if len(c.Args) > 2 {
					x = int32(-99)
				}
			case "LEAD":
				if i+1 < len(rows) {
					x = rows[i+1][colInt]
				}
			case "ROW_NUMBER":
				x = int64(i + 1)
			case "RANK":
				x = int64(first + 1)
			case "DENSE_RANK":
				x = dense
			case "NTILE":
				n, b := len(rows), 3
				size, more := n/b, n%b
				at := 0
				for bucket := 1; bucket <= b; bucket++ {
					take := size
					if bucket <= more {
						take++
					}
					if i >= at && i < at+take {
						x = int64(bucket)
					}
					at += take
				}
			case "CUME_DIST":
				last := i
				for last+1 < len(rows) && same(rows[last+1], row) {
					last++
				}
				x = float64(last+1) / float64(len(rows))
			case "PERCENT_RANK":
				x = 0.0
				if len(rows) > 1 {
					x = float64(first) / float64(len(rows)-1)
				}
			default:
				x = modelAgg(t, c, frame)
			}
			result = append(result, x)
		}
		out = append(out, result)
	}
	return out
}

var overFrames = map[string]Frame{
	"rows":          {Rows: true, FromStart: true},
	"range":         {FromStart: true},
	"rows bounded":  {Rows: true, Start: -3},
	"range bounded": {Start: -12},
	"current":       {},
}

// OVER in event time gives each row what its frame in the sorted partition has; late rows are left out.
func TestOverEventTimeAgainstModel(t *testing.T) {
	for name, f := range overFrames {
		for _, keys := range [][]int{{colBig}, {colBig, colText}, {}} {
			t.Run(fmt.Sprintf("%s,keys=%v", name, keys), func(t *testing.T) {
				for seed := range uint64(6) {
					testOverEventTime(t, f, keys, seed)
				}
			})
		}
	}
}

func testOverEventTime(t *testing.T, f Frame, keys []int, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 3))
	calls := overCalls(t, true)
	rig := &aggRig{t: t, types: windowTypes, keys: keys, wm: math.MinInt64, plan: func() operator.Operator {
		return &OverAggregate{Env: utc(), In: windowTypes, Partition: keys, Time: colTime, Frame: f, Calls: calls}
	}}
	if seed == 0 {
		rig.store = pebbleStore(t)
	}
	rig.open(1+r.IntN(3), nil)
	defer rig.close()
	groups, late, wm, now := map[string][][]any{}, 0, int64(math.MinInt64), int64(0)
	got := bag{}
	for range 30 {
		var batch []change
		for range 1 + r.IntN(20) {
			row := append(randomRow(r), now+r.Int64N(30)-8)
			batch = append(batch, change{schema.Insert, row})
			if row[colTime].(int64) <= wm {
				late++
				continue
			}
			var key []any
			for _, k := range keys {
				key = append(key, row[k])
			}
			groups[printRow(key)] = append(groups[printRow(key)], row)
		}
		got.apply(t, rig.send(batch...))
		if r.IntN(2) == 0 {
			now += r.Int64N(15)
			wm = max(wm, now)
			got.apply(t, rig.advance(wm))
		}
		if r.IntN(6) == 0 {
			rig.restore(1 + r.IntN(3))
		}
	}
	got.apply(t, rig.advance(math.MaxInt64))
	want := bag{}
	same := func(a, b []any) bool { return a[colTime] == b[colTime] }
	for _, rows := range groups {
		slices.SortStableFunc(rows, func(a, b []any) int { return cmp.Compare(a[colTime].(int64), b[colTime].(int64)) })
		for _, row := range modelOver(t, f, calls, rows, same) {
			want[printRow(row)]++
		}
	}
	if !slices.Equal(got.list(), want.list()) {
		t.Fatalf("seed %d:\n%q\nwant\n%q", seed, got.list(), want.list())
	}
	if n := rig.counts.Late.Load(); n != int64(late) {
		t.Fatalf("seed %d: %d late, want %d", seed, n, late)
	}
}

// OVER in any order, over a changelog and at the end of the input, gives what the sorted partition gives.
func TestOverChangesAgainstModel(t *testing.T) {
	three := &expr.Literal{Value: int32(3), Of: column.Of(column.Int).Nullable(false)}
	for _, mode := range []OverMode{OverChanges, OverFinal} {
		for name, f := range map[string]Frame{
			"rows": {Rows: true, FromStart: true}, "range": {FromStart: true}, "all": {FromStart: true, ToEnd: true},
			"around": {Rows: true, Start: -1, End: 2}, "rest": {Rows: true, ToEnd: true},
		} {
			t.Run(fmt.Sprint(mode, name), func(t *testing.T) {
				calls := append(overCalls(t, true), aggOf(t, aggTypes, "LEAD", false, -1, colInt), aggOf(t, aggTypes, "NTILE", false, -1, three),
					aggOf(t, aggTypes, "CUME_DIST", false, -1), aggOf(t, aggTypes, "PERCENT_RANK", false, -1))
				for seed := range uint64(5) {
					testOverChanges(t, mode, f, calls, seed)
				}
			})
		}
	}
}

func testOverChanges(t *testing.T, mode OverMode, f Frame, calls []AggCall, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 4))
	keys := []int{colBig}
	order := []OrderKey{{Column: colInt, Desc: true, NullsLast: true}, {Column: colTime}}
	if !f.Rows {
		order = order[:1] // peers
		calls = slices.DeleteFunc(slices.Clone(calls), func(c AggCall) bool {
			switch c.Func.Name { // depend on the order of peers
			case "LAG", "LEAD", "ROW_NUMBER", "NTILE":
				return true
			}
			return false
		})
	}
	rig := &aggRig{t: t, types: windowTypes, keys: keys, wm: math.MinInt64, plan: func() operator.Operator {
		return &OverAggregate{
			Env: utc(), In: windowTypes, Partition: keys, Order: order, Time: -1, Frame: f, Calls: calls, Mode: mode,
			Retracts: mode == OverChanges, UpdateBefore: true,
		}
	}}
	if seed == 0 {
		rig.store = pebbleStore(t)
	}
	rig.open(1+r.IntN(3), nil)
	defer rig.close()
	var live [][]any
	got, next := bag{}, int64(0)
	model := func() bag {
		groups, want := map[string][][]any{}, bag{}
		for _, row := range live {
			k := printRow(row[:1])
			groups[k] = append(groups[k], row)
		}
		for _, rows := range groups {
			slices.SortFunc(rows, func(a, b []any) int {
				x, y := a[colInt], b[colInt]
				switch {
				case x == nil && y != nil:
					return 1
				case x != nil && y == nil:
					return -1
				case x != nil:
					if c := cmp.Compare(y.(int32), x.(int32)); c != 0 {
						return c
					}
				}
				return cmp.Compare(a[colTime].(int64), b[colTime].(int64))
			})
			same := func(a, b []any) bool { return a[colInt] == b[colInt] && (!f.Rows || a[colTime] == b[colTime]) }
			for _, row := range modelOver(t, f, calls, rows, same) {
				want[printRow(row)]++
			}
		}
		return want
	}
	for step := range 15 {
		var batch []change
		for range 1 + r.IntN(12) {
			if mode == OverChanges && len(live) > 0 && r.IntN(3) == 0 {
				i := r.IntN(len(live))
				batch = append(batch, change{schema.Delete, live[i]})
				live = slices.Delete(live, i, i+1)
				continue
			}
			next++
			row := append(randomRow(r), next)
			batch, live = append(batch, change{schema.Insert, row}), append(live, row)
		}
		got.apply(t, rig.send(batch...))
		if r.IntN(5) == 0 {
			rig.restore(1 + r.IntN(3))
		}
		if mode == OverChanges {
			if want := model(); !slices.Equal(got.list(), want.list()) {
				t.Fatalf("seed %d, step %d:\n%q\nwant\n%q", seed, step, got.list(), want.list())
			}
		}
	}
	got.apply(t, rig.advance(math.MaxInt64))
	if want := model(); !slices.Equal(got.list(), want.list()) {
		t.Fatalf("seed %d:\n%q\nwant\n%q", seed, got.list(), want.list())
	}
}
