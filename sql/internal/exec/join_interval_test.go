package exec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/internal/expr"
)

var (
	stamp = column.Type{ID: column.Timestamp, Precision: 3}
	// timedTypes are (key, id, time).
	timedTypes = []column.Type{bigint, bigint, stamp}
	timedSides = [2]TimedSide{{Types: timedTypes, Keys: []int{0}, Time: 2}, {Types: timedTypes, Keys: []int{0}, Time: 2}}
)

// timedGen draws rows of random keys at or behind a time.
func timedGen(rng *rand.Rand, n int, from, spread int64) (rows []rowChange) {
	for range n {
		row := []any{rng.Int64N(4), rng.Int64N(10), from + rng.Int64N(spread)}
		if rng.IntN(10) == 0 {
			row[0] = nil
		}
		rows = append(rows, rowChange{schema.Insert, row})
	}
	return rows
}

// pairsModel is the nested loop of an outer join by a condition on rows.
func pairsModel(kind JoinKind, left, right [][]any, matches func(l, r []any) bool) (out [][]any) {
	joined := make([]bool, len(right))
	null := make([]any, 3)
	for _, l := range left {
		found := false
		for k, r := range right {
			if l[0] == nil || l[0] != r[0] || !matches(l, r) {
				continue
			}
			found, joined[k] = true, true
			if kind <= FullJoin {
				out = append(out, append(append([]any(nil), l...), r...))
			}
		}
		switch {
		case kind == SemiJoin && found, kind == AntiJoin && !found:
			out = append(out, l)
		case (kind == LeftJoin || kind == FullJoin) && !found:
			out = append(out, append(append([]any(nil), l...), null...))
		}
	}
	for k, r := range right {
		if (kind == RightJoin || kind == FullJoin) && !joined[k] {
			out = append(out, append(append([]any(nil), null...), r...))
		}
	}
	return out
}

func TestIntervalJoinIsTheNestedLoop(t *testing.T) {
	for kind := InnerJoin; kind <= FullJoin; kind++ {
		t.Run(fmt.Sprint("kind=", kind), func(t *testing.T) {
			rigSeeds(t, func(t *testing.T, rng *rand.Rand, disk bool) {
				for range 4 {
					lower := rng.Int64N(40) - 20
					upper := lower + rng.Int64N(30)
					cond := rng.IntN(2) == 0
					var op *IntervalJoin
					r := &opRig{t: t, disk: disk, types: [2][]column.Type{timedTypes, timedTypes}, keys: [2][]int{{0}, {0}}, rows: rng.IntN(2) * 7}
					r.make = func() operator.Operator {
						op = &IntervalJoin{Env: &expr.Env{}, Kind: kind, Sides: timedSides, Lower: lower, Upper: upper}
						if cond {
							op.Cond = idsLess(t)
						}
						return op
					}
					r.start(1)
					var rows [2][][]any
					wm := int64(0)
					for range 15 {
						side := rng.IntN(2)
						more := timedGen(rng, rng.IntN(40), wm+1, 30)
						for _, c := range more {
							rows[side] = append(rows[side], c.row)
						}
						r.send(side, more...)
						if rng.IntN(3) == 0 {
							wm += rng.Int64N(20)
							r.advance(wm)
						}
						if rng.IntN(6) == 0 {
							r.restart(1 + rng.IntN(3))
						}
					}
					r.advance(math.MaxInt64)
					r.compare(pairsModel(kind, rows[0], rows[1], func(l, r []any) bool {
						d := l[2].(int64) - r[2].(int64)
						return lower <= d && d <= upper && (!cond || l[1].(int64) < r[1].(int64))
					}))
					if n := op.left(); n != 0 {
						t.Fatalf("%d keys are left in state", n)
					}
					r.stop()
				}
			})
		})
	}
}

// left is the number of keys in state.
func (j *IntervalJoin) left() int {
	c := j.core.(*intervalCore[[1]uint64])
	return c.rows[0].Keys() + c.rows[1].Keys()
}

func TestIntervalJoinOfProcessingTime(t *testing.T) {
	r := &opRig{t: t, types: [2][]column.Type{timedTypes, timedTypes}, rows: 1}
	var op *IntervalJoin
	r.make = func() operator.Operator {
		op = &IntervalJoin{Env: &expr.Env{}, Kind: LeftJoin, Sides: timedSides, Lower: -10, Upper: 0, ProcTime: true}
		return op
	}
	r.start(1)
	a, b := []any{int64(1), int64(7), nil}, []any{int64(2), int64(8), nil}
	r.send(0, rowChange{schema.Insert, a}, rowChange{schema.Insert, b})
	r.tick(10)
	r.send(1, rowChange{schema.Insert, a})
	r.expect("+I[1 7 <nil> 1 7 <nil>]")
	r.tick(30)
	r.expect("+I[2 8 <nil> <nil> <nil> <nil>]")
	r.tick(60)
	if op.left() != 0 || op.NextTick() != math.MaxInt64 {
		t.Errorf("%d keys are left, the next tick is %d", op.left(), op.NextTick())
	}
}
