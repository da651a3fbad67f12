package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// counter returns names that do not repeat, the same in every run.
func counter() func() string {
	n := 0
	return func() string { n++; return fmt.Sprintf("u%d", n) }
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// disks runs a test on every disk that is supposed to work.
func disks(t *testing.T, f func(t *testing.T, d Disk, root string)) {
	t.Run("local", func(t *testing.T) { f(t, Local{}, t.TempDir()) })
	t.Run("memory", func(t *testing.T) { f(t, NewMemory(), "/data") })
	t.Run("faulty", func(t *testing.T) { f(t, &Faulty{Disk: NewMemory()}, "data") })
}

func store(t *testing.T, s *Store, dir string, contents ...string) []Handle {
	t.Helper()
	must(t, s.MakeDir(dir))
	var handles []Handle
	for i, c := range contents {
		h, err := s.Write(t.Context(), dir, fmt.Sprintf("task-%d", i), text(c))
		must(t, err)
		handles = append(handles, h)
	}
	return handles
}

func TestStoreWritesReadsListsDeletes(t *testing.T) {
	disks(t, func(t *testing.T, d Disk, root string) {
		s := New(d, nil)
		job := JobDir(root, strings.Repeat("ab", 16))
		one, ten := CheckpointDir(job, 1), CheckpointDir(job, 10)
		h := store(t, s, one, "hello", "")
		must(t, s.Publish(one, []byte("manifest one")))
		store(t, s, ten, "x")
		store(t, s, CheckpointDir(job, 2))
		must(t, s.Publish(ten, []byte("manifest ten")))
		if h[0].Path == h[1].Path || h[0].Length != 5 || h[1].Length != 0 {
			t.Errorf("handles %+v", h)
		}
		for _, h := range h {
			must(t, s.Verify(one, h))
		}
		r, err := s.Open(one, h[0])
		must(t, err)
		got, err := io.ReadAll(r)
		must(t, errors.Join(err, r.Close()))
		if string(got) != "hello" {
			t.Errorf("read %q", got)
		}
		c, err := s.OpenAt(one, h[0])
		must(t, err)
		b := make([]byte, 2)
		_, err = c.ReadAt(b, 3)
		must(t, errors.Join(err, c.Close()))
		if string(b) != "lo" {
			t.Errorf("read %q at 3", b)
		}
		if err := s.Publish(one, nil); err == nil || errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "exists") {
			t.Errorf("publishing twice: %v", err)
		}
		for _, at := range []string{one, one + "/_metadata", one + "/"} {
			dir, data, err := s.Manifest(at)
			if err != nil || dir != one || string(data) != "manifest one" {
				t.Errorf("manifest at %s: %s, %q, %v", at, dir, data, err)
			}
		}
		found, err := s.Checkpoints(job)
		must(t, err)
		if got, want := fmt.Sprint(found), fmt.Sprintf("[{1 %s true} {2 %s false} {10 %s true}]", one, CheckpointDir(job, 2), ten); got != want {
			t.Errorf("found %s, want %s", got, want)
		}
		must(t, s.Delete(one, nil))
		must(t, s.Delete(one, nil)) // again: nothing there is no error
		removed, err := s.Sweep(job, Keep{})
		must(t, err)
		if !slices.Equal(removed, []string{CheckpointDir(job, 2)}) {
			t.Errorf("swept %v", removed)
		}
		found, err = s.Checkpoints(job)
		if must(t, err); len(found) != 1 || found[0].ID != 10 {
			t.Errorf("left: %v", found)
		}
		if found, err := s.Checkpoints(job + "x"); err != nil || found != nil {
			t.Errorf("no directory: %v, %v", found, err)
		}
	})
}

func TestLockIsExclusiveAndNamesTheHolder(t *testing.T) {
	disks(t, func(t *testing.T, d Disk, root string) {
		s := New(d, nil)
		release, err := s.Lock(root+"/job", "pid 12 on host a")
		must(t, err)
		_, err = s.Lock(root+"/job", "pid 13")
		var locked *LockedError
		if !errors.As(err, &locked) || locked.Owner != "pid 12 on host a" {
			t.Errorf("second lock: %v", err)
		}
		must(t, release())
		release, err = s.Lock(root+"/job", "pid 13")
		must(t, err)
		must(t, release())
	})
}

func TestWriteStopsWhenCancelled(t *testing.T) {
	s := New(NewMemory(), counter())
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("attempt is over"))
	must(t, s.MakeDir("/d"))
	if _, err := s.Write(ctx, "/d", "f", text("x")); err == nil || !strings.Contains(err.Error(), "attempt is over") {
		t.Errorf("write after cancel: %v", err)
	}
	if files, _ := s.Files("/d"); len(files) > 0 {
		t.Errorf("left %v", files)
	}
}

// Every operation of a publication fails once: either the error says that nothing is there, and then nothing is, or it is ErrUnknown.
func TestPublishEveryFault(t *testing.T) {
	for _, op := range []Op{OpCreate, OpWrite, OpSync, OpClose, OpRename, OpOpen, OpSyncDir} {
		for _, short := range []bool{false, true} {
			d := &Faulty{Disk: NewMemory()}
			s := New(d, counter())
			must(t, s.MakeDir("/job/chk-1"))
			d.Fail(Fault{Op: op, Match: "/job/chk-1", Times: 1, Short: short})
			err := s.Publish("/job/chk-1", []byte("manifest"))
			if err == nil {
				t.Fatalf("%s: no error", op)
			}
			if unknown := errors.Is(err, ErrUnknown); unknown != (op == OpSyncDir) {
				t.Errorf("%s: unknown = %v: %v", op, unknown, err)
			}
			files, lerr := s.Files("/job/chk-1")
			must(t, lerr)
			if op != OpSyncDir && len(files) > 0 {
				t.Errorf("%s: left %v", op, files)
			}
			if !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "/job/chk-1") {
				t.Errorf("%s: %v", op, err)
			}
		}
	}
}

// A rename that happened although it reported an error.
func TestPublishRenameReplyLost(t *testing.T) {
	d := &renames{Memory: NewMemory()}
	s := New(d, counter())
	must(t, s.MakeDir("/d"))
	if err := s.Publish("/d", []byte("m")); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v, want ErrUnknown", err)
	}
}

type renames struct{ *Memory }

func (d *renames) Rename(from, to string) error {
	return errors.Join(d.Memory.Rename(from, to), syscall.EIO)
}

func TestDiskFull(t *testing.T) {
	d := &Faulty{Disk: NewMemory(), SpaceBytes: 100}
	s := New(d, counter())
	must(t, s.MakeDir("/d"))
	_, err := s.Write(t.Context(), "/d", "state", text(strings.Repeat("x", 130)))
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"/d/", "disk is full", "30 more bytes", "after 100 bytes"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
	if files, _ := s.Files("/d"); len(files) > 0 {
		t.Errorf("left %v", files)
	}
}

func TestExplainPermission(t *testing.T) {
	err := explain(&fs.PathError{Op: "open", Path: "/data/x", Err: syscall.EACCES}, "/data/x", 0)
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), fmt.Sprintf("user %d", os.Getuid())) ||
		!strings.Contains(err.Error(), "directory /data") {
		t.Error(err)
	}
	if err := explain(syscall.ENOSPC, filepath.Join(t.TempDir(), "not", "there"), 5); !strings.Contains(err.Error(), "bytes free") {
		t.Error(err)
	}
}

// Every byte flipped, every length, no file: all found, with the path, what was expected and what was found.
func TestDamageIsFound(t *testing.T) {
	content := "all of this state was acknowledged"
	check := func(what string, damage func([]byte) []byte) {
		m := NewMemory()
		s := New(m, counter())
		h := store(t, s, "/d", content)[0]
		must(t, m.Damage("/d/"+h.Path, damage))
		err := s.Verify("/d", h)
		var d *DamageError
		if !errors.As(err, &d) || d.Path != "/d/"+h.Path || d.Expected == "" || d.Found == "" {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := s.OpenAt("/d", h); err == nil {
			t.Errorf("%s: opened", what)
		}
	}
	for i := range content {
		check(fmt.Sprintf("byte %d flipped", i), func(b []byte) []byte { b[i] ^= 1 << (i % 8); return b })
		check(fmt.Sprintf("cut to %d", i), func(b []byte) []byte { return b[:i] })
	}
	check("longer", func(b []byte) []byte { return append(b, 0) })
	check("removed", func(b []byte) []byte { return nil })
}

func TestPathsOutsideAreRefused(t *testing.T) {
	for _, p := range []string{"", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", ".."} {
		if _, err := ResolvePath("/d", p); err == nil {
			t.Errorf("%q was accepted", p)
		}
	}
}

// A deletion that fails on the way removes the manifest first, reports, and can be taken up again.
func TestDeleteGoesOnAfterAFailure(t *testing.T) {
	d := &Faulty{Disk: NewMemory()}
	s := New(d, counter())
	store(t, s, "/job/chk-1", "a", "b", "c")
	must(t, s.Publish("/job/chk-1", []byte("m")))
	d.Fail(Fault{Op: OpRemove, Match: "task-1", Times: 1, Err: syscall.EACCES})
	if err := s.Delete("/job/chk-1", nil); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v", err)
	}
	if found, err := s.Checkpoints("/job"); err != nil || len(found) != 1 || found[0].Complete {
		t.Errorf("found %v, %v", found, err)
	}
	must(t, s.Delete("/job/chk-1", nil))
	if found, err := s.Checkpoints("/job"); err != nil || len(found) != 0 {
		t.Errorf("found %v, %v", found, err)
	}
}

func TestSweepLeavesWhatIsLive(t *testing.T) {
	m := NewMemory()
	s := New(m, counter())
	h := store(t, s, "/job/chk-1", "needed by 3", "not needed")
	store(t, s, "/job/chk-2", "pending")
	store(t, s, "/job/chk-3", "x")
	must(t, s.Publish("/job/chk-3", []byte("m")))
	f, err := m.Create("/job/chk-3/.part-left")
	must(t, errors.Join(err, f.Close()))
	needed := "/job/chk-1/" + h[0].Path
	removed, err := s.Sweep("/job", Keep{
		Live:    func(name string) bool { return name == needed },
		Pending: func(id int64) bool { return id == 2 },
	})
	must(t, err)
	if want := []string{"/job/chk-1", "/job/chk-3/.part-left"}; !slices.Equal(removed, want) {
		t.Errorf("removed %v, want %v", removed, want)
	}
	must(t, s.Verify("/job/chk-1", h[0]))
	if s.Verify("/job/chk-1", h[1]) == nil {
		t.Error("what nobody needs was left")
	}
	if files, err := s.Files("/job/chk-2"); err != nil || len(files) != 1 {
		t.Errorf("pending: %v, %v", files, err)
	}
}

// The power is cut after every operation, what was not synced is lost in many ways: a manifest that is there means that all of it
// is there, a publication that returned is there, and after the sweep nothing else is (S12-S14, goal C8).
func TestPowerCutAtEveryOperation(t *testing.T) {
	total := 1
	for k := 1; k <= total; k++ {
		for seed := range uint64(20) {
			rng := rand.New(rand.NewPCG(seed, uint64(k)))
			m := NewMemory()
			d := &Faulty{Disk: m, CrashAfter: k}
			l := &life{handles: map[int64][]Handle{}, published: map[int64]bool{}, deleted: map[int64]bool{}}
			l.run(New(d, counter()))
			if d.Ops() < k {
				total = d.Ops()
			} else if k == total {
				total++
			}
			m.Crash(rng)
			if err := l.verify(New(m, counter())); err != nil {
				t.Fatalf("power cut after %d operations, seed %d: %v", k, seed, err)
			}
		}
	}
	if total < 60 {
		t.Errorf("only %d operations were tried", total)
	}
	t.Logf("%d moments", total)
}

// life is a job's storage over three checkpoints.
type life struct {
	handles            map[int64][]Handle
	published, deleted map[int64]bool
}

func (l *life) run(s *Store) {
	for id := int64(1); id <= 3; id++ {
		dir := CheckpointDir("/ck/job", id)
		if s.MakeDir(dir) != nil {
			return
		}
		var manifest bytes.Buffer
		for i := range 2 {
			h, err := s.Write(context.Background(), dir, "task", text(strings.Repeat(fmt.Sprint(id, i), 20)))
			if err != nil {
				return
			}
			l.handles[id] = append(l.handles[id], h)
			manifest.WriteString(h.Path)
		}
		if s.Publish(dir, manifest.Bytes()) != nil {
			return
		}
		l.published[id] = true
		if id > 1 {
			l.deleted[id-1] = true
			if s.Delete(CheckpointDir("/ck/job", id-1), nil) != nil {
				return
			}
		}
	}
}

func (l *life) verify(s *Store) error {
	found, err := s.Checkpoints("/ck/job")
	if err != nil {
		return err
	}
	complete := map[int64]bool{}
	for _, f := range found {
		if !f.Complete {
			continue
		}
		complete[f.ID] = true
		var want string
		for _, h := range l.handles[f.ID] {
			want += h.Path
			if err := s.Verify(f.Dir, h); err != nil {
				return fmt.Errorf("checkpoint %d is visible: %w", f.ID, err)
			}
		}
		if _, data, err := s.Manifest(f.Dir); err != nil || string(data) != want {
			return fmt.Errorf("manifest of %d: %q, %w", f.ID, data, err)
		}
	}
	for id := range l.published {
		if !complete[id] && !l.deleted[id] {
			return fmt.Errorf("checkpoint %d was published and is gone", id)
		}
	}
	if _, err := s.Sweep("/ck/job", Keep{}); err != nil {
		return err
	}
	found, err = s.Checkpoints("/ck/job")
	if err != nil {
		return err
	}
	for _, f := range found {
		files, err := s.Files(f.Dir)
		if err != nil {
			return err
		}
		for _, e := range files {
			if IsTemporary(e.Name) || !f.Complete {
				return fmt.Errorf("left: %s", path.Join(f.Dir, e.Name))
			}
		}
	}
	return nil
}

func BenchmarkWrite64MiB(b *testing.B) {
	s := New(Local{}, nil)
	dir := b.TempDir()
	chunk := make([]byte, 1<<20)
	b.SetBytes(64 << 20)
	for b.Loop() {
		h, err := s.Write(context.Background(), dir, "f", func(w io.Writer) error {
			for range 64 {
				if _, err := w.Write(chunk); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		os.Remove(filepath.Join(dir, h.Path))
	}
}
