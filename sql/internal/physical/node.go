// Package physical is a query as operators: nodes translated from logical ones, with the row kinds they make, the keys their rows have, the
// exchanges between them and uids, and the graph that is built of them.
//
// Planning starts nothing: sources and sinks are made of their options and checked, not opened.
package physical

import (
	"slices"

	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/internal/plan"
	"github.com/flottio/flott/sql/table"
)

// Kinds is the set of row kinds that a stream has.
type Kinds uint8

// The row kinds as a set.
const (
	Inserts Kinds = 1 << schema.Insert
	Befores Kinds = 1 << schema.UpdateBefore
	Afters  Kinds = 1 << schema.UpdateAfter
	Deletes Kinds = 1 << schema.Delete

	updates = Befores | Afters
	all     = Inserts | updates | Deletes
)

// InsertOnly reports whether nothing is ever taken back.
func (k Kinds) InsertOnly() bool { return k&^Inserts == 0 }

// String is the set as EXPLAIN shows it: "I,UB,UA,D".
func (k Kinds) String() string {
	s := ""
	for i, name := range [...]string{schema.Insert: "I", schema.UpdateBefore: "UB", schema.UpdateAfter: "UA", schema.Delete: "D"} {
		if k&(1<<i) == 0 {
			continue
		}
		if s != "" {
			s += ","
		}
		s += name
	}
	return s
}

// mode is the set as a connector sees it.
func (k Kinds) mode() table.Mode {
	switch {
	case k.InsertOnly():
		return table.InsertOnly
	case k&Befores == 0:
		return table.Upsert
	}
	return table.Retract
}

// Key is a set of columns, ascending, whose values belong to at most one row at a time. An empty key says that there is at most one row.
type Key []int

func makeKey(columns ...int) Key {
	k := slices.Clone(columns)
	slices.Sort(k)
	return Key(slices.Compact(k))
}

// within reports whether all columns of the key are among the others.
func (k Key) within(columns []int) bool {
	for _, c := range k {
		if !slices.Contains(columns, c) {
			return false
		}
	}
	return true
}

// maxKeys bounds the keys that are followed for one relation; joins multiply them.
const maxKeys = 16

// addKey adds a key unless one of the keys is within it.
func addKey(keys []Key, k Key) []Key {
	if len(keys) >= maxKeys {
		return keys
	}
	for _, have := range keys {
		if have.within(k) {
			return keys
		}
	}
	return append(keys, k)
}

// Node is an operator of the plan.
type Node struct {
	Op  op
	In  []Input
	Out plan.Schema
	// Kinds are those of the rows it makes. Befores are taken out where nobody behind it needs them.
	Kinds Kinds
	// Unique are the keys of the relation. Upsert are those under which its changes come in order and can be taken one after another
	// without -U: no exchange between here and the operator that made the key has spread them.
	Unique, Upsert []Key
	// Bounded: the input ends.
	Bounded bool
	// Parallelism is 0 for the job's.
	Parallelism int

	window *windowed // rows of windows; nil: not

	// rows says canonically which rows these are, and cols what each column is: uids are made of them.
	rows string
	cols []string
	uid  string
	// before says that somebody behind needs -U.
	before bool
	number int // in the order of translation, from 1
}

// Input is an edge.
type Input struct {
	*Node
	Partition graph.Partition
	Keys      []int // of graph.Hash: columns
}

// op is what a node does. The closed set of them is in op_*.go.
type op interface {
	// name is the operator's name in plans, as Flink's.
	name() string
	// describe is name and parameters.
	describe(n *Node) string
	// needsBefore says whether the node needs -U on an input whose rows are updated, given that somebody behind it does or not.
	needsBefore(n *Node, input int, behind bool) bool
	// attach adds the node to the graph.
	attach(b *builder, n *Node) error
}

// stateful is implemented by operators with state: they have a uid.
type stateful interface{ stateful() bool }

func forward(n *Node) Input { return Input{Node: n} }

// hashed sends rows of equal keys to the same subtask; without keys all rows go to one.
func hashed(n *Node, keys []int) Input {
	if len(keys) == 0 {
		return Input{Node: n, Partition: graph.Global}
	}
	return Input{Node: n, Partition: graph.Hash, Keys: keys}
}
