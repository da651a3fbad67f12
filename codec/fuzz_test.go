package codec

import (
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/flottio/flott/schema"
)

// plainTypes is everything but the custom kinds, whose methods are not ours.
type plainTypes struct {
	B  bool
	I  int32
	S  string
	Y  []byte
	T  [2]bool
	L  []string
	W  []struct{ A, B string }
	U  []struct{}
	P  *[]*int16
	M  map[string]int64
	N  map[int16][]map[uint32]string
	In inner
	H  int `flott:"-"`
}

// allocatedPerByteMax bounds what decoding plainTypes may allocate for each byte of input: the largest element, a struct of two
// strings of 2 bytes, takes 32 bytes, a map entry some more.
const (
	allocatedPerByteMax = 256
	allocatedMin        = 64 << 10
)

func FuzzDecode(f *testing.F) {
	c, err := For[plainTypes]()
	if err != nil {
		f.Fatal(err)
	}
	n := int16(1)
	f.Add(c.Append(nil, &plainTypes{}))
	f.Add(c.Append(nil, &plainTypes{S: "s", Y: []byte{}, L: []string{"a", ""}, W: []struct{ A, B string }{{"x", "y"}}, U: make([]struct{}, 3),
		P: &[]*int16{nil, &n}, M: map[string]int64{"k": 1}, N: map[int16][]map[uint32]string{1: {nil, {2: "v"}}}}))
	f.Add([]byte("\x01\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, src []byte) {
		v := plainTypes{H: 1, L: []string{"old"}}
		n, err := c.Decode(src, &v)
		if end := skip(src, 0, c.Schema()); err == nil && end != n {
			t.Fatalf("decoding ended at %d, skipping at %d", n, end)
		}
		if err != nil {
			return
		}
		if n > len(src) || v.H != 0 {
			t.Fatalf("n=%d of %d, H=%d", n, len(src), v.H)
		}
		b := c.Append(nil, &v)
		var again plainTypes
		if m, err := c.Decode(b, &again); err != nil || m != len(b) || !reflect.DeepEqual(v, again) {
			t.Fatalf("%+v is read back as %+v, %v", v, again, err)
		}
	})
}

func FuzzDecodeKey(f *testing.F) {
	k, err := ForKey[compositeKey]()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(k.Append(nil, &compositeKey{}))
	f.Fuzz(func(t *testing.T, src []byte) {
		var v compositeKey
		n, err := k.Decode(src, &v)
		if err == nil && string(k.Append(nil, &v)) != string(src[:n]) {
			t.Fatalf("%x is read as %+v, which is written %x", src[:n], v, k.Append(nil, &v))
		}
	})
}

// FuzzReader reads any bytes under any schema: both come from the same damaged file.
func FuzzReader(f *testing.F) {
	c, err := For[plainTypes]()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(c.Schema().String(), c.Append(nil, &plainTypes{}))
	f.Add("struct{X array<2147483647, array<2147483647, list<struct{}>>>, S string}", []byte{1, 2, 3})
	f.Add("struct{X map<bytes, optional<time>>, I int8, Z list<list<map<bool, struct{}>>>}", []byte{3, 1, 0, 1, 0, 0, 7, 2, 2, 2, 1, 0})
	f.Fuzz(func(t *testing.T, text string, src []byte) {
		written, err := schema.Parse(text)
		if err != nil {
			return
		}
		d, err := c.Reader(written)
		if err != nil {
			return
		}
		var v plainTypes
		n, err := d.Decode(src, &v)
		if end := skip(src, 0, written); err == nil && end != n {
			t.Fatalf("decoding ended at %d, skipping at %d", n, end)
		}
	})
}

// TestHostileLengths claims a huge number of elements in every place that has a number.
func TestHostileLengths(t *testing.T) {
	c := mustFor[plainTypes](t)
	n := int16(1)
	v := plainTypes{S: "s", Y: []byte{1}, L: []string{"a"}, W: []struct{ A, B string }{{"x", "y"}}, U: make([]struct{}, 1), P: &[]*int16{&n},
		M: map[string]int64{"k": 1}, N: map[int16][]map[uint32]string{1: {{2: "v"}}}}
	b := c.Append(nil, &v)
	b = append(b, strings.Repeat("\x00", 1000)...)
	var before, after runtime.MemStats
	for at := range b {
		for _, number := range []string{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\xff\xff\xff\xff\x07", "\x80\x80\x80\x80\x08",
			"\x80\x08", "\x81\x00",
			"\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"} {
			src := []byte(string(b[:at]) + number + string(b[at:]))
			runtime.ReadMemStats(&before)
			var got plainTypes
			_, _ = c.Decode(src, &got)
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > allocatedMin+uint64(len(src))*allocatedPerByteMax {
				t.Errorf("number %x at %d: %d bytes allocated for %d of input", number, at, n, len(src))
			}
		}
	}
}
