package scalar_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/flottio/flott/format/internal/scalar"
)

func TestNumbersAsStrconv(t *testing.T) {
	const seed = 7
	r := rand.New(rand.NewPCG(seed, seed))
	texts := []string{"", "-", "+", "0", "-0", "00", "18446744073709551615", "18446744073709551616", "9223372036854775808",
		"-9223372036854775808",
		"-9223372036854775809", "99999999999999999999999999", "1/2", "12345678:", "123456789012345678a"}
	for range 20000 {
		digits := make([]byte, r.IntN(22))
		for i := range digits {
			digits[i] = '0' + byte(r.IntN(10))
		}
		if len(digits) > 0 && r.IntN(4) == 0 {
			digits[0] = '-'
		}
		texts = append(texts, string(digits))
	}
	for _, s := range texts {
		for _, bits := range []int{8, 32, 64} {
			n, err := scalar.Int([]byte(s), bits)
			if want, werr := strconv.ParseInt(s, 10, bits); (err == nil) != (werr == nil) || err == nil && n != want {
				t.Fatalf("seed %d: Int(%q, %d) = %d %v, want %d %v", seed, s, bits, n, err, want, werr)
			}
			u, err := scalar.Uint([]byte(s), bits)
			if want, werr := strconv.ParseUint(s, 10, bits); (err == nil) != (werr == nil) || err == nil && u != want {
				t.Fatalf("seed %d: Uint(%q, %d) = %d %v, want %d %v", seed, s, bits, u, err, want, werr)
			}
		}
	}
}

func TestFloatsAsStrconv(t *testing.T) {
	const seed = 8
	r := rand.New(rand.NewPCG(seed, seed))
	texts := []string{"", ".", "-", "-.", "1.", ".5", "1e5", "9007199254740993", "0.1", "-0", "1.2.3", "1e400", "0x1p3", "1_0", "NaN"}
	for range 20000 {
		texts = append(texts, strconv.FormatFloat(math.Float64frombits(r.Uint64()), 'g', -1, 64),
			strconv.FormatFloat(float64(r.IntN(1e9))/1000, 'f', -1, 64))
	}
	for _, s := range texts {
		for _, bits := range []int{32, 64} {
			f, err := scalar.Float([]byte(s), bits)
			want, werr := strconv.ParseFloat(s, bits)
			if (err == nil) != (werr == nil) || err == nil && math.Float64bits(f) != math.Float64bits(want) {
				t.Fatalf("seed %d: Float(%q, %d) = %v %v, want %v %v", seed, s, bits, f, err, want, werr)
			}
		}
	}
}

func TestTimesAsStandard(t *testing.T) {
	const seed = 9
	r := rand.New(rand.NewPCG(seed, seed))
	const year0, year10000 = -62167219200, 253402300800
	for range 20000 {
		want := time.Unix(year0+r.Int64N(year10000-year0), r.Int64N(2)*r.Int64N(1e9)).In(time.FixedZone("", (r.IntN(47)-23)*1800))
		text := want.Format(time.RFC3339Nano)
		if y := want.Year(); y < 0 || y > 9999 {
			continue
		}
		got, ok := scalar.ParseTime([]byte(text))
		if !ok || !got.Equal(want) {
			t.Fatalf("seed %d: ParseTime(%s) = %v %v", seed, text, got, ok)
		}
		if out, ok := scalar.AppendTime(nil, want); !ok || string(out) != want.UTC().Format(time.RFC3339Nano) {
			t.Fatalf("seed %d: AppendTime(%v) = %s %v", seed, want, out, ok)
		}
	}
	for _, bad := range []string{"", "2024-01-01", "2024-01-01 00:00:00Z", "2024-01-01T00:00:00", "2024-01-01T00:00:00z",
		"2024-13-01T00:00:00Z",
		"2024-00-01T00:00:00Z", "2024-02-30T00:00:00Z", "1900-02-29T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z",
		"2024-01-01T00:00:60Z", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00.1234567890Z", "2024-01-01T00:00:00+0100",
		"2024-01-01T00:00:00+24:00", "2024-01-01T00:00:00Zx", "2024-01-01T00:00:00,5Z", "+024-01-01T00:00:00Z"} {
		if got, ok := scalar.ParseTime([]byte(bad)); ok {
			t.Errorf("ParseTime accepts %q as %v", bad, got)
		}
	}
	if got, ok := scalar.ParseTime([]byte("2000-02-29T23:59:59.000000001-23:59")); !ok || got.Nanosecond() != 1 || got.Day() != 1 {
		t.Error(got, ok)
	}
}

func TestUnits(t *testing.T) {
	const seed = 10
	r := rand.New(rand.NewPCG(seed, seed))
	for _, u := range []scalar.Unit{scalar.Seconds, scalar.Millis, scalar.Micros, scalar.Nanos} {
		for i := range 1000 {
			n := int64(r.Uint64()) >> r.IntN(64)
			switch {
			case i == 0:
				n = math.MinInt64
			case i == 1:
				n = math.MaxInt64
			case u == scalar.Seconds:
				n >>= 10 // package time itself wraps around beyond
			}
			if got, ok := u.Count(u.Time(n)); !ok || got != n {
				t.Fatalf("seed %d, unit %d: %d comes back as %d %v", seed, u, n, got, ok)
			}
		}
	}
	if n, ok := scalar.Millis.Count(time.Unix(0, -1)); n != -1 || !ok {
		t.Error("a fraction must be cut towards the past:", n)
	}
	if _, ok := scalar.Nanos.Count(time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)); ok {
		t.Error("the year 3000 does not fit nanoseconds")
	}
	if _, ok := scalar.Nanos.Count(time.Date(1000, 1, 1, 0, 0, 0, 0, time.UTC)); ok {
		t.Error("the year 1000 does not fit nanoseconds")
	}
}

func TestStringCache(t *testing.T) {
	var c scalar.StringCache
	b := make([]byte, 0, 100)
	for i := range 20000 {
		want := strconv.Itoa(i*7919%3000) + "-suffix-of-more-than-eight"
		b = append(b[:0], want...)
		got := c.Of(b)
		for j := range b {
			b[j] = 'x'
		}
		if got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { c.Of([]byte("abc")) }); n > 0.5 {
		t.Errorf("a repeated string is allocated %v times", n)
	}
}
