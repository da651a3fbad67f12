package exec

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/internal/expr"
)

var (
	bigint = column.Of(column.BigInt)
	text   = column.StringType()
)

// joinTypes are (key, id, text).
var joinTypes = []column.Type{bigint, bigint, text}

func idsLess(t testing.TB) expr.Expr {
	return mustCall(t, expr.Less, &expr.Column{Index: 1, Of: bigint}, &expr.Column{Index: 4, Of: bigint})
}

// joinModel is the nested loop.
func joinModel(kind JoinKind, cond bool, left, right [][]any) (out [][]any) {
	matches := func(l, r []any) bool {
		if l[0] == nil || l[0] != r[0] {
			return false
		}
		return !cond || l[1] != nil && r[1] != nil && l[1].(int64) < r[1].(int64)
	}
	joined := make([]bool, len(right))
	for _, l := range left {
		found := false
		for k, r := range right {
			if !matches(l, r) {
				continue
			}
			found, joined[k] = true, true
			if kind != SemiJoin && kind != AntiJoin {
				out = append(out, append(append([]any(nil), l...), r...))
			}
		}
		switch {
		case kind == SemiJoin && found, kind == AntiJoin && !found:
			out = append(out, l)
		case (kind == LeftJoin || kind == FullJoin) && !found:
			out = append(out, append(append([]any(nil), l...), nil, nil, nil))
		}
	}
	for k, r := range right {
		if (kind == RightJoin || kind == FullJoin) && !joined[k] {
			out = append(out, append([]any{nil, nil, nil}, r...))
		}
	}
	return out
}

func joinGen(rng *rand.Rand, variant int) *logGen {
	g := &logGen{rng: rng}
	g.draw = func() []any {
		row := []any{rng.Int64N(1 + rng.Int64N(6)), rng.Int64N(12), fmt.Sprint("text ", rng.IntN(3))}
		if rng.IntN(12) == 0 {
			row[0] = nil
		}
		if rng.IntN(12) == 0 {
			row[1] = nil
		}
		return row
	}
	switch variant {
	case 1:
		g.insertOnly = true
	case 2:
		g.unique = []int{1}
	case 3:
		g.unique = []int{0}
	}
	return g
}

func joinSide(g *logGen) JoinSide {
	s := JoinSide{Types: joinTypes, Keys: []int{0}, InsertOnly: g.insertOnly, HasUnique: g.unique != nil}
	for _, u := range g.unique {
		if u != 0 {
			s.Unique = append(s.Unique, u)
		}
	}
	return s
}

func TestJoinIsTheNestedLoop(t *testing.T) {
	for kind := InnerJoin; kind <= AntiJoin; kind++ {
		t.Run(fmt.Sprint("kind=", kind), func(t *testing.T) {
			rigSeeds(t, func(t *testing.T, rng *rand.Rand, disk bool) {
				for variant := range 16 {
					cond := rng.IntN(2) == 0
					gens := [2]*logGen{joinGen(rng, variant%4), joinGen(rng, variant/4)}
					// The key's type decides the form of keys: a word, or bytes.
					r := &opRig{t: t, disk: disk, types: [2][]column.Type{joinTypes, joinTypes}, keys: [2][]int{{0}, {0}}, rows: rng.IntN(3) * 7}
					r.make = func() operator.Operator {
						j := &Join{Env: &expr.Env{Zone: time.UTC}, Kind: kind, Sides: [2]JoinSide{joinSide(gens[0]), joinSide(gens[1])}}
						if cond {
							j.Cond = idsLess(t)
						}
						return j
					}
					r.start(1)
					for step := range 12 {
						side := rng.IntN(2)
						r.send(side, gens[side].next(1+rng.IntN(60))...)
						if step%4 == 3 {
							r.compare(joinModel(kind, cond, gens[0].rows, gens[1].rows))
							if disk {
								r.disk = rng.IntN(2) == 0
							}
							r.restart(1 + rng.IntN(3))
						}
					}
					r.compare(joinModel(kind, cond, gens[0].rows, gens[1].rows))
					r.stop()
				}
			})
		})
	}
}

// One key with more rows than a block has pairs, met by several rows at once, some of them copies.
func TestJoinOfManyRowsOfOneKey(t *testing.T) {
	for _, kind := range []JoinKind{InnerJoin, LeftJoin, FullJoin, SemiJoin} {
		r := &opRig{t: t, types: [2][]column.Type{joinTypes, joinTypes}, keys: [2][]int{{0}, {0}}}
		r.make = func() operator.Operator {
			return &Join{Env: &expr.Env{}, Kind: kind, Sides: [2]JoinSide{{Types: joinTypes, Keys: []int{0}}, {Types: joinTypes, Keys: []int{0}}}}
		}
		r.start(2)
		var left, right [][]any
		for i := range 5000 {
			left = append(left, []any{int64(i % 2), int64(i / 10), "left"})
		}
		for i := range 6 {
			right = append(right, []any{int64(i % 2), int64(i / 4), "right"})
		}
		for n, side := range [][][]any{left, right} {
			var rows []rowChange
			for _, row := range side {
				rows = append(rows, rowChange{schema.Insert, row})
			}
			r.send(n, rows...)
		}
		r.compare(joinModel(kind, false, left, right))
		r.send(1, rowChange{schema.Delete, right[1]}, rowChange{schema.Delete, right[3]}, rowChange{schema.Delete, right[5]})
		right = [][]any{right[0], right[2], right[4]}
		r.compare(joinModel(kind, false, left, right))
		r.stop()
	}
}

// The changelog of single rows is Flink's.
func TestJoinChangelog(t *testing.T) {
	types := []column.Type{bigint, text}
	run := func(kind JoinKind) *opRig {
		r := &opRig{t: t, types: [2][]column.Type{types, types}, rows: 1}
		r.make = func() operator.Operator {
			return &Join{Env: &expr.Env{}, Kind: kind, Sides: [2]JoinSide{{Types: types, Keys: []int{0}}, {Types: types, Keys: []int{0}}}}
		}
		r.start(1)
		a := []any{int64(1), "a"}
		x, y := []any{int64(1), "x"}, []any{int64(1), "y"}
		r.send(0, rowChange{schema.Insert, a})
		r.send(1, rowChange{schema.Insert, x}, rowChange{schema.UpdateBefore, x}, rowChange{schema.UpdateAfter, y})
		r.send(0, rowChange{schema.UpdateBefore, a}, rowChange{schema.UpdateAfter, []any{nil, "n"}}, rowChange{schema.Delete, []any{nil, "n"}})
		return r
	}
	run(InnerJoin).expect("+I[1 a 1 x]", "-U[1 a 1 x]", "+U[1 a 1 y]", "-U[1 a 1 y]")
	run(LeftJoin).expect("+I[1 a <nil> <nil>]", "-D[1 a <nil> <nil>]", "+I[1 a 1 x]", "-U[1 a 1 x]", "+I[1 a <nil> <nil>]",
		"-D[1 a <nil> <nil>]", "+I[1 a 1 y]", "-D[1 a 1 y]", "+I[<nil> n <nil> <nil>]", "-D[<nil> n <nil> <nil>]")
	run(RightJoin).expect("+I[1 a 1 x]", "-D[1 a 1 x]", "+I[1 a 1 y]", "-U[1 a 1 y]", "+I[<nil> <nil> 1 y]")
	run(FullJoin).expect("+I[1 a <nil> <nil>]", "-D[1 a <nil> <nil>]", "+I[1 a 1 x]", "-D[1 a 1 x]", "+I[1 a <nil> <nil>]",
		"-D[1 a <nil> <nil>]", "+I[1 a 1 y]", "-D[1 a 1 y]", "+I[<nil> <nil> 1 y]", "+I[<nil> n <nil> <nil>]", "-D[<nil> n <nil> <nil>]")
	run(SemiJoin).expect("+I[1 a]", "-U[1 a]", "+U[1 a]", "-U[1 a]")
	run(AntiJoin).expect("+I[1 a]", "-D[1 a]", "+I[1 a]", "-D[1 a]", "+U[<nil> n]", "-D[<nil> n]")
}

// Without -U a row of a unique key takes the place of the one before.
func TestJoinOfUpserts(t *testing.T) {
	types := []column.Type{bigint, text}
	r := &opRig{t: t, types: [2][]column.Type{types, types}, rows: 1}
	r.make = func() operator.Operator {
		return &Join{Env: &expr.Env{}, Sides: [2]JoinSide{{Types: types, Keys: []int{0}, HasUnique: true}, {Types: types, Keys: []int{0}, InsertOnly: true}}}
	}
	r.start(1)
	r.send(0, rowChange{schema.Insert, []any{int64(1), "a"}}, rowChange{schema.UpdateAfter, []any{int64(1), "b"}})
	r.send(1, rowChange{schema.Insert, []any{int64(1), "x"}})
	r.send(0, rowChange{schema.UpdateAfter, []any{int64(1), "c"}}, rowChange{schema.Delete, []any{int64(1), "c"}})
	r.send(1, rowChange{schema.Insert, []any{int64(1), "y"}})
	r.expect("+I[1 b 1 x]", "+U[1 c 1 x]", "-D[1 c 1 x]")
}

func TestJoinTimeToLive(t *testing.T) {
	types := []column.Type{bigint, text}
	r := &opRig{t: t, types: [2][]column.Type{types, types}, rows: 1}
	var j *Join
	r.make = func() operator.Operator {
		j = &Join{Env: &expr.Env{}, Sides: [2]JoinSide{
			{Types: types, Keys: []int{0}, InsertOnly: true, TTLMs: 100}, {Types: types, Keys: []int{0}, InsertOnly: true, TTLMs: 1000}}}
		return j
	}
	r.start(1)
	for k := range int64(300) {
		r.send(0, rowChange{schema.Insert, []any{k, "left"}})
	}
	r.nowMs = 99
	r.send(1, rowChange{schema.Insert, []any{int64(7), "at 99"}})
	r.nowMs = 100
	r.send(1, rowChange{schema.Insert, []any{int64(7), "at 100"}})
	r.expect("+I[7 left 7 at 99]")
	for range 10 {
		r.nowMs += 20
		r.send(0, rowChange{schema.Insert, []any{int64(1000), "more"}})
	}
	if n := j.core.(*joinCore[[1]uint64]).sides[0].rows.Keys(); n != 1 {
		t.Errorf("%d keys are left, want 1", n)
	}
}
