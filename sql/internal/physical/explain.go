package physical

import (
	"strings"

	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/sql/internal/plan"
)

// Tree draws a tree as Flink's EXPLAIN does, given the text of a node and its children.
func Tree[N any](b *strings.Builder, n N, text func(N) string, children func(N) []N) {
	tree(b, n, "", "", text, children)
}

func tree[N any](b *strings.Builder, n N, first, rest string, text func(N) string, children func(N) []N) {
	b.WriteString(first + text(n) + "\n")
	below := children(n)
	for i, c := range below {
		if i < len(below)-1 {
			tree(b, c, rest+":- ", rest+":  ", text, children)
		} else {
			tree(b, c, rest+"+- ", rest+"   ", text, children)
		}
	}
}

// Logical draws logical plans.
func Logical(roots []plan.Node) string {
	var b strings.Builder
	for i, r := range roots {
		if i > 0 {
			b.WriteByte('\n')
		}
		Tree(&b, r, func(n plan.Node) string {
			if _, ok := n.(*Collect); ok {
				return "Collect(" + fieldNames(n.Schema()) + ")"
			}
			return plan.Describe(n)
		}, plan.Node.Inputs)
	}
	return b.String()
}

// shown is a line of EXPLAIN: a node, or the exchange before one.
type shown struct {
	node *Node
	edge *Input
}

// Explain draws the physical plan; modes adds the row kinds that each node makes.
func (p *Plan) Explain(modes bool) string {
	var b strings.Builder
	for i, s := range p.Sinks {
		if i > 0 {
			b.WriteByte('\n')
		}
		Tree(&b, shown{node: s}, func(x shown) string { return x.text(modes) }, shown.inputs)
	}
	return b.String()
}

func (s shown) text(modes bool) string {
	var text string
	kinds := s.kinds()
	if s.edge == nil {
		text = s.node.Op.describe(s.node)
	} else {
		text = "Exchange(distribution=[" + s.edge.distribution() + "])"
	}
	if _, isSink := s.node.Op.(sink); modes && s.edge == nil && isSink {
		kinds = "NONE"
	}
	if modes {
		text = strings.TrimSuffix(text, ")") + ", changelogMode=[" + kinds + "])"
	}
	return text
}

func (s shown) kinds() string {
	if s.edge != nil {
		return s.edge.Kinds.String()
	}
	return s.node.Kinds.String()
}

func (in *Input) distribution() string {
	switch in.Partition {
	case graph.Hash:
		return "hash[" + names(in.Out, in.Keys) + "]"
	case graph.Global:
		return "single"
	}
	return in.Partition.String()
}

func (s shown) inputs() []shown {
	if s.edge != nil {
		return []shown{{node: s.edge.Node}}
	}
	var out []shown
	for i := range s.node.In {
		in := &s.node.In[i]
		if in.Partition == graph.Default {
			out = append(out, shown{node: in.Node})
			continue
		}
		out = append(out, shown{node: in.Node, edge: in})
	}
	return out
}
