package codec

import (
	"encoding"
	"errors"
	"math"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"
)

type level int

type inner struct {
	A int8
	B bool
	C *int64
}

// everything has a field of each supported shape.
type everything struct {
	Bool     bool
	Int      int
	Int8     int8
	Int16    int16
	Int32    int32
	Int64    int64
	Uint     uint
	Uint8    uint8
	Uint16   uint16
	Uint32   uint32
	Uint64   uint64
	Float32  float32
	Float64  float64
	String   string
	Bytes    []byte
	Time     time.Time
	Duration time.Duration
	Level    level
	Inner    inner
	Empty    struct{}
	Three    [3]uint16
	Flags    [2]bool
	Names    [2]string
	None     [0]int
	Strings  []string
	Numbers  []int32
	Inners   []inner
	Units    []struct{}
	Lists    [][]byte
	PtrStr   *string
	PtrPtr   **int32
	Counts   map[string]int64
	ByID     map[uint32]float32
	Words    map[int64]string
	Any      map[[2]int16][]string
	Set      map[bool]struct{}
	Nested   map[string]map[string]string
	Addr     netip.Addr
	Link     *url.URL
	Addrs    []netip.Addr
	Renamed  string `flott:"other name"`
}

func mustFor[T any](t testing.TB) *Codec[T] {
	t.Helper()
	c, err := For[T]()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func drawInner(t *rapid.T) inner {
	v := inner{A: rapid.Int8().Draw(t, "A"), B: rapid.Bool().Draw(t, "B")}
	if rapid.Bool().Draw(t, "present") {
		n := rapid.Int64().Draw(t, "C")
		v.C = &n
	}
	return v
}

// drawSlice draws nil as well as empty.
func drawSlice[T any](t *rapid.T, label string, elem func(*rapid.T) T) []T {
	n := rapid.IntRange(-1, 4).Draw(t, label)
	if n < 0 {
		return nil
	}
	out := make([]T, n)
	for i := range out {
		out[i] = elem(t)
	}
	return out
}

func drawMap[K comparable, V any](t *rapid.T, label string, key func(*rapid.T) K, elem func(*rapid.T) V) map[K]V {
	n := rapid.IntRange(-1, 5).Draw(t, label)
	if n < 0 {
		return nil
	}
	out := make(map[K]V, n)
	for range n {
		out[key(t)] = elem(t)
	}
	return out
}

func gen[T any](g *rapid.Generator[T]) func(*rapid.T) T {
	return func(t *rapid.T) T { return g.Draw(t, "v") }
}

func drawEverything(t *rapid.T) everything {
	str, num := gen(rapid.String()), gen(rapid.Int64())
	v := everything{
		Bool: rapid.Bool().Draw(t, "b"), Int: int(num(t)), Int8: int8(num(t)), Int16: int16(num(t)), Int32: int32(num(t)), Int64: num(t),
		Uint: uint(num(t)), Uint8: uint8(num(t)), Uint16: uint16(num(t)), Uint32: uint32(num(t)), Uint64: uint64(num(t)),
		Float32: gen(rapid.Float32())(t), Float64: gen(rapid.Float64())(t), String: str(t),
		Bytes: drawSlice(t, "bytes", gen(rapid.Byte())), Duration: time.Duration(num(t)), Level: level(num(t)), Inner: drawInner(t),
		Three: [3]uint16{uint16(num(t)), 2, 3}, Flags: [2]bool{true, rapid.Bool().Draw(t, "flag")}, Names: [2]string{str(t), "x"},
		Strings: drawSlice(t, "strings", str), Numbers: drawSlice(t, "numbers", gen(rapid.Int32())),
		Inners: drawSlice(t, "inners", drawInner), Units: drawSlice(t, "units", func(*rapid.T) struct{} { return struct{}{} }),
		Lists:  drawSlice(t, "lists", func(t *rapid.T) []byte { return drawSlice(t, "list", gen(rapid.Byte())) }),
		Counts: drawMap(t, "counts", str, num), ByID: drawMap(t, "byid", gen(rapid.Uint32()), gen(rapid.Float32())),
		Words: drawMap(t, "words", num, str),
		Any: drawMap(t, "any", func(t *rapid.T) [2]int16 { return [2]int16{int16(num(t)), 1} },
			func(t *rapid.T) []string { return drawSlice(t, "strs", str) }),
		Set: drawMap(t, "set", gen(rapid.Bool()), func(*rapid.T) struct{} { return struct{}{} }),
		Nested: drawMap(t, "nested", str, func(t *rapid.T) map[string]string {
			return drawMap(t, "inner", str, str)
		}),
		Addrs:   drawSlice(t, "addrs", func(t *rapid.T) netip.Addr { return netip.AddrFrom4([4]byte{1, 2, 3, byte(num(t))}) }),
		Renamed: str(t),
	}
	if rapid.Bool().Draw(t, "time") {
		v.Time = time.Unix(num(t)%1e11, num(t)&0xffffff).UTC()
	}
	if rapid.Bool().Draw(t, "ptrs") {
		s, n := str(t), int32(num(t))
		p := &n
		v.PtrStr, v.PtrPtr = &s, &p
		v.Link = &url.URL{Scheme: "http", Host: "example.org", Path: "/" + strings.Repeat("x", 200)}
		v.Addr = netip.MustParseAddr("2001:db8::1")
	}
	return v
}

func TestRoundTrip(t *testing.T) {
	c := mustFor[everything](t)
	rapid.Check(t, func(t *rapid.T) {
		v := drawEverything(t)
		prefix := []byte("prefix")
		b := c.Append(prefix, &v)[len(prefix):]
		got := drawEverything(t) // nothing of it may survive
		n, err := c.Decode(append(b[:len(b):len(b)], "rest"...), &got)
		if err != nil || n != len(b) {
			t.Fatalf("n=%d of %d, err=%v", n, len(b), err)
		}
		if !reflect.DeepEqual(v, got) {
			t.Fatalf("wrote %+v\nread  %+v", v, got)
		}
		if again := c.Append(nil, &got); string(again) != string(b) {
			t.Fatalf("equal values, different bytes:\n%x\n%x", b, again)
		}
		end := skip(b, 0, c.Schema())
		if end != len(b) {
			t.Fatalf("skipping ended at %d of %d", end, len(b))
		}
		for cut := range b { // every cut is found
			if _, err := c.Decode(b[:cut], &got); err == nil {
				t.Fatalf("cut at %d of %d was not found", cut, len(b))
			}
		}
	})
}

func TestFloatBitsSurvive(t *testing.T) {
	type floats struct {
		F float64
		G float32
	}
	c := mustFor[floats](t)
	v := floats{math.Float64frombits(0x7ff8dead00000001), float32(math.Copysign(0, -1))}
	var got floats
	if _, err := c.Decode(c.Append(nil, &v), &got); err != nil {
		t.Fatal(err)
	}
	if math.Float64bits(got.F) != math.Float64bits(v.F) || math.Float32bits(got.G) != math.Float32bits(v.G) {
		t.Fatalf("wrote %v, read %v", v, got)
	}
}

func TestTimeKeepsInstantOnly(t *testing.T) {
	c := mustFor[time.Time](t)
	for _, v := range []time.Time{{}, time.Unix(0, 0), time.Unix(-1, 999999999),
		time.Date(9999, 1, 2, 3, 4, 5, 6, time.FixedZone("x", 3600))} {
		var got time.Time
		if _, err := c.Decode(c.Append(nil, &v), &got); err != nil {
			t.Fatal(err)
		}
		if !got.Equal(v) || got.Location() != time.UTC || got.IsZero() != v.IsZero() {
			t.Fatalf("wrote %v, read %v", v, got)
		}
	}
}

func TestMapOrderDoesNotShow(t *testing.T) {
	c := mustFor[map[string]int64](t)
	a, b := map[string]int64{}, map[string]int64{}
	for i := range int64(500) {
		a[strings.Repeat("k", int(i%7))+string(rune('a'+i%26))] = i % 26 % 7
	}
	for k, v := range a {
		b[k] = v
	}
	for range 10 {
		if string(c.Append(nil, &a)) != string(c.Append(nil, &b)) {
			t.Fatal("equal maps have different bytes")
		}
	}
}

func TestLeftOutFieldsAreZeroed(t *testing.T) {
	type part struct {
		N      int64
		Hidden string `flott:"-"`
	}
	type whole struct {
		Parts  [2]part
		cache  int `flott:"-"`
		ByName map[int8]part
	}
	c := mustFor[whole](t)
	v := whole{Parts: [2]part{{1, "a"}, {2, "b"}}, cache: 7, ByName: map[int8]part{1: {3, "c"}, 2: {4, "d"}}}
	got := whole{Parts: [2]part{{8, "old"}, {9, "old"}}, cache: 8}
	if _, err := c.Decode(c.Append(nil, &v), &got); err != nil {
		t.Fatal(err)
	}
	want := whole{Parts: [2]part{{1, ""}, {2, ""}}, ByName: map[int8]part{1: {3, ""}, 2: {4, ""}}}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

type promoted struct {
	time.Time
	N int
}

type node1 struct{ Next *node1 }

func TestUnsupportedTypesNameEveryField(t *testing.T) {
	type deep struct {
		C  chan int
		Ok int
	}
	type bad struct {
		F      func()
		List   []deep
		M      map[string]any
		hidden int
		Z      complex128
		U      uintptr
		P      unsafe.Pointer
		R      *node1
		Twice  int `flott:"Ok"`
		Ok     int
		Comma  int `flott:"a,omitempty"`
		Prom   promoted
		PK     map[*int]int
	}
	_, err := For[bad]()
	var u *UnsupportedError
	if !errors.As(err, &u) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"field F: func() is a function", "field List[].C: chan int", "field M[value]: interface {}",
		"field hidden: is not exported",
		"field Z:", "field U:", "field P:", "field R.Next: codec.node1 contains itself", "field Ok: is stored under the name",
		"field Comma: the tag",
		"field Prom: codec.promoted embeds time.Time", "field PK[key]: *int holds a pointer"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
	if len(u.Problems) != 12 {
		t.Errorf("%d problems:\n%v", len(u.Problems), err)
	}
	if _, err := For[any](); err == nil || !strings.Contains(err.Error(), "the type itself") {
		t.Errorf("got %v", err)
	}
	_ = bad{hidden: 0}
}

func TestSharedAndFlat(t *testing.T) {
	check := func(name string, shared, flat, wantShared, wantFlat bool) {
		if shared != wantShared || flat != wantFlat {
			t.Errorf("%s: shared %t, flat %t", name, shared, flat)
		}
	}
	a := mustFor[struct{ A, B int64 }](t)
	check("ints", a.Shared(), a.Flat(), false, true)
	b := mustFor[struct{ A string }](t)
	check("string", b.Shared(), b.Flat(), false, false)
	c := mustFor[struct{ A [2]time.Time }](t)
	check("time", c.Shared(), c.Flat(), false, false)
	d := mustFor[struct{ A [1]*int }](t)
	check("pointer", d.Shared(), d.Flat(), true, false)
	e := mustFor[struct {
		A int
		B []int `flott:"-"`
	}](t)
	check("left out", e.Shared(), e.Flat(), true, false)
	f := mustFor[netip.Addr](t)
	check("custom", f.Shared(), f.Flat(), true, false)
}

type failing struct{ N int }

var errFailing = errors.New("cannot")

func (f failing) MarshalBinary() ([]byte, error) {
	if f.N < 0 {
		return nil, errFailing
	}
	return make([]byte, f.N), nil
}

func (f *failing) UnmarshalBinary(b []byte) error {
	if len(b) == 13 {
		return errFailing
	}
	f.N = len(b)
	return nil
}

var _ encoding.BinaryMarshaler = failing{}

func TestCustom(t *testing.T) {
	type holder struct {
		A failing
		B string
	}
	c := mustFor[holder](t)
	if got := c.Schema().String(); got != `struct{A custom<"github.com/flottio/flott/codec.failing">, B string}` {
		t.Fatal(got)
	}
	for _, n := range []int{0, 1, 127, 128, 16383, 16384, 70000} {
		v, got := holder{failing{n}, "after"}, holder{}
		if _, err := c.Decode(c.Append([]byte{}, &v), &got); err != nil || got != v {
			t.Fatalf("n=%d: got %v, %v", n, got, err)
		}
	}
	v, got := holder{A: failing{13}}, holder{}
	if _, err := c.Decode(c.Append(nil, &v), &got); !errors.Is(err, errFailing) || !strings.Contains(err.Error(), "field A") {
		t.Fatalf("got %v", err)
	}
	defer func() {
		var m *MarshalError
		if err, _ := recover().(error); !errors.As(err, &m) || !errors.Is(err, errFailing) {
			t.Fatalf("got %v", err)
		}
	}()
	v.A.N = -1
	c.Append(nil, &v)
}
