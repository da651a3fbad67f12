//go:build unix

package journeys

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/connector/blackhole"
	"github.com/flottio/flott/connector/collection"
)

func init() {
	jobs["stuck"] = func(env *flott.Env) {
		s := flott.From(env, "in", collection.Of(numbers(10, 2)...))
		flott.TryMap(s, stuckForGood).Named("stubborn").To("out", blackhole.Sink[number]())
	}
}

// stuckForGood is a function that never returns: with a call to the outside that has no timeout, say.
func stuckForGood(n number) (number, error) {
	if err := os.WriteFile("0", nil, 0o600); err != nil {
		return n, err
	}
	select {}
}

// A function that never returns does not keep a cancelled job for good: it is named with its stack, and in the end the process ends with a code of
// its own, saying what to do (A17.4).
func TestStuckFunctionEndsTheProcess(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(s.String(), func(t *testing.T) {
			dir := t.TempDir()
			cmd, said := command(t, "stuck", dir, "-D", "task.cancellation.interval=100 ms", "-D", "task.cancellation.timeout=500 ms",
				"-D", "execution.checkpointing.interval=1 h", "-D", "execution.checkpointing.dir=checkpoints")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			awaitFile(t, dir+"/0")
			if err := cmd.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
			text, code := await(t, cmd, said)
			if code != 4 {
				t.Errorf("exit code %d, want 4", code)
			}
			says(t, text, "still running although the attempt was cancelled", `stubborn`, "subtask 1 of 1", "stuckForGood",
				"given up: cancelled 500ms ago (task.cancellation.timeout)", "stuck_test.go:", "Go cannot end a goroutine from outside")
			if n := strings.Count(text, "still running although"); n > 10 {
				t.Errorf("%d warnings", n)
			}
		})
	}
}

// awaitFile waits until a process has made a file.
func awaitFile(t *testing.T, name string) {
	t.Helper()
	deadline := time.After(patience)
	for {
		if _, err := os.Stat(name); err == nil {
			return
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-deadline:
			t.Fatalf("waited for %s in vain", name)
		}
	}
}

// A checkpoint directory that cannot be used is a mistake of the configuration: it is named with its option, and nothing is started.
func TestUnusableCheckpointDirectory(t *testing.T) {
	for _, args := range [][]string{nil, {"-s", "latest"}, {"plan", "-s", "latest"}} {
		text, code := execute(t, "stuck", t.TempDir(), append(args, "-D", "execution.checkpointing.interval=1 h", "-D",
			"execution.checkpointing.dir=/proc/nope")...)
		if code != 2 {
			t.Errorf("%v: exit code %d, want 2", args, code)
		}
		says(t, text, "execution.checkpointing.dir: the directory /proc/nope cannot be used: ")
	}
}
