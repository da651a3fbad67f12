package plan

import (
	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/expr"
)

// jsonArgs are the clauses of a JSON function as arguments behind its own. Each clause that is written is a SYMBOL with its words, some of them
// followed by a value:
//
//	RETURNING, and NULL of the type
//	WITHOUT WRAPPER, WITH WRAPPER, WITH CONDITIONAL WRAPPER
//	NULL ON EMPTY, ERROR ON EMPTY, EMPTY ARRAY ON EMPTY, EMPTY OBJECT ON EMPTY, and the same ON ERROR
//	TRUE ON ERROR, FALSE ON ERROR, UNKNOWN ON ERROR
//	DEFAULT ON EMPTY and DEFAULT ON ERROR, and the value
//	NULL ON NULL, ABSENT ON NULL
func (s *scope) jsonArgs(x *ast.JSONClauses) []expr.Expr {
	if x == nil {
		return nil
	}
	var out []expr.Expr
	if x.Returning != nil {
		t, ok := s.b.resolveType(x.Returning)
		if !ok {
			return []expr.Expr{nil}
		}
		out = append(out, symbol("RETURNING"), &expr.Literal{Of: t.Nullable(true)})
	}
	switch x.Wrapper {
	case ast.WithoutWrapper:
		out = append(out, symbol("WITHOUT WRAPPER"))
	case ast.WithWrapper:
		out = append(out, symbol("WITH WRAPPER"))
	case ast.WithConditionalWrapper:
		out = append(out, symbol("WITH CONDITIONAL WRAPPER"))
	}
	for i, on := range []*ast.JSONBehavior{x.OnEmpty, x.OnError} {
		if on == nil {
			continue
		}
		out = append(out, symbol(on.Kind.String()+[...]string{" ON EMPTY", " ON ERROR"}[i]))
		if on.Kind == ast.JSONDefault {
			out = append(out, s.expr(on.Default))
		}
	}
	switch x.Nulls {
	case ast.NullOnNull:
		out = append(out, symbol("NULL ON NULL"))
	case ast.AbsentOnNull:
		out = append(out, symbol("ABSENT ON NULL"))
	}
	return out
}
