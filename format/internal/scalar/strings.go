package scalar

import (
	"encoding/binary"
	"math/bits"
)

// StringCache makes strings out of bytes, and gives the same string again for text it has seen lately: columns often repeat few
// values, and finding one costs less than allocating it. Strings are immutable, so sharing them is safe. It holds at most
// cachedStrings of at most cachedStringBytes. Where values do not repeat it stands aside: a miss costs credit, a hit earns it, and
// without credit only one string in 16 is looked up. The zero value is ready; not safe for concurrent use.
type StringCache struct {
	slots  []string // pairs, the younger first; allocated with the first string
	credit int
	tick   uint
}

const (
	cachedStrings     = 1 << cachedStringsLog
	cachedStringsLog  = 11
	cachedStringBytes = 64
	hitCredit         = 4
	creditMax         = 1024
)

// Of returns the string that says what b says. It does not keep b.
func (c *StringCache) Of(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(b) > cachedStringBytes {
		return string(b)
	}
	if c.credit <= 0 {
		c.tick++
		if c.tick%16 != 0 {
			return string(b)
		}
	}
	return c.lookUp(b)
}

func (c *StringCache) lookUp(b []byte) string {
	if c.slots == nil {
		c.slots = make([]string, cachedStrings)
	}
	pair := c.slots[ends(b)*0x9e3779b97f4a7c15>>(65-cachedStringsLog)<<1:][:2]
	if pair[0] == string(b) {
		c.credit = min(c.credit+hitCredit, creditMax)
		return pair[0]
	}
	if pair[1] == string(b) {
		c.credit = min(c.credit+hitCredit, creditMax)
		pair[0], pair[1] = pair[1], pair[0]
		return pair[0]
	}
	c.credit = max(c.credit-1, 0)
	pair[0], pair[1] = string(b), pair[0]
	return pair[0]
}

// ends mixes the first and the last 8 bytes and the length: enough to tell the values of a column apart.
func ends(b []byte) uint64 {
	n := len(b)
	if n >= 8 {
		return binary.LittleEndian.Uint64(b) ^ bits.RotateLeft64(binary.LittleEndian.Uint64(b[n-8:]), 29) ^ uint64(n)
	}
	h := uint64(n)
	for _, c := range b {
		h = h<<8 | uint64(c)
	}
	return h
}
