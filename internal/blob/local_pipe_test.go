//go:build linux

package blob

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestPipe puts a pipe in the place of a manifest and of a state file (K7): they are refused by name, and nobody waits for a writer.
func TestPipe(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{ManifestName, "task-0"} {
		if err := unix.Mkfifo(filepath.Join(dir, name), 0o600); err != nil {
			t.Skip(err)
		}
	}
	s := New(Local{}, nil)
	if _, _, err := s.Manifest(dir); err == nil || !strings.Contains(err.Error(), ManifestName+": expected a file, found a pipe") {
		t.Errorf("manifest: %v", err)
	}
	if err := s.Verify(dir, Handle{Path: "task-0", Length: 1}); err == nil || !strings.Contains(err.Error(), "task-0: expected a file, found a pipe") {
		t.Errorf("state: %v", err)
	}
}
