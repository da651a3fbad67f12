//go:build unix

package journeys

import (
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/flottio/flott"
	"github.com/flottio/flott/flotttest"
)

// suspended is what a process ends with that SIGTERM has ended without a savepoint.
const suspended = 143

// Journey J6: state backends and checkpoint storage by the names that tutorials have, on the command line and in flink-conf.yaml. The job runs, one
// line says today's name of each, the checkpoints lie where the old name says, and the job goes on from there. The jobs are those of J9.
func TestJ6FormerNames(t *testing.T) {
	const interval = "execution.checkpointing.interval: 10 ms"
	dir := "state.checkpoints.dir: DIR/checkpoints"
	for _, c := range []struct {
		name     string
		options  []string // of flink-conf.yaml; DIR is the job's directory
		today    []string // what is said of them
		retained int      // 1 if it is 0
		in       string   // the directory of the checkpoints, DIR/checkpoints if it is empty
	}{
		{name: "MemoryStateBackend", options: []string{"state.backend: MemoryStateBackend", dir}, today: []string{"state.backend.type: hashmap"}},
		{name: "jobmanager", options: []string{"state.backend: jobmanager", dir}, today: []string{"state.backend.type: hashmap"}},
		{name: "FsStateBackend", options: []string{"state.backend: FsStateBackend", dir}, today: []string{"state.backend.type: hashmap"}},
		{name: "filesystem", options: []string{"state.backend: filesystem", dir},
			today: []string{"state.backend.type: hashmap", `today's is "execution.checkpointing.dir: `}},
		{name: "RocksDBStateBackend", options: []string{"state.backend: RocksDBStateBackend", dir}, today: []string{"state.backend.type: rocksdb"}},
		{name: "rocksdb", options: []string{"state.backend: rocksdb", dir}, today: []string{"state.backend.type: rocksdb"}},
		{name: "class of a factory", options: []string{"state.backend: org.apache.flink.runtime.state.filesystem.FsStateBackendFactory", dir},
			today: []string{"state.backend.type: hashmap"}},
		{name: "today's backend", options: []string{"state.backend.type: hashmap", dir}, today: []string{`today's is "execution.checkpointing.dir: `}},
		{name: "incremental", options: []string{"state.backend: rocksdb", "state.backend.incremental: true", dir},
			today: []string{"execution.checkpointing.incremental: true", "has no effect: every snapshot is a full one"}},
		{name: "num-retained", options: []string{"state.checkpoints.num-retained: 3", dir}, retained: 3,
			today: []string{"execution.checkpointing.num-retained: 3"}},
		{name: "storage jobmanager", options: []string{"state.checkpoint-storage: jobmanager", dir},
			today: []string{"execution.checkpointing.storage: jobmanager"}},
		{name: "storage filesystem", options: []string{"state.checkpoint-storage: filesystem", dir},
			today: []string{"execution.checkpointing.storage: filesystem"}},
		{name: "directory of FsStateBackend", options: []string{"state.backend.fs.checkpointdir: DIR/fs"}, in: "fs",
			today: []string{`today's is "execution.checkpointing.dir: `}},
		{name: "file: URI", options: []string{"state.checkpoints.dir: file://DIR/uri"}, in: "uri",
			today: []string{`today's is "execution.checkpointing.dir: `}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			conf := strings.ReplaceAll(strings.Join(append(c.options, interval), "\n"), "DIR", dir)
			if err := os.WriteFile(filepath.Join(dir, "flink-conf.yaml"), []byte(conf), 0o600); err != nil {
				t.Fatal(err)
			}
			if c.in == "" {
				c.in = "checkpoints"
			}
			c.retained = max(1, c.retained)
			in := filepath.Join(dir, c.in, "*", "chk-*", "_metadata")
			marks := append(marksOf(dir, upgradeKeys), filepath.Join(dir, c.in, "*", "chk-*5", "_metadata"))
			text, code := terminate(t, "upgrade/first", dir, marks, "--config", "flink-conf.yaml")
			if code != suspended {
				t.Fatalf("exit code %d, want %d:\n%s", code, suspended, text)
			}
			for _, today := range append(c.today, "flink-conf.yaml: the flat file of former Flink versions") {
				if n := strings.Count(text, today); n != 1 {
					t.Errorf("%q is said %d times:\n%s", today, n, text)
				}
			}
			// One more is there until the oldest is removed.
			found, err := filepath.Glob(in)
			if err != nil || len(found) < c.retained || len(found) > c.retained+1 {
				t.Fatalf("complete checkpoints in %s: %v, %v; want %d", in, found, err, c.retained)
			}
			from := filepath.Dir(found[0])
			text, code = execute(t, "upgrade/same", dir, "plan", "--config", "flink-conf.yaml", "-s", from)
			if code != 0 {
				t.Fatalf("plan: exit code %d:\n%s", code, text)
			}
			says(t, text, "restored  mapper-id")
			text, code = execute(t, "upgrade/same", dir, "--config", "flink-conf.yaml", "-s", "latest")
			if code != 0 {
				t.Fatalf("going on: exit code %d:\n%s", code, text)
			}
			says(t, text, "from checkpoint", "restored  mapper-id")
			runningCounts(t, readNumbers(t, filepath.Join(dir, "out")), upgradeKeys*upgradeEach, upgradeKeys)
		})
	}
}

// The former names of the directory for savepoints.
func TestJ6FormerSavepointDirectory(t *testing.T) {
	for _, key := range []string{"state.savepoints.dir", "savepoints.state.backend.fs.dir"} {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			into := filepath.Join(dir, "saved")
			path, text := stop(t, "upgrade/first", dir, marksOf(dir, upgradeKeys), "-D", key+"="+into)
			says(t, text, `today's is "execution.checkpointing.savepoint-dir: `)
			if filepath.Dir(path) != into {
				t.Errorf("the savepoint is %s, want it in %s", path, into)
			}
			if text, code := execute(t, "upgrade/same", dir, "-s", path); code != 0 {
				t.Fatalf("exit code %d:\n%s", code, text)
			}
			runningCounts(t, readNumbers(t, filepath.Join(dir, "out")), upgradeKeys*upgradeEach, upgradeKeys)
		})
	}
}

// Without a directory, checkpoints are in memory, as with Flink's MemoryStateBackend: the job restarts from them exactly, and its end is theirs.
func TestJ6CheckpointsInMemory(t *testing.T) {
	for _, option := range []string{"state.backend=MemoryStateBackend", "state.backend=jobmanager", "state.checkpoint-storage=jobmanager"} {
		t.Run(option, func(t *testing.T) {
			out := flotttest.NewLedger[number]()
			var seen atomic.Int64
			t.Chdir(t.TempDir()) // nothing may be written, and if it is, not here
			r, err := run(t, "in-memory", func(env *flott.Env) {
				s := flott.From(env, "offsets", counter{splits: 5, each: 40_000})
				m := flott.Map(s, func(v number) number {
					if seen.Add(1) == 150_000 {
						panic("once")
					}
					return v
				})
				flott.KeyedProcess(flott.KeyBy(m, keyOf), "count", countInState).To("out", out)
			}, option, "execution.checkpointing.interval=10 ms", "restart-strategy.type=fixed-delay", "restart-strategy.fixed-delay.delay=1 ms")
			if err != nil || r.Restarts != 1 || r.Latest != "" {
				t.Fatalf("%d restarts, checkpoint %q stays, %v", r.Restarts, r.Latest, err)
			}
			runningCounts(t, out.Records(), 200_000, 5)
			if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
				t.Errorf("left: %v, %v", left, err)
			}
		})
	}
	dir := t.TempDir()
	text, code := execute(t, "upgrade/same", dir, "-s", "latest", "-D", "state.backend=jobmanager")
	if code != 0 {
		t.Fatalf("exit code %d:\n%s", code, text)
	}
	says(t, text, "checkpoints of this job are kept in memory", "execution.checkpointing.dir is not set", "starting afresh")
}

// Storage that there is no client for yet is refused before anything starts, with the option as it was written.
func TestJ6StorageNotSupportedYet(t *testing.T) {
	for _, address := range []string{"hdfs://localhost:9000/checkpoints", "hdfs:///checkpoints/", "s3://bucket/checkpoints", "s3a://bucket/x"} {
		for _, args := range [][]string{
			{"-D", "state.checkpoints.dir=" + address}, {"-D", "execution.checkpointing.dir=" + address},
			{"-D", "state.savepoints.dir=" + address}, {"-s", address}, {"--fromSavepoint", address + "/chk-50/_metadata"},
			{"-D", "execution.savepoint.path=" + address},
		} {
			dir := t.TempDir()
			text, code := execute(t, "upgrade/same", dir, args...)
			if code != 2 {
				t.Errorf("%v: exit code %d, want 2", args, code)
			}
			option, _, _ := strings.Cut(args[1], "=")
			if args[0] != "-D" {
				option = args[0]
			}
			scheme, _, _ := strings.Cut(address, "//")
			says(t, text, option, scheme+" is not supported yet", address)
			if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
				t.Errorf("%v: something has started: %v, %v", args, entries, err)
			}
		}
	}
	text, code := execute(t, "upgrade/same", t.TempDir(), "state", "fsck", "hdfs:///checkpoints/chk-50")
	if code != 2 {
		t.Errorf("exit code %d, want 2", code)
	}
	says(t, text, "hdfs: is not supported yet", "hdfs:///checkpoints/chk-50")
}

// A path that is no snapshot: state fsck and -s name those that are in it, or near it.
func TestPathsNearSnapshots(t *testing.T) {
	dir := t.TempDir()
	checkpoints := filepath.Join(dir, "checkpoints")
	conf := []string{"-D", "execution.checkpointing.dir=" + checkpoints, "-D", "execution.checkpointing.interval=10 ms",
		"-D", "execution.checkpointing.num-retained=3"}
	marks := append(marksOf(dir, upgradeKeys), filepath.Join(checkpoints, "*", "chk-*5", "_metadata"))
	if text, code := terminate(t, "upgrade/first", dir, marks, conf...); code != suspended {
		t.Fatalf("exit code %d:\n%s", code, text)
	}
	for _, m := range marksOf(dir, upgradeKeys) {
		if err := os.Remove(m); err != nil {
			t.Fatal(err)
		}
	}
	savepoint := stopWithSavepoint(t, "upgrade/first", dir, marksOf(dir, upgradeKeys))
	manifests, err := filepath.Glob(filepath.Join(checkpoints, "*", "chk-*", "_metadata"))
	if err != nil || len(manifests) < 3 {
		t.Fatal(manifests, err)
	}
	var chk []string
	for _, m := range manifests {
		chk = append(chk, filepath.Dir(m))
	}
	job := filepath.Dir(chk[0])
	for _, c := range []struct {
		name, path string
		parts      []string
	}{
		{"the checkpoint directory", checkpoints, append(chk, "is no checkpoint or savepoint", "In it are ")},
		{"the job's directory", job, append(chk, "is no checkpoint or savepoint", "In it are ")},
		{"the directory of savepoints", filepath.Dir(savepoint), []string{"In it is " + savepoint}},
		{"a directory above", dir, []string{"In it are ", savepoint}},
		{"a typing error", savepoint + "0", []string{"found nothing", "the nearest name is " + savepoint}},
		{"a typing error above", strings.Replace(savepoint, "savepoints", "savepoint", 1),
			[]string{"there is no savepoint in " + dir, "the nearest name is " + filepath.Dir(savepoint)}},
		{"another number", filepath.Join(job, "chk-1000"), append(chk, "there is no chk-1000 in "+job, "Beside it are ")},
		{"a file in it", filepath.Join(savepoint, "_metadata", "x"), []string{"_metadata is no directory", savepoint + " is one"}},
		{"an empty directory", t.TempDir(), []string{"found a directory without it"}},
		{"nothing at all", "/no/such/directory", []string{"there is no no in /"}},
	} {
		for _, args := range [][]string{{"state", "fsck", c.path}, {"-s", c.path}, {"plan", "-s", c.path}} {
			text, code := execute(t, "upgrade/same", dir, args...)
			if want := map[bool]int{true: 2, false: 3}[args[0] == "state"]; code != want {
				t.Errorf("%s: %v: exit code %d, want %d", c.name, args, code, want)
			}
			says(t, text, c.parts...)
		}
	}
	for _, args := range [][]string{{"state", "fsck", ""}, {"state", "fsck"}, {"-s", ""}} {
		text, code := execute(t, "upgrade/same", dir, args...)
		if code != 2 {
			t.Errorf("%q: exit code %d:\n%s", args, code, text)
		}
		says(t, text, map[bool]string{true: "state fsck takes one path", false: "-s: found \"\""}[args[0] == "state"])
	}
	for _, whole := range append(chk, savepoint) {
		if text, code := execute(t, "upgrade/same", dir, "state", "fsck", whole); code != 0 {
			t.Errorf("%s: exit code %d:\n%s", whole, code, text)
		}
	}
}
