package flott

import (
	"os"
	"time"

	"github.com/flottio/flott/config"
	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/internal/jobmanager"
	"github.com/flottio/flott/internal/taskmanager"
)

// graphSettings are what the configuration says about the job's shape.
func graphSettings(c *config.Set) graph.Settings {
	return graph.Settings{
		Parallelism:    config.Parallelism.Get(c),
		MaxParallelism: config.MaxParallelism.Get(c),
		Chaining:       config.OperatorChaining.Get(c),
	}
}

// checkpointConfig is when checkpoints are taken and which are kept.
func checkpointConfig(c *config.Set) checkpoint.Config {
	x := checkpoint.DefaultConfig()
	x.Interval = config.CheckpointInterval.Get(c)
	x.Timeout = config.CheckpointTimeout.Get(c)
	x.MinPause = config.CheckpointMinPause.Get(c)
	x.MaxConcurrent = config.CheckpointMaxConcurrent.Get(c)
	x.TolerableFailures = config.CheckpointTolerableFailures.Get(c)
	x.HistorySize = config.CheckpointHistory.Get(c)
	x.NumRetained = config.CheckpointNumRetained.Get(c)
	if config.CheckpointMode.Get(c) == config.AtLeastOnce {
		x.Mode = checkpoint.AtLeastOnce
	}
	switch config.CheckpointRetention.Get(c) {
	case config.RetainOnCancellation:
		x.Externalized = checkpoint.RetainOnCancellation
	case config.DeleteOnCancellation:
		x.Externalized = checkpoint.DeleteOnCancellation
	}
	return x
}

// taskSettings are what the configuration says about running tasks.
func taskSettings(c *config.Set) taskmanager.Settings {
	s := taskmanager.Settings{
		ExactlyOnce:          config.CheckpointMode.Get(c) == config.ExactlyOnce,
		MaxConcurrent:        config.CheckpointMaxConcurrent.Get(c),
		BufferTimeoutMs:      config.BufferTimeout.Get(c).Milliseconds(),
		Backend:              string(config.StateBackend.Get(c)),
		MemoryBytes:          int64(config.RocksDBMemory.Get(c)),
		LocalDir:             os.TempDir(),
		CancellationInterval: config.CancellationInterval.Get(c),
		CancellationTimeout:  config.CancellationTimeout.Get(c),
		TimersInMemory:       config.RocksDBTimers.Get(c) == config.HeapTimerService,
		QueueBytes:           int64(config.QueueSize.Get(c)),
	}
	if !config.BufferTimeoutEnabled.Get(c) {
		s.BufferTimeoutMs = (24 * time.Hour).Milliseconds()
	}
	for _, dirs := range [][]string{config.TmpDirs.Get(c), config.RocksDBLocalDir.Get(c)} {
		if len(dirs) > 0 {
			s.LocalDir = dirs[0]
		}
	}
	return s
}

// restartConfig is what happens after a failure.
func restartConfig(c *config.Set) jobmanager.RestartConfig {
	x := jobmanager.DefaultRestartConfig()
	x.Type = jobmanager.RestartType(config.RestartStrategy.Get(c))
	x.FixedAttempts, x.FixedDelay = config.FixedDelayAttempts.Get(c), config.FixedDelayDelay.Get(c)
	x.RateMaxFailures, x.RateInterval = config.FailureRateMaxFailures.Get(c), config.FailureRateInterval.Get(c)
	x.RateDelay = config.FailureRateDelay.Get(c)
	x.InitialBackoff, x.MaxBackoff = config.ExponentialDelayInitial.Get(c), config.ExponentialDelayMax.Get(c)
	x.BackoffMultiplier, x.Jitter = config.ExponentialDelayMultiplier.Get(c), config.ExponentialDelayJitter.Get(c)
	x.ResetThreshold, x.ExponentialAttempts = config.ExponentialDelayResetThreshold.Get(c), config.ExponentialDelayAttempts.Get(c)
	return x
}
