package sim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/task"
	"github.com/flottio/flott/internal/taskmanager"
)

// act carries out one action of the coordinator.
func (l *life) act(a checkpoint.Action) {
	switch a := a.(type) {
	case checkpoint.Prepare:
		l.note("prepare %d", a.ID)
		l.assemblies[a.ID] = taskmanager.NewAssembly(l.attempt, a.ID)
		l.tell(checkpoint.Prepared{ID: a.ID})
	case checkpoint.SnapshotEnumerators:
		l.attempt.SnapshotEnumerators(a.ID, func(states map[string][]byte, err error) {
			if err != nil {
				l.failed = err
				return
			}
			if x := l.assemblies[a.ID]; x != nil {
				x.Enumerators(states)
			}
			l.tell(checkpoint.EnumeratorsSnapshotted{ID: a.ID})
		})
	case checkpoint.TriggerSources:
		l.note("trigger %d", a.ID)
		l.attempt.Trigger(a.ID, a.Options)
	case checkpoint.Publish:
		l.publish(a)
	case checkpoint.NotifyComplete:
		l.note("complete %d", a.ID)
		l.result.Checkpoints++
		l.latest = a.ID
		l.attempt.Complete(a.ID)
		l.maybeSettle()
	case checkpoint.NotifyAbort:
		l.note("abort %d", a.ID)
		delete(l.assemblies, a.ID)
		l.attempt.Abort(a.ID)
	case checkpoint.Delete:
		for _, id := range a.IDs {
			delete(l.manifests, id)
			l.completed = slices.DeleteFunc(l.completed, func(c checkpoint.Completed) bool { return c.ID == id })
		}
		l.tell(checkpoint.DeleteDone{IDs: a.IDs})
	case checkpoint.FailJob:
		l.failed = fmt.Errorf("the coordinator failed the job: %s", a.Text)
	}
	l.wakeAll()
}

func (l *life) publish(a checkpoint.Publish) {
	ops, err := l.assemblies[a.ID].Operators()
	if err == nil {
		m := &checkpoint.Manifest{JobName: "sim", JobID: strings.Repeat("0", 32), CodeVersion: "sim", ID: a.ID, Kind: a.Options.Kind,
			TriggeredMs: l.now, KeyHash: taskmanager.KeyHash, Operators: ops}
		var b []byte
		if b, err = m.Encode(); err == nil {
			l.manifests[a.ID] = b
			l.completed = append(l.completed, checkpoint.Completed{ID: a.ID})
			l.tell(checkpoint.Published{ID: a.ID, Result: checkpoint.PublishOK, Bytes: int64(len(b))})
			return
		}
	}
	l.failed = err
	l.tell(checkpoint.Published{ID: a.ID, Result: checkpoint.PublishFailed, Cause: err.Error()})
}

// maybeSettle ends the job when the checkpoint that completed is one in which all tasks had ended.
func (l *life) maybeSettle() {
	if !l.asked && len(l.drained) == len(l.attempt.Tasks) && l.allFinished() {
		l.asked = true
		l.attempt.AskSettled()
	}
}

// allFinished reports whether the latest manifest says that every subtask had reached the end of its input.
func (l *life) allFinished() bool {
	m, err := checkpoint.ParseManifest(l.manifests[l.latest])
	if err != nil {
		return false
	}
	for _, o := range m.Operators {
		for _, s := range o.Subtasks {
			if !s.Finished {
				return false
			}
		}
	}
	return true
}

func (l *life) wakeAll() { clear(l.asleep) }

// step does one thing, drawn at random from what can be done.
func (l *life) step() error {
	if l.failed != nil {
		return l.failed
	}
	if l.Crashes > l.result.Crashes {
		if l.CrashAtBarrier {
			if l.result.Checkpoints > l.result.Crashes {
				return l.crash()
			}
		} else if l.CrashEvery > 0 && l.rng.IntN(l.CrashEvery) == 0 {
			return l.crash()
		}
	}
	if l.CheckpointEvery > 0 && l.rng.IntN(l.CheckpointEvery) == 0 {
		l.tell(checkpoint.Request{ID: 1})
	}
	switch n := l.rng.IntN(16); {
	case n < 3 && len(l.letters) > 0:
		return l.letter()
	case n < 5 && len(l.work) > 0:
		l.errand()
		return nil
	}
	return l.stepTask()
}

// stepTask steps a task that may be able to do something; when none is, does what else there is, and at last lets time pass.
func (l *life) stepTask() error {
	n := len(l.attempt.Tasks)
	first := l.rng.IntN(n)
	for k := range n {
		i := (first + k) % n
		if l.asleep[i] {
			continue
		}
		switch s := l.attempt.Tasks[i].Step(); s {
		case task.Ready:
			l.wakeAll()
		case task.Ended:
			l.asleep[i] = true
		default:
			l.asleep[i] = true
		}
		if l.Watch != nil {
			return l.Watch(l.attempt)
		}
		return nil
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

// pass lets virtual time pass until something can happen.
func (l *life) pass() error {
	if l.now > quietMsMax {
		return fmt.Errorf("nothing can happen any more:\n%s", l.describe())
	}
	l.now += 1 + l.rng.Int64N(200)
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
	return nil
}

// crash ends the attempt at once. Work under way has happened or has not, in a prefix of its order.
func (l *life) crash() error {
	l.note("crash")
	for len(l.work) > 0 && l.rng.IntN(2) == 0 {
		e := l.work[0]
		l.work = l.work[1:]
		_ = e.work(l.ctx) // nobody hears of it
	}
	return errCrash
}

func (l *life) describe() string {
	var b strings.Builder
	for i, t := range l.attempt.Tasks {
		fmt.Fprintf(&b, "  task %d asleep=%v %s\n", i, l.asleep[i], t.Describe())
	}
	fmt.Fprintf(&b, "  work=%d letters=%d timers=%d now=%d\n", len(l.work), len(l.letters), len(l.timers), l.now)
	return b.String()
}
