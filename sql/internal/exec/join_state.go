package exec

import (
	"errors"
	"strconv"
	"unsafe"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/schema"
)

// identity says how a row of a changelog is found again in state.
type identity uint8

const (
	never    identity = iota // rows are only added
	byRow                    // by all its columns; equal rows are counted
	byUnique                 // by the columns of a unique key, perhaps none: then there is one row at most
)

// rowState is rows by key as a changelog leaves them, with what an operator counts for each.
type rowState[K comparable] struct {
	rows  *state.Ordered[K]
	codec column.RowCodec
	ident identity
	// Slots of a record; -1: none.
	count, links, stamp int
	unique              []int
	uniqueCodec         column.RowCodec
	ttlMs               int64
	sweeper             sweepClock

	uniqueCols []*column.Vector
	key, row   []byte
}

// rowSpec describes rows in state.
type rowSpec struct {
	name  string
	types []column.Type
	ident identity
	// unique are the columns of byUnique.
	unique []int
	// linked rows count their partners.
	linked bool
	ttlMs  int64
}

func openRows[K comparable](c *operator.Context, k *keyed[K], s rowSpec) (*rowState[K], error) {
	r := &rowState[K]{
		codec: column.RowCodec{Types: s.types}, ident: s.ident, count: -1, links: -1, stamp: -1, unique: s.unique, ttlMs: s.ttlMs,
		uniqueCodec: column.RowCodec{Types: typesAt(s.types, s.unique), Canonical: true}, sweeper: sweepClock{ttlMs: s.ttlMs, sweptMs: c.Now()},
	}
	if r.ident == never && s.linked {
		r.ident = byRow // a record that is changed must be found again
	}
	slots := 0
	slot := func(at *int, wanted bool) {
		if wanted {
			*at = slots
			slots++
		}
	}
	slot(&r.count, r.ident == byRow)
	slot(&r.links, s.linked)
	slot(&r.stamp, s.ttlMs > 0)
	kind := [...]string{"added", "by row", "by unique key"}[r.ident]
	if s.linked {
		kind += ", linked"
	}
	if s.ttlMs > 0 {
		kind += ", stamped"
	}
	for _, u := range s.unique {
		kind += " " + strconv.Itoa(u)
	}
	var err error
	r.rows, err = k.registerRows(c.Backend, state.OrderedPlace{UID: c.UID, Name: s.name, Slots: slots, Record: rowsSchema(kind, s.types)})
	return r, err
}

// text is the encoded row of a record. It is never changed, so it may be shared.
func (r *rowState[K]) text(rec state.Record) string {
	b := rec.Row()
	if r.ident == byRow {
		b = rec.Key(r.slots())
	}
	return unsafe.String(unsafe.SliceData(b), len(b))
}

func (r *rowState[K]) slots() int {
	n := 0
	for _, s := range [...]int{r.count, r.links, r.stamp} {
		if s >= 0 {
			n++
		}
	}
	return n
}

// copies is how often the row of a record is there.
func (r *rowState[K]) copies(rec state.Record) int64 {
	if r.count < 0 {
		return 1
	}
	return rec.Slot(r.count)
}

// expired reports whether a record's time to live is over.
func (r *rowState[K]) expired(rec state.Record, nowMs int64) bool {
	return r.stamp >= 0 && rec.Slot(r.stamp)+r.ttlMs <= nowMs
}

// identify encodes row i and what it is found by.
func (r *rowState[K]) identify(cols []*column.Vector, i int) {
	r.row = r.codec.Append(r.row[:0], cols, i)
	if r.ident == byUnique && len(r.unique) > 0 {
		r.uniqueCols = colsAt(r.uniqueCols, cols, r.unique)
		r.key = r.uniqueCodec.Append(r.key[:0], r.uniqueCols, i)
	}
}

var errRetracted = errors.New("BUG: a row was taken back from an input that the plan says is only added to")

// change applies row i of the columns to key j of the vector, which was found to add. links is what the row counts at first.
func (r *rowState[K]) change(j int, b *column.Batch, i int, links, nowMs int64) error {
	r.identify(b.Cols, i)
	if isRetract(b.Kind(i)) {
		return r.remove(j)
	}
	rec, err := r.add(j)
	if err != nil {
		return err
	}
	if r.links >= 0 {
		rec.SetSlot(r.links, links)
	}
	if r.stamp >= 0 {
		rec.SetSlot(r.stamp, nowMs)
		r.rows.Stamp(j, nowMs)
	}
	return nil
}

func (r *rowState[K]) add(j int) (state.Record, error) {
	switch r.ident {
	case byRow:
		rec, err := r.rows.Get(j, r.row)
		if rec == nil && err == nil {
			rec, err = r.rows.Insert(j, r.row, nil)
		}
		if err != nil {
			return nil, err
		}
		rec.SetSlot(r.count, rec.Slot(r.count)+1)
		return rec, nil
	case byUnique:
		if _, err := r.rows.Remove(j, r.key); err != nil {
			return nil, err
		}
		return r.rows.Insert(j, r.key, r.row)
	}
	return r.rows.Insert(j, nil, r.row)
}

// remove takes a row back; one that is not there (its time to live may be over) is no error.
func (r *rowState[K]) remove(j int) error {
	switch r.ident {
	case byRow:
		rec, err := r.rows.Get(j, r.row)
		if rec == nil || err != nil {
			return err
		}
		if n := rec.Slot(r.count); n > 1 {
			rec.SetSlot(r.count, n-1)
			return nil
		}
		_, err = r.rows.Remove(j, r.row)
		return err
	case byUnique:
		_, err := r.rows.Remove(j, r.key)
		return err
	}
	return errRetracted
}

// sweep removes some keys whose time to live is over.
func (r *rowState[K]) sweep(nowMs int64) error {
	if !r.sweeper.due(nowMs) {
		return nil
	}
	ended, err := r.rows.Sweep(nowMs - r.ttlMs + 1)
	r.sweeper.sweeping = !ended
	return err
}

// sweepsPerLife is how often in a time to live all keys are looked at.
const sweepsPerLife = 4

// sweepClock says when to look for keys whose time to live is over.
type sweepClock struct {
	ttlMs, sweptMs int64
	sweeping       bool // a round has begun
}

func (s *sweepClock) due(nowMs int64) bool {
	if s.ttlMs <= 0 || !s.sweeping && nowMs-s.sweptMs < max(1, s.ttlMs/sweepsPerLife) {
		return false
	}
	if !s.sweeping {
		s.sweeping, s.sweptMs = true, nowMs
	}
	return true
}

func isRetract(k schema.RowKind) bool { return k == schema.UpdateBefore || k == schema.Delete }

// outBatch collects rows to emit.
type outBatch struct {
	types []column.Type
	out   operator.Output
	count *operator.Counters
	batch *record.Columns
}

func newOutBatch(c *operator.Context, types []column.Type) outBatch {
	return outBatch{types: types, out: c.Out[0], count: c.Counters}
}

// get returns the batch to append to.
func (o *outBatch) get() *record.Columns {
	if o.batch == nil {
		o.batch = record.NewColumns(o.types)
	}
	return o.batch
}

// kinds appends the kinds of rows that are about to be appended; nil stands for n inserts. It is called before N is raised.
func (o *outBatch) kinds(kinds []schema.RowKind, n int) {
	b := o.get()
	if kinds == nil {
		if b.Kinds != nil {
			b.Kinds = append(b.Kinds, make([]schema.RowKind, n)...)
		}
		return
	}
	b.Kinds = append(b.NeedKinds(), kinds...)
}

// flush emits what there is; full only if it is worth it.
func (o *outBatch) flush(full bool) error {
	if o.batch == nil || o.batch.N == 0 || full && !o.batch.Full() {
		return nil
	}
	b := o.batch
	o.batch = nil
	o.count.Out.Add(b.N)
	return o.out.Emit(b)
}
