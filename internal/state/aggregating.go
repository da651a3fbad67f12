package state

// Reducing is one value per key, combined from all that were added.
type Reducing[K comparable, V any] struct {
	cells  *cells[K, V]
	reduce func(a, b V) V
}

// RegisterReducing adds a reducing state to an operator and restores it.
func RegisterReducing[K comparable, V any](b *Backend, p Place, reduce func(a, b V) V) (*Reducing[K, V], error) {
	d, err := Describe[K, V]()
	if err != nil {
		return nil, err
	}
	c, err := registerCells(b, p, d)
	return &Reducing[K, V]{c, reduce}, err
}

// Add combines v into the value of a key.
func (s *Reducing[K, V]) Add(key K, hash uint64, v V, now int64) error {
	p, err := s.cells.get(key, hash, now)
	if err != nil {
		return err
	}
	if p != nil {
		v = s.reduce(*p, v)
	}
	return s.cells.set(key, hash, v, now)
}

// Get returns the value of a key; ok is false when nothing was added.
func (s *Reducing[K, V]) Get(key K, hash uint64, now int64) (v V, ok bool, err error) {
	p, err := s.cells.get(key, hash, now)
	if p == nil || err != nil {
		return v, false, err
	}
	return *p, true, nil
}

// Clear removes the value of a key.
func (s *Reducing[K, V]) Clear(key K, hash uint64) error {
	_, err := s.cells.delete(key, hash)
	return err
}

// Len is the number of keys with a value.
func (s *Reducing[K, V]) Len() int { return s.cells.len() }

// Aggregating is one accumulator per key. How input is added and a result made of it is the caller's business.
type Aggregating[K comparable, A any] struct{ cells *cells[K, A] }

// RegisterAggregating adds an aggregating state to an operator and restores it. start makes a new accumulator of a zero one; nil
// leaves it.
func RegisterAggregating[K comparable, A any](b *Backend, p Place, start func(*A)) (*Aggregating[K, A], error) {
	d, err := Describe[K, A]()
	if err != nil {
		return nil, err
	}
	if start != nil {
		d.Init = func(_ *K, a *A) { start(a) }
	}
	c, err := registerCells(b, p, d)
	return &Aggregating[K, A]{c}, err
}

// Acc points to the accumulator of a key, a new one if there is none, until the next call.
func (s *Aggregating[K, A]) Acc(key K, hash uint64, now int64) (*A, error) {
	return s.cells.upsert(key, hash, now)
}

// Accs is Acc for a vector of keys.
func (s *Aggregating[K, A]) Accs(keys []K, hashes []uint64, accs []*A, now int64) error {
	return s.cells.upsertAll(keys, hashes, accs, now)
}

// Get points to the accumulator of a key for reading; nil when there is none.
func (s *Aggregating[K, A]) Get(key K, hash uint64, now int64) (*A, error) {
	return s.cells.get(key, hash, now)
}

// Clear removes the accumulator of a key.
func (s *Aggregating[K, A]) Clear(key K, hash uint64) error {
	_, err := s.cells.delete(key, hash)
	return err
}

// Len is the number of keys with an accumulator.
func (s *Aggregating[K, A]) Len() int { return s.cells.len() }
