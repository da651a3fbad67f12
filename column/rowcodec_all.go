package column

import (
	"fmt"
	"math"
)

// DecodeAll appends the rows, column by column: one loop for a column instead of a switch for every value. pos is memory to use and is
// returned for the next call. Texts share memory with the rows. After an error the columns are of no use.
func (c *RowCodec) DecodeAll(rows []string, cols []*Vector, pos []int32) ([]int32, error) {
	bitmap := (len(cols) + 7) / 8
	pos = resizeInts(pos, len(rows))
	for i, r := range rows {
		if len(r) < bitmap {
			return pos, fmt.Errorf("%w: %d bytes", errRow, len(r))
		}
		pos[i] = int32(bitmap)
	}
	for k, v := range cols {
		if err := decodeColumn(rows, pos, k, v); err != nil {
			return pos, err
		}
	}
	return pos, nil
}

func resizeInts(s []int32, n int) []int32 {
	if cap(s) < n {
		return make([]int32, n, max(n, BatchRows))
	}
	return s[:n]
}

// decodeColumn appends column k of the rows, whose values begin at pos, and moves pos behind them.
func decodeColumn(rows []string, pos []int32, k int, v *Vector) error {
	at, bit := k>>3, byte(1)<<(k&7)
	d := rowDecoder{}
	for i, r := range rows {
		if r[at]&bit != 0 {
			v.Nulls(1)
			continue
		}
		p := int(pos[i])
		switch {
		case v.Store == Int64s && len(r)-p >= 8:
			v.I64 = append(v.I64, int64(word(r[p:p+8])))
			v.grown(1)
			pos[i] += 8
		case v.Store == Strings && p < len(r) && r[p] < 0x80 && len(r)-p > int(r[p]):
			n := int(r[p])
			v.Str = append(v.Str, r[p+1:p+1+n])
			v.grown(1)
			pos[i] += int32(1 + n)
		case v.Store == Float64s && len(r)-p >= 8:
			v.F64 = append(v.F64, math.Float64frombits(word(r[p:p+8])))
			v.grown(1)
			pos[i] += 8
		default:
			d.src, d.pos = r, p
			d.value(v)
			if d.failed {
				return fmt.Errorf("%w: %d bytes", errRow, len(r))
			}
			pos[i] = int32(d.pos)
		}
	}
	return nil
}

func word(b string) uint64 {
	_ = b[7]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 | uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 |
		uint64(b[7])<<56
}

// GatherOuter is Gather; a place of -1 gives NULL.
func (v *Vector) GatherOuter(dst *Vector, at []int32) {
	for from := 0; from < len(at); {
		to := from
		for to < len(at) && (at[to] < 0) == (at[from] < 0) {
			to++
		}
		if at[from] < 0 {
			dst.Nulls(to - from)
		} else {
			v.Gather(dst, at[from:to])
		}
		from = to
	}
}
