package checkpoint

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// world is a job that answers a coordinator in any order, with any failure, and checks what it is asked to do against the
// rules, knowing nothing of the coordinator's inside.
type world struct {
	t        *rapid.T
	c        *Coordinator
	config   Config
	now      time.Duration
	attempts map[Task]Attempt
	phase    map[Task]taskPhase
	next     Attempt
	running  bool
	failing  bool
	calm     bool // no more failures

	todo      []Event // answers on their way
	fate      map[ID]string
	kind      map[ID]Options
	stage     map[ID]int // 1 prepared, 2 enumerators, 3 triggered, 4 publish
	acked     map[ID]map[Attempt]bool
	expected  map[ID][]Attempt // who was running at the beginning
	replies   map[RequestID]int
	requests  RequestID
	onDisk    []Completed // complete, not deleted
	published map[ID]bool // on disk for sure, told or not
	lastID    ID
	notified  ID
}

var worldVertices = []Vertex{
	{Name: "src", Parallelism: 2},
	{Name: "map", Parallelism: 2, Inputs: []VertexInput{{From: 0, Forward: true}}},
	{Name: "sink", Parallelism: 1, Inputs: []VertexInput{{From: 1}}},
}

func worldTasks() []Task { return []Task{{0, 0}, {0, 1}, {1, 0}, {1, 1}, {2, 0}} }

func newWorld(t *rapid.T) *world {
	cfg := DefaultConfig()
	cfg.Interval = []time.Duration{0, 10 * time.Second}[rapid.IntRange(0, 1).Draw(t, "interval")]
	cfg.Timeout = 30 * time.Second
	cfg.MaxConcurrent = rapid.IntRange(1, 3).Draw(t, "concurrent")
	if cfg.MaxConcurrent == 1 {
		cfg.MinPause = time.Duration(rapid.IntRange(0, 20).Draw(t, "pause")) * time.Second
	}
	cfg.TolerableFailures = rapid.IntRange(-1, 2).Draw(t, "tolerable")
	cfg.NumRetained = rapid.IntRange(1, 3).Draw(t, "retained")
	return &world{
		t: t, config: cfg, c: NewCoordinator(cfg, None),
		attempts: map[Task]Attempt{}, phase: map[Task]taskPhase{}, fate: map[ID]string{}, kind: map[ID]Options{},
		stage: map[ID]int{}, acked: map[ID]map[Attempt]bool{}, expected: map[ID][]Attempt{}, replies: map[RequestID]int{},
		published: map[ID]bool{},
	}
}

func (w *world) step(e Event) {
	for _, a := range slices.Clone(w.c.Step(w.now, e)) {
		w.take(a)
	}
	if at, ok := w.c.NextTimer(); ok && at <= w.now {
		w.t.Fatalf("after %T at %v the next timer is at %v: it would never end", e, w.now, at)
	}
}

func (w *world) end(id ID, fate string) {
	if w.stage[id] == 0 || w.fate[id] != "" {
		w.t.Fatalf("checkpoint %d ends as %s, stage %d, was %q", id, fate, w.stage[id], w.fate[id])
	}
	w.fate[id] = fate
}

func (w *world) take(a Action) {
	t := w.t
	switch a := a.(type) {
	case Prepare:
		if a.ID <= w.lastID || !w.running || w.failing {
			t.Fatalf("checkpoint %d begins after %d, running %v, failing %v", a.ID, w.lastID, w.running, w.failing)
		}
		for id, s := range w.stage {
			if s < 3 && w.fate[id] == "" {
				t.Fatalf("checkpoint %d begins while %d is beginning", a.ID, id)
			}
		}
		w.lastID, w.stage[a.ID], w.kind[a.ID], w.acked[a.ID] = a.ID, 1, a.Options, map[Attempt]bool{}
		for _, task := range worldTasks() {
			if p := w.phase[task]; p == taskRunning || p == taskEnded {
				w.expected[a.ID] = append(w.expected[a.ID], w.attempts[task])
			} else if p == taskWaiting {
				t.Fatalf("checkpoint %d begins while %v is not running", a.ID, task)
			}
		}
		w.todo = append(w.todo, Prepared{ID: a.ID, Cause: w.maybeFail("prepare")})
	case SnapshotEnumerators:
		w.advance(a.ID, 2)
		w.todo = append(w.todo, EnumeratorsSnapshotted{ID: a.ID, Cause: w.maybeFail("enumerators")})
	case TriggerSources:
		w.advance(a.ID, 3)
		if len(a.Attempts) == 0 {
			t.Fatalf("checkpoint %d is triggered nowhere", a.ID)
		}
		for _, at := range w.expected[a.ID] {
			if w.maybeFail("task") != "" {
				w.todo = append(w.todo, DeclinedBy{ID: a.ID, Attempt: at, Cause: "drawn"})
			} else {
				w.todo = append(w.todo, Acked{ID: a.ID, Attempt: at})
			}
		}
	case Publish:
		w.publish(a.ID)
	case NotifyComplete:
		if w.fate[a.ID] != "complete" || a.ID <= w.notified || w.kind[a.ID] == (Options{Kind: Savepoint}) {
			t.Fatalf("completion of %d (%v, %v) is told after %d", a.ID, w.fate[a.ID], w.kind[a.ID], w.notified)
		}
		w.notified = a.ID
	case NotifyAbort:
		if w.stage[a.ID] == 4 && w.fate[a.ID] != "publish failed" {
			t.Fatalf("checkpoint %d is given up while it is being published", a.ID)
		}
		if w.fate[a.ID] != "publish failed" {
			w.end(a.ID, "aborted")
		}
	case Discard:
		if w.published[a.ID] {
			t.Fatalf("checkpoint %d may be complete on disk, and is discarded", a.ID)
		}
	case Delete:
		w.delete(a.IDs)
	case Reply:
		if w.replies[a.Request]++; w.replies[a.Request] > 1 {
			t.Fatalf("request %d has got two replies", a.Request)
		}
	case FailJob:
		w.failing = true
	}
}

// publish decides the fate of a checkpoint on disk, and lets the answer follow.
func (w *world) publish(id ID) {
	w.advance(id, 4)
	for _, at := range w.expected[id] {
		if !w.acked[id][at] {
			w.t.Fatalf("checkpoint %d is published, but %d has not acknowledged", id, at)
		}
	}
	r := PublishOK
	if !w.calm {
		r = []PublishResult{PublishOK, PublishOK, PublishOK, PublishOK, PublishFailed, PublishUnknown}[rapid.IntRange(0, 5).Draw(w.t, "publish")]
	}
	if r == PublishOK || r == PublishUnknown && rapid.Bool().Draw(w.t, "written") {
		w.published[id] = true
	}
	w.todo = append(w.todo, Published{ID: id, Result: r})
}

func (w *world) advance(id ID, stage int) {
	if w.stage[id] != stage-1 || w.fate[id] != "" {
		w.t.Fatalf("checkpoint %d goes from stage %d to %d, fate %q", id, w.stage[id], stage, w.fate[id])
	}
	w.stage[id] = stage
}

func (w *world) delete(ids []ID) {
	for _, id := range ids {
		at := slices.Index(w.onDisk, Completed{ID: id})
		if at < 0 {
			w.t.Fatalf("%d is deleted; on disk are %v", id, w.onDisk)
		}
		w.onDisk = slices.Delete(w.onDisk, at, at+1)
	}
	n := 0
	for _, x := range w.onDisk {
		if x.Kind == Periodic {
			n++
		}
	}
	if n != w.config.NumRetained {
		w.t.Fatalf("after deleting %v %d checkpoints are left, %v", ids, n, w.onDisk)
	}
	w.todo = append(w.todo, DeleteDone{IDs: ids, Cause: w.maybeFail("delete")})
}

func (w *world) maybeFail(what string) string {
	if !w.calm && rapid.IntRange(0, 11).Draw(w.t, what) == 0 {
		return what + " failed"
	}
	return ""
}

// answer lets one of the answers on their way arrive.
func (w *world) answer() {
	if len(w.todo) == 0 {
		return
	}
	i := rapid.IntRange(0, len(w.todo)-1).Draw(w.t, "answer")
	e := w.todo[i]
	w.todo = slices.Delete(w.todo, i, i+1)
	switch e := e.(type) {
	case Acked:
		if !slices.Contains(w.attemptsAlive(), e.Attempt) {
			return // the sender is gone
		}
		w.acked[e.ID][e.Attempt] = true
	case Published:
		w.publishedNow(e)
	}
	w.step(e)
}

func (w *world) publishedNow(e Published) {
	switch e.Result {
	case PublishOK:
		w.end(e.ID, "complete")
	case PublishFailed:
		w.end(e.ID, "publish failed")
	default:
		w.end(e.ID, "unknown")
	}
	if w.published[e.ID] && w.kind[e.ID] != (Options{Kind: Savepoint}) {
		w.onDisk = append(w.onDisk, Completed{e.ID, w.kind[e.ID].Kind})
		slices.SortFunc(w.onDisk, func(a, b Completed) int { return int(a.ID - b.ID) })
	}
}

func (w *world) attemptsAlive() []Attempt {
	var all []Attempt
	for _, a := range w.attempts {
		all = append(all, a)
	}
	return all
}

func (w *world) restart() {
	if w.running {
		w.running = false
		w.step(Quiesce{})
	}
	for w.c.Publishing() {
		w.answer()
	}
	e := Start{Vertices: worldVertices, Completed: slices.Clone(w.onDisk)}
	if n := len(w.onDisk); n > 0 {
		e.Restored = w.onDisk[n-1].ID
	}
	w.running, w.failing = true, false
	w.notified = max(w.notified, e.Restored) // (A2.15)
	w.step(e)
	for _, task := range worldTasks() {
		delete(w.attempts, task)
		w.phase[task] = taskWaiting
	}
	for _, task := range worldTasks() {
		w.run(task)
	}
}

func (w *world) run(task Task) {
	w.next++
	w.attempts[task], w.phase[task] = w.next, taskRunning
	w.step(TaskRunning{task, w.next})
}

func (w *world) anyTask() Task {
	return worldTasks()[rapid.IntRange(0, len(worldTasks())-1).Draw(w.t, "task")]
}

func (w *world) disturb() {
	switch rapid.IntRange(0, 10).Draw(w.t, "event") {
	case 0:
		w.now += time.Duration(rapid.IntRange(0, 40).Draw(w.t, "seconds")) * time.Second
		w.step(Tick{})
	case 1:
		o := []Options{{}, {Kind: Savepoint}, {Savepoint, Suspend}}[rapid.IntRange(0, 2).Draw(w.t, "options")]
		w.requests++
		w.step(Request{ID: w.requests, Options: o})
	case 10:
		if w.requests > 0 {
			w.step(Withdraw{RequestID(rapid.IntRange(1, int(w.requests)).Draw(w.t, "withdraw"))})
		}
	case 2:
		task := w.anyTask()
		if p := w.phase[task]; p == taskRunning || p == taskEnded {
			w.phase[task] = taskWaiting
			a := w.attempts[task]
			delete(w.attempts, task)
			w.step(TaskFailed{task, a})
		}
	case 3:
		if task := w.anyTask(); w.phase[task] == taskWaiting {
			w.run(task)
		}
	case 4:
		if task := w.anyTask(); w.phase[task] == taskRunning {
			w.phase[task] = taskEnded
			w.step(TaskEnded{task, w.attempts[task]})
		}
	case 5:
		if task := w.anyTask(); w.phase[task] == taskEnded {
			w.phase[task] = taskFinished
			a := w.attempts[task]
			delete(w.attempts, task)
			w.step(TaskFinished{task, a})
		}
	case 6:
		if w.failing || rapid.IntRange(0, 3).Draw(w.t, "restart") == 0 {
			w.restart()
		}
	default:
		w.answer()
	}
}

func TestCoordinatorHoldsItsRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.restart()
		for range rapid.IntRange(1, 150).Draw(t, "steps") {
			w.disturb()
		}
		// The world becomes calm: whatever has happened, a user gets a checkpoint (liveness), and every request its reply.
		w.calm = true
		w.restart()
		w.drain()
		w.requests++
		w.step(Request{ID: w.requests})
		w.drain()
		s := w.c.Stats()
		if s.LastCompleted.Status != RecordCompleted || w.c.Latest() == None {
			t.Fatalf("no checkpoint completes in a calm world: %+v", s)
		}
		// All input ends: the final checkpoint comes by itself, and covers everybody's end (A8.2).
		since := w.lastID + 1
		for _, task := range worldTasks() {
			w.step(TaskEnded{task, w.attempts[task]})
		}
		w.drain()
		if w.c.Latest() < since {
			t.Fatalf("all input has ended before checkpoint %d, but the latest is %d", since, w.c.Latest())
		}
		for r := RequestID(1); r <= w.requests; r++ {
			if w.replies[r] != 1 {
				t.Fatalf("request %d has got %d replies", r, w.replies[r])
			}
		}
		for id := ID(1); id <= w.lastID; id++ {
			if w.stage[id] > 0 && w.fate[id] == "" {
				t.Fatalf("checkpoint %d has begun and never ended", id)
			}
		}
		if got := fmt.Sprint(w.c.Completed()); got != fmt.Sprint(w.onDisk) {
			t.Fatalf("retained %s, on disk %v", got, w.onDisk)
		}
	})
}

// drain lets everything on its way arrive, ten minutes of time included.
func (w *world) drain() {
	for until := w.now + 10*time.Minute; ; {
		for len(w.todo) > 0 {
			w.answer()
		}
		at, ok := w.c.NextTimer()
		if !ok || at > until {
			return
		}
		w.now = at
		w.step(Tick{})
		for len(w.todo) > 0 {
			w.answer()
		}
	}
}
