package jobmanager

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/flottio/flott/internal/checkpoint"
)

// Scripts tell stories of a job with a source of one subtask that feeds a sink of two. `new` takes options; `run` one event a line,
// behind the moment it happens at; `@r-1 event` is of another attempt than the current one.
func TestJobScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/job", func(t *testing.T, path string) {
		s := &story{t: t}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.t = t
			switch d.Cmd {
			case "new":
				s.job, s.now = NewJob(s.spec(d)), 0
				return ""
			case "run":
				var out strings.Builder
				for line := range strings.Lines(d.Input) {
					if line = strings.TrimSpace(line); line != "" {
						fmt.Fprintf(&out, "%-26s -> %s\n", line, s.line(line))
					}
				}
				at, ok := s.job.NextTimer()
				next := "none"
				if ok {
					next = at.String()
				}
				fmt.Fprintf(&out, "%v, timer: %s\n", s.job.Status(), next)
				return out.String()
			case "counts":
				st := s.job.Coordinator().Stats()
				return fmt.Sprintf("attempts %d, dropped %d, completed %d, failed %d, late %d\n", s.job.Attempts(), s.job.Dropped(),
					st.Completed, st.Failed, st.LateAcks)
			}
			d.Fatalf(t, "unknown command %s", d.Cmd)
			return ""
		})
	})
}

var testVertices = []checkpoint.Vertex{
	{Name: "source", Parallelism: 1},
	{Name: "sink", Parallelism: 2, Inputs: []checkpoint.VertexInput{{From: 0}}},
}

type story struct {
	t   *testing.T
	job *Job
	now time.Duration
}

func (s *story) spec(d *datadriven.TestData) JobSpec {
	c, r := checkpoint.DefaultConfig(), DefaultRestartConfig()
	c.Timeout, r.Jitter = time.Minute, 0
	for _, a := range d.CmdArgs {
		v := a.Vals[0]
		switch a.Key {
		case "interval":
			c.Interval = duration(s.t, v)
		case "timeout":
			c.Timeout = duration(s.t, v)
		case "retained":
			c.NumRetained = s.number(v)
		case "tolerable":
			c.TolerableFailures = s.number(v)
		case "keep":
			c.Externalized = map[string]checkpoint.Externalized{"none": checkpoint.NoExternalized,
				"if-failed": checkpoint.DeleteOnCancellation, "always": checkpoint.RetainOnCancellation}[v]
		case "restart":
			r.Type = RestartType(v)
		case "attempts":
			r.FixedAttempts = s.number(v)
		default:
			s.t.Fatalf("unknown option %s", a.Key)
		}
	}
	if err := errors.Join(c.Validate(), r.Validate()); err != nil {
		s.t.Fatal(err)
	}
	return JobSpec{Run: "r", Vertices: testVertices, Checkpoints: c, Restart: r, Rand: rand.New(rand.NewPCG(1, 1))}
}

func (s *story) number(v string) int {
	n, err := strconv.Atoi(v)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *story) line(line string) string {
	f := strings.Fields(line)
	s.now = duration(s.t, f[0])
	attempt := fmt.Sprintf("r-%d", s.job.Attempts())
	if a, ok := strings.CutPrefix(f[1], "@"); ok {
		attempt, f = a, f[1:]
	}
	var shown []string
	for _, e := range s.events(attempt, f[1], f[2:]) {
		for _, a := range s.job.Step(s.now, e) {
			shown = append(shown, show(a))
		}
	}
	if len(shown) == 0 {
		return "-"
	}
	return strings.Join(shown, ", ")
}

func allTasks() (tasks []checkpoint.Task) {
	for v := range testVertices {
		for i := range testVertices[v].Parallelism {
			tasks = append(tasks, checkpoint.Task{Vertex: v, Subtask: i})
		}
	}
	return tasks
}

func (s *story) tasks(v string) []checkpoint.Task {
	if v == "all" {
		return allTasks()
	}
	var k checkpoint.Task
	if _, err := fmt.Sscanf(v, "%d.%d", &k.Vertex, &k.Subtask); err != nil {
		s.t.Fatal(err)
	}
	return []checkpoint.Task{k}
}

func (s *story) id(v string) checkpoint.ID { return checkpoint.ID(s.number(v)) }

func optional(f []string, i int) error {
	if len(f) > i {
		return errors.New(strings.Join(f[i:], " "))
	}
	return nil
}

func (s *story) events(attempt, name string, f []string) (all []Event) {
	failure := func() Failure { return Failure{parseClass(s.t, f[0]), errors.New(strings.Join(f[1:], " "))} }
	switch name {
	case "start":
		return []Event{s.start(f)}
	case "running":
		return []Event{Running{attempt}}
	case "deploy-failed":
		return []Event{DeployFailed{attempt, failure()}}
	case "failed":
		return []Event{TaskFailed{attempt, failure()}}
	case "ended":
		return []Event{AttemptEnded{attempt}}
	case "drained", "settled":
		for _, k := range s.tasks(f[0]) {
			if name == "drained" {
				all = append(all, TaskDrained{attempt, k})
			} else {
				all = append(all, TaskSettled{attempt, k})
			}
		}
		return all
	case "timer":
		return []Event{TimerFired{}}
	case "cancel":
		return []Event{Cancel{}}
	case "suspend":
		return []Event{Cancel{Suspend: true}}
	case "request":
		o := map[string]checkpoint.Options{"checkpoint": {}, "savepoint": {Kind: checkpoint.Savepoint},
			"stop": {Kind: checkpoint.Savepoint, Stop: checkpoint.Suspend}, "drain": {Kind: checkpoint.Savepoint, Stop: checkpoint.Drain}}[f[1]]
		return []Event{Request{ID: checkpoint.RequestID(s.number(f[0])), Options: o, Directory: "/sp"}}
	}
	return s.checkpointEvents(attempt, name, f)
}

func (s *story) checkpointEvents(attempt, name string, f []string) (all []Event) {
	switch name {
	case "ack":
		for _, k := range s.tasks(f[0]) {
			all = append(all, Acked{Attempt: attempt, Task: k, ID: s.id(f[1])})
		}
		return all
	case "decline":
		return []Event{Declined{attempt, s.tasks(f[0])[0], s.id(f[1]), checkpoint.AsyncSnapshotFailed, optional(f, 2)}}
	case "enumerators":
		return []Event{EnumeratorsSnapshotted{Attempt: attempt, ID: s.id(f[0]), Err: optional(f, 1)}}
	case "prepared":
		return []Event{Prepared{s.id(f[0]), optional(f, 1)}}
	case "written":
		r := map[string]checkpoint.PublishResult{"ok": checkpoint.PublishOK, "failed": checkpoint.PublishFailed,
			"unknown": checkpoint.PublishUnknown}[f[1]]
		return []Event{ManifestWritten{ID: s.id(f[0]), Result: r, Err: optional(f, 2)}}
	case "complete": // all of it
		for _, e := range []string{"prepared " + f[0], "enumerators " + f[0], "ack all " + f[0], "written " + f[0] + " ok"} {
			f := strings.Fields(e)
			all = append(all, s.checkpointEvents(attempt, f[0], f[1:])...)
		}
		return all
	case "read-back":
		return []Event{ReadBackDone{s.id(f[0]), f[1] == "visible", optional(f, 2)}}
	case "deleted":
		var ids []checkpoint.ID
		for v := range strings.SplitSeq(f[0], ",") {
			ids = append(ids, s.id(v))
		}
		return []Event{DeleteDone{ids, optional(f, 1)}}
	}
	s.t.Fatalf("unknown event %s", name)
	return nil
}

func (s *story) start(f []string) Event {
	var e Start
	for _, a := range f {
		k, v, _ := strings.Cut(a, "=")
		switch k {
		case "restore":
			e.Restore = s.id(v)
		case "last":
			e.LastID = s.id(v)
		case "owned":
			for n := range strings.SplitSeq(v, ",") {
				e.Owned = append(e.Owned, checkpoint.Completed{ID: s.id(n)})
			}
		}
	}
	return e
}

// show prints an action.
func show(a Action) string {
	switch a := a.(type) {
	case Deploy:
		if a.Restore == checkpoint.None {
			return fmt.Sprintf("deploy %s fresh", a.Attempt)
		}
		return fmt.Sprintf("deploy %s from %d", a.Attempt, a.Restore)
	case CancelAttempt:
		return "cancel " + a.Attempt
	case PrepareNothing:
		return fmt.Sprintf("prepare %d as nothing", a.ID)
	case Prepare:
		return fmt.Sprintf("prepare %v %d", a.Options, a.ID)
	case SnapshotEnumerators:
		return fmt.Sprintf("enumerators %d", a.ID)
	case TriggerSources:
		return fmt.Sprintf("trigger %d", a.ID)
	case WriteManifest:
		return fmt.Sprintf("write %d", a.ID)
	case NotifyComplete:
		return fmt.Sprintf("notify complete %d", a.ID)
	case NotifyAbort:
		return fmt.Sprintf("notify abort %d", a.ID)
	case AskSettled:
		return "ask settled"
	case ReadBack:
		return fmt.Sprintf("read back %d", a.ID)
	case Delete:
		return fmt.Sprintf("delete %v", a.IDs)
	case Discard:
		return fmt.Sprintf("discard %d", a.ID)
	case CleanUp:
		return fmt.Sprintf("clean up to %d", a.Through)
	case Reply:
		if a.Err != nil {
			return fmt.Sprintf("reply %d: %v", a.Request, oneLine(a.Err))
		}
		return fmt.Sprintf("reply %d: has %d", a.Request, a.Result.ID)
	case Ended:
		s := "ENDED " + a.Terminal.String()
		if a.Failure != nil {
			s += fmt.Sprintf(" (%v: %v)", a.Failure.Class, oneLine(a.Failure.Err))
		}
		if a.Latest != checkpoint.None {
			s += fmt.Sprintf(", stays: %d", a.Latest)
		}
		return s
	}
	return fmt.Sprintf("%T", a)
}

// oneLine is an error's text for a script, where a line is a step.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
