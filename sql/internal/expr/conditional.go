package expr

import (
	"errors"
	"fmt"

	"github.com/flottio/flott/column"
)

// conditionalFuncs: IF, IFNULL and NULLIF evaluate what they need only, as CASE does.
var conditionalFuncs = []*Func{
	{Name: "IF", Resolve: resolveIf, Special: compileIf},
	{Name: "IFNULL", Resolve: resolveIfNull, Special: compileCoalesce},
	{Name: "NULLIF", Resolve: resolveNullIf, Special: compileNullIf},
	{Name: "TYPEOF", Resolve: resolveTypeOf, Kernel: typeOfKernel},
}

func resolveIf(args []Arg) (Signature, error) {
	if len(args) != 3 {
		return Signature{}, fmt.Errorf("takes a condition and two values, got %d arguments", len(args))
	}
	if t := args[0].Type; t.ID != column.Boolean && t.ID != column.Null {
		return Signature{}, fmt.Errorf("the condition must be BOOLEAN, got %s", t)
	}
	return resolveCase(args)
}

func compileIf(c *compiler, call *Call) (evaluator, error) {
	return compileCase(c, &Call{Func: Case, Args: call.Args, Of: call.Of})
}

func resolveIfNull(args []Arg) (Signature, error) {
	if len(args) != 2 {
		return Signature{}, fmt.Errorf("takes 2 arguments, got %d", len(args))
	}
	return resolveCoalesce(args)
}

func resolveNullIf(args []Arg) (Signature, error) {
	if len(args) != 2 {
		return Signature{}, fmt.Errorf("takes 2 arguments, got %d", len(args))
	}
	if _, err := resolveComparison(args); err != nil {
		return Signature{}, err
	}
	types := []column.Type{args[0].Type, args[1].Type}
	return Signature{types, types[0].Nullable(true)}, nil
}

func compileNullIf(c *compiler, call *Call) (evaluator, error) {
	same, err := NewCall(Equal, call.Args[0], call.Args[1])
	if err != nil {
		return nil, err
	}
	return compileCase(c, &Call{Func: Case, Args: []Expr{same, &Literal{Of: call.Of}, call.Args[0]}, Of: call.Of})
}

// resolveTypeOf: TYPEOF(x [, force_serializable]) is known before there are rows.
func resolveTypeOf(args []Arg) (Signature, error) {
	sig, err := takes("TYPEOF", "any bool?", mayGive(textType))(args)
	if err == nil && len(args) == 2 && args[1].Literal == nil {
		err = errors.New("the second argument of TYPEOF must be a literal")
	}
	return sig, err
}

func typeOfKernel(s *Site) (Kernel, error) {
	name := s.Type(0).String()
	if s.Type(0).ID == column.Null {
		name = "NULL"
	}
	return func(_ *Eval, _ []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		return fill(out.Str, name)
	}, nil
}
