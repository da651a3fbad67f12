package json_test

import (
	"bytes"
	stdjson "encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	expjson "github.com/go-json-experiment/json"

	"github.com/flottio/flott/format/json"
)

// fuzzRow has the types in which we mean to agree with other readers, value by value.
type fuzzRow struct {
	S  string            `json:"s"`
	I  int64             `json:"i"`
	I8 int8              `json:"i8"`
	U  uint32            `json:"u"`
	F  float64           `json:"f"`
	G  float32           `json:"g"`
	B  bool              `json:"b"`
	T  time.Time         `json:"t"`
	P  *string           `json:"p"`
	L  []fuzzRow         `json:"l"`
	M  map[string]int64  `json:"m"`
	N  map[string]string `json:"n"`
	A  [2]int            `json:"a"`
}

var fuzzSeeds = []string{
	`{"s":"x","i":1,"f":1.5e3,"b":true,"t":"2024-01-02T03:04:05.6Z","p":null,"l":[{"s":"\u00e9\ud83d\ude00"}],"m":{"a":1},"a":[1,2]}`,
	`{"i":-9223372036854775808,"u":4294967295,"g":3.4e38,"i8":127}`, ` [ ] `, `{"x":{"y":[[[]]],"z":[1,2,{}]}}`, `{"s":"\ud800"}`,
	`{"s":"` + "\xff" + `"}`, `{"f":1e400}`, `{"i":9007199254740993}`, `{"i":01}`, `{"f":-0}`, `{"a":1}{"a":2}`, `{"s":"a","s":"b"}`,
	`{"n":{"\u0061":"b","a":"c"}}`, `{"l":[{},null]}`, `null`, `{"S":1}`, `{"t":"2024-06-30T23:59:60Z"}`, `{"s":"a\u0000b\\\"\/"}`,
}

// FuzzDecode compares with go-json-experiment/json: we accept nothing that it refuses, and refuse only, of what it accepts, the
// documented differences; what both accept has the same value.
func FuzzDecode(f *testing.F) {
	for _, s := range fuzzSeeds {
		f.Add([]byte(s))
	}
	d, err := json.Of[fuzzRow]().NewDecoder()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var got, want fuzzRow
		gotErr := d.Decode(data, &got)
		wantErr := expjson.Unmarshal(data, &want, expjson.MatchCaseInsensitiveNames(true))
		switch {
		case gotErr == nil && wantErr != nil && !strings.Contains(wantErr.Error(), "duplicate object member name"):
			// Duplicates among names that the struct does not have are not tracked.
			t.Fatalf("we accept %q, which is refused elsewhere: %v", data, wantErr)
		case gotErr != nil && wantErr == nil && !differsByDesign(data, gotErr):
			t.Fatalf("we refuse %q: %v", data, gotErr)
		case gotErr == nil && wantErr == nil && !sameRow(&got, &want):
			t.Fatalf("%q:\n got %+v\nwant %+v", data, got, want)
		case gotErr != nil && !reflect.DeepEqual(got, fuzzRow{}):
			t.Fatalf("%q: the row is not zero after an error: %+v", data, got)
		}
		if gotErr == nil {
			roundTrip(t, &got)
		}
	})
}

func differsByDesign(data []byte, err error) bool {
	for _, reason := range []string{"nested too deeply", "got null", "malformed time", "duplicate field"} {
		if strings.Contains(err.Error(), reason) {
			return true
		}
	}
	return false
}

func sameRow(a, b *fuzzRow) bool {
	if !a.T.Equal(b.T) || len(a.L) != len(b.L) || math.Float64bits(a.F) != math.Float64bits(b.F) {
		return false
	}
	for i := range a.L {
		if !sameRow(&a.L[i], &b.L[i]) {
			return false
		}
	}
	x, y := *a, *b
	x.T, y.T, x.L, y.L = time.Time{}, time.Time{}, nil, nil
	return reflect.DeepEqual(x, y)
}

func roundTrip(t *testing.T, v *fuzzRow) {
	e, err := json.Of[fuzzRow]().NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	out, err := e.Append(nil, v)
	if err != nil {
		t.Fatalf("%+v cannot be written: %v", v, err)
	}
	if !stdjson.Valid(out) || bytes.IndexByte(out, '\n') >= 0 {
		t.Fatalf("bad output %s", out)
	}
	var back fuzzRow
	d, _ := json.Of[fuzzRow]().NewDecoder()
	if err := d.Decode(out, &back); err != nil || !sameRow(v, &back) {
		t.Fatalf("%s: %v\n got %+v\nwant %+v", out, err, back, v)
	}
}

// FuzzAny: whether a document is well formed must not depend on whether it is kept or skipped, nor differ from encoding/json but
// where documented.
func FuzzAny(f *testing.F) {
	for _, s := range fuzzSeeds {
		f.Add([]byte(s))
	}
	keep, err := json.Of[any](json.AllowDuplicateFields()).NewDecoder()
	if err != nil {
		f.Fatal(err)
	}
	skip, err := json.Of[struct{}]().NewDecoder()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var v any
		kept := keep.Decode(data, &v)
		var none struct{}
		skipped := skip.Decode([]byte(`{"x":`+string(data)+`}`), &none)
		if text := message(kept) + message(skipped); strings.Contains(text, "nested too deeply") {
			return
		}
		if (kept == nil) != (skipped == nil) && !strings.Contains(message(kept), "out of range") && !closesEarly(data) {
			t.Fatalf("%q: kept: %v, skipped: %v", data, kept, skipped)
		}
		valid := stdjson.Valid(data)
		if kept == nil && !valid {
			t.Fatalf("we accept %q", data)
		}
		if kept != nil && valid && !strings.Contains(message(kept), "surrogate") && !strings.Contains(message(kept), "UTF-8") &&
			!strings.Contains(message(kept), "out of range") {
			t.Fatalf("we refuse %q: %v", data, kept)
		}
	})
}

// closesEarly: data that is no document may become one when put into an object.
func closesEarly(data []byte) bool { return !stdjson.Valid(data) }

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
