package flott

import (
	"fmt"
	"iter"
	"time"

	"github.com/flottio/flott/internal/state"
)

// StateOption changes how a keyed state behaves.
type StateOption func(*stateOptions)

type stateOptions struct {
	ttl       state.TTL
	eventTime bool
}

// TTL removes an entry when it has not been written for d of processing time. What has expired is not given out, not written to snapshots, and
// removed little by little.
func TTL(d time.Duration) StateOption { return func(o *stateOptions) { o.ttl.Ms = d.Milliseconds() } }

// EventTimeTTL is TTL in event time: an entry expires when the record or timer being processed is d later than the last write.
// Replaying gives the same result.
func EventTimeTTL(d time.Duration) StateOption {
	return func(o *stateOptions) { o.ttl.Ms, o.eventTime = d.Milliseconds(), true }
}

// RefreshOnRead begins an entry's life anew when it is read, too.
func RefreshOnRead() StateOption { return func(o *stateOptions) { o.ttl.OnRead = true } }

// ReturnExpired gives out what has expired as long as it has not been removed.
func ReturnExpired() StateOption { return func(o *stateOptions) { o.ttl.ReturnExpired = true } }

// keyed is the part that all kinds of keyed state share: the current key, and the clock of the time to live.
type keyedState[K comparable] struct {
	current   keyedScope[K]
	eventTime bool
}

// keyedScope is what keyed state needs of a KeyedContext.
type keyedScope[K comparable] interface {
	at() (key K, hash uint64)
	now(eventTime bool) int64
	fail(err error)
}

func (k *KeyedContext[K, Out]) at() (K, uint64) { return k.key, k.hash }

// now is the time that a time to live is measured in.
func (k *KeyedContext[K, Out]) now(eventTime bool) int64 {
	switch {
	case !eventTime:
		return k.op.Now()
	case k.time != NoTime:
		return max(k.time, k.mark)
	}
	return max(k.mark, 0) // before the first watermark
}

func declare[K comparable, Out any](k *KeyedContext[K, Out], name string, options []StateOption) (keyedState[K], state.Place) {
	if k.running {
		panic(fmt.Sprintf("state %q is declared while records are processed: declare it in setup, before its function is returned", name))
	}
	var o stateOptions
	for _, f := range options {
		f(&o)
	}
	return keyedState[K]{k, o.eventTime}, state.Place{UID: k.op.UID, Name: name, TTL: o.ttl}
}

// ValueState is one value per key.
type ValueState[K comparable, V any] struct {
	keyedState[K]
	s *state.Value[K, V]
}

// NewValue declares a value per key. Call it in setup.
func NewValue[V any, K comparable, Out any](k *KeyedContext[K, Out], name string, options ...StateOption) *ValueState[K, V] {
	base, place := declare(k, name, options)
	s, err := state.RegisterValue[K, V](k.op.Backend, place)
	k.fail(err)
	return &ValueState[K, V]{base, s}
}

// Get returns the current key's value, V's zero value if it has none.
func (s *ValueState[K, V]) Get() V {
	v, _ := s.Lookup()
	return v
}

// Lookup returns the current key's value, and whether it has one.
func (s *ValueState[K, V]) Lookup() (V, bool) {
	key, hash := s.current.at()
	v, ok, err := s.s.Get(key, hash, s.current.now(s.eventTime))
	s.current.fail(err)
	return v, ok
}

// Set sets the current key's value.
func (s *ValueState[K, V]) Set(v V) {
	key, hash := s.current.at()
	s.current.fail(s.s.Set(key, hash, v, s.current.now(s.eventTime)))
}

// Update sets the current key's value to what f makes of it.
func (s *ValueState[K, V]) Update(f func(V) V) { s.Set(f(s.Get())) }

// Clear removes the current key's value.
func (s *ValueState[K, V]) Clear() {
	key, hash := s.current.at()
	s.current.fail(s.s.Clear(key, hash))
}

// ListState is a list per key.
type ListState[K comparable, E any] struct {
	keyedState[K]
	s *state.List[K, E]
}

// NewList declares a list per key. Call it in setup.
func NewList[E any, K comparable, Out any](k *KeyedContext[K, Out], name string, options ...StateOption) *ListState[K, E] {
	base, place := declare(k, name, options)
	s, err := state.RegisterList[K, E](k.op.Backend, place)
	k.fail(err)
	return &ListState[K, E]{base, s}
}

// Get returns the current key's elements, nil if there are none. The slice must not be changed or kept.
func (s *ListState[K, E]) Get() []E {
	key, hash := s.current.at()
	v, err := s.s.Get(key, hash, s.current.now(s.eventTime))
	s.current.fail(err)
	return v
}

// Add appends elements.
func (s *ListState[K, E]) Add(elements ...E) {
	key, hash := s.current.at()
	s.current.fail(s.s.Add(key, hash, s.current.now(s.eventTime), elements...))
}

// Update replaces all elements.
func (s *ListState[K, E]) Update(elements []E) {
	key, hash := s.current.at()
	s.current.fail(s.s.Update(key, hash, s.current.now(s.eventTime), elements))
}

// Clear removes the current key's list.
func (s *ListState[K, E]) Clear() {
	key, hash := s.current.at()
	s.current.fail(s.s.Clear(key, hash))
}

// MapState is a map per key. Entries are stored one by one, so that a key may have many.
type MapState[K, U comparable, V any] struct {
	keyedState[K]
	s *state.Map[K, U, V]
}

// NewMap declares a map per key, from U to V. Call it in setup.
func NewMap[U comparable, V any, K comparable, Out any](k *KeyedContext[K, Out], name string, options ...StateOption) *MapState[K, U, V] {
	base, place := declare(k, name, options)
	s, err := state.RegisterMap[K, U, V](k.op.Backend, place)
	k.fail(err)
	return &MapState[K, U, V]{base, s}
}

// Get returns the value of an entry, and whether there is one. An entry with a nil value is there.
func (s *MapState[K, U, V]) Get(u U) (V, bool) {
	key, hash := s.current.at()
	v, ok, err := s.s.Get(key, hash, u, s.current.now(s.eventTime))
	s.current.fail(err)
	return v, ok
}

// Put sets an entry.
func (s *MapState[K, U, V]) Put(u U, v V) {
	key, hash := s.current.at()
	s.current.fail(s.s.Put(key, hash, u, v, s.current.now(s.eventTime)))
}

// Remove removes an entry.
func (s *MapState[K, U, V]) Remove(u U) {
	key, hash := s.current.at()
	_, err := s.s.Remove(key, hash, u)
	s.current.fail(err)
}

// Len is the number of the current key's entries.
func (s *MapState[K, U, V]) Len() int {
	key, hash := s.current.at()
	n, err := s.s.Len(key, hash)
	s.current.fail(err)
	return n
}

// All iterates over the current key's entries, in the order in which they were added. The map must
// not be changed meanwhile, but for removing the entry at hand.
func (s *MapState[K, U, V]) All() iter.Seq2[U, V] {
	return func(yield func(U, V) bool) {
		var err error
		key, hash := s.current.at()
		s.s.All(key, hash, s.current.now(s.eventTime), &err)(yield)
		s.current.fail(err)
	}
}

// Clear removes all entries of the current key.
func (s *MapState[K, U, V]) Clear() {
	key, hash := s.current.at()
	s.current.fail(s.s.Clear(key, hash))
}

// ReducingState is one value per key, combined from all that were added.
type ReducingState[K comparable, V any] struct {
	keyedState[K]
	s *state.Reducing[K, V]
}

// NewReducing declares a reducing state. Call it in setup.
func NewReducing[V any, K comparable, Out any](k *KeyedContext[K, Out], name string, f func(a, b V) V,
	options ...StateOption) *ReducingState[K, V] {
	base, place := declare(k, name, options)
	s, err := state.RegisterReducing[K](k.op.Backend, place, f)
	k.fail(err)
	return &ReducingState[K, V]{base, s}
}

// Add combines v into the current key's value.
func (s *ReducingState[K, V]) Add(v V) {
	key, hash := s.current.at()
	s.current.fail(s.s.Add(key, hash, v, s.current.now(s.eventTime)))
}

// Get returns the current key's value, and whether anything was added.
func (s *ReducingState[K, V]) Get() (V, bool) {
	key, hash := s.current.at()
	v, ok, err := s.s.Get(key, hash, s.current.now(s.eventTime))
	s.current.fail(err)
	return v, ok
}

// Clear removes the current key's value.
func (s *ReducingState[K, V]) Clear() {
	key, hash := s.current.at()
	s.current.fail(s.s.Clear(key, hash))
}

// AggregatingState is one accumulator per key.
type AggregatingState[K comparable, T, A, R any] struct {
	keyedState[K]
	agg Aggregator[T, A, R]
	s   *state.Aggregating[K, A]
}

// NewAggregating declares an aggregating state. Call it in setup.
func NewAggregating[T, A, R any, K comparable, Out any](k *KeyedContext[K, Out], name string, agg Aggregator[T, A, R],
	options ...StateOption) *AggregatingState[K, T, A, R] {
	base, place := declare(k, name, options)
	var start func(*A)
	if s, ok := agg.(Starter[A]); ok {
		start = s.Start
	}
	s, err := state.RegisterAggregating[K](k.op.Backend, place, start)
	k.fail(err)
	return &AggregatingState[K, T, A, R]{base, agg, s}
}

// Add folds v into the current key's accumulator.
func (s *AggregatingState[K, T, A, R]) Add(v T) {
	key, hash := s.current.at()
	acc, err := s.s.Acc(key, hash, s.current.now(s.eventTime))
	if err != nil {
		s.current.fail(err)
		return
	}
	s.agg.Add(acc, v)
}

// Get returns the result for the current key, and whether anything was added.
func (s *AggregatingState[K, T, A, R]) Get() (r R, ok bool) {
	key, hash := s.current.at()
	acc, err := s.s.Get(key, hash, s.current.now(s.eventTime))
	s.current.fail(err)
	if acc == nil {
		return r, false
	}
	return s.agg.Result(acc), true
}

// Clear removes the current key's accumulator.
func (s *AggregatingState[K, T, A, R]) Clear() {
	key, hash := s.current.at()
	s.current.fail(s.s.Clear(key, hash))
}
