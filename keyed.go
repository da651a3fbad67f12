package flott

import (
	"github.com/flottio/flott/codec"
	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/internal/network"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
)

// KeyedStream is a stream whose records of one key all go to one subtask, in order, and which may therefore have state per key.
type KeyedStream[K comparable, T any] struct {
	stream Stream[T]
	key    func(T) K
}

// KeyBy partitions a stream by a key: a boolean, number, string, time.Time, or an array or struct of those. f must return the same key for
// equal records: it is called on both sides of the partitioning.
func KeyBy[K comparable, T any](s Stream[T], f func(T) K) KeyedStream[K, T] {
	k, err := codec.ForKey[K]()
	s = s.with(graph.Hash, func(p partitioning) network.Partitioner {
		finder := operator.KeyFinder[K, T]{Key: f, Codec: k}
		return &network.Hash{
			N: p.receivers, Table: keygroup.Route(p.maxParallelism, p.receivers), Working: finder.Current,
			Hashes: func(b record.Batch) []uint64 { return finder.Rehash(b.(*record.Rows[T])) },
		}
	})
	ks := KeyedStream[K, T]{stream: s, key: f}
	s.node.needs(f != nil, "KeyBy", "function")
	if err != nil {
		s.node.problem("KeyBy: %v", err)
	}
	return ks
}

// grouped is what Reduce and Aggregate work on: a KeyedStream (a result for each record) or a WindowedStream (a result for each window).
type grouped[K comparable, T any] interface {
	keyed() KeyedStream[K, T]
	windowing() *windowing[T]
}

func (s KeyedStream[K, T]) keyed() KeyedStream[K, T] { return s }
func (s KeyedStream[K, T]) windowing() *windowing[T] { return nil }

// keyedThen adds a stateful operator behind keyed streams.
func keyedThen[K comparable, T, U any](s KeyedStream[K, T], kind, name string, new func() operator.Operator) Stream[U] {
	out := then[T, U](s.stream, kind, name, new)
	out.node.graph().Stateful = true
	return out
}

// storing refuses an operator that keeps values of a type that cannot be state. The engine would notice, too, but speak of what it wraps
// around the values.
func storing[V, T any](out Stream[T]) Stream[T] {
	if _, err := codec.For[V](); err != nil {
		out.node.problem("%s: %v", out.node.graph().Title(), err)
	}
	return out
}

// Reduce combines the records of each key with f. On a KeyedStream it emits the combined record after each one; on a WindowedStream
// one record for each key and window, when the window closes. name is the uid of its state.
func Reduce[K comparable, T any](g grouped[K, T], name string, f func(a, b T) T) Stream[T] {
	s := g.keyed()
	var out Stream[T]
	if w := g.windowing(); w != nil {
		out = reduceWindows(s, w, name, f)
	} else {
		out = storing[T](keyedThen[K, T, T](s, "reduce", name, func() operator.Operator {
			return &operator.Reduce[K, T]{Keys: operator.KeyFinder[K, T]{Key: s.key}, F: f}
		}))
	}
	out.node.needs(f != nil, "Reduce", "function")
	return out
}

// Aggregator folds records of type T into an accumulator A and makes a result R of it. One value serves all subtasks: it has no
// state of its own.
type Aggregator[T, A, R any] interface {
	// Add takes a record. acc starts as A's zero value, or as Start made it.
	Add(acc *A, v T)
	// Merge adds what from has collected to acc. Sliding and session windows need it.
	Merge(acc, from *A)
	Result(acc *A) R
}

// Starter is implemented by aggregators whose accumulator does not start as A's zero value.
type Starter[A any] interface{ Start(acc *A) }

// BatchAdder is implemented by aggregators that have a faster way to add a record to each of many accumulators: no call per record. accs
// may hold the same pointer more than once.
type BatchAdder[T, A any] interface{ AddAll(accs []*A, rows []T) }

// Aggregate folds the records of each key. On a KeyedStream it emits a result after each record, with an empty window; on a WindowedStream one
// for each key and window, when the window closes. name is the uid of its state.
func Aggregate[K comparable, T, A, R any](g grouped[K, T], name string, agg Aggregator[T, A, R]) Stream[Result[K, R]] {
	s := g.keyed()
	var out Stream[Result[K, R]]
	if w := g.windowing(); w != nil {
		out = aggregateWindows(s, w, name, agg)
	} else {
		out = runningAggregate(s, name, agg)
	}
	out.node.needs(agg != nil, "Aggregate", "aggregator")
	return out
}

func runningAggregate[K comparable, T, A, R any](s KeyedStream[K, T], name string, agg Aggregator[T, A, R]) Stream[Result[K, R]] {
	return storing[A](keyedThen[K, T, Result[K, R]](s, "aggregate", name, func() operator.Operator {
		return &operator.Aggregate[K, T, A, R, Result[K, R]]{
			Keys: operator.KeyFinder[K, T]{Key: s.key}, Agg: operator.NewFold(agg),
			Make: func(k K, v R) Result[K, R] { return Result[K, R]{Key: k, Value: v} },
		}
	}))
}

// Result is what an aggregate makes of a key, and for a windowed one of which window.
type Result[K comparable, R any] struct {
	Key    K
	Window Window
	Value  R
}

// Count counts records.
func Count[T any]() Aggregator[T, int64, int64] { return operator.Count[T]{} }

// Sum adds up what f takes from each record.
func Sum[T any, N int | int32 | int64 | uint64 | float32 | float64](f func(T) N) Aggregator[T, N, N] {
	return operator.Sum[T, N]{F: f}
}

// Min keeps the least of what f takes from each record.
func Min[T any, N int | int32 | int64 | uint64 | float32 | float64](f func(T) N) Aggregator[T, operator.Extreme[N], N] {
	return operator.Least[T, N]{F: f}
}

// Max keeps the greatest.
func Max[T any, N int | int32 | int64 | uint64 | float32 | float64](f func(T) N) Aggregator[T, operator.Extreme[N], N] {
	return operator.Greatest[T, N]{F: f}
}

// Average is the arithmetic mean of what f takes from each record; 0 for none.
func Average[T any](f func(T) float64) Aggregator[T, operator.Mean, float64] {
	return operator.Average[T]{F: f}
}
