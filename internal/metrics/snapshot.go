package metrics

import (
	"math"
	"time"
)

// Snapshot is every metric of a registry at (nearly) one moment.
type Snapshot struct {
	Time    time.Time
	Samples []Sample
}

// Sample is one metric's value; a histogram's is its count.
type Sample struct {
	Scope Scope
	Name  string
	Value float64
}

// Snapshot reads every metric. It is for people's eyes and for tests: metrics that belong together may be a batch apart.
func (r *Registry) Snapshot() Snapshot {
	s := Snapshot{Time: r.now()}
	r.visit(func(scope Scope, m *metric) {
		s.Samples = append(s.Samples, Sample{Scope: scope, Name: m.name, Value: m.value(s.Time)})
	})
	return s
}

// Sum adds up a metric over all scopes that keep accepts; a nil keep accepts all.
func (s Snapshot) Sum(name string, keep func(Scope) bool) float64 {
	sum := 0.0
	for _, sample := range s.Samples {
		if sample.Name == name && (keep == nil || keep(sample.Scope)) {
			sum += sample.Value
		}
	}
	return sum
}

// Min returns the least value of a metric over all scopes that keep accepts; ok is false if there is none.
func (s Snapshot) Min(name string, keep func(Scope) bool) (least float64, ok bool) {
	least = math.Inf(1)
	for _, sample := range s.Samples {
		if sample.Name == name && (keep == nil || keep(sample.Scope)) {
			least, ok = min(least, sample.Value), true
		}
	}
	return least, ok
}

// Progress is what a progress line shows of one job.
type Progress struct {
	// RecordsIn and RecordsOut are what sources emitted and sinks took, since the start.
	RecordsIn, RecordsOut uint64
	// InPerSecond and OutPerSecond are their rates since the previous snapshot.
	InPerSecond, OutPerSecond float64
	// WatermarkLag is how far the sinks' oldest watermark is behind the clock; valid if HasWatermark.
	WatermarkLag time.Duration
	HasWatermark bool
	// BackPressured is the fraction of subtasks that wait for output, 0 to 1.
	BackPressured float64
	// LastCheckpoint is the id of the last completed checkpoint, 0 if none; LastCheckpointTook its duration.
	LastCheckpoint     int64
	LastCheckpointTook time.Duration
	FailedCheckpoints  int64
	// Read is the fraction of a bounded input that was read, 0 to 1; valid if Bounded.
	Read    float64
	Bounded bool
	// Late, DeadLetters and Dropped are records that did not go through, since the start.
	Late, DeadLetters, Dropped uint64
	Restarts                   int64
}

// Progress sums up a snapshot; previous, if it has a time, gives the rates.
func (s Snapshot) Progress(previous Snapshot) Progress {
	source := func(scope Scope) bool { return scope.Level == OperatorLevel && scope.Role == SourceRole }
	sink := func(scope Scope) bool { return scope.Level == OperatorLevel && scope.Role == SinkRole }
	operator := func(scope Scope) bool { return scope.Level == OperatorLevel }
	p := Progress{
		RecordsIn:         uint64(s.Sum(NumRecordsOut, source)),
		RecordsOut:        uint64(s.Sum(NumRecordsIn, sink)),
		Late:              uint64(s.Sum(NumLateRecordsDropped, operator)),
		DeadLetters:       uint64(s.Sum(NumDeadLetters, operator)),
		Dropped:           uint64(s.Sum(NumRecordsDropped, operator)),
		LastCheckpoint:    max(0, int64(s.Sum(LastCompletedCheckpointID, nil))),
		FailedCheckpoints: int64(s.Sum(NumFailedCheckpoints, nil)),
		Restarts:          int64(s.Sum(NumRestarts, nil)),
	}
	if p.LastCheckpoint > 0 {
		p.LastCheckpointTook = time.Duration(s.Sum(LastCheckpointDuration, nil)) * time.Millisecond
	}
	if seconds := s.Time.Sub(previous.Time).Seconds(); !previous.Time.IsZero() && seconds > 0 {
		p.InPerSecond = max(0, float64(p.RecordsIn)-previous.Sum(NumRecordsOut, source)) / seconds
		p.OutPerSecond = max(0, float64(p.RecordsOut)-previous.Sum(NumRecordsIn, sink)) / seconds
	}
	if mark, ok := s.Min(CurrentInputWatermark, sink); ok && mark > NoWatermark && mark < math.MaxInt64 {
		p.WatermarkLag, p.HasWatermark = s.Time.Sub(time.UnixMilli(int64(mark))), true
	}
	if total := s.Sum(InputBytesTotal, source); total > 0 {
		p.Read, p.Bounded = min(1, s.Sum(InputBytesRead, source)/total), true
	}
	tasks := 0
	for _, sample := range s.Samples {
		if sample.Name == IsBackPressured {
			tasks++
			p.BackPressured += sample.Value
		}
	}
	if tasks > 0 {
		p.BackPressured /= float64(tasks)
	}
	return p
}
