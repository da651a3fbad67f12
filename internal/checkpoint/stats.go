package checkpoint

import (
	"slices"
	"time"
)

// Stats is what a coordinator has seen, for people, metrics and the dashboard. It outlives restarts of the job.
type Stats struct {
	Triggered  int // began
	InProgress int
	Completed  int
	Failed     int // given up
	Restored   int
	Skipped    int // never began: a job that never checkpoints must be visible (A2.5)

	LateAcks          int // of checkpoints gone
	LateAfterExpiry   int // of those, recently expired: the timeout may be too short
	UnknownAcks       int // of attempts not concerned
	FailedDeletes     int
	LastDeleteFailure string
	LastSkip          Reason
	LastSkipCause     string
	LastRestored      ID

	LastCompleted Record // ID None if there was none
	LastFailed    Record
	LastSavepoint Record
	History       []Record // finished, oldest first, at most Config.HistorySize
}

// Record is the story of one checkpoint. Times are counted as the coordinator's now.
type Record struct {
	ID       ID
	Options  Options
	Status   RecordStatus
	Begun    time.Duration
	Duration time.Duration // from beginning to end; while in progress, 0
	LastAck  time.Duration // from beginning to the latest acknowledgement
	Tasks    int           // to acknowledge
	Acked    int
	Acks     []Ack // in the order in which they came; changes no more once Status is final
	Bytes    int64
	Reason   Reason
	Cause    string
}

// Ack is a task's acknowledgement of a checkpoint.
type Ack struct {
	Task  Task
	After time.Duration // the beginning
	Bytes int64
}

// RecordStatus is the status of a checkpoint in the statistics.
type RecordStatus uint8

const (
	RecordInProgress RecordStatus = iota
	RecordCompleted
	RecordFailed
	RecordUnknown // the job failed over before it was known (A2.9)
)

// String returns the status as REST clients know it.
func (s RecordStatus) String() string {
	return [...]string{"IN_PROGRESS", "COMPLETED", "FAILED", "UNKNOWN"}[s]
}

func (r *Record) finish(s RecordStatus, now time.Duration, reason Reason, cause string) {
	r.Status, r.Duration, r.Reason, r.Cause = s, now-r.Begun, reason, cause
}

// Stats returns a copy of the statistics.
func (c *Coordinator) Stats() Stats {
	s := c.stats
	s.InProgress = len(c.pending)
	s.History = slices.Clone(s.History)
	return s
}

// InProgress appends the records of the checkpoints that have begun and not ended, ascending by id.
func (c *Coordinator) InProgress(dst []Record) []Record {
	for _, p := range c.pending {
		r := p.record
		r.Acks = slices.Clone(r.Acks)
		dst = append(dst, r)
	}
	return dst
}

func (s *Stats) skip(reason Reason, cause string) {
	s.Skipped++
	s.LastSkip, s.LastSkipCause = reason, cause
}

func (s *Stats) late(afterExpiry bool) {
	s.LateAcks++
	if afterExpiry {
		s.LateAfterExpiry++
	}
}

func (s *Stats) complete(r Record, historySize int) {
	s.Completed++
	if r.Options.Kind == Savepoint {
		s.LastSavepoint = r
	} else {
		s.LastCompleted = r
	}
	s.remember(r, historySize)
}

func (s *Stats) fail(r Record, historySize int) {
	s.Failed++
	s.LastFailed = r
	s.remember(r, historySize)
}

func (s *Stats) remember(r Record, historySize int) {
	if historySize == 0 {
		return
	}
	if len(s.History) >= historySize {
		s.History = slices.Delete(s.History, 0, len(s.History)-historySize+1)
	}
	s.History = append(s.History, r)
}
