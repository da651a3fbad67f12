package codec

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func mustForKey[K comparable](t testing.TB) *Key[K] {
	t.Helper()
	k, err := ForKey[K]()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

type compositeKey struct {
	URL   string
	User  int64
	F     float64
	G     float32
	At    time.Time
	Small int8
	OK    bool
	ID    [16]byte
	Pair  [2]string
	In    struct {
		A uint16
		B int32
	}
	Empty struct{}
}

func drawKey(t *rapid.T) compositeKey {
	k := compositeKey{URL: rapid.StringN(0, 3, -1).Draw(t, "url"), User: rapid.Int64Range(-2, 2).Draw(t, "user"),
		F:  rapid.SampledFrom([]float64{0, math.Copysign(0, -1), math.NaN(), math.Float64frombits(0xfff8000000000001), 1}).Draw(t, "f"),
		G:  rapid.SampledFrom([]float32{0, float32(math.Copysign(0, -1)), float32(math.NaN()), 1}).Draw(t, "g"),
		At: time.Unix(rapid.Int64Range(-1, 1).Draw(t, "at"), 5), Small: rapid.Int8().Draw(t, "small"), OK: rapid.Bool().Draw(t, "ok")}
	if rapid.Bool().Draw(t, "utc") {
		k.At = k.At.UTC()
	}
	k.ID[7] = rapid.Byte().Draw(t, "id")
	k.Pair[1] = rapid.StringN(0, 2, -1).Draw(t, "pair")
	k.In.A = rapid.Uint16().Draw(t, "A")
	return k
}

func TestKeyRoundTripHashAndEquality(t *testing.T) {
	k := mustForKey[compositeKey](t)
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawKey(t), drawKey(t)
		if rapid.Bool().Draw(t, "nearly the same") { // otherwise two keys hardly ever are
			f, g, at := b.F, b.G, b.At
			b = a
			b.F, b.G, b.At = f, g, at
		}
		ab, bb := k.Append(nil, &a), k.Append(nil, &b)
		if same := string(ab) == string(bb); same != k.Equal(&a, &b) || same != (k.Hash(&a) == k.Hash(&b)) {
			t.Fatalf("bytes equal: %t, keys equal: %t, hashes %x %x", same, k.Equal(&a, &b), k.Hash(&a), k.Hash(&b))
		}
		var got compositeKey
		if n, err := k.Decode(append(ab, 'x'), &got); err != nil || n != len(ab) || !k.Equal(&a, &got) {
			t.Fatalf("n=%d err=%v got=%+v want=%+v", n, err, got, a)
		}
		for cut := range ab {
			if _, err := k.Decode(ab[:cut], &got); err == nil {
				t.Fatalf("cut at %d of %d was not found", cut, len(ab))
			}
		}
	})
}

// checkKeys checks that bytes, equality and both forms of the hash say the same about keys that all differ.
func checkKeys[K comparable](t *testing.T, keys ...K) {
	t.Helper()
	k := mustForKey[K](t)
	out := make([]uint64, len(keys))
	k.HashAll(keys, out)
	for i := range keys {
		if h := k.Hash(&keys[i]); h != out[i] {
			t.Errorf("%T %v: Hash %x, HashAll %x", keys[i], keys[i], h, out[i])
		}
		var got K
		if _, err := k.Decode(k.Append(nil, &keys[i]), &got); err != nil || !k.Equal(&got, &keys[i]) {
			t.Errorf("%T %v: read back %v, %v", keys[i], keys[i], got, err)
		}
		for j := range i {
			if out[i] == out[j] || k.Equal(&keys[i], &keys[j]) {
				t.Errorf("%T: %v and %v are not told apart", keys[i], keys[i], keys[j])
			}
		}
	}
}

func TestKeyKinds(t *testing.T) {
	checkKeys(t, false, true)
	checkKeys[int8](t, 0, 1, -1, -128, 127)
	checkKeys[int16](t, 0, 1, -1)
	checkKeys[int32](t, 0, 1, -1, math.MinInt32)
	checkKeys[int64](t, 0, 1, -1, math.MinInt64, math.MaxInt64)
	checkKeys(t, 0, 1, -1)
	checkKeys[uint8](t, 0, 1, 255)
	checkKeys[uint16](t, 0, 1, 65535)
	checkKeys[uint32](t, 0, 1, math.MaxUint32)
	checkKeys[uint64](t, 0, 1, math.MaxUint64)
	checkKeys[uint](t, 0, 1)
	checkKeys[float32](t, 0, 1, float32(math.NaN()), float32(math.Inf(1)))
	checkKeys(t, 0, 1, math.NaN(), math.Inf(-1))
	checkKeys(t, "", "a", "b", strings.Repeat("x", 1000))
	checkKeys(t, time.Time{}, time.Unix(0, 0), time.Unix(0, 1), time.Unix(1, 0))
	checkKeys(t, time.Duration(0), time.Duration(-1))
	checkKeys(t, [2]int32{0, 1}, [2]int32{1, 0}, [2]int32{0, 0})
	checkKeys(t, [3]byte{0, 1}, [3]byte{1, 0})
	checkKeys(t, [2]string{"a", ""}, [2]string{"", "a"})
	checkKeys(t, struct{ A, B string }{"ab", ""}, struct{ A, B string }{"a", "b"})
	checkKeys(t, struct{}{})
	checkKeys(t, [0]int{})
}

func TestKeyOneNaNOneZero(t *testing.T) {
	k := mustForKey[float64](t)
	same := func(a, b float64) {
		if !k.Equal(&a, &b) || k.Hash(&a) != k.Hash(&b) || string(k.Append(nil, &a)) != string(k.Append(nil, &b)) {
			t.Errorf("%v and %v are two keys", a, b)
		}
	}
	same(math.Float64frombits(0x7ff8000000000001), math.Float64frombits(0xfff0000000000001))
	same(0, math.Copysign(0, -1))
	for _, b := range [][]byte{{0, 0, 0, 0, 0, 0, 0, 0x80}, {1, 0, 0, 0, 0, 0, 0xf8, 0x7f}} {
		var f float64
		if _, err := k.Decode(b, &f); err == nil {
			t.Errorf("bytes %x were taken for canonical", b)
		}
	}
}

func TestTimeKeysAreInstants(t *testing.T) {
	k := mustForKey[time.Time](t)
	now := time.Now()
	wall, there := now.Round(0), now.In(time.FixedZone("x", 3600))
	for _, other := range []time.Time{wall, there, now.UTC()} {
		if !k.Equal(&now, &other) || k.Hash(&now) != k.Hash(&other) {
			t.Errorf("%v and %v are two keys", now, other)
		}
	}
}

func TestUnsupportedKeys(t *testing.T) {
	type bad struct {
		P *int
		I any
		C chan int
		h int
		S int `flott:"-"`
	}
	_, err := ForKey[bad]()
	var u *UnsupportedError
	if !errors.As(err, &u) || len(u.Problems) != 5 {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"codec of key", "field P: *int: a key holds only", "field I:", "field C:",
		"field h: is not exported", "field S: a field of a key"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
	_ = bad{h: 0}
}
