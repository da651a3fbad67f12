package metrics

// Flink's metric names, by scope. Those in the second block of each are Flott's own.
const (
	// Task and operator.
	NumRecordsIn          = "numRecordsIn"
	NumRecordsOut         = "numRecordsOut"
	NumLateRecordsDropped = "numLateRecordsDropped"
	NumRecordsInErrors    = "numRecordsInErrors"
	CurrentInputWatermark = "currentInputWatermark" // ms since the epoch, NoWatermark before the first

	NumDeadLetters    = "numDeadLetters"
	NumRecordsDropped = "numRecordsDropped" // input that could not be decoded, dropped because the job says so

	// Operator.
	CurrentOutputWatermark = "currentOutputWatermark"
	NumSplitsProcessed     = "numSplitsProcessed"
	PendingRecords         = "pendingRecords"
	PendingBytes           = "pendingBytes"
	SourceIdleTime         = "sourceIdleTime" // ms
	NumRecordsSend         = "numRecordsSend"
	NumRecordsSendErrors   = "numRecordsSendErrors"

	InputBytesRead  = "inputBytesRead"
	InputBytesTotal = "inputBytesTotal" // of a bounded source

	// Task.
	NumBytesIn                = "numBytesIn"
	NumBytesOut               = "numBytesOut"
	NumBuffersOut             = "numBuffersOut" // batches
	NumFiredTimers            = "numFiredTimers"
	IsBackPressured           = "isBackPressured" // 0 or 1
	IdleTimeMs                = "idleTimeMs"      // with PerSecond appended: ms of each second spent waiting for input
	BusyTimeMs                = "busyTimeMs"
	BackPressuredTimeMs       = "backPressuredTimeMs"
	MailboxQueueSize          = "mailboxQueueSize"
	CheckpointAlignmentTime   = "checkpointAlignmentTime" // ns
	CheckpointStartDelayNanos = "checkpointStartDelayNanos"
	InputQueueLength          = "Shuffle.Netty.Input.Buffers.inputQueueLength" // batches
	InputQueueSize            = "Shuffle.Netty.Input.Buffers.inputQueueSize"   // bytes
	OutputQueueLength         = "Shuffle.Netty.Output.Buffers.outputQueueLength"

	SnapshotSyncNanos  = "snapshotSyncNanos"  // histogram: how long a snapshot kept the task from its records
	SnapshotAsyncNanos = "snapshotAsyncNanos" // histogram
	RecordLatency      = "latency"            // histogram, ms from source to sink

	// Job, on the JobManager.
	NumRestarts                      = "numRestarts"
	FullRestarts                     = "fullRestarts" // the same under its former name, which dashboards use
	Uptime                           = "uptime"       // ms
	Downtime                         = "downtime"     // ms
	LastCheckpointDuration           = "lastCheckpointDuration"
	LastCheckpointSize               = "lastCheckpointSize"
	LastCheckpointFullSize           = "lastCheckpointFullSize"
	LastCompletedCheckpointID        = "lastCompletedCheckpointId"
	LastCheckpointCompletedTimestamp = "lastCheckpointCompletedTimestamp" // ms since the epoch
	LastCheckpointRestoreTimestamp   = "lastCheckpointRestoreTimestamp"
	NumInProgressCheckpoints         = "numberOfInProgressCheckpoints"
	NumCompletedCheckpoints          = "numberOfCompletedCheckpoints"
	NumFailedCheckpoints             = "numberOfFailedCheckpoints"
	NumCheckpoints                   = "totalNumberOfCheckpoints"

	CheckpointDuration = "checkpointDuration" // histogram, ms

	// JobManager.
	NumRunningJobs = "numRunningJobs"
)

// PerSecond is appended to a counter's name by Group.Meter.
const PerSecond = "PerSecond"
