package expr

import (
	"unsafe"

	"github.com/flottio/flott/column"
)

// Agg is an aggregate function.
type Agg struct {
	Name string
	// Resolve is as for Func.
	Resolve func(args []Arg) (Signature, error)
	// New makes the accumulator for one call. nil, nil: the function cannot do what the site asks for (retract), and the planner says so.
	New func(s *AggSite) (Accumulator, error)
	// WantsOrder: the result depends on the order of rows (FIRST_VALUE, LISTAGG).
	WantsOrder bool
	// WindowOnly functions need OVER: ROW_NUMBER, RANK, LAG.
	WindowOnly bool
}

// AggSite is what an accumulator is made for.
type AggSite struct {
	Args   []Expr // literals among them: separators, offsets, percentages
	Result column.Type
	// Retract says that rows may be taken back.
	Retract bool
	Env     *Env
}

// Accumulator is the loops of one aggregate over states in words of 8 bytes, which lie side by side in the state of a group. The zero words
// are the state of no rows. What does not fit words (text, sets, lists) is an Object: state that is encoded as bytes.
//
// at[i] points to the accumulator's first word in the state of row i's group; the same pointer may come several times.
type Accumulator interface {
	// Words is the size of the state.
	Words() int
	// Update folds the given rows: kinds nil means that all are added, else rows of kind -U and -D are taken back. args are the
	// argument columns of the whole batch; rows are places in them, as long as at.
	Update(at []unsafe.Pointer, rows []int32, args []*column.Vector, kinds []int8) error
	// Merge adds the state at from to the state at to, pairwise: panes, sessions, local aggregation.
	Merge(to, from []unsafe.Pointer) error
	// Result appends the result of each state to out.
	Result(at []unsafe.Pointer, out *column.Vector) error
}

// ObjectAccumulator is an aggregate whose state is a Go value that is kept encoded between batches.
type ObjectAccumulator interface {
	// New makes an empty state.
	New() Object
	// Result appends the result.
	Result(o Object, out *column.Vector) error
}

// Object is such a state.
type Object interface {
	// Update folds one row; retract takes it back.
	Update(args []*column.Vector, row int, retract bool) error
	Merge(from Object) error
	// Append encodes the state; Decode reads it. Both are bounded by the state's own limits.
	Append(dst []byte) []byte
	Decode(src []byte) error
}

// TableFunc makes rows of values: UNNEST and LATERAL TABLE.
type TableFunc struct {
	Name string
	// Resolve returns the types that the arguments are cast to and a ROW type: the columns.
	Resolve func(args []Arg) (Signature, error)
	// Make returns the function of one call site. It appends the rows that row i of the arguments makes to out.
	Make func(s *Site) (func(e *Eval, args []*column.Vector, i int, out *column.Batch) error, error)
}
