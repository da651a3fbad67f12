package flott

import (
	"time"

	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/jobmanager"
	"github.com/flottio/flott/internal/metrics"
)

// CheckpointInfo is what is remembered of a checkpoint or savepoint that has ended.
type CheckpointInfo struct {
	ID        int64
	Savepoint bool
	// Status is COMPLETED, FAILED, or UNKNOWN if the job failed over before it was known.
	Status    string
	Triggered time.Time
	// Duration is from the trigger to the end.
	Duration time.Duration
	// StateBytes is what its tasks have stored.
	StateBytes int64
	// Tasks had to acknowledge; Acks are those that did, in that order.
	Tasks int
	Acks  []TaskAck
	// Failure says why it failed; empty for one that is complete.
	Failure string
}

// TaskAck is a subtask's acknowledgement of a checkpoint.
type TaskAck struct {
	Task       string
	Subtask    int           // from 0
	After      time.Duration // the trigger
	StateBytes int64
}

// Checkpoints returns the newest checkpoints and savepoints that have ended, oldest first: at most web.checkpoints.history. Any goroutine may
// call it at any time; before Run there are none.
func (j *Job) Checkpoints() []CheckpointInfo {
	s := j.driver.Status()
	infos := make([]CheckpointInfo, 0, len(s.Stats.History))
	for i := range s.Stats.History {
		r := &s.Stats.History[i]
		x := CheckpointInfo{ID: int64(r.ID), Savepoint: r.Options.Kind == checkpoint.Savepoint, Status: r.Status.String(),
			Triggered: s.Started.Add(r.Begun), Duration: r.Duration, StateBytes: r.Bytes, Tasks: r.Tasks}
		for _, a := range r.Acks {
			x.Acks = append(x.Acks, TaskAck{j.engine.Plan.Chains[a.Task.Vertex].Name, a.Task.Subtask, a.After, a.Bytes})
		}
		if r.Reason != checkpoint.NoReason {
			x.Failure = r.Reason.Text()
			if r.Cause != "" {
				x.Failure += ": " + r.Cause
			}
		}
		infos = append(infos, x)
	}
	return infos
}

// registerJob shows what the JobManager knows of the job under Flink's names; -1 stands for what there is not.
func registerJob(g *metrics.Group, status func() jobmanager.Snapshot, now func() time.Time) {
	show := func(name string, f func(s *jobmanager.Snapshot) float64) {
		g.Func(name, func() float64 { s := status(); return f(&s) })
	}
	last := func(name string, f func(r *checkpoint.Record) int64) {
		show(name, func(s *jobmanager.Snapshot) float64 {
			if s.Stats.LastCompleted.ID == checkpoint.None {
				return -1
			}
			return float64(f(&s.Stats.LastCompleted))
		})
	}
	since := func(t time.Time) float64 {
		if t.IsZero() {
			return 0
		}
		return float64(now().Sub(t).Milliseconds())
	}
	for _, name := range []string{metrics.NumRestarts, metrics.FullRestarts} {
		show(name, func(s *jobmanager.Snapshot) float64 { return float64(max(0, s.Attempts-1)) })
	}
	show(metrics.Uptime, func(s *jobmanager.Snapshot) float64 { return since(s.RunningSince) })
	show(metrics.Downtime, func(s *jobmanager.Snapshot) float64 { return since(s.DownSince) })
	show(metrics.NumCheckpoints, func(s *jobmanager.Snapshot) float64 { return float64(s.Stats.Triggered) })
	show(metrics.NumInProgressCheckpoints, func(s *jobmanager.Snapshot) float64 { return float64(s.Stats.InProgress) })
	show(metrics.NumCompletedCheckpoints, func(s *jobmanager.Snapshot) float64 { return float64(s.Stats.Completed) })
	show(metrics.NumFailedCheckpoints, func(s *jobmanager.Snapshot) float64 { return float64(s.Stats.Failed) })
	last(metrics.LastCompletedCheckpointID, func(r *checkpoint.Record) int64 { return int64(r.ID) })
	last(metrics.LastCheckpointDuration, func(r *checkpoint.Record) int64 { return r.Duration.Milliseconds() })
	for _, name := range []string{metrics.LastCheckpointSize, metrics.LastCheckpointFullSize} { // every snapshot is a full one
		last(name, func(r *checkpoint.Record) int64 { return r.Bytes })
	}
	show(metrics.LastCheckpointCompletedTimestamp, func(s *jobmanager.Snapshot) float64 {
		r := s.Stats.LastCompleted
		if r.ID == checkpoint.None {
			return -1
		}
		return float64(s.Started.Add(r.Begun + r.Duration).UnixMilli())
	})
	show(metrics.LastCheckpointRestoreTimestamp, func(s *jobmanager.Snapshot) float64 {
		if s.RestoredAt.IsZero() {
			return -1
		}
		return float64(s.RestoredAt.UnixMilli())
	})
}
