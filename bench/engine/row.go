package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/flottio/flott/bench/measure"
)

// row is one line of the table: a job, and the loop that does the same by hand.
type row struct {
	name string
	// floor is the least acceptable ratio of loop to engine; 0: only reported.
	floor float64
	cores []int
	// note says what the loop is.
	note string
	// records of one run, quick a shorter one's.
	records, quick int
	// engine and loop run once on so many cores, on the same input.
	engine, loop func(cores, records int) (sample, error)
	// special is for a row that compares something else; it makes its results itself.
	special func(r *row, cores int, o options) ([]result, error)
}

// result is a row as it is written to the file.
type result struct {
	Name            string  `json:"name"`
	Cores           int     `json:"cores"`
	Ratio           float64 `json:"ratio"`
	NsPerRecord     float64 `json:"ns_per_record"`
	AllocsPerRecord float64 `json:"allocs_per_record"`
	LoopNsPerRecord float64 `json:"loop_ns_per_record"`
	cpuRatio        float64 // the same of processor time; 0: not measured
	floor           float64
	note            string
}

// options of a run of this program.
type options struct {
	quick  bool
	rounds int
}

func (r *row) run(cores int, o options) ([]result, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
	if r.special != nil {
		return r.special(r, cores, o)
	}
	n := r.records
	if o.quick {
		n = r.quick
	}
	var engine, loop, ratio, cpu, allocs []float64
	for range o.rounds {
		e, err := clean(r.engine, cores, n)
		if err != nil {
			return nil, fmt.Errorf("running %s: %w", r.name, err)
		}
		l, err := clean(r.loop, cores, n)
		if err != nil {
			return nil, fmt.Errorf("running the loop of %s: %w", r.name, err)
		}
		if e.sum != l.sum {
			return nil, fmt.Errorf("running %s: the engine made %d, the loop %d: they do not do the same", r.name, e.sum, l.sum)
		}
		engine, loop = append(engine, e.ns), append(loop, l.ns)
		ratio, cpu, allocs = append(ratio, l.ns/e.ns), append(cpu, l.cpu/e.cpu), append(allocs, e.allocs)
	}
	return []result{{Name: r.name, Cores: cores, Ratio: measure.Median(ratio), NsPerRecord: measure.Median(engine),
		LoopNsPerRecord: measure.Median(loop), AllocsPerRecord: measure.Median(allocs), cpuRatio: measure.Median(cpu), floor: r.floor,
		note: r.note}}, nil
}

// clean runs f with the memory of the runs before it given back.
func clean(f func(cores, records int) (sample, error), cores, records int) (sample, error) {
	debug.FreeOSMemory()
	return f(cores, records)
}
