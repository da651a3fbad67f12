package exec

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/schema"
)

func TestSetOpCountsRows(t *testing.T) {
	rigSeeds(t, func(t *testing.T, rng *rand.Rand, disk bool) {
		for variant := range 4 {
			op := SetOp{Types: []column.Type{bigint, text}, Except: variant&1 == 1, All: variant&2 == 2}
			r := &opRig{t: t, disk: disk, types: [2][]column.Type{op.Types, op.Types}, keys: [2][]int{{0, 1}, {0, 1}}, rows: rng.IntN(3) * 7}
			r.make = func() operator.Operator {
				c := op
				return &c
			}
			draw := func() []any {
				if rng.IntN(8) == 0 {
					return []any{nil, "x"}
				}
				return []any{rng.Int64N(6), fmt.Sprint(rng.IntN(2))}
			}
			gens := [2]*logGen{{rng: rng, draw: draw}, {rng: rng, draw: draw}}
			r.start(2)
			for range 8 {
				side := rng.IntN(2)
				r.send(side, gens[side].next(1+rng.IntN(40))...)
				var n [2]map[string]int64
				rows := map[string][]any{}
				for i := range n {
					n[i] = map[string]int64{}
					for _, row := range gens[i].rows {
						n[i][fmt.Sprint(row)]++
						rows[fmt.Sprint(row)] = row
					}
				}
				var want [][]any
				for k, row := range rows {
					for range op.copies(&[2]int64{n[0][k], n[1][k]}) {
						want = append(want, row)
					}
				}
				r.compare(want)
				r.restart(1 + rng.IntN(3))
			}
			r.stop()
		}
	})
}

func TestSortAtTheEnd(t *testing.T) {
	rigSeeds(t, func(t *testing.T, rng *rand.Rand, disk bool) {
		types := []column.Type{bigint, text}
		n := rng.IntN(6000)
		s := Sort{In: types, Keys: []SortKey{{Column: 1}, {Column: 0, Desc: true, NullsLast: true}}, Time: -1, Fetch: -1}
		if rng.IntN(2) == 0 {
			s.Offset, s.Fetch = rng.Int64N(3000), rng.Int64N(3000)
		}
		r := &opRig{t: t, disk: disk, types: [2][]column.Type{types}, rows: 500}
		r.make = func() operator.Operator {
			c := s
			return &c
		}
		r.start(1)
		var rows []rowChange
		for range n {
			rows = append(rows, rowChange{schema.Insert, []any{rng.Int64N(1000), strings.Repeat("a", rng.IntN(20))}})
		}
		r.send(0, rows...)
		r.restart(1)
		// The end comes in pieces, between which there may be a restart.
		if _, err := r.tasks[0].op.(operator.Finisher).Finish(); err != nil {
			t.Fatal(err)
		}
		r.restart(1)
		r.finish()
		slices.SortStableFunc(rows, func(a, b rowChange) int {
			return cmp.Or(strings.Compare(a.row[1].(string), b.row[1].(string)), -cmp.Compare(a.row[0].(int64), b.row[0].(int64)))
		})
		var want []string
		for i, x := range rows {
			if p := int64(i); p >= s.Offset && (s.Fetch < 0 || p < s.Offset+s.Fetch) {
				want = append(want, "+I"+fmt.Sprint(x.row))
			}
		}
		r.expect(want...)
		r.stop()
	})
}

func TestSortByTime(t *testing.T) {
	for _, digits := range []int32{3, 6, 9} {
		types := []column.Type{{ID: column.Timestamp, Precision: digits}, bigint}
		unit := timeUnit(types[0])
		at := func(ms, id int64) rowChange {
			if digits > 6 {
				return rowChange{schema.Insert, []any{column.Int128From(ms * unit), id}}
			}
			return rowChange{schema.Insert, []any{ms * unit, id}}
		}
		r := &opRig{t: t, types: [2][]column.Type{types}}
		r.make = func() operator.Operator {
			return &Sort{In: types, Keys: []SortKey{{Column: 0}, {Column: 1, Desc: true}}, Time: 0, Fetch: -1}
		}
		r.start(1)
		r.send(0, at(5, 1), at(3, 2), at(5, 3), at(9, 4), at(-2, 5))
		r.advance(4)
		r.restart(1)
		r.send(0, at(4, 6), at(6, 7)) // the first is late
		r.advance(5)
		r.advance(math.MaxInt64)
		var ids []string
		for _, g := range r.got {
			ids = append(ids, strings.TrimSuffix(strings.Fields(g)[len(strings.Fields(g))-1], "]"))
		}
		if got := strings.Join(ids, " "); got != "5 2 3 1 7 4" {
			t.Errorf("%d digits: %s", digits, got)
		}
		if r.drops.Late.Load() != 1 {
			t.Errorf("%d rows were late, want 1", r.drops.Late.Load())
		}
	}
}

func TestMaterializeChangelog(t *testing.T) {
	types := []column.Type{bigint, bigint, text}
	run := func(unique []int, rows ...rowChange) *opRig {
		r := &opRig{t: t, types: [2][]column.Type{types}, rows: 1}
		r.make = func() operator.Operator { return &Materialize{In: types, Keys: []int{0}, Unique: unique} }
		r.start(1)
		for i, c := range rows {
			r.bag = map[string]int{"[1 1 a]": 9, "[1 2 b]": 9, "[1 1 c]": 9} // an upsert changelog does not fold
			r.send(0, c)
			if i == 1 {
				r.restart(1)
			}
		}
		return r
	}
	a, b, c := []any{int64(1), int64(1), "a"}, []any{int64(1), int64(2), "b"}, []any{int64(1), int64(1), "c"}
	log := []rowChange{
		{schema.Insert, a}, {schema.Insert, b}, {schema.Delete, a}, {schema.Insert, a}, {schema.UpdateBefore, a}, {schema.Delete, b}, {schema.Delete, b},
	}
	run(nil, log...).expect("+I[1 1 a]", "+U[1 2 b]", "+U[1 1 a]", "+U[1 2 b]", "-D[1 2 b]")
	run([]int{1}, log...).expect("+I[1 1 a]", "+U[1 2 b]", "+U[1 1 a]", "+U[1 2 b]", "-D[1 2 b]")
	// A row with the upsert key of one that is there takes its place, and a retraction need not have all its columns.
	run([]int{1}, rowChange{schema.Insert, a}, rowChange{schema.Insert, b}, rowChange{schema.UpdateAfter, c}, rowChange{schema.Delete, b}).
		expect("+I[1 1 a]", "+U[1 2 b]", "+U[1 1 c]", "+U[1 1 c]")
}

func TestDropUpdateBefore(t *testing.T) {
	types := []column.Type{bigint, text}
	r := &opRig{t: t, types: [2][]column.Type{types}}
	r.make = func() operator.Operator { return &DropUpdateBefore{} }
	r.start(1)
	x := []any{int64(1), "x"}
	r.send(0, rowChange{schema.Insert, x}, rowChange{schema.UpdateBefore, x}, rowChange{schema.UpdateAfter, x}, rowChange{schema.Delete, x})
	r.expect("+I[1 x]", "+U[1 x]", "-D[1 x]")
	r.send(0, rowChange{schema.UpdateBefore, x})
	r.expect()
}
