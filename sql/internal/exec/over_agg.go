package exec

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/internal/expr"
)

// OverMode says when the rows of OVER are computed.
type OverMode uint8

// The modes. In all but OverChanges the input is only added to, and so is the output.
const (
	// OverEventTime orders by a rowtime column, ascending: rows are computed when the watermark has passed them; rows behind it are late.
	OverEventTime OverMode = iota
	// OverProcessingTime orders by processing time: rows are computed as they come.
	OverProcessingTime
	// OverChanges orders by any columns and takes any changelog: all rows of a partition are kept, and those whose results change are sent anew.
	OverChanges
	// OverFinal orders by any columns and computes each partition once, at the end of the input.
	OverFinal
)

// OrderKey is a column to order by.
type OrderKey struct {
	Column          int
	Desc, NullsLast bool
}

// Frame is the rows around the current one that its result is computed of: from Start to End, in rows or, for RANGE over time, in milliseconds;
// before the current row they are negative. FromStart and ToEnd are the partition's ends. RANGE without offsets has the current row's peers.
type Frame struct {
	Rows             bool
	Start, End       int64
	FromStart, ToEnd bool
}

// OverAggregate computes functions over the rows around each row. The output is the input's columns, then the results. The input is partitioned by
// the hashes of Partition.
//
// State is, for each partition, the rows that wait for the watermark, those that a frame may still need, and the accumulators of the last frame:
// one moves on from row to row, so that each row is added once and taken out once.
type OverAggregate struct {
	Env       *expr.Env
	In        []column.Type
	Partition []int
	// Order is for OverChanges and OverFinal. Time is the place of the rowtime column, for OverEventTime and -1 else.
	Order []OrderKey
	Time  int
	Frame Frame
	Calls []AggCall
	Mode  OverMode
	// Retracts says that the input has rows of kind -U or -D, UpdateBefore that the consumer needs -U rows; for OverChanges.
	Retracts, UpdateBefore bool
	// TTLMs is how long an untouched partition's state lives, in milliseconds of processing time; 0: for ever.
	TTLMs int64

	ctx    *operator.Context
	table  *state.Value[string, overState]
	layout *keyLayout
	codec  column.RowCodec
	frames framer
	types  []column.Type
	queue  overQueue
	wm     int64
	keys   []string
	hashes []uint64
	cols   []*column.Vector
	vals   []*overState
	buf    []byte
	batch  *record.Columns
	touch  map[*overState]*overChange
	order  []*overState
}

// overState is a partition.
type overState struct {
	frameState
	due     int64 // when its entry in the queue stands; math.MaxInt64: none
	pending []overRow
}

// overRow is a row that waits: its time or sort key, and its bytes.
type overRow struct {
	time int64
	key  string
	row  string
}

// Open implements operator.Operator.
func (o *OverAggregate) Open(c *operator.Context) (err error) {
	o.ctx, o.wm = c, math.MinInt64
	if c.Restored.IsRestored {
		o.wm = c.Restored.Watermark
	}
	keys := keySpec{lead: len(o.Partition)}
	for _, k := range o.Partition {
		keys.types = append(keys.types, o.In[k])
	}
	o.layout = newKeyLayout(keys)
	o.layout.words = 0 // keys are bytes: the partition's state is no words anyway
	for _, t := range o.In {
		o.types = append(o.types, t)
	}
	for _, call := range o.Calls {
		o.types = append(o.types, call.Of)
	}
	o.codec.Types = o.In
	if err := o.frames.open(o); err != nil {
		return err
	}
	d := describeKeys[string, overState](o.layout)
	d.Init = func(_ *string, s *overState) { o.fresh(s) }
	d.Values = state.Format[overState]{Append: o.encode, Decode: o.decode, Schema: o.schema(), Shared: true}
	o.table, err = state.RegisterDescribed(c.Backend, state.Place{UID: c.UID, Name: "partitions", TTL: state.TTL{Ms: o.TTLMs}}, d)
	if err != nil || c.DeclareOnly {
		return err
	}
	o.touch = map[*overState]*overChange{}
	return o.restore()
}

func (o *OverAggregate) schema() *schema.Type {
	t := o.frames.schema()
	for i, of := range o.In {
		t.Fields = append(t.Fields, schema.Field{
			Name: fmt.Sprintf("column %d", i), Type: &schema.Type{Kind: schema.Custom, Name: of.Nullable(true).String()},
		})
	}
	return t
}

func (o *OverAggregate) fresh(s *overState) {
	s.due, s.pending = math.MaxInt64, nil
	o.frames.fresh(&s.frameState)
}

// restore builds the queue.
func (o *OverAggregate) restore() error {
	keys, vals := make([]string, scanRows), make([]*overState, scanRows)
	for cursor, first := uint64(0), true; first || cursor != 0; first = false {
		n, next, err := o.table.Scan(cursor, keys, vals)
		if err != nil {
			return err
		}
		for i, v := range vals[:n] {
			if v.due != math.MaxInt64 {
				lead, _ := o.layout.codec.Hash(keys[i], o.layout.lead)
				o.queue.push(overDue{v.due, lead, keys[i]})
			}
		}
		cursor = next
	}
	return nil
}

// Process implements operator.Operator.
func (o *OverAggregate) Process(_ int, b record.Batch) error {
	in := b.(*record.Columns)
	o.ctx.Counters.In.Add(in.N)
	defer in.Release()
	if in.N == 0 {
		return nil
	}
	o.cols = o.cols[:0]
	for _, k := range o.Partition {
		o.cols = append(o.cols, in.Cols[k])
	}
	o.keys, o.hashes, o.vals = resized(o.keys, in.N), resized(o.hashes, in.N), resized(o.vals, in.N)
	column.Hash(o.cols, in.N, o.hashes)
	pack(o.layout, o.cols, in.N, o.keys)
	if err := o.table.Upsert(o.keys, o.hashes, o.vals, o.ctx.Now()); err != nil {
		return err
	}
	switch o.Mode {
	case OverEventTime:
		return o.wait(in)
	case OverProcessingTime:
		return o.passOn(in)
	}
	return o.change(in)
}

// wait puts the rows of a batch where they wait for the watermark.
func (o *OverAggregate) wait(in *record.Columns) error {
	times, err := timesOf(in.Cols[o.Time], in.N, nil)
	if err != nil {
		return err
	}
	var empty []int
	for i, s := range o.vals {
		t := times[i]
		if t <= o.wm {
			o.ctx.Counters.Late.Add(1)
			if s.due == math.MaxInt64 && s.isFresh() {
				empty = append(empty, i)
			}
			continue
		}
		s.put(overRow{time: t, row: o.encodeRow(in, i)})
		if t < s.due {
			s.due = t
			o.queue.push(overDue{t, o.hashes[i], string([]byte(o.keys[i]))})
		}
	}
	return o.forget(empty)
}

// forget removes partitions that were looked up for nothing but late rows.
func (o *OverAggregate) forget(rows []int) error {
	var dead []int
	for _, i := range rows {
		if s := o.vals[i]; s.due == math.MaxInt64 && s.isFresh() {
			dead = append(dead, i)
		}
	}
	for _, i := range dead {
		if err := o.table.Clear(o.keys[i], o.hashes[i]); err != nil {
			return err
		}
	}
	return nil
}

// put keeps rows in the order of their times, then in that in which they came.
func (s *overState) put(r overRow) {
	i := len(s.pending)
	for i > 0 && s.pending[i-1].time > r.time {
		i--
	}
	s.pending = slices.Insert(s.pending, i, r)
}

func (o *OverAggregate) encodeRow(in *record.Columns, i int) string {
	o.buf = o.codec.Append(o.buf[:0], in.Cols, i)
	return string(o.buf)
}

// passOn computes rows as they come. Those of one batch and partition that a RANGE takes for peers have one time.
func (o *OverAggregate) passOn(in *record.Columns) error {
	now := o.ctx.Now()
	for i, s := range o.vals {
		s.pending = append(s.pending, overRow{time: now, row: o.encodeRow(in, i)})
	}
	for i, s := range o.vals {
		if len(s.pending) == 0 {
			continue
		}
		if err := o.compute(s, len(s.pending)); err != nil {
			return err
		}
		if t := o.frames.expires(&s.frameState); t < s.due {
			s.due = t
			o.queue.push(overDue{t, o.hashes[i], string([]byte(o.keys[i]))})
		}
	}
	return o.flush()
}

// compute emits the first n pending rows of a partition.
func (o *OverAggregate) compute(s *overState, n int) error {
	if o.batch == nil {
		o.batch = record.NewColumns(o.types)
	}
	b := o.batch
	if err := o.frames.advance(&s.frameState, s.pending[:n], &b.Batch, len(o.In)); err != nil {
		return err
	}
	s.pending = slices.Delete(s.pending, 0, n)
	return nil
}

func (o *OverAggregate) flush() error {
	b := o.batch
	if b == nil || b.N == 0 {
		return nil
	}
	o.batch = nil
	o.ctx.Counters.Out.Add(b.N)
	return o.ctx.Out[0].Emit(b)
}

// Advance implements operator.Advancer.
func (o *OverAggregate) Advance(wm int64) (more bool, err error) {
	switch {
	case o.Mode == OverFinal && wm == record.MaxWatermark, o.Mode == OverEventTime:
		return o.advance(wm)
	}
	return false, nil
}

// NextTick implements operator.Clocked: what a RANGE of processing time no longer needs goes.
func (o *OverAggregate) NextTick() int64 {
	if o.Mode != OverProcessingTime || len(o.queue) == 0 {
		return math.MaxInt64
	}
	return satAdd(o.queue[0].at, 1)
}

// Tick implements operator.Clocked.
func (o *OverAggregate) Tick(now int64) (more bool, err error) { return o.advance(now - 1) }

func (o *OverAggregate) advance(wm int64) (more bool, err error) {
	for work := 0; work < fireRowsMax; work++ {
		if len(o.queue) == 0 || o.queue[0].at > wm {
			o.wm = max(o.wm, wm)
			return false, o.flush()
		}
		d := o.queue.pop()
		n, err := o.act(d, wm)
		if err != nil {
			return false, err
		}
		work += n
		if o.batch != nil && o.batch.Full() {
			if err := o.flush(); err != nil {
				return false, err
			}
		}
	}
	return true, o.flush()
}

// act computes what is due in a partition, as far as one call may, and says how many rows that were.
func (o *OverAggregate) act(d overDue, wm int64) (int, error) {
	o.keys, o.hashes, o.vals = append(o.keys[:0], d.key), append(o.hashes[:0], d.hash), resized(o.vals, 1)
	if err := o.table.Find(o.keys, o.hashes, o.vals, o.ctx.Now()); err != nil || o.vals[0] == nil || o.vals[0].due != d.at {
		return 0, err
	}
	if err := o.table.Upsert(o.keys, o.hashes, o.vals, o.ctx.Now()); err != nil {
		return 0, err
	}
	s := o.vals[0]
	n := 0
	for n < len(s.pending) && s.pending[n].time <= wm {
		n++
	}
	if n > fireRowsMax && o.Mode == OverEventTime {
		// A RANGE needs all rows of one time.
		for n = fireRowsMax; n < len(s.pending) && s.pending[n].time == s.pending[n-1].time; n++ {
		}
		if s.pending[n-1].time > wm {
			panic("BUG: exec: a row is computed before its time")
		}
	}
	if n > 0 {
		if o.Mode == OverFinal {
			slices.SortStableFunc(s.pending, func(a, b overRow) int { return strings.Compare(a.key, b.key) })
		}
		if err := o.compute(s, n); err != nil {
			return 0, err
		}
	}
	s.due = o.frames.expires(&s.frameState)
	if len(s.pending) > 0 {
		s.due = min(s.due, s.pending[0].time)
	} else if s.due <= wm || o.Mode == OverFinal {
		return n, o.table.Clear(d.key, d.hash)
	}
	if s.due != math.MaxInt64 {
		o.queue.push(overDue{s.due, d.hash, d.key})
	}
	return n, nil
}

// Close implements operator.Operator.
func (o *OverAggregate) Close() error { return nil }

// overDue is a partition that has something to do at a time; a stale entry differs from the partition's due.
type overDue struct {
	at   int64
	hash uint64
	key  string
}

// overQueue is a heap of them.
type overQueue []overDue

func (q *overQueue) push(d overDue) {
	h := append(*q, d)
	i := len(h) - 1
	for i > 0 && h[(i-1)/2].at > d.at {
		h[i] = h[(i-1)/2]
		i = (i - 1) / 2
	}
	h[i] = d
	*q = h
}

func (q *overQueue) pop() overDue {
	h := *q
	top, last := h[0], h[len(h)-1]
	h[len(h)-1] = overDue{}
	h = h[:len(h)-1]
	*q = h
	if len(h) == 0 {
		return top
	}
	i := 0
	for {
		c := 2*i + 1
		if c+1 < len(h) && h[c+1].at < h[c].at {
			c++
		}
		if c >= len(h) || h[c].at >= last.at {
			break
		}
		h[i] = h[c]
		i = c
	}
	h[i] = last
	return top
}
