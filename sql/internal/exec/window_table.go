package exec

import (
	"fmt"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/sql/internal/expr"
)

// WindowTable adds the columns of its windows to each row: a window table function alone. A row in several windows comes several times. Rows without
// event time are dropped, and counted, as in Flink. It has no state; SESSION is SessionAggregate with Rows.
type WindowTable struct {
	// Env has the zone that windows over TIMESTAMP_LTZ begin and end by.
	Env *expr.Env
	In  []column.Type
	// Window is of any kind but Session.
	Window  Window
	Columns []WindowColumn

	ctx    *operator.Context
	slices slicer
	zone   zoneShift
	types  []column.Type
	times  []int64
	rows   []int32
	spans  []span
	picked []int64
}

// Open implements operator.Operator.
func (w *WindowTable) Open(c *operator.Context) error {
	w.ctx = c
	if err := w.Window.Check(); err != nil {
		return err
	}
	if w.Window.Kind == Session {
		return fmt.Errorf("BUG: exec: a SESSION table function is SessionAggregate's")
	}
	w.slices, w.zone = newSlicer(w.Window), newZoneShift(w.In[w.Window.Time], w.Env.Zone)
	w.types = append(w.types, w.In...)
	for _, k := range w.Columns {
		w.types = append(w.types, windowType(k, w.In[w.Window.Time]))
	}
	return nil
}

// Process implements operator.Operator.
func (w *WindowTable) Process(_ int, b record.Batch) error {
	in := b.(*record.Columns)
	w.ctx.Counters.In.Add(in.N)
	defer in.Release()
	if err := w.assign(&in.Batch); err != nil || len(w.rows) == 0 {
		return err
	}
	for from := 0; from < len(w.rows); from += fireRowsMax {
		to := min(from+fireRowsMax, len(w.rows))
		out := record.NewColumns(w.types)
		for i, v := range in.Cols {
			v.Gather(out.Cols[i], w.rows[from:to])
		}
		for k, c := range w.Columns {
			v := out.Cols[len(in.Cols)+k]
			for _, s := range w.spans[from:to] {
				appendTime(v, w.zone.windowValue(c, s.start, s.end))
			}
		}
		if in.Kinds != nil {
			out.Kinds = out.NeedKinds()
			for _, r := range w.rows[from:to] {
				out.Kinds = append(out.Kinds, in.Kinds[r])
			}
		}
		out.N = to - from
		w.ctx.Counters.Out.Add(out.N)
		if err := w.ctx.Out[0].Emit(out); err != nil {
			return err
		}
	}
	return nil
}

// assign lists the windows of each row.
func (w *WindowTable) assign(in *column.Batch) (err error) {
	w.rows, w.spans, w.times = w.rows[:0], w.spans[:0], w.times[:0]
	v := in.Cols[w.Window.Time]
	switch {
	case w.Window.ProcessingTime:
		now := w.ctx.Now()
		for range in.N {
			w.times = append(w.times, now)
		}
	case v.HasNulls():
		for i := range in.N {
			t := int64(0)
			if !v.IsNull(i) {
				one := column.New(v.Type)
				v.Slice(one, i, i+1)
				if w.picked, err = timesOf(one, 1, w.picked[:0]); err != nil {
					return err
				}
				one.Release()
				t = w.picked[0]
			}
			w.times = append(w.times, t)
		}
	default:
		if w.times, err = timesOf(v, in.N, w.times); err != nil {
			return err
		}
	}
	for i, t := range w.times {
		if !w.Window.ProcessingTime && v.IsNull(i) {
			w.ctx.Counters.Dropped.Add(1)
			continue
		}
		before := len(w.rows)
		w.windowsOf(int32(i), w.zone.local(t))
		if len(w.rows) == before {
			w.ctx.Counters.Dropped.Add(1)
		}
	}
	return nil
}

// windowsOf lists the windows of a time: of HOP the latest first, of CUMULATE the shortest, as Flink does.
func (w *WindowTable) windowsOf(row int32, t int64) {
	s := &w.slices
	put := func(start, end int64) {
		w.rows, w.spans = append(w.rows, row), append(w.spans, span{start, end})
	}
	switch s.kind {
	case Hop:
		for start := floorTo(t, s.offset, s.every); start > t-s.size; start -= s.every {
			put(start, start+s.size)
		}
	case Cumulate:
		start := floorTo(t, s.offset, s.size)
		for end := s.sliceEnd(t); end <= start+s.size; end += s.every {
			put(start, end)
		}
	default:
		start := floorTo(t, s.offset, s.size)
		put(start, start+s.size)
	}
}

// Close implements operator.Operator.
func (w *WindowTable) Close() error { return nil }
