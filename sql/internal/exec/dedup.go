package exec

import (
	"encoding/binary"
	"errors"
	"math"
	"unsafe"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/schema"
)

// Deduplicate keeps one row of each key: the first or the last, in the order of a time column or of arrival. It is Top-1 by a time attribute,
// and, with Normalize, what makes a full changelog of an upsert source.
//
// Changes of one key inside a batch are folded: what the batch as a whole did to the key is emitted. With one row a batch that is Flink's
// changelog: +I, then -U and +U.
type Deduplicate struct {
	In   []column.Type
	Keys []int
	// Time is the time column that orders rows; -1: they come in order (processing time). Of rows of one time the first is the first, the last
	// the last.
	Time     int
	KeepLast bool
	// UpdateBefore says that -U is wanted.
	UpdateBefore bool
	// Normalize says that the input is a changelog by key, with deletions and perhaps without -U: +I and +U put a row in the place of the
	// one before, -U and -D take it away, and all may come without cause. KeepLast is set and Time is -1.
	Normalize bool
	// TTLMs is how long a key is kept after it was last written, in milliseconds of processing time; 0: for ever.
	TTLMs int64

	core interface {
		process(in *record.Columns) error
	}
}

// keptRow is the row of a key.
type keptRow struct {
	Order   int64 // of its time
	StampMs int64
	Row     string
	There   bool

	// What the batch in work does to it; not stored.
	batch  uint64
	before string
	was    bool
	winner int32 // row of the batch; -1: what was there
}

// Open implements operator.Operator.
func (d *Deduplicate) Open(c *operator.Context) (err error) {
	switch keyWords(typesAt(d.In, d.Keys), nil) {
	case 0:
		d.core, err = openDedup[string](d, c)
	case 1:
		d.core, err = openDedup[[1]uint64](d, c)
	case 2:
		d.core, err = openDedup[[2]uint64](d, c)
	default:
		d.core, err = openDedup[[3]uint64](d, c)
	}
	return err
}

// Process implements operator.Operator.
func (d *Deduplicate) Process(_ int, b record.Batch) error {
	return d.core.process(b.(*record.Columns))
}

// Close implements operator.Operator.
func (d *Deduplicate) Close() error { return nil }

type dedupCore[K comparable] struct {
	*Deduplicate
	keyed *keyed[K]
	table *state.Table[K, keptRow]
	codec column.RowCodec
	clock func() int64
	count *operator.Counters
	out   outBatch
	batch uint64

	vals    []*keptRow
	touched []int32 // first row of each key of the batch
	order   []int64
	buf     []byte
	texts   []string
	kinds   []schema.RowKind
	rows    []int32
	pos     []int32
	sweeper rowSweeper[K]
}

func openDedup[K comparable](d *Deduplicate, c *operator.Context) (*dedupCore[K], error) {
	core := &dedupCore[K]{
		Deduplicate: d, keyed: newKeyed[K](typesAt(d.In, d.Keys), nil), codec: column.RowCodec{Types: d.In}, clock: c.Now, count: c.Counters,
		out: newOutBatch(c, d.In),
	}
	desc := describeKeys[K, keptRow](core.keyed.layout)
	desc.Values = state.Format[keptRow]{Append: appendKept, Decode: decodeKept, Schema: rowsSchema("one of a key", d.In)}
	var err error
	core.table, err = state.RegisterTable(c.Backend, c.UID, "rows", desc)
	core.sweeper = rowSweeper[K]{sweepClock: sweepClock{ttlMs: d.TTLMs, sweptMs: c.Now()}, table: core.table}
	return core, err
}

func appendKept(dst []byte, r *keptRow) []byte {
	dst = binary.AppendVarint(binary.AppendVarint(dst, r.Order), r.StampMs)
	if !r.There {
		return append(dst, 0)
	}
	return append(binary.AppendUvarint(append(dst, 1), uint64(len(r.Row))), r.Row...)
}

var errKept = errors.New("a stored row is damaged")

func decodeKept(src []byte, r *keptRow) (int, error) {
	*r = keptRow{}
	pos := 0
	for _, to := range [...]*int64{&r.Order, &r.StampMs} {
		v, n := binary.Varint(src[pos:])
		if n <= 0 {
			return 0, errKept
		}
		*to = v
		pos += n
	}
	if pos == len(src) {
		return 0, errKept
	}
	if pos++; src[pos-1] == 0 {
		return pos, nil
	}
	size, n := binary.Uvarint(src[pos:])
	if n <= 0 || size > uint64(len(src)-pos-n) {
		return 0, errKept
	}
	pos += n + int(size)
	r.There, r.Row = true, string(src[pos-int(size):pos])
	return pos, nil
}

func (c *dedupCore[K]) process(in *record.Columns) error {
	c.count.In.Add(in.N)
	now := c.clock()
	c.keyed.take(in, c.Keys)
	c.vals = atLeast(c.vals, in.N)
	if err := c.table.Upsert(c.keyed.keys, c.keyed.hashes, c.vals); err != nil {
		return err
	}
	c.batch++
	c.touched = c.touched[:0]
	c.orders(in)
	for i, v := range c.vals {
		if v.batch != c.batch {
			v.batch, v.winner, v.before = c.batch, -1, v.Row
			if c.TTLMs > 0 && v.StampMs+c.TTLMs <= now {
				v.There = false
			}
			v.was = v.There
			c.touched = append(c.touched, int32(i))
		}
		c.judge(in, v, i)
	}
	c.encode(in, now)
	if err := c.takeBack(); err != nil {
		return err
	}
	c.add(in)
	if err := c.bury(); err != nil {
		return err
	}
	in.Release()
	if err := c.out.flush(false); err != nil {
		return err
	}
	return c.sweeper.sweep(now)
}

// orders reads the time column.
func (c *dedupCore[K]) orders(in *record.Columns) {
	c.order = atLeast(c.order, in.N)
	if c.Time < 0 {
		clear(c.order)
		return
	}
	rowTimes(in.Cols[c.Time], c.order)
}

// rowTimes reads a time column as numbers that are ordered as its values; NULL is the least.
func rowTimes(v *column.Vector, out []int64) {
	if v.Store == column.Int128s {
		for i, x := range v.I128[:len(out)] {
			out[i] = int64(x.Lo)
		}
	} else {
		copy(out, v.I64[:len(out)])
	}
	if v.Valid == nil {
		return
	}
	for i := range out {
		if !v.Valid.Get(i) {
			out[i] = math.MinInt64
		}
	}
}

// judge lets row i be the row of its key, if it is.
func (c *dedupCore[K]) judge(in *record.Columns, v *keptRow, i int) {
	if c.Normalize {
		v.There, v.winner = true, int32(i)
		if isRetract(in.Kind(i)) { // a -U, too: no +U need follow
			v.There, v.winner = false, -1
		}
		return
	}
	if v.There && (c.KeepLast && c.order[i] < v.Order || !c.KeepLast && c.order[i] >= v.Order) {
		return
	}
	v.There, v.Order, v.winner = true, c.order[i], int32(i)
}

// encode stores the winners. In a changelog a row that comes again as it was is no change, unless its time to live begins anew downstream.
func (c *dedupCore[K]) encode(in *record.Columns, now int64) {
	first := !c.KeepLast && c.Time < 0 // of arrival: it never changes, so it need not be known
	for _, t := range c.touched {
		v := c.vals[t]
		if v.winner < 0 {
			continue
		}
		v.StampMs = now
		if first {
			continue
		}
		c.buf = c.codec.Append(c.buf[:0], in.Cols, int(v.winner))
		if c.Normalize && v.was && v.before == string(c.buf) && c.TTLMs <= 0 {
			v.winner = -1
			continue
		}
		v.Row = string(c.buf)
	}
}

// takeBack emits what the batch takes back.
func (c *dedupCore[K]) takeBack() (err error) {
	c.texts, c.kinds = c.texts[:0], c.kinds[:0]
	for _, t := range c.touched {
		switch v := c.vals[t]; {
		case !v.was || v.There && (v.winner < 0 || !c.UpdateBefore):
		case !v.There:
			c.texts, c.kinds = append(c.texts, v.before), append(c.kinds, schema.Delete)
		default:
			c.texts, c.kinds = append(c.texts, v.before), append(c.kinds, schema.UpdateBefore)
		}
	}
	c.pos, err = c.out.texts(&c.codec, c.texts, c.kinds, c.pos)
	return err
}

// add emits the winners.
func (c *dedupCore[K]) add(in *record.Columns) {
	c.rows, c.kinds = c.rows[:0], c.kinds[:0]
	inserts := true
	for _, t := range c.touched {
		v := c.vals[t]
		if v.winner < 0 {
			continue
		}
		kind := schema.Insert
		if v.was {
			kind, inserts = schema.UpdateAfter, false
		}
		c.rows, c.kinds = append(c.rows, v.winner), append(c.kinds, kind)
	}
	if len(c.rows) == 0 {
		return
	}
	if inserts {
		c.out.kinds(nil, len(c.rows))
	} else {
		c.out.kinds(c.kinds, len(c.rows))
	}
	b := c.out.get()
	for k, v := range in.Cols {
		v.Gather(b.Cols[k], c.rows)
	}
	b.N += len(c.rows)
}

// bury removes the keys whose row was deleted.
func (c *dedupCore[K]) bury() error {
	if !c.Normalize {
		return nil
	}
	for _, t := range c.touched {
		if c.vals[t].There {
			continue
		}
		if _, err := c.table.Delete(c.keyed.keys[t], c.keyed.hashes[t]); err != nil {
			return err
		}
	}
	return nil
}

// texts appends encoded rows with their kinds.
func (o *outBatch) texts(codec *column.RowCodec, texts []string, kinds []schema.RowKind, pos []int32) ([]int32, error) {
	if len(texts) == 0 {
		return pos, nil
	}
	o.kinds(kinds, len(texts))
	b := o.get()
	pos, err := codec.DecodeAll(texts, b.Cols, pos)
	b.N += len(texts)
	return pos, err
}

// view is bytes that nobody will write, as text.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// rowSweeper removes keys whose time to live is over, some at a time.
type rowSweeper[K comparable] struct {
	sweepClock
	table  *state.Table[K, keptRow]
	cursor uint64
	keys   []K
	vals   []*keptRow
}

// sweptKeys is how many keys a call looks at.
const sweptKeys = 128

func (s *rowSweeper[K]) sweep(nowMs int64) error {
	if !s.due(nowMs) {
		return nil
	}
	if s.keys == nil {
		s.keys, s.vals = make([]K, sweptKeys), make([]*keptRow, sweptKeys)
	}
	n, next, err := s.table.Scan(s.cursor, s.keys, s.vals)
	if err != nil {
		return err
	}
	s.cursor, s.sweeping = next, next != 0
	old := s.keys[:0]
	for i := range n {
		if s.vals[i].StampMs+s.ttlMs <= nowMs {
			old = append(old, s.keys[i])
		}
	}
	for i := range old {
		hash := s.table.Hash(&old[i])
		// A scan of a store sees entries as they were when it began.
		if v, err := s.table.Get(old[i], hash); v == nil || err != nil || v.StampMs+s.ttlMs > nowMs {
			if err != nil {
				return err
			}
			continue
		}
		if _, err := s.table.Delete(old[i], hash); err != nil {
			return err
		}
	}
	return nil
}
