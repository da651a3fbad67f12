package journeys

import (
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/flottio/flott"
	"github.com/flottio/flott/connector/blackhole"
	"github.com/flottio/flott/connector/file"
	"github.com/flottio/flott/flotttest"
	"github.com/flottio/flott/format/json"
)

// disk mounts a file system of its own, which needs root.
func disk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		t.Skip("mounting a small disk needs root")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Errorf("unmounting %s: %v", dir, err)
		}
	})
	return dir
}

// A disk that fills up under the sink fails the job, naming the file and the reason.
func TestDiskFullOnSink(t *testing.T) {
	dir := disk(t, "256k")
	_, err := run(t, "full", func(env *flott.Env) {
		s := flott.From(env, "in", flotttest.FromSlice(1, numbers(100_000, 7)...).Source())
		s.To("out", file.Sink(dir, json.Of[number]()))
	}, "restart-strategy.type=none")
	if err == nil {
		t.Fatal("the job did not fail")
	}
	says(t, err.Error(), `"out"`, dir, "no space left on device")
	if finished, _ := filepath.Glob(filepath.Join(dir, "part-*")); len(finished) > 0 {
		t.Errorf("half a result is visible: %v", finished)
	}
}

// A disk that fills up under the checkpoints fails them; the job goes on as long as execution.checkpointing.tolerable-failed-checkpoints allows,
// and says why it failed.
func TestDiskFullOnCheckpoint(t *testing.T) {
	dir := disk(t, "128k")
	var i atomic.Int64
	_, err := run(t, "full", func(env *flott.Env) {
		s := flott.From(env, "in", flotttest.FromSlice(1, numbers(200_000, 1)...).Source())
		// As many keys as records: the state outgrows the disk.
		k := flott.KeyBy(flott.Map(s, func(n number) number { return number{i.Add(1), 1} }), keyOf)
		flott.Reduce(k, "sum", sum).To("out", flotttest.NewLedger[number]())
	}, "restart-strategy.type=none", "execution.checkpointing.interval=10 ms", "execution.checkpointing.dir="+dir)
	if err == nil {
		t.Fatal("the job did not fail")
	}
	says(t, err.Error(), "checkpoint", dir, "no space left on device")
}

// A disk that fills up under the local state of rocksdb fails the job; the message names the directory, its size, and what to set.
func TestDiskFullOnLocalState(t *testing.T) {
	dir := disk(t, "4m")
	var i atomic.Int64
	_, err := run(t, "full", func(env *flott.Env) {
		s := flott.From(env, "in", flotttest.FromSlice(1, numbers(2_000_000, 1)...).Source())
		// As many keys as records: the state outgrows the disk.
		k := flott.KeyBy(flott.Map(s, func(n number) number { return number{i.Add(1), 1} }), keyOf)
		flott.Reduce(k, "sum", sum).To("out", blackhole.Sink[number]())
	}, "restart-strategy.type=none", "state.backend.type=rocksdb", "state.backend.rocksdb.memory.fixed-per-slot=1m",
		"state.backend.rocksdb.localdir="+dir, "execution.checkpointing.dir="+t.TempDir())
	if err == nil {
		t.Fatal("the job did not fail")
	}
	says(t, err.Error(), `"sum"`, dir, "4194304 bytes", "state.backend.rocksdb.localdir", "io.tmp.dirs", "no space left on device")
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("local state is left behind: %v", left)
	}
}

// A directory that cannot be written is found before anything starts.
func TestReadOnlyDirectory(t *testing.T) {
	dir := disk(t, "64k")
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, checkpoints, sink string }{
		{"sink", t.TempDir(), filepath.Join(dir, "results")}, {"checkpoints", filepath.Join(dir, "checkpoints"), t.TempDir()},
	} {
		t.Run(c.name, func(t *testing.T) {
			started := false
			_, err := run(t, "readonly", func(env *flott.Env) {
				s := flott.From(env, "in", flotttest.FromSlice(1, numbers(10, 2)...).Source())
				flott.Map(s, func(n number) number { started = true; return n }).To("out", file.Sink(c.sink, json.Of[number]()))
			}, "execution.checkpointing.interval=1 s", "execution.checkpointing.dir="+c.checkpoints)
			if err == nil {
				t.Fatal("the job did not fail")
			}
			says(t, err.Error(), dir, "read-only file system")
			if started {
				t.Error("the job had started")
			}
			if strings.Count(err.Error(), "\n") > 4 {
				t.Errorf("long-winded: %v", err)
			}
		})
	}
}
