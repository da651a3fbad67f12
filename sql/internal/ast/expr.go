package ast

// Expr is an expression.
type Expr interface {
	Node
	expr()
}

// LiteralKind says what a Literal is.
type LiteralKind uint8

// The kinds of literals.
const (
	NullLit         LiteralKind = iota
	TrueLit                     // TRUE
	FalseLit                    // FALSE
	UnknownLit                  // UNKNOWN, the BOOLEAN NULL
	ExactLit                    // 12, 1.50: INT, BIGINT or DECIMAL
	ApproxLit                   // 1.5E3: DOUBLE
	StringLit                   // 'text', also N'', U&'', E'' and _charset''
	BytesLit                    // X'1FA0'
	DateLit                     // DATE '2024-01-01'
	TimeLit                     // TIME '10:00:00'
	TimestampLit                // TIMESTAMP '2024-01-01 10:00:00'
	TimestampLTZLit             // TIMESTAMP_LTZ '...', TIMESTAMP WITH LOCAL TIME ZONE '...'
)

// Literal is a constant.
type Literal struct {
	Pos
	Kind LiteralKind
	// Text is the number as written, or the content of the quotes with escapes resolved (for BytesLit the bytes themselves).
	Text string
	// Charset is the name in _charset'text', in upper case; empty otherwise.
	Charset string
}

// Unit is a unit of time.
type Unit uint8

// The units that an interval can have, and NoUnit.
const (
	NoUnit Unit = iota
	Year
	Quarter
	Month
	Week
	Day
	Hour
	Minute
	Second
)

var unitNames = [...]string{"", "YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"}

// String is the keyword.
func (u Unit) String() string { return unitNames[u] }

// Qualifier says which fields an interval has: DAY(3) TO SECOND(6).
type Qualifier struct {
	Pos
	From, To Unit // To is NoUnit if there is only one field
	// Precision of the first field and Fraction of the seconds; -1 if not written.
	Precision, Fraction int
}

// Interval is INTERVAL '1 10' DAY TO HOUR.
type Interval struct {
	Pos
	// Negative is the sign before the quotes.
	Negative bool
	Text     string
	Qual     Qualifier
}

// Ident is a name of one or several parts that stands for a value: a column, table.column, column.field. Which one is for the binder.
type Ident struct {
	Pos
	Parts Path
}

// Star is * or t.*, in SELECT lists and COUNT(*).
type Star struct {
	Pos
	Of Path
	// X is set, and Of empty, for (expr).*
	X Expr
}

// FieldAccess is X.Name where X is not a mere name: f(x).a, (expr).a, a[1].b.
type FieldAccess struct {
	Pos
	X    Expr
	Name Name
}

// Index is X[I]: an element of an ARRAY, a value of a MAP.
type Index struct {
	Pos
	X, I Expr
}

// Op is an operator of Unary or Binary.
type Op uint8

// The operators. Unary ones come first.
const (
	NoOp Op = iota
	OpPlus
	OpNeg
	OpNot
	OpPrior
	OpRunning    // RUNNING LAST(x), in MATCH_RECOGNIZE
	OpFinal      // FINAL LAST(x)
	OpFormatJSON // x FORMAT JSON, in the arguments of JSON functions

	OpOr
	OpAnd
	OpEq
	OpNe
	OpLt
	OpLe
	OpGt
	OpGe
	OpIsDistinct
	OpIsNotDistinct
	OpOverlaps
	OpContains
	OpEquals
	OpPrecedes
	OpSucceeds
	OpImmediatelyPrecedes
	OpImmediatelySucceeds
	OpMemberOf
	OpNotMemberOf
	OpSubmultisetOf
	OpNotSubmultisetOf
	OpMultisetUnion
	OpMultisetUnionAll
	OpMultisetExcept
	OpMultisetExceptAll
	OpMultisetIntersect
	OpMultisetIntersectAll
	OpAdd
	OpSub
	OpMul
	OpDiv
	OpMod
	OpConcat
)

var opNames = [...]string{"", "+", "-", "NOT", "PRIOR", "RUNNING", "FINAL", "FORMAT JSON",
	"OR", "AND", "=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM", "OVERLAPS", "CONTAINS", "EQUALS",
	"PRECEDES", "SUCCEEDS", "IMMEDIATELY PRECEDES", "IMMEDIATELY SUCCEEDS", "MEMBER OF", "NOT MEMBER OF", "SUBMULTISET OF",
	"NOT SUBMULTISET OF", "MULTISET UNION", "MULTISET UNION ALL", "MULTISET EXCEPT", "MULTISET EXCEPT ALL", "MULTISET INTERSECT",
	"MULTISET INTERSECT ALL", "+", "-", "*", "/", "%", "||"}

// String is the operator as it is written.
func (o Op) String() string { return opNames[o] }

// Unary is Op X. (FORMAT JSON stands behind.)
type Unary struct {
	Pos
	Op Op
	X  Expr
}

// Binary is L Op R. Pos is where L begins, OpPos where the operator stands.
type Binary struct {
	Pos
	OpPos Pos
	Op    Op
	L, R  Expr
}

// IsKind is what IS asks for.
type IsKind uint8

// The kinds of IS.
const (
	IsNull IsKind = iota
	IsTrue
	IsFalse
	IsUnknown
	IsASet
	IsEmpty
	IsJSON // IS JSON and IS JSON VALUE
	IsJSONObject
	IsJSONArray
	IsJSONScalar
)

var isNames = [...]string{"NULL", "TRUE", "FALSE", "UNKNOWN", "A SET", "EMPTY", "JSON VALUE", "JSON OBJECT", "JSON ARRAY", "JSON SCALAR"}

// String is what stands behind IS.
func (k IsKind) String() string { return isNames[k] }

// Is is X IS [NOT] Kind.
type Is struct {
	Pos
	X    Expr
	Not  bool
	Kind IsKind
}

// Between is X [NOT] BETWEEN [SYMMETRIC] Low AND High.
type Between struct {
	Pos
	X              Expr
	Not, Symmetric bool
	Low, High      Expr
}

// In is X [NOT] IN (List) or X [NOT] IN (Query); exactly one is set.
type In struct {
	Pos
	X     Expr
	Not   bool
	List  []Expr
	Query *Query
}

// LikeKind is the language of a pattern.
type LikeKind uint8

// The kinds of LIKE.
const (
	LikePattern LikeKind = iota
	SimilarTo
	ILike
	RLike
)

var likeNames = [...]string{"LIKE", "SIMILAR TO", "ILIKE", "RLIKE"}

// String is the operator.
func (k LikeKind) String() string { return likeNames[k] }

// Like is X [NOT] LIKE Pattern [ESCAPE Escape] and its relatives. Escape may be nil.
type Like struct {
	Pos
	X       Expr
	Not     bool
	Kind    LikeKind
	Pattern Expr
	Escape  Expr
}

// Quantified is X Op ANY|ALL (List or Query). SOME is ANY.
type Quantified struct {
	Pos
	X     Expr
	Op    Op
	All   bool
	List  []Expr
	Query *Query
}

// Exists is EXISTS (Query), or UNIQUE (Query).
type Exists struct {
	Pos
	Unique bool
	Query  *Query
}

// Subquery is a query that stands for one value.
type Subquery struct {
	Pos
	Query *Query
}

// Case is CASE [Operand] WHEN ... THEN ... [ELSE Else] END. Operand and Else may be nil.
type Case struct {
	Pos
	Operand Expr
	Whens   []When
	Else    Expr
}

// When is a branch of Case. Conds has several entries for CASE x WHEN 1, 2 THEN; any of them may hold.
type When struct {
	Pos
	Conds  []Expr
	Result Expr
}

// Cast is CAST(X AS Type) and TRY_CAST(X AS Type).
type Cast struct {
	Pos
	Try  bool
	X    Expr
	Type *TypeName
}

// CollectionKind says which constructor a Collection is.
type CollectionKind uint8

// The kinds of constructors.
const (
	RowOf      CollectionKind = iota // ROW(a, b)
	Tuple                            // (a, b)
	ArrayOf                          // ARRAY[a, b], ARRAY(SELECT ...)
	MapOf                            // MAP[k, v, k, v], MAP(SELECT ...): Items alternates keys and values
	MultisetOf                       // MULTISET[a, b], MULTISET(SELECT ...)
)

var collectionNames = [...]string{"ROW", "", "ARRAY", "MAP", "MULTISET"}

// String is the keyword; empty for a tuple.
func (k CollectionKind) String() string { return collectionNames[k] }

// Collection builds a row or collection of Items, or of the rows of Query.
type Collection struct {
	Pos
	Kind  CollectionKind
	Items []Expr
	Query *Query
}

// Lambda is (Params) -> Body.
type Lambda struct {
	Pos
	Params []Name
	Body   Expr
}

// Param is ?, a value that is given later. N counts from 0 in a statement.
type Param struct {
	Pos
	N int
}

func (*Literal) expr()     {}
func (*Interval) expr()    {}
func (*Ident) expr()       {}
func (*Star) expr()        {}
func (*FieldAccess) expr() {}
func (*Index) expr()       {}
func (*Unary) expr()       {}
func (*Binary) expr()      {}
func (*Is) expr()          {}
func (*Between) expr()     {}
func (*In) expr()          {}
func (*Like) expr()        {}
func (*Quantified) expr()  {}
func (*Exists) expr()      {}
func (*Subquery) expr()    {}
func (*Case) expr()        {}
func (*Cast) expr()        {}
func (*Collection) expr()  {}
func (*Lambda) expr()      {}
func (*Param) expr()       {}
