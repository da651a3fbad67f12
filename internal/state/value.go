package state

// Value is one value per key. Calls with one key are for functions of the user's, those with a vector for operators. now is the time, in
// milliseconds, that a time to live counts in; without one it means nothing. One goroutine owns it, as all kinds of state.
type Value[K comparable, V any] struct{ cells *cells[K, V] }

// RegisterValue adds a value state to an operator and restores it.
func RegisterValue[K comparable, V any](b *Backend, p Place) (*Value[K, V], error) {
	d, err := Describe[K, V]()
	if err != nil {
		return nil, err
	}
	return RegisterDescribed(b, p, d)
}

// RegisterDescribed is RegisterValue for keys and values whose bytes the caller describes.
func RegisterDescribed[K comparable, V any](b *Backend, p Place, d Descriptor[K, V]) (*Value[K, V], error) {
	c, err := registerCells(b, p, d)
	return &Value[K, V]{c}, err
}

// Get returns the value of a key; ok is false when there is none, which is not the same as a value that is nil.
func (s *Value[K, V]) Get(key K, hash uint64, now int64) (v V, ok bool, err error) {
	p, err := s.cells.get(key, hash, now)
	if p == nil || err != nil {
		return v, false, err
	}
	return *p, true, nil
}

// Ref points to the value of a key, which it adds, zero, if there is none. It is good until the next call.
func (s *Value[K, V]) Ref(key K, hash uint64, now int64) (*V, error) {
	return s.cells.upsert(key, hash, now)
}

// Set writes the value of a key.
func (s *Value[K, V]) Set(key K, hash uint64, v V, now int64) error {
	return s.cells.set(key, hash, v, now)
}

// Clear removes the value of a key.
func (s *Value[K, V]) Clear(key K, hash uint64) error {
	_, err := s.cells.delete(key, hash)
	return err
}

// Upsert and Find are those of Table.
func (s *Value[K, V]) Upsert(keys []K, hashes []uint64, vals []*V, now int64) error {
	return s.cells.upsertAll(keys, hashes, vals, now)
}

// Find points vals[i] to the value of keys[i] for reading, or sets nil.
func (s *Value[K, V]) Find(keys []K, hashes []uint64, vals []*V, now int64) error {
	return s.cells.findAll(keys, hashes, vals, now)
}

// Scan is that of Table, with what has expired left in.
func (s *Value[K, V]) Scan(cursor uint64, keys []K, vals []*V) (n int, next uint64, err error) {
	if s.cells.timed == nil {
		return s.cells.plain.Scan(cursor, keys, vals)
	}
	at := s.cells.scratch(len(vals))
	n, next, err = s.cells.timed.Scan(cursor, keys, at)
	for i := range n {
		vals[i] = &at[i].Value
	}
	return n, next, err
}

// Len is the number of keys with a value, expired ones included until they are cleaned up.
func (s *Value[K, V]) Len() int { return s.cells.len() }
