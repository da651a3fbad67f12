package flott

func (s WindowedStream[K, T]) keyed() KeyedStream[K, T] { return s.stream }
func (s WindowedStream[K, T]) windowing() *windowing[T] { return &s.w }
func reduceWindows[K comparable, T any](s KeyedStream[K, T], w *windowing[T], name string, f func(a, b T) T) Stream[T] {
	panic("stub")
}
func aggregateWindows[K comparable, T, A, R any](s KeyedStream[K, T], w *windowing[T], name string, agg Aggregator[T, A, R]) Stream[Result[K, R]] {
	panic("stub")
}
