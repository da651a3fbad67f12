package state

import "testing"

// Filters share a third of the budget: one that would need more gives its memory back, and from then on excludes nothing.
func TestFilterIsBounded(t *testing.T) {
	b := &budget{limitBytes: 3 * 100 << 10}
	f, other := filter{budget: b}, filter{budget: b}
	other.add(1) // 8 KiB
	for h := uint64(1); !f.exhausted; h++ {
		f.add(h * 0x9e3779b97f4a7c15)
		if !f.mayHave(h * 0x9e3779b97f4a7c15) {
			t.Fatal("a key that was added is taken for absent")
		}
		if b.filterBytes > 100<<10 {
			t.Fatalf("filters take %d bytes, the limit is %d", b.filterBytes, 100<<10)
		}
		if h > 100_000 {
			t.Fatal("the filter is never given up")
		}
	}
	if !f.mayHave(42) || b.filterBytes != 8<<10 {
		t.Fatalf("given up, it must exclude nothing and take no memory: %d bytes are left of 8192", b.filterBytes)
	}
	f.reset()
	if f.add(7); f.mayHave(8) || !f.mayHave(7) {
		t.Fatal("a filter that was reset begins anew")
	}
}
