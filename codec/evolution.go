package codec

import (
	"fmt"
	"strings"

	"github.com/flottio/flott/schema"
)

// compileDecoder makes the program that reads bytes written under the schema w into the memory described by n. With n's own
// schema that is plain decoding.
func compileDecoder(w *schema.Type, n *node) (*decoder, error) {
	c := &decoderCompiler{}
	d := c.compile(w, n, "")
	if len(c.problems) > 0 {
		return nil, &EvolutionError{Type: n.typ, Written: w, Current: n.schema, Problems: c.problems}
	}
	return d, nil
}

type decoderCompiler struct {
	problems []string
}

func (c *decoderCompiler) problem(path, format string, args ...any) {
	path = strings.TrimPrefix(path, ".")
	if path == "" {
		path = "the value itself"
	} else {
		path = "field " + path
	}
	c.problems = append(c.problems, path+": "+fmt.Sprintf(format, args...))
}

// compile makes the program of one value; path is where it is, for messages.
func (c *decoderCompiler) compile(w *schema.Type, n *node, path string) *decoder {
	d := &decoder{typ: n.typ, min: leastBytes(w), sparse: n.gaps}
	c.add(d, w, n, place{path: path})
	for i := range d.steps {
		if s := &d.steps[i]; s.code == opCopy {
			s.code = copyCode(s.n)
		}
	}
	if len(d.steps) == 1 && d.steps[0].off == 0 && d.steps[0].n == n.typ.Size() {
		d.flat = d.steps[0].code <= opCopy16
	}
	return d
}

// place is where in the Go value the next step writes.
type place struct {
	off  uintptr
	path string
}

// push appends a step, or makes the one before longer if both are one run of bytes.
func (d *decoder) push(s decodeStep, at place) {
	s.off = at.off
	if k := len(d.steps) - 1; k >= 0 && s.code == opCopy && d.steps[k].code == opCopy && d.steps[k].off+d.steps[k].n == s.off {
		d.steps[k].n += s.n
		return
	}
	d.steps = append(d.steps, s)
	d.paths = append(d.paths, strings.TrimPrefix(at.path, "."))
}

func (c *decoderCompiler) add(d *decoder, w *schema.Type, n *node, at place) {
	k := n.schema.Kind
	if !c.readable(w, n.schema, at.path) {
		return
	}
	s := decodeStep{n: n.typ.Size()}
	switch k {
	case schema.Bool:
		s.code = opBool
	case schema.String:
		s.code = opString
	case schema.Bytes:
		s.code = opBytes
	case schema.Time:
		s.code = opTime
	case schema.Struct:
		c.addFields(d, w, n, at)
		return
	case schema.Array:
		c.addArray(d, w, n, at)
		return
	case schema.List:
		s.code, s.stride = opList, n.elem.typ.Size()
		s.sub, s.list = c.compile(w.Elem, n.elem, at.path+"[]"), newLister(n.typ)
		s.flat = s.sub.flat
	case schema.Optional:
		s.code, s.sub = opOptional, c.compile(w.Elem, n.elem, at.path)
	case schema.Map:
		key, elem := c.compile(w.Key, n.key, at.path+"[key]"), c.compile(w.Elem, n.elem, at.path+"[value]")
		s.code, s.m = opMap, newMapDecoder(n, key, elem)
	case schema.Custom:
		s.code, s.c = opCustom, &custom{typ: n.typ}
	default:
		s.number(w.Kind, k)
	}
	d.push(s, at)
}

// number picks the step for a number written as kind w into memory of kind k and s.n bytes.
func (s *decodeStep) number(w, k schema.Kind) {
	s.wide, s.signed = uint8(w.FixedBytes()), isSigned(w)
	switch {
	case w == schema.Float32 && k == schema.Float64:
		s.code = opFloat
	case uintptr(s.wide) != s.n:
		s.code = opInteger
	case littleEndian || s.n == 1:
		s.code = opCopy
	default:
		s.code = opReverse
	}
}

func (c *decoderCompiler) addArray(d *decoder, w *schema.Type, n *node, at place) {
	sub := c.compile(w.Elem, n.elem, at.path+"[]")
	d.sparse = d.sparse || sub.sparse
	stride := n.elem.typ.Size()
	switch {
	case w.Len == 0:
		d.push(decodeStep{code: opMark}, at)
	case sub.flat:
		d.push(decodeStep{code: opCopy, n: uintptr(w.Len) * stride}, at)
	default:
		d.push(decodeStep{code: opArray, n: uintptr(w.Len), stride: stride, sub: sub}, at)
	}
}

func (c *decoderCompiler) addFields(d *decoder, w *schema.Type, n *node, at place) {
	if len(w.Fields) == 0 {
		d.push(decodeStep{code: opMark}, at)
	}
	now := make(map[string]fieldNode, len(n.fields))
	for _, f := range n.fields {
		now[f.name] = f
	}
	for _, f := range w.Fields {
		path := at.path + "." + f.Name
		g, ok := now[f.Name]
		if !ok {
			d.push(decodeStep{code: opSkip, skip: f.Type}, place{at.off, path})
			continue
		}
		delete(now, f.Name)
		c.add(d, f.Type, g.node, place{at.off + g.offset, path})
	}
	if len(now) > 0 { // fields added since: they keep the zero value
		d.sparse = true
	}
}

// readable is the rule of what may become what, for one level of a type: not for its fields and elements. It notes why not.
func (c *decoderCompiler) readable(w, now *schema.Type, path string) bool {
	switch {
	case w.Kind != now.Kind && !widens(w.Kind, now.Kind):
		c.problem(path, "was %s, is now %s", brief(w), brief(now))
	case now.Kind == schema.Array && w.Len != now.Len:
		c.problem(path, "was an array of %d, is now an array of %d", w.Len, now.Len)
	case now.Kind == schema.Custom && w.Name != now.Name:
		c.problem(path, "was %s, is now %s, and only these types know their bytes", brief(w), brief(now))
	default:
		return true
	}
	return false
}

// widens reports whether every value of kind w is one of kind k.
func widens(w, k schema.Kind) bool {
	switch {
	case w == schema.Float32:
		return k == schema.Float64
	case isSigned(w):
		return isSigned(k) && k > w
	case isUnsigned(w):
		return isUnsigned(k) && k > w || isSigned(k) && k.FixedBytes() > w.FixedBytes()
	}
	return false
}

func isSigned(k schema.Kind) bool   { return k >= schema.Int8 && k <= schema.Int64 }
func isUnsigned(k schema.Kind) bool { return k >= schema.Uint8 && k <= schema.Uint64 }

// brief names a type in a message that shows the whole schema below.
func brief(t *schema.Type) string {
	const briefBytesMax = 60
	if s := t.String(); len(s) <= briefBytesMax {
		return s
	}
	return t.Kind.String()
}
