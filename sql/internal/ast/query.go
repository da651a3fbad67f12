package ast

// Query is [WITH ...] Body [ORDER BY] [LIMIT] [OFFSET].
type Query struct {
	Pos
	With    *With // may be nil
	Body    Body
	OrderBy []OrderItem
	Offset  Expr // may be nil
	Limit   Expr // LIMIT n and FETCH FIRST n ROWS ONLY; may be nil
}

// Body is a *Select, *SetOp, *Values, *TableQuery or, in parentheses, a *Query.
type Body interface {
	Node
	body()
}

// With is WITH [RECURSIVE] Tables.
type With struct {
	Pos
	Recursive bool
	Tables    []CommonTable
}

// CommonTable is Name [(Columns)] AS (Query).
type CommonTable struct {
	Pos
	Name    Name
	Columns []Name
	Query   *Query
}

// SetOpKind is UNION, INTERSECT or EXCEPT.
type SetOpKind uint8

// The set operations. MINUS is EXCEPT.
const (
	Union SetOpKind = iota
	Intersect
	Except
)

var setOpNames = [...]string{"UNION", "INTERSECT", "EXCEPT"}

// String is the keyword.
func (k SetOpKind) String() string { return setOpNames[k] }

// SetOp is L UNION [ALL] R and its relatives. OpPos is where the operator stands.
type SetOp struct {
	Pos
	OpPos Pos
	Kind  SetOpKind
	All   bool
	L, R  Body
}

// Values is VALUES (a, b), (c, d). A row is a Tuple or RowOf Collection, or any expression for a row of one column.
type Values struct {
	Pos
	Rows []Expr
}

// TableQuery is TABLE t as a query.
type TableQuery struct {
	Pos
	Table Path
}

// Select is SELECT ... without ORDER BY and LIMIT, which belong to Query.
type Select struct {
	Pos
	Hints    []Hint
	Distinct bool
	Items    []SelectItem
	From     TableRef // nil without FROM; Join with Comma for several tables
	Where    Expr     // may be nil
	GroupBy  *GroupBy // may be nil
	Having   Expr     // may be nil
	Windows  []NamedWindow
	Qualify  Expr // may be nil
}

// SelectItem is an expression of a SELECT list (or of MEASURES, or PIVOT) with its alias.
type SelectItem struct {
	Pos
	X     Expr
	Alias Name // Text is empty if there is none
}

// NamedWindow is an entry of the WINDOW clause.
type NamedWindow struct {
	Name   Name
	Window *Window
}

// GroupBy is the GROUP BY clause.
type GroupBy struct {
	Pos
	Distinct bool
	Items    []GroupItem
}

// GroupKind says what an item of GROUP BY is.
type GroupKind uint8

// The kinds of items of GROUP BY.
const (
	GroupExpr  GroupKind = iota // one expression, in Exprs[0]
	GroupTuple                  // (a, b), also the empty ()
	Rollup                      // ROLLUP(a, (b, c)): Items
	Cube                        // CUBE(a, b): Items
	Sets                        // GROUPING SETS (a, (a, b), ()): Items
)

// GroupItem is an item of GROUP BY: expressions, or items in turn.
type GroupItem struct {
	Pos
	Kind  GroupKind
	Exprs []Expr
	Items []GroupItem
}

// Hint is Name(Args) between /*+ and */.
type Hint struct {
	Pos
	Name string // in upper case
	Args []HintArg
}

// HintArg is 'key' = 'value', or a value alone: a *Literal or an *Ident.
type HintArg struct {
	Pos
	HasKey bool
	Key    string
	Value  Expr
}

// TableRef is what stands in FROM: *TableName, *DerivedTable, *TableFunc, *Unnest, *Join, *MatchRecognize, *Sample, *Pivot or *Unpivot.
type TableRef interface {
	Node
	tableRef()
}

// Alias is AS Name(Columns).
type Alias struct {
	Pos
	Name    Name
	Columns []Name
}

// TableName is a table or view.
type TableName struct {
	Pos
	Path  Path
	Hints []Hint
	AsOf  Expr   // of FOR SYSTEM_TIME AS OF; may be nil
	Alias *Alias // may be nil
}

// DerivedTable is [LATERAL] (Query) AS Alias.
type DerivedTable struct {
	Pos
	Lateral bool
	Query   *Query
	Hints   []Hint
	Alias   *Alias // may be nil
}

// TableFunc is a function that gives a table: [LATERAL] TABLE(f(x)), or f(x) alone where Wrapped is false.
type TableFunc struct {
	Pos
	Lateral, Wrapped bool
	Call             *Call
	Hints            []Hint
	AsOf             Expr   // may be nil
	Alias            *Alias // may be nil
}

// Unnest is UNNEST(Exprs) [WITH ORDINALITY].
type Unnest struct {
	Pos
	Lateral        bool
	Exprs          []Expr
	WithOrdinality bool
	Alias          *Alias // may be nil
}

// JoinKind is the kind of a join.
type JoinKind uint8

// The kinds of joins.
const (
	Inner JoinKind = iota
	Left
	Right
	Full
	Cross
	Semi
	Anti
)

var joinNames = [...]string{"INNER JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN"}

// String is the keywords.
func (k JoinKind) String() string { return joinNames[k] }

// Join is L kind R. At most one of Natural, On and Using is set.
type Join struct {
	Pos
	OpPos   Pos // of the comma or of the first keyword
	Kind    JoinKind
	Comma   bool // a, b: Kind is Cross
	Natural bool
	L, R    TableRef
	On      Expr // may be nil
	Using   []Name
}

// Sample is Input TABLESAMPLE BERNOULLI|SYSTEM (Percent) [REPEATABLE (Seed)].
type Sample struct {
	Pos
	Input     TableRef
	Bernoulli bool
	Percent   Expr
	Seed      Expr // may be nil
}

// Pivot is Input PIVOT (Aggs FOR Axes IN (Values)).
type Pivot struct {
	Pos
	Input  TableRef
	Aggs   []SelectItem
	Axes   []Name
	Values []SelectItem
	Alias  *Alias // may be nil
}

// Unpivot is Input UNPIVOT [INCLUDE NULLS] (Measures FOR Axes IN (...)).
type Unpivot struct {
	Pos
	Input        TableRef
	IncludeNulls bool
	Measures     []Name
	Axes         []Name
	In           []UnpivotItem
	Alias        *Alias // may be nil
}

// UnpivotItem is (Columns) [AS (Values)].
type UnpivotItem struct {
	Pos
	Columns []Name
	Values  []Expr
}

// MatchRecognize is Input MATCH_RECOGNIZE (...).
type MatchRecognize struct {
	Pos
	Input       TableRef
	PartitionBy []Expr
	OrderBy     []OrderItem
	Measures    []SelectItem
	RowsPer     RowsPerMatch
	After       AfterMatch
	// Start and End are ^ and $ around the pattern.
	Start, End bool
	Pattern    *Pattern
	Within     Expr // an interval; may be nil
	Subsets    []PatternSubset
	Define     []PatternDefine
	Alias      *Alias // may be nil
}

// RowsPerMatch is the ROWS PER MATCH clause.
type RowsPerMatch uint8

// The rows per match; the zero value is that nothing was written.
const (
	RowsPerDefault RowsPerMatch = iota
	OneRowPerMatch
	AllRowsPerMatch
)

// AfterMatch is the AFTER MATCH SKIP clause.
type AfterMatch struct {
	Pos
	Kind   SkipKind
	Symbol Name // of SkipToFirst and SkipToLast
}

// SkipKind is where matching goes on.
type SkipKind uint8

// The kinds of AFTER MATCH; the zero value is that nothing was written.
const (
	SkipDefault SkipKind = iota
	SkipToNextRow
	SkipPastLastRow
	SkipToFirst
	SkipToLast
)

// PatternKind says what a node of a pattern is.
type PatternKind uint8

// The kinds of patterns.
const (
	PatternSymbol  PatternKind = iota // Name
	PatternSeq                        // Items one after the other
	PatternAlt                        // one of Items
	PatternRepeat                     // Items[0], Min to Max times
	PatternPermute                    // PERMUTE(Items)
	PatternExclude                    // {- Items[0] -}
	PatternEmpty                      // ()
)

// Pattern is a regular expression over rows.
type Pattern struct {
	Pos
	Kind  PatternKind
	Name  Name
	Items []*Pattern
	// Min and Max of PatternRepeat; Max is -1 without limit. Reluctant is the ? behind.
	Min, Max  int
	Reluctant bool
}

// PatternSubset is Name = (Symbols).
type PatternSubset struct {
	Pos
	Name    Name
	Symbols []Name
}

// PatternDefine is Name AS Cond.
type PatternDefine struct {
	Pos
	Name Name
	Cond Expr
}

func (*Query) body()      {}
func (*Select) body()     {}
func (*SetOp) body()      {}
func (*Values) body()     {}
func (*TableQuery) body() {}

func (*TableName) tableRef()      {}
func (*DerivedTable) tableRef()   {}
func (*TableFunc) tableRef()      {}
func (*Unnest) tableRef()         {}
func (*Join) tableRef()           {}
func (*Sample) tableRef()         {}
func (*Pivot) tableRef()          {}
func (*Unpivot) tableRef()        {}
func (*MatchRecognize) tableRef() {}
