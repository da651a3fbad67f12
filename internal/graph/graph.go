// Package graph is the job as data: nodes and edges as the user drew them, their check, and the chains that run them.
// It knows names and numbers, no functions and no types. It is pure: no clock, no I/O, no goroutines.
//
// The root package builds it; taskmanager and jobmanager read it.
package graph

import "fmt"

// Partition says how an edge spreads records over the subtasks behind it.
type Partition uint8

// The partitionings. Default is forward between equal parallelisms, else rebalance.
const (
	Default Partition = iota
	Forward
	Hash
	Rebalance
	Shuffle
	Broadcast
	Global
	Custom
)

var partitionNames = [...]string{"default", "forward", "hash", "rebalance", "shuffle", "broadcast", "global", "custom"}

// String returns the name that plans show.
func (p Partition) String() string { return partitionNames[p] }

// Chaining says whether an operator may be fused with its neighbours.
type Chaining uint8

// The ways of chaining.
const (
	Always Chaining = iota // with what is before and behind
	Head                   // starts a chain
	Never
)

// Position is a place in the user's source.
type Position struct {
	File string
	Line int
}

// String returns file:line.
func (p Position) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// Edge feeds a node from an output of another.
type Edge struct {
	From      int // node id
	Tag       int // 0 is the main output, side outputs follow
	Port      int // input of the operator: 0, or 1 for the second stream
	Partition Partition
}

// Node is one operator of the graph.
type Node struct {
	ID   int
	UID  string
	Name string
	Kind string // map, filter, source ...: what plans show
	// Parallelism and MaxParallelism 0 mean the job's.
	Parallelism, MaxParallelism int
	Inputs                      []Edge
	Outputs                     int // 1 and the side outputs
	Chaining                    Chaining
	Position                    Position
	Source, Sink                bool
	// Stateful operators must have a name of their own: it is their uid.
	Stateful bool
	// NeedsEventTime: meaningless without watermarks. GivesEventTime: makes them. LosesEventTime: nothing behind it has them.
	NeedsEventTime, GivesEventTime bool
	// Problems were found while the node was built.
	Problems []string
}

// Graph is the whole job.
type Graph struct{ Nodes []Node }

// Settings are what the job's configuration says about its shape.
type Settings struct {
	Parallelism    int
	MaxParallelism int // 0: derived from the parallelism
	Chaining       bool
}
