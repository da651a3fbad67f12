package operator

import (
	"math"
	"time"
)

// WindowPlan is everything that a window operator is told.
type WindowPlan[K comparable, T, A, O any] struct {
	Keys     KeyFinder[K, T]
	Windows  Windows
	Lateness time.Duration
	Function WindowFunction[K, T, A, O]
	// Late is the output for late records; 0: they are counted.
	Late int
}

// NewWindowOperator makes the operator for the plan's kind of windows.
func NewWindowOperator[K comparable, T, A, O any](p WindowPlan[K, T, A, O]) Operator {
	switch {
	case p.Windows.Kind == WindowSession:
		return &SessionWindows[K, T, A, O]{WindowPlan: p}
	case p.Windows.Count > 0:
		return &CountWindows[K, T, A, O]{WindowPlan: p}
	}
	return &PaneWindows[K, T, A, O]{WindowPlan: p}
}

// WindowFunction is what is computed per key and window: how records are collected in an accumulator, and what is made of it when the
// window fires. Exactly one of Result and Each is set.
type WindowFunction[K comparable, T, A, O any] struct {
	Fold[T, A, struct{}]
	// Result makes one record of a window.
	Result func(k K, w Span, acc *A) O
	// Each makes any number.
	Each func(k K, w Span, acc *A, emit func(O)) error
}

// Span is the time that a window covers: Start included, End not, in milliseconds since the epoch.
type Span struct{ Start, End int64 }

// always is the global window.
var always = Span{math.MinInt64, math.MaxInt64}

// MaxTime is the last time inside the window: the event time of its results, and the watermark at which it fires.
func (s Span) MaxTime() int64 { return satAdd(s.End, -1) }

// AggregateWindows folds the records of a window; makeResult makes a record of key, window and result.
func AggregateWindows[K comparable, T, A, R, O any](f Fold[T, A, R], makeResult func(K, Span, R) O) WindowFunction[K, T, A, O] {
	result := f.Result
	return WindowFunction[K, T, A, O]{
		Fold:   Fold[T, A, struct{}]{Add: f.Add, Merge: f.Merge, Start: f.Start, AddAll: f.AddAll},
		Result: func(k K, w Span, acc *A) O { return makeResult(k, w, result(acc)) },
	}
}

// ReduceWindows combines the records of a window. f must be associative: sliding and session windows combine what it has made of parts.
func ReduceWindows[K comparable, T any](f func(a, b T) T) WindowFunction[K, T, Reduced[T], T] {
	return WindowFunction[K, T, Reduced[T], T]{
		Fold: Fold[T, Reduced[T], struct{}]{
			Add: func(acc *Reduced[T], v T) {
				if acc.Any {
					acc.Value = f(acc.Value, v)
				} else {
					*acc = Reduced[T]{true, v}
				}
			},
			Merge: func(acc, from *Reduced[T]) {
				switch {
				case !from.Any:
				case acc.Any:
					acc.Value = f(acc.Value, from.Value)
				default:
					*acc = *from
				}
			},
		},
		Result: func(_ K, _ Span, acc *Reduced[T]) T { return acc.Value },
	}
}

// ListWindows keeps all records of a window for f. They come in the order in which they arrived, in sliding windows only within a pane.
func ListWindows[K comparable, T, O any](f func(k K, w Span, rows []T, emit func(O)) error) WindowFunction[K, T, []T, O] {
	return WindowFunction[K, T, []T, O]{
		Fold: Fold[T, []T, struct{}]{
			Add:   func(acc *[]T, v T) { *acc = append(*acc, v) },
			Merge: func(acc, from *[]T) { *acc = append(*acc, *from...) },
		},
		Each: func(k K, w Span, acc *[]T, emit func(O)) error { return f(k, w, *acc, emit) },
	}
}
