package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// tier is one group of checks. run reports into the tally and never fails itself.
type tier struct {
	name string
	run  func(context.Context, *tally)
}

// tiers, quickest first: the first failure a person sees is the cheapest to repeat.
var tiers = []tier{
	{"format", func(ctx context.Context, t *tally) { command(ctx, t, quiet, "gofmt", "-l", ".") }},
	{"vet", func(ctx context.Context, t *tally) {
		command(ctx, t, loud, "go", "vet", "./...")
		command(ctx, t, loud, "go", "vet", "-tags", "invariants", "./...")
	}},
	{"static", func(ctx context.Context, t *tally) {
		command(ctx, t, loud, "env", "CGO_ENABLED=0", "go", "build", "./...")
	}},
	{"fast", func(ctx context.Context, t *tally) { goTest(ctx, t, "-timeout=15m", "./...") }},
	{"race", race},
	{"examples", examples},
}

// stopGrace is how long a child may take to end when it is told to.
const stopGrace = 5 * time.Second

func newCommand(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	// A group of its own, so that the test binaries below "go test" end with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = stopGrace
	return cmd
}

// silence says what output means for a command.
type silence bool

const (
	loud  silence = false
	quiet silence = true // any output is a failure
)

// command runs a program that passes by its exit code, and counts as one test.
func command(ctx context.Context, t *tally, expect silence, name string, args ...string) {
	line := strings.Join(append([]string{name}, args...), " ")
	output, err := newCommand(ctx, name, args...).CombinedOutput()
	if err == nil && (expect == loud || len(bytes.TrimSpace(output)) == 0) {
		t.pass(line, output)
		return
	}
	if err == nil {
		err = fmt.Errorf("expected no output")
	}
	t.fail(line, append(output, []byte(err.Error()+"\n")...))
}

// goTest runs "go test -json" and counts every test and subtest.
func goTest(ctx context.Context, t *tally, args ...string) {
	args = append([]string{"test", "-json"}, args...)
	cmd := newCommand(ctx, "go", args...)
	line := "go " + strings.Join(args, " ")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.fail(line, []byte(err.Error()+"\n"))
		return
	}
	before := t.failed
	readErr := t.events(stdout)
	err = cmd.Wait()
	if ctx.Err() != nil {
		t.fail(line, fmt.Appendf(nil, "stopped: %v\n", ctx.Err()))
		return
	}
	if readErr != nil || err != nil && t.failed == before {
		t.fail(line, fmt.Appendf(stderr.Bytes(), "%v %v\n", readErr, err))
	}
}

// race runs everything again with executable invariants, under the race detector where that exists.
func race(ctx context.Context, t *tally) {
	args := []string{"-timeout=25m", "-vet=off", "-tags=invariants"}
	if hasCompiler(ctx) {
		args = append(args, "-race")
	} else {
		fmt.Fprintln(t.out, "WARNING: no C compiler, so no race detector: the tier runs with invariants only")
	}
	goTest(ctx, t, append(args, "./...")...)
}

func hasCompiler(ctx context.Context) bool {
	compiler, err := newCommand(ctx, "go", "env", "CC").Output()
	if err != nil || len(bytes.Fields(compiler)) == 0 {
		return false
	}
	_, err = exec.LookPath(string(bytes.Fields(compiler)[0]))
	return err == nil
}

// exampleTimeout is enough for a build and for a run on the bundled data.
const exampleTimeout = 3 * time.Minute

// examples runs every program under examples as a newcomer would.
func examples(ctx context.Context, t *tally) {
	mains, err := filepath.Glob("examples/*/main.go")
	if err != nil {
		t.fail("examples", []byte(err.Error()+"\n"))
		return
	}
	for _, main := range mains {
		exampleCtx, cancel := context.WithTimeout(ctx, exampleTimeout)
		command(exampleCtx, t, loud, "go", "run", "."+string(os.PathSeparator)+filepath.Dir(main))
		cancel()
	}
}
