package metrics

import (
	"math/bits"
	"sync/atomic"
)

// Histogram counts values in buckets of fixed places: eight to each power of two, so that a quantile is off by at most 1/16 of
// itself. Values are whole numbers of the unit that the metric's name says; negative ones count as 0.
//
// One goroutine writes it, any may read it. The zero value is ready.
type Histogram struct {
	buckets [histogramBuckets]atomic.Uint64
	sum     atomic.Uint64
	max     atomic.Uint64
}

const (
	bucketsPerOctaveBits = 3
	histogramBuckets     = (63-bucketsPerOctaveBits)<<bucketsPerOctaveBits + 1<<(bucketsPerOctaveBits+1)
)

// Observe counts one value. Only the owning goroutine may call it.
func (h *Histogram) Observe(value int64) {
	v := uint64(max(value, 0))
	bucket := &h.buckets[bucketOf(v)]
	bucket.Store(bucket.Load() + 1)
	h.sum.Store(h.sum.Load() + v)
	if v > h.max.Load() {
		h.max.Store(v)
	}
}

// bucketOf keeps the leading bits: below 16 each value has its own bucket.
func bucketOf(v uint64) int {
	shift := max(bits.Len64(v)-bucketsPerOctaveBits-1, 0)
	return shift<<bucketsPerOctaveBits + int(v>>shift)
}

// middleOf is the value that stands for all of a bucket.
func middleOf(bucket int) uint64 {
	const exact = 1 << (bucketsPerOctaveBits + 1)
	if bucket < exact {
		return uint64(bucket)
	}
	shift := bucket>>bucketsPerOctaveBits - 1
	lowest := uint64(bucket-shift<<bucketsPerOctaveBits) << shift
	return lowest + (uint64(1)<<shift)/2
}

// Distribution is what a histogram held at one moment.
type Distribution struct {
	Count uint64
	Sum   float64
	Max   float64
	// counts per bucket; nil when Count is 0
	counts []uint64
}

// Read copies the histogram. Any goroutine may call it.
func (h *Histogram) Read() Distribution {
	d := Distribution{Sum: float64(h.sum.Load()), Max: float64(h.max.Load()), counts: make([]uint64, histogramBuckets)}
	for i := range h.buckets {
		d.counts[i] = h.buckets[i].Load()
		d.Count += d.counts[i]
	}
	return d
}

// Quantile returns the value that the fraction q of all values does not exceed; 0 if there are none. REQUIRES: 0 <= q <= 1.
func (d Distribution) Quantile(q float64) float64 {
	if d.Count == 0 {
		return 0
	}
	if q >= 1 {
		return d.Max
	}
	rank := uint64(q * float64(d.Count))
	seen := uint64(0)
	for bucket, n := range d.counts {
		if seen += n; seen > rank {
			return min(float64(middleOf(bucket)), d.Max)
		}
	}
	return d.Max
}
