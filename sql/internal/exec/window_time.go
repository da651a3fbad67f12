package exec

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/flottio/flott/column"
)

// WindowKind is the shape of windows.
type WindowKind uint8

// The kinds of window.
const (
	Tumble WindowKind = iota
	Hop
	Cumulate
	Session
)

// Window says into which windows rows fall, by a column of time.
type Window struct {
	Kind WindowKind
	// Time is the place of the time column; TIMESTAMP or TIMESTAMP_LTZ. Windows over the latter begin and end by the clock of the session's zone.
	Time int
	// ProcessingTime puts rows into windows by when they are processed; the column is not read.
	ProcessingTime bool
	// SizeMs is the length; for Cumulate that of the longest, for Session the gap. StepMs is the slide of Hop and the step of Cumulate. OffsetMs
	// moves where windows begin. Milliseconds.
	SizeMs, StepMs, OffsetMs int64
}

// Check returns what is wrong with the window.
func (w Window) Check() error {
	step := w.StepMs
	if w.Kind == Tumble || w.Kind == Session {
		step = w.SizeMs
	}
	switch {
	case w.SizeMs <= 0 || step <= 0:
		return fmt.Errorf("size and step of a window must be positive: %d ms, %d ms", w.SizeMs, step)
	case w.Kind == Cumulate && w.SizeMs%step != 0:
		return fmt.Errorf("the size of a CUMULATE window, %d ms, must be a multiple of its step, %d ms", w.SizeMs, step)
	case w.Kind == Session && w.OffsetMs != 0:
		return errors.New("a SESSION window has no offset")
	case w.OffsetMs <= -step || w.OffsetMs >= step:
		return fmt.Errorf("the offset of a window, %d ms, must be less than %d ms", w.OffsetMs, step)
	}
	return nil
}

// WindowColumn is a column that a window adds.
type WindowColumn uint8

// The columns of a window: its first time, the time behind its last, and its last.
const (
	WindowStart WindowColumn = iota
	WindowEnd
	WindowTime
)

// slicer is the arithmetic of TUMBLE, HOP and CUMULATE. Time is cut into slices that lie in the same windows, known by their ends. A window is a run
// of whole slices.
type slicer struct {
	kind        WindowKind
	size, every int64 // every: windows end so far apart
	slice       int64
	offset      int64
}

func newSlicer(w Window) slicer {
	s := slicer{kind: w.Kind, size: w.SizeMs, every: w.StepMs, slice: w.StepMs, offset: w.OffsetMs}
	switch w.Kind {
	case Tumble:
		s.every, s.slice = s.size, s.size
	case Hop:
		s.slice = gcd(s.size, s.every)
	}
	return s
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// floor is the last place at or before t that is offset + n*step.
func floorTo(t, offset, step int64) int64 {
	r := (t - offset) % step
	if r < 0 {
		r += step
	}
	return t - r
}

// sliceEnd is the end of the slice that t falls into.
func (s *slicer) sliceEnd(t int64) int64 { return floorTo(t, s.offset, s.slice) + s.slice }

// firstEnd is the end of the first window that holds the slice, lastEnd of the last. A slice of a HOP whose windows leave gaps may be in none:
// then lastEnd is before firstEnd.
func (s *slicer) firstEnd(sliceEnd int64) int64 {
	if s.kind != Hop {
		return sliceEnd
	}
	// Windows end at offset + size + n*every.
	return ceilTo(sliceEnd, s.offset+s.size, s.every)
}

func ceilTo(t, offset, step int64) int64 {
	f := floorTo(t, offset, step)
	if f < t {
		f += step
	}
	return f
}

func (s *slicer) lastEnd(sliceEnd int64) int64 {
	start := sliceEnd - s.slice
	switch s.kind {
	case Hop:
		return floorTo(start, s.offset, s.every) + s.size
	case Cumulate:
		return floorTo(start, s.offset, s.size) + s.size
	}
	return sliceEnd
}

// start is where the window begins that ends at end.
func (s *slicer) start(end int64) int64 {
	if s.kind == Cumulate {
		return floorTo(end-1, s.offset, s.size)
	}
	return end - s.size
}

// zoneShift turns instants into what the session's clock shows, and back: both as milliseconds.
type zoneShift struct{ zone *time.Location } // nil: no shift

func newZoneShift(t column.Type, zone *time.Location) zoneShift {
	if t.ID != column.TimestampLTZ || zone == time.UTC || zone == nil {
		return zoneShift{}
	}
	return zoneShift{zone}
}

// local is what the clock shows at an instant.
func (z zoneShift) local(ms int64) int64 {
	if z.zone == nil {
		return ms
	}
	_, offset := time.UnixMilli(ms).In(z.zone).Zone()
	return ms + int64(offset)*1000
}

// instant is when the clock shows a time: the first time it does, and just after a leap that skips it.
func (z zoneShift) instant(local int64) int64 {
	if z.zone == nil || local == math.MaxInt64 || local == math.MinInt64 {
		return local
	}
	t := time.UnixMilli(local).UTC()
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), z.zone).UnixMilli()
}

// errNullTime is Flink's error for a row without event time.
var errNullTime = errors.New("the time column of a window is NULL: event time must not be NULL, filter such rows out " +
	"or give them a time where the table is read")

// timesOf appends the times of the rows in milliseconds.
func timesOf(v *column.Vector, n int, out []int64) ([]int64, error) {
	if v.HasNulls() {
		return nil, errNullTime
	}
	per := unitsPerMs(v.Type)
	if v.Store == column.Int128s {
		for _, x := range v.I128[:n] {
			q, r := x.QuoRem(column.Int128From(per))
			ms, _ := q.Int64()
			if r.Sign() < 0 {
				ms--
			}
			out = append(out, ms)
		}
		return out, nil
	}
	if per == 1 {
		return append(out, v.I64[:n]...), nil
	}
	for _, x := range v.I64[:n] {
		out = append(out, floorTo(x, 0, per)/per)
	}
	return out, nil
}

// unitsPerMs is how many of a timestamp type's units a millisecond has.
func unitsPerMs(t column.Type) int64 {
	switch {
	case t.Precision <= 3:
		return 1
	case t.Precision <= 6:
		return 1000
	}
	return 1_000_000
}

// appendTime appends a time in milliseconds to a vector of timestamps.
func appendTime(v *column.Vector, ms int64) {
	per := unitsPerMs(v.Type)
	if v.Store == column.Int128s {
		v.AppendInt128(column.Mul64(ms, per))
		return
	}
	v.AppendInt(ms * per)
}

// windowType is the type of a column that a window adds: its ends are times of the clock, its time is of the type of the time column.
func windowType(c WindowColumn, time column.Type) column.Type {
	if c == WindowTime {
		t := time.Nullable(false)
		t.Precision = 3
		return t
	}
	return column.TimestampType(3).Nullable(false)
}

// windowValue is the value of such a column for a window of the clock's times.
func (z zoneShift) windowValue(c WindowColumn, start, end int64) int64 {
	switch c {
	case WindowStart:
		return start
	case WindowEnd:
		return end
	}
	return z.instant(end - 1)
}

// satAdd adds and stays at the ends of time instead of wrapping around.
func satAdd(a, b int64) int64 {
	c := a + b
	if (a^c)&(b^c) < 0 {
		if a < 0 {
			return math.MinInt64
		}
		return math.MaxInt64
	}
	return c
}
