package expr

import (
	"fmt"

	"github.com/flottio/flott/column"
)

// In is x IN (v1, v2, ...): its first argument is x. Values that are constant are a set.
var In = &Func{Name: "IN", Lenient: true, Resolve: resolveIn, Kernel: inKernel}

// NewBetween is x BETWEEN low AND high; a symmetric one takes the bounds in either order.
func NewBetween(x, low, high Expr, symmetric bool) (Expr, error) {
	within := func(low, high Expr) (Expr, error) {
		from, err := NewCall(GreaterEqual, x, low)
		if err != nil {
			return nil, err
		}
		to, err := NewCall(LessEqual, x, high)
		if err != nil {
			return nil, err
		}
		return NewCall(And, from, to)
	}
	e, err := within(low, high)
	if err != nil || !symmetric {
		return e, err
	}
	swapped, err := within(high, low)
	if err != nil {
		return nil, err
	}
	return NewCall(Or, e, swapped)
}

func resolveIn(args []Arg) (Signature, error) {
	if len(args) < 2 {
		return Signature{}, fmt.Errorf("takes at least 2 arguments, got %d", len(args))
	}
	common := args[0].Type
	for _, a := range args[1:] {
		t, ok := ComparableType(common, a.Type)
		if !ok {
			return Signature{}, fmt.Errorf("cannot compare %s with %s", args[0].Type, a.Type)
		}
		common = t
	}
	sig := Signature{Result: column.Of(column.Boolean).Nullable(anyNullable(args))}
	for range args {
		sig.Args = append(sig.Args, common)
	}
	return sig, nil
}

func inKernel(s *Site) (Kernel, error) {
	set := column.New(s.Type(0))
	hasNull := false
	for _, a := range s.Args[1:] {
		value, ok := constantOf(a, s.Env)
		switch {
		case !ok:
			return inAny, nil
		case value == nil:
			hasNull = true
		default:
			set.Append(value)
		}
	}
	find := memberLoop(set)
	return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		x := args[0]
		if x.Store == column.None {
			out.Nulls(n)
			return nil
		}
		out.Resize(n)
		find(x, out.Bool[:n])
		for i := range n {
			if x.IsNull(i) || hasNull && !out.Bool[i] {
				out.SetNull(i)
			}
		}
		return nil
	}, nil
}

// constantOf is the value of an expression that needs no input.
func constantOf(e Expr, env *Env) (value any, ok bool) {
	ev, err := newCompiler(env).compile(e)
	if err != nil {
		return nil, false
	}
	k, ok := ev.(*constant)
	if !ok {
		return nil, false
	}
	return k.value, true
}

// fewMembers is up to where comparing with each member beats a hash.
const fewMembers = 8

// memberLoop sets, for each value of x, whether it is in the set.
func memberLoop(set *column.Vector) func(x *column.Vector, out []bool) {
	switch set.Store {
	case column.Int32s:
		return members(set.I32, func(v *column.Vector) []int32 { return v.I32 })
	case column.Int64s:
		return members(set.I64, func(v *column.Vector) []int64 { return v.I64 })
	case column.Strings:
		return members(set.Str, func(v *column.Vector) []string { return v.Str })
	}
	return func(x *column.Vector, out []bool) {
		for i := range out {
			out[i] = false
			for m := 0; m < set.Len && !out[i] && !x.IsNull(i); m++ {
				out[i] = equalAt(x, i, set, m)
			}
		}
	}
}

func members[E comparable](set []E, values func(*column.Vector) []E) func(x *column.Vector, out []bool) {
	if len(set) <= fewMembers {
		return func(x *column.Vector, out []bool) {
			clear(out)
			a := values(x)[:len(out)]
			for _, m := range set {
				for i, y := range a {
					if y == m {
						out[i] = true
					}
				}
			}
		}
	}
	hashed := make(map[E]struct{}, len(set))
	for _, m := range set {
		hashed[m] = struct{}{}
	}
	return func(x *column.Vector, out []bool) {
		for i, y := range values(x)[:len(out)] {
			_, out[i] = hashed[y]
		}
	}
}

// equalAt is what = says of two values that are not NULL: NaN is not equal to itself.
func equalAt(a *column.Vector, i int, b *column.Vector, j int) bool {
	switch a.Store {
	case column.Float32s:
		return a.F32[i] == b.F32[j]
	case column.Float64s:
		return a.F64[i] == b.F64[j]
	}
	return CompareAt(a, i, b, j) == 0
}

// inAny compares with values of the row.
func inAny(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
	out.Resize(n)
	clear(out.Bool)
	x := args[0]
	for i := range n {
		null := x.IsNull(i)
		for _, v := range args[1:] {
			if x.IsNull(i) || out.Bool[i] {
				break
			}
			if v.IsNull(i) {
				null = true
			} else {
				out.Bool[i] = equalAt(x, i, v, i)
			}
		}
		if null && !out.Bool[i] {
			out.SetNull(i)
		}
	}
	return nil
}
