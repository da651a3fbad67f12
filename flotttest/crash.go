package flotttest

import (
	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/taskmanager"
)

// appointment is a crash at a chosen moment, once.
type appointment struct {
	checkpoint int
	record     int64
	before     int64                // records read in attempts before this one
	read       []*operator.Counters // of the sources
}

func (a *appointment) opened(x *taskmanager.Attempt, _ *checkpoint.RestorePlan) error {
	a.before = a.records()
	a.read = nil
	for _, t := range x.Tasks {
		if t.IsSource() {
			a.read = append(a.read, t.Gauges()[0].Counters)
		}
	}
	return nil
}

func (a *appointment) records() int64 {
	n := a.before
	for _, c := range a.read {
		n += c.In.Load()
	}
	return n
}

// due reports whether the moment has come; it does once.
func (a *appointment) due(checkpoints int) bool {
	switch {
	case a.checkpoint > 0 && checkpoints >= a.checkpoint:
		a.checkpoint = 0
	case a.record > 0 && a.records() >= a.record:
		a.record = 0
	default:
		return false
	}
	return true
}
