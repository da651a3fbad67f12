package expr

import (
	"testing"
	"time"

	"github.com/flottio/flott/column"
)

// benchBatch has a BIGINT, a STRING of three values, an INT and a TIMESTAMP(3).
func benchBatch() *column.Batch {
	b := column.NewBatch([]column.Type{column.Of(column.BigInt), column.StringType(), column.Of(column.Int), column.TimestampType(3)})
	for i := range column.BatchRows {
		b.AppendRow(0, int64(i*7919%100_000), []string{"a", "b", "apple pie"}[i%3], int32(i), int64(1_700_000_000_000+i))
	}
	return &b
}

func must(t testing.TB, f *Func, args ...Expr) Expr {
	c, err := NewCall(f, args...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func intLiteral(x int32) Expr { return &Literal{Value: x, Of: column.Of(column.Int).Nullable(false)} }

func stringLiteral(s string) Expr {
	return &Literal{Value: s, Of: column.Type{ID: column.Char, Precision: int32(len(s)), NotNull: true}}
}

func benchExprs(t testing.TB) map[string]Expr {
	price := &Column{Index: 0, Of: column.Of(column.BigInt)}
	name := &Column{Index: 1, Of: column.StringType()}
	n := &Column{Index: 2, Of: column.Of(column.Int)}
	at := &Column{Index: 3, Of: column.TimestampType(3)}
	factor := &Literal{Value: int64(908), Of: column.DecimalType(3, 3).Nullable(false)}
	return map[string]Expr{
		"price*908/1000":   must(t, Divide, must(t, Times, price, intLiteral(908)), intLiteral(1000)),
		"0.908*price":      must(t, Times, factor, price),
		"a>10_AND_b='b'":   must(t, And, must(t, Greater, price, intLiteral(10)), must(t, Equal, name, stringLiteral("b"))),
		"CASE":             must(t, Case, must(t, Greater, price, intLiteral(50_000)), n, must(t, Less, n, intLiteral(9)), intLiteral(1), intLiteral(0)),
		"INT_as_BIGINT":    &Cast{Arg: n, Of: column.Of(column.BigInt)},
		"BIGINT_as_DOUBLE": &Cast{Arg: price, Of: column.Of(column.Double)},
		"ts_as_(6)":        &Cast{Arg: at, Of: column.TimestampType(6)},
		"LIKE_%pie":        must(t, Like, name, stringLiteral("%pie")),
		"MOD(price,123)=0": must(t, Equal, must(t, Mod, price, intLiteral(123)), intLiteral(0)),
		"ts+INTERVAL": must(t, Plus, at, &Literal{Value: int64(1000),
			Of: column.Type{ID: column.IntervalMillis, Interval: "SECOND", NotNull: true}}),
	}
}

func BenchmarkEval(b *testing.B) {
	in := benchBatch()
	for name, e := range benchExprs(b) {
		b.Run(name, func(b *testing.B) {
			p, err := Compile(&Env{Zone: time.UTC}, e)
			if err != nil {
				b.Fatal(err)
			}
			var ev Eval
			b.ReportAllocs()
			for b.Loop() {
				v, err := p.Eval(&ev, in, 0)
				if err != nil {
					b.Fatal(err)
				}
				v.Release()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(in.N), "ns/row")
		})
	}
}

func BenchmarkSelect(b *testing.B) {
	in := benchBatch()
	p, err := Compile(&Env{Zone: time.UTC}, benchExprs(b)["a>10_AND_b='b'"])
	if err != nil {
		b.Fatal(err)
	}
	var ev Eval
	var sel []int32
	for b.Loop() {
		sel, _ = p.Select(&ev, in, 0, sel[:0])
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(in.N), "ns/row")
}

// BenchmarkByHand is what the same costs in loops written for it.
func BenchmarkByHand(b *testing.B) {
	in := benchBatch()
	out, keep := make([]int64, in.N), make([]bool, in.N)
	b.Run("price*908/1000", func(b *testing.B) {
		for b.Loop() {
			for i, x := range in.Cols[0].I64 {
				out[i] = x * 908 / 1000
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(in.N), "ns/row")
	})
	b.Run("a>10_AND_b='b'", func(b *testing.B) {
		for b.Loop() {
			text := in.Cols[1].Str
			for i, x := range in.Cols[0].I64 {
				keep[i] = x > 10 && text[i] == "b"
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(in.N), "ns/row")
	})
	b.Run("INT_as_BIGINT", func(b *testing.B) {
		for b.Loop() {
			for i, x := range in.Cols[2].I32 {
				out[i] = int64(x)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(in.N), "ns/row")
	})
}

// TestNoAllocation: in steady state an evaluation allocates nothing.
func TestNoAllocation(t *testing.T) {
	if raceEnabled {
		t.Skip("pools drop at random")
	}
	in := benchBatch()
	for name, e := range benchExprs(t) {
		p, err := Compile(&Env{Zone: time.UTC}, e)
		if err != nil {
			t.Fatal(err)
		}
		var ev Eval
		var sel []int32
		run := func() {
			v, err := p.Eval(&ev, in, 0)
			if err != nil {
				t.Fatal(err)
			}
			v.Release()
			if e.Type().ID == column.Boolean {
				if sel, err = p.Select(&ev, in, 0, sel[:0]); err != nil {
					t.Fatal(err)
				}
			}
		}
		run()
		if n := testing.AllocsPerRun(50, run); n >= 1 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
