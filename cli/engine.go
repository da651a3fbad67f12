package cli

import (
	"context"
	"time"

	"github.com/flottio/flott/config"
	"github.com/flottio/flott/internal/metrics"
)

// prepare builds and validates the job. An error holds all problems at once, and nothing was started.
type prepare func(cfg *config.Set) (job, error)

// job is one prepared job. Status and StopWithSavepoint may be called while Run is running.
type job interface {
	// Plan draws the execution plan as text, PlanJSON as data.
	Plan() string
	PlanJSON() ([]byte, error)
	// RestorePlan says what the snapshot that the configuration names would restore, what is new and what would be dropped. An error is a
	// refusal or a damage.
	RestorePlan(ctx context.Context) (string, error)
	// Run runs the job until it ends and everything it started has ended; a done ctx cancels it. The result holds what is known also when
	// there is an error.
	Run(ctx context.Context) (result, error)
	// StopWithSavepoint makes Run return after a savepoint in dir. It returns when the job has ended in another way, too.
	StopWithSavepoint(ctx context.Context, dir string, drain bool) (path string, err error)
	Status() status
	// Metrics are served if metrics.port is set.
	Metrics() *metrics.Registry
}

// restoreFailure is an error of Run that means: the snapshot could not be restored. It decides the exit code.
type restoreFailure interface {
	error
	RestoreFailed() bool
}

// result is how a job ended.
type result struct {
	Status                                            string
	Duration                                          time.Duration
	RecordsIn, RecordsOut, Late, DeadLetters, Dropped int64
	// LastCheckpoint and Savepoint are paths to resume from; empty if there is none.
	LastCheckpoint, Savepoint string
	Restarts                  int
}

// status is where a job stands.
type status struct {
	State                                             string
	Restarts                                          int
	RecordsIn, RecordsOut, Late, DeadLetters, Dropped int64 // totals since the start
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
