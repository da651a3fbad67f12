package expr

import (
	enc "encoding/binary"
	"math"
	"math/bits"
	"slices"

	"github.com/flottio/flott/column"
)

// ApproxCountDistinct counts different values by HyperLogLog: exactly up to approxExactMax, then within about 2 %.
var ApproxCountDistinct = &Agg{
	Name: "APPROX_COUNT_DISTINCT",
	Resolve: func(args []Arg) (Signature, error) {
		if err := wantArgs(args, 1, 1); err != nil {
			return Signature{}, err
		}
		return Signature{Args: argTypes(args), Result: bigIntNotNull}, nil
	},
	New: func(s *AggSite) (Accumulator, error) {
		if s.Retract {
			return nil, nil
		}
		return &approxAcc{}, nil
	},
}

const (
	approxExactMax = 256
	approxBits     = 12
)

type approxAcc struct {
	NoWords
	hash [1]uint64
	one  []*column.Vector
}

func (a *approxAcc) New() Object { return &approxCounter{acc: a} }

func (a *approxAcc) ResultOf(o Object, out *column.Vector) error {
	out.AppendInt(o.(*approxCounter).count())
	return nil
}

// approxCounter has the hashes of few values, sorted, or a register for each of 4096 parts of many: the longest run of leading zeros seen there.
type approxCounter struct {
	acc       *approxAcc
	few       []uint64
	registers []uint8
}

func (o *approxCounter) Update(args []*column.Vector, row int, _ bool) error {
	if args[0].IsNull(row) {
		return nil
	}
	v := column.New(args[0].Type)
	args[0].Slice(v, row, row+1)
	o.acc.one = append(o.acc.one[:0], v)
	column.Hash(o.acc.one, 1, o.acc.hash[:])
	v.Release()
	o.add(o.acc.hash[0])
	return nil
}

func (o *approxCounter) add(h uint64) {
	if o.registers != nil {
		r := h >> (64 - approxBits)
		o.registers[r] = max(o.registers[r], uint8(bits.LeadingZeros64(h<<approxBits|1<<(approxBits-1))+1))
		return
	}
	i, found := slices.BinarySearch(o.few, h)
	if found {
		return
	}
	if o.few = slices.Insert(o.few, i, h); len(o.few) > approxExactMax {
		few := o.few
		o.few, o.registers = nil, make([]uint8, 1<<approxBits)
		for _, h := range few {
			o.add(h)
		}
	}
}

func (o *approxCounter) count() int64 {
	if o.registers == nil {
		return int64(len(o.few))
	}
	const m = 1 << approxBits
	sum, zeros := 0.0, 0
	for _, r := range o.registers {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			zeros++
		}
	}
	estimate := 0.7213 / (1 + 1.079/m) * m * m / sum
	if estimate <= 2.5*m && zeros > 0 {
		estimate = m * math.Log(m/float64(zeros))
	}
	return int64(math.Round(estimate))
}

func (o *approxCounter) Merge(from Object) error {
	f := from.(*approxCounter)
	for _, h := range f.few {
		o.add(h)
	}
	if f.registers == nil {
		return nil
	}
	if o.registers == nil {
		few := o.few
		o.few, o.registers = nil, make([]uint8, 1<<approxBits)
		for _, h := range few {
			o.add(h)
		}
	}
	for i, r := range f.registers {
		o.registers[i] = max(o.registers[i], r)
	}
	return nil
}

func (o *approxCounter) Append(dst []byte) []byte {
	if o.registers != nil {
		return append(append(dst, 1), o.registers...)
	}
	dst = append(dst, 0)
	for _, h := range o.few {
		dst = enc.LittleEndian.AppendUint64(dst, h)
	}
	return dst
}

func (o *approxCounter) Decode(src []byte) error {
	o.few, o.registers = nil, nil
	switch {
	case len(src) == 1+1<<approxBits && src[0] == 1:
		o.registers = slices.Clone(src[1:])
	case len(src)%8 == 1 && src[0] == 0 && len(src) <= 1+8*approxExactMax:
		for at := 1; at < len(src); at += 8 {
			o.few = append(o.few, enc.LittleEndian.Uint64(src[at:]))
		}
	default:
		return errState
	}
	return nil
}
