package record

import (
	"reflect"
	"sync"
	"unsafe"

	"github.com/flottio/flott/column"
)

// Limits of one batch of rows: it is full at maxRows records or at about maxBatchBytes, whichever is first, but holds at least
// minRows. 512 rows of 64 bytes are about the first level of the cache, and from some 128 rows on every cost per batch has vanished
// (docs/rfc/0001-data-plane.md).
const (
	maxRows       = 512
	minRows       = 64
	maxBatchBytes = 256 << 10
)

// Rows is a batch of user values. The zero value is not usable: NewRows, or Fresh of another batch.
//
// Operators read and write the slices directly; Rows[:], Times and Hashes are owned by the batch's owner.
type Rows[T any] struct {
	Head  Header
	Rows  []T
	limit int
	pool  *sync.Pool
	flat  bool // T holds no pointers: nothing to clear on Release
	dead  bool // released or poisoned; checked with the tag invariants
}

var pools sync.Map // reflect.Type -> *sync.Pool

// NewRows returns an empty batch. Look-up of the type's pool costs a map access: operators make their first batch at Open and
// the next ones with Fresh or Get.
func NewRows[T any]() *Rows[T] {
	t := reflect.TypeFor[T]()
	p, ok := pools.Load(t)
	if !ok {
		p, _ = pools.LoadOrStore(t, newPool[T](t))
	}
	return p.(*sync.Pool).Get().(*Rows[T])
}

func newPool[T any](t reflect.Type) *sync.Pool {
	limit := Limit[T]()
	flat := isFlat(t)
	p := &sync.Pool{}
	p.New = func() any { return &Rows[T]{limit: limit, pool: p, flat: flat, Rows: make([]T, 0, limit)} }
	return p
}

// Limit is the number of records at which a batch of T is full.
func Limit[T any]() int {
	var zero T
	n := maxBatchBytes / max(1, int(unsafe.Sizeof(zero)))
	return min(maxRows, max(minRows, n))
}

func isFlat(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8,
		reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr, reflect.Float32, reflect.Float64,
		reflect.Complex64, reflect.Complex128:
		return true
	case reflect.Array:
		return isFlat(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if !isFlat(t.Field(i).Type) {
				return false
			}
		}
		return true
	}
	return false
}

// Get returns an empty batch from the same pool.
func (r *Rows[T]) Get() *Rows[T] { return r.pool.Get().(*Rows[T]) }

// Len implements Batch.
func (r *Rows[T]) Len() int { return len(r.Rows) }

// Header implements Batch.
func (r *Rows[T]) Header() *Header { return &r.Head }

// Cap is the number of records at which the batch is full.
func (r *Rows[T]) Cap() int { return r.limit }

// Full implements Batch.
func (r *Rows[T]) Full() bool { return len(r.Rows) >= r.limit }

// Bytes implements Batch. What the rows point to is not counted: reading it would cost more than the queue's bound is worth.
func (r *Rows[T]) Bytes() int {
	var zero T
	return len(r.Rows)*int(unsafe.Sizeof(zero)) + 8*len(r.Head.Times) + 8*len(r.Head.Hashes)
}

// Fresh implements Batch.
func (r *Rows[T]) Fresh() Batch { return r.Get() }

// Append adds one record with its event time; t is ignored when timed is false. Records with and without event time may be mixed: each
// keeps its own.
func (r *Rows[T]) Append(v T, t int64, timed bool) {
	switch {
	case timed && len(r.Head.Times) < len(r.Rows):
		r.Head.fill(len(r.Rows))
		r.Head.Times = append(r.Head.Times, t)
	case timed:
		r.Head.Times = append(r.Head.Times, t)
	case len(r.Head.Times) > 0:
		r.Head.Times = append(r.Head.Times, NoTime)
	}
	r.Rows = append(r.Rows, v)
}

// Extend makes room for n more records and returns it, with whatever was there before: the caller writes every place.
func (r *Rows[T]) Extend(n int) []T {
	from := len(r.Rows)
	r.Rows = extend(r.Rows, n, r.limit)
	return r.Rows[from:]
}

// extend makes s longer by n. A slice that outgrows limit is given room for twice as much at once, which is the most that a pool takes
// back: a batch to which another full one was added does not grow again.
func extend[E any](s []E, n, limit int) []E {
	if len(s)+n > cap(s) {
		grown := make([]E, len(s), max(len(s)+n, 2*limit))
		copy(grown, s)
		s = grown
	}
	return s[:len(s)+n]
}

// gather appends to dst the elements of src at the given positions.
func gather[E any](dst, src []E, at []int32, limit int) []E {
	from := len(dst)
	dst = extend(dst, len(at), limit)
	to := dst[from:]
	to = to[:len(at)]
	for j, i := range at {
		to[j] = src[i]
	}
	return dst
}

// Records is the number of records for metrics: of batches of a table's rows, which a table's source emits and a table's sink takes, the rows count.
func (r *Rows[T]) Records() int {
	tables, ok := any(&r.Rows).(*[]*column.Batch)
	if !ok {
		return len(r.Rows)
	}
	n := 0
	for _, b := range *tables {
		n += b.Records()
	}
	return n
}

// Count is the number of records of a batch for metrics.
func Count(b Batch) int {
	if c, ok := b.(interface{ Records() int }); ok {
		return c.Records()
	}
	return b.Len()
}

// Clone implements Batch. Values that point to memory share it: user values are not to be changed after they were emitted. Batches of a table's rows
// are copied: who gets one takes it apart.
func (r *Rows[T]) Clone() Batch {
	c := r.Get()
	c.Rows = append(c.Rows, r.Rows...)
	if tables, ok := any(&c.Rows).(*[]*column.Batch); ok {
		for i, b := range *tables {
			(*tables)[i] = b.Clone()
		}
	}
	c.Head.Times = append(c.Head.Times, r.Head.Times...)
	c.Head.Hashes = append(c.Head.Hashes, r.Head.Hashes...)
	c.Head.Split = r.Head.Split
	return c
}

// Gather implements Batch.
func (r *Rows[T]) Gather(dst Batch, at []int32) {
	d := dst.(*Rows[T])
	before := len(d.Rows)
	d.Rows = gather(d.Rows, r.Rows, at, d.limit)
	if d.Head.takesTimes(before, &r.Head) {
		d.Head.Times = gather(d.Head.Times, r.Head.Times, at, d.limit)
	}
	if d.Head.takesHashes(before, &r.Head) {
		d.Head.Hashes = gather(d.Head.Hashes, r.Head.Hashes, at, d.limit)
	}
	d.Head.pad(len(d.Rows))
}

// Slice implements Batch.
func (r *Rows[T]) Slice(dst Batch, from, to int) {
	d := dst.(*Rows[T])
	before := len(d.Rows)
	d.Rows = append(d.Rows, r.Rows[from:to]...)
	if d.Head.takesTimes(before, &r.Head) {
		d.Head.Times = append(d.Head.Times, r.Head.Times[from:to]...)
	}
	if d.Head.takesHashes(before, &r.Head) {
		d.Head.Hashes = append(d.Head.Hashes, r.Head.Hashes[from:to]...)
	}
	d.Head.pad(len(d.Rows))
}

// Take moves the header (times, hashes, split) of src into r, whose rows were made one for one from src's. src loses them.
func (r *Rows[T]) Take(src *Header) {
	r.Head.Times, src.Times = src.Times, r.Head.Times[:0]
	r.Head.Hashes, src.Hashes = src.Hashes, r.Head.Hashes[:0]
	r.Head.Split = src.Split
}

// At implements Batch.
func (r *Rows[T]) At(i int) any {
	if i < 0 || i >= len(r.Rows) {
		return nil
	}
	return r.Rows[i]
}

// Release implements Batch.
func (r *Rows[T]) Release() {
	checkAlive(r.dead)
	// Rows are not cleared: what they point to lives on until the batch is filled again, or until the pool lets go of it, which
	// it does within two garbage collections. Clearing cost a tenth of a short chain.
	r.poisonReleased()
	if cap(r.Rows) > 2*r.limit {
		return // a batch that grew far beyond its limit (one input made many records) is not kept
	}
	r.Rows = r.Rows[:0]
	r.Head.Times = r.Head.Times[:0]
	r.Head.Hashes = r.Head.Hashes[:0]
	r.Head.Split = 0
	r.pool.Put(r)
}
