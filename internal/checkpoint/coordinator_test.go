package checkpoint

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

// A script's job: vertices by name, attempts by the name of their task ("src/0"), with a quote for each restart ("src/0'").
//
//	new [interval=10s timeout=60s min-pause=1s concurrent=2 tolerable=1 retained=2 last-id=7]
//	src 2
//	sink 1 <- src
//	----
//
// run: one event a line, with the moment in front if time passes ("10s tick"; "tick" alone at the same moment). Answers of
// the driver are given by hand, or by "auto" for a whole checkpoint: prepared, enumerators, all acks, published.
type coordinatorScript struct {
	c        *Coordinator
	vertices []Vertex
	names    map[Attempt]string
	current  map[string]Attempt
	next     Attempt
	now      time.Duration
	requests RequestID
	awaited  map[ID][]Attempt
}

func TestCoordinatorScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/coordinator", func(t *testing.T, path string) {
		var s *coordinatorScript
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "new":
				s = newCoordinatorScript(t, d)
				return ""
			case "run":
				var out strings.Builder
				for line := range strings.Lines(d.Input) {
					line = strings.TrimSpace(line)
					fmt.Fprintf(&out, "%s\n", line)
					for _, a := range s.line(t, strings.Fields(line)) {
						fmt.Fprintf(&out, "    %s\n", a)
					}
				}
				return out.String()
			case "stats":
				return s.stats()
			}
			d.Fatalf(t, "unknown command %s", d.Cmd)
			return ""
		})
	})
}

func newCoordinatorScript(t *testing.T, d *datadriven.TestData) *coordinatorScript {
	s := &coordinatorScript{names: map[Attempt]string{}, current: map[string]Attempt{}, awaited: map[ID][]Attempt{}}
	cfg, lastID := DefaultConfig(), 0
	dur := func(key string, to *time.Duration) {
		if d.HasArg(key) {
			var v string
			d.ScanArgs(t, key, &v)
			x, err := time.ParseDuration(v)
			if err != nil {
				t.Fatal(err)
			}
			*to = x
		}
	}
	num := func(key string, to *int) {
		if d.HasArg(key) {
			d.ScanArgs(t, key, to)
		}
	}
	dur("interval", &cfg.Interval)
	dur("timeout", &cfg.Timeout)
	dur("min-pause", &cfg.MinPause)
	dur("backlog", &cfg.BacklogInterval)
	num("concurrent", &cfg.MaxConcurrent)
	num("tolerable", &cfg.TolerableFailures)
	num("retained", &cfg.NumRetained)
	num("history", &cfg.HistorySize)
	num("last-id", &lastID)
	for line := range strings.Lines(d.Input) {
		f := strings.Fields(line)
		v := Vertex{Name: f[0]}
		v.Parallelism, _ = strconv.Atoi(f[1])
		for i := 2; i < len(f); i++ {
			switch f[i] {
			case "<-":
			case "forward":
				v.Inputs[len(v.Inputs)-1].Forward = true
			case "union":
				v.UnionState = true
			default:
				v.Inputs = append(v.Inputs, VertexInput{From: s.vertex(t, f[i])})
			}
		}
		s.vertices = append(s.vertices, v)
	}
	s.c = NewCoordinator(cfg, ID(lastID))
	return s
}

func (s *coordinatorScript) vertex(t *testing.T, name string) int {
	for i, v := range s.vertices {
		if v.Name == name {
			return i
		}
	}
	t.Fatalf("no vertex %s", name)
	return 0
}

func (s *coordinatorScript) task(t *testing.T, name string) Task {
	v, i, _ := strings.Cut(name, "/")
	n, err := strconv.Atoi(strings.TrimRight(i, "'"))
	if err != nil {
		t.Fatal(err)
	}
	return Task{s.vertex(t, v), n}
}

func (s *coordinatorScript) attempt(name string) Attempt {
	for a, n := range s.names {
		if n == name {
			return a
		}
	}
	return 999
}

func (s *coordinatorScript) allTasks() []string {
	var all []string
	for _, v := range s.vertices {
		for i := range v.Parallelism {
			all = append(all, fmt.Sprintf("%s/%d", v.Name, i))
		}
	}
	return all
}

func (s *coordinatorScript) step(e Event) []string {
	var out []string
	for _, a := range s.c.Step(s.now, e) {
		if p, ok := a.(Prepare); ok {
			s.awaited[p.ID] = s.c.find(p.ID).plan.Await
		}
		out = append(out, s.show(a))
	}
	return out
}

func (s *coordinatorScript) line(t *testing.T, f []string) []string {
	if at, err := time.ParseDuration(f[0]); err == nil {
		s.now, f = at, f[1:]
	}
	id := func(i int) ID {
		n, err := strconv.Atoi(f[i])
		if err != nil {
			t.Fatal(err)
		}
		return ID(n)
	}
	cause := func(from int) string { return strings.Join(f[min(from, len(f)):], " ") }
	switch f[0] {
	case "start":
		e := Start{Vertices: s.vertices}
		for i := 1; i < len(f); i++ {
			if f[i] == "restored" {
				i++
				e.Restored = id(i)
			} else {
				e.Completed = append(e.Completed, Completed{ID: id(i)})
			}
		}
		return s.step(e)
	case "quiesce":
		return s.step(Quiesce{})
	case "running", "ended", "finished", "lost":
		return s.taskEvents(t, f)
	case "tick":
		return s.step(Tick{})
	case "backlog":
		return s.step(Backlog{f[1] == "on"})
	case "checkpoint", "savepoint", "suspend", "drain":
		s.requests++
		o := map[string]Options{"savepoint": {Kind: Savepoint}, "suspend": {Savepoint, Suspend}, "drain": {Savepoint, Drain}}[f[0]]
		return s.step(Request{ID: s.requests, Options: o})
	case "checkpoints", "savepoints": // many at once
		var out []string
		for range id(1) {
			out = append(out, s.line(t, []string{strings.TrimSuffix(f[0], "s")})...)
		}
		return out
	case "withdraw":
		return s.step(Withdraw{RequestID(id(1))})
	case "prepared":
		return s.step(Prepared{id(1), cause(2)})
	case "enumerators":
		return s.step(EnumeratorsSnapshotted{id(1), 1, cause(2)})
	case "ack":
		var out []string
		for _, name := range f[2:] {
			out = append(out, s.step(Acked{id(1), s.attempt(name), 10})...)
		}
		return out
	case "decline":
		return s.step(DeclinedBy{id(1), s.attempt(f[2]), Declined, cause(3)})
	case "decline-marker":
		return s.step(DeclinedBy{id(1), s.attempt(f[2]), CancelMarker, ""})
	case "published":
		return s.step(Published{id(1), PublishOK, 5, ""})
	case "publish-failed":
		return s.step(Published{id(1), PublishFailed, 0, cause(2)})
	case "publish-unknown":
		return s.step(Published{id(1), PublishUnknown, 0, cause(2)})
	case "deleted":
		return s.step(DeleteDone{[]ID{id(1)}, cause(2)})
	case "auto":
		return s.auto(id(1))
	case "timer?":
		if at, ok := s.c.NextTimer(); ok {
			return []string{at.String()}
		}
		return []string{"none"}
	}
	t.Fatalf("unknown event %v", f)
	return nil
}

// auto answers for a checkpoint from its Prepare to its end.
func (s *coordinatorScript) auto(id ID) []string {
	out := s.step(Prepared{ID: id})
	out = append(out, s.step(EnumeratorsSnapshotted{ID: id, Bytes: 1})...)
	for _, a := range s.awaited[id] {
		out = append(out, s.step(Acked{id, a, 10})...)
	}
	return append(out, s.step(Published{id, PublishOK, 5, ""})...)
}

func (s *coordinatorScript) taskEvents(t *testing.T, f []string) []string {
	names := f[1:]
	if names[0] == "all" {
		names = s.allTasks()
	}
	var out []string
	for _, name := range names {
		task := s.task(t, name)
		key := fmt.Sprint(task)
		if f[0] == "running" {
			s.next++
			for s.attempt(name) != 999 {
				name += "'"
			}
			s.current[key], s.names[s.next] = s.next, name
		}
		a := s.current[key]
		var e Event
		switch f[0] {
		case "running":
			e = TaskRunning{task, a}
		case "ended":
			e = TaskEnded{task, a}
		case "finished":
			e = TaskFinished{task, a}
		case "lost":
			e = TaskFailed{task, a}
		}
		out = append(out, s.step(e)...)
	}
	return out
}

func (s *coordinatorScript) attempts(as []Attempt) string {
	var names []string
	for _, a := range as {
		names = append(names, s.names[a])
	}
	return strings.Join(names, " ")
}

func (s *coordinatorScript) show(a Action) string {
	switch a := a.(type) {
	case Prepare:
		return fmt.Sprintf("prepare %d (%v)", a.ID, a.Options)
	case SnapshotEnumerators:
		return fmt.Sprintf("snapshot enumerators %d", a.ID)
	case TriggerSources:
		return fmt.Sprintf("trigger %d at %s", a.ID, s.attempts(a.Attempts))
	case Publish:
		if len(a.Finished) > 0 {
			return fmt.Sprintf("publish %d, finished %v", a.ID, a.Finished)
		}
		return fmt.Sprintf("publish %d", a.ID)
	case NotifyComplete:
		return fmt.Sprintf("notify complete %d to %s", a.ID, s.attempts(a.Attempts))
	case NotifyAbort:
		return fmt.Sprintf("notify abort %d (last completed %d)", a.ID, a.LastCompleted)
	case Delete:
		return fmt.Sprintf("delete %v", a.IDs)
	case Discard:
		return fmt.Sprintf("discard %d", a.ID)
	case DiscardSnapshot:
		return fmt.Sprintf("discard snapshot %d of %s", a.ID, s.attempts([]Attempt{a.Attempt}))
	case Reply:
		if a.Result.Reason != NoReason {
			return fmt.Sprintf("reply to request %d: %v %s", a.Request, a.Result.Reason, a.Result.Cause)
		}
		return fmt.Sprintf("reply to request %d: checkpoint %d, %d bytes, %v", a.Request, a.Result.ID, a.Result.Bytes, a.Result.Duration)
	case FailJob:
		return fmt.Sprintf("FAIL JOB %s", a.Text)
	}
	return fmt.Sprintf("%T", a)
}

func (s *coordinatorScript) stats() string {
	x := s.c.Stats()
	var out strings.Builder
	fmt.Fprintf(&out, "triggered %d, in progress %d, completed %d, failed %d, skipped %d (last: %v), restored %d\n",
		x.Triggered, x.InProgress, x.Completed, x.Failed, x.Skipped, x.LastSkip, x.Restored)
	fmt.Fprintf(&out, "late acks %d (%d after expiry), unknown acks %d, failed deletes %d %s\n",
		x.LateAcks, x.LateAfterExpiry, x.UnknownAcks, x.FailedDeletes, x.LastDeleteFailure)
	for _, r := range s.c.InProgress(x.History) {
		fmt.Fprintf(&out, "%d %v %v %d/%d acked, began %v took %v, %d bytes", r.ID, r.Options, r.Status, r.Acked, r.Tasks, r.Begun,
			r.Duration, r.Bytes)
		if r.Reason != NoReason {
			fmt.Fprintf(&out, ", %v %s", r.Reason, r.Cause)
		}
		out.WriteString("\n")
	}
	fmt.Fprintf(&out, "retained %v, latest %d\n", s.c.Completed(), s.c.Latest())
	return out.String()
}

func TestConfigReportsAllConflictsAtOnce(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	c := Config{
		Interval: time.Millisecond, BacklogInterval: time.Microsecond, Timeout: 0, MinPause: time.Second, MaxConcurrent: 2,
		TolerableFailures: -2, NumRetained: 0, Mode: 7, Externalized: 9, HistorySize: -1,
	}
	got := strings.ReplaceAll(c.Validate().Error(), "execution.checkpointing.", "")
	want := strings.Join([]string{
		"interval: 1ms is below 10ms; leave it out for no periodic checkpoints",
		"interval-during-backlog: 1µs is below the interval, 1ms; with a backlog there should be fewer checkpoints",
		"timeout: 0s is below 10ms",
		"max-concurrent-checkpoints: 2 contradicts min-pause 1s: with a pause between checkpoints there is " +
			"never more than one; set one of the two",
		"tolerable-failed-checkpoints: -2 is negative; -1 means any number",
		"num-retained: 0 is outside 1..10000",
		"mode: 7 is neither EXACTLY_ONCE nor AT_LEAST_ONCE",
		"externalized-checkpoint-retention: 9 is none of NO_EXTERNALIZED_CHECKPOINTS, " +
			"DELETE_ON_CANCELLATION, RETAIN_ON_CANCELLATION",
		"history-size: -1 is outside 0..10000",
	}, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{
			func(c *Config) { c.BacklogInterval = time.Second },
			"execution.checkpointing.interval-during-backlog: 1s has no effect without an interval",
		},
		{func(c *Config) { c.MinPause = -1 }, "execution.checkpointing.min-pause: -1ns is negative"},
		{func(c *Config) { c.BacklogInterval = NoBacklogCheckpoints; c.TolerableFailures = Unlimited }, ""},
	} {
		cfg := DefaultConfig()
		c.change(&cfg)
		got := ""
		if err := cfg.Validate(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestReasonsAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for r := NoReason; r < numReasons; r++ {
		if r.String() == "" || r.Text() == "" || seen[r.String()] {
			t.Errorf("reason %d: %q %q", uint8(r), r.String(), r.Text())
		}
		seen[r.String()] = true
	}
	counted := "" // the list of A2.11
	for r := NoReason; r < numReasons; r++ {
		if r.Counts() {
			counted += r.String() + " "
		}
	}
	if want := "expired declined async-snapshot-failed enumerator-failed storage-failed manifest-failed manifest-unknown " +
		"stop-with-savepoint-failed "; counted != want {
		t.Errorf("counted: %s", counted)
	}
}
