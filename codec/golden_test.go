package codec

import (
	"flag"
	"fmt"
	"math"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew: a change of the format of snapshots, which needs a new version")

// golden compares lines with the file, which pins a format that old snapshots are in.
func golden(t *testing.T, file string, lines []string) {
	t.Helper()
	got := strings.Join(lines, "\n") + "\n"
	if *rewrite {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	if len(want) != len(lines) {
		t.Errorf("%s has %d lines, now there are %d", file, len(want), len(lines))
	}
	for i := range min(len(want), len(lines)) {
		if lines[i] != want[i] {
			t.Errorf("%s:%d: the format has changed:\nwas %s\nnow %s", file, i+1, want[i], lines[i])
		}
	}
}

// value returns the golden line of a value: schema and bytes.
func value[T any](t *testing.T, v T) string {
	t.Helper()
	c := mustFor[T](t)
	return fmt.Sprintf("%s = %x", c.Schema(), c.Append(nil, &v))
}

// key returns the golden line of a key: schema, bytes and hash.
func key[K comparable](t *testing.T, v K) string {
	t.Helper()
	k := mustForKey[K](t)
	return fmt.Sprintf("%s = %x # %016x", k.Schema(), k.Append(nil, &v), k.Hash(&v))
}

func TestGoldenFormat(t *testing.T) {
	n := int64(-2)
	when := time.Date(2024, 2, 29, 12, 30, 0, 123456789, time.FixedZone("x", 7200))
	all := everything{Bool: true, Int: -1, Int8: -8, Int16: -16, Int32: -32, Int64: -64, Uint: 1, Uint8: 8, Uint16: 16, Uint32: 32, Uint64: 64,
		Float32: 1.5, Float64: -2.5, String: "str", Bytes: []byte{1, 2}, Time: when,
		Duration: time.Second, Level: 3, Inner: inner{A: 1, B: true, C: &n},
		Three: [3]uint16{1, 2, 3}, Flags: [2]bool{true, false}, Names: [2]string{"a", ""}, Strings: []string{"x", ""}, Numbers: []int32{1, -1},
		Inners: []inner{{}, {A: 2}}, Units: make([]struct{}, 2), Lists: [][]byte{nil, {}, {7}}, Counts: map[string]int64{"b": 1, "a": 2, "": 3},
		ByID: map[uint32]float32{}, Words: map[int64]string{-1: "minus", 1: "plus"}, Any: map[[2]int16][]string{{1, 2}: {"v"}},
		Set: map[bool]struct{}{true: {}}, Nested: map[string]map[string]string{"o": {"i": "v"}, "nil": nil},
		Addr:    netip.MustParseAddr("10.0.0.1"),
		Renamed: "r"}
	golden(t, "testdata/format.txt", []string{
		value(t, true), value(t, int8(-2)), value(t, int16(-2)), value(t, int32(-2)), value(t, int64(-2)), value(t, -2),
		value(t, uint8(2)), value(t, uint16(0x102)), value(t, uint32(0x1020304)), value(t, uint64(0x102030405060708)), value(t, uint(2)),
		value(t, float32(1)), value(t, 1.0), value(t, math.Copysign(0, -1)),
		value(t, ""), value(t, "text"), value(t, strings.Repeat("x", 130)),
		value(t, []byte(nil)), value(t, []byte{}), value(t, []byte("bytes")),
		value(t, time.Time{}), value(t, when), value(t, time.Minute),
		value(t, struct{}{}), value(t, [0]int{}), value(t, inner{}),
		value(t, []int64(nil)), value(t, []int64{}), value(t, []int64{1, 2}), value(t, [2]bool{true, false}),
		value(t, (*string)(nil)), value(t, new(string)),
		value(t, map[string]string(nil)), value(t, map[string]string{}), value(t, map[string]string{"b": "", "a": "x"}),
		value(t, failing{3}), value(t, everything{}), value(t, all),
	})
}

func TestGoldenKeys(t *testing.T) {
	when := time.Date(2024, 2, 29, 12, 30, 0, 123456789, time.UTC)
	golden(t, "testdata/keys.txt", []string{
		"hash " + HashName,
		key(t, false), key(t, true), key(t, int8(-1)), key(t, int16(-1)), key(t, int32(-1)), key(t, int64(-1)), key(t, -1), key(t, 0), key(t, 1),
		key(t, int64(math.MaxInt64)), key(t, uint8(255)), key(t, uint16(65535)), key(t, uint32(math.MaxUint32)),
		key(t, uint64(math.MaxUint64)), key(t, uint(7)),
		key(t, float32(1.5)), key(t, float32(math.NaN())), key(t, 1.5), key(t, math.NaN()), key(t, math.Copysign(0, -1)), key(t, math.Inf(-1)),
		key(t, ""), key(t, "a"), key(t, "https://example.org/"), key(t, strings.Repeat("0123456789", 30)),
		key(t, time.Time{}), key(t, when), key(t, time.Minute),
		key(t, [4]byte{1, 2, 3, 4}), key(t, [3]int8{-1, 0, 1}), key(t, [2]string{"a", "b"}),
		key(t, [2]int64{1, 2}), key(t, [2][2]int16{{1, 2}, {3, 4}}),
		key(t, struct{}{}), key(t, [0]string{}), key(t, struct{ A int64 }{1}), key(t, struct {
			URL  string
			User int64
		}{"/", 7}),
		key(t, compositeKey{URL: "u", User: -1, F: math.NaN(), G: 1,
			At: when, Small: -3, OK: true, Pair: [2]string{"x", ""}}),
	})
}

// TestByteOrder compiles the programs as on a big-endian machine, which take numbers apart instead of copying them.
func TestByteOrder(t *testing.T) {
	c := mustFor[everything](t)
	littleEndian = !littleEndian
	defer func() { littleEndian = !littleEndian }()
	enc := compileEncoder(c.node)
	dec, err := compileDecoder(c.node.schema, c.node)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		v, got := drawEverything(t), everything{}
		b := c.Append(nil, &v)
		if other := enc.append(nil, unsafe.Pointer(&v)); string(other) != string(b) {
			t.Fatalf("copied     %x\ntaken apart %x", b, other)
		}
		if n, err := dec.run(b, 0, unsafe.Pointer(&got)); err != nil || n != len(b) || !reflect.DeepEqual(v, got) {
			t.Fatalf("wrote %+v\nread  %+v, %v", v, got, err)
		}
	})
}
