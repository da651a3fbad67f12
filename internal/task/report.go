package task

import (
	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/internal/operator"
)

// Report is what a task tells the JobManager.
type Report struct {
	Kind          ReportKind
	Task, Subtask int
	Attempt       string
	Checkpoint    checkpoint.ID
	Snapshot      *Snapshot         // ReportAck
	Err           error             // ReportFailed, ReportDecline
	Reason        checkpoint.Reason // ReportDecline
}

// ReportKind is a closed set.
type ReportKind uint8

// The kinds of report.
const (
	ReportAck     ReportKind = iota + 1 // the snapshot is durable
	ReportDecline                       // this checkpoint cannot be taken here
	ReportDrained                       // all input is processed and flushed; barriers are still served
	ReportSettled                       // everything of completed checkpoints is committed
	ReportFailed
	ReportNeedsSplit
)

// Snapshot is one subtask's part of a checkpoint.
type Snapshot struct {
	Operators []OperatorSnapshot
	// Keyed is the file with the keyed state of all operators of the chain, nil when there is none.
	Keyed     *Handle
	KeyGroups keygroup.Range
	// Finished says that the subtask had reached the end of its input.
	Finished bool
	// SyncMicros and AsyncMicros are what the snapshot cost on and off the task's goroutine.
	SyncMicros, AsyncMicros int64
}

// OperatorSnapshot is the operator state of one operator of one subtask.
type OperatorSnapshot struct {
	UID       string
	Lists     []operator.ListState
	Watermark int64
	// Files are the files of lists that are too large for the manifest, by name: their elements one after another.
	Files map[string]Handle
	// Keyed says that the operator has state in the file.
	Keyed bool
}

// Bytes is the size of the snapshot: of its file, and of what goes into the manifest.
func (s *Snapshot) Bytes() (n int64) {
	if s.Keyed != nil {
		n = s.Keyed.Length
	}
	for _, o := range s.Operators {
		for _, l := range o.Lists {
			for _, e := range l.Elements {
				n += int64(len(e))
			}
		}
	}
	return n
}
