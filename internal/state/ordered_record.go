package state

import (
	"encoding/binary"
)

// Record is a row in ordered state: its length and the place of its row (four bytes each, lowest first), slots of eight bytes, sort key, row.
type Record []byte

// Row is the row's bytes, which are never changed.
func (r Record) Row() []byte { return r[binary.LittleEndian.Uint32(r[4:]):] }

// Key is the sort key's bytes, which are never changed; slots is what the state was registered with.
func (r Record) Key(slots int) []byte {
	return r[recordHeadBytes+8*slots : binary.LittleEndian.Uint32(r[4:])]
}

// Slot is number n of the record.
func (r Record) Slot(n int) int64 { return int64(binary.LittleEndian.Uint64(r[recordHeadBytes+8*n:])) }

// SetSlot changes number n.
func (r Record) SetSlot(n int, v int64) {
	binary.LittleEndian.PutUint64(r[recordHeadBytes+8*n:], uint64(v))
}

func recordAt(buf []byte, pos int) Record {
	n := int(binary.LittleEndian.Uint32(buf[pos:]))
	return Record(buf[pos : pos+n : pos+n])
}

func appendRecord(dst, sortKey, row []byte, slots int) []byte {
	from := recordHeadBytes + 8*slots + len(sortKey)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(from+len(row)))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(from))
	for range slots {
		dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0)
	}
	return append(append(dst, sortKey...), row...)
}

// seek is the place of the first record whose sort key is not less than the given one, or greater if behind is set.
func seek(buf, sortKey []byte, slots int, behind bool) int {
	pos := 0
	for pos < len(buf) {
		r := recordAt(buf, pos)
		k := string(r.Key(slots))
		if k > string(sortKey) || !behind && k == string(sortKey) {
			break
		}
		pos += len(r)
	}
	return pos
}

// middle is the place of the first record that begins in the second half; the end if there is only one record.
func middle(buf []byte) int {
	pos := 0
	for pos < len(buf) && 2*pos < len(buf) {
		pos += len(recordAt(buf, pos))
	}
	if at := last(buf); pos == len(buf) && at > 0 {
		return at
	}
	return pos
}

// last is the place of the last record.
func last(buf []byte) int {
	at := 0
	for pos := 0; pos < len(buf); pos += len(recordAt(buf, pos)) {
		at = pos
	}
	return at
}

// count is the number of records before a place.
func count(buf []byte, end int) int {
	n := 0
	for pos := 0; pos < end; n++ {
		pos += len(recordAt(buf, pos))
	}
	return n
}

// checkRecords says whether bytes from outside are records.
func checkRecords(buf []byte) bool {
	for len(buf) > 0 {
		if len(buf) < recordHeadBytes {
			return false
		}
		n, row := binary.LittleEndian.Uint32(buf), binary.LittleEndian.Uint32(buf[4:])
		if n < recordHeadBytes || uint64(n) > uint64(len(buf)) || row > n || row < recordHeadBytes {
			return false
		}
		buf = buf[n:]
	}
	return true
}

func appendBytes(dst []byte, v *[]byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(*v))), *v...)
}

func decodeBytes(src []byte, v *[]byte) (int, error) {
	r := headReader{src: src}
	*v = append([]byte(nil), r.bytes()...)
	if r.failed || !checkRecords(*v) {
		return 0, errShort
	}
	return r.pos, nil
}

func appendOrderedHead(dst []byte, h *orderedHead) []byte {
	dst = binary.AppendVarint(dst, h.Records)
	dst = binary.AppendVarint(dst, h.StampMs)
	dst = binary.AppendUvarint(dst, uint64(h.Next))
	dst = appendBytes(dst, &h.Few)
	dst = binary.AppendUvarint(dst, uint64(len(h.Dir)))
	for i := range h.Dir {
		p := &h.Dir[i]
		dst = append(binary.AppendUvarint(dst, uint64(len(p.Low))), p.Low...)
		dst = binary.AppendUvarint(dst, uint64(p.ID))
		dst = binary.AppendUvarint(dst, uint64(p.Bytes))
	}
	return dst
}

func decodeOrderedHead(src []byte, h *orderedHead) (int, error) {
	r := headReader{src: src}
	*h = orderedHead{Records: r.varint(), StampMs: r.varint(), Next: uint32(r.uvarint())}
	h.Few = append([]byte(nil), r.bytes()...)
	n := r.uvarint()
	if n > uint64(len(src)) || r.failed || !checkRecords(h.Few) {
		return 0, errShort
	}
	if n > 0 {
		h.Dir = make([]partRef, n)
	}
	for i := range h.Dir {
		h.Dir[i] = partRef{Low: string(r.bytes()), ID: uint32(r.uvarint()), Bytes: uint32(r.uvarint())}
	}
	if r.failed {
		return 0, errShort
	}
	return r.pos, nil
}

// headReader reads bytes that may be damaged; after the first failure everything is zero.
type headReader struct {
	src    []byte
	pos    int
	failed bool
}

func (r *headReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.src[r.pos:])
	if n <= 0 {
		r.failed = true
		return 0
	}
	r.pos += n
	return v
}

func (r *headReader) varint() int64 {
	v, n := binary.Varint(r.src[r.pos:])
	if n <= 0 {
		r.failed = true
		return 0
	}
	r.pos += n
	return v
}

func (r *headReader) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.src)-r.pos) {
		r.failed = true
		return nil
	}
	r.pos += int(n)
	return r.src[r.pos-int(n) : r.pos]
}
