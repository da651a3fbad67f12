package exec

import (
	"unsafe"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
)

// span is a window in the clock's times.
type span struct{ start, end int64 }

// windowOut collects the rows of windows that fire.
type windowOut struct {
	fold     *fold
	zone     zoneShift
	columns  []WindowColumn
	keyTypes []column.Type
	types    []column.Type
	batch    *record.Columns
	full     []*record.Columns
	live     []int32
	at, objs []unsafe.Pointer
}

// newWindowOut makes the output of a fold over windows of a time column: keys, results, columns of the window.
func newWindowOut(f *fold, in []column.Type, time column.Type, columns []WindowColumn) windowOut {
	o := windowOut{fold: f, columns: columns}
	for _, k := range f.keys {
		o.keyTypes = append(o.keyTypes, plain(in[k]))
	}
	o.types = append(o.types, o.keyTypes...)
	for i := range f.calls {
		o.types = append(o.types, f.calls[i].Of)
	}
	for _, c := range columns {
		o.types = append(o.types, windowType(c, time))
	}
	return o
}

// add appends a window of several groups. Those without rows are left out.
func (o *windowOut) add(keys []*column.Vector, at, objs []unsafe.Pointer, w span) error {
	o.live, o.at, o.objs = o.live[:0], o.at[:0], o.objs[:0]
	for i, p := range at {
		if *(*int64)(p) > 0 {
			o.live, o.at, o.objs = append(o.live, int32(i)), append(o.at, p), append(o.objs, objs[i])
		}
	}
	if len(o.live) == 0 {
		return nil
	}
	if o.batch == nil {
		o.batch = record.NewColumns(o.types)
	}
	b := o.batch
	for c, v := range keys {
		v.Gather(b.Cols[c], o.live)
	}
	for i := range o.fold.calls {
		if err := o.fold.result(i, o.at, o.objs, b.Cols[len(keys)+i]); err != nil {
			return err
		}
	}
	for i, c := range o.columns {
		v := b.Cols[len(keys)+len(o.fold.calls)+i]
		x := o.zone.windowValue(c, w.start, w.end)
		for range o.live {
			appendTime(v, x)
		}
	}
	if b.N += len(o.live); b.Full() {
		o.full, o.batch = append(o.full, b), nil
	}
	return nil
}

// flush emits what was collected.
func (o *windowOut) flush(count *operator.Counters, out operator.Output) error {
	if o.batch != nil {
		o.full, o.batch = append(o.full, o.batch), nil
	}
	for i, b := range o.full {
		o.full[i] = nil
		count.Out.Add(b.N)
		if err := out.Emit(b); err != nil {
			return err
		}
	}
	o.full = o.full[:0]
	return nil
}
