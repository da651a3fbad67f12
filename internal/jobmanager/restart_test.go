package jobmanager

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

// Scripts: `new key=value ...` with durations, then `fail` with one failure a line: the moment, and a class if it is not transient.
func TestRestartScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/restart", func(t *testing.T, path string) {
		var r *Restart
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "new":
				c := DefaultRestartConfig()
				c.Jitter = 0
				checkpointing, seed := d.HasArg("checkpointing"), uint64(1)
				for _, a := range d.CmdArgs {
					if len(a.Vals) == 1 {
						setRestart(t, &c, a.Key, a.Vals[0])
					}
				}
				if err := c.Validate(); err != nil {
					return err.Error() + "\n"
				}
				r = NewRestart(c, checkpointing, rand.New(rand.NewPCG(seed, 0)))
				return ""
			case "fail":
				var out strings.Builder
				for line := range strings.Lines(d.Input) {
					f := strings.Fields(line)
					class := Transient
					if len(f) > 1 {
						class = parseClass(t, f[1])
					}
					x := r.Decide(duration(t, f[0]), Failure{class, errors.New("x")})
					if x.Restart {
						fmt.Fprintf(&out, "%-12s restart after %v: %s\n", strings.TrimSpace(line), x.Delay, x.Why)
					} else {
						fmt.Fprintf(&out, "%-12s fail: %s\n", strings.TrimSpace(line), x.Why)
					}
				}
				return out.String()
			}
			d.Fatalf(t, "unknown command %s", d.Cmd)
			return ""
		})
	})
}

func duration(t *testing.T, s string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func parseClass(t *testing.T, s string) Class {
	t.Helper()
	for i, name := range classNames {
		if name == s {
			return Class(i)
		}
	}
	t.Fatalf("no class %q", s)
	return 0
}

func setRestart(t *testing.T, c *RestartConfig, key, value string) {
	t.Helper()
	number := func(to *int) {
		if value == "endless" {
			*to = Endless
		} else if _, err := fmt.Sscan(value, to); err != nil {
			t.Fatal(err)
		}
	}
	fraction := func(to *float64) {
		if _, err := fmt.Sscan(value, to); err != nil {
			t.Fatal(err)
		}
	}
	switch key {
	case "type":
		c.Type = RestartType(value)
	case "attempts":
		number(&c.FixedAttempts)
		number(&c.ExponentialAttempts)
	case "delay":
		c.FixedDelay, c.RateDelay = duration(t, value), duration(t, value)
	case "max-failures":
		number(&c.RateMaxFailures)
	case "interval":
		c.RateInterval = duration(t, value)
	case "initial":
		c.InitialBackoff = duration(t, value)
	case "max":
		c.MaxBackoff = duration(t, value)
	case "multiplier":
		fraction(&c.BackoffMultiplier)
	case "jitter":
		fraction(&c.Jitter)
	case "reset":
		c.ResetThreshold = duration(t, value)
	default:
		t.Fatalf("unknown option %s", key)
	}
}

// With jitter the delay stays within the factor, is not always the same, never exceeds the maximum, and the same seed gives the same.
func TestExponentialJitter(t *testing.T) {
	c := DefaultRestartConfig()
	c.MaxBackoff = 10 * time.Second
	delays := func(seed uint64) (all []time.Duration) {
		r := NewRestart(c, true, rand.New(rand.NewPCG(seed, 0)))
		now := time.Duration(0)
		for range 30 {
			d := r.Decide(now, Failure{Err: errors.New("x")})
			all = append(all, d.Delay)
			now += d.Delay
		}
		return all
	}
	varied := false
	for seed := range uint64(50) {
		base := float64(c.InitialBackoff)
		for i, d := range delays(seed) {
			if float64(d) < 0.9*base-1 || float64(d) > 1.1*base+1 || d > c.MaxBackoff {
				t.Fatalf("seed %d: delay %d is %v, base %v", seed, i, d, time.Duration(base))
			}
			varied = varied || float64(d) != base
			base = math.Min(base*1.5, float64(c.MaxBackoff))
		}
	}
	if !varied {
		t.Error("there is no jitter")
	}
	if fmt.Sprint(delays(7)) != fmt.Sprint(delays(7)) {
		t.Error("the same seed gave other delays")
	}
}

func TestRestartDefaultDependsOnCheckpointing(t *testing.T) {
	c := DefaultRestartConfig()
	if c.Resolve(false) != RestartNone || c.Resolve(true) != RestartExponential {
		t.Error(c.Resolve(false), c.Resolve(true))
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}
