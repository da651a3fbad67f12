// Package schema describes the type of a user value in words that mean the same on every machine and in every release: what a
// snapshot records beside the bytes, so that a newer job can read them or say why it cannot. It also holds the kinds of the
// rows of a changelog.
//
// It never looks at Go types and never touches bytes of values: that is package codec. Anyone may import it; it imports nothing
// of the project.
package schema

import (
	"slices"
	"strconv"
	"strings"
)

// Kind says which of the closed set of shapes a Type has. The numbers are not stored anywhere; the names are.
type Kind uint8

// The kinds. Int and uint of Go are Int64 and Uint64, so that a snapshot does not depend on the platform.
const (
	Invalid Kind = iota
	Bool
	Int8
	Int16
	Int32
	Int64
	Uint8
	Uint16
	Uint32
	Uint64
	Float32
	Float64
	String
	Bytes
	Time     // an instant with nanoseconds, without a location
	Duration // nanoseconds
	Struct   // Fields, in the order in which they are written
	List     // any number of Elem; a missing list differs from an empty one
	Array    // exactly Len times Elem
	Map      // Key to Elem; a missing map differs from an empty one
	Optional // Elem or nothing
	Custom   // bytes made by the type called Name itself
	kindEnd
)

var kindNames = [kindEnd]string{"invalid", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32",
	"float64", "string", "bytes", "time", "duration", "struct", "list", "array", "map", "optional", "custom"}

// String returns the name of the kind as it stands in the text form.
func (k Kind) String() string {
	if k >= kindEnd {
		return "kind(" + strconv.Itoa(int(k)) + ")"
	}
	return kindNames[k]
}

// FixedBytes returns how many bytes a value of a scalar kind takes when encoded, or 0 if the kind has no fixed width.
func (k Kind) FixedBytes() int {
	switch k {
	case Bool, Int8, Uint8:
		return 1
	case Int16, Uint16:
		return 2
	case Int32, Uint32, Float32:
		return 4
	case Int64, Uint64, Float64, Duration:
		return 8
	case Time:
		return 12
	}
	return 0
}

// Limits of a schema: Parse refuses what exceeds them, and so does whoever derives a schema from a Go type.
const (
	DepthMax     = 64      // types inside one another
	TextBytesMax = 1 << 20 // length of the text form
)

// Type describes a value. It is immutable once built and may be shared between goroutines. The zero value is of kind Invalid
// and describes nothing. Which of the fields count depends on Kind.
type Type struct {
	Kind   Kind
	Fields []Field // Struct
	Elem   *Type   // List, Array, Map (its values), Optional
	Key    *Type   // Map
	Len    int     // Array
	Name   string  // Custom
}

// Field is a named member of a struct.
type Field struct {
	Name string
	Type *Type
}

// Scalar returns the type of a kind that needs nothing else: Bool to Duration.
func Scalar(k Kind) *Type { return &Type{Kind: k} }

// Field returns the field of that name, or nil.
func (t *Type) Field(name string) *Field {
	for i := range t.Fields {
		if t.Fields[i].Name == name {
			return &t.Fields[i]
		}
	}
	return nil
}

// Equal reports whether both describe the same bytes: same kinds, same fields in the same order. Two nil types are equal.
func (t *Type) Equal(u *Type) bool {
	if t == u {
		return true
	}
	if t == nil || u == nil || t.Kind != u.Kind {
		return false
	}
	switch t.Kind {
	case Struct:
		return slices.EqualFunc(t.Fields, u.Fields, func(a, b Field) bool { return a.Name == b.Name && a.Type.Equal(b.Type) })
	case List, Optional:
		return t.Elem.Equal(u.Elem)
	case Array:
		return t.Len == u.Len && t.Elem.Equal(u.Elem)
	case Map:
		return t.Key.Equal(u.Key) && t.Elem.Equal(u.Elem)
	case Custom:
		return t.Name == u.Name
	}
	return true
}

// String returns the text form: one line, the same for equal types in every release, read back by Parse. For example
//
//	struct{url string, count int64, tags list<string>, "odd name" map<string, optional<time>>, id array<16, uint8>, u custom<"net/url.URL">}
func (t *Type) String() string {
	var b strings.Builder
	t.write(&b)
	return b.String()
}

func (t *Type) write(b *strings.Builder) {
	if t == nil {
		b.WriteString("invalid")
		return
	}
	b.WriteString(t.Kind.String())
	switch t.Kind {
	case Struct:
		b.WriteByte('{')
		for i, f := range t.Fields {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(quoteName(f.Name))
			b.WriteByte(' ')
			f.Type.write(b)
		}
		b.WriteByte('}')
		return
	case List, Array, Map, Optional, Custom:
	default:
		return
	}
	b.WriteByte('<')
	switch t.Kind {
	case Array:
		b.WriteString(strconv.Itoa(t.Len) + ", ")
	case Map:
		t.Key.write(b)
		b.WriteString(", ")
	case Custom:
		b.WriteString(strconv.Quote(t.Name))
	}
	if t.Kind != Custom {
		t.Elem.write(b)
	}
	b.WriteByte('>')
}

// quoteName returns the name bare if Parse can tell where it ends, quoted otherwise.
func quoteName(s string) string {
	if s == "" || nameLen(s) != len(s) {
		return strconv.Quote(s)
	}
	return s
}

// nameLen returns the length of the bare name that s begins with.
func nameLen(s string) int {
	for i := 0; i < len(s); i++ {
		c := s[i]
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return i
		}
	}
	return len(s)
}
