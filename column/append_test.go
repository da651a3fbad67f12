package column

import (
	"math/big"
	"math/rand/v2"
	"testing"
	"time"
)

// TestTruncate cuts a batch back to every length, also after half a row, and appends again.
func TestTruncate(t *testing.T) {
	types := []Type{Of(Int), StringType(), ArrayType(Of(BigInt)), MapType(StringType(), Of(Int)),
		RowType(Field{Name: "a", Type: Of(Double)}, Field{Name: "b", Type: ArrayType(StringType())})}
	row := func(i int) []any {
		if i%3 == 0 {
			return []any{nil, nil, nil, nil, nil}
		}
		return []any{int32(i), "x", []any{int64(i), nil}, MapValue{[]any{"k"}, []any{int32(i)}}, []any{float64(i), []any{"y", nil}}}
	}
	for n := range 70 {
		b, want := NewBatch(types), NewBatch(types)
		for i := range 100 {
			b.AppendRow(0, row(i)...)
		}
		b.Cols[0].Append(int32(7)) // half a row
		b.Cols[2].Kids[0].Append(int64(1))
		b.Truncate(n)
		for i := range 20 {
			b.AppendRow(0, row(i)...)
		}
		for i := range n {
			want.AppendRow(0, row(i)...)
		}
		for i := range 20 {
			want.AppendRow(0, row(i)...)
		}
		a, c := RowCodec{Types: types}, RowCodec{Types: types}
		for i := range n + 20 {
			if string(a.Append(nil, b.Cols, i)) != string(c.Append(nil, want.Cols, i)) {
				t.Fatalf("cut to %d, row %d: %v, want %v", n, i, b.Row(i), want.Row(i))
			}
		}
	}
}

func TestDatesAsStandard(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		sec, nanos := r.Int64N(400_000_000_000)-62_000_000_000, r.Int64N(1e9)
		want := time.Unix(sec, nanos).UTC()
		if want.Year() > 9999 || want.Year() < 0 {
			continue
		}
		text := want.Format("2006-01-02 15:04:05.000000000")
		if got := string(AppendTimestamp(nil, sec, nanos, ' ', 9)); got != text {
			t.Fatalf("%s, want %s", got, text)
		}
		s, n, ok := ParseTimestamp([]byte(text), ' ', false)
		if !ok || s != sec || n != nanos {
			t.Fatalf("%s: %d %d %v, want %d %d", text, s, n, ok, sec, nanos)
		}
		for p := range 10 {
			v := New(TimestampType(p))
			if !v.AppendInstant(sec, nanos) {
				t.Fatal(text)
			}
			unit := int64(1)
			for range 9 - p {
				unit *= 10
			}
			if s, n := v.Instant(0); s != sec || n != nanos-nanos%unit {
				t.Fatalf("TIMESTAMP(%d): %d %d, want %d %d", p, s, n, sec, nanos-nanos%unit)
			}
		}
	}
	for _, bad := range []string{"2023-02-29", "2023-13-01", "2023-1-1", "0000-00-00", "2023/01/01", ""} {
		if _, ok := ParseDate([]byte(bad)); ok {
			t.Errorf("%s is a date", bad)
		}
	}
}

func TestDecimalsAsBig(t *testing.T) {
	for _, c := range []struct {
		text             string
		precision, scale int
		want             string // "": not a number; "over": out of range
	}{
		{"1", 10, 2, "1.00"}, {"-1.005", 10, 2, "-1.01"}, {"0.994999", 10, 2, "0.99"}, {"99999999.995", 10, 2, "over"}, {"1e3", 10, 0, "1000"},
		{"1.5E-1", 5, 2, "0.15"}, {"12345678901234567890123456789012345678", 38, 0, "12345678901234567890123456789012345678"},
		{"123456789012345678901234567890123456789", 38, 0, "over"}, {"0.00000000000000000000000000000000000001", 38, 38,
			"0.00000000000000000000000000000000000001"}, {".5", 3, 1, "0.5"}, {"5.", 3, 1, "5.0"}, {"", 3, 1, ""}, {"-", 3, 1, ""}, {".", 3, 1, ""},
		{"1e", 3, 1, ""}, {"1x", 3, 1, ""}, {"00012", 3, 1, "12.0"}, {"0.0004e3", 4, 1, "0.4"}, {"1e999999", 4, 1, "over"}, {"1e-99999", 4, 1, "0.0"},
	} {
		x, ok, in := ParseDecimal([]byte(c.text), DecimalType(c.precision, c.scale))
		got := string(AppendDecimal(nil, x, c.scale))
		if !ok {
			got = ""
		} else if !in {
			got = "over"
		}
		if got != c.want {
			t.Errorf("%s as DECIMAL(%d, %d): %q, want %q", c.text, c.precision, c.scale, got, c.want)
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 5000 {
		x := Int128{r.Uint64(), int64(r.Uint64()) >> (2 + r.IntN(60))}
		b := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(x.Hi), 64), new(big.Int).SetUint64(x.Lo))
		if got := string(AppendDecimal(nil, x, 0)); got != b.String() {
			t.Fatalf("%s, want %s", got, b)
		}
	}
}
