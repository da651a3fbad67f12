package operator

import (
	"github.com/flottio/flott/codec"
	"github.com/flottio/flott/internal/invariant"
	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/internal/record"
)

// KeyFinder finds keys and key hashes of batches. Each operator and partitioner has its own.
type KeyFinder[K comparable, T any] struct {
	Key    func(T) K
	Codec  *codec.Key[K]
	keys   []K
	cursor Cursor
}

// Current is the record whose key is being asked for: see Describer.
func (f *KeyFinder[K, T]) Current() (rec any, ok bool) { return f.cursor.Current() }

// Init prepares the finder; the error says why K cannot be a key.
func (f *KeyFinder[K, T]) Init() (err error) {
	if f.Codec == nil {
		f.Codec, err = codec.ForKey[K]()
	}
	return err
}

// Keys returns the keys of a batch; the slice is good until the next call.
func (f *KeyFinder[K, T]) Keys(b *record.Rows[T]) []K {
	n := len(b.Rows)
	if cap(f.keys) < n {
		f.keys = make([]K, max(n, b.Cap()))
	}
	keys, key, rows := f.keys[:n], f.Key, b.Rows[:n]
	f.cursor.begin(b)
	for i := range keys {
		f.cursor.at = i
		keys[i] = key(rows[i])
	}
	f.cursor.end()
	return keys
}

// Rehash computes the hashes of a batch's keys and stores them in its header: the partitioner's part.
func (f *KeyFinder[K, T]) Rehash(b *record.Rows[T]) []uint64 {
	keys := f.Keys(b)
	h := b.Head.Hashes[:0]
	if cap(h) < len(keys) {
		h = make([]uint64, 0, max(len(keys), b.Cap()))
	}
	h = h[:len(keys)]
	f.Codec.HashAll(keys, h)
	b.Head.Hashes = h
	return h
}

// Find returns keys and hashes of a batch that came over a keyed edge. The hashes came along, unless the operator is chained to
// what is before it.
func (f *KeyFinder[K, T]) Find(b *record.Rows[T], own keygroup.Range, maxParallelism int) ([]K, []uint64) {
	if len(b.Head.Hashes) != len(b.Rows) {
		return f.keys[:len(f.Rehash(b))], b.Head.Hashes
	}
	if invariant.Enabled {
		for _, h := range b.Head.Hashes {
			g := keygroup.Of(h, maxParallelism)
			invariant.Check(own.Contains(g), "a record of key group %d came to the subtask of %v (A13.3)", g, own)
		}
	}
	return f.Keys(b), b.Head.Hashes
}
