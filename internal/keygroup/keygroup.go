// Package keygroup owns the arithmetic that carries a key to its key group and a key group to its subtask, and with it the
// arithmetic of rescaling (A13.1, A13.2).
//
// A key group is the unit in which keyed state is written, found and redistributed. Its number depends on the key's hash and
// on the max parallelism alone, never on the parallelism: that is what lets a job restart with another number of subtasks.
// The partitioner and the state layer call the same functions here (A13.3), so that a record and its state cannot part.
//
// The package hashes nothing (internal/codec does) and holds no state. Anyone may import it; it imports nothing but the
// standard library's arithmetic.
package keygroup

import (
	"fmt"
	"math/bits"
)

// Limits of max parallelism, in key groups.
const (
	// MaxLimit is the greatest max parallelism. A key group fits 16 bits, and so does a subtask in the table of Route.
	MaxLimit = 1 << 15
	// DefaultMin is the least max parallelism chosen by DefaultMax: room to grow for jobs that start small.
	DefaultMin = 128
)

// Of returns the key group of a key with this hash. REQUIRES: 1 <= maxParallelism <= MaxLimit. Whoever maps many hashes
// prepares a Mapper instead; the result is the same.
func Of(hash uint64, maxParallelism int) int {
	return NewMapper(maxParallelism).Of(hash)
}

// Mapper maps hashes to key groups of one max parallelism. The zero Mapper maps every hash to key group 0, as a Mapper of
// max parallelism 1 does. Mappers are values; they are safe for concurrent use.
//
// Key group = hash mod max. For a power of two (the default always is one) that is the low bits of the hash, taken with a
// mask, because a 64-bit division would be the dearest instruction on a record's way. Hash tables within a key group must
// therefore draw on the high bits: the low ones are equal for all their keys.
type Mapper struct {
	max  uint64 // 0 when mask serves
	mask uint64
}

// NewMapper prepares the mapping. It panics when maxParallelism is not within 1..MaxLimit; Validate refuses such figures
// long before.
func NewMapper(maxParallelism int) Mapper {
	mustBeMax(maxParallelism)
	m := uint64(maxParallelism)
	if m&(m-1) == 0 {
		return Mapper{mask: m - 1}
	}
	return Mapper{max: m}
}

// Of returns the key group of a key with this hash.
func (m Mapper) Of(hash uint64) int {
	if m.max == 0 {
		return int(hash & m.mask)
	}
	return int(hash % m.max)
}

// Range is a set of consecutive key groups, both ends included. A Range with Last < First is empty; note that the zero Range
// holds key group 0.
type Range struct {
	First int `json:"first"`
	Last  int `json:"last"`
}

// None is the empty Range.
var None = Range{First: 0, Last: -1}

// All returns the Range of every key group.
func All(maxParallelism int) Range { return Range{First: 0, Last: maxParallelism - 1} }

// RangeOf returns the key groups of subtask i of an operator with this parallelism. REQUIRES: 0 <= subtask < parallelism <=
// maxParallelism <= MaxLimit. Ranges of neighbours touch, differ by at most one in length, and are never empty.
func RangeOf(subtask, maxParallelism, parallelism int) Range {
	mustBeParallelism(maxParallelism, parallelism)
	if subtask < 0 || subtask >= parallelism {
		panic(fmt.Sprintf("BUG: subtask %d of parallelism %d", subtask, parallelism))
	}
	// ceil(i*max/p) .. floor(((i+1)*max-1)/p), the exact inverse of SubtaskOf.
	return Range{
		First: (subtask*maxParallelism + parallelism - 1) / parallelism,
		Last:  ((subtask+1)*maxParallelism - 1) / parallelism,
	}
}

// Contains reports whether the key group belongs to r.
func (r Range) Contains(keyGroup int) bool { return r.First <= keyGroup && keyGroup <= r.Last }

// Empty reports whether r holds no key group.
func (r Range) Empty() bool { return r.Last < r.First }

// Len returns the number of key groups in r.
func (r Range) Len() int { return max(0, r.Last-r.First+1) }

// Intersect returns the key groups that are in both; None if there are none.
func (r Range) Intersect(o Range) Range {
	x := Range{First: max(r.First, o.First), Last: min(r.Last, o.Last)}
	if x.Empty() {
		return None
	}
	return x
}

// String returns "first-last", or "none".
func (r Range) String() string {
	if r.Empty() {
		return "none"
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

// SubtaskOf returns the subtask that owns the key group. REQUIRES: 0 <= keyGroup < maxParallelism, 1 <= parallelism <=
// maxParallelism.
func SubtaskOf(keyGroup, maxParallelism, parallelism int) int {
	mustBeParallelism(maxParallelism, parallelism)
	if keyGroup < 0 || keyGroup >= maxParallelism {
		panic(fmt.Sprintf("BUG: key group %d outside 0..%d", keyGroup, maxParallelism-1))
	}
	return keyGroup * parallelism / maxParallelism
}

// Route returns the table key group -> subtask that a partitioner indexes for each record.
func Route(maxParallelism, parallelism int) []uint16 {
	mustBeParallelism(maxParallelism, parallelism)
	table := make([]uint16, maxParallelism)
	for kg := range table {
		table[kg] = uint16(kg * parallelism / maxParallelism)
	}
	return table
}

// DefaultMax returns the max parallelism of an operator for which none was set: one and a half times the parallelism,
// rounded up to a power of two, at least DefaultMin, at most MaxLimit.
func DefaultMax(parallelism int) int {
	if parallelism < 1 || parallelism > MaxLimit {
		panic(fmt.Sprintf("BUG: parallelism %d outside 1..%d", parallelism, MaxLimit))
	}
	want := uint(parallelism + parallelism/2)
	pow2 := 1 << bits.Len(want-1)
	return min(max(pow2, DefaultMin), MaxLimit)
}

// Validate reports what is wrong with a pair of figures that a user has set, or nil. A maxParallelism of 0 stands for "not
// set".
func Validate(maxParallelism, parallelism int) error {
	switch {
	case parallelism < 1 || parallelism > MaxLimit:
		return fmt.Errorf("parallelism %d is outside 1..%d", parallelism, MaxLimit)
	case maxParallelism == 0:
		return nil
	case maxParallelism < 1 || maxParallelism > MaxLimit:
		return fmt.Errorf("max parallelism %d is outside 1..%d", maxParallelism, MaxLimit)
	case parallelism > maxParallelism:
		return fmt.Errorf("parallelism %d is greater than max parallelism %d: lower the first or raise the second "+
			"(possible only before the first checkpoint)", parallelism, maxParallelism)
	}
	return nil
}

func mustBeMax(maxParallelism int) {
	if maxParallelism < 1 || maxParallelism > MaxLimit {
		panic(fmt.Sprintf("BUG: max parallelism %d outside 1..%d", maxParallelism, MaxLimit))
	}
}

func mustBeParallelism(maxParallelism, parallelism int) {
	mustBeMax(maxParallelism)
	if parallelism < 1 || parallelism > maxParallelism {
		panic(fmt.Sprintf("BUG: parallelism %d outside 1..%d", parallelism, maxParallelism))
	}
}
