package file

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/flottio/flott"
)

// mounted mounts a file system of sizeBytes in memory. Where that needs rights that this user does not have, the same errors are
// tested on the disk in memory (TestFailingDisk, TestCheckSink), which says so.
func mounted(t *testing.T, options string, flags uintptr) (dir string, ok bool) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", flags, options); err != nil {
		t.Logf("no right to mount (%v): TestFailingDisk and TestCheckSink cover the same errors without a real file system", err)
		return dir, false
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir, true
}

func TestDiskFullForReal(t *testing.T) {
	dir, ok := mounted(t, "size=256k", 0)
	if !ok {
		TestFailingDisk(t)
		return
	}
	s := newTestSink(t, dir)
	if err := errors.Join(s.sink.Check(), s.recovered(flott.Recovery{})); err != nil {
		t.Fatal(err)
	}
	s.open()
	s.write("first")
	p := s.checkpoint(flott.Preparation{Checkpoint: 1})
	s.commit(p.Committables)
	var err error
	for range 10 {
		if err = s.w.Write(batch(strings.Repeat("x", 100<<10))); err != nil {
			break
		}
	}
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), dir+"/.part-0-") || !strings.Contains(err.Error(), "free space there") {
		t.Fatalf("error %v", err)
	}
	// Once the attempt is over its file is gone, and the next one goes on by itself.
	s.w.Close()
	want(t, dir, 0, "part-0-*: first|")
	s.ctx.attempt = "2"
	if err := s.recovered(flott.Recovery{Restored: true, Committables: p.Committables}); err != nil {
		t.Fatal(err)
	}
	s.open()
	s.write("second")
	p = s.checkpoint(flott.Preparation{Checkpoint: 2, Last: true})
	s.commit(p.Committables)
	s.w.Close()
	if got, hidden := content(t, dir); len(got) != 2 || hidden != 0 {
		t.Errorf("finished %q, %d hidden", got, hidden)
	}
}

func TestReadOnlyForReal(t *testing.T) {
	dir, ok := mounted(t, "size=256k", syscall.MS_RDONLY)
	if !ok {
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{dir, dir + "/sub/dir"} {
		err := Sink(d, lineFormat{}).Check()
		if err == nil || !strings.Contains(err.Error(), dir) || !errors.Is(err, syscall.EROFS) && !errors.Is(err, syscall.EACCES) {
			t.Errorf("%s: Check says %v", d, err)
		}
		s := newTestSink(t, d)
		if err := s.recovered(flott.Recovery{}); err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: Recover says %v", d, err)
		}
	}
}
