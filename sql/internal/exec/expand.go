package exec

import (
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
)

// Expand repeats each row for each of several GROUPING SETS. The output is the input's columns, then the columns of Keys once more with NULL where
// the set lacks them, then the set's GROUPING_ID over Keys (BIGINT NOT NULL): what follows groups by the latter two kinds of column. GROUPING and
// GROUPING_ID of keys are bits of it, the last key's the lowest.
type Expand struct {
	In   []column.Type
	Keys []int
	// Sets are places within Keys.
	Sets [][]int

	ctx   *operator.Context
	types []column.Type
}

// ExpandTypes are the types of the output.
func ExpandTypes(in []column.Type, keys []int) []column.Type {
	types := append([]column.Type(nil), in...)
	for _, k := range keys {
		types = append(types, plain(in[k]).Nullable(true))
	}
	return append(types, column.Of(column.BigInt).Nullable(false))
}

// Open implements operator.Operator.
func (e *Expand) Open(c *operator.Context) error {
	e.ctx, e.types = c, ExpandTypes(e.In, e.Keys)
	return nil
}

// Process implements operator.Operator. The sets of a batch come one after the other: within a group the order of rows is that of the input.
func (e *Expand) Process(_ int, b record.Batch) error {
	in := b.(*record.Columns)
	e.ctx.Counters.In.Add(in.N)
	defer in.Release()
	for _, set := range e.Sets {
		out := record.NewColumns(e.types)
		for i, v := range in.Cols {
			v.Slice(out.Cols[i], 0, in.N)
		}
		id := int64(1)<<len(e.Keys) - 1
		for _, k := range set {
			id &^= 1 << (len(e.Keys) - 1 - k)
		}
		for k, at := range e.Keys {
			to := out.Cols[len(in.Cols)+k]
			if id>>(len(e.Keys)-1-k)&1 == 0 {
				in.Cols[at].Slice(to, 0, in.N)
			} else {
				to.Nulls(in.N)
			}
		}
		ids := out.Cols[len(e.types)-1]
		for range in.N {
			ids.AppendInt(id)
		}
		if in.Kinds != nil {
			out.Kinds = append(out.Kinds, in.Kinds...)
		}
		out.N = in.N
		e.ctx.Counters.Out.Add(out.N)
		if err := e.ctx.Out[0].Emit(out); err != nil {
			return err
		}
	}
	return nil
}

// Close implements operator.Operator.
func (e *Expand) Close() error { return nil }
