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
	Distinct     = &Func{Name: "IS DISTINCT FROM", Resolve: known(resolveComparison), Kernel: distinctKernel(true)}
	NotDistinct  = &Func{Name: "IS NOT DISTINCT FROM", Resolve: known(resolveComparison), Kernel: distinctKernel(false)}
)

func known(f func([]Arg) (Signature, error)) func([]Arg) (Signature, error) {
	return func(args []Arg) (Signature, error) {
		sig, err := f(args)
		sig.Result.NotNull = true
		return sig, err
	}
}

func comparison(name string, holds func(c int) bool) *Func {
	return &Func{Name: name, Resolve: resolveComparison, Strict: true, Kernel: func(s *Site) (Kernel, error) {
		return compareKernel(name, s.Type(0), holds), nil
	}}
}

func resolveComparison(args []Arg) (Signature, error) {
	if len(args) != 2 {
		return Signature{}, fmt.Errorf("takes 2 arguments, got %d", len(args))
	}
	common, ok := ComparableType(args[0].Type, args[1].Type)
	if !ok {
		return Signature{}, fmt.Errorf("cannot compare %s with %s", args[0].Type, args[1].Type)
	}
	return Signature{[]column.Type{common, common}, column.Of(column.Boolean).Nullable(anyNullable(args))}, nil
}

func compareKernel(op string, t column.Type, holds func(int) bool) Kernel {
	switch t.Storage() {
	case column.Int8s:
		return orderedKernel(op, func(v *column.Vector) []int8 { return v.I8 })
	case column.Int16s:
		return orderedKernel(op, func(v *column.Vector) []int16 { return v.I16 })
	case column.Int32s:
		return orderedKernel(op, func(v *column.Vector) []int32 { return v.I32 })
	case column.Int64s:
		return orderedKernel(op, func(v *column.Vector) []int64 { return v.I64 })
	case column.Strings:
		return orderedKernel(op, func(v *column.Vector) []string { return v.Str })
	}
	return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		a, b := args[0], args[1]
		for i := range n {
			out.Bool[i] = holds(CompareAt(a, i, b, i))
		}
		return nil
	}
}

// orderedKernel is one loop per operator, so that each is a compare and a store.
func orderedKernel[E cmp.Ordered](op string, values func(*column.Vector) []E) Kernel {
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

func distinctKernel(want bool) func(*Site) (Kernel, error) {
	return fixed(func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		a, b := args[0], args[1]
		for i := range n {
			an, bn := a.IsNull(i), b.IsNull(i)
			out.Bool[i] = (an != bn || !an && CompareAt(a, i, b, i) != 0) == want
		}
		return nil
	})
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
