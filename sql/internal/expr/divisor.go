package expr

import (
	"math/bits"

	"github.com/flottio/flott/column"
)

// divisor divides by a constant with a multiplication: the quotient is the high half of n * magic, shifted.
type divisor struct {
	d, magic int64
	shift    uint
}

// newDivisor is for d other than -1, 0, 1 and the least int64.
func newDivisor(d int64) divisor {
	const two63 = uint64(1) << 63
	ad := abs64(d)
	anc := two63 + uint64(d)>>63
	anc -= 1 + anc%ad
	p := uint(63)
	q1, r1 := two63/anc, two63%anc
	q2, r2 := two63/ad, two63%ad
	for {
		p++
		if q1, r1 = 2*q1, 2*r1; r1 >= anc {
			q1, r1 = q1+1, r1-anc
		}
		if q2, r2 = 2*q2, 2*r2; r2 >= ad {
			q2, r2 = q2+1, r2-ad
		}
		if delta := ad - r2; q1 > delta || q1 == delta && r1 != 0 {
			break
		}
	}
	m := int64(q2 + 1)
	if d < 0 {
		m = -m
	}
	return divisor{d, m, p - 64}
}

func (v divisor) quo(n int64) int64 {
	hi, _ := bits.Mul64(uint64(n), uint64(v.magic)) // unsigned: what that has too much of goes off again
	q := (int64(hi) - n>>63&v.magic - v.d>>63&n) >> v.shift
	return q + int64(uint64(q)>>63)
}

// constantDivision is a kernel for BIGINT / constant and MOD(BIGINT, constant); nil for other divisors.
func constantDivision(name string, s *Site) Kernel {
	if s.Type(0).ID != column.BigInt || s.Result.Storage() != column.Int64s && name == "/" {
		return nil
	}
	value, ok := constantOf(s.Args[1], s.Env)
	d, isWhole := value.(int64)
	if !ok || !isWhole || d >= -1 && d <= 1 || d == -d {
		return nil
	}
	by := newDivisor(d)
	if name == "/" {
		return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
			out.Resize(n)
			to := out.I64[:n]
			for i, x := range args[0].I64[:n] {
				to[i] = by.quo(x)
			}
			return nil
		}
	}
	return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		if out.Store == column.Int64s {
			to := out.I64[:n]
			for i, x := range args[0].I64[:n] {
				to[i] = x - by.quo(x)*d
			}
			return nil
		}
		for i, x := range args[0].I64[:n] {
			setInteger(out, i, x-by.quo(x)*d)
		}
		return nil
	}
}
