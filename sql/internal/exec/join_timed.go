package exec

import (
	"encoding/binary"
	"math"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/internal/expr"
)

// TimedSide is an input of a join that is about time.
type TimedSide struct {
	Types []column.Type
	// Keys are the columns of the equalities, as many as on the other side and of the same types.
	Keys []int
	// Time is the column with the row's time: its rowtime, its version's, or the end of its window.
	Time int
}

// timedJoin is what interval, window and temporal joins share: rows of both sides by key, ordered by time, and timers by key. A record's sort key
// is its time and, so that it can be found again, a number.
type timedJoin[K comparable] struct {
	sides   [2]TimedSide
	keyed   *keyed[K]
	rows    [2]*state.Ordered[K]
	codecs  [2]column.RowCodec
	timers  *state.Timers[K]
	pairs   joinPairs
	out     outBatch
	count   *operator.Counters
	clock   func() int64
	mark    int64 // of event time
	sortKey []byte
	row     []byte
	times   []int64
	one     [1]K // the key of a timer
	oneHash [1]uint64

	// Rows to emit: of the batch or the left side, and of the candidates or the right side; -1: NULL.
	kinds        []schema.RowKind
	mine, theirs []int32
	key, cand    []int32
	texts        []string
}

// timedSpec says how a timed join differs from others.
type timedSpec struct {
	env   *expr.Env
	sides [2]TimedSide
	safe  []bool // key columns where NULL equals NULL
	cond  expr.Expr
	out   []column.Type
	slots [2]int
	kind  string // for the state's description
}

func openTimed[K comparable](c *operator.Context, s timedSpec) (t timedJoin[K], err error) {
	t = timedJoin[K]{
		sides: s.sides, keyed: newKeyed[K](typesAt(s.sides[0].Types, s.sides[0].Keys), strictKeys(s.sides[0].Keys, s.safe)),
		out: newOutBatch(c, s.out), count: c.Counters, clock: c.Now, mark: c.Restored.Watermark,
	}
	for i, name := range [...]string{"left", "right"} {
		t.codecs[i] = column.RowCodec{Types: s.sides[i].Types}
		t.rows[i], err = t.keyed.registerRows(c.Backend, state.OrderedPlace{
			UID: c.UID, Name: name, Slots: s.slots[i], Record: rowsSchema(s.kind, s.sides[i].Types),
		})
		if err != nil {
			return t, err
		}
	}
	d := describeKeys[K, uint64](t.keyed.layout)
	if d.Values, err = state.FormatFor[uint64](); err != nil {
		return t, err
	}
	if t.timers, err = state.RegisterTimersOf(c.Backend, c.UID, "timers", d); err != nil {
		return t, err
	}
	return t, t.pairs.open(s.env, s.cond, s.sides[0].Types, s.sides[1].Types)
}

// strictKeys says of each key column that NULL equals nothing, unless it is safe.
func strictKeys(keys []int, safe []bool) []bool {
	strict := make([]bool, len(keys))
	for i := range strict {
		strict[i] = safe == nil || !safe[i]
	}
	return strict
}

// timeKey is the sort key that all records of the time or later have behind it.
func timeKey(dst []byte, ms int64) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(ms)^1<<63)
}

// timeOf is the time of a record.
func timeOf(key []byte) int64 { return int64(binary.BigEndian.Uint64(key) ^ 1<<63) }

// readTimes reads the time column of a batch in milliseconds.
func (t *timedJoin[K]) readTimes(side int, in *record.Columns) {
	v := in.Cols[t.sides[side].Time]
	t.times = atLeast(t.times, in.N)
	rowTimes(v, t.times)
	unit := timeUnit(v.Type)
	if unit == 1 {
		return
	}
	for i := range t.times {
		t.times[i] = floorDiv(t.times[i], unit)
	}
}

// keep adds row i of the batch to key j of the vector, which was found to add.
func (t *timedJoin[K]) keep(side, j int, in *record.Columns, i int, ms int64) (state.Record, error) {
	rows := t.rows[side]
	number := rows.Stamped(j) + 1
	rows.Stamp(j, number)
	t.sortKey = binary.BigEndian.AppendUint64(timeKey(t.sortKey[:0], ms), uint64(number))
	t.row = t.codecs[side].Append(t.row[:0], in.Cols, i)
	return rows.Insert(j, t.sortKey, t.row)
}

// at finds the key of a timer on one side.
func (t *timedJoin[K]) at(side int, x state.Timer[K], a state.Access) error {
	t.one[0], t.oneHash[0] = x.Key, x.Hash
	return t.rows[side].At(t.one[:], t.oneHash[:], a)
}

// saturated is a + b, or the end of time.
func saturated(a, b int64) int64 {
	switch s := a + b; {
	case b > 0 && s < a:
		return math.MaxInt64
	case b < 0 && s > a:
		return math.MinInt64
	default:
		return s
	}
}

// emit lists a row.
func (t *timedJoin[K]) emit(kind schema.RowKind, mine, theirs int32) {
	t.kinds, t.mine, t.theirs = append(t.kinds, kind), append(t.mine, mine), append(t.theirs, theirs)
}

// gather appends what was listed to the output; side is that of mine.
func (t *timedJoin[K]) gather(side int, mine, theirs []*column.Vector) {
	n := len(t.mine)
	if n == 0 {
		return
	}
	kinds := t.kinds
	if allInserts(kinds) {
		kinds = nil
	}
	t.out.kinds(kinds, n)
	b := t.out.get()
	left := len(t.sides[0].Types)
	mineFrom, theirsFrom := 0, left
	if side == 1 {
		mineFrom, theirsFrom = left, 0
	}
	for k, v := range mine {
		if mineFrom+k < len(b.Cols) {
			v.GatherOuter(b.Cols[mineFrom+k], t.mine)
		}
	}
	for k, v := range theirs {
		if theirsFrom+k < len(b.Cols) { // a semi join has the left side only
			v.GatherOuter(b.Cols[theirsFrom+k], t.theirs)
		}
	}
	b.N += n
	t.kinds, t.mine, t.theirs = t.kinds[:0], t.mine[:0], t.theirs[:0]
}

func allInserts(kinds []schema.RowKind) bool {
	for _, k := range kinds {
		if k != schema.Insert {
			return false
		}
	}
	return true
}

// timersAtOnce is how many timers fire before the output of them is let go.
const timersAtOnce = 512

// fireAll pops the timers that are due and calls fire for each; more says that there are others.
func (t *timedJoin[K]) fireAll(upTo int64, fire func(x state.Timer[K]) error) (more bool, err error) {
	for range timersAtOnce {
		x, ok, err := t.timers.Pop(upTo)
		if err != nil {
			return false, err
		}
		if !ok {
			return false, t.out.flush(false)
		}
		if err := fire(x); err != nil {
			return false, err
		}
		if t.out.batch != nil && t.out.batch.Full() {
			break
		}
	}
	return true, t.out.flush(false)
}
