package journeys

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/flotttest"
)

// lose runs a job until checkpoints have completed, harms their directory, and returns what the job then fails with.
func lose(t *testing.T, dir string, harm func() error, options ...string) error {
	t.Helper()
	job, err := flott.Prepare("lost", func(env *flott.Env) {
		s := flott.From(env, "in", counter{splits: 2, each: 1 << 40})
		flott.Reduce(flott.KeyBy(s, keyOf), "sum", sum).Filter(func(number) bool { return false }).To("out", flotttest.NewLedger[number]())
	}, settings(append(options, "execution.checkpointing.interval=10 ms", "execution.checkpointing.dir="+dir)...), nil)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { _, err := job.Run(t.Context()); ended <- err }()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for job.Status().Stats.Completed < 3 {
		select {
		case err := <-ended:
			t.Fatalf("the job ended too early: %v", err)
		case <-tick.C:
		}
	}
	for limit := time.Now().Add(time.Minute); ; { // a checkpoint is being written there
		err := harm()
		if err == nil {
			break
		}
		if time.Now().After(limit) {
			t.Fatal(err)
		}
		<-tick.C
	}
	select {
	case err := <-ended:
		if err == nil {
			t.Fatal("the job did not fail")
		}
		return err
	case <-time.After(time.Minute):
		t.Fatalf("the job has not ended: %+v", job.Status())
	}
	return nil
}

// The directory of the checkpoints is taken away while the job runs. The checkpoints fail, and there is nothing that a restart could go on from:
// the failure is permanent, and says which option names the directory and where it is. It never starts afresh of itself: that would repeat what
// was committed.
func TestLostCheckpointDirectory(t *testing.T) {
	for name, instead := range map[string]func(dir string) error{
		"removed":            func(string) error { return nil },
		"replaced by a file": func(dir string) error { return os.WriteFile(dir, nil, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "checkpoints")
			err := lose(t, dir, func() error {
				if err := os.RemoveAll(dir); err != nil {
					return err
				}
				return instead(dir)
			}, "restart-strategy.type=fixed-delay", "restart-strategy.fixed-delay.attempts=1000000", "restart-strategy.fixed-delay.delay=10 ms")
			says(t, err.Error(), "execution.checkpointing.dir", dir, "which the job has to go on from, cannot be read any more", "-s latest", "permanent")
		})
	}
}
