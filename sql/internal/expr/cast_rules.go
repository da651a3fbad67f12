package expr

import (
	"fmt"

	"github.com/flottio/flott/column"
)

// CastAllowed reports why a value of one type cannot be cast to another; nil if it can. Implicit casts (explicit = false) are those of
// ImplicitlyCastable.
func CastAllowed(from, to column.Type, explicit bool) error {
	if ImplicitlyCastable(from, to) || explicit && explicitlyCastable(from, to) {
		return nil
	}
	if explicit {
		return fmt.Errorf("a cast from %s to %s is not supported", from.Nullable(true), to.Nullable(true))
	}
	return fmt.Errorf("%s is not converted to %s without CAST", from.Nullable(true), to.Nullable(true))
}

// ImplicitlyCastable reports whether a value becomes one of another type where nobody writes CAST: arguments of functions, columns of sinks.
// Lengths, precisions and nullability do not count.
func ImplicitlyCastable(from, to column.Type) bool {
	switch {
	case from.ID == column.Null:
		return true
	case to.ID == column.Row && from.ID == column.Row, to.Elem != nil && from.ID == to.ID:
		return eachPart(from, to, ImplicitlyCastable)
	case from.ID == to.ID:
		return true
	}
	switch to.ID {
	case column.Varchar:
		return from.IsText()
	case column.Varbinary:
		return from.IsBinary()
	case column.Decimal, column.Double:
		return from.IsNumeric()
	case column.SmallInt, column.Int, column.BigInt:
		return from.IsInteger() && from.ID < to.ID
	case column.Float:
		return from.IsInteger() || from.ID == column.Decimal
	case column.Date, column.Time:
		return from.ID == column.Timestamp
	case column.Timestamp:
		return from.ID == column.TimestampLTZ
	case column.TimestampLTZ:
		return from.ID == column.Timestamp
	}
	return false
}

// eachPart compares the parts of nested types.
func eachPart(from, to column.Type, ok func(from, to column.Type) bool) bool {
	switch to.ID {
	case column.Row:
		if len(from.Fields) != len(to.Fields) {
			return false
		}
		for i := range to.Fields {
			if !ok(from.Fields[i].Type, to.Fields[i].Type) {
				return false
			}
		}
		return true
	case column.Map:
		return ok(*from.Key, *to.Key) && ok(*from.Elem, *to.Elem)
	}
	return ok(*from.Elem, *to.Elem)
}

func explicitlyCastable(from, to column.Type) bool {
	for _, t := range []column.Type{from, to} {
		if hook := castHooks[t.ID]; hook != nil && from.ID != to.ID {
			return hook(from, to) != nil
		}
	}
	switch {
	case to.ID == column.Row && from.ID == column.Row, to.Elem != nil && from.ID == to.ID:
		return eachPart(from, to, func(f, t column.Type) bool { return CastAllowed(f, t, true) == nil })
	case to.IsText():
		return from.ID <= column.Row
	case to.IsBinary():
		return from.IsText() || from.IsBinary()
	case from.IsText():
		return to.ID == column.Boolean || to.IsNumeric() || to.IsTemporal() || to.IsInterval()
	case to.ID == column.Boolean:
		return from.IsInteger()
	case to.IsNumeric():
		_, single := intervalUnit(from)
		return from.IsNumeric() || from.ID == column.Boolean || from.IsInterval() && single && to.IsInteger()
	case to.IsTemporal():
		return from.IsTemporal() && !(from.ID == column.Date && to.ID == column.Time) && !(from.ID == column.Time && to.ID == column.Date)
	case to.IsInterval():
		_, single := intervalUnit(to)
		return from.IsInteger() && single
	}
	return false
}
