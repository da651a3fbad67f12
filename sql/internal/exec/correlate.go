package exec

import (
	"slices"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/internal/expr"
)

// Correlate calls a table function for each row and joins the row with what it gives: UNNEST and LATERAL TABLE. It has no state; rows keep their
// kinds.
type Correlate struct {
	Env  *expr.Env
	In   []column.Type
	Func *expr.TableFunc
	// Args are of the types that the function asked for.
	Args []expr.Expr
	// Result are the columns of the function.
	Result []column.Type
	// Left keeps rows for which the function gives nothing.
	Left bool
	// Cond is over the columns of the input followed by those of the function; nil: nothing else. With Left a row of which no result passes is kept.
	Cond expr.Expr

	out   outBatch
	count *operator.Counters
	clock func() int64
	mark  int64
	eval  expr.Eval
	args  *expr.Program
	call  func(e *expr.Eval, args []*column.Vector, i int, out *column.Batch) error
	pairs joinPairs
	vecs  []*column.Vector

	made      column.Batch // rows of the function
	from      []int32      // the input's row of each
	rows      []int32
	results   []int32
	kinds     []schema.RowKind
	firstOpen int // the first row of the batch that is not finished
}

// Out are the types of the output.
func (c *Correlate) Out() []column.Type {
	out := slices.Clone(c.In)
	for _, t := range c.Result {
		if c.Left {
			t = t.Nullable(true)
		}
		out = append(out, t)
	}
	return out
}

// Open implements operator.Operator.
func (c *Correlate) Open(ctx *operator.Context) (err error) {
	c.out, c.count, c.clock, c.mark = newOutBatch(ctx, c.Out()), ctx.Counters, ctx.Now, ctx.Restored.Watermark
	c.eval.Env = c.Env
	if c.args, err = expr.Compile(c.Env, c.Args...); err != nil {
		return err
	}
	row := column.Type{ID: column.Row}
	for _, t := range c.Result {
		row.Fields = append(row.Fields, column.Field{Type: t})
	}
	if c.call, err = c.Func.Make(&expr.Site{Args: c.Args, Result: row, Env: c.Env}); err != nil {
		return err
	}
	c.made = column.NewBatch(c.Result)
	return c.pairs.open(c.Env, c.Cond, c.In, c.Result)
}

// Advance implements operator.Advancer: CURRENT_WATERMARK.
func (c *Correlate) Advance(wm int64) (bool, error) {
	c.mark = wm
	return false, nil
}

// Process implements operator.Operator.
func (c *Correlate) Process(_ int, b record.Batch) error {
	in := b.(*record.Columns)
	c.count.In.Add(in.N)
	c.eval.NowMs, c.eval.Watermark = c.clock(), c.mark
	c.pairs.eval.NowMs, c.pairs.eval.Watermark = c.eval.NowMs, c.mark
	c.vecs = c.vecs[:0]
	for i := range c.Args {
		v, err := c.args.Eval(&c.eval, &in.Batch, i)
		if err != nil {
			return err
		}
		c.vecs = append(c.vecs, v)
	}
	c.firstOpen = 0
	for i := range in.N {
		before := c.made.N
		if err := c.call(&c.eval, c.vecs, i, &c.made); err != nil {
			return err
		}
		for range c.made.N - before {
			c.from = append(c.from, int32(i))
		}
		if c.made.N >= pairsMax {
			if err := c.emit(in, i+1); err != nil {
				return err
			}
		}
	}
	if err := c.emit(in, in.N); err != nil {
		return err
	}
	for _, v := range c.vecs {
		v.Release()
	}
	in.Release()
	return c.out.flush(false)
}

// emit joins the rows before end with the results that were made of them.
func (c *Correlate) emit(in *record.Columns, end int) (err error) {
	c.results = c.results[:0]
	for r := range c.made.N {
		c.results = append(c.results, int32(r))
	}
	c.pairs.cands, c.pairs.of = c.made, 1
	if c.from, c.results, err = c.pairs.judge(in, c.from, c.results, nil); err != nil {
		return err
	}
	if c.Left {
		c.pad(end)
	} else {
		c.rows = append(c.rows[:0], c.from...)
	}
	n := len(c.rows)
	if n > 0 {
		c.kinds = c.kinds[:0]
		for _, i := range c.rows {
			c.kinds = append(c.kinds, in.Kind(int(i)))
		}
		if in.Kinds == nil {
			c.out.kinds(nil, n)
		} else {
			c.out.kinds(c.kinds, n)
		}
		b := c.out.get()
		for k, v := range in.Cols {
			v.Gather(b.Cols[k], c.rows)
		}
		for k, v := range c.made.Cols {
			v.GatherOuter(b.Cols[len(c.In)+k], c.results)
		}
		b.N += n
	}
	c.made.Reset()
	c.from, c.firstOpen = c.from[:0], end
	return c.out.flush(true)
}

// pad puts the rows without results between the others.
func (c *Correlate) pad(end int) {
	results := slices.Clone(c.results)
	c.rows, c.results = c.rows[:0], c.results[:0]
	next := 0
	for i := c.firstOpen; i < end; i++ {
		if next == len(c.from) || int(c.from[next]) != i {
			c.rows, c.results = append(c.rows, int32(i)), append(c.results, -1)
			continue
		}
		for ; next < len(c.from) && int(c.from[next]) == i; next++ {
			c.rows, c.results = append(c.rows, int32(i)), append(c.results, results[next])
		}
	}
}

// Close implements operator.Operator.
func (c *Correlate) Close() error { return nil }
