//go:build unix

package taskmanager

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

const testJob = "0123456789abcdef0123456789abcdef"

// leave makes what a killed process leaves: a directory with files, and a lock file that nobody holds.
func leave(t *testing.T, dir, attempt string) string {
	t.Helper()
	s, err := newScratch(dir, testJob, attempt)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "000001.sst"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.unlock(); err != nil { // as the end of the process does
		t.Fatal(err)
	}
	return s.dir
}

func TestScratchOfTheDeadIsRemoved(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "flott-of-somebody-else")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	alive, err := newScratch(dir, testJob, "alive-1")
	if err != nil {
		t.Fatal(err)
	}
	dead := leave(t, dir, "dead-1")
	if err := sweepScratch(dir, testJob, "next-1"); err != nil {
		t.Fatal(err)
	}
	next, err := newScratch(dir, testJob, "next-1")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{dead: false, dead + lockSuffix: false, alive.dir: true, next.dir: true, other: true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: there is %v, want %v", path, err == nil, want)
		}
	}
	if err := alive.close(); err != nil {
		t.Error(err)
	}
	if err := next.close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%d entries are left, want the one that is not ours", len(left))
	}
}

// Attempts that begin at the same time never take one another for dead.
func TestScratchOfTheLivingStays(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 50 {
				attempt := fmt.Sprintf("%d-%d", i, n)
				err := sweepScratch(dir, testJob, attempt)
				if err != nil {
					t.Error(err)
					return
				}
				s, err := newScratch(dir, testJob, attempt)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := os.Stat(s.dir); err != nil {
					t.Errorf("the directory of a living attempt is gone: %v", err)
				}
				if err := s.close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%d entries are left", len(left))
	}
}
