package flotttest

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/flottio/flott"
	"github.com/flottio/flott/codec"
)

// Equivalence says how the outputs of two runs are compared.
type Equivalence[Out any] struct {
	// Order returns the group of a record within which the order counts, such as its key; nil: only the records count, each as often as it
	// comes.
	Order func(Out) string
	// Seeds is the number of orders in which each variation is run; 0 means 3. With rocksdb it is always one.
	Seeds int
}

// Variation is a way to run a job that must not change its output.
type Variation struct {
	Name string
	// Options of the run; Batch bounds the batches of the source in records.
	Options
	Batch int
	// Failures makes the source and then the sink panic, once each.
	Failures bool
}

// Outcome is what became of a variation; Err is nil if its output was that of the job run whole.
type Outcome struct {
	Variation string
	Err       error
}

// maxRocksDBCrashes bounds the restores with rocksdb.
const maxRocksDBCrashes = 3

// Variations are those that Equivalent runs. dir is for the files of rocksdb.
func Variations(dir string) []Variation {
	restores := Options{Parallelism: 2, CheckpointEvery: 20, Crashes: 30, CrashAtBarrier: true, SlowSources: 4}
	rescale, backend, other := restores, restores, restores
	serialised := Options{Parallelism: 2, OtherParallelism: 3, NoChaining: true, SerialiseEdges: true, CheckpointEvery: 30, Crashes: 3, CrashEvery: 150,
		SlowSources: 2}
	rescale.OtherParallelism = 3
	backend.Backend, backend.LocalDir, backend.Crashes = "rocksdb", dir, maxRocksDBCrashes
	other.OtherBackend, other.LocalDir, other.Crashes = "rocksdb", dir, maxRocksDBCrashes
	return []Variation{
		{Name: "parallelism 2", Options: Options{Parallelism: 2}},
		{Name: "parallelism 3", Options: Options{Parallelism: 3}},
		{Name: "parallelism 4", Options: Options{Parallelism: 4, QueueElements: 1}},
		{Name: "batch 1", Options: Options{Parallelism: 2}, Batch: 1},
		{Name: "batch 7", Options: Options{Parallelism: 2}, Batch: 7},
		{Name: "batch 1024", Options: Options{Parallelism: 2}, Batch: 1024},
		{Name: "no chains", Options: Options{Parallelism: 2, NoChaining: true}},
		{Name: "restore at every barrier", Options: restores, Batch: 3},
		{Name: "restore, rescaled", Options: rescale, Batch: 3},
		{Name: "rocksdb", Options: backend, Batch: 3},
		{Name: "restore, other backend", Options: other, Batch: 3},
		{Name: "random crashes", Options: Options{Parallelism: 2, CheckpointEvery: 30, Crashes: 5, CrashEvery: 150, SlowSources: 2}, Batch: 2},
		{Name: "panics", Options: Options{Parallelism: 2, CheckpointEvery: 30, Restarts: 2, SlowSources: 4}, Batch: 2, Failures: true},
		{Name: "edges serialised", Options: serialised, Batch: 7},
	}
}

// Equivalent runs the job that build draws whole, and then with a restore at every barrier, at other parallelism, with other batches, without
// chains, on the other backend, with crashes and panics, and fails the test for each way in which the output is another one.
//
// The output must not depend on chance: records that the job combines in an order that matters must come from one split, and none may be
// late, or late only behind a pause.
func Equivalent[In, Out any](t testing.TB, build func(env *flott.Env, in flott.Source[In], out flott.Sink[Out]), input Script[In],
	e Equivalence[Out]) {
	t.Helper()
	for _, o := range Compare(t, build, input, e) {
		if o.Err != nil {
			t.Errorf("%s: %v", o.Variation, o.Err)
		}
	}
}

// Compare is Equivalent that returns the outcomes.
func Compare[In, Out any](t testing.TB, build func(env *flott.Env, in flott.Source[In], out flott.Sink[Out]), input Script[In],
	e Equivalence[Out]) []Outcome {
	t.Helper()
	c := &comparison[In, Out]{build: build, input: input, rules: e}
	want, err := c.run(Variation{}, 0)
	if err != nil {
		t.Fatalf("running the job whole: %v", err)
	}
	if len(want) == 0 {
		t.Fatalf("the job run whole has no output: there is nothing to compare")
	}
	var outcomes []Outcome
	for _, v := range Variations(t.TempDir()) {
		o := Outcome{Variation: v.Name}
		for seed := uint64(1); seed <= v.seeds(e.Seeds) && o.Err == nil; seed++ {
			got, err := c.run(v, seed)
			if err == nil {
				err = c.differ(want, got)
			}
			if err != nil {
				o.Err = fmt.Errorf("seed %d: %w", seed, err)
			}
		}
		outcomes = append(outcomes, o)
	}
	return outcomes
}

// seeds is how many orders the variation is run in. Opening a store is slow beside everything else here: one has to do.
func (v Variation) seeds(wanted int) uint64 {
	switch {
	case v.Backend == "rocksdb" || v.OtherBackend == "rocksdb":
		return 1
	case wanted == 0:
		return 3
	}
	return uint64(wanted)
}

// comparison runs one job in many ways.
type comparison[In, Out any] struct {
	build func(env *flott.Env, in flott.Source[In], out flott.Sink[Out])
	input Script[In]
	rules Equivalence[Out]
}

func (c *comparison[In, Out]) run(v Variation, seed uint64) ([]Out, error) {
	in, ledger := c.input, NewLedger[Out]()
	in.OneAtATime, in.Seed, in.MaxBatch = false, seed, v.Batch
	in.fullBatches = v.Batch > 0
	if v.Failures {
		total := 0
		for _, s := range in.Splits {
			total += len(s)
		}
		in.panics = &panics{left: total / 2}
		ledger.panics = &panics{left: 2}
	}
	v.Seed = seed
	r, err := Simulate(v.Options, func(env *flott.Env) { c.build(env, in, ledger) })
	switch {
	case err != nil:
	case v.Crashes > 0 && r.Crashes == 0, v.Failures && r.Failures != 2:
		err = fmt.Errorf("the run had %d crashes and %d failures: the input is too short for this variation", r.Crashes, r.Failures)
	case v.SerialiseEdges && r.Serialised == 0:
		err = fmt.Errorf("BUG: no element went through bytes")
	}
	return ledger.Records(), err
}

// panics is a failure of user code that happens once.
type panics struct{ left int }

// count panics when n more make it full.
func (p *panics) count(n int) {
	if p == nil || p.left < 0 {
		return
	}
	if p.left -= n; p.left < 0 {
		panic("injected")
	}
}

// differ says how got differs from want.
func (c *comparison[In, Out]) differ(want, got []Out) error {
	w, g := c.groups(want), c.groups(got)
	names := make([]string, 0, len(w))
	for name := range w {
		names = append(names, name)
	}
	for name := range g {
		if w[name] == nil {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		if slices.Equal(w[name], g[name]) {
			continue
		}
		i := 0
		for i < min(len(w[name]), len(g[name])) && w[name][i] == g[name][i] {
			i++
		}
		return fmt.Errorf("%s: %d records, not %d; from number %d on it is\n%s\nand not\n%s", strings.TrimSpace("output "+name), len(g[name]), len(w[name]),
			i, excerpt(g[name], i), excerpt(w[name], i))
	}
	return nil
}

// groups turns the records into text, by group; without an order they are one sorted group.
func (c *comparison[In, Out]) groups(records []Out) map[string][]string {
	encoder, err := codec.For[Out]()
	if err != nil {
		panic(err) // the ledger has one already
	}
	groups := map[string][]string{}
	for i := range records {
		name := ""
		if c.rules.Order != nil {
			name = c.rules.Order(records[i])
		}
		text := fmt.Sprintf("%+v", records[i])
		if b := encoder.Append(nil, &records[i]); strings.Contains(text, "0x") { // pointers: only the encoding says what they lead to
			text = fmt.Sprintf("%x", b)
		}
		groups[name] = append(groups[name], text)
	}
	if c.rules.Order == nil {
		sort.Strings(groups[""])
	}
	return groups
}

func excerpt(lines []string, from int) string {
	lines = lines[min(from, len(lines)):]
	lines = lines[:min(len(lines), 5)]
	return "    " + strings.Join(lines, "\n    ")
}
