package expr

import (
	"errors"
	"fmt"

	"github.com/flottio/flott/column"
)

var arithmeticFuncs = []*Func{Plus, Minus, Times, Divide, Mod, Negate, TemporalMinus}

// The arithmetic operators on numbers; times and intervals are the binder's, which calls other functions for them.
var (
	Plus = arithmetic("+", plusType, kernels{
		i8: add[int8], i16: add[int16], i32: add[int32], i64: add[int64],
		f32: add[float32], f64: add[float64]})
	Minus = arithmetic("-", plusType, kernels{
		i8: sub[int8], i16: sub[int16], i32: sub[int32], i64: sub[int64],
		f32: sub[float32], f64: sub[float64]})
	Times = arithmetic("*", timesType, kernels{
		i8: mul[int8], i16: mul[int16], i32: mul[int32], i64: mul[int64],
		f32: mul[float32], f64: mul[float64]})
	Divide = arithmetic("/", divideType, kernels{
		i8: div[int8], i16: div[int16], i32: div[int32], i64: div[int64],
		f32: divFloat[float32], f64: divFloat[float64]})
	Mod = arithmetic("MOD", modType, kernels{
		i8: mod[int8], i16: mod[int16], i32: mod[int32], i64: mod[int64]})
	Negate = &Func{Name: "NEGATE", Strict: true, Resolve: resolveNegate, Kernel: negateKernel}
)

type number interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~float32 | ~float64
}

type whole interface {
	~int8 | ~int16 | ~int32 | ~int64
}

// loop computes out = a op b for all elements. valid marks the rows that count.
type loop[E any] func(out, a, b []E, e *Eval) error

type kernels struct {
	i8  loop[int8]
	i16 loop[int16]
	i32 loop[int32]
	i64 loop[int64]
	f32 loop[float32]
	f64 loop[float64]
}

// errDivision is Flink's message.
var errDivision = errors.New("division by zero")

func add[E number](out, a, b []E, _ *Eval) error {
	for i, x := range a {
		out[i] = x + b[i]
	}
	return nil
}

func sub[E number](out, a, b []E, _ *Eval) error {
	for i, x := range a {
		out[i] = x - b[i]
	}
	return nil
}

func mul[E number](out, a, b []E, _ *Eval) error {
	for i, x := range a {
		out[i] = x * b[i]
	}
	return nil
}

func div[E whole](out, a, b []E, e *Eval) error {
	for i, x := range a {
		y := b[i]
		if y == 0 {
			if !e.Skip(i) {
				return errDivision
			}
			continue
		}
		out[i] = x / y
	}
	return nil
}

func mod[E whole](out, a, b []E, e *Eval) error {
	for i, x := range a {
		y := b[i]
		if y == 0 {
			if !e.Skip(i) {
				return errDivision
			}
			continue
		}
		out[i] = x % y
	}
	return nil
}

func divFloat[E float32 | float64](out, a, b []E, _ *Eval) error {
	for i, x := range a {
		out[i] = x / b[i]
	}
	return nil
}

func arithmetic(name string, result func(a, b column.Type) (column.Type, error), k kernels) *Func {
	return &Func{
		Name: name, Strict: true, Fails: name == "/" || name == "MOD", Safe: safeDivisor,
		Resolve: func(args []Arg) (Signature, error) { return resolveArithmetic(name, args, result) },
		Kernel:  func(s *Site) (Kernel, error) { return arithmeticKernel(name, s, k) },
	}
}

// safeDivisor: the second argument is a number that is not zero, or floating point numbers are divided.
func safeDivisor(args []Expr) bool {
	if t := args[1].Type(); t.ID == column.Float || t.ID == column.Double {
		return !args[0].Type().IsInterval()
	}
	value, _ := constantOf(args[1], nil) // not the literal: a cast may make it zero
	if d, ok := value.(column.Int128); ok {
		return d.Sign() != 0
	}
	x, ok := wholeValue(value)
	return ok && x != 0
}

func resolveArithmetic(name string, args []Arg, result func(a, b column.Type) (column.Type, error)) (Signature, error) {
	if len(args) != 2 {
		return Signature{}, fmt.Errorf("takes 2 arguments, got %d", len(args))
	}
	if sig, ok, err := resolveTimes(name, args); ok || err != nil {
		return sig, err
	}
	a, b := numeric(args[0].Type, args[1].Type), numeric(args[1].Type, args[0].Type)
	if !a.IsNumeric() || !b.IsNumeric() {
		return Signature{}, fmt.Errorf("expects numbers, got %s and %s", args[0].Type, args[1].Type)
	}
	t, err := result(a, b)
	if err != nil {
		return Signature{}, err
	}
	t = t.Nullable(anyNullable(args))
	switch {
	case t.ID == column.Decimal:
		return Signature{[]column.Type{exactOperand(a), exactOperand(b)}, t}, nil
	case name == "MOD":
		wide := column.Of(max(a.ID, b.ID)) // the remainder fits the divisor's type, the dividend need not
		return Signature{[]column.Type{wide, wide}, t}, nil
	}
	return Signature{[]column.Type{t, t}, t}, nil
}

// exactOperand is how an operand reaches a kernel of decimals: whole numbers as 64 bits, without the detour by 128.
func exactOperand(t column.Type) column.Type {
	if t.IsInteger() {
		return column.Of(column.BigInt).Nullable(!t.NotNull)
	}
	return t
}

// numeric is the type of an operand: NULL takes the other's, and so does text beside a number.
func numeric(t, other column.Type) column.Type {
	switch {
	case t.ID == column.Null && other.IsNumeric():
		return other.Nullable(true)
	case t.ID == column.Null:
		return column.Of(column.Int)
	case t.IsText() && other.ID == column.Decimal:
		return column.Of(column.Double).Nullable(!t.NotNull)
	case t.IsText() && other.IsNumeric():
		return other.Nullable(!t.NotNull)
	}
	return t
}

func arithmeticKernel(name string, s *Site, k kernels) (Kernel, error) {
	if t := s.Result; t.IsTemporal() || t.IsInterval() {
		return timeKernel(name, s)
	}
	if s.Result.ID == column.Decimal {
		return decimalKernel(name, s)
	}
	if name == "/" || name == "MOD" {
		if k := constantDivision(name, s); k != nil {
			return k, nil
		}
	}
	if name == "MOD" && s.Type(0).Storage() != s.Result.Storage() {
		return narrowed(s.Type(0), k), nil
	}
	return numberKernel(s.Result, k), nil
}

// narrowed computes in the type of the arguments and stores the result in a narrower one.
func narrowed(t column.Type, k kernels) Kernel {
	inner := numberKernel(t, k)
	return func(e *Eval, args []*column.Vector, n int, out *column.Vector) error {
		wide := column.New(t)
		defer wide.Release()
		if err := inner(e, args, n, wide); err != nil {
			return err
		}
		out.Resize(n)
		for i := range n {
			setInteger(out, i, integerAt(wide, i))
		}
		return nil
	}
}

func numberKernel(t column.Type, k kernels) Kernel {
	switch t.Storage() {
	case column.Int8s:
		return binary(k.i8, func(v *column.Vector) []int8 { return v.I8 })
	case column.Int16s:
		return binary(k.i16, func(v *column.Vector) []int16 { return v.I16 })
	case column.Int32s:
		return binary(k.i32, func(v *column.Vector) []int32 { return v.I32 })
	case column.Int64s:
		return binary(k.i64, func(v *column.Vector) []int64 { return v.I64 })
	case column.Float32s:
		return binary(k.f32, func(v *column.Vector) []float32 { return v.F32 })
	case column.Float64s:
		return binary(k.f64, func(v *column.Vector) []float64 { return v.F64 })
	}
	panic("BUG: expr: arithmetic on " + t.String())
}

func binary[E any](f loop[E], values func(*column.Vector) []E) Kernel {
	return func(e *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		return f(values(out)[:n], values(args[0])[:n], values(args[1])[:n], e)
	}
}

func resolveNegate(args []Arg) (Signature, error) {
	if len(args) != 1 {
		return Signature{}, fmt.Errorf("takes 1 argument, got %d", len(args))
	}
	t := args[0].Type
	switch {
	case t.ID == column.Null:
		t = column.Of(column.Int)
	case t.IsText():
		t = column.Of(column.Double).Nullable(!t.NotNull)
	case !t.IsNumeric() && !t.IsInterval():
		return Signature{}, fmt.Errorf("expects a number or an interval, got %s", t)
	}
	return Signature{[]column.Type{t}, t}, nil
}

func negateKernel(s *Site) (Kernel, error) {
	switch s.Result.Storage() {
	case column.Int8s:
		return unary(negative[int8], func(v *column.Vector) []int8 { return v.I8 }), nil
	case column.Int16s:
		return unary(negative[int16], func(v *column.Vector) []int16 { return v.I16 }), nil
	case column.Int32s:
		return unary(negative[int32], func(v *column.Vector) []int32 { return v.I32 }), nil
	case column.Int64s:
		return unary(negative[int64], func(v *column.Vector) []int64 { return v.I64 }), nil
	case column.Float32s:
		return unary(negative[float32], func(v *column.Vector) []float32 { return v.F32 }), nil
	case column.Float64s:
		return unary(negative[float64], func(v *column.Vector) []float64 { return v.F64 }), nil
	}
	return unary(func(out, a []column.Int128) {
		for i, x := range a {
			out[i] = x.Neg()
		}
	}, func(v *column.Vector) []column.Int128 { return v.I128 }), nil
}

func unary[E any](f func(out, a []E), values func(*column.Vector) []E) Kernel {
	return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		f(values(out)[:n], values(args[0])[:n])
		return nil
	}
}

func negative[E number](out, a []E) {
	for i, x := range a {
		out[i] = -x
	}
}
