package schema

import "strconv"

// RowKind says what a row of a changelog does. The zero value is Insert. The numbers are Flink's and are stored.
type RowKind uint8

// The kinds of rows.
const (
	Insert       RowKind = 0 // +I
	UpdateBefore RowKind = 1 // -U: the row as it was; an UpdateAfter of the same key follows
	UpdateAfter  RowKind = 2 // +U
	Delete       RowKind = 3 // -D
)

// String returns Flink's short form: +I, -U, +U or -D.
func (k RowKind) String() string {
	switch k {
	case Insert:
		return "+I"
	case UpdateBefore:
		return "-U"
	case UpdateAfter:
		return "+U"
	case Delete:
		return "-D"
	}
	return "rowkind(" + strconv.Itoa(int(k)) + ")"
}

// Adds reports whether the row puts something into the table it describes: +I or +U. The others take something out.
func (k RowKind) Adds() bool { return k == Insert || k == UpdateAfter }

// ParseRowKind reads the short form.
func ParseRowKind(s string) (k RowKind, ok bool) {
	for k := Insert; k <= Delete; k++ {
		if k.String() == s {
			return k, true
		}
	}
	return 0, false
}
