package exec

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"unsafe"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/internal/expr"
)

// SessionAggregate computes aggregates over the sessions of each group: runs of rows with no more than a gap between two. The output is that of
// WindowAggregate; with Rows it is the rows of a session as it ends, and the columns of the window. The input is partitioned by the keys' hashes.
//
// A row is a window from its time to its time plus the gap; windows of a group that overlap or touch are one. It fires when the watermark has
// passed its end. A queue has an entry for each group at the first end of its sessions, or before it: extending a session leaves the entry alone.
type SessionAggregate struct {
	Env     *expr.Env
	In      []column.Type
	Keys    []int
	Calls   []AggCall
	Window  Window
	Columns []WindowColumn
	// Retracts says that the input has rows of kind -U or -D.
	Retracts bool
	// Rows keeps the rows themselves: the table function SESSION. There are no calls then, and nothing is taken back.
	Rows bool

	ctx    *operator.Context
	fold   *fold
	zone   zoneShift
	emit   windowOut
	layout *keyLayout
	codec  column.RowCodec
	table  *state.Table[string, sessions]
	queue  overQueue
	wm     int64
	signs  signReader
	keys   []string
	hashes []uint64
	vals   []*sessions
	cols   []*column.Vector
	times  []int64
	work   folding
	buf    []byte
	rows   *record.Columns
}

// sessions are the windows of a group by their starts.
type sessions struct {
	due  int64 // when its entry in the queue stands, as an instant
	list []*session
}

type session struct {
	span
	words []uint64
	objs  objects
	rows  []string
}

// Open implements operator.Operator.
func (o *SessionAggregate) Open(c *operator.Context) (err error) {
	if err := o.Window.Check(); err != nil {
		return err
	}
	o.ctx, o.signs.retracts, o.codec.Types = c, o.Retracts, o.In
	o.fold, err = newFold(foldSpec{env: o.Env, keys: o.Keys, calls: o.Calls, retract: o.Retracts})
	if err != nil {
		return err
	}
	o.zone = newZoneShift(o.In[o.Window.Time], o.Env.Zone)
	o.emit = newWindowOut(o.fold, o.In, o.In[o.Window.Time], o.Columns)
	o.emit.zone = o.zone
	if o.Rows {
		o.emit.types = append(append([]column.Type(nil), o.In...), o.emit.types[len(o.Keys)+len(o.Calls):]...)
	}
	keys := keySpec{lead: len(o.Keys)}
	for _, k := range o.Keys {
		keys.types = append(keys.types, o.In[k])
	}
	o.layout = newKeyLayout(keys)
	o.layout.words = 0
	d := describeKeys[string, sessions](o.layout)
	d.Init = func(_ *string, s *sessions) { s.due = math.MaxInt64 }
	d.Values = state.Format[sessions]{Append: o.encode, Decode: o.decode, Schema: o.schema(), Shared: true}
	if o.table, err = state.RegisterTable(c.Backend, c.UID, "sessions", d); err != nil || c.DeclareOnly {
		return err
	}
	o.wm = math.MinInt64
	if !o.Window.ProcessingTime && c.Restored.IsRestored {
		o.wm = c.Restored.Watermark
	}
	return o.restore()
}

func (o *SessionAggregate) schema() *schema.Type {
	t := o.fold.schema()
	t.Fields = append(t.Fields, o.fold.objectSchema().Fields...)
	for i, of := range o.In {
		if o.Rows {
			t.Fields = append(t.Fields, schema.Field{
				Name: fmt.Sprintf("column %d", i), Type: &schema.Type{Kind: schema.Custom, Name: of.Nullable(true).String()},
			})
		}
	}
	return t
}

// restore builds the queue.
func (o *SessionAggregate) restore() error {
	keys, vals := make([]string, scanRows), make([]*sessions, scanRows)
	for cursor, first := uint64(0), true; first || cursor != 0; first = false {
		n, next, err := o.table.Scan(cursor, keys, vals)
		if err != nil {
			return err
		}
		for i, v := range vals[:n] {
			o.queue.push(overDue{v.due, o.table.Hash(&keys[i]), keys[i]})
		}
		cursor = next
	}
	return nil
}

// Process implements operator.Operator.
func (o *SessionAggregate) Process(_ int, b record.Batch) (err error) {
	in := b.(*record.Columns)
	o.ctx.Counters.In.Add(in.N)
	defer in.Release()
	if in.N == 0 {
		return nil
	}
	if o.times = o.times[:0]; o.Window.ProcessingTime {
		now := max(o.ctx.Now(), satAdd(o.wm, 1))
		for range in.N {
			o.times = append(o.times, now)
		}
	} else if o.times, err = timesOf(in.Cols[o.Window.Time], in.N, o.times); err != nil {
		return err
	}
	o.cols = o.cols[:0]
	for _, k := range o.Keys {
		o.cols = append(o.cols, in.Cols[k])
	}
	o.keys, o.hashes, o.vals = resized(o.keys, in.N), resized(o.hashes, in.N), resized(o.vals, in.N)
	column.Hash(o.cols, in.N, o.hashes)
	pack(o.layout, o.cols, in.N, o.keys)
	if err := o.table.Upsert(o.keys, o.hashes, o.vals); err != nil {
		return err
	}
	o.work = folding{
		in: &in.Batch, at: resized(o.work.at, in.N), objs: resized(o.work.objs, in.N), rows: o.work.rows[:0], signs: o.signs.of(&in.Batch),
		hashes: o.hashes,
	}
	for i, s := range o.vals {
		if err := o.put(s, i); err != nil {
			return err
		}
	}
	if err := o.foldRows(); err != nil {
		return err
	}
	return o.forget()
}

// put finds the session of row i, merging those that it joins.
func (o *SessionAggregate) put(s *sessions, i int) error {
	t := o.zone.local(o.times[i])
	w := span{t, satAdd(t, o.Window.SizeMs)}
	var into *session
	sign := int64(1)
	if o.work.signs != nil {
		sign = o.work.signs[i]
	}
	for k := 0; k < len(s.list); k++ {
		x := s.list[k]
		if x.start > w.end || w.start > x.end {
			continue
		}
		if into == nil {
			into = x
			into.start, into.end = min(x.start, w.start), max(x.end, w.end)
			continue
		}
		// Both may have rows of this batch.
		if err := o.foldRows(); err != nil {
			return err
		}
		into.start, into.end = min(into.start, x.start), max(into.end, x.end)
		if err := o.join(into, x); err != nil {
			return err
		}
		s.list = slices.Delete(s.list, k, k+1)
		k--
	}
	switch {
	case into != nil:
	case o.zone.instant(w.end-1) <= o.wm:
		o.ctx.Counters.Late.Add(1)
		return nil
	case sign < 0:
		o.ctx.Counters.Dropped.Add(1)
		return nil
	default:
		into = o.fresh(w)
		at, _ := slices.BinarySearchFunc(s.list, w.start, func(x *session, t int64) int { return int(max(-1, min(1, x.start-t))) })
		s.list = slices.Insert(s.list, at, into)
	}
	if due := o.zone.instant(into.end - 1); due < s.due {
		s.due = due
		o.queue.push(overDue{due, o.hashes[i], string([]byte(o.keys[i]))})
	}
	into.words[0] += uint64(sign)
	if o.Rows {
		o.buf = o.codec.Append(o.buf[:0], o.work.in.Cols, i)
		into.rows = append(into.rows, string(o.buf))
	}
	o.work.at[i], o.work.objs[i] = unsafe.Pointer(&into.words[0]), unsafe.Pointer(&into.objs)
	o.work.rows = append(o.work.rows, int32(i))
	return nil
}

func (o *SessionAggregate) fresh(w span) *session {
	s := &session{span: w, words: make([]uint64, o.fold.words)}
	for _, a := range o.fold.objects {
		s.objs.list = append(s.objs.list, a.New())
	}
	return s
}

// join merges session from into another.
func (o *SessionAggregate) join(into, from *session) error {
	into.rows = append(into.rows, from.rows...)
	ptr := func(p unsafe.Pointer) []unsafe.Pointer { return []unsafe.Pointer{p} }
	return o.fold.merge(ptr(unsafe.Pointer(&into.words[0])), ptr(unsafe.Pointer(&into.objs)),
		ptr(unsafe.Pointer(&from.words[0])), ptr(unsafe.Pointer(&from.objs)))
}

// foldRows folds the rows that have found their sessions.
func (o *SessionAggregate) foldRows() error {
	if len(o.work.rows) == 0 {
		return nil
	}
	err := o.fold.update(&o.work)
	o.work.rows = o.work.rows[:0]
	return err
}

// forget removes groups that were looked up for nothing but late rows.
func (o *SessionAggregate) forget() error {
	var dead []int
	for i, s := range o.vals {
		if len(s.list) == 0 {
			dead = append(dead, i)
		}
	}
	for _, i := range dead {
		if _, err := o.table.Delete(o.keys[i], o.hashes[i]); err != nil {
			return err
		}
	}
	return nil
}

// Advance implements operator.Advancer.
func (o *SessionAggregate) Advance(wm int64) (more bool, err error) {
	if o.Window.ProcessingTime && wm != record.MaxWatermark {
		return false, nil
	}
	return o.advance(wm)
}

// NextTick implements operator.Clocked.
func (o *SessionAggregate) NextTick() int64 {
	if !o.Window.ProcessingTime || len(o.queue) == 0 {
		return math.MaxInt64
	}
	return satAdd(o.queue[0].at, 1)
}

// Tick implements operator.Clocked.
func (o *SessionAggregate) Tick(now int64) (more bool, err error) { return o.advance(now - 1) }

func (o *SessionAggregate) advance(wm int64) (more bool, err error) {
	for work := 0; work < fireRowsMax; {
		if len(o.queue) == 0 || o.queue[0].at > wm {
			o.wm = max(o.wm, wm)
			return false, o.flush()
		}
		n, err := o.act(o.queue.pop(), wm)
		if err != nil {
			return false, err
		}
		work += n
	}
	return true, o.flush()
}

// act fires the sessions of a group that have ended, and says how many rows that made.
func (o *SessionAggregate) act(d overDue, wm int64) (int, error) {
	s, err := o.table.Get(d.key, d.hash)
	if err != nil || s == nil || s.due != d.at {
		return 1, err
	}
	if s, err = o.table.UpsertOne(d.key, d.hash); err != nil {
		return 0, err
	}
	n, due := 1, int64(math.MaxInt64)
	for k := 0; k < len(s.list); k++ {
		x := s.list[k]
		if at := o.zone.instant(x.end - 1); at > wm {
			due = min(due, at)
			continue
		}
		if err := o.fire(d.key, x); err != nil {
			return 0, err
		}
		n += 1 + len(x.rows)
		s.list = slices.Delete(s.list, k, k+1)
		k--
	}
	if len(s.list) == 0 {
		_, err := o.table.Delete(d.key, d.hash)
		return n, err
	}
	s.due = due
	o.queue.push(overDue{due, d.hash, d.key})
	return n, nil
}

// fire emits a session.
func (o *SessionAggregate) fire(key string, s *session) error {
	if o.Rows {
		return o.fireRows(s)
	}
	keys := make([]*column.Vector, len(o.Keys))
	for i := range keys {
		keys[i] = column.New(o.emit.keyTypes[i])
	}
	defer func() {
		for _, v := range keys {
			v.Release()
		}
	}()
	if _, err := o.layout.codec.Decode(key, keys); err != nil {
		return err
	}
	return o.emit.add(keys, []unsafe.Pointer{unsafe.Pointer(&s.words[0])}, []unsafe.Pointer{unsafe.Pointer(&s.objs)}, s.span)
}

func (o *SessionAggregate) fireRows(s *session) error {
	if o.rows == nil {
		o.rows = record.NewColumns(o.emit.types)
	}
	for _, r := range s.rows {
		if _, err := o.codec.Decode(r, o.rows.Cols[:len(o.In)]); err != nil {
			return err
		}
		for i, c := range o.Columns {
			appendTime(o.rows.Cols[len(o.In)+i], o.zone.windowValue(c, s.start, s.end))
		}
		o.rows.N++
	}
	if o.rows.Full() {
		o.emit.full, o.rows = append(o.emit.full, o.rows), nil
	}
	return nil
}

func (o *SessionAggregate) flush() error {
	if o.rows != nil && o.rows.N > 0 {
		o.emit.full, o.rows = append(o.emit.full, o.rows), nil
	}
	return o.emit.flush(o.ctx.Counters, o.ctx.Out[0])
}

// Close implements operator.Operator.
func (o *SessionAggregate) Close() error { return nil }

func (o *SessionAggregate) encode(dst []byte, s *sessions) []byte {
	dst = binary.AppendVarint(dst, s.due)
	dst = binary.AppendUvarint(dst, uint64(len(s.list)))
	for _, x := range s.list {
		dst = binary.AppendVarint(binary.AppendVarint(dst, x.start), x.end)
		for _, w := range x.words {
			dst = binary.LittleEndian.AppendUint64(dst, w)
		}
		for _, a := range x.objs.list {
			b := a.Append(nil)
			dst = append(binary.AppendUvarint(dst, uint64(len(b))), b...)
		}
		dst = binary.AppendUvarint(dst, uint64(len(x.rows)))
		for _, r := range x.rows {
			dst = append(binary.AppendUvarint(dst, uint64(len(r))), r...)
		}
	}
	return dst
}

func (o *SessionAggregate) decode(src []byte, s *sessions) (int, error) {
	r := byteReader{src: src}
	*s = sessions{due: r.varint()}
	for range r.count() {
		x := o.fresh(span{r.varint(), r.varint()})
		for i := range x.words {
			x.words[i] = r.word()
		}
		for _, a := range x.objs.list {
			b := r.bytes()
			if r.failed {
				return 0, errShortState
			}
			if err := a.Decode(b); err != nil {
				return 0, err
			}
		}
		for range r.count() {
			x.rows = append(x.rows, string(r.bytes()))
		}
		s.list = append(s.list, x)
	}
	if r.failed {
		return 0, errShortState
	}
	return r.at, nil
}
