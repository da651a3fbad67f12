package codec

import (
	"encoding/binary"
	"time"
	"unsafe"
)

// timeBytes is the encoded length of an instant: seconds since 1970 UTC and nanoseconds, so that every time.Time has one form,
// the zero time included, and not only the years 1678 to 2262 that fit into 64 bits of nanoseconds.
const timeBytes = 12

func appendTime(dst []byte, q unsafe.Pointer) []byte {
	t := (*time.Time)(q)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(t.Unix()))
	return binary.LittleEndian.AppendUint32(dst, uint32(t.Nanosecond()))
}

// decodeTime reads timeBytes bytes; false if they are no instant.
func decodeTime(src []byte, q unsafe.Pointer) bool {
	sec, nsec := int64(binary.LittleEndian.Uint64(src)), binary.LittleEndian.Uint32(src[8:])
	if nsec >= 1e9 {
		return false
	}
	*(*time.Time)(q) = time.Unix(sec, int64(nsec)).UTC()
	return true
}
