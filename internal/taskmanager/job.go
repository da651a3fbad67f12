// Package taskmanager runs the tasks of a job's attempts in this process: it builds tasks and the queues between them from the plan, restores
// their state, runs their goroutines and the enumerators, and brings the JobManager's orders to them.
//
// It decides nothing: what to deploy, when to checkpoint and what to do about a failure comes from jobmanager. The root package
// and flotttest build its Job.
package taskmanager

import (
	"context"
	"time"

	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/internal/network"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
)

// Job is a checked graph with its functions.
type Job struct {
	ID, Name string
	Graph    *graph.Graph
	Plan     *graph.Plan
	Nodes    []Node // by node id
	Settings Settings
}

// Settings are what the configuration says about running.
type Settings struct {
	ExactlyOnce     bool
	MaxConcurrent   int
	BufferTimeoutMs int64
	// Backend is hashmap or rocksdb; MemoryBytes the memory for keyed state of one task with rocksdb; LocalDir where its files go.
	Backend     string
	MemoryBytes int64
	LocalDir    string
	// CancellationInterval is between two warnings of what has not ended although it was cancelled; after CancellationTimeout the job is given up.
	// 0: none, and never.
	CancellationInterval, CancellationTimeout time.Duration
	// TimersInMemory keeps timers out of rocksdb.
	TimersInMemory bool
	// QueueBytes bounds one queue between two subtasks; 0 means network.MaxQueueBytes.
	QueueBytes int64
	// QueueElements bounds it in elements, for tests of backpressure; 0 means as many as it has places.
	QueueElements int
}

// Node is what the engine needs of a node beside graph.Node.
type Node struct {
	Operator func() operator.Operator
	// Partition makes the partitioner of one sender, by input edge; nil where the kind of partition says it all.
	Partition []func(receivers, maxParallelism, subtask int) network.Partitioner
	// Bodies make the codecs of its input edges, for edges that leave the process; an error says why the type of record cannot.
	Bodies []func() (record.BodyCodec, error)
	// Enumerator is set for sources. restored is what its predecessor's Snapshot returned, nil for a fresh start.
	Enumerator func(ctx EnumeratorContext, restored []byte) (Enumerator, error)
	// Recover is set for sinks that have something to commit or to clean up. It runs once per attempt, before any task.
	Recover func(ctx context.Context, r operator.Recovery) error
}

// Enumerator finds and assigns splits: see flott.Enumerator.
type Enumerator interface {
	Start() error
	Return(splits []operator.Split) error
	Request(subtask int) error
	Snapshot() ([]byte, error)
	Complete(id int64) error
	Close() error
}

// EnumeratorContext is what an enumerator may use: see flott.EnumeratorContext.
type EnumeratorContext interface {
	Context() context.Context
	Parallelism() int
	Assign(subtask int, s operator.Split)
	NoMoreSplits(subtask int)
	Async(work func(context.Context) (any, error), done func(any, error) error)
	After(delayMs int64, f func() error)
}
