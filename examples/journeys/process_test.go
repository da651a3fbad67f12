//go:build unix

package journeys

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/cli"
)

// jobs are those that this test binary can be: with journeyJob in its environment it is the binary of that job.
var jobs = map[string]func(*flott.Env){}

const journeyJob = "FLOTT_JOURNEY_JOB"

func TestMain(m *testing.M) {
	if name := os.Getenv(journeyJob); name != "" {
		job, _, _ := strings.Cut(name, "/")
		cli.Main(job, jobs[name], cli.Flags(flag.NewFlagSet("", flag.ContinueOnError)))
	}
	os.Exit(m.Run())
}

// command is the command line of a job.
func command(t *testing.T, job, dir string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), journeyJob+"="+job)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	return cmd, &said
}

// patience bounds how long a process may take; only a test that fails waits so long.
const patience = time.Minute

// execute runs a job to its end and returns what it said, and its exit code.
func execute(t *testing.T, job, dir string, args ...string) (string, int) {
	t.Helper()
	cmd, said := command(t, job, dir, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return await(t, cmd, said)
}

func await(t *testing.T, cmd *exec.Cmd, said *bytes.Buffer) (string, int) {
	t.Helper()
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Signal(syscall.SIGQUIT) })
	defer late.Stop()
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return said.String(), cmd.ProcessState.ExitCode()
}

// stopWithSavepoint runs a job until all files named in marks are there, sends SIGTERM, and returns the path of the savepoint.
func stopWithSavepoint(t *testing.T, job, dir string, marks []string, args ...string) string {
	t.Helper()
	args = append(args, "-D", "execution.checkpointing.savepoint-dir="+filepath.Join(dir, "savepoints"))
	path, _ := stop(t, job, dir, marks, args...)
	return path
}

// stop is stopWithSavepoint with the directory of savepoints among args; it also returns what the job said.
func stop(t *testing.T, job, dir string, marks []string, args ...string) (path, text string) {
	t.Helper()
	text, code := terminate(t, job, dir, marks, args...)
	if code != 0 {
		t.Fatalf("stopping with a savepoint: exit code %d\n%s", code, text)
	}
	_, path, found := strings.Cut(text, "Savepoint completed. Path: ")
	if !found {
		t.Fatalf("no savepoint is named:\n%s", text)
	}
	path, _, _ = strings.Cut(path, "\n")
	return path, text
}

// terminate runs a job until there is a file for each pattern in marks, sends SIGTERM, and returns what the job said, and its exit code.
func terminate(t *testing.T, job, dir string, marks []string, args ...string) (string, int) {
	t.Helper()
	cmd, said := command(t, job, dir, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(patience)
	for _, m := range marks {
		for {
			if found, err := filepath.Glob(m); err != nil || len(found) > 0 {
				break
			}
			select {
			case <-time.After(5 * time.Millisecond):
			case <-deadline:
				_ = cmd.Process.Signal(syscall.SIGQUIT)
				text, _ := await(t, cmd, said)
				t.Fatalf("waited for %s in vain:\n%s", m, text)
			}
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	return await(t, cmd, said)
}

func marksOf(dir string, splits int) (marks []string) {
	for i := range splits {
		marks = append(marks, filepath.Join(dir, fmt.Sprint(i)))
	}
	return marks
}
