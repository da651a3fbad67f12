package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/config"
	"github.com/flottio/flott/internal/metrics"
)

// fakeJob behaves as its fields say.
type fakeJob struct {
	cfg        *config.Set
	restoreErr error
	runErr     error
	stopErr    error
	idle       bool // runs until it is told to stop
	deaf       bool // does not even stop then
	prints     string
	stdout     io.Writer
	stop       chan string
	metrics    *metrics.Registry
}

func (j *fakeJob) Plan() string {
	return fmt.Sprintf("source -> sink, parallelism %d\n", config.Parallelism.Get(j.cfg))
}

func (j *fakeJob) PlanJSON() ([]byte, error) { return []byte(`{"nodes":[]}`), nil }

func (j *fakeJob) RestorePlan(context.Context) (string, error) {
	if j.restoreErr != nil {
		return "", j.restoreErr
	}
	return "restoring from " + config.RecoveryPath.Get(j.cfg) + ": per-minute: 2 states", nil
}

func (j *fakeJob) Run(ctx context.Context) (flott.JobResult, error) {
	if j.prints != "" {
		fmt.Fprint(j.stdout, j.prints)
	}
	res := flott.JobResult{Status: "FINISHED", Duration: 1200 * time.Millisecond, RecordsIn: 1000000, RecordsOut: 1234, Late: 3}
	if j.runErr != nil {
		res.Status, res.Latest = "FAILED", "/c/job/chk-7"
		return res, j.runErr
	}
	if !j.idle {
		return res, nil
	}
	fmt.Fprintln(os.Stdout, "running")
	if j.deaf {
		select {}
	}
	select {
	case <-ctx.Done():
		res.Status = "CANCELED"
		if errors.Is(context.Cause(ctx), flott.ErrSuspend) {
			res.Status, res.Latest = "SUSPENDED", "/c/job/chk-7"
		}
		return res, nil
	case <-j.stop:
		res.Status = "SUSPENDED"
		return res, nil
	}
}

func (j *fakeJob) StopWithSavepoint(_ context.Context, dir string, _ bool) (string, error) {
	if j.stopErr != nil {
		return "", j.stopErr
	}
	j.stop <- dir + "/savepoint-1"
	return dir + "/savepoint-1", nil
}

func (j *fakeJob) Status() status {
	return status{State: "RUNNING", RecordsIn: 5000, RecordsOut: 10, Percent: 42.5}
}

func (j *fakeJob) Waiting() []string {
	if j.deaf {
		return []string{`task "deaf", subtask 1 of 1`}
	}
	return nil
}

func (j *fakeJob) Metrics() *metrics.Registry { return j.metrics }

// fakeProgram is a job's binary whose job is chosen by name; a word "name=value" becomes a setting of the job's code.
func fakeProgram(p *program, kind string) *program {
	flags := flag.NewFlagSet("job", flag.ContinueOnError)
	flags.String("input", "clicks/*.jsonl", "`GLOB` of the files to read")
	flags.Bool("fast", false, "do not wait")
	limit := flags.Int("limit", 0, "stop after `N` records; 0: never")
	p.name, p.call, p.doc, p.flags = "clicks", "./clicks", "counts clicks per URL", flags
	p.prepare = func(cfg *config.Set, _ *slog.Logger) (job, error) {
		j := &fakeJob{cfg: cfg, stop: make(chan string, 1), stdout: p.stdout, metrics: metrics.New(time.Now)}
		switch kind {
		case "panics":
			buildThatPanics()
		case "graph":
			return nil, errors.New("the job's graph has 1 problem; nothing was started:\n  main.go:7: a window needs watermarks")
		case "refused":
			j.restoreErr = errors.New("restoring /s: the state of \"per-minute\" has no home; -n drops it")
		case "damaged":
			j.runErr = &flott.RestoreError{Err: errors.New("restoring chk-7: file a.state: expected 10 bytes, found 9")}
		case "fails":
			j.runErr = errors.New("operator per-minute, subtask 1 of 2, record {a}: panic: boom\n\nmain.build.func1()\n\tmain.go:12")
		case "idle":
			j.idle = true
		case "deaf":
			j.idle, j.deaf = true, true
		case "savepoint-fails":
			j.idle, j.stopErr = true, errors.New("writing savepoint-1: no space left on device")
		}
		if *limit != 0 {
			j.prints = fmt.Sprintf("limit %d, arguments %q\n", *limit, flags.Args())
		}
		return j, cfg.Validate()
	}
	return p
}

func buildThatPanics() {
	var urls map[string]int
	urls["a"] = 1
}

const envFake = "FLOTT_CLI_TEST_JOB"

// TestMain lets this binary be a job when a test starts it again.
func TestMain(m *testing.M) {
	if kind := os.Getenv(envFake); kind != "" {
		switch kind {
		case "flott":
			Flott(Scripts{})
		case "real":
			realMain()
		}
		p := fakeProgram(process("clicks"), kind)
		os.Exit(int(p.main(os.Args[1:])))
	}
	os.Exit(m.Run())
}

// inProcess is a program whose output is kept.
func inProcess(kind string) (p *program, stdout, stderr *bytes.Buffer) {
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	p = fakeProgram(&program{
		stdout: stdout, stderr: stderr, getenv: func(string) string { return "" }, now: time.Now,
		signals: func() (<-chan os.Signal, func()) { return nil, func() {} },
	}, kind)
	return p, stdout, stderr
}

// trimPlaces takes out of a stack what differs from machine to machine.
func trimPlaces(text string) string {
	lines := strings.Split(text, "\n")
	lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "\t/") })
	return strings.Join(lines, "\n")
}
