package flott

import (
	"context"
	"errors"
	"fmt"

	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/internal/network"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/taskmanager"
)

// Compile checks the graph, and the options of its sources and sinks, and gives it to the engine: for cli and flotttest, whose types are
// not for users.
func (e *Env) Compile(s graph.Settings) (*taskmanager.Job, error) {
	errs := []error{e.graph.Check(s)}
	j := &taskmanager.Job{Graph: &e.graph, Nodes: make([]taskmanager.Node, len(e.nodes))}
	for i, n := range e.nodes {
		t := taskmanager.Node{Operator: n.operator, Bodies: n.bodies}
		for _, p := range n.partition {
			t.Partition = append(t.Partition, adaptPartition(p))
		}
		var check func() error
		switch {
		case n.source != nil:
			check, t.Enumerator = n.source.check, n.source.create
		case n.sink != nil:
			check, t.Recover = n.sink.check, n.sink.recovery()
		}
		if check != nil {
			if err := check(); err != nil {
				g := n.graph()
				errs = append(errs, fmt.Errorf("%s: %s: %w", g.Position, g.Title(), err))
			}
		}
		j.Nodes[i] = t
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	j.Plan = e.graph.Build(s)
	return j, nil
}

func adaptPartition(p func(partitioning) network.Partitioner) func(int, int, int) network.Partitioner {
	if p == nil {
		return nil
	}
	return func(receivers, maxParallelism, subtask int) network.Partitioner {
		return p(partitioning{receivers, maxParallelism, subtask})
	}
}

func (s *sourceSpec) create(ctx taskmanager.EnumeratorContext, restored []byte) (taskmanager.Enumerator, error) {
	return s.enumerator(ctx, restored)
}

// recovery is what to do for a sink before an attempt: nil for one that does not take part in two-phase commit.
func (s *sinkSpec) recovery() func(context.Context, operator.Recovery) error {
	if s.recoverer != nil {
		return s.recoverer.Recover
	}
	if s.committer == nil {
		return nil
	}
	return func(ctx context.Context, r operator.Recovery) error {
		if len(r.Committables) == 0 {
			return nil
		}
		return commit(ctx, s.committer, r.Committables)
	}
}
