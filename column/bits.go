package column

import "math/bits"

// Bits is a bitmap, lowest bit first: Arrow's layout. As the validity of a vector a set bit means that there is a value; nil means
// that there is one everywhere.
type Bits []uint64

// NewBits returns n bits that are all set.
func NewBits(n int) Bits {
	b := make(Bits, words(n))
	b.SetRange(0, n)
	return b
}

func words(n int) int { return (n + 63) / 64 }

// Get reports bit i; every bit of nil is set.
func (b Bits) Get(i int) bool { return b == nil || b[i>>6]>>(uint(i)&63)&1 == 1 }

// Set sets bit i.
func (b Bits) Set(i int) { b[i>>6] |= 1 << (uint(i) & 63) }

// Clear clears bit i.
func (b Bits) Clear(i int) { b[i>>6] &^= 1 << (uint(i) & 63) }

// SetRange sets the bits [from, to).
func (b Bits) SetRange(from, to int) {
	for i := from; i < to; {
		if i&63 == 0 && to-i >= 64 {
			b[i>>6] = ^uint64(0)
			i += 64
			continue
		}
		b.Set(i)
		i++
	}
}

// Ones counts the set bits among the first n; nil has n.
func (b Bits) Ones(n int) int {
	if b == nil {
		return n
	}
	c := 0
	for i := 0; i < n>>6; i++ {
		c += bits.OnesCount64(b[i])
	}
	if r := uint(n) & 63; r > 0 {
		c += bits.OnesCount64(b[n>>6] & (1<<r - 1))
	}
	return c
}

// And returns the bits set in both, in dst's memory if it is large enough; nil if both are nil. n is the number of bits.
func And(dst, a, b Bits, n int) Bits {
	switch {
	case a == nil && b == nil:
		return nil
	case a == nil:
		return append(dst[:0], b[:words(n)]...)
	case b == nil:
		return append(dst[:0], a[:words(n)]...)
	}
	dst = dst[:0]
	for i := range words(n) {
		dst = append(dst, a[i]&b[i])
	}
	return dst
}
