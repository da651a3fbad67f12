package expr

import (
	"fmt"

	"github.com/flottio/flott/column"
)

// evaluator computes one expression for all rows of a batch. The vector has at least in.N values. own says that the caller may change it and
// must release it; otherwise it is for reading until the next batch.
type evaluator interface {
	eval(e *Eval, in *column.Batch) (v *column.Vector, own bool, err error)
}

// Program is compiled expressions over one input. It is used by one goroutine.
type Program struct {
	roots []evaluator
	exprs []Expr
}

type compiler struct{ env *Env }

func newCompiler(env *Env) *compiler {
	if env == nil {
		env = &Env{}
	}
	return &compiler{env}
}

// Compile makes a program. All constant parts are computed here.
func Compile(env *Env, exprs ...Expr) (*Program, error) {
	c := newCompiler(env)
	p := &Program{exprs: exprs}
	for _, e := range exprs {
		r, err := c.compile(e)
		if err != nil {
			return nil, err
		}
		p.roots = append(p.roots, r)
	}
	return p, nil
}

// Eval computes expression i for the batch. The vector is in.N long and belongs to the caller, unless it is a column of the input:
// then it is shared with it.
func (p *Program) Eval(e *Eval, in *column.Batch, i int) (*column.Vector, error) {
	v, own, err := p.roots[i].eval(e, in)
	if err != nil {
		return nil, fmt.Errorf("evaluating %s: %w", p.exprs[i], err)
	}
	if own && v.Len == in.N {
		return v, nil
	}
	if _, isColumn := p.exprs[i].(*Column); isColumn {
		return v.Share(), nil
	}
	out := column.New(v.Type)
	v.Slice(out, 0, in.N)
	if own {
		v.Release()
	}
	return out, nil
}

// Select appends to sel the rows for which expression i is true, in order.
func (p *Program) Select(e *Eval, in *column.Batch, i int, sel []int32) ([]int32, error) {
	v, own, err := p.roots[i].eval(e, in)
	if err != nil {
		return nil, fmt.Errorf("evaluating %s: %w", p.exprs[i], err)
	}
	from := len(sel)
	if cap(sel)-from < in.N {
		sel = append(make([]int32, 0, from+in.N), sel...)
	}
	sel = sel[:from+in.N]
	k := from
	for r, b := range v.Bool[:in.N] {
		sel[k] = int32(r)
		if b { // NULL is false underneath
			k++
		}
	}
	if own {
		v.Release()
	}
	return sel[:k], nil
}

func (c *compiler) compile(e Expr) (evaluator, error) {
	switch e := e.(type) {
	case *Column:
		return columnEvaluator(e.Index), nil
	case *Literal:
		return newConstant(e), nil
	case *Cast:
		return c.compileCast(e)
	case *Call:
		if e.Func.Special != nil {
			return e.Func.Special(c, e)
		}
		return c.compileCall(e)
	}
	return nil, fmt.Errorf("BUG: expr: cannot compile a %T", e)
}

func (c *compiler) compileCast(e *Cast) (evaluator, error) {
	k, fails, err := castKernel(&Site{Args: []Expr{e.Arg}, Result: e.Of, Env: c.env}, e.Try)
	if err != nil {
		return nil, err
	}
	return c.finish(e, k, true, fails, e.Arg)
}

func (c *compiler) compileCall(e *Call) (evaluator, error) {
	k, err := e.Func.Kernel(&Site{Args: e.Args, Result: e.Of, Env: c.env})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.Func.Name, err)
	}
	if e.Func.Volatility != Immutable {
		args, err := c.compileAll(e.Args)
		return &call{args: args, kernel: k, strict: e.Func.Strict, of: e.Of}, err
	}
	return c.finish(e, k, e.Func.Strict, e.Func.Fails, e.Args...)
}

func (c *compiler) compileAll(exprs []Expr) ([]evaluator, error) {
	out := make([]evaluator, len(exprs))
	for i, a := range exprs {
		var err error
		if out[i], err = c.compile(a); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// finish makes the evaluator of a call, or its value at once if all arguments are constant. A constant that fails is left to fail at run
// time, for the rows that need it.
func (c *compiler) finish(e Expr, k Kernel, strict, fails bool, exprs ...Expr) (evaluator, error) {
	args, err := c.compileAll(exprs)
	if err != nil {
		return nil, err
	}
	ev := &call{args: args, kernel: k, strict: strict, of: e.Type()}
	if len(args) == 0 {
		return ev, nil
	}
	for _, a := range args {
		if _, ok := a.(*constant); !ok {
			return ev, nil
		}
	}
	v, _, err := ev.eval(&Eval{Env: c.env}, &column.Batch{N: 1})
	if err != nil {
		if fails {
			return ev, nil
		}
		return nil, err
	}
	return newConstant(&Literal{Value: column.CloneValue(v.At(0)), Of: e.Type()}), nil
}

type columnEvaluator int

func (c columnEvaluator) eval(_ *Eval, in *column.Batch) (*column.Vector, bool, error) {
	return in.Cols[c], false, nil
}

// constant is a literal repeated for as many rows as any batch has had.
type constant struct {
	value any
	vec   *column.Vector
}

func newConstant(l *Literal) *constant {
	return &constant{value: l.Value, vec: column.New(l.Of).Share()}
}

func (c *constant) eval(_ *Eval, in *column.Batch) (*column.Vector, bool, error) {
	for c.vec.Len < in.N {
		c.vec.Append(c.value)
	}
	return c.vec, false, nil
}

// call evaluates its arguments and runs a kernel over them.
type call struct {
	args   []evaluator
	kernel Kernel
	strict bool
	of     column.Type

	vecs []*column.Vector
	own  []bool
}

func (c *call) eval(e *Eval, in *column.Batch) (*column.Vector, bool, error) {
	c.vecs, c.own = c.vecs[:0], c.own[:0]
	for _, a := range c.args {
		v, own, err := a.eval(e, in)
		if err != nil {
			return nil, false, err
		}
		c.vecs, c.own = append(c.vecs, v), append(c.own, own)
	}
	out := column.New(c.of)
	var valid column.Bits
	if c.strict {
		for _, v := range c.vecs {
			switch {
			case v.Store == column.None:
				out.Nulls(in.N)
				c.releaseArgs()
				return out, true, nil
			case v.Valid != nil:
				valid = column.And(nil, valid, v.Valid, in.N)
			}
		}
	}
	e.Valid = valid
	err := c.kernel(e, c.vecs, in.N, out)
	c.releaseArgs()
	if err != nil {
		out.Release()
		return nil, false, err
	}
	if valid != nil {
		out.Restrict(valid)
	}
	return out, true, nil
}

func (c *call) releaseArgs() {
	for i, v := range c.vecs {
		if c.own[i] {
			v.Release()
		}
	}
}
