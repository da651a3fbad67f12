package graph

import (
	"strconv"
	"strings"
)

// Document is a plan as programs read it: the job plan of Flink's REST API, with more fields. Names and meanings are stable; fields may be
// added. docs/cli.md describes them.
type Document struct {
	JobID string         `json:"jid"`
	Name  string         `json:"name"`
	Type  string         `json:"type"` // STREAMING
	Hash  string         `json:"hash"` // of operators, edges and chains
	Nodes []DocumentNode `json:"nodes"`
}

// DocumentNode is one task: a chain of operators.
type DocumentNode struct {
	ID             string             `json:"id"`
	Description    string             `json:"description"`
	Operator       string             `json:"operator"`          // empty, as Flink's is
	Strategy       string             `json:"operator_strategy"` // empty, as Flink's is
	Parallelism    int                `json:"parallelism"`
	MaxParallelism int                `json:"max_parallelism"`
	Inputs         []DocumentInput    `json:"inputs,omitempty"` // a source has none
	Operators      []DocumentOperator `json:"operators"`
}

// DocumentInput is an edge between tasks.
type DocumentInput struct {
	Num        int    `json:"num"`
	ID         string `json:"id"` // of the task that it comes from
	Strategy   string `json:"ship_strategy"`
	Exchange   string `json:"exchange"`
	Operator   int    `json:"operator"`              // that it comes from
	SideOutput int    `json:"side_output,omitempty"` // of that operator, from 1; 0 is its main output
	Port       int    `json:"port"`                  // 1 for the second input of an operator with two
}

// DocumentOperator is an operator in its task.
type DocumentOperator struct {
	ID         int    `json:"id"`
	Type       string `json:"type"`
	Name       string `json:"name,omitempty"`
	UID        string `json:"uid,omitempty"`
	Input      *int   `json:"input,omitempty"` // operator of the same task that it is chained to; the head has none
	SideOutput int    `json:"side_output,omitempty"`
	Position   string `json:"position"`
}

// exchangePipelined is Flink's word for edges of bounded queues, which all are.
const exchangePipelined = "pipelined_bounded"

// Document makes the document of a plan of the graph, without job id and name.
func (g *Graph) Document(p *Plan) Document {
	d := Document{Type: "STREAMING", Hash: p.Hash, Nodes: []DocumentNode{}}
	for i := range p.Chains {
		c := &p.Chains[i]
		n := DocumentNode{ID: strconv.Itoa(c.ID), Description: c.Name, Parallelism: c.Parallelism, MaxParallelism: c.MaxParallelism}
		for num, in := range c.Inputs {
			n.Inputs = append(n.Inputs, DocumentInput{
				Num: num, ID: strconv.Itoa(in.FromChain), Strategy: strings.ToUpper(in.Edge.Partition.String()), Exchange: exchangePipelined,
				Operator: in.Edge.From, SideOutput: in.Edge.Tag, Port: in.Edge.Port,
			})
		}
		for _, m := range c.Members {
			op := &g.Nodes[m.Node]
			o := DocumentOperator{ID: op.ID, Type: op.Kind, Name: op.Name, UID: op.UID, SideOutput: m.Tag, Position: op.Position.String()}
			if m.Parent >= 0 {
				o.Input = &c.Members[m.Parent].Node
			}
			n.Operators = append(n.Operators, o)
		}
		d.Nodes = append(d.Nodes, n)
	}
	return d
}
