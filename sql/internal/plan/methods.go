package plan

// Schema implements Node.
func (n *Scan) Schema() Schema { return n.Out }

// Schema implements Node.
func (n *Values) Schema() Schema { return n.Out }

// Schema implements Node.
func (n *Project) Schema() Schema { return n.Out }

// Schema implements Node.
func (n *Filter) Schema() Schema { return n.Input.Schema() }

// Schema implements Node.
func (n *Watermark) Schema() Schema { return n.Out }

// Schema implements Node.
func (n *Aggregate) Schema() Schema { return n.Out }

// Schema implements Node.
func (n *WindowTable) Schema() Schema { return n.Out }

// Schema implements Node.
func (n *Join) Schema() Schema { return n.Out }

// Schema implements Node.
func (n *TemporalJoin) Schema() Schema { return n.Out }

// Schema implements Node.
func (n *Correlate) Schema() Schema { return n.Out }

// Schema implements Node.
func (n *Over) Schema() Schema { return n.Out }

// Schema implements Node.
func (n *Rank) Schema() Schema { return n.Out }

// Schema implements Node.
func (n *Sort) Schema() Schema { return n.Input.Schema() }

// Schema implements Node.
func (n *SetOp) Schema() Schema { return n.Out }

// Schema implements Node.
func (n *Sink) Schema() Schema { return n.Input.Schema() }

// Inputs implements Node.
func (n *Scan) Inputs() []Node { return nil }

// Inputs implements Node.
func (n *Values) Inputs() []Node { return nil }

// Inputs implements Node.
func (n *Project) Inputs() []Node { return []Node{n.Input} }

// Inputs implements Node.
func (n *Filter) Inputs() []Node { return []Node{n.Input} }

// Inputs implements Node.
func (n *Watermark) Inputs() []Node { return []Node{n.Input} }

// Inputs implements Node.
func (n *Aggregate) Inputs() []Node { return []Node{n.Input} }

// Inputs implements Node.
func (n *WindowTable) Inputs() []Node { return []Node{n.Input} }

// Inputs implements Node.
func (n *Join) Inputs() []Node { return []Node{n.Left, n.Right} }

// Inputs implements Node.
func (n *TemporalJoin) Inputs() []Node { return []Node{n.Left, n.Right} }

// Inputs implements Node.
func (n *Correlate) Inputs() []Node { return []Node{n.Input} }

// Inputs implements Node.
func (n *Over) Inputs() []Node { return []Node{n.Input} }

// Inputs implements Node.
func (n *Rank) Inputs() []Node { return []Node{n.Input} }

// Inputs implements Node.
func (n *Sort) Inputs() []Node { return []Node{n.Input} }

// Inputs implements Node.
func (n *SetOp) Inputs() []Node { return n.Input }

// Inputs implements Node.
func (n *Sink) Inputs() []Node { return []Node{n.Input} }

// With implements Node.
func (n *Scan) With(...Node) Node { return n }

// With implements Node.
func (n *Values) With(...Node) Node { return n }

// With implements Node.
func (n *Project) With(in ...Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}

// With implements Node.
func (n *Filter) With(in ...Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}

// With implements Node.
func (n *Watermark) With(in ...Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}

// With implements Node.
func (n *Aggregate) With(in ...Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}

// With implements Node.
func (n *WindowTable) With(in ...Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}

// With implements Node.
func (n *Join) With(in ...Node) Node {
	c := *n
	c.Left, c.Right = in[0], in[1]
	return &c
}

// With implements Node.
func (n *TemporalJoin) With(in ...Node) Node {
	c := *n
	c.Left, c.Right = in[0], in[1]
	return &c
}

// With implements Node.
func (n *Correlate) With(in ...Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}

// With implements Node.
func (n *Over) With(in ...Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}

// With implements Node.
func (n *Rank) With(in ...Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}

// With implements Node.
func (n *Sort) With(in ...Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}

// With implements Node.
func (n *SetOp) With(in ...Node) Node {
	c := *n
	c.Input = in
	return &c
}

// With implements Node.
func (n *Sink) With(in ...Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}

// Schema implements Node.
func (n *ToChangelog) Schema() Schema { return n.Out }

// Inputs implements Node.
func (n *ToChangelog) Inputs() []Node { return []Node{n.Input} }

// With implements Node.
func (n *ToChangelog) With(in ...Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}

// Schema implements Node.
func (n *FromChangelog) Schema() Schema { return n.Out }

// Inputs implements Node.
func (n *FromChangelog) Inputs() []Node { return []Node{n.Input} }

// With implements Node.
func (n *FromChangelog) With(in ...Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}
