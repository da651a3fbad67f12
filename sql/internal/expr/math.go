package expr

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"

	"github.com/flottio/flott/column"
)

// mathFuncs: FLOOR and CEIL are in rounding.go, where they take times too.
var mathFuncs = []*Func{
	absFunc, signFunc,
	realFunc("SQRT", math.Sqrt), realFunc("LN", naturalLog), realFunc("LOG10", math.Log10), realFunc("LOG2", math.Log2),
	realFunc("EXP", math.Exp), realFunc("SIN", math.Sin), realFunc("COS", math.Cos), realFunc("TAN", math.Tan),
	realFunc("COT", func(x float64) float64 { return 1 / math.Tan(x) }), realFunc("ASIN", math.Asin), realFunc("ACOS", math.Acos),
	realFunc("ATAN", math.Atan), realFunc("SINH", math.Sinh), realFunc("COSH", math.Cosh), realFunc("TANH", math.Tanh),
	realFunc("DEGREES", func(x float64) float64 { return x * (180 / math.Pi) }),
	realFunc("RADIANS", func(x float64) float64 { return x * (math.Pi / 180) }),
	strict("ATAN2", "float float", gives(doubleType), pairs(math.Atan2)),
	strict("POWER", "float float", gives(doubleType), pairs(math.Pow)),
	strict("LOG", "float float?", gives(doubleType), rowwise(logOf)),
	constantFunc("PI", math.Pi), constantFunc("E", math.E),
	randFunc, randIntegerFunc,
	strict("BIN", "long", gives(textType), rowwise(func(r *row) error {
		return r.setBytes(strconv.AppendUint(r.free(), uint64(r.whole(0)), 2))
	})),
	strict("HEX", "long | text | bin", gives(textType), hexKernel),
	strict("UNHEX", "text", mayGive(bytesType), rowwise(unhex)),
}

func naturalLog(x float64) float64 { return math.Log(x) }

func realFunc(name string, f func(float64) float64) *Func {
	return strict(name, "float", gives(doubleType), fixed(func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		for i, x := range args[0].F64[:n] {
			out.F64[i] = f(x)
		}
		return nil
	}))
}

func pairs(f func(x, y float64) float64) func(*Site) (Kernel, error) {
	return fixed(func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		y := args[1].F64[:n]
		for i, x := range args[0].F64[:n] {
			out.F64[i] = f(x, y[i])
		}
		return nil
	})
}

func logOf(r *row) error {
	if !r.has(1) {
		return r.setFloat(math.Log(r.float(0)))
	}
	return r.setFloat(math.Log(r.float(1)) / math.Log(r.float(0)))
}

func constantFunc(name string, x float64) *Func {
	return strict(name, "", mustGive(doubleType), fixed(func(_ *Eval, _ []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		return fill(out.F64, x)
	}))
}

var absFunc = strict("ABS", "num", givesArg(0), func(s *Site) (Kernel, error) {
	switch s.Result.Storage() {
	case column.Int8s:
		return unary(absolute[int8], func(v *column.Vector) []int8 { return v.I8 }), nil
	case column.Int16s:
		return unary(absolute[int16], func(v *column.Vector) []int16 { return v.I16 }), nil
	case column.Int32s:
		return unary(absolute[int32], func(v *column.Vector) []int32 { return v.I32 }), nil
	case column.Int64s:
		return unary(absolute[int64], func(v *column.Vector) []int64 { return v.I64 }), nil
	case column.Float32s:
		return unary(absolute[float32], func(v *column.Vector) []float32 { return v.F32 }), nil
	case column.Float64s:
		return unary(func(out, a []float64) {
			for i, x := range a {
				out[i] = math.Abs(x)
			}
		}, func(v *column.Vector) []float64 { return v.F64 }), nil
	}
	return unary(func(out, a []column.Int128) {
		for i, x := range a {
			out[i] = x.Abs()
		}
	}, func(v *column.Vector) []column.Int128 { return v.I128 }), nil
})

func absolute[E number](out, a []E) {
	for i, x := range a {
		if x < 0 {
			x = -x
		}
		out[i] = x
	}
}

// signFunc has the type of its argument: SIGN(-1.1) is -1.0.
var signFunc = strict("SIGN", "num", givesArg(0), rowwise(func(r *row) error {
	v, i := r.args[0], r.i
	switch {
	case v.Type.ID == column.Decimal:
		one := column.Pow10[v.Type.Scale]
		switch longAt(v, i).Sign() {
		case 0:
			one = column.Int128{}
		case -1:
			one = one.Neg()
		}
		setDecimal(r.out, i, one, true)
	case v.Store == column.Float32s:
		r.out.F32[i] = float32(signum(float64(v.F32[i])))
	case v.Store == column.Float64s:
		r.out.F64[i] = signum(v.F64[i])
	default:
		x := integerAt(v, i)
		setInteger(r.out, i, int64(boolInt(x > 0)-boolInt(x < 0)))
	}
	return nil
}))

func signum(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x // zero with its sign, NaN
}

const upperHex = "0123456789ABCDEF"

func hexKernel(s *Site) (Kernel, error) {
	if s.Type(0).IsInteger() {
		return rowKernelOf(func(r *row) error {
			b := strconv.AppendUint(r.free(), uint64(r.whole(0)), 16)
			for i, c := range b {
				if c >= 'a' {
					b[i] = c - 'a' + 'A'
				}
			}
			return r.setBytes(b)
		}), nil
	}
	return rowKernelOf(func(r *row) error {
		b, s := r.free(), r.text(0)
		for i := 0; i < len(s); i++ {
			b = append(b, upperHex[s[i]>>4], upperHex[s[i]&15])
		}
		return r.setBytes(b)
	}), nil
}

// unhex gives NULL for what is not hexadecimal; the first of an odd number of digits stands alone.
func unhex(r *row) error {
	s, b := r.text(0), r.free()
	for i := 0; i < len(s); i++ {
		d := hexDigit(s[i])
		if d < 0 {
			return r.null()
		}
		if (len(s)-i)%2 == 0 || i == 0 && len(s)%2 == 1 {
			b = append(b, byte(d))
		} else {
			b[len(b)-1] = b[len(b)-1]<<4 | byte(d)
		}
	}
	return r.setBytes(b)
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// javaRandom is the generator of java.util.Random, so that a seed gives the numbers that it gives in Flink.
type javaRandom struct{ state uint64 }

func newJavaRandom(seed int64) *javaRandom {
	return &javaRandom{(uint64(seed) ^ 0x5DEECE66D) & (1<<48 - 1)}
}

func (r *javaRandom) next(bits uint) int32 {
	r.state = (r.state*0x5DEECE66D + 0xB) & (1<<48 - 1)
	return int32(r.state >> (48 - bits))
}

func (r *javaRandom) float() float64 {
	hi, lo := int64(r.next(26)), int64(r.next(27))
	return float64(hi<<27+lo) / (1 << 53)
}

func (r *javaRandom) below(bound int32) int32 {
	if bound&(bound-1) == 0 {
		return int32(int64(bound) * int64(r.next(31)) >> 31)
	}
	for {
		bits := r.next(31)
		value := bits % bound
		if bits-value+(bound-1) >= 0 {
			return value
		}
	}
}

// RAND and RAND_INTEGER: with a literal seed the numbers of one call site are one sequence; a seed from the row begins anew for each row.
var (
	randFunc = &Func{Name: "RAND", Strict: true, Volatility: Volatile, Resolve: takes("RAND", "int?", gives(doubleType)), Kernel: randKernel}

	randIntegerFunc = fails(&Func{Name: "RAND_INTEGER", Strict: true, Volatility: Volatile,
		Resolve: takes("RAND_INTEGER", "int int?", gives(intType)), Kernel: randIntegerKernel})
)

func randKernel(s *Site) (Kernel, error) {
	source, fixedSeed := seedOf(s, len(s.Args) > 0)
	return rowKernelOf(func(r *row) error {
		if !fixedSeed {
			source = newJavaRandom(r.whole(0))
		}
		return r.setFloat(source.float())
	}), nil
}

// seedOf returns the generator of a site whose seed, if it has one, is a literal.
func seedOf(s *Site, seeded bool) (source *javaRandom, ok bool) {
	if !seeded {
		return newJavaRandom(freshSeed()), true
	}
	seed, ok := constantOf(s.Args[0], s.Env)
	x, isInt := seed.(int32)
	if !ok || !isInt {
		return nil, false
	}
	return newJavaRandom(int64(x)), true
}

func randIntegerKernel(s *Site) (Kernel, error) {
	source, fixedSeed := seedOf(s, len(s.Args) > 1)
	bound := len(s.Args) - 1
	return rowKernelOf(func(r *row) error {
		n := r.whole(bound)
		if n <= 0 {
			return fmt.Errorf("the bound of RAND_INTEGER must be positive, got %d", n)
		}
		if !fixedSeed {
			source = newJavaRandom(r.whole(0))
		}
		return r.setWhole(int64(source.below(int32(n))))
	}), nil
}

// roundFuncs round numbers to decimal places.
var roundFuncs = []*Func{
	{Name: "ROUND", Strict: true, Resolve: resolveRound("ROUND"), Kernel: roundKernel(true)},
	{Name: "TRUNCATE", Strict: true, Resolve: resolveRound("TRUNCATE"), Kernel: roundKernel(false)},
}

func resolveRound(name string) func([]Arg) (Signature, error) {
	return takes(name, "num int?", func(args []Arg, types []column.Type) (column.Type, error) {
		t := types[0].Nullable(anyNullable(args))
		if t.ID != column.Decimal {
			return t, nil
		}
		places := int64(0)
		if len(args) == 2 {
			l := args[1].Literal
			if l == nil || l.Value == nil {
				return t, nil
			}
			places, _ = wholeValue(l.Value)
		}
		p, s := int64(t.Precision), int64(t.Scale)
		switch {
		case places >= s:
			return t, nil
		case places < 0:
			p, places = min(38, 1+p-s), 0
		default:
			p = min(38, 1+p-s+places)
		}
		return column.DecimalType(int(p), int(places)).Nullable(!t.NotNull), nil
	})
}

func roundKernel(half bool) func(*Site) (Kernel, error) {
	return func(s *Site) (Kernel, error) {
		t := s.Type(0)
		return rowKernelOf(func(r *row) error {
			places := int(max(min(r.wholeOr(1, 0), 400), -400))
			v := r.args[0]
			switch t.ID {
			case column.Decimal:
				x, ok := roundDecimal(longAt(v, r.i), int(t.Scale), places, half)
				if ok {
					x, ok = toScale(x, int(t.Scale), int(r.out.Type.Scale))
				}
				setDecimal(r.out, r.i, x, ok)
			case column.Float:
				r.out.F32[r.i] = float32(roundFloat(float64(v.F32[r.i]), 32, places, half))
			case column.Double:
				r.out.F64[r.i] = roundFloat(v.F64[r.i], 64, places, half)
			default:
				x, _ := roundDecimal(column.Int128From(integerAt(v, r.i)), 0, places, half)
				setInteger(r.out, r.i, int64(x.Lo))
			}
			return nil
		}), nil
	}
}

// roundDecimal makes the digits behind the given place zero; the scale stays.
func roundDecimal(x column.Int128, scale, places int, half bool) (column.Int128, bool) {
	drop := scale - places
	switch {
	case drop <= 0:
		return x, true
	case drop > column.MaxDecimalPrecision:
		return column.Int128{}, true
	case half:
		return x.ScaleDown(drop).ScaleUp(drop)
	}
	_, rem := x.QuoRem(column.Pow10[drop])
	return x.Sub(rem), true
}

func toScale(x column.Int128, from, to int) (column.Int128, bool) {
	if to >= from {
		return x.ScaleUp(to - from)
	}
	return x.ScaleDown(from - to), true
}

// roundFloat rounds the shortest decimal form of a number, as Java's BigDecimal.valueOf does.
func roundFloat(x float64, bits, places int, half bool) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return x
	}
	text := strconv.FormatFloat(x, 'f', -1, bits)
	exact, ok := new(big.Rat).SetString(text)
	if !ok {
		return x
	}
	scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(places, -places))), nil))
	if places < 0 {
		scale.Inv(scale)
	}
	exact.Mul(exact, scale)
	num := new(big.Int).Set(exact.Num())
	if half {
		// half up away from zero: (2|n| + d) / 2d
		abs := new(big.Int).Abs(num)
		abs.Add(abs.Lsh(abs, 1), exact.Denom())
		abs.Quo(abs, new(big.Int).Lsh(exact.Denom(), 1))
		if num.Sign() < 0 {
			abs.Neg(abs)
		}
		num = abs
	} else {
		num.Quo(num, exact.Denom())
	}
	f, _ := new(big.Rat).Quo(new(big.Rat).SetInt(num), scale).Float64()
	return f
}

// extremeFuncs: NULL if an argument is.
var extremeFuncs = []*Func{
	{Name: "GREATEST", Strict: true, Resolve: resolveExtreme, Kernel: extremeKernel(1)},
	{Name: "LEAST", Strict: true, Resolve: resolveExtreme, Kernel: extremeKernel(-1)},
}

func resolveExtreme(args []Arg) (Signature, error) {
	if len(args) == 0 {
		return Signature{}, errors.New("takes at least 1 argument")
	}
	types := make([]column.Type, len(args))
	for i, a := range args {
		types[i] = a.Type
		types[i].Attribute = column.NoAttribute
	}
	t, ok := CommonType(types)
	if !ok || !ordered(t) {
		return Signature{}, fmt.Errorf("the arguments cannot be compared: %s", typeList(types))
	}
	sig := Signature{Result: t}
	for range args {
		sig.Args = append(sig.Args, t)
	}
	return sig, nil
}

// ordered reports whether values of the type have an order that SQL knows.
func ordered(t column.Type) bool {
	return t.ID == column.Null || t.ID >= column.Boolean && t.ID <= column.IntervalMillis
}

func extremeKernel(sign int) func(*Site) (Kernel, error) {
	return fixed(func(e *Eval, args []*column.Vector, n int, out *column.Vector) error {
		all := column.New(out.Type)
		defer all.Release()
		for _, v := range args {
			appendRows(all, v, n)
		}
		at := make([]int32, n)
		for i := range n {
			best := i
			for k := 1; k < len(args) && !e.Skip(i); k++ {
				if CompareAt(all, k*n+i, all, best)*sign > 0 {
					best = k*n + i
				}
			}
			at[i] = int32(best)
		}
		all.Gather(out, at)
		return nil
	})
}
