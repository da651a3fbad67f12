package column

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ID says which of Flink's logical types a Type is.
type ID uint8

// The logical types. The zero value is Null: the type of a bare NULL.
const (
	Null ID = iota
	Boolean
	TinyInt
	SmallInt
	Int
	BigInt
	Float
	Double
	Decimal
	Char
	Varchar
	Binary
	Varbinary
	Date
	Time
	Timestamp
	TimestampLTZ
	IntervalMonths
	IntervalMillis
	Array
	Map
	Multiset
	Row
	Variant
	Bitmap
	Descriptor
	Symbol
	Raw
	idCount
)

// MaxLength is the length of STRING and BYTES.
const MaxLength = 1<<31 - 1

// Limits and defaults of Flink's types.
const (
	MaxDecimalPrecision     = 38
	DefaultDecimalPrecision = 10
	MaxTimePrecision        = 9
	DefaultTimestampDigits  = 6
	shortDecimalPrecision   = 18 // the largest precision whose unscaled values fit 64 bits
)

// Type is a logical type. It is a value: compare with Equal, never change what it points to. The zero Type is NULL's.
type Type struct {
	ID ID
	// NotNull says that no value of it is NULL. Flink's types are nullable unless they say otherwise.
	NotNull bool
	// Precision is the precision of DECIMAL, TIME and TIMESTAMP, and the length of CHAR, VARCHAR, BINARY and VARBINARY.
	Precision int32
	Scale     int8 // of DECIMAL
	// Key is the key of MAP; Elem the element of ARRAY and MULTISET and the value of MAP.
	Key, Elem *Type
	Fields    []Field // of ROW
	// Interval is the written form of an interval's fields ("DAY TO SECOND(3)"), for printing only.
	Interval string
	// Time attribute of a column: it takes part in event time or is the clock. It belongs to the column, not to the values.
	Attribute Attribute
}

// Attribute says whether a timestamp column is a time attribute.
type Attribute uint8

// The time attributes.
const (
	NoAttribute Attribute = iota
	Rowtime
	Proctime
)

// Field is a field of a ROW type.
type Field struct {
	Name    string
	Type    Type
	Comment string
}

// Of returns the type with an ID that needs no parameters, or those Flink takes when none are written.
func Of(id ID) Type {
	t := Type{ID: id}
	switch id {
	case Decimal:
		t.Precision = DefaultDecimalPrecision
	case Char, Binary:
		t.Precision = 1
	case Varchar, Varbinary:
		t.Precision = MaxLength
	case Timestamp, TimestampLTZ:
		t.Precision = DefaultTimestampDigits
	}
	return t
}

// String is VARCHAR without limit; Bytes is VARBINARY without limit.
func StringType() Type { return Type{ID: Varchar, Precision: MaxLength} }

// BytesType is VARBINARY without limit.
func BytesType() Type { return Type{ID: Varbinary, Precision: MaxLength} }

// DecimalType is DECIMAL(precision, scale).
func DecimalType(precision, scale int) Type {
	return Type{ID: Decimal, Precision: int32(precision), Scale: int8(scale)}
}

// TimestampType is TIMESTAMP(precision).
func TimestampType(precision int) Type { return Type{ID: Timestamp, Precision: int32(precision)} }

// LocalTimestampType is TIMESTAMP_LTZ(precision).
func LocalTimestampType(precision int) Type {
	return Type{ID: TimestampLTZ, Precision: int32(precision)}
}

// ArrayType is ARRAY<elem>.
func ArrayType(elem Type) Type { return Type{ID: Array, Elem: &elem} }

// MapType is MAP<key, value>.
func MapType(key, value Type) Type { return Type{ID: Map, Key: &key, Elem: &value} }

// MultisetType is MULTISET<elem>.
func MultisetType(elem Type) Type { return Type{ID: Multiset, Elem: &elem} }

// RowType is ROW<fields>.
func RowType(fields ...Field) Type { return Type{ID: Row, Fields: fields} }

// Nullable returns the type with or without NULL.
func (t Type) Nullable(nullable bool) Type {
	t.NotNull = !nullable
	return t
}

// Equal reports whether both are the same type, nullability included. Time attributes and comments do not count.
func (t Type) Equal(o Type) bool { return t.NotNull == o.NotNull && t.Same(o) }

// Same is Equal without the nullability of the type itself.
func (t Type) Same(o Type) bool {
	if t.ID != o.ID || t.Precision != o.Precision || t.Scale != o.Scale || len(t.Fields) != len(o.Fields) {
		return false
	}
	same := func(a, b *Type) bool { return a == b || a != nil && b != nil && a.Equal(*b) }
	return same(t.Key, o.Key) && same(t.Elem, o.Elem) && slices.EqualFunc(t.Fields, o.Fields, func(a, b Field) bool {
		return a.Name == b.Name && a.Type.Equal(b.Type)
	})
}

var idNames = [idCount]string{"NULL", "BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL", "CHAR", "VARCHAR",
	"BINARY", "VARBINARY", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP_LTZ", "INTERVAL MONTH", "INTERVAL SECOND", "ARRAY", "MAP", "MULTISET",
	"ROW", "VARIANT", "BITMAP", "DESCRIPTOR", "SYMBOL", "RAW"}

// String returns the name of the type family.
func (i ID) String() string { return idNames[i] }

// String returns Flink's serialisable form: "DECIMAL(10, 2) NOT NULL", "ROW<`a` INT, `b` STRING>".
func (t Type) String() string {
	s := t.bare()
	if t.NotNull {
		s += " NOT NULL"
	}
	return s
}

func (t Type) bare() string {
	switch t.ID {
	case Decimal:
		return fmt.Sprintf("DECIMAL(%d, %d)", t.Precision, t.Scale)
	case Char, Binary:
		return t.ID.String() + "(" + strconv.Itoa(int(t.Precision)) + ")"
	case Varchar:
		return t.text("STRING")
	case Varbinary:
		return t.text("BYTES")
	case Time, Timestamp, TimestampLTZ:
		return t.ID.String() + "(" + strconv.Itoa(int(t.Precision)) + ")"
	case IntervalMonths, IntervalMillis:
		if t.Interval != "" {
			return "INTERVAL " + t.Interval
		}
		return t.ID.String()
	case Array, Multiset:
		return t.ID.String() + "<" + t.Elem.String() + ">"
	case Map:
		return "MAP<" + t.Key.String() + ", " + t.Elem.String() + ">"
	case Row:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = "`" + strings.ReplaceAll(f.Name, "`", "``") + "` " + f.Type.String()
		}
		return "ROW<" + strings.Join(parts, ", ") + ">"
	}
	return t.ID.String()
}

func (t Type) text(unlimited string) string {
	if t.Precision == MaxLength {
		return unlimited
	}
	return t.ID.String() + "(" + strconv.Itoa(int(t.Precision)) + ")"
}

// IsNumeric reports whether values are numbers.
func (t Type) IsNumeric() bool { return t.ID >= TinyInt && t.ID <= Decimal }

// IsInteger reports whether values are whole numbers of fixed width.
func (t Type) IsInteger() bool { return t.ID >= TinyInt && t.ID <= BigInt }

// IsText reports whether values are character strings.
func (t Type) IsText() bool { return t.ID == Char || t.ID == Varchar }

// IsBinary reports whether values are byte strings.
func (t Type) IsBinary() bool { return t.ID == Binary || t.ID == Varbinary }

// IsTimestamp reports whether values are timestamps, with or without local time zone.
func (t Type) IsTimestamp() bool { return t.ID == Timestamp || t.ID == TimestampLTZ }

// IsTemporal reports whether values are points in time.
func (t Type) IsTemporal() bool { return t.ID >= Date && t.ID <= TimestampLTZ }

// IsInterval reports whether values are lengths of time.
func (t Type) IsInterval() bool { return t.ID == IntervalMonths || t.ID == IntervalMillis }
