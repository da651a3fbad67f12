package exec

import (
	"encoding/binary"
	"errors"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/schema"
)

// SetOp is INTERSECT or EXCEPT of two changelogs of the same types: it counts each row on both sides. Both inputs are partitioned by all columns.
// UNION ALL needs no operator.
type SetOp struct {
	Types []column.Type
	// Except is EXCEPT; else INTERSECT.
	Except bool
	// All keeps as many copies as there are.
	All   bool
	TTLMs int64

	core interface {
		process(side int, in *record.Columns) error
	}
}

// Open implements operator.Operator.
func (s *SetOp) Open(c *operator.Context) (err error) {
	switch keyWords(s.Types, nil) {
	case 0:
		s.core, err = openSetOp[string](s, c)
	case 1:
		s.core, err = openSetOp[[1]uint64](s, c)
	default:
		s.core, err = openSetOp[[2]uint64](s, c)
	}
	return err
}

// Process implements operator.Operator.
func (s *SetOp) Process(input int, b record.Batch) error {
	return s.core.process(input, b.(*record.Columns))
}

// Close implements operator.Operator.
func (s *SetOp) Close() error { return nil }

// copies is how often a row is in the result.
func (s *SetOp) copies(n *[2]int64) int64 {
	l, r := max(n[0], 0), max(n[1], 0)
	switch {
	case s.Except && s.All:
		return max(l-r, 0)
	case s.All:
		return min(l, r)
	case s.Except && l > 0 && r == 0, !s.Except && l > 0 && r > 0:
		return 1
	}
	return 0
}

type setOpCore[K comparable] struct {
	*SetOp
	keyed *keyed[K]
	table *state.Table[K, setCounts]
	clock func() int64
	count *operator.Counters
	out   outBatch
	all   []int
	vals  []*setCounts
	rows  []int32
	kinds []schema.RowKind
	sweep sweepClock
	at    uint64
	keys  []K
	seen  []*setCounts
}

// setCounts is how often a row is there on each side.
type setCounts struct {
	N       [2]int64
	StampMs int64
}

func openSetOp[K comparable](s *SetOp, c *operator.Context) (*setOpCore[K], error) {
	core := &setOpCore[K]{
		SetOp: s, keyed: newKeyed[K](s.Types, nil), clock: c.Now, count: c.Counters, out: newOutBatch(c, s.Types),
		sweep: sweepClock{ttlMs: s.TTLMs, sweptMs: c.Now()},
	}
	for i := range s.Types {
		core.all = append(core.all, i)
	}
	d := describeKeys[K, setCounts](core.keyed.layout)
	d.Values = state.Format[setCounts]{Append: appendCounts, Decode: decodeCounts, Schema: rowsSchema("counts", nil)}
	var err error
	core.table, err = state.RegisterTable(c.Backend, c.UID, "counts", d)
	return core, err
}

func appendCounts(dst []byte, n *setCounts) []byte {
	return binary.AppendVarint(binary.AppendVarint(binary.AppendVarint(dst, n.N[0]), n.N[1]), n.StampMs)
}

func decodeCounts(src []byte, n *setCounts) (int, error) {
	pos := 0
	for _, to := range [...]*int64{&n.N[0], &n.N[1], &n.StampMs} {
		v, size := binary.Varint(src[pos:])
		if size <= 0 {
			return 0, errors.New("stored counts are damaged")
		}
		*to = v
		pos += size
	}
	return pos, nil
}

func (c *setOpCore[K]) process(side int, in *record.Columns) error {
	c.count.In.Add(in.N)
	now := c.clock()
	c.keyed.take(in, c.all)
	c.vals = atLeast(c.vals, in.N)
	if err := c.table.Upsert(c.keyed.keys, c.keyed.hashes, c.vals); err != nil {
		return err
	}
	c.rows, c.kinds = c.rows[:0], c.kinds[:0]
	for i, v := range c.vals {
		if c.TTLMs > 0 && v.StampMs+c.TTLMs <= now {
			v.N = [2]int64{}
		}
		v.StampMs = now
		before := c.copies(&v.N)
		if isRetract(in.Kind(i)) {
			v.N[side] = max(0, v.N[side]-1) // a row whose time to live is over may still be taken back
		} else {
			v.N[side]++
		}
		kind := schema.Insert
		change := c.copies(&v.N) - before
		if change < 0 {
			kind, change = schema.Delete, -change
		}
		for range change {
			c.rows, c.kinds = append(c.rows, int32(i)), append(c.kinds, kind)
		}
	}
	if len(c.rows) > 0 {
		c.out.kinds(c.kinds, len(c.kinds))
		b := c.out.get()
		for k, v := range in.Cols {
			v.Gather(b.Cols[k], c.rows)
		}
		b.N += len(c.rows)
	}
	if err := c.bury(); err != nil {
		return err
	}
	in.Release()
	if err := c.out.flush(false); err != nil {
		return err
	}
	return c.expire(now)
}

// bury removes the rows that are on neither side.
func (c *setOpCore[K]) bury() error {
	for i, v := range c.vals {
		if v.N != [2]int64{} {
			continue
		}
		if _, err := c.table.Delete(c.keyed.keys[i], c.keyed.hashes[i]); err != nil {
			return err
		}
	}
	return nil
}

func (c *setOpCore[K]) expire(now int64) error {
	if !c.sweep.due(now) {
		return nil
	}
	if c.keys == nil {
		c.keys, c.seen = make([]K, sweptKeys), make([]*setCounts, sweptKeys)
	}
	n, next, err := c.table.Scan(c.at, c.keys, c.seen)
	if err != nil {
		return err
	}
	c.at, c.sweep.sweeping = next, next != 0
	old := c.keys[:0]
	for i := range n {
		if c.seen[i].StampMs+c.TTLMs <= now {
			old = append(old, c.keys[i])
		}
	}
	for i := range old {
		hash := c.table.Hash(&old[i])
		v, err := c.table.Get(old[i], hash)
		if err != nil {
			return err
		}
		if v == nil || v.StampMs+c.TTLMs > now {
			continue
		}
		if _, err := c.table.Delete(old[i], hash); err != nil {
			return err
		}
	}
	return nil
}
