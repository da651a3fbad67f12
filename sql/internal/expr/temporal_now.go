package expr

import (
	"errors"
	"math"

	"github.com/flottio/flott/column"
)

// nowFuncs: in streaming each batch of rows has its moment, in batch mode the query has one.
var nowFuncs = []*Func{
	nowFunc("CURRENT_TIMESTAMP", column.LocalTimestampType(3), false), nowFunc("NOW", column.LocalTimestampType(3), false),
	nowFunc("CURRENT_ROW_TIMESTAMP", column.LocalTimestampType(3), true),
	nowFunc("PROCTIME", proctimeType(), true),
	nowFunc("LOCALTIMESTAMP", column.TimestampType(3), false),
	nowFunc("CURRENT_DATE", column.Of(column.Date), false),
	nowFunc("CURRENT_TIME", column.Type{ID: column.Time}, false), nowFunc("LOCALTIME", column.Type{ID: column.Time}, false),
	{Name: "CURRENT_WATERMARK", Resolve: resolveCurrentWatermark, Kernel: fixed(currentWatermark), Volatility: Stable},
	{Name: "SOURCE_WATERMARK", Resolve: takes("SOURCE_WATERMARK", "", mayGive(column.TimestampType(3))), Volatility: Stable,
		Kernel: func(*Site) (Kernel, error) {
			return nil, errors.New("can only be the expression of a WATERMARK declaration, for a source that has watermarks of its own")
		}},
	{Name: "CURRENT_DATABASE", Resolve: takes("CURRENT_DATABASE", "", mustGive(textType)), Strict: true, Volatility: Stable,
		Kernel: func(s *Site) (Kernel, error) {
			return rowKernelOf(func(r *row) error { return r.setText(s.Env.Database) }), nil
		}},
}

func proctimeType() column.Type {
	t := column.LocalTimestampType(3)
	t.Attribute = column.Proctime
	return t
}

// nowFunc is the clock as a value of a type. live: in batch mode too.
func nowFunc(name string, t column.Type, live bool) *Func {
	return &Func{Name: name, Strict: true, Volatility: Stable, Resolve: takes(name, "int?", mustGive(t)),
		Kernel: fixed(func(e *Eval, _ []*column.Vector, n int, out *column.Vector) error {
			out.Resize(n)
			ms := e.NowMs
			if e.Env != nil && e.Env.Batch && !live {
				ms = e.Env.Start.UnixMilli()
			}
			if t.ID != column.TimestampLTZ {
				ms += offsetAt(e.Env.zone(), floorDiv(ms, 1000)) * 1000
			}
			switch t.ID {
			case column.Date:
				return fill(out.I32, int32(floorDiv(ms, dayMs)))
			case column.Time:
				return fill(out.I32, int32(floorMod(ms, dayMs)/1000*1000))
			}
			return fill(out.I64, ms)
		})}
}

func resolveCurrentWatermark(args []Arg) (Signature, error) {
	sig, err := takes("CURRENT_WATERMARK", "stamp", mayGive(column.LocalTimestampType(3)))(args)
	if err != nil {
		return sig, err
	}
	if args[0].Type.Attribute != column.Rowtime {
		return sig, errors.New("needs a rowtime attribute: a column with a WATERMARK declaration")
	}
	sig.Result = column.Type{ID: args[0].Type.ID, Precision: 3}
	return sig, nil
}

// currentWatermark is NULL before the first watermark.
func currentWatermark(e *Eval, _ []*column.Vector, n int, out *column.Vector) error {
	if e.Watermark == math.MinInt64 {
		out.Nulls(n)
		return nil
	}
	out.Resize(n)
	return fill(out.I64, e.Watermark)
}
