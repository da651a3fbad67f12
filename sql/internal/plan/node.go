// Package plan is queries between text and operators: the binder makes logical nodes of a tree of the parser, rules make better ones, the
// planner infers changelogs and keys, chooses physical nodes, and names them with uids.
package plan

import (
	"time"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/internal/catalog"
	"github.com/flottio/flott/sql/internal/expr"
)

// Table is a table of the catalog.
type Table = catalog.Table

// Node is a relation: a logical operator. Nodes are immutable once built and may be shared (a view read twice).
type Node interface {
	// Schema is what the relation's rows look like.
	Schema() Schema
	Inputs() []Node
	// With returns the node with other inputs of the same schemas.
	With(inputs ...Node) Node
}

// Schema is the columns of a relation.
type Schema []Field

// Field is a column of a relation. Time attributes are in Type.Attribute.
type Field struct {
	Name string
	Type column.Type
}

// Types are the types of the columns.
func (s Schema) Types() []column.Type {
	t := make([]column.Type, len(s))
	for i, f := range s {
		t[i] = f.Type
	}
	return t
}

// JoinKind says which rows a join keeps.
type JoinKind uint8

// The kinds of join. Semi and Anti have the columns of the left side only. NullAnti is NOT IN's: it keeps the rows of the left for which the
// condition is false with every row of the right, neither true nor unknown.
const (
	Inner JoinKind = iota
	Left
	Right
	Full
	Semi
	Anti
	NullAnti
)

// SetKind is UNION, INTERSECT or EXCEPT.
type SetKind uint8

// The set operations.
const (
	Union SetKind = iota
	Intersect
	Except
)

// WindowKind is the kind of a window table function.
type WindowKind uint8

// The windows.
const (
	Tumble WindowKind = iota
	Hop
	Cumulate
	Session
)

// Window is the parameters of a window table function over a time column.
type Window struct {
	Kind WindowKind
	// Time is the time column's place in the input; it is a rowtime or proctime attribute.
	Time int
	// Size is the length; for Cumulate the greatest, for Session the gap. Step is the slide of Hop and the step of Cumulate.
	Size, Step, Offset time.Duration
	// Partition are the columns of a session's PARTITION BY.
	Partition []int
}

// SortKey orders by a column.
type SortKey struct {
	Column int
	Desc   bool
	// NullsLast is explicit: Flink's default, NULL as the least value, is resolved by the binder.
	NullsLast bool
}

// The nodes.
type (
	// Scan reads a table: Columns are the places of the table's physical and metadata columns that are read, in order.
	//
	// Paths, if it is not nil, says for each of Columns which part is read: its place in the table, then those of nested fields. Pushed are
	// conditions that the rows wanted fulfil, Limit how many are wanted if it is not 0: a source may leave out others, and need not.
	Scan struct {
		Table   *Table
		Columns []int
		// Hints are the options of a OPTIONS hint.
		Hints  map[string]string
		Paths  [][]int
		Pushed []Comparison
		Limit  int64
		Out    Schema
	}
	// Comparison is a column of the table (its place there) compared with a constant: see table.Comparison.
	Comparison struct {
		Column int
		Op     string
		Value  any
	}
	// Values is rows written in the query. Exprs have no columns.
	Values struct {
		Rows [][]expr.Expr
		Out  Schema
	}
	// Project computes expressions.
	Project struct {
		Input Node
		Exprs []expr.Expr
		Out   Schema
	}
	// Filter keeps the rows for which Cond is true.
	Filter struct {
		Input Node
		Cond  expr.Expr
	}
	// Watermark declares event time: Time is the column, Expr the watermark that a row allows.
	Watermark struct {
		Input Node
		Time  int
		Expr  expr.Expr
		Out   Schema
	}
	// Aggregate groups by columns of the input. With Sets it computes several groupings at once; keys not in a set are NULL, and Out
	// has, behind the aggregates, nothing more: GROUPING and GROUPING_ID are aggregates by name.
	Aggregate struct {
		Input Node
		Keys  []int
		Sets  [][]int // places within Keys; nil: one set of all
		Calls []AggCall
		Out   Schema
	}
	// AggCall is one aggregate.
	AggCall struct {
		Func     *expr.Agg
		Args     []int // columns of the input
		Distinct bool
		Filter   int // boolean column of the input; -1: none
		Order    []SortKey
		Of       column.Type
		Name     string
	}
	// WindowTable adds window_start, window_end and window_time to each row; a row in several windows comes several times.
	WindowTable struct {
		Input  Node
		Window Window
		Out    Schema
	}
	// Join is a regular join; rules turn it into the special ones.
	Join struct {
		Kind        JoinKind
		Left, Right Node
		// Cond is over the columns of the left followed by those of the right; nil: all pairs.
		Cond expr.Expr
		Out  Schema
		// TTL is the state time to live by side from a hint; 0: the job's.
		TTL [2]time.Duration
	}
	// TemporalJoin is JOIN ... FOR SYSTEM_TIME AS OF left.Time: of a versioned table in event time, or of what is known now.
	// Right is a Scan (lookup) or any relation with a unique key and a rowtime.
	TemporalJoin struct {
		Kind        JoinKind // Inner or Left
		Left, Right Node
		Time        int
		Cond        expr.Expr
		Out         Schema
		// Snapshot is set for LATERAL TABLE(SNAPSHOT(...)): a row of the left meets what the right holds when it comes; Time is -1 then.
		Snapshot *Snapshot
	}
	// Snapshot says when the right side is loaded, up to which rows of the left wait: 'compile_time', when the query was made, or
	// 'user_time', when its watermark has reached Time.
	Snapshot struct {
		Condition string
		Time      expr.Expr // constant TIMESTAMP_LTZ(3); nil if not given
	}
	// ToChangelog is TO_CHANGELOG: each change becomes an inserted row with the name of the change in a column, which stands behind the
	// columns of Partition. Changes that Codes does not have are left out.
	ToChangelog struct {
		Input     Node
		Partition []int
		// Columns are the places of the input's columns in the order of Out, without the column of the change.
		Columns []int
		Codes   map[schema.RowKind]string
		// FullDeletes says that deleted rows have all columns, and not those of the key only. DeletesGiven: it was written.
		FullDeletes, DeletesGiven bool
		Out                       Schema
	}
	// FromChangelog is FROM_CHANGELOG: the reverse. A code that Kinds does not have, or NULL, fails the job; with Skip its row is left out.
	FromChangelog struct {
		Input     Node
		Partition []int
		Op        int
		Columns   []int // places of the input's columns in the order of Out
		Kinds     map[string]schema.RowKind
		Skip      bool
		Out       Schema
	}
	// Correlate calls a table function for each row: UNNEST and LATERAL TABLE. Left keeps rows without results.
	Correlate struct {
		Input Node
		Func  *expr.TableFunc
		Args  []expr.Expr
		Left  bool
		Out   Schema // columns of the input, then of the function
	}
	// Over computes window functions: every call of one node has the same partition, order and frame.
	Over struct {
		Input     Node
		Partition []int
		Order     []SortKey
		Frame     Frame
		Calls     []AggCall
		Out       Schema // columns of the input, then of the calls
	}
	// Rank is Top-N: the first rows of each partition, ranks [From, To]. Rules make it of Over with ROW_NUMBER and a filter.
	Rank struct {
		Input     Node
		Partition []int
		Order     []SortKey
		From, To  int64
		// ToColumn is the column with the limit, if it is not constant; -1: none.
		ToColumn int
		// Number adds the rank as the last column.
		Number bool
		Out    Schema
	}
	// Sort orders the rows and keeps those in [Offset, Offset+Fetch); Fetch -1: all.
	Sort struct {
		Input         Node
		Keys          []SortKey
		Offset, Fetch int64
	}
	// SetOp combines relations of one schema.
	SetOp struct {
		Kind  SetKind
		All   bool
		Input []Node
		Out   Schema
	}
	// Sink writes into a table.
	Sink struct {
		Input      Node
		Table      *Table
		Overwrite  bool
		Partition  map[string]expr.Expr // static partition
		OnConflict string
	}
)

// Frame is the frame of OVER. Bounds are rows or milliseconds before (negative) or behind the current row; Unbounded ends are flags.
type Frame struct {
	Rows             bool // ROWS; else RANGE
	Start, End       int64
	FromStart, ToEnd bool
	Default          bool // none was written
}
