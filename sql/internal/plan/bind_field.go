package plan

import (
	"fmt"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/internal/expr"
)

// fieldOf is field i of a row; it can be NULL if the row can.
func fieldOf(e expr.Expr, i int) expr.Expr {
	c, err := expr.NewField(e, i)
	if err != nil {
		panic("BUG: plan: " + err.Error())
	}
	return c
}

func isField(c *expr.Call) bool { return c.Func == expr.Field }

func fieldIndex(c *expr.Call) int { return int(c.Args[1].(*expr.Literal).Value.(int32)) }

// resolveUnnest: elements of an ARRAY or MULTISET, the fields of ROW elements, entries of a MAP.
func resolveUnnest(args []expr.Arg, ordinality bool) (expr.Signature, error) {
	if len(args) != 1 {
		return expr.Signature{}, fmt.Errorf("takes 1 argument, got %d", len(args))
	}
	t := args[0].Type
	sig := expr.Signature{Args: []column.Type{t}, Result: column.Type{ID: column.Row, NotNull: true}}
	switch {
	case t.ID == column.Map:
		sig.Result.Fields = []column.Field{{Name: "KEY", Type: *t.Key}, {Name: "VALUE", Type: *t.Elem}}
	case (t.ID == column.Array || t.ID == column.Multiset) && t.Elem.ID == column.Row:
		for _, f := range t.Elem.Fields {
			f.Type.NotNull = f.Type.NotNull && t.Elem.NotNull
			sig.Result.Fields = append(sig.Result.Fields, f)
		}
	case t.ID == column.Array || t.ID == column.Multiset:
		sig.Result.Fields = []column.Field{{Name: "EXPR$0", Type: *t.Elem}}
	default:
		return sig, fmt.Errorf("expects an ARRAY, MAP or MULTISET, got %s", t)
	}
	if ordinality {
		sig.Result.Fields = append(sig.Result.Fields, column.Field{Name: "ORDINALITY", Type: column.Of(column.Int).Nullable(false)})
	}
	return sig, nil
}
