package expr

import (
	"errors"
	"fmt"

	"github.com/flottio/flott/column"
)

// The functions that exist over a window only. The operator of OVER computes them; they have no accumulator.
var (
	RowNumber   = &Agg{Name: "ROW_NUMBER", Resolve: noArgs(column.BigInt), WindowOnly: true}
	Rank        = &Agg{Name: "RANK", Resolve: noArgs(column.BigInt), WindowOnly: true}
	DenseRank   = &Agg{Name: "DENSE_RANK", Resolve: noArgs(column.BigInt), WindowOnly: true}
	PercentRank = &Agg{Name: "PERCENT_RANK", Resolve: noArgs(column.Double), WindowOnly: true}
	CumeDist    = &Agg{Name: "CUME_DIST", Resolve: noArgs(column.Double), WindowOnly: true}
	NTile       = &Agg{Name: "NTILE", Resolve: resolveNTile, WindowOnly: true}
	Lag         = &Agg{Name: "LAG", Resolve: resolveLag, WindowOnly: true}
	Lead        = &Agg{Name: "LEAD", Resolve: resolveLag, WindowOnly: true}
)

var windowAggs = []*Agg{RowNumber, Rank, DenseRank, PercentRank, CumeDist, NTile, Lag, Lead, ApproxCountDistinct}

func noArgs(result column.ID) func([]Arg) (Signature, error) {
	return func(args []Arg) (Signature, error) {
		return Signature{Result: column.Of(result).Nullable(false)}, wantArgs(args, 0, 0)
	}
}

func resolveNTile(args []Arg) (Signature, error) {
	if err := wantArgs(args, 1, 1); err != nil {
		return Signature{}, err
	}
	if n, ok := args[0].Literal.whole(); !ok || n <= 0 {
		return Signature{}, errors.New("expects a positive whole constant as the number of buckets")
	}
	return Signature{Args: argTypes(args), Result: column.Of(column.BigInt).Nullable(false)}, nil
}

// whole is the value of a literal that is a whole number.
func (l *Literal) whole() (int64, bool) {
	if l == nil {
		return 0, false
	}
	switch x := l.Value.(type) {
	case int8:
		return int64(x), true
	case int16:
		return int64(x), true
	case int32:
		return int64(x), true
	case int64:
		return x, true
	}
	return 0, false
}

// Whole is the value of an expression that is a whole constant.
func Whole(e Expr) (int64, bool) {
	l, _ := e.(*Literal)
	return l.whole()
}

func resolveLag(args []Arg) (Signature, error) {
	if err := wantArgs(args, 1, 3); err != nil {
		return Signature{}, err
	}
	of := plainNullable(args[0].Type)
	sig := Signature{Args: argTypes(args), Result: of}
	if len(args) > 1 {
		if n, ok := args[1].Literal.whole(); !ok || n < 0 {
			return sig, fmt.Errorf("expects a whole constant that is not negative as offset, got %s", args[1].Type)
		}
	}
	if len(args) > 2 {
		sig.Args[2] = of.Nullable(!args[2].Type.NotNull)
		sig.Result = of.Nullable(!(args[0].Type.NotNull && args[2].Type.NotNull))
	}
	return sig, nil
}
