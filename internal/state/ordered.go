package state

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"github.com/flottio/flott/schema"
)

// Ordered is records per key, each set ordered by the bytes of the records' sort keys: what joins, Top-N and everything else that keeps
// many rows of one key is made of.
//
// Problem: a key may have one row or millions. Adding one must not rewrite the others, on disk either; one must be found, and all be read in
// order, on both backends.
//
// Idea: a tree of two levels. While the records of a key are few they lie in the key's entry, in one piece of memory. When they are many they
// are in parts of up to partBytesMax, which are entries of a second table under (key, number), and the key's entry holds the directory: the
// first sort key of each part. A record is added at the end of its part in place, and anywhere else by a copy of the part.
//
// Calls come in vectors: At finds the keys of a batch; what follows names them by their place in that vector. Bytes of a record's sort key and
// row are never changed once they are written, so that they may be read, and be shared with, for as long as one likes; slots are changed in
// place.
//
// Invariants: the records of a part are in order, and so are the parts; equal sort keys are in the order of adding; a key without records has
// no entry once Done has been called.
type Ordered[K comparable] struct {
	heads *Table[K, orderedHead]
	parts *Table[partKey[K], []byte]
	slots int

	keys   []K
	hashes []uint64
	at     []*orderedHead
	vector uint64 // number of the last vector
	open   bool   // Done is to be called
	cursor uint64
	sweep  []K
	swept  []*orderedHead
}

// orderedHead is what is known of one key.
type orderedHead struct {
	Records int64
	StampMs int64
	Few     []byte // the records, while there is no directory
	Dir     []partRef
	Next    uint32 // number of the next part
	// Note is for the caller of the vector it is numbered with; it is not stored.
	note Note
}

type partRef struct {
	Low   string // sort key of the first record; of the first part it does not count
	ID    uint32
	Bytes uint32
}

type partKey[K comparable] struct {
	Key K
	ID  uint32
}

// Note is what the caller wants to remember of a key, for one vector.
type Note struct {
	vector uint64
	A, B   int32
}

const (
	// partBytesMax is when a part is divided: what adding a record in the middle copies, and what the store rewrites for it.
	partBytesMax = 1 << 10
	// recordHeadBytes is before the slots of a record: its length and where its row begins, four bytes each.
	recordHeadBytes = 8
	// RecordBytesMax bounds a record.
	RecordBytesMax = 1 << 28
)

// OrderedPlace says which state is registered.
type OrderedPlace struct {
	UID, Name string
	// Slots is the number of numbers that each record carries and that may be changed in place.
	Slots int
	// Record describes sort keys and rows: a state whose description has changed is not restored.
	Record *schema.Type
}

// RegisterOrdered adds ordered state of a name to an operator and restores it. Of d only what concerns keys counts.
func RegisterOrdered[K comparable](b *Backend, p OrderedPlace, d Descriptor[K, struct{}]) (*Ordered[K], error) {
	o := &Ordered[K]{slots: p.Slots}
	number := schema.Scalar(schema.Int64)
	heads := Descriptor[K, orderedHead]{
		KeyHash: d.KeyHash, Mix: d.Mix, Equal: d.Equal, Keys: d.Keys, Keep: d.Keep,
		Values: Format[orderedHead]{
			Append: appendOrderedHead, Decode: decodeOrderedHead, Shared: true,
			Schema: structOf("@ordered", p.Record, fieldOfSlots(p.Slots), number),
		},
	}
	parts := Descriptor[partKey[K], []byte]{
		KeyHash: func(k *partKey[K]) uint64 { return d.KeyHash(&k.Key) },
		Mix:     func(k *partKey[K], h uint64) uint64 { return mixNumber(h, uint64(k.ID)) },
		Keys: Format[partKey[K]]{
			Append: func(dst []byte, k *partKey[K]) []byte {
				return binary.BigEndian.AppendUint32(d.Keys.Append(dst, &k.Key), k.ID)
			},
			Decode: func(src []byte, k *partKey[K]) (int, error) {
				n, err := d.Keys.Decode(src, &k.Key)
				if err != nil || len(src) < n+4 {
					return 0, cmp.Or(err, errShort)
				}
				k.ID = binary.BigEndian.Uint32(src[n:])
				return n + 4, nil
			},
			Schema: structOf("key", d.Keys.Schema, "@part", schema.Scalar(schema.Uint32)),
		},
		Values: Format[[]byte]{Append: appendBytes, Decode: decodeBytes, Shared: true, Schema: structOf("@part", p.Record, fieldOfSlots(p.Slots), number)},
	}
	if d.Keep != nil {
		parts.Keep = func(k *partKey[K]) { d.Keep(&k.Key) }
	}
	if d.Equal != nil {
		parts.Equal = func(a, b *partKey[K]) bool { return a.ID == b.ID && d.Equal(&a.Key, &b.Key) }
	}
	var err error
	if o.heads, err = RegisterTable(b, p.UID, p.Name, heads); err != nil {
		return nil, err
	}
	o.parts, err = RegisterTable(b, p.UID, p.Name+"/parts", parts)
	return o, err
}

func fieldOfSlots(n int) string { return "@slots" + string(rune('0'+n)) }

// Access says what a vector is found for.
type Access uint8

// Read finds what is there; Change also lets slots be changed and records be removed; Add also makes the keys that are missing.
const (
	Read Access = iota
	Change
	Add
)

// At finds the keys, which with their hashes must stay as they are until the next At. Every other call refers to them by place. A key may
// come several times.
func (o *Ordered[K]) At(keys []K, hashes []uint64, a Access) error {
	if o.open {
		panic("BUG: state: ordered state was not told that a vector is done")
	}
	o.keys, o.hashes = keys, hashes
	if cap(o.at) < len(keys) {
		o.at = make([]*orderedHead, len(keys), max(len(keys), 2048))
	}
	o.at = o.at[:len(keys)]
	o.vector++
	o.open = a != Read
	if a == Add {
		return o.heads.Upsert(keys, hashes, o.at)
	}
	return o.heads.findAll(keys, hashes, o.at, a == Change)
}

// Done ends a vector that was found to change or to add: keys without records go.
func (o *Ordered[K]) Done() error {
	o.open = false
	for i, h := range o.at {
		if h == nil || h.Records > 0 {
			continue
		}
		if _, err := o.heads.Delete(o.keys[i], o.hashes[i]); err != nil {
			return err
		}
	}
	return nil
}

// Len is the number of records of key i.
func (o *Ordered[K]) Len(i int) int64 {
	if o.at[i] == nil {
		return 0
	}
	return o.at[i].Records
}

// Keys is the number of keys.
func (o *Ordered[K]) Keys() int { return o.heads.Len() }

// Note returns what the caller remembers of key i, and whether this is the first call for the key in this vector or since Forget.
func (o *Ordered[K]) Note(i int) (n *Note, first bool) {
	n = &o.at[i].note
	first = n.vector != o.vector
	n.vector = o.vector
	return n, first
}

// Forget makes the notes of this vector new again.
func (o *Ordered[K]) Forget() { o.vector++ }

// Stamp notes when key i was last touched, for Sweep. REQUIRES: At with Add, or the key is there.
func (o *Ordered[K]) Stamp(i int, nowMs int64) { o.at[i].StampMs = nowMs }

// Stamped is what key i was stamped with last.
func (o *Ordered[K]) Stamped(i int) int64 {
	if o.at[i] == nil {
		return 0
	}
	return o.at[i].StampMs
}

// Solid reports whether the records of key i stay where they are until Done, whatever else is called, unless it changes them.
func (o *Ordered[K]) Solid(i int) bool { return len(o.at[i].Dir) == 0 }

// Get returns the first record of key i with exactly that sort key, nil when there is none. Its slots may be changed until the next call, if
// the vector was found to change.
func (o *Ordered[K]) Get(i int, sortKey []byte) (Record, error) {
	h := o.at[i]
	if h == nil || h.Records == 0 {
		return nil, nil
	}
	for d := h.part(sortKey, false); ; d++ {
		buf, err := o.buffer(i, d, true)
		if err != nil {
			return nil, err
		}
		pos := seek(*buf, sortKey, o.slots, false)
		if pos < len(*buf) {
			if r := recordAt(*buf, pos); string(r.Key(o.slots)) == string(sortKey) {
				return r, nil
			}
			return nil, nil
		}
		if d+1 >= len(h.Dir) {
			return nil, nil
		}
	}
}

// Insert adds a record behind those with a sort key that is less or equal. If one sort key of a state is empty, all are. The slots of what
// it returns are zero, and may be set until the
// next call. REQUIRES: At with Add.
func (o *Ordered[K]) Insert(i int, sortKey, row []byte) (Record, error) {
	h := o.at[i]
	size := recordHeadBytes + 8*o.slots + len(sortKey) + len(row)
	if size > RecordBytesMax {
		return nil, errors.New("a row in state has more than 256 MiB")
	}
	h.Records++
	if len(h.Dir) == 0 {
		if len(h.Few) == 0 || len(h.Few)+size <= partBytesMax {
			return o.put(&h.Few, sortKey, row), nil
		}
		if err := o.spill(i); err != nil {
			return nil, err
		}
	}
	d := h.part(sortKey, true)
	if int(h.Dir[d].Bytes)+size > partBytesMax {
		var err error
		if d, err = o.divide(i, d, sortKey); err != nil {
			return nil, err
		}
	}
	buf, err := o.buffer(i, d, true)
	if err != nil {
		return nil, err
	}
	r := o.put(buf, sortKey, row)
	h.Dir[d].Bytes = uint32(len(*buf))
	return r, nil
}

// spill begins a directory: the few records become the first part.
func (o *Ordered[K]) spill(i int) error {
	h := o.at[i]
	few := h.Few
	h.Few, h.Dir = nil, append(h.Dir[:0], partRef{ID: h.Next, Bytes: uint32(len(few))})
	h.Next++
	buf, err := o.parts.UpsertOne(partKey[K]{o.keys[i], h.Dir[0].ID}, o.hashes[i])
	if err == nil {
		*buf = few
	}
	return err
}

// divide makes room in a full part and returns the part that the sort key belongs to: a new one if it comes behind all others, as rows do that
// come in order; else one of two halves.
func (o *Ordered[K]) divide(i, d int, sortKey []byte) (int, error) {
	h := o.at[i]
	buf, err := o.buffer(i, d, true)
	if err != nil {
		return 0, err
	}
	var upper []byte
	low := string(sortKey)
	if seek(*buf, sortKey, o.slots, true) < len(*buf) || d+1 < len(h.Dir) {
		pos := middle(*buf)
		if pos == len(*buf) {
			return d, nil // one record
		}
		upper = slices.Clone((*buf)[pos:])
		low = string(recordAt(*buf, pos).Key(o.slots))
		*buf = slices.Clone((*buf)[:pos])
		h.Dir[d].Bytes = uint32(pos)
	}
	ref := partRef{Low: low, ID: h.Next, Bytes: uint32(len(upper))}
	h.Next++
	if h.Next == math.MaxUint32 {
		return 0, errors.New("a key has had more than four billion parts of records")
	}
	h.Dir = slices.Insert(h.Dir, d+1, ref)
	if buf, err = o.parts.UpsertOne(partKey[K]{o.keys[i], ref.ID}, o.hashes[i]); err != nil {
		return 0, err
	}
	if *buf = upper; upper == nil {
		*buf = make([]byte, 0, partBytesMax) // rows that come in order will fill it
	}
	return h.part(sortKey, true), nil
}

// put adds a record to a buffer.
func (o *Ordered[K]) put(buf *[]byte, sortKey, row []byte) Record {
	b := *buf
	pos := len(b)
	if len(sortKey) > 0 {
		pos = seek(b, sortKey, o.slots, true)
	}
	size := recordHeadBytes + 8*o.slots + len(sortKey) + len(row)
	if pos == len(b) {
		b = appendRecord(b, sortKey, row, o.slots)
	} else {
		c := make([]byte, 0, len(b)+size)
		c = append(c, b[:pos]...)
		c = appendRecord(c, sortKey, row, o.slots)
		b = append(c, b[pos:]...)
	}
	*buf = b
	return recordAt(b, pos)
}

// Remove removes the first record of key i with exactly that sort key and reports whether there was one. REQUIRES: At with Change or Add, and
// Done afterwards.
func (o *Ordered[K]) Remove(i int, sortKey []byte) (bool, error) {
	return o.remove(i, sortKey, nil, true)
}

// RemoveRow is Remove of the first record that has the row, too.
func (o *Ordered[K]) RemoveRow(i int, sortKey, row []byte) (bool, error) {
	return o.remove(i, sortKey, row, false)
}

func (o *Ordered[K]) remove(i int, sortKey, row []byte, anyRow bool) (bool, error) {
	h := o.at[i]
	if h == nil || h.Records == 0 {
		return false, nil
	}
	for d := h.part(sortKey, false); ; d++ {
		buf, err := o.buffer(i, d, false)
		if err != nil {
			return false, err
		}
		for pos := seek(*buf, sortKey, o.slots, false); pos < len(*buf); {
			r := recordAt(*buf, pos)
			if string(r.Key(o.slots)) != string(sortKey) {
				return false, nil
			}
			if anyRow || string(r.Row()) == string(row) {
				return true, o.cut(i, d, pos, pos+len(r))
			}
			pos += len(r)
		}
		if d+1 >= len(h.Dir) {
			return false, nil
		}
	}
}

// Last returns the last record of key i, nil when there is none.
func (o *Ordered[K]) Last(i int) (Record, error) {
	h := o.at[i]
	if h == nil || h.Records == 0 {
		return nil, nil
	}
	buf, err := o.buffer(i, max(0, len(h.Dir)-1), false)
	if err != nil {
		return nil, err
	}
	return recordAt(*buf, last(*buf)), nil
}

// RemoveLast removes the last record of key i, if there is one. REQUIRES: as Remove.
func (o *Ordered[K]) RemoveLast(i int) error {
	h := o.at[i]
	if h == nil || h.Records == 0 {
		return nil
	}
	d := max(0, len(h.Dir)-1)
	buf, err := o.buffer(i, d, false)
	if err != nil {
		return err
	}
	return o.cut(i, d, last(*buf), len(*buf))
}

// cut takes one record out of a part.
func (o *Ordered[K]) cut(i, d, from, to int) error {
	h := o.at[i]
	buf, err := o.buffer(i, d, true)
	if err != nil {
		return err
	}
	b := make([]byte, 0, len(*buf)-(to-from))
	b = append(append(b, (*buf)[:from]...), (*buf)[to:]...)
	*buf = b
	h.Records--
	if len(h.Dir) == 0 {
		return nil
	}
	h.Dir[d].Bytes = uint32(len(b))
	return o.shrink(i, d)
}

// shrink drops a part that has become empty, joins one that has become small with its neighbour, and ends the directory when the records are
// few again.
func (o *Ordered[K]) shrink(i, d int) error {
	h := o.at[i]
	if h.Dir[d].Bytes == 0 {
		if err := o.drop(i, d, 1); err != nil {
			return err
		}
	} else if d+1 < len(h.Dir) && h.Dir[d].Bytes+h.Dir[d+1].Bytes <= partBytesMax/2 {
		next, err := o.buffer(i, d+1, false)
		if err != nil {
			return err
		}
		more := *next
		buf, err := o.buffer(i, d, true)
		if err != nil {
			return err
		}
		*buf = append(slices.Clip(*buf), more...)
		h.Dir[d].Bytes = uint32(len(*buf))
		if err := o.drop(i, d+1, 1); err != nil {
			return err
		}
	}
	if len(h.Dir) == 1 && h.Dir[0].Bytes <= partBytesMax/2 {
		buf, err := o.buffer(i, 0, false)
		if err != nil {
			return err
		}
		few := *buf
		if err := o.drop(i, 0, 1); err != nil {
			return err
		}
		h.Few = few
	}
	return nil
}

// drop removes n parts from the directory and the table.
func (o *Ordered[K]) drop(i, d, n int) error {
	h := o.at[i]
	for _, p := range h.Dir[d : d+n] {
		if _, err := o.parts.Delete(partKey[K]{o.keys[i], p.ID}, o.hashes[i]); err != nil {
			return err
		}
	}
	h.Dir = slices.Delete(h.Dir, d, d+n)
	return nil
}

// RemoveBefore removes the records of key i whose sort key is less. REQUIRES: as Remove.
func (o *Ordered[K]) RemoveBefore(i int, sortKey []byte) error {
	h := o.at[i]
	if h == nil || h.Records == 0 {
		return nil
	}
	d := h.part(sortKey, false)
	for e := range d {
		buf, err := o.buffer(i, e, false)
		if err != nil {
			return err
		}
		h.Records -= int64(count(*buf, len(*buf)))
	}
	if err := o.drop(i, 0, d); err != nil {
		return err
	}
	buf, err := o.buffer(i, 0, true)
	if err != nil {
		return err
	}
	pos := seek(*buf, sortKey, o.slots, false)
	if pos > 0 {
		h.Records -= int64(count(*buf, pos))
		*buf = slices.Clone((*buf)[pos:])
	}
	if len(h.Dir) == 0 {
		return nil
	}
	h.Dir[0].Bytes = uint32(len(*buf))
	return o.shrink(i, 0)
}

// RemoveFirst removes the first n records of key i, or all if there are fewer. REQUIRES: as Remove.
func (o *Ordered[K]) RemoveFirst(i int, n int64) error {
	h := o.at[i]
	if h == nil || n >= h.Records {
		return o.Clear(i)
	}
	if n <= 0 {
		return nil
	}
	whole := 0
	for ; whole < len(h.Dir); whole++ {
		buf, err := o.buffer(i, whole, false)
		if err != nil {
			return err
		}
		there := int64(count(*buf, len(*buf)))
		if there > n {
			break
		}
		n -= there
		h.Records -= there
	}
	if err := o.drop(i, 0, whole); err != nil || n == 0 {
		return err
	}
	buf, err := o.buffer(i, 0, true)
	if err != nil {
		return err
	}
	pos := 0
	for range n {
		pos += len(recordAt(*buf, pos))
	}
	*buf = slices.Clone((*buf)[pos:])
	h.Records -= n
	if len(h.Dir) == 0 {
		return nil
	}
	h.Dir[0].Bytes = uint32(len(*buf))
	return o.shrink(i, 0)
}

// Clear removes all records of key i. REQUIRES: as Remove.
func (o *Ordered[K]) Clear(i int) error {
	h := o.at[i]
	if h == nil || h.Records == 0 {
		return nil
	}
	if err := o.drop(i, 0, len(h.Dir)); err != nil {
		return err
	}
	h.Records, h.Few = 0, nil
	return nil
}

// buffer is part d of key i, or the few records of a key without directory.
func (o *Ordered[K]) buffer(i, d int, write bool) (*[]byte, error) {
	h := o.at[i]
	if len(h.Dir) == 0 {
		return &h.Few, nil
	}
	buf, err := o.parts.get(partKey[K]{o.keys[i], h.Dir[d].ID}, o.hashes[i], write)
	if err == nil && buf == nil {
		panic("BUG: state: a part of ordered state is in its directory, but not there")
	}
	return buf, err
}

// part is the part where records with the sort key begin, or end if last is set.
func (h *orderedHead) part(sortKey []byte, last bool) int {
	if len(h.Dir) < 2 {
		return 0
	}
	lo, hi := 1, len(h.Dir)
	for lo < hi {
		m := (lo + hi) / 2
		if low := h.Dir[m].Low; low < string(sortKey) || last && low == string(sortKey) {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo - 1
}

// Cursor goes through the records of one key. It is valid as long as the vector it was made for, and until records of the key change.
type Cursor[K comparable] struct {
	o    *Ordered[K]
	key  int
	part int
	pos  int
	buf  []byte
}

// Seek returns a cursor before the first record of key i whose sort key is not less than from; nil begins with the first.
func (o *Ordered[K]) Seek(i int, from []byte) (Cursor[K], error) {
	c := Cursor[K]{o: o, key: i}
	h := o.at[i]
	if h == nil || h.Records == 0 {
		return c, nil
	}
	if len(from) > 0 {
		c.part = h.part(from, false)
	}
	buf, err := o.buffer(i, c.part, false)
	if err != nil {
		return c, err
	}
	c.buf = *buf
	if len(from) > 0 {
		c.pos = seek(c.buf, from, o.slots, false)
	}
	return c, nil
}

// Next returns the next record, nil behind the last.
func (c *Cursor[K]) Next() (Record, error) {
	for c.pos >= len(c.buf) {
		if c.buf == nil || c.part+1 >= len(c.o.at[c.key].Dir) {
			return nil, nil
		}
		c.part++
		buf, err := c.o.buffer(c.key, c.part, false)
		if err != nil {
			return nil, err
		}
		c.buf, c.pos = *buf, 0
	}
	r := recordAt(c.buf, c.pos)
	c.pos += len(r)
	return r, nil
}

// Floor returns the last record of key i whose sort key is not greater; nil when there is none.
func (o *Ordered[K]) Floor(i int, sortKey []byte) (Record, error) {
	h := o.at[i]
	if h == nil || h.Records == 0 {
		return nil, nil
	}
	for d := h.part(sortKey, true); d >= 0; d-- {
		buf, err := o.buffer(i, d, false)
		if err != nil {
			return nil, err
		}
		var last Record
		for pos := 0; pos < len(*buf); {
			r := recordAt(*buf, pos)
			if string(r.Key(o.slots)) > string(sortKey) {
				break
			}
			last, pos = r, pos+len(r)
		}
		if last != nil {
			return last, nil
		}
	}
	return nil, nil
}
