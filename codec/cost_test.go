package codec

import (
	"encoding/binary"
	"testing"
	"time"
)

type click struct {
	URL  string
	User int64
	TS   int64
}

type reading struct {
	Sensor int64
	Value  float64
	At     int64
	Flags  uint32
	Unit   uint32
}

var sample = click{"https://example.org/products/4711", 123456789, 1700000000000}

func TestCodecAllocatesOnlyStrings(t *testing.T) {
	clicks, readings := mustFor[click](t), mustFor[reading](t)
	buf := make([]byte, 0, 1024)
	v, r := sample, reading{1, 2, 3, 4, 5}
	b, rb := clicks.Append(nil, &v), readings.Append(nil, &r)
	counts := mustFor[map[string]int64](t)
	m := map[string]int64{"a": 1, "b": 2, "c": 3}
	allocs := func(name string, want float64, f func()) {
		t.Helper()
		if got := testing.AllocsPerRun(200, f); got != want {
			t.Errorf("%s allocates %v times, want %v", name, got, want)
		}
	}
	allocs("appending a struct with a string", 0, func() { buf = clicks.Append(buf[:0], &v) })
	allocs("appending a local value", 0, func() { local := click{"u", 1, 2}; buf = clicks.Append(buf[:0], &local) })
	allocs("decoding a string", 1, func() { local := click{}; _, _ = clicks.Decode(b, &local) })
	allocs("appending a flat struct", 0, func() { buf = readings.Append(buf[:0], &r) })
	allocs("decoding a flat struct", 0, func() { local := reading{}; _, _ = readings.Decode(rb, &local) })
	allocs("looking up the codec", 0, func() { _, _ = For[click]() })
	if !raceEnabled {
		allocs("appending a map", 0, func() { buf = counts.Append(buf[:0], &m) })
	}
}

func TestKeysDoNotAllocate(t *testing.T) {
	type pair struct {
		URL string
		At  time.Time
		F   float64
	}
	k, s, i := mustForKey[pair](t), mustForKey[string](t), mustForKey[int64](t)
	buf := make([]byte, 0, 1024)
	strs, ints, out := []string{"a", "b"}, []int64{1, 2}, make([]uint64, 2)
	n := testing.AllocsPerRun(200, func() {
		p, q, str, num := pair{URL: "u", F: 1}, pair{URL: "u", F: 2}, "text", int64(1)
		buf = k.Append(buf[:0], &p)
		buf = s.Append(buf, &str)
		buf = i.Append(buf, &num)
		out[0] = k.Hash(&p) + s.Hash(&str) + i.Hash(&num)
		if k.Equal(&p, &q) {
			out[1]++
		}
		s.HashAll(strs, out)
		i.HashAll(ints, out)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// appendClick and decodeClick are what one would write by hand.
func appendClick(dst []byte, v *click) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(v.URL)))
	dst = append(dst, v.URL...)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(v.User))
	return binary.LittleEndian.AppendUint64(dst, uint64(v.TS))
}

func decodeClick(src []byte, v *click) int {
	n, k := binary.Uvarint(src)
	if k <= 0 || n > uint64(len(src)-k) || len(src)-k-int(n) < 16 {
		return -1
	}
	v.URL = string(src[k : k+int(n)])
	rest := src[k+int(n):]
	v.User = int64(binary.LittleEndian.Uint64(rest))
	v.TS = int64(binary.LittleEndian.Uint64(rest[8:]))
	return k + int(n) + 16
}

func BenchmarkAppend(b *testing.B) {
	buf := make([]byte, 0, 4096)
	b.Run("click/hand", func(b *testing.B) {
		v := sample
		for b.Loop() {
			buf = appendClick(buf[:0], &v)
		}
	})
	bench(b, "click/codec", sample)
	bench(b, "reading/codec", reading{1, 2, 3, 4, 5})
	bench(b, "int64/codec", int64(7))
	bench(b, "map8/codec", map[string]int64{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7, "h": 8})
	bench(b, "list100/codec", make([]int64, 100))
	bench(b, "optional/codec", &sample)
}

func bench[T any](b *testing.B, name string, v T) {
	c := mustFor[T](b)
	buf := c.Append(nil, &v)
	b.Run(name, func(b *testing.B) {
		for b.Loop() {
			buf = c.Append(buf[:0], &v)
		}
	})
	b.Run(name+"/decode", func(b *testing.B) {
		b.ReportAllocs()
		var got T
		for b.Loop() {
			if _, err := c.Decode(buf, &got); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecodeByHand(b *testing.B) {
	v := sample
	src := appendClick(nil, &v)
	b.ReportAllocs()
	for b.Loop() {
		if decodeClick(src, &v) < 0 {
			b.Fatal("wrong")
		}
	}
}

func BenchmarkHash(b *testing.B) {
	benchHash(b, "int64", make([]int64, 1024))
	benchHash(b, "int32", make([]int32, 1024))
	strs := make([]string, 1024)
	for i := range strs {
		strs[i] = sample.URL
	}
	benchHash(b, "string33", strs)
	benchHash(b, "pair", make([]struct {
		URL  string
		User int64
	}, 1024))
}

// benchHash reports nanoseconds a key.
func benchHash[K comparable](b *testing.B, name string, keys []K) {
	k := mustForKey[K](b)
	out := make([]uint64, len(keys))
	b.Run(name+"/all", func(b *testing.B) {
		for b.Loop() {
			k.HashAll(keys, out)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(keys)), "ns/key")
	})
	b.Run(name+"/one", func(b *testing.B) {
		for b.Loop() {
			for i := range keys {
				out[i] = k.Hash(&keys[i])
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(keys)), "ns/key")
	})
}
