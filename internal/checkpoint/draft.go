package checkpoint

import (
	"fmt"
	"slices"
)

// Draft collects what tasks and enumerators hand in for one checkpoint, until its manifest can be put together. It belongs to
// one goroutine. See NewDraft.
type Draft struct {
	id          ID
	parts       map[Task]map[string]Subtask
	enumerators map[string][]byte
}

// NewDraft begins the collection for a checkpoint.
func NewDraft(id ID) *Draft { return &Draft{id: id, parts: map[Task]map[string]Subtask{}} }

// Add takes a task's snapshot: by uid, what its operators have stored. A repeated one replaces the first, which it equals.
func (d *Draft) Add(t Task, parts map[string]Subtask) { d.parts[t] = parts }

// Enumerators takes the states of the enumerators, by uid.
func (d *Draft) Enumerators(states map[string][]byte) { d.enumerators = states }

// Operators puts the manifest's operators together: exactly those of targets, in that order, each with its max parallelism (never 0
// here) and a part of each of its subtasks, whose Chain is the Vertex of the tasks that were added. An operator without a part
// is an error, and so is state that would be left out (A15.1): both would be a loss at the restore.
func (d *Draft) Operators(targets []Target) ([]Operator, error) {
	var ops []Operator
	known := map[string]bool{}
	for _, t := range targets {
		known[t.UID] = true
		o := Operator{UID: t.UID, Name: t.Name, Parallelism: t.Parallelism, MaxParallelism: t.MaxParallelism, States: slices.Clone(t.States)}
		if state, ok := d.enumerators[t.UID]; ok {
			o.Enumerator = &Handle{Length: int64(len(state)), Inline: state}
		}
		for i := range t.Parallelism {
			part, ok := d.parts[Task{t.Chain, i}][t.UID]
			if !ok {
				return nil, fmt.Errorf("checkpoint %d: subtask %d of operator %q has acknowledged without a snapshot of it", d.id, i+1, t.UID)
			}
			o.Subtasks = append(o.Subtasks, part)
			o.States = declareLists(o.States, part)
		}
		ops = append(ops, o)
	}
	for _, parts := range d.parts {
		for uid, p := range parts {
			if !known[uid] && len(p.Keyed)+len(p.Lists) > 0 {
				return nil, fmt.Errorf("checkpoint %d: operator %q has state, and is not among the operators of the job", d.id, uid)
			}
		}
	}
	for uid := range d.enumerators {
		if !known[uid] {
			return nil, fmt.Errorf("checkpoint %d: the enumerator of %q has state, and is not among the operators of the job", d.id, uid)
		}
	}
	return ops, nil
}

// declareLists adds the operator states that a snapshot brings with it.
func declareLists(states []State, part Subtask) []State {
	for _, l := range part.Lists {
		if !slices.ContainsFunc(states, func(s State) bool { return s.Name == l.Name }) {
			states = append(states, State{Name: l.Name, Kind: l.Kind})
		}
	}
	return states
}
