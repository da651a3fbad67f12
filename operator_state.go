package flott

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/flottio/flott/codec"
	"github.com/flottio/flott/internal/operator"
)

// Scope is where operator state is declared: a *KeyedContext or a *ProcessContext, in setup.
type Scope interface{ scope() *scope }

// scope holds the declarations of one subtask of one operator, and its operator state.
type scope struct {
	op           *operator.Context
	declarations []declaration
	states       []operatorState
	err          error
	// closed says that setup is over.
	closed bool
	// writable says that broadcast state may be changed: only records of the broadcast stream do that.
	writable bool
}

// operatorState is one list of operator state.
type operatorState interface {
	list() operator.ListState
}

func (k *KeyedContext[K, Out]) scope() *scope { return &k.states }
func (p *ProcessContext[Out]) scope() *scope  { return &p.k.states }

func (s *scope) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// save returns copies of all operator state (A3.5).
func (s *scope) save() operator.Saved {
	var saved operator.Saved
	for _, x := range s.states {
		saved.Lists = append(saved.Lists, x.list())
	}
	return saved
}

// declared returns the lists without elements.
func (s *scope) declared() []operator.ListState {
	lists := s.save().Lists
	for i := range lists {
		lists[i].Elements = nil
	}
	return lists
}

// OperatorList is a list that belongs to a subtask, not to a key.
type OperatorList[V any] struct {
	name   string
	mode   operator.Mode
	codec  *codec.Codec[V]
	values []V
}

// NewOperatorList declares a list of operator state. When the parallelism changes its elements are dealt out round robin to
// the new subtasks, or with union all of them go to each.
func NewOperatorList[V any](s Scope, name string, union bool) *OperatorList[V] {
	sc := s.scope()
	l := &OperatorList[V]{name: name}
	if union {
		l.mode = operator.Union
	}
	d, ok := sc.declare(name)
	var err error
	if l.codec, err = codec.For[V](); err != nil || !ok {
		sc.refuse(d, err)
		return l
	}
	sc.states = append(sc.states, l)
	for i, b := range sc.op.Restored.List(name) {
		var v V
		if n, err := l.codec.Decode(b, &v); err != nil || n != len(b) {
			sc.refuse(d, fmt.Errorf("element %d of %d bytes: %w", i, len(b), errors.Join(err, errLength(n, b))))
			return l
		}
		l.values = append(l.values, v)
	}
	return l
}

func errLength(n int, b []byte) error {
	if n == len(b) {
		return nil
	}
	return fmt.Errorf("%d bytes are left", len(b)-n)
}

// Get returns the elements; they are the list's own.
func (l *OperatorList[V]) Get() []V { return l.values }

// Add appends an element.
func (l *OperatorList[V]) Add(v V) { l.values = append(l.values, v) }

// Update replaces all elements.
func (l *OperatorList[V]) Update(values []V) { l.values = append(l.values[:0], values...) }

// Clear removes all elements.
func (l *OperatorList[V]) Clear() { l.values = l.values[:0] }

func (l *OperatorList[V]) list() operator.ListState {
	x := operator.ListState{Name: l.name, Mode: l.mode}
	for i := range l.values {
		x.Elements = append(x.Elements, l.codec.Append(nil, &l.values[i]))
	}
	return x
}

// BroadcastState is a map that is equal on all subtasks, because all of them receive the same records of the broadcast stream in
// their functions for it, and only those may change it. Those functions must do the same everywhere: no randomness, no clock, no keyed state.
type BroadcastState[K comparable, V any] struct {
	name  string
	scope *scope
	key   *codec.Key[K]
	value *codec.Codec[V]
	m     map[K]V
}

// NewBroadcastState declares a broadcast state.
func NewBroadcastState[K comparable, V any](s Scope, name string) *BroadcastState[K, V] {
	sc := s.scope()
	b := &BroadcastState[K, V]{name: name, scope: sc, m: map[K]V{}}
	d, ok := sc.declare(name)
	var err error
	if b.key, err = codec.ForKey[K](); err == nil {
		b.value, err = codec.For[V]()
	}
	if err != nil || !ok {
		sc.refuse(d, err)
		return b
	}
	sc.states = append(sc.states, b)
	for i, x := range sc.op.Restored.List(name) {
		if err := b.restore(x); err != nil {
			sc.refuse(d, fmt.Errorf("entry %d: %w", i, err))
			break
		}
	}
	return b
}

func (b *BroadcastState[K, V]) restore(x []byte) error {
	var k K
	var v V
	n, err := b.key.Decode(x, &k)
	if err != nil {
		return err
	}
	if _, err = b.value.Decode(x[n:], &v); err != nil {
		return err
	}
	b.m[k] = v
	return nil
}

// Get returns the value of a key, and whether there is one.
func (b *BroadcastState[K, V]) Get(k K) (V, bool) {
	v, ok := b.m[k]
	return v, ok
}

// Put sets the value of a key. Only the function for records of the broadcast stream may do so.
func (b *BroadcastState[K, V]) Put(k K, v V) {
	if b.mayWrite() {
		b.m[k] = v
	}
}

// Remove removes a key.
func (b *BroadcastState[K, V]) Remove(k K) {
	if b.mayWrite() {
		delete(b.m, k)
	}
}

func (b *BroadcastState[K, V]) mayWrite() bool {
	if !b.scope.writable {
		b.scope.fail(fmt.Errorf("broadcast state %q was changed outside of the function for the broadcast stream: "+
			"it would no longer be equal on all subtasks", b.name))
	}
	return b.scope.writable
}

// Len is the number of keys.
func (b *BroadcastState[K, V]) Len() int { return len(b.m) }

// All iterates over all entries, in the order of the keys' bytes: the same on all subtasks.
func (b *BroadcastState[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for _, e := range b.sorted() {
			if !yield(e.key, b.m[e.key]) {
				return
			}
		}
	}
}

type broadcastKey[K comparable] struct {
	key   K
	bytes []byte
}

func (b *BroadcastState[K, V]) sorted() []broadcastKey[K] {
	keys := make([]broadcastKey[K], 0, len(b.m))
	for k := range b.m {
		keys = append(keys, broadcastKey[K]{k, b.key.Append(nil, &k)})
	}
	slices.SortFunc(keys, func(x, y broadcastKey[K]) int { return bytes.Compare(x.bytes, y.bytes) })
	return keys
}

func (b *BroadcastState[K, V]) list() operator.ListState {
	x := operator.ListState{Name: b.name, Mode: operator.Replicate}
	for _, e := range b.sorted() {
		v := b.m[e.key]
		x.Elements = append(x.Elements, b.value.Append(e.bytes, &v))
	}
	return x
}
