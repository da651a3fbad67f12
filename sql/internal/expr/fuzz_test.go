package expr

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/flottio/flott/column"
)

var fuzzTypes = []column.Type{
	column.Of(column.Boolean), column.Of(column.TinyInt), column.Of(column.Int), column.Of(column.BigInt), column.Of(column.Double),
	column.DecimalType(5, 2), column.DecimalType(18, 6), column.DecimalType(30, 10), column.DecimalType(38, 2), column.DecimalType(38, 30),
	column.StringType(), column.Of(column.Date), column.TimestampType(3), column.TimestampType(6), column.TimestampType(9),
	column.Of(column.IntervalMonths), column.Of(column.IntervalMillis), column.ArrayType(column.Of(column.Int)),
	column.RowType(column.Field{Name: "a", Type: column.Of(column.Int)}, column.Field{Name: "b", Type: column.StringType()}),
}

// treeMaker makes random typed expressions over one column of each type, twice.
type treeMaker struct{ *rand.Rand }

func (m treeMaker) value(t column.Type) any {
	if m.IntN(5) == 0 {
		return nil
	}
	whole := func() int64 {
		switch m.IntN(4) {
		case 0:
			return int64(m.IntN(7)) - 3
		case 1:
			return []int64{math.MaxInt64, math.MinInt64, math.MaxInt32, math.MinInt32, 127, -128, 0, -1}[m.IntN(8)]
		}
		return int64(m.IntN(2000)) - 1000
	}
	switch t.ID {
	case column.Boolean:
		return m.IntN(2) == 0
	case column.TinyInt, column.Int, column.BigInt:
		return refWhole(whole(), t)
	case column.Double:
		return []float64{0, 1, -1.5, 1e10, -1e-7, 123.456, 9e18, math.Inf(1), math.NaN(), math.MaxFloat64}[m.IntN(10)]
	case column.Decimal:
		limit := column.Pow10[m.IntN(int(t.Precision))+1]
		_, x := column.Int128{Lo: m.Uint64(), Hi: m.Int64()}.QuoRem(limit)
		if m.IntN(4) == 0 {
			x = limit.Sub(column.Int128From(1))
		}
		if t.Storage() == column.Int64s {
			return int64(x.Lo)
		}
		return x
	case column.Varchar:
		return []string{"", "a", "ab%", "12", "-1.5", "1e3", " 7 ", "ärger", "true", "129", "x_b", "99999999999999999999", "."}[m.IntN(13)]
	case column.Date, column.IntervalMonths:
		return int32(m.IntN(40000) - 20000)
	case column.IntervalMillis:
		return m.Int64N(1e11) - 5e10
	case column.Timestamp:
		sec, nano := m.Int64N(4e9)-2e9, m.Int64N(1e9)
		return refTimeStore(time.Unix(sec, nano), t)
	case column.Array:
		list := []any{}
		for range m.IntN(4) {
			list = append(list, m.value(*t.Elem))
		}
		return list
	}
	return []any{m.value(t.Fields[0].Type), m.value(t.Fields[1].Type)}
}

func (m treeMaker) leaf(t column.Type) Expr {
	if m.IntN(3) == 0 {
		x := m.value(t)
		return &Literal{Value: x, Of: t.Nullable(x == nil)}
	}
	for i, u := range fuzzTypes {
		if u.Same(t) {
			return &Column{Index: i + m.IntN(2)*len(fuzzTypes), Of: t}
		}
	}
	return &Cast{Arg: m.leaf(column.Of(column.Int)), Of: t}
}

func (m treeMaker) any(depth int) Expr { return m.tree(fuzzTypes[m.IntN(len(fuzzTypes))], depth) }

// tryCall is nil where the types do not fit.
func tryCall(f *Func, args ...Expr) Expr {
	c, err := NewCall(f, args...)
	if err != nil {
		return nil
	}
	return c
}

func (m treeMaker) tree(t column.Type, depth int) Expr {
	if depth == 0 {
		return m.leaf(t)
	}
	for range 8 {
		if e := m.try(t, depth-1); e != nil && e.Type().Same(t) {
			return e
		}
	}
	return m.leaf(t)
}

func (m treeMaker) try(t column.Type, depth int) Expr {
	sub := func(t column.Type) Expr { return m.tree(t, depth) }
	boolean := column.Of(column.Boolean)
	switch m.IntN(7) {
	case 0:
		return tryCall(Case, sub(boolean), sub(t), sub(boolean), sub(t), sub(t))
	case 1:
		return tryCall(Coalesce, sub(t), sub(t))
	case 2:
		return tryCall(Field, sub(fuzzTypes[len(fuzzTypes)-1]), &Literal{Value: int32(m.IntN(2)), Of: column.Of(column.Int)})
	case 3:
		from := m.any(depth)
		if CastAllowed(from.Type(), t, true) != nil || t.ID == column.Double && from.Type().IsText() ||
			from.Type().IsText() && (t.IsTemporal() || t.IsInterval()) || from.Type().ID == column.Double && t.ID == column.BigInt {
			return nil
		}
		return &Cast{Arg: from, Of: t, Try: m.IntN(3) > 0}
	case 4:
		if t.ID == column.Row {
			return nil
		}
	}
	switch {
	case t.ID == column.Boolean:
		return m.condition(depth)
	case t.ID == column.Array:
		return tryCall(ArrayOf, sub(*t.Elem), sub(*t.Elem))
	case t.ID == column.Int && m.IntN(3) == 0:
		return tryCall(Item, sub(column.ArrayType(t)), sub(column.Of(column.TinyInt)))
	case t.IsNumeric() || t.IsTemporal() || t.IsInterval():
		return m.arithmetic(t, depth)
	}
	return nil
}

func (m treeMaker) arithmetic(t column.Type, depth int) Expr {
	op := []*Func{Plus, Minus, Times, Divide, Mod, Negate}[m.IntN(6)]
	if op == Negate {
		return tryCall(op, m.tree(t, depth))
	}
	if t.IsTemporal() {
		return tryCall(op, m.tree(t, depth), m.tree(column.Of(column.IntervalMonths+column.ID(m.IntN(2))), depth))
	}
	e := tryCall(op, m.tree(t, depth), m.tree(t, depth))
	if t.ID != column.Decimal {
		return e
	}
	a, b := m.tree(fuzzTypes[m.IntN(9)+1], depth), m.tree(fuzzTypes[m.IntN(9)+1], depth)
	if e = tryCall(op, a, b); e == nil || e.Type().ID != column.Decimal {
		return nil
	}
	return &Cast{Arg: e, Of: t}
}

func (m treeMaker) condition(depth int) Expr {
	boolean := column.Of(column.Boolean)
	t := fuzzTypes[m.IntN(len(fuzzTypes))]
	switch m.IntN(6) {
	case 0:
		return tryCall([]*Func{And, Or}[m.IntN(2)], m.tree(boolean, depth), m.tree(boolean, depth), m.tree(boolean, depth))
	case 1:
		return tryCall([]*Func{Not, IsTrue, IsNotTrue, IsFalse, IsNotFalse}[m.IntN(5)], m.tree(boolean, depth))
	case 2:
		return tryCall([]*Func{IsNull, IsNotNull}[m.IntN(2)], m.tree(t, depth))
	case 3:
		args := []Expr{m.tree(t, depth)}
		for range m.IntN(12) + 1 {
			args = append(args, m.leaf(t))
		}
		return tryCall(In, args...)
	case 4:
		pattern := []string{"%", "a%", "%b", "%a%", "_", "a_%", "%r%r", "", "%\u00e4_%"}[m.IntN(9)]
		return tryCall(Like, m.tree(column.StringType(), depth), &Literal{Value: pattern, Of: column.StringType()})
	}
	u := t
	if t.IsNumeric() {
		u = fuzzTypes[m.IntN(9)+1]
	}
	op := []*Func{Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual, Distinct, NotDistinct}[m.IntN(8)]
	if (op == Distinct || op == NotDistinct) && (t.ID == column.Double || u.ID == column.Double) {
		op = Less // NaN is distinct from nothing, and the reference compares as the others do
	}
	return tryCall(op, m.tree(t, depth), m.tree(u, depth))
}

// batch has random rows of two columns per type.
func (m treeMaker) batch(rows int) *column.Batch {
	types := append(append([]column.Type{}, fuzzTypes...), fuzzTypes...)
	b := column.NewBatch(types)
	for range rows {
		row := make([]any, len(types))
		for i, t := range types {
			row[i] = m.value(t)
		}
		b.AppendRow(0, row...)
	}
	return &b
}

func sameValue(a, b any) bool {
	x, ok := a.(float64)
	y, ok2 := b.(float64)
	if ok && ok2 && (math.IsNaN(x) && math.IsNaN(y)) {
		return true
	}
	return reflect.DeepEqual(a, b)
}

func checkTree(t *testing.T, m treeMaker, e Expr, b *column.Batch) {
	p, err := Compile(&Env{Zone: time.UTC}, e, e)
	if err != nil {
		t.Fatalf("compiling %s: %v", e, err)
	}
	want := make([]any, b.N)
	var wantErr error
	for i := range want {
		v, err := reference{b.Row(i)}.eval(e)
		if errors.Is(err, errSkip) {
			return
		}
		want[i], wantErr = v, errors.Join(wantErr, err)
	}
	var ev Eval
	for round := range 2 {
		v, err := p.Eval(&ev, b, round)
		if (err != nil) != (wantErr != nil) {
			t.Fatalf("%s: error %v, want %v", e, err, wantErr)
		}
		if err != nil {
			return
		}
		for i := range want {
			if got := v.At(i); !sameValue(got, want[i]) {
				t.Fatalf("%s\nrow %d %s\ngot  %#v\nwant %#v", e, i, describe(e, b, i), got, want[i])
			}
		}
		if _, plain := e.(*Column); !plain {
			v.Release()
		}
	}
	if e.Type().ID != column.Boolean {
		return
	}
	sel, err := p.Select(&ev, b, 0, nil)
	k := 0
	for i := range want {
		if want[i] == true {
			if err != nil || k >= len(sel) || sel[k] != int32(i) {
				t.Fatalf("Select of %s: %v, %v; row %d is missing", e, sel, err, i)
			}
			k++
		}
	}
	if k != len(sel) {
		t.Fatalf("Select of %s: %v, of which only %d are true", e, sel, k)
	}
}

func describe(e Expr, b *column.Batch, i int) string {
	var s strings.Builder
	for _, c := range Columns(e) {
		fmt.Fprintf(&s, "$%d=%s ", c, FormatIn(b.Cols[c].At(i), b.Cols[c].Type, time.UTC))
	}
	return s.String()
}

// FuzzEval compares vectors with a row-wise evaluation by other means: values, errors, filters, shared sub-expressions.
func FuzzEval(f *testing.F) {
	for seed := range uint64(400) {
		f.Add(seed, uint8(seed%5))
	}
	f.Add(uint64(130), uint8(30)) // a divisor that a cast makes zero
	f.Fuzz(func(t *testing.T, seed uint64, depth uint8) {
		m := treeMaker{rand.New(rand.NewPCG(seed, 1))}
		b := m.batch(1 + m.IntN(100))
		for range 5 {
			checkTree(t, m, m.any(int(depth%5)), b)
		}
		x := m.tree(column.Of(column.Boolean), int(depth%4))
		checkTree(t, m, tryCall(And, x, m.condition(1), tryCall(Or, x, m.condition(2))), b)
	})
}
