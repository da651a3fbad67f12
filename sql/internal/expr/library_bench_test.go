package expr

import (
	"testing"

	"github.com/flottio/flott/column"
)

// BenchmarkLibrary is the cost of a row of the functions that queries call most.
func BenchmarkLibrary(b *testing.B) {
	in := column.NewBatch([]column.Type{textType, column.TimestampType(3)})
	for i := range column.BatchRows {
		in.AppendRow(0, "https://www.nexmark.com/abo/bw/qp/item.htm?query=1&channel_id=99", 1_600_000_000_000+int64(i)*977)
	}
	text, ts := Expr(&Column{Index: 0, Of: textType}), Expr(&Column{Index: 1, Of: column.TimestampType(3)})
	for _, c := range []struct {
		name string
		args []Expr
	}{
		{"UPPER", []Expr{text}}, {"SUBSTRING", []Expr{text, lit(3), lit(10)}}, {"CONCAT", []Expr{text, lit("x")}}, {"SPLIT_INDEX", []Expr{text, lit("/"), lit(3)}},
		{"REGEXP_EXTRACT", []Expr{text, lit("(&|^)channel_id=([^&]*)"), lit(2)}}, {"DATE_FORMAT", []Expr{ts, lit("yyyy-MM-dd HH:mm")}},
		{"EXTRACT", []Expr{word("HOUR"), ts}}, {"JSON_VALUE", []Expr{lit(`{"a":{"b":1}}`), lit("$.a.b")}},
	} {
		b.Run(c.name, func(b *testing.B) {
			call, err := NewCall(Lookup(c.name), c.args...)
			if err != nil {
				b.Fatal(err)
			}
			p, err := Compile(&Env{}, call)
			if err != nil {
				b.Fatal(err)
			}
			e := &Eval{Env: &Env{}}
			b.ReportAllocs()
			for b.Loop() {
				v, err := p.Eval(e, &in, 0)
				if err != nil {
					b.Fatal(err)
				}
				v.Release()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*in.N), "ns/row")
		})
	}
}
