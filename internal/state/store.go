package state

// Store holds the entries of tables that do not fit in memory, as bytes. One goroutine owns it, except for its snapshots. Every error
// means that the
// task must fail; a store never panics for what the disk does.
type Store interface {
	// Get appends the value of key to dst.
	Get(key, dst []byte) (val []byte, ok bool, err error)
	// Set and Delete take effect for the next Get; they need not be durable.
	Set(key, val []byte) error
	Delete(key []byte) error
	// DeleteRange deletes the keys in [lo, hi).
	DeleteRange(lo, hi []byte) error
	// Iterate gives the entries in [lo, hi) in the order of their keys, as they are now.
	Iterate(lo, hi []byte) (StoreIterator, error)
	// Snapshot gives the entries as they are now, to be read by another goroutine.
	Snapshot() (StoreSnapshot, error)
	// Close removes everything.
	Close() error
}

// StoreSnapshot is an immutable view.
type StoreSnapshot interface {
	Iterate(lo, hi []byte) (StoreIterator, error)
	Close() error
}

// StoreIterator is used as for it.Next() { it.Key(), it.Value() }; both are good until the next Next. Close gives the error that ended
// it early.
type StoreIterator interface {
	Next() bool
	Key() []byte
	Value() []byte
	Close() error
}
