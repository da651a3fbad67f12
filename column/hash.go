package column

import (
	"math"
	"math/bits"

	"github.com/zeebo/xxh3"
)

// The hash of a row of key columns decides its key group, and so which subtask owns it: it is part of the snapshot format (A13.1) and the
// same as that of codec.HashName for one column without NULL. Several columns are combined in order; NULL has a hash of its own.
const (
	hashSeed = 0x9e3779b97f4a7c15
	hashNull = 0x6c8e9cf570932bd5
)

// The parts of Hash, for keys that are kept as words: HashSeed is the hash of no column, HashNull that of NULL, HashWord that of a number, boolean
// (0, 1), or of the bits of a canonical float, and CombineHash adds a column's hash to that of the columns before it.
const (
	HashSeed = hashSeed
	HashNull = hashNull
)

// HashWord is the hash of a value of up to 64 bits; whole numbers are extended with their sign.
func HashWord(x uint64) uint64 { return mix(x) }

// CombineHash is the hash of several columns, from that of all but the last and that of the last.
func CombineHash(h, part uint64) uint64 { return combine(h, part) }

func mix(x uint64) uint64 {
	x += hashSeed
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func combine(h, part uint64) uint64 { return mix(bits.RotateLeft64(h, 29)*0xd6e8feb86659fd93 ^ part) }

// Hash writes the hash of each of the first n rows of the columns to out, which has room for n. Equal values have equal hashes, whatever the
// vector. No columns: every row has the same hash.
func Hash(cols []*Vector, n int, out []uint64) {
	out = out[:n]
	if len(cols) == 1 {
		hashColumn(cols[0], out)
		return
	}
	for i := range out {
		out[i] = hashSeed
	}
	var part [256]uint64
	for _, v := range cols {
		for from := 0; from < n; from += len(part) {
			p := part[:min(len(part), n-from)]
			hashPart(v, from, p)
			for i, h := range p {
				out[from+i] = combine(out[from+i], h)
			}
		}
	}
}

func hashColumn(v *Vector, out []uint64) { hashPart(v, 0, out) }

// hashPart hashes the values from a place on.
func hashPart(v *Vector, from int, out []uint64) {
	n := len(out)
	switch v.Store {
	case Bools:
		for i, x := range v.Bool[from : from+n] {
			out[i] = mix(0)
			if x {
				out[i] = mix(1)
			}
		}
	case Int8s:
		hashWhole(v.I8[from:from+n], out)
	case Int16s:
		hashWhole(v.I16[from:from+n], out)
	case Int32s:
		hashWhole(v.I32[from:from+n], out)
	case Int64s:
		hashWhole(v.I64[from:from+n], out)
	case Float32s:
		for i, x := range v.F32[from : from+n] {
			out[i] = mix(uint64(math.Float32bits(float32(canonicalFloat(float64(x))))))
		}
	case Float64s:
		for i, x := range v.F64[from : from+n] {
			out[i] = mix(math.Float64bits(canonicalFloat(x)))
		}
	case Int128s:
		for i, x := range v.I128[from : from+n] {
			out[i] = combine(mix(uint64(x.Hi)), mix(x.Lo))
		}
	case Strings:
		for i, x := range v.Str[from : from+n] {
			out[i] = xxh3.HashString(x)
		}
	default:
		c := RowCodec{Canonical: true}
		var b []byte
		for i := range out {
			out[i] = hashNull
			if !v.IsNull(from + i) {
				b = c.value(b[:0], v, from+i)
				out[i] = xxh3.Hash(b)
			}
		}
		return
	}
	if v.Valid == nil {
		return
	}
	for i := range out {
		if !v.Valid.Get(from + i) {
			out[i] = hashNull
		}
	}
}

func hashWhole[E int8 | int16 | int32 | int64](values []E, out []uint64) {
	for i, x := range values {
		out[i] = mix(uint64(x))
	}
}
