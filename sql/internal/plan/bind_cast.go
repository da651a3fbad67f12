package plan

import (
	"fmt"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/internal/expr"
)

// castAllowed says whether an explicit cast can be at all.
func castAllowed(from, to column.Type, _ expr.Expr) error {
	bad := func() error { return fmt.Errorf("cannot cast %s to %s", from, to) }
	nested := func(id column.ID) bool {
		return id == column.Array || id == column.Map || id == column.Multiset || id == column.Row
	}
	switch {
	case from.ID == column.Null, to.IsText():
		return nil
	case nested(from.ID) != nested(to.ID) && !from.IsText(), nested(from.ID) && from.ID != to.ID:
		return bad()
	case from.ID == column.Boolean && (to.IsTemporal() || to.IsInterval()), to.ID == column.Boolean && (from.IsTemporal() || from.IsInterval()):
		return bad()
	}
	return nil
}

// ImplicitlyCastable reports whether INSERT casts a value by itself.
func ImplicitlyCastable(from, to column.Type) bool {
	switch {
	case from.ID == column.Null, from.Nullable(true).Same(to.Nullable(true)):
		return true
	case from.IsNumeric() && to.IsNumeric():
		return numberFits(from, to)
	case from.IsText():
		return to.ID == column.Varchar || to.ID == column.Char && from.ID == column.Char
	case from.IsBinary():
		return to.ID == column.Varbinary || to.ID == column.Binary && from.ID == column.Binary
	case from.IsTimestamp():
		return to.IsTimestamp() || to.ID == column.Date && from.ID == column.Timestamp || to.ID == column.Time && from.ID == column.Timestamp
	case from.ID != to.ID:
		return false
	}
	switch from.ID {
	case column.Array, column.Multiset:
		return ImplicitlyCastable(*from.Elem, *to.Elem)
	case column.Map:
		return ImplicitlyCastable(*from.Key, *to.Key) && ImplicitlyCastable(*from.Elem, *to.Elem)
	case column.Row:
		if len(from.Fields) != len(to.Fields) {
			return false
		}
		for i := range from.Fields {
			if !ImplicitlyCastable(from.Fields[i].Type, to.Fields[i].Type) {
				return false
			}
		}
	}
	return true
}

// numberFits: whole numbers fit wider ones, everything fits DOUBLE and DECIMAL, all but DOUBLE fits FLOAT.
func numberFits(from, to column.Type) bool {
	switch to.ID {
	case column.Double, column.Decimal:
		return true
	case column.Float:
		return from.ID != column.Double
	}
	return from.ID <= to.ID
}
