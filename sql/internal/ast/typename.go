package ast

// Nullability is what was written behind a type.
type Nullability uint8

// The nullabilities; the zero value is that nothing was written, which means nullable.
const (
	NullabilityDefault Nullability = iota
	WrittenNull
	WrittenNotNull
)

// TypeName is a type as written.
type TypeName struct {
	Pos
	// Name is the keyword in upper case, synonyms resolved (INTEGER is INT, STRING stays STRING); empty if Path is set.
	Name string
	// Path is the name of a user's type.
	Path Path
	// Params are the numbers in parentheses: length, precision, scale.
	Params []int
	// Key is that of MAP, Elem the element of ARRAY and MULTISET and the value of MAP.
	Key, Elem *TypeName
	Fields    []TypeField // of ROW and STRUCTURED
	Strings   []String    // of RAW('class', 'snapshot') and STRUCTURED<'class', ...>
	Qual      *Qualifier  // of INTERVAL
	Null      Nullability
}

// TypeField is a field of ROW.
type TypeField struct {
	Name    Name
	Type    *TypeName
	Comment *String // may be nil
}
