package cli

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/connector/file"
	"github.com/flottio/flott/format/csv"
	jsonformat "github.com/flottio/flott/format/json"
)

// count is a record of the job below.
type count struct {
	URL string `json:"url" csv:"url"`
	N   int64  `json:"n" csv:"n"`
}

// realMain is a job of the engine: running counts per URL of the files in a directory, for ever with --watch.
func realMain() {
	flags := flag.NewFlagSet("job", flag.ExitOnError)
	in := flags.String("in", "in/*.jsonl", "`GLOB` of the files to read")
	watch := flags.Bool("watch", false, "wait for more files")
	name := flags.String("uid", "sum", "`NAME` of the stateful operator")
	Main("counts", func(env *flott.Env) {
		env.Set("execution.checkpointing.interval", "1 h")
		opts := []file.SourceOption{file.AllowNone()}
		if *watch {
			opts = append(opts, file.Monitor(10*time.Millisecond))
		}
		in := flott.From(env, "in", file.Source(*in, jsonformat.Of[count](), opts...))
		checked := in.Filter(func(c count) bool {
			if c.URL == "panic" {
				panic("a bad URL")
			}
			return true
		})
		sum := flott.Reduce(flott.KeyBy(checked, func(c count) string { return c.URL }), *name,
			func(a, b count) count { return count{a.URL, a.N + b.N} })
		sum.To("out", file.Sink("out", csv.Of[count]()))
	}, Flags(flags), Doc("counts per URL"))
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "in"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "in", name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// results are the lines of the finished files.
func results(t *testing.T, dir string) string {
	t.Helper()
	all := ""
	files, err := filepath.Glob(filepath.Join(dir, "out", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err != nil {
			t.Fatal(err)
		} else if !strings.HasPrefix(filepath.Base(f), ".") {
			all += string(b)
		}
	}
	return all
}

// TestJobFinishes: a bounded job of the engine, from command line to files.
func TestJobFinishes(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.jsonl", `{"url":"/a","n":1}`+"\n"+`{"url":"/b","n":2}`+"\n"+`{"url":"/a","n":3}`+"\n")
	c := startIn(t, dir, "real")
	c.expect(exitOK, "counts: finished in ", "3 records in, 3 out")
	if got := results(t, dir); !strings.Contains(got, "/a,4") || !strings.Contains(got, "/b,2") {
		t.Errorf("%q", got)
	}
}

// TestJobStopsAndResumes: SIGTERM leaves a savepoint, the printed command goes on from it.
func TestJobStopsAndResumes(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.jsonl", `{"url":"/a","n":1}`+"\n")
	stop := func(args ...string) (savepoint string) {
		t.Helper()
		c := startIn(t, dir, "real", append(args, "--watch", "-Dexecution.checkpointing.savepoint-dir="+dir+"/sp",
			"-Dclient.progress-interval=100ms")...)
		c.await(c.stderr, "records_out=1 ")
		c.signal(syscall.SIGTERM)
		code, _, stderr := c.end()
		found := regexp.MustCompile(`Path: (\S+)`).FindStringSubmatch(stderr)
		if code != exitOK || found == nil {
			t.Fatalf("exit %d\n%s", code, stderr)
		}
		return found[1]
	}
	savepoint := stop()
	startIn(t, dir, "flott", "state", "fsck", savepoint).expect(exitOK)
	startIn(t, dir, "real", "plan", "--json", "-s", savepoint).expect(exitOK, "sum")
	startIn(t, dir, "real", "-s", savepoint, "--uid", "other").expect(exitRestore, "sum")

	write(t, dir, "b.jsonl", `{"url":"/a","n":10}`+"\n")
	stop("-s", savepoint, "-p", "2")
	if got := results(t, dir); !strings.Contains(got, "/a,1\n") || !strings.Contains(got, "/a,11\n") {
		t.Errorf("%q", got)
	}
}

// TestJobFails: the last words name operator and record, and hold the stack of the job's own code.
func TestJobFails(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.jsonl", `{"url":"panic","n":1}`+"\n")
	startIn(t, dir, "real", "-Drestart-strategy.type=none").expect(exitFailed, "counts: failed after ", "a bad URL", "realMain")
}

// TestJobIsRefused: options that only fail with the graph, a snapshot that is not there.
func TestJobIsRefused(t *testing.T) {
	dir := t.TempDir()
	startIn(t, dir, "real", "--uid", "in").expect(exitRefused, "main_test.go:")
	startIn(t, dir, "real", "-s", dir+"/nowhere").expect(exitRestore, "nowhere")
	startIn(t, dir, "real", "-s", "latest", "-Dexecution.checkpointing.dir="+dir+"/c").expect(exitOK, "starting afresh")
}

// TestPlanIsData: the JSON of a plan is JSON.
func TestPlanIsData(t *testing.T) {
	code, stdout, stderr := startIn(t, t.TempDir(), "real", "plan", "--json").end()
	if code != exitOK || !json.Valid([]byte(stdout)) || !strings.Contains(stdout, `"sum"`) {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
}

// TestIdleJobIsSmall: a job that waits for input takes under 30 MB of memory.
func TestIdleJobIsSmall(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector takes memory of its own")
	}
	dir := t.TempDir()
	c := startIn(t, dir, "real", "--watch", "-Dclient.progress-interval=500ms", "-Dmetrics.port=0")
	c.await(c.stderr, "msg=progress")
	status, err := os.ReadFile("/proc/" + strconv.Itoa(c.cmd.Process.Pid) + "/status")
	if err != nil {
		t.Skip(err)
	}
	kB := 0
	if found := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status); found != nil {
		kB, _ = strconv.Atoi(string(found[1]))
	}
	t.Logf("resident: %d kB", kB)
	if kB == 0 || kB > 30<<10 {
		t.Errorf("%d kB resident, want at most 30 MB", kB)
	}
	c.signal(os.Interrupt)
	c.expect(exitInterrupted, "cancelled after")
}
