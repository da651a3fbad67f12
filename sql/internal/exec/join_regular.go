package exec

import (
	"fmt"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/internal/expr"
)

// JoinKind says which rows a join keeps.
type JoinKind uint8

// The kinds of join. Semi and Anti give the columns of the left side only. NOT IN, where a NULL keeps rows out, is an Anti without keys whose
// condition is (a = b) IS NOT FALSE.
const (
	InnerJoin JoinKind = iota
	LeftJoin
	RightJoin
	FullJoin
	SemiJoin
	AntiJoin
)

// JoinSide is an input of a join.
type JoinSide struct {
	Types []column.Type
	// Keys are the columns of the equalities, as many as on the other side and of the same types; none: all rows are in one key group.
	Keys []int
	// InsertOnly says that rows are never taken back.
	InsertOnly bool
	// HasUnique says that Unique, together with the key columns, identifies a row: with Unique empty there is one row at most for a key. Then
	// +U may come without -U.
	HasUnique bool
	Unique    []int
	// TTLMs is how long a row is kept after it was written, in milliseconds of processing time; 0: for ever.
	TTLMs int64
}

// Join is a regular join of two changelogs: both sides are kept, and every change of one meets the rows of the other. Both inputs are partitioned
// by their key columns. What it emits for one row is what Flink does.
//
// A batch is joined at once: keys are hashed and found together, rows of a key that comes several times are decoded once, and the condition is
// evaluated over whole blocks of pairs.
type Join struct {
	Env   *expr.Env
	Kind  JoinKind
	Sides [2]JoinSide
	// NullSafe says for each key column whether NULL equals NULL (IS NOT DISTINCT FROM); nil: for none.
	NullSafe []bool
	// Cond is what else must be true, over the columns of the left followed by those of the right; nil: nothing.
	Cond expr.Expr

	core interface {
		process(side int, in *record.Columns) error
	}
}

// Out are the types of the output: outer sides may be NULL.
func (j *Join) Out() []column.Type {
	out := append([]column.Type(nil), j.Sides[0].Types...)
	if j.Kind == SemiJoin || j.Kind == AntiJoin {
		return out
	}
	out = append(out, j.Sides[1].Types...)
	n := len(j.Sides[0].Types)
	for i := range out {
		if i < n && j.outer(1) || i >= n && j.outer(0) {
			out[i] = out[i].Nullable(true)
		}
	}
	return out
}

// outer reports whether rows of the side are emitted without a partner.
func (j *Join) outer(side int) bool {
	return j.Kind == FullJoin || j.Kind == LeftJoin && side == 0 || j.Kind == RightJoin && side == 1
}

func (j *Join) semi() bool { return j.Kind == SemiJoin || j.Kind == AntiJoin }

// Open implements operator.Operator.
func (j *Join) Open(c *operator.Context) (err error) {
	strict := make([]bool, len(j.Sides[0].Keys))
	for i := range strict {
		strict[i] = j.NullSafe == nil || !j.NullSafe[i]
	}
	switch keyWords(typesAt(j.Sides[0].Types, j.Sides[0].Keys), strict) {
	case 0:
		j.core, err = openJoin[string](j, c, strict)
	case 1:
		j.core, err = openJoin[[1]uint64](j, c, strict)
	case 2:
		j.core, err = openJoin[[2]uint64](j, c, strict)
	default:
		j.core, err = openJoin[[3]uint64](j, c, strict)
	}
	return err
}

// Process implements operator.Operator.
func (j *Join) Process(input int, b record.Batch) error {
	return j.core.process(input, b.(*record.Columns))
}

// Close implements operator.Operator.
func (j *Join) Close() error { return nil }

// pairsMax is how many pairs are looked at together.
const pairsMax = column.BatchRows

// joinCore is a join whose keys are of type K.
type joinCore[K comparable] struct {
	*Join
	keyed *keyed[K]
	sides [2]*rowState[K]
	clock func() int64
	out   outBatch
	count *operator.Counters
	pairs joinPairs

	// What follows is about the batch in work.
	in    *record.Columns
	side  int
	nowMs int64
	found []int64 // by key: partners
	next  int     // the first row of the batch that is not finished
	nextK int     // the first key of a row that is not finished
	// A block of pairs: key j of the batch with candidate cand.
	key, cand []int32
	texts     []string       // candidates
	recs      []state.Record // the same, if they are linked
	from      []int32        // of recs: key
	lastRec   *byte          // of the pair before, for isCopy
	lastKey   int32
	kinds     []schema.RowKind
	mine      []int32 // rows of the batch, -1: NULL
	theirs    []int32 // candidates, -1: NULL
}

func openJoin[K comparable](j *Join, c *operator.Context, strict []bool) (*joinCore[K], error) {
	core := &joinCore[K]{
		Join: j, keyed: newKeyed[K](typesAt(j.Sides[0].Types, j.Sides[0].Keys), strict), clock: c.Now, count: c.Counters,
		out: newOutBatch(c, j.Out()),
	}
	for i := range j.Sides {
		s := &j.Sides[i]
		spec := rowSpec{
			name: [...]string{"left", "right"}[i], types: s.Types, ident: byRow, ttlMs: s.TTLMs, linked: j.outer(i) || j.semi() && i == 0,
		}
		switch {
		case s.HasUnique:
			spec.ident, spec.unique = byUnique, s.Unique
		case s.InsertOnly:
			spec.ident = never
		}
		var err error
		if core.sides[i], err = openRows(c, core.keyed, spec); err != nil {
			return nil, fmt.Errorf("the state of the %s side: %w", spec.name, err)
		}
	}
	return core, core.pairs.open(j.Env, j.Cond, j.Sides[0].Types, j.Sides[1].Types)
}

func (c *joinCore[K]) process(side int, in *record.Columns) error {
	c.count.In.Add(in.N)
	c.in, c.side, c.nowMs, c.next, c.nextK, c.lastRec = in, side, c.clock(), 0, 0, nil
	c.pairs.eval.NowMs = c.nowMs
	c.keyed.take(in, c.Sides[side].Keys)
	c.found = atLeast(c.found, len(c.keyed.keys))
	clear(c.found)
	if err := c.probe(); err != nil {
		return err
	}
	if err := c.store(); err != nil {
		return err
	}
	in.Release()
	c.in = nil
	if err := c.out.flush(false); err != nil {
		return err
	}
	for _, s := range c.sides {
		if err := s.sweep(c.nowMs); err != nil {
			return err
		}
	}
	return nil
}

// probe meets the batch with the other side.
func (c *joinCore[K]) probe() error {
	other := c.sides[1-c.side]
	access := state.Read
	if other.links >= 0 {
		access = state.Change
	}
	if err := other.rows.At(c.keyed.keys, c.keyed.hashes, access); err != nil {
		return err
	}
	for j := range c.keyed.keys {
		if other.rows.Len(j) == 0 {
			continue
		}
		n, first := other.rows.Note(j)
		if !first {
			for cand := n.A; cand < n.B; cand++ {
				c.key, c.cand = append(c.key, int32(j)), append(c.cand, cand)
			}
		} else if err := c.read(j, n); err != nil {
			return err
		}
		if len(c.key) >= pairsMax {
			if err := c.block(j, false); err != nil {
				return err
			}
		}
	}
	if err := c.block(len(c.keyed.keys), true); err != nil {
		return err
	}
	return other.rows.Done()
}

// read makes candidates of the rows of key j. If they are too many for one block they are
// forgotten with it, and read again for the next row of the key.
func (c *joinCore[K]) read(j int, n *state.Note) error {
	other := c.sides[1-c.side]
	cur, err := other.rows.Seek(j, nil)
	if err != nil {
		return err
	}
	n.A = int32(len(c.texts))
	for {
		rec, err := cur.Next()
		if err != nil {
			return err
		}
		if rec == nil {
			break
		}
		if other.expired(rec, c.nowMs) {
			continue
		}
		for range other.copies(rec) {
			if len(c.key) >= 2*pairsMax {
				if err := c.block(j, false); err != nil {
					return err
				}
			}
			c.key, c.cand = append(c.key, int32(j)), append(c.cand, int32(len(c.texts)))
			c.texts = append(c.texts, other.text(rec))
			if other.links >= 0 {
				c.recs, c.from = append(c.recs, rec), append(c.from, int32(j))
			}
		}
	}
	n.B = int32(len(c.texts))
	return nil
}

// block decodes the candidates, judges the pairs and emits what follows from them. Rows before that of key upTo are finished; all are at the end.
func (c *joinCore[K]) block(upTo int, last bool) error {
	err := c.pairs.load(c.texts, 1-c.side)
	if err == nil && len(c.key) > 0 {
		c.key, c.cand, err = c.pairs.judge(c.in, c.key, c.cand, c.keyed.rows)
	}
	if err != nil {
		return err
	}
	c.kinds, c.mine, c.theirs = c.kinds[:0], c.mine[:0], c.theirs[:0]
	if c.Kind == InnerJoin {
		c.inner()
	} else {
		if err := c.outerPairs(); err != nil {
			return err
		}
		end := c.in.N
		if !last {
			end = int(c.keyed.rows[upTo]) // row upTo itself may have more pairs to come
		}
		c.finish(end)
	}
	c.gather()
	c.key, c.cand, c.texts, c.recs, c.from = c.key[:0], c.cand[:0], c.texts[:0], c.recs[:0], c.from[:0]
	c.sides[1-c.side].rows.Forget()
	return c.out.flush(true)
}

// inner emits the pairs as they are.
func (c *joinCore[K]) inner() {
	for _, j := range c.key {
		c.mine = append(c.mine, c.keyed.rows[j])
	}
	c.theirs = append(c.theirs, c.cand...)
	if c.in.Kinds != nil {
		for _, i := range c.mine {
			c.kinds = append(c.kinds, c.in.Kinds[i])
		}
	}
}

// outerPairs goes through the pairs in the order of the batch's rows, and finishes the rows between them.
func (c *joinCore[K]) outerPairs() error {
	for p, j := range c.key {
		i := int(c.keyed.rows[j])
		c.finish(i)
		c.found[j]++
		if err := c.pair(i, c.cand[p], c.isCopy(j, c.cand[p])); err != nil {
			return err
		}
	}
	return nil
}

// isCopy reports whether the candidate is a further copy of the record that key j was paired with just before.
func (c *joinCore[K]) isCopy(j, cand int32) bool {
	if len(c.recs) == 0 {
		return false
	}
	rec := &c.recs[cand][0]
	again := rec == c.lastRec && j == c.lastKey
	c.lastRec, c.lastKey = rec, j
	return again
}

// pair emits what row i of the batch does with one row of the other side. again: it is one more copy of the record before.
func (c *joinCore[K]) pair(i int, cand int32, again bool) error {
	kind := c.in.Kind(i)
	retract := isRetract(kind)
	before := int64(-1)
	if other := c.sides[1-c.side]; other.links >= 0 {
		rec := c.recs[cand]
		if from := int(c.from[cand]); !other.rows.Solid(from) {
			var err error
			if rec, err = other.rows.Get(from, rec.Key(other.slots())); rec == nil || err != nil {
				return err
			}
		}
		before = rec.Slot(other.links)
		switch {
		case again && retract:
			before++
		case again:
			before--
		case retract:
			rec.SetSlot(other.links, before-1)
		default:
			rec.SetSlot(other.links, before+1)
		}
	}
	if c.semi() {
		c.semiPair(kind, before, cand)
		return nil
	}
	mine, theirs := c.outer(c.side), c.outer(1-c.side)
	if !retract {
		if theirs && before == 0 {
			c.emit(schema.Delete, -1, cand)
		}
		if mine || theirs {
			kind = schema.Insert
		}
		c.emit(kind, int32(i), cand)
		return nil
	}
	if mine {
		kind = schema.Delete
	}
	c.emit(kind, int32(i), cand)
	if theirs && before == 1 {
		c.emit(schema.Insert, -1, cand)
	}
	return nil
}

// semiPair emits a row of the left side that has got its first partner or lost its last one.
func (c *joinCore[K]) semiPair(kind schema.RowKind, before int64, cand int32) {
	if c.side == 0 {
		return
	}
	switch {
	case !isRetract(kind) && before == 0:
		if c.Kind == AntiJoin {
			kind = schema.Delete
		}
		c.emit(kind, -1, cand)
	case isRetract(kind) && before == 1:
		if c.Kind == AntiJoin {
			kind = schema.Insert
		}
		c.emit(kind, -1, cand)
	}
}

// finish emits what the rows before end do by having no partner, or, for semi joins, by having one.
func (c *joinCore[K]) finish(end int) {
	for ; c.next < end; c.next++ {
		i := c.next
		partners := int64(0)
		if c.nextK < len(c.keyed.rows) && int(c.keyed.rows[c.nextK]) == i {
			partners = c.found[c.nextK]
			c.nextK++
		}
		switch kind := c.in.Kind(i); {
		case c.semi():
			if c.side == 0 && (partners > 0) == (c.Kind == SemiJoin) {
				c.emit(kind, int32(i), -1)
			}
		case partners > 0 || !c.outer(c.side):
		case isRetract(kind):
			c.emit(schema.Delete, int32(i), -1)
		default:
			c.emit(schema.Insert, int32(i), -1)
		}
	}
}

func (c *joinCore[K]) emit(kind schema.RowKind, mine, theirs int32) {
	c.kinds, c.mine, c.theirs = append(c.kinds, kind), append(c.mine, mine), append(c.theirs, theirs)
}

// gather appends the rows to the output.
func (c *joinCore[K]) gather() {
	n := len(c.mine)
	if n == 0 {
		return
	}
	kinds := c.kinds
	if len(kinds) == 0 {
		kinds = nil
	}
	c.out.kinds(kinds, n)
	b := c.out.get()
	if c.semi() {
		c.gatherLeft(b)
		b.N += n
		return
	}
	left := len(c.Sides[0].Types)
	mineFrom, theirsFrom := 0, left
	if c.side == 1 {
		mineFrom, theirsFrom = left, 0
	}
	for k, v := range c.in.Cols {
		v.GatherOuter(b.Cols[mineFrom+k], c.mine)
	}
	for k, v := range c.pairs.cands.Cols {
		v.GatherOuter(b.Cols[theirsFrom+k], c.theirs)
	}
	b.N += n
}

// gatherLeft appends rows of the left side alone: the batch's, or candidates.
func (c *joinCore[K]) gatherLeft(b *record.Columns) {
	if c.side == 0 {
		for k, v := range c.in.Cols {
			v.Gather(b.Cols[k], c.mine)
		}
		return
	}
	for k, v := range c.pairs.cands.Cols {
		v.Gather(b.Cols[k], c.theirs)
	}
}

// store applies the batch to its own side. Rows without a key have no partner, now or later, so they are not kept.
func (c *joinCore[K]) store() error {
	own := c.sides[c.side]
	if err := own.rows.At(c.keyed.keys, c.keyed.hashes, state.Add); err != nil {
		return err
	}
	for j, i := range c.keyed.rows {
		if err := own.change(j, &c.in.Batch, int(i), c.found[j], c.nowMs); err != nil {
			return err
		}
	}
	return own.rows.Done()
}
