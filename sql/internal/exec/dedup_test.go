package exec

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/schema"
)

var dedupTypes = []column.Type{bigint, text, {ID: column.Timestamp, Precision: 3}}

func TestDeduplicateKeepsOneRowOfAKey(t *testing.T) {
	for _, d := range []Deduplicate{
		{Time: 2, KeepLast: true}, {Time: 2}, {Time: -1, KeepLast: true}, {Time: -1},
	} {
		t.Run(fmt.Sprintf("time=%d,last=%v", d.Time, d.KeepLast), func(t *testing.T) {
			rigSeeds(t, func(t *testing.T, rng *rand.Rand, disk bool) {
				keys := [][]int{{0}, {1}, {0, 1}}[rng.IntN(3)]
				r := &opRig{t: t, disk: disk, types: [2][]column.Type{dedupTypes}, keys: [2][]int{keys}, rows: rng.IntN(3) * 7}
				r.make = func() operator.Operator {
					c := d
					c.In, c.Keys, c.UpdateBefore = dedupTypes, keys, true
					return &c
				}
				r.start(2)
				kept := map[string][]any{}
				for range 8 {
					var rows []rowChange
					for range rng.IntN(100) {
						row := []any{rng.Int64N(20), fmt.Sprint("text ", rng.IntN(3)), rng.Int64N(50)}
						if rng.IntN(10) == 0 {
							row[0] = nil
						}
						rows = append(rows, rowChange{schema.Insert, row})
						k := ""
						for _, c := range keys {
							k += fmt.Sprint(row[c], ",")
						}
						old := kept[k]
						switch {
						case old == nil, d.KeepLast && d.Time < 0,
							d.Time >= 0 && d.KeepLast && row[2].(int64) >= old[2].(int64),
							d.Time >= 0 && !d.KeepLast && row[2].(int64) < old[2].(int64):
							kept[k] = row
						}
					}
					r.send(0, rows...)
					var want [][]any
					for _, row := range kept {
						want = append(want, row)
					}
					r.compare(want)
					r.restart(1 + rng.IntN(3))
				}
				r.stop()
			})
		})
	}
}

func dedupRig(t *testing.T, d Deduplicate, rows int) *opRig {
	r := &opRig{t: t, types: [2][]column.Type{dedupTypes}, rows: rows}
	r.make = func() operator.Operator {
		d.In, d.Keys = dedupTypes, []int{0}
		return &d
	}
	r.start(1)
	return r
}

func TestDeduplicateChangelog(t *testing.T) {
	rows := []rowChange{
		{schema.Insert, []any{int64(1), "a", int64(10)}}, {schema.Insert, []any{int64(1), "b", int64(20)}}, {schema.Insert, []any{int64(1), "c", int64(5)}},
	}
	run := func(d Deduplicate, batch int) *opRig {
		r := dedupRig(t, d, batch)
		r.send(0, rows...)
		return r
	}
	run(Deduplicate{Time: 2, KeepLast: true, UpdateBefore: true}, 1).expect("+I[1 a 10]", "-U[1 a 10]", "+U[1 b 20]")
	run(Deduplicate{Time: 2, UpdateBefore: true}, 1).expect("+I[1 a 10]", "-U[1 a 10]", "+U[1 c 5]")
	run(Deduplicate{Time: 2, KeepLast: true}, 1).expect("+I[1 a 10]", "+U[1 b 20]")
	run(Deduplicate{Time: -1}, 1).expect("+I[1 a 10]")
	run(Deduplicate{Time: -1, KeepLast: true, UpdateBefore: true}, 1).
		expect("+I[1 a 10]", "-U[1 a 10]", "+U[1 b 20]", "-U[1 b 20]", "+U[1 c 5]")
	// In one batch the changes of a key are one.
	run(Deduplicate{Time: 2, KeepLast: true, UpdateBefore: true}, 0).expect("+I[1 b 20]")
}

func TestNormalizeChangelog(t *testing.T) {
	r := dedupRig(t, Deduplicate{Time: -1, KeepLast: true, Normalize: true, UpdateBefore: true}, 1)
	a, b := []any{int64(1), "a", int64(1)}, []any{int64(1), "b", int64(2)}
	r.send(0, rowChange{schema.Delete, a}, rowChange{schema.UpdateAfter, a}, rowChange{schema.UpdateAfter, a}, rowChange{schema.Insert, b},
		rowChange{schema.Delete, []any{int64(1), nil, nil}}, rowChange{schema.Delete, a}, rowChange{schema.Insert, a}, rowChange{schema.UpdateBefore, a})
	r.expect("+I[1 a 1]", "-U[1 a 1]", "+U[1 b 2]", "-D[1 b 2]", "+I[1 a 1]", "-D[1 a 1]")
	r.rows = 0
	r.send(0, rowChange{schema.Insert, a}, rowChange{schema.Delete, a})
	r.expect()
	r.send(0, rowChange{schema.Insert, a})
	r.send(0, rowChange{schema.Delete, a}, rowChange{schema.Insert, b})
	r.expect("+I[1 a 1]", "-U[1 a 1]", "+U[1 b 2]")
}

func TestDeduplicateTimeToLive(t *testing.T) {
	r := dedupRig(t, Deduplicate{Time: -1, TTLMs: 100}, 1)
	for k := range int64(300) {
		r.send(0, rowChange{schema.Insert, []any{k, "first", int64(0)}})
	}
	r.got, r.bag = nil, map[string]int{}
	r.nowMs = 99
	r.send(0, rowChange{schema.Insert, []any{int64(5), "too early", int64(0)}})
	r.nowMs = 100
	r.send(0, rowChange{schema.Insert, []any{int64(5), "again", int64(0)}})
	r.expect("+I[5 again 0]")
}
