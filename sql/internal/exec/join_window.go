package exec

import (
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/internal/expr"
)

// WindowJoin joins the rows of each window when it ends: rows that are only added, with the columns of a window table function. Time of a side is
// window_end; Keys are the other equalities.
type WindowJoin struct {
	Env   *expr.Env
	Kind  JoinKind
	Sides [2]TimedSide
	// NullSafe is as for Join.
	NullSafe []bool
	Cond     expr.Expr

	core timedRunner
}

// timedRunner is a join that acts when event time passes.
type timedRunner interface {
	process(side int, in *record.Columns) error
	fire(upTo int64) (more bool, err error)
}

// Out are the types of the output.
func (j *WindowJoin) Out() []column.Type { return j.shape().Out() }

func (j *WindowJoin) shape() *Join {
	return &Join{Kind: j.Kind, Sides: [2]JoinSide{{Types: j.Sides[0].Types}, {Types: j.Sides[1].Types}}}
}

// Open implements operator.Operator.
func (j *WindowJoin) Open(c *operator.Context) (err error) {
	switch keyWords(typesAt(j.Sides[0].Types, j.Sides[0].Keys), strictKeys(j.Sides[0].Keys, j.NullSafe)) {
	case 0:
		j.core, err = openWindowJoin[string](j, c)
	case 1:
		j.core, err = openWindowJoin[[1]uint64](j, c)
	default:
		j.core, err = openWindowJoin[[2]uint64](j, c)
	}
	return err
}

// Process implements operator.Operator.
func (j *WindowJoin) Process(input int, b record.Batch) error {
	return j.core.process(input, b.(*record.Columns))
}

// Advance implements operator.Advancer.
func (j *WindowJoin) Advance(wm int64) (more bool, err error) { return j.core.fire(wm) }

// Close implements operator.Operator.
func (j *WindowJoin) Close() error { return nil }

type windowJoinCore[K comparable] struct {
	*WindowJoin
	timedJoin[K]
	shape *Join
	batch [2]*record.Columns // the rows of the window that ends
	texts [2][]string
	found [2][]bool
}

func openWindowJoin[K comparable](j *WindowJoin, c *operator.Context) (core *windowJoinCore[K], err error) {
	core = &windowJoinCore[K]{WindowJoin: j, shape: j.shape()}
	core.timedJoin, err = openTimed[K](c, timedSpec{
		env: j.Env, sides: j.Sides, safe: j.NullSafe, cond: j.Cond, out: j.Out(), kind: "by window",
	})
	return core, err
}

// padded reports whether rows of the side without a partner are emitted.
func (c *windowJoinCore[K]) padded(side int) bool {
	return c.shape.outer(side) || c.Kind == AntiJoin && side == 0
}

func (c *windowJoinCore[K]) process(side int, in *record.Columns) error {
	c.count.In.Add(in.N)
	c.readTimes(side, in)
	c.keyed.take(in, c.WindowJoin.Sides[side].Keys)
	rows := c.rows[side]
	if err := rows.At(c.keyed.keys, c.keyed.hashes, state.Add); err != nil {
		return err
	}
	next := 0
	for i := range in.N {
		j := -1
		if next < len(c.keyed.rows) && int(c.keyed.rows[next]) == i {
			j = next
			next++
		}
		switch end := c.times[i]; {
		case end-1 <= c.mark:
			c.count.Late.Add(1)
		case j >= 0:
			if _, err := c.keep(side, j, in, i, end); err != nil {
				return err
			}
			if err := c.timers.Register(c.keyed.keys[j], c.keyed.hashes[j], end-1); err != nil {
				return err
			}
		case c.padded(side): // no key, so no partner
			c.emit(schema.Insert, int32(i), -1)
		}
	}
	if err := rows.Done(); err != nil {
		return err
	}
	if len(c.mine) > 0 {
		if err := c.pairs.load(nil, 1-side); err != nil {
			return err
		}
		c.gather(side, in.Cols, c.pairs.cands.Cols)
	}
	in.Release()
	return c.out.flush(false)
}

func (c *windowJoinCore[K]) fire(upTo int64) (more bool, err error) {
	c.mark = upTo
	return c.fireAll(upTo, c.end)
}

// end joins the rows of one window of one key.
func (c *windowJoinCore[K]) end(x state.Timer[K]) error {
	for side := range c.rows {
		if err := c.takeWindow(side, x); err != nil {
			return err
		}
	}
	left := record.NewColumns(c.WindowJoin.Sides[0].Types)
	var err error
	if c.pairs.pos, err = c.codecs[0].DecodeAll(c.texts[0], left.Cols, c.pairs.pos); err != nil {
		return err
	}
	left.N = len(c.texts[0])
	if err := c.pairs.load(c.texts[1], 1); err != nil {
		return err
	}
	for l := range c.texts[0] {
		for r := range c.texts[1] {
			c.key, c.cand = append(c.key, int32(l)), append(c.cand, int32(r))
			if len(c.key) >= pairsMax {
				if err := c.block(left); err != nil {
					return err
				}
			}
		}
	}
	if err := c.block(left); err != nil {
		return err
	}
	c.rest()
	c.gather(0, left.Cols, c.pairs.cands.Cols)
	left.Release()
	return c.out.flush(true)
}

// takeWindow reads the rows of a window and removes them.
func (c *windowJoinCore[K]) takeWindow(side int, x state.Timer[K]) error {
	rows := c.rows[side]
	c.texts[side] = c.texts[side][:0]
	if err := c.at(side, x, state.Change); err != nil {
		return err
	}
	end := x.TimeMs + 1
	c.sortKey = timeKey(c.sortKey[:0], end)
	cur, err := rows.Seek(0, c.sortKey)
	if err != nil {
		return err
	}
	for {
		rec, err := cur.Next()
		if err != nil {
			return err
		}
		if rec == nil || timeOf(rec.Key(0)) > end {
			break
		}
		c.texts[side] = append(c.texts[side], view(rec.Row()))
	}
	c.sortKey = timeKey(c.sortKey[:0], end+1)
	if err := rows.RemoveBefore(0, c.sortKey); err != nil { // windows end in order, so there are none before it
		return err
	}
	c.found[side] = atLeast(c.found[side], len(c.texts[side]))
	clear(c.found[side])
	return rows.Done()
}

func (c *windowJoinCore[K]) block(left *record.Columns) (err error) {
	c.pairs.eval.NowMs, c.pairs.eval.Watermark = c.clock(), c.mark
	if c.key, c.cand, err = c.pairs.judge(left, c.key, c.cand, nil); err != nil {
		return err
	}
	for p, l := range c.key {
		r := c.cand[p]
		c.found[0][l], c.found[1][r] = true, true
		if c.Kind != SemiJoin && c.Kind != AntiJoin {
			c.emit(schema.Insert, l, r)
		}
	}
	c.key, c.cand = c.key[:0], c.cand[:0]
	c.gather(0, left.Cols, c.pairs.cands.Cols)
	return c.out.flush(true)
}

// rest lists the rows that are emitted for having no partner, or, for a semi join, for having one.
func (c *windowJoinCore[K]) rest() {
	for l, found := range c.found[0] {
		if found && c.Kind == SemiJoin || !found && c.padded(0) {
			c.emit(schema.Insert, int32(l), -1)
		}
	}
	for r, found := range c.found[1] {
		if !found && c.padded(1) {
			c.emit(schema.Insert, -1, int32(r))
		}
	}
}
