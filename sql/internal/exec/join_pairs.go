package exec

import (
	"slices"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/sql/internal/expr"
)

// joinPairs evaluates the condition of a join over pairs of a row of a batch and a candidate: a row of the other side's state.
type joinPairs struct {
	types  [2][]column.Type
	codecs [2]column.RowCodec
	eval   expr.Eval
	cond   *expr.Program
	needed []int // columns of both sides that the condition reads

	cands column.Batch // of the side that is not the batch's
	of    int          // the side of cands
	both  column.Batch
	rows  []int32
	sel   []int32
	pos   []int32
}

func (p *joinPairs) open(env *expr.Env, cond expr.Expr, left, right []column.Type) (err error) {
	p.types = [2][]column.Type{left, right}
	p.codecs = [2]column.RowCodec{{Types: left}, {Types: right}}
	p.of = -1
	p.eval.Env = env
	if cond == nil {
		return nil
	}
	p.needed = expr.Columns(cond)
	slices.Sort(p.needed)
	for _, t := range slices.Concat(left, right) {
		p.both.Cols = append(p.both.Cols, column.New(t.Nullable(true)))
	}
	p.cond, err = expr.Compile(env, cond)
	return err
}

// load decodes candidates of the side.
func (p *joinPairs) load(texts []string, side int) (err error) {
	if p.of != side {
		p.cands.Release()
		p.cands, p.of = column.NewBatch(p.types[side]), side
	}
	p.cands.Reset()
	p.pos, err = p.codecs[side].DecodeAll(texts, p.cands.Cols, p.pos)
	p.cands.N = len(texts)
	return err
}

// judge keeps the pairs for which the condition is true: row rows[key[p]] of the batch, or row key[p] if rows is nil, with candidate cand[p].
func (p *joinPairs) judge(in *record.Columns, key, cand, rows []int32) (keptKey, keptCand []int32, err error) {
	if p.cond == nil || len(key) == 0 {
		return key, cand, nil
	}
	mine := key
	if rows != nil {
		p.rows = p.rows[:0]
		for _, j := range key {
			p.rows = append(p.rows, rows[j])
		}
		mine = p.rows
	}
	left := len(p.types[0])
	for _, n := range p.needed {
		dst := p.both.Cols[n]
		dst.Reset()
		src, at := in.Cols, mine
		if (n < left) == (p.of == 0) {
			src, at = p.cands.Cols, cand
		}
		if n < left {
			src[n].Gather(dst, at)
		} else {
			src[n-left].Gather(dst, at)
		}
	}
	p.both.N = len(key)
	if p.sel, err = p.cond.Select(&p.eval, &p.both, 0, p.sel[:0]); err != nil {
		return nil, nil, err
	}
	for k, s := range p.sel {
		key[k], cand[k] = key[s], cand[s]
	}
	return key[:len(p.sel)], cand[:len(p.sel)], nil
}
