package column

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/zeebo/xxh3"
)

// RowCodec encodes rows of some columns as bytes and back: rows in state. Equal rows have equal bytes if Canonical is set (keys): then -0 is
// written as 0, and every NaN as one. The form is stored in snapshots:
//
//	row    = a bitmap of NULLs, one bit a column from the lowest, then the values that are not NULL
//	value  = fixed width, lowest byte first | uvarint length, bytes | nested
//	nested = uvarint number of elements, then for each a byte (0 NULL, 1 value) and the value; a ROW has no number
type RowCodec struct {
	Types     []Type
	Canonical bool
}

// errRow is what a damaged row gives.
var errRow = errors.New("column: a stored row is damaged")

// Append encodes row i of the columns, which are of the codec's types.
func (c *RowCodec) Append(dst []byte, cols []*Vector, i int) []byte {
	from := len(dst)
	for range (len(cols) + 7) / 8 {
		dst = append(dst, 0)
	}
	for k, v := range cols {
		if v.IsNull(i) {
			dst[from+k>>3] |= 1 << (k & 7)
			continue
		}
		dst = c.value(dst, v, i)
	}
	return dst
}

func (c *RowCodec) value(dst []byte, v *Vector, i int) []byte {
	switch v.Store {
	case Bools:
		if v.Bool[i] {
			return append(dst, 1)
		}
		return append(dst, 0)
	case Int8s:
		return append(dst, byte(v.I8[i]))
	case Int16s:
		return binary.LittleEndian.AppendUint16(dst, uint16(v.I16[i]))
	case Int32s:
		return binary.LittleEndian.AppendUint32(dst, uint32(v.I32[i]))
	case Int64s:
		return binary.LittleEndian.AppendUint64(dst, uint64(v.I64[i]))
	case Float32s:
		return binary.LittleEndian.AppendUint32(dst, c.bits32(v.F32[i]))
	case Float64s:
		return binary.LittleEndian.AppendUint64(dst, c.bits64(v.F64[i]))
	case Int128s:
		return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(dst, v.I128[i].Lo), uint64(v.I128[i].Hi))
	case Strings:
		return append(binary.AppendUvarint(dst, uint64(len(v.Str[i]))), v.Str[i]...)
	case Lists, Maps:
		from, to := int(v.Off[i]), int(v.Off[i+1])
		dst = binary.AppendUvarint(dst, uint64(to-from))
		for e := from; e < to; e++ {
			for _, k := range v.Kids {
				dst = c.optional(dst, k, e)
			}
		}
	case Structs:
		for _, k := range v.Kids {
			dst = c.optional(dst, k, i)
		}
	}
	return dst
}

func (c *RowCodec) optional(dst []byte, v *Vector, i int) []byte {
	if v.IsNull(i) {
		return append(dst, 0)
	}
	return c.value(append(dst, 1), v, i)
}

func (c *RowCodec) bits32(f float32) uint32 {
	if c.Canonical {
		f = float32(canonicalFloat(float64(f)))
	}
	return math.Float32bits(f)
}

func (c *RowCodec) bits64(f float64) uint64 {
	if c.Canonical {
		f = canonicalFloat(f)
	}
	return math.Float64bits(f)
}

func canonicalFloat(f float64) float64 {
	switch {
	case f == 0:
		return 0
	case f != f:
		return math.NaN()
	}
	return f
}

// Decode appends one row to the columns, which are of the codec's types, and returns the number of bytes read. Texts share memory with src.
// After an error the columns are of no use.
func (c *RowCodec) Decode(src string, cols []*Vector) (int, error) {
	d := rowDecoder{src: src}
	nulls := d.take((len(cols) + 7) / 8)
	if d.failed {
		return 0, errRow
	}
	for k, v := range cols {
		if nulls[k>>3]>>(k&7)&1 == 1 {
			v.Nulls(1)
			continue
		}
		d.value(v)
	}
	if d.failed {
		return 0, fmt.Errorf("%w: %d bytes", errRow, len(src))
	}
	return d.pos, nil
}

// Hash is the hash that the function Hash gives for the first n columns of an encoded row, and the hash of the whole row. The row is one that
// Append made; c is canonical.
func (c *RowCodec) Hash(row string, n int) (lead, all uint64) {
	d := rowDecoder{src: row}
	nulls := d.take((len(c.Types) + 7) / 8)
	lead, all = hashSeed, hashSeed
	for k, t := range c.Types {
		part := uint64(hashNull)
		if nulls[k>>3]>>(k&7)&1 == 0 {
			part = d.hash(t)
		}
		all = combine(all, part)
		switch {
		case n == 1 && k == 0:
			lead = part
		case k < n:
			lead = all
		}
	}
	if len(c.Types) == 1 {
		all = lead
	}
	return lead, all
}

// Skip is the length of the encoded row that src begins with.
func (c *RowCodec) Skip(src string) (int, error) {
	d := rowDecoder{src: src}
	nulls := d.take((len(c.Types) + 7) / 8)
	for k, t := range c.Types {
		if d.failed {
			break
		}
		if nulls[k>>3]>>(k&7)&1 == 0 {
			d.hash(t)
		}
	}
	if d.failed {
		return 0, errRow
	}
	return d.pos, nil
}

func (d *rowDecoder) hash(t Type) uint64 {
	from := d.pos
	switch t.Storage() {
	case Bools:
		return mix(uint64(d.take(1)[0]))
	case Int8s:
		return mix(uint64(int8(d.take(1)[0])))
	case Int16s:
		b := d.take(2)
		return mix(uint64(int16(uint16(b[0]) | uint16(b[1])<<8)))
	case Int32s:
		return mix(uint64(int32(d.u32())))
	case Float32s:
		return mix(uint64(d.u32()))
	case Int64s, Float64s:
		return mix(d.u64())
	case Int128s:
		lo := d.u64()
		return combine(mix(d.u64()), mix(lo))
	case Strings:
		return xxh3.HashString(d.take(d.count()))
	}
	v := New(t)
	d.value(v)
	v.Release()
	return xxh3.HashString(d.src[from:d.pos])
}

type rowDecoder struct {
	src    string
	pos    int
	failed bool
}

var zeroBytes [16]byte

// take returns the next n bytes; zeros after the end, which fails the row.
func (d *rowDecoder) take(n int) string {
	if n < 0 || n > len(d.src)-d.pos {
		d.failed = true
		if n > len(zeroBytes) || n < 0 {
			n = len(zeroBytes)
		}
		return string(zeroBytes[:n])
	}
	d.pos += n
	return d.src[d.pos-n : d.pos]
}

func (d *rowDecoder) u64() uint64 {
	b := d.take(8)
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 | uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 |
		uint64(b[7])<<56
}

func (d *rowDecoder) u32() uint32 {
	b := d.take(4)
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

func (d *rowDecoder) count() int {
	var x uint64
	for shift := 0; shift < 35; shift += 7 {
		b := d.take(1)[0]
		x |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return int(x)
		}
	}
	d.failed = true
	return 0
}

func (d *rowDecoder) value(v *Vector) {
	switch v.Store {
	case None:
		d.failed = true
		return
	case Bools:
		v.Bool = append(v.Bool, d.take(1)[0] == 1)
	case Int8s:
		v.I8 = append(v.I8, int8(d.take(1)[0]))
	case Int16s:
		b := d.take(2)
		v.I16 = append(v.I16, int16(uint16(b[0])|uint16(b[1])<<8))
	case Int32s:
		v.I32 = append(v.I32, int32(d.u32()))
	case Int64s:
		v.I64 = append(v.I64, int64(d.u64()))
	case Float32s:
		v.F32 = append(v.F32, math.Float32frombits(d.u32()))
	case Float64s:
		v.F64 = append(v.F64, math.Float64frombits(d.u64()))
	case Int128s:
		lo := d.u64()
		v.I128 = append(v.I128, Int128{lo, int64(d.u64())})
	case Strings:
		v.Str = append(v.Str, d.take(d.count()))
	case Lists, Maps:
		d.elements(v)
	case Structs:
		for _, k := range v.Kids {
			d.optional(k)
		}
	}
	v.grown(1)
}

func (d *rowDecoder) elements(v *Vector) {
	n := d.count()
	if n > len(d.src)-d.pos { // each element takes a byte at least
		d.failed = true
		n = 0
	}
	for range n {
		for _, k := range v.Kids {
			d.optional(k)
		}
		if d.failed {
			break
		}
	}
	v.Off = append(v.Off, int32(v.Kids[0].Len))
}

func (d *rowDecoder) optional(v *Vector) {
	if d.take(1)[0] == 0 {
		v.Nulls(1)
		return
	}
	d.value(v)
}

// AppendSortKey encodes value i so that keys compare as bytes the way values do: ascending or descending, NULL first or last. NaN is the greatest
// number, -0 equals 0. For storages without nesting; nested values are ordered by their row encoding.
func AppendSortKey(dst []byte, v *Vector, i int, desc, nullsLast bool) []byte {
	if v.IsNull(i) {
		if nullsLast {
			return append(dst, 2)
		}
		return append(dst, 0)
	}
	dst = append(dst, 1)
	from := len(dst)
	dst = sortValue(dst, v, i)
	if desc {
		for k := from; k < len(dst); k++ {
			dst[k] = ^dst[k]
		}
	}
	return dst
}

func sortValue(dst []byte, v *Vector, i int) []byte {
	const sign64, sign32 = 1 << 63, 1 << 31
	switch v.Store {
	case Bools:
		if v.Bool[i] {
			return append(dst, 1)
		}
		return append(dst, 0)
	case Int8s:
		return append(dst, byte(v.I8[i])^0x80)
	case Int16s:
		return binary.BigEndian.AppendUint16(dst, uint16(v.I16[i])^0x8000)
	case Int32s:
		return binary.BigEndian.AppendUint32(dst, uint32(v.I32[i])^sign32)
	case Int64s:
		return binary.BigEndian.AppendUint64(dst, uint64(v.I64[i])^sign64)
	case Float32s:
		return sortFloat(dst, float64(v.F32[i]))
	case Float64s:
		return sortFloat(dst, v.F64[i])
	case Int128s:
		return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(dst, uint64(v.I128[i].Hi)^sign64), v.I128[i].Lo)
	case Strings:
		for k := range len(v.Str[i]) { // 0 is escaped, so that the end sorts before every byte
			if b := v.Str[i][k]; b == 0 {
				dst = append(dst, 0, 0xFF)
			} else {
				dst = append(dst, b)
			}
		}
		return append(dst, 0, 1)
	}
	c := RowCodec{Canonical: true}
	return c.value(dst, v, i)
}

func sortFloat(dst []byte, f float64) []byte {
	b := math.Float64bits(canonicalFloat(f))
	if b>>63 == 1 {
		b = ^b
	} else {
		b |= 1 << 63
	}
	return binary.BigEndian.AppendUint64(dst, b)
}

var sortKeyBytes = [storageCount]int{Bools: 1, Int8s: 1, Int16s: 2, Int32s: 4, Int64s: 8, Float32s: 8, Float64s: 8, Int128s: 16}

// DecodeSortKey appends to v the value that AppendSortKey(ascending) made key of. Not for nested values.
func DecodeSortKey(key string, v *Vector) error {
	const sign64, sign32 = 1 << 63, 1 << 31
	if key == "" || key[0] != 1 {
		v.Nulls(1)
		return nil
	}
	b := []byte(key[1:])
	width := sortKeyBytes[v.Store]
	if len(b) < width || width == 0 && (v.Store != Strings || len(b) < 2) {
		return errRow
	}
	switch v.Store {
	case Bools:
		v.Bool = append(v.Bool, b[0] == 1)
	case Int8s:
		v.I8 = append(v.I8, int8(b[0]^0x80))
	case Int16s:
		v.I16 = append(v.I16, int16(binary.BigEndian.Uint16(b)^0x8000))
	case Int32s:
		v.I32 = append(v.I32, int32(binary.BigEndian.Uint32(b)^sign32))
	case Int64s:
		v.I64 = append(v.I64, int64(binary.BigEndian.Uint64(b)^sign64))
	case Float32s:
		v.F32 = append(v.F32, float32(unsortFloat(b)))
	case Float64s:
		v.F64 = append(v.F64, unsortFloat(b))
	case Int128s:
		v.I128 = append(v.I128, Int128{binary.BigEndian.Uint64(b[8:]), int64(binary.BigEndian.Uint64(b) ^ sign64)})
	case Strings:
		text := b[:0]
		for k := 0; k+2 < len(b); k++ {
			text = append(text, b[k])
			if b[k] == 0 {
				k++
			}
		}
		v.Str = append(v.Str, string(text))
	}
	v.grown(1)
	return nil
}

func unsortFloat(key []byte) float64 {
	b := binary.BigEndian.Uint64(key)
	if b>>63 == 0 {
		return math.Float64frombits(^b)
	}
	return math.Float64frombits(b &^ (1 << 63))
}
