package statetest

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/flottio/flott/internal/state"
)

var place = state.Place{UID: "op", Name: "s"}

func lives(ms int64) state.Place {
	return state.Place{UID: "op", Name: "s", TTL: state.TTL{Ms: ms}}
}

func intHash(t testing.TB) func(k int64) uint64 {
	h := describe[int64, int64](t).KeyHash
	return func(k int64) uint64 { return h(&k) }
}

// evolution restores a struct with a field added, one removed and one moved; a changed type is refused with both schemas.
func evolution(t *testing.T, open, other Opener) {
	type old struct {
		Gone string
		A    int32
		B    []string
	}
	type now struct {
		B   []string
		A   int64
		New *int
	}
	h := intHash(t)
	b := one(t, open)
	v, err := state.RegisterValue[int64, old](b, place)
	must(t, err)
	for k := range int64(500) {
		must(t, v.Set(k, h(k), old{"x", int32(k), []string{fmt.Sprint(k)}}, 0))
	}
	src := snapshot(t, b)
	w, err := state.RegisterValue[int64, now](one(t, other, src), place)
	must(t, err)
	for k := range int64(500) {
		got, ok, err := w.Get(k, h(k), 0)
		must(t, err)
		if !ok || got.A != k || !slices.Equal(got.B, []string{fmt.Sprint(k)}) || got.New != nil {
			t.Fatalf("key %d: %v %+v", k, ok, got)
		}
	}
	type changed struct{ A string }
	_, err = state.RegisterValue[int64, changed](one(t, open, src), place)
	if err == nil || !strings.Contains(err.Error(), "int32") || !strings.Contains(err.Error(), "string") {
		t.Fatalf("a changed type must be refused with both schemas: %v", err)
	}
}

func timeToLive(t *testing.T, open, _ Opener) {
	h := intHash(t)
	b := one(t, open)
	v, err := state.RegisterValue[int64, int64](b, lives(100))
	must(t, err)
	p := lives(100)
	p.Name, p.TTL.OnRead = "read", true
	r, err := state.RegisterValue[int64, int64](b, p)
	must(t, err)
	p = lives(100)
	p.Name, p.TTL.ReturnExpired = "expired", true
	e, err := state.RegisterValue[int64, int64](b, p)
	must(t, err)
	see := func(s *state.Value[int64, int64], now int64, want bool) {
		t.Helper()
		if _, ok, err := s.Get(1, h(1), now); ok != want || err != nil {
			t.Fatalf("at %d: there %v (%v), want %v", now, ok, err, want)
		}
		vals := make([]*int64, 1)
		must(t, s.Find([]int64{1}, []uint64{h(1)}, vals, now))
		if (vals[0] != nil) != want {
			t.Fatalf("at %d by vector: there %v, want %v", now, vals[0] != nil, want)
		}
	}
	for _, s := range []*state.Value[int64, int64]{v, r, e} {
		must(t, s.Set(1, h(1), 5, 1000))
	}
	see(v, 1099, true)
	see(v, 1100, false)
	see(r, 1099, true)
	see(r, 1150, true)
	see(r, 1250, false)
	see(e, 1000, true)
	if x, ok, _ := e.Get(1, h(1), 1100); ok && x != 5 {
		t.Fatal(x)
	}
	// An expired value is not the start of the next.
	x, err := v.Ref(1, h(1), 1200)
	must(t, err)
	if *x != 0 {
		t.Fatalf("a value that had expired is still %d", *x)
	}
	refs := make([]*int64, 2)
	must(t, v.Set(2, h(2), 5, 1200))
	must(t, v.Upsert([]int64{2, 1}, []uint64{h(2), h(1)}, refs, 1299))
	if *refs[0] != 5 {
		t.Fatalf("a live value is %d by vector, want 5", *refs[0])
	}
	must(t, v.Upsert([]int64{2, 1}, []uint64{h(2), h(1)}, refs, 1400))
	if *refs[0] != 0 {
		t.Fatalf("a value that had expired is still %d by vector", *refs[0])
	}
}

func ttlSweep(t *testing.T, open, _ Opener) {
	h := intHash(t)
	v, err := state.RegisterValue[int64, int64](one(t, open), lives(100))
	must(t, err)
	refs := make([]*int64, 1)
	// Everything that expires is gone after some calls, untouched or not.
	for k := range int64(2000) {
		must(t, v.Set(k, h(k), k, 2000))
	}
	// What is touched anew while a sweep goes on must survive it, though it had expired when the sweep began.
	for k := int64(1999); k >= 0; k-- {
		if k%2 == 0 {
			must(t, v.Set(k, h(k), k, 2100))
			continue
		}
		if k%4 == 1 {
			refs[0], err = v.Ref(k, h(k), 2100)
			must(t, err)
		} else {
			must(t, v.Upsert([]int64{k}, []uint64{h(k)}, refs[:1], 2100))
		}
		if *refs[0] != 0 {
			t.Fatalf("key %d had expired and is still %d", k, *refs[0])
		}
	}
	for range 500 {
		must(t, v.Set(-1, h(-1), 0, 2101))
	}
	if v.Len() != 2001 {
		t.Fatalf("%d entries are left, want 2001", v.Len())
	}
	for range 2000 {
		must(t, v.Set(-1, h(-1), 0, 3000))
	}
	if v.Len() != 1 {
		t.Fatalf("%d entries are left, want 1", v.Len())
	}
}

func ttlInSnapshot(t *testing.T, open, other Opener) {
	h := intHash(t)
	b := one(t, open)
	v, err := state.RegisterValue[int64, int64](b, lives(100))
	must(t, err)
	for k := range int64(100) {
		must(t, v.Set(k, h(k), k, 1000+k)) // at the end, 1099, none has been swept
	}
	must(t, v.Set(1000, h(1000), 1, 1150))
	src := snapshot(t, b)
	f, err := state.OpenFile("f", bytes.NewReader(src), int64(len(src)))
	must(t, err)
	if n := f.Entries(0); n != 50 { // 51..99 and the last
		t.Fatalf("%d entries in the snapshot, want 50", n)
	}
	w, err := state.RegisterValue[int64, int64](one(t, other, src), lives(100))
	must(t, err)
	if _, ok, _ := w.Get(60, h(60), 1159); !ok {
		t.Fatal("an entry lost its remaining life in the restore")
	}
	if _, ok, _ := w.Get(60, h(60), 1160); ok {
		t.Fatal("an entry lives longer for the restore")
	}
}

// ttlAddedAndRemoved: a time to live may come and go between restores.
func ttlAddedAndRemoved(t *testing.T, open, other Opener) {
	h := intHash(t)
	b := one(t, open)
	v, err := state.RegisterValue[int64, string](b, place)
	must(t, err)
	must(t, v.Set(1, h(1), "x", 0))
	b2, err := state.NewBackend(state.Config{Groups: state.Groups{End: maxParallelism, Max: maxParallelism}, Store: other(t), NowMs: 5000})
	must(t, err)
	defer b2.Close()
	src := snapshot(t, b)
	f, err := state.OpenFile("f", bytes.NewReader(src), int64(len(src)))
	must(t, err)
	must(t, b2.Restore(f))
	w, err := state.RegisterValue[int64, string](b2, lives(100))
	must(t, err)
	if x, ok, _ := w.Get(1, h(1), 5099); !ok || x != "x" {
		t.Fatal("lost")
	}
	w2, err := state.RegisterValue[int64, string](one(t, open, snapshot(t, b2)), place)
	must(t, err)
	if x, ok, _ := w2.Get(1, h(1), math.MaxInt64); !ok || x != "x" {
		t.Fatal("lost")
	}
}

func mapTTL(t *testing.T, open, other Opener) {
	h := intHash(t)
	b := one(t, open)
	m, err := state.RegisterMap[int64, string, int64](b, lives(100))
	must(t, err)
	for i := range int64(50) {
		must(t, m.Put(1, h(1), fmt.Sprint(i), i, 1000+i))
	}
	want := func(m *state.Map[int64, string, int64], now int64, n int) {
		t.Helper()
		if l := pairs(t, m, 1, h(1), now); len(l) != n {
			t.Fatalf("at %d: %d entries, want %d: %v", now, len(l), n, l)
		}
	}
	want(m, 1049, 50)
	want(m, 1110, 39)
	must(t, m.Put(1, h(1), "5", 5, 1110)) // expired, still linked
	want(m, 1110, 40)
	back, err := state.RegisterMap[int64, string, int64](one(t, other, snapshot(t, b)), lives(100))
	must(t, err)
	want(back, 1110, 40)
	for i := range int64(200) { // sweeps
		must(t, m.Put(2, h(2), "x", i, 1160))
		must(t, back.Put(2, h(2), "x", i, 1160))
	}
	want(m, 1160, 1)
	want(back, 1160, 1)
	for _, m := range []*state.Map[int64, string, int64]{m, back} {
		if n, err := m.Len(1, h(1)); n != 1 || err != nil {
			t.Fatalf("%d entries left (%v), want 1", n, err)
		}
	}
}

// nilIsNotAbsent: A13.8.
func nilIsNotAbsent(t *testing.T, open, other Opener) {
	h := intHash(t)
	b := one(t, open)
	m, err := state.RegisterMap[int64, int64, *string](b, place)
	must(t, err)
	must(t, m.Put(1, h(1), 10, nil, 0))
	for i := range int64(1000) { // push it out of a cache
		must(t, m.Put(2, h(2), i, nil, 0))
	}
	back, err := state.RegisterMap[int64, int64, *string](one(t, other, snapshot(t, b)), place)
	must(t, err)
	for _, m := range []*state.Map[int64, int64, *string]{m, back} {
		if v, ok, err := m.Get(1, h(1), 10, 0); v != nil || !ok || err != nil {
			t.Fatal("a nil value is lost", v, ok, err)
		}
		if _, ok, _ := m.Get(1, h(1), 11, 0); ok {
			t.Fatal("an absent key is there")
		}
	}
}

// mapOrder: the order of adding outlives eviction and restore; the current entry may be removed while iterating.
func mapOrder(t *testing.T, open, other Opener) {
	h := intHash(t)
	b := one(t, open)
	m, err := state.RegisterMap[int64, string, int64](b, place)
	must(t, err)
	var want []pair
	for i := range int64(3000) {
		p := pair{fmt.Sprint(i * 7919 % 3000), i}
		want = append(want, p)
		must(t, m.Put(1, h(1), p.user, p.v, 0))
	}
	back, err := state.RegisterMap[int64, string, int64](one(t, other, snapshot(t, b)), place)
	must(t, err)
	for _, m := range []*state.Map[int64, string, int64]{m, back} {
		if !slices.Equal(pairs(t, m, 1, h(1), 0), want) {
			t.Fatal("entries do not come in the order of adding")
		}
		n := 0
		for u, v := range m.All(1, h(1), 0, &err) {
			if v%3 != 0 {
				_, e := m.Remove(1, h(1), u)
				must(t, e)
			}
			n++
		}
		must(t, err)
		if left := pairs(t, m, 1, h(1), 0); n != 3000 || len(left) != 1000 {
			t.Fatal(n, len(left))
		}
		must(t, m.Clear(1, h(1)))
		if n, err := m.Len(1, h(1)); n != 0 || err != nil {
			t.Fatal(n, err)
		}
	}
}

func bigValues(t *testing.T, open, other Opener) {
	h := intHash(t)
	b := one(t, open)
	v, err := state.RegisterValue[int64, []byte](b, place)
	must(t, err)
	for k := range int64(5) {
		must(t, v.Set(k, h(k), bytes.Repeat([]byte{byte(k)}, 5<<20), 0))
	}
	w, err := state.RegisterValue[int64, []byte](one(t, other, snapshot(t, b)), place)
	must(t, err)
	for k := range int64(5) {
		got, ok, err := w.Get(k, h(k), 0)
		must(t, err)
		if !ok || !bytes.Equal(got, bytes.Repeat([]byte{byte(k)}, 5<<20)) {
			t.Fatalf("key %d: %d bytes", k, len(got))
		}
	}
}

func manyKeys(t *testing.T, open, other Opener) {
	const n = 100_000
	f := newFleet(t, 2, nil, open)
	m := newModel()
	for at := int64(0); at < n; at += 1000 {
		for _, s := range f.subtasks {
			var keys []int64
			var hashes []uint64
			for k := at; k < at+1000; k++ {
				if owner, h := f.of(k); owner == s {
					keys, hashes = append(keys, k), append(hashes, h)
				}
			}
			vals := make([]*int64, len(keys))
			must(t, s.table.Upsert(keys, hashes, vals))
			for i, v := range vals {
				*v = keys[i] * 3
				m.table[keys[i]] = keys[i] * 3
			}
		}
	}
	p := f.begin(t, m)
	p.finish(t)
	back := newFleet(t, 3, p.files, other)
	back.compare(t, m)
	back.close(t)
	f.close(t)
}

// timersWhileFiring: A13.6. What firing registers and deletes counts in the same pass.
func timersWhileFiring(t *testing.T, open, other Opener) {
	h := intHash(t)
	b := one(t, open)
	x, err := state.RegisterTimers[int64](b, "op", "timers")
	must(t, err)
	set := func(x *state.Timers[int64], k, at int64) {
		t.Helper()
		must(t, x.Register(k, h(k), at))
	}
	pop := func(x *state.Timers[int64]) (state.Timer[int64], bool) {
		t.Helper()
		f, ok, err := x.Pop(25)
		must(t, err)
		return f, ok
	}
	set(x, 1, 10)
	set(x, 9, 20)
	set(x, 2, 20)
	set(x, 3, 20)
	set(x, 5, 20)
	set(x, 4, 30)
	set(x, 9, 20) // once more: keeps its place
	must(t, x.Delete(2, h(2), 20))
	set(x, 2, 20) // anew: goes to the end
	back, err := state.RegisterTimers[int64](one(t, other, snapshot(t, b)), "op", "timers")
	must(t, err)
	for _, x := range []*state.Timers[int64]{x, back} {
		var fired []string
		for f, ok := pop(x); ok; f, ok = pop(x) {
			fired = append(fired, fmt.Sprintf("%d@%d", f.Key, f.TimeMs))
			if f.Key == 1 {
				set(x, 7, 15)                  // before what is due
				set(x, 8, 25)                  // after it
				set(x, 1, 10)                  // again, now
				must(t, x.Delete(3, h(3), 20)) // due, not yet fired
			}
			if len(fired) > 20 {
				t.Fatal("it never ends")
			}
			if f.Key == 1 && len(fired) > 1 {
				must(t, x.Delete(1, h(1), 10))
			}
		}
		// Those of one time come in memory in the order of registration; on disk in another.
		if len(fired) == 7 {
			slices.Sort(fired[3:6])
		}
		if got := strings.Join(fired, " "); got != "1@10 1@10 7@15 2@20 5@20 9@20 8@25" {
			t.Fatal(got)
		}
		if x.Next() != 30 {
			t.Fatal(x.Next())
		}
		must(t, x.Delete(4, h(4), 30))
		if x.Next() != math.MaxInt64 {
			t.Fatal("no timer is left")
		}
	}
}

// strangeKeys: A13.4.
func strangeKeys(t *testing.T, open, other Opener) {
	b := one(t, open)
	d := describe[float64, int64](t)
	v, err := state.RegisterValue[float64, int64](b, place)
	must(t, err)
	nan := math.NaN()
	nan2 := math.Float64frombits(math.Float64bits(nan) ^ 1)
	negZero := math.Copysign(0, -1)
	for i, k := range []float64{nan, nan2, 0, negZero} {
		p, err := v.Ref(k, d.KeyHash(&k), 0)
		must(t, err)
		*p += int64(1 + 10*(i/2))
	}
	back, err := state.RegisterValue[float64, int64](one(t, other, snapshot(t, b)), place)
	must(t, err)
	for _, v := range []*state.Value[float64, int64]{v, back} {
		for k, want := range map[float64]int64{nan2: 2, negZero: 22} {
			if got, ok, err := v.Get(k, d.KeyHash(&k), 0); got != want || !ok || err != nil {
				t.Fatal(k, got, ok, err)
			}
		}
		if v.Len() != 2 {
			t.Fatal(v.Len())
		}
	}
}

func deleteDuringScan(t *testing.T, open, _ Opener) {
	h := intHash(t)
	tb, err := state.RegisterTable(one(t, open), "op", "s", describe[int64, int64](t))
	must(t, err)
	for k := range int64(2000) {
		_, err := tb.UpsertOne(k, h(k))
		must(t, err)
	}
	seen := map[int64]bool{}
	keys, vals := make([]int64, 100), make([]*int64, 100)
	for cursor, more := uint64(0), true; more; more = cursor != 0 {
		var n int
		n, cursor, err = tb.Scan(cursor, keys, vals)
		must(t, err)
		for _, k := range keys[:n] {
			if seen[k] {
				t.Fatalf("%d twice, or after it was deleted", k)
			}
			seen[k] = true
			for _, gone := range []int64{k, k ^ 1} { // what was seen, and what may come
				_, err := tb.Delete(gone, h(gone))
				must(t, err)
			}
		}
		for _, k := range keys[:n] {
			seen[k^1] = true
		}
	}
	if tb.Len() != 0 {
		t.Fatalf("%d entries are left", tb.Len())
	}
}

// kindsTwice: reducing and aggregating, through a restore.
func kindsTwice(t *testing.T, open, other Opener) {
	h := intHash(t)
	type acc struct{ Sum, N int64 }
	start := func(a *acc) { a.Sum = 1000 }
	register := func(b *state.Backend) (*state.Reducing[int64, int64], *state.Aggregating[int64, acc]) {
		r, err := state.RegisterReducing[int64](b, state.Place{UID: "op", Name: "r"}, func(a, b int64) int64 { return max(a, b) })
		must(t, err)
		a, err := state.RegisterAggregating[int64](b, state.Place{UID: "op", Name: "a"}, start)
		must(t, err)
		return r, a
	}
	add := func(r *state.Reducing[int64, int64], a *state.Aggregating[int64, acc]) {
		for i := range int64(3000) {
			k := i % 1000
			must(t, r.Add(k, h(k), -i, 0))
			x, err := a.Acc(k, h(k), 0)
			must(t, err)
			x.Sum += i
			x.N++
		}
	}
	b := one(t, open)
	r, a := register(b)
	add(r, a)
	r2, a2 := register(one(t, other, snapshot(t, b)))
	add(r2, a2)
	for k := range int64(1000) {
		v, ok, err := r2.Get(k, h(k), 0)
		must(t, err)
		x, err := a2.Get(k, h(k), 0)
		must(t, err)
		if !ok || v != -k || x == nil || *x != (acc{1000 + 2*(3*k+3000), 6}) {
			t.Fatal(k, v, ok, x)
		}
	}
	if r2.Len() != 1000 || a2.Len() != 1000 {
		t.Fatal(r2.Len(), a2.Len())
	}
}
