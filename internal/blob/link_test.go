package blob

import (
	"os"
	"path/filepath"
	"testing"
)

// Nothing outside of a checkpoint's own directory is deleted: not behind a link in it, not behind a link in its place.
func TestDeletingStaysInItsDirectory(t *testing.T) {
	s := New(Local{}, nil)
	for name, remove := range map[string]func(dir string) error{
		"delete":  func(dir string) error { return s.Delete(dir, nil) },
		"discard": s.Discard,
		"sweep":   func(dir string) error { _, err := s.Sweep(filepath.Dir(dir), Keep{}); return err },
	} {
		root := t.TempDir()
		precious, job := filepath.Join(root, "precious"), filepath.Join(root, "job")
		dir, moved := CheckpointDir(job, 1), CheckpointDir(job, 2)
		for _, d := range []string{precious, dir} {
			if err := os.MkdirAll(d, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		file := filepath.Join(precious, "state")
		if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		for from, to := range map[string]string{filepath.Join(dir, "file"): file, filepath.Join(dir, "files"): precious, moved: precious} {
			if err := os.Symlink(to, from); err != nil {
				t.Fatal(err)
			}
		}
		if err := remove(dir); err != nil && name != "sweep" { // which says that it leaves the link alone
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Lstat(dir); !os.IsNotExist(err) {
			t.Errorf("%s: the directory is still there: %v", name, err)
		}
		err := remove(moved)
		if _, lerr := os.Lstat(moved); lerr != nil || err == nil {
			t.Errorf("%s of a link: %v, %v", name, err, lerr)
		}
		if text, err := os.ReadFile(file); string(text) != "mine" {
			t.Errorf("%s has reached what is outside: %v", name, err)
		}
	}
}
