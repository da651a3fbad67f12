package parse

import (
	"reflect"
	"testing"

	"github.com/flottio/flott/sql/internal/ast"
)

// found collects the expressions below v by reflection, except those in queries.
func found(v reflect.Value, in map[ast.Expr]bool) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return
		}
		switch x := v.Interface().(type) {
		case *ast.Query:
			return
		case ast.Expr:
			in[x] = true
		}
		found(v.Elem(), in)
	case reflect.Struct:
		for i := range v.NumField() {
			found(v.Field(i), in)
		}
	case reflect.Slice:
		for i := range v.Len() {
			found(v.Index(i), in)
		}
	}
}

// TestWalkMeetsEverything compares Walk with what reflection finds in the expressions of the corpus.
func TestWalkMeetsEverything(t *testing.T) {
	n := 0
	for _, src := range corpus(t) {
		list, _ := Script(src)
		for _, s := range list {
			q, ok := s.Statement.(*ast.QueryStmt)
			if !ok {
				continue
			}
			sel, ok := q.Query.Body.(*ast.Select)
			if !ok {
				continue
			}
			for _, item := range sel.Items {
				want, got := map[ast.Expr]bool{}, map[ast.Expr]bool{}
				found(reflect.ValueOf(item.X), want)
				ast.Walk(item.X, func(x ast.Expr) bool {
					if got[x] {
						t.Errorf("%s: met twice in %s", ast.Print(x), ast.Print(item.X))
					}
					got[x] = true
					return true
				})
				n += len(got)
				for x := range want {
					if !got[x] {
						t.Errorf("%s: not met in %s", ast.Print(x), ast.Print(item.X))
					}
				}
			}
		}
	}
	if n < 500 {
		t.Errorf("only %d expressions", n)
	}
}
