package expr

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/flottio/flott/column"
)

// castFails reports whether a cast may fail for some value.
func castFails(from, to column.Type) bool { return from.IsText() && !to.IsText() }

// castKernel makes the loop of a cast, and says whether it may fail.
func castKernel(s *Site, try bool) (k Kernel, fails bool, err error) {
	from, to := s.Type(0), s.Result
	switch {
	case from.IsInteger() && to.IsInteger():
		return castIntegers, false, nil
	case (from.IsInteger() || from.ID == column.Float || from.ID == column.Double) && (to.ID == column.Double || to.ID == column.Float):
		return castFloats, false, nil
	case from.IsText() && to.IsText():
		return castText(to), false, nil
	case to.IsText():
		return castToText(from), false, nil
	case from.IsText() && to.IsInteger():
		return castParse(to, try), !try, nil
	}
	return nil, false, fmt.Errorf("a cast from %s to %s is not supported yet", from, to)
}

func integerAt(v *column.Vector, i int) int64 {
	switch v.Store {
	case column.Int8s:
		return int64(v.I8[i])
	case column.Int16s:
		return int64(v.I16[i])
	case column.Int32s:
		return int64(v.I32[i])
	}
	return v.I64[i]
}

func setInteger(v *column.Vector, i int, x int64) {
	switch v.Store {
	case column.Int8s:
		v.I8[i] = int8(x)
	case column.Int16s:
		v.I16[i] = int16(x)
	case column.Int32s:
		v.I32[i] = int32(x)
	default:
		v.I64[i] = x
	}
}

func castIntegers(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
	out.Resize(n)
	for i := range n {
		setInteger(out, i, integerAt(args[0], i))
	}
	return nil
}

func castFloats(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
	out.Resize(n)
	v := args[0]
	for i := range n {
		var x float64
		switch v.Store {
		case column.Float32s:
			x = float64(v.F32[i])
		case column.Float64s:
			x = v.F64[i]
		default:
			x = float64(integerAt(v, i))
		}
		if out.Store == column.Float32s {
			out.F32[i] = float32(x)
		} else {
			out.F64[i] = x
		}
	}
	return nil
}

// castText cuts or pads to the length of the type, in characters.
func castText(to column.Type) Kernel {
	return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		for i, s := range args[0].Str[:n] {
			out.Str[i] = fitText(s, to)
		}
		return nil
	}
}

func fitText(s string, to column.Type) string {
	limit := int(to.Precision)
	if to.ID == column.Varchar && len(s) <= limit {
		return s
	}
	runes := []rune(s)
	if len(runes) > limit {
		return string(runes[:limit])
	}
	if to.ID == column.Char {
		return s + strings.Repeat(" ", limit-len(runes))
	}
	return s
}

func castToText(from column.Type) Kernel {
	return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		for i := range n {
			out.Str[i] = ""
			if x := args[0].At(i); x != nil {
				out.Str[i] = Format(x, from)
			}
		}
		return nil
	}
}

func castParse(to column.Type, try bool) Kernel {
	return func(e *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		for i, s := range args[0].Str[:n] {
			if e.Skip(i) {
				continue
			}
			x, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
			switch {
			case err == nil:
				setInteger(out, i, x)
			case try:
				out.SetNull(i)
			default:
				return fmt.Errorf("cannot read %q as %s", s, to)
			}
		}
		return nil
	}
}
