package taskmanager

import (
	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/task"
)

// Restored is the state that an attempt starts from, as the restore plan has assigned it.
type Restored struct {
	ID checkpoint.ID
}

func (r *Restored) into(j *Job, s *task.Spec) error                 { return nil }
func (r *Restored) sink(uid string) (states, committables [][]byte) { return nil, nil }
func (r *Restored) source(uid string) (state []byte, splits []operator.SplitState, err error) {
	return nil, nil, nil
}
