package jobmanager

import (
	"fmt"
	"slices"

	"github.com/flottio/flott/internal/checkpoint"
)

// draft collects what the tasks and enumerators hand in for one checkpoint until its manifest is written.
type draft struct {
	triggeredMs int64
	parts       map[checkpoint.Task]map[string]checkpoint.Subtask
	enumerators map[string][]byte
}

// manifest puts a draft together.
func (c *Config) manifest(id checkpoint.ID, o checkpoint.Options, d *draft, maxParallelism map[string]int) (*checkpoint.Manifest, error) {
	m := &checkpoint.Manifest{
		JobName: c.JobName, JobID: c.JobID, Graph: c.Graph, CodeVersion: c.CodeVersion, KeyHash: c.KeyHash,
		ID: id, Kind: o.Kind, Stop: o.Stop, TriggeredMs: d.triggeredMs,
	}
	known := map[string]bool{}
	for _, t := range c.Operators {
		known[t.UID] = true
		op := checkpoint.Operator{UID: t.UID, Name: t.Name, Parallelism: t.Parallelism, MaxParallelism: maxParallelism[t.UID],
			States: slices.Clone(t.States)}
		if state, ok := d.enumerators[t.UID]; ok {
			op.Enumerator = &checkpoint.Handle{Length: int64(len(state)), Inline: state}
		}
		for i := range t.Parallelism {
			part, ok := d.parts[checkpoint.Task{Vertex: t.Chain, Subtask: i}][t.UID]
			if !ok {
				return nil, fmt.Errorf("checkpoint %d: subtask %d of operator %q has acknowledged without a snapshot of it", id, i+1, t.UID)
			}
			op.Subtasks = append(op.Subtasks, part)
			op.States = declare(op.States, part)
		}
		m.Operators = append(m.Operators, op)
	}
	for _, parts := range d.parts {
		for uid, p := range parts {
			if !known[uid] && len(p.Keyed)+len(p.Lists) > 0 {
				return nil, fmt.Errorf("checkpoint %d: operator %q has state, and is not among the operators of the job", id, uid)
			}
		}
	}
	return m, nil
}

// declare adds the operator states that a snapshot brings with it.
func declare(states []checkpoint.State, part checkpoint.Subtask) []checkpoint.State {
	for _, l := range part.Lists {
		if !slices.ContainsFunc(states, func(s checkpoint.State) bool { return s.Name == l.Name }) {
			states = append(states, checkpoint.State{Name: l.Name, Kind: l.Kind})
		}
	}
	return states
}
