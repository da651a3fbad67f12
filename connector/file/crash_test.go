package file

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/internal/record"
)

var (
	crashSeeds = flag.Int("crash.seeds", 300, "runs of TestCrashes")
	crashSeed  = flag.Uint64("crash.seed", 0, "the only seed to run")
)

// sinkRun plays the engine around a sink: a job whose source counts, with checkpoints that complete, are given up, or are cut off by a
// crash at any operation of the disk.
type sinkRun struct {
	t     testing.TB
	seed  uint64
	rng   *rand.Rand
	disk  *memDisk
	opts  []SinkOption
	power bool
	total int

	sink     *sink[string]
	attempt  int
	subtasks []*sinkSubtask
	next     int // record to be written
	id       int64
	now      int64
	flushing []*sinkCheckpoint
	last     sinkCheckpoint // the newest complete one
	crashes  int
}

type sinkSubtask struct {
	run     *sinkRun
	index   int
	writer  flott.Writer[string]
	pending []*sinkPrepared
}

type sinkPrepared struct {
	id           int64
	committables [][]byte
}

// sinkCheckpoint is a checkpoint: where the source was, the writers' states, and all committables not yet committed.
type sinkCheckpoint struct {
	id           int64
	next         int
	states       [][]byte
	committables [][]byte
	flushes      []flott.Flush
	prepared     []*sinkPrepared
	before       [][]*sinkPrepared
}

func (s *sinkSubtask) Context() context.Context { return context.Background() }
func (s *sinkSubtask) UID() string              { return "out" }
func (s *sinkSubtask) JobID() string            { return "job" }
func (s *sinkSubtask) Attempt() string          { return strconv.Itoa(s.run.attempt) }
func (s *sinkSubtask) Subtask() int             { return s.index }
func (s *sinkSubtask) Parallelism() int         { return len(s.run.subtasks) }
func (s *sinkSubtask) Now() int64               { return s.run.now }
func (s *sinkSubtask) Wake()                    {}

// protect runs f and reports whether it crashed.
func (r *sinkRun) protect(f func()) (dead bool) {
	defer func() {
		if x := recover(); x != nil {
			if _, ok := x.(crashed); !ok {
				panic(x)
			}
			dead = true
			r.crashes++
			r.disk.crash(r.power && r.rng.IntN(2) == 0)
		}
	}()
	f()
	return false
}

func (r *sinkRun) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatalf("seed %d: %v", r.seed, err)
	}
}

// start begins an attempt from the newest complete checkpoint.
func (r *sinkRun) start() {
	r.attempt++
	r.flushing = nil
	r.sink = Sink("/out", lineFormat{}, r.opts...).(*sink[string])
	r.sink.disk = r.disk
	r.sink.spawn = func(f func()) { f() }
	r.next = r.last.next
	r.must(r.sink.Recover(context.Background(), flott.Recovery{
		UID: "out", JobID: "job", Attempt: strconv.Itoa(r.attempt), Restored: r.last.id > 0, States: r.last.states, Committables: r.last.committables,
	}))
	parallel := 1 + r.rng.IntN(3)
	r.subtasks = make([]*sinkSubtask, parallel)
	for i := range r.subtasks {
		s := &sinkSubtask{run: r, index: i}
		r.subtasks[i] = s
		var restored [][]byte
		for n := i; n < len(r.last.states); n += parallel {
			restored = append(restored, r.last.states[n])
		}
		w, err := r.sink.NewWriter(s, restored)
		r.must(err)
		s.writer = w
	}
}

func (r *sinkRun) write() {
	b := record.NewRows[string]()
	for range min(1+r.rng.IntN(20), r.total-r.next) {
		b.Rows = append(b.Rows, fmt.Sprintf("%05d", r.next))
		r.next++
	}
	r.must(r.subtasks[r.rng.IntN(len(r.subtasks))].writer.Write(b))
	b.Release()
}

func (r *sinkRun) prepare(last bool) {
	r.id++
	c := &sinkCheckpoint{id: r.id, next: r.next}
	p := flott.Preparation{Checkpoint: c.id, Last: last, Savepoint: !last && r.rng.IntN(10) == 0}
	for _, s := range r.subtasks {
		flush, err := s.writer.Prepare(p)
		r.must(err)
		mine := &sinkPrepared{id: c.id}
		s.pending = append(s.pending, mine)
		c.flushes = append(c.flushes, flush)
		c.prepared = append(c.prepared, mine)
		c.before = append(c.before, slices.Clone(s.pending))
	}
	r.flushing = append(r.flushing, c)
}

// finish runs the flushes of the oldest checkpoint and completes it, or gives it up; then perhaps commits.
func (r *sinkRun) finish(sure bool) {
	c := r.flushing[0]
	r.flushing = r.flushing[1:]
	for i, flush := range c.flushes {
		p, err := flush(context.Background())
		r.must(err)
		c.prepared[i].committables = p.Committables
		if p.State != nil {
			c.states = append(c.states, p.State)
		}
		for _, b := range c.before[i] {
			c.committables = append(c.committables, b.committables...)
		}
	}
	if !sure && r.rng.IntN(4) == 0 {
		return // given up: what was prepared is part of the next one
	}
	r.last = *c
	if !sure && r.rng.IntN(4) == 0 {
		return // the notification is lost
	}
	for _, s := range r.subtasks {
		var list [][]byte
		for len(s.pending) > 0 && s.pending[0].id <= c.id {
			list = append(list, s.pending[0].committables...)
			s.pending = s.pending[1:]
		}
		r.must(r.sink.Commit(context.Background(), list))
		if r.rng.IntN(4) == 0 {
			r.must(r.sink.Commit(context.Background(), list))
		}
	}
}

func (r *sinkRun) stop() {
	for _, s := range r.subtasks {
		r.must(s.writer.Close())
	}
	if r.disk.opens != 0 {
		r.t.Fatalf("seed %d: %d files are open after Close", r.seed, r.disk.opens)
	}
}

// check compares what is visible with what the newest complete checkpoint contains.
func (r *sinkRun) check(done bool) {
	seen := map[string]string{}
	hidden := 0
	for name, f := range r.disk.files {
		if strings.HasPrefix(filepath.Base(name), ".") {
			hidden++
			continue
		}
		for line := range strings.Lines(string(f.data)) {
			line = strings.TrimSuffix(line, "\n")
			if other, twice := seen[line]; twice {
				r.t.Fatalf("seed %d: doubled: record %s is in %s and %s", r.seed, line, name, other)
			}
			seen[line] = name
			if n, err := strconv.Atoi(line); err != nil || len(line) != 5 || n >= r.last.next {
				r.t.Fatalf("seed %d: record %q in %s is visible, the newest checkpoint ends at %d", r.seed, line, name, r.last.next)
			}
		}
	}
	if done && (len(seen) != r.total || hidden > 0) {
		r.t.Fatalf("seed %d: lost=%d leftovers=%d", r.seed, r.total-len(seen), hidden)
	}
}

func (r *sinkRun) step() {
	r.now += int64(r.rng.IntN(50))
	switch n := r.rng.IntN(20); {
	case n < 10 && r.next < r.total:
		r.write()
	case n < 13 && len(r.flushing) < 2:
		r.prepare(false)
	case n < 17 && len(r.flushing) > 0:
		r.finish(false)
	case n == 17:
		for _, s := range r.subtasks {
			r.must(s.writer.(flott.Ticker).Tick(r.now))
		}
	case n == 18 && r.rng.IntN(4) == 0:
		r.stop() // a failure elsewhere
		r.start()
	}
}

func (r *sinkRun) run() {
	alive := false
	for end := false; !end; {
		if !alive {
			r.disk.crashIn = r.rng.IntN(120)
			if r.crashes > 12 {
				r.disk.crashIn = -1
			}
			alive = !r.protect(r.start)
			continue
		}
		alive = !r.protect(func() {
			if r.next < r.total || r.rng.IntN(10) > 0 {
				r.step()
				return
			}
			for len(r.flushing) > 0 {
				r.finish(false)
			}
			r.prepare(true)
			r.finish(true)
			r.stop()
			end = true
		})
		r.check(false)
	}
	r.check(true)
}

func newSinkRun(t testing.TB, seed uint64) *sinkRun {
	rng := rand.New(rand.NewPCG(seed, 1))
	r := &sinkRun{t: t, seed: seed, rng: rng, disk: newMemDisk(rng), power: rng.IntN(2) == 0, total: 400, now: 1}
	r.opts = append(r.opts, RollOnCheckpoint(rng.IntN(3) == 0))
	if rng.IntN(2) == 0 {
		r.opts = append(r.opts, RollSize(int64(20+rng.IntN(300))))
	}
	if rng.IntN(2) == 0 {
		r.opts = append(r.opts, RollInterval(time.Duration(1+rng.IntN(300))*time.Millisecond), RollInactivity(100*time.Millisecond))
	}
	if n := rng.IntN(4); n > 0 {
		r.opts = append(r.opts, Bucket(func(v *string) string { return "b" + strconv.Itoa(int((*v)[4])%n) + "/x" }))
	}
	return r
}

// TestCrashes kills the process, and cuts the power, at random operations of the disk, again and again: nothing is lost, doubled, left
// over, or visible too early.
func TestCrashes(t *testing.T) {
	if *crashSeed != 0 {
		newSinkRun(t, *crashSeed).run()
		return
	}
	crashes := 0
	for seed := uint64(1); seed <= uint64(*crashSeeds); seed++ {
		r := newSinkRun(t, seed)
		r.run()
		crashes += r.crashes
	}
	t.Logf("seeds=%d crashes=%d lost=0 doubled=0 leftovers=0", *crashSeeds, crashes)
}
