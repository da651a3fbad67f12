package expr

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/flottio/flott/column"
)

func literal(t testing.TB, text string, of column.Type) *Literal {
	v, err := ParseValue(text, of)
	if err != nil {
		t.Fatal(err)
	}
	return &Literal{Value: v, Of: of.Nullable(v == nil)}
}

// evalOne computes an expression without input; the text is its value or its error.
func evalOne(t testing.TB, e Expr) string {
	t.Helper()
	p, err := Compile(&Env{Zone: time.UTC}, e)
	if err != nil {
		t.Fatal(err)
	}
	v, err := p.Eval(&Eval{}, &column.Batch{N: 1}, 0)
	if err != nil {
		return "error: " + err.Error()
	}
	return Format(v.At(0), e.Type())
}

func TestDecimalArithmetic(t *testing.T) {
	dec := column.DecimalType
	i, big := column.Of(column.Int), column.Of(column.BigInt)
	nines := strings.Repeat("9", 38)
	for _, c := range []struct {
		a    string
		of   column.Type
		op   *Func
		b    string
		bOf  column.Type
		want string
		typ  string
	}{
		{"1.50", dec(3, 2), Plus, "2.7", dec(2, 1), "4.20", "DECIMAL(4, 2)"},
		{"1.50", dec(3, 2), Minus, "2", i, "-0.50", "DECIMAL(13, 2)"},
		{"0.908", dec(3, 3), Times, "9223372036854775807", big, "8374821809464136432.756", "DECIMAL(23, 3)"},
		{"1.0", dec(2, 1), Divide, "3", column.Of(column.TinyInt), "0.333333", "DECIMAL(7, 6)"},
		{"2.00", dec(10, 2), Divide, "-3", i, "-0.6666666666667", "DECIMAL(21, 13)"},
		{"7.5", dec(2, 1), Mod, "-2", i, "1.5", "DECIMAL(2, 1)"},
		{nines, dec(38, 0), Plus, "1", dec(38, 0), "NULL", "DECIMAL(38, 0)"},
		{nines, dec(38, 0), Minus, "-" + nines, dec(38, 0), "NULL", "DECIMAL(38, 0)"},
		{nines, dec(38, 0), Times, "2.0", dec(2, 1), "NULL", "DECIMAL(38, 1)"},
		{"12345678901234567890.123456789012345678", dec(38, 18), Plus, "0.000000000000000004", dec(38, 18), "12345678901234567890.12345678901234568",
			"DECIMAL(38, 17)"},
		{"1", dec(38, 0), Divide, "3", dec(38, 0), "0.333333", "DECIMAL(38, 6)"},
		{"5", i, Divide, "2", i, "2", "INT"},
		{"-5", i, Mod, "3", i, "-2", "INT"},
		{"-9223372036854775808", big, Mod, "100", column.Of(column.TinyInt), "-8", "TINYINT"},
		{"2147483647", i, Plus, "1", i, "-2147483648", "INT"},
		{"1.5", dec(2, 1), Divide, "0.0", dec(2, 1), "error", "DECIMAL(8, 6)"},
		{"5", i, Divide, "0", i, "error", "INT"},
	} {
		e := must(t, c.op, literal(t, c.a, c.of), literal(t, c.b, c.bOf))
		if got := e.Type().Nullable(true).String(); got != c.typ {
			t.Errorf("%s: type %s, want %s", e, got, c.typ)
		}
		if got := evalOne(t, e); got != c.want && !(c.want == "error" && strings.Contains(got, "division by zero")) {
			t.Errorf("%s = %s, want %s", e, got, c.want)
		}
	}
}

func TestDivisor(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	edges := []int64{math.MaxInt64, math.MinInt64, math.MinInt64 + 1, 0, 1, -1}
	for range 20_000 {
		d := int64(r.Uint64()) >> r.IntN(63)
		if d >= -1 && d <= 1 || d == math.MinInt64 {
			continue
		}
		v := newDivisor(d)
		for _, n := range append(edges, d, -d, d-1, d*7, int64(r.Uint64())>>r.IntN(63)) {
			if got := v.quo(n); got != n/d {
				t.Fatalf("%d / %d = %d, want %d", n, d, got, n/d)
			}
		}
	}
}

func TestTimeArithmetic(t *testing.T) {
	day := column.Type{ID: column.IntervalMillis, Interval: "DAY"}
	hour := column.Type{ID: column.IntervalMillis, Interval: "HOUR"}
	month := column.Type{ID: column.IntervalMonths, Interval: "MONTH"}
	date, ts9, clock := column.Of(column.Date), column.TimestampType(9), column.Of(column.Time)
	i := column.Of(column.Int)
	for _, c := range []struct {
		a    string
		of   column.Type
		op   *Func
		b    string
		bOf  column.Type
		want string
	}{
		{"2024-01-31", date, Plus, "+0-01", month, "2024-02-29"},
		{"2024-03-31", date, Minus, "+1-01", month, "2023-02-28"},
		{"+2 00:00:00.000", day, Plus, "2024-02-28", date, "2024-03-01"},
		{"2024-02-28", date, Plus, "+0 05:00:00.000", hour, "2024-02-28 05:00:00"},
		{"1969-12-31 23:59:59.999999999", ts9, Plus, "+0 00:00:00.001", hour, "1970-01-01 00:00:00.000999999"},
		{"2024-01-31 01:02:03.000000004", ts9, Plus, "+0-13", month, "2025-02-28 01:02:03.000000004"},
		{"23:00:00", clock, Plus, "+0 02:00:00.000", hour, "01:00:00"},
		{"01:00:00", clock, Minus, "+0 02:00:00.000", hour, "23:00:00"},
		{"+1-00", month, Minus, "+2-01", month, "-1-01"},
		{"+0 01:30:00.000", hour, Times, "3", i, "+0 04:30:00.000"},
		{"3", i, Times, "+0-05", month, "+1-03"},
		{"+1-00", month, Divide, "5", i, "+0-02"},
	} {
		if got := evalOne(t, must(t, c.op, literal(t, c.a, c.of), literal(t, c.b, c.bOf))); got != c.want {
			t.Errorf("%s %s %s = %s, want %s", c.a, c.op.Name, c.b, got, c.want)
		}
	}
	unit := func(u string) Expr { return &Literal{Value: u, Of: column.Of(column.Symbol)} }
	a, b := literal(t, "2024-02-29 00:00:00.000000000", ts9), literal(t, "2023-03-31 00:00:00.000000001", ts9)
	for u, want := range map[string]string{"MONTH": "+0-10", "DAY": "+335 00:00:00.000"} {
		if got := evalOne(t, must(t, TemporalMinus, a, b, unit(u))); got != want {
			t.Errorf("difference in %s: %s, want %s", u, got, want)
		}
	}
	for _, f := range []*Func{Minus, Times} {
		if _, err := NewCall(f, a, b); err == nil {
			t.Errorf("%s of two timestamps was accepted", f.Name)
		}
	}
}

func TestCompareDecimalsOfAnyScale(t *testing.T) {
	a, b := literal(t, strings.Repeat("9", 38), column.DecimalType(38, 0)), literal(t, "0."+strings.Repeat("9", 38), column.DecimalType(38, 38))
	for f, want := range map[*Func]string{Greater: "TRUE", Less: "FALSE", Equal: "FALSE", Distinct: "TRUE"} {
		if got := evalOne(t, must(t, f, a, b)); got != want {
			t.Errorf("%s: %s", f.Name, got)
		}
	}
	text := &Literal{Value: "1.50", Of: column.StringType()}
	if got := evalOne(t, must(t, Equal, literal(t, "1.5", column.DecimalType(2, 1)), text)); got != "TRUE" {
		t.Errorf("a number beside a text: %s", got)
	}
}
