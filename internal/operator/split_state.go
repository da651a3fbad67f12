package operator

import (
	"encoding/binary"
	"fmt"
)

// Append adds the bytes of a split state: what a reader's operator state and an enumerator's returned splits are stored as.
func (s *SplitState) Append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s.ID)))
	dst = append(dst, s.ID...)
	dst = binary.AppendUvarint(dst, uint64(len(s.Position)))
	dst = append(dst, s.Position...)
	return binary.AppendVarint(dst, s.MaxTime)
}

// DecodeSplit reads what Append wrote.
func DecodeSplit(b []byte) (s SplitState, err error) {
	id, b, err := cut(b)
	if err != nil {
		return s, fmt.Errorf("reading a split's id: %w", err)
	}
	pos, b, err := cut(b)
	if err != nil {
		return s, fmt.Errorf("reading the position of split %q: %w", id, err)
	}
	t, n := binary.Varint(b)
	if n <= 0 || n != len(b) {
		return s, fmt.Errorf("reading the event time of split %q: %d bytes left", id, len(b))
	}
	return SplitState{Split{string(id), append([]byte(nil), pos...)}, t}, nil
}

func cut(b []byte) (head, rest []byte, err error) {
	l, n := binary.Uvarint(b)
	if n <= 0 || l > uint64(len(b)-n) {
		return nil, nil, fmt.Errorf("length %d beyond the %d bytes there are", l, len(b))
	}
	return b[n : n+int(l)], b[n+int(l):], nil
}
