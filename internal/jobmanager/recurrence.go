package jobmanager

import (
	"fmt"
	"strings"
)

// recurrence counts failures that are the same in attempt after attempt: what a strategy without an end repeats for ever (A17.3).
type recurrence struct {
	attempt string // that failed last
	what    string
	count   int
}

// observe takes that an attempt failed and returns how many attempts in a row have now failed in the same way; 0 if this one was counted already.
func (r *recurrence) observe(attempt string, f Failure) int {
	if attempt == r.attempt {
		return 0 // what follows from its first failure
	}
	// The first line names operator, subtask, record and cause; below it stand stacks, which hold addresses.
	what, _, _ := strings.Cut(f.Err.Error(), "\n")
	if what != r.what {
		r.what, r.count = what, 0
	}
	r.attempt = attempt
	r.count++
	return r.count
}

// tellSame says when a failure has come again.
func (d *Driver) tellSame(attempt string, f Failure) {
	if d.job == nil || attempt != d.job.attempt || f.Class == Permanent || f.Class == Bug {
		return
	}
	if n := d.same.observe(attempt, f); n > 1 {
		d.config.Log.Warn(fmt.Sprintf("the same failure for the %s time, at the same place: it will not go away by restarting. Correct the function, "+
			"or give it a way out for such a record; restart-strategy.type: fixed-delay or restart-strategy.exponential-delay.attempts-before-reset-backoff "+
			"end the restarts", ordinal(n)), "attempt", attempt, "failure", d.same.what)
	}
}

func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprint(n, suffix)
}
