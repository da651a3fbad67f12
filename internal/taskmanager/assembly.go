package taskmanager

import (
	"fmt"

	"github.com/flottio/flott/codec"
	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/internal/task"
)

// Assembly collects the parts of one checkpoint until its manifest can be written.
type Assembly struct {
	attempt     *Attempt
	id          checkpoint.ID
	parts       map[[2]int]map[string]checkpoint.Subtask // by chain and subtask, then uid
	enumerators map[string][]byte
}

// NewAssembly begins the collection for a checkpoint of an attempt.
func NewAssembly(a *Attempt, id checkpoint.ID) *Assembly {
	return &Assembly{attempt: a, id: id, parts: map[[2]int]map[string]checkpoint.Subtask{}}
}

// Add takes a subtask's snapshot.
func (a *Assembly) Add(chain, subtask int, s *task.Snapshot) {
	a.parts[[2]int{chain, subtask}] = Part(s)
}

// Enumerators takes the states of the enumerators, by uid.
func (a *Assembly) Enumerators(states map[string][]byte) { a.enumerators = states }

// Operators returns what goes into the manifest. REQUIRES: all subtasks were added.
func (a *Assembly) Operators() ([]checkpoint.Operator, error) {
	var ops []checkpoint.Operator
	j := a.attempt.job
	for i := range j.Plan.Chains {
		c := &j.Plan.Chains[i]
		states := a.attempt.chains[i][0].States()
		for _, m := range c.Members {
			n := &j.Graph.Nodes[m.Node]
			if n.UID == "" {
				continue
			}
			o := checkpoint.Operator{UID: uid(n), Name: title(n), Parallelism: c.Parallelism, MaxParallelism: c.MaxParallelism}
			for _, s := range states {
				if s.UID == o.UID {
					o.States = append(o.States, checkpointStates([]state.StateInfo{s})...)
				}
			}
			if err := a.fill(&o, n, c); err != nil {
				return nil, err
			}
			ops = append(ops, o)
		}
	}
	return ops, nil
}

func (a *Assembly) fill(o *checkpoint.Operator, n *graph.Node, c *graph.Chain) error {
	known := map[string]bool{}
	for s := range c.Parallelism {
		part, ok := a.parts[[2]int{c.ID, s}]
		if !ok {
			return fmt.Errorf("BUG: checkpoint %d has no snapshot of task %q, subtask %d", a.id, c.Name, s)
		}
		p := part[o.UID]
		for _, l := range p.Lists {
			if !known[l.Name] {
				known[l.Name] = true
				o.States = append(o.States, checkpoint.State{Name: l.Name, Kind: l.Kind})
			}
		}
		o.Subtasks = append(o.Subtasks, p)
	}
	if n.Source {
		o.Enumerator = &checkpoint.Handle{Inline: a.enumerators[o.UID], Length: int64(len(a.enumerators[o.UID]))}
	}
	return nil
}

// KeyHash names the hash of keys that decides key groups.
const KeyHash = codec.HashName
