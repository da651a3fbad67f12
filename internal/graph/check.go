package graph

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/flottio/flott/internal/keygroup"
)

// Problem is one reason why a graph is refused, and where the user wrote it.
type Problem struct {
	Position Position
	Text     string
}

// String returns position and text.
func (p Problem) String() string { return p.Position.String() + ": " + p.Text }

// Refused is every problem of a graph.
type Refused struct{ Problems []Problem }

// Error lists them, one a line.
func (r *Refused) Error() string {
	lines := make([]string, len(r.Problems))
	for i, p := range r.Problems {
		lines[i] = "  " + p.String()
	}
	noun := "problems"
	if len(lines) == 1 {
		noun = "problem"
	}
	return fmt.Sprintf("the job's graph has %d %s; nothing was started:\n%s", len(lines), noun, strings.Join(lines, "\n"))
}

// Check returns nil, or a *Refused with all problems of the graph, in the order of the user's source.
func (g *Graph) Check(s Settings) error {
	c := &checker{graph: g, settings: s}
	c.names()
	c.shape()
	if c.acyclic() {
		c.eventTime()
	}
	if len(c.problems) == 0 {
		return nil
	}
	sort.SliceStable(c.problems, func(i, j int) bool {
		a, b := c.problems[i].Position, c.problems[j].Position
		return a.File < b.File || a.File == b.File && a.Line < b.Line
	})
	return &Refused{c.problems}
}

type checker struct {
	graph    *Graph
	settings Settings
	problems []Problem
}

func (c *checker) add(n *Node, format string, args ...any) {
	c.problems = append(c.problems, Problem{n.Position, fmt.Sprintf(format, args...)})
}

func (c *checker) names() {
	first := map[string]*Node{}
	for i := range c.graph.Nodes {
		n := &c.graph.Nodes[i]
		for _, p := range n.Problems {
			c.add(n, "%s", p)
		}
		if n.UID == "" && (n.Stateful || n.Source || n.Sink) {
			c.add(n, "%s has no name: its state is stored and found again under its name, so every source, sink and stateful operator needs one", n.Kind)
			continue
		}
		if len(n.UID) > 255 || strings.ContainsAny(n.UID, "\x00\n\r") {
			c.add(n, "%s %q: a name has at most 255 bytes and no line breaks", n.Kind, n.UID)
		}
		if strings.HasPrefix(n.UID, "#") {
			c.add(n, "%s %q: names that begin with # are the engine's own: choose another", n.Kind, n.UID)
		}
		if n.UID == "" {
			continue
		}
		if f := first[n.UID]; f != nil {
			c.add(n, "the name %q is used twice: for the %s at %s and the %s here; give one of them another name", n.UID, f.Kind, f.Position, n.Kind)
			continue
		}
		first[n.UID] = n
	}
}

func (c *checker) shape() {
	used := make([][]bool, len(c.graph.Nodes))
	for i := range c.graph.Nodes {
		used[i] = make([]bool, max(1, c.graph.Nodes[i].Outputs))
	}
	for i := range c.graph.Nodes {
		for _, e := range c.graph.Nodes[i].Inputs {
			used[e.From][e.Tag] = true
		}
	}
	for i := range c.graph.Nodes {
		n := &c.graph.Nodes[i]
		if !n.Sink && !slices.Contains(used[i], true) {
			c.add(n, "the stream of %s goes nowhere: end it with To(name, sink), or remove it", n.Title())
		}
		if !n.Source && len(n.Inputs) == 0 {
			c.add(n, "%s has no input", n.Title())
		}
		if n.Parallelism < 0 {
			c.add(n, "parallelism %d of %s: at least 1 is needed", n.Parallelism, n.Title())
			continue
		}
		p, m := c.settings.parallelism(n), c.settings.maxParallelism(n)
		if err := keygroup.Validate(m, p); err != nil {
			c.add(n, "%s: %v", n.Title(), err)
		}
		for _, e := range n.Inputs {
			from := &c.graph.Nodes[e.From]
			if q := c.settings.parallelism(from); e.Partition == Forward && p != q {
				c.add(n, "forward from %s with parallelism %d to %s with parallelism %d: forward needs equal ones; use rebalance",
					from.Title(), q, n.Title(), p)
			}
		}
	}
	if len(c.graph.Nodes) == 0 {
		c.problems = append(c.problems, Problem{Text: "the job is empty: it has no source"})
	}
}

// acyclic reports whether there is no cycle, and names one if there is.
func (c *checker) acyclic() bool {
	const (
		unseen = iota
		open
		done
	)
	status := make([]int, len(c.graph.Nodes))
	var path []int
	var visit func(int) bool
	visit = func(i int) bool {
		switch status[i] {
		case done:
			return true
		case open:
			from := slices.Index(path, i)
			var names []string
			for _, j := range path[from:] {
				names = append(names, c.graph.Nodes[j].Title())
			}
			slices.Reverse(names)
			c.add(&c.graph.Nodes[i], "the graph has a cycle: %s -> %s; iterations are not supported", strings.Join(names, " -> "), names[0])
			return false
		}
		status[i] = open
		path = append(path, i)
		for _, e := range c.graph.Nodes[i].Inputs {
			if !visit(e.From) {
				return false
			}
		}
		path = path[:len(path)-1]
		status[i] = done
		return true
	}
	for i := range c.graph.Nodes {
		if !visit(i) {
			return false
		}
	}
	return true
}

// eventTime refuses operators of event time whose input has no watermarks. REQUIRES: no cycle.
func (c *checker) eventTime() {
	for i := range c.graph.Nodes {
		n := &c.graph.Nodes[i]
		if !n.NeedsEventTime || n.GivesEventTime {
			continue
		}
		if from, missing := c.graph.MissingEventTime(i); missing {
			c.add(n, "%s works in event time, but no watermarks reach it from %s: give the source flott.Watermarks(...), or use processing time",
				n.Title(), from.Title())
		}
	}
}

// MissingEventTime reports whether an input of a node has no watermarks, so that its event time never moves, and which. REQUIRES: no cycle.
func (g *Graph) MissingEventTime(id int) (from *Node, missing bool) {
	has := make(map[int]bool)
	var hasTime func(int) bool
	hasTime = func(i int) bool {
		if v, ok := has[i]; ok {
			return v
		}
		n := &g.Nodes[i]
		v := n.GivesEventTime
		if !v && len(n.Inputs) > 0 {
			v = true
			for _, e := range n.Inputs {
				v = v && hasTime(e.From)
			}
		}
		has[i] = v
		return v
	}
	for _, e := range g.Nodes[id].Inputs {
		if !hasTime(e.From) {
			return &g.Nodes[e.From], true
		}
	}
	return nil, false
}

// Title names a node for people.
func (n *Node) Title() string {
	if n.Name != "" {
		return fmt.Sprintf("%s %q", n.Kind, n.Name)
	}
	return n.Kind
}

func (s Settings) parallelism(n *Node) int {
	if n.Parallelism > 0 {
		return n.Parallelism
	}
	return max(1, s.Parallelism)
}

func (s Settings) maxParallelism(n *Node) int {
	switch {
	case n.MaxParallelism > 0:
		return n.MaxParallelism
	case s.MaxParallelism > 0:
		return s.MaxParallelism
	}
	return keygroup.DefaultMax(max(s.Parallelism, s.parallelism(n)))
}
