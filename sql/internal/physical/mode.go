package physical

// inferBefores finds out where -U is needed, from the ends to the sources, and takes it out of the kinds elsewhere. Where one reader of a
// node needs it all get it.
func (p *Plan) inferBefores() {
	for i := len(p.nodes) - 1; i >= 0; i-- {
		n := p.nodes[i]
		for k, in := range n.In {
			if in.Kinds&Afters != 0 && n.Op.needsBefore(n, k, n.before) {
				in.Node.before = true
			}
		}
	}
	for _, n := range p.nodes {
		switch _, passes := n.Op.(passer); {
		case passes:
			n.Kinds = 0
			for _, in := range n.In {
				n.Kinds |= in.Kinds
			}
		case n.makesBefores() && !n.before:
			n.Kinds &^= Befores
		}
	}
}

// makesBefores reports whether the node itself decides about -U, and does not pass on what comes.
func (n *Node) makesBefores() bool {
	m, ok := n.Op.(maker)
	return ok && m.makes()
}

// maker is implemented by operators that make updates and can leave -U out.
type maker interface{ makes() bool }

// passer is implemented by operators that pass rows of their inputs on with their kinds.
type passer interface{ passes() }
