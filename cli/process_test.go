package cli

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flottio/flott/internal/checkpoint"
)

// child is this test binary, started again as a job.
type child struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout *bufio.Reader
	stderr *bufio.Reader
}

func start(t *testing.T, kind string, args ...string) *child {
	t.Helper()
	return startIn(t, t.TempDir(), kind, args...)
}

func startIn(t *testing.T, dir, kind string, args ...string) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.CommandContext(t.Context(), os.Args[0], args...)}
	c.cmd.Dir = dir
	c.cmd.Env = append(os.Environ(), envFake+"="+kind)
	stdout, err1 := c.cmd.StdoutPipe()
	stderr, err2 := c.cmd.StderrPipe()
	if err := errors.Join(err1, err2, c.cmd.Start()); err != nil {
		t.Fatal(err)
	}
	c.stdout, c.stderr = bufio.NewReader(stdout), bufio.NewReader(stderr)
	return c
}

// await reads lines until one holds text.
func (c *child) await(r *bufio.Reader, text string) string {
	c.t.Helper()
	seen := ""
	for {
		line, err := r.ReadString('\n')
		seen += line
		if strings.Contains(line, text) {
			return line
		}
		if err != nil {
			c.t.Fatalf("%q did not come: %v; it said:\n%s", text, err, seen)
		}
	}
}

func (c *child) signal(s os.Signal) {
	c.t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		c.t.Fatal(err)
	}
}

// end returns the exit code and what was said to the end.
func (c *child) end() (code exitCode, stdout, stderr string) {
	c.t.Helper()
	errs := make(chan []byte)
	go func() {
		b, _ := io.ReadAll(c.stderr)
		errs <- b
	}()
	out, _ := io.ReadAll(c.stdout)
	stderr = string(<-errs)
	var exit *exec.ExitError
	if err := c.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		c.t.Fatal(err)
	}
	return exitCode(c.cmd.ProcessState.ExitCode()), string(out), stderr
}

func (c *child) expect(want exitCode, text ...string) {
	c.t.Helper()
	code, _, stderr := c.end()
	if code != want {
		c.t.Errorf("exit %d, want %d", code, want)
	}
	for _, s := range text {
		if !strings.Contains(stderr, s) {
			c.t.Errorf("standard error lacks %q:\n%s", s, stderr)
		}
	}
}

// TestExitCodes: what a shell sees.
func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		kind string
		args []string
		want exitCode
	}{
		{"finishes", nil, exitOK},
		{"finishes", []string{"plan"}, exitOK},
		{"finishes", []string{"version"}, exitOK},
		{"flott", []string{"--version"}, exitOK},
		{"flott", []string{"list"}, exitRefused},
		{"fails", nil, exitFailed},
		{"finishes", []string{"--wat"}, exitRefused},
		{"graph", nil, exitRefused},
		{"panics", nil, exitRefused},
		{"finishes", []string{"-Dmetrics.port=99999"}, exitRefused},
		{"refused", []string{"-s", "latest"}, exitRestore},
		{"damaged", nil, exitRestore},
	} {
		child := start(t, c.kind, c.args...)
		if code, stdout, stderr := child.end(); code != c.want {
			t.Errorf("%s %q: exit %d, want %d\n%s%s", c.kind, c.args, code, c.want, stdout, stderr)
		}
	}
}

// TestSignals: Ctrl-C cancels, SIGTERM stops with a savepoint if it knows where to.
func TestSignals(t *testing.T) {
	const dir = "-Dexecution.checkpointing.savepoint-dir=/sp"
	for _, c := range []struct {
		name, kind string
		args       []string
		signal     os.Signal
		want       exitCode
		says       []string
	}{
		{"ctrl-c", "idle", nil, os.Interrupt, exitInterrupted, []string{"SIGINT: cancelling the job", "cancelled after 1.2 s"}},
		{"ctrl-c does not make a savepoint", "idle", []string{dir}, os.Interrupt, exitInterrupted, []string{"cancelled after"}},
		{"terminate", "idle", nil, syscall.SIGTERM, exitTerminated, []string{"SIGTERM: cancelling the job"}},
		{"savepoint", "idle", []string{dir, "-p", "2"}, syscall.SIGTERM, exitOK, []string{"SIGTERM: stopping with a savepoint in /sp",
			"Savepoint completed. Path: /sp/savepoint-1\nResume: ./clicks -D " + dir[2:] + " -p 2 -s /sp/savepoint-1\n"}},
		{"savepoint fails", "savepoint-fails", []string{dir, "-Dexecution.checkpointing.dir=/c"}, syscall.SIGTERM, exitTerminated,
			[]string{"the savepoint failed: writing savepoint-1: no space left on device", "its checkpoints stay", "Last checkpoint: /c/job/chk-7", "-s /c/job/chk-7"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			child := start(t, c.kind, c.args...)
			child.await(child.stdout, "running")
			child.signal(c.signal)
			child.expect(c.want, c.says...)
		})
	}
}

// TestSecondSignal: a job that does not end is left as a crash would leave it.
func TestSecondSignal(t *testing.T) {
	for s, want := range map[os.Signal]exitCode{os.Interrupt: exitInterrupted, syscall.SIGTERM: exitTerminated} {
		c := start(t, "deaf")
		c.await(c.stdout, "running")
		c.signal(s)
		c.await(c.stderr, "cancelling the job")
		ended := make(chan struct{})
		go func() { // one that comes at once is taken for the first again
			ticker := time.NewTicker(50 * time.Millisecond)
			defer ticker.Stop()
			for {
				select {
				case <-ticker.C:
					_ = c.cmd.Process.Signal(s) // it may have ended
				case <-ended:
					return
				}
			}
		}()
		c.expect(want, "second signal: ending at once")
		close(ended)
	}
}

// TestSignalSentTwice: timeout(1) signals its child, and then the child's whole group.
func TestSignalSentTwice(t *testing.T) {
	signals := make(chan os.Signal, maxSignals)
	signals <- syscall.SIGTERM
	signals <- syscall.SIGTERM
	p, _, stderr := inProcess("idle")
	p.signals = func() (<-chan os.Signal, func()) { return signals, func() {} }
	if code := p.main(nil); code != exitTerminated || !strings.Contains(stderr.String(), "cancelled after") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// TestMetricsPort: port 0 is any free one, said; the server ends with the job.
func TestMetricsPort(t *testing.T) {
	c := start(t, "idle", "-Dmetrics.port=0")
	url := regexp.MustCompile(`http://\S+`).FindString(c.await(c.stderr, "metrics: "))
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil || !bytes.Contains(body, []byte("go_goroutines")) {
		t.Errorf("%v: %s", err, body)
	}
	c.await(c.stdout, "running")
	c.signal(os.Interrupt)
	c.expect(exitInterrupted)
}

// TestProgressIsLogged: without a terminal a line comes at the configured interval.
func TestProgressIsLogged(t *testing.T) {
	c := start(t, "idle", "-Dclient.progress-interval=100ms")
	line := c.await(c.stderr, "msg=progress")
	for _, want := range []string{"level=INFO", "job=clicks", "status=RUNNING", "records_in=5000", "percent=42", "dropped=0"} {
		if !strings.Contains(line, want) {
			t.Errorf("no %s in %s", want, line)
		}
	}
	c.signal(os.Interrupt)
	c.expect(exitInterrupted)
}

// TestFsck: a whole snapshot, a damaged file, a damaged manifest.
func TestFsck(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "chk-1")
	m := &checkpoint.Manifest{JobName: "clicks", JobID: "j", ID: 1, CodeVersion: "1", KeyHash: "h", Operators: []checkpoint.Operator{
		{UID: "per-minute", Name: "per-minute", Parallelism: 1, MaxParallelism: 128, Subtasks: []checkpoint.Subtask{{}}}}}
	data, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "_metadata")
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(file, data, 0o644)); err != nil {
		t.Fatal(err)
	}
	fsck := func(path string, want exitCode, says string) {
		t.Helper()
		code, stdout, stderr := start(t, "flott", "state", "fsck", path).end()
		if code != want || !strings.Contains(stdout+stderr, says) {
			t.Errorf("exit %d, want %d and %q:\n%s%s", code, want, says, stdout, stderr)
		}
	}
	fsck(dir, exitOK, "checkpoint 1 of job clicks (j)")
	fsck("file://"+file, exitOK, "whole: 0 files")
	data[len(data)/2] ^= 1
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	fsck(dir, exitRestore, "is damaged in 1 of 1 file")
	fsck(filepath.Dir(dir), exitRefused, "is no checkpoint or savepoint")
}
