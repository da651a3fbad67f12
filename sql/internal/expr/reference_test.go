package expr

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/flottio/flott/column"
)

// reference computes an expression for one row, slowly and by other means: big integers, the time package, regular expressions.
type reference struct{ row []any }

var errReference = errors.New("the reference fails")

func (r reference) eval(e Expr) (any, error) {
	switch e := e.(type) {
	case *Column:
		return r.row[e.Index], nil
	case *Literal:
		return e.Value, nil
	case *Cast:
		x, err := r.eval(e.Arg)
		if err != nil || x == nil {
			return nil, err
		}
		v, err := refCast(x, e.Arg.Type(), e.Of)
		if err != nil && e.Try {
			return nil, nil
		}
		return v, err
	}
	return r.call(e.(*Call))
}

func (r reference) call(c *Call) (any, error) {
	switch c.Func {
	case And, Or:
		return r.connective(c)
	case Case:
		for i := 0; i+1 < len(c.Args); i += 2 {
			cond, err := r.eval(c.Args[i])
			if err != nil {
				return nil, err
			}
			if cond == true {
				return r.eval(c.Args[i+1])
			}
		}
		return r.eval(c.Args[len(c.Args)-1])
	case Coalesce:
		for _, a := range c.Args {
			if x, err := r.eval(a); err != nil || x != nil {
				return x, err
			}
		}
		return nil, nil
	}
	var args []any
	null := false
	for _, a := range c.Args {
		x, err := r.eval(a)
		if err != nil {
			return nil, err
		}
		null = null || x == nil
		args = append(args, x)
	}
	if c.Func.Strict && null {
		return nil, nil
	}
	return refApply(c, args)
}

func (r reference) connective(c *Call) (any, error) {
	decisive := c.Func == Or
	var out any = !decisive
	for _, a := range c.Args {
		x, err := r.eval(a)
		switch {
		case err != nil:
			return nil, err
		case x == decisive:
			return decisive, nil
		case x == nil:
			out = nil
		}
	}
	return out, nil
}

func refApply(c *Call, args []any) (any, error) {
	t := c.Args[0].Type()
	switch c.Func {
	case Not:
		return !args[0].(bool), nil
	case IsNull:
		return args[0] == nil, nil
	case IsNotNull:
		return args[0] != nil, nil
	case IsTrue:
		return args[0] == true, nil
	case IsNotTrue:
		return args[0] != true, nil
	case IsFalse:
		return args[0] == false, nil
	case IsNotFalse:
		return args[0] != false, nil
	case Distinct, NotDistinct:
		same := args[0] == nil && args[1] == nil
		if args[0] != nil && args[1] != nil {
			same = refCompare(args[0], t, args[1], c.Args[1].Type()) == 0
		}
		return same == (c.Func == NotDistinct), nil
	case Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual:
		x := refCompare(args[0], t, args[1], c.Args[1].Type())
		return map[*Func]bool{Equal: x == 0, NotEqual: x != 0, Less: x == -1, LessEqual: x == -1 || x == 0, Greater: x == 1,
			GreaterEqual: x == 1 || x == 0}[c.Func], nil
	case In:
		return refIn(args, t), nil
	case Like:
		return refLike(args[0].(string), args[1].(string)), nil
	case ArrayOf, RowOf:
		return args, nil
	case Item:
		list, at := args[0].([]any), args[1].(int64)
		if at < 1 || at > int64(len(list)) {
			return nil, nil
		}
		return list[at-1], nil
	case Field:
		if args[0] == nil {
			return nil, nil
		}
		return args[0].([]any)[args[1].(int32)], nil
	case Negate:
		return refArithmetic("-", refZero(t), t, args[0], t, c.Of)
	}
	return refArithmetic(c.Func.Name, args[0], t, args[1], c.Args[1].Type(), c.Of)
}

func refIn(args []any, t column.Type) any {
	if args[0] == nil {
		return nil
	}
	var out any = false
	for _, v := range args[1:] {
		if v == nil {
			out = nil
		} else if refCompare(args[0], t, v, t) == 0 {
			return true
		}
	}
	return out
}

func refLike(s, pattern string) bool {
	var b strings.Builder
	for _, r := range pattern {
		switch r {
		case '%':
			b.WriteString(".*")
		case '_':
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	return regexp.MustCompile("^(?s:" + b.String() + ")$").MatchString(s)
}

func refZero(t column.Type) any {
	switch t.Storage() {
	case column.Int8s:
		return int8(0)
	case column.Int16s:
		return int16(0)
	case column.Int32s:
		return int32(0)
	case column.Int64s:
		return int64(0)
	case column.Float32s:
		return float32(math.Copysign(0, -1))
	case column.Float64s:
		return math.Copysign(0, -1)
	}
	return column.Int128{}
}

// refNumber is an exact number as an unscaled big integer.
func refNumber(x any) *big.Int {
	if d, ok := x.(column.Int128); ok {
		b := new(big.Int).Lsh(big.NewInt(d.Hi), 64)
		return b.Add(b, new(big.Int).SetUint64(d.Lo))
	}
	v, _ := wholeValue(x)
	return big.NewInt(v)
}

func refRat(x any, t column.Type) *big.Rat {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.Scale)), nil)
	return new(big.Rat).SetFrac(refNumber(x), scale)
}

// refRound is a number to so many digits behind the point, half away from zero.
func refRound(r *big.Rat, digits int) *big.Int {
	n := new(big.Int).Mul(r.Num(), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil))
	q, m := new(big.Int).QuoRem(n, r.Denom(), new(big.Int))
	if m.Abs(m).Lsh(m, 1).Cmp(r.Denom()) >= 0 {
		q.Add(q, big.NewInt(int64(r.Sign())))
	}
	return q
}

// refStore is an exact number in a type: decimals with too many digits are NULL, whole numbers wrap around.
func refStore(r *big.Rat, t column.Type) any {
	if t.ID == column.Decimal {
		x := refRound(r, int(t.Scale))
		if x.CmpAbs(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.Precision)), nil)) >= 0 {
			return nil
		}
		if t.Storage() == column.Int64s {
			return x.Int64()
		}
		mask := new(big.Int).SetUint64(math.MaxUint64)
		return column.Int128{Lo: new(big.Int).And(x, mask).Uint64(), Hi: new(big.Int).Rsh(x, 64).Int64()}
	}
	x := new(big.Int).Quo(r.Num(), r.Denom())
	low := int64(new(big.Int).And(x, new(big.Int).SetUint64(math.MaxUint64)).Uint64())
	return refWhole(low, t)
}

func refWhole(x int64, t column.Type) any {
	switch t.Storage() {
	case column.Int8s:
		return int8(x)
	case column.Int16s:
		return int16(x)
	case column.Int32s:
		return int32(x)
	}
	return x
}

func refCompare(a any, at column.Type, b any, bt column.Type) int {
	switch x := a.(type) {
	case bool:
		return boolInt(x) - boolInt(b.(bool))
	case string:
		return strings.Compare(x, b.(string))
	case float64:
		switch y := b.(float64); {
		case x == y:
			return 0
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 2
	case []any:
		return refCompareLists(x, b.([]any), at)
	}
	if at.ID == column.Decimal {
		return refRat(a, at).Cmp(refRat(b, bt))
	}
	return refNumber(a).Cmp(refNumber(b))
}

func refCompareLists(a, b []any, t column.Type) int {
	for i := range min(len(a), len(b)) {
		var et column.Type
		if t.ID == column.Row {
			et = t.Fields[i].Type
		} else {
			et = *t.Elem
		}
		c := 0
		switch {
		case a[i] == nil && b[i] == nil:
		case a[i] == nil:
			c = -1
		case b[i] == nil:
			c = 1
		default:
			c = refCompare(a[i], et, b[i], et)
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

func refArithmetic(op string, a any, at column.Type, b any, bt, to column.Type) (any, error) {
	if x, ok := a.(float64); ok {
		return refFloat(op, x, b.(float64))
	}
	if to.IsTemporal() || to.IsInterval() {
		if at.IsInterval() && !bt.IsInterval() {
			a, at, b, bt = b, bt, a, at
		}
		return refMove(op, a, at, b, bt, to), nil
	}
	x, y := refRat(a, at), refRat(b, bt)
	switch op {
	case "+":
		return refStore(x.Add(x, y), to), nil
	case "-":
		return refStore(x.Sub(x, y), to), nil
	case "*":
		return refStore(x.Mul(x, y), to), nil
	}
	if y.Sign() == 0 {
		return nil, errReference
	}
	q := new(big.Rat).Quo(x, y)
	if op == "/" {
		return refStore(q, to), nil
	}
	whole := new(big.Rat).SetInt(new(big.Int).Quo(q.Num(), q.Denom()))
	return refStore(x.Sub(x, whole.Mul(whole, y)), to), nil
}

func refFloat(op string, x, y float64) (any, error) {
	switch op {
	case "+":
		return x + y, nil
	case "-":
		return x - y, nil
	case "*":
		return x * y, nil
	}
	return x / y, nil
}

// refMove adds an interval to a time by the time package.
func refMove(op string, a any, at column.Type, b any, bt, to column.Type) any {
	by, _ := wholeValue(b)
	if op == "-" {
		by = -by
	}
	if at.IsInterval() {
		x, _ := wholeValue(a)
		return refWhole(x+by, to)
	}
	t := refTime(a, at)
	switch {
	case bt.ID == column.IntervalMonths:
		y, m, d := t.Date()
		first := time.Date(y, m+time.Month(by), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
		last := first.AddDate(0, 1, -1).Day()
		t = first.AddDate(0, 0, min(d, last)-1)
	case at.ID == column.Date:
		t = t.AddDate(0, 0, int(by/dayMs))
	default:
		t = t.Add(time.Duration(by) * time.Millisecond)
	}
	return refTimeStore(t, to)
}

func refTime(x any, t column.Type) time.Time {
	switch x := x.(type) {
	case int32:
		return time.Unix(int64(x)*86400, 0).UTC()
	case int64:
		if t.Precision <= 3 {
			return time.UnixMilli(x).UTC()
		}
		return time.UnixMicro(x).UTC()
	}
	q, m := new(big.Int).DivMod(refNumber(x), big.NewInt(1e9), new(big.Int))
	return time.Unix(q.Int64(), m.Int64()).UTC()
}

func refTimeStore(t time.Time, to column.Type) any {
	switch {
	case to.ID == column.Date:
		return int32(math.Floor(float64(t.Unix()) / 86400))
	case to.Precision <= 3:
		return t.UnixMilli()
	case to.Precision <= 6:
		return t.UnixMicro()
	}
	x := new(big.Int).Mul(big.NewInt(t.Unix()), big.NewInt(1e9))
	x.Add(x, big.NewInt(int64(t.Nanosecond())))
	return refStore(new(big.Rat).SetInt(x), column.DecimalType(38, 0))
}

func refCast(x any, from, to column.Type) (any, error) {
	switch {
	case to.IsText():
		s := refText(x, from)
		if r := []rune(s); len(r) > int(to.Precision) {
			s = string(r[:to.Precision])
		}
		return s, nil
	case from.IsText():
		return refParse(strings.TrimSpace(x.(string)), to)
	case from.IsTemporal() && to.IsTemporal():
		return refTimeStore(refTime(x, from), to), nil
	case from.ID == column.Boolean && to.ID == column.Boolean, from.Storage() >= column.Lists:
		return x, nil
	case from.ID == column.Boolean:
		if to.ID == column.Double {
			return float64(boolInt(x.(bool))), nil
		}
		return refStore(new(big.Rat).SetInt64(int64(boolInt(x.(bool)))), to), nil
	case to.ID == column.Boolean:
		return refNumber(x).Sign() != 0, nil
	case to.ID == column.Double:
		if f, ok := x.(float64); ok {
			return f, nil
		}
		f, _ := strconv.ParseFloat(refRat(x, from).FloatString(int(from.Scale)), 64)
		return f, nil
	case from.ID == column.Double:
		return refFromFloat(x.(float64), to)
	}
	return refStore(refRat(x, from), to), nil
}

func refFromFloat(f float64, to column.Type) (any, error) {
	if to.ID == column.Decimal {
		r, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'e', -1, 64))
		if !ok {
			return nil, errReference
		}
		return refStore(r, to), nil
	}
	switch {
	case math.IsNaN(f):
		return refWhole(0, to), nil
	case to.ID == column.BigInt:
		return int64(max(min(new(big.Float).SetFloat64(max(min(f, 1e300), -1e300)).Cmp(big.NewFloat(0)), 1), -1)) * 0, errSkip
	}
	return refWhole(int64(max(min(f, math.MaxInt32), math.MinInt32)), to), nil
}

// errSkip marks what the reference does not know.
var errSkip = errors.New("not in the reference")

func refText(x any, t column.Type) string {
	switch x := x.(type) {
	case nil:
		return "NULL"
	case bool:
		return strings.ToUpper(fmt.Sprint(x))
	case string:
		return x
	case float64:
		return string(AppendFloat(nil, x, 64)) // has a table of its own
	case []any:
		parts := make([]string, len(x))
		for i, e := range x {
			if t.ID == column.Row {
				parts[i] = refText(e, t.Fields[i].Type)
			} else {
				parts[i] = refText(e, *t.Elem)
			}
		}
		if t.ID == column.Row {
			return "(" + strings.Join(parts, ", ") + ")"
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	switch {
	case t.ID == column.Date:
		return refTime(x, t).Format("2006-01-02")
	case t.IsTimestamp():
		return refTime(x, t).Format("2006-01-02 15:04:05." + strings.Repeat("0", int(t.Precision)))
	case t.ID == column.IntervalMonths:
		v, _ := wholeValue(x)
		return fmt.Sprintf("%c%d-%02d", "+-"[boolInt(v < 0)], max(v, -v)/12, max(v, -v)%12)
	case t.ID == column.IntervalMillis:
		v, _ := wholeValue(x)
		d := time.Duration(max(v, -v)) * time.Millisecond
		return fmt.Sprintf("%c%d %02d:%02d:%02d.%03d", "+-"[boolInt(v < 0)], d/(24*time.Hour), d/time.Hour%24, d/time.Minute%60,
			d/time.Second%60, d/time.Millisecond%1000)
	}
	return refRat(x, t).FloatString(int(t.Scale))
}

var (
	refWholeForm   = regexp.MustCompile(`^[+-]?(\d+(\.\d*)?|\.\d+)$`)
	refDecimalForm = regexp.MustCompile(`^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$`)
)

func refParse(s string, to column.Type) (any, error) {
	switch {
	case to.ID == column.Boolean:
		switch strings.ToLower(s) {
		case "t", "true", "y", "yes", "1":
			return true, nil
		case "f", "false", "n", "no", "0":
			return false, nil
		}
		return nil, errReference
	case to.IsInteger():
		if !refWholeForm.MatchString(s) {
			return nil, errReference
		}
		r, _ := new(big.Rat).SetString(strings.TrimPrefix(s, "+"))
		whole := new(big.Rat).SetInt(new(big.Int).Quo(r.Num(), r.Denom()))
		v := refStore(whole, to)
		if refNumber(v).Cmp(whole.Num()) != 0 {
			return nil, errReference
		}
		return v, nil
	case to.ID == column.Decimal:
		r, ok := new(big.Rat).SetString(strings.TrimPrefix(s, "+"))
		if !ok || !refDecimalForm.MatchString(s) {
			return nil, errReference
		}
		v := refStore(r, to)
		if v == nil {
			return nil, errReference
		}
		return v, nil
	}
	return nil, errSkip
}
