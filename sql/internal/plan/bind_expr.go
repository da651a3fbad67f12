package plan

import (
	"fmt"
	"strings"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/expr"
	"github.com/flottio/flott/sql/internal/parse"
)

// expr binds an expression. It returns nil if something is wrong with it, which is then recorded.
func (s *scope) expr(x ast.Expr) expr.Expr {
	switch x := x.(type) {
	case *ast.Literal:
		return s.b.literal(x)
	case *ast.Interval:
		return s.b.interval(x)
	case *ast.Ident:
		return s.ident(x)
	case *ast.FieldAccess:
		if e := s.expr(x.X); e != nil {
			return s.field(e, x.Name)
		}
		return nil
	case *ast.Index:
		return s.call(x.Pos, "ITEM", s.exprs(x.X, x.I)...)
	case *ast.Symbol:
		return symbol(x.Text)
	case *ast.Unary:
		return s.unary(x)
	case *ast.Binary:
		return s.binary(x)
	case *ast.Is:
		return s.is(x)
	case *ast.Between:
		return s.between(x)
	case *ast.Like:
		return s.like(x)
	case *ast.Case:
		return s.caseOf(x)
	case *ast.Cast:
		return s.cast(x)
	case *ast.Collection:
		return s.collection(x)
	case *ast.Call:
		return s.function(x)
	case *ast.In, *ast.Exists, *ast.Subquery, *ast.Quantified:
		return s.subqueryExpr(x)
	}
	s.unexpected(x)
	return nil
}

// unexpected is an expression that cannot stand where it does.
func (s *scope) unexpected(x ast.Expr) {
	switch x := x.(type) {
	case *ast.Star:
		s.b.failf(x.Pos, "* can only stand alone in SELECT and in COUNT(*)")
	case *ast.DefaultArg:
		s.b.failf(x.Pos, "DEFAULT cannot stand here")
	case *ast.NamedArg:
		s.b.failf(x.Pos, "an argument by name cannot stand here")
	case *ast.TableArg:
		s.b.failf(x.Pos, "a table cannot be an argument here")
	case *ast.DescriptorArg:
		s.b.failf(x.Pos, "DESCRIPTOR can only be an argument of a table function")
	case *ast.Param:
		s.b.failf(x.Pos, "a parameter has no value here")
	case *ast.Lambda:
		s.b.notYet(x.Pos, "a lambda here")
	default:
		s.b.notYet(x.Position(), "this expression")
	}
}

// exprs binds several; entries that are wrong are nil.
func (s *scope) exprs(list ...ast.Expr) []expr.Expr {
	out := make([]expr.Expr, len(list))
	for i, x := range list {
		out[i] = s.expr(x)
	}
	return out
}

func anyNil(list []expr.Expr) bool {
	for _, e := range list {
		if e == nil {
			return true
		}
	}
	return false
}

// call makes a call of a built-in function.
func (s *scope) call(pos ast.Pos, name string, args ...expr.Expr) expr.Expr {
	f := expr.Lookup(name)
	if f == nil {
		s.unknownFunction(pos, name)
		return nil
	}
	return s.apply(pos, f, args...)
}

func (s *scope) apply(pos ast.Pos, f *expr.Func, args ...expr.Expr) expr.Expr {
	if anyNil(args) {
		return nil
	}
	c, err := expr.NewCall(f, args...)
	if err != nil {
		s.b.failf(pos, "%s: %v", f.Name, err).Length = len(f.Name)
		return nil
	}
	if f.Name != "PROCTIME" {
		c.Of.Attribute = column.NoAttribute
	}
	return c
}

func (s *scope) unknownFunction(pos ast.Pos, name string) {
	names := expr.Names()
	for _, f := range s.b.Session.Functions() {
		names = append(names, f.Name)
	}
	if flinkFunctions[name] {
		s.b.failf(pos, "the function %s is not supported yet", name).Length = len(name)
		return
	}
	s.b.failf(pos, "there is no function %s", name).Near(name, names)
}

// symbol is a word that is an argument.
func symbol(text string) *expr.Literal {
	return &expr.Literal{Value: text, Of: column.StringType().Nullable(false)}
}

func (s *scope) unary(x *ast.Unary) expr.Expr {
	switch x.Op {
	case ast.OpPlus:
		return s.expr(x.X)
	case ast.OpNot:
		if in := negated(x.X); in != nil {
			return s.expr(in)
		}
		return s.call(x.Pos, "NOT", s.expr(x.X))
	case ast.OpNeg:
		if lit, ok := x.X.(*ast.Literal); ok && (lit.Kind == ast.ExactLit || lit.Kind == ast.ApproxLit) {
			n := *lit
			n.Text = "-" + n.Text
			return s.b.literal(&n)
		}
		if iv, ok := x.X.(*ast.Interval); ok {
			n := *iv
			n.Negative = !n.Negative
			return s.b.interval(&n)
		}
		return s.call(x.Pos, "NEGATE", s.expr(x.X))
	case ast.OpFormatJSON:
		return s.call(x.Pos, "JSON", s.expr(x.X))
	}
	s.b.notYet(x.Pos, x.Op.String())
	return nil
}

// negated moves NOT into IN and EXISTS, whose NULLs matter; nil if x is something else.
func negated(x ast.Expr) ast.Expr {
	if in, ok := x.(*ast.In); ok {
		n := *in
		n.Not = !n.Not
		return &n
	}
	return nil
}

// opFuncs are the functions of the operators; operators that are not here have their own name.
var opFuncs = map[ast.Op]string{ast.OpMod: "MOD", ast.OpConcat: "||"}

func (s *scope) binary(x *ast.Binary) expr.Expr {
	switch x.Op {
	case ast.OpAnd, ast.OpOr:
		return s.connective(x)
	case ast.OpEq, ast.OpNe, ast.OpLt, ast.OpLe, ast.OpGt, ast.OpGe, ast.OpIsDistinct, ast.OpIsNotDistinct:
		return s.comparison(x)
	case ast.OpOverlaps, ast.OpContains, ast.OpEquals, ast.OpPrecedes, ast.OpSucceeds, ast.OpImmediatelyPrecedes,
		ast.OpImmediatelySucceeds:
		return s.period(x)
	}
	name, ok := opFuncs[x.Op]
	if !ok {
		name = x.Op.String()
	}
	return s.call(x.OpPos, name, s.exprs(x.L, x.R)...)
}

// connective binds a AND b AND c as one call.
func (s *scope) connective(x *ast.Binary) expr.Expr {
	var flat []ast.Expr
	var flatten func(e ast.Expr)
	flatten = func(e ast.Expr) {
		if b, ok := e.(*ast.Binary); ok && b.Op == x.Op {
			flatten(b.L)
			flatten(b.R)
			return
		}
		flat = append(flat, e)
	}
	flatten(x)
	return s.call(x.OpPos, x.Op.String(), s.exprs(flat...)...)
}

// comparison compares two values, or two rows field by field.
func (s *scope) comparison(x *ast.Binary) expr.Expr {
	l, r := rowItems(x.L), rowItems(x.R)
	if l == nil || r == nil || (x.Op != ast.OpEq && x.Op != ast.OpNe) {
		return s.call(x.OpPos, x.Op.String(), s.exprs(x.L, x.R)...)
	}
	if len(l) != len(r) {
		s.b.failf(x.OpPos, "cannot compare a row of %d values with one of %d", len(l), len(r))
		return nil
	}
	parts := make([]expr.Expr, len(l))
	for i := range l {
		parts[i] = s.call(x.OpPos, x.Op.String(), s.exprs(l[i], r[i])...)
	}
	if len(parts) == 1 {
		return parts[0]
	}
	if x.Op == ast.OpNe {
		return s.call(x.OpPos, "OR", parts...)
	}
	return s.call(x.OpPos, "AND", parts...)
}

// rowItems are the items of (a, b) and ROW(a, b); nil for what is no row.
func rowItems(x ast.Expr) []ast.Expr {
	if c, ok := x.(*ast.Collection); ok && (c.Kind == ast.Tuple || c.Kind == ast.RowOf) && c.Query == nil {
		return c.Items
	}
	return nil
}

// period binds (a, b) OVERLAPS (c, d): the ends may be intervals.
func (s *scope) period(x *ast.Binary) expr.Expr {
	l, r := rowItems(x.L), rowItems(x.R)
	if len(l) != 2 || len(r) != 2 {
		s.b.failf(x.OpPos, "%s compares two periods: (start, end) or (start, interval)", x.Op)
		return nil
	}
	return s.call(x.OpPos, x.Op.String(), s.exprs(l[0], l[1], r[0], r[1])...)
}

func (s *scope) is(x *ast.Is) expr.Expr {
	e := s.expr(x.X)
	if e == nil {
		return nil
	}
	switch x.Kind {
	case ast.IsUnknown:
		if t := e.Type().ID; t != column.Boolean && t != column.Null {
			s.b.failf(x.Pos, "IS UNKNOWN: expects BOOLEAN, got %s", e.Type())
			return nil
		}
		return s.call(x.Pos, "IS"+notWord(x.Not)+" NULL", e)
	case ast.IsNull, ast.IsTrue, ast.IsFalse:
		return s.call(x.Pos, "IS"+notWord(x.Not)+" "+x.Kind.String(), e)
	}
	if name := "IS NOT " + x.Kind.String(); x.Not && expr.Lookup(name) != nil {
		return s.call(x.Pos, name, e)
	}
	e = s.call(x.Pos, "IS "+x.Kind.String(), e)
	if x.Not {
		e = s.call(x.Pos, "NOT", e)
	}
	return e
}

func notWord(not bool) string {
	if not {
		return " NOT"
	}
	return ""
}

// between is x >= low AND x <= high; symmetric with the bounds in either order.
func (s *scope) between(x *ast.Between) expr.Expr {
	v, low, high := s.expr(x.X), s.expr(x.Low), s.expr(x.High)
	if v == nil || low == nil || high == nil {
		return nil
	}
	e, err := expr.NewBetween(v, low, high, x.Symmetric)
	if err != nil {
		s.b.failf(x.Pos, "BETWEEN: %v", err)
		return nil
	}
	if x.Not {
		e = s.call(x.Pos, "NOT", e)
	}
	return e
}

func (s *scope) like(x *ast.Like) expr.Expr {
	args := s.exprs(x.X, x.Pattern)
	if x.Escape != nil {
		args = append(args, s.expr(x.Escape))
	}
	e := s.call(x.Pos, x.Kind.String(), args...)
	if x.Not {
		e = s.call(x.Pos, "NOT", e)
	}
	return e
}

func (s *scope) caseOf(x *ast.Case) expr.Expr {
	var args []expr.Expr
	var operand expr.Expr
	if x.Operand != nil {
		if operand = s.expr(x.Operand); operand == nil {
			return nil
		}
	}
	for _, w := range x.Whens {
		conds := make([]expr.Expr, len(w.Conds))
		for i, c := range w.Conds {
			if conds[i] = s.expr(c); operand != nil {
				conds[i] = s.call(w.Pos, "=", operand, conds[i])
			}
		}
		cond := conds[0]
		if len(conds) > 1 {
			cond = s.call(w.Pos, "OR", conds...)
		}
		args = append(args, cond, s.expr(w.Result))
	}
	if x.Else != nil {
		args = append(args, s.expr(x.Else))
	} else {
		args = append(args, nullLiteral())
	}
	return s.call(x.Pos, "CASE", args...)
}

func nullLiteral() *expr.Literal { return &expr.Literal{} }

// resolveType is the type that is written.
func (b *Binder) resolveType(t *ast.TypeName) (column.Type, bool) {
	of, err := parse.ResolveType(t)
	if err != nil {
		if te, ok := err.(*parse.TypeError); ok {
			b.failf(te.Pos, "%v", te.Err)
		} else {
			b.failf(t.Pos, "%v", err)
		}
		return of, false
	}
	return of, true
}

func (s *scope) cast(x *ast.Cast) expr.Expr {
	t, ok := s.b.resolveType(x.Type)
	e := s.expr(x.X)
	if !ok || e == nil {
		return nil
	}
	return s.castTo(x.Pos, e, t, x.Try)
}

// castTo is an explicit cast.
func (s *scope) castTo(pos ast.Pos, e expr.Expr, t column.Type, try bool) expr.Expr {
	from := e.Type()
	if err := expr.CastAllowed(from, t, true); err != nil {
		s.b.failf(pos, "%v", err)
		return nil
	}
	t.NotNull = from.NotNull && !try
	if l, ok := e.(*expr.Literal); ok && l.Value == nil {
		return &expr.Literal{Of: t.Nullable(true)}
	}
	if from.Same(t) && from.Attribute == column.NoAttribute {
		return e
	}
	return &expr.Cast{Arg: e, Of: t, Try: try}
}

func (s *scope) collection(x *ast.Collection) expr.Expr {
	if x.Query != nil {
		s.b.notYet(x.Pos, x.Kind.String()+" of a query")
		return nil
	}
	switch x.Kind {
	case ast.RowOf, ast.Tuple:
		return s.call(x.Pos, "ROW", s.rowArgs(x.Items)...)
	case ast.MultisetOf:
		s.b.notYet(x.Pos, "MULTISET[...]")
		return nil
	}
	return s.call(x.Pos, x.Kind.String(), s.exprs(x.Items...)...)
}

// rowArgs binds the items of ROW(...), among which * may be.
func (s *scope) rowArgs(items []ast.Expr) []expr.Expr {
	var out []expr.Expr
	for _, x := range items {
		star, ok := x.(*ast.Star)
		if !ok {
			out = append(out, s.expr(x))
			continue
		}
		for _, c := range s.star(star) {
			out = append(out, c.x)
		}
	}
	return out
}

// condition binds a condition of a clause.
func (s *scope) condition(x ast.Expr, clause string) expr.Expr {
	in := s.in(clause)
	e := in.expr(x)
	if e == nil {
		return nil
	}
	switch e.Type().ID {
	case column.Boolean:
		return e
	case column.Null:
		return &expr.Literal{Of: column.Of(column.Boolean)}
	}
	s.b.failf(x.Position(), "%s expects a condition, got a value of type %s", clause, e.Type())
	return nil
}

// and joins conditions; nil if there are none.
func and(conds []expr.Expr) expr.Expr {
	switch len(conds) {
	case 0:
		return nil
	case 1:
		return conds[0]
	}
	return mustCall("AND", conds...)
}

// mustCall makes a call that cannot be wrong.
func mustCall(name string, args ...expr.Expr) *expr.Call {
	f := expr.Lookup(name)
	if f == nil {
		panic("BUG: plan: there is no function " + name)
	}
	c, err := expr.NewCall(f, args...)
	if err != nil {
		panic(fmt.Sprintf("BUG: plan: %s: %v", name, err))
	}
	return c
}

// upper is the name of a function as the registry has it.
func upper(p ast.Path) string { return strings.ToUpper(p.Last().Text) }
