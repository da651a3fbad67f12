package jobmanager

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flottio/flott/internal/blob"
	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/keygroup"
)

// tasks is a cluster of a source that never blocks and two sinks, which do at once what they are told unless a test has other plans.
type tasks struct {
	t      *testing.T
	driver *Driver
	mu     sync.Mutex
	work   sync.WaitGroup
	alive  string

	deployed  []Attempt
	triggered int
	completed []checkpoint.ID
	onDeploy  func(a Attempt) error                        // an error fails it
	onTrigger func(id checkpoint.ID)                       // before the snapshots
	state     func(k checkpoint.Task) (string, error)      // of keyed state
	settled   func(k checkpoint.Task, restored bool) error // an error fails the task
}

func (c *tasks) Deploy(a Attempt) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.alive != "" {
		c.t.Errorf("%s is deployed over %s", a.ID, c.alive)
	}
	c.alive = a.ID
	c.deployed = append(c.deployed, a)
	c.work.Go(func() {
		if c.onDeploy != nil {
			if err := c.onDeploy(a); err != nil {
				c.driver.Post(DeployFailed{a.ID, Failure{Transient, err}})
				return
			}
		}
		c.driver.Post(Running{a.ID})
	})
}

func (c *tasks) Cancel(attempt string) {
	c.work.Go(func() {
		c.mu.Lock()
		c.alive = ""
		c.mu.Unlock()
		c.driver.Post(AttemptEnded{attempt})
	})
}

func (c *tasks) SnapshotEnumerators(attempt string, id checkpoint.ID) {
	states := map[string][]byte{"clicks": fmt.Appendf(nil, "splits at %d", id)}
	c.driver.Post(EnumeratorsSnapshotted{Attempt: attempt, ID: id, States: states})
}

func (c *tasks) Trigger(attempt string, id checkpoint.ID, o checkpoint.Options) {
	c.work.Go(func() {
		if c.onTrigger != nil {
			c.onTrigger(id)
		}
		if o.Stop == checkpoint.Drain {
			c.drain()
		}
		for _, k := range allTasks() {
			c.snapshot(attempt, k, id)
		}
	})
}

func (c *tasks) snapshot(attempt string, k checkpoint.Task, id checkpoint.ID) {
	if k.Vertex == 0 {
		list := checkpoint.OperatorState{Name: "splits", Kind: checkpoint.SplitList, Elements: [][]byte{[]byte("a.csv@17")}}
		c.driver.Post(Acked{Attempt: attempt, Task: k, ID: id, Parts: map[string]checkpoint.Subtask{"clicks": {
			Lists: []checkpoint.OperatorState{list}}}})
		return
	}
	text, err := fmt.Sprintf("counts of %d at %d", k.Subtask, id), error(nil)
	if c.state != nil {
		text, err = c.state(k)
	}
	var h checkpoint.Handle
	if err == nil {
		h, err = c.driver.Storage().WriteState(context.Background(), id, fmt.Sprintf("task-%d-%d-%s", k.Vertex, k.Subtask, attempt),
			func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
	}
	if err != nil {
		c.driver.Post(Declined{attempt, k, id, checkpoint.AsyncSnapshotFailed, err})
		return
	}
	h.KeyGroups = keygroup.RangeOf(k.Subtask, 128, 2)
	c.driver.Post(Acked{Attempt: attempt, Task: k, ID: id, Bytes: h.Length, Parts: map[string]checkpoint.Subtask{"counts": {
		Keyed: []checkpoint.Handle{h}}}})
}

func (c *tasks) Complete(_ string, id checkpoint.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.completed = append(c.completed, id)
}

func (c *tasks) Abort(string, checkpoint.ID) {}

func (c *tasks) AskSettled(attempt string) {
	for _, k := range allTasks() {
		c.driver.Post(TaskSettled{attempt, k})
	}
}

func (c *tasks) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range allTasks() {
		c.driver.Post(TaskDrained{c.alive, k})
	}
}

func (c *tasks) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.driver.Post(TaskFailed{c.alive, Failure{User, err}})
}

func testConfig(disk blob.Disk) Config {
	c := checkpoint.DefaultConfig()
	c.Interval = 10 * time.Second
	c.Externalized = checkpoint.RetainOnCancellation
	c.NumRetained = 2
	return Config{JobName: "clicks", CodeVersion: "test", KeyHash: "h", Vertices: testVertices, Checkpoints: c,
		Restart: DefaultRestartConfig(),
		Operators: []checkpoint.Target{
			{UID: "clicks", Name: "clicks", Chain: 0, Parallelism: 1, States: []checkpoint.State{{Name: "splits", Kind: checkpoint.SplitList}}},
			{UID: "counts", Name: "counts", Chain: 1, Parallelism: 2, States: []checkpoint.State{{Name: "n", Kind: checkpoint.ValueState}}},
		}, Dir: "/ck", SavepointDir: "/sp", Disk: disk, Restore: Latest}
}

// running is a driver on its way.
type running struct {
	*Driver
	*tasks
	cancel context.CancelCauseFunc
	result Result
	err    error
	ended  chan struct{}
}

func runJob(t *testing.T, c Config, change ...func(*tasks)) *running {
	t.Helper()
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	r := &running{Driver: d, tasks: &tasks{t: t, driver: d}, ended: make(chan struct{})}
	for _, f := range change {
		f(r.tasks)
	}
	var ctx context.Context
	ctx, r.cancel = context.WithCancelCause(t.Context())
	go func() {
		defer close(r.ended)
		r.result, r.err = d.Run(ctx, r.tasks)
		r.work.Wait()
	}()
	return r
}

func (r *running) wait() { <-r.ended }

func (r *running) chk(id int64) string { return blob.CheckpointDir(r.Storage().JobDir(), id) }

// bubble runs f in fake time, and fails if a goroutine outlives it.
func bubble(t *testing.T, f func(t *testing.T, m *blob.Memory)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, blob.NewMemory()) })
}

func sleep(d time.Duration) {
	time.Sleep(d) //lint:ignore sleep fake time
	synctest.Wait()
}

func list(t *testing.T, m *blob.Memory, dir string) string {
	t.Helper()
	entries, err := m.List(dir)
	if err != nil {
		return "none"
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name)
	}
	return strings.Join(names, " ")
}

func TestDriverCheckpointsAndFinishes(t *testing.T) {
	bubble(t, func(t *testing.T, m *blob.Memory) {
		r := runJob(t, testConfig(m))
		sleep(35 * time.Second)
		if got := list(t, m, r.Storage().JobDir()); got != ".last-complete .last-id .lock chk-2 chk-3" && got != ".last-complete .last-id chk-2 chk-3" {
			t.Errorf("after three checkpoints: %s", got)
		}
		if s := r.Status(); s.Status != StatusRunning || s.Stats.Completed != 3 || s.Attempts != 1 {
			t.Errorf("status %+v", s)
		}
		r.drain()
		r.wait()
		if r.err != nil || r.result.Terminal != checkpoint.Finished || r.result.Stats.Completed != 4 {
			t.Errorf("%+v, %v", r.result, r.err)
		}
		if fmt.Sprint(r.completed) != "[1 2 3 4]" {
			t.Errorf("told of %v", r.completed)
		}
		if got := list(t, m, r.Storage().JobDir()); got != ".last-id" {
			t.Errorf("left: %s", got)
		}
	})
}

func TestDriverGoesOnAfterAFailure(t *testing.T) {
	bubble(t, func(t *testing.T, m *blob.Memory) {
		r := runJob(t, testConfig(m))
		sleep(15 * time.Second)
		r.fail(errors.New("panic: index out of range"))
		sleep(5 * time.Second)
		if len(r.deployed) != 2 {
			t.Fatalf("%d attempts", len(r.deployed))
		}
		if at := r.Status().RestoredAt; at.Before(r.Status().Started.Add(15 * time.Second)) {
			t.Errorf("restored at %v", at)
		}
		a := r.deployed[1]
		if a.Restored != 1 || a.Number != 2 || a.ID == r.deployed[0].ID || a.Dir != r.chk(1) || a.Plan == nil {
			t.Errorf("second attempt %+v", a)
		}
		keyed := a.Plan.Operators[1].Subtasks[1].Keyed
		c, err := a.Open(keyed[0].Handle)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
		if string(text) != "counts of 1 at 1" || err != nil {
			t.Errorf("state %q, %v", text, err)
		}
		r.cancel(nil)
		r.wait()
		if r.err != nil || r.result.Terminal != checkpoint.Cancelled || r.result.Latest != r.chk(1) {
			t.Errorf("%+v, %v", r.result, r.err)
		}
	})
}

// The process ends and comes back: it goes on from the latest, owns what is there, and uses no id twice. Started afresh it leaves
// everything alone.
func TestDriverComesBack(t *testing.T) {
	bubble(t, func(t *testing.T, m *blob.Memory) {
		r := runJob(t, testConfig(m))
		sleep(25 * time.Second)
		r.cancel(ErrSuspend)
		r.wait()
		if r.result.Terminal != checkpoint.Suspended || r.result.Latest != r.chk(2) {
			t.Fatalf("%+v, %v", r.result, r.err)
		}
		m.Crash(rand.New(rand.NewPCG(1, 1)))
		r = runJob(t, testConfig(m))
		sleep(25 * time.Second)
		if a := r.deployed[0]; a.Restored != 2 {
			t.Errorf("went on from %d", a.Restored)
		}
		r.cancel(ErrSuspend)
		r.wait()
		if got := list(t, m, r.Storage().JobDir()); got != ".last-complete .last-id chk-3 chk-4" {
			t.Errorf("left: %s", got)
		}
		fresh := testConfig(m)
		fresh.Restore = ""
		r = runJob(t, fresh)
		sleep(35 * time.Second)
		if a := r.deployed[0]; a.Restored != checkpoint.None {
			t.Errorf("a fresh start went on from %d", a.Restored)
		}
		r.cancel(nil)
		r.wait()
		if got := list(t, m, r.Storage().JobDir()); got != ".last-complete .last-id chk-3 chk-4 chk-6 chk-7" {
			t.Errorf("left: %s", got)
		}
		named := testConfig(m)
		named.Restore = r.chk(4) + "/_metadata"
		r = runJob(t, named)
		sleep(15 * time.Second)
		if a := r.deployed[0]; a.Restored != 4 {
			t.Errorf("went on from %d", a.Restored)
		}
		r.cancel(nil)
		r.wait()
		if got := list(t, m, r.Storage().JobDir()); got != ".last-complete .last-id chk-3 chk-4 chk-6 chk-7 chk-8" {
			t.Errorf("left: %s", got)
		}
	})
}

func TestDriverSavepoints(t *testing.T) {
	bubble(t, func(t *testing.T, m *blob.Memory) {
		r := runJob(t, testConfig(m))
		sleep(15 * time.Second)
		p, err := r.Savepoint(t.Context(), "/mine")
		if err != nil || !strings.HasPrefix(p, "/mine/savepoint-") {
			t.Fatalf("savepoint %s, %v", p, err)
		}
		if fmt.Sprint(r.completed) != "[1]" {
			t.Errorf("an intermediate savepoint was committed: %v", r.completed)
		}
		stop, err := r.StopWithSavepoint(t.Context(), "", false)
		if err != nil || path.Dir(stop) != "/sp" {
			t.Fatalf("stopped with %s, %v", stop, err)
		}
		r.wait()
		if r.err != nil || r.result.Terminal != checkpoint.Finished || r.result.Latest != stop {
			t.Errorf("%+v, %v", r.result, r.err)
		}
		if _, err := r.Savepoint(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "has ended") {
			t.Errorf("savepoint of a job that has ended: %v", err)
		}
		r = runJob(t, testConfig(m)) // latest
		sleep(time.Second)
		if a := r.deployed[0]; a.Dir != stop || a.Restored != 3 {
			t.Errorf("went on from %s", a.Dir)
		}
		r.cancel(nil)
		r.wait()
		other := testConfig(m)
		other.Restore = p
		r = runJob(t, other)
		sleep(time.Second)
		if a := r.deployed[0]; a.Dir != p || a.Restored != 2 {
			t.Errorf("went on from %s", a.Dir)
		}
		if p, err := r.StopWithSavepoint(t.Context(), "/elsewhere", true); err != nil || !strings.HasPrefix(p, "/elsewhere/") {
			t.Errorf("drained to %s, %v", p, err)
		}
		r.wait()
	})
}

func TestDriverWithoutADirectoryForSavepoints(t *testing.T) {
	bubble(t, func(t *testing.T, m *blob.Memory) {
		c := testConfig(m)
		c.SavepointDir, c.Dir = "", ""
		r := runJob(t, c)
		sleep(15 * time.Second)
		if _, err := r.Savepoint(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "savepoint-dir is not set") {
			t.Errorf("got %v", err)
		}
		if _, err := r.StopWithSavepoint(t.Context(), "", false); err == nil {
			t.Error("stopped without a directory")
		}
		if r.Status().Status != StatusRunning {
			t.Errorf("the job is %v", r.Status().Status)
		}
		if p, err := r.Savepoint(t.Context(), "/x"); err != nil || list(t, m, p) == "none" {
			t.Errorf("%s, %v", p, err)
		}
		r.fail(errors.New("x")) // checkpoints in memory outlive the attempt
		sleep(2 * time.Second)
		if a := r.deployed[1]; a.Restored != 1 {
			t.Errorf("went on from %d", a.Restored)
		}
		r.cancel(nil)
		r.wait()
	})
}

func TestTwoProcessesOnOneDirectory(t *testing.T) {
	bubble(t, func(t *testing.T, m *blob.Memory) {
		r := runJob(t, testConfig(m))
		sleep(time.Second)
		second := runJob(t, testConfig(m))
		second.wait()
		for _, want := range []string{"another process runs job", "process ", "on host", "clicks"} {
			if second.err == nil || !strings.Contains(second.err.Error(), want) {
				t.Errorf("%q is missing in: %v", want, second.err)
			}
		}
		r.cancel(nil)
		r.wait()
	})
}

// The disk is full while checkpoints are written: borne as configured, the error says what is full, and when there is space again nothing
// needs to be repaired (A18.4).
func TestDriverDiskFull(t *testing.T) {
	bubble(t, func(t *testing.T, m *blob.Memory) {
		disk := &blob.Faulty{Disk: m}
		c := testConfig(disk)
		c.Checkpoints.TolerableFailures = 1
		c.Restart.Type = RestartNone
		r := runJob(t, c)
		sleep(15 * time.Second)
		disk.Fail(blob.Fault{Op: blob.OpWrite, Match: "chk-2", Err: syscall.ENOSPC})
		sleep(10 * time.Second)
		if s := r.Status(); s.Status != StatusRunning || s.Stats.Failed != 1 || !strings.Contains(s.Stats.LastFailed.Cause, "no space left") {
			t.Errorf("%+v", s.Stats)
		}
		sleep(10 * time.Second)
		if s := r.Status(); s.Stats.Completed != 2 {
			t.Errorf("%+v", s.Stats)
		}
		if got := list(t, m, r.Storage().JobDir()); got != ".last-complete .last-id chk-1 chk-3" {
			t.Errorf("left: %s", got)
		}
		disk.Fail(blob.Fault{Op: blob.OpSync, Match: "chk-"})
		sleep(20 * time.Second)
		r.wait()
		if r.err == nil || !strings.Contains(r.err.Error(), "2 in a row") || r.result.Latest != r.chk(3) {
			t.Errorf("%+v, %v", r.result, r.err)
		}
	})
}

// Whether a manifest is durable is not known: the job reads back, and goes on from it.
func TestDriverManifestUnknown(t *testing.T) {
	bubble(t, func(t *testing.T, m *blob.Memory) {
		disk := &blob.Faulty{Disk: m}
		r := runJob(t, testConfig(disk))
		sleep(5 * time.Second)
		// Three files are stored, with a sync of the directory each; the third is the manifest.
		disk.Fail(blob.Fault{Op: blob.OpSyncDir, Match: "chk-1", Skip: 2, Times: 1})
		sleep(15 * time.Second)
		if len(r.deployed) != 2 || r.deployed[1].Restored != 1 {
			t.Errorf("deployed %+v", r.deployed)
		}
		r.cancel(nil)
		r.wait()
	})
}

func TestDriverRefusesAnotherJobsState(t *testing.T) {
	bubble(t, func(t *testing.T, m *blob.Memory) {
		r := runJob(t, testConfig(m))
		sleep(15 * time.Second)
		r.cancel(nil)
		r.wait()
		c := testConfig(m)
		c.Restore, c.JobName = r.chk(1), "other"
		c.Operators = c.Operators[:1]
		d, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = d.Plan(t.Context())
		var refused *RefusedError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), "counts") {
			t.Errorf("got %v", err)
		}
		c.AllowNonRestored = true
		if d, err = New(c); err != nil {
			t.Fatal(err)
		}
		if p, _, err := d.Plan(t.Context()); err != nil || len(p.Dropped) != 1 {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

// A file is damaged between a checkpoint and the restart that needs it: the job fails at once, names the file, and the older checkpoint.
func TestDriverDamageFoundByAnAttempt(t *testing.T) {
	bubble(t, func(t *testing.T, m *blob.Memory) {
		config := testConfig(m)
		config.Checkpoints.Externalized = checkpoint.NoExternalized
		r := runJob(t, config, func(c *tasks) {
			c.onDeploy = func(a Attempt) error {
				if a.Plan == nil {
					return nil
				}
				_, err := a.Open(a.Plan.Operators[1].Subtasks[0].Keyed[0].Handle)
				return err
			}
		})
		sleep(25 * time.Second)
		entries, err := m.List(r.chk(2))
		if err != nil {
			t.Fatal(err)
		}
		name := r.chk(2) + "/" + entries[1].Name
		if err := m.Damage(name, func(b []byte) []byte { b[3] ^= 1; return b }); err != nil {
			t.Fatal(err)
		}
		r.fail(errors.New("x"))
		r.wait()
		for _, want := range []string{name, "expected SHA-256", "found", "-s " + r.chk(1)} {
			if r.err == nil || !strings.Contains(r.err.Error(), want) {
				t.Errorf("%q is missing in: %v", want, r.err)
			}
		}
		if got := list(t, m, r.Storage().JobDir()); r.result.Attempts != 2 || !strings.Contains(got, "chk-1 chk-2") {
			t.Errorf("%d attempts, left: %s", r.result.Attempts, got)
		}
	})
}

// Every byte of a small checkpoint flipped, every file cut at every length and removed: found by fsck, refused by -s latest and -s PATH,
// with the file and the newest older checkpoint that is whole.
func TestEveryDamageIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T, m *blob.Memory) {
		c := testConfig(m)
		r := runJob(t, c)
		sleep(25 * time.Second)
		r.cancel(nil)
		r.wait()
		entries, err := m.List(r.chk(2))
		if err != nil || len(entries) != 3 {
			t.Fatal(entries, err)
		}
		s := blob.New(m, nil)
		cases := 0
		for _, e := range entries {
			name := r.chk(2) + "/" + e.Name
			var whole []byte
			try := func(what string, damaged []byte) {
				cases++
				if err := m.Damage(name, func([]byte) []byte { return damaged }); err != nil {
					t.Fatal(err)
				}
				report, err := fsck(s, r.chk(2))
				if (err == nil && report.Whole()) || !strings.Contains(fmt.Sprint(err, report.Err()), name) {
					t.Fatalf("%s: %s is whole, or not named: %v, %v", what, name, err, report.Err())
				}
				for _, from := range []string{Latest, r.chk(2)} {
					_, err := r.Storage().Choose(t.Context(), from)
					if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "-s "+r.chk(1)) {
						t.Fatalf("%s, -s %s: %v", what, from, err)
					}
				}
			}
			_ = m.Damage(name, func(b []byte) []byte { whole = append([]byte(nil), b...); return b })
			for i := range whole {
				b := append([]byte(nil), whole...)
				b[i] ^= 1 << (i % 8)
				try(fmt.Sprintf("byte %d", i), b)
				try(fmt.Sprintf("cut to %d", i), append([]byte{}, whole[:i]...))
			}
			try("whole again?", append(append([]byte(nil), whole...), 'x'))
			if err := m.Damage(name, func([]byte) []byte { return whole }); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%d ways to damage", cases)
		if chosen, err := r.Storage().Choose(t.Context(), Latest); err != nil || chosen.Manifest.ID != 2 {
			t.Errorf("undamaged again: %v", err)
		}
	})
}

func TestFsckListsEverything(t *testing.T) {
	bubble(t, func(t *testing.T, m *blob.Memory) {
		r := runJob(t, testConfig(m))
		sleep(15 * time.Second)
		r.cancel(nil)
		r.wait()
		entries, err := m.List(r.chk(1))
		if err != nil {
			t.Fatal(err)
		}
		s := blob.New(m, nil)
		report, err := fsck(s, r.chk(1)+"/_metadata", func(checkpoint.Handle, blob.Content) error { return nil })
		if err != nil || !report.Whole() || report.Files != 2 || report.Bytes != 32 || len(report.Litter) > 0 {
			t.Errorf("%+v, %v", report, err)
		}
		bad := func(checkpoint.Handle, blob.Content) error { return errors.New("segment 3") }
		if report, err = fsck(s, r.chk(1), bad); len(report.Damage) != 2 {
			t.Errorf("%+v, %v", report, err)
		}
		_ = m.Damage(r.chk(1)+"/"+entries[1].Name, func(b []byte) []byte { return b[1:] })
		_ = m.Damage(r.chk(1)+"/"+entries[2].Name, func(b []byte) []byte { return nil })
		f, err := m.Create(r.chk(1) + "/forgotten")
		if err != nil {
			t.Fatal(err, f)
		}
		report, err = fsck(s, r.chk(1))
		if err != nil || len(report.Damage) != 2 || fmt.Sprint(report.Litter) != "["+r.chk(1)+"/forgotten]" {
			t.Errorf("%+v, %v", report, err)
		}
		for _, want := range []string{"expected 16 bytes, found 15", "no file", `keyed state of "counts", subtask 1 of 2`} {
			if !strings.Contains(report.Err().Error(), want) {
				t.Errorf("%q is missing in: %v", want, report.Err())
			}
		}
		if _, err := fsck(s, "/nowhere"); err == nil || !strings.Contains(err.Error(), "no checkpoint or savepoint") {
			t.Errorf("got %v", err)
		}
	})
}

// What a crash has left goes at the next start.
func TestDriverCleansUp(t *testing.T) {
	bubble(t, func(t *testing.T, m *blob.Memory) {
		r := runJob(t, testConfig(m))
		sleep(15 * time.Second)
		r.cancel(ErrSuspend)
		r.wait()
		s := blob.New(m, nil)
		if err := s.MakeDir(r.chk(7)); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{r.chk(7) + "/task-1", r.chk(1) + "/.part-x"} {
			if _, err := m.Create(name); err != nil {
				t.Fatal(err)
			}
		}
		r = runJob(t, testConfig(m))
		sleep(11 * time.Second)
		if got := list(t, m, r.Storage().JobDir()); got != ".last-complete .last-id chk-1 chk-8" {
			t.Errorf("left: %s", got)
		}
		if got := list(t, m, r.chk(1)); strings.Contains(got, ".part") {
			t.Errorf("left: %s", got)
		}
		r.cancel(nil)
		r.wait()
	})
}

func TestNewSaysAllThatIsWrong(t *testing.T) {
	c := testConfig(blob.NewMemory())
	c.JobID, c.Checkpoints.NumRetained, c.Restart.Type = "xyz", 0, "sometimes"
	_, err := New(c)
	for _, want := range []string{"xyz", "num-retained", "sometimes"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
	c = testConfig(blob.NewMemory())
	c.Dir = "s3://bucket/x"
	if _, err := New(c); err == nil || !strings.Contains(err.Error(), "storage on s3: is not supported yet") {
		t.Errorf("got %v", err)
	}
	if p, err := localPath("file:///a/b"); p != "/a/b" || err != nil {
		t.Errorf("%s, %v", p, err)
	}
}

// The power is cut after every operation on the disk: what the tasks were told is complete is there when the job comes back, whole, and no
// id is used twice (S12-S14, goal C8).
func TestDriverPowerCutAtEveryOperation(t *testing.T) {
	total := 1
	for k := 1; k <= total; k++ {
		bubble(t, func(t *testing.T, m *blob.Memory) {
			disk := &blob.Faulty{Disk: m, CrashAfter: k}
			r := runJob(t, testConfig(disk))
			sleep(35 * time.Second)
			r.cancel(ErrSuspend)
			r.wait()
			if disk.Ops() >= k {
				total = max(total, min(disk.Ops(), k+1))
			}
			told := checkpoint.None
			for _, id := range r.completed {
				told = max(told, id)
			}
			m.Crash(rand.New(rand.NewPCG(uint64(k), 5)))
			r = runJob(t, testConfig(m))
			sleep(15 * time.Second)
			if len(r.deployed) == 0 {
				t.Fatalf("cut after %d operations: did not come back: %v", k, r.err)
			}
			if from := r.deployed[0].Restored; from < told {
				t.Errorf("cut after %d operations: the tasks were told of %d, the job came back from %d", k, told, from)
			}
			if len(r.completed) == 0 || r.completed[0] <= told {
				t.Errorf("cut after %d operations: told of %d, then of %v", k, told, r.completed)
			}
			r.cancel(nil)
			r.wait()
		})
	}
	t.Logf("%d moments", total)
	if total < 100 {
		t.Errorf("only %d operations were tried", total)
	}
}

// On a real disk, with real files.
func TestDriverOnDisk(t *testing.T) {
	dir := t.TempDir()
	c := testConfig(nil)
	c.Disk, c.Dir, c.SavepointDir = nil, dir, dir+"/sp"
	c.Checkpoints.Interval = 10 * time.Millisecond
	r := runJob(t, c)
	for r.Status().Status != StatusRunning {
		runtime.Gosched()
	}
	for r.Status().Stats.Completed < 3 {
		if _, err := r.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	p, err := r.StopWithSavepoint(t.Context(), "", false)
	if err != nil {
		t.Fatal(err)
	}
	r.wait()
	if report, err := Fsck(p); err != nil || !report.Whole() || len(report.Litter) > 0 {
		t.Errorf("%+v, %v", report, err)
	}
}
