package taskmanager

import (
	"github.com/flottio/flott/codec"
	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/task"
)

// Assembly collects the parts of one checkpoint for drivers that have tasks' snapshots as they are, not yet in the manifest's form.
type Assembly struct {
	attempt *Attempt
	draft   *checkpoint.Draft
}

// NewAssembly begins the collection for a checkpoint of an attempt.
func NewAssembly(a *Attempt, id checkpoint.ID) *Assembly {
	return &Assembly{attempt: a, draft: checkpoint.NewDraft(id)}
}

// Add takes a subtask's snapshot.
func (a *Assembly) Add(chain, subtask int, s *task.Snapshot) {
	a.draft.Add(checkpoint.Task{Vertex: chain, Subtask: subtask}, Part(s))
}

// Enumerators takes the states of the enumerators, by uid.
func (a *Assembly) Enumerators(states map[string][]byte) { a.draft.Enumerators(states) }

// Operators returns what goes into the manifest. REQUIRES: all subtasks were added.
func (a *Assembly) Operators() ([]checkpoint.Operator, error) {
	if a.attempt.targets == nil {
		targets, err := a.attempt.job.Targets()
		if err != nil {
			return nil, err
		}
		for i := range targets {
			targets[i].MaxParallelism = a.attempt.job.Plan.Chains[targets[i].Chain].MaxParallelism
		}
		a.attempt.targets = targets
	}
	return a.draft.Operators(a.attempt.targets)
}

// KeyHash names the hash of keys that decides key groups.
const KeyHash = codec.HashName
