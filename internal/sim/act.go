package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/taskmanager"
)

// tell gives an event to the coordinator and carries out what it asks for. Actions run one after another, never inside one another.
func (l *life) tell(e checkpoint.Event) {
	l.events = append(l.events, e)
	if l.acting {
		return
	}
	l.acting = true
	for len(l.events) > 0 && l.failed == nil {
		e := l.events[0]
		l.events = l.events[1:]
		for _, a := range slices.Clone(l.coord.Step(time.Duration(l.now)*time.Millisecond, e)) {
			if l.failed == nil {
				l.act(a)
			}
		}
		l.lastID = max(l.lastID, l.coord.LastID())
	}
	l.acting = false
}

// act carries out one action of the coordinator.
func (l *life) act(a checkpoint.Action) {
	switch a := a.(type) {
	case checkpoint.Prepare:
		l.prepare(a)
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
		l.note("trigger", int64(a.ID))
		l.begun = append(l.begun, a.ID)
		l.attempt.Trigger(a.ID, a.Options)
	case checkpoint.Publish:
		l.publish(a)
	case checkpoint.NotifyComplete:
		l.note("complete", int64(a.ID))
		l.result.Checkpoints++
		if l.Hooks.Completing == nil || l.Hooks.Completing(a.ID, a.ID == l.stopID) {
			l.attempt.Complete(a.ID)
		}
		l.maybeSettle(a.ID)
	case checkpoint.NotifyAbort:
		l.note("abort", int64(a.ID))
		l.result.Aborts++
		l.forget(a.ID)
		l.attempt.Abort(a.ID)
	case checkpoint.Delete:
		for _, id := range a.IDs {
			delete(l.manifests, id)
			l.completed = slices.DeleteFunc(l.completed, func(c checkpoint.Completed) bool { return c.ID == id })
		}
		l.tell(checkpoint.DeleteDone{IDs: a.IDs})
	case checkpoint.Reply:
		if a.Request == stopRequest && a.Result.Reason != checkpoint.NoReason {
			l.note("not stopped")
			l.stopAsked, l.stopID = false, checkpoint.None // if its barriers were out, FailJob follows
		}
	case checkpoint.FailJob:
		l.note("fail the job")
		l.failed = errFailover
	}
	l.wakeAll()
}

func (l *life) forget(id checkpoint.ID) {
	delete(l.assemblies, id)
	l.begun = slices.DeleteFunc(l.begun, func(x checkpoint.ID) bool { return x == id })
}

func (l *life) prepare(a checkpoint.Prepare) {
	l.note("prepare", int64(a.ID))
	if l.fault() {
		l.tell(checkpoint.Prepared{ID: a.ID, Cause: errFault.Error()})
		return
	}
	if a.Options.Synchronous() {
		l.stopID = a.ID
	}
	l.assemblies[a.ID] = taskmanager.NewAssembly(l.attempt, a.ID)
	l.tell(checkpoint.Prepared{ID: a.ID})
}

// publish stores the manifest: or fails to, or leaves it open whether it did (A2.9).
func (l *life) publish(a checkpoint.Publish) {
	ops, err := l.assemblies[a.ID].Operators()
	l.forget(a.ID)
	if err != nil {
		l.failed = err
		return
	}
	outcome := checkpoint.PublishOK
	stored := true
	if l.fault() {
		outcome = checkpoint.PublishFailed
		if stored = false; l.rng.IntN(2) == 0 {
			outcome, stored = checkpoint.PublishUnknown, l.rng.IntN(2) == 0
		}
		l.note("publishing fails", int64(outcome))
	}
	if stored {
		l.manifests[a.ID] = &checkpoint.Manifest{JobName: "sim", JobID: strings.Repeat("0", 32), CodeVersion: "sim", ID: a.ID, Kind: a.Options.Kind,
			TriggeredMs: l.now, KeyHash: taskmanager.KeyHash, Operators: ops}
		switch {
		case a.Options.Synchronous():
			// Nobody commits what is in it before it is known to be stored: where that is open the job goes on from before it.
			if outcome == checkpoint.PublishOK {
				l.stopped = a.ID
			}
		case a.Options.Kind == checkpoint.Savepoint:
			l.result.Savepoints++
		default:
			l.completed = append(l.completed, checkpoint.Completed{ID: a.ID})
			slices.SortFunc(l.completed, func(x, y checkpoint.Completed) int { return int(x.ID - y.ID) })
		}
	}
	if l.danger() || l.CrashAtBarrier && l.result.Crashes < l.Crashes {
		l.note("crash before the notice of", int64(a.ID))
		l.failed = errCrash
		return
	}
	l.tell(checkpoint.Published{ID: a.ID, Result: outcome, Cause: fmt.Sprint(errFault)})
}

// maybeSettle ends the attempt when a checkpoint is complete in which all tasks had ended, or the savepoint that it stops with.
func (l *life) maybeSettle(id checkpoint.ID) {
	stops := id == l.stopID
	if !l.asked && (stops || l.stopID == checkpoint.None && l.undrained == 0 && l.allFinished(id)) {
		l.asked, l.stops = true, stops
		l.attempt.AskSettled()
	}
}

// allFinished reports whether the manifest says that every subtask had reached the end of its input.
func (l *life) allFinished(id checkpoint.ID) bool {
	m := l.manifests[id]
	if m == nil {
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
