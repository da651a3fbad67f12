package flott

import (
	"fmt"
	"time"

	"github.com/flottio/flott/internal/operator"
)

// then adds an operator with one input behind s.
func then[T, U any](s Stream[T], kind, name string, new func() operator.Operator) Stream[U] {
	n := s.node.env.add(kind, name, new)
	n.connect(s, 0)
	return Stream[U]{stream{node: n}}
}

// Map makes one record of each. f may be called by several goroutines at once, one per subtask; so may the functions of all operators here.
func Map[T, U any](s Stream[T], f func(T) U) Stream[U] {
	out := then[T, U](s, "map", "", func() operator.Operator { return &operator.Map[T, U]{F: f} })
	out.node.needs(f != nil, "Map", "function")
	return out
}

// TryMap makes one record of each; an error fails the attempt, naming the record.
func TryMap[T, U any](s Stream[T], f func(T) (U, error)) Stream[U] {
	out := then[T, U](s, "map", "", func() operator.Operator { return &operator.TryMap[T, U]{F: f} })
	out.node.needs(f != nil, "TryMap", "function")
	return out
}

// FlatMap makes any number of records of each: f calls emit for every one.
func FlatMap[T, U any](s Stream[T], f func(v T, emit func(U))) Stream[U] {
	out := then[T, U](s, "flatMap", "", func() operator.Operator {
		return &operator.FlatMap[T, U]{F: func(v T, emit func(U)) error { f(v, emit); return nil }}
	})
	out.node.needs(f != nil, "FlatMap", "function")
	return out
}

// TryFlatMap is FlatMap with a function that can fail.
func TryFlatMap[T, U any](s Stream[T], f func(v T, emit func(U)) error) Stream[U] {
	out := then[T, U](s, "flatMap", "", func() operator.Operator { return &operator.FlatMap[T, U]{F: f} })
	out.node.needs(f != nil, "TryFlatMap", "function")
	return out
}

// Filter keeps the records for which f holds.
func (s Stream[T]) Filter(f func(T) bool) Stream[T] {
	out := then[T, T](s, "filter", "", func() operator.Operator { return &operator.Filter[T]{F: f} })
	out.node.needs(f != nil, "Filter", "function")
	return out
}

// WatermarkStrategy says how event time is found in records, and how far it has come. Make one with Watermarks, MonotonousWatermarks,
// SourceTimes or CustomWatermarks.
type WatermarkStrategy[T any] struct {
	s       operator.WatermarkStrategy[T]
	missing string // what was given as nil
}

// Watermarks takes the event time of each record from f. Without OutOfOrder records must come in order of their times.
func Watermarks[T any](f func(T) time.Time) WatermarkStrategy[T] {
	w := WatermarksMillis(func(v T) int64 { return f(v).UnixMilli() })
	if f == nil {
		w.missing = "Watermarks"
	}
	return w
}

// WatermarksMillis is Watermarks for times in milliseconds since the epoch.
func WatermarksMillis[T any](f func(T) int64) WatermarkStrategy[T] {
	w := WatermarkStrategy[T]{s: operator.WatermarkStrategy[T]{Time: f}}
	if f == nil {
		w.missing = "WatermarksMillis"
	}
	return w
}

// SourceTimes keeps the event times that the source gave the records.
func SourceTimes[T any]() WatermarkStrategy[T] { return WatermarkStrategy[T]{} }

// OutOfOrder says how far behind the newest record another may be without being late.
func (w WatermarkStrategy[T]) OutOfOrder(d time.Duration) WatermarkStrategy[T] {
	w.s.OutOfOrder = d
	return w
}

// Idle says after how long a silent input (a split of a source, or all of it) no longer holds back event time. 0 means never.
func (w WatermarkStrategy[T]) Idle(d time.Duration) WatermarkStrategy[T] {
	w.s.Idle = d
	return w
}

// Custom replaces the generator: g is called once per split, and the function that it returns is called once per batch with the
// greatest event time in it, in milliseconds, and returns the watermark.
func (w WatermarkStrategy[T]) Custom(g func() func(maxTimeMs int64) int64) WatermarkStrategy[T] {
	if w.s.Generate = g; g == nil {
		w.missing = "Custom"
	}
	return w
}

// problems says what is wrong with the strategy.
func (w WatermarkStrategy[T]) problems() (all []string) {
	if w.missing != "" {
		all = append(all, w.missing+": the function is nil")
	}
	for _, d := range []struct {
		of     string
		length time.Duration
	}{{"OutOfOrder", w.s.OutOfOrder}, {"Idle", w.s.Idle}} {
		if d.length < 0 || d.length%time.Millisecond != 0 {
			all = append(all, fmt.Sprintf("%s(%v): it must not be negative, and in whole milliseconds", d.of, d.length))
		}
	}
	return all
}

// AssignWatermarks gives the records event times and watermarks here, in the middle of a job; before the first keyBy, at best at the
// source, because a watermark made here knows nothing of the splits behind it.
func (s Stream[T]) AssignWatermarks(w WatermarkStrategy[T]) Stream[T] {
	out := then[T, T](s, "watermarks", "", func() operator.Operator { return &operator.AssignWatermarks[T]{Strategy: w.s} })
	out.node.graph().GivesEventTime = true
	for _, p := range w.problems() {
		out.node.problem("%s", p)
	}
	return out
}
