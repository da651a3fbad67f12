package main

import (
	"context"
	"fmt"
	"os"

	"github.com/flottio/flott"
	"github.com/flottio/flott/config"
)

// job is how to run a job.
type job struct {
	parallelism int
	// options are further lines "key=value" of the configuration.
	options []string
}

// runJob runs a bounded job in this process to its end. Everything it writes is below a folder that is removed.
func runJob(j job, build func(*flott.Env)) error {
	dir, err := os.MkdirTemp("", "flott-bench-")
	if err != nil {
		return fmt.Errorf("making a folder for a job: %w", err)
	}
	defer os.RemoveAll(dir)
	cfg := config.New()
	lines := append([]string{fmt.Sprintf("parallelism.default=%d", j.parallelism), "execution.checkpointing.dir=" + dir + "/checkpoints",
		"io.tmp.dirs=" + dir, "restart-strategy.type=none",
		"execution.checkpointing.interval=1h"}, j.options...)
	for _, l := range lines {
		cfg.Define(l)
	}
	prepared, err := flott.Prepare("bench", build, cfg, nil)
	if err != nil {
		return fmt.Errorf("preparing a job: %w", err)
	}
	r, err := prepared.Run(context.Background())
	if err == nil && r.Status != "FINISHED" {
		err = fmt.Errorf("the job ended as %s", r.Status)
	}
	return err
}
