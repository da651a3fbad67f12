package expr

import (
	"fmt"
	"math"
	"slices"

	"github.com/flottio/flott/column"
)

// The JSON aggregates, in both ways to treat NULL.
var jsonAggs = []*Agg{
	{Name: "JSON_OBJECTAGG_NULL_ON_NULL", Resolve: resolveJSONObjectAgg, WantsOrder: true, New: newList(listSpec{result: jsonObjectAgg(false)})},
	{Name: "JSON_OBJECTAGG_ABSENT_ON_NULL", Resolve: resolveJSONObjectAgg, WantsOrder: true, New: newList(listSpec{result: jsonObjectAgg(true)})},
	{Name: "JSON_ARRAYAGG_NULL_ON_NULL", Resolve: resolveJSONArrayAgg, WantsOrder: true, New: newList(listSpec{result: jsonArrayAgg})},
	{Name: "JSON_ARRAYAGG_ABSENT_ON_NULL", Resolve: resolveJSONArrayAgg, WantsOrder: true,
		New: newList(listSpec{skipNulls: true, result: jsonArrayAgg})},
	{Name: "PERCENTILE", Resolve: resolvePercentile, New: newPercentile},
}

func resolveJSONObjectAgg(args []Arg) (Signature, error) {
	if err := wantArgs(args, 2, 2); err != nil {
		return Signature{}, err
	}
	if !args[0].Type.IsText() {
		return Signature{}, fmt.Errorf("expects text as key, got %s", args[0].Type)
	}
	return Signature{Args: argTypes(args), Result: column.StringType().Nullable(false)}, jsonable(args[1].Type)
}

func resolveJSONArrayAgg(args []Arg) (Signature, error) {
	if err := wantArgs(args, 1, 1); err != nil {
		return Signature{}, err
	}
	return Signature{Args: argTypes(args), Result: column.StringType().Nullable(false)}, jsonable(args[0].Type)
}

func jsonObjectAgg(absent bool) func(*listAcc, *valueList, *column.Vector) error {
	return func(_ *listAcc, o *valueList, out *column.Vector) error {
		cols, err := o.decode(o.values)
		if err != nil {
			return err
		}
		defer releaseAll(cols)
		if len(cols) != 2 {
			return fmt.Errorf("expects columns as key and value")
		}
		text := []byte{'{'}
		seen := map[string]bool{}
		for i := range o.values {
			if cols[0].IsNull(i) {
				return fmt.Errorf("key of JSON_OBJECTAGG is NULL: keys must not be NULL")
			}
			key := cols[0].Str[i]
			if absent && cols[1].IsNull(i) {
				continue
			}
			if seen[key] {
				return fmt.Errorf("key %q comes twice: keys of JSON_OBJECTAGG must be unique", key)
			}
			seen[key] = true
			if len(text) > 1 {
				text = append(text, ',')
			}
			text = append(appendQuoted(text, key, false), ':')
			text = appendJSON(text, cols[1], i)
		}
		out.AppendString(string(append(text, '}')))
		return nil
	}
}

func jsonArrayAgg(_ *listAcc, o *valueList, out *column.Vector) error {
	cols, err := o.decode(o.values)
	if err != nil {
		return err
	}
	defer releaseAll(cols)
	text := []byte{'['}
	for i := range o.values {
		if i > 0 {
			text = append(text, ',')
		}
		text = appendJSON(text, cols[0], i)
	}
	out.AppendString(string(append(text, ']')))
	return nil
}

func resolvePercentile(args []Arg) (Signature, error) {
	if err := wantArgs(args, 2, 3); err != nil {
		return Signature{}, err
	}
	sig := Signature{Args: argTypes(args), Result: column.Of(column.Double)}
	if !args[0].Type.IsNumeric() {
		return sig, fmt.Errorf("expects a number, got %s", args[0].Type)
	}
	switch t := args[1].Type; {
	case t.ID == column.Array && t.Elem.IsNumeric():
		sig.Args[1] = column.ArrayType(column.Of(column.Double))
		sig.Result = column.ArrayType(column.Of(column.Double))
	case t.IsNumeric():
		sig.Args[1] = column.Of(column.Double)
	default:
		return sig, fmt.Errorf("expects a percentage or an array of them, got %s", t)
	}
	if len(args) == 3 && !args[2].Type.IsInteger() {
		return sig, fmt.Errorf("expects a whole number as frequency, got %s", args[2].Type)
	}
	return sig, nil
}

// newPercentile keeps value, percentages and frequency of each row, as they are columns.
func newPercentile(s *AggSite) (Accumulator, error) {
	scale := int(s.Args[0].Type().Scale)
	constant, isConstant := s.literal(1)
	return newList(listSpec{skipNulls: true, scale: scale, result: func(a *listAcc, o *valueList, out *column.Vector) error {
		cols, err := o.decode(o.values)
		if err != nil {
			return err
		}
		defer releaseAll(cols)
		p := percentile{scale: math.Pow10(scale)}
		var share any = constant
		for i := range o.values {
			next := 1
			if !isConstant {
				share, next = cols[next].At(i), 2
			}
			n := int64(1)
			if len(cols) > next {
				if n = int64(Number(cols[next], i)); cols[next].IsNull(i) || n <= 0 {
					continue
				}
			}
			p.values, p.total = append(p.values, weighted{Number(cols[0], i) / p.scale, n}), p.total+n
		}
		return p.result(share, out)
	}})(s)
}

type weighted struct {
	value float64
	n     int64
}

type percentile struct {
	scale  float64
	values []weighted
	total  int64
}

// result appends the percentile of each share, interpolated between the two values next to it.
func (p *percentile) result(share any, out *column.Vector) error {
	if p.total == 0 || share == nil {
		out.Nulls(1)
		return nil
	}
	slices.SortFunc(p.values, func(a, b weighted) int {
		switch {
		case a.value < b.value:
			return -1
		case a.value > b.value:
			return 1
		}
		return 0
	})
	switch s := share.(type) {
	case float64:
		x, err := p.at(s)
		if err == nil {
			out.AppendFloat(x)
		}
		return err
	case []any:
		for _, e := range s {
			f, ok := e.(float64)
			if !ok {
				return fmt.Errorf("a percentage is NULL")
			}
			x, err := p.at(f)
			if err != nil {
				return err
			}
			out.Kids[0].AppendFloat(x)
		}
		out.Off = append(out.Off, int32(out.Kids[0].Len))
		out.AppendValid()
	default:
		return fmt.Errorf("BUG: expr: a percentage is a %T", share)
	}
	return nil
}

func (p *percentile) at(share float64) (float64, error) {
	if !(share >= 0 && share <= 1) {
		return 0, fmt.Errorf("the percentage of PERCENTILE is %v: it must be between 0 and 1", share)
	}
	place := float64(p.total-1) * share
	low, high := math.Floor(place), math.Ceil(place)
	a, b := p.rank(int64(low)), p.rank(int64(high))
	if low == high || a == b {
		return a, nil
	}
	return (high-place)*a + (place-low)*b, nil
}

// rank is the value with so many before it.
func (p *percentile) rank(n int64) float64 {
	for _, v := range p.values {
		if n < v.n {
			return v.value
		}
		n -= v.n
	}
	return math.NaN()
}
