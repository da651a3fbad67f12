package watermark

import (
	"math"
	"time"
)

// Bounded generates the watermarks of records that come out of order by at most a fixed delay: the greatest event time seen
// so far, less the delay, less 1 ms, because a record of the very same time may still come. Delay 0 is the generator for
// monotonous times. The zero Bounded is not ready for use; see NewBounded.
type Bounded struct {
	maxTime int64
	delayMs int64
}

// NewBounded returns a generator for records at most delay out of order, rounded up to whole milliseconds; a negative delay
// counts as 0.
func NewBounded(delay time.Duration) Bounded {
	ms := delay.Milliseconds()
	if time.Duration(ms)*time.Millisecond < delay {
		ms++
	}
	return Bounded{maxTime: None, delayMs: max(0, ms)}
}

// NewMonotonous returns a generator for records whose event times never go back.
func NewMonotonous() Bounded { return NewBounded(0) }

// Observe takes the greatest event time of a batch. None is no event time and is ignored.
func (b *Bounded) Observe(maxTime int64) { b.maxTime = max(b.maxTime, maxTime) }

// Watermark returns the watermark that holds now, None before the first record. Arithmetic saturates (A10.11 ✗ FLINK-31632),
// and the result is below End, whatever a record claims: only the end of the input is the end of time.
func (b *Bounded) Watermark() int64 {
	if b.maxTime == None {
		return None
	}
	return min(saturatingSub(saturatingSub(b.maxTime, b.delayMs), 1), End-1)
}

// Idleness detects that a source, or one of its splits, has been silent for a timeout of processing time. The zero Idleness
// never reports idle.
type Idleness struct {
	timeout time.Duration
	since   time.Duration // now of the last record, or of the start
	started bool
	idle    bool
}

// NewIdleness returns a detector for this timeout. A timeout <= 0 means never.
func NewIdleness(timeout time.Duration) Idleness { return Idleness{timeout: timeout} }

// Activity takes that records came at now (monotonic; once per batch), and reports whether that ended an idle phase.
func (d *Idleness) Activity(now time.Duration) (resumed bool) {
	resumed = d.idle
	d.idle, d.started, d.since = false, true, now
	return resumed
}

// Check reports whether the timeout has passed at now, once per idle phase. Silence counts from the first call when no record
// has come at all. A driver that is held by backpressure calls Activity instead: being held is not being silent.
func (d *Idleness) Check(now time.Duration) (becameIdle bool) {
	if d.timeout <= 0 || d.idle {
		return false
	}
	if !d.started {
		d.started, d.since = true, now
		return false
	}
	d.idle = now-d.since >= d.timeout
	return d.idle
}

// Idle reports whether the detector is in an idle phase.
func (d *Idleness) Idle() bool { return d.idle }

// saturatingSub returns a-b, held within int64. REQUIRES: b >= 0.
func saturatingSub(a, b int64) int64 {
	if a < math.MinInt64+b {
		return math.MinInt64
	}
	return a - b
}
