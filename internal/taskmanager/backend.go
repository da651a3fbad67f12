package taskmanager

import (
	"fmt"
	"path/filepath"

	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/internal/state/pebblestate"
	"github.com/flottio/flott/internal/task"
)

// rocksdb is the name of the backend that keeps state on local disk.
const rocksdb = "rocksdb"

// backend opens the keyed state of a subtask, below the attempt's directory of local state if it goes to disk.
func (a *Attempt) backend(s *task.Spec) (*state.Backend, error) {
	j := a.job
	r := keygroup.RangeOf(s.Subtask, s.MaxParallelism, s.Parallelism)
	c := state.Config{Groups: state.Groups{First: r.First, End: r.Last + 1, Max: s.MaxParallelism}}
	if j.Settings.Backend == rocksdb && j.stateful(s) {
		if a.scratch == nil {
			var err error
			if a.scratch, err = newScratch(j.Settings.LocalDir, j.ID, s.Attempt); err != nil {
				return nil, err
			}
		}
		dir := filepath.Join(a.scratch.dir, fmt.Sprintf("task-%d-%d", s.ID, s.Subtask))
		// A quarter is left to what neither can count: buffers of compactions, tables that are open, what the allocator leaves unused.
		share := int(j.Settings.MemoryBytes / 8 * 3)
		store, err := pebblestate.Open(dir, share)
		if err != nil {
			return nil, fmt.Errorf("opening the state of task %q, subtask %d: %w", s.Name, s.Subtask, err)
		}
		c.TimersInMemory = j.Settings.TimersInMemory
		c.Store, c.CacheBytes = store, share
	}
	return state.NewBackend(c)
}

// stateful reports whether an operator of the chain keeps state under a name of its own, other than a source or sink.
func (j *Job) stateful(s *task.Spec) bool {
	for _, m := range j.Plan.Chains[s.ID].Members {
		if n := &j.Graph.Nodes[m.Node]; n.Stateful && !n.Sink && !n.Source {
			return true
		}
	}
	return false
}
