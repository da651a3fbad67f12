package jobmanager

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Class is what an error means for the job.
type Class uint8

const (
	// Transient: the outside world failed (network, disk, another process): another attempt may do better.
	Transient Class = iota
	// User: the user's function failed or panicked. Another attempt may do better, for what it calls may.
	User
	// Permanent: no attempt can do better: bad configuration, a lost transaction, a snapshot that is refused.
	Permanent
	// Bug: the engine contradicts itself. Going on could be wrong, so the job ends.
	Bug
)

// String returns the class in words.
func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return fmt.Sprintf("Class(%d)", uint8(c))
}

var classNames = [...]string{"transient", "user", "permanent", "bug"}

// Failure is why an attempt ended.
type Failure struct {
	Class Class
	Err   error
}

// RestartType names a strategy as the option restart-strategy.type spells it.
type RestartType string

// The strategies. RestartDefault is RestartNone when checkpointing is off, else RestartExponential.
const (
	RestartDefault     RestartType = ""
	RestartNone        RestartType = "none"
	RestartFixed       RestartType = "fixed-delay"
	RestartFailureRate RestartType = "failure-rate"
	RestartExponential RestartType = "exponential-delay"
)

// Endless as ExponentialAttempts never gives up.
const Endless = math.MaxInt

// RestartConfig has the options restart-strategy.*, named in brackets. DefaultRestartConfig has Flink's defaults.
type RestartConfig struct {
	Type RestartType

	FixedAttempts int           // [fixed-delay.attempts] restarts before the job fails
	FixedDelay    time.Duration // [fixed-delay.delay]

	RateMaxFailures int           // [failure-rate.max-failures-per-interval] restarts within the interval; one more failure and the job fails
	RateInterval    time.Duration // [failure-rate.failure-rate-interval]
	RateDelay       time.Duration // [failure-rate.delay]

	InitialBackoff      time.Duration // [exponential-delay.initial-backoff]
	MaxBackoff          time.Duration // [exponential-delay.max-backoff]
	BackoffMultiplier   float64       // [exponential-delay.backoff-multiplier]
	ResetThreshold      time.Duration // [exponential-delay.reset-backoff-threshold] this long without failure: as if there had been none
	Jitter              float64       // [exponential-delay.jitter-factor] the delay varies by this part of it, up and down
	ExponentialAttempts int           // [exponential-delay.attempts-before-reset-backoff] restarts without such a time; or Endless
}

// DefaultRestartConfig returns Flink's defaults.
func DefaultRestartConfig() RestartConfig {
	return RestartConfig{
		FixedAttempts:       1,
		FixedDelay:          time.Second,
		RateMaxFailures:     1,
		RateInterval:        time.Minute,
		RateDelay:           time.Second,
		InitialBackoff:      time.Second,
		MaxBackoff:          time.Minute,
		BackoffMultiplier:   1.5,
		ResetThreshold:      time.Hour,
		Jitter:              0.1,
		ExponentialAttempts: Endless,
	}
}

// Resolve returns the strategy that is meant when it may be left to the default.
func (c RestartConfig) Resolve(checkpointing bool) RestartType {
	switch {
	case c.Type != RestartDefault:
		return c.Type
	case checkpointing:
		return RestartExponential
	}
	return RestartNone
}

// maxRateFailures bounds the failures that are remembered.
const maxRateFailures = 100_000

// Validate returns everything that is wrong with c, joined, or nil.
func (c RestartConfig) Validate() error {
	var errs []error
	wrong := func(bad bool, option, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("restart-strategy.%s: "+format, append([]any{option}, args...)...))
		}
	}
	switch c.Type {
	case RestartDefault, RestartNone:
	case RestartFixed:
		wrong(c.FixedAttempts < 0, "fixed-delay.attempts", "%d is negative", c.FixedAttempts)
		wrong(c.FixedDelay < 0, "fixed-delay.delay", "%v is negative", c.FixedDelay)
	case RestartFailureRate:
		wrong(c.RateMaxFailures < 1 || c.RateMaxFailures > maxRateFailures, "failure-rate.max-failures-per-interval",
			"%d is outside 1..%d", c.RateMaxFailures, maxRateFailures)
		wrong(c.RateInterval <= 0, "failure-rate.failure-rate-interval", "%v is not positive", c.RateInterval)
		wrong(c.RateDelay < 0, "failure-rate.delay", "%v is negative", c.RateDelay)
	case RestartExponential:
	default:
		wrong(true, "type", "%q is none of none, fixed-delay, failure-rate, exponential-delay", string(c.Type))
	}
	if c.Type == RestartExponential || c.Type == RestartDefault {
		wrong(c.InitialBackoff <= 0, "exponential-delay.initial-backoff", "%v is not positive", c.InitialBackoff)
		wrong(c.MaxBackoff < c.InitialBackoff, "exponential-delay.max-backoff", "%v is below the initial backoff, %v",
			c.MaxBackoff, c.InitialBackoff)
		wrong(!(c.BackoffMultiplier >= 1) || math.IsInf(c.BackoffMultiplier, 0), "exponential-delay.backoff-multiplier",
			"%v is below 1", c.BackoffMultiplier)
		wrong(c.ResetThreshold <= 0, "exponential-delay.reset-backoff-threshold", "%v is not positive", c.ResetThreshold)
		wrong(!(c.Jitter >= 0 && c.Jitter <= 1), "exponential-delay.jitter-factor", "%v is outside 0..1", c.Jitter)
		wrong(c.ExponentialAttempts < 1, "exponential-delay.attempts-before-reset-backoff", "%d is below 1", c.ExponentialAttempts)
	}
	return errors.Join(errs...)
}

// Decision says what follows a failure.
type Decision struct {
	Restart bool
	// Delay is from the failure to the next attempt.
	Delay time.Duration
	// Why says in words why there is no restart, or which one it is.
	Why string
}

// Restart decides about failed attempts of one job (A17.3). One failure per attempt is reported to it: what else fails while an
// attempt is being cancelled is the same failure. It belongs to one goroutine.
type Restart struct {
	config   RestartConfig
	strategy RestartType
	rng      *rand.Rand

	restarts int             // fixed and exponential: so far, since the reset
	failures []time.Duration // failure rate: when, the newest RateMaxFailures
	backoff  time.Duration   // exponential: of the next restart, without jitter
	due      time.Duration   // exponential: when the last restart was due
}

// NewRestart returns the strategy of a valid configuration. rng is for jitter.
func NewRestart(c RestartConfig, checkpointing bool, rng *rand.Rand) *Restart {
	return &Restart{config: c, strategy: c.Resolve(checkpointing), rng: rng, backoff: c.InitialBackoff}
}

// Decide takes a failure at the moment now, which is monotonic, and says what follows.
func (r *Restart) Decide(now time.Duration, f Failure) Decision {
	switch f.Class {
	case Permanent:
		return Decision{Why: "the failure is permanent: another attempt would meet it again"}
	case Bug:
		return Decision{Why: "the engine contradicts itself; going on could be wrong"}
	}
	switch r.strategy {
	case RestartFixed:
		return r.fixed()
	case RestartFailureRate:
		return r.rate(now)
	case RestartExponential:
		return r.exponential(now)
	}
	return Decision{Why: "there is no restart strategy (restart-strategy.type: none, the default without checkpoints)"}
}

func (r *Restart) fixed() Decision {
	if r.restarts >= r.config.FixedAttempts {
		return Decision{Why: fmt.Sprintf("restarted %d times, as often as restart-strategy.fixed-delay.attempts allows", r.restarts)}
	}
	r.restarts++
	return Decision{true, r.config.FixedDelay, fmt.Sprintf("restart %d of %d", r.restarts, r.config.FixedAttempts)}
}

// rate allows RateMaxFailures failures in any interval, and no more.
func (r *Restart) rate(now time.Duration) Decision {
	most := r.config.RateMaxFailures
	if len(r.failures) == most && now-r.failures[0] <= r.config.RateInterval {
		return Decision{Why: fmt.Sprintf("%d failures within %v, and restart-strategy.failure-rate.max-failures-per-interval is %d",
			most+1, now-r.failures[0], most)}
	}
	if len(r.failures) == most {
		r.failures = append(r.failures[:0], r.failures[1:]...)
	}
	r.failures = append(r.failures, now)
	return Decision{true, r.config.RateDelay, fmt.Sprintf("failure %d of %d within %v", len(r.failures), most, r.config.RateInterval)}
}

// exponential multiplies the delay with each restart until the job has run for ResetThreshold since the last one.
func (r *Restart) exponential(now time.Duration) Decision {
	c := &r.config
	if r.restarts > 0 && now-r.due >= c.ResetThreshold {
		r.restarts, r.backoff = 0, c.InitialBackoff
	}
	if r.restarts >= c.ExponentialAttempts {
		return Decision{Why: fmt.Sprintf("restarted %d times without running for %v in between, as often as "+
			"restart-strategy.exponential-delay.attempts-before-reset-backoff allows", r.restarts, c.ResetThreshold)}
	}
	r.restarts++
	delay := r.backoff
	if c.Jitter > 0 {
		delay += time.Duration((2*r.rng.Float64() - 1) * c.Jitter * float64(r.backoff))
	}
	delay = min(delay, c.MaxBackoff)
	if next := float64(r.backoff) * c.BackoffMultiplier; next < float64(c.MaxBackoff) {
		r.backoff = time.Duration(next)
	} else {
		r.backoff = c.MaxBackoff
	}
	r.due = now + delay
	return Decision{true, delay, fmt.Sprintf("restart %d", r.restarts)}
}
