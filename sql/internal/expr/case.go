package expr

import (
	"fmt"

	"github.com/flottio/flott/column"
)

// Case is CASE WHEN: condition, value, condition, value, ..., else. The binder writes the simple form as comparisons, and NULL where ELSE is
// missing. Coalesce is the first argument that is not NULL.
var (
	Case     = &Func{Name: "CASE", Resolve: resolveCase, Special: compileCase}
	Coalesce = &Func{Name: "COALESCE", Resolve: resolveCoalesce, Special: compileCoalesce}
)

func resolveCase(args []Arg) (Signature, error) {
	if len(args) < 3 || len(args)%2 == 0 {
		return Signature{}, fmt.Errorf("BUG: CASE with %d arguments", len(args))
	}
	var values []column.Type
	for i := 1; i < len(args); i += 2 {
		if t := args[i-1].Type; t.ID != column.Boolean && t.ID != column.Null {
			return Signature{}, fmt.Errorf("expects BOOLEAN after WHEN, got %s", t)
		}
		values = append(values, args[i].Type)
	}
	values = append(values, args[len(args)-1].Type)
	common, ok := CommonType(values)
	if !ok {
		return Signature{}, fmt.Errorf("the values after THEN and ELSE have no common type: %s", typeList(values))
	}
	sig := Signature{Result: common}
	for i := range args {
		if i%2 == 0 && i < len(args)-1 {
			sig.Args = append(sig.Args, column.Of(column.Boolean))
		} else {
			sig.Args = append(sig.Args, common)
		}
	}
	return sig, nil
}

func typeList(types []column.Type) string {
	s := ""
	for i, t := range types {
		if i > 0 {
			s += ", "
		}
		s += t.String()
	}
	return s
}

// caseEvaluator evaluates each value for the rows that reach it only.
type caseEvaluator struct {
	conds, values []evaluator // one value more: ELSE
	of            column.Type
	sub           subset
}

func compileCase(c *compiler, call *Call) (evaluator, error) {
	args, err := c.compileAll(call.Args)
	if err != nil {
		return nil, err
	}
	x := &caseEvaluator{of: call.Of}
	for i := 0; i+1 < len(args); i += 2 {
		x.conds, x.values = append(x.conds, args[i]), append(x.values, args[i+1])
	}
	x.values = append(x.values, args[len(args)-1])
	return x, nil
}

func (c *caseEvaluator) eval(e *Eval, in *column.Batch) (*column.Vector, bool, error) {
	open := make([]int32, in.N) // rows without a value yet
	for i := range open {
		open[i] = int32(i)
	}
	parts := column.New(c.of) // values in the order in which rows were decided
	order := make([]int32, in.N)
	done := 0
	take := func(rows []int32, value evaluator) error {
		c.sub.rows = rows
		v, own, err := c.sub.eval(e, in, value)
		if err != nil || v == nil {
			return err
		}
		if v.Store == column.None {
			parts.Nulls(len(rows))
		} else {
			v.Slice(parts, 0, len(rows))
		}
		if own {
			v.Release()
		}
		for _, r := range rows {
			order[r] = int32(done)
			done++
		}
		return nil
	}
	for i, cond := range c.conds {
		if len(open) == 0 {
			break
		}
		c.sub.rows = open
		v, own, err := c.sub.eval(e, in, cond)
		if err != nil {
			return nil, false, err
		}
		var hit, rest []int32
		for j, r := range open {
			if v.Store != column.None && v.Bool[j] {
				hit = append(hit, r)
			} else {
				rest = append(rest, r)
			}
		}
		if own {
			v.Release()
		}
		if err := take(hit, c.values[i]); err != nil {
			return nil, false, err
		}
		open = rest
	}
	if err := take(open, c.values[len(c.values)-1]); err != nil {
		return nil, false, err
	}
	out := column.New(c.of)
	parts.Gather(out, order)
	parts.Release()
	return out, true, nil
}

func resolveCoalesce(args []Arg) (Signature, error) {
	if len(args) == 0 {
		return Signature{}, fmt.Errorf("takes at least 1 argument")
	}
	types := make([]column.Type, len(args))
	known := false
	for i, a := range args {
		types[i] = a.Type
		known = known || a.Type.NotNull
	}
	common, ok := CommonType(types)
	if !ok {
		return Signature{}, fmt.Errorf("the arguments have no common type: %s", typeList(types))
	}
	sig := Signature{Result: common.Nullable(!known)}
	for range args {
		sig.Args = append(sig.Args, common)
	}
	return sig, nil
}

// compileCoalesce writes it as CASE WHEN a IS NOT NULL THEN a WHEN b IS NOT NULL ... ELSE last.
func compileCoalesce(c *compiler, call *Call) (evaluator, error) {
	if len(call.Args) == 1 {
		return c.compile(call.Args[0])
	}
	var args []Expr
	for _, a := range call.Args[:len(call.Args)-1] {
		test := &Call{Func: IsNotNull, Args: []Expr{a}, Of: column.Of(column.Boolean).Nullable(false)}
		args = append(args, test, a)
	}
	args = append(args, call.Args[len(call.Args)-1])
	return compileCase(c, &Call{Func: Case, Args: args, Of: call.Of})
}
