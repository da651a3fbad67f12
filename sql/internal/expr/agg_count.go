package expr

import (
	"unsafe"

	"github.com/flottio/flott/column"
)

var bigIntNotNull = column.Of(column.BigInt).Nullable(false)

// Count counts rows, or those in which no argument is NULL.
var Count = &Agg{
	Name: "COUNT",
	Resolve: func(args []Arg) (Signature, error) {
		return Signature{Args: argTypes(args), Result: bigIntNotNull}, nil
	},
	New: func(s *AggSite) (Accumulator, error) { return count{}, nil },
}

var countAggs = []*Agg{Count}

// count has one word: the number.
type count struct{}

func (count) Words() int { return 1 }

func (count) Update(in *AggInput) error {
	var valid column.Bits
	for _, a := range in.Args {
		switch {
		case a == nil:
		case a.Store == column.None:
			return nil
		case a.Valid != nil:
			valid = column.And(nil, valid, a.Valid, a.Len)
		}
	}
	if valid == nil && in.Signs == nil {
		for _, p := range in.At {
			*(*int64)(unsafe.Add(p, in.Offset))++
		}
		return nil
	}
	rows := in.Rows[:len(in.At)]
	for i, p := range in.At {
		r := rows[i]
		if !valid.Get(int(r)) {
			continue
		}
		by := int64(1)
		if in.Signs != nil {
			by = in.Signs[r]
		}
		*(*int64)(unsafe.Add(p, in.Offset)) += by
	}
	return nil
}

func (count) Merge(to, from States) error {
	for i, p := range to.At {
		*(*int64)(unsafe.Add(p, to.Offset)) += *(*int64)(unsafe.Add(from.At[i], from.Offset))
	}
	return nil
}

func (count) Result(s States, out *column.Vector) error {
	from := out.Len
	out.Zeros(len(s.At))
	to := out.I64[from:]
	for i, p := range s.At {
		to[i] = *(*int64)(unsafe.Add(p, s.Offset))
	}
	return nil
}
