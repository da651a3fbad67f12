//go:build engine

package cli

import (
	"context"

	"github.com/flottio/flott"
)

// flottJob is a job of the engine as engine.go wants it.
type flottJob struct{ *flott.Job }

// Run implements job.
func (j flottJob) Run(ctx context.Context) (result, error) {
	r, err := j.Job.Run(ctx)
	return result(r), err
}

// Status implements job.
func (j flottJob) Status() status {
	s := j.Job.Status()
	return status{
		State: s.State, Restarts: s.Restarts, RecordsIn: s.RecordsIn, RecordsOut: s.RecordsOut, Late: s.Late,
		DeadLetters: s.DeadLetters, Dropped: s.Dropped, WatermarkLag: s.WatermarkLag, HasWatermark: s.HasWatermark,
		Checkpoint: checkpointStatus(s.Checkpoint), Backpressured: s.Backpressured, Percent: s.Percent,
	}
}
