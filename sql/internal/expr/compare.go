package expr

import (
	"cmp"
	"fmt"
	"math"

	"github.com/flottio/flott/column"
)

var compareFuncs = []*Func{Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual, Distinct, NotDistinct, In, Like, Similar}

// The comparisons. Both sides are cast to their common type.
var (
	Equal        = comparison("=", func(c int) bool { return c == 0 })
	NotEqual     = comparison("<>", func(c int) bool { return c != 0 })
	Less         = comparison("<", func(c int) bool { return c < 0 })
	LessEqual    = comparison("<=", func(c int) bool { return c <= 0 })
	Greater      = comparison(">", func(c int) bool { return c > 0 })
	GreaterEqual = comparison(">=", func(c int) bool { return c >= 0 })
	Distinct     = &Func{Name: "IS DISTINCT FROM", Resolve: known(resolveComparison), Lenient: true, Kernel: distinctKernel(true)}
	NotDistinct  = &Func{Name: "IS NOT DISTINCT FROM", Resolve: known(resolveComparison), Lenient: true, Kernel: distinctKernel(false)}
)

func known(f func([]Arg) (Signature, error)) func([]Arg) (Signature, error) {
	return func(args []Arg) (Signature, error) {
		sig, err := f(args)
		sig.Result.NotNull = true
		return sig, err
	}
}

func comparison(name string, holds func(c int) bool) *Func {
	return &Func{Name: name, Resolve: resolveComparison, Strict: true, Lenient: true, Kernel: func(s *Site) (Kernel, error) {
		return compareKernel(name, s, holds), nil
	}}
}

func resolveComparison(args []Arg) (Signature, error) {
	if len(args) != 2 {
		return Signature{}, fmt.Errorf("takes 2 arguments, got %d", len(args))
	}
	a, b := args[0].Type, args[1].Type
	common, ok := ComparableType(a, b)
	if !ok {
		return Signature{}, fmt.Errorf("cannot compare %s with %s", a, b)
	}
	sig := Signature{Args: []column.Type{common, common}, Result: column.Of(column.Boolean).Nullable(anyNullable(args))}
	if common.ID == column.Decimal && a.IsNumeric() && b.IsNumeric() && clipsDigits(a, b) {
		sig.Args = []column.Type{AsDecimal(a), AsDecimal(b)}
	}
	return sig, nil
}

// clipsDigits reports whether no DECIMAL holds all digits of both: such are compared as they are.
func clipsDigits(a, b column.Type) bool {
	a, b = AsDecimal(a), AsDecimal(b)
	return max(a.Precision-int32(a.Scale), b.Precision-int32(b.Scale))+int32(max(a.Scale, b.Scale)) > column.MaxDecimalPrecision
}

func compareKernel(op string, s *Site, holds func(int) bool) Kernel {
	t := s.Type(0)
	if other := s.Type(1); t.ID == column.Decimal && other.ID == column.Decimal && t.Scale != other.Scale {
		return compareDecimals(int(t.Scale), int(other.Scale), holds)
	}
	switch t.Storage() {
	case column.Int8s:
		return orderedKernel(op, s, func(v *column.Vector) []int8 { return v.I8 })
	case column.Int16s:
		return orderedKernel(op, s, func(v *column.Vector) []int16 { return v.I16 })
	case column.Int32s:
		return orderedKernel(op, s, func(v *column.Vector) []int32 { return v.I32 })
	case column.Int64s:
		return orderedKernel(op, s, func(v *column.Vector) []int64 { return v.I64 })
	case column.Float32s:
		return orderedKernel(op, s, func(v *column.Vector) []float32 { return v.F32 })
	case column.Float64s:
		return orderedKernel(op, s, func(v *column.Vector) []float64 { return v.F64 })
	case column.Strings:
		if text, ok := constantOf(s.Args[1], s.Env); ok && text != nil && text != "" && op == "=" {
			return equalsText(text.(string))
		}
		return orderedKernel(op, s, func(v *column.Vector) []string { return v.Str })
	}
	return func(e *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		a, b := args[0], args[1]
		for i := range n {
			out.Bool[i] = !e.Skip(i) && holds(CompareAt(a, i, b, i))
		}
		return nil
	}
}

// equalsText looks at length and first byte before it compares.
func equalsText(y string) Kernel {
	first := y[0]
	return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		to := out.Bool[:n]
		for i, x := range args[0].Str[:n] {
			to[i] = len(x) == len(y) && x[0] == first && (len(x) == 1 || x == y)
		}
		return nil
	}
}

func compareDecimals(aScale, bScale int, holds func(int) bool) Kernel {
	return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		for i := range n {
			out.Bool[i] = holds(CompareDecimals(longAt(args[0], i), aScale, longAt(args[1], i), bScale))
		}
		return nil
	}
}

// orderedKernel is one loop per operator, so that each is a compare and a store. Floating point numbers are compared as Java does it: NaN is
// not equal to anything.
func orderedKernel[E cmp.Ordered](op string, s *Site, values func(*column.Vector) []E) Kernel {
	if value, ok := constantOf(s.Args[1], s.Env); ok && value != nil {
		one := column.New(s.Type(1))
		one.Append(value)
		return constantKernel(op, values(one)[0], values)
	}
	return vectorKernel(op, values)
}

func vectorKernel[E cmp.Ordered](op string, values func(*column.Vector) []E) Kernel {
	loops := map[string]func(a, b []E, out []bool){
		"=": func(a, b []E, out []bool) {
			for i, x := range a {
				out[i] = x == b[i]
			}
		},
		"<>": func(a, b []E, out []bool) {
			for i, x := range a {
				out[i] = x != b[i]
			}
		},
		"<": func(a, b []E, out []bool) {
			for i, x := range a {
				out[i] = x < b[i]
			}
		},
		"<=": func(a, b []E, out []bool) {
			for i, x := range a {
				out[i] = x <= b[i]
			}
		},
		">": func(a, b []E, out []bool) {
			for i, x := range a {
				out[i] = x > b[i]
			}
		},
		">=": func(a, b []E, out []bool) {
			for i, x := range a {
				out[i] = x >= b[i]
			}
		},
	}
	loop := loops[op]
	return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		loop(values(args[0])[:n], values(args[1])[:n], out.Bool[:n])
		return nil
	}
}

// constantKernel compares with a constant in a register.
func constantKernel[E cmp.Ordered](op string, y E, values func(*column.Vector) []E) Kernel {
	loops := map[string]func(a []E, out []bool){
		"=": func(a []E, out []bool) {
			for i, x := range a {
				out[i] = x == y
			}
		},
		"<>": func(a []E, out []bool) {
			for i, x := range a {
				out[i] = x != y
			}
		},
		"<": func(a []E, out []bool) {
			for i, x := range a {
				out[i] = x < y
			}
		},
		"<=": func(a []E, out []bool) {
			for i, x := range a {
				out[i] = x <= y
			}
		},
		">": func(a []E, out []bool) {
			for i, x := range a {
				out[i] = x > y
			}
		},
		">=": func(a []E, out []bool) {
			for i, x := range a {
				out[i] = x >= y
			}
		},
	}
	loop := loops[op]
	return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		loop(values(args[0])[:n], out.Bool[:n])
		return nil
	}
}

func distinctKernel(want bool) func(*Site) (Kernel, error) {
	return func(s *Site) (Kernel, error) {
		aScale, bScale := int(s.Type(0).Scale), int(s.Type(1).Scale)
		return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
			out.Resize(n)
			a, b := args[0], args[1]
			for i := range n {
				an, bn := a.IsNull(i), b.IsNull(i)
				differ := an != bn
				switch {
				case an || bn:
				case aScale != bScale:
					differ = CompareDecimals(longAt(a, i), aScale, longAt(b, i), bScale) != 0
				default:
					differ = CompareAt(a, i, b, i) != 0
				}
				out.Bool[i] = differ == want
			}
			return nil
		}, nil
	}
}

// CompareAt orders two values that are not NULL and of one type: -1, 0 or 1. Inside nested values NULL is less than everything. NaN is equal to
// itself and greater than every other number, -0 equals 0, as in grouping.
func CompareAt(a *column.Vector, i int, b *column.Vector, j int) int {
	switch a.Store {
	case column.Bools:
		return boolInt(a.Bool[i]) - boolInt(b.Bool[j])
	case column.Int8s:
		return cmp.Compare(a.I8[i], b.I8[j])
	case column.Int16s:
		return cmp.Compare(a.I16[i], b.I16[j])
	case column.Int32s:
		return cmp.Compare(a.I32[i], b.I32[j])
	case column.Int64s:
		return cmp.Compare(a.I64[i], b.I64[j])
	case column.Float32s:
		return compareFloat(float64(a.F32[i]), float64(b.F32[j]))
	case column.Float64s:
		return compareFloat(a.F64[i], b.F64[j])
	case column.Int128s:
		return a.I128[i].Cmp(b.I128[j])
	case column.Strings:
		return cmp.Compare(a.Str[i], b.Str[j])
	case column.Lists, column.Maps:
		return compareNested(a, i, b, j)
	case column.Structs:
		for k := range a.Kids {
			if c := CompareNullable(a.Kids[k], i, b.Kids[k], j); c != 0 {
				return c
			}
		}
	}
	return 0
}

// CompareNullable is CompareAt with NULL as the least value, equal to itself.
func CompareNullable(a *column.Vector, i int, b *column.Vector, j int) int {
	switch an, bn := a.IsNull(i), b.IsNull(j); {
	case an && bn:
		return 0
	case an:
		return -1
	case bn:
		return 1
	}
	return CompareAt(a, i, b, j)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func compareFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	}
	return boolInt(math.IsNaN(a)) - boolInt(math.IsNaN(b))
}

// compareNested orders lists element by element. Maps are equal whatever the order of their entries.
func compareNested(a *column.Vector, i int, b *column.Vector, j int) int {
	an, bn := int(a.Off[i+1]-a.Off[i]), int(b.Off[j+1]-b.Off[j])
	if a.Store == column.Maps {
		if an != bn {
			return cmp.Compare(an, bn)
		}
		return compareMaps(a, i, b, j)
	}
	for e := range min(an, bn) {
		if c := CompareNullable(a.Kids[0], int(a.Off[i])+e, b.Kids[0], int(b.Off[j])+e); c != 0 {
			return c
		}
	}
	return cmp.Compare(an, bn)
}

func compareMaps(a *column.Vector, i int, b *column.Vector, j int) int {
	for x := int(a.Off[i]); x < int(a.Off[i+1]); x++ {
		found := false
		for y := int(b.Off[j]); y < int(b.Off[j+1]) && !found; y++ {
			found = CompareNullable(a.Kids[0], x, b.Kids[0], y) == 0 && CompareNullable(a.Kids[1], x, b.Kids[1], y) == 0
		}
		if !found {
			return 1
		}
	}
	return 0
}
