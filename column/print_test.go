package column

import "testing"

func TestPrinted(t *testing.T) {
	ltz, ts := LocalTimestampType, TimestampType
	for _, c := range []struct {
		t    Type
		x    any
		want string
	}{
		{Of(Int), nil, "null"}, {Of(Boolean), true, "true"}, {Of(TinyInt), int8(-1), "-1"}, {StringType(), "a, b", "a, b"},
		{Of(Double), 1.0, "1.0"}, {Of(Double), 1e7, "1.0E7"}, {Of(Double), 9999999.5, "9999999.5"}, {Of(Double), 0.00012, "1.2E-4"},
		{Of(Float), float32(0.1), "0.1"}, {Of(Float), float32(3e38), "3.0E38"}, {Of(Double), 0.0, "0.0"},
		{DecimalType(10, 2), int64(-5), "-0.05"}, {DecimalType(10, 8), int64(5), "5E-8"}, {DecimalType(10, 8), int64(-57), "-5.7E-7"},
		{DecimalType(10, 0), int64(5), "5"}, {DecimalType(10, 7), int64(0), "0E-7"}, {DecimalType(10, 6), int64(0), "0.000000"},
		{BytesType(), "\x01\xff", "[1, -1]"}, {Of(Date), int32(0), "1970-01-01"}, {Of(Time), int32(36_660_000), "10:11"},
		{Of(Time), int32(36_661_010), "10:11:01.010"}, {ts(3), int64(1586937900000), "2020-04-15T08:05"}, {ts(3), int64(1586937900100),
			"2020-04-15T08:05:00.100"}, {ts(6), int64(1586937900000001), "2020-04-15T08:05:00.000001"}, {ltz(3), int64(0), "1970-01-01T00:00:00Z"},
		{Of(IntervalMonths), int32(14), "P1Y2M"}, {Of(IntervalMillis), int64(5_400_500), "PT1H30M0.5S"}, {Of(IntervalMillis), int64(-500), "PT-0.5S"},
		{ArrayType(Of(Int)), []any{int32(1), nil}, "[1, null]"}, {MapType(StringType(), Of(Int)), MapValue{[]any{"a"}, []any{int32(1)}}, "{a=1}"},
		{RowType(Field{Name: "x", Type: Of(Int)}), []any{int32(1)}, "+I[1]"},
	} {
		v := New(c.t)
		v.Append(c.x)
		if got := string(v.AppendPrinted(nil, 0)); got != c.want {
			t.Errorf("%v of %s: %s, want %s", c.x, c.t, got, c.want)
		}
	}
	b := NewBatch([]Type{Of(Int), StringType()})
	b.AppendRow(3, int32(1), nil)
	if got := string(b.AppendPrinted(nil, 0)); got != "-D[1, null]" {
		t.Error(got)
	}
}
