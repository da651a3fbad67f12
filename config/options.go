package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Known returns every option of the engine, in the order of the documentation. A test keeps it complete.
func Known() []Described {
	return []Described{
		CheckpointInterval, CheckpointMode, CheckpointTimeout, CheckpointMinPause, CheckpointMaxConcurrent,
		CheckpointTolerableFailures, CheckpointNumRetained, CheckpointRetention, CheckpointDir, SavepointDir, CheckpointStorage,
		CheckpointAfterTasksFinish, CheckpointIncremental,
		RecoveryPath, RecoveryIgnoreUnclaimedState, RecoveryClaimMode,
		StateBackend, RocksDBMemory, RocksDBLocalDir, RocksDBTimers, TmpDirs,
		RestartStrategy, FixedDelayAttempts, FixedDelayDelay,
		FailureRateMaxFailures, FailureRateInterval, FailureRateDelay,
		ExponentialDelayInitial, ExponentialDelayMax, ExponentialDelayMultiplier, ExponentialDelayJitter,
		ExponentialDelayResetThreshold, ExponentialDelayAttempts,
		PipelineName, Parallelism, MaxParallelism, OperatorChaining, AutoWatermarkInterval, ObjectReuse, GlobalJobParameters,
		BufferTimeout, BufferTimeoutEnabled, BatchRows, BatchSize, QueueSize,
		CancellationInterval, CancellationTimeout, MetricsPort, ProgressInterval, CheckpointHistory,
	}
}

// MaxParallelismLimit is the highest max parallelism, as in Flink.
const MaxParallelismLimit = 32768

// CheckpointingMode is a value of CheckpointMode.
type CheckpointingMode string

// The checkpointing modes.
const (
	ExactlyOnce CheckpointingMode = "EXACTLY_ONCE"
	AtLeastOnce CheckpointingMode = "AT_LEAST_ONCE"
)

// Retention is a value of CheckpointRetention.
type Retention string

// What becomes of a job's checkpoints when it ends.
const (
	NoExternalizedCheckpoints Retention = "NO_EXTERNALIZED_CHECKPOINTS"
	DeleteOnCancellation      Retention = "DELETE_ON_CANCELLATION"
	RetainOnCancellation      Retention = "RETAIN_ON_CANCELLATION"
)

// Storage is a value of CheckpointStorage.
type Storage string

// The checkpoint storages.
const (
	JobManagerStorage Storage = "jobmanager"
	FilesystemStorage Storage = "filesystem"
)

// ClaimMode is a value of RecoveryClaimMode.
type ClaimMode string

// Who owns the snapshot that a job was restored from.
const (
	NoClaim ClaimMode = "NO_CLAIM"
	Claim   ClaimMode = "CLAIM"
)

// Backend is a value of StateBackend.
type Backend string

// The state backends.
const (
	HashMapBackend Backend = "hashmap"
	RocksDBBackend Backend = "rocksdb"
)

// TimerService is a value of RocksDBTimers.
type TimerService string

// Where the rocksdb backend keeps timers.
const (
	RocksDBTimerService TimerService = "ROCKSDB"
	HeapTimerService    TimerService = "HEAP"
)

// Strategy is a value of RestartStrategy.
type Strategy string

// The restart strategies.
const (
	NoRestart        Strategy = "none"
	FixedDelay       Strategy = "fixed-delay"
	FailureRate      Strategy = "failure-rate"
	ExponentialDelay Strategy = "exponential-delay"
)

// Checkpointing.
var (
	CheckpointInterval = &Option[time.Duration]{Key: "execution.checkpointing.interval", Syntax: Times, Optional: true,
		Doc: "Time between the starts of two checkpoints. Unset or 0: no checkpoints."}
	CheckpointMode = &Option[CheckpointingMode]{Key: "execution.checkpointing.mode", Default: ExactlyOnce,
		Syntax: Enum[CheckpointingMode]{Values: []CheckpointingMode{ExactlyOnce, AtLeastOnce}},
		Doc: "EXACTLY_ONCE aligns barriers: each record affects state once. AT_LEAST_ONCE does not wait for the other inputs: " +
			"lower latency, records may count twice after a restore."}
	CheckpointTimeout = &Option[time.Duration]{Key: "execution.checkpointing.timeout", Syntax: Times, Default: 10 * time.Minute,
		Check: atLeast(time.Millisecond, FormatDuration),
		Doc:   "A checkpoint that is not complete after this time is aborted and counts as failed."}
	CheckpointMinPause = &Option[time.Duration]{Key: "execution.checkpointing.min-pause", Syntax: Times,
		Doc: "Shortest time between the end of a checkpoint and the start of the next."}
	CheckpointMaxConcurrent = &Option[int]{Key: "execution.checkpointing.max-concurrent-checkpoints", Syntax: Ints, Default: 1,
		Check: atLeast(1, strconv.Itoa),
		Doc:   "How many checkpoints may be under way at once. With a min-pause it is always 1."}
	CheckpointTolerableFailures = &Option[int]{Key: "execution.checkpointing.tolerable-failed-checkpoints", Syntax: Ints,
		Check: atLeast(0, strconv.Itoa),
		Doc:   "How many checkpoints may fail in a row before the job fails and its restart strategy decides."}
	CheckpointNumRetained = &Option[int]{Key: "execution.checkpointing.num-retained", Syntax: Ints, Default: 1,
		Aliases: []string{"state.checkpoints.num-retained"}, Check: atLeast(1, strconv.Itoa),
		Doc: "How many of the newest completed checkpoints are kept."}
	CheckpointRetention = &Option[Retention]{Key: "execution.checkpointing.externalized-checkpoint-retention",
		Default: NoExternalizedCheckpoints,
		Syntax:  Enum[Retention]{Values: []Retention{NoExternalizedCheckpoints, DeleteOnCancellation, RetainOnCancellation}},
		Doc: "What becomes of the checkpoints when the job ends. RETAIN_ON_CANCELLATION keeps them after a failure and a cancel, " +
			"DELETE_ON_CANCELLATION only after a failure, NO_EXTERNALIZED_CHECKPOINTS never."}
	CheckpointDir = &Option[string]{Key: "execution.checkpointing.dir", Syntax: Strings, Optional: true,
		Aliases: []string{"state.checkpoints.dir", "state.backend.fs.checkpointdir"}, Check: localPath,
		Doc: "Directory for checkpoints: <dir>/<job id>/chk-<n>. A path or a file: URI."}
	SavepointDir = &Option[string]{Key: "execution.checkpointing.savepoint-dir", Syntax: Strings, Optional: true,
		Aliases: []string{"state.savepoints.dir", "savepoints.state.backend.fs.dir"}, Check: localPath,
		Doc: "Directory for savepoints that name no other. If set, SIGTERM stops a job with a savepoint."}
	CheckpointStorage = &Option[Storage]{Key: "execution.checkpointing.storage", Optional: true,
		Aliases: []string{"state.checkpoint-storage"},
		Syntax: Enum[Storage]{Values: []Storage{JobManagerStorage, FilesystemStorage}, Legacy: map[string]Storage{
			"JobManagerCheckpointStorage": JobManagerStorage, "FileSystemCheckpointStorage": FilesystemStorage,
			"org.apache.flink.runtime.state.storage.JobManagerCheckpointStorage": JobManagerStorage,
			"org.apache.flink.runtime.state.storage.FileSystemCheckpointStorage": FilesystemStorage}},
		Doc: "filesystem needs execution.checkpointing.dir and writes checkpoints there. So does jobmanager if that directory is set, as in " +
			"Flink; without it, it keeps them in memory: they survive a restart of the job, not the process. Unset: jobmanager."}
	CheckpointAfterTasksFinish = &Option[bool]{Key: "execution.checkpointing.checkpoints-after-tasks-finish", Syntax: Bools,
		Default: true, Aliases: []string{"execution.checkpointing.checkpoints-after-tasks-finish.enabled"},
		Doc: "Whether checkpoints go on when some tasks have finished. A bounded job's last transaction is committed by a final " +
			"checkpoint; with false it is committed only if the job ends in one piece."}
	CheckpointIncremental = &Option[bool]{Key: "execution.checkpointing.incremental", Syntax: Bools,
		Aliases:  []string{"state.backend.incremental"},
		Doc:      "Whether a checkpoint writes only what changed since the one before.",
		NoEffect: "every snapshot is a full one so far"}
)

// Restoring.
var (
	RecoveryPath = &Option[string]{Key: "execution.state-recovery.path", Syntax: Strings, Optional: true,
		Aliases: []string{"execution.savepoint.path"}, Check: localPath,
		Doc: "Snapshot to start from (-s): its directory, its _metadata file, or \"latest\", the newest complete checkpoint of this " +
			"job. Unset: a fresh start."}
	RecoveryIgnoreUnclaimedState = &Option[bool]{Key: "execution.state-recovery.ignore-unclaimed-state", Syntax: Bools,
		Aliases: []string{"execution.savepoint.ignore-unclaimed-state"},
		Doc:     "Whether to start although the snapshot has state that no operator of the job wants (-n): it is dropped, by name."}
	RecoveryClaimMode = &Option[ClaimMode]{Key: "execution.state-recovery.claim-mode", Default: NoClaim,
		Aliases: []string{"execution.savepoint-restore-mode"}, Syntax: Enum[ClaimMode]{Values: []ClaimMode{NoClaim, Claim}},
		Doc: "NO_CLAIM leaves the snapshot alone. CLAIM takes it over: it is deleted when newer checkpoints have replaced it."}
)

// State.
var (
	StateBackend = &Option[Backend]{Key: "state.backend.type", Default: HashMapBackend, Aliases: []string{"state.backend"},
		Syntax: Enum[Backend]{Values: []Backend{HashMapBackend, RocksDBBackend}, Synonyms: map[string]Backend{"pebble": RocksDBBackend},
			Legacy: formerBackends},
		Doc: "hashmap keeps state in memory. rocksdb (or pebble) keeps it on local disk, for state larger than memory. Snapshots are " +
			"the same: a job may change its backend at a restore."}
	RocksDBMemory = &Option[MemorySize]{Key: "state.backend.rocksdb.memory.fixed-per-slot", Syntax: Sizes, Default: 128 * Mebibyte,
		Check: atLeast(1*Mebibyte, MemorySize.String),
		Doc: "Memory of the rocksdb backend (caches, write buffers) of one slot, that is of one parallel slice of a job; its " +
			"stateful operators share it."}
	RocksDBLocalDir = &Option[[]string]{Key: "state.backend.rocksdb.localdir", Syntax: Paths, Optional: true,
		Doc: "Local directories for the files of the rocksdb backend. Unset: io.tmp.dirs."}
	RocksDBTimers = &Option[TimerService]{Key: "state.backend.rocksdb.timer-service.factory", Default: RocksDBTimerService,
		Syntax: Enum[TimerService]{Values: []TimerService{RocksDBTimerService, HeapTimerService}},
		Doc:    "Where the rocksdb backend keeps timers: ROCKSDB on disk, the earliest in memory; HEAP all in memory, which is faster for few."}
	TmpDirs = &Option[[]string]{Key: "io.tmp.dirs", Syntax: Paths, Optional: true, Aliases: []string{"taskmanager.tmp.dirs"},
		Doc: "Directories for temporary files. Unset: the system's."}
)

// formerBackends are the names under which tutorials know the backends. The first two said where checkpoints went as well; that is
// execution.checkpointing.storage and .dir today.
var formerBackends = map[string]Backend{
	"jobmanager": HashMapBackend, "filesystem": HashMapBackend,
	"MemoryStateBackend": HashMapBackend, "FsStateBackend": HashMapBackend, "HashMapStateBackend": HashMapBackend,
	"RocksDBStateBackend": RocksDBBackend, "EmbeddedRocksDBStateBackend": RocksDBBackend,
	"org.apache.flink.runtime.state.memory.MemoryStateBackendFactory":             HashMapBackend,
	"org.apache.flink.runtime.state.filesystem.FsStateBackendFactory":             HashMapBackend,
	"org.apache.flink.runtime.state.hashmap.HashMapStateBackendFactory":           HashMapBackend,
	"org.apache.flink.contrib.streaming.state.RocksDBStateBackendFactory":         RocksDBBackend,
	"org.apache.flink.contrib.streaming.state.EmbeddedRocksDBStateBackendFactory": RocksDBBackend,
	"org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackendFactory":           RocksDBBackend,
}

// Restarting.
var (
	RestartStrategy = &Option[Strategy]{Key: "restart-strategy.type", Optional: true, Aliases: []string{"restart-strategy"},
		Syntax: Enum[Strategy]{Values: []Strategy{NoRestart, FixedDelay, FailureRate, ExponentialDelay},
			Synonyms: map[string]Strategy{"off": NoRestart, "disable": NoRestart, "fixeddelay": FixedDelay,
				"failurerate": FailureRate, "exponentialdelay": ExponentialDelay}},
		Doc: "What happens when a job fails; none may be written off or disable. Unset: exponential-delay if checkpoints are on, " +
			"else none."}
	FixedDelayAttempts = &Option[int]{Key: "restart-strategy.fixed-delay.attempts", Syntax: Ints, Default: 1,
		Check: atLeast(0, strconv.Itoa), Doc: "fixed-delay: how many times a job is restarted before it fails for good."}
	FixedDelayDelay = &Option[time.Duration]{Key: "restart-strategy.fixed-delay.delay", Syntax: Times, Default: time.Second,
		Doc: "fixed-delay: time between a failure and the restart."}
	FailureRateMaxFailures = &Option[int]{Key: "restart-strategy.failure-rate.max-failures-per-interval", Syntax: Ints, Default: 1,
		Check: atLeast(1, strconv.Itoa), Doc: "failure-rate: how many failures within the interval are survived."}
	FailureRateInterval = &Option[time.Duration]{Key: "restart-strategy.failure-rate.failure-rate-interval", Syntax: Times,
		Default: time.Minute, Check: atLeast(time.Millisecond, FormatDuration), Doc: "failure-rate: the interval in which failures are counted."}
	FailureRateDelay = &Option[time.Duration]{Key: "restart-strategy.failure-rate.delay", Syntax: Times, Default: time.Second,
		Doc: "failure-rate: time between a failure and the restart."}
	ExponentialDelayInitial = &Option[time.Duration]{Key: "restart-strategy.exponential-delay.initial-backoff", Syntax: Times,
		Default: time.Second, Check: atLeast(time.Millisecond, FormatDuration),
		Doc: "exponential-delay: time between the first failure and the restart."}
	ExponentialDelayMax = &Option[time.Duration]{Key: "restart-strategy.exponential-delay.max-backoff", Syntax: Times,
		Default: time.Minute, Check: atLeast(time.Millisecond, FormatDuration), Doc: "exponential-delay: longest time before a restart."}
	ExponentialDelayMultiplier = &Option[float64]{Key: "restart-strategy.exponential-delay.backoff-multiplier", Syntax: Floats,
		Default: 1.5, Check: atLeast(1.0, Floats.Format), Doc: "exponential-delay: by how much the time grows with each failure."}
	ExponentialDelayJitter = &Option[float64]{Key: "restart-strategy.exponential-delay.jitter-factor", Syntax: Floats, Default: 0.1,
		Check: between(0, 1, Floats.Format), Doc: "exponential-delay: random part of the time, as a fraction of it, up or down."}
	ExponentialDelayResetThreshold = &Option[time.Duration]{Key: "restart-strategy.exponential-delay.reset-backoff-threshold",
		Syntax: Times, Default: time.Hour, Check: atLeast(time.Millisecond, FormatDuration),
		Doc: "exponential-delay: a job that ran this long without a failure starts from initial-backoff again."}
	ExponentialDelayAttempts = &Option[int]{Key: "restart-strategy.exponential-delay.attempts-before-reset-backoff", Syntax: Ints,
		Default: Infinite, Check: atLeast(0, strconv.Itoa),
		Doc: "exponential-delay: how many failures without such a pause are survived."}
)

// The job.
var (
	PipelineName = &Option[string]{Key: "pipeline.name", Syntax: Strings, Optional: true, Check: notEmpty,
		Doc: "The job's name in listings and metrics. Unset: the name that the program gives."}
	Parallelism = &Option[int]{Key: "parallelism.default", Syntax: Ints, Default: 1, Check: between(1, MaxParallelismLimit, strconv.Itoa),
		Doc: "Subtasks of each operator that asks for no number of its own (-p)."}
	MaxParallelism = &Option[int]{Key: "pipeline.max-parallelism", Syntax: Ints, Default: -1, Check: checkMaxParallelism,
		Doc: "Number of key groups, and so the highest parallelism that the job's state can be spread over; it is fixed by the first " +
			"snapshot. -1: derived from the parallelism, between 128 and 32768."}
	OperatorChaining = &Option[bool]{Key: "pipeline.operator-chaining.enabled", Syntax: Bools, Default: true,
		Aliases: []string{"pipeline.operator-chaining"},
		Doc:     "Whether operators with the same parallelism and a forward edge between them run in one task."}
	AutoWatermarkInterval = &Option[time.Duration]{Key: "pipeline.auto-watermark-interval", Syntax: Times,
		Default: 200 * time.Millisecond, Doc: "How often sources emit watermarks. 0: with every batch."}
	ObjectReuse = &Option[bool]{Key: "pipeline.object-reuse", Syntax: Bools,
		Doc:      "In Flink: hand records to the next function without copying.",
		NoEffect: "Flott never copies records between chained operators"}
	GlobalJobParameters = &Option[map[string]string]{Key: "pipeline.global-job-parameters", Syntax: Maps,
		Doc: "Parameters for the job's own functions; keys below this one are parts of it."}
)

// Moving records.
var (
	BufferTimeout = &Option[time.Duration]{Key: "execution.buffer-timeout.interval", Syntax: Times, Default: 100 * time.Millisecond,
		Aliases: []string{"execution.buffer-timeout"},
		Doc: "Longest time that a record waits in a batch that is not full while more input comes; a batch also goes out when its " +
			"input has run dry. 0: after every record."}
	BufferTimeoutEnabled = &Option[bool]{Key: "execution.buffer-timeout.enabled", Syntax: Bools, Default: true,
		Doc: "With false, batches go out only when they are full or their input has run dry."}
	BatchRows = &Option[int]{Key: "taskmanager.network.batch-rows", Syntax: Ints, Default: 2048, Check: between(1, 1<<16, strconv.Itoa),
		Doc: "Most records in one batch. Only Flott has this option."}
	BatchSize = &Option[MemorySize]{Key: "taskmanager.network.batch-size", Syntax: Sizes, Default: 256 * Kibibyte,
		Check: between(1*Kibibyte, 64*Mebibyte, MemorySize.String),
		Doc:   "Size at which a batch goes out although it has fewer records. Only Flott has this option."}
	QueueSize = &Option[MemorySize]{Key: "taskmanager.network.queue-size", Syntax: Sizes, Default: 1 * Mebibyte,
		Check: between(1*Kibibyte, 1*Gibibyte, MemorySize.String),
		Doc:   "What one input of a subtask may hold before its sender has to wait. Only Flott has this option."}
)

// Looking.
var (
	CheckpointHistory = &Option[int]{Key: "web.checkpoints.history", Syntax: Ints, Default: 10, Check: between(0, 10_000, strconv.Itoa),
		Doc: "How many finished checkpoints are remembered with their statistics."}
	MetricsPort = &Option[int]{Key: "metrics.port", Syntax: Ints, Optional: true, Check: between(0, math.MaxUint16, strconv.Itoa),
		Doc: "TCP port on the loopback interface that serves metrics to Prometheus at /metrics. 0: any free port, said in the log. " +
			"Unset: none. Only Flott has this option; Flink's default for the purpose is 9249."}
	CancellationInterval = &Option[time.Duration]{Key: "task.cancellation.interval", Syntax: Times, Default: 30 * time.Second,
		Doc: "Time between two warnings about a function of the job that has not returned although its attempt was cancelled, with its stack. " +
			"0: no warnings."}
	CancellationTimeout = &Option[time.Duration]{Key: "task.cancellation.timeout", Syntax: Times, Default: 3 * time.Minute,
		Doc: "A function that has not returned so long after its attempt was cancelled ends the process, with exit code 4: Go cannot end it. " +
			"The checkpoints stay. 0: it is waited for without end."}
	ProgressInterval = &Option[time.Duration]{Key: "client.progress-interval", Syntax: Times, Default: 10 * time.Second,
		Check: atLeast(100*time.Millisecond, FormatDuration),
		Doc:   "Time between two progress lines in the log when the output is not a terminal. Only Flott has this option."}
)

// localPath refuses addresses of storage that there is no client for.
func localPath(text string) error {
	scheme, _, ok := strings.Cut(text, ":")
	if !ok || len(scheme) < 2 || scheme == "file" || strings.ContainsAny(scheme, `/\.`) {
		return nil
	}
	return fmt.Errorf("expected a local path or a file: URI; %s: is not supported yet: mount it as a file system, or use a local directory", scheme)
}

func notEmpty(text string) error {
	if text == "" {
		return fmt.Errorf("expected a text that is not empty")
	}
	return nil
}

func checkMaxParallelism(n int) error {
	if n == -1 || n >= 1 && n <= MaxParallelismLimit {
		return nil
	}
	return fmt.Errorf("expected -1 or a number from 1 to %d", MaxParallelismLimit)
}
