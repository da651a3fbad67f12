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
	// nil for functions that exist over a window only, which have no accumulator.
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

// States are places of states in memory: the accumulator's words begin Offset bytes behind At[i]. The same pointer may come several times.
type States struct {
	At     []unsafe.Pointer
	Offset uintptr
}

// AggInput is rows to be folded into the states of their groups.
type AggInput struct {
	States
	// Rows are places in Args, each once, as long as At.
	Rows []int32
	// Args are the argument columns of the whole batch; nil for an argument that is a literal.
	Args []*column.Vector
	// Signs, by place in Args, are 1 for a row that is added and -1 for one that is taken back; nil: all are added.
	Signs []int64
}

// Accumulator is the loops of one aggregate over states in words of 8 bytes, which lie side by side in the state of a group. The zero words
// are the state of no rows. What does not fit words (text, sets, lists) is an ObjectAccumulator. It is used by one goroutine.
type Accumulator interface {
	// Words is the size of the state; 0 for an ObjectAccumulator, of which nothing else here is called.
	Words() int
	// Update folds rows.
	Update(in *AggInput) error
	// Merge adds the state at from to the state at to, pairwise: panes, sessions, local aggregation.
	Merge(to, from States) error
	// Result appends the result of each state to out.
	Result(s States, out *column.Vector) error
}

// ObjectAccumulator is an aggregate whose state is a Go value. It has the methods of an Accumulator by embedding NoWords.
type ObjectAccumulator interface {
	Accumulator
	// New makes an empty state.
	New() Object
	// ResultOf appends the result.
	ResultOf(o Object, out *column.Vector) error
}

// Object is such a state.
type Object interface {
	// Update folds one row; retract takes it back.
	Update(args []*column.Vector, row int, retract bool) error
	// Merge adds from, which stays as it is and shares nothing with the receiver that either changes later.
	Merge(from Object) error
	// Append encodes the state; Decode reads it from the whole of src, of which it keeps nothing.
	Append(dst []byte) []byte
	Decode(src []byte) error
}

// NoWords is the part of an Accumulator that an ObjectAccumulator does not have.
type NoWords struct{}

// Words implements Accumulator.
func (NoWords) Words() int { return 0 }

// Update implements Accumulator.
func (NoWords) Update(*AggInput) error {
	panic("BUG: expr: an aggregate of objects is asked for words")
}

// Merge implements Accumulator.
func (NoWords) Merge(_, _ States) error {
	panic("BUG: expr: an aggregate of objects is asked for words")
}

// Result implements Accumulator.
func (NoWords) Result(States, *column.Vector) error {
	panic("BUG: expr: an aggregate of objects is asked for words")
}

// TableFunc makes rows of values: UNNEST and LATERAL TABLE.
type TableFunc struct {
	Name string
	// Resolve returns the types that the arguments are cast to and a ROW type: the columns.
	Resolve func(args []Arg) (Signature, error)
	// Make returns the function of one call site. It appends the rows that row i of the arguments makes to out.
	Make func(s *Site) (func(e *Eval, args []*column.Vector, i int, out *column.Batch) error, error)
}
