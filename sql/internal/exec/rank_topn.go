package exec

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/schema"
)

// SortKey orders by a column.
type SortKey struct {
	Column          int
	Desc, NullsLast bool
}

// appendSortKeys encodes what row i is ordered by.
func appendSortKeys(dst []byte, keys []SortKey, cols []*column.Vector, i int) []byte {
	for _, k := range keys {
		dst = column.AppendSortKey(dst, cols[k.Column], i, k.Desc, k.NullsLast)
	}
	return dst
}

// RankInput says what a Top-N is told of its input, and so what it has to keep.
type RankInput uint8

// The inputs: rows that are only added, of which the first ones are kept; rows by a unique key that only ever move up, the same; any changelog,
// of which everything is kept.
const (
	RankInserts RankInput = iota
	RankUpserts
	RankChangelog
)

// Rank is Top-N: the rows [From, To] of each partition in an order, equal ones in the order in which they came.
//
// Changes of one partition inside a batch are folded: its rows before and after are compared. With the number each place that has another row is
// -U and +U; without it rows that left are -D and rows that came are +I, or, if they have the same unique key, -U and +U. That is what Flink
// emits, with one row a batch.
type Rank struct {
	In        []column.Type
	Partition []int
	Order     []SortKey
	// From and To are counted from 1. ToColumn is the column that has To, if it is not constant; -1: none. The first row of a partition decides.
	From, To int64
	ToColumn int
	// Number adds the place as the last column, a BIGINT.
	Number bool
	Input  RankInput
	// Unique is the unique key of RankUpserts.
	Unique []int
	// UpdateBefore says that -U is wanted.
	UpdateBefore bool
	TTLMs        int64

	core interface {
		process(in *record.Columns) error
	}
}

// Out are the types of the output.
func (r *Rank) Out() []column.Type {
	out := slices.Clone(r.In)
	if r.Number {
		out = append(out, column.Of(column.BigInt).Nullable(false))
	}
	return out
}

// Open implements operator.Operator.
func (r *Rank) Open(c *operator.Context) (err error) {
	switch keyWords(typesAt(r.In, r.Partition), nil) {
	case 0:
		r.core, err = openRank[string](r, c)
	case 1:
		r.core, err = openRank[[1]uint64](r, c)
	case 2:
		r.core, err = openRank[[2]uint64](r, c)
	default:
		r.core, err = openRank[[3]uint64](r, c)
	}
	return err
}

// Process implements operator.Operator.
func (r *Rank) Process(_ int, b record.Batch) error { return r.core.process(b.(*record.Columns)) }

// Close implements operator.Operator.
func (r *Rank) Close() error { return nil }

// rankCore is a Top-N whose partitions are named by K. A record's row is, for RankUpserts, its unique key with a length of four bytes before it,
// and the encoded row.
type rankCore[K comparable] struct {
	*Rank
	keyed  *keyed[K]
	rows   *state.Ordered[K]
	codec  column.RowCodec
	unique column.RowCodec
	clock  func() int64
	count  *operator.Counters
	out    outBatch

	sortKey, row []byte
	uniqueCols   []*column.Vector
	touched      []rankTouched
	before       []ranked
	after        []ranked
	left, came   []ranked
	// What is emitted.
	texts   []string
	kinds   []schema.RowKind
	numbers []int64
	pos     []int32
	sweep   sweepClock
}

// rankTouched is a partition of the batch: its rows before are before[from:to].
type rankTouched struct{ key, from, to int32 }

// ranked is a row in its place.
type ranked struct{ sortKey, row string }

func openRank[K comparable](r *Rank, c *operator.Context) (*rankCore[K], error) {
	if r.ToColumn < 0 && r.To < r.From {
		return nil, fmt.Errorf("BUG: a Top-N of the rows %d to %d", r.From, r.To)
	}
	core := &rankCore[K]{
		Rank: r, keyed: newKeyed[K](typesAt(r.In, r.Partition), nil), codec: column.RowCodec{Types: r.In},
		unique: column.RowCodec{Types: typesAt(r.In, r.Unique), Canonical: true}, clock: c.Now, count: c.Counters, out: newOutBatch(c, r.Out()),
		sweep: sweepClock{ttlMs: r.TTLMs, sweptMs: c.Now()},
	}
	kind := fmt.Sprint("ordered by ", r.Order, " ", r.Input, " ", r.Unique)
	slots := 0
	if r.ToColumn >= 0 {
		slots = 1
	}
	var err error
	core.rows, err = core.keyed.registerRows(c.Backend, state.OrderedPlace{UID: c.UID, Name: "rows", Slots: slots, Record: rowsSchema(kind, r.In)})
	return core, err
}

func (c *rankCore[K]) process(in *record.Columns) error {
	c.count.In.Add(in.N)
	now := c.clock()
	c.keyed.take(in, c.Partition)
	if err := c.rows.At(c.keyed.keys, c.keyed.hashes, state.Add); err != nil {
		return err
	}
	c.touched, c.before = c.touched[:0], c.before[:0]
	for i := range in.N {
		if err := c.touch(i); err != nil {
			return err
		}
		if err := c.change(in, i); err != nil {
			return err
		}
		c.rows.Stamp(i, now)
	}
	c.texts, c.kinds, c.numbers = c.texts[:0], c.kinds[:0], c.numbers[:0]
	for _, t := range c.touched {
		if err := c.compare(t); err != nil {
			return err
		}
	}
	if err := c.rows.Done(); err != nil {
		return err
	}
	if err := c.emit(); err != nil {
		return err
	}
	in.Release()
	if !c.sweep.due(now) {
		return nil
	}
	ended, err := c.rows.Sweep(now - c.TTLMs + 1)
	c.sweep.sweeping = !ended
	return err
}

// touch notes the rows of a partition before its first change.
func (c *rankCore[K]) touch(i int) error {
	n, first := c.rows.Note(i)
	if !first {
		return nil
	}
	n.A = int32(len(c.touched))
	t := rankTouched{key: int32(i), from: int32(len(c.before))}
	var err error
	c.before, err = c.read(c.before, i)
	t.to = int32(len(c.before))
	c.touched = append(c.touched, t)
	return err
}

// read appends the rows of partition i that are within the limit.
func (c *rankCore[K]) read(dst []ranked, i int) ([]ranked, error) {
	cur, err := c.rows.Seek(i, nil)
	if err != nil {
		return dst, err
	}
	slots, limit := c.slots(), c.To
	for n := int64(0); ; n++ {
		rec, err := cur.Next()
		if rec == nil || err != nil {
			return dst, err
		}
		if n == 0 && slots > 0 {
			limit = rec.Slot(0)
		}
		if n >= limit {
			return dst, nil
		}
		dst = append(dst, ranked{view(rec.Key(slots)), view(rec.Row())})
	}
}

func (c *rankCore[K]) slots() int {
	if c.ToColumn >= 0 {
		return 1
	}
	return 0
}

// change applies row i of the batch.
func (c *rankCore[K]) change(in *record.Columns, i int) error {
	c.sortKey = appendSortKeys(c.sortKey[:0], c.Order, in.Cols, i)
	limit, err := c.limit(in, i)
	if err != nil {
		return err
	}
	if c.Input != RankUpserts {
		c.row = c.row[:0]
	} else if err := c.removeUnique(in, i); err != nil {
		return err
	}
	if c.Input == RankChangelog {
		c.row = c.codec.Append(c.row, in.Cols, i)
		if isRetract(in.Kind(i)) {
			_, err := c.rows.RemoveRow(i, c.sortKey, c.row)
			return err
		}
		return c.insert(i, limit)
	}
	if isRetract(in.Kind(i)) {
		if c.Input == RankInserts {
			return errRetracted
		}
		return nil
	}
	if c.rows.Len(i) >= limit {
		last, err := c.rows.Last(i)
		if err != nil || last == nil || bytes.Compare(last.Key(c.slots()), c.sortKey) <= 0 {
			return err
		}
	}
	c.row = c.codec.Append(c.row, in.Cols, i)
	if err := c.insert(i, limit); err != nil {
		return err
	}
	for c.rows.Len(i) > limit {
		if err := c.rows.RemoveLast(i); err != nil {
			return err
		}
	}
	return nil
}

func (c *rankCore[K]) insert(i int, limit int64) error {
	rec, err := c.rows.Insert(i, c.sortKey, c.row)
	if err == nil && c.ToColumn >= 0 {
		rec.SetSlot(0, limit)
	}
	return err
}

// limit is To for the partition of row i.
func (c *rankCore[K]) limit(in *record.Columns, i int) (int64, error) {
	if c.ToColumn < 0 {
		return c.To, nil
	}
	rec, err := c.rows.Last(i)
	if err != nil {
		return 0, err
	}
	if rec != nil {
		return rec.Slot(0), nil
	}
	return wholeAt(in.Cols[c.ToColumn], i), nil
}

// wholeAt is a whole number of any width; 0 for NULL.
func wholeAt(v *column.Vector, i int) int64 {
	switch v.Store {
	case column.Int8s:
		return int64(v.I8[i])
	case column.Int16s:
		return int64(v.I16[i])
	case column.Int32s:
		return int64(v.I32[i])
	case column.Int64s:
		return v.I64[i]
	}
	return math.MaxInt64
}

// removeUnique takes away what the row replaces, and begins c.row with its unique key.
func (c *rankCore[K]) removeUnique(in *record.Columns, i int) error {
	c.uniqueCols = colsAt(c.uniqueCols, in.Cols, c.Unique)
	c.row = c.unique.Append(append(c.row[:0], 0, 0, 0, 0), c.uniqueCols, i)
	binary.LittleEndian.PutUint32(c.row, uint32(len(c.row)-4))
	cur, err := c.rows.Seek(i, nil)
	if err != nil {
		return err
	}
	for {
		rec, err := cur.Next()
		if rec == nil || err != nil {
			return err
		}
		if bytes.HasPrefix(rec.Row(), c.row) {
			_, err := c.rows.RemoveRow(i, rec.Key(c.slots()), rec.Row())
			return err
		}
	}
}

// uniqueOf is the unique key of a row as it is kept, with its length; "" if rows have none.
func (c *rankCore[K]) uniqueOf(row string) string {
	if c.Input != RankUpserts {
		return ""
	}
	n := uint32(row[0]) | uint32(row[1])<<8 | uint32(row[2])<<16 | uint32(row[3])<<24
	return row[:4+n]
}

// compare lists what has become of a partition.
func (c *rankCore[K]) compare(t rankTouched) (err error) {
	if c.after, err = c.read(c.after[:0], int(t.key)); err != nil {
		return err
	}
	before, after := c.before[t.from:t.to], c.after
	skip := int(min(c.From-1, math.MaxInt32))
	before, after = before[min(skip, len(before)):], after[min(skip, len(after)):]
	if c.Number {
		c.comparePlaces(before, after)
	} else {
		c.compareRows(before, after)
	}
	return nil
}

func (c *rankCore[K]) comparePlaces(before, after []ranked) {
	for p := range max(len(before), len(after)) {
		number := c.From + int64(p)
		switch {
		case p >= len(after):
			c.list(schema.Delete, before[p], number)
		case p >= len(before):
			c.list(schema.Insert, after[p], number)
		case before[p].row != after[p].row:
			c.list(schema.UpdateBefore, before[p], number)
			c.list(schema.UpdateAfter, after[p], number)
		}
	}
}

// compareRows goes through both lists in their order.
func (c *rankCore[K]) compareRows(before, after []ranked) {
	c.left, c.came = c.left[:0], c.came[:0]
	b, a := 0, 0
	for b < len(before) || a < len(after) {
		switch {
		case a == len(after):
			c.left = append(c.left, before[b])
			b++
		case b == len(before):
			c.came = append(c.came, after[a])
			a++
		case before[b] == after[a]:
			b++
			a++
		case before[b].sortKey <= after[a].sortKey:
			c.left = append(c.left, before[b])
			b++
		default:
			c.came = append(c.came, after[a])
			a++
		}
	}
	for k, x := range c.left {
		if c.cameAgain(x, true) < 0 {
			c.list(schema.Delete, c.left[k], 0)
		}
	}
	for _, x := range c.came {
		if k := c.cameAgain(x, false); k >= 0 {
			c.list(schema.UpdateBefore, c.left[k], 0)
			c.list(schema.UpdateAfter, x, 0)
		} else {
			c.list(schema.Insert, x, 0)
		}
	}
}

// cameAgain is the place, in the other list, of the row with the same unique key; -1 if there is none.
func (c *rankCore[K]) cameAgain(x ranked, left bool) int {
	if c.Input != RankUpserts {
		return -1
	}
	in := c.left
	if left {
		in = c.came
	}
	unique := c.uniqueOf(x.row)
	return slices.IndexFunc(in, func(y ranked) bool { return c.uniqueOf(y.row) == unique })
}

func (c *rankCore[K]) list(kind schema.RowKind, x ranked, number int64) {
	if kind == schema.UpdateBefore && !c.UpdateBefore {
		return
	}
	c.texts = append(c.texts, x.row[len(c.uniqueOf(x.row)):])
	c.kinds, c.numbers = append(c.kinds, kind), append(c.numbers, number)
}

func (c *rankCore[K]) emit() (err error) {
	if len(c.texts) == 0 {
		return nil
	}
	c.out.kinds(c.kinds, len(c.kinds))
	b := c.out.get()
	if c.pos, err = c.codec.DecodeAll(c.texts, b.Cols[:len(c.In)], c.pos); err != nil {
		return err
	}
	if c.Number {
		v := b.Cols[len(c.In)]
		v.I64 = append(v.I64, c.numbers...)
		v.Len += len(c.numbers)
	}
	b.N += len(c.texts)
	return c.out.flush(false)
}
