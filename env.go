package flott

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/flottio/flott/config"
	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/internal/network"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
)

// Env is what a job is drawn on. It is not safe for concurrent use; the same build function must draw the same graph each time.
type Env struct {
	graph    graph.Graph
	nodes    []*node
	settings []setting
}

// setting is what Set was given, and where.
type setting struct {
	key, value string
	origin     config.Origin
}

// NewEnv returns an empty job. cli.Main and flotttest call it; jobs get theirs as an argument.
func NewEnv() *Env { return &Env{} }

// Set gives the job a default for a configuration option, by its key: env.Set("execution.checkpointing.interval", "5 s").
// config.yaml and -D on the command line override it.
func (e *Env) Set(key, value string) {
	at := caller()
	e.settings = append(e.settings, setting{key, value, config.Origin{Source: at.File, Line: at.Line}})
}

// node is what the engine needs beside graph.Node: the functions.
type node struct {
	env *Env
	id  int
	// operator makes the operator of one subtask.
	operator func() operator.Operator
	// partition makes the partitioner of one sending subtask for the edge into this node with the given port; nil where the kind of
	// partition says it all.
	partition []func(p partitioning) network.Partitioner
	// bodies make the codecs of the edges into this node.
	bodies []func() (record.BodyCodec, error)
	// tags are the side outputs in order; the main output has none.
	tags []any
	// enumerator and recoverer are set for sources and sinks.
	source *sourceSpec
	sink   *sinkSpec
	// dropBadInput: see Stream.DropBadInput.
	dropBadInput bool
}

// partitioning is what a partitioner needs to know of its edge.
type partitioning struct {
	receivers, maxParallelism int
	subtask                   int
}

func (n *node) graph() *graph.Node { return &n.env.graph.Nodes[n.id] }

// add makes a node with the user's place in the source.
func (e *Env) add(kind, name string, new func() operator.Operator) *node {
	n := &node{env: e, id: len(e.nodes), operator: new}
	e.nodes = append(e.nodes, n)
	e.graph.Nodes = append(e.graph.Nodes, graph.Node{ID: n.id, UID: name, Name: name, Kind: kind, Outputs: 1, Position: caller()})
	return n
}

// problem notes a mistake; the graph is refused with all of them at once.
func (n *node) problem(format string, args ...any) {
	g := n.graph()
	g.Problems = append(g.Problems, fmt.Sprintf(format, args...))
}

// needs notes that a function, or what has functions, was left out: found when the first record came, it would be a panic without a name.
func (n *node) needs(given bool, who, what string) {
	if !given {
		n.problem("%s: the %s is nil", who, what)
	}
}

// caller is the nearest place in the stack outside of this package.
func caller() graph.Position {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, "github.com/flottio/flott.") || strings.HasSuffix(f.File, "_test.go") {
			return graph.Position{File: f.File, Line: f.Line}
		}
		if !more {
			return graph.Position{}
		}
	}
}

// connect adds an input to the node.
func (n *node) connect(upstream typedStream, port int) {
	from := upstream.untyped()
	n.bodies = append(n.bodies, upstream.body())
	n.graph().Inputs = append(n.graph().Inputs, graph.Edge{From: from.node.id, Tag: from.tag, Port: port, Partition: from.partition})
	n.partition = append(n.partition, from.partitioner)
	if from.node.env != n.env {
		n.problem("its input belongs to another Env")
	}
}

// stream is the untyped part of a Stream.
type stream struct {
	node        *node
	tag         int
	partition   graph.Partition
	partitioner func(partitioning) network.Partitioner
}

// typedStream is a Stream of any type.
type typedStream interface {
	untyped() stream
	// body makes the codec of its records; what cannot be encoded is refused when it is called, not when the job is drawn.
	body() func() (record.BodyCodec, error)
}

func (s Stream[T]) untyped() stream                        { return s.stream }
func (s Stream[T]) body() func() (record.BodyCodec, error) { return record.NewRowsCodec[T] }

// Stream is a stream of records of one type: the output of an operator. It is a value; its methods return new ones.
type Stream[T any] struct{ stream }

// OutputTag names a side output and its type. Make it once, as a package variable or in the build function.
type OutputTag[T any] struct{ name string }

// NewOutputTag returns a tag.
func NewOutputTag[T any](name string) *OutputTag[T] { return &OutputTag[T]{name} }

// SideOutput is the stream of records that the operator behind s sends to the tag.
func SideOutput[T, U any](s Stream[T], tag *OutputTag[U]) Stream[U] {
	n := s.node
	for i, t := range n.tags {
		if t == any(tag) {
			return Stream[U]{stream{node: n, tag: i + 1}}
		}
	}
	n.tags = append(n.tags, tag)
	n.graph().Outputs = len(n.tags) + 1
	return Stream[U]{stream{node: n, tag: len(n.tags)}}
}

// tagIndex is the output a tag stands for, 0 if nobody reads it.
func (n *node) tagIndex(tag any) int {
	for i, t := range n.tags {
		if t == tag {
			return i + 1
		}
	}
	return 0
}

// Named gives the operator behind the stream a name for plans, logs and metrics. It is also its uid.
func (s Stream[T]) Named(name string) Stream[T] {
	s.node.graph().Name, s.node.graph().UID = name, name
	return s
}

// Parallelism sets the number of subtasks of the operator behind the stream; 0 means the job's.
func (s Stream[T]) Parallelism(n int) Stream[T] {
	s.node.setParallelism(n)
	return s
}

func (n *node) setParallelism(p int) {
	if p < 0 {
		n.problem("Parallelism(%d): at least 1 is needed, or 0 for the job's", p)
		return
	}
	n.graph().Parallelism = p
}

// MaxParallelism sets the number of key groups of the operator behind the stream; 0 means the job's. It is fixed by the first checkpoint.
func (s Stream[T]) MaxParallelism(n int) Stream[T] {
	if n < 0 {
		s.node.problem("MaxParallelism(%d): at least 1 is needed, or 0 for the job's", n)
		return s
	}
	s.node.graph().MaxParallelism = n
	return s
}

// StartNewChain lets the operator behind the stream begin a task of its own.
func (s Stream[T]) StartNewChain() Stream[T] {
	s.node.graph().Chaining = graph.Head
	return s
}

// DisableChaining keeps the operator behind the stream alone in its task.
func (s Stream[T]) DisableChaining() Stream[T] {
	s.node.graph().Chaining = graph.Never
	return s
}

func (s Stream[T]) with(p graph.Partition, f func(partitioning) network.Partitioner) Stream[T] {
	s.partition, s.partitioner = p, f
	return s
}

// Forward sends each record to the subtask with the same number; the parallelisms must be equal.
func (s Stream[T]) Forward() Stream[T] { return s.with(graph.Forward, nil) }

// Rebalance spreads batches over all subtasks in turn.
func (s Stream[T]) Rebalance() Stream[T] { return s.with(graph.Rebalance, nil) }

// Shuffle spreads records over all subtasks at random.
func (s Stream[T]) Shuffle() Stream[T] { return s.with(graph.Shuffle, nil) }

// Broadcast sends every record to every subtask.
func (s Stream[T]) Broadcast() Stream[T] { return s.with(graph.Broadcast, nil) }

// Global sends every record to the first subtask.
func (s Stream[T]) Global() Stream[T] { return s.with(graph.Global, nil) }

// PartitionCustom sends each record to the subtask that f chooses, in [0, subtasks).
func (s Stream[T]) PartitionCustom(f func(v T, subtasks int) int) Stream[T] {
	s.node.needs(f != nil, "PartitionCustom", "function")
	return s.with(graph.Custom, func(p partitioning) network.Partitioner {
		cursor := &operator.Cursor{}
		return &network.Custom{Working: cursor.Current, Choose: func(b record.Batch, at []int32) ([]int32, error) {
			cursor.Begin(b)
			for i, v := range b.(*record.Rows[T]).Rows {
				cursor.At(i)
				to := f(v, p.receivers)
				if to < 0 || to >= p.receivers {
					return nil, fmt.Errorf("the partitioner chose subtask %d of %d for record %s", to, p.receivers, operator.Shorten(v))
				}
				at = append(at, int32(to))
			}
			cursor.End()
			return at, nil
		}}
	})
}

// Union merges streams of one type. The order between them is not defined.
func (s Stream[T]) Union(others ...Stream[T]) Stream[T] {
	n := s.node.env.add("union", "", func() operator.Operator { return &operator.Pass{} })
	n.connect(s, 0)
	for _, o := range others {
		n.connect(o, 0)
	}
	return Stream[T]{stream{node: n}}
}
