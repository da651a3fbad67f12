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
		common, ok = promoteToText(values)
	}
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

// promoteToText is STRING for texts among values of other types that are not nested, as Flink has it in CASE.
func promoteToText(types []column.Type) (column.Type, bool) {
	t := column.StringType().Nullable(false)
	text := false
	for _, u := range types {
		if u.ID > column.IntervalMillis || u.IsBinary() {
			return t, false
		}
		text = text || u.IsText()
		t.NotNull = t.NotNull && u.NotNull
	}
	return t, text
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
			for i, b := range boolBytes(v.Bool[:in.N]) { // NULL is false underneath
				c.pick[i] = c.pick[i]&^-b | uint8(k)&-b
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
		nulls = nulls || v.Valid != nil
		if v.Store == column.None { // read as what the others are
			nulls = true
			c.vecs[k] = c.noValues(len(c.pick))
		}
	}
	switch out.Store {
	case column.Bools:
		c.fillBools(out.Bool)
	case column.Int8s:
		pickValues(out.I8, c.vecs, c.pick, func(v *column.Vector) []int8 { return v.I8 })
	case column.Int16s:
		pickValues(out.I16, c.vecs, c.pick, func(v *column.Vector) []int16 { return v.I16 })
	case column.Int32s:
		pickValues(out.I32, c.vecs, c.pick, func(v *column.Vector) []int32 { return v.I32 })
	case column.Int64s:
		pickValues(out.I64, c.vecs, c.pick, func(v *column.Vector) []int64 { return v.I64 })
	case column.Float32s:
		pickValues(out.F32, c.vecs, c.pick, func(v *column.Vector) []float32 { return v.F32 })
	case column.Float64s:
		pickValues(out.F64, c.vecs, c.pick, func(v *column.Vector) []float64 { return v.F64 })
	case column.Int128s:
		pickValues(out.I128, c.vecs, c.pick, func(v *column.Vector) []column.Int128 { return v.I128 })
	case column.Strings:
		pickValues(out.Str, c.vecs, c.pick, func(v *column.Vector) []string { return v.Str })
	}
	if nulls {
		for i, k := range c.pick {
			if c.vecs[k].IsNull(i) {
				out.SetNull(i)
			}
		}
	}
}

// noValues is n NULLs of the result's type.
func (c *eagerCase) noValues(n int) *column.Vector {
	v := column.New(c.of)
	v.Nulls(n)
	return v
}

func (c *eagerCase) fillBools(out []bool) {
	for i, k := range c.pick {
		out[i] = c.vecs[k].Bool[i]
	}
}

// maxPicked is how many values an eager CASE may have.
const maxPicked = eagerWeight/2 + 1

// pickValues takes each row's value from the vector it picked.
func pickValues[E any](out []E, vecs []*column.Vector, pick []uint8, values func(*column.Vector) []E) {
	var from [maxPicked][]E
	for k, v := range vecs {
		from[k] = values(v)
	}
	out = out[:len(pick)]
	for i, k := range pick {
		out[i] = from[k][i]
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
