package jobmanager

import (
	"errors"
	"fmt"
	"path"

	"github.com/flottio/flott/internal/blob"
	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/invariant"
)

// carry carries out one action of the machine. What touches storage runs beside the loop and comes back as an event.
func (d *Driver) carry(a Action) {
	switch a := a.(type) {
	case Deploy:
		d.deploy(a)
	case CancelAttempt:
		d.cluster.Cancel(a.Attempt)
	case Prepare:
		d.drafts[a.ID] = &draft{checkpoint.NewDraft(a.ID), d.config.Wall().UnixMilli()}
		d.beside(func() { d.Post(Prepared{a.ID, d.storage.prepare(a)}) })
	case PrepareNothing:
		d.storage.prepareNothing(a.ID)
	case SnapshotEnumerators:
		d.cluster.SnapshotEnumerators(a.Attempt, a.ID)
	case TriggerSources:
		d.cluster.Trigger(a.Attempt, a.ID, a.Options)
	case WriteManifest:
		d.writeManifest(a)
	case NotifyComplete:
		d.cluster.Complete(a.Attempt, a.ID)
	case NotifyAbort:
		d.cluster.Abort(a.Attempt, a.ID)
	case AskSettled:
		d.cluster.AskSettled(a.Attempt)
	case ReadBack:
		d.readBack(a.ID)
	case Delete:
		for _, id := range a.IDs {
			delete(d.manifests, id)
		}
		d.beside(func() { d.delete(a.IDs) })
	case Discard:
		delete(d.drafts, a.ID)
		delete(d.manifests, a.ID)
		d.beside(func() { d.discard(a.ID) })
	case CleanUp:
		d.cleanUp(a.Through)
	case Reply:
		d.answer(a)
	case Ended:
		d.ended = &a
	default:
		invariant.Bug("unknown action %T", a)
	}
}

func (d *Driver) beside(f func()) { d.background.Go(f) }

func (d *Driver) deploy(a Deploy) {
	x := Attempt{ID: a.Attempt, Number: a.Number, Restored: a.Restore}
	d.config.Log.Info("deploying", "attempt", a.Attempt, "number", a.Number, "checkpoint", a.Restore)
	if a.Restore != checkpoint.None {
		d.restoredAt = d.config.Wall()
		m := d.manifests[a.Restore]
		if m == nil {
			invariant.Bug("going on from checkpoint %d, whose manifest is not known", a.Restore)
		}
		p, err := d.goOn(m, a.Restore)
		if err != nil {
			d.Post(DeployFailed{a.Attempt, Failure{Permanent, err}})
		}
		x.Manifest, x.Plan, x.Dir = m, p, d.storage.Dir(a.Restore)
		x.Open = func(h checkpoint.Handle) (blob.Content, error) { return d.storage.Open(a.Restore, h) }
		if err != nil {
			// Nothing was deployed, so nothing will say that it has ended.
			d.Post(AttemptEnded{a.Attempt})
			return
		}
	}
	d.cluster.Deploy(x)
}

// goOn plans a restore from a checkpoint that was complete when it was last looked at.
func (d *Driver) goOn(m *checkpoint.Manifest, id checkpoint.ID) (*checkpoint.RestorePlan, error) {
	if err := d.storage.lost(id); err != nil {
		return nil, err
	}
	return d.planFor(m, d.storage.Dir(id))
}

// writeManifest writes the manifest beside the loop. Its outcome decides about the checkpoint, so it is reported whatever happens.
func (d *Driver) writeManifest(a WriteManifest) {
	x := d.drafts[a.ID]
	delete(d.drafts, a.ID)
	m, err := d.config.manifest(a.ID, a.Options, x, d.maxParallelism)
	if err != nil {
		d.Post(ManifestWritten{ID: a.ID, Result: checkpoint.PublishFailed, Err: err})
		return
	}
	if a.Options.Kind == checkpoint.Periodic || a.Options.Synchronous() {
		// An attempt goes on from it only if it became complete.
		d.manifests[a.ID] = m
	}
	d.beside(func() {
		n, r, err := d.storage.publish(m)
		d.Post(ManifestWritten{a.ID, r, n, err})
	})
}

func (d *Driver) readBack(id checkpoint.ID) {
	d.beside(func() {
		m, err := d.storage.readBack(id)
		d.Post(ReadBackDone{id, m != nil, err})
	})
}

func (d *Driver) discard(id checkpoint.ID) {
	if err := d.insist(func() error { return d.storage.discard(id) }); err != nil {
		d.config.Log.Warn("what a checkpoint has left could not be removed; the next start will", "checkpoint", id, "error", err)
	}
}

func (d *Driver) cleanUp(through checkpoint.ID) {
	d.beside(func() {
		removed, err := d.storage.sweep(through)
		if len(removed) > 0 {
			d.config.Log.Info("removed what was left behind", "count", len(removed), "first", removed[0])
		}
		if err != nil {
			d.config.Log.Warn("not everything that was left behind could be removed", "error", err)
		}
	})
}

// explainedError is an error to which everything was added that can be said.
type explainedError struct{ error }

func (e explainedError) Unwrap() error { return e.error }

// explainDamage adds to an attempt that failed because a file is damaged which checkpoint could be gone on from; finding out may take long.
// It reports whether it does: the event comes again.
func (d *Driver) explainDamage(e DeployFailed) bool {
	var damage *blob.DamageError
	var explained explainedError
	if e.Attempt != d.job.attempt || errors.As(e.Failure.Err, &explained) || !errors.As(e.Failure.Err, &damage) {
		return false
	}
	d.beside(func() {
		err := fmt.Errorf("%w%s", e.Failure.Err, d.storage.instead(path.Dir(damage.Path), e.Failure.Err))
		d.Post(DeployFailed{e.Attempt, Failure{Permanent, explainedError{err}}})
	})
	return true
}
