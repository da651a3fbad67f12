package flott

import (
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/internal/network"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
)

// Attached describes an operator that the typed API cannot: one of SQL, whose batches are columns. For the engine's own packages; its types
// are not for users.
type Attached struct {
	// Kind is what plans show; Name is what it is called there; UID names its state and is "" for an operator without.
	Kind, Name, UID string
	// Operator makes the operator of one subtask.
	Operator func() operator.Operator
	Inputs   []AttachedInput
	// Parallelism 0 means the job's.
	Parallelism int
	// Stateful, NeedsEventTime and GivesEventTime are as for graph.Node.
	Stateful, NeedsEventTime, GivesEventTime bool
	// SideOutputs is the number of outputs beside the main one.
	SideOutputs int
	// Columns are the types of the output's batches, if they are columns: for edges that leave the process.
	Columns []column.Type
}

// AttachedInput is one input of an attached operator.
type AttachedInput struct {
	From AttachedStream
	// Port is 0, or 1 for the second stream of a two-input operator.
	Port      int
	Partition graph.Partition
	// Hashes makes, for graph.Hash and one sending subtask, the function that returns a batch's key hashes.
	Hashes func() func(b record.Batch) []uint64
}

// AttachedStream is an output of an operator.
type AttachedStream struct {
	s     stream
	codec func() (record.BodyCodec, error)
}

func (s AttachedStream) untyped() stream                        { return s.s }
func (s AttachedStream) body() func() (record.BodyCodec, error) { return s.codec }

// Raw takes the type off a stream.
func (s Stream[T]) Raw() AttachedStream { return AttachedStream{s.stream, s.body()} }

// Typed says that the batches of a raw stream are Rows[T].
func Typed[T any](s AttachedStream) Stream[T] { return Stream[T]{s.s} }

// SideOutput is side output i of the operator, counted from 1.
func (s AttachedStream) SideOutput(i int) AttachedStream {
	s.s.tag = i
	return s
}

// Attach adds the operator to the graph.
func (e *Env) Attach(a Attached) AttachedStream {
	n := e.add(a.Kind, a.Name, a.Operator)
	g := n.graph()
	g.UID, g.Parallelism, g.Outputs = a.UID, a.Parallelism, 1+a.SideOutputs
	g.Stateful, g.NeedsEventTime, g.GivesEventTime = a.Stateful, a.NeedsEventTime, a.GivesEventTime
	for _, in := range a.Inputs {
		from := in.From
		from.s.partition, from.s.partitioner = in.Partition, nil
		if in.Partition == graph.Hash {
			from.s.partitioner = hashPartitioner(in.Hashes)
		}
		n.connect(from, in.Port)
	}
	return AttachedStream{stream{node: n}, func() (record.BodyCodec, error) { return record.NewColumnsCodec(a.Columns), nil }}
}

func hashPartitioner(hashes func() func(b record.Batch) []uint64) func(partitioning) network.Partitioner {
	return func(p partitioning) network.Partitioner {
		return &network.Hash{N: p.receivers, Table: keygroup.Route(p.maxParallelism, p.receivers), Hashes: hashes()}
	}
}
