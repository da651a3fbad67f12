package operator

import (
	"errors"

	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
)

// windowOutput is what leaves a window operator: results, and records that came too late.
type windowOutput[K comparable, T, A, O any] struct {
	function *WindowFunction[K, T, A, O]
	results  *Collector[O]
	each     func(O)
	counters *Counters
	late     *Collector[T] // nil: late records are counted and dropped
	// firing: key and window are being fired.
	firing bool
	key    K
	window Span
}

// place names the key and window that are being fired.
func (w *windowOutput[K, T, A, O]) place() string {
	if !w.firing {
		return ""
	}
	return PlaceOfWindow(w.key, w.window)
}

func newWindowOutput[K comparable, T, A, O any](c *Context, f *WindowFunction[K, T, A, O], late int) windowOutput[K, T, A, O] {
	w := windowOutput[K, T, A, O]{function: f, results: NewCollector[O](c.Out[0]), counters: c.Counters}
	w.results.timed = true
	w.each = w.results.Emit
	if late > 0 {
		w.late = NewCollector[T](c.Out[late])
	}
	return w
}

// fire emits what the function makes of one key and window.
func (w *windowOutput[K, T, A, O]) fire(k K, s Span, acc *A) error {
	w.results.time = s.MaxTime()
	w.firing, w.key, w.window = true, k, s
	if w.function.Result != nil {
		w.results.Emit(w.function.Result(k, s, acc))
		w.firing = false
		return nil
	}
	if err := w.function.Each(k, s, acc, w.each); err != nil {
		return err
	}
	w.firing = false
	return nil
}

// tooLate takes a record that no window wants any more.
func (w *windowOutput[K, T, A, O]) tooLate(v T, t int64) {
	if w.late == nil {
		w.counters.Late.Add(1)
		return
	}
	w.late.EmitAt(v, t, true)
}

// flush hands on what was collected.
func (w *windowOutput[K, T, A, O]) flush() error {
	w.results.Flush()
	if w.late == nil {
		return w.results.err
	}
	w.late.Flush()
	if w.results.err != nil {
		return w.results.err
	}
	return w.late.err
}

// errNoEventTime: see Windows.EventTime.
var errNoEventTime = Permanent(errors.New("a record has no event time, which these windows go by: give the source flott.Watermarks(...), " +
	"or use windows of processing time"))

// timesOf returns the event times of a batch, or an error if it has none.
func timesOf[T any](b *record.Rows[T]) ([]int64, error) {
	if len(b.Head.Times) != len(b.Rows) {
		return nil, errNoEventTime
	}
	return b.Head.Times, nil
}

// windowDescriptor describes the tables of accumulators.
func windowDescriptor[K comparable, T, A, O any](f *WindowFunction[K, T, A, O]) (state.Descriptor[K, A], error) {
	d, err := state.Describe[K, A]()
	if err != nil {
		return d, err
	}
	if start := f.Start; start != nil {
		d.Init = func(_ *K, v *A) { start(v) }
	}
	return d, nil
}

// accumulators makes accumulators that live for one call, and copies those whose memory a user's Merge might otherwise keep hold of.
type accumulators[A any] struct {
	start  func(*A)
	merge  func(acc, from *A)
	format state.Format[A]
	copied A
	bytes  []byte
}

// merged adds from to acc. from stays as it is and acc does not lead to its memory.
func (a *accumulators[A]) merged(acc, from *A) error {
	if !a.format.Shared {
		a.merge(acc, from)
		return nil
	}
	a.bytes = a.format.Append(a.bytes[:0], from)
	var fresh A
	a.copied = fresh
	if _, err := a.format.Decode(a.bytes, &a.copied); err != nil {
		return Errorf("copying an accumulator: %w", err)
	}
	a.merge(acc, &a.copied)
	return nil
}

func (a *accumulators[A]) fresh(acc *A) {
	var zero A
	*acc = zero
	if a.start != nil {
		a.start(acc)
	}
}

// windowWatermark is the event time that a window operator starts from: a window that fired before the checkpoint does not fire again
// (A6.9 ✗ FLINK-36663).
func windowWatermark(c *Context) int64 {
	if !c.Restored.IsRestored {
		return NoTime
	}
	return c.Restored.Watermark
}
