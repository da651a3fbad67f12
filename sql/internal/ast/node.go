// Package ast is the tree of a SQL statement as it was written: what the parser builds, the binder reads and SHOW CREATE prints.
// It knows nothing of catalogs, types of columns or plans. Every node has the position of its first character.
//
// A tree belongs to whoever parsed it. Reading it from several goroutines is safe as long as nobody changes it.
package ast

// Pos is a place in a script. The zero Pos is that of a node which nobody wrote.
type Pos struct {
	// Offset counts bytes from the beginning of the script.
	Offset int32
	// Line and Col count from 1; Col counts characters.
	Line, Col int32
}

// Position returns the place itself, so that what embeds a Pos is a Node.
func (p Pos) Position() Pos { return p }

// Valid reports whether the place is one in a script.
func (p Pos) Valid() bool { return p.Line > 0 }

// Node is anything of the tree.
type Node interface{ Position() Pos }

// Name is one identifier, without quotes and in the case it was written in.
type Name struct {
	Pos
	Text string
}

// Path is a name of one or several parts: catalog.database.table.
type Path []Name

// Position is that of the first part.
func (p Path) Position() Pos {
	if len(p) == 0 {
		return Pos{}
	}
	return p[0].Pos
}

// Last is the last part; the zero Name if there is none.
func (p Path) Last() Name {
	if len(p) == 0 {
		return Name{}
	}
	return p[len(p)-1]
}

// Strings returns the parts as strings.
func (p Path) Strings() []string {
	s := make([]string, len(p))
	for i, n := range p {
		s[i] = n.Text
	}
	return s
}

// String is a character string where the grammar takes nothing else: comments, values of options, names of JARs.
type String struct {
	Pos
	Text string
}

// Option is an entry of WITH, of SET on a table and of hints: 'key' = 'value'. Pos is that of the key.
type Option struct {
	Pos
	Key, Value string
	ValuePos   Pos
}
