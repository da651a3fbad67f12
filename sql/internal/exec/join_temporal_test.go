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

func TestTemporalJoinMeetsTheVersionOfItsTime(t *testing.T) {
	rigSeeds(t, func(t *testing.T, rng *rand.Rand, disk bool) {
		for _, kind := range []JoinKind{InnerJoin, LeftJoin} {
			cond := rng.IntN(2) == 0
			r := &opRig{t: t, disk: disk, types: [2][]column.Type{timedTypes, timedTypes}, keys: [2][]int{{0}, {0}}}
			r.make = func() operator.Operator {
				j := &TemporalJoin{Env: &expr.Env{}, Kind: kind, Sides: timedSides}
				if cond {
					j.Cond = idsLess(t)
				}
				return j
			}
			r.start(1)
			var lefts, versions []rowChange
			wm := int64(0)
			for range 15 {
				more := timedGen(rng, rng.IntN(30), wm+1, 30)
				if rng.IntN(2) == 0 {
					lefts = append(lefts, more...)
					r.send(0, more...)
				} else {
					for i := range more {
						more[i].kind = []schema.RowKind{schema.Insert, schema.UpdateAfter, schema.UpdateBefore, schema.Delete}[rng.IntN(4)]
					}
					versions = append(versions, more...)
					r.send(1, more...)
				}
				if rng.IntN(2) == 0 {
					wm += rng.Int64N(25)
					r.advance(wm)
				}
				if rng.IntN(5) == 0 {
					r.restart(1 + rng.IntN(3))
				}
			}
			r.advance(math.MaxInt64)
			r.compare(temporalModel(kind, cond, lefts, versions))
			r.stop()
		}
	})
}

func temporalModel(kind JoinKind, cond bool, lefts, versions []rowChange) (out [][]any) {
	for _, l := range lefts {
		var valid *rowChange
		for k, v := range versions {
			same := l.row[0] != nil && l.row[0] == v.row[0] && v.row[2].(int64) <= l.row[2].(int64)
			if same && (valid == nil || valid.row[2].(int64) <= v.row[2].(int64)) {
				valid = &versions[k]
			}
		}
		if valid != nil && valid.kind.Adds() && (!cond || l.row[1].(int64) < valid.row[1].(int64)) {
			out = append(out, append(append([]any(nil), l.row...), valid.row...))
		} else if kind == LeftJoin {
			out = append(out, append(append([]any(nil), l.row...), nil, nil, nil))
		}
	}
	return out
}

// Only the version that is valid at the watermark is kept, and none that has been deleted.
func TestTemporalJoinForgetsVersions(t *testing.T) {
	var op *TemporalJoin
	r := &opRig{t: t, types: [2][]column.Type{timedTypes, timedTypes}}
	r.make = func() operator.Operator {
		op = &TemporalJoin{Env: &expr.Env{}, Sides: timedSides}
		return op
	}
	r.start(1)
	for ms := range int64(100) {
		r.send(1, rowChange{schema.UpdateAfter, []any{int64(1), ms, ms}}, rowChange{schema.UpdateAfter, []any{int64(2), ms, ms}})
	}
	r.send(1, rowChange{schema.Delete, []any{int64(2), nil, int64(100)}})
	r.advance(100)
	c := op.core.(*temporalCore[[1]uint64])
	if n := c.rows[1].Keys(); n != 1 {
		t.Errorf("%d keys have versions, want 1", n)
	}
	r.send(0, rowChange{schema.UpdateBefore, []any{int64(1), int64(7), int64(105)}})
	r.bag["[1 7 105 1 99 99]"]++
	r.advance(105)
	r.expect("-U[1 7 105 1 99 99]")
}

func TestTemporalJoinOfProcessingTime(t *testing.T) {
	r := &opRig{t: t, types: [2][]column.Type{timedTypes, timedTypes}, rows: 1}
	r.make = func() operator.Operator {
		return &TemporalJoin{Env: &expr.Env{}, Kind: LeftJoin, Sides: timedSides, ProcTime: true}
	}
	r.start(1)
	row := func(k, id any) []any { return []any{k, id, nil} }
	one := int64(1)
	r.send(0, rowChange{schema.Insert, row(one, one)}, rowChange{schema.Insert, row(nil, one)})
	r.send(1, rowChange{schema.Insert, row(one, int64(5))}, rowChange{schema.UpdateBefore, row(one, int64(5))}, rowChange{schema.UpdateAfter, row(one, int64(6))})
	r.restart(1)
	r.send(0, rowChange{schema.Insert, row(one, one)})
	r.send(1, rowChange{schema.Delete, row(one, int64(6))})
	r.send(0, rowChange{schema.Insert, row(one, one)})
	none := fmt.Sprint([]any{one, one, nil, nil, nil, nil})
	r.expect("+I"+none, "+I[<nil> 1 <nil> <nil> <nil> <nil>]", "+I[1 1 <nil> 1 6 <nil>]", "+I"+none)
}
