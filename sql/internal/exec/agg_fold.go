package exec

import (
	"fmt"
	"unsafe"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/internal/expr"
)

// AggCall is one call of an aggregate function.
type AggCall struct {
	Func *expr.Agg
	// Args are columns of the input (*expr.Column) or constants (*expr.Literal), of the types that the function asked for.
	Args []expr.Expr
	// Distinct folds equal arguments once.
	Distinct bool
	// Filter is the place of a boolean column of the input: rows where it is not true are left out. -1: none.
	Filter int
	// Of is the type of the result.
	Of column.Type
}

// String is canonical: calls with equal texts have equal state.
func (c AggCall) String() string {
	s := c.Func.Name + "("
	if c.Distinct {
		s += "DISTINCT "
	}
	for i, a := range c.Args {
		if i > 0 {
			s += ", "
		}
		if l, ok := a.(*expr.Literal); ok {
			s += l.String()
		} else {
			s += a.Type().Nullable(true).String()
		}
	}
	s += ")"
	if c.Filter >= 0 {
		s += " FILTER"
	}
	return s
}

// fold is the calls of one operator: where their states lie in the words of a group, and the loops that change them by whole batches.
//
// The first word of a group is its header: the number of its rows, with a bit that is set while a batch is folded that touches it. A COUNT(*)
// needs no more than that.
type fold struct {
	calls   []foldCall
	words   int
	objects []expr.ObjectAccumulator
	sets    []*distinctSet
	keys    []int
	retract bool

	identity []int32
	picks    []pick // by filter
}

type foldCall struct {
	AggCall
	acc    expr.Accumulator
	object int // its place among the objects; -1: words
	offset uintptr
	args   []int // columns; -1 for a constant
	set    int   // its distinctSet; -1: none
	slot   int   // its filter's place in the set
	isRows bool  // COUNT(*): the header
	vecs   []*column.Vector
}

const headerBytes = 8

// touchedBit marks, in a header, a group that the batch in work has touched.
const touchedBit = 1 << 63

// pick is the rows of a batch that a filter lets through.
type pick struct {
	filter int
	chosen
	own chosen // memory; what is chosen may be the batch's
}

type chosen struct {
	rows     []int32
	at, objs []unsafe.Pointer
}

// foldSpec is what a fold is made for.
type foldSpec struct {
	env *expr.Env
	// keys are the columns of the groups.
	keys    []int
	calls   []AggCall
	retract bool
	// sets says that the operator has tables for what DISTINCT calls have seen; else it lies in objects.
	sets bool
}

// newFold lays out the calls.
func newFold(s foldSpec) (*fold, error) {
	f := &fold{words: 1, keys: s.keys, retract: s.retract, picks: []pick{{filter: -1}}}
	for i, c := range s.calls {
		call := foldCall{AggCall: c, object: -1, set: -1}
		for _, a := range c.Args {
			at := -1
			if col, ok := a.(*expr.Column); ok {
				at = col.Index
			}
			call.args = append(call.args, at)
		}
		call.vecs = make([]*column.Vector, len(call.args))
		if c.Func == expr.Count && !c.Distinct && c.Filter < 0 && neverNull(c.Args) {
			call.isRows = true
			f.calls = append(f.calls, call)
			continue
		}
		acc, err := c.Func.New(&expr.AggSite{Args: c.Args, Result: c.Of, Retract: s.retract, Env: s.env})
		if err != nil {
			return nil, fmt.Errorf("aggregate %d, %s: %w", i, c, err)
		}
		if acc == nil {
			return nil, fmt.Errorf("aggregate %d, %s: it cannot take rows back, and its input is updated", i, c)
		}
		distinct := c.Distinct && c.Func != expr.Min && c.Func != expr.Max
		if distinct && !s.sets {
			acc = expr.DistinctAgg(acc, c.Args)
		}
		call.acc = acc
		if o, ok := acc.(expr.ObjectAccumulator); ok {
			call.object = len(f.objects)
			f.objects = append(f.objects, o)
		} else {
			call.offset = uintptr(8 * f.words)
			f.words += acc.Words()
		}
		if distinct && s.sets {
			f.joinSet(&call)
		} else {
			f.needPick(c.Filter)
		}
		f.calls = append(f.calls, call)
	}
	return f, nil
}

func neverNull(args []expr.Expr) bool {
	for _, a := range args {
		if l, ok := a.(*expr.Literal); ok && l.Value != nil {
			continue
		}
		if !a.Type().NotNull {
			return false
		}
	}
	return true
}

func (f *fold) needPick(filter int) {
	for i := range f.picks {
		if f.picks[i].filter == filter {
			return
		}
	}
	f.picks = append(f.picks, pick{filter: filter})
}

// schema describes the words of a group.
func (f *fold) schema() *schema.Type {
	t := &schema.Type{Kind: schema.Struct, Fields: []schema.Field{{Name: "rows", Type: schema.Scalar(schema.Int64)}}}
	for i := range f.calls {
		if c := &f.calls[i]; c.object < 0 && !c.isRows {
			t.Fields = append(t.Fields, f.describe(i, &schema.Type{Kind: schema.Array, Len: c.acc.Words(), Elem: schema.Scalar(schema.Uint64)}))
		}
	}
	return t
}

// objectSchema describes its objects.
func (f *fold) objectSchema() *schema.Type {
	t := &schema.Type{Kind: schema.Struct}
	for i := range f.calls {
		if f.calls[i].object >= 0 {
			t.Fields = append(t.Fields, f.describe(i, &schema.Type{Kind: schema.Custom, Name: "state of " + f.calls[i].String()}))
		}
	}
	return t
}

func (f *fold) describe(i int, t *schema.Type) schema.Field {
	name := fmt.Sprintf("%d %s", i, f.calls[i])
	if f.retract {
		name += " with retraction"
	}
	return schema.Field{Name: name, Type: t}
}

// folding is one batch, or a part of one, to be folded.
type folding struct {
	in *column.Batch
	// at and objs point to the state of each row's group, by place in the batch. objs is nil without objects.
	at, objs []unsafe.Pointer
	// rows are the places to fold, ascending.
	rows []int32
	// signs by place; nil: all rows are added.
	signs []int64
	// hashes of the groups by place.
	hashes []uint64
	nowMs  int64
}

// all returns the places of a whole batch.
func (f *fold) all(n int) []int32 {
	for len(f.identity) < n {
		f.identity = append(f.identity, int32(len(f.identity)))
	}
	return f.identity[:n]
}

// update folds rows into every call's state. The headers are the caller's.
func (f *fold) update(b *folding) error {
	for i := range f.picks {
		f.picks[i].fill(b)
	}
	for _, s := range f.sets {
		if err := s.update(f, b); err != nil {
			return err
		}
	}
	for i := range f.calls {
		c := &f.calls[i]
		if c.isRows {
			continue
		}
		p, signs := f.pickOf(c), b.signs
		if c.set >= 0 {
			signs = f.sets[c.set].slots[c.slot].signs
		}
		if err := c.update(b.in, p, signs); err != nil {
			return fmt.Errorf("folding rows into %s: %w", c, err)
		}
	}
	return nil
}

func (f *fold) pickOf(c *foldCall) *pick {
	if c.set >= 0 {
		return &f.sets[c.set].slots[c.slot].pick
	}
	for i := range f.picks {
		if f.picks[i].filter == c.Filter {
			return &f.picks[i]
		}
	}
	panic("BUG: exec: a call's filter was not laid out")
}

// fill chooses the rows.
func (p *pick) fill(b *folding) {
	if p.filter < 0 && len(b.rows) == len(b.at) {
		p.rows, p.at, p.objs = b.rows, b.at, b.objs
		return
	}
	p.begin()
	if p.filter < 0 {
		for _, r := range b.rows {
			p.add(b, r)
		}
	} else {
		keep := b.in.Cols[p.filter].Bool
		for _, r := range b.rows {
			if keep[r] { // NULL is false underneath
				p.add(b, r)
			}
		}
	}
	p.own = p.chosen
}

// begin empties the pick, in memory of its own.
func (p *pick) begin() {
	p.chosen = chosen{p.own.rows[:0], p.own.at[:0], p.own.objs[:0]}
}

func (p *pick) add(b *folding, r int32) {
	p.rows, p.at = append(p.rows, r), append(p.at, b.at[r])
	if b.objs != nil {
		p.objs = append(p.objs, b.objs[r])
	}
}

func (c *foldCall) update(in *column.Batch, p *pick, signs []int64) error {
	for i, a := range c.args {
		if a >= 0 {
			c.vecs[i] = in.Cols[a]
		}
	}
	defer clear(c.vecs)
	if c.object < 0 {
		return c.acc.Update(&expr.AggInput{
			States: expr.States{At: p.at, Offset: c.offset}, Rows: p.rows, Args: c.vecs, Signs: signs,
		})
	}
	for i, o := range p.objs {
		r := p.rows[i]
		if err := (*objects)(o).list[c.object].Update(c.vecs, int(r), signs != nil && signs[r] < 0); err != nil {
			return err
		}
	}
	return nil
}

// result appends the result of call i for each group.
func (f *fold) result(i int, at, objs []unsafe.Pointer, out *column.Vector) error {
	c := &f.calls[i]
	switch {
	case c.isRows:
		from := out.Len
		out.Zeros(len(at))
		to := out.I64[from:]
		for i, p := range at {
			to[i] = int64(*(*uint64)(p) &^ touchedBit)
		}
	case c.object >= 0:
		for _, o := range objs {
			if err := c.acc.(expr.ObjectAccumulator).ResultOf((*objects)(o).list[c.object], out); err != nil {
				return fmt.Errorf("result of %s: %w", c, err)
			}
		}
	default:
		if err := c.acc.Result(expr.States{At: at, Offset: c.offset}, out); err != nil {
			return fmt.Errorf("result of %s: %w", c, err)
		}
	}
	return nil
}

// clearGroup makes the state of a group that of no rows, but for the touched bit.
func (f *fold) clearGroup(at, objs unsafe.Pointer) {
	words := unsafe.Slice((*uint64)(at), f.words)
	touched := words[0] & touchedBit
	clear(words)
	words[0] = touched
	if objs != nil {
		for i, a := range f.objects {
			(*objects)(objs).list[i] = a.New()
		}
	}
}

// merge adds states to others, pairwise, headers included.
func (f *fold) merge(to, toObjs, from, fromObjs []unsafe.Pointer) error {
	for i, p := range to {
		*(*int64)(p) += *(*int64)(from[i])
	}
	for i := range f.calls {
		c := &f.calls[i]
		switch {
		case c.isRows:
		case c.object < 0:
			if err := c.acc.Merge(expr.States{At: to, Offset: c.offset}, expr.States{At: from, Offset: c.offset}); err != nil {
				return fmt.Errorf("merging %s: %w", c, err)
			}
		default:
			for j, o := range toObjs {
				if err := (*objects)(o).list[c.object].Merge((*objects)(fromObjs[j]).list[c.object]); err != nil {
					return fmt.Errorf("merging %s: %w", c, err)
				}
			}
		}
	}
	return nil
}
