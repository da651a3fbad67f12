package expr

import (
	enc "encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"unsafe"

	"github.com/flottio/flott/column"
)

// A BITMAP is kept in the portable format of Roaring bitmaps, which Flink has too, without runs: so equal sets are equal bytes.
var bitmapFuncs = []*Func{
	{Name: "BITMAP_BUILD", Strict: true, Kernel: rowwise(bitmapBuild), Resolve: takes("BITMAP_BUILD", "array",
		func(args []Arg, types []column.Type) (column.Type, error) {
			if types[0].Elem.ID != column.Int {
				return column.Type{}, fmt.Errorf("takes ARRAY<INT>, got %s", types[0])
			}
			return column.Of(column.Bitmap).Nullable(anyNullable(args)), nil
		})},
	strict("BITMAP_CARDINALITY", "bits", gives(longType), bitmapRow(func(r *row, a *bitmap) error { return r.setWhole(int64(a.count())) })),
	strict("BITMAP_TO_STRING", "bits", gives(textType), bitmapRow(func(r *row, a *bitmap) error { return r.setBytes(a.appendText(r.free())) })),
	strict("BITMAP_TO_BYTES", "bits", gives(bytesType), rowwise(func(r *row) error { return r.setText(r.text(0)) })),
	fails(strict("BITMAP_FROM_BYTES", "bin", gives(column.Of(column.Bitmap)), rowwise(func(r *row) error {
		a, err := readBitmap(r.text(0))
		if err != nil {
			return fmt.Errorf("failed to deserialize bitmap from bytes: %w", err)
		}
		return r.setBytes(a.append(r.free()))
	}))),
	strict("BITMAP_TO_ARRAY", "bits", gives(column.ArrayType(intType)), func(*Site) (Kernel, error) { return listwise(bitmapToArray), nil }),
	bitmapPair("BITMAP_AND", (*bitmap).and), bitmapPair("BITMAP_OR", (*bitmap).or), bitmapPair("BITMAP_XOR", (*bitmap).xor),
	bitmapPair("BITMAP_ANDNOT", (*bitmap).andNot),
}

func bitmapRow(f func(r *row, a *bitmap) error) func(*Site) (Kernel, error) {
	return rowwise(func(r *row) error {
		a, err := readBitmap(r.text(0))
		if err != nil {
			return err
		}
		return f(r, a)
	})
}

func bitmapPair(name string, op func(a, b *bitmap)) *Func {
	return strict(name, "bits bits", gives(column.Of(column.Bitmap)), rowwise(func(r *row) error {
		a, err := readBitmap(r.text(0))
		if err != nil {
			return err
		}
		b, err := readBitmap(r.text(1))
		if err != nil {
			return err
		}
		op(a, b)
		return r.setBytes(a.append(r.free()))
	}))
}

func bitmapBuild(r *row) error {
	v, a := r.args[0], &bitmap{}
	for e := int(v.Off[r.i]); e < int(v.Off[r.i+1]); e++ {
		if !v.Kids[0].IsNull(e) {
			a.add(uint32(v.Kids[0].I32[e]))
		}
	}
	return r.setBytes(a.append(r.free()))
}

// maxBitmapArray bounds the array that a bitmap becomes.
const maxBitmapArray = 1 << 24

func bitmapToArray(r *row, out *column.Vector) (bool, error) {
	a, err := readBitmap(r.text(0))
	if err != nil {
		return false, err
	}
	if n := a.count(); n > maxBitmapArray {
		return false, fmt.Errorf("BITMAP_TO_ARRAY: the bitmap has %d elements, an array has at most %d", n, maxBitmapArray)
	}
	a.each(func(x uint32) bool {
		out.Append(int32(x))
		return true
	})
	return true, nil
}

// bitmap is a set of 32-bit numbers in boxes of those with the same upper half. The zero value is empty.
type bitmap struct {
	keys  []uint16
	boxes []*bitBox
}

// bitBox is the set of the lower halves.
type bitBox [1024]uint64

func (b *bitBox) count() int {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

func (b *bitBox) set(x uint16) { b[x>>6] |= 1 << (x & 63) }

func (a *bitmap) add(x uint32) {
	key := uint16(x >> 16)
	at, ok := slices.BinarySearch(a.keys, key)
	if !ok {
		a.keys, a.boxes = slices.Insert(a.keys, at, key), slices.Insert(a.boxes, at, &bitBox{})
	}
	a.boxes[at].set(uint16(x))
}

func (a *bitmap) count() int {
	n := 0
	for _, b := range a.boxes {
		n += b.count()
	}
	return n
}

// each calls f for the numbers in unsigned order until it returns false.
func (a *bitmap) each(f func(x uint32) bool) {
	for i, b := range a.boxes {
		for w, word := range b {
			for ; word != 0; word &= word - 1 {
				if !f(uint32(a.keys[i])<<16 | uint32(w<<6+bits.TrailingZeros64(word))) {
					return
				}
			}
		}
	}
}

// merge combines the boxes of both pairwise; a box that one side does not have is empty there.
func (a *bitmap) merge(b *bitmap, op func(x, y uint64) uint64) {
	var out bitmap
	empty := &bitBox{}
	for i, j := 0, 0; i < len(a.keys) || j < len(b.keys); {
		x, y, key := empty, empty, uint16(0)
		switch {
		case j == len(b.keys) || i < len(a.keys) && a.keys[i] < b.keys[j]:
			x, key = a.boxes[i], a.keys[i]
			i++
		case i == len(a.keys) || b.keys[j] < a.keys[i]:
			y, key = b.boxes[j], b.keys[j]
			j++
		default:
			x, y, key = a.boxes[i], b.boxes[j], a.keys[i]
			i, j = i+1, j+1
		}
		box, any := &bitBox{}, uint64(0)
		for w := range box {
			box[w] = op(x[w], y[w])
			any |= box[w]
		}
		if any != 0 {
			out.keys, out.boxes = append(out.keys, key), append(out.boxes, box)
		}
	}
	*a = out
}

func (a *bitmap) and(b *bitmap)    { a.merge(b, func(x, y uint64) uint64 { return x & y }) }
func (a *bitmap) or(b *bitmap)     { a.merge(b, func(x, y uint64) uint64 { return x | y }) }
func (a *bitmap) xor(b *bitmap)    { a.merge(b, func(x, y uint64) uint64 { return x ^ y }) }
func (a *bitmap) andNot(b *bitmap) { a.merge(b, func(x, y uint64) uint64 { return x &^ y }) }

// maxBitmapText is the length from which a bitmap's text ends in dots.
const maxBitmapText = 0x80000

// appendText writes {1,2,3}.
func (a *bitmap) appendText(dst []byte) []byte {
	from := len(dst)
	dst = append(dst, '{')
	a.each(func(x uint32) bool {
		if len(dst) > from+1 {
			dst = append(dst, ',')
		}
		if len(dst)-from > maxBitmapText {
			dst = append(dst, "..."...)
			return false
		}
		dst = strconv.AppendUint(dst, uint64(x), 10)
		return true
	})
	return append(dst, '}')
}

// The Roaring format (https://github.com/RoaringBitmap/RoaringFormatSpec): a cookie, the number of boxes, key and size less 1 of each,
// where each begins, and the boxes: up to 4096 numbers as they are, more as bits.
const (
	roaringPlain   = 12346
	roaringRuns    = 12347
	roaringArray   = 4096
	roaringOffsets = 4 // boxes from which a bitmap with runs says where they begin
)

func (a *bitmap) append(dst []byte) []byte {
	start := len(dst)
	dst = enc.LittleEndian.AppendUint32(dst, roaringPlain)
	dst = enc.LittleEndian.AppendUint32(dst, uint32(len(a.keys)))
	counts := make([]int, len(a.keys))
	for i, b := range a.boxes {
		counts[i] = b.count()
		dst = enc.LittleEndian.AppendUint16(dst, a.keys[i])
		dst = enc.LittleEndian.AppendUint16(dst, uint16(counts[i]-1))
	}
	at := len(dst) - start + 4*len(a.keys)
	for _, n := range counts {
		dst = enc.LittleEndian.AppendUint32(dst, uint32(at))
		if at += 8192; n <= roaringArray {
			at += 2*n - 8192
		}
	}
	for i, b := range a.boxes {
		for w, word := range b {
			if counts[i] > roaringArray {
				dst = enc.LittleEndian.AppendUint64(dst, word)
				continue
			}
			for ; word != 0; word &= word - 1 {
				dst = enc.LittleEndian.AppendUint16(dst, uint16(w<<6+bits.TrailingZeros64(word)))
			}
		}
	}
	return dst
}

var errBitmap = errors.New("not in the format of a Roaring bitmap")

// roaringReader reads with a bound check per read; bad stays set.
type roaringReader struct {
	b   []byte
	bad bool
}

func (r *roaringReader) take(n int) []byte {
	if n > len(r.b) {
		r.bad, r.b = true, nil
		return make([]byte, min(n, 8192))
	}
	x := r.b[:n]
	r.b = r.b[n:]
	return x
}

func (r *roaringReader) u16() int { return int(enc.LittleEndian.Uint16(r.take(2))) }

func readBitmap(s string) (*bitmap, error) {
	r := &roaringReader{b: unsafe.Slice(unsafe.StringData(s), len(s))}
	cookie := enc.LittleEndian.Uint32(r.take(4))
	n, runs := 0, []byte(nil)
	switch {
	case cookie == roaringPlain:
		n = int(enc.LittleEndian.Uint32(r.take(4)))
	case cookie&0xffff == roaringRuns:
		n = int(cookie>>16) + 1
		runs = r.take((n + 7) / 8)
	default:
		return nil, errBitmap
	}
	if n > 1<<16 || r.bad || len(r.b) < 4*n {
		return nil, errBitmap
	}
	a := &bitmap{keys: make([]uint16, n), boxes: make([]*bitBox, n)}
	counts := make([]int, n)
	for i := range n {
		a.keys[i], counts[i] = uint16(r.u16()), r.u16()+1
		if i > 0 && a.keys[i] <= a.keys[i-1] {
			return nil, errBitmap
		}
	}
	if runs == nil || n >= roaringOffsets {
		r.take(4 * n)
	}
	for i := range n {
		b := &bitBox{}
		a.boxes[i] = b
		switch {
		case runs != nil && runs[i/8]>>(i%8)&1 == 1:
			for range r.u16() {
				from, more := r.u16(), r.u16()
				if from+more > 0xffff || r.bad {
					return nil, errBitmap
				}
				for x := from; x <= from+more; x++ {
					b.set(uint16(x))
				}
			}
		case counts[i] <= roaringArray:
			for range counts[i] {
				b.set(uint16(r.u16()))
			}
		default:
			words := r.take(8192)
			for w := range b {
				b[w] = enc.LittleEndian.Uint64(words[8*w:])
			}
		}
		if r.bad || b.count() != counts[i] {
			return nil, errBitmap
		}
	}
	return a, nil
}

// castBitmap gives the text and the bytes of a bitmap.
func castBitmap(from, to column.Type) func(string) (any, error) {
	switch {
	case from.ID != column.Bitmap:
		return nil
	case to.IsText():
		return func(value string) (any, error) {
			a, err := readBitmap(value)
			if err != nil {
				return nil, err
			}
			return fitText(string(a.appendText(nil)), to), nil
		}
	case to.ID == column.Varbinary && to.Precision == column.MaxLength:
		return func(value string) (any, error) { return value, nil }
	}
	return nil
}
