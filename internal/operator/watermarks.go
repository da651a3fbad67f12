package operator

import (
	"math"
	"time"

	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/watermark"
)

// WatermarkStrategy says how event time is found in records and how far it has come.
type WatermarkStrategy[T any] struct {
	// Time gives the event time of a record in milliseconds; nil: the source's own times are used.
	Time func(T) int64
	// Times is the same for a whole batch, when there is a faster way; may be nil.
	OutOfOrder time.Duration
	// Idle is the processing time after which a silent input no longer holds back event time; 0: never.
	Idle time.Duration
	// Generate is a user's own generator: called with the greatest event time of each batch; returns the watermark. nil: bounded
	// out-of-orderness.
	Generate func() func(maxTime int64) int64
}

// Stamp writes event times into the batch and returns the greatest, NoTime if there is none. at follows the record in work.
func (s *WatermarkStrategy[T]) Stamp(b *record.Rows[T], at *Cursor) (int64, error) {
	if s.Time != nil {
		at.begin(b)
		times := b.Head.Times[:0]
		for i := range b.Rows {
			at.at = i
			times = append(times, s.Time(b.Rows[i]))
		}
		b.Head.Times = times
		at.end()
	}
	top, least := int64(record.NoTime), int64(math.MaxInt64)
	for _, t := range b.Head.Times {
		top, least = max(top, t), min(least, t)
	}
	if top > LastTime || least < FirstTime {
		return top, s.outside(b, at)
	}
	return top, nil
}

// Event times are those of the years 0 to 9999, in milliseconds since the epoch: what time.Time and RFC 3339 can write, and far enough from the
// ends of int64 for all arithmetic of windows.
const (
	FirstTime int64 = -62_167_219_200_000
	LastTime  int64 = 253_402_300_799_999
)

// outside explains the first record whose event time is none; NoTime is one that it does not have.
func (s *WatermarkStrategy[T]) outside(b *record.Rows[T], at *Cursor) error {
	for i, t := range b.Head.Times {
		if t >= FirstTime && t <= LastTime || t == NoTime && s.Time == nil {
			continue
		}
		at.begin(b)
		at.at = i
		return Permanent(Errorf("the event time %d is outside of the years 0 to 9999: a time is in milliseconds since 1970-01-01 UTC. "+
			"Look at the function given to the watermark strategy, or let a filter in front of it take such records out", t))
	}
	return nil
}

// marker turns the greatest times of batches into a watermark.
type marker struct {
	bounded  watermark.Bounded
	generate func(int64) int64
	own      int64
}

func newMarker[T any](s *WatermarkStrategy[T]) marker {
	m := marker{bounded: watermark.NewBounded(s.OutOfOrder), own: record.NoTime}
	if s.Generate != nil {
		m.generate = s.Generate()
	}
	return m
}

func (m *marker) observe(t int64) {
	if t == record.NoTime {
		return
	}
	m.bounded.Observe(t)
	if m.generate != nil {
		m.own = max(m.own, min(m.generate(t), watermark.End-1))
	}
}

func (m *marker) watermark() int64 {
	if m.generate != nil {
		return m.own
	}
	return m.bounded.Watermark()
}

// Silence watches for an input that has nothing to say. It is a Clocked part of sources and assigners.
type Silence struct {
	detector watermark.Idleness
	every    int64 // ms between two looks; 0: never
	next     int64
}

// NewSilence returns a watch that starts now; timeout 0 never reports.
func NewSilence(timeout time.Duration, now int64) Silence {
	s := Silence{detector: watermark.NewIdleness(timeout)}
	if timeout > 0 {
		s.every = max(1, timeout.Milliseconds()/4)
		s.next = now + s.every
		s.detector.Activity(time.Duration(now) * time.Millisecond)
	}
	return s
}

// Activity takes that records came.
func (s *Silence) Activity(now int64) {
	if s.every > 0 {
		s.detector.Activity(time.Duration(now) * time.Millisecond)
	}
}

// NextTick is when to look next.
func (s *Silence) NextTick() int64 {
	if s.every == 0 || s.detector.Idle() {
		return math.MaxInt64
	}
	return s.next
}

// Idle reports whether the input is idle.
func (s *Silence) Idle() bool { return s.detector.Idle() }

// Tick looks.
func (s *Silence) Tick(now int64) {
	s.next = now + s.every
	s.detector.Check(time.Duration(now) * time.Millisecond)
}

// AssignWatermarks stamps records with event times and makes watermarks in the middle of a job.
type AssignWatermarks[T any] struct {
	Strategy WatermarkStrategy[T]
	Cursor
	marker  marker
	silence Silence
	ctx     *Context
	floor   int64
}

// Open implements Operator.
func (a *AssignWatermarks[T]) Open(c *Context) error {
	a.ctx, a.marker, a.floor = c, newMarker(&a.Strategy), c.Restored.Watermark
	a.silence = NewSilence(a.Strategy.Idle, c.Now())
	return nil
}

// Process implements Operator.
func (a *AssignWatermarks[T]) Process(_ int, b record.Batch) error {
	in := b.(*record.Rows[T])
	top, err := a.Strategy.Stamp(in, &a.Cursor)
	if err != nil {
		return err
	}
	if a.Strategy.Generate != nil {
		a.standAt(in, in.Head.Times, top)
	}
	a.marker.observe(top)
	a.end()
	a.silence.Activity(a.ctx.Now())
	return a.ctx.Out[0].Emit(in)
}

// Watermark implements WatermarkSource.
func (a *AssignWatermarks[T]) Watermark() (int64, bool) {
	return max(a.floor, a.marker.watermark()), a.silence.Idle()
}

// NextTick implements Clocked.
func (a *AssignWatermarks[T]) NextTick() int64 { return a.silence.NextTick() }

// Tick implements Clocked.
func (a *AssignWatermarks[T]) Tick(now int64) (bool, error) {
	a.silence.Tick(now)
	return false, nil
}

// Close implements Operator.
func (a *AssignWatermarks[T]) Close() error { return nil }
