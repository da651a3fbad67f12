package cli

import (
	"context"
	"log/slog"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/config"
	"github.com/flottio/flott/internal/metrics"
)

// prepare builds and validates the job. An error holds all problems at once, and nothing was started.
type prepare func(cfg *config.Set, log *slog.Logger) (job, error)

// job is one prepared job, flottJob or a test's. Status and StopWithSavepoint may be called while Run is running.
type job interface {
	// Plan draws the execution plan as text, PlanJSON as data.
	Plan() string
	PlanJSON() ([]byte, error)
	// RestorePlan says what the snapshot that the configuration names would restore, what is new and what would be dropped. An error is a
	// refusal or a damage.
	RestorePlan(ctx context.Context) (string, error)
	// Run runs the job until it ends and everything it started has ended. A done ctx cancels it; with the cause flott.ErrSuspend it keeps
	// what is needed to go on. The result holds what is known also when there is an error; a *flott.RestoreError is one of the restore.
	Run(ctx context.Context) (flott.JobResult, error)
	// StopWithSavepoint makes Run return after a savepoint in dir. It returns when the job has ended in another way, too.
	StopWithSavepoint(ctx context.Context, dir string, drain bool) (path string, err error)
	Status() status
	// Waiting says what has not ended although it was cancelled.
	Waiting() []string
	// Metrics are served if metrics.port is set.
	Metrics() *metrics.Registry
}

// status is where a job stands.
type status struct {
	State    string
	Restarts int
	// RecordsIn and the like are totals since the start of the attempt.
	RecordsIn, RecordsOut, Late, DeadLetters, Dropped int64
	// WatermarkLag is how far the sinks' watermark is behind the clock, if HasWatermark.
	WatermarkLag time.Duration
	HasWatermark bool
	Checkpoint   checkpointStatus
	// Backpressured is the share of subtasks that wait for output, 0 to 1.
	Backpressured float64
	// Percent of a bounded input that was read; -1 if it is not known.
	Percent float64
}

// checkpointStatus describes the last completed checkpoint; its ID is 0 if there is none.
type checkpointStatus struct {
	ID        int64
	Completed time.Time
	SizeBytes int64
	Took      time.Duration
}
