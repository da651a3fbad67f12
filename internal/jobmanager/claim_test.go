package jobmanager

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/flottio/flott/internal/blob"
	"github.com/flottio/flott/internal/checkpoint"
)

// savepointOf runs a job of its own until it has a savepoint, and returns that.
func savepointOf(t *testing.T, m *blob.Memory) string {
	t.Helper()
	c := testConfig(m)
	c.JobName, c.Dir = "old", "/old"
	r := runJob(t, c)
	sleep(5 * time.Second)
	dir, err := r.Savepoint(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	r.cancel(nil)
	r.wait()
	return dir
}

func put(t *testing.T, m *blob.Memory, name string) {
	t.Helper()
	f, err := m.Create(name)
	if err == nil {
		_, err = io.WriteString(f, "mine")
	}
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func claiming(m *blob.Memory, from string) Config {
	c := testConfig(m)
	c.Restore, c.Claim = from, true
	c.Checkpoints.NumRetained = 1
	return c
}

// A claimed snapshot is the job's: it goes when a newer checkpoint has replaced it, and nothing but it (A15.5).
func TestClaimedSnapshotIsDeletedWhenReplaced(t *testing.T) {
	bubble(t, func(t *testing.T, m *blob.Memory) {
		sp := savepointOf(t, m)
		put(t, m, sp+"/notes.txt")
		r := runJob(t, claiming(m, sp))
		sleep(5 * time.Second)
		if got := list(t, m, sp); !strings.Contains(got, blob.ManifestName) || !strings.Contains(got, blob.ClaimName) {
			t.Errorf("before the first checkpoint: %s", got)
		}
		if rep, err := fsck(blob.New(m, nil), sp); err != nil || !rep.Whole() || len(rep.Litter) != 1 {
			t.Errorf("%+v, %v", rep, err)
		}
		r.fail(errors.New("before the first checkpoint")) // and goes on from the claimed one
		sleep(20 * time.Second)
		if n := len(r.deployed); n != 2 || r.deployed[1].Dir != sp {
			t.Errorf("%d attempts, %+v", n, r.deployed)
		}
		if got := list(t, m, sp); got != "notes.txt" {
			t.Errorf("after it: %s", got)
		}
		r.cancel(nil)
		r.wait()
		if r.err != nil {
			t.Error(r.err)
		}
	})
}

// One that is not claimed stays whatever happens, also when it has been subsumed (NO_CLAIM).
func TestUnclaimedSnapshotStays(t *testing.T) {
	bubble(t, func(t *testing.T, m *blob.Memory) {
		sp := savepointOf(t, m)
		before := list(t, m, sp)
		c := claiming(m, sp)
		c.Claim = false
		c.Checkpoints.Externalized = checkpoint.NoExternalized
		r := runJob(t, c)
		sleep(40 * time.Second)
		r.drain()
		r.wait()
		if got := list(t, m, sp); got != before || r.err != nil {
			t.Errorf("%s, want %s; %v", got, before, r.err)
		}
	})
}

// Cancelled before it has a checkpoint of its own, the job leaves what it has claimed, whatever the retention says: there is nothing else.
func TestClaimedSnapshotOutlivesACancelThatComesTooEarly(t *testing.T) {
	bubble(t, func(t *testing.T, m *blob.Memory) {
		sp := savepointOf(t, m)
		c := claiming(m, sp)
		c.Checkpoints.Externalized = checkpoint.NoExternalized
		r := runJob(t, c)
		sleep(5 * time.Second)
		r.cancel(nil)
		r.wait()
		if got := list(t, m, sp); !strings.Contains(got, blob.ManifestName) || r.result.Latest != sp {
			t.Errorf("%s, %+v", got, r.result)
		}
	})
}

// Two jobs never own one snapshot, and none takes a checkpoint away from a job that runs (A15.5).
func TestClaimIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T, m *blob.Memory) {
		refused := func(c Config, want string) {
			t.Helper()
			r := runJob(t, c)
			r.wait()
			if r.err == nil || !strings.Contains(r.err.Error(), want) || len(r.deployed) > 0 {
				t.Errorf("%v, want %s", r.err, want)
			}
		}
		sp := savepointOf(t, m)
		first := runJob(t, claiming(m, sp))
		sleep(5 * time.Second)
		other := claiming(m, sp)
		other.JobName = "other"
		refused(other, "job "+DefaultJobID("clicks")+" has claimed it already")
		sleep(10 * time.Second)
		other.Restore = first.chk(int64(first.Status().Stats.LastCompleted.ID))
		refused(other, "the job that it belongs to still runs")
		first.cancel(nil)
		first.wait()
		c := claiming(m, sp)
		c.Dir = ""
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), "CLAIM needs execution.checkpointing.dir") {
			t.Error(err)
		}
	})
}

// Who does not claim what somebody else has is told.
func TestRestoringWhatIsClaimedIsSaid(t *testing.T) {
	bubble(t, func(t *testing.T, m *blob.Memory) {
		sp := savepointOf(t, m)
		if holder, err := blob.New(m, nil).Claim(sp, "0123"); err != nil || holder != "0123" {
			t.Fatal(holder, err)
		}
		c := testConfig(m)
		c.Restore = sp
		d, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		_, note, err := d.Plan(t.Context())
		if err != nil || !strings.Contains(note, "job 0123 has claimed") {
			t.Errorf("%q, %v", note, err)
		}
	})
}

// Verifying may take as long as reading all of the state: who does not want to wait for it need not.
func TestVerifyingEndsWithItsContext(t *testing.T) {
	bubble(t, func(t *testing.T, m *blob.Memory) {
		sp := savepointOf(t, m)
		for _, from := range []string{sp, Latest} {
			c := testConfig(m)
			c.JobName, c.Dir, c.Restore = "old", "/old", from
			d, err := New(c)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(errors.New("enough"))
			_, _, err = d.Plan(ctx)
			if from == sp && (err == nil || !strings.Contains(err.Error(), "stopped after 0 of 2 files: enough")) {
				t.Errorf("%s: %v", from, err)
			}
		}
		c := testConfig(m)
		c.Restore = sp
		d, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(ErrSuspend)
		if r, err := d.Run(ctx, nil); err != nil || r.Terminal != checkpoint.Suspended {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

// What cannot be deleted is tried a few times, counted, said once, and tried again later (A15.8 ✗ FLINK-26450).
func TestUndeletedCheckpointsAreTriedAgain(t *testing.T) {
	bubble(t, func(t *testing.T, m *blob.Memory) {
		disk := &blob.Faulty{Disk: m}
		var log bytes.Buffer
		c := testConfig(disk)
		c.Log, c.Checkpoints.NumRetained = slog.New(slog.NewTextHandler(&log, nil)), 1
		disk.Fail(blob.Fault{Op: blob.OpRemove, Match: blob.ManifestName, Err: errors.New("read-only")})
		r := runJob(t, c)
		sleep(55 * time.Second)
		if got := list(t, m, r.Storage().JobDir()); !strings.Contains(got, "chk-1 chk-2 chk-3 chk-4 chk-5") {
			t.Errorf("while nothing can be deleted: %s", got)
		}
		if s := r.Status().Stats; s.Completed != 5 || s.FailedDeletes != 4 || strings.Count(log.String(), "could not be deleted;") != 1 {
			t.Errorf("%+v; said %d times", s, strings.Count(log.String(), "could not be deleted;"))
		}
		disk.Heal()
		sleep(10 * time.Second)
		if got := list(t, m, r.Storage().JobDir()); strings.Count(got, "chk-") != 1 || !strings.Contains(got, "chk-6") {
			t.Errorf("afterwards: %s", got)
		}
		if strings.Count(log.String(), "could not be deleted before") != 1 {
			t.Error("that it is over was not said")
		}
		r.cancel(nil)
		r.wait()
	})
}
