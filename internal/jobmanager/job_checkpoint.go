package jobmanager

import (
	"errors"
	"slices"

	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/invariant"
)

// tell passes an event to the coordinator and carries its answers over into actions of the job.
func (j *Job) tell(e checkpoint.Event) {
	// Carrying may tell the coordinator more, which makes its result invalid.
	for _, a := range slices.Clone(j.coordinator.Step(j.now, e)) {
		j.carry(a)
	}
}

func (j *Job) carry(a checkpoint.Action) {
	// What an attempt is told that is being cancelled, or is gone, is in vain: its successor's restore says it (A2.15).
	reachable := j.alive && j.ending == nil && j.status != StatusFailing
	switch a := a.(type) {
	case checkpoint.Prepare:
		j.prepare(a)
	case checkpoint.SnapshotEnumerators:
		j.do(SnapshotEnumerators{j.attempt, a.ID})
	case checkpoint.TriggerSources:
		j.do(TriggerSources{j.attempt, a.ID, a.Options})
	case checkpoint.Publish:
		if slices.Contains(j.commitOnly, a.ID) {
			j.tell(checkpoint.Published{ID: a.ID, Result: checkpoint.PublishOK})
			return
		}
		j.do(WriteManifest{a.ID, a.Options})
	case checkpoint.NotifyComplete:
		j.committed = j.committed || slices.Contains(j.commitOnly, a.ID)
		if reachable {
			j.do(NotifyComplete{j.attempt, a.ID})
			j.completed(a.ID)
		}
	case checkpoint.NotifyAbort:
		if reachable {
			j.do(NotifyAbort{j.attempt, a.ID})
		}
	case checkpoint.Delete:
		j.deleteSubsumed(a.IDs)
	case checkpoint.Discard:
		j.discard(a.ID)
	case checkpoint.DiscardSnapshot:
		j.discardLate(a.ID)
	case checkpoint.Reply:
		j.reply(a)
	case checkpoint.FailJob:
		j.fail(Failure{Transient, errors.New(a.Text)})
	default:
		invariant.Bug("unknown action %T", a)
	}
}

// prepare makes a place for a checkpoint, except for the final one of a job without checkpoints: that one is taken for its effect on the
// sinks, which commit at the end of bounded input, and stores nothing.
func (j *Job) prepare(a checkpoint.Prepare) {
	if a.Options.Synchronous() {
		j.stop.id = a.ID
	}
	if j.spec.Checkpoints.Interval == 0 && a.Options.Kind == checkpoint.Periodic && j.finalFrom != checkpoint.None {
		j.commitOnly = append(j.commitOnly, a.ID)
		j.do(PrepareNothing{a.ID})
		j.tell(checkpoint.Prepared{ID: a.ID})
		return
	}
	j.do(Prepare{a.ID, a.Options, a.Directory})
}

func (j *Job) deleteSubsumed(ids []checkpoint.ID) {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id checkpoint.ID) bool { return slices.Contains(j.commitOnly, id) })
	if len(ids) > 0 {
		j.deleting += len(ids)
		j.do(Delete{ids})
	}
}

// maxGivenUp bounds the ids remembered for late snapshots.
const maxGivenUp = 64

// discard removes what was written for a checkpoint that was given up. Of what is unknown the coordinator never asks it (A2.9).
func (j *Job) discard(id checkpoint.ID) {
	if slices.Contains(j.commitOnly, id) {
		return
	}
	if !slices.Contains(j.givenUp, id) {
		if len(j.givenUp) == maxGivenUp {
			j.givenUp = slices.Delete(j.givenUp, 0, 1)
		}
		j.givenUp = append(j.givenUp, id)
	}
	j.do(Discard{id})
}

// discardLate removes a snapshot that came too late. It may also be one that was sent twice, of a checkpoint that is complete: only
// what was surely given up is removed, the rest is left to the sweep.
func (j *Job) discardLate(id checkpoint.ID) {
	if slices.Contains(j.givenUp, id) {
		j.do(Discard{id})
	}
}
