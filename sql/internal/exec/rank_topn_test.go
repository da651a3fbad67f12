package exec

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/schema"
)

// rankTypes are (partition, id, score).
var rankTypes = []column.Type{bigint, bigint, bigint}

func compareNullable(a, b any) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return cmp.Compare(a.(int64), b.(int64))
}

// rankModel takes the first rows of each partition; rows are in the order of arrival.
func rankModel(r *Rank, rows [][]any) (out [][]any) {
	parts := map[any][][]any{}
	for _, row := range rows {
		parts[row[0]] = append(parts[row[0]], row)
	}
	for _, p := range parts {
		slices.SortStableFunc(p, func(a, b []any) int { return -compareNullable(a[2], b[2]) })
		for n := r.From; n <= r.To && int(n) <= len(p); n++ {
			row := slices.Clone(p[n-1])
			if r.Number {
				row = append(row, n)
			}
			out = append(out, row)
		}
	}
	return out
}

func TestRankIsTheFirstOfTheSorted(t *testing.T) {
	for _, input := range []RankInput{RankInserts, RankUpserts, RankChangelog} {
		t.Run(fmt.Sprint("input=", input), func(t *testing.T) {
			rigSeeds(t, func(t *testing.T, rng *rand.Rand, disk bool) {
				for range 6 {
					spec := Rank{In: rankTypes, Partition: []int{0}, Order: []SortKey{{Column: 2, Desc: true, NullsLast: true}},
						From: 1 + rng.Int64N(2), ToColumn: -1, Number: rng.IntN(2) == 0, Input: input, UpdateBefore: true}
					spec.To = spec.From + rng.Int64N(6)
					if input == RankUpserts {
						spec.Unique = []int{0, 1}
					}
					r := &opRig{t: t, disk: disk, types: [2][]column.Type{rankTypes}, keys: [2][]int{{0}}, rows: rng.IntN(3) * 7}
					r.make = func() operator.Operator {
						c := spec
						return &c
					}
					r.start(1)
					var rows [][]any
					for step := range 10 {
						var log []rowChange
						for range rng.IntN(80) {
							log, rows = rankStep(rng, input, log, rows)
						}
						r.send(0, log...)
						r.compare(rankModel(&spec, rows))
						if step%3 == 2 {
							if disk {
								r.disk = rng.IntN(2) == 0
							}
							r.restart(1 + rng.IntN(3))
						}
					}
					r.stop()
				}
			})
		})
	}
}

func rankStep(rng *rand.Rand, input RankInput, log []rowChange, rows [][]any) ([]rowChange, [][]any) {
	row := []any{rng.Int64N(5), rng.Int64N(15), rng.Int64N(8)}
	if rng.IntN(8) == 0 {
		row[rng.IntN(3)/2*2] = nil
	}
	switch {
	case input == RankChangelog && len(rows) > 0 && rng.IntN(3) == 0:
		old := rows[rng.IntN(len(rows))]
		i := slices.IndexFunc(rows, func(r []any) bool { return slices.Equal(r, old) })
		return append(log, rowChange{schema.Delete, old}), slices.Delete(rows, i, i+1)
	case input == RankUpserts:
		i := slices.IndexFunc(rows, func(r []any) bool { return r[0] == row[0] && r[1] == row[1] })
		if i < 0 {
			break
		}
		if compareNullable(row[2], rows[i][2]) <= 0 {
			return log, rows // rows only move up
		}
		return append(log, rowChange{schema.UpdateAfter, row}), append(slices.Delete(rows, i, i+1), row)
	}
	return append(log, rowChange{schema.Insert, row}), append(rows, row)
}

func TestRankChangelog(t *testing.T) {
	run := func(c Rank, rows ...rowChange) *opRig {
		r := &opRig{t: t, types: [2][]column.Type{rankTypes}, rows: 1}
		r.make = func() operator.Operator {
			c.In, c.Partition, c.Order, c.UpdateBefore = rankTypes, []int{0}, []SortKey{{Column: 2, Desc: true}}, true
			if c.To == 0 {
				c.From, c.To = 1, 2
			}
			return &c
		}
		r.start(1)
		r.send(0, rows...)
		return r
	}
	row := func(kind schema.RowKind, id, score int64) rowChange {
		return rowChange{kind, []any{int64(1), id, score}}
	}
	add := []rowChange{row(schema.Insert, 1, 10), row(schema.Insert, 2, 10), row(schema.Insert, 3, 5), row(schema.Insert, 4, 20)}
	run(Rank{ToColumn: -1}, add...).expect("+I[1 1 10]", "+I[1 2 10]", "-D[1 2 10]", "+I[1 4 20]")
	run(Rank{ToColumn: -1, Number: true}, add...).expect("+I[1 1 10 1]", "+I[1 2 10 2]",
		"-U[1 1 10 1]", "+U[1 4 20 1]", "-U[1 2 10 2]", "+U[1 1 10 2]")
	// Rows 3 to 4 decide nothing about rows 1 to 2, and an offset hides places.
	run(Rank{ToColumn: -1, Number: true, From: 2, To: 2}, add...).expect("+I[1 2 10 2]", "-U[1 2 10 2]", "+U[1 1 10 2]")
	away := append(slices.Clone(add), row(schema.Delete, 4, 20), row(schema.Delete, 1, 10), row(schema.Delete, 2, 10))
	run(Rank{ToColumn: -1, Input: RankChangelog}, away...).expect("+I[1 1 10]", "+I[1 2 10]", "-D[1 2 10]", "+I[1 4 20]",
		"-D[1 4 20]", "+I[1 2 10]", "-D[1 1 10]", "+I[1 3 5]", "-D[1 2 10]")
	run(Rank{ToColumn: -1, Input: RankChangelog, Number: true}, away[4-4:5]...).expect("+I[1 1 10 1]", "+I[1 2 10 2]",
		"-U[1 1 10 1]", "+U[1 4 20 1]", "-U[1 2 10 2]", "+U[1 1 10 2]", "-U[1 4 20 1]", "+U[1 1 10 1]", "-U[1 1 10 2]", "+U[1 2 10 2]")
	run(Rank{ToColumn: -1, Input: RankUpserts, Unique: []int{1}}, row(schema.Insert, 1, 10), row(schema.UpdateAfter, 1, 11),
		row(schema.Insert, 2, 5), row(schema.Insert, 3, 6), row(schema.UpdateAfter, 2, 7)).
		expect("+I[1 1 10]", "-U[1 1 10]", "+U[1 1 11]", "+I[1 2 5]", "-D[1 2 5]", "+I[1 3 6]", "-D[1 3 6]", "+I[1 2 7]")
	// The limit is a column: the first row of the partition decides.
	run(Rank{ToColumn: 1, From: 1, To: 1}, row(schema.Insert, 1, 10), row(schema.Insert, 5, 9), row(schema.Insert, 5, 11)).
		expect("+I[1 1 10]", "-D[1 1 10]", "+I[1 5 11]")
}
