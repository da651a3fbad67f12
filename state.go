package flott

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/state"
)

// StateOption changes how a keyed state behaves.
type StateOption func(*stateOptions)

type stateOptions struct {
	ttl       state.TTL
	eventTime bool
	problem   string
}

func (o *stateOptions) live(d time.Duration) {
	if d < time.Millisecond {
		o.problem = fmt.Sprintf("a time to live of %v: at least 1 ms is needed; leave it out for none", d)
	}
	o.ttl.Ms = d.Milliseconds()
}

// TTL removes an entry when it has not been written for d (whole milliseconds, at least 1) of processing time. What has expired is not given
// out, not written to snapshots, and removed little by little. Without TTL or EventTimeTTL entries live until they are cleared.
func TTL(d time.Duration) StateOption { return func(o *stateOptions) { o.live(d) } }

// EventTimeTTL is TTL in event time: an entry expires when the record or timer being processed is d later than the last write.
// Replaying gives the same result. The operator needs watermarks.
func EventTimeTTL(d time.Duration) StateOption {
	return func(o *stateOptions) {
		o.live(d)
		o.eventTime = true
	}
}

// RefreshOnRead begins an entry's life anew when it is read, too.
func RefreshOnRead() StateOption { return func(o *stateOptions) { o.ttl.OnRead = true } }

// ReturnExpired gives out what has expired as long as it has not been removed.
func ReturnExpired() StateOption { return func(o *stateOptions) { o.ttl.ReturnExpired = true } }

// keyedState is the part that all kinds of keyed state share: the current key, and the clock of the time to live.
type keyedState[K comparable] struct {
	current     keyedScope[K]
	eventTime   bool
	declaration declaration
}

// keyedScope is what keyed state needs of a KeyedContext.
type keyedScope[K comparable] interface {
	// at is the current key; ok is false where there is none.
	at() (key K, hash uint64, ok bool)
	now(eventTime bool) int64
	fail(err error)
	scope() *scope
}

func (k *KeyedContext[K, Out]) at() (K, uint64, bool) { return k.key, k.hash, k.keyed }

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

// at is the current key. It panics where there is none: the state would be that of some other key.
func (s *keyedState[K]) at() (K, uint64) {
	key, hash, ok := s.current.at()
	if !ok {
		panic(s.current.scope().misused(s.declaration.String()))
	}
	return key, hash
}

// declare declares a keyed state; register makes it, unless something is wrong with the declaration.
func declare[K comparable, Out any](k *KeyedContext[K, Out], name string, options []StateOption, register func(state.Place) error) keyedState[K] {
	var o stateOptions
	for _, f := range options {
		f(&o)
	}
	d, ok := k.states.declare(name)
	if o.problem != "" {
		k.states.refuse(d, operator.Permanent(errors.New(o.problem)))
	}
	if o.eventTime {
		k.states.refuse(d, k.node.eventTimeProblem("a time to live in event time", "use TTL, which goes by processing time"))
	}
	if ok {
		k.states.refuse(d, register(state.Place{UID: k.op.UID, Name: name, TTL: o.ttl}))
	}
	return keyedState[K]{k, o.eventTime, d}
}

// ValueState is one value per key.
type ValueState[K comparable, V any] struct {
	keyedState[K]
	s *state.Value[K, V]
}

// NewValue declares a value per key. Call it in setup.
func NewValue[V any, K comparable, Out any](k *KeyedContext[K, Out], name string, options ...StateOption) *ValueState[K, V] {
	x := &ValueState[K, V]{}
	x.keyedState = declare(k, name, options, func(p state.Place) (err error) {
		x.s, err = state.RegisterValue[K, V](k.op.Backend, p)
		return err
	})
	return x
}

// Get returns the current key's value, V's zero value if it has none. What it points to must not be changed.
func (s *ValueState[K, V]) Get() V {
	v, _ := s.Lookup()
	return v
}

// Lookup returns the current key's value, and whether it has one.
func (s *ValueState[K, V]) Lookup() (V, bool) {
	key, hash := s.at()
	v, ok, err := s.s.Get(key, hash, s.current.now(s.eventTime))
	s.current.fail(err)
	return v, ok
}

// Set sets the current key's value, and keeps it: what it points to must not be changed afterwards.
func (s *ValueState[K, V]) Set(v V) {
	key, hash := s.at()
	s.current.fail(s.s.Set(key, hash, v, s.current.now(s.eventTime)))
}

// Update sets the current key's value to what f makes of it.
func (s *ValueState[K, V]) Update(f func(V) V) { s.Set(f(s.Get())) }

// Clear removes the current key's value.
func (s *ValueState[K, V]) Clear() {
	key, hash := s.at()
	s.current.fail(s.s.Clear(key, hash))
}

// ListState is a list per key.
type ListState[K comparable, E any] struct {
	keyedState[K]
	s *state.List[K, E]
}

// NewList declares a list per key. Call it in setup.
func NewList[E any, K comparable, Out any](k *KeyedContext[K, Out], name string, options ...StateOption) *ListState[K, E] {
	x := &ListState[K, E]{}
	x.keyedState = declare(k, name, options, func(p state.Place) (err error) {
		x.s, err = state.RegisterList[K, E](k.op.Backend, p)
		return err
	})
	return x
}

// Get returns the current key's elements, nil if there are none. The slice must not be changed or kept.
func (s *ListState[K, E]) Get() []E {
	key, hash := s.at()
	v, err := s.s.Get(key, hash, s.current.now(s.eventTime))
	s.current.fail(err)
	return v
}

// Add appends elements.
func (s *ListState[K, E]) Add(elements ...E) {
	key, hash := s.at()
	s.current.fail(s.s.Add(key, hash, s.current.now(s.eventTime), elements...))
}

// Update replaces all elements. It keeps the slice; an empty one clears the list.
func (s *ListState[K, E]) Update(elements []E) {
	key, hash := s.at()
	s.current.fail(s.s.Update(key, hash, s.current.now(s.eventTime), elements))
}

// Clear removes the current key's list.
func (s *ListState[K, E]) Clear() {
	key, hash := s.at()
	s.current.fail(s.s.Clear(key, hash))
}

// MapState is a map per key. Entries are stored one by one, so that a key may have many.
type MapState[K, U comparable, V any] struct {
	keyedState[K]
	s *state.Map[K, U, V]
}

// NewMap declares a map per key, from U to V. Call it in setup.
func NewMap[U comparable, V any, K comparable, Out any](k *KeyedContext[K, Out], name string, options ...StateOption) *MapState[K, U, V] {
	x := &MapState[K, U, V]{}
	x.keyedState = declare(k, name, options, func(p state.Place) (err error) {
		x.s, err = state.RegisterMap[K, U, V](k.op.Backend, p)
		return err
	})
	return x
}

// Get returns the value of an entry, and whether there is one. An entry with a nil value is there.
func (s *MapState[K, U, V]) Get(u U) (V, bool) {
	key, hash := s.at()
	v, ok, err := s.s.Get(key, hash, u, s.current.now(s.eventTime))
	s.current.fail(err)
	return v, ok
}

// Put sets an entry.
func (s *MapState[K, U, V]) Put(u U, v V) {
	key, hash := s.at()
	s.current.fail(s.s.Put(key, hash, u, v, s.current.now(s.eventTime)))
}

// Remove removes an entry.
func (s *MapState[K, U, V]) Remove(u U) {
	key, hash := s.at()
	_, err := s.s.Remove(key, hash, u)
	s.current.fail(err)
}

// Len is the number of the current key's entries.
func (s *MapState[K, U, V]) Len() int {
	key, hash := s.at()
	n, err := s.s.Len(key, hash)
	s.current.fail(err)
	return n
}

// All iterates over the current key's entries, in the order in which they were added. The map must
// not be changed meanwhile, but for removing the entry at hand.
func (s *MapState[K, U, V]) All() iter.Seq2[U, V] {
	return func(yield func(U, V) bool) {
		var err error
		key, hash := s.at()
		s.s.All(key, hash, s.current.now(s.eventTime), &err)(yield)
		s.current.fail(err)
	}
}

// Clear removes all entries of the current key.
func (s *MapState[K, U, V]) Clear() {
	key, hash := s.at()
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
	x := &ReducingState[K, V]{}
	x.keyedState = declare(k, name, options, func(p state.Place) (err error) {
		x.s, err = state.RegisterReducing[K](k.op.Backend, p, f)
		return err
	})
	return x
}

// Add combines v into the current key's value.
func (s *ReducingState[K, V]) Add(v V) {
	key, hash := s.at()
	s.current.fail(s.s.Add(key, hash, v, s.current.now(s.eventTime)))
}

// Get returns the current key's value, and whether anything was added.
func (s *ReducingState[K, V]) Get() (V, bool) {
	key, hash := s.at()
	v, ok, err := s.s.Get(key, hash, s.current.now(s.eventTime))
	s.current.fail(err)
	return v, ok
}

// Clear removes the current key's value.
func (s *ReducingState[K, V]) Clear() {
	key, hash := s.at()
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
	var start func(*A)
	if s, ok := agg.(Starter[A]); ok {
		start = s.Start
	}
	x := &AggregatingState[K, T, A, R]{agg: agg}
	x.keyedState = declare(k, name, options, func(p state.Place) (err error) {
		x.s, err = state.RegisterAggregating[K](k.op.Backend, p, start)
		return err
	})
	return x
}

// Add folds v into the current key's accumulator.
func (s *AggregatingState[K, T, A, R]) Add(v T) {
	key, hash := s.at()
	acc, err := s.s.Acc(key, hash, s.current.now(s.eventTime))
	if err != nil {
		s.current.fail(err)
		return
	}
	s.agg.Add(acc, v)
}

// Get returns the result for the current key, and whether anything was added.
func (s *AggregatingState[K, T, A, R]) Get() (r R, ok bool) {
	key, hash := s.at()
	acc, err := s.s.Get(key, hash, s.current.now(s.eventTime))
	s.current.fail(err)
	if acc == nil {
		return r, false
	}
	return s.agg.Result(acc), true
}

// Clear removes the current key's accumulator.
func (s *AggregatingState[K, T, A, R]) Clear() {
	key, hash := s.at()
	s.current.fail(s.s.Clear(key, hash))
}
