// Package exec is SQL's operators: loops over batches of columns behind operator.Operator, with their state in the tables of internal/state.
// The planner configures them with places of columns, types and compiled functions; they know nothing of names and texts.
package exec

import (
	"slices"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/sql/internal/expr"
)

// Calc filters rows and computes columns: WHERE and SELECT in one operator, without state.
type Calc struct {
	Env *expr.Env
	In  []column.Type
	// Filter is nil to keep all rows.
	Filter expr.Expr
	// Exprs are the output's columns; nil passes the input's.
	Exprs []expr.Expr

	out     operator.Output
	clock   func() int64
	mark    int64
	eval    expr.Eval
	filter  *expr.Program
	project *expr.Program
	types   []column.Type
	needed  []int // columns that the projection reads, ascending
	sel     []int32
	dropped *operator.Counters
}

// Open implements operator.Operator.
func (c *Calc) Open(ctx *operator.Context) (err error) {
	c.out, c.clock, c.dropped, c.mark = ctx.Out[0], ctx.Now, ctx.Counters, ctx.Restored.Watermark
	c.eval = expr.Eval{Env: c.Env}
	if c.Filter != nil {
		if c.filter, err = expr.Compile(c.Env, c.Filter); err != nil {
			return err
		}
	}
	c.types = c.In
	if c.Exprs == nil {
		for i := range c.In {
			c.needed = append(c.needed, i)
		}
		return nil
	}
	c.types = nil
	for _, e := range c.Exprs {
		c.types = append(c.types, e.Type())
		c.needed = append(c.needed, expr.Columns(e)...)
	}
	slices.Sort(c.needed)
	c.needed = slices.Compact(c.needed)
	c.project, err = expr.Compile(c.Env, c.Exprs...)
	return err
}

// Advance implements operator.Advancer: CURRENT_WATERMARK.
func (c *Calc) Advance(wm int64) (bool, error) {
	c.mark = wm
	return false, nil
}

// Process implements operator.Operator.
func (c *Calc) Process(_ int, b record.Batch) error {
	in := b.(*record.Columns)
	c.dropped.In.Add(in.N)
	c.eval.NowMs, c.eval.Watermark = c.clock(), c.mark
	if c.filter != nil {
		var err error
		if c.sel, err = c.filter.Select(&c.eval, &in.Batch, 0, c.sel[:0]); err != nil {
			return err
		}
		if len(c.sel) == 0 {
			in.Release()
			return nil
		}
		if len(c.sel) < in.N {
			in = c.keep(in)
		}
	}
	if c.project != nil {
		var err error
		if in, err = c.compute(in); err != nil {
			return err
		}
	}
	c.dropped.Out.Add(in.N)
	return c.out.Emit(in)
}

// keep returns the selected rows; columns that nobody reads are left empty.
func (c *Calc) keep(in *record.Columns) *record.Columns {
	kept := record.NewColumns(in.Types())
	for _, i := range c.needed {
		in.Cols[i].Gather(kept.Cols[i], c.sel)
	}
	if in.Kinds != nil {
		kept.Kinds = kept.NeedKinds()
		for _, i := range c.sel {
			kept.Kinds = append(kept.Kinds, in.Kinds[i])
		}
	}
	kept.N = len(c.sel)
	in.Release()
	return kept
}

// compute makes the output's columns. A column that is passed on moves; if it is passed on twice, both share it.
func (c *Calc) compute(in *record.Columns) (*record.Columns, error) {
	out := record.BareColumns(c.types)
	out.Cols = append(out.Cols, make([]*column.Vector, len(c.Exprs))...)
	out.Kinds, out.N = in.Kinds, in.N
	in.Kinds = nil
	if err := c.project.EvalAll(&c.eval, &in.Batch, out.Cols); err != nil {
		return nil, err
	}
	for i, e := range c.Exprs {
		if col, plain := e.(*expr.Column); plain {
			out.Cols[i] = take(in, out, c.Exprs[:i], col.Index)
		}
	}
	in.Release()
	return out, nil
}

// take moves column at from in, or shares it with the earlier output column that took it.
func take(in, out *record.Columns, before []expr.Expr, at int) *column.Vector {
	if v := in.Cols[at]; v != nil {
		in.Cols[at] = nil
		return v
	}
	for i, e := range before {
		if col, ok := e.(*expr.Column); ok && col.Index == at {
			return out.Cols[i].Share()
		}
	}
	panic("BUG: exec: a column was taken by nobody")
}

// Close implements operator.Operator.
func (c *Calc) Close() error { return nil }
