package metrics

import (
	"sync"
	"time"
)

// rate computes a counter's growth per second from samples that its readers take: no goroutine of its own is needed, and how many
// readers there are makes no difference.
//
// Invariant: samples are in the order of time, at least rateSampleApart apart.
type rate struct {
	counter *Counter
	mu      struct {
		sync.Mutex
		samples []rateSample
	}
}

type rateSample struct {
	time  time.Time
	count uint64
}

const (
	rateSpan        = time.Minute // Flink's
	rateSampleApart = time.Second
	maxRateSamples  = int(rateSpan/rateSampleApart) + 2
)

func newRate(c *Counter, now time.Time) *rate {
	r := &rate{counter: c}
	r.mu.samples = append(make([]rateSample, 0, 4), rateSample{time: now, count: c.Value()})
	return r
}

// at returns the growth per second since the oldest sample within the span.
func (r *rate) at(now time.Time) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	samples := r.mu.samples
	drop := 0
	for drop+1 < len(samples) && (now.Sub(samples[drop+1].time) >= rateSpan || len(samples)-drop > maxRateSamples-1) {
		drop++
	}
	samples = append(samples[:0], samples[drop:]...)
	count := r.counter.Value()
	oldest := samples[0]
	if now.Sub(samples[len(samples)-1].time) >= rateSampleApart {
		samples = append(samples, rateSample{time: now, count: count})
	}
	r.mu.samples = samples
	seconds := now.Sub(oldest.time).Seconds()
	if seconds <= 0 || count < oldest.count { // a clock that went back, or a counter that was restored
		return 0
	}
	return float64(count-oldest.count) / seconds
}
