package exec

import (
	"fmt"
	"math"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/internal/expr"
)

// IntervalJoin joins rows that are only added and whose times are near: the left time is within [Lower, Upper] milliseconds of the right one. A
// row is kept as long as one may come that it joins; an outer row without a partner is emitted when it goes.
type IntervalJoin struct {
	Env   *expr.Env
	Kind  JoinKind // up to FullJoin
	Sides [2]TimedSide
	// NullSafe is as for Join.
	NullSafe []bool
	// Lower and Upper bound left time minus right time, both inclusive.
	Lower, Upper int64
	// ProcTime says that times are those of arrival; the time columns do not count.
	ProcTime bool
	// Cond is what else must be true, over the columns of both sides.
	Cond expr.Expr

	core intervalRunner
}

type intervalRunner interface {
	process(side int, in *record.Columns) error
	fire(upTo int64) (more bool, err error)
	next() int64
}

// Out are the types of the output.
func (j *IntervalJoin) Out() []column.Type { return j.shape().Out() }

// shape is the regular join with the same kind and sides.
func (j *IntervalJoin) shape() *Join {
	return &Join{Kind: j.Kind, Sides: [2]JoinSide{{Types: j.Sides[0].Types}, {Types: j.Sides[1].Types}}}
}

// Open implements operator.Operator.
func (j *IntervalJoin) Open(c *operator.Context) (err error) {
	switch keyWords(typesAt(j.Sides[0].Types, j.Sides[0].Keys), strictKeys(j.Sides[0].Keys, j.NullSafe)) {
	case 0:
		j.core, err = openInterval[string](j, c)
	case 1:
		j.core, err = openInterval[[1]uint64](j, c)
	default:
		j.core, err = openInterval[[2]uint64](j, c)
	}
	return err
}

// Process implements operator.Operator.
func (j *IntervalJoin) Process(input int, b record.Batch) error {
	return j.core.process(input, b.(*record.Columns))
}

// Advance implements operator.Advancer.
func (j *IntervalJoin) Advance(wm int64) (more bool, err error) {
	if j.ProcTime {
		return false, nil
	}
	return j.core.fire(wm)
}

// NextTick implements operator.Clocked.
func (j *IntervalJoin) NextTick() int64 {
	if !j.ProcTime {
		return math.MaxInt64
	}
	return saturated(j.core.next(), 1)
}

// Tick implements operator.Clocked.
func (j *IntervalJoin) Tick(now int64) (more bool, err error) {
	if !j.ProcTime {
		return false, nil
	}
	return j.core.fire(now - 1) // rows of this millisecond may still come
}

// Close implements operator.Operator.
func (j *IntervalJoin) Close() error { return nil }

type intervalCore[K comparable] struct {
	*IntervalJoin
	timedJoin[K]
	outer [2]bool
	grain int64 // timers are rounded up to it
	found []bool
	keys  [][]byte // of the candidates' records, if their side is outer
}

// The slot of a record of an outer side says that it has had a partner.
func openInterval[K comparable](j *IntervalJoin, c *operator.Context) (core *intervalCore[K], err error) {
	if j.Upper < j.Lower {
		return nil, fmt.Errorf("BUG: an interval join from %d to %d", j.Lower, j.Upper)
	}
	core = &intervalCore[K]{IntervalJoin: j, grain: max(1, (j.Upper-j.Lower)/2)}
	spec := timedSpec{env: j.Env, sides: j.Sides, safe: j.NullSafe, cond: j.Cond, out: j.Out(), kind: "by time"}
	for i := range core.outer {
		if core.outer[i] = j.shape().outer(i); core.outer[i] {
			spec.slots[i] = 1
		}
	}
	core.timedJoin, err = openTimed[K](c, spec)
	return core, err
}

func (c *intervalCore[K]) next() int64 { return c.timers.Next() }

// lastUse is the time up to which rows of the other side may come that join a row of that time.
func (c *intervalCore[K]) lastUse(side int, ms int64) int64 {
	if side == 0 {
		return saturated(ms, -c.Lower)
	}
	return saturated(ms, c.Upper)
}

// bounds are the times of the other side that join a row of that time.
func (c *intervalCore[K]) bounds(side int, ms int64) (from, to int64) {
	if side == 0 {
		return saturated(ms, -c.Upper), saturated(ms, -c.Lower)
	}
	return saturated(ms, c.Lower), saturated(ms, c.Upper)
}

func (c *intervalCore[K]) process(side int, in *record.Columns) error {
	c.count.In.Add(in.N)
	now := c.mark
	if c.ProcTime {
		now = c.clock() - 1
		c.times = atLeast(c.times, in.N)
		for i := range c.times {
			c.times[i] = now + 1
		}
	} else {
		c.readTimes(side, in)
	}
	c.keyed.take(in, c.IntervalJoin.Sides[side].Keys)
	c.found = atLeast(c.found, in.N)
	clear(c.found)
	if err := c.probe(side, in); err != nil {
		return err
	}
	own := c.rows[side]
	if err := own.At(c.keyed.keys, c.keyed.hashes, state.Add); err != nil {
		return err
	}
	next := 0
	for i := range in.N {
		j := -1
		if next < len(c.keyed.rows) && int(c.keyed.rows[next]) == i {
			j = next
			next++
		}
		if j < 0 || c.lastUse(side, c.times[i]) <= now {
			if c.outer[side] && !c.found[i] {
				c.emit(schema.Insert, int32(i), -1)
			}
			continue
		}
		if err := c.store(side, j, in, i); err != nil {
			return err
		}
	}
	if err := own.Done(); err != nil {
		return err
	}
	c.gather(side, in.Cols, c.pairs.cands.Cols)
	in.Release()
	return c.out.flush(false)
}

// store keeps row i of the batch until nothing can join it.
func (c *intervalCore[K]) store(side, j int, in *record.Columns, i int) error {
	rec, err := c.keep(side, j, in, i, c.times[i])
	if err != nil {
		return err
	}
	if c.outer[side] && c.found[i] {
		rec.SetSlot(0, 1)
	}
	end := c.lastUse(side, c.times[i])
	rounded := floorDiv(saturated(end, c.grain-1), c.grain) * c.grain
	return c.timers.Register(c.keyed.keys[j], c.keyed.hashes[j], max(end, rounded))
}

// probe meets the batch with what is kept of the other side.
func (c *intervalCore[K]) probe(side int, in *record.Columns) error {
	other, access := c.rows[1-side], state.Read
	if c.outer[1-side] {
		access = state.Change
	}
	if err := other.At(c.keyed.keys, c.keyed.hashes, access); err != nil {
		return err
	}
	slots := 0
	if c.outer[1-side] {
		slots = 1
	}
	for j, i := range c.keyed.rows {
		from, to := c.bounds(side, c.times[i])
		c.sortKey = timeKey(c.sortKey[:0], from)
		cur, err := other.Seek(j, c.sortKey)
		if err != nil {
			return err
		}
		for {
			rec, err := cur.Next()
			if err != nil {
				return err
			}
			if rec == nil || timeOf(rec.Key(slots)) > to {
				break
			}
			c.key, c.cand = append(c.key, int32(j)), append(c.cand, int32(len(c.texts)))
			c.texts = append(c.texts, view(rec.Row()))
			if slots > 0 {
				c.keys = append(c.keys, rec.Key(slots))
			}
			if len(c.texts) >= pairsMax {
				if err := c.block(side, in); err != nil {
					return err
				}
			}
		}
	}
	if err := c.block(side, in); err != nil {
		return err
	}
	return other.Done()
}

// block judges pairs and emits them.
func (c *intervalCore[K]) block(side int, in *record.Columns) (err error) {
	if err := c.pairs.load(c.texts, 1-side); err != nil {
		return err
	}
	c.pairs.eval.NowMs, c.pairs.eval.Watermark = c.clock(), c.mark
	if c.key, c.cand, err = c.pairs.judge(in, c.key, c.cand, c.keyed.rows); err != nil {
		return err
	}
	for p, j := range c.key {
		i := c.keyed.rows[j]
		c.found[i] = true
		c.emit(schema.Insert, i, c.cand[p])
		if !c.outer[1-side] {
			continue
		}
		rec, err := c.rows[1-side].Get(int(j), c.keys[c.cand[p]])
		if err != nil {
			return err
		}
		rec.SetSlot(0, 1)
	}
	c.gather(side, in.Cols, c.pairs.cands.Cols)
	c.key, c.cand, c.texts, c.keys = c.key[:0], c.cand[:0], c.texts[:0], c.keys[:0]
	return c.out.flush(true)
}

// fire removes what nothing can join any more.
func (c *intervalCore[K]) fire(upTo int64) (more bool, err error) {
	c.mark = upTo
	return c.fireAll(upTo, func(x state.Timer[K]) error {
		for side := range c.rows {
			if err := c.expire(side, x, upTo); err != nil {
				return err
			}
		}
		return nil
	})
}

// expire removes rows of one key and side, and emits those of an outer side that have had no partner.
func (c *intervalCore[K]) expire(side int, x state.Timer[K], now int64) error {
	rows := c.rows[side]
	if err := c.at(side, x, state.Change); err != nil {
		return err
	}
	end := saturated(saturated(now, c.Lower), 1) // lastUse(end) > now
	if side == 1 {
		end = saturated(saturated(now, -c.Upper), 1)
	}
	if now == math.MaxInt64 {
		end = math.MaxInt64
	}
	if c.outer[side] {
		if err := c.padExpired(side, end); err != nil {
			return err
		}
	}
	c.sortKey = timeKey(c.sortKey[:0], end)
	if err := rows.RemoveBefore(0, c.sortKey); err != nil {
		return err
	}
	return rows.Done()
}

func (c *intervalCore[K]) padExpired(side int, end int64) error {
	cur, err := c.rows[side].Seek(0, nil)
	if err != nil {
		return err
	}
	c.texts = c.texts[:0]
	for {
		rec, err := cur.Next()
		if err != nil {
			return err
		}
		if rec == nil || timeOf(rec.Key(1)) >= end {
			break
		}
		if rec.Slot(0) == 0 {
			c.emit(schema.Insert, -1, int32(len(c.texts)))
			c.texts = append(c.texts, view(rec.Row()))
		}
	}
	if len(c.texts) == 0 {
		return nil
	}
	if err := c.pairs.load(c.texts, side); err != nil {
		return err
	}
	c.texts = c.texts[:0]
	c.gatherPadded(side)
	return nil
}

// gatherPadded appends candidates of the side with NULL for the other.
func (t *timedJoin[K]) gatherPadded(side int) {
	n := len(t.theirs)
	t.out.kinds(nil, n)
	b := t.out.get()
	for k := range b.Cols {
		left := len(t.sides[0].Types)
		switch {
		case side == 0 && k < left:
			t.pairs.cands.Cols[k].Gather(b.Cols[k], t.theirs)
		case side == 1 && k >= left:
			t.pairs.cands.Cols[k-left].Gather(b.Cols[k], t.theirs)
		default:
			b.Cols[k].Nulls(n)
		}
	}
	b.N += n
	t.kinds, t.mine, t.theirs = t.kinds[:0], t.mine[:0], t.theirs[:0]
}
