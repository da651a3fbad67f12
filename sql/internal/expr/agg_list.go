package expr

import (
	enc "encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/flottio/flott/column"
)

// The aggregates that keep values in the order in which they came.
var (
	FirstValue = &Agg{
		Name: "FIRST_VALUE", Resolve: anyValue, WantsOrder: true, New: newList(listSpec{skipNulls: true, keep: keepFirst, result: firstOf}),
	}
	LastValue = &Agg{
		Name: "LAST_VALUE", Resolve: anyValue, WantsOrder: true, New: newList(listSpec{skipNulls: true, keep: keepLast, result: lastOf}),
	}
	// SingleValue is what a scalar sub-query gives: more than one row is an error.
	SingleValue = &Agg{Name: "SINGLE_VALUE", Resolve: anyValue, New: newList(listSpec{result: singleOf})}
	ListAgg     = &Agg{Name: "LISTAGG", Resolve: resolveListAgg, WantsOrder: true, New: newList(listSpec{skipNulls: true, result: joined})}
	Collect     = &Agg{Name: "COLLECT", Resolve: resolveCollect, New: newList(listSpec{skipNulls: true, result: counted})}
	ArrayAgg    = &Agg{Name: "ARRAY_AGG", Resolve: resolveArrayAgg, WantsOrder: true, New: newList(listSpec{result: asArray})}
	// ArrayAggIgnoreNulls is ARRAY_AGG(x IGNORE NULLS).
	ArrayAggIgnoreNulls = &Agg{
		Name: "ARRAY_AGG IGNORE NULLS", Resolve: resolveArrayAgg, WantsOrder: true, New: newList(listSpec{skipNulls: true, result: asArray}),
	}
)

var listAggs = []*Agg{FirstValue, LastValue, SingleValue, ListAgg, Collect, ArrayAgg, ArrayAggIgnoreNulls}

func anyValue(args []Arg) (Signature, error) {
	if err := wantArgs(args, 1, 1); err != nil {
		return Signature{}, err
	}
	return Signature{Args: argTypes(args), Result: plainNullable(args[0].Type)}, nil
}

func resolveListAgg(args []Arg) (Signature, error) {
	if err := wantArgs(args, 1, 2); err != nil {
		return Signature{}, err
	}
	sig := Signature{Result: column.StringType()}
	for i, a := range args {
		if !a.Type.IsText() && a.Type.ID != column.Null {
			return Signature{}, fmt.Errorf("expects text, got %s", a.Type)
		}
		if i == 1 && a.Literal == nil {
			return Signature{}, errors.New("expects a constant as separator")
		}
		sig.Args = append(sig.Args, column.StringType().Nullable(!a.Type.NotNull))
	}
	return sig, nil
}

func resolveCollect(args []Arg) (Signature, error) {
	if err := wantArgs(args, 1, 1); err != nil {
		return Signature{}, err
	}
	elem := args[0].Type
	elem.Attribute = column.NoAttribute
	return Signature{Args: argTypes(args), Result: column.MultisetType(elem).Nullable(false)}, nil
}

func resolveArrayAgg(args []Arg) (Signature, error) {
	if err := wantArgs(args, 1, 1); err != nil {
		return Signature{}, err
	}
	return Signature{Args: argTypes(args), Result: column.ArrayType(plainNullable(args[0].Type))}, nil
}

// keepRule says which values are needed where nothing is taken back.
type keepRule uint8

const (
	keepAll keepRule = iota
	keepFirst
	keepLast
)

type listSpec struct {
	skipNulls bool
	keep      keepRule
	result    func(a *listAcc, o *valueList, out *column.Vector) error
	scale     int // digits of PERCENTILE's decimals
}

func newList(spec listSpec) func(*AggSite) (Accumulator, error) {
	return func(s *AggSite) (Accumulator, error) {
		a := &listAcc{listSpec: spec, separator: ","}
		if s.Retract {
			a.keep = keepAll
		}
		if sep, ok := s.literal(1); ok {
			a.separator, _ = sep.(string)
		}
		for i, e := range s.Args {
			if _, ok := e.(*Literal); !ok {
				a.args = append(a.args, i)
				a.codec.Types = append(a.codec.Types, e.Type())
			}
		}
		if len(a.args) == 0 { // a constant in every row
			return nil, errors.New("expects a column, not a constant")
		}
		a.cols = make([]*column.Vector, len(a.args))
		return a, nil
	}
}

// listAcc is an aggregate whose state is the rows of its arguments, encoded.
type listAcc struct {
	NoWords
	listSpec
	separator string
	codec     column.RowCodec
	args      []int
	cols      []*column.Vector
	buf       []byte
}

func (a *listAcc) New() Object { return &valueList{acc: a} }

func (a *listAcc) ResultOf(o Object, out *column.Vector) error {
	return a.result(a, o.(*valueList), out)
}

// valueList is values in the order in which they came. taken holds what was taken back before it came, which happens while batches are merged.
type valueList struct {
	acc    *listAcc
	values []string
	taken  []string
}

func (o *valueList) Update(args []*column.Vector, row int, retract bool) error {
	a := o.acc
	for i, at := range a.args {
		a.cols[i] = args[at]
	}
	if a.skipNulls && a.cols[0].IsNull(row) {
		return nil
	}
	if !retract && a.keep == keepFirst && len(o.values) > 0 {
		return nil
	}
	a.buf = a.codec.Append(a.buf[:0], a.cols, row)
	if retract {
		if i := slices.IndexFunc(o.values, func(v string) bool { return v == string(a.buf) }); i >= 0 {
			o.values = slices.Delete(o.values, i, i+1)
		} else {
			o.taken = append(o.taken, string(a.buf))
		}
		return nil
	}
	o.add(string(a.buf))
	return nil
}

func (o *valueList) add(v string) {
	if i := slices.Index(o.taken, v); i >= 0 {
		o.taken = slices.Delete(o.taken, i, i+1)
		return
	}
	switch {
	case o.acc.keep == keepLast && len(o.values) > 0:
		o.values[0] = v
	case o.acc.keep == keepFirst && len(o.values) > 0:
	default:
		o.values = append(o.values, v)
	}
}

func (o *valueList) Merge(from Object) error {
	f := from.(*valueList)
	for _, v := range f.values {
		o.add(v)
	}
	for _, v := range f.taken {
		if i := slices.Index(o.values, v); i >= 0 {
			o.values = slices.Delete(o.values, i, i+1)
		} else {
			o.taken = append(o.taken, v)
		}
	}
	return nil
}

func (o *valueList) Append(dst []byte) []byte {
	dst = enc.AppendUvarint(dst, uint64(len(o.values)))
	for _, v := range o.values {
		dst = append(enc.AppendUvarint(dst, uint64(len(v))), v...)
	}
	for _, v := range o.taken {
		dst = append(enc.AppendUvarint(dst, uint64(len(v))), v...)
	}
	return dst
}

func (o *valueList) Decode(src []byte) error {
	n, took := enc.Uvarint(src)
	if took <= 0 || n > uint64(len(src)) {
		return errState
	}
	o.values, o.taken = nil, nil
	for src = src[took:]; len(src) > 0 || n > 0; {
		v, rest, err := takeBytes(src)
		if err != nil {
			return err
		}
		if src = rest; n > 0 {
			o.values = append(o.values, string(v))
			n--
		} else {
			o.taken = append(o.taken, string(v))
		}
	}
	return nil
}

// decode appends the values' columns to vectors, which the caller releases.
func (o *valueList) decode(values []string) ([]*column.Vector, error) {
	cols := make([]*column.Vector, len(o.acc.args))
	for i, t := range o.acc.codec.Types {
		cols[i] = column.New(t)
	}
	for _, v := range values {
		if _, err := o.acc.codec.Decode(v, cols); err != nil {
			return nil, err
		}
	}
	return cols, nil
}

func releaseAll(cols []*column.Vector) {
	for _, v := range cols {
		v.Release()
	}
}

func (o *valueList) one(v string, out *column.Vector) error {
	_, err := o.acc.codec.Decode(v, []*column.Vector{out})
	return err
}

func firstOf(_ *listAcc, o *valueList, out *column.Vector) error {
	if len(o.values) == 0 {
		out.Nulls(1)
		return nil
	}
	return o.one(o.values[0], out)
}

func lastOf(_ *listAcc, o *valueList, out *column.Vector) error {
	if len(o.values) == 0 {
		out.Nulls(1)
		return nil
	}
	return o.one(o.values[len(o.values)-1], out)
}

func singleOf(a *listAcc, o *valueList, out *column.Vector) error {
	if len(o.values) > 1 {
		return errors.New("SingleValueAggFunction received more than one element: a scalar sub-query may return one row at most")
	}
	return firstOf(a, o, out)
}

func joined(a *listAcc, o *valueList, out *column.Vector) error {
	if len(o.values) == 0 {
		out.Nulls(1)
		return nil
	}
	cols, err := o.decode(o.values)
	if err != nil {
		return err
	}
	out.AppendString(strings.Join(cols[0].Str, a.separator))
	releaseAll(cols)
	return nil
}

func asArray(_ *listAcc, o *valueList, out *column.Vector) error {
	if len(o.values) == 0 {
		out.Nulls(1)
		return nil
	}
	for _, v := range o.values {
		if err := o.one(v, out.Kids[0]); err != nil {
			return err
		}
	}
	out.Off = append(out.Off, int32(out.Kids[0].Len))
	out.AppendValid()
	return nil
}

func counted(_ *listAcc, o *valueList, out *column.Vector) error {
	counts := map[string]int64{}
	var order []string
	for _, v := range o.values {
		if counts[v] == 0 {
			order = append(order, v)
		}
		counts[v]++
	}
	for _, v := range order {
		if err := o.one(v, out.Kids[0]); err != nil {
			return err
		}
		out.Kids[1].AppendInt(counts[v])
	}
	out.Off = append(out.Off, int32(out.Kids[0].Len))
	out.AppendValid()
	return nil
}
