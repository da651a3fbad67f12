package json_test

import (
	stdjson "encoding/json"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/flottio/flott/format/json"
)

func encode[T any](t *testing.T, v *T, opts ...json.Option) (string, error) {
	t.Helper()
	e, err := json.Of[T](opts...).NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	out, err := e.Append([]byte("before"), v)
	if string(out[:6]) != "before" || err != nil && len(out) != 6 {
		t.Errorf("Append spoilt what was there: %q", out)
	}
	return string(out[6:]), err
}

// What the encoder writes, encoding/json reads as the same value, and so does our decoder.
func TestEncodeRoundTrip(t *testing.T) {
	day := time.Date(2024, 2, 29, 23, 59, 58, 120000000, time.UTC)
	full := row{
		S: "q\"\\/\b\f\n\r\t\x00\x1f é😀\u2028<&>", I: math.MinInt64, I8: -1, U: math.MaxUint64, U16: 7, F: 1e-7, F32: 3.4e38, B: true,
		T: day, MS: time.UnixMilli(5).UTC(), PMS: &day, P: ptr(0), In: inner{1, "x"}, List: []inner{{}, {2, "y"}},
		M: map[string]string{"b": "1", "a": ""}, MF: map[int]float32{-1: 0.1}, A: []any{int64(1), 1.5, nil, map[string]any{"k": "v"}},
		Raw: stdjson.RawMessage(`{"a":[1]}`), N: "1.50", By: []byte{0, 255}, Arr: [2]int{1, 2}, Q: 5, Bare: "b", Embedded: Embedded{9},
		Pointed: &Pointed{"z"},
	}
	for _, v := range []row{{N: "0", Raw: stdjson.RawMessage("null")}, full} {
		v.IP.UnmarshalText([]byte("10.0.0.1"))
		text, err := encode(t, &v)
		if err != nil {
			t.Fatal(err)
		}
		back, err := decode[row](t, text)
		if err != nil || !reflect.DeepEqual(back, v) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", text, err, back, v)
		}
		if !stdjson.Valid([]byte(text)) {
			t.Errorf("encoding/json finds this malformed: %s", text)
		}
	}
}

func TestEncodeText(t *testing.T) {
	type omits struct {
		A int        `json:"a,omitempty"`
		B []int      `json:"b,omitempty"`
		C time.Time  `json:"c,omitzero"`
		D *int       `json:"d"`
		E struct{}   `json:"e"`
		F float64    `json:"f"`
		G float32    `json:"g"`
		H []int      `json:"h"`
		J time.Time  `json:"j,unix"`
		K *time.Time `json:"k,omitzero"`
	}
	v := omits{F: math.Copysign(0, -1), G: 16777216, J: time.Unix(-1, 5e8)}
	text, err := encode(t, &v)
	if want := `{"d":null,"e":{},"f":-0,"g":16777216,"h":null,"j":-1}`; text != want || err != nil {
		t.Errorf("got %s %v, want %s", text, err, want)
	}
	r := stdjson.RawMessage("\n{\"a\" :\n1}\n")
	if text, err := encode(t, &r); text != `{"a" : 1}` || err != nil {
		t.Errorf("a raw value must stay on one line: %q %v", text, err)
	}
	for _, f := range []float64{0, 1, 0.1, 1e20, 1e21, 1e-6, 1e-7, 123456789.125, 1 << 60, math.MaxFloat64, math.SmallestNonzeroFloat64} {
		want, _ := stdjson.Marshal(f)
		if got, err := encode(t, &f); got != string(want) || err != nil {
			t.Errorf("%g: got %s %v, want %s", f, got, err, want)
		}
		f32 := float32(f)
		if math.IsInf(float64(f32), 0) {
			continue
		}
		want, _ = stdjson.Marshal(f32)
		if got, err := encode(t, &f32); got != string(want) || err != nil {
			t.Errorf("float32 %g: got %s %v, want %s", f, got, err, want)
		}
	}
}

func TestEncodeErrors(t *testing.T) {
	type loop struct {
		Next *loop `json:"next"`
	}
	cycle := &loop{}
	cycle.Next = cycle
	_, err := encode(t, cycle, json.MaxDepth(3))
	checkError(t, "cycle", err, `field "next.next.next": nested too deeply (raise the limit with MaxDepth): expected at most 3 levels`)
	for _, c := range []struct {
		v    row
		want string
	}{
		{row{F: math.NaN()}, `field "f": JSON has no such number: expected a finite number, got NaN`},
		{row{F: math.Inf(-1)}, `field "f": JSON has no such number: expected a finite number, got -Inf`},
		{row{S: "a\xff"}, `field "s": string is not valid UTF-8: "a\xff"`},
		{row{T: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, `field "t": time out of range: expected a year from 0 to 9999 (RFC 3339), ` +
			`got 10000-01-01 00:00:00 +0000 UTC`},
		{row{List: []inner{{}, {City: "\xff"}}}, `field "list[1].city": string is not valid UTF-8: "\xff"`},
		{row{M: map[string]string{"k": "\xff"}}, `field "m.k": string is not valid UTF-8: "\xff"`},
		{row{Raw: stdjson.RawMessage(`{"a":}`)}, `field "raw": malformed raw JSON: column 6: malformed JSON: expected a value, got '}'`},
		{row{N: "1e"}, `field "n": malformed number: "1e"`},
		{row{A: make(chan int)}, `field "a": cannot write this type in an any: expected bool, string, int, int64, float64, time.Time, ` +
			`json.Number, []any, map[string]any or nil, got chan int`},
	} {
		_, err := encode(t, &c.v)
		checkError(t, c.want, err, c.want)
	}
}
