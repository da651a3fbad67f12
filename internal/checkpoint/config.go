package checkpoint

import (
	"errors"
	"fmt"
	"time"
)

// Limits of the coordinator.
const (
	maxQueuedRequests  = 1000   // of users, waiting to begin (A2.1)
	maxOwnRequests     = 3      // of ours and the driver's: the periodic one, the final one, one that an end has overtaken
	maxExpiredIDs      = 16     // remembered to recognise late acknowledgements (A2.12)
	maxConcurrentLimit = 64     // of Config.MaxConcurrent
	maxRetainedLimit   = 10_000 // of Config.NumRetained
	maxHistoryLimit    = 10_000 // of Config.HistorySize
	minInterval        = 10 * time.Millisecond
	finalRetryDelay    = time.Second // before a final checkpoint is tried again (A8.2)
)

// Mode is the guarantee inside the job.
type Mode uint8

const (
	// ExactlyOnce aligns barriers: see Align.
	ExactlyOnce Mode = iota
	// AtLeastOnce does not: see Track.
	AtLeastOnce
)

// String returns the mode as the option execution.checkpointing.mode spells it.
func (m Mode) String() string {
	if m == AtLeastOnce {
		return "AT_LEAST_ONCE"
	}
	return "EXACTLY_ONCE"
}

// Unlimited as TolerableFailures lets a job run on whatever becomes of its checkpoints.
const Unlimited = -1

// NoBacklogCheckpoints as BacklogInterval takes no periodic checkpoints while a source reports backlog.
const NoBacklogCheckpoints time.Duration = -1

// Config says when checkpoints are taken and which are kept. DefaultConfig has the defaults; the zero Config is not valid.
// The names in brackets are the options' under execution.checkpointing.
type Config struct {
	Interval          time.Duration // [interval] between the beginnings of periodic checkpoints; 0: none are taken
	BacklogInterval   time.Duration // [interval-during-backlog] 0: as Interval; or NoBacklogCheckpoints (A2.17)
	Timeout           time.Duration // [timeout] from beginning to fully acknowledged
	MinPause          time.Duration // [min-pause] from a completion to the next periodic beginning
	MaxConcurrent     int           // [max-concurrent-checkpoints] pending at once; one savepoint may come on top
	TolerableFailures int           // [tolerable-failed-checkpoints] in a row; one more fails the job; or Unlimited
	NumRetained       int           // [num-retained] completed checkpoints kept; savepoints do not count
	Mode              Mode          // [mode]
	Externalized      Externalized  // [externalized-checkpoint-retention]
	HistorySize       int           // finished checkpoints remembered in the statistics
}

// DefaultConfig returns the defaults: no periodic checkpoints, exactly once.
func DefaultConfig() Config {
	return Config{
		Timeout:       10 * time.Minute,
		MaxConcurrent: 1,
		NumRetained:   1,
		HistorySize:   10,
	}
}

// Validate returns everything that is wrong with c, joined, or nil.
func (c Config) Validate() error {
	const prefix = "execution.checkpointing."
	var errs []error
	wrong := func(option, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s%s: "+format, append([]any{prefix, option}, args...)...))
	}
	if c.Interval != 0 && c.Interval < minInterval {
		wrong("interval", "%v is below %v; leave it out for no periodic checkpoints", c.Interval, minInterval)
	}
	if b := c.BacklogInterval; b != 0 && b != NoBacklogCheckpoints && b < c.Interval {
		wrong("interval-during-backlog", "%v is below the interval, %v; with a backlog there should be fewer checkpoints", b, c.Interval)
	}
	if c.BacklogInterval > 0 && c.Interval == 0 {
		wrong("interval-during-backlog", "%v has no effect without an interval", c.BacklogInterval)
	}
	if c.Timeout < minInterval {
		wrong("timeout", "%v is below %v", c.Timeout, minInterval)
	}
	if c.MinPause < 0 {
		wrong("min-pause", "%v is negative", c.MinPause)
	}
	if c.MaxConcurrent < 1 || c.MaxConcurrent > maxConcurrentLimit {
		wrong("max-concurrent-checkpoints", "%d is outside 1..%d", c.MaxConcurrent, maxConcurrentLimit)
	}
	if c.MinPause > 0 && c.MaxConcurrent > 1 {
		wrong("max-concurrent-checkpoints", "%d contradicts min-pause %v: with a pause between checkpoints there is "+
			"never more than one; set one of the two", c.MaxConcurrent, c.MinPause)
	}
	if c.TolerableFailures < 0 && c.TolerableFailures != Unlimited {
		wrong("tolerable-failed-checkpoints", "%d is negative; %d means any number", c.TolerableFailures, Unlimited)
	}
	if c.NumRetained < 1 || c.NumRetained > maxRetainedLimit {
		wrong("num-retained", "%d is outside 1..%d", c.NumRetained, maxRetainedLimit)
	}
	if c.Mode > AtLeastOnce {
		wrong("mode", "%d is neither EXACTLY_ONCE nor AT_LEAST_ONCE", c.Mode)
	}
	if c.Externalized > RetainOnCancellation {
		wrong("externalized-checkpoint-retention", "%d is none of %v, %v, %v", c.Externalized,
			NoExternalized, DeleteOnCancellation, RetainOnCancellation)
	}
	if c.HistorySize < 0 || c.HistorySize > maxHistoryLimit {
		wrong("history-size", "%d is outside 0..%d", c.HistorySize, maxHistoryLimit)
	}
	return errors.Join(errs...)
}
