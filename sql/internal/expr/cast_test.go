package expr

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/flottio/flott/column"
)

var berlin = func() *time.Location {
	z, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	return z
}()

// textOf casts a text to from, that to to, and the result to a text.
func textOf(t *testing.T, env *Env, text string, from, to column.Type) (string, error) {
	t.Helper()
	v, err := CastValue(text, column.StringType(), from, env)
	if err != nil {
		t.Fatalf("the test's own %q is no %s: %v", text, from, err)
	}
	x, err := CastValue(v, from, to, env)
	return FormatIn(x, to, env.Zone), err
}

func TestCasts(t *testing.T) {
	str, char4, varchar3 := column.StringType(), column.Type{ID: column.Char, Precision: 4}, column.Type{ID: column.Varchar, Precision: 3}
	dec := column.DecimalType
	id := column.Of
	ts, ltz := column.TimestampType, column.LocalTimestampType
	clock := func(p int32) column.Type { return column.Type{ID: column.Time, Precision: p} }
	fails := "<fails>"
	env := &Env{Zone: berlin}
	for _, c := range []struct {
		text     string
		from, to column.Type
		want     string
	}{
		{"  42 ", str, id(column.Int), "42"}, {"-7.99", str, id(column.TinyInt), "-7"}, {"128", str, id(column.TinyInt), fails},
		{"-9223372036854775808", str, id(column.BigInt), "-9223372036854775808"}, {"9223372036854775808", str, id(column.BigInt), fails},
		{"", str, id(column.Int), fails}, {"-", str, id(column.Int), fails}, {"1e2", str, id(column.Int), fails}, {"1.x", str, id(column.Int), fails},
		{"1e2", str, id(column.Double), "100.0"}, {"Infinity", str, id(column.Float), "Infinity"}, {"inf", str, id(column.Double), fails},
		{"0x10", str, id(column.Double), fails}, {"1_0", str, id(column.Double), fails}, {"1e999", str, id(column.Double), "Infinity"},
		{"yes", str, id(column.Boolean), "TRUE"}, {"N", str, id(column.Boolean), "FALSE"}, {"maybe", str, id(column.Boolean), fails},
		{"2.345", str, dec(4, 2), "2.35"}, {"-2.345", str, dec(4, 2), "-2.35"}, {"123.4", str, dec(4, 2), fails}, {"1.5E2", str, dec(4, 0), "150"},
		{"99.995", str, dec(4, 2), fails}, {".5", str, dec(4, 2), "0.50"}, {".", str, dec(4, 2), fails},
		{"12345678901234567890123456789012345678", str, dec(38, 0), "12345678901234567890123456789012345678"},
		{"2024-02-29", str, id(column.Date), "2024-02-29"}, {"2023-02-29", str, id(column.Date), fails}, {"2023-3-1", str, id(column.Date), "2023-03-01"},
		{"12", str, id(column.Date), "0012-01-01"}, {"2023-03-01 10:00", str, id(column.Date), "2023-03-01"}, {"1.2.2023", str, id(column.Date), fails},
		{"7:5", str, clock(0), "07:05:00"}, {"07:05:09.5", str, clock(3), "07:05:09.5"}, {"07:05:09", str, clock(3), "07:05:09.0"},
		{"25:00", str, clock(0), fails}, {"12:34:56.789", str, clock(1), "12:34:56.7"},
		{"2023-01-05 6:7:8.123456789", str, ts(9), "2023-01-05 06:07:08.123456789"},
		{"2023-01-05 06:07:08.123456789", str, ts(3), "2023-01-05 06:07:08.123"}, {"2023-01-05", str, ts(0), "2023-01-05 00:00:00"},
		{"2023-01-05T06:07:08", str, ts(3), fails}, {"2023-01-05 06:07", str, ts(3), fails},
		{"2023-07-01 12:00:00", ts(0), ltz(3), "2023-07-01 12:00:00.000"}, {"2023-03-26 02:30:00", ts(0), ltz(0), "2023-03-26 03:30:00"},
		{"1969-12-31 23:59:59.9", ts(3), id(column.Date), "1969-12-31"}, {"2023-07-01 23:30:15.25", ltz(3), clock(1), "23:30:15.2"},
		{"2023-07-01 00:30:00", ltz(6), id(column.Date), "2023-07-01"}, {"2023-07-01", id(column.Date), ltz(0), "2023-07-01 00:00:00"},
		{"10:11:12.5", clock(3), ts(9), "1970-01-01 10:11:12.500000000"}, {"2023-07-01 01:02:03.987654321", ts(9), ts(6), "2023-07-01 01:02:03.987654"},
		{"1960-07-01 01:02:03.987654321", ts(9), ts(3), "1960-07-01 01:02:03.987"},
		{"300", id(column.Int), id(column.TinyInt), "44"}, {"2.99", id(column.Double), id(column.Int), "2"}, {"-1e300", id(column.Double), id(column.BigInt),
			"-9223372036854775808"}, {"NaN", id(column.Double), id(column.Int), "0"}, {"NaN", id(column.Double), dec(5, 2), fails},
		{"1e30", id(column.Double), dec(5, 2), "NULL"}, {"0.125", id(column.Double), dec(5, 2), "0.13"}, {"99.995", dec(6, 3), dec(4, 2), "NULL"},
		{"-99.994", dec(6, 3), dec(4, 2), "-99.99"}, {"12.9", dec(3, 1), id(column.BigInt), "12"}, {"7", id(column.Int), dec(3, 2), "7.00"},
		{"77", id(column.Int), dec(3, 2), "NULL"}, {"1", id(column.Int), id(column.Boolean), "TRUE"}, {"TRUE", id(column.Boolean), dec(3, 1), "1.0"},
		{"0.1", dec(1, 1), id(column.Double), "0.1"}, {"123456789012345678901234567890", dec(30, 0), id(column.Double), "1.2345678901234568E29"},
		{"ab", str, char4, "ab  "}, {"\u00e4\u00f6\u00fc\u00df!", str, char4, "\u00e4\u00f6\u00fc\u00df"}, {"\u00e4\u00f6\u00fc\u00df!", str, varchar3, "\u00e4\u00f6\u00fc"},
		{"12345", id(column.Int), varchar3, "123"}, {"ab", str, column.Type{ID: column.Binary, Precision: 3}, "ab\x00"}, {"\xff", column.BytesType(), str, fails},
		{"1.0E10", id(column.Double), str, "1.0E10"}, {"+1-06", id(column.IntervalMonths), str, "+1-06"},
		{"-0 00:00:10.000", id(column.IntervalMillis), str, "-0 00:00:10.000"},
	} {
		got, err := textOf(t, env, c.text, c.from, c.to)
		if err != nil {
			got = fails
			if !strings.Contains(err.Error(), c.to.String()) {
				t.Errorf("%q as %s: the error does not name the type: %v", c.text, c.to, err)
			}
		}
		if got != c.want {
			t.Errorf("%q of %s as %s: %q, want %q", c.text, c.from, c.to, got, c.want)
		}
	}
}

func TestLegacyCast(t *testing.T) {
	env := &Env{LegacyCast: true}
	for _, c := range []struct {
		from, to column.Type
		value    any
		want     any
	}{
		{column.StringType(), column.Of(column.Int), "x", nil},
		{column.Of(column.Boolean), column.StringType(), true, "true"},
		{column.StringType(), column.Type{ID: column.Char, Precision: 2}, "abc", "abc"},
	} {
		if got, err := CastValue(c.value, c.from, c.to, env); err != nil || got != c.want {
			t.Errorf("%v as %s: %v, %v, want %v", c.value, c.to, got, err, c.want)
		}
	}
}

func TestNestedCastFailsAsAWhole(t *testing.T) {
	texts, ints := column.ArrayType(column.StringType()), column.ArrayType(column.Of(column.Int))
	in := column.New(texts)
	in.Append([]any{"1", nil, "3"})
	in.Append([]any{"4", "x"})
	in.Append(nil)
	in.Append([]any{"5"})
	b := &column.Batch{Cols: []*column.Vector{in}, N: 4}
	for _, try := range []bool{true, false} {
		p, err := Compile(nil, &Cast{Arg: &Column{Of: texts}, Of: ints, Try: try})
		if err != nil {
			t.Fatal(err)
		}
		v, err := p.Eval(&Eval{}, b, 0)
		if !try {
			if err == nil || !strings.Contains(err.Error(), "[4, x]") {
				t.Errorf("the failing value is not named: %v", err)
			}
			continue
		}
		for i, want := range []string{"[1, NULL, 3]", "NULL", "NULL", "[5]"} {
			if got := Format(v.At(i), ints); got != want {
				t.Errorf("row %d: %s, want %s", i, got, want)
			}
		}
	}
}

func TestCastAllowed(t *testing.T) {
	year := column.Type{ID: column.IntervalMonths, Interval: "YEAR TO MONTH"}
	month := column.Type{ID: column.IntervalMonths, Interval: "MONTH"}
	id := column.Of
	row := func(t ...column.Type) column.Type {
		r := column.Type{ID: column.Row}
		for _, x := range t {
			r.Fields = append(r.Fields, column.Field{Name: "f", Type: x})
		}
		return r
	}
	for _, c := range []struct {
		from, to           column.Type
		explicit, implicit bool
	}{
		{id(column.Int), id(column.BigInt), true, true}, {id(column.BigInt), id(column.Int), true, false},
		{id(column.Double), id(column.Decimal), true, true}, {id(column.Double), id(column.Float), true, false},
		{id(column.Int), column.StringType(), true, false}, {column.StringType(), id(column.Int), true, false},
		{id(column.Double), id(column.Boolean), false, false}, {id(column.Int), id(column.Boolean), true, false},
		{id(column.Int), column.BytesType(), false, false}, {id(column.Date), id(column.Time), false, false},
		{id(column.Date), id(column.Timestamp), true, false}, {id(column.Timestamp), id(column.Date), true, true},
		{id(column.Timestamp), id(column.BigInt), false, false}, {id(column.BigInt), id(column.TimestampLTZ), false, false},
		{id(column.Timestamp), id(column.TimestampLTZ), true, true}, {year, id(column.Int), false, false}, {month, id(column.Int), true, false},
		{column.ArrayType(id(column.Int)), column.ArrayType(id(column.BigInt)), true, true},
		{column.ArrayType(id(column.Int)), column.StringType(), true, false}, {column.ArrayType(id(column.Int)), id(column.Int), false, false},
		{row(id(column.Int), id(column.Int)), row(id(column.Int)), false, false}, {row(id(column.Int)), row(column.StringType()), true, false},
		{column.Type{}, id(column.Date), true, true},
	} {
		if got := CastAllowed(c.from, c.to, true) == nil; got != c.explicit {
			t.Errorf("CAST from %s to %s: %v", c.from, c.to, got)
		}
		if got := CastAllowed(c.from, c.to, false) == nil; got != c.implicit {
			t.Errorf("%s as %s without CAST: %v", c.from, c.to, got)
		}
		if _, err := makeCast(c.from, c.to, &Env{}); (err == nil) != c.explicit {
			t.Errorf("making the cast from %s to %s: %v", c.from, c.to, err)
		}
	}
}

func TestAppendFloat(t *testing.T) {
	for f, want := range map[float64]string{1: "1.0", 0.001: "0.001", 0.0009: "9.0E-4", 1e7: "1.0E7", 9999999: "9999999.0", -1.5e-10: "-1.5E-10",
		123456789.125: "1.23456789125E8", math.Inf(-1): "-Infinity", math.Copysign(0, -1): "-0.0", math.MaxFloat64: "1.7976931348623157E308"} {
		if got := string(AppendFloat(nil, f, 64)); got != want {
			t.Errorf("%g: %s, want %s", f, got, want)
		}
	}
	if got := string(AppendFloat(nil, float64(float32(0.1)), 32)); got != "0.1" {
		t.Error(got)
	}
}

// TestLocalTime: the hour that does not exist moves on, the one that comes twice is the first.
func TestLocalTime(t *testing.T) {
	for local, want := range map[string]string{
		"2023-03-26 01:59:59": "2023-03-26 00:59:59", "2023-03-26 02:30:00": "2023-03-26 01:30:00", "2023-03-26 03:00:00": "2023-03-26 01:00:00",
		"2023-10-29 02:30:00": "2023-10-29 00:30:00", "2023-10-29 03:00:00": "2023-10-29 02:00:00", "2023-07-01 00:00:00": "2023-06-30 22:00:00",
	} {
		at, _ := time.Parse(time.DateTime, local)
		if got := time.Unix(utcOf(berlin, at.Unix()), 0).UTC().Format(time.DateTime); got != want {
			t.Errorf("%s in Berlin is %s in UTC, want %s", local, got, want)
		}
	}
}

func TestCalendar(t *testing.T) {
	for day := int64(-800_000); day < 800_000; day += 17 {
		y, m, d := dateOf(day)
		if want := time.Unix(day*daySecond, 0).UTC(); want.Year() != y || int(want.Month()) != m || want.Day() != d || daysOf(y, m, d) != day {
			t.Fatalf("day %d is %d-%d-%d, want %s; back: %d", day, y, m, d, want, daysOf(y, m, d))
		}
	}
}
