package plan

import (
	"slices"

	"github.com/flottio/flott/sql/internal/expr"
)

// pushDown returns n with the conditions, which are over its columns, as far below as they mean the same.
func pushDown(n Node, conds []expr.Expr) Node {
	none := func(n Node) Node { return pushDown(n, nil) }
	switch x := n.(type) {
	case *Filter:
		return pushDown(x.Input, append(slices.Clone(conds), conjuncts(x.Cond)...))
	case *Project:
		return pushProject(x, conds)
	case *Join:
		return pushJoin(x, conds)
	case *SetOp:
		if x.Kind == Union && x.All {
			return rewriteInputs(n, func(in Node) Node { return pushDown(in, conds) })
		}
	case *Aggregate:
		if x.Sets == nil && len(x.Keys) > 0 {
			return pushBelow(n, conds, func(c int) int {
				if c < len(x.Keys) {
					return x.Keys[c]
				}
				return -1
			})
		}
	case *WindowTable:
		if x.Window.Kind != Session {
			return pushBelow(n, conds, inputColumn(x.Input))
		}
	case *Correlate:
		return pushBelow(n, conds, inputColumn(x.Input))
	case *Over:
		if r, rest := rankOf(x, conds); r != nil {
			return filtered(rewriteInputs(r, none), rest)
		}
		return pushBelow(n, conds, among(x.Partition))
	case *Rank:
		return pushBelow(n, conds, among(x.Partition))
	case *Sort:
		if x.Fetch < 0 && x.Offset == 0 {
			return x.With(pushDown(x.Input, conds))
		}
	}
	return filtered(rewriteInputs(n, none), conds)
}

func inputColumn(in Node) func(int) int {
	n := len(in.Schema())
	return func(c int) int {
		if c < n {
			return c
		}
		return -1
	}
}

func among(columns []int) func(int) int {
	return func(c int) int {
		if slices.Contains(columns, c) {
			return c
		}
		return -1
	}
}

// pushBelow sends the conditions below a node with one input whose columns are all columns of the input; to gives the place there, -1 for others.
func pushBelow(n Node, conds []expr.Expr, to func(int) int) Node {
	var below, above []expr.Expr
	for _, c := range conds {
		ok := steady(c)
		for _, col := range expr.Columns(c) {
			ok = ok && to(col) >= 0
		}
		if !ok || len(expr.Columns(c)) == 0 {
			above = append(above, c)
			continue
		}
		below = append(below, expr.Map(c, func(c *expr.Column) expr.Expr { return &expr.Column{Index: to(c.Index), Of: c.Of, Name: c.Name} }))
	}
	return filtered(n.With(pushDown(n.Inputs()[0], below)), above)
}

func pushProject(p *Project, conds []expr.Expr) Node {
	var below, above []expr.Expr
	for _, c := range conds {
		ok := true
		for _, col := range expr.Columns(c) {
			ok = ok && steady(p.Exprs[col])
		}
		if ok {
			below = append(below, putIn(c, p.Exprs))
		} else {
			above = append(above, c)
		}
	}
	return filtered(p.With(pushDown(p.Input, below)), above)
}

// sides says which sides of a join an expression reads.
func sides(e expr.Expr, n int) (left, right bool) {
	for _, c := range expr.Columns(e) {
		if c < n {
			left = true
		} else {
			right = true
		}
	}
	return left, right
}

func pushJoin(j *Join, conds []expr.Expr) Node {
	n := len(j.Left.Schema())
	k := weaken(j.Kind, conds, n)
	var left, right, on, above []expr.Expr
	for _, c := range conds {
		l, r := sides(c, n)
		switch {
		case !steady(c):
			above = append(above, c)
		case !r && l && k != Right && k != Full:
			left = append(left, c)
		case r && !l && (k == Inner || k == Right):
			right = append(right, expr.Shift(c, -n))
		case k == Inner:
			on = append(on, c)
		default:
			above = append(above, c)
		}
	}
	for _, c := range conjuncts(j.Cond) {
		l, r := sides(c, n)
		switch {
		case !steady(c) || k == NullAnti:
			on = append(on, c)
		case l && !r && (k == Inner || k == Right || k == Semi):
			left = append(left, c)
		case r && !l && k != Right && k != Full:
			right = append(right, expr.Shift(c, -n))
		default:
			on = append(on, c)
		}
	}
	out := *j
	out.Kind, out.Cond = k, conjunction(on)
	out.Left, out.Right = pushDown(j.Left, left), pushDown(j.Right, right)
	return filtered(&out, above)
}

// weaken makes an outer join an inner one where a condition above it is never true of a row without partner.
func weaken(k JoinKind, conds []expr.Expr, n int) JoinKind {
	needsLeft, needsRight := false, false
	for _, c := range conds {
		call, ok := c.(*expr.Call)
		if !ok || mirrored[call.Func.Name] == "" {
			continue
		}
		for _, a := range call.Args {
			for _, col := range strictColumns(a) {
				needsLeft = needsLeft || col < n
				needsRight = needsRight || col >= n
			}
		}
	}
	switch {
	case k == Left && needsRight, k == Right && needsLeft, k == Full && needsLeft && needsRight:
		return Inner
	case k == Full && needsLeft:
		return Left
	case k == Full && needsRight:
		return Right
	}
	return k
}

// strictColumns are columns with whose NULL the expression is NULL.
func strictColumns(e expr.Expr) []int {
	switch e := e.(type) {
	case *expr.Column:
		return []int{e.Index}
	case *expr.Cast:
		return strictColumns(e.Arg)
	case *expr.Call:
		if !e.Func.Strict {
			return nil
		}
		var out []int
		for _, a := range e.Args {
			out = append(out, strictColumns(a)...)
		}
		return out
	}
	return nil
}

// rankOf makes Top-N of a ROW_NUMBER that conditions limit; nil if none does. rest are the conditions that remain.
func rankOf(o *Over, conds []expr.Expr) (r *Rank, rest []expr.Expr) {
	if len(o.Calls) != 1 || o.Calls[0].Func.Name != "ROW_NUMBER" || len(o.Order) == 0 {
		return nil, conds
	}
	number := len(o.Input.Schema())
	r = &Rank{Input: o.Input, Partition: o.Partition, Order: o.Order, From: 1, ToColumn: -1, Number: true, Out: o.Out}
	for _, c := range conds {
		if !r.limit(c, number) {
			rest = append(rest, c)
		}
	}
	if r.To == 0 && r.ToColumn < 0 {
		return nil, conds
	}
	return r, rest
}

// limit takes a condition on the number into the rank.
func (r *Rank) limit(c expr.Expr, number int) bool {
	call, ok := c.(*expr.Call)
	if !ok {
		return false
	}
	if call.Func.Name == "BETWEEN" && len(call.Args) == 3 && isColumn(call.Args[0], number) {
		from, ok1 := wholeNumber(call.Args[1])
		to, ok2 := wholeNumber(call.Args[2])
		if ok1 && ok2 {
			return r.atLeast(from) && r.atMost(to)
		}
		return false
	}
	mirror, known := mirrored[call.Func.Name]
	if !known || len(call.Args) != 2 {
		return false
	}
	op, a, b := call.Func.Name, call.Args[0], call.Args[1]
	if isColumn(b, number) {
		op, a, b = mirror, b, a
	}
	if !isColumn(a, number) {
		return false
	}
	if col, ok := bare(b).(*expr.Column); ok && op == "<=" && col.Index < number && r.To == 0 && r.ToColumn < 0 && col.Of.IsInteger() {
		r.ToColumn = col.Index
		return true
	}
	n, ok := wholeNumber(b)
	if !ok {
		return false
	}
	switch op {
	case "=":
		return r.atLeast(n) && r.atMost(n)
	case "<":
		return r.atMost(n - 1)
	case "<=":
		return r.atMost(n)
	case ">":
		return r.atLeast(n + 1)
	case ">=":
		return r.atLeast(n)
	}
	return false
}

func (r *Rank) atLeast(n int64) bool {
	r.From = max(r.From, n)
	return true
}

func (r *Rank) atMost(n int64) bool {
	if n < 1 || r.ToColumn >= 0 {
		return false
	}
	if r.To == 0 || n < r.To {
		r.To = n
	}
	return true
}

// bare takes casts away.
func bare(e expr.Expr) expr.Expr {
	for {
		c, ok := e.(*expr.Cast)
		if !ok {
			return e
		}
		e = c.Arg
	}
}

func isColumn(e expr.Expr, at int) bool {
	c, ok := bare(e).(*expr.Column)
	return ok && c.Index == at
}

func wholeNumber(e expr.Expr) (int64, bool) {
	l, ok := bare(e).(*expr.Literal)
	if !ok || !l.Of.IsInteger() {
		return 0, false
	}
	switch v := l.Value.(type) {
	case int8:
		return int64(v), true
	case int16:
		return int64(v), true
	case int32:
		return int64(v), true
	case int64:
		return v, true
	}
	return 0, false
}
