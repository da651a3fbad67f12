package keygroup

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// A13.2: for every max parallelism up to 1024 and every parallelism up to it, the ranges partition the key groups, SubtaskOf
// is the inverse of RangeOf, no subtask is empty, and lengths differ by one at most.
func TestRangesPartitionTheKeyGroups(t *testing.T) {
	for max := 1; max <= 1024; max++ {
		for p := 1; p <= max; p++ {
			checkPartition(t, max, p)
		}
	}
	for _, p := range []int{1, 2, 3, 7, 181, 16383, 16384, 32767, 32768} {
		checkPartition(t, MaxLimit, p)
	}
}

func checkPartition(t *testing.T, max, p int) {
	next, shortest, longest := 0, math.MaxInt, 0
	for i := range p {
		r := RangeOf(i, max, p)
		if r.First != next || r.Empty() {
			t.Fatalf("max %d p %d: subtask %d has %v, want it to begin at %d and not to be empty", max, p, i, r, next)
		}
		if SubtaskOf(r.First, max, p) != i || SubtaskOf(r.Last, max, p) != i {
			t.Fatalf("max %d p %d: SubtaskOf is not the inverse of RangeOf for subtask %d, %v", max, p, i, r)
		}
		next = r.Last + 1
		shortest, longest = min(shortest, r.Len()), maxInt(longest, r.Len())
	}
	if next != max || longest-shortest > 1 {
		t.Fatalf("max %d p %d: ranges end at %d, lengths %d..%d", max, p, next, shortest, longest)
	}
}

func maxInt(a, b int) int { return max(a, b) }

func TestRouteIsSubtaskOf(t *testing.T) {
	for _, c := range [][2]int{{1, 1}, {128, 3}, {1000, 7}, {MaxLimit, MaxLimit}, {MaxLimit, 5}} {
		for kg, got := range Route(c[0], c[1]) {
			if want := SubtaskOf(kg, c[0], c[1]); int(got) != want {
				t.Fatalf("Route(%d, %d)[%d] = %d, want %d", c[0], c[1], kg, got, want)
			}
		}
	}
}

func TestMapperIsHashModMax(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		max := rapid.IntRange(1, MaxLimit).Draw(t, "max")
		hash := rapid.Uint64().Draw(t, "hash")
		want := int(hash % uint64(max))
		if got := NewMapper(max).Of(hash); got != want {
			t.Fatalf("Of(%d) with max %d = %d, want %d", hash, max, got, want)
		}
		if got := Of(hash, max); got != want {
			t.Fatalf("Of(%d, %d) = %d, want %d", hash, max, got, want)
		}
	})
	if got := (Mapper{}).Of(math.MaxUint64); got != 0 {
		t.Fatalf("zero Mapper gives key group %d", got)
	}
}

func TestDefaultMax(t *testing.T) {
	for p, want := range map[int]int{
		1: 128, 2: 128, 85: 128, 86: 256, 128: 256, 170: 256, 171: 256, 172: 512, 1000: 2048, 20000: 32768, 32768: 32768,
	} {
		if got := DefaultMax(p); got != want {
			t.Errorf("DefaultMax(%d) = %d, want %d", p, got, want)
		}
	}
	for p := 1; p <= MaxLimit; p++ {
		if m := DefaultMax(p); m < p || m&(m-1) != 0 || m < DefaultMin || m > MaxLimit {
			t.Fatalf("DefaultMax(%d) = %d", p, m)
		}
	}
}

func TestIntersectAgreesWithSets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) Range {
			return Range{rapid.IntRange(0, 20).Draw(t, name+" first"), rapid.IntRange(-1, 20).Draw(t, name+" last")}
		}
		a, b := draw("a"), draw("b")
		x, n := a.Intersect(b), 0
		for kg := -1; kg <= 21; kg++ {
			both := a.Contains(kg) && b.Contains(kg)
			if both {
				n++
			}
			if x.Contains(kg) != both {
				t.Fatalf("%v with %v = %v is wrong about %d", a, b, x, kg)
			}
		}
		if x.Len() != n || x.Empty() != (n == 0) {
			t.Fatalf("%v with %v = %v: length %d, empty %v, want %d", a, b, x, x.Len(), x.Empty(), n)
		}
	})
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		max, p int
		want   string
	}{
		{0, 1, ""}, {128, 128, ""}, {MaxLimit, 1, ""}, {0, MaxLimit, ""},
		{128, 0, "parallelism 0 is outside 1..32768"},
		{-1, 1, "max parallelism -1 is outside 1..32768"},
		{MaxLimit + 1, 1, "max parallelism 32769 is outside 1..32768"},
		{4, 5, "parallelism 5 is greater than max parallelism 4: lower the first or raise the second " +
			"(possible only before the first checkpoint)"},
	} {
		got := ""
		if err := Validate(c.max, c.p); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("Validate(%d, %d) = %q, want %q", c.max, c.p, got, c.want)
		}
	}
}

func TestMisusePanics(t *testing.T) {
	for name, f := range map[string]func(){
		"max 0":              func() { NewMapper(0) },
		"max too great":      func() { Route(MaxLimit+1, 1) },
		"parallelism > max":  func() { RangeOf(0, 4, 5) },
		"subtask out":        func() { RangeOf(4, 8, 4) },
		"key group out":      func() { SubtaskOf(8, 8, 4) },
		"default of nothing": func() { DefaultMax(0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func BenchmarkMapper(b *testing.B) {
	for _, max := range []int{128, 1000} {
		m, sum := NewMapper(max), 0
		b.Run(map[int]string{128: "pow2", 1000: "div"}[max], func(b *testing.B) {
			for i := range b.N {
				sum += m.Of(uint64(i) * 0x9E3779B97F4A7C15)
			}
		})
		_ = sum
	}
}
