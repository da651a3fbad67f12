package taskmanager

import (
	"fmt"

	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/internal/network"
	"github.com/flottio/flott/internal/task"
)

// wiring is the tasks of one attempt with the queues between them, before they are built.
type wiring struct {
	job    *Job
	specs  [][]task.Spec // by chain and subtask
	queues []*network.Queue
}

// wire makes a spec for every subtask, and a queue for every pair of subtasks that an edge connects.
func wire(j *Job) *wiring {
	w := &wiring{job: j, specs: make([][]task.Spec, len(j.Plan.Chains))}
	for i := range j.Plan.Chains {
		c := &j.Plan.Chains[i]
		w.specs[i] = make([]task.Spec, c.Parallelism)
		for s := range w.specs[i] {
			w.specs[i][s] = w.spec(c, s)
		}
	}
	for i := range j.Plan.Chains {
		c := &j.Plan.Chains[i]
		for n := range c.Inputs {
			w.connect(c, &c.Inputs[n], n)
		}
	}
	return w
}

func (w *wiring) spec(c *graph.Chain, subtask int) task.Spec {
	s := task.Spec{
		ID: c.ID, Name: c.Name, JobID: w.job.ID, Subtask: subtask, Parallelism: c.Parallelism, MaxParallelism: c.MaxParallelism,
		Waker: network.NewWaker(), ExactlyOnce: w.job.Settings.ExactlyOnce, MaxConcurrent: w.job.Settings.MaxConcurrent,
		BufferTimeoutMs: w.job.Settings.BufferTimeoutMs,
	}
	for _, m := range c.Members {
		n := &w.job.Graph.Nodes[m.Node]
		s.Operators = append(s.Operators, task.OperatorSpec{
			UID: uid(n), Name: title(n), Parent: m.Parent, Tag: m.Tag, Outputs: n.Outputs, New: w.job.Nodes[m.Node].Operator,
		})
	}
	return s
}

// uid is the name under which an operator's state is stored; stateless operators have a made-up one, which stores nothing.
func uid(n *graph.Node) string {
	if n.UID != "" {
		return n.UID
	}
	return fmt.Sprintf("#%d %s", n.ID, n.Kind)
}

func title(n *graph.Node) string {
	if n.Name != "" {
		return n.Name
	}
	return n.Kind
}

// connect makes the queues of one edge into chain c.
func (w *wiring) connect(c *graph.Chain, in *graph.Input, input int) {
	from := &w.job.Plan.Chains[in.FromChain]
	node := &w.job.Nodes[c.Members[0].Node]
	name := fmt.Sprintf("%s -> %s", from.Name, c.Name)
	for i := range from.Parallelism {
		sender := &w.specs[from.ID][i]
		e := task.EdgeSpec{Name: name, Operator: in.FromMember, Tag: in.Edge.Tag}
		if input < len(node.Bodies) {
			e.Body = node.Bodies[input]
		}
		first, last := 0, c.Parallelism-1
		if in.Edge.Partition == graph.Forward {
			first, last = i, i
		}
		for j := first; j <= last; j++ {
			receiver := &w.specs[c.ID][j]
			q := network.NewQueue(sender.Waker, receiver.Waker, w.job.Settings.QueueBytes)
			q.Limit(w.job.Settings.QueueElements)
			w.queues = append(w.queues, q)
			e.Queues = append(e.Queues, q)
			receiver.Inputs = append(receiver.Inputs, task.InputSpec{Port: in.Edge.Port, Queue: q, From: fmt.Sprintf("%s (%d)", from.Name, i+1)})
		}
		e.Partitioner = w.partitioner(in, node, input, c, i)
		sender.Edges = append(sender.Edges, e)
	}
}

func (w *wiring) partitioner(in *graph.Input, n *Node, input int, c *graph.Chain, subtask int) network.Partitioner {
	if input < len(n.Partition) && n.Partition[input] != nil {
		return n.Partition[input](c.Parallelism, c.MaxParallelism, subtask)
	}
	switch in.Edge.Partition {
	case graph.Broadcast:
		return network.ToAll{}
	case graph.Rebalance:
		return network.NewRebalance(c.Parallelism, subtask)
	case graph.Shuffle:
		return &network.Shuffle{N: c.Parallelism, Seed: uint64(subtask)*0x9e3779b97f4a7c15 + 1}
	case graph.Forward, graph.Global:
		return network.Forward{}
	}
	panic(fmt.Sprintf("BUG: edge %s into %q has no partitioner", in.Edge.Partition, c.Name))
}
