package jobmanager

import (
	"path"
	"strings"
	"testing"
	"time"

	"github.com/flottio/flott/internal/blob"
)

// TestManifestGone takes the manifest of the newest checkpoint away, or all of it (K6): that is no crash before it was complete, and going back to
// the one before would repeat what it has committed without a word. By name the older one can be gone on from.
func TestManifestGone(t *testing.T) {
	for _, all := range []bool{false, true} {
		bubble(t, func(t *testing.T, m *blob.Memory) {
			r := runJob(t, testConfig(m))
			sleep(25 * time.Second) // checkpoints 1 and 2
			r.cancel(ErrSuspend)
			r.wait()
			newest, older := r.chk(2), r.chk(1)
			if err := m.Remove(path.Join(newest, blob.ManifestName)); err != nil {
				t.Fatal(err)
			}
			if all {
				if err := blob.New(m, nil).Delete(newest, nil); err != nil {
					t.Fatal(err)
				}
			}
			r = runJob(t, testConfig(m))
			r.wait()
			if r.err == nil {
				t.Fatal("the job went on without a word")
			}
			for _, part := range []string{newest, "expected " + newest + "/_metadata", "start with -s " + older} {
				if !strings.Contains(r.err.Error(), part) {
					t.Errorf("the message lacks %q: %v", part, r.err)
				}
			}
			c := testConfig(m)
			c.Restore = older
			r = runJob(t, c)
			sleep(15 * time.Second)
			r.cancel(ErrSuspend)
			r.wait()
			r = runJob(t, testConfig(m)) // from checkpoint 3
			sleep(time.Second)
			r.cancel(nil)
			r.wait()
			if r.err != nil || r.deployed[0].Restored != 3 {
				t.Errorf("the job that was started from the older one cannot go on: %v", r.err)
			}
		})
	}
}

// TestManifestGoneBeforeItsNote is the same when the process was killed between the manifest and the note of it, and the next one has gone on
// from there, and so committed what the checkpoint holds.
func TestManifestGoneBeforeItsNote(t *testing.T) {
	bubble(t, func(t *testing.T, m *blob.Memory) {
		r := runJob(t, testConfig(m))
		sleep(25 * time.Second) // checkpoints 1 and 2
		r.cancel(ErrSuspend)
		r.wait()
		s := blob.New(m, nil)
		if err := s.Note(r.Storage().JobDir(), lastCompleteName, []byte("1\n")); err != nil {
			t.Fatal(err)
		}
		r = runJob(t, testConfig(m))
		sleep(time.Second)
		if len(r.deployed) != 1 || r.deployed[0].Restored != 2 {
			t.Fatalf("deployed %+v", r.deployed)
		}
		r.cancel(ErrSuspend)
		r.wait()
		if err := m.Remove(path.Join(r.chk(2), blob.ManifestName)); err != nil {
			t.Fatal(err)
		}
		r = runJob(t, testConfig(m))
		r.wait()
		if r.err == nil || !strings.Contains(r.err.Error(), "start with -s "+r.chk(1)) {
			t.Fatalf("the job went on without a word: %v", r.err)
		}
	})
}
