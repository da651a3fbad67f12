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

func TestWindowJoinIsTheNestedLoop(t *testing.T) {
	for kind := InnerJoin; kind <= AntiJoin; kind++ {
		t.Run(fmt.Sprint("kind=", kind), func(t *testing.T) {
			rigSeeds(t, func(t *testing.T, rng *rand.Rand, disk bool) {
				cond := rng.IntN(2) == 0
				r := &opRig{t: t, disk: disk, types: [2][]column.Type{timedTypes, timedTypes}, keys: [2][]int{{0}, {0}}}
				var op *WindowJoin
				r.make = func() operator.Operator {
					op = &WindowJoin{Env: &expr.Env{}, Kind: kind, Sides: timedSides}
					if cond {
						op.Cond = idsLess(t)
					}
					return op
				}
				r.start(1)
				var rows [2][][]any
				wm, late := int64(0), 0
				for range 15 {
					side := rng.IntN(2)
					more := timedGen(rng, rng.IntN(60), wm-8, 40)
					for _, c := range more {
						end := (c.row[2].(int64)/10 + 1) * 10 // of a window of 10
						c.row[2] = end
						if end-1 <= wm {
							late++
						} else {
							rows[side] = append(rows[side], c.row)
						}
					}
					r.advance(wm)
					r.send(side, more...)
					wm += rng.Int64N(15)
					if rng.IntN(4) == 0 {
						r.restart(1 + rng.IntN(3))
					}
				}
				r.advance(math.MaxInt64)
				r.compare(pairsModel(kind, rows[0], rows[1], func(l, r []any) bool {
					return l[2] == r[2] && (!cond || l[1].(int64) < r[1].(int64))
				}))
				if got := int(r.drops.Late.Load()); got != late {
					t.Errorf("%d rows were late, want %d", got, late)
				}
				if c := op.core.(*windowJoinCore[[1]uint64]); c.rows[0].Keys()+c.rows[1].Keys() != 0 {
					t.Errorf("keys are left in state")
				}
				r.stop()
			})
		})
	}
}

func TestWindowJoinOfManyRows(t *testing.T) {
	r := &opRig{t: t, types: [2][]column.Type{timedTypes, timedTypes}}
	r.make = func() operator.Operator {
		return &WindowJoin{Env: &expr.Env{}, Kind: FullJoin, Sides: timedSides, Cond: idsLess(t)}
	}
	r.start(1)
	var rows [2][][]any
	for side := range rows {
		var log []rowChange
		for i := range 100 {
			row := []any{int64(1), int64(i * (side + 1)), int64(10)}
			rows[side] = append(rows[side], row)
			log = append(log, rowChange{schema.Insert, row})
		}
		r.send(side, log...)
	}
	r.advance(9)
	r.compare(pairsModel(FullJoin, rows[0], rows[1], func(l, r []any) bool { return l[1].(int64) < r[1].(int64) }))
}
