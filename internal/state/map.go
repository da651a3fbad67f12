package state

import (
	"fmt"
	"iter"

	"github.com/flottio/flott/codec"
	"github.com/flottio/flott/schema"
)

// Map is a map per key, of entries that live on their own: a large one is never read or written as a whole. A nil value is not an absent
// one (A13.8).
//
// Entries are a table under (key, user key). Those of one key are a list, linked by user key in the order in which they were added, with
// its ends in a second table, called name/keys. So iterating is in the order of adding, on both backends and after a restore, and needs
// no range scan of the store.
type Map[K, U comparable, V any] struct {
	entries *cells[mapKey[K, U], mapEntry[U, V]]
	heads   *Table[K, mapHead[U]]
	same    func(a, b *U) bool
}

type mapKey[K, U comparable] struct {
	Key  K
	User U
}

// mapEntry is an entry between its neighbours. Which of them there are shows in mapHead: First has no Prev, Last no Next.
type mapEntry[U comparable, V any] struct {
	Value V
	Prev  U
	Next  U
}

// mapHead is the list of a key.
type mapHead[U comparable] struct {
	First U
	Last  U
	Len   int64
}

// RegisterMap adds a map state to an operator and restores it. A time to live is that of each entry.
func RegisterMap[K, U comparable, V any](b *Backend, p Place) (*Map[K, U, V], error) {
	d, err := describeMap[K, U, V]()
	if err != nil {
		return nil, err
	}
	hd, err := Describe[K, mapHead[U]]()
	if err != nil {
		return nil, err
	}
	user, err := codec.ForKey[U]()
	if err != nil {
		return nil, err
	}
	m := &Map[K, U, V]{same: user.Equal}
	if m.entries, err = registerCells(b, p, d); err != nil {
		return nil, err
	}
	m.entries.keepExpired = true
	m.entries.expire = func(k *mapKey[K, U], hash uint64) error {
		_, err := m.Remove(k.Key, hash, k.User)
		return err
	}
	m.heads, err = RegisterTable(b, p.UID, p.Name+"/keys", hd)
	return m, err
}

func describeMap[K, U comparable, V any]() (d Descriptor[mapKey[K, U], mapEntry[U, V]], err error) {
	key, err := codec.ForKey[K]()
	if err != nil {
		return d, err
	}
	user, err := codec.ForKey[U]()
	if err != nil {
		return d, fmt.Errorf("keys of the map: %w", err)
	}
	d.Values, err = mapEntryFormat[U, V](user)
	d.KeyHash = func(k *mapKey[K, U]) uint64 { return key.Hash(&k.Key) }
	d.Mix = func(k *mapKey[K, U], h uint64) uint64 { return mixNumber(h, user.Hash(&k.User)) }
	d.Equal = func(a, b *mapKey[K, U]) bool { return key.Equal(&a.Key, &b.Key) && user.Equal(&a.User, &b.User) }
	d.Keys = Format[mapKey[K, U]]{
		Append: func(dst []byte, k *mapKey[K, U]) []byte { return user.Append(key.Append(dst, &k.Key), &k.User) },
		Decode: func(src []byte, k *mapKey[K, U]) (int, error) {
			n, err := key.Decode(src, &k.Key)
			if err != nil {
				return 0, err
			}
			m, err := user.Decode(src[n:], &k.User)
			return n + m, err
		},
		Schema: structOf("key", key.Schema(), "user", user.Schema()),
	}
	return d, err
}

// structOf describes a struct from pairs of name and *schema.Type.
func structOf(pairs ...any) *schema.Type {
	t := &schema.Type{Kind: schema.Struct}
	for i := 0; i < len(pairs); i += 2 {
		t.Fields = append(t.Fields, schema.Field{Name: pairs[i].(string), Type: pairs[i+1].(*schema.Type)})
	}
	return t
}

func mapEntryFormat[U comparable, V any](user *codec.Key[U]) (f Format[mapEntry[U, V]], err error) {
	value, err := FormatFor[V]()
	if err != nil {
		return f, fmt.Errorf("values of the map: %w", err)
	}
	decoder := func(decode func([]byte, *V) (int, error)) func([]byte, *mapEntry[U, V]) (int, error) {
		return func(src []byte, e *mapEntry[U, V]) (int, error) {
			n, err := decode(src, &e.Value)
			if err != nil {
				return 0, err
			}
			prev, err := user.Decode(src[n:], &e.Prev)
			if err != nil {
				return 0, err
			}
			next, err := user.Decode(src[n+prev:], &e.Next)
			return n + prev + next, err
		}
	}
	f = Format[mapEntry[U, V]]{
		Append: func(dst []byte, e *mapEntry[U, V]) []byte {
			return user.Append(user.Append(value.Append(dst, &e.Value), &e.Prev), &e.Next)
		},
		Decode: decoder(value.Decode),
		Schema: structOf("value", value.Schema, "@prev", user.Schema(), "@next", user.Schema()),
		Shared: value.Shared,
	}
	f.Reader = func(written *schema.Type) (func([]byte, *mapEntry[U, V]) (int, error), error) {
		if written.Kind != schema.Struct || len(written.Fields) != 3 || written.Fields[1].Name != "@prev" {
			return nil, fmt.Errorf("these are not entries of a map: %v", written)
		}
		decode, err := value.reader(written.Fields[0].Type)
		if err != nil {
			return nil, err
		}
		return decoder(decode), nil
	}
	return f, nil
}

// Get returns the value of a user key; ok is false when it is absent.
func (m *Map[K, U, V]) Get(key K, hash uint64, user U, now int64) (v V, ok bool, err error) {
	e, err := m.entries.get(mapKey[K, U]{key, user}, hash, now)
	if e == nil || err != nil {
		return v, false, err
	}
	return e.Value, true, nil
}

// Put sets the value of a user key.
func (m *Map[K, U, V]) Put(key K, hash uint64, user U, v V, now int64) error {
	if err := m.entries.sweep(1, now); err != nil {
		return err
	}
	k := mapKey[K, U]{key, user}
	old, _, err := m.entries.raw(k, hash, false)
	if err != nil {
		return err
	}
	there := old != nil // expired or not: its links count
	var prev U
	if !there {
		if prev, err = m.link(key, hash, user); err != nil {
			return err
		}
	}
	e, err := m.entries.upsertRaw(k, hash, now)
	if err != nil {
		return err
	}
	e.Value = v
	if !there {
		e.Prev = prev
	}
	return nil
}

// link appends user to the list of key and returns what was last before.
func (m *Map[K, U, V]) link(key K, hash uint64, user U) (prev U, err error) {
	h, err := m.heads.UpsertOne(key, hash)
	if err != nil {
		return prev, err
	}
	h.Len++
	if h.Len == 1 {
		h.First, h.Last = user, user
		return prev, nil
	}
	prev, h.Last = h.Last, user
	return prev, m.change(key, hash, prev, func(e *mapEntry[U, V]) { e.Next = user })
}

// change writes to an entry that is there.
func (m *Map[K, U, V]) change(key K, hash uint64, user U, f func(e *mapEntry[U, V])) error {
	e, _, err := m.entries.raw(mapKey[K, U]{key, user}, hash, true)
	if err != nil {
		return err
	}
	if e == nil {
		panic(fmt.Sprintf("BUG: state: map entry %v of key %v is linked, but not there", user, key))
	}
	f(e)
	return nil
}

// Remove removes a user key and reports whether it was there, expired ones included.
func (m *Map[K, U, V]) Remove(key K, hash uint64, user U) (bool, error) {
	k := mapKey[K, U]{key, user}
	e, _, err := m.entries.raw(k, hash, false)
	if e == nil || err != nil {
		return false, err
	}
	prev, next := e.Prev, e.Next
	h, err := m.heads.UpsertOne(key, hash)
	if err != nil {
		return false, err
	}
	first, last := m.same(&h.First, &user), m.same(&h.Last, &user)
	if first {
		h.First = next
	}
	if last {
		h.Last = prev
	}
	if h.Len--; h.Len == 0 {
		if _, err := m.heads.Delete(key, hash); err != nil {
			return false, err
		}
	}
	if !first {
		if err := m.change(key, hash, prev, func(e *mapEntry[U, V]) { e.Next = next }); err != nil {
			return false, err
		}
	}
	if !last {
		if err := m.change(key, hash, next, func(e *mapEntry[U, V]) { e.Prev = prev }); err != nil {
			return false, err
		}
	}
	return m.entries.delete(k, hash)
}

// Len is the number of entries of a key, expired ones included until they are cleaned up.
func (m *Map[K, U, V]) Len(key K, hash uint64) (int, error) {
	h, err := m.heads.Get(key, hash)
	if h == nil || err != nil {
		return 0, err
	}
	return int(h.Len), nil
}

// All iterates over the entries of a key in the order in which they were added. The entry it stands on may be removed, others not; err is
// set when the store failed.
func (m *Map[K, U, V]) All(key K, hash uint64, now int64, err *error) iter.Seq2[U, V] {
	return func(yield func(U, V) bool) {
		h, e := m.heads.Get(key, hash)
		if h == nil || e != nil {
			*err = e
			return
		}
		at, last := h.First, h.Last
		for {
			raw, stamp, e := m.entries.raw(mapKey[K, U]{key, at}, hash, m.entries.ttl.OnRead)
			if raw == nil || e != nil {
				*err = e
				return
			}
			user, next, v, live := at, raw.Next, raw.Value, m.entries.isRead(stamp, now)
			done := m.same(&user, &last)
			if live && !yield(user, v) || done {
				return
			}
			at = next
		}
	}
}

// Clear removes all entries of a key.
func (m *Map[K, U, V]) Clear(key K, hash uint64) error {
	h, err := m.heads.Get(key, hash)
	if h == nil || err != nil {
		return err
	}
	at, last := h.First, h.Last
	for {
		k := mapKey[K, U]{key, at}
		e, _, err := m.entries.raw(k, hash, false)
		if err != nil {
			return err
		}
		done := m.same(&at, &last)
		at = e.Next
		if _, err := m.entries.delete(k, hash); err != nil {
			return err
		}
		if done {
			break
		}
	}
	_, err = m.heads.Delete(key, hash)
	return err
}
