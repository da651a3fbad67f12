package plan

import (
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
