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
	conds, values []*subset // one value more: ELSE
	of            column.Type

	open, hit, order []int32
}

// eagerWeight is how many nodes a CASE may have for all its parts to be evaluated for all rows, which is faster for small ones.
const eagerWeight = 24

func compileCase(c *compiler, call *Call) (evaluator, error) {
	if isEager(call) {
		return compileEagerCase(c, call)
	}
	x := &caseEvaluator{of: call.Of}
	for i, a := range call.Args {
		s, err := c.subset(a)
		if err != nil {
			return nil, err
		}
		if i%2 == 0 && i < len(call.Args)-1 {
			x.conds = append(x.conds, s)
		} else {
			x.values = append(x.values, s)
		}
	}
	return x, nil
}

func isEager(call *Call) bool {
	weight := 0
	for _, a := range call.Args {
		Walk(a, func(Expr) bool { weight++; return true })
	}
	store := call.Of.Storage()
	return weight <= eagerWeight && !canFail(call) && !isVolatile(call) && store != column.None && store < column.Lists
}

func (c *caseEvaluator) eval(e *Eval, in *column.Batch) (*column.Vector, bool, error) {
	open := c.open[:0] // rows without a value yet
	for i := range in.N {
		open = append(open, int32(i))
	}
	c.open = open
	if cap(c.order) < in.N {
		c.order = make([]int32, max(in.N, column.BatchRows))
	}
	c.order = c.order[:in.N]
	parts := column.New(c.of) // values in the order in which rows were decided
	defer parts.Release()
	for i, cond := range c.conds {
		v, own, err := cond.run(e, in, open, false)
		if err != nil {
			return nil, false, err
		}
		c.hit = c.hit[:0]
		rest := open[:0]
		for j, r := range open {
			if v.Store != column.None && v.Bool[j] {
				c.hit = append(c.hit, r)
			} else {
				rest = append(rest, r)
			}
		}
		open = rest
		if own {
			v.Release()
		}
		if err := c.take(e, in, c.hit, c.values[i], parts); err != nil {
			return nil, false, err
		}
	}
	if err := c.take(e, in, open, c.values[len(c.values)-1], parts); err != nil {
		return nil, false, err
	}
	out := column.New(c.of)
	parts.Gather(out, c.order)
	return out, true, nil
}

func (c *caseEvaluator) take(e *Eval, in *column.Batch, rows []int32, value *subset, parts *column.Vector) error {
	v, own, err := value.run(e, in, rows, false)
	if err != nil || v == nil {
		return err
	}
	for j, r := range rows {
		c.order[r] = int32(parts.Len + j)
	}
	appendRows(parts, v, len(rows))
	if own {
		v.Release()
	}
	return nil
}

// eagerCase evaluates everything for all rows and picks.
type eagerCase struct {
	conds, values []evaluator
	of            column.Type

	pick []uint8 // which value a row takes
	vecs []*column.Vector
	own  []bool
}

func compileEagerCase(c *compiler, call *Call) (evaluator, error) {
	args, err := c.compileAll(call.Args)
	x := &eagerCase{of: call.Of}
	for i, a := range args {
		if i%2 == 0 && i < len(args)-1 {
			x.conds = append(x.conds, a)
		} else {
			x.values = append(x.values, a)
		}
	}
	return x, err
}

func (c *eagerCase) eval(e *Eval, in *column.Batch) (*column.Vector, bool, error) {
	if cap(c.pick) < in.N {
		c.pick = make([]uint8, max(in.N, column.BatchRows))
	}
	c.pick = c.pick[:in.N]
	for i := range c.pick {
		c.pick[i] = uint8(len(c.conds))
	}
	for k := len(c.conds) - 1; k >= 0; k-- {
		v, own, err := c.conds[k].eval(e, in)
		if err != nil {
			return nil, false, err
		}
		if v.Store != column.None {
			for i, b := range v.Bool[:in.N] {
				if b { // NULL is false underneath
					c.pick[i] = uint8(k)
				}
			}
		}
		if own {
			v.Release()
		}
	}
	c.vecs, c.own = c.vecs[:0], c.own[:0]
	for _, a := range c.values {
		v, own, err := a.eval(e, in)
		if err != nil {
			return nil, false, err
		}
		c.vecs, c.own = append(c.vecs, v), append(c.own, own)
	}
	out := column.New(c.of)
	out.Resize(in.N)
	c.fill(out)
	for i, v := range c.vecs {
		if c.own[i] {
			v.Release()
		}
	}
	return out, true, nil
}

func (c *eagerCase) fill(out *column.Vector) {
	nulls := false
	for k, v := range c.vecs {
		nulls = nulls || v.Valid != nil || v.Store == column.None
		if v.Store == column.None {
			continue
		}
		at := uint8(k)
		switch out.Store {
		case column.Bools:
			pickValues(out.Bool, v.Bool, c.pick, at)
		case column.Int8s:
			pickValues(out.I8, v.I8, c.pick, at)
		case column.Int16s:
			pickValues(out.I16, v.I16, c.pick, at)
		case column.Int32s:
			pickValues(out.I32, v.I32, c.pick, at)
		case column.Int64s:
			pickValues(out.I64, v.I64, c.pick, at)
		case column.Float32s:
			pickValues(out.F32, v.F32, c.pick, at)
		case column.Float64s:
			pickValues(out.F64, v.F64, c.pick, at)
		case column.Int128s:
			pickValues(out.I128, v.I128, c.pick, at)
		case column.Strings:
			pickValues(out.Str, v.Str, c.pick, at)
		}
	}
	if nulls {
		for i, k := range c.pick {
			if c.vecs[k].IsNull(i) {
				out.SetNull(i)
			}
		}
	}
}

// pickValues takes the values of the rows that picked this source.
func pickValues[E any](out, from []E, pick []uint8, at uint8) {
	out, from = out[:len(pick)], from[:len(pick)]
	for i, k := range pick {
		if k == at {
			out[i] = from[i]
		}
	}
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

// coalesce evaluates each argument for the rows that have no value yet.
type coalesce struct {
	first evaluator
	rest  []*subset
	of    column.Type

	rows, order []int32
}

func compileCoalesce(c *compiler, call *Call) (evaluator, error) {
	first, err := c.compile(call.Args[0])
	if err != nil || len(call.Args) == 1 {
		return first, err
	}
	x := &coalesce{first: first, of: call.Of}
	for _, a := range call.Args[1:] {
		s, err := c.subset(a)
		if err != nil {
			return nil, err
		}
		x.rest = append(x.rest, s)
	}
	return x, nil
}

func (c *coalesce) eval(e *Eval, in *column.Batch) (*column.Vector, bool, error) {
	first, own, err := c.first.eval(e, in)
	if err != nil || first.Store != column.None && first.Valid == nil {
		return first, own, err
	}
	c.rows, c.order = c.rows[:0], c.order[:0]
	for i := range in.N {
		c.order = append(c.order, int32(i))
		if first.IsNull(i) {
			c.rows = append(c.rows, int32(i))
		}
	}
	parts := column.New(c.of)
	defer parts.Release()
	appendRows(parts, first, in.N)
	if own {
		first.Release()
	}
	for _, a := range c.rest {
		v, own, err := a.run(e, in, c.rows, false)
		if err != nil {
			return nil, false, err
		}
		if v == nil {
			break
		}
		left := c.rows[:0]
		for j, r := range c.rows {
			c.order[r] = int32(parts.Len + j)
			if v.IsNull(j) {
				left = append(left, r)
			}
		}
		appendRows(parts, v, len(c.rows))
		c.rows = left
		if own {
			v.Release()
		}
	}
	out := column.New(c.of)
	parts.Gather(out, c.order)
	return out, true, nil
}
