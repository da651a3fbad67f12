package json_test

import (
	stdjson "encoding/json"
	"errors"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/flottio/flott/format"
	"github.com/flottio/flott/format/json"
)

type inner struct {
	Zip  int32  `json:"zip"`
	City string `json:"city"`
}

type Embedded struct {
	Deep int `json:"deep"`
}

type row struct {
	S    string             `json:"s"`
	I    int64              `json:"i"`
	I8   int8               `json:"i8"`
	U    uint64             `json:"u"`
	U16  uint16             `json:"u16"`
	F    float64            `json:"f"`
	F32  float32            `json:"f32"`
	B    bool               `json:"b"`
	T    time.Time          `json:"t"`
	MS   time.Time          `json:"ms,unixms"`
	PMS  *time.Time         `json:"pms,unixms"`
	P    *int               `json:"p"`
	In   inner              `json:"in"`
	List []inner            `json:"list"`
	M    map[string]string  `json:"m"`
	MF   map[int]float32    `json:"mf"`
	A    any                `json:"a"`
	Raw  stdjson.RawMessage `json:"raw"`
	N    stdjson.Number     `json:"n"`
	By   []byte             `json:"by"`
	Arr  [2]int             `json:"arr"`
	Q    int64              `json:"q,string"`
	IP   netip.Addr         `json:"ip"`
	No   string             `json:"-"`
	Bare string
	Embedded
	*Pointed
}

type Pointed struct {
	Behind string `json:"behind"`
}

func decode[T any](t *testing.T, text string, opts ...json.Option) (T, error) {
	t.Helper()
	d, err := json.Of[T](opts...).NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	var v T
	record := []byte(text)
	err = d.Decode(record, &v)
	for i := range record { // nothing of the value may refer to the record
		record[i] = 0xAA
	}
	return v, err
}

func ptr[T any](v T) *T { return &v }

func TestDecodeValues(t *testing.T) {
	day := time.Date(2024, 2, 29, 23, 59, 58, 0, time.UTC)
	for _, c := range []struct {
		text string
		want row
	}{
		{`{}`, row{}},
		{" {\t\"s\" :\r\n\"x\" } ", row{S: "x"}},
		{`{"s":"a\"b\\c\/\b\f\n\r\té\u00e9\ud83d\ude00\u0000"}`, row{S: "a\"b\\c/\b\f\n\r\téé😀\x00"}},
		{`{"s":null,"i":null,"p":null,"list":null,"in":null,"t":null,"b":null,"f":null,"n":null,"arr":null}`, row{}},
		{`{"i":9223372036854775807}`, row{I: math.MaxInt64}},
		{`{"i":-9223372036854775808}`, row{I: math.MinInt64}},
		{`{"i":9007199254740993,"f":9007199254740993}`, row{I: 1<<53 + 1, F: 1 << 53}},
		{`{"i":-0,"i8":-128,"u":18446744073709551615,"u16":65535}`, row{I8: -128, U: math.MaxUint64, U16: 65535}},
		{`{"f":1e3,"f32":0.1}`, row{F: 1000, F32: 0.1}},
		{`{"f":0.30000000000000004}`, row{F: 0.30000000000000004}},
		{`{"f":1.7976931348623157e308}`, row{F: math.MaxFloat64}},
		{`{"f":1e-400}`, row{}},
		{`{"b":true}`, row{B: true}},
		{`{"t":"2024-02-29T23:59:58Z"}`, row{T: day}},
		{`{"t":"2024-03-01T01:29:58.000000001+01:30"}`, row{T: day.Add(1)}},
		{`{"ms":1709251198000,"pms":1709251198000}`, row{MS: day, PMS: &day}},
		{`{"ms":-1}`, row{MS: time.UnixMilli(-1).UTC()}},
		{`{"ms":253402300799999}`, row{MS: time.UnixMilli(253402300799999).UTC()}},
		{`{"p":7}`, row{P: ptr(7)}},
		{`{"in":{"zip":5,"x":[1,{"y":null}],"city":"B"}}`, row{In: inner{5, "B"}}},
		{`{"list":[{"zip":1},{"city":"c"}]}`, row{List: []inner{{Zip: 1}, {City: "c"}}}},
		{`{"list":[]}`, row{List: []inner{}}},
		{`{"m":{"":"1","a\n":"\u0041"},"mf":{"-3":1.5}}`, row{M: map[string]string{"": "1", "a\n": "A"}, MF: map[int]float32{-3: 1.5}}},
		{`{"a":{"x":[1,1.5,"s",null,true,false,18446744073709551616,-0]}}`, row{A: map[string]any{"x": []any{
			int64(1), 1.5, "s", nil, true, false, stdjson.Number("18446744073709551616"), math.Copysign(0, -1)}}}},
		{`{"raw": {"a" : 1} ,"n":1.50}`, row{Raw: stdjson.RawMessage(`{"a" : 1}`), N: "1.50"}},
		{`{"raw":null}`, row{Raw: stdjson.RawMessage(`null`)}},
		{`{"by":"AQID","arr":[1,2],"q":"-12"}`, row{By: []byte{1, 2, 3}, Arr: [2]int{1, 2}, Q: -12}},
		{`{"ip":"10.0.0.1"}`, row{IP: netip.MustParseAddr("10.0.0.1")}},
		{`{"Bare":"x","deep":3,"behind":"y"}`, row{Bare: "x", Embedded: Embedded{3}, Pointed: &Pointed{"y"}}},
		{`{"BARE":"x","S":"y"}`, row{Bare: "x", S: "y"}},
		{`{"-":"x","No":"y","unknown":[[],{},"\ud83d\ude00",1e9]}`, row{}},
	} {
		got, err := decode[row](t, c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
		} else if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", c.text, got, c.want)
		}
	}
}

func TestDecodeNegativeZero(t *testing.T) {
	got, err := decode[row](t, `{"f":-0,"f32":-0.0}`)
	if err != nil || !math.Signbit(got.F) || !math.Signbit(float64(got.F32)) {
		t.Errorf("got %v %v %v, want -0 -0", got.F, got.F32, err)
	}
}

func TestDecodeErrors(t *testing.T) {
	deep := strings.Repeat("[", 100000)
	for _, c := range []struct{ text, want string }{
		{``, `column 1: unexpected end of the record: expected an object`},
		{`null`, `column 1: wrong type: expected a value of json_test.row, got null`},
		{`[]`, `column 1: wrong type: expected an object, got an array`},
		{`{`, `column 2: unexpected end of the record: expected a field name`},
		{`{"s"`, `column 5: unexpected end of the record: expected ':' after a field name`},
		{`{"s" "x"}`, `column 6: malformed JSON: expected ':' after a field name, got string "x"`},
		{`{"s":`, `column 6, field "s": unexpected end of the record: expected a string`},
		{`{"s":"x`, `column 8, field "s": unexpected end of the record: expected the closing quote of a string`},
		{`{"s":"x"`, `column 9: unexpected end of the record in an object: expected ',' or '}'`},
		{`{"s":"x",}`, `column 10: malformed JSON: expected a field name in quotes, got '}'`},
		{`{"s":"x" "i":1}`, `column 10: malformed JSON: expected ',' or '}', got string "i"`},
		{`{s:1}`, `column 2: malformed JSON: expected a field name in quotes, got s`},
		{`{"i":1}{"i":2}`, `column 8: unexpected text after the end of the document: expected the end of the record, got an object`},
		{"\xef\xbb\xbf{}", `column 1: malformed JSON: expected an object, got a byte order mark (EF BB BF): save the data without it`},
		{"{\"s\":\"é\xff\"}", `column 8, field "s": invalid UTF-8 in a string: byte 0xFF, which is no UTF-8`},
		{`{"s":"\ud800"}`, `column 7, field "s": lone surrogate in an escape sequence: \ud800`},
		{`{"s":"\udc00\ud800"}`, `column 7, field "s": lone surrogate in an escape sequence: \udc00`},
		{`{"s":"\u12"}`, `column 7, field "s": malformed escape sequence: expected \u and four hexadecimal digits, got \u12"}`},
		{`{"s":"\x"}`, `column 7, field "s": unknown escape sequence: \x`},
		{`{"s":"a` + "\x00" + `"}`, `column 8, field "s": malformed JSON: expected control characters in strings to be escaped, ` +
			`got control character U+0000`},
		{"{}\x00", `column 3: unexpected text after the end of the document: expected the end of the record, ` +
			`got control character U+0000`},
		{`{"i":1,"i":2}`, `column 8, field "i": duplicate field`},
		{`{"i":1,"I":2}`, `column 8, field "i": duplicate field`},
		{`{"m":{"a":"1","a":"2"}}`, `column 15, field "m.a": duplicate field`},
		{`{"a":` + deep, `column 69, field "a` + strings.Repeat("[0]", 63) + `": nested too deeply (raise the limit with MaxDepth): ` +
			`expected at most 64 levels`},
		{`{"skipped":` + deep, `column 75: nested too deeply (raise the limit with MaxDepth): expected at most 64 levels`},
		{`{"f":1e400}`, `column 6, field "f": number out of range: expected a value that fits float64, got number 1e400`},
		{`{"f32":1e39}`, `column 8, field "f32": number out of range: expected a value that fits float32, got number 1e39`},
		{`{"i":9223372036854775808}`, `column 6, field "i": number out of range: expected a value that fits int64, ` +
			`got number 9223372036854775808`},
		{`{"i":99999999999999999999999}`, `column 6, field "i": number out of range: expected a value that fits int64, ` +
			`got number 99999999999999999999999`},
		{`{"i8":128}`, `column 7, field "i8": number out of range: expected a value that fits int8, got number 128`},
		{`{"u":-1}`, `column 6, field "u": number out of range: expected a value that fits uint64, got number -1`},
		{`{"u":18446744073709551616}`, `column 6, field "u": number out of range: expected a value that fits uint64, ` +
			`got number 18446744073709551616`},
		{`{"i":1e3}`, `column 6, field "i": wrong type: expected an integer, got number 1e3`},
		{`{"i":1.0}`, `column 6, field "i": wrong type: expected an integer, got number 1.0`},
		{`{"i":01}`, `column 7, field "i": malformed number: number 1`},
		{`{"i":-}`, `column 7, field "i": malformed number: '}'`},
		{`{"f":1.}`, `column 8, field "f": malformed number: '}'`},
		{`{"f":1e`, `column 8, field "f": unexpected end of the record: expected the rest of a number`},
		{`{"f":NaN}`, `column 6, field "f": malformed JSON: expected a number, got NaN`},
		{`{"f":+1}`, `column 6, field "f": malformed JSON: expected a number, got '+'`},
		{`{"i":"12"}`, `column 6, field "i": wrong type: expected an integer, got string "12"`},
		{`{"s":12}`, `column 6, field "s": wrong type: expected a string, got number 12`},
		{`{"b":tru}`, `column 6, field "b": wrong type: expected a bool, got tru`},
		{`{"b":1}`, `column 6, field "b": wrong type: expected a bool, got number 1`},
		{`{"in":{"zip":"x"}}`, `column 14, field "in.zip": wrong type: expected an integer, got string "x"`},
		{`{"list":[{},{"zip":2147483648}]}`, `column 20, field "list[1].zip": number out of range: ` +
			`expected a value that fits int32, got number 2147483648`},
		{`{"list":{}}`, `column 9, field "list": wrong type: expected an array, got an object`},
		{`{"t":"2023-02-29T00:00:00Z"}`, `column 6, field "t": malformed time: expected RFC 3339 like "2006-01-02T15:04:05.999Z", ` +
			`got string "2023-02-29T00:00:00Z"`},
		{`{"t":1700000000000}`, `column 6, field "t": wrong type: expected a time (RFC 3339), got number 1700000000000`},
		{`{"ms":"2024-01-01T00:00:00Z"}`, `column 7, field "ms": wrong type: expected an integer, got string "2024-01-01T00:00:00Z"`},
		{`{"ms":1.5}`, `column 7, field "ms": wrong type: expected an integer, got number 1.5`},
		{`{"by":"AQI"}`, `column 7, field "by": malformed base64: expected a string in base64, got string "AQI"`},
		{`{"arr":[1]}`, `column 8, field "arr": too few elements: expected an array of [2]int`},
		{`{"arr":[1,2,3]}`, `column 13, field "arr": too many elements: expected an array of [2]int`},
		{`{"q":12}`, `column 6, field "q": wrong type: expected a string that holds a number or bool, got number 12`},
		{`{"q":"12x"}`, `column 6, field "q": wrong type: expected a string that holds a number or bool, got string "12x"`},
		{`{"mf":{"x":1}}`, `column 8, field "mf.x": unusable map key (bad syntax): expected a key of type int, got string "x"`},
		{`{"ip":"10"}`, `column 7, field "ip": ParseAddr("10"): unable to parse IP: string "10"`},
		{`{/*c*/}`, `column 2: malformed JSON: expected a field name in quotes, got '/'`},
		{`{"x":[1,]}`, `column 9: malformed JSON: expected a value, got ']'`},
		{"{\n \"i\": x}", `line 2 of the record, column 7, field "i": malformed JSON: expected an integer, got x`},
		{`{"é":"é","i":"` + strings.Repeat("é", 100) + `"}`,
			`column 14, field "i": wrong type: expected an integer, got string "` + strings.Repeat("é", 19) + `...`},
	} {
		got, err := decode[row](t, c.text)
		checkError(t, c.text, err, c.want)
		if !reflect.DeepEqual(got, row{}) {
			t.Errorf("%.60s: the row is not zero after an error: %+v", c.text, got)
		}
	}
}

func checkError(t *testing.T, text string, err error, want string) {
	t.Helper()
	var e *format.Error
	switch {
	case err == nil:
		t.Errorf("%.60s: no error, want %s", text, want)
	case !errors.As(err, &e):
		t.Errorf("%.60s: %v is no *format.Error", text, err)
	case err.Error() != want:
		t.Errorf("%.60s:\n got %s\nwant %s", text, err, want)
	}
}

func TestHugeNumber(t *testing.T) {
	huge := strings.Repeat("7", 10<<20)
	_, err := decode[row](t, `{"i":`+huge+`}`)
	checkError(t, "10 MiB integer", err, `column 6, field "i": number out of range: expected a value that fits int64, got number `+
		huge[:40]+`...`)
	_, err = decode[row](t, `{"f":`+huge+`}`)
	checkError(t, "10 MiB float", err, `column 6, field "f": number out of range: expected a value that fits float64, got number `+
		huge[:40]+`...`)
	if v, err := decode[row](t, `{"n":`+huge+`}`); err != nil || string(v.N) != huge {
		t.Errorf("json.Number did not keep 10 MiB of digits: %v", err)
	}
}

func TestDecodeOptions(t *testing.T) {
	type small struct {
		A int    `json:"a"`
		B *int   `json:"b"`
		C string `json:"c"`
	}
	type tagged struct {
		A int       `json:"a,required"`
		T time.Time `json:"t"`
	}
	_, err := decode[small](t, `{"a":1}`, json.RequireFields())
	checkError(t, "two missing", err, `column 1: missing fields "b", "c"`)
	_, err = decode[small](t, `{"a":1,"b":null,"c":null}`, json.RequireFields())
	checkError(t, "null", err, `column 21, field "c": null in a required field`)
	if v, err := decode[small](t, `{"a":1,"b":null,"c":""}`, json.RequireFields()); err != nil || v.B != nil {
		t.Errorf("null in a pointer: %+v %v", v, err)
	}
	_, err = decode[tagged](t, `{}`)
	checkError(t, "required tag", err, `column 1: missing field "a"`)
	_, err = decode[small](t, `{"a":1,"d":1}`, json.RefuseUnknownFields())
	checkError(t, "unknown", err, `column 8, field "d": unknown field`)
	type outer struct{ In small }
	if v, err := decode[outer](t, `{"In":{"a":1,"c":"x"},"In":{"a":2}}`, json.AllowDuplicateFields()); err != nil ||
		v != (outer{small{A: 2}}) {
		t.Errorf("last wins: %+v %v", v, err)
	}
	if v, err := decode[tagged](t, `{"a":1,"t":1000}`, json.EpochMillis("t")); err != nil || v.T.Unix() != 1 {
		t.Errorf("EpochMillis: %+v %v", v, err)
	}
	_, err = decode[any](t, `[[1]]`, json.MaxDepth(1))
	checkError(t, "depth", err, `column 2, field "[0]": nested too deeply (raise the limit with MaxDepth): expected at most 1 levels`)
	if _, err := decode[any](t, `[{}]`, json.MaxDepth(2)); err != nil {
		t.Error(err)
	}
}

func TestRootKinds(t *testing.T) {
	if v, err := decode[string](t, `"x"`); v != "x" || err != nil {
		t.Error(v, err)
	}
	if v, err := decode[[]int](t, `[1,2]`); !reflect.DeepEqual(v, []int{1, 2}) || err != nil {
		t.Error(v, err)
	}
	if v, err := decode[map[string]int64](t, `{"a":1}`); v["a"] != 1 || err != nil {
		t.Error(v, err)
	}
	if v, err := decode[*inner](t, `{"zip":1}`); v == nil || v.Zip != 1 || err != nil {
		t.Error(v, err)
	}
	type tree struct {
		V    int    `json:"v"`
		Kids []tree `json:"kids"`
		Up   *tree  `json:"up"`
	}
	v, err := decode[tree](t, `{"v":1,"kids":[{"v":2,"kids":[]}],"up":{"v":3}}`)
	if want := (tree{1, []tree{{V: 2, Kids: []tree{}}}, &tree{V: 3}}); err != nil || !reflect.DeepEqual(v, want) {
		t.Errorf("%+v %v", v, err)
	}
}

// A decoder must give nothing of one record to the next.
func TestRowsAreIndependent(t *testing.T) {
	d, err := json.Of[row]().NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	var a, b row
	if err := d.Decode([]byte(`{"list":[{"zip":1}],"m":{"a":"1"},"p":1,"s":"x"}`), &a); err != nil {
		t.Fatal(err)
	}
	b = a
	if err := d.Decode([]byte(`{"list":[{"zip":2}],"m":{"a":"2"},"p":2}`), &b); err != nil {
		t.Fatal(err)
	}
	if a.List[0].Zip != 1 || a.M["a"] != "1" || *a.P != 1 || b.S != "" || b.List[0].Zip != 2 {
		t.Errorf("rows share memory or fields: %+v %+v", a, b)
	}
}

func TestCheck(t *testing.T) {
	type bad struct {
		C  chan int         `json:"c"`
		F  func()           `json:"f"`
		I  interface{ M() } `json:"i"`
		M  map[float64]int  `json:"m"`
		E  int              `json:"e,unixms"`
		O  int              `json:"o,bogus"`
		S  []int            `json:"s,string"`
		In struct {
			C complex64
		}
	}
	err := json.Of[bad](json.EpochMillis("nope"), json.MaxDepth(0), json.MaxRecordBytes(-1)).Check()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"field C of json_test.bad: the type chan int has no form in JSON", "field F of", "field I of", "keys of map[float64]int must be",
		"field E of json_test.bad: an epoch unit is for time.Time, not for int", `field O of json_test.bad: unknown tag option "bogus"`,
		`field S of json_test.bad: the tag option "string" is for numbers and bools`, "field In.C of json_test.bad: the type complex64",
		`EpochMillis("nope") names no field`, "MaxDepth is 0", "MaxRecordBytes is -1",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing %q in\n%v", want, err)
		}
	}
	if _, derr := json.Of[bad]().NewDecoder(); derr == nil {
		t.Error("NewDecoder does not report what Check reports")
	}
}

func TestAllocs(t *testing.T) {
	d, err := json.Of[click]().NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	e, err := json.Of[click]().NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	record := []byte(`{"url":"https://example.com/p/1","user":"user-1","ts":1700000000000,"other":[1,{"x":"\n"}]}`)
	var v click
	var buf []byte
	for range 64 {
		if err := d.Decode(record, &v); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(100, func() {
		_ = d.Decode(record, &v)
		buf, _ = e.Append(buf[:0], &v)
	}); n != 0 {
		t.Errorf("%v allocations a record, want 0", n)
	}
}
