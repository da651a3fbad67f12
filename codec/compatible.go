package codec

import "github.com/flottio/flott/schema"

// Compatible reports whether values written under one schema can be read under another, by the rules of Reader: nil, or an error that names
// each field in the way and shows both schemas. It is for deciding about a restore before anything runs.
func Compatible(written, current *schema.Type) error {
	c := &decoderCompiler{}
	c.compare(written, current, "")
	if len(c.problems) == 0 {
		return nil
	}
	return &EvolutionError{Written: written, Current: current, Problems: c.problems}
}

// compare goes through the parts of a type as compile does, without making a program.
func (c *decoderCompiler) compare(w, n *schema.Type, path string) {
	if !c.readable(w, n, path) {
		return
	}
	switch n.Kind {
	case schema.Struct:
		for i := range w.Fields {
			if f := n.Field(w.Fields[i].Name); f != nil {
				c.compare(w.Fields[i].Type, f.Type, path+"."+f.Name)
			}
		}
	case schema.Array, schema.List:
		c.compare(w.Elem, n.Elem, path+"[]")
	case schema.Optional:
		c.compare(w.Elem, n.Elem, path)
	case schema.Map:
		c.compare(w.Key, n.Key, path+"[key]")
		c.compare(w.Elem, n.Elem, path+"[value]")
	}
}
