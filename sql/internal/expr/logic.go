package expr

import (
	"fmt"

	"github.com/flottio/flott/column"
)

var logicFuncs = []*Func{And, Or, Not, IsNull, IsNotNull, IsTrue, IsNotTrue, IsFalse, IsNotFalse, Case, Coalesce}

// The logical operators. AND and OR take two or more arguments.
var (
	And        = &Func{Name: "AND", Resolve: booleans(2, true), Special: compileConnective(false)}
	Or         = &Func{Name: "OR", Resolve: booleans(2, true), Special: compileConnective(true)}
	Not        = &Func{Name: "NOT", Resolve: booleans(1, false), Strict: true, Kernel: fixed(not)}
	IsNull     = &Func{Name: "IS NULL", Resolve: anyToBoolean, Kernel: fixed(nullTest(true))}
	IsNotNull  = &Func{Name: "IS NOT NULL", Resolve: anyToBoolean, Kernel: fixed(nullTest(false))}
	IsTrue     = truthTest("IS TRUE", true, false)
	IsNotTrue  = truthTest("IS NOT TRUE", false, true)
	IsFalse    = falseTest("IS FALSE", true, false)
	IsNotFalse = falseTest("IS NOT FALSE", false, true)
)

func not(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
	out.Resize(n)
	for i, b := range args[0].Bool[:n] {
		out.Bool[i] = !b
	}
	return nil
}

// fixed is the Kernel of a function that has one loop for all sites.
func fixed(k Kernel) func(*Site) (Kernel, error) {
	return func(*Site) (Kernel, error) { return k, nil }
}

// anyNullable reports whether a value of one of the arguments may be NULL.
func anyNullable(args []Arg) bool {
	for _, a := range args {
		if !a.Type.NotNull {
			return true
		}
	}
	return false
}

func booleans(least int, more bool) func([]Arg) (Signature, error) {
	return func(args []Arg) (Signature, error) {
		if len(args) < least || !more && len(args) > least {
			return Signature{}, fmt.Errorf("takes %d arguments, got %d", least, len(args))
		}
		sig := Signature{Result: column.Of(column.Boolean).Nullable(anyNullable(args))}
		for _, a := range args {
			if a.Type.ID != column.Boolean && a.Type.ID != column.Null {
				return Signature{}, fmt.Errorf("expects BOOLEAN, got %s", a.Type)
			}
			sig.Args = append(sig.Args, column.Of(column.Boolean))
		}
		return sig, nil
	}
}

func anyToBoolean(args []Arg) (Signature, error) {
	if len(args) != 1 {
		return Signature{}, fmt.Errorf("takes 1 argument, got %d", len(args))
	}
	return Signature{[]column.Type{args[0].Type}, column.Of(column.Boolean).Nullable(false)}, nil
}

func nullTest(want bool) Kernel {
	return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		v := args[0]
		for i := range out.Bool {
			out.Bool[i] = v.IsNull(i) == want
		}
		return nil
	}
}

// truthTest compares with TRUE: a NULL counts as ifNot.
func truthTest(name string, ifTrue, ifNot bool) *Func {
	return &Func{Name: name, Resolve: booleansToKnown, Kernel: fixed(func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		if args[0].Store == column.None {
			return fill(out.Bool, ifNot)
		}
		for i, b := range args[0].Bool[:n] { // NULL is false underneath
			out.Bool[i] = b == ifTrue
		}
		return nil
	})}
}

func falseTest(name string, ifFalse, ifNot bool) *Func {
	return &Func{Name: name, Resolve: booleansToKnown, Kernel: fixed(func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		if args[0].Store == column.None {
			return fill(out.Bool, ifNot)
		}
		for i, b := range args[0].Bool[:n] {
			isFalse := !b && !args[0].IsNull(i)
			out.Bool[i] = isFalse == ifFalse
		}
		return nil
	})}
}

func booleansToKnown(args []Arg) (Signature, error) {
	sig, err := booleans(1, false)(args)
	sig.Result.NotNull = true
	return sig, err
}

func fill[E any](s []E, x E) error {
	for i := range s {
		s[i] = x
	}
	return nil
}

// connective is AND (or = false) and OR (or = true) by Kleene: a side that decides makes NULL of the other side irrelevant. Arguments that can
// fail are evaluated only for rows that the ones before have not decided.
type connective struct {
	or   bool
	args []evaluator
	lazy []bool
	of   column.Type
	sub  subset
}

func compileConnective(or bool) func(*compiler, *Call) (evaluator, error) {
	return func(c *compiler, call *Call) (evaluator, error) {
		args, err := c.compileAll(call.Args)
		if err != nil {
			return nil, err
		}
		x := &connective{or: or, args: args, lazy: make([]bool, len(args)), of: call.Of}
		for i := 1; i < len(args); i++ {
			x.lazy[i] = canFail(call.Args[i])
		}
		return x, nil
	}
}

// canFail reports whether evaluating e may return an error for some value.
func canFail(e Expr) bool {
	fails := false
	Walk(e, func(e Expr) bool {
		switch e := e.(type) {
		case *Call:
			fails = fails || e.Func.Fails
		case *Cast:
			fails = fails || !e.Try && castFails(e.Arg.Type(), e.Of)
		}
		return !fails
	})
	return fails
}

func (c *connective) eval(e *Eval, in *column.Batch) (*column.Vector, bool, error) {
	out := column.New(c.of)
	first, own, err := c.args[0].eval(e, in)
	if err != nil {
		return nil, false, err
	}
	if first.Store == column.None {
		out.Nulls(in.N)
	} else {
		first.Slice(out, 0, in.N)
	}
	if own {
		first.Release()
	}
	for i, a := range c.args[1:] {
		if c.lazy[i+1] {
			err = c.combineLazily(e, in, a, out)
		} else {
			err = c.combine(e, in, a, out)
		}
		if err != nil {
			out.Release()
			return nil, false, err
		}
	}
	return out, true, nil
}

func (c *connective) combine(e *Eval, in *column.Batch, a evaluator, out *column.Vector) error {
	v, own, err := a.eval(e, in)
	if err != nil {
		return err
	}
	if v.Valid == nil && out.Valid == nil && v.Store != column.None {
		right := v.Bool[:in.N]
		if c.or {
			for i, b := range out.Bool {
				out.Bool[i] = b || right[i]
			}
		} else {
			for i, b := range out.Bool {
				out.Bool[i] = b && right[i]
			}
		}
	} else {
		for i := range in.N {
			c.decide(out, i, v, i)
		}
	}
	if own {
		v.Release()
	}
	return nil
}

// decide puts (out[i] op v[j]) into out[i].
func (c *connective) decide(out *column.Vector, i int, v *column.Vector, j int) {
	leftNull, rightNull := out.IsNull(i), v.IsNull(j)
	right := !rightNull && v.Bool[j]
	switch {
	case !leftNull && out.Bool[i] == c.or: // decided
	case !rightNull && right == c.or:
		if leftNull {
			out.Valid.Set(i)
		}
		out.Bool[i] = c.or
	case leftNull:
	case rightNull:
		out.SetNull(i)
	}
}

func (c *connective) combineLazily(e *Eval, in *column.Batch, a evaluator, out *column.Vector) error {
	c.sub.rows = c.sub.rows[:0]
	for i := range in.N {
		if out.IsNull(i) || out.Bool[i] != c.or {
			c.sub.rows = append(c.sub.rows, int32(i))
		}
	}
	v, own, err := c.sub.eval(e, in, a)
	if err != nil || v == nil {
		return err
	}
	for j, i := range c.sub.rows {
		c.decide(out, int(i), v, j)
	}
	if own {
		v.Release()
	}
	return nil
}

// subset evaluates an expression for some rows of a batch.
type subset struct{ rows []int32 }

// eval returns a vector with a value for each of the rows, in their order; nil if there are none.
func (s *subset) eval(e *Eval, in *column.Batch, a evaluator) (*column.Vector, bool, error) {
	switch len(s.rows) {
	case 0:
		return nil, false, nil
	case in.N:
		return a.eval(e, in)
	}
	part := column.NewBatch(in.Types())
	in.Gather(&part, s.rows)
	v, own, err := a.eval(e, &part)
	if err != nil {
		return nil, false, err
	}
	if !own { // it may be a column of part
		v = v.Clone()
	}
	part.Release()
	return v, true, nil
}
