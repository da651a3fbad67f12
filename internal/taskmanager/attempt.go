package taskmanager

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/task"
)

// Attempt is one execution of the whole job: its tasks and enumerators. It holds no goroutine; Cluster runs it with goroutines, a simulation
// steps it.
type Attempt struct {
	ID          string
	job         *Job
	Tasks       []*task.Task // all subtasks, by chain, then subtask
	chains      [][]*task.Task
	sources     []*task.Task
	enumerators []*enumerator       // by node id; nil for other nodes
	scratch     *scratch            // nil while nothing goes to local disk
	targets     []checkpoint.Target // for an Assembly, once one has asked
}

// Host is what an attempt needs of the process.
type Host interface {
	task.Env
	// Post runs a letter of an enumerator, in the order of posting, one at a time; an error fails the attempt.
	Post(f func() error)
	// After posts f once so many milliseconds have passed.
	After(delayMs int64, f func() error)
}

// Build wires and creates the tasks and enumerators. Nothing runs yet.
func Build(ctx context.Context, j *Job, id string, r *Restored, host Host) (*Attempt, error) {
	w := wire(j)
	a := &Attempt{ID: id, job: j, chains: make([][]*task.Task, len(w.specs)), enumerators: make([]*enumerator, len(j.Nodes))}
	for c := range w.specs {
		for s := range w.specs[c] {
			spec := &w.specs[c][s]
			spec.Attempt = id
			if err := r.into(a, spec); err != nil {
				return a, err
			}
			t := task.New(*spec, host)
			a.Tasks = append(a.Tasks, t)
			a.chains[c] = append(a.chains[c], t)
		}
	}
	for c := range j.Plan.Chains {
		head := j.Plan.Chains[c].Members[0].Node
		n := &j.Nodes[head]
		if n.Enumerator == nil {
			continue
		}
		g := &j.Graph.Nodes[head]
		e := &enumerator{uid: g.UID, name: g.Name, readers: a.chains[c], ctx: ctx, after: host.After}
		e.post = func(f func() error) {
			host.Post(func() error {
				err := f()
				e.deliver()
				return err
			})
		}
		e.work = func(work func(context.Context) error, done func(error) error) {
			host.Go(work, func(err error) { e.letter(func() error { return done(err) }) })
		}
		a.enumerators[head] = e
		a.sources = append(a.sources, a.chains[c]...)
	}
	return a, nil
}

// Recover lets sinks commit what the restored checkpoint holds and clean up, before any task exists (A11.3).
func (a *Attempt) Recover(ctx context.Context, r *Restored) error {
	for i := range a.job.Nodes {
		n := &a.job.Nodes[i]
		if n.Recover == nil {
			continue
		}
		g := &a.job.Graph.Nodes[i]
		x := operator.Recovery{UID: g.UID, JobID: a.job.ID, Attempt: a.ID}
		if r != nil {
			x.Restored = true
			var err error
			if x.States, x.Committables, err = r.sink(g.UID); err != nil {
				return err
			}
		}
		if err := n.Recover(ctx, x); err != nil {
			return fmt.Errorf("sink %q: recovering: %w", g.Name, err)
		}
	}
	return nil
}

// Open opens all tasks, then the enumerators.
func (a *Attempt) Open(r *Restored) error {
	for _, t := range a.Tasks {
		if err := t.Open(); err != nil {
			return err
		}
	}
	if err := r.close(); err != nil {
		return err
	}
	for i, e := range a.enumerators {
		if e == nil {
			continue
		}
		state, splits, err := r.source(e.uid)
		if err != nil {
			return err
		}
		if err := e.create(&a.job.Nodes[i], state, splits); err != nil {
			return err
		}
		e.letter(e.impl.Start)
	}
	return nil
}

// Request tells the enumerator of a source's task that a reader has nothing to read.
func (a *Attempt) Request(chain, subtask int) {
	e := a.enumerators[a.job.Plan.Chains[chain].Members[0].Node]
	e.letter(func() error { return e.impl.Request(subtask) })
}

// SnapshotEnumerators takes the state of all enumerators; done gets it by uid.
func (a *Attempt) SnapshotEnumerators(id checkpoint.ID, done func(map[string][]byte, error)) {
	states := map[string][]byte{}
	var failed error
	for _, e := range a.enumerators {
		if e == nil {
			continue
		}
		e.post(func() error {
			b, err := e.snapshot(id)
			states[e.uid], failed = b, errors.Join(failed, err)
			return nil
		})
	}
	for _, e := range a.enumerators {
		if e != nil {
			// Letters of all enumerators run in one order: this one comes behind all snapshots.
			e.post(func() error { done(states, failed); return nil })
			return
		}
	}
	done(states, nil)
}

// Trigger sends the barriers' order to all sources, then opens the valves.
func (a *Attempt) Trigger(id checkpoint.ID, o checkpoint.Options) {
	for _, t := range a.sources {
		t.Trigger(id, o)
	}
	a.openValves(id)
}

func (a *Attempt) openValves(id checkpoint.ID) {
	for _, e := range a.enumerators {
		if e != nil {
			e.post(func() error { e.open(id); return nil })
		}
	}
}

// Complete notifies tasks, then enumerators.
func (a *Attempt) Complete(id checkpoint.ID) {
	for _, t := range a.Tasks {
		t.Complete(id)
	}
	for _, e := range a.enumerators {
		if e != nil {
			e.letter(func() error { return e.impl.Complete(int64(id)) })
		}
	}
}

// Abort notifies tasks and opens the valves.
func (a *Attempt) Abort(id checkpoint.ID) {
	for _, t := range a.Tasks {
		t.Abort(id)
	}
	a.openValves(id)
}

// AskSettled asks every task to report when its commits are done.
func (a *Attempt) AskSettled() {
	for _, t := range a.Tasks {
		t.Settled()
	}
}

// Close closes what Build and Open made. REQUIRES: nothing runs any more.
func (a *Attempt) Close() (err error) {
	for _, e := range a.enumerators {
		if e != nil && e.impl != nil {
			err = errors.Join(err, e.impl.Close())
		}
	}
	for _, t := range a.Tasks {
		err = errors.Join(err, t.Close())
	}
	if a.scratch != nil {
		err = errors.Join(err, a.scratch.close())
	}
	return err
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
