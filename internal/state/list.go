package state

// List is a list per key. It is kept whole under its key: to append to one that is not in memory, the store reads it once.
type List[K comparable, E any] struct{ cells *cells[K, []E] }

// RegisterList adds a list state to an operator and restores it. A time to live is that of the whole list.
func RegisterList[K comparable, E any](b *Backend, p Place) (*List[K, E], error) {
	d, err := Describe[K, []E]()
	if err != nil {
		return nil, err
	}
	c, err := registerCells(b, p, d)
	return &List[K, E]{c}, err
}

// Get returns the list of a key for reading until the next call; nil when there is none.
func (s *List[K, E]) Get(key K, hash uint64, now int64) ([]E, error) {
	p, err := s.cells.get(key, hash, now)
	if p == nil || err != nil {
		return nil, err
	}
	return *p, nil
}

// Add appends to the list of a key.
func (s *List[K, E]) Add(key K, hash uint64, now int64, elements ...E) error {
	if len(elements) == 0 {
		return nil
	}
	p, err := s.cells.upsert(key, hash, now)
	if err == nil {
		*p = append(*p, elements...)
	}
	return err
}

// Update replaces the list of a key, which it keeps; an empty one removes it.
func (s *List[K, E]) Update(key K, hash uint64, now int64, elements []E) error {
	if len(elements) == 0 {
		return s.Clear(key, hash)
	}
	return s.cells.set(key, hash, elements, now)
}

// Clear removes the list of a key.
func (s *List[K, E]) Clear(key K, hash uint64) error {
	_, err := s.cells.delete(key, hash)
	return err
}

// Len is the number of keys with a list.
func (s *List[K, E]) Len() int { return s.cells.len() }
