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
	// filters are the conjuncts of roots that are ANDs, for Select; nil for others.
	filters [][]*subset
	clock   *uint64
	sel     []int32
}

// compiler compiles the expressions of one program. Equal sub-expressions of one scope are computed once per batch; what is evaluated for some
// rows only has a scope of its own.
type compiler struct {
	env    *Env
	clock  *uint64 // counts the batches
	times  map[string]int
	shared map[string]*shared
}

func newCompiler(env *Env) *compiler {
	if env == nil {
		env = &Env{}
	}
	return &compiler{env: env, clock: new(uint64)}
}

// Compile makes a program. All constant parts are computed here.
func Compile(env *Env, exprs ...Expr) (*Program, error) {
	c := newCompiler(env)
	c.countTimes(exprs)
	p := &Program{exprs: exprs, clock: c.clock, filters: make([][]*subset, len(exprs))}
	for i, e := range exprs {
		r, err := c.compile(e)
		if err != nil {
			return nil, err
		}
		p.roots = append(p.roots, r)
		if _, ok := r.(*connective); ok && e.(*Call).Func == And {
			for _, part := range Conjuncts(e) {
				s, err := c.subset(part)
				if err != nil {
					return nil, err
				}
				p.filters[i] = append(p.filters[i], s)
			}
		}
	}
	return p, nil
}

// Eval computes expression i for the batch. The vector is in.N long and belongs to the caller, unless it is a column of the input:
// then it is shared with it.
func (p *Program) Eval(e *Eval, in *column.Batch, i int) (*column.Vector, error) {
	*p.clock++
	return p.eval(e, in, i)
}

// EvalAll computes all expressions but those that are just a column, into out, which has a place for each. What they have in common is
// computed once.
func (p *Program) EvalAll(e *Eval, in *column.Batch, out []*column.Vector) error {
	*p.clock++
	for i, x := range p.exprs {
		if _, isColumn := x.(*Column); isColumn {
			continue
		}
		var err error
		if out[i], err = p.eval(e, in, i); err != nil {
			return err
		}
	}
	return nil
}

func (p *Program) eval(e *Eval, in *column.Batch, i int) (*column.Vector, error) {
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
	appendRows(out, v, in.N)
	if own {
		v.Release()
	}
	return out, nil
}

// Select appends to sel the rows for which expression i is true, in order. Of several conjuncts each one is evaluated for the rows that
// are left, when these are few or it can fail.
func (p *Program) Select(e *Eval, in *column.Batch, i int, sel []int32) ([]int32, error) {
	*p.clock++
	if p.filters[i] == nil {
		v, own, err := p.roots[i].eval(e, in)
		if err != nil {
			return nil, fmt.Errorf("evaluating %s: %w", p.exprs[i], err)
		}
		sel = appendTrue(sel, v, in.N)
		if own {
			v.Release()
		}
		return sel, nil
	}
	from := len(sel)
	for k, f := range p.filters[i] {
		left := sel[from:]
		few := k > 0 && (f.fails || len(left) <= in.N/narrowFraction)
		var rows []int32
		if few {
			rows = left
		}
		v, own, err := f.run(e, in, rows, !few)
		if err != nil {
			return nil, fmt.Errorf("evaluating %s: %w", p.exprs[i], err)
		}
		switch {
		case v == nil: // no rows are left
			return sel[:from], nil
		case k == 0:
			sel = appendTrue(sel, v, in.N)
		case few:
			sel = sel[:from+keepTrue(left, v)]
		default:
			sel = sel[:from+keepTrueAt(left, v)]
		}
		if own {
			v.Release()
		}
	}
	return sel, nil
}

// narrowFraction: gathering the columns of an expression for a part of the rows pays where the part is at most one in so many.
const narrowFraction = 4

// appendTrue appends the rows that are true.
func appendTrue(sel []int32, v *column.Vector, n int) []int32 {
	from := len(sel)
	if v.Store == column.None {
		return sel
	}
	if cap(sel)-from < n {
		sel = append(make([]int32, 0, from+n), sel...)
	}
	sel = sel[:from+n]
	k := from
	for r, b := range boolBytes(v.Bool[:n]) { // NULL is false underneath
		sel[k] = int32(r)
		k += int(b)
	}
	return sel[:k]
}

// keepTrue keeps the rows whose value, in the same place, is true; keepTrueAt those whose value in the batch is. They return how many.
func keepTrue(rows []int32, v *column.Vector) int {
	k := 0
	if v.Store == column.None {
		return 0
	}
	for j, b := range boolBytes(v.Bool[:len(rows)]) {
		rows[k] = rows[j]
		k += int(b)
	}
	return k
}

func keepTrueAt(rows []int32, v *column.Vector) int {
	k := 0
	if v.Store == column.None {
		return 0
	}
	keep := boolBytes(v.Bool)
	for _, r := range rows {
		rows[k] = r
		k += int(keep[r])
	}
	return k
}

// countTimes counts how often each computed sub-expression occurs.
func (c *compiler) countTimes(exprs []Expr) {
	c.times, c.shared = map[string]int{}, map[string]*shared{}
	for _, e := range exprs {
		Walk(e, func(e Expr) bool {
			switch e.(type) {
			case *Call, *Cast:
				c.times[e.String()]++
			}
			return true
		})
	}
}

// scope returns a compiler for expressions that are evaluated apart from the others.
func (c *compiler) scope() *compiler {
	inner := *c
	if c.shared != nil {
		inner.shared = map[string]*shared{}
	}
	return &inner
}

func (c *compiler) compile(e Expr) (evaluator, error) {
	if c.times == nil {
		return c.compileOne(e)
	}
	switch e.(type) {
	case *Call, *Cast:
	default:
		return c.compileOne(e)
	}
	key := e.String()
	if c.times[key] < 2 || isVolatile(e) {
		return c.compileOne(e)
	}
	if s := c.shared[key]; s != nil {
		return s, nil
	}
	ev, err := c.compileOne(e)
	if _, isConstant := ev.(*constant); err != nil || isConstant {
		return ev, err
	}
	s := &shared{inner: ev, clock: c.clock}
	c.shared[key] = s
	return s, nil
}

func isVolatile(e Expr) bool {
	volatile := false
	Walk(e, func(e Expr) bool {
		if c, ok := e.(*Call); ok && c.Func.Volatility == Volatile {
			volatile = true
		}
		return !volatile
	})
	return volatile
}

// shared keeps the value of an expression that occurs several times for the rest of the batch.
type shared struct {
	inner evaluator
	clock *uint64
	at    uint64
	vec   *column.Vector
	own   bool
}

func (s *shared) eval(e *Eval, in *column.Batch) (*column.Vector, bool, error) {
	if s.at == *s.clock && s.vec != nil {
		return s.vec, false, nil
	}
	if s.own {
		s.vec.Release()
	}
	var err error
	s.vec, s.own, err = s.inner.eval(e, in)
	s.at = *s.clock
	if err != nil {
		s.vec, s.own = nil, false
	}
	return s.vec, false, err
}

func (c *compiler) compileOne(e Expr) (evaluator, error) {
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

	vecs  []*column.Vector
	own   []bool
	valid column.Bits // memory
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
			case v.Valid != nil && valid == nil:
				valid = v.Valid
			case v.Valid != nil:
				c.valid = column.And(c.valid, valid, v.Valid, in.N)
				valid = c.valid
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
