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
	or    bool
	first evaluator
	rest  []evaluator // nil where lazy has one
	lazy  []*subset
	of    column.Type
	rows  []int32
}

func compileConnective(or bool) func(*compiler, *Call) (evaluator, error) {
	return func(c *compiler, call *Call) (evaluator, error) {
		args := flatten(call, nil)
		first, err := c.compile(args[0])
		if err != nil {
			return nil, err
		}
		n := len(args) - 1
		x := &connective{or: or, first: first, rest: make([]evaluator, n), lazy: make([]*subset, n), of: call.Of}
		for i, a := range args[1:] {
			if canFail(a) {
				x.lazy[i], err = c.subset(a)
			} else {
				x.rest[i], err = c.compile(a)
			}
			if err != nil {
				return nil, err
			}
		}
		return x, nil
	}
}

// flatten lists the arguments of nested calls of one connective.
func flatten(call *Call, args []Expr) []Expr {
	for _, a := range call.Args {
		if inner, ok := a.(*Call); ok && inner.Func == call.Func {
			args = flatten(inner, args)
		} else {
			args = append(args, a)
		}
	}
	return args
}

// canFail reports whether evaluating e may return an error for some value.
func canFail(e Expr) bool {
	fails := false
	Walk(e, func(e Expr) bool {
		switch e := e.(type) {
		case *Call:
			fails = fails || e.Func.Fails && (e.Func.Safe == nil || !e.Func.Safe(e.Args))
		case *Cast:
			fails = fails || !e.Try && castFails(e.Arg.Type(), e.Of)
		}
		return !fails
	})
	return fails
}

func (c *connective) eval(e *Eval, in *column.Batch) (*column.Vector, bool, error) {
	out := column.New(c.of)
	first, own, err := c.first.eval(e, in)
	if err != nil {
		return nil, false, err
	}
	appendRows(out, first, in.N)
	if own {
		first.Release()
	}
	for i, a := range c.rest {
		if a == nil {
			err = c.combineLazily(e, in, c.lazy[i], out)
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
	if v.Store != column.None && v.Valid == nil && out.Valid == nil {
		if c.or {
			orBools(out.Bool[:in.N], v.Bool[:in.N])
		} else {
			andBools(out.Bool[:in.N], v.Bool[:in.N])
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

func (c *connective) combineLazily(e *Eval, in *column.Batch, a *subset, out *column.Vector) error {
	c.rows = c.rows[:0]
	for i := range in.N {
		if out.IsNull(i) || out.Bool[i] != c.or {
			c.rows = append(c.rows, int32(i))
		}
	}
	v, own, err := a.run(e, in, c.rows, false)
	if err != nil || v == nil {
		return err
	}
	for j, i := range c.rows {
		c.decide(out, int(i), v, j)
	}
	if own {
		v.Release()
	}
	return nil
}

// subset evaluates an expression for some rows of a batch.
type subset struct {
	inner evaluator
	cols  []int
	part  column.Batch // the columns that the expression reads, for the rows; nil for others
	fails bool
}

func (c *compiler) subset(e Expr) (*subset, error) {
	inner, err := c.scope().compile(e)
	return &subset{inner: inner, cols: Columns(e), fails: canFail(e)}, err
}

// run returns a vector with a value for each of the rows, in their order, or for every row of the batch; nil if there are no rows. One that is
// not the caller's own is good until the next run.
func (s *subset) run(e *Eval, in *column.Batch, rows []int32, all bool) (v *column.Vector, own bool, err error) {
	switch {
	case all || len(rows) == in.N:
		return s.inner.eval(e, in)
	case len(rows) == 0:
		return nil, false, nil
	}
	if len(s.part.Cols) != len(in.Cols) {
		s.part.Cols = make([]*column.Vector, len(in.Cols))
	}
	for _, i := range s.cols {
		if p := s.part.Cols[i]; p == nil || p.Store != in.Cols[i].Store {
			s.part.Cols[i] = column.New(in.Cols[i].Type)
		}
		s.part.Cols[i].Reset()
		in.Cols[i].Gather(s.part.Cols[i], rows)
	}
	s.part.N = len(rows)
	return s.inner.eval(e, &s.part)
}
