package json_test

import (
	"bytes"
	stdjson "encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/format"
	"github.com/flottio/flott/format/internal/columntest"
	"github.com/flottio/flott/format/json"
)

func columns(t testing.TB, o json.ColumnOptions, fields ...column.Field) format.ColumnFormat {
	t.Helper()
	f, err := json.Columns(fields, o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestColumnsRoundTrip(t *testing.T) {
	for _, iso := range []bool{false, true} {
		columntest.RoundTrip(t, columntest.Types(true), func(fields []column.Field) (format.ColumnFormat, error) {
			return json.Columns(fields, json.ColumnOptions{ISO8601: iso})
		})
	}
}

// decodeRow returns the row of a record, or the error.
func decodeRow(t testing.TB, o json.ColumnOptions, types []column.Field, record string) string {
	t.Helper()
	return columntest.Decode(columns(t, o, types...), types, nil, record)
}

func TestColumnsValues(t *testing.T) {
	one := func(ty column.Type) []column.Field { return []column.Field{{Name: "a", Type: ty}} }
	strict, lax := json.ColumnOptions{}, json.ColumnOptions{IgnoreParseErrors: true}
	iso, must := json.ColumnOptions{ISO8601: true}, json.ColumnOptions{FailOnMissingField: true}
	for _, c := range []struct {
		o          json.ColumnOptions
		ty         column.Type
		text, want string
	}{
		{strict, column.Of(column.Int), `{"a":7}`, "[7]"},
		{strict, column.Of(column.Int), `{"b":[{"a":1}],"a":7,"c":{}}`, "[7]"},
		{strict, column.Of(column.Int), `{"a":7,"a":8}`, "[8]"},
		{strict, column.Of(column.Int), `{"a":"7"}`, "[7]"},
		{strict, column.Of(column.Int), `{"a":7.9}`, "[7]"},
		{strict, column.Of(column.Int), `{}`, "[<nil>]"},
		{strict, column.Of(column.Int), `{"a":null}`, "[<nil>]"},
		{must, column.Of(column.Int), `{"b":1}`, `column 1: missing field "a" ('json.fail-on-missing-field' is set)`},
		{strict, column.Of(column.Int), `{"a":2147483648}`, `column 6, field "a": wrong value: expected a whole number that fits INT, got number 2147483648`},
		{strict, column.Of(column.Int), `{"a":true}`, `column 6, field "a": wrong type: expected a value of INT, got true`},
		{lax, column.Of(column.Int), `{"a":true}`, "[<nil>]"},
		{lax, column.Of(column.Int), `{"a":{"x":[}}`, `column 12, field "a": malformed JSON: expected a value, got '}'`},
		{strict, column.StringType(), `{"a":12.50}`, "[12.50]"},
		{strict, column.StringType(), `{"a":{"x": 1}}`, `[{"x": 1}]`},
		{strict, column.StringType(), `{"a":"\u00e9\n"}`, "[é\n]"},
		{strict, column.DecimalType(5, 2), `{"a":123.456}`, "[12346]"},
		{strict, column.DecimalType(5, 2), `{"a":1234}`, `column 6, field "a": wrong value: expected a number that fits DECIMAL(5, 2), got number 1234`},
		{strict, column.TimestampType(3), `{"a":"1970-01-01 00:00:01.5"}`, "[1500]"},
		{strict, column.TimestampType(3), `{"a":"1970-01-01T00:00:01"}`, `column 6, field "a": wrong value: expected TIMESTAMP(3) like ` +
			`"2006-01-02 15:04:05.123" (timestamp standard 'ISO-8601' is the other form), got string "1970-01-01T00:00:01"`},
		{iso, column.TimestampType(3), `{"a":"1970-01-01T00:00"}`, "[0]"},
		{strict, column.LocalTimestampType(3), `{"a":"1970-01-01 00:00:01Z"}`, "[1000]"},
		{strict, column.Of(column.Date), `{"a":"1970-01-02"}`, "[1]"},
		{strict, column.Of(column.Time), `{"a":"00:00:01.5"}`, "[1500]"},
		{strict, column.Of(column.Double), `{"a":"NaN"}`, "[NaN]"},
		{strict, column.BytesType(), `{"a":"AQI="}`, "[\x01\x02]"},
		{strict, column.ArrayType(column.Of(column.Int)), `{"a":[1,null,3]}`, "[[1 <nil> 3]]"},
		{strict, column.ArrayType(column.Of(column.Int)), `{"a":[1,]}`, `column 9, field "a": malformed JSON: expected a value after ',', got ']'`},
		{strict, column.MapType(column.StringType(), column.Of(column.Int)), `{"a":{"x":1,"y":2,"x":3}}`, "[{[x y] [3 2]}]"},
		{lax, column.RowType(column.Field{Name: "x", Type: column.Of(column.Int)}, column.Field{Name: "y", Type: column.StringType()}),
			`{"a":{"y":"z","x":"?"}}`, "[[<nil> z]]"},
	} {
		if got := decodeRow(t, c.o, one(c.ty), c.text); got != c.want {
			t.Errorf("%s as %s:\n got %s\nwant %s", c.text, c.ty, got, c.want)
		}
	}
}

// TestColumnsAfterErrors: records that cannot be read leave no trace in the rows around them, whatever the order of fields was.
func TestColumnsAfterErrors(t *testing.T) {
	fields := []column.Field{{Name: "a", Type: column.Of(column.Int)}, {Name: "l", Type: column.ArrayType(column.StringType())},
		{Name: "r", Type: column.RowType(column.Field{Name: "x", Type: column.Of(column.BigInt)}, column.Field{Name: "s", Type: column.StringType()})}}
	got := columntest.DecodeAll(columns(t, json.ColumnOptions{}, fields...), fields, []string{
		`{"a":1,"l":["p","q"],"r":{"x":1,"s":"t"}}`, `{"a":2,"l":["p","q"],"r":{"x":1,"s":"t"}`, `{"l":["p",{"x":[}],"a":3}`, `{"r":{"s":"t","x":"?"},"a":3}`,
		`{"r":{"s":"u"},"l":[],"a":4}`, `nonsense`, `{"r":null,"l":null,"z":"\"}","a":5}`})
	want := "[1 [p q] [1 t]]\n[4 [] [<nil> u]]\n[5 <nil> <nil>]\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

var fuzzFields = []column.Field{
	{Name: "s", Type: column.StringType()}, {Name: "i", Type: column.Of(column.Int)}, {Name: "l", Type: column.Of(column.BigInt)},
	{Name: "f", Type: column.Of(column.Double)}, {Name: "b", Type: column.Of(column.Boolean)},
	{Name: "a", Type: column.ArrayType(column.Of(column.BigInt))}, {Name: "m", Type: column.MapType(column.StringType(), column.StringType())},
	{Name: "r", Type: column.RowType(column.Field{Name: "s", Type: column.StringType()}, column.Field{Name: "f", Type: column.Of(column.Double)})},
}

// FuzzColumns compares with encoding/json and a slow reading of its result.
func FuzzColumns(f *testing.F) {
	for _, s := range append(fuzzSeeds, `{"s":"x","i":-3,"l":9007199254740993,"f":1.5,"b":true,"a":[1,2],"m":{"k":"v","k":"w"},"r":{"f":2,"s":"y"}}`,
		`{"i":1.5,"l":"12","s":{"a":[1]},"b":"true","f":"1"}`, `{"r":{"s":null},"r":{}}`, `{"a":[],"a":null}`) {
		f.Add([]byte(s))
	}
	form := columns(f, json.ColumnOptions{}, fuzzFields...)
	all := []int{0, 1, 2, 3, 4, 5, 6, 7}
	d, some := form.NewColumnDecoder(all), form.NewColumnDecoder([]int{7, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		b := columntest.Batch(fuzzFields, all)
		err := d.Append(data, &b)
		var doc map[string]any
		dec := stdjson.NewDecoder(bytes.NewReader(data))
		dec.UseNumber()
		valid := stdjson.Valid(data) && dec.Decode(&doc) == nil && doc != nil
		if err == nil && !valid {
			t.Fatalf("we accept %q", data)
		}
		if err != nil {
			if why := err.Error(); valid && !strings.Contains(why, "wrong") && !strings.Contains(why, "nested too deeply") &&
				!strings.Contains(why, "UTF-8") && !strings.Contains(why, "surrogate") {
				t.Fatalf("we refuse %q: %v", data, err)
			}
			return
		}
		b.N = 1
		for c, field := range fuzzFields {
			want, ok := reference(doc[field.Name], field.Type)
			if got := b.Cols[c].At(0); !ok || !same(got, want) {
				t.Fatalf("%q: field %s: got %#v, want %#v (%v)", data, field.Name, got, want, ok)
			}
		}
		p := columntest.Batch(fuzzFields, []int{7, 0})
		if err := some.Append(data, &p); err != nil || !same(p.Cols[0].At(0), b.Cols[7].At(0)) || !same(p.Cols[1].At(0), b.Cols[0].At(0)) {
			t.Fatalf("%q: reading two fields: %v %v", data, err, p.Cols[0].At(0))
		}
		out, err := form.NewColumnEncoder().Append(nil, b.Cols, 0)
		if err != nil || !stdjson.Valid(out) || bytes.IndexByte(out, '\n') >= 0 {
			t.Fatalf("written as %q: %v", out, err)
		}
	})
}

// reference converts what encoding/json read. Text of objects in a STRING is not compared: it is what stands in the record.
func reference(x any, t column.Type) (any, bool) {
	if x == nil {
		return nil, true
	}
	switch v := x.(type) {
	case stdjson.Number:
		return referenceText(v.String(), t)
	case string:
		if t.ID == column.Row || t.ID == column.Array || t.ID == column.Map {
			return nil, false
		}
		return referenceText(v, t)
	case bool:
		if t.ID == column.Varchar {
			return strconv.FormatBool(v), true
		}
		return v, t.ID == column.Boolean
	case []any:
		if t.ID == column.Varchar {
			return anyText, true
		}
		list := []any{}
		for _, e := range v {
			y, ok := reference(e, *t.Elem)
			if !ok {
				return nil, false
			}
			list = append(list, y)
		}
		return list, true
	case map[string]any:
		switch t.ID {
		case column.Varchar:
			return anyText, true
		case column.Map:
			m := map[string]any{}
			for k, e := range v {
				m[k], _ = reference(e, *t.Elem)
			}
			return m, true
		}
		var row []any
		for _, f := range t.Fields {
			y, ok := reference(v[f.Name], f.Type)
			if !ok {
				return nil, false
			}
			row = append(row, y)
		}
		return row, true
	}
	return nil, false
}

type anything struct{}

var anyText = anything{}

func referenceText(s string, t column.Type) (any, bool) {
	switch t.ID {
	case column.Varchar:
		return s, true
	case column.Double:
		f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		return f, err == nil
	case column.Boolean:
		return strings.EqualFold(strings.TrimSpace(s), "true"), true
	}
	bits := map[column.ID]int{column.Int: 32, column.BigInt: 64}[t.ID]
	whole, _, _ := strings.Cut(strings.TrimSpace(s), ".")
	n, err := strconv.ParseInt(whole, 10, bits)
	if bits == 32 {
		return int32(n), err == nil
	}
	return n, err == nil
}

func same(got, want any) bool {
	switch w := want.(type) {
	case anything:
		_, ok := got.(string)
		return ok
	case float64:
		g, ok := got.(float64)
		return ok && math.Float64bits(g) == math.Float64bits(w)
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for i := range w {
			if !same(g[i], w[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		g, ok := got.(column.MapValue)
		if !ok || len(g.Keys) != len(w) {
			return false
		}
		for i, k := range g.Keys {
			if !same(g.Values[i], w[k.(string)]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(got, want)
}

// BenchmarkColumns frames and decodes a file in memory: clicks with a nested row, whole, three of the fields, and one.
func BenchmarkColumns(b *testing.B) {
	var data []byte
	for i := range 20000 {
		data = fmt.Appendf(data, `{"url":"https://example.com/p/%d","user":"user-%d","ts":"2024-01-02 03:04:%02d.%03d","ms":%d,"price":%d.%02d,`+
			`"agent":"Mozilla/5.0 (X11; Linux x86_64)","geo":{"city":"Ulm","lat":48.4,"lon":9.99}}`+"\n", i%1000, i*7919%50000, i%60, i%1000, 1700000000000+i, i%100, i%90)
	}
	fields := []column.Field{{Name: "url", Type: column.StringType()}, {Name: "user", Type: column.StringType()}, {Name: "ts", Type: column.TimestampType(3)},
		{Name: "ms", Type: column.Of(column.BigInt)}, {Name: "price", Type: column.DecimalType(10, 2)}, {Name: "agent", Type: column.StringType()},
		{Name: "geo", Type: column.RowType(column.Field{Name: "city", Type: column.StringType()}, column.Field{Name: "lat", Type: column.Of(column.Double)},
			column.Field{Name: "lon", Type: column.Of(column.Double)})}}
	form := columns(b, json.ColumnOptions{}, fields...)
	for _, some := range [][]int{{0, 1, 2, 3, 4, 5, 6}, {0, 2, 3}, {3}} {
		b.Run(fmt.Sprint(len(some)), func(b *testing.B) { columntest.Bench(b, form, fields, some, data) })
	}
}
