package physical

import (
	"strings"

	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/sql/internal/plan"
)

// tree draws trees as Flink's EXPLAIN does.
type tree[N any] struct {
	strings.Builder
	text     func(N) string
	children func(N) []N
}

// draw adds a node whose own line begins with first, and what is below it with rest.
func (t *tree[N]) draw(n N, first, rest string) {
	t.WriteString(first + t.text(n) + "\n")
	below := t.children(n)
	for i, c := range below {
		if i < len(below)-1 {
			t.draw(c, rest+":- ", rest+":  ")
		} else {
			t.draw(c, rest+"+- ", rest+"   ")
		}
	}
}

// Logical draws logical plans.
func Logical(roots []plan.Node) string {
	t := tree[plan.Node]{children: plan.Node.Inputs, text: func(n plan.Node) string {
		if _, ok := n.(*Collect); ok {
			return "Collect(" + fieldNames(n.Schema()) + ")"
		}
		return plan.Describe(n)
	}}
	for i, r := range roots {
		if i > 0 {
			t.WriteByte('\n')
		}
		t.draw(r, "", "")
	}
	return t.String()
}

// shown is a line of EXPLAIN: a node, or the exchange before one.
type shown struct {
	node *Node
	edge *Input
}

// Explain draws the physical plan; modes adds the row kinds that each node makes.
func (p *Plan) Explain(modes bool) string {
	t := tree[shown]{text: func(x shown) string { return x.text(modes) }, children: shown.inputs}
	for i, s := range p.Sinks {
		if i > 0 {
			t.WriteByte('\n')
		}
		t.draw(shown{node: s}, "", "")
	}
	return t.String()
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
