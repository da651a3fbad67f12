package graph

import (
	"errors"
	"strings"
	"testing"
)

// at gives a node a place in the user's source.
func at(line int, n Node) Node {
	n.Position = Position{"job.go", line}
	n.Outputs = max(1, n.Outputs)
	return n
}

func from(ids ...int) (edges []Edge) {
	for _, id := range ids {
		edges = append(edges, Edge{From: id})
	}
	return edges
}

func numbered(nodes ...Node) *Graph {
	for i := range nodes {
		nodes[i].ID = i
	}
	return &Graph{Nodes: nodes}
}

func source(line int) Node {
	return at(line, Node{Kind: "source", UID: "in", Name: "in", Source: true})
}

func sink(line int, inputs ...int) Node {
	return at(line, Node{Kind: "sink", UID: "out", Name: "out", Sink: true, Stateful: true, Inputs: from(inputs...)})
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name  string
		graph *Graph
		want  []string // one problem each, in the order of the source; none: accepted
	}{
		{"a sound graph", numbered(source(1), at(2, Node{Kind: "map", Inputs: from(0)}), sink(3, 1)), nil},
		{"a cycle", numbered(source(1), at(2, Node{Kind: "map", Name: "a", Inputs: from(0, 3)}), at(3, Node{Kind: "filter", Name: "b", Inputs: from(1)}),
			at(4, Node{Kind: "map", Name: "c", Inputs: from(2)}), sink(5, 3)),
			[]string{`job.go:2: the graph has a cycle: filter "b" -> map "c" -> map "a" -> filter "b"`}},
		{"an operator that feeds itself", numbered(source(1), at(2, Node{Kind: "map", Name: "a", Inputs: from(0, 1)}), sink(3, 1)),
			[]string{`job.go:2: the graph has a cycle: map "a" -> map "a"`}},
		{"an event-time window without watermarks", numbered(source(1),
			at(2, Node{Kind: "window", UID: "w", Name: "w", Stateful: true, NeedsEventTime: true, Inputs: from(0)}), sink(3, 1)),
			[]string{`job.go:2: window "w" works in event time, but no watermarks reach it from source "in"`}},
		{"forward between unequal parallelisms", numbered(source(1),
			at(2, Node{Kind: "map", Parallelism: 3, Inputs: []Edge{{From: 0, Partition: Forward}}}), sink(3, 1)),
			[]string{`job.go:2: forward from source "in" with parallelism 2 to map with parallelism 3`}},
		{"everything at once", numbered(source(1), at(7, Node{Kind: "reduce", Stateful: true, Inputs: from(0)}),
			at(5, Node{Kind: "reduce", UID: "in", Name: "in", Stateful: true, Inputs: from(0)}), sink(9, 1)),
			[]string{`job.go:5: the name "in" is used twice`, `job.go:5: the stream of reduce "in" goes nowhere`, `job.go:7: reduce has no name`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.graph.Check(Settings{Parallelism: 2, Chaining: true})
			var refused *Refused
			if !errors.As(err, &refused) {
				if err != nil || c.want != nil {
					t.Fatalf("got %v, want %q", err, c.want)
				}
				return
			}
			if len(refused.Problems) != len(c.want) {
				t.Fatalf("got %d problems, want %d:\n%v", len(refused.Problems), len(c.want), err)
			}
			for i, want := range c.want {
				if got := refused.Problems[i].String(); !strings.HasPrefix(got, want) {
					t.Errorf("problem %d is %q, want %q", i, got, want)
				}
			}
		})
	}
}
