package taskmanager

import (
	"context"
	"errors"
	"fmt"

	"github.com/flottio/flott/codec"
	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/schema"
)

// Targets describes the job's operators and the state they declare, for the restore plan. It opens each stateful operator once, in
// memory, to learn what it declares.
func (j *Job) Targets() ([]checkpoint.Target, error) {
	var targets []checkpoint.Target
	var errs []error
	for i := range j.Plan.Chains {
		c := &j.Plan.Chains[i]
		for _, m := range c.Members {
			n := &j.Graph.Nodes[m.Node]
			if n.UID == "" {
				continue // without a name nothing is kept: not even event time, which might be that of another operator
			}
			t := checkpoint.Target{UID: uid(n), Name: title(n), Chain: c.ID, Parallelism: c.Parallelism}
			if c.MaxIsSet {
				t.MaxParallelism = c.MaxParallelism
			}
			states, err := j.declared(n, c)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %s: %w", n.Position, n.Title(), err))
				continue
			}
			t.States = states
			targets = append(targets, t)
		}
	}
	return targets, errors.Join(errs...)
}

// declared returns the states of one operator.
func (j *Job) declared(n *graph.Node, c *graph.Chain) ([]checkpoint.State, error) {
	switch {
	case n.Source:
		return []checkpoint.State{{Name: SplitsState, Kind: checkpoint.UnionList}}, nil
	case n.Sink:
		return []checkpoint.State{{Name: WriterState, Kind: checkpoint.SplitList}, {Name: CommittablesState, Kind: checkpoint.SplitList}}, nil
	case !n.Stateful:
		return nil, nil
	}
	b, err := state.NewBackend(state.Config{Groups: state.Groups{First: 0, End: c.MaxParallelism, Max: c.MaxParallelism}})
	if err != nil {
		return nil, err
	}
	op := j.Nodes[n.ID].Operator()
	ctx := &operator.Context{
		Ctx: context.Background(), JobID: j.ID, UID: uid(n), Name: title(n), Parallelism: 1, MaxParallelism: c.MaxParallelism,
		KeyGroups: keygroup.All(c.MaxParallelism), Backend: b, Counters: &operator.Counters{}, DeclareOnly: true,
		Now: func() int64 { return 0 }, Wake: func() {}, Restored: operator.Restored{Watermark: operator.NoTime},
	}
	for range max(1, n.Outputs) {
		ctx.Out = append(ctx.Out, operator.Discard{Dropped: &ctx.Counters.Dropped})
	}
	if err := op.Open(ctx); err != nil {
		return nil, errors.Join(err, op.Close())
	}
	states := checkpointStates(b.States())
	if d, ok := op.(operator.Declarer); ok {
		for _, l := range d.OperatorState() {
			states = append(states, checkpoint.State{Name: l.Name, Kind: listKind(l.Mode)})
		}
	}
	l, _ := op.(operator.Locator)
	for i := range states {
		if l != nil {
			states[i].Position = l.StatePosition(states[i].Name)
		}
		if states[i].Position == "" {
			states[i].Position = n.Position.String()
		}
	}
	return states, op.Close()
}

// checkpointStates puts descriptions of keyed state into the manifest's form.
func checkpointStates(infos []state.StateInfo) []checkpoint.State {
	var states []checkpoint.State
	for _, s := range infos {
		x := checkpoint.State{Name: s.Name, Kind: stateKind(s.Kind)}
		if s.Keys != nil {
			x.KeySchema = s.Keys.String()
		}
		if s.Values != nil {
			x.ValueSchema = s.Values.String()
		}
		states = append(states, x)
	}
	return states
}

func stateKind(k state.Kind) checkpoint.StateKind {
	switch k {
	case state.KindWindowed:
		return checkpoint.WindowState
	case state.KindTimers:
		return checkpoint.TimerState
	}
	return checkpoint.ValueState
}

// AdoptMaxParallelism takes over what the restored checkpoint has fixed (A13.5).
func (j *Job) AdoptMaxParallelism(p *checkpoint.RestorePlan) {
	for i := range j.Plan.Chains {
		c := &j.Plan.Chains[i]
		for _, m := range c.Members {
			u := uid(&j.Graph.Nodes[m.Node])
			for k := range p.Operators {
				if o := &p.Operators[k]; o.UID == u && o.Restored && o.MaxParallelism > 0 && !isMadeUp(u) {
					c.MaxParallelism = o.MaxParallelism
				}
			}
		}
	}
}

// Vertices describes the chains for the checkpoint coordinator.
func (j *Job) Vertices() []checkpoint.Vertex {
	var vertices []checkpoint.Vertex
	for i := range j.Plan.Chains {
		c := &j.Plan.Chains[i]
		v := checkpoint.Vertex{Name: c.Name, Parallelism: c.Parallelism}
		for _, in := range c.Inputs {
			v.Inputs = append(v.Inputs, checkpoint.VertexInput{From: in.FromChain, Forward: in.Edge.Partition == graph.Forward})
		}
		vertices = append(vertices, v)
	}
	return vertices
}

// CompatibleSchemas says whether state that was stored with one type can be read as another; the error shows both (A13, codec.Reader).
func CompatibleSchemas(uid string, stored, declared checkpoint.State) error {
	return errors.Join(compatible("key", stored.KeySchema, declared.KeySchema), compatible("value", stored.ValueSchema, declared.ValueSchema))
}

func compatible(what, stored, declared string) error {
	if stored == declared || stored == "" || declared == "" {
		return nil
	}
	was, err := schema.Parse(stored)
	if err != nil {
		return fmt.Errorf("reading the stored %s type: %w", what, err)
	}
	now, err := schema.Parse(declared)
	if err != nil {
		return fmt.Errorf("reading the declared %s type: %w", what, err)
	}
	if what == "key" {
		return errors.New(schema.Compare("stored key", was, "the job's key", now) + "\nkeys cannot change: their hash decides where state lies")
	}
	return codec.Compatible(was, now)
}
