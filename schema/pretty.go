package schema

import "strings"

// Pretty returns the type on several lines, a field a line: for people, not for Parse (which reads it all the same, as long as
// every name is followed by its type).
func (t *Type) Pretty() string {
	var b strings.Builder
	t.pretty(&b, "", nil)
	return b.String()
}

// Compare returns both types one under the other, with a mark before each field that the other lacks or has with another type:
// the body of an error that refuses to read one as the other.
func Compare(writtenTitle string, written *Type, currentTitle string, current *Type) string {
	var b strings.Builder
	b.WriteString(writtenTitle + ":\n  ")
	written.pretty(&b, "  ", current)
	b.WriteString("\n" + currentTitle + ":\n  ")
	current.pretty(&b, "  ", written)
	return b.String()
}

func (t *Type) pretty(b *strings.Builder, indent string, other *Type) {
	if t == nil || !hasFields(t) {
		b.WriteString(t.String())
		return
	}
	if other != nil && other.Kind != t.Kind {
		other = nil
	}
	elem, key := (*Type)(nil), (*Type)(nil)
	if other != nil {
		elem, key = other.Elem, other.Key
	}
	switch t.Kind {
	case Struct:
		t.prettyFields(b, indent, other)
	case Map:
		b.WriteString("map<")
		t.Key.pretty(b, indent, key)
		b.WriteString(", ")
		t.Elem.pretty(b, indent, elem)
		b.WriteByte('>')
	default:
		head := (&Type{Kind: t.Kind, Len: t.Len}).String() // "list<invalid>", "array<3, invalid>"
		b.WriteString(strings.TrimSuffix(head, "invalid>"))
		t.Elem.pretty(b, indent, elem)
		b.WriteByte('>')
	}
}

func (t *Type) prettyFields(b *strings.Builder, indent string, other *Type) {
	b.WriteString("struct{\n")
	for i, f := range t.Fields {
		mark := "  "
		var peer *Type
		if other != nil {
			if o := other.Field(f.Name); o != nil {
				peer = o.Type
			}
			if !f.Type.Equal(peer) {
				mark = "! "
			}
		}
		b.WriteString(indent + mark + quoteName(f.Name) + " ")
		f.Type.pretty(b, indent+"  ", peer)
		if i < len(t.Fields)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString(indent + "}")
}

// hasFields reports whether a struct with fields is in t, which is what makes one line too long to read.
func hasFields(t *Type) bool {
	switch {
	case t == nil:
		return false
	case t.Kind == Struct:
		return len(t.Fields) > 0
	}
	return hasFields(t.Key) || hasFields(t.Elem)
}
