package task

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"time"
)

// Busy says how a task spends its time, in microseconds since its start; what is neither is work. Read by metrics.
type Busy struct {
	Backpressured, Idle atomic.Int64
	// Waiting is what the task waits for now.
	Waiting atomic.Uint32
}

// Run steps the task until it has ended or ctx is done: the production driver. It returns the task's error.
func (t *Task) Run(ctx context.Context) error {
	returned := false
	defer func() {
		if !returned && !t.ended {
			// Nothing else would notice: recover does not see it.
			t.fail(errors.New("a function ended its goroutine (runtime.Goexit; in tests, t.Fatal or t.FailNow)"))
		}
	}()
	err := t.run(ctx)
	returned = true
	return err
}

func (t *Task) run(ctx context.Context) error {
	unregister := context.AfterFunc(ctx, func() {
		t.cancelled.Store(true)
		t.spec.Waker.Wake()
	})
	defer unregister()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for !t.cancelled.Load() {
		s := t.Step()
		if s == Ready {
			continue
		}
		if s == Ended {
			return t.err
		}
		// Announce sleep, then look once more: a change that came before the announcement is seen by this step, one that
		// comes after it wakes us (A10.10).
		t.spec.Waker.Prepare()
		s = t.Step()
		if s == Ready || s == Ended || t.cancelled.Load() {
			t.spec.Waker.Cancel()
			if s == Ended {
				return t.err
			}
			continue
		}
		t.sleep(timer, s)
	}
	return context.Cause(ctx)
}

func (t *Task) sleep(timer *time.Timer, s Status) {
	start := time.Now()
	t.busy.Waiting.Store(uint32(s))
	timer.Reset(t.patience(start))
	select {
	case <-t.spec.Waker.C:
	case <-timer.C:
		t.spec.Waker.Cancel()
	}
	t.busy.Waiting.Store(uint32(Ready))
	spent := time.Since(start).Microseconds()
	if s == WaitOutput {
		t.busy.Backpressured.Add(spent)
	} else {
		t.busy.Idle.Add(spent)
	}
}

// maxSleep bounds one sleep, so that the metrics of an idle task stay fresh.
const maxSleep = 10 * time.Second

// patience is how long the task may sleep: until an operator wants to act on processing time.
func (t *Task) patience(time.Time) time.Duration {
	if t.ending == endDone || t.stopped {
		return maxSleep
	}
	next := t.chain.nextTick()
	if next == math.MaxInt64 {
		return maxSleep
	}
	return min(maxSleep, max(time.Millisecond, time.Duration(next-t.env.Now())*time.Millisecond))
}
