package journeys

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/connector/file"
	"github.com/flottio/flott/flotttest"
	"github.com/flottio/flott/format/json"
	"github.com/flottio/flott/internal/jobmanager"
)

var (
	damageBits = flag.Int("damage.bits", 1, "how many bits of each byte TestEveryDamage flips, one by one: 1 to 8")
	damageAll  = flag.Bool("damage.all", false, "flip every byte of every snapshot in TestEveryDamage: some minutes")
	damageSeed = flag.Uint64("damage.seed", 1, "what chance starts from in TestEveryDamage")
)

// TestEveryDamage takes a job with everything that a snapshot can hold, in files: offsets of a source, keyed state, timers, open windows, state of a
// sink's writer, files that a sink has not committed. Its newest retained checkpoint and its savepoint are damaged in every way, a byte, a
// cut, a file at a time; each restore from them must be refused, with the file, what was expected and found, and what else could be gone on from.
//
// Every damage is shown to the function that a restore begins with, by the job that would be restored; one in sampleEvery to Job.Run of a new job and
// to state fsck as well.
func TestEveryDamage(t *testing.T) {
	var sum tally
	t.Run("backends", func(t *testing.T) {
		for _, backend := range []string{"hashmap", "rocksdb"} {
			t.Run(backend, func(t *testing.T) {
				t.Parallel()
				w := newDamaged(t, backend)
				newest := w.chk[len(w.chk)-1]
				for _, s := range []struct {
					what, dir, from, older string
					every                  int
				}{
					{"checkpoint", newest, newest, w.chk[len(w.chk)-2], everyByteOf[backend == "hashmap"]},
					{"latest", newest, "latest", w.chk[len(w.chk)-2], fewBytes},
					{"savepoint", w.savepoint, w.savepoint, newest, everyByteOf[backend == "rocksdb"]},
				} {
					t.Run(s.what, func(t *testing.T) {
						d := &damager{t: t, world: w, dir: s.dir, from: s.from, older: s.older, every: s.every, bits: *damageBits,
							rng: rand.New(rand.NewPCG(*damageSeed, uint64(len(s.what))))}
						if *damageAll {
							d.every = 1
						}
						d.planner = w.prepare(t, s.from)
						defer func() { sum.add(d.sum) }()
						d.all()
					})
				}
			})
		}
	})
	fmt.Printf("damage: files=%d flips=%d cuts=%d removals=%d others=%d whole-jobs=%d missed=%d\n",
		sum.files, sum.flips, sum.cuts, sum.removals, sum.others, sum.jobs, sum.missed)
	if sum.missed > 0 || sum.flips < 10_000 || sum.cuts < 100 || sum.jobs < 20 {
		t.Errorf("missed some, or tried too little")
	}
}

// Both backends write the same format, and all ways to it go through the same verification: every byte of one checkpoint and one savepoint is
// flipped, and of the others one byte in fewBytes, unless -damage.all is given.
const fewBytes = 50

var everyByteOf = map[bool]int{true: 1, false: fewBytes}

// sampleEvery is how many damages there are for one that a whole job and state fsck are shown.
const sampleEvery = 200

type tally struct {
	sync.Mutex
	found
}

type found struct{ files, flips, cuts, removals, others, jobs, missed int }

func (s *tally) add(f found) {
	s.Lock()
	defer s.Unlock()
	s.files += f.files
	s.flips += f.flips
	s.cuts += f.cuts
	s.removals += f.removals
	s.others += f.others
	s.jobs += f.jobs
	s.missed += f.missed
}

// damaged is a job that was cancelled in the middle, with what it left.
type damaged struct {
	backend   string
	dir       string
	chk       []string // retained, ascending
	savepoint string
	whole     map[string]string // all files of dir, before any damage
}

const (
	damageKeys   = 3
	damageEach   = 1 << 40 // it is cancelled before
	damageRetain = 3
)

func (w *damaged) build(env *flott.Env) {
	s := flott.From(env, "source", counter{splits: damageKeys, each: damageEach},
		flott.Watermarks(func(n number) time.Time { return time.Unix(n.Key, 0) }))
	counts := flott.KeyedProcess(flott.KeyBy(s, keyOf), "count", func(k *flott.KeyedContext[int64, number]) func(number) error {
		mine := flott.NewValue[int64](k, "my-state")
		k.OnEventTimer(func(time.Time) error { return nil })
		return func(n number) error {
			mine.Set(mine.Get() + 1)
			k.SetEventTimer(time.Unix(3600+mine.Get()%10, 0))
			if mine.Get()%101 == 0 { // few, so that the results stay small
				k.Emit(number{n.Key, mine.Get()})
			}
			return nil
		}
	})
	counts.To("buffer", newBuffering())
	counts.To("files", file.Sink(filepath.Join(w.dir, "out"), json.Of[number]()))
	flott.Aggregate(flott.KeyBy(s, keyOf).Window(flott.Tumbling(time.Minute)), "windows", flott.Count[number]()).
		To("ledger", flotttest.NewLedger[flott.Result[int64, int64]]())
}

func (w *damaged) prepare(t *testing.T, from string) *flott.Job {
	t.Helper()
	job, err := flott.Prepare("damaged", w.build, settings("state.backend.type="+w.backend, "parallelism.default=2",
		"execution.checkpointing.interval=10 ms", "execution.checkpointing.dir="+filepath.Join(w.dir, "checkpoints"),
		fmt.Sprintf("execution.checkpointing.num-retained=%d", damageRetain),
		"execution.checkpointing.externalized-checkpoint-retention=RETAIN_ON_CANCELLATION",
		"execution.checkpointing.savepoint-dir="+filepath.Join(w.dir, "savepoints"),
		"execution.state-recovery.path="+from, "restart-strategy.type=none"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return job
}

// newDamaged runs the job until it has committed some results, takes a savepoint, and cancels it after the next checkpoint.
func newDamaged(t *testing.T, backend string) *damaged {
	t.Helper()
	w := &damaged{backend: backend, dir: t.TempDir()}
	job := w.prepare(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { _, err := job.Run(ctx); ended <- err }()
	until := func(what string, there func() bool) {
		t.Helper()
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for deadline := time.Now().Add(time.Minute); !there(); {
			select {
			case err := <-ended:
				t.Fatalf("the job has ended: %v", err)
			case <-tick.C:
			}
			if time.Now().After(deadline) {
				t.Fatalf("waited for %s in vain", what)
			}
		}
	}
	until("results", func() bool {
		parts, err := filepath.Glob(filepath.Join(w.dir, "out", "part-*"))
		return err == nil && len(parts) > 2*damageRetain
	})
	var err error
	if w.savepoint, err = job.Savepoint(ctx, ""); err != nil {
		t.Fatal(err)
	}
	before := job.Status().Stats.Completed
	until("checkpoints behind the savepoint", func() bool { return job.Status().Stats.Completed >= before+2 })
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	w.chk, err = filepath.Glob(filepath.Join(w.dir, "checkpoints", "*", "chk-*"))
	if err != nil || len(w.chk) < damageRetain { // one more is there until the oldest is removed
		t.Fatalf("retained: %v, %v", w.chk, err)
	}
	slices.SortFunc(w.chk, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
	w.whole = contents(t, w.dir)
	w.holdsEverything(t)
	return w
}

// holdsEverything reads the checkpoint back: a snapshot of nothing would prove nothing.
func (w *damaged) holdsEverything(t *testing.T) {
	t.Helper()
	r, err := jobmanager.Fsck(w.chk[len(w.chk)-1])
	if err != nil || !r.Whole() {
		t.Fatal(err, r.Err())
	}
	has := ""
	for _, op := range r.Manifest.Operators {
		if op.Enumerator != nil {
			has += fmt.Sprintf("%s enumerator; ", op.UID)
		}
		for _, s := range op.States {
			has += fmt.Sprintf("%s %s %v; ", op.UID, s.Name, s.Kind)
		}
		for _, s := range op.Subtasks {
			for _, l := range s.Lists {
				if l.Len() > 0 {
					has += fmt.Sprintf("%s %s with elements; ", op.UID, l.Name)
				}
			}
		}
	}
	says(t, has, "source enumerator", "source @splits with elements", "count my-state value", "count @event-timers timers", "windows @windows window",
		"buffer @writer with elements", "files @committables with elements")
}

// contents reads every file below a directory but locks.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == ".lock" {
			return err
		}
		data, err := os.ReadFile(path)
		all[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// damager damages one snapshot and shows it to a restore.
type damager struct {
	t       *testing.T
	world   *damaged
	sum     found
	dir     string // the snapshot
	from    string // -s
	older   string // what a refusal has to name
	planner *flott.Job
	rng     *rand.Rand
	every   int // one byte in so many is flipped
	bits    int // of it
	tried   int
}

// all tries everything on all files.
func (d *damager) all() {
	d.accepted("before")
	names := slices.Sorted(maps.Keys(d.world.whole))
	names = slices.DeleteFunc(names, func(n string) bool { return filepath.Dir(n) != d.dir })
	for i, name := range names {
		d.sum.files++
		whole := []byte(d.world.whole[name])
		d.flips(name, whole)
		d.cuts(name, whole)
		d.replaced(name, whole, names[(i+1)%len(names)])
	}
	d.directories()
	d.accepted("after")
	if now := contents(d.t, d.world.dir); !maps.Equal(now, d.world.whole) {
		d.t.Errorf("the refused restores have changed something: %v", differing(now, d.world.whole))
	}
}

func (d *damager) flips(name string, whole []byte) {
	d.open(name, func(f *os.File) {
		for i := d.rng.IntN(d.every); i < len(whole); i += d.every {
			for bit := range d.bits {
				if d.bits == 1 {
					bit = d.rng.IntN(8)
				}
				d.write(f, i, whole[i]^1<<bit)
				d.sum.flips++
				d.refused(fmt.Sprintf("bit %d of byte %d", bit, i), name)
			}
			d.write(f, i, whole[i])
		}
	})
}

func (d *damager) open(name string, do func(*os.File)) {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		d.t.Fatal(err)
	}
	do(f)
	d.must(f.Close())
}

func (d *damager) write(f *os.File, at int, b byte) {
	_, err := f.WriteAt([]byte{b}, int64(at))
	d.must(err)
}

func (d *damager) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// cuts leaves each length of the first and the last 64 bytes, of the powers of two and their neighbours, and a drawn one between two of them.
func (d *damager) cuts(name string, whole []byte) {
	lengths := map[int]bool{}
	add := func(n int) {
		if n >= 0 && n < len(whole) {
			lengths[n] = true
		}
	}
	for i := 0; i < 64; i += min(d.every, 8) {
		add(i)
		add(len(whole) - 1 - i)
	}
	for p := 64; p < len(whole); p *= 2 {
		for n := p - 1; n <= p+1; n++ {
			add(n)
		}
		add(p + d.rng.IntN(p))
	}
	for _, n := range slices.Backward(slices.Sorted(maps.Keys(lengths))) {
		d.must(os.Truncate(name, int64(n)))
		d.sum.cuts++
		d.refused(fmt.Sprintf("cut to %d of %d bytes", n, len(whole)), name)
	}
	for _, more := range [][]byte{{0}, []byte("x"), bytes.Repeat([]byte{0}, 4096), whole} {
		d.must(os.WriteFile(name, slices.Concat(whole, more), 0o600))
		d.other(fmt.Sprintf("%d bytes more", len(more)), name)
	}
	d.must(os.WriteFile(name, whole, 0o600))
}

func (d *damager) other(what, name string) {
	d.sum.others++
	d.refused(what, name)
}

// replaced puts other things in the place of a file.
func (d *damager) replaced(name string, whole []byte, neighbour string) {
	aside := filepath.Join(d.world.dir, "aside")
	d.must(os.Rename(name, aside))
	d.sum.removals++
	d.refused("removed", name)
	d.must(os.Mkdir(name, 0o755))
	d.other("a directory in its place", name)
	d.must(os.Remove(name))
	d.must(os.Symlink(filepath.Join(d.dir, "nowhere"), name))
	d.other("a symbolic link to nothing", name)
	d.must(os.Remove(name))
	d.must(os.Symlink(d.older, name))
	d.other("a symbolic link to a directory", name)
	d.must(os.Remove(name))
	d.must(os.Symlink(aside, name))
	d.accepted("a symbolic link to the very file")
	d.must(os.Remove(name))
	if neighbour != name {
		d.must(os.Symlink(neighbour, name))
		d.other("a symbolic link to the neighbour", name)
		d.must(os.Remove(name))
		d.must(os.Rename(neighbour, name))
		d.must(os.Rename(aside, neighbour))
		d.other("swapped with its neighbour", manifestOr(name, neighbour))
		d.must(os.Rename(neighbour, aside))
		d.must(os.Rename(name, neighbour))
	}
	if stale := d.stale(name); stale != nil {
		d.must(os.WriteFile(name, stale, 0o600))
		d.other("that of another checkpoint", name)
		d.must(os.Remove(name))
	}
	d.must(os.Rename(aside, name))
}

// manifestOr is which of two files that are not what they should be is found first.
func manifestOr(name, other string) string {
	if filepath.Base(other) == "_metadata" {
		return other
	}
	return name
}

// stale is the same file of the checkpoint that is to be named, nil for the manifest, which would be whole: a moved checkpoint is one.
func (d *damager) stale(name string) []byte {
	base := filepath.Base(name)
	if base == "_metadata" {
		return nil
	}
	base = base[:strings.LastIndexByte(base, '-')+1]
	for other, text := range d.world.whole {
		if filepath.Dir(other) == d.older && strings.HasPrefix(filepath.Base(other), base) {
			return []byte(text)
		}
	}
	d.t.Fatalf("%s has nothing like %s*", d.older, base)
	return nil
}

// directories damages the snapshot's directory as a whole.
func (d *damager) directories() {
	aside := filepath.Join(d.world.dir, "aside")
	manifest := filepath.Join(d.dir, "_metadata")
	d.must(os.Rename(d.dir, aside))
	d.must(os.Mkdir(d.dir, 0o755))
	d.other("an empty directory", manifest)
	d.must(os.Remove(d.dir))
	d.must(os.WriteFile(d.dir, nil, 0o600))
	d.other("a file in the place of the directory", d.dir)
	d.must(os.Remove(d.dir))
	d.other("no directory", d.dir)
	d.must(os.Symlink(aside, d.dir))
	d.accepted("a symbolic link to the very directory")
	d.must(os.Remove(d.dir))
	if d.from == "latest" {
		d.must(os.CopyFS(d.dir, os.DirFS(d.older)))
		d.other("a copy of another checkpoint in its place", d.dir)
		d.must(os.RemoveAll(d.dir))
	}
	d.must(os.Rename(aside, d.dir))
}

func (d *damager) accepted(what string) {
	d.t.Helper()
	text, err := d.planner.RestorePlan(d.t.Context())
	if err != nil || !strings.Contains(text, "restored  count") {
		d.t.Errorf("%s: the restore should do: %v\n%s", what, err, text)
	}
}

// refused shows the damaged snapshot to a restore.
func (d *damager) refused(what, name string) {
	_, err := d.planner.RestorePlan(d.t.Context())
	d.judge("restore plan", what, name, err)
	if d.tried++; d.tried%sampleEvery != 1 {
		return
	}
	d.sum.jobs++
	before := contents(d.t, filepath.Join(d.world.dir, "out"))
	_, err = d.world.prepare(d.t, d.from).Run(d.t.Context())
	d.judge("job", what, name, err)
	var refused *flott.RestoreError
	if err != nil && !errors.As(err, &refused) {
		d.t.Errorf("%s of %s: not an error of the restore: %v", what, name, err)
	}
	if !maps.Equal(before, contents(d.t, filepath.Join(d.world.dir, "out"))) {
		d.t.Errorf("%s of %s: the refused job has written results", what, name)
	}
	r, err := jobmanager.Fsck(d.dir)
	if err = errors.Join(err, r.Err()); err == nil || !strings.Contains(err.Error(), name) {
		d.sum.missed++
		d.t.Errorf("%s of %s: state fsck: %v", what, name, err)
	}
}

func (d *damager) judge(by, what, name string, err error) {
	if err == nil {
		d.sum.missed++
		d.t.Errorf("%s of %s: restored from by %s", what, name, by)
		return
	}
	for _, want := range []string{name, "expected", "found", "-s " + d.older} {
		if !strings.Contains(err.Error(), want) {
			d.t.Errorf("%s of %s: %q is missing in the refusal by %s: %v", what, name, want, by, err)
			if d.sum.missed++; d.sum.missed > 20 {
				d.t.FailNow()
			}
		}
	}
}

func differing(a, b map[string]string) (names []string) {
	for n := range a {
		if a[n] != b[n] {
			names = append(names, n)
		}
	}
	for n := range b {
		if _, there := a[n]; !there {
			names = append(names, n)
		}
	}
	return names
}
