package exec

import (
	"math"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/internal/expr"
)

// TemporalJoin joins each row of the left side with the version of the right side's row that was valid at its time: FOR SYSTEM_TIME AS OF. The
// right side is a changelog by the key columns; a version is valid from its time until that of the next, and -D and -U end it. Rows of the left
// side keep their kinds.
//
// In event time left rows wait for the watermark. In processing time they meet what is there.
type TemporalJoin struct {
	Env  *expr.Env
	Kind JoinKind // InnerJoin or LeftJoin
	// Sides have in Time the left row's time and the version's.
	Sides    [2]TimedSide
	NullSafe []bool
	ProcTime bool
	Cond     expr.Expr

	core timedRunner
}

// Out are the types of the output.
func (j *TemporalJoin) Out() []column.Type {
	return (&Join{Kind: j.Kind, Sides: [2]JoinSide{{Types: j.Sides[0].Types}, {Types: j.Sides[1].Types}}}).Out()
}

// Open implements operator.Operator.
func (j *TemporalJoin) Open(c *operator.Context) (err error) {
	switch keyWords(typesAt(j.Sides[0].Types, j.Sides[0].Keys), strictKeys(j.Sides[0].Keys, j.NullSafe)) {
	case 0:
		j.core, err = openTemporal[string](j, c)
	case 1:
		j.core, err = openTemporal[[1]uint64](j, c)
	default:
		j.core, err = openTemporal[[2]uint64](j, c)
	}
	return err
}

// Process implements operator.Operator.
func (j *TemporalJoin) Process(input int, b record.Batch) error {
	return j.core.process(input, b.(*record.Columns))
}

// Advance implements operator.Advancer.
func (j *TemporalJoin) Advance(wm int64) (more bool, err error) {
	if j.ProcTime {
		return false, nil
	}
	return j.core.fire(wm)
}

// Close implements operator.Operator.
func (j *TemporalJoin) Close() error { return nil }

type temporalCore[K comparable] struct {
	*TemporalJoin
	timedJoin[K]
	lefts  []string // rows to join, with their kinds and the place of their version, -1: none
	kindOf []schema.RowKind
	verOf  []int32
	left   column.Batch
	pos    []int32
}

// The slot of a record of either side is its row kind.
func openTemporal[K comparable](j *TemporalJoin, c *operator.Context) (core *temporalCore[K], err error) {
	core = &temporalCore[K]{TemporalJoin: j, left: column.NewBatch(j.Sides[0].Types)}
	core.timedJoin, err = openTimed[K](c, timedSpec{
		env: j.Env, sides: j.Sides, safe: j.NullSafe, cond: j.Cond, out: j.Out(), slots: [2]int{1, 1}, kind: "versions",
	})
	return core, err
}

func (c *temporalCore[K]) process(side int, in *record.Columns) error {
	c.count.In.Add(in.N)
	c.keyed.take(in, c.TemporalJoin.Sides[side].Keys)
	if c.ProcTime {
		c.times = atLeast(c.times, in.N)
		clear(c.times)
	} else {
		c.readTimes(side, in)
	}
	var err error
	switch {
	case side == 1:
		err = c.addVersions(in)
	case c.ProcTime:
		err = c.meet(in)
	default:
		err = c.wait(in)
	}
	if err != nil {
		return err
	}
	in.Release()
	return c.out.flush(false)
}

// addVersions keeps the rows of the right side. A later one of the same time takes the place of the one before.
func (c *temporalCore[K]) addVersions(in *record.Columns) error {
	rows := c.rows[1]
	if err := rows.At(c.keyed.keys, c.keyed.hashes, state.Add); err != nil {
		return err
	}
	for j, i := range c.keyed.rows {
		ms := c.times[i]
		c.sortKey = timeKey(c.sortKey[:0], ms)
		if _, err := rows.Remove(j, c.sortKey); err != nil {
			return err
		}
		kind := in.Kind(int(i))
		if c.ProcTime && isRetract(kind) {
			continue
		}
		c.row = c.codecs[1].Append(c.row[:0], in.Cols, int(i))
		rec, err := rows.Insert(j, c.sortKey, c.row)
		if err != nil {
			return err
		}
		rec.SetSlot(0, int64(kind))
		if c.ProcTime {
			continue
		}
		if err := c.timers.Register(c.keyed.keys[j], c.keyed.hashes[j], ms); err != nil {
			return err
		}
	}
	return rows.Done()
}

// wait keeps the rows of the left side until the watermark has passed them. Those without a key have no version.
func (c *temporalCore[K]) wait(in *record.Columns) error {
	if err := c.rows[0].At(c.keyed.keys, c.keyed.hashes, state.Add); err != nil {
		return err
	}
	for j, i := range c.keyed.rows {
		rec, err := c.keep(0, j, in, int(i), c.times[i])
		if err != nil {
			return err
		}
		rec.SetSlot(0, int64(in.Kind(int(i))))
		if err := c.timers.Register(c.keyed.keys[j], c.keyed.hashes[j], c.times[i]); err != nil {
			return err
		}
	}
	if err := c.rows[0].Done(); err != nil {
		return err
	}
	return c.padKeyless(in)
}

// padKeyless emits the rows without a key.
func (c *temporalCore[K]) padKeyless(in *record.Columns) error {
	if c.Kind != LeftJoin || len(c.keyed.rows) == in.N {
		return nil
	}
	next := 0
	for i := range in.N {
		if next < len(c.keyed.rows) && int(c.keyed.rows[next]) == i {
			next++
			continue
		}
		c.emit(in.Kind(i), int32(i), -1)
	}
	if err := c.pairs.load(nil, 1); err != nil {
		return err
	}
	c.gather(0, in.Cols, c.pairs.cands.Cols)
	return nil
}

// meet joins rows of the left side with what is there now.
func (c *temporalCore[K]) meet(in *record.Columns) error {
	if err := c.rows[1].At(c.keyed.keys, c.keyed.hashes, state.Read); err != nil {
		return err
	}
	for j, i := range c.keyed.rows {
		rec, err := c.rows[1].Last(j)
		if err != nil {
			return err
		}
		c.row = c.codecs[0].Append(c.row[:0], in.Cols, int(i))
		c.list(string(c.row), in.Kind(int(i)), rec)
	}
	if err := c.join(); err != nil {
		return err
	}
	return c.padKeyless(in)
}

// list notes a row of the left side and its version, nil for none.
func (c *temporalCore[K]) list(row string, kind schema.RowKind, version state.Record) {
	at := int32(-1)
	if version != nil && schema.RowKind(version.Slot(0)).Adds() {
		at = int32(len(c.texts))
		c.texts = append(c.texts, view(version.Row()))
	}
	c.lefts, c.kindOf, c.verOf = append(c.lefts, row), append(c.kindOf, kind), append(c.verOf, at)
}

// join emits what was listed.
func (c *temporalCore[K]) join() (err error) {
	if len(c.lefts) == 0 {
		return nil
	}
	c.left.Reset()
	if c.pos, err = c.codecs[0].DecodeAll(c.lefts, c.left.Cols, c.pos); err != nil {
		return err
	}
	c.left.N = len(c.lefts)
	if err := c.pairs.load(c.texts, 1); err != nil {
		return err
	}
	for l, v := range c.verOf {
		if v >= 0 {
			c.key, c.cand = append(c.key, int32(l)), append(c.cand, v)
		}
	}
	c.pairs.eval.NowMs, c.pairs.eval.Watermark = c.clock(), c.mark
	if c.key, c.cand, err = c.pairs.judge(&record.Columns{Batch: c.left}, c.key, c.cand, nil); err != nil {
		return err
	}
	next := 0
	for l, kind := range c.kindOf {
		if next < len(c.key) && int(c.key[next]) == l {
			c.emit(kind, int32(l), c.cand[next])
			next++
		} else if c.Kind == LeftJoin {
			c.emit(kind, int32(l), -1)
		}
	}
	c.gather(0, c.left.Cols, c.pairs.cands.Cols)
	c.key, c.cand, c.texts = c.key[:0], c.cand[:0], c.texts[:0]
	c.lefts, c.kindOf, c.verOf = c.lefts[:0], c.kindOf[:0], c.verOf[:0]
	return nil
}

func (c *temporalCore[K]) fire(upTo int64) (more bool, err error) {
	c.mark = upTo
	return c.fireAll(upTo, func(x state.Timer[K]) error { return c.pass(x, upTo) })
}

// pass joins the left rows of a key up to the watermark, and removes versions that no row can ask for any more: all before the one that is valid
// at the watermark.
func (c *temporalCore[K]) pass(x state.Timer[K], wm int64) error {
	for side := range c.rows {
		if err := c.at(side, x, state.Change); err != nil {
			return err
		}
	}
	cur, err := c.rows[0].Seek(0, nil)
	if err != nil {
		return err
	}
	for {
		rec, err := cur.Next()
		if err != nil {
			return err
		}
		if rec == nil || timeOf(rec.Key(1)) > wm {
			break
		}
		version, err := c.rows[1].Floor(0, rec.Key(1)[:8])
		if err != nil {
			return err
		}
		c.list(view(rec.Row()), schema.RowKind(rec.Slot(0)), version)
		if len(c.lefts) >= pairsMax {
			if err := c.join(); err != nil {
				return err
			}
		}
	}
	if err := c.join(); err != nil {
		return err
	}
	c.sortKey = timeKey(c.sortKey[:0], saturated(wm, 1))
	if err := c.rows[0].RemoveBefore(0, c.sortKey); err != nil {
		return err
	}
	if err := c.rows[0].Done(); err != nil {
		return err
	}
	return c.forget(wm)
}

// forget removes versions of the vector's only key.
func (c *temporalCore[K]) forget(wm int64) error {
	rows := c.rows[1]
	c.sortKey = timeKey(c.sortKey[:0], wm)
	valid, err := rows.Floor(0, c.sortKey)
	if err != nil {
		return err
	}
	if valid != nil {
		end := valid.Key(1)
		if isRetract(schema.RowKind(valid.Slot(0))) || wm == math.MaxInt64 {
			end = timeKey(c.sortKey[:0], saturated(timeOf(end), 1)) // nothing is valid
		}
		if err := rows.RemoveBefore(0, end); err != nil {
			return err
		}
	}
	return rows.Done()
}
