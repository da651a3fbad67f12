package graph

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// Plan is the graph cut into chains: what is deployed.
type Plan struct {
	Chains []Chain
	// Hash says whether two processes have built the same plan.
	Hash string
}

// Chain is operators fused into one task.
type Chain struct {
	ID                          int
	Name                        string
	Parallelism, MaxParallelism int
	// MaxIsSet says that the max parallelism was asked for; one that was derived gives way to that of a restored checkpoint.
	MaxIsSet bool
	// Members are in an order in which each stands behind its parent; the first is the head.
	Members []Member
	Inputs  []Input
}

// Member is a node in its chain.
type Member struct {
	Node int
	// Parent is the position in the chain of the node that feeds it, Tag which of its outputs; -1 for the head.
	Parent, Tag int
}

// Input is an edge that enters a chain.
type Input struct {
	FromChain  int
	FromMember int
	Edge       Edge
}

// Build cuts a checked graph into chains. An operator is chained to the one before it when it has a single input that is forward,
// or a hash edge between two single subtasks, with the same parallelism, and neither side forbids it.
func (g *Graph) Build(s Settings) *Plan {
	p := &Plan{}
	chainOf := make([]int, len(g.Nodes))
	memberOf := make([]int, len(g.Nodes))
	for i := range chainOf {
		chainOf[i] = -1
	}
	for _, i := range g.order() {
		n := &g.Nodes[i]
		if e, ok := g.chainable(n, s); ok {
			c := &p.Chains[chainOf[e.From]]
			chainOf[i], memberOf[i] = c.ID, len(c.Members)
			c.Members = append(c.Members, Member{Node: i, Parent: memberOf[e.From], Tag: e.Tag})
			continue
		}
		c := Chain{ID: len(p.Chains), Parallelism: s.parallelism(n), MaxParallelism: s.maxParallelism(n),
			MaxIsSet: n.MaxParallelism > 0 || s.MaxParallelism > 0, Members: []Member{{Node: i, Parent: -1}}}
		for _, e := range n.Inputs {
			if e.Partition == Default || e.Partition == Forward {
				e.Partition = Forward
				if s.parallelism(&g.Nodes[e.From]) != c.Parallelism {
					e.Partition = Rebalance
				}
			}
			c.Inputs = append(c.Inputs, Input{FromChain: chainOf[e.From], FromMember: memberOf[e.From], Edge: e})
		}
		chainOf[i], memberOf[i] = c.ID, 0
		p.Chains = append(p.Chains, c)
	}
	for i := range p.Chains {
		p.Chains[i].Name = g.chainName(&p.Chains[i])
	}
	p.Hash = g.hash(p)
	return p
}

// order lists the nodes so that each stands behind its inputs. Nodes are numbered as the user made them, so that is their order.
func (g *Graph) order() []int {
	order := make([]int, len(g.Nodes))
	for i := range order {
		order[i] = i
	}
	return order
}

func (g *Graph) chainable(n *Node, s Settings) (Edge, bool) {
	if !s.Chaining || len(n.Inputs) != 1 || n.Chaining != Always {
		return Edge{}, false
	}
	e := n.Inputs[0]
	up := &g.Nodes[e.From]
	single := s.parallelism(n) == 1 && s.parallelism(up) == 1
	switch e.Partition {
	case Default, Forward:
	case Hash, Global, Rebalance, Shuffle:
		if !single {
			return Edge{}, false
		}
	default:
		return Edge{}, false
	}
	return e, up.Chaining != Never && s.parallelism(n) == s.parallelism(up) && s.maxParallelism(n) == s.maxParallelism(up)
}

func (g *Graph) chainName(c *Chain) string {
	var names []string
	for _, m := range c.Members {
		n := &g.Nodes[m.Node]
		if n.Name != "" {
			names = append(names, n.Name)
		} else {
			names = append(names, n.Kind)
		}
	}
	return strings.Join(names, " -> ")
}

func (g *Graph) hash(p *Plan) string {
	h := fnv.New128a()
	for i := range g.Nodes {
		n := &g.Nodes[i]
		fmt.Fprintf(h, "%d %s %s %s %d %v\n", n.ID, n.Kind, n.UID, n.Name, n.Outputs, n.Inputs)
	}
	for _, c := range p.Chains {
		fmt.Fprintf(h, "%d %d %d %v\n", c.ID, c.Parallelism, c.MaxParallelism, c.Members)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// String draws the plan as text: a chain a paragraph.
func (g *Graph) String(p *Plan) string {
	var b strings.Builder
	for _, c := range p.Chains {
		fmt.Fprintf(&b, "task %d  parallelism %d (max %d)  %s\n", c.ID, c.Parallelism, c.MaxParallelism, c.Name)
		for _, in := range c.Inputs {
			fmt.Fprintf(&b, "    reads task %d by %s\n", in.FromChain, in.Edge.Partition)
		}
		for _, m := range c.Members {
			n := &g.Nodes[m.Node]
			uid := ""
			if n.UID != "" {
				uid = fmt.Sprintf("  uid %q", n.UID)
			}
			fmt.Fprintf(&b, "    %-12s %s%s  (%s)\n", n.Kind, n.Name, uid, n.Position)
		}
	}
	return b.String()
}
