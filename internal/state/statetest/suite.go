// Package statetest is the suite that every backend of package state passes: random histories against plain Go maps, with
// snapshots written in the background, restores at another parallelism and on the other backend, evolution, time to live.
//
// Only tests import it.
package statetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/internal/state"
)

// Opener makes an empty store; nil stands for a backend in memory.
type Opener func(t testing.TB) state.Store

// Memory is the Opener of the hashmap backend.
func Memory(testing.TB) state.Store { return nil }

// maxParallelism of all tests: not a power of two, so that the general arithmetic is used.
const maxParallelism = 30

// cacheBytes is so small that most entries of a store are not in memory.
const cacheBytes = 16 << 10

// Run runs the suite on the backend with stores of open; other is the backend that snapshots are also restored into.
func Run(t *testing.T, open, other Opener) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprintf("History/seed=%d", seed), func(t *testing.T) { history(t, seed, open, other) })
		t.Run(fmt.Sprintf("Ordered/seed=%d", seed), func(t *testing.T) { ordered(t, seed, open, other) })
	}
	for _, c := range []struct {
		name string
		run  func(t *testing.T, open, other Opener)
	}{
		{"Evolution", evolution}, {"TTL", timeToLive}, {"TTLSweep", ttlSweep}, {"TTLInSnapshot", ttlInSnapshot}, {"TTLAddedAndRemoved", ttlAddedAndRemoved},
		{"MapTTL", mapTTL}, {"NilIsNotAbsent", nilIsNotAbsent}, {"MapOrder", mapOrder}, {"BigValues", bigValues}, {"ManyKeys", manyKeys},
		{"TimersWhileFiring", timersWhileFiring}, {"StrangeKeys", strangeKeys}, {"DeleteDuringScan", deleteDuringScan},
		{"KindsTwice", kindsTwice},
		{"OrderedSweep", orderedSweep}, {"OrderedInOrder", orderedInOrder},
		{"ManyTimers", manyTimers}, {"TimersOfOneTime", timersOfOneTime},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open, other) })
	}
}

// backend makes a backend for subtask i of p, with files to restore.
func backend(t testing.TB, open Opener, i, p int, files [][]byte) *state.Backend {
	t.Helper()
	r := keygroup.RangeOf(i, maxParallelism, p)
	b, err := state.NewBackend(state.Config{
		Groups: state.Groups{First: r.First, End: r.Last + 1, Max: maxParallelism}, Store: open(t), CacheBytes: cacheBytes,
	})
	must(t, err)
	var opened []*state.File
	for n, src := range files {
		f, err := state.OpenFile(fmt.Sprintf("file %d", n), bytes.NewReader(src), int64(len(src)))
		must(t, err)
		opened = append(opened, f)
	}
	must(t, b.Restore(opened...))
	return b
}

// one is a backend of the only subtask.
func one(t testing.TB, open Opener, files ...[]byte) *state.Backend {
	b := backend(t, open, 0, 1, files)
	t.Cleanup(func() { must(t, b.Close()) })
	return b
}

// snapshot writes the snapshot file of a backend.
func snapshot(t testing.TB, b *state.Backend) []byte {
	t.Helper()
	s, err := b.Snapshot()
	must(t, err)
	defer s.Release()
	var buf bytes.Buffer
	_, err = s.Write(&buf)
	must(t, err)
	return buf.Bytes()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func describe[K comparable, V any](t testing.TB) state.Descriptor[K, V] {
	t.Helper()
	d, err := state.Describe[K, V]()
	must(t, err)
	return d
}

// subtask is all kinds of state of one subtask, without a time to live.
type subtask struct {
	b       *state.Backend
	table   *state.Table[int64, int64]
	list    *state.List[int64, string]
	mapped  *state.Map[int64, string, int64]
	windows *state.Windowed[int64, int64]
	timers  *state.Timers[int64]
}

// model is the same in Go maps.
type model struct {
	table   map[int64]int64
	list    map[int64][]string
	mapped  map[int64][]pair // in the order of adding
	windows map[[2]int64]int64
	timers  map[[2]int64]bool // time, key
}

type pair struct {
	user string
	v    int64
}

func newModel() *model {
	return &model{map[int64]int64{}, map[int64][]string{}, map[int64][]pair{}, map[[2]int64]int64{}, map[[2]int64]bool{}}
}

func (m *model) clone() *model {
	c := newModel()
	for k, v := range m.table {
		c.table[k] = v
	}
	for k, v := range m.list {
		c.list[k] = append([]string(nil), v...)
	}
	for k, v := range m.mapped {
		c.mapped[k] = append([]pair(nil), v...)
	}
	for k, v := range m.windows {
		c.windows[k] = v
	}
	for k := range m.timers {
		c.timers[k] = true
	}
	return c
}

// fleet is the subtasks of one operator.
type fleet struct {
	subtasks []*subtask
	hash     func(*int64) uint64
}

// newFleet makes p subtasks that restore the files, on the backends in turn.
func newFleet(t testing.TB, p int, files [][]byte, opens ...Opener) *fleet {
	t.Helper()
	f := &fleet{hash: describe[int64, int64](t).KeyHash}
	for i := range p {
		b := backend(t, opens[i%len(opens)], i, p, files)
		s := &subtask{b: b}
		var err error
		s.table, err = state.RegisterTable(b, "op", "table", describe[int64, int64](t))
		must(t, err)
		s.list, err = state.RegisterList[int64, string](b, state.Place{UID: "op", Name: "list"})
		must(t, err)
		s.mapped, err = state.RegisterMap[int64, string, int64](b, state.Place{UID: "op", Name: "map"})
		must(t, err)
		s.windows, err = state.RegisterWindowed(b, "op", "windows", describe[int64, int64](t))
		must(t, err)
		s.timers, err = state.RegisterTimers[int64](b, "op", "timers")
		must(t, err)
		if left := b.CheckRestored(); len(left) > 0 {
			t.Fatalf("states without a home: %v", left)
		}
		f.subtasks = append(f.subtasks, s)
	}
	return f
}

func (f *fleet) close(t testing.TB) {
	for _, s := range f.subtasks {
		must(t, s.b.Close())
	}
}

// of is the subtask of a key, and its hash.
func (f *fleet) of(k int64) (*subtask, uint64) {
	h := f.hash(&k)
	return f.subtasks[keygroup.SubtaskOf(keygroup.Of(h, maxParallelism), maxParallelism, len(f.subtasks))], h
}

// pending is a checkpoint that is being written.
type pending struct {
	snapshots []*state.Snapshot
	files     [][]byte
	errs      []error
	want      *model
	done      chan struct{}
}

func (f *fleet) begin(t testing.TB, m *model) *pending {
	p := &pending{want: m.clone(), done: make(chan struct{}), files: make([][]byte, len(f.subtasks)), errs: make([]error, len(f.subtasks))}
	for _, s := range f.subtasks {
		snap, err := s.b.Snapshot()
		must(t, err)
		p.snapshots = append(p.snapshots, snap)
	}
	go func() {
		defer close(p.done)
		for i, s := range p.snapshots {
			var buf bytes.Buffer
			_, p.errs[i] = s.Write(&buf)
			p.files[i] = buf.Bytes()
		}
	}()
	return p
}

func (p *pending) finish(t testing.TB) {
	<-p.done
	for i, s := range p.snapshots {
		must(t, p.errs[i])
		s.Release()
	}
}

// history runs random operations on a fleet and on a model, with checkpoints that are written meanwhile, and restores of them.
func history(t *testing.T, seed uint64, open, other Opener) {
	rng := rand.New(rand.NewPCG(seed, 7))
	t.Logf("seed %d", seed)
	space := []int64{20, 400, 3000}[seed%3]
	f, m := newFleet(t, 1+rng.IntN(3), nil, open), newModel()
	var p *pending
	for range 250 {
		switch rng.IntN(12) {
		case 0:
			if p == nil {
				p = f.begin(t, m)
			}
		case 1:
			if p == nil {
				continue
			}
			p.finish(t)
			back := newFleet(t, 1+rng.IntN(4), p.files, open, other)
			back.compare(t, p.want)
			if rng.IntN(2) == 0 {
				f, back, m = back, f, p.want // as after a failure
			}
			back.close(t)
			p = nil
		default:
			f.step(t, rng, m, space)
		}
	}
	if p != nil {
		p.finish(t)
	}
	f.compare(t, m)
	f.close(t)
}
