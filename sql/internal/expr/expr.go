// Package expr is typed expressions over the columns of one batch, and their evaluation: a tree is compiled to evaluators that run one loop
// per node and batch. Functions are values in a registry, which the binder asks for types and the compiler for kernels.
//
// It knows nothing of tables, plans and streams.
package expr

import (
	"strconv"
	"strings"

	"github.com/flottio/flott/column"
)

// Expr is a typed expression. Trees are immutable once built and may share nodes.
type Expr interface {
	Type() column.Type
	// String is canonical: equal texts mean equal expressions over the same input. Plans print it and uids are made of it.
	String() string
}

// Column is a column of the input by its place.
type Column struct {
	Index int
	Of    column.Type
	Name  string // for people
}

// Literal is a constant, as column.Vector.At returns values; nil is NULL.
type Literal struct {
	Value any
	Of    column.Type
}

// Call is a call of a function whose arguments have exactly the types that its signature asked for.
type Call struct {
	Func *Func
	Args []Expr
	Of   column.Type
}

// Cast converts a value, explicitly or implicitly. Try gives NULL instead of an error.
type Cast struct {
	Arg Expr
	Of  column.Type
	Try bool
}

// Type implements Expr.
func (c *Column) Type() column.Type { return c.Of }

// Type implements Expr.
func (l *Literal) Type() column.Type { return l.Of }

// Type implements Expr.
func (c *Call) Type() column.Type { return c.Of }

// Type implements Expr.
func (c *Cast) Type() column.Type { return c.Of }

// String implements Expr: "$3".
func (c *Column) String() string { return "$" + strconv.Itoa(c.Index) }

// String implements Expr.
func (l *Literal) String() string {
	return Format(l.Value, l.Of) + ":" + l.Of.String()
}

// String implements Expr.
func (c *Call) String() string {
	args := make([]string, len(c.Args))
	for i, a := range c.Args {
		args[i] = a.String()
	}
	return c.Func.Name + "(" + strings.Join(args, ", ") + ")"
}

// String implements Expr.
func (c *Cast) String() string {
	name := "CAST"
	if c.Try {
		name = "TRY_CAST"
	}
	return name + "(" + c.Arg.String() + " AS " + c.Of.String() + ")"
}

// Walk calls f for e and what is below it, parents first, as long as f returns true.
func Walk(e Expr, f func(Expr) bool) {
	if !f(e) {
		return
	}
	switch e := e.(type) {
	case *Call:
		for _, a := range e.Args {
			Walk(a, f)
		}
	case *Cast:
		Walk(e.Arg, f)
	}
}

// Rewrite returns e with f applied to every node, children first. Nodes that do not change are shared.
func Rewrite(e Expr, f func(Expr) Expr) Expr {
	switch x := e.(type) {
	case *Call:
		args := make([]Expr, len(x.Args))
		changed := false
		for i, a := range x.Args {
			args[i] = Rewrite(a, f)
			changed = changed || args[i] != a
		}
		if changed {
			e = &Call{Func: x.Func, Args: args, Of: x.Of}
		}
	case *Cast:
		if arg := Rewrite(x.Arg, f); arg != x.Arg {
			e = &Cast{Arg: arg, Of: x.Of, Try: x.Try}
		}
	}
	return f(e)
}

// Columns returns the places of the columns that e reads, each once, in order of appearance.
func Columns(e Expr) []int {
	var out []int
	seen := map[int]bool{}
	Walk(e, func(e Expr) bool {
		if c, ok := e.(*Column); ok && !seen[c.Index] {
			seen[c.Index] = true
			out = append(out, c.Index)
		}
		return true
	})
	return out
}

// Shift moves every column by n places: for the right side of a join.
func Shift(e Expr, n int) Expr {
	return Map(e, func(c *Column) Expr { return &Column{Index: c.Index + n, Of: c.Of, Name: c.Name} })
}

// Map replaces the columns of e.
func Map(e Expr, f func(*Column) Expr) Expr {
	return Rewrite(e, func(e Expr) Expr {
		if c, ok := e.(*Column); ok {
			return f(c)
		}
		return e
	})
}

// Conjuncts splits e at its ANDs.
func Conjuncts(e Expr) []Expr {
	if c, ok := e.(*Call); ok && c.Func == And {
		var out []Expr
		for _, a := range c.Args {
			out = append(out, Conjuncts(a)...)
		}
		return out
	}
	return []Expr{e}
}
