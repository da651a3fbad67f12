package exec

import (
	"fmt"
	"math"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
)

// Sort orders rows. Without Time that is at the end of the input, which has one: batch. With a time column, which Keys begin with, ascending, it
// is whenever the watermark passes: streaming. Its input is one partition, its parallelism 1. LIMIT of a stream without an order is a Rank
// without Partition and Order.
type Sort struct {
	In   []column.Type
	Keys []SortKey
	// Time is the rowtime column; -1: rows are ordered at the end.
	Time int
	// Offset is how many rows are left out at the end of the input, Fetch how many there are then; -1: all.
	Offset, Fetch int64

	rows    *state.Ordered[[1]uint64]
	codec   column.RowCodec
	out     outBatch
	count   *operator.Counters
	keys    [][1]uint64
	hashes  []uint64
	times   []int64
	mark    int64
	sortKey []byte
	row     []byte
	texts   []string
	pos     []int32
}

// Open implements operator.Operator.
func (s *Sort) Open(c *operator.Context) (err error) {
	s.out, s.count, s.codec, s.mark = newOutBatch(c, s.In), c.Counters, column.RowCodec{Types: s.In}, c.Restored.Watermark
	k := newKeyed[[1]uint64](nil, nil)
	s.keys, s.hashes = make([][1]uint64, 1), make([]uint64, 1)
	column.Hash(nil, 1, s.hashes)
	kind := fmt.Sprint("sorted by ", s.Keys)
	s.rows, err = k.registerRows(c.Backend, state.OrderedPlace{UID: c.UID, Name: "rows", Record: rowsSchema(kind, s.In)})
	return err
}

// Process implements operator.Operator.
func (s *Sort) Process(_ int, b record.Batch) error {
	in := b.(*record.Columns)
	s.count.In.Add(in.N)
	if s.Time >= 0 {
		s.times = atLeast(s.times, in.N)
		rowTimes(in.Cols[s.Time], s.times)
		unit := timeUnit(in.Cols[s.Time].Type)
		for i := range s.times {
			s.times[i] = floorDiv(s.times[i], unit)
		}
	}
	if err := s.rows.At(s.keys, s.hashes, state.Add); err != nil {
		return err
	}
	for i := range in.N {
		if s.Time >= 0 && s.times[i] <= s.mark {
			s.count.Late.Add(1)
			continue
		}
		s.sortKey = appendSortKeys(s.sortKey[:0], s.Keys, in.Cols, i)
		s.row = s.codec.Append(s.row[:0], in.Cols, i)
		var err error
		if isRetract(in.Kind(i)) {
			_, err = s.rows.RemoveRow(0, s.sortKey, s.row)
		} else {
			_, err = s.rows.Insert(0, s.sortKey, s.row)
		}
		if err != nil {
			return err
		}
	}
	in.Release()
	return s.rows.Done()
}

// timeUnit is how many units of a time column are a millisecond.
func timeUnit(t column.Type) int64 {
	switch {
	case t.Precision <= 3:
		return 1
	case t.Precision <= 6:
		return 1000
	}
	return 1000_000
}

func floorDiv(x, by int64) int64 {
	q := x / by
	if x%by < 0 {
		q--
	}
	return q
}

// Advance implements operator.Advancer.
func (s *Sort) Advance(wm int64) (more bool, err error) {
	if s.Time < 0 {
		return false, nil
	}
	s.mark = wm
	if wm == math.MaxInt64 {
		return s.emit(nil)
	}
	unit := timeUnit(s.In[s.Time])
	end := (wm + 1) * unit
	v := column.New(s.In[s.Time])
	if v.Store == column.Int128s {
		v.Append(column.Int128From(end))
	} else {
		v.Append(end)
	}
	s.sortKey = column.AppendSortKey(s.sortKey[:0], v, 0, false, s.Keys[0].NullsLast)
	v.Release()
	return s.emit(s.sortKey)
}

// Finish implements operator.Finisher.
func (s *Sort) Finish() (more bool, err error) { return s.emit(nil) }

// emit hands over a batch of the first rows, those with a sort key that is less; nil: all.
func (s *Sort) emit(end []byte) (more bool, err error) {
	if err := s.rows.At(s.keys, s.hashes, state.Change); err != nil {
		return false, err
	}
	cur, err := s.rows.Seek(0, nil)
	if err != nil {
		return false, err
	}
	s.texts = s.texts[:0]
	n, before := int64(0), s.rows.Stamped(0) // rows that have left, or have been left out
	for ; n < column.BatchRows; n++ {
		rec, err := cur.Next()
		if err != nil {
			return false, err
		}
		if rec == nil || end != nil && string(rec.Key(0)) >= string(end) {
			break
		}
		if place := before + n; place >= s.Offset && (s.Fetch < 0 || place-s.Offset < s.Fetch) {
			s.texts = append(s.texts, view(rec.Row()))
		}
	}
	if n > 0 {
		s.rows.Stamp(0, before+n)
	}
	if err := s.rows.RemoveFirst(0, n); err != nil {
		return false, err
	}
	if err := s.rows.Done(); err != nil {
		return false, err
	}
	if s.pos, err = s.out.texts(&s.codec, s.texts, nil, s.pos); err != nil {
		return false, err
	}
	return n == column.BatchRows, s.out.flush(false)
}

// Close implements operator.Operator.
func (s *Sort) Close() error { return nil }
