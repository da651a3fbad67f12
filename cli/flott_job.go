package cli

import (
	"github.com/flottio/flott"
	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/metrics"
)

// flottJob is a job of the engine.
type flottJob struct{ *flott.Job }

// Status implements job.
func (j flottJob) Status() status {
	p, seen := j.Progress(metrics.Snapshot{}), j.Job.Status()
	s := status{
		State: seen.Status.String(), Restarts: max(0, seen.Attempts-1),
		RecordsIn: int64(p.RecordsIn), RecordsOut: int64(p.RecordsOut), Late: int64(p.Late), DeadLetters: int64(p.DeadLetters),
		Dropped: int64(p.Dropped), WatermarkLag: p.WatermarkLag, HasWatermark: p.HasWatermark, Backpressured: p.BackPressured, Percent: -1,
	}
	if p.Bounded {
		s.Percent = 100 * p.Read
	}
	if last := seen.Stats.LastCompleted; last.ID != checkpoint.None {
		s.Checkpoint = checkpointStatus{ID: int64(last.ID), Completed: seen.Started.Add(last.Begun + last.Duration), SizeBytes: last.Bytes,
			Took: last.Duration}
	}
	return s
}
