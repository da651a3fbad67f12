package expr

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/flottio/flott/column"
)

var accessFuncs = []*Func{Field, Item, RowOf, ArrayOf, MapOf}

// Field is the field of a ROW whose place is the second argument, an INT literal: NewField makes the call. Item is a[i] of an array (from 1, NULL out
// of range), m[key] of a map, and r['name'] or r[i] of a row with a literal. The others construct.
var (
	Field   = &Func{Name: "ROW_FIELD", Resolve: resolveField, Special: compileField}
	Item    = &Func{Name: "ITEM", Strict: true, Resolve: resolveItem, Kernel: itemKernel}
	RowOf   = &Func{Name: "ROW", Resolve: resolveRow, Kernel: fixed(rowKernel)}
	ArrayOf = &Func{Name: "ARRAY", Resolve: resolveArray, Kernel: fixed(arrayKernel)}
	MapOf   = &Func{Name: "MAP", Resolve: resolveMap, Kernel: fixed(mapKernel)}
)

// NewField returns field at of a row.
func NewField(row Expr, at int) (*Call, error) {
	return NewCall(Field, row, &Literal{Value: int32(at), Of: column.Of(column.Int).Nullable(false)})
}

func resolveField(args []Arg) (Signature, error) {
	if len(args) != 2 || args[0].Type.ID != column.Row || args[1].Literal == nil {
		return Signature{}, errors.New("BUG: ROW_FIELD needs a ROW and a place")
	}
	t := args[0].Type
	at, _ := args[1].Literal.Value.(int32)
	if at < 0 || int(at) >= len(t.Fields) {
		return Signature{}, fmt.Errorf("BUG: ROW_FIELD %d of %s", at, t)
	}
	f := t.Fields[at].Type
	return Signature{[]column.Type{t, args[1].Type}, f.Nullable(!f.NotNull || !t.NotNull)}, nil
}

// fieldEvaluator passes the vector of the field on: it is NULL wherever the row is.
type fieldEvaluator struct {
	row evaluator
	at  int
}

func compileField(c *compiler, call *Call) (evaluator, error) {
	row, err := c.compile(call.Args[0])
	if err != nil {
		return nil, err
	}
	return &fieldEvaluator{row, int(call.Args[1].(*Literal).Value.(int32))}, nil
}

func (f *fieldEvaluator) eval(e *Eval, in *column.Batch) (*column.Vector, bool, error) {
	v, own, err := f.row.eval(e, in)
	if err != nil || !own {
		if err == nil {
			v = v.Kids[f.at]
		}
		return v, false, err
	}
	kid := v.Kids[f.at]
	v.Kids[f.at] = column.New(kid.Type) // for Release
	v.Release()
	return kid, true, nil
}

func resolveItem(args []Arg) (Signature, error) {
	if len(args) != 2 {
		return Signature{}, fmt.Errorf("takes 2 arguments, got %d", len(args))
	}
	t, index := args[0].Type, args[1].Type
	switch t.ID {
	case column.Array:
		if !index.IsInteger() && index.ID != column.Null {
			return Signature{}, fmt.Errorf("an array is indexed by whole numbers, got %s", index)
		}
		if l := args[1].Literal; l != nil && l.Value != nil {
			if x, ok := wholeValue(l.Value); ok && x < 1 {
				return Signature{}, fmt.Errorf("array element access needs an index starting at 1 but was %d", x)
			}
		}
		return Signature{[]column.Type{t, column.Of(column.BigInt).Nullable(!index.NotNull)}, t.Elem.Nullable(true)}, nil
	case column.Map:
		if _, ok := CommonType([]column.Type{*t.Key, index}); !ok {
			return Signature{}, fmt.Errorf("the keys of %s are not comparable with %s", t, index)
		}
		return Signature{[]column.Type{t, t.Key.Nullable(!index.NotNull)}, t.Elem.Nullable(true)}, nil
	case column.Variant:
		return resolveVariantItem(args)
	case column.Row:
		at, err := rowIndex(t, args[1].Literal)
		if err != nil {
			return Signature{}, err
		}
		return Signature{[]column.Type{t, index}, t.Fields[at].Type.Nullable(true)}, nil
	}
	return Signature{}, fmt.Errorf("expects ARRAY, MAP or ROW, got %s", t)
}

func wholeValue(x any) (int64, bool) {
	switch x := x.(type) {
	case int8:
		return int64(x), true
	case int16:
		return int64(x), true
	case int32:
		return int64(x), true
	case int64:
		return x, true
	}
	return 0, false
}

func rowIndex(t column.Type, l *Literal) (int, error) {
	if l == nil || l.Value == nil {
		return 0, errors.New("a ROW is accessed by the literal name or number of a field")
	}
	if name, ok := l.Value.(string); ok {
		for i, f := range t.Fields {
			if f.Name == name {
				return i, nil
			}
		}
		return 0, fmt.Errorf("%s has no field %q", t, name)
	}
	at, ok := wholeValue(l.Value)
	if !ok || at < 1 || int(at) > len(t.Fields) {
		return 0, fmt.Errorf("%s has no field %s", t, Format(l.Value, l.Of))
	}
	return int(at) - 1, nil
}

func itemKernel(s *Site) (Kernel, error) {
	switch t := s.Type(0); t.ID {
	case column.Array:
		return pick(func(v, key *column.Vector, i int) int32 {
			at := key.I64[i]
			if n := int64(v.Off[i+1] - v.Off[i]); at < 1 || at > n {
				return -1
			}
			return v.Off[i] + int32(at-1)
		}, 0), nil
	case column.Map:
		return pick(func(v, key *column.Vector, i int) int32 {
			for e := v.Off[i]; e < v.Off[i+1]; e++ {
				if !v.Kids[0].IsNull(int(e)) && CompareAt(v.Kids[0], int(e), key, i) == 0 {
					return e
				}
			}
			return -1
		}, 1), nil
	case column.Variant:
		return variantItem.Kernel(s)
	default:
		l, _ := s.Args[1].(*Literal)
		at, err := rowIndex(t, l)
		return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
			args[0].Kids[at].Slice(out, 0, n)
			return nil
		}, err
	}
}

// pick gathers one element of each value: where says which, -1 for none.
func pick(where func(v, key *column.Vector, i int) int32, kid int) Kernel {
	var at, rows []int32
	return func(e *Eval, args []*column.Vector, n int, out *column.Vector) error {
		v, from := args[0], args[0].Kids[kid]
		at, rows = at[:0], rows[:0]
		for i := range n {
			x := int32(-1)
			if !e.Skip(i) {
				x = where(v, args[1], i)
			}
			if x < 0 {
				rows = append(rows, int32(i))
				x = 0
			}
			at = append(at, x)
		}
		if from.Len == 0 {
			out.Nulls(n)
			return nil
		}
		from.Gather(out, at)
		for _, i := range rows {
			out.SetNull(int(i))
		}
		return nil
	}
}

func resolveRow(args []Arg) (Signature, error) {
	t := column.Type{ID: column.Row, NotNull: true}
	sig := Signature{}
	for i, a := range args {
		a.Type.Attribute = column.NoAttribute
		t.Fields = append(t.Fields, column.Field{Name: "EXPR$" + strconv.Itoa(i), Type: a.Type})
		sig.Args = append(sig.Args, a.Type)
	}
	sig.Result = t
	return sig, nil
}

func rowKernel(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
	for k, v := range args {
		appendRows(out.Kids[k], v, n)
	}
	out.Len = n
	return nil
}

// appendRows appends the first n values, NULLs if the source has no type.
func appendRows(dst, src *column.Vector, n int) {
	if src.Store == column.None {
		dst.Nulls(n)
		return
	}
	src.Slice(dst, 0, n)
}

func resolveArray(args []Arg) (Signature, error) {
	if len(args) == 0 {
		return Signature{}, errors.New("an array needs at least 1 element")
	}
	elem, err := commonOfArgs(args, 0, 1)
	if err != nil {
		return Signature{}, err
	}
	sig := Signature{Result: column.ArrayType(elem).Nullable(false)}
	for range args {
		sig.Args = append(sig.Args, elem)
	}
	return sig, nil
}

// commonOfArgs is the common type of every step-th argument.
func commonOfArgs(args []Arg, from, step int) (column.Type, error) {
	var types []column.Type
	for i := from; i < len(args); i += step {
		types = append(types, args[i].Type)
	}
	t, ok := CommonType(types)
	if !ok {
		return t, fmt.Errorf("the elements have no common type: %s", typeList(types))
	}
	return t, nil
}

func arrayKernel(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
	for i := range n {
		out.Off = append(out.Off, int32((i+1)*len(args)))
	}
	interleave(out.Kids[0], args, n)
	out.Len = n
	return nil
}

// interleave appends the first values of all vectors, then the second ones, and so on.
func interleave(dst *column.Vector, src []*column.Vector, n int) {
	if len(src) == 1 {
		appendRows(dst, src[0], n)
		return
	}
	all := column.New(dst.Type)
	defer all.Release()
	for _, v := range src {
		appendRows(all, v, n)
	}
	at := make([]int32, 0, n*len(src))
	for i := range n {
		for k := range src {
			at = append(at, int32(k*n+i))
		}
	}
	all.Gather(dst, at)
}

func resolveMap(args []Arg) (Signature, error) {
	if len(args) == 0 || len(args)%2 != 0 {
		return Signature{}, fmt.Errorf("a map needs pairs of keys and values, got %d arguments", len(args))
	}
	key, err := commonOfArgs(args, 0, 2)
	if err != nil {
		return Signature{}, fmt.Errorf("keys: %w", err)
	}
	value, err := commonOfArgs(args, 1, 2)
	if err != nil {
		return Signature{}, fmt.Errorf("values: %w", err)
	}
	sig := Signature{Result: column.MapType(key, value).Nullable(false)}
	for range len(args) / 2 {
		sig.Args = append(sig.Args, key, value)
	}
	return sig, nil
}

// mapKernel keeps the last value of a key that comes twice.
func mapKernel(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
	keys, values := column.New(out.Kids[0].Type), column.New(out.Kids[1].Type)
	defer keys.Release()
	defer values.Release()
	var k, v []*column.Vector
	for i := 0; i < len(args); i += 2 {
		k, v = append(k, args[i]), append(v, args[i+1])
	}
	interleave(keys, k, n)
	interleave(values, v, n)
	var keep []int32
	for i := range n {
		for e := i * len(k); e < (i+1)*len(k); e++ {
			last := true
			for f := e + 1; f < (i+1)*len(k) && last; f++ {
				last = CompareNullable(keys, e, keys, f) != 0
			}
			if last {
				keep = append(keep, int32(e))
			}
		}
		out.Off = append(out.Off, int32(len(keep)))
	}
	keys.Gather(out.Kids[0], keep)
	values.Gather(out.Kids[1], keep)
	out.Len = n
	return nil
}
