// Package columntest is what the tests of the formats' column decoders and encoders share.
package columntest

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/format"
)

// Case is a type with values, as column.Vector.At returns them.
type Case struct {
	Type   column.Type
	Values []any
}

// Types are all types with their corners; nested ones too, if wanted.
func Types(nested bool) []Case {
	d := func(lo uint64, hi int64) column.Int128 { return column.Int128{Lo: lo, Hi: hi} }
	all := []Case{
		{column.Of(column.Boolean), []any{true, false}},
		{column.Of(column.TinyInt), []any{int8(0), int8(127), int8(-128)}},
		{column.Of(column.SmallInt), []any{int16(0), int16(32767), int16(-32768)}},
		{column.Of(column.Int), []any{int32(0), int32(math.MaxInt32), int32(math.MinInt32)}},
		{column.Of(column.BigInt), []any{int64(0), int64(math.MaxInt64), int64(math.MinInt64)}},
		{column.Of(column.Float), []any{float32(0), float32(1.5), float32(math.MaxFloat32), float32(math.Inf(-1)), float32(1e-30)}},
		{column.Of(column.Double), []any{0.0, -2.25, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), 1e22, 123456789.125}},
		{column.DecimalType(10, 2), []any{int64(0), int64(1234567890), int64(-5)}},
		{column.DecimalType(18, 18), []any{int64(1), int64(-999999999999999999)}},
		{column.DecimalType(38, 10), []any{d(12345, 0), d(math.MaxUint64, 1<<61), d(0, -1)}},
		{column.StringType(), []any{"x", "ä\"\\\n\t,;'é😀", "null", "true", " ", "a,b", "\x00\x1f"}},
		{column.BytesType(), []any{"\x00\xff\n\"", "abc"}},
		{column.Of(column.Date), []any{int32(0), int32(-1), int32(19000), int32(-719162)}},
		{column.Of(column.Time), []any{int32(0), int32(86_399_999), int32(3_600_000)}},
		{column.TimestampType(0), []any{int64(0), int64(1_600_000_000_000)}},
		{column.TimestampType(3), []any{int64(0), int64(-1), int64(1_600_000_000_123)}},
		{column.TimestampType(6), []any{int64(0), int64(-1), int64(1_600_000_000_123_456)}},
		{column.TimestampType(9), []any{column.Int128From(-1), column.Int128From(1_600_000_000_123_456_789)}},
		{column.LocalTimestampType(3), []any{int64(0), int64(1_600_000_000_100)}},
		{column.LocalTimestampType(9), []any{column.Int128From(1_600_000_000_123_456_789)}},
	}
	if !nested {
		return all
	}
	row := column.RowType(column.Field{Name: "x", Type: column.Of(column.Int)}, column.Field{Name: "y z", Type: column.ArrayType(column.StringType())})
	return append(all,
		Case{column.ArrayType(column.Of(column.Int)), []any{[]any{}, []any{int32(1), nil, int32(3)}}},
		Case{column.ArrayType(column.ArrayType(column.StringType())), []any{[]any{[]any{"a"}, nil, []any{}}}},
		Case{column.MapType(column.StringType(), column.Of(column.Double)), []any{
			column.MapValue{Keys: []any{"a", "b"}, Values: []any{1.5, nil}}, column.MapValue{Keys: []any{}, Values: []any{}}}},
		Case{column.MultisetType(column.StringType()), []any{column.MapValue{Keys: []any{"a", "b"}, Values: []any{int32(1), int32(2)}}}},
		Case{row, []any{[]any{int32(1), []any{"p", nil}}, []any{nil, nil}}},
		Case{column.ArrayType(row), []any{[]any{[]any{int32(1), []any{}}, nil}}},
	)
}

// Fields are the cases' types as columns c0, c1, ...
func Fields(cases []Case) []column.Field {
	var fields []column.Field
	for i, c := range cases {
		fields = append(fields, column.Field{Name: fmt.Sprint("c", i), Type: c.Type})
	}
	return fields
}

// Rows is a batch in which every value of every case and a NULL occur.
func Rows(cases []Case) column.Batch {
	b := Batch(Fields(cases), nil)
	for r := range 10 {
		var row []any
		for i, c := range cases {
			if at := (r + i) % (len(c.Values) + 1); at < len(c.Values) {
				row = append(row, c.Values[at])
			} else {
				row = append(row, nil)
			}
		}
		b.AppendRow(0, row...)
	}
	return b
}

// Batch is an empty batch of some of the fields; nil: all.
func Batch(fields []column.Field, some []int) column.Batch {
	var types []column.Type
	for i := range fields {
		if some == nil {
			types = append(types, fields[i].Type)
		}
	}
	for _, i := range some {
		types = append(types, fields[i].Type)
	}
	return column.NewBatch(types)
}

func all(fields []column.Field) []int {
	var places []int
	for i := range fields {
		places = append(places, i)
	}
	return places
}

// RoundTrip writes every value of the cases, reads the records back, and compares.
func RoundTrip(t *testing.T, cases []Case, make func([]column.Field) (format.ColumnFormat, error)) {
	t.Helper()
	fields := Fields(cases)
	f, err := make(fields)
	if err != nil {
		t.Fatal(err)
	}
	b, back := Rows(cases), Batch(fields, nil)
	e, d := f.NewColumnEncoder(), f.NewColumnDecoder(all(fields))
	var file []byte
	for i := range b.N {
		if file, err = e.Append(file, b.Cols, i); err != nil {
			t.Fatal(err)
		}
		file = append(file, f.Separator()...)
	}
	framer := f.NewFramer()
	for rest := file; len(rest) > 0; {
		record, advance, err := framer.Next(rest, true)
		if err == nil && record != nil {
			err = d.Append(record, &back)
		}
		if err != nil {
			t.Fatalf("%s: %v", rest[:min(len(rest), 300)], err)
		}
		if record != nil {
			back.N++
		}
		rest = rest[advance:]
	}
	Compare(t, &b, &back)
}

// Compare fails if the batches differ.
func Compare(t *testing.T, want, got *column.Batch) {
	t.Helper()
	if got.N != want.N {
		t.Fatalf("%d rows, want %d", got.N, want.N)
	}
	a, c := column.RowCodec{Types: want.Types()}, column.RowCodec{Types: want.Types()}
	for i := range want.N {
		if !bytes.Equal(a.Append(nil, want.Cols, i), c.Append(nil, got.Cols, i)) {
			t.Errorf("row %d:\n got %v\nwant %v", i, got.Row(i), want.Row(i))
		}
	}
}

// Decode is a record's row, or the error.
func Decode(f format.ColumnFormat, fields []column.Field, some []int, record string) string {
	if some == nil {
		some = all(fields)
	}
	b := Batch(fields, some)
	if err := f.NewColumnDecoder(some).Append([]byte(record), &b); err != nil {
		return err.Error()
	}
	b.N++
	return fmt.Sprint(b.Row(0))
}

// DecodeAll is the rows of records, one a line, without those that cannot be decoded.
func DecodeAll(f format.ColumnFormat, fields []column.Field, records []string) string {
	d, b := f.NewColumnDecoder(all(fields)), Batch(fields, nil)
	for _, r := range records {
		if err := d.Append([]byte(r), &b); err != nil {
			b.Truncate(b.N)
			continue
		}
		b.N++
	}
	var out strings.Builder
	for i := range b.N {
		fmt.Fprintln(&out, b.Row(i))
	}
	return out.String()
}

// Bench frames and decodes data into batches.
func Bench(b *testing.B, f format.ColumnFormat, fields []column.Field, some []int, data []byte) {
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	d := f.NewColumnDecoder(some)
	for b.Loop() {
		framer, rest := f.NewFramer(), data
		batch := Batch(fields, some)
		batch.Reserve(column.BatchRows)
		for len(rest) > 0 {
			record, advance, err := framer.Next(rest, true)
			if err == nil {
				err = d.Append(record, &batch)
			}
			if err != nil {
				b.Fatal(err)
			}
			rest = rest[advance:]
			if batch.N++; batch.Full() {
				batch.Release()
				batch = Batch(fields, some)
				batch.Reserve(column.BatchRows)
			}
		}
		batch.Release()
	}
}
