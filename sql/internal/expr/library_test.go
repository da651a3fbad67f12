package expr

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flottio/flott/column"
)

// lit makes a literal of a Go value: int is INT, int64 BIGINT, string STRING; a Literal is itself.
func lit(x any) Expr {
	t := column.Type{}
	switch v := x.(type) {
	case nil:
	case Expr:
		return v
	case int:
		x, t = int32(v), intType.Nullable(false)
	case int64:
		t = longType.Nullable(false)
	case float64:
		t = doubleType.Nullable(false)
	case bool:
		t = boolType.Nullable(false)
	case string:
		t = textType.Nullable(false)
	case []any:
		t = column.ArrayType(intType).Nullable(false)
	}
	return &Literal{Value: x, Of: t}
}

func val(text string, t column.Type) Expr {
	v, err := ParseValue(text, t)
	if err != nil {
		panic(err)
	}
	return &Literal{Value: v, Of: t.Nullable(false)}
}

func word(text string) Expr {
	return &Literal{Value: text, Of: column.Type{ID: column.Symbol, NotNull: true}}
}

func texts(values ...any) Expr {
	return &Literal{Value: values, Of: column.ArrayType(textType).Nullable(false)}
}

// callText evaluates a call and gives its text, or "error: ..." from whatever stage.
func callText(name string, args ...any) string {
	f := Lookup(name)
	if f == nil {
		return "error: no function " + name
	}
	var exprs []Expr
	for _, a := range args {
		exprs = append(exprs, lit(a))
	}
	c, err := NewCall(f, exprs...)
	if err != nil {
		return "error: " + err.Error()
	}
	env := &Env{Zone: time.FixedZone("X", 2*3600), Database: "db"}
	p, err := Compile(env, c)
	if err != nil {
		return "error: " + err.Error()
	}
	v, err := p.Eval(&Eval{Env: env, NowMs: 1_600_000_000_123, Watermark: 5000}, &column.Batch{N: 1}, 0)
	if err != nil {
		return "error: " + err.Error()
	}
	if c.Of.NotNull && v.IsNull(0) {
		return "error: NULL of type " + c.Of.String()
	}
	return Format(v.At(0), v.Type)
}

func TestLibrary(t *testing.T) {
	ts := func(s string) Expr { return val(s, column.TimestampType(3)) }
	date := func(s string) Expr { return val(s, column.Of(column.Date)) }
	clock := func(s string) Expr { return val(s, column.Type{ID: column.Time, Precision: 3}) }
	ltz := func(s string) Expr { return val(s, column.LocalTimestampType(3)) }
	dec := func(s string, p, sc int) Expr { return val(s, column.DecimalType(p, sc)) }
	bytes := func(s string) Expr { return &Literal{Value: s, Of: bytesType.Nullable(false)} }
	type args = []any
	for _, c := range []struct {
		name string
		args args
		want string
	}{
		{"SUBSTRING", args{"äöüß", 2, 2}, "öü"}, {"SUBSTRING", args{"abc", -2}, "bc"}, {"SUBSTRING", args{"abc", 0, 2}, "ab"},
		{"SUBSTRING", args{"abc", 9}, ""}, {"SUBSTRING", args{"abc", -9}, ""}, {"SUBSTRING", args{"abc", 1, -1}, "NULL"},
		{"SUBSTR", args{"a😀b", 2, 2147483647}, "😀b"}, {"LEFT", args{"😀b", 1}, "😀"}, {"LEFT", args{"ab", -1}, ""},
		{"RIGHT", args{"a😀", 1}, "😀"}, {"RIGHT", args{"ab", 5}, "ab"}, {"RIGHT", args{"ab", 0}, ""},
		{"UPPER", args{"aß-z{"}, "ASS-Z{"}, {"LOWER", args{"AZ[@É"}, "az[@é"}, {"UPPER", args{"`az{"}, "`AZ{"}, {"LOWER", args{""}, ""},
		{"INITCAP", args{"hELLO wORLD 1ab"}, "Hello World 1ab"}, {"CONCAT", args{"a", "", "c"}, "ac"}, {"CONCAT", args{"a", nil}, "NULL"},
		{"CONCAT_WS", args{",", "a", nil, "", "b"}, "a,,b"}, {"CONCAT_WS", args{nil, "a"}, "NULL"}, {"||", args{"x", "y"}, "xy"},
		{"POSITION", args{"é", "aéé"}, "2"}, {"LOCATE", args{"a", "abca", 2}, "4"}, {"LOCATE", args{"", "abc"}, "1"},
		{"INSTR", args{"banana", "an", 1, 2}, "4"}, {"INSTR", args{"banana", "an", -1, 2}, "2"}, {"INSTR", args{"banana", "x"}, "0"},
		{"INSTR", args{"banana", "a", 1, 0}, "error: "}, {"TRIM", args{word("BOTH"), "xy", "yxaxy"}, "a"},
		{"TRIM", args{word("LEADING"), "  a "}, "a "}, {"TRIM", args{" a "}, "a"}, {"BTRIM", args{"😀a😀", "😀"}, "a"},
		{"LTRIM", args{"xxa", "x"}, "a"}, {"RTRIM", args{"a  "}, "a"}, {"STARTSWITH", args{"abc", ""}, "TRUE"}, {"ENDSWITH", args{"abc", "bc"}, "TRUE"},
		{"REPLACE", args{"aaa", "aa", "b"}, "ba"}, {"REPLACE", args{"ab", "", "-"}, "-a-b-"}, {"OVERLAY", args{"abcdef", "XY", 3}, "abXYef"},
		{"OVERLAY", args{"abcdef", "XY", 3, 0}, "abXYcdef"}, {"OVERLAY", args{"abc", "X", 9}, "abc"}, {"LPAD", args{"ä", 4, "xy"}, "xyxä"},
		{"RPAD", args{"abc", 2, "x"}, "ab"}, {"RPAD", args{"abc", -1, "x"}, "NULL"}, {"LPAD", args{"a", 2147483647, "x"}, "error: "},
		{"REPEAT", args{"ab", 3}, "ababab"}, {"REPEAT", args{"ab", -3}, ""}, {"REPEAT", args{"ab", 2147483647}, "error: "},
		{"REVERSE", args{"a😀b"}, "b😀a"}, {"ASCII", args{""}, "0"}, {"ASCII", args{"é"}, "-61"}, {"CHR", args{353}, "a"}, {"CHR", args{-1}, ""},
		{"TRANSLATE", args{"hello", "el", "ip"}, "hippo"}, {"TRANSLATE", args{"hello", "lo", "x"}, "hexx"}, {"ELT", args{2, "a", "b"}, "b"},
		{"ELT", args{3, "a", "b"}, "NULL"}, {"ELT", args{-1, "a"}, "error: "}, {"SPLIT_INDEX", args{"a,b,c", ",", 1}, "b"},
		{"SPLIT_INDEX", args{"a,b", ",", 2}, "NULL"}, {"SPLIT_INDEX", args{"", ",", 0}, "NULL"}, {"SPLIT_INDEX", args{"a::b", "::", 1}, "b"},
		{"SPLIT_INDEX", args{"a,b", 44, 0}, "a"}, {"SPLIT_INDEX", args{"a,,b", ",", 1}, ""}, {"SPLIT", args{",a,", ","}, "[, a, ]"},
		{"SPLIT", args{"ä1", ""}, "[ä, 1]"}, {"TO_BASE64", args{"hi"}, "aGk="}, {"FROM_BASE64", args{"aGk"}, "hi"}, {"FROM_BASE64", args{"*"}, "error: "},
		{"DECODE", args{bytes("\xfe\xff\x00a"), "UTF-16"}, "a"}, {"DECODE", args{bytes("\xe9"), "iso-8859-1"}, "é"}, {"ENCODE", args{"a", "xx"}, "error: "},
		{"MAKE_VALID_UTF8", args{bytes("a\xe2\x82b\xff")}, "a�b�"}, {"IS_VALID_UTF8", args{bytes("\xc0\xaf")}, "FALSE"},
		{"IS_ALPHA", args{"abé"}, "TRUE"}, {"IS_ALPHA", args{""}, "FALSE"}, {"IS_ALPHA", args{nil}, "FALSE"}, {"IS_DIGIT", args{"12x"}, "FALSE"},
		{"IS_DECIMAL", args{"-1.5e3"}, "TRUE"}, {"IS_DECIMAL", args{"x"}, "FALSE"}, {"PRINTF", args{"%s-%05d|%-4s|%x", "a", 42, "b", 255}, "a-00042|b   |ff"},
		{"PRINTF", args{"%,d %+.2f %%", 1234567, 2.005}, "1,234,567 +2.01 %"}, {"PRINTF", args{"%d", "x"}, "NULL"}, {"PRINTF", args{"%2$s %1$s", "a", nil}, "null a"},
		{"REGEXP_EXTRACT", args{"foothebar", "foo(.*?)(bar)", 1}, "the"}, {"REGEXP_EXTRACT", args{"ab", "b(c)?", 1}, "NULL"}, {"REGEXP_EXTRACT", args{"ab", "a", 3}, "NULL"},
		{"REGEXP", args{"a", "("}, "error: invalid"}, {"REGEXP", args{"ab", "(?=b)"}, "error: invalid regular expression for REGEXP: (?= in"},
		{"REGEXP_COUNT", args{"ab", "("}, "NULL"}, {"REGEXP_COUNT", args{"abc", "x*"}, "4"}, {"REGEXP_COUNT", args{"a\\1", "\\\\1"}, "1"},
		{"REGEXP_REPLACE", args{"a.b.c", "\\.", "$1"}, "a$1b$1c"}, {"REGEXP_INSTR", args{"ä1", "\\d"}, "2"}, {"REGEXP_SUBSTR", args{"xay", "\\p{Alpha}+"}, "xay"},
		{"REGEXP_EXTRACT_ALL", args{"a1b22", "[a-z](\\d+)"}, "[1, 22]"}, {"REGEXP_SUBSTR", args{"[x]", "[\\[\\]]"}, "["}, {"REGEXP_SUBSTR", args{"é", "\\u00e9"}, "é"},
		{"PARSE_URL", args{"http://u:p@h:80/p/a?k=v&x=y#r", "HOST"}, "h"}, {"PARSE_URL", args{"http://h/p?k=v&x=y", "QUERY", "x"}, "y"},
		{"PARSE_URL", args{"http://u:p@h:80/p?q#r", "USERINFO"}, "u:p"}, {"PARSE_URL", args{"http://h/p", "REF"}, "NULL"}, {"PARSE_URL", args{"h", "HOST"}, "NULL"},
		{"PARSE_URL", args{"http://h/p?q", "FILE"}, "/p?q"}, {"URL_ENCODE", args{"a b*é"}, "a+b*%C3%A9"}, {"URL_DECODE", args{"%"}, "NULL"},
		{"URL_DECODE", args{"a%252Fb", true}, "a/b"}, {"INET_ATON", args{"1.2"}, "16777218"}, {"INET_ATON", args{"1.2.3.256"}, "NULL"}, {"INET_NTOA", args{int64(1 << 32)}, "NULL"},
		{"MD5", args{"abc"}, "900150983cd24fb0d6963f7d28e17f72"}, {"SHA2", args{"", 7}, "error: "}, {"HASH_CODE", args{"ab"}, "3105"},
		{"ABS", args{-3}, "3"}, {"ABS", args{dec("-1.5", 3, 1)}, "1.5"}, {"SIGN", args{dec("-1.5", 3, 1)}, "-1.0"}, {"SIGN", args{0}, "0"},
		{"ROUND", args{2.5}, "3.0"}, {"ROUND", args{-2.345, 2}, "-2.35"}, {"ROUND", args{155, -1}, "160"}, {"ROUND", args{dec("12.345", 5, 3), 1}, "12.3"},
		{"ROUND", args{dec("99.95", 4, 2), 1}, "100.0"}, {"TRUNCATE", args{-2.349, 2}, "-2.34"}, {"TRUNCATE", args{dec("19.99", 4, 2)}, "19"},
		{"FLOOR", args{dec("-1.1", 3, 1)}, "-2"}, {"CEIL", args{dec("1.1", 3, 1)}, "2"}, {"FLOOR", args{-0.5}, "-1.0"}, {"CEIL", args{7}, "7"},
		{"LOG", args{2.0, 8.0}, "3.0"}, {"POWER", args{2, 10}, "1024.0"}, {"BIN", args{-1}, strings.Repeat("1", 64)}, {"HEX", args{255}, "FF"}, {"HEX", args{"aé"}, "61C3A9"},
		{"UNHEX", args{"123"}, "\x01#"}, {"UNHEX", args{"1g"}, "NULL"}, {"RAND_INTEGER", args{5, 10}, "7"}, {"RAND", args{10}, "0.7304302967434272"},
		{"RAND_INTEGER", args{0}, "error: "}, {"GREATEST", args{1, 3, 2}, "3"}, {"LEAST", args{"b", "a"}, "a"}, {"GREATEST", args{1, nil}, "NULL"}, {"GREATEST", args{1, "a"}, "error: "},
		{"IF", args{nil, 1, 2}, "2"}, {"IFNULL", args{nil, 2}, "2"}, {"NULLIF", args{1, 1}, "NULL"}, {"NULLIF", args{1, 2}, "1"}, {"TYPEOF", args{1}, "INT NOT NULL"},
		{"EXTRACT", args{word("WEEK"), date("2021-01-03")}, "53"}, {"EXTRACT", args{word("ISOYEAR"), date("2021-01-03")}, "2020"},
		{"EXTRACT", args{word("CENTURY"), date("2001-01-01")}, "21"}, {"EXTRACT", args{word("HOUR"), ts("1969-12-31 23:59:59.999")}, "23"},
		{"EXTRACT", args{word("MILLISECOND"), ts("1969-12-31 23:59:59.999")}, "999"}, {"HOUR", args{ltz("2020-01-01 23:00:00")}, "1"},
		{"EXTRACT", args{word("DOY"), clock("10:00:00")}, "error: "}, {"DAYOFWEEK", args{date("2024-02-29")}, "5"}, {"QUARTER", args{date("2024-12-01")}, "4"},
		{"FLOOR", args{ts("2020-02-29 01:56:59.987"), word("HOUR")}, "2020-02-29 01:00:00.000"}, {"CEIL", args{ts("2020-02-29 01:56:59.001"), word("DAY")}, "2020-03-01 00:00:00.000"},
		{"FLOOR", args{ts("1969-12-31 23:59:59.999"), word("MINUTE")}, "1969-12-31 23:59:00.000"}, {"FLOOR", args{date("2024-08-20"), word("QUARTER")}, "2024-07-01"},
		{"CEIL", args{date("2024-01-01"), word("YEAR")}, "2024-01-01"}, {"FLOOR", args{ltz("2020-01-01 23:30:00"), word("DAY")}, "2020-01-01 22:00:00.000"},
		{"TIMESTAMPADD", args{word("MONTH"), 1, date("2024-01-31")}, "2024-02-29"}, {"TIMESTAMPADD", args{word("HOUR"), 25, clock("10:00:00")}, "11:00:00.0"},
		{"TIMESTAMPADD", args{word("MICROSECOND"), -1500, ts("1970-01-01 00:00:00")}, "1969-12-31 23:59:59.998"}, {"TIMESTAMPADD", args{word("DOW"), 1, date("2024-01-31")}, "error: "},
		{"TIMESTAMPDIFF", args{word("MONTH"), date("2024-01-31"), date("2024-02-29")}, "0"}, {"TIMESTAMPDIFF", args{word("SECOND"), ts("2024-01-01 00:00:00.9"), ts("2024-01-01 00:00:02")}, "1"},
		{"TIMESTAMPDIFF", args{word("SECOND"), ts("2024-01-01 00:00:02"), ts("2024-01-01 00:00:00.9")}, "-1"}, {"TIMESTAMPDIFF", args{word("DAY"), date("2024-03-01"), date("2024-02-28")}, "-2"},
		{"OVERLAPS", args{clock("09:00:00"), clock("10:00:00"), clock("10:00:00"), clock("11:00:00")}, "TRUE"},
		{"DATE_FORMAT", args{ts("2024-02-05 03:04:05.678"), "yy/M/d EEE MMMM h:mm a SSS ''D'' w"}, "24/2/5 Mon February 3:04 AM 678 '36' 6"},
		{"DATE_FORMAT", args{"2024-02-05 03:04:05", "yyyyMMdd'T'HH"}, "20240205T03"}, {"DATE_FORMAT", args{"x", "yyyy"}, "NULL"}, {"DATE_FORMAT", args{ts("2024-02-05 03:04:05"), "b"}, "error: "},
		{"DATE_FORMAT", args{ltz("2024-02-05 23:00:00"), "dd HH XXX"}, "06 01 +02:00"}, {"TO_DATE", args{"2024-02-30"}, "NULL"}, {"TO_DATE", args{"05.02.2024", "dd.MM.yyyy"}, "2024-02-05"},
		{"TO_TIMESTAMP", args{"2024-02-05 03:04:05.6789"}, "2024-02-05 03:04:05.678"}, {"TO_TIMESTAMP", args{"20240205 15", "yyyyMMdd HH"}, "2024-02-05 15:00:00.000"},
		{"TO_TIMESTAMP", args{"x"}, "NULL"}, {"TO_TIMESTAMP", args{"5 Feb 2024 3 PM", "d MMM yyyy h a"}, "2024-02-05 15:00:00.000"},
		{"TO_TIMESTAMP_LTZ", args{1500, 3}, "1970-01-01 00:00:01.500"}, {"TO_TIMESTAMP_LTZ", args{-1, 0}, "1969-12-31 23:59:59.000"}, {"TO_TIMESTAMP_LTZ", args{1, 10}, "error: "},
		{"TO_TIMESTAMP_LTZ", args{"2024-01-01 00:00:00", "yyyy-MM-dd HH:mm:ss", "Europe/Berlin"}, "2023-12-31 23:00:00.000"},
		{"UNIX_TIMESTAMP", args{"1970-01-01 02:00:01"}, "1"}, {"UNIX_TIMESTAMP", args{"x"}, "-9223372036854775808"}, {"UNIX_TIMESTAMP", nil, "1600000000"},
		{"UNIX_TIMESTAMP", args{"1970-01-01 08:00:01.001 +0800", "yyyy-MM-dd HH:mm:ss.SSS X"}, "1"}, {"FROM_UNIXTIME", args{0}, "1970-01-01 02:00:00"},
		{"CONVERT_TZ", args{"1970-01-01 00:00:00", "UTC", "America/Los_Angeles"}, "1969-12-31 16:00:00"}, {"CONVERT_TZ", args{"1970-01-01 00:00:00", "UTC", "Nowhere"}, "NULL"},
		{"CONVERT_TZ", args{"1970-01-01 00:00:00", "UTC", "GMT-08:00"}, "1969-12-31 16:00:00"}, {"CURRENT_DATE", nil, "2020-09-13"}, {"LOCALTIME", nil, "14:26:40"},
		{"CURRENT_DATABASE", nil, "db"}, {"CURRENT_TIMESTAMP", nil, "2020-09-13 12:26:40.123"}, {"SOURCE_WATERMARK", nil, "error: "},
		{"CARDINALITY", args{args{int32(1), nil}}, "2"}, {"ELEMENT", args{args{int32(7)}}, "7"}, {"ELEMENT", args{args{int32(7), nil}}, "error: "},
		{"ARRAY_DISTINCT", args{args{nil, int32(1), nil, int32(1)}}, "[NULL, 1]"}, {"ARRAY_REVERSE", args{args{int32(1), int32(2)}}, "[2, 1]"},
		{"ARRAY_SLICE", args{args{int32(1), int32(2), int32(3)}, -2}, "[2, 3]"}, {"ARRAY_SLICE", args{args{int32(1), int32(2)}, 2, 1}, "[]"},
		{"ARRAY_SORT", args{args{int32(2), nil, int32(1)}, false}, "[2, 1, NULL]"}, {"ARRAY_UNION", args{args{int32(1)}, args{int32(2), int32(1), nil}}, "[1, 2, NULL]"},
		{"ARRAY_EXCEPT", args{args{int32(1), int32(1), nil}, args{nil}}, "[1]"}, {"ARRAY_INTERSECT", args{args{int32(1), nil, nil}, args{nil}}, "[NULL]"},
		{"ARRAY_CONCAT", args{args{int32(1)}, args{}, args{int32(1)}}, "[1, 1]"}, {"ARRAY_APPEND", args{args{int32(1)}, nil}, "[1, NULL]"},
		{"ARRAY_PREPEND", args{args{int32(1)}, 0}, "[0, 1]"}, {"ARRAY_REMOVE", args{args{int32(1), nil}, nil}, "[1]"}, {"ARRAY_CONTAINS", args{args{int32(1)}, nil}, "FALSE"},
		{"ARRAY_POSITION", args{args{int32(5), int32(6)}, 6}, "2"}, {"ARRAY_MAX", args{args{int32(1), nil, int32(3)}}, "3"}, {"ARRAY_MIN", args{args{}}, "NULL"},
		{"ARRAY_JOIN", args{texts("a", nil, "b"), "-"}, "a-b"}, {"ARRAY_JOIN", args{texts("a", nil), "-", "x"}, "a-x"}, {"ARRAY_JOIN", args{args{int32(1)}, "-"}, "error: "},
		{"STR_TO_MAP", args{"a=1,b,a=2"}, "{a=2, b=NULL}"}, {"STR_TO_MAP", args{"a:1;b:2", ";", ":"}, "{a=1, b=2}"},
		{"MAP_FROM_ARRAYS", args{args{int32(1)}, args{}}, "error: "}, {"MAP_FROM_ARRAYS", args{args{int32(1), int32(1)}, args{int32(2), int32(3)}}, "{1=3}"},
		{"JSON_VALUE", args{`{"a":{"b":[1,2.50]}}`, "$.a.b[1]"}, "2.5"}, {"JSON_VALUE", args{`{"a":1}`, "$.b"}, "NULL"}, {"JSON_VALUE", args{`{"a b":"x"}`, "$.['a b']"}, "x"},
		{"JSON_VALUE", args{`{"a":1}`, "lax $.b", word("DEFAULT ON EMPTY"), "e"}, "e"}, {"JSON_VALUE", args{`{"a":1}`, "$.b", word("DEFAULT ON EMPTY"), "e"}, "NULL"},
		{"JSON_VALUE", args{`{"a":1}`, "$.b", word("DEFAULT ON ERROR"), false}, "false"}, {"JSON_VALUE", args{`{`, "$", word("ERROR ON ERROR")}, "error: "},
		{"JSON_VALUE", args{`{"a":"7"}`, "$.a", word("RETURNING"), &Literal{Of: intType}}, "7"}, {"JSON_VALUE", args{`{"a":[1]}`, "strict $.a"}, "NULL"},
		{"JSON_QUERY", args{`{"a":[{"c":"x"},{"c":2}]}`, "lax $.a[*].c"}, `["x",2]`}, {"JSON_QUERY", args{`1`, "$"}, "NULL"}, {"JSON_QUERY", args{`1`, "$", word("WITH WRAPPER")}, "[1]"},
		{"JSON_QUERY", args{`[1]`, "$", word("WITH CONDITIONAL WRAPPER")}, "[1]"}, {"JSON_QUERY", args{`{}`, "strict $.x", word("EMPTY OBJECT ON ERROR")}, "{}"},
		{"JSON_QUERY", args{`{"a":["x",null,{"y":1}]}`, "$.a", word("RETURNING"), &Literal{Of: column.ArrayType(textType)}}, `[x, NULL, {"y":1}]`},
		{"JSON_QUERY", args{`[{"p":5},{"p":15}]`, "$[?(@.p > 10 && @.p != 16)]"}, `[{"p":15}]`}, {"JSON_QUERY", args{`{"a":{"x":1},"b":[{"x":2}]}`, "$..x"}, "[1,2]"},
		{"JSON_QUERY", args{`[0,1,2,3]`, "$[1:3]"}, "[1,2]"}, {"JSON_QUERY", args{`[0]`, "$["}, "error: "}, {"JSON_EXISTS", args{`{"a":null}`, "$.a"}, "FALSE"},
		{"JSON_EXISTS", args{`{"a":1}`, "strict $.b", word("TRUE ON ERROR")}, "TRUE"}, {"JSON_OBJECT", args{"b", 1, "a", nil}, `{"a":null,"b":1}`},
		{"JSON_OBJECT", args{"a", nil, word("ABSENT ON NULL")}, "{}"}, {"JSON_ARRAY", args{1, nil, "x\"\n"}, `[1,"x\"\n"]`}, {"JSON_ARRAY", args{nil, word("NULL ON NULL")}, "[null]"},
		{"JSON_STRING", args{args{int32(1), nil}}, "[1,null]"}, {"JSON_STRING", args{ts("2020-01-02 03:04:00")}, `"2020-01-02T03:04:00"`}, {"JSON", args{"1"}, "error: "},
		{"JSON_QUOTE", args{"≠\t😀"}, `"\u2260\t\ud83d\ude00"`}, {"JSON_UNQUOTE", args{`"\u0041\/"`}, "A/"}, {"JSON_UNQUOTE", args{`"\u00"`}, `"\u00"`},
		{"IS JSON SCALAR", args{"1"}, "TRUE"}, {"IS JSON VALUE", args{"01"}, "FALSE"}, {"IS NOT JSON ARRAY", args{"{}"}, "TRUE"}, {"IS JSON VALUE", args{strings.Repeat("[", 2000)}, "FALSE"},
		{"PARSE_JSON", args{`{"a" : 1 , "a":2}`}, "error: "}, {"PARSE_JSON", args{`{"a" : 1 , "a":2}`, true}, `{"a":2}`}, {"TRY_PARSE_JSON", args{"1e999"}, "NULL"},
		{"BITMAP_FROM_BYTES", args{bytes("x")}, "error: "}, {"BITMAP_BUILD", args{texts("a")}, "error: "}, {"SPLIT", args{"a"}, "error: takes SPLIT("},
	} {
		got := callText(c.name, c.args...)
		if got != c.want && !(strings.HasPrefix(c.want, "error") && strings.HasPrefix(got, c.want)) {
			t.Errorf("%s(%v) = %q, want %q", c.name, c.args, got, c.want)
		}
	}
}

// A strict function is NULL for a NULL argument, whatever the others, and its type says so.
func TestLibraryNull(t *testing.T) {
	for _, name := range []string{"UPPER", "SUBSTRING", "REGEXP_EXTRACT", "DATE_FORMAT", "SPLIT_INDEX", "JSON_STRING", "MD5", "HEX", "ROUND", "ABS", "FLOOR",
		"CARDINALITY", "ARRAY_DISTINCT", "MAP_KEYS", "URL_ENCODE", "TO_DATE", "LPAD", "REVERSE", "ARRAY_SORT"} {
		args := []any{nil}
		switch name {
		case "CARDINALITY", "ARRAY_DISTINCT", "ARRAY_SORT":
			args[0] = &Literal{Of: column.ArrayType(intType)}
		case "MAP_KEYS":
			args[0] = &Literal{Of: column.MapType(intType, intType)}
		case "SUBSTRING":
			args = append(args, 1)
		case "REGEXP_EXTRACT", "DATE_FORMAT":
			args = append(args, "y")
		case "SPLIT_INDEX":
			args = append(args, ",", 0)
		case "LPAD":
			args = append(args, 1, "x")
		}
		if got := callText(name, args...); got != "NULL" {
			t.Errorf("%s(NULL ...) = %s", name, got)
		}
	}
}

// The loops over whole batches, with NULLs among the values, agree with one row at a time; and texts that were kept stay what they were.
func TestLibraryBatches(t *testing.T) {
	words := []any{"Hello World", nil, "", "äöü,ß", "a,b,c", "x=1&channel_id=77", nil, "LOWER", "upper"}
	in := column.NewBatch([]column.Type{textType, intType})
	for i := range 70 {
		in.AppendRow(0, words[i%len(words)], int32(i%7-3))
	}
	cols := []Expr{&Column{Index: 0, Of: textType}, &Column{Index: 1, Of: intType}}
	for name, args := range map[string][]Expr{
		"UPPER": cols[:1], "LOWER": cols[:1], "SUBSTRING": cols, "CONCAT": {cols[0], cols[0], lit("x")}, "LEFT": cols, "CHAR_LENGTH": cols[:1],
		"SPLIT_INDEX": {cols[0], lit(","), cols[1]}, "REGEXP_EXTRACT": {cols[0], lit("(&|^)channel_id=([^&]*)"), lit(2)}, "REVERSE": cols[:1],
		"SPLIT": {cols[0], lit(",")}, "STARTSWITH": {cols[0], cols[0]}, "LPAD": {cols[0], cols[1], lit("p")}, "BIN": cols[1:], "STR_TO_MAP": cols[:1],
	} {
		c, err := NewCall(Lookup(name), args...)
		if err != nil {
			t.Fatal(name, err)
		}
		p, err := Compile(&Env{}, c)
		if err != nil {
			t.Fatal(name, err)
		}
		whole, err := p.Eval(&Eval{Env: &Env{}}, &in, 0)
		if err != nil {
			t.Fatal(name, err)
		}
		for i := range in.N {
			row := column.NewBatch(in.Types())

			in.Slice(&row, i, i+1)
			one, err := p.Eval(&Eval{Env: &Env{}}, &row, 0)
			if err != nil {
				t.Fatal(name, err)
			}
			if CompareNullable(whole, i, one, 0) != 0 {
				t.Fatalf("%s of row %d (%v): %v in a batch, %v alone", name, i, in.Row(i), whole.At(i), one.At(0))
			}
		}
	}
}

func TestBitmapOperations(t *testing.T) {
	const seed = 7
	r := rand.New(rand.NewPCG(seed, seed))
	for round := range 30 {
		a, b := &bitmap{}, &bitmap{}
		sets := [2]map[uint32]bool{{}, {}}
		for range r.IntN(9000) {
			x := uint32(r.IntN(20000)) * uint32(1+r.IntN(2)*300_000)
			k := r.IntN(2)
			sets[k][x] = true
			[]*bitmap{a, b}[k].add(x)
		}
		for name, op := range map[string]struct {
			f    func(a, b *bitmap)
			want func(x, y bool) bool
		}{
			"and": {(*bitmap).and, func(x, y bool) bool { return x && y }}, "or": {(*bitmap).or, func(x, y bool) bool { return x || y }},
			"xor": {(*bitmap).xor, func(x, y bool) bool { return x != y }}, "andNot": {(*bitmap).andNot, func(x, y bool) bool { return x && !y }},
		} {
			c, err := readBitmap(string(a.append(nil)))
			if err != nil {
				t.Fatal(err)
			}
			op.f(c, b)
			var got, want []uint32
			c.each(func(x uint32) bool { got = append(got, x); return true })
			for x := range sets[0] {
				if op.want(true, sets[1][x]) {
					want = append(want, x)
				}
			}
			for x := range sets[1] {
				if !sets[0][x] && op.want(false, true) {
					want = append(want, x)
				}
			}
			slices.Sort(want)
			if !slices.Equal(got, want) || c.count() != len(want) {
				t.Fatalf("seed %d, round %d: %s has %d elements, want %d", seed, round, name, len(got), len(want))
			}
		}
	}
}

func TestUnnest(t *testing.T) {
	rowType := column.RowType(column.Field{Name: "a", Type: intType}, column.Field{Name: "b", Type: textType})
	for _, c := range []struct {
		t    column.Type
		x    any
		want string
	}{
		{column.ArrayType(intType), []any{int32(4), nil}, "[[4 1] [<nil> 2]]"},
		{column.ArrayType(rowType), []any{[]any{int32(1), "x"}, nil}, "[[1 x 1] [<nil> <nil> 2]]"},
		{column.MapType(intType, textType), column.MapValue{Keys: []any{int32(1)}, Values: []any{"v"}}, "[[1 v 1]]"},
		{column.MultisetType(textType), column.MapValue{Keys: []any{"p", "q"}, Values: []any{int32(2), int32(1)}}, "[[p 1] [p 2] [q 3]]"},
		{column.ArrayType(intType), nil, "[]"},
	} {
		f := LookupTable("UNNEST WITH ORDINALITY")
		sig, err := f.Resolve([]Arg{{Type: c.t}})
		if err != nil {
			t.Fatal(err)
		}
		make, err := f.Make(nil)
		if err != nil {
			t.Fatal(err)
		}
		v := column.New(c.t)
		v.Append(c.x)
		var types []column.Type
		for _, field := range sig.Result.Fields {
			types = append(types, field.Type)
		}
		out := column.NewBatch(types)
		if err := make(&Eval{}, []*column.Vector{v}, 0, &out); err != nil {
			t.Fatal(err)
		}
		rows := [][]any{}
		for i := range out.N {
			rows = append(rows, out.Row(i))
		}
		if got := fmt.Sprint(rows); got != c.want {
			t.Errorf("UNNEST(%v) = %s, want %s", c.x, got, c.want)
		}
	}
}
