package codec

import (
	"math"
	"math/bits"
	"unsafe"

	"github.com/zeebo/xxh3"
)

// HashName names what Key.Hash computes, with version and seed. It is recorded in every snapshot, for the key group of a key
// follows from its hash (A13.1): whoever changes a single value of the hash gives it a new name, and old snapshots need the old.
//
// The hash of a bool or integer is mix of its value as 64 bits, sign-extended if signed; of a float, mix of its canonical bits; of a
// string or an array of bytes, xxh3; of a time, that of its seconds combined with its nanoseconds. A struct or array starts with
// hashSeed and combines its parts in order. No part of it depends on the platform, the location of a time, padding or pointers.
const HashName = "flott-1(splitmix64,xxh3-64,seed=9e3779b97f4a7c15)"

const hashSeed = 0x9e3779b97f4a7c15

// mix is the output function of splitmix64: a bijection in which each bit of the input changes half of the bits of the output.
func mix(x uint64) uint64 {
	x += hashSeed
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// combine adds the next part to the hash of those before.
func combine(h, part uint64) uint64 { return mix(bits.RotateLeft64(h, 29)*0xd6e8feb86659fd93 ^ part) }

// canonical64 returns the bits that stand for all floats equal to f: one zero, one NaN.
func canonical64(f float64) uint64 {
	if f == 0 {
		return 0
	}
	if f != f {
		return canonicalNaN64
	}
	return math.Float64bits(f)
}

func canonical32(f float32) uint32 {
	if f == 0 {
		return 0
	}
	if f != f {
		return canonicalNaN32
	}
	return math.Float32bits(f)
}

const (
	canonicalNaN64 = 0x7ff8000000000000
	canonicalNaN32 = 0x7fc00000
)

// hash combines h with the parts of the key at p.
func (k *keyProgram) hash(h uint64, p unsafe.Pointer) uint64 {
	for i := range k.steps {
		s := &k.steps[i]
		q := unsafe.Add(p, s.off)
		switch s.code {
		case keyWord:
			h = combine(h, *(*uint64)(q))
		case keyInteger:
			h = combine(h, loadInteger(q, s.n, s.signed))
		case keyString:
			h = combine(h, xxh3.HashString(*(*string)(q)))
		case keyFloat64:
			h = combine(h, canonical64(*(*float64)(q)))
		case keyFloat32:
			h = combine(h, uint64(canonical32(*(*float32)(q))))
		case keyBytes:
			h = combine(h, xxh3.Hash(unsafe.Slice((*byte)(q), s.n)))
		case keyTime:
			sec, nsec := instant(q)
			h = combine(combine(h, uint64(sec)), uint64(nsec))
		case keyArray:
			inner := uint64(hashSeed)
			for j := range s.n {
				inner = s.sub.hash(inner, unsafe.Add(q, j*s.stride))
			}
			h = combine(h, inner)
		}
	}
	return h
}

// hash1 is the hash of a key that is a single part.
func (s *keyStep) hash1(q unsafe.Pointer) uint64 {
	switch s.code {
	case keyWord:
		return mix(*(*uint64)(q))
	case keyInteger:
		return mix(loadInteger(q, s.n, s.signed))
	case keyString:
		return xxh3.HashString(*(*string)(q))
	case keyFloat64:
		return mix(canonical64(*(*float64)(q)))
	case keyFloat32:
		return mix(uint64(canonical32(*(*float32)(q))))
	case keyBytes:
		return xxh3.Hash(unsafe.Slice((*byte)(q), s.n))
	}
	invariantSingle(s.code)
	return 0
}
