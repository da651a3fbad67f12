package pebblestate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

func TestStoreReadsItsWrites(t *testing.T) {
	s, err := OpenWith("d", Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		if err := s.Set(fmt.Appendf(nil, "k%04d", i), fmt.Appendf(nil, "v%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Delete([]byte("k0007")); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteRange([]byte("k0100"), []byte("k0200")); err != nil {
		t.Fatal(err)
	}
	snap, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Set([]byte("k0007"), []byte("late"))
	if v, ok, err := s.Get([]byte("k0007"), []byte("x")); string(v) != "xlate" || !ok || err != nil {
		t.Fatal(v, ok, err)
	}
	if _, ok, _ := s.Get([]byte("k0150"), nil); ok {
		t.Fatal("deleted in a range, still there")
	}
	it, err := snap.Iterate([]byte("k"), []byte("l"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for ; it.Next(); n++ {
		if string(it.Key()) == "k0007" {
			t.Fatal("the snapshot sees what came later, or what was deleted")
		}
	}
	if err := errors.Join(it.Close(), snap.Close()); n != 899 || err != nil {
		t.Fatal(n, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpenWipesItsOwnFolderOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s, err := Open(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Set([]byte("k"), []byte("v"))
	if err := errors.Join(s.batch.Close(), s.db.Close()); err != nil { // as if the process had been killed
		t.Fatal(err)
	}
	s.cache.Unref()
	s, err = Open(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.Get([]byte("k"), nil); ok || err != nil {
		t.Fatal("state of another life", ok, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Fatal("the folder is still there:", err)
	}
	other := t.TempDir()
	precious := filepath.Join(other, "precious")
	_ = os.WriteFile(precious, []byte("x"), 0o600)
	if _, err := Open(other, 0); err == nil || !strings.Contains(err.Error(), "not Flott's") {
		t.Fatal("a foreign folder must be refused:", err)
	}
	if _, err := os.Stat(precious); err != nil {
		t.Fatal(err)
	}
}

// A full disk: writes fail in the background, while the task goes on writing. It must get an error, within bounded memory, and Close
// must end.
func TestFullDiskIsAnError(t *testing.T) {
	full := make(chan struct{})
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		select {
		case <-full:
			if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && op.Kind != errorfs.OpRemove && op.Kind != errorfs.OpRemoveAll {
				return syscall.ENOSPC
			}
		default:
		}
		return nil
	}))
	s, err := OpenWith("d", Options{MemoryBytes: 4 << 20, FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	close(full)
	val := make([]byte, 1000)
	for i := 0; err == nil; i++ {
		if i > 100_000 {
			t.Fatal("100 MB written to a full disk without an error")
		}
		err = s.Set(fmt.Appendf(nil, "key%d", i), val)
	}
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "local state in d") {
		t.Fatal(err)
	}
	_ = s.Close()
}
