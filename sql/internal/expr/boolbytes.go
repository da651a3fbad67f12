package expr

import (
	le "encoding/binary"
	"unsafe"
)

// boolBytes views booleans as bytes of 0 and 1, for loops without branches.
func boolBytes(b []bool) []uint8 {
	return unsafe.Slice((*uint8)(unsafe.Pointer(unsafe.SliceData(b))), len(b))
}

// andBools and orBools combine two slices of one length into the first.
func andBools(to, from []bool) {
	a, b := boolBytes(to), boolBytes(from)
	for len(a) >= 8 && len(b) >= 8 {
		le.LittleEndian.PutUint64(a, le.LittleEndian.Uint64(a)&le.LittleEndian.Uint64(b))
		a, b = a[8:], b[8:]
	}
	for i := range a {
		a[i] &= b[i]
	}
}

func orBools(to, from []bool) {
	a, b := boolBytes(to), boolBytes(from)
	for len(a) >= 8 && len(b) >= 8 {
		le.LittleEndian.PutUint64(a, le.LittleEndian.Uint64(a)|le.LittleEndian.Uint64(b))
		a, b = a[8:], b[8:]
	}
	for i := range a {
		a[i] |= b[i]
	}
}
