package codec

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/flottio/flott/schema"
)

// evolve writes v as Old and reads it as New, through the text form of the schema as a snapshot would.
func evolve[Old, New any](t testing.TB, v Old, dirty New) New {
	t.Helper()
	from, to := mustFor[Old](t), mustFor[New](t)
	written, err := schema.Parse(from.Schema().String())
	if err != nil {
		t.Fatal(err)
	}
	d, err := to.Reader(written)
	if err != nil {
		t.Fatal(err)
	}
	b := from.Append(nil, &v)
	got := dirty
	if n, err := d.Decode(b, &got); err != nil || n != len(b) {
		t.Fatalf("read %d of %d bytes: %v", n, len(b), err)
	}
	for cut := range b {
		again := dirty
		if _, err := d.Decode(b[:cut], &again); err == nil {
			t.Fatalf("cut at %d of %d was not found", cut, len(b))
		}
	}
	return got
}

func check[T any](t testing.TB, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

type point1 struct {
	X, Y int32
	Name string
	Gone map[string][]string
}

type point2 struct {
	Name string
	Y, X int64
	New  *string
}

func TestEvolutionOfFields(t *testing.T) {
	old := point1{1, -2, "p", map[string][]string{"a": {"b"}, "c": nil}}
	s := "left over"
	dirty, want := point2{"d", 8, 9, &s}, point2{"p", -2, 1, nil}
	check(t, evolve(t, old, dirty), want)

	type lists1 struct {
		L []point1
		M map[string]point1
		A [2]point1
		P *point1
		Q *point1
	}
	type lists2 struct {
		Q *point2
		A [2]point2
		P *point2
		M map[string]point2
		L []point2
	}
	o := lists1{[]point1{old, {}}, map[string]point1{"k": old, "l": {}}, [2]point1{{}, old}, &old, nil}
	w := lists2{nil, [2]point2{{}, want}, &want, map[string]point2{"k": want, "l": {}}, []point2{want, {}}}
	check(t, evolve(t, o, lists2{Q: &dirty, A: [2]point2{dirty, dirty}, L: []point2{dirty}}), w)
}

func TestEvolutionToAndFromNothing(t *testing.T) {
	type empty struct{}
	type one struct{ N int64 }
	check(t, evolve(t, one{3}, empty{}), empty{})
	check(t, evolve(t, empty{}, one{3}), one{})
	check(t, evolve(t, []empty{{}, {}}, []one(nil)), []one{{}, {}})
	check(t, evolve(t, map[string]one{"a": {1}}, map[string]empty(nil)), map[string]empty{"a": {}})
}

func TestEvolutionWidens(t *testing.T) {
	type narrow struct {
		A int8
		B int16
		C int32
		D uint8
		E uint32
		F float32
		G []int16
		H [2]uint16
		I map[int32]uint8
	}
	type wide struct {
		A int16
		B int64
		C int
		D uint16
		E int64
		F float64
		G []int64
		H [2]int32
		I map[int64]int16
	}
	check(t, evolve(t, narrow{-8, -16, -32, 255, 1 << 31, 0.1, []int16{-1, 2}, [2]uint16{65535, 1}, map[int32]uint8{-5: 200}}, wide{}),
		wide{-8, -16, -32, 255, 1 << 31, float64(float32(0.1)), []int64{-1, 2}, [2]int32{65535, 1}, map[int64]int16{-5: 200}})
}

func TestEvolutionSkipsEveryKind(t *testing.T) {
	type kept struct {
		Renamed string `flott:"other name"`
	}
	rapid.Check(t, func(t *rapid.T) {
		v := drawEverything(t)
		from, err := For[everything]()
		if err != nil {
			t.Fatal(err)
		}
		to, err := For[kept]()
		if err != nil {
			t.Fatal(err)
		}
		d, err := to.Reader(from.Schema())
		if err != nil {
			t.Fatal(err)
		}
		var got kept
		b := from.Append(nil, &v)
		if n, err := d.Decode(b, &got); err != nil || n != len(b) || got.Renamed != v.Renamed {
			t.Fatalf("read %d of %d: %+v, %v", n, len(b), got, err)
		}
	})
}

// TestEvolutionMatrix reads every subset and order of fields into every other. The types are made at run time, so that the
// matrix is complete.
func TestEvolutionMatrix(t *testing.T) {
	fields := []reflect.StructField{
		{Name: "A", Type: reflect.TypeFor[int64]()},
		{Name: "B", Type: reflect.TypeFor[string]()},
		{Name: "C", Type: reflect.TypeFor[[]int16]()},
		{Name: "D", Type: reflect.TypeFor[bool]()},
	}
	var types []reflect.Type
	for mask := range 1 << len(fields) {
		var chosen []reflect.StructField
		for i, f := range fields {
			if mask>>i&1 == 1 {
				chosen = append(chosen, f)
			}
		}
		types = append(types, reflect.StructOf(chosen))
		for i, j := 0, len(chosen)-1; i < j; i, j = i+1, j-1 {
			chosen[i], chosen[j] = chosen[j], chosen[i]
		}
		types = append(types, reflect.StructOf(chosen))
	}
	fill := func(v reflect.Value) {
		for name, x := range map[string]any{"A": int64(-7), "B": "text", "C": []int16{1, -2}, "D": true} {
			if f := v.FieldByName(name); f.IsValid() {
				f.Set(reflect.ValueOf(x))
			}
		}
	}
	pairs := 0
	for _, from := range types {
		for _, to := range types {
			pairs++
			checkPair(t, from, to, fill)
			checkPair(t, reflect.SliceOf(from), reflect.SliceOf(to), func(v reflect.Value) {
				v.Set(reflect.MakeSlice(v.Type(), 2, 2))
				fill(v.Index(1))
			})
		}
	}
	if pairs != 32*32 {
		t.Errorf("%d pairs", pairs)
	}
}

// checkPair writes a filled value of one type and reads it as the other: what both have must have survived, nothing else.
func checkPair(t *testing.T, from, to reflect.Type, fill func(reflect.Value)) {
	t.Helper()
	fromNode, err1 := derive(from, false)
	toNode, err2 := derive(to, false)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	d, err := compileDecoder(fromNode.schema, toNode)
	if err != nil {
		t.Fatal(err)
	}
	v, got := reflect.New(from), reflect.New(to)
	fill(v.Elem())
	enc := compileEncoder(fromNode)
	b := enc.append(nil, v.UnsafePointer())
	if n, err := d.run(b, 0, got.UnsafePointer()); err != nil || n != len(b) {
		t.Fatalf("%s to %s: read %d of %d, %v", from, to, n, len(b), err)
	}
	x, y := v.Elem(), got.Elem()
	if x.Kind() == reflect.Slice {
		x, y = x.Index(1), y.Index(1)
	}
	for i := range y.NumField() {
		name := y.Type().Field(i).Name
		want := reflect.Zero(y.Field(i).Type())
		if f := x.FieldByName(name); f.IsValid() {
			want = f
		}
		if !reflect.DeepEqual(y.Field(i).Interface(), want.Interface()) {
			t.Errorf("%s to %s: field %s is %v, want %v", from, to, name, y.Field(i), want)
		}
	}
}

func TestEvolutionRefused(t *testing.T) {
	refused := func(name string, err error, want ...string) {
		t.Helper()
		var e *EvolutionError
		if !errors.As(err, &e) {
			t.Errorf("%s: got %v", name, err)
			return
		}
		for _, w := range append(want, "written:", "now:", e.Written.Pretty()[:4]) {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: the error lacks %q:\n%v", name, w, err)
			}
		}
	}
	type old struct {
		A int64
		B string
		C []struct{ X float64 }
		D [3]int8
		E *int64
		F map[string]bool
		G failing
		H uint64
	}
	type now struct {
		A int32
		B []byte
		C []struct{ X float32 }
		D [4]int8
		E int64
		F map[int64]bool
		G struct{}
		H int64
	}
	_, err := mustFor[now](t).Reader(mustFor[old](t).Schema())
	refused("struct", err, "field A: was int64, is now int32", "field B: was string, is now bytes", "field C[].X: was float64, is now float32",
		"field D: was an array of 3, is now an array of 4", "field E: was optional<int64>, is now int64",
		"field F[key]: was string, is now int64",
		"field G: was custom<", "field H: was uint64, is now int64")
	_, err = mustFor[int64](t).Reader(schema.Scalar(schema.Duration))
	refused("duration", err, "the value itself: was duration, is now int64")
	_, err = mustFor[failing](t).Reader(&schema.Type{Kind: schema.Custom, Name: "other"})
	refused("custom", err, `was custom<"other">`)
}

func TestReaderOfEqualSchemaIsThePlainDecoder(t *testing.T) {
	c := mustFor[point1](t)
	written, err := schema.Parse(c.Schema().String())
	if err != nil {
		t.Fatal(err)
	}
	d, err := c.Reader(written)
	if err != nil || d.dec != c.dec {
		t.Fatalf("another program (%v)", err)
	}
}

func ExampleCodec_Reader() {
	type Old struct{ Count int64 }
	type New struct{ Count string }
	before, _ := For[Old]()
	after, _ := For[New]()
	_, err := after.Reader(before.Schema())
	fmt.Println(err)
	// Output:
	// reading stored values as codec.New: the type has changed in a way that cannot be read:
	//   field Count: was int64, is now string
	// written:
	//   struct{
	//   ! Count int64
	//   }
	// now:
	//   struct{
	//   ! Count string
	//   }
	// Give the changed field a new name, or go back to its old type.
}
