package ast

// Children calls f for every expression directly below x, in the written order. Queries below x are left out: they have scopes of their own.
func Children(x Expr, f func(Expr)) {
	list := func(xs []Expr) {
		for _, x := range xs {
			f(x)
		}
	}
	some := func(xs ...Expr) {
		for _, x := range xs {
			if x != nil {
				f(x)
			}
		}
	}
	switch x := x.(type) {
	case *Star:
		some(x.X)
	case *FieldAccess:
		some(x.X)
	case *Index:
		some(x.X, x.I)
	case *Unary:
		some(x.X)
	case *Binary:
		some(x.L, x.R)
	case *Is:
		some(x.X)
	case *Between:
		some(x.X, x.Low, x.High)
	case *In:
		some(x.X)
		list(x.List)
	case *Like:
		some(x.X, x.Pattern, x.Escape)
	case *Quantified:
		some(x.X)
		list(x.List)
	case *Case:
		some(x.Operand)
		for _, w := range x.Whens {
			list(w.Conds)
			some(w.Result)
		}
		some(x.Else)
	case *Cast:
		some(x.X)
	case *Collection:
		list(x.Items)
	case *Lambda:
		some(x.Body)
	case *NamedArg:
		some(x.Value)
	case *TableArg:
		list(x.PartitionBy)
		orders(x.OrderBy, f)
	case *Call:
		callChildren(x, f)
	}
}

func orders(items []OrderItem, f func(Expr)) {
	for _, o := range items {
		f(o.X)
	}
}

func callChildren(c *Call, f func(Expr)) {
	for _, a := range c.Args {
		f(a)
	}
	if c.JSON != nil {
		for _, b := range []*JSONBehavior{c.JSON.OnEmpty, c.JSON.OnError} {
			if b != nil && b.Default != nil {
				f(b.Default)
			}
		}
	}
	orders(c.OrderBy, f)
	orders(c.WithinGroup, f)
	if c.Filter != nil {
		f(c.Filter)
	}
	if c.Over == nil {
		return
	}
	for _, x := range c.Over.PartitionBy {
		f(x)
	}
	orders(c.Over.OrderBy, f)
	if fr := c.Over.Frame; fr != nil {
		for _, b := range []*Bound{fr.Start, fr.End} {
			if b != nil && b.X != nil {
				f(b.X)
			}
		}
	}
}

// Walk calls visit for x and everything below it, parents first, except queries. It does not go below what visit returns false for.
func Walk(x Expr, visit func(Expr) bool) {
	if visit(x) {
		Children(x, func(c Expr) { Walk(c, visit) })
	}
}
