package jobmanager

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flottio/flott/internal/checkpoint"
)

// A random world around the machine: answers come late and in any order, tasks fail, disks fail, users interfere, and then all heals.
// Whatever the order, the rules of Job hold and the job ends.
func TestJobRandomWalk(t *testing.T) {
	seeds := uint64(2000)
	if testing.Short() {
		seeds = 200
	}
	ends := map[checkpoint.Terminal]int{}
	restarts, unknowns := 0, 0
	for seed := range seeds {
		w := newWorld(t, seed)
		w.run()
		ends[w.ended.Terminal]++
		restarts += w.job.Attempts() - 1
		unknowns += w.unknowns
		if t.Failed() {
			t.Fatalf("seed %d:\n%s", seed, w.trace.String())
		}
	}
	t.Logf("%d seeds: ends %v, restarts %d, unknown manifests %d", seeds, ends, restarts, unknowns)
	if len(ends) < 4 || restarts == 0 || unknowns == 0 {
		t.Error("the walk does not reach everything")
	}
}

type world struct {
	t        *testing.T
	seed     uint64
	rng      *rand.Rand
	job      *Job
	now      time.Duration
	interval bool
	healed   bool
	trace    strings.Builder

	answers  []Event // that will be delivered, in any order
	alive    string
	running  bool
	lastID   checkpoint.ID
	disk     map[checkpoint.ID]bool // complete on disk; true: effective, to go on from
	options  map[checkpoint.ID]checkpoint.Options
	written  map[checkpoint.ID]bool // known to the machine as complete
	hidden   map[checkpoint.ID]bool // outcome unknown to the machine
	replies  map[checkpoint.RequestID]int
	drained  bool // of the attempt
	told     checkpoint.ID
	final    checkpoint.ID // ids from here on began after the drain
	ended    *Ended
	unknowns int
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 11)), disk: map[checkpoint.ID]bool{},
		options: map[checkpoint.ID]checkpoint.Options{},
		written: map[checkpoint.ID]bool{}, hidden: map[checkpoint.ID]bool{}, replies: map[checkpoint.RequestID]int{}}
	w.interval = w.rng.IntN(5) > 0
	c, r := checkpoint.DefaultConfig(), DefaultRestartConfig()
	c.Timeout = time.Minute
	if w.interval {
		c.Interval = 10 * time.Second
	}
	c.TolerableFailures = w.rng.IntN(3)
	c.NumRetained = 1 + w.rng.IntN(2)
	c.MaxConcurrent = 1 + w.rng.IntN(2)
	c.Externalized = checkpoint.Externalized(w.rng.IntN(3))
	if !w.interval || w.rng.IntN(4) == 0 {
		r.Type, r.FixedAttempts = RestartFixed, w.rng.IntN(20)
	}
	w.job = NewJob(JobSpec{Run: "r", Vertices: testVertices, Checkpoints: c, Restart: r, Rand: w.rng})
	return w
}

func (w *world) fail(format string, args ...any) { w.t.Errorf(format, args...) }

func (w *world) run() {
	w.step(Start{})
	for i := 0; w.ended == nil; i++ {
		w.healed = w.healed || i > 300 || w.rng.IntN(200) == 0
		if i > 3000 {
			w.fail("seed %d: the job does not end, it is %v", w.seed, w.job.Status())
			return
		}
		w.move()
	}
	for id, n := range w.replies {
		if n != 1 {
			w.fail("request %d got %d replies", id, n)
		}
	}
}

func (w *world) step(e Event) {
	fmt.Fprintf(&w.trace, "%v %T%+v\n", w.now, e, e)
	if w.ended != nil {
		w.fail("event after the end")
	}
	for _, a := range w.job.Step(w.now, e) {
		fmt.Fprintln(&w.trace, "   ", show(a))
		if w.ended != nil {
			w.fail("%s after Ended", show(a))
		}
		w.carry(a)
	}
}

// move lets one thing happen.
func (w *world) move() {
	n := w.rng.IntN(100)
	switch {
	case len(w.answers) > 0 && n < 70:
		i := w.rng.IntN(len(w.answers))
		e := w.answers[i]
		w.answers = slices.Delete(w.answers, i, i+1)
		w.deliver(e)
	case n < 85 || w.healed:
		at, ok := w.job.NextTimer()
		if ok {
			w.now = max(w.now, at)
			w.step(TimerFired{})
		}
		if w.healed && w.running && !w.drained {
			w.drain()
		}
	default:
		w.interfere(n)
	}
}

func (w *world) interfere(n int) {
	switch {
	case n < 90 && w.running:
		w.step(TaskFailed{w.alive, Failure{Class(w.rng.IntN(2)), errors.New("x")}})
	case n < 92 && w.running && !w.drained:
		w.drain()
	case n < 96:
		id := checkpoint.RequestID(len(w.replies) + 1)
		o := checkpoint.Options{Kind: checkpoint.Kind(w.rng.IntN(2))}
		if o.Kind == checkpoint.Savepoint && w.rng.IntN(4) == 0 {
			o.Stop = checkpoint.Stop(1 + w.rng.IntN(2))
		}
		w.replies[id] = 0
		w.step(Request{ID: id, Options: o})
	case n == 96 && w.rng.IntN(5) == 0:
		w.step(Cancel{Suspend: w.rng.IntN(2) == 0})
	case n == 97:
		w.step(Acked{Attempt: "r-0", ID: w.lastID})
	default:
		w.now += time.Duration(w.rng.IntN(5)) * time.Second
		w.step(TimerFired{})
	}
}

func (w *world) drain() {
	w.drained, w.final = true, w.lastID+1
	for _, k := range allTasks() {
		w.answers = append(w.answers, TaskDrained{w.alive, k})
	}
}

func (w *world) broken(oneIn int) error {
	if !w.healed && w.rng.IntN(oneIn) == 0 {
		return errors.New("broken")
	}
	return nil
}

// deliver delivers an answer; what decides about the disk is decided now.
func (w *world) deliver(e Event) {
	switch x := e.(type) {
	case ManifestWritten:
		x.Err = w.broken(6)
		there := x.Err == nil
		x.Result = checkpoint.PublishOK
		if x.Err != nil {
			x.Result = checkpoint.PublishFailed
			if w.rng.IntN(2) == 0 {
				x.Result, there = checkpoint.PublishUnknown, w.rng.IntN(2) == 0
				w.hidden[x.ID] = true
				w.unknowns++
			}
		}
		if o := w.options[x.ID]; there {
			w.disk[x.ID] = o.Kind == checkpoint.Periodic || o.Synchronous()
		}
		w.written[x.ID] = x.Result == checkpoint.PublishOK
		e = x
	case ReadBackDone:
		x.Err = w.broken(4)
		_, there := w.disk[x.ID]
		x.Visible = there
		if x.Err == nil {
			delete(w.hidden, x.ID)
		}
		e = x
	case AttemptEnded:
		if x.Attempt == w.alive {
			w.alive = ""
		}
	case Running:
		w.running = x.Attempt == w.alive
	}
	w.step(e)
}

func (w *world) answer(e ...Event) { w.answers = append(w.answers, e...) }

func (w *world) carry(a Action) {
	switch a := a.(type) {
	case Deploy:
		w.deploy(a)
	case CancelAttempt:
		w.running = false
		w.answer(AttemptEnded{a.Attempt})
	case Prepare:
		if a.ID <= w.lastID {
			w.fail("id %d after %d", a.ID, w.lastID)
		}
		w.lastID, w.options[a.ID] = a.ID, a.Options
		w.answer(Prepared{a.ID, w.broken(20)})
	case SnapshotEnumerators:
		w.lastID = max(w.lastID, a.ID)
		w.answer(EnumeratorsSnapshotted{Attempt: a.Attempt, ID: a.ID, Err: w.broken(20)})
	case TriggerSources:
		if !w.running {
			w.fail("barriers for an attempt that does not run")
		}
		for _, k := range allTasks() {
			if w.broken(20) != nil {
				w.answer(Declined{a.Attempt, k, a.ID, checkpoint.Declined, nil})
			} else {
				w.answer(Acked{Attempt: a.Attempt, Task: k, ID: a.ID})
			}
		}
	case WriteManifest:
		w.answer(ManifestWritten{ID: a.ID})
	case NotifyComplete:
		if w.interval && !w.written[a.ID] {
			w.fail("completion of %d is told, its manifest was not written", a.ID)
		}
		if a.ID <= w.told {
			w.fail("completion of %d is told after that of %d", a.ID, w.told)
		}
		w.told = a.ID
	case AskSettled:
		for _, k := range allTasks() {
			w.answer(TaskSettled{a.Attempt, k})
		}
	case ReadBack:
		w.answer(ReadBackDone{ID: a.ID})
	case Delete:
		w.delete(a.IDs)
	case Discard:
		if w.written[a.ID] || w.hidden[a.ID] {
			w.fail("%d is discarded, and may be complete", a.ID)
		}
	case Reply:
		w.replies[a.Request]++
	case Ended:
		w.end(a)
	}
}

// latest is what a job must go on from, by what the disk holds.
func (w *world) latest() (id checkpoint.ID) {
	for x, effective := range w.disk {
		if effective {
			id = max(id, x)
		}
	}
	return id
}

func (w *world) deploy(a Deploy) {
	if w.alive != "" {
		w.fail("%s is deployed while %s runs", a.Attempt, w.alive)
	}
	if a.Restore != w.latest() {
		w.fail("%s goes on from %d, the latest is %d", a.Attempt, a.Restore, w.latest())
	}
	w.alive, w.running, w.drained = a.Attempt, false, false
	if err := w.broken(10); err != nil {
		w.answer(DeployFailed{a.Attempt, Failure{Transient, err}})
	} else {
		w.answer(Running{a.Attempt})
	}
}

func (w *world) delete(ids []checkpoint.ID) {
	for _, id := range ids {
		effective, there := w.disk[id]
		if !there || !effective || w.options[id].Kind == checkpoint.Savepoint || w.hidden[id] {
			w.fail("%d is deleted", id)
		}
		if id == w.latest() && w.job.ending == nil && !w.job.committed {
			w.fail("the latest checkpoint, %d, is deleted", id)
		}
		delete(w.disk, id)
	}
	w.answer(DeleteDone{ids, w.broken(5)})
}

func (w *world) end(a Ended) {
	w.ended = &a
	if w.alive != "" {
		w.fail("the job ends while %s runs", w.alive)
	}
	if a.Terminal == checkpoint.Finished && w.told < w.final && !w.options[w.told].Synchronous() {
		w.fail("the job finished, told of %d, and the final checkpoint is %d or later", w.told, w.final)
	}
	if a.Latest != checkpoint.None && !w.disk[a.Latest] {
		w.fail("%d is said to stay, and is not there", a.Latest)
	}
	if a.Terminal == checkpoint.Suspended && a.Latest != w.latest() && len(w.hidden) == 0 {
		w.fail("%d stays, the latest is %d", a.Latest, w.latest())
	}
}
