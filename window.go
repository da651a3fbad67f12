package flott

import (
	"time"

	"github.com/flottio/flott/internal/operator"
)

// Window is a span of time: Start included, End not, in milliseconds since the epoch. The zero Window belongs to results that have none.
type Window struct{ Start, End int64 }

// StartTime returns Start in UTC.
func (w Window) StartTime() time.Time { return time.UnixMilli(w.Start).UTC() }

// EndTime returns End in UTC.
func (w Window) EndTime() time.Time { return time.UnixMilli(w.End).UTC() }

// windowing is how records are put into windows and when the windows close.
type windowing[T any] struct {
	assigner WindowAssigner
	lateness time.Duration
	late     *OutputTag[T]
}

// WindowAssigner says into which windows a record falls. Make one with Tumbling, Sliding, Session or Global.
type WindowAssigner struct{ a operator.Windows }

// WindowedStream is a keyed stream whose records are put into windows.
type WindowedStream[K comparable, T any] struct {
	stream KeyedStream[K, T]
	w      windowing[T]
}
