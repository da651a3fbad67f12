package expr

import "github.com/flottio/flott/column"

// CommonType is the type that values of all the types can be cast to implicitly without losing meaning: of CASE, COALESCE, UNION, ARRAY and
// IN. It is nullable if one of them is.
func CommonType(types []column.Type) (column.Type, bool) {
	if len(types) == 0 {
		return column.Type{}, false
	}
	t := types[0]
	for _, u := range types[1:] {
		var ok bool
		if t, ok = commonOf(t, u); !ok {
			return column.Type{}, false
		}
	}
	return t, true
}

func commonOf(a, b column.Type) (column.Type, bool) {
	nullable := !a.NotNull || !b.NotNull
	t, ok := commonBare(a, b)
	return t.Nullable(nullable), ok
}

func commonBare(a, b column.Type) (column.Type, bool) {
	switch {
	case a.ID == column.Null:
		return b, true
	case b.ID == column.Null:
		return a, true
	case a.Same(b):
		a.Attribute = column.NoAttribute
		return a, true
	case a.IsNumeric() && b.IsNumeric():
		return commonNumber(a, b), true
	case a.IsText() && b.IsText():
		return wider(a, b, column.Char, column.Varchar), true
	case a.IsBinary() && b.IsBinary():
		return wider(a, b, column.Binary, column.Varbinary), true
	case a.ID == b.ID && (a.IsTimestamp() || a.ID == column.Time):
		a.Precision, a.Attribute = max(a.Precision, b.Precision), column.NoAttribute
		return a, true
	case a.IsTimestamp() && b.IsTimestamp():
		return column.LocalTimestampType(int(max(a.Precision, b.Precision))), true
	case a.ID == column.Date && b.IsTimestamp():
		return b, true
	case b.ID == column.Date && a.IsTimestamp():
		return a, true
	case a.IsInterval() && a.ID == b.ID:
		a.Interval = ""
		return a, true
	}
	return commonNested(a, b)
}

func commonNested(a, b column.Type) (column.Type, bool) {
	if a.ID != b.ID {
		return column.Type{}, false
	}
	switch a.ID {
	case column.Array, column.Multiset:
		e, ok := commonOf(*a.Elem, *b.Elem)
		return column.Type{ID: a.ID, Elem: &e}, ok
	case column.Map:
		k, kOK := commonOf(*a.Key, *b.Key)
		e, eOK := commonOf(*a.Elem, *b.Elem)
		return column.MapType(k, e), kOK && eOK
	case column.Row:
		if len(a.Fields) != len(b.Fields) {
			return column.Type{}, false
		}
		t := column.Type{ID: column.Row}
		for i, f := range a.Fields {
			ft, ok := commonOf(f.Type, b.Fields[i].Type)
			if !ok {
				return column.Type{}, false
			}
			t.Fields = append(t.Fields, column.Field{Name: f.Name, Type: ft})
		}
		return t, true
	}
	return column.Type{}, false
}

// commonNumber: an approximate number wins over exact ones, DOUBLE over FLOAT; of exact ones the result holds all digits of both.
func commonNumber(a, b column.Type) column.Type {
	switch {
	case a.ID == column.Double || b.ID == column.Double:
		return column.Of(column.Double)
	case a.ID == column.Float && b.ID == column.Float:
		return column.Of(column.Float)
	case a.ID == column.Float || b.ID == column.Float:
		if a.ID == column.Decimal || b.ID == column.Decimal {
			return column.Of(column.Double)
		}
		return column.Of(column.Float)
	case a.ID == column.Decimal || b.ID == column.Decimal:
		a, b = AsDecimal(a), AsDecimal(b)
		scale := max(a.Scale, b.Scale)
		digits := max(a.Precision-int32(a.Scale), b.Precision-int32(b.Scale))
		return column.DecimalType(int(min(digits+int32(scale), column.MaxDecimalPrecision)), int(scale))
	}
	return column.Of(max(a.ID, b.ID))
}

// AsDecimal is the DECIMAL that holds every value of an exact type.
func AsDecimal(t column.Type) column.Type {
	nullable := !t.NotNull
	switch t.ID {
	case column.TinyInt:
		t = column.DecimalType(3, 0)
	case column.SmallInt:
		t = column.DecimalType(5, 0)
	case column.Int:
		t = column.DecimalType(10, 0)
	case column.BigInt:
		t = column.DecimalType(19, 0)
	}
	return t.Nullable(nullable)
}

// wider is the longer of two texts or byte strings; of one length only if both have it.
func wider(a, b column.Type, fixed, varying column.ID) column.Type {
	id := varying
	if a.ID == fixed && b.ID == fixed && a.Precision == b.Precision {
		id = fixed
	}
	return column.Type{ID: id, Precision: max(a.Precision, b.Precision)}
}

// ComparableType is the type in which two values are compared: their common type, or that of the other side for a text that is compared
// with a number, a time or a boolean.
func ComparableType(a, b column.Type) (column.Type, bool) {
	if t, ok := commonOf(a, b); ok {
		return t, true
	}
	if a.IsText() && (b.IsNumeric() || b.IsTemporal() || b.ID == column.Boolean) {
		return comparedWithText(b), true
	}
	if b.IsText() && (a.IsNumeric() || a.IsTemporal() || a.ID == column.Boolean) {
		return comparedWithText(a), true
	}
	return column.Type{}, false
}

// comparedWithText: whole numbers are compared with texts as numbers that hold any digits.
func comparedWithText(t column.Type) column.Type {
	if t.IsInteger() {
		t = column.Of(column.BigInt)
	}
	return t.Nullable(true)
}
