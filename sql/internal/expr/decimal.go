package expr

import (
	"fmt"

	"github.com/flottio/flott/column"
)

// adjust keeps precision and scale of a DECIMAL result in bounds as Flink does: of too many digits those behind the point go first, down to six.
func adjust(precision, scale int) column.Type {
	if precision <= column.MaxDecimalPrecision {
		return column.DecimalType(precision, scale)
	}
	whole := precision - scale
	least := min(scale, 6)
	return column.DecimalType(column.MaxDecimalPrecision, max(column.MaxDecimalPrecision-whole, least))
}

// approximate is the result of numbers of which one is approximate, or of whole numbers: their common type.
func approximate(a, b column.Type) (column.Type, bool) {
	if a.ID == column.Decimal || b.ID == column.Decimal {
		if a.ID != column.Float && a.ID != column.Double && b.ID != column.Float && b.ID != column.Double {
			return column.Type{}, false
		}
	}
	return commonNumber(a, b), true
}

func plusType(a, b column.Type) (column.Type, error) {
	if t, ok := approximate(a, b); ok {
		return t, nil
	}
	a, b = AsDecimal(a), AsDecimal(b)
	scale := max(int(a.Scale), int(b.Scale))
	digits := max(int(a.Precision)-int(a.Scale), int(b.Precision)-int(b.Scale))
	return adjust(digits+scale+1, scale), nil
}

func timesType(a, b column.Type) (column.Type, error) {
	if t, ok := approximate(a, b); ok {
		return t, nil
	}
	a, b = AsDecimal(a), AsDecimal(b)
	return adjust(int(a.Precision+b.Precision)+1, int(a.Scale+b.Scale)), nil
}

func divideType(a, b column.Type) (column.Type, error) {
	if t, ok := approximate(a, b); ok {
		return t, nil
	}
	a, b = AsDecimal(a), AsDecimal(b)
	scale := max(6, int(a.Scale)+int(b.Precision)+1)
	return adjust(int(a.Precision)-int(a.Scale)+int(b.Scale)+scale, scale), nil
}

func modType(a, b column.Type) (column.Type, error) {
	if a.IsInteger() && b.IsInteger() {
		return b, nil
	}
	if t, ok := approximate(a, b); ok {
		return column.Type{}, fmt.Errorf("MOD is for exact numbers, got %s", t)
	}
	a, b = AsDecimal(a), AsDecimal(b)
	scale := max(a.Scale, b.Scale)
	digits := min(a.Precision-int32(a.Scale), b.Precision-int32(b.Scale))
	return adjust(int(digits)+int(scale), int(scale)), nil
}
