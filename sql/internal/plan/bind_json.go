package plan

import (
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/expr"
)

// jsonCall binds the clauses of a JSON function to arguments, in the order that the library documents; ok is false for other functions.
func (s *scope) jsonCall(x *ast.Call, name string) (e expr.Expr, ok bool) {
	clauses := x.JSON
	if clauses == nil {
		clauses = &ast.JSONClauses{}
	}
	args := s.exprs(x.Args...)
	switch name {
	case "JSON_OBJECT", "JSON_ARRAY":
		nulls := "NULL"
		if clauses.Nulls == ast.AbsentOnNull || name == "JSON_ARRAY" && clauses.Nulls == ast.JSONNullsDefault {
			nulls = "ABSENT"
		}
		args = append([]expr.Expr{symbol(nulls)}, args...)
	case "JSON_EXISTS":
		if clauses.OnError != nil {
			args = append(args, symbol(clauses.OnError.Kind.String()))
		}
	case "JSON_VALUE":
		if x.JSON == nil {
			break
		}
		empty, emptyValue := s.jsonDefault(clauses.OnEmpty)
		failed, failedValue := s.jsonDefault(clauses.OnError)
		args = append(args, empty, emptyValue, failed, failedValue, s.returning(clauses))
	case "JSON_QUERY":
		if x.JSON == nil {
			break
		}
		wrapper := [...]string{"WITHOUT", "WITHOUT", "UNCONDITIONAL", "CONDITIONAL"}[clauses.Wrapper]
		args = append(args, symbol(wrapper), jsonKind(clauses.OnEmpty), jsonKind(clauses.OnError), s.returning(clauses))
	default:
		return nil, false
	}
	return s.call(x.Pos, name, args...), true
}

// jsonKind is what stands before ON EMPTY or ON ERROR; NULL if nothing does.
func jsonKind(x *ast.JSONBehavior) *expr.Literal {
	if x == nil {
		return symbol("NULL")
	}
	if x.Kind == ast.JSONEmpty {
		return symbol("EMPTY ARRAY")
	}
	return symbol(x.Kind.String())
}

func (s *scope) jsonDefault(x *ast.JSONBehavior) (kind, value expr.Expr) {
	if x != nil && x.Kind == ast.JSONDefault {
		return jsonKind(x), s.expr(x.Default)
	}
	return jsonKind(x), nullLiteral()
}

// returning is NULL of the type that RETURNING names.
func (s *scope) returning(x *ast.JSONClauses) expr.Expr {
	if x.Returning == nil {
		return &expr.Literal{Of: column.StringType()}
	}
	t, ok := s.b.resolveType(x.Returning)
	if !ok {
		return nil
	}
	return &expr.Literal{Of: t.Nullable(true)}
}

// jsonAgg is the library's name of a JSON aggregate, which says what it does with NULL.
func jsonAgg(name string, x *ast.JSONClauses) string {
	absent := name == "JSON_ARRAYAGG"
	if x != nil && x.Nulls != ast.JSONNullsDefault {
		absent = x.Nulls == ast.AbsentOnNull
	}
	if absent {
		return name + "_ABSENT_ON_NULL"
	}
	return name + "_NULL_ON_NULL"
}
