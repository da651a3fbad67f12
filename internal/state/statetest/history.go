package statetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"github.com/flottio/flott/internal/state"
)

// step does one random operation on both sides.
func (f *fleet) step(t testing.TB, rng *rand.Rand, m *model, space int64) {
	t.Helper()
	for _, s := range f.subtasks {
		must(t, s.b.Maintain())
	}
	k := rng.Int64N(space)
	s, h := f.of(k)
	switch rng.IntN(9) {
	case 0, 1:
		f.upsert(t, rng, m, space)
	case 2:
		_, had := m.table[k]
		ok, err := s.table.Delete(k, h)
		must(t, err)
		if ok != had {
			t.Fatalf("delete of %d says %v, want %v", k, ok, had)
		}
		delete(m.table, k)
	case 3:
		if rng.IntN(4) == 0 {
			must(t, s.list.Clear(k, h))
			delete(m.list, k)
			return
		}
		must(t, s.list.Add(k, h, 0, fmt.Sprint(len(m.list[k])), ""))
		m.list[k] = append(m.list[k], fmt.Sprint(len(m.list[k])), "")
	case 4:
		for range 20 {
			f.stepMap(t, rng, m, space)
		}
	case 5:
		for range 50 {
			k := rng.Int64N(space)
			s, h := f.of(k)
			ns := -3 + rng.Int64N(6)
			tb, err := s.windows.At(ns)
			must(t, err)
			v, err := tb.UpsertOne(k, h)
			must(t, err)
			*v += k
			m.windows[[2]int64{ns, k}] += k
		}
	case 6:
		ns := -3 + rng.Int64N(6)
		for _, s := range f.subtasks {
			must(t, s.windows.DropNamespace(ns))
		}
		for w := range m.windows {
			if w[0] == ns {
				delete(m.windows, w)
			}
		}
	case 7:
		for range 30 {
			f.stepTimer(t, rng, m, space)
		}
	case 8:
		f.fire(t, rng.Int64N(100), m)
	}
}

// upsert counts a vector of keys, some of them several times.
func (f *fleet) upsert(t testing.TB, rng *rand.Rand, m *model, space int64) {
	byTask := map[*subtask][]int64{}
	for range 1 + rng.IntN(700) {
		k := rng.Int64N(space)
		s, _ := f.of(k)
		byTask[s] = append(byTask[s], k)
		m.table[k]++
	}
	for _, s := range f.subtasks {
		keys := byTask[s]
		hashes, vals := make([]uint64, len(keys)), make([]*int64, len(keys))
		for i := range keys {
			hashes[i] = f.hash(&keys[i])
		}
		must(t, s.table.Upsert(keys, hashes, vals))
		for _, v := range vals {
			*v++
		}
	}
}

func (f *fleet) stepMap(t testing.TB, rng *rand.Rand, m *model, space int64) {
	k := rng.Int64N(space/10 + 1)
	s, h := f.of(k)
	user := fmt.Sprint(rng.IntN(8))
	at := slices.IndexFunc(m.mapped[k], func(p pair) bool { return p.user == user })
	switch rng.IntN(10) {
	case 0:
		must(t, s.mapped.Clear(k, h))
		delete(m.mapped, k)
	case 1, 2, 3:
		ok, err := s.mapped.Remove(k, h, user)
		must(t, err)
		if ok != (at >= 0) {
			t.Fatalf("remove of %d/%s says %v, want %v", k, user, ok, at >= 0)
		}
		if at >= 0 {
			m.mapped[k] = slices.Delete(m.mapped[k], at, at+1)
		}
		if len(m.mapped[k]) == 0 {
			delete(m.mapped, k)
		}
	default:
		v := rng.Int64()
		must(t, s.mapped.Put(k, h, user, v, 0))
		if at >= 0 {
			m.mapped[k][at].v = v
		} else {
			m.mapped[k] = append(m.mapped[k], pair{user, v})
		}
	}
}

func (f *fleet) stepTimer(t testing.TB, rng *rand.Rand, m *model, space int64) {
	k, at := rng.Int64N(space), rng.Int64N(1000)
	s, h := f.of(k)
	id := [2]int64{at, k}
	if rng.IntN(4) == 0 {
		must(t, s.timers.Delete(k, h, at))
		delete(m.timers, id)
		return
	}
	must(t, s.timers.Register(k, h, at))
	m.timers[id] = true
}

// fire pops what is due up to a time.
func (f *fleet) fire(t testing.TB, upTo int64, m *model) {
	for _, s := range f.subtasks {
		last := int64(math.MinInt64)
		for {
			x, ok, err := s.timers.Pop(upTo)
			must(t, err)
			if !ok {
				break
			}
			id := [2]int64{x.TimeMs, x.Key}
			if !m.timers[id] || x.TimeMs < last || x.Hash != f.hash(&x.Key) {
				t.Fatalf("timer %v fires, after one at %d; registered: %v", id, last, m.timers[id])
			}
			last = x.TimeMs
			delete(m.timers, id)
		}
		if s.timers.Next() <= upTo {
			t.Fatal("a timer that is due did not fire")
		}
	}
	for id := range m.timers {
		if id[0] <= upTo {
			t.Fatalf("timer %v did not fire", id)
		}
	}
}

// compare looks at all state through scans and through gets.
func (f *fleet) compare(t testing.TB, m *model) {
	t.Helper()
	got := newModel()
	timers := 0
	for _, s := range f.subtasks {
		for k, v := range scan(t, s.table) {
			got.table[k] += v
		}
		for _, ns := range s.windows.Namespaces() {
			tb, err := s.windows.At(ns)
			must(t, err)
			for k, v := range scan(t, tb) {
				got.windows[[2]int64{ns, k}] += v
			}
		}
		must(t, s.timers.Each(func(x state.Timer[int64]) {
			if id := [2]int64{x.TimeMs, x.Key}; !m.timers[id] || x.Hash != f.hash(&x.Key) {
				t.Fatalf("timer %v is there, registered: %v", id, m.timers[id])
			}
			timers++
		}))
	}
	same(t, "table", got.table, m.table)
	same(t, "windows", got.windows, m.windows)
	if timers != len(m.timers) {
		t.Fatalf("%d timers, want %d", timers, len(m.timers))
	}
	lists, maps := 0, 0
	for _, s := range f.subtasks {
		lists += s.list.Len()
	}
	if lists != len(m.list) {
		t.Fatalf("%d lists, want %d", lists, len(m.list))
	}
	for k, want := range m.list {
		s, h := f.of(k)
		l, err := s.list.Get(k, h, 0)
		must(t, err)
		if !slices.Equal(l, want) {
			t.Fatalf("list of %d is %q, want %q", k, l, want)
		}
	}
	for k, want := range m.mapped {
		s, h := f.of(k)
		if l := pairs(t, s.mapped, k, h, 0); !slices.Equal(l, want) {
			t.Fatalf("map of %d is %v, want %v", k, l, want)
		}
		maps += len(want)
	}
}

func pairs(t testing.TB, m *state.Map[int64, string, int64], k int64, h uint64, now int64) (l []pair) {
	t.Helper()
	var err error
	for u, v := range m.All(k, h, now, &err) {
		l = append(l, pair{u, v})
	}
	must(t, err)
	return l
}

// scan reads a table in pieces; a key that comes twice fails the test.
func scan[K comparable, V any](t testing.TB, tb *state.Table[K, V]) map[K]V {
	t.Helper()
	got := map[K]V{}
	keys, vals := make([]K, 37), make([]*V, 37)
	for cursor, more := uint64(0), true; more; more = cursor != 0 {
		var n int
		var err error
		n, cursor, err = tb.Scan(cursor, keys, vals)
		must(t, err)
		for i := range n {
			if _, twice := got[keys[i]]; twice {
				t.Fatalf("scan gives %v twice", keys[i])
			}
			got[keys[i]] = *vals[i]
		}
	}
	if tb.Len() != len(got) {
		t.Fatalf("scan gives %d entries, Len is %d", len(got), tb.Len())
	}
	return got
}

func same[K comparable](t testing.TB, what string, got, want map[K]int64) {
	t.Helper()
	var wrong []string
	for k, w := range want {
		if g, ok := got[k]; !ok || g != w {
			wrong = append(wrong, fmt.Sprintf("%v is %d (%v), want %d", k, g, ok, w))
		}
	}
	for k, g := range got {
		if _, ok := want[k]; !ok {
			wrong = append(wrong, fmt.Sprintf("%v is %d, want none", k, g))
		}
	}
	if sort.Strings(wrong); len(wrong) > 0 {
		t.Fatalf("%s: %d differences: %v", what, len(wrong), wrong[:min(5, len(wrong))])
	}
}
