package sim

import (
	"fmt"
	"slices"

	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/task"
)

// The requests that a run makes.
const (
	checkpointRequest checkpoint.RequestID = iota + 1
	savepointRequest
	stopRequest
)

// step does one thing, drawn at random from what can be done.
func (l *life) step() error {
	if l.failed != nil {
		return l.failed
	}
	if l.crashes() {
		return l.crash()
	}
	l.disturb()
	switch n := l.rng.IntN(16); {
	case n < 3 && len(l.letters) > 0:
		return l.letter()
	case n < 6 && len(l.work) > 0:
		l.errand()
		return nil
	}
	return l.stepTask()
}

func (l *life) crashes() bool {
	if l.CrashWhen != nil && l.CrashWhen(l.result.Checkpoints) {
		return true
	}
	if l.result.Crashes >= l.Crashes {
		return false
	}
	if l.crashAt > 0 && l.result.Steps >= l.crashAt {
		l.crashAt = 0
		return true
	}
	return l.oneIn(l.CrashEvery)
}

// disturb asks for checkpoints and savepoints, lets time pass, and declines for no reason.
func (l *life) disturb() {
	// Savepoints come before checkpoints (A2.1): without an end to them the final checkpoint would never have its turn.
	// Where nothing is sent any more there is nothing to save, and time could not pass.
	if l.oneIn(l.CheckpointEvery) && l.fresh && len(l.assemblies) < l.MaxConcurrent+2 {
		l.fresh = false
		l.tell(checkpoint.Request{ID: checkpointRequest})
	}
	if l.savepoints < maxSavepoints && l.oneIn(l.SavepointEvery) {
		l.savepoints++
		l.tell(checkpoint.Request{ID: savepointRequest, Options: checkpoint.Options{Kind: checkpoint.Savepoint}})
	}
	if l.result.Stops < l.Stops && !l.stopAsked && !l.asked && l.oneIn(l.StopEvery) {
		l.stopAsked = true
		l.note("stop")
		l.tell(checkpoint.Request{ID: stopRequest, Options: checkpoint.Options{Kind: checkpoint.Savepoint, Stop: checkpoint.Suspend}})
	}
	if l.ClockJumps > 0 && l.oneIn(l.ClockEvery) {
		l.ClockJumps--
		l.elapse()
	}
	if len(l.begun) > 0 && l.oneIn(8*l.FaultEvery) && l.result.Faults < l.Faults {
		l.result.Faults++
		chain := l.rng.IntN(len(l.ids))
		x := checkpoint.DeclinedBy{ID: l.begun[0], Attempt: l.ids[chain][l.rng.IntN(len(l.ids[chain]))], Reason: checkpoint.AsyncSnapshotFailed}
		l.note("injected decline", int64(x.ID))
		l.tell(x)
	}
}

// stepTask steps a task that may be able to do something; when none is, does what else there is, and at last lets time pass.
func (l *life) stepTask() error {
	n := len(l.attempt.Tasks)
	first := l.rng.IntN(n)
	for k := range n {
		i := first + k
		if i >= n {
			i -= n
		}
		if l.asleep[i] {
			continue
		}
		if l.SlowSources > 1 && l.read[i] != nil && l.rng.IntN(l.SlowSources) > 0 {
			return nil
		}
		s := l.attempt.Tasks[i].Step()
		l.mix(uint64(i)<<8 | uint64(s))
		if s == task.Ready {
			l.quiet = l.now
			if l.read[i] != nil && l.read[i].In.Load() != l.readBefore[i] {
				l.readBefore[i], l.fresh = l.read[i].In.Load(), true
			}
			for _, k := range l.near[i] {
				l.asleep[k] = false
			}
		} else {
			l.asleep[i] = true
		}
		return l.look(i)
	}
	switch {
	case len(l.letters) > 0:
		return l.letter()
	case len(l.work) > 0:
		l.errand()
		return nil
	}
	return l.pass()
}

// wakeAll lets every task look again. It is called whenever something has happened outside of the tasks; what a task does concerns only its
// neighbours.
func (l *life) wakeAll() {
	clear(l.asleep)
	l.quiet = l.now
}

func (l *life) letter() error {
	f := l.letters[0]
	l.letters = l.letters[1:]
	l.wakeAll()
	return f()
}

func (l *life) errand() {
	i := l.rng.IntN(len(l.work))
	e := l.work[i]
	l.work = slices.Delete(l.work, i, i+1)
	l.wakeAll()
	e.done(e.work(l.ctx))
}

// pass lets virtual time pass when nothing else can happen.
func (l *life) pass() error {
	quiet := l.quiet
	if l.now-quiet > quietMsMax {
		return fmt.Errorf("nothing can happen any more:\n%s", l.describe())
	}
	l.elapse()
	l.quiet = quiet
	return nil
}

func (l *life) elapse() {
	l.now += 1 + l.rng.Int64N(maxTimeStepMs)
	l.wakeAll()
	for i := 0; i < len(l.timers); {
		if l.timers[i].at <= l.now {
			f := l.timers[i].f
			l.timers = slices.Delete(l.timers, i, i+1)
			l.letters = append(l.letters, f)
			continue
		}
		i++
	}
	l.tell(checkpoint.Tick{})
}
