package flott_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/flottio/flott"
	"github.com/flottio/flott/config"
	"github.com/flottio/flott/flotttest"
)

func TestFactsOfAJob(t *testing.T) {
	cfg := config.New()
	for _, o := range []string{"execution.checkpointing.interval=1h", "execution.checkpointing.dir=" + t.TempDir(), "web.checkpoints.history=2",
		"restart-strategy.type=fixed-delay", "restart-strategy.fixed-delay.delay=10ms"} {
		cfg.Define(o)
	}
	var seen atomic.Int64
	job, err := flott.Prepare("facts", func(env *flott.Env) {
		in := flott.From(env, "in", flotttest.FromSlice(1, make([]click, 1000)...).Source())
		flott.Map(in, func(c click) click {
			if seen.Add(1) == 500 {
				panic("once")
			}
			return c
		}).To("out", flotttest.NewLedger[click]())
	}, cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	value := func(name string) float64 { s := job.Metrics().Snapshot(); return s.Sum(name, nil) }
	if value("lastCompletedCheckpointId") != -1 || value("lastCheckpointRestoreTimestamp") != -1 || len(job.Checkpoints()) != 0 {
		t.Error("a job that has not begun has a checkpoint")
	}
	if _, err := job.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	all := job.Checkpoints()
	if len(all) != 1 { // the final one
		t.Fatalf("%d checkpoints are remembered", len(all))
	}
	c := all[0]
	if c.Status != "COMPLETED" || c.Savepoint || c.Failure != "" || c.Triggered.IsZero() || len(c.Acks) != c.Tasks || c.Tasks == 0 ||
		c.Acks[0].Task == "" || c.Acks[0].After > c.Duration {
		t.Errorf("%+v", c)
	}
	if float64(c.ID) != value("lastCompletedCheckpointId") || value("lastCheckpointSize") != float64(c.StateBytes) ||
		value("numRestarts") != 1 || value("fullRestarts") != 1 || value("numberOfCompletedCheckpoints") != 1 ||
		value("totalNumberOfCheckpoints") != 1 || value("numberOfFailedCheckpoints") != 0 ||
		value("numberOfInProgressCheckpoints") != 0 || value("uptime") != 0 || value("downtime") != 0 {
		t.Errorf("metrics %+v", job.Metrics().Snapshot())
	}
}
