package exec

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/schema"
)

// Materialize makes an upsert changelog by a sink's primary key of one whose rows have another upsert key: of the rows of a key the last one that
// came is what the sink has. It is partitioned by the primary key.
//
// State is the rows of a primary key in the order in which they came; a record's row is the upsert key with its length (four bytes) and the row.
type Materialize struct {
	In   []column.Type
	Keys []int // the sink's primary key
	// Unique is the input's upsert key; empty: rows are found by all columns.
	Unique []int
	TTLMs  int64

	core interface {
		process(in *record.Columns) error
	}
}

// Open implements operator.Operator.
func (m *Materialize) Open(c *operator.Context) (err error) {
	switch keyWords(typesAt(m.In, m.Keys), nil) {
	case 0:
		m.core, err = openMaterialize[string](m, c)
	case 1:
		m.core, err = openMaterialize[[1]uint64](m, c)
	default:
		m.core, err = openMaterialize[[2]uint64](m, c)
	}
	return err
}

// Process implements operator.Operator.
func (m *Materialize) Process(_ int, b record.Batch) error {
	return m.core.process(b.(*record.Columns))
}

// Close implements operator.Operator.
func (m *Materialize) Close() error { return nil }

type materializeCore[K comparable] struct {
	*Materialize
	keyed  *keyed[K]
	rows   *state.Ordered[K]
	codec  column.RowCodec
	ident  column.RowCodec
	unique []int
	clock  func() int64
	count  *operator.Counters
	out    outBatch
	sweep  sweepClock

	cols  []*column.Vector
	head  []byte // length and upsert key of the row in work
	row   []byte
	seq   []byte
	texts []string
	kinds []schema.RowKind
	pos   []int32
}

func openMaterialize[K comparable](m *Materialize, c *operator.Context) (*materializeCore[K], error) {
	core := &materializeCore[K]{
		Materialize: m, keyed: newKeyed[K](typesAt(m.In, m.Keys), nil), codec: column.RowCodec{Types: m.In}, unique: m.Unique, clock: c.Now,
		count: c.Counters, out: newOutBatch(c, m.In), sweep: sweepClock{ttlMs: m.TTLMs, sweptMs: c.Now()},
	}
	if len(core.unique) == 0 {
		for i := range m.In {
			core.unique = append(core.unique, i)
		}
	}
	core.ident = column.RowCodec{Types: typesAt(m.In, core.unique), Canonical: true}
	kind := fmt.Sprint("as they came ", m.Unique)
	var err error
	core.rows, err = core.keyed.registerRows(c.Backend, state.OrderedPlace{UID: c.UID, Name: "rows", Record: rowsSchema(kind, m.In)})
	return core, err
}

func (c *materializeCore[K]) process(in *record.Columns) error {
	c.count.In.Add(in.N)
	now := c.clock()
	c.keyed.take(in, c.Keys)
	if err := c.rows.At(c.keyed.keys, c.keyed.hashes, state.Add); err != nil {
		return err
	}
	c.texts, c.kinds = c.texts[:0], c.kinds[:0]
	for i := range in.N {
		c.cols = colsAt(c.cols, in.Cols, c.unique)
		c.head = c.ident.Append(append(c.head[:0], 0, 0, 0, 0), c.cols, i)
		binary.LittleEndian.PutUint32(c.head, uint32(len(c.head)-4))
		var err error
		if isRetract(in.Kind(i)) {
			err = c.remove(i)
		} else {
			err = c.add(in, i)
		}
		if err != nil {
			return err
		}
		c.rows.Stamp(i, now)
	}
	in.Release()
	if err := c.rows.Done(); err != nil {
		return err
	}
	var err error
	if c.pos, err = c.out.texts(&c.codec, c.texts, c.kinds, c.pos); err != nil {
		return err
	}
	if err := c.out.flush(false); err != nil || !c.sweep.due(now) {
		return err
	}
	ended, err := c.rows.Sweep(now - c.TTLMs + 1)
	c.sweep.sweeping = !ended
	return err
}

// find is the record with the row's upsert key, and whether it is the last one; nil when there is none.
func (c *materializeCore[K]) find(i int) (rec state.Record, last bool, err error) {
	cur, err := c.rows.Seek(i, nil)
	if err != nil {
		return nil, false, err
	}
	for {
		if rec, err = cur.Next(); rec == nil || err != nil {
			return nil, false, err
		}
		if bytes.HasPrefix(rec.Row(), c.head) {
			next, err := cur.Next()
			return rec, next == nil, err
		}
	}
}

// add puts a row behind the others, or, if its upsert key is there, in the place of that one.
func (c *materializeCore[K]) add(in *record.Columns, i int) error {
	kind := schema.UpdateAfter
	if c.rows.Len(i) == 0 {
		kind = schema.Insert
	}
	var old state.Record
	if len(c.Unique) > 0 {
		var err error
		if old, _, err = c.find(i); err != nil {
			return err
		}
	}
	if old != nil {
		c.seq = append(c.seq[:0], old.Key(0)...)
		if _, err := c.rows.Remove(i, c.seq); err != nil {
			return err
		}
	} else {
		last, err := c.rows.Last(i)
		if err != nil {
			return err
		}
		n := uint64(0)
		if last != nil {
			n = binary.BigEndian.Uint64(last.Key(0)) + 1
		}
		c.seq = binary.BigEndian.AppendUint64(c.seq[:0], n)
	}
	c.row = c.codec.Append(append(c.row[:0], c.head...), in.Cols, i)
	rec, err := c.rows.Insert(i, c.seq, c.row)
	if err != nil {
		return err
	}
	c.list(kind, rec)
	return nil
}

// remove takes a row away; if it was the last the one before it is what the sink has to have.
func (c *materializeCore[K]) remove(i int) error {
	rec, last, err := c.find(i)
	if rec == nil || err != nil {
		return err // its time to live may be over
	}
	if _, err := c.rows.Remove(i, rec.Key(0)); err != nil {
		return err
	}
	if c.rows.Len(i) == 0 {
		c.list(schema.Delete, rec)
		return nil
	}
	if !last {
		return nil
	}
	if rec, err = c.rows.Last(i); err == nil {
		c.list(schema.UpdateAfter, rec)
	}
	return err
}

func (c *materializeCore[K]) list(kind schema.RowKind, rec state.Record) {
	row := view(rec.Row())
	n := binary.LittleEndian.Uint32([]byte(row[:4]))
	c.texts, c.kinds = append(c.texts, row[4+n:]), append(c.kinds, kind)
}

// DropUpdateBefore leaves out -U, where the consumer finds rows by key.
type DropUpdateBefore struct {
	out   operator.Output
	count *operator.Counters
	keep  []int32
}

// Open implements operator.Operator.
func (d *DropUpdateBefore) Open(c *operator.Context) error {
	d.out, d.count = c.Out[0], c.Counters
	return nil
}

// Process implements operator.Operator.
func (d *DropUpdateBefore) Process(_ int, b record.Batch) error {
	in := b.(*record.Columns)
	d.count.In.Add(in.N)
	d.keep = d.keep[:0]
	for i, k := range in.Kinds {
		if k != schema.UpdateBefore {
			d.keep = append(d.keep, int32(i))
		}
	}
	if in.Kinds != nil && len(d.keep) < in.N {
		if in = gatherRows(in, d.keep); in.N == 0 {
			in.Release()
			return nil
		}
	}
	d.count.Out.Add(in.N)
	return d.out.Emit(in)
}

// Close implements operator.Operator.
func (d *DropUpdateBefore) Close() error { return nil }

// gatherRows is a batch of some rows of another, which is released.
func gatherRows(in *record.Columns, at []int32) *record.Columns {
	kept := record.NewColumns(in.Types())
	in.Gather(kept, at)
	in.Release()
	return kept
}
