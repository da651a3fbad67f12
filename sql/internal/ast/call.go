package ast

// Call is a call of a function, of whatever kind.
//
// The forms of standard SQL are calls with their arguments in order:
//
//	EXTRACT(unit FROM x)               EXTRACT(Symbol, x)
//	CEIL(x TO unit), FLOOR             CEIL(x, Symbol)
//	TRIM([BOTH] [c] FROM x)            TRIM(Symbol, c, x) or TRIM(Symbol, x); TRIM(x) is itself
//	POSITION(a IN b [FROM n])          POSITION(a, b, n)
//	SUBSTRING(x FROM a [FOR n])        SUBSTRING(x, a, n)
//	OVERLAY(x PLACING y FROM a FOR n)  OVERLAY(x, y, a, n)
//	TIMESTAMPADD(unit, n, t)           TIMESTAMPADD(Symbol, n, t); TIMESTAMPDIFF alike
//	JSON_OBJECT(KEY k VALUE v, ...)    JSON_OBJECT(k, v, ...), with JSON set; JSON_OBJECTAGG alike
//	CURRENT_DATE and its like          no arguments, Bare set
type Call struct {
	Pos
	Func Path
	// Bare says that there are no parentheses: CURRENT_TIMESTAMP.
	Bare bool
	// Distinct is DISTINCT before the arguments. ALL, the default, is not kept.
	Distinct bool
	Args     []Expr // Star for COUNT(*); NamedArg, TableArg, ModelArg, DescriptorArg and DefaultArg for those forms
	JSON     *JSONClauses
	// OrderBy is ORDER BY within the parentheses: ARRAY_AGG(x ORDER BY y).
	OrderBy     []OrderItem
	Nulls       NullTreatment
	WithinGroup []OrderItem
	Filter      Expr    // of FILTER (WHERE ...); may be nil
	Over        *Window // may be nil
}

// NullTreatment is IGNORE NULLS or RESPECT NULLS.
type NullTreatment uint8

// The treatments of NULL; the zero value is that nothing was written.
const (
	NullsDefault NullTreatment = iota
	IgnoreNulls
	RespectNulls
)

// Symbol is a word that is an argument: the unit of EXTRACT, BOTH of TRIM. In upper case.
type Symbol struct {
	Pos
	Text string
}

// NamedArg is name => Value.
type NamedArg struct {
	Pos
	Name  Name
	Value Expr
}

// DefaultArg is DEFAULT in place of an argument or a value.
type DefaultArg struct{ Pos }

// TableArg is a table as an argument: TABLE t, TABLE (SELECT ...) or a query in parentheses, with PARTITION BY and ORDER BY.
type TableArg struct {
	Pos
	Table Path // empty if Query is set
	Query *Query
	// Func is a table function as the table: TABLE(f(x)).
	Func        *Call
	PartitionBy []Expr
	OrderBy     []OrderItem
}

// ModelArg is MODEL m as an argument.
type ModelArg struct {
	Pos
	Model Path
}

// DescriptorArg is DESCRIPTOR(a, b).
type DescriptorArg struct {
	Pos
	Columns []DescriptorColumn
}

// DescriptorColumn is an entry of DESCRIPTOR; Type is nil unless written.
type DescriptorColumn struct {
	Name Name
	Type *TypeName
}

// JSONClauses are what JSON functions have beside arguments.
type JSONClauses struct {
	Pos
	Returning *TypeName // may be nil
	Wrapper   JSONWrapper
	OnEmpty   *JSONBehavior // may be nil
	OnError   *JSONBehavior // may be nil
	Nulls     JSONNulls
}

// JSONWrapper is the wrapper clause of JSON_QUERY.
type JSONWrapper uint8

// The wrappers; the zero value is that nothing was written.
const (
	WrapperDefault JSONWrapper = iota
	WithoutWrapper
	WithWrapper // WITH [UNCONDITIONAL] [ARRAY] WRAPPER
	WithConditionalWrapper
)

// JSONNulls is what constructors do with NULL.
type JSONNulls uint8

// The treatments of NULL in JSON constructors; the zero value is that nothing was written.
const (
	JSONNullsDefault JSONNulls = iota
	NullOnNull
	AbsentOnNull
)

// JSONBehavior is what stands before ON EMPTY and ON ERROR.
type JSONBehavior struct {
	Pos
	Kind    JSONBehaviorKind
	Default Expr // of JSONDefault
}

// JSONBehaviorKind says what a JSON function gives.
type JSONBehaviorKind uint8

// The behaviours.
const (
	JSONNull JSONBehaviorKind = iota
	JSONError
	JSONDefault
	JSONEmpty // EMPTY, of JSON_QUERY
	JSONEmptyArray
	JSONEmptyObject
	JSONTrue
	JSONFalse
	JSONUnknown
)

var behaviorNames = [...]string{"NULL", "ERROR", "DEFAULT", "EMPTY", "EMPTY ARRAY", "EMPTY OBJECT", "TRUE", "FALSE", "UNKNOWN"}

// String is the keyword.
func (k JSONBehaviorKind) String() string { return behaviorNames[k] }

// OrderItem is an entry of ORDER BY.
type OrderItem struct {
	Pos
	X     Expr
	Desc  bool
	Nulls NullOrder
}

// NullOrder is NULLS FIRST or LAST.
type NullOrder uint8

// The places of NULL; the zero value is that nothing was written.
const (
	NullsUnspecified NullOrder = iota
	NullsFirst
	NullsLast
)

// Window is what stands behind OVER, and an entry of the WINDOW clause.
type Window struct {
	Pos
	// Ref is the name of another window: all of OVER w, or the beginning of OVER (w ORDER BY x). Its Text is empty if there is none.
	Ref Name
	// Bare says OVER w, without parentheses.
	Bare        bool
	PartitionBy []Expr
	OrderBy     []OrderItem
	Frame       *Frame // may be nil
}

// FrameUnit is how a frame counts.
type FrameUnit uint8

// The units of frames.
const (
	Rows FrameUnit = iota
	Range
)

// Frame is ROWS|RANGE BETWEEN Start AND End, or ROWS|RANGE Start, where End is nil.
type Frame struct {
	Pos
	Unit    FrameUnit
	Start   *Bound
	End     *Bound
	Exclude FrameExclude
}

// FrameExclude is the EXCLUDE clause of a frame.
type FrameExclude uint8

// What a frame excludes; the zero value is that nothing was written.
const (
	ExcludeDefault FrameExclude = iota
	ExcludeCurrentRow
	ExcludeGroup
	ExcludeTies
	ExcludeNoOthers
)

// BoundKind is where a bound of a frame is.
type BoundKind uint8

// The bounds of frames.
const (
	UnboundedPreceding BoundKind = iota
	Preceding
	CurrentRow
	Following
	UnboundedFollowing
)

// Bound is one end of a frame; X is the distance for Preceding and Following.
type Bound struct {
	Pos
	Kind BoundKind
	X    Expr
}

func (*Call) expr()          {}
func (*Symbol) expr()        {}
func (*NamedArg) expr()      {}
func (*DefaultArg) expr()    {}
func (*TableArg) expr()      {}
func (*ModelArg) expr()      {}
func (*DescriptorArg) expr() {}
