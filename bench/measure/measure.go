// Package measure compares pieces of code on a machine that others use too: every case runs once per round, in another order each
// time, and what is reported is medians over the rounds. It owns no case. Imported by the programs in bench only.
package measure

import (
	"runtime"
	"slices"
	"time"
)

// Case is one way to do the work.
type Case struct {
	Name string
	// Run does the work for so many records.
	Run func(records int)
}

// Options of a comparison. The zero value means 7 rounds of 60 ms for each case.
type Options struct {
	Rounds int
	// Slice is about how long one run of one case takes.
	Slice time.Duration
	// Records per run; 0: as many as fill a slice, found by trying.
	Records int
}

// Result is what a case cost.
type Result struct {
	Name            string
	NsPerRecord     float64 // median
	AllocsPerRecord float64 // least of all rounds: others allocate too
	Rounds          []float64
}

// Alternate runs all cases once per round and returns their results in order.
func Alternate(cases []Case, o Options) []Result {
	if o.Rounds == 0 {
		o.Rounds = 7
	}
	if o.Slice == 0 {
		o.Slice = 60 * time.Millisecond
	}
	results := make([]Result, len(cases))
	records := make([]int, len(cases))
	for i, c := range cases {
		results[i] = Result{Name: c.Name, AllocsPerRecord: -1}
		records[i] = calibrate(c, o)
	}
	for round := range o.Rounds {
		for k := range cases {
			i := (k + round) % len(cases)
			results[i].run(cases[i], records[i])
		}
	}
	for i := range results {
		results[i].NsPerRecord = Median(results[i].Rounds)
	}
	return results
}

func calibrate(c Case, o Options) int {
	if o.Records > 0 {
		c.Run(o.Records) // warm
		return o.Records
	}
	n := 1 << 12
	for {
		start := time.Now()
		c.Run(n)
		spent := time.Since(start)
		if spent > o.Slice/4 || n >= 1<<30 {
			return max(1, int(float64(n)*float64(o.Slice)/float64(max(spent, 1))))
		}
		n *= 4
	}
}

func (r *Result) run(c Case, n int) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	c.Run(n)
	spent := time.Since(start)
	runtime.ReadMemStats(&after)
	r.Rounds = append(r.Rounds, float64(spent.Nanoseconds())/float64(n))
	allocs := float64(after.Mallocs-before.Mallocs) / float64(n)
	if r.AllocsPerRecord < 0 || allocs < r.AllocsPerRecord {
		r.AllocsPerRecord = allocs
	}
}

// Median is the middle value; 0 of none. It does not change v.
func Median(v []float64) float64 { return Quantile(v, 0.5) }

// Quantile is the value below which the share q of v lies, without interpolation.
func Quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	return s[min(len(s)-1, int(q*float64(len(s))))]
}

// Ratio is the median over rounds of a's time by b's: both ran in the same rounds, so that what disturbs a round disturbs both.
func Ratio(a, b Result) float64 {
	var each []float64
	for i := range min(len(a.Rounds), len(b.Rounds)) {
		each = append(each, a.Rounds[i]/b.Rounds[i])
	}
	return Median(each)
}
