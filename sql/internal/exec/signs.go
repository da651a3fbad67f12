package exec

import "github.com/flottio/flott/column"

// signReader turns row kinds into signs.
type signReader struct {
	retracts bool
	buf      []int64
}

// of gives 1 for each row that is added and -1 for each that is taken back; nil if all are added. Good until the next call.
func (s *signReader) of(in *column.Batch) []int64 {
	if in.Kinds == nil {
		return nil
	}
	s.buf = resized(s.buf, in.N)
	back := false
	for i, k := range in.Kinds {
		s.buf[i] = 1
		if !k.Adds() {
			s.buf[i], back = -1, true
		}
	}
	if !back {
		return nil
	}
	if !s.retracts {
		panic("BUG: exec: a row is taken back from an operator that was planned for an input that only adds")
	}
	return s.buf
}
