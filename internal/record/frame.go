package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/flottio/flott/codec"
	"github.com/flottio/flott/internal/checkpoint"
)

// Frames makes bytes of the elements of one edge and elements of bytes, for edges that leave the process. Both ends have the same type of
// record, which is agreed on when they connect: a frame does not name it. It keeps nothing between calls and may be used by several
// goroutines if Body may.
//
//	0   length    uint32  bytes behind the header
//	4   checksum  uint32  CRC-32C of everything behind this field
//	8   version   uint8   frameVersion
//	9   kind      uint8   Kind of the element
//	10  body      uint8   BodyKind; bodyNone unless the element is a batch
//	11  flags     uint8   of a batch: 1 times follow, 2 hashes follow; of a status: 1 idle
//	12  count     uint32  records of a batch, else 0
//	16  batch: times and hashes, 8 bytes for each record, if the flags say so, then the body, which goes to the end
//	    watermark: int64 time; barrier and cancelled barrier: int64 id, uint8 kind, uint8 stop; others: nothing
//
// Everything is little endian. Header, times and hashes are multiples of 8 bytes, so that a body of vectors lies as aligned as the frame.
// The number of a batch's split stays behind: it means something only to the reader.
type Frames struct {
	// Body is how the edge's batches are written.
	Body BodyCodec
	// MaxBytes bounds what lies behind the header; 0 means maxFrameBytes. A batch that is larger becomes several frames.
	MaxBytes int
}

// BodyKind says how the records of a batch are written. Columns will be the next: validity, row kinds and vectors behind the same header.
type BodyKind uint8

// The kinds of body.
const (
	bodyNone BodyKind = iota
	BodyRows          // one after another, in the bytes of package codec
)

// BodyCodec writes and reads the records of the batches of one edge. It is safe for concurrent use.
type BodyCodec interface {
	Kind() BodyKind
	// Append appends the records of b, which stays the caller's.
	Append(dst []byte, b Batch) []byte
	// Decode makes a batch of count records of all of src and keeps nothing of it. src may be hostile: memory is bounded by a
	// fixed multiple of its length.
	Decode(src []byte, count int) (Batch, error)
}

const (
	frameVersion = 1
	frameHeader  = 16
	// maxFrameBytes is far above a batch of ordinary records, and what a receiver must be ready to hold for each edge.
	maxFrameBytes = 64 << 20

	flagTimes  = 1
	flagHashes = 2
	flagIdle   = 1
)

// ErrIncomplete says that a frame goes on behind the bytes at hand.
var ErrIncomplete = errors.New("the frame is not complete")

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	times      = must(codec.For[int64]())
	hashes     = must(codec.For[uint64]())
)

func must[V any](v V, err error) V {
	if err != nil {
		panic(err)
	}
	return v
}

func (f *Frames) maxBytes() int {
	if f.MaxBytes == 0 {
		return maxFrameBytes
	}
	return f.MaxBytes
}

// Append appends the element as one frame, or a batch that is too large for one as several, and leaves the element to the caller. The only
// error is a single record that is too large; dst is then returned as it was. A type's own marshalling may panic, as with codec.Append.
func (f *Frames) Append(dst []byte, e *Element) ([]byte, error) {
	start := len(dst)
	dst = append(dst, make([]byte, frameHeader)...)
	dst[start+8], dst[start+9] = frameVersion, byte(e.Kind)
	switch e.Kind {
	case KindBatch:
		return f.batch(dst, start, e.Batch)
	case KindWatermark:
		dst = binary.LittleEndian.AppendUint64(dst, uint64(e.Time))
	case KindStatus:
		if e.Idle {
			dst[start+11] = flagIdle
		}
	case KindBarrier, KindCancel:
		dst = binary.LittleEndian.AppendUint64(dst, uint64(e.Barrier.ID))
		dst = append(dst, byte(e.Barrier.Options.Kind), byte(e.Barrier.Options.Stop))
	case KindEnd:
	default:
		panic(fmt.Sprintf("BUG: an element of unknown kind %d", e.Kind))
	}
	seal(dst[start:])
	return dst, nil
}

// batch writes what is behind the header.
func (f *Frames) batch(dst []byte, start int, b Batch) ([]byte, error) {
	h, n := b.Header(), b.Len()
	dst[start+10] = byte(f.Body.Kind())
	binary.LittleEndian.PutUint32(dst[start+12:], uint32(n))
	if len(h.Times) > 0 {
		dst[start+11] |= flagTimes
		dst = times.AppendAll(dst, h.Times)
	}
	if len(h.Hashes) > 0 {
		dst[start+11] |= flagHashes
		dst = hashes.AppendAll(dst, h.Hashes)
	}
	dst = f.Body.Append(dst, b)
	if size := len(dst) - start - frameHeader; size > f.maxBytes() {
		if n <= 1 {
			return dst[:start], fmt.Errorf("a record of %d bytes is larger than the %d that can be sent to another process", size, f.maxBytes())
		}
		return f.halves(dst[:start], b)
	}
	seal(dst[start:])
	return dst, nil
}

// halves writes the batch as two.
func (f *Frames) halves(dst []byte, b Batch) ([]byte, error) {
	start, n := len(dst), b.Len()
	for _, part := range [2][2]int{{0, n / 2}, {n / 2, n}} {
		half := b.Fresh()
		b.Slice(half, part[0], part[1])
		var err error
		dst, err = f.Append(dst, &Element{Kind: KindBatch, Batch: half})
		half.Release()
		if err != nil {
			return dst[:start], err
		}
	}
	return dst, nil
}

// seal fills in length and checksum.
func seal(frame []byte) {
	binary.LittleEndian.PutUint32(frame, uint32(len(frame)-frameHeader))
	binary.LittleEndian.PutUint32(frame[4:], crc32.Checksum(frame[8:], castagnoli))
}

// Decode makes an element of the frame at the start of src and returns how many bytes it took. Bytes may be hostile: it never panics
// (types that unmarshal themselves aside), and its memory is bounded by a fixed multiple of the frame's length, which MaxBytes bounds. It
// returns ErrIncomplete if src ends before the frame. Nothing of src is kept; the batch is the caller's.
func (f *Frames) Decode(src []byte) (Element, int, error) {
	if len(src) < frameHeader {
		return Element{}, 0, ErrIncomplete
	}
	length := binary.LittleEndian.Uint32(src)
	if uint64(length) > uint64(f.maxBytes()) {
		return Element{}, 0, fmt.Errorf("reading a frame: %d bytes, more than the %d that are allowed", length, f.maxBytes())
	}
	size := frameHeader + int(length)
	if len(src) < size {
		return Element{}, 0, ErrIncomplete
	}
	src = src[:size:size]
	if want, got := binary.LittleEndian.Uint32(src[4:]), crc32.Checksum(src[8:], castagnoli); want != got {
		return Element{}, 0, fmt.Errorf("reading a frame of %d bytes: its checksum is %08x, not %08x: it was damaged on its way", length, got, want)
	}
	if v := src[8]; v != frameVersion {
		return Element{}, 0, fmt.Errorf("reading a frame: version %d, and this program reads version %d: run one version on both sides", v, frameVersion)
	}
	e, err := f.element(src)
	if err != nil {
		return Element{}, 0, fmt.Errorf("reading a frame of kind %d and %d bytes: %w", src[9], length, err)
	}
	return e, size, nil
}

// element reads a frame whose length, checksum and version are right.
func (f *Frames) element(src []byte) (Element, error) {
	e := Element{Kind: Kind(src[9])}
	body, flags, count, rest := BodyKind(src[10]), src[11], binary.LittleEndian.Uint32(src[12:]), src[frameHeader:]
	if e.Kind == KindBatch {
		if body != f.Body.Kind() || flags > flagTimes|flagHashes {
			return e, fmt.Errorf("body %d with flags %d, and this edge has body %d", body, flags, f.Body.Kind())
		}
		b, err := f.records(rest, int64(count), flags)
		e.Batch = b
		return e, err
	}
	want, ok := 0, flags == 0
	switch e.Kind {
	case KindWatermark:
		want = 8
	case KindStatus:
		e.Idle, ok = flags == flagIdle, flags <= flagIdle
	case KindBarrier, KindCancel:
		want = 10
	case KindEnd:
	default:
		return e, errors.New("there is no such kind of element")
	}
	if !ok || len(rest) != want || count != 0 || body != bodyNone {
		return e, fmt.Errorf("%d bytes, %d records, body %d and flags %d do not belong to this kind", len(rest), count, body, flags)
	}
	switch want {
	case 8:
		e.Time = int64(binary.LittleEndian.Uint64(rest))
	case 10:
		e.Barrier.ID = checkpoint.ID(binary.LittleEndian.Uint64(rest))
		e.Barrier.Options = checkpoint.Options{Kind: checkpoint.Kind(rest[8]), Stop: checkpoint.Stop(rest[9])}
		if rest[8] > byte(checkpoint.Savepoint) || rest[9] > byte(checkpoint.Drain) {
			return e, fmt.Errorf("a barrier of unknown options %d and %d", rest[8], rest[9])
		}
	}
	return e, nil
}

// records reads times, hashes and body of a batch.
func (f *Frames) records(src []byte, count int64, flags byte) (Batch, error) {
	columns := int64(flags&1 + flags>>1)
	if 8*count*columns > int64(len(src)) {
		return nil, fmt.Errorf("times and hashes of %d records do not fit into %d bytes", count, len(src))
	}
	header := 8 * int(count) * int(columns)
	b, err := f.Body.Decode(src[header:], int(count))
	if err != nil {
		return nil, err
	}
	h, n := b.Header(), int(count)
	if flags&flagTimes != 0 {
		h.Times = extend(h.Times[:0], n, n)
		_, err = times.DecodeAll(src, h.Times)
	}
	if flags&flagHashes != 0 && err == nil {
		h.Hashes = extend(h.Hashes[:0], n, n)
		_, err = hashes.DecodeAll(src[header-8*n:], h.Hashes)
	}
	if err != nil {
		b.Release()
		return nil, err
	}
	return b, nil
}
