package expr

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/flottio/flott/column"
)

// Functions on arrays. Most choose elements of their arguments: they gather them, and copy nothing row by row.
var arrayFuncs = []*Func{
	strict("CARDINALITY", "array | map | ms", gives(intType), fixed(cardinality)),
	{Name: "ELEMENT", Strict: true, Fails: true, Kernel: fixed(element), Resolve: takes("ELEMENT", "array | ms",
		func(_ []Arg, types []column.Type) (column.Type, error) { return types[0].Elem.Nullable(true), nil })},
	strict("ARRAY_DISTINCT", "array", givesArg(0), chosen(1, func(c *chooser) { c.takeAll(0, true) })),
	strict("ARRAY_REVERSE", "array", givesArg(0), chosen(1, func(c *chooser) {
		for e := c.to(0) - 1; e >= c.from(0); e-- {
			c.take(0, e)
		}
	})),
	strict("ARRAY_SLICE", "array int int?", givesArg(0), chosen(1, sliceOf)),
	{Name: "ARRAY_SORT", Strict: true, Resolve: resolveSort, Kernel: chosen(1, sortOf)},
	{Name: "ARRAY_UNION", Strict: true, Resolve: resolveArrays(2, 2), Kernel: chosen(2, func(c *chooser) {
		c.takeAll(0, true)
		c.takeAll(1, true)
	})},
	{Name: "ARRAY_EXCEPT", Strict: true, Resolve: resolveArrays(2, 2), Kernel: chosen(2, func(c *chooser) { c.takeIf(false) })},
	{Name: "ARRAY_INTERSECT", Strict: true, Resolve: resolveArrays(2, 2), Kernel: chosen(2, func(c *chooser) { c.takeIf(true) })},
	{Name: "ARRAY_CONCAT", Strict: true, Resolve: resolveArrays(1, 1<<30), Kernel: func(s *Site) (Kernel, error) {
		return chosen(len(s.Args), func(c *chooser) {
			for k := range c.args {
				c.takeAll(k, false)
			}
		})(s)
	}},
	{Name: "ARRAY_APPEND", Resolve: resolveExtend, Kernel: chosen(2, func(c *chooser) {
		c.takeAll(0, false)
		c.take(1, c.row)
	})},
	{Name: "ARRAY_PREPEND", Resolve: resolveExtend, Kernel: chosen(2, func(c *chooser) {
		c.take(1, c.row)
		c.takeAll(0, false)
	})},
	{Name: "ARRAY_REMOVE", Resolve: resolveNeedle(func(arr column.Type) column.Type { return arr }), Kernel: chosen(1, func(c *chooser) {
		for e := c.from(0); e < c.to(0); e++ {
			if CompareNullable(c.args[0].Kids[0], e, c.args[1], c.row) != 0 {
				c.take(0, e)
			}
		}
	})},
	{Name: "ARRAY_CONTAINS", Kernel: fixed(arrayContains), Resolve: resolveNeedle(func(arr column.Type) column.Type { return boolType })},
	{Name: "ARRAY_POSITION", Strict: true, Kernel: rowwise(arrayPosition), Resolve: func(args []Arg) (Signature, error) {
		sig, err := resolveNeedle(func(column.Type) column.Type { return intType })(args)
		sig.Result.NotNull = !anyNullable(args)
		return sig, err
	}},
	{Name: "ARRAY_MAX", Strict: true, Resolve: resolveArrayExtreme("ARRAY_MAX"), Kernel: arrayExtreme(1)},
	{Name: "ARRAY_MIN", Strict: true, Resolve: resolveArrayExtreme("ARRAY_MIN"), Kernel: arrayExtreme(-1)},
	{Name: "ARRAY_JOIN", Strict: true, Resolve: resolveJoin, Kernel: rowwise(arrayJoin)},
	strict("SPLIT", "text text", gives(column.ArrayType(textType)), func(*Site) (Kernel, error) { return listwise(splitText), nil }),
}

func cardinality(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
	out.Resize(n)
	v := args[0]
	for i := range n {
		if v.Type.ID != column.Multiset {
			out.I32[i] = v.Off[i+1] - v.Off[i]
			continue
		}
		out.I32[i] = 0
		for e := v.Off[i]; e < v.Off[i+1]; e++ {
			out.I32[i] += v.Kids[1].I32[e]
		}
	}
	return nil
}

// element is the only element, NULL if there is none.
func element(e *Eval, args []*column.Vector, n int, out *column.Vector) error {
	v := args[0]
	for i := range n {
		from, to := v.Off[i], v.Off[i+1]
		switch {
		case e.Skip(i) || from == to:
			out.Nulls(1)
		case to-from > 1:
			return fmt.Errorf("ELEMENT: the %s has more than one element: %d", v.Type.ID, to-from)
		default:
			v.Kids[0].Slice(out, int(from), int(from)+1)
		}
	}
	return nil
}

// chooser makes one list: of elements of the first arguments. An argument that is no list is its own only element.
type chooser struct {
	args  []*column.Vector
	bases []int32 // where the elements of each source begin among all
	picks []int32
	start int // of the row's picks
	row   int
}

func (c *chooser) from(k int) int { return int(c.args[k].Off[c.row]) }
func (c *chooser) to(k int) int   { return int(c.args[k].Off[c.row+1]) }

func (c *chooser) take(k, e int) { c.picks = append(c.picks, c.bases[k]+int32(e)) }

// whole is argument k as it is read by the row: a BIGINT or INT.
func (c *chooser) whole(k int) int64 { return integerAt(c.args[k], c.row) }

// takeAll takes a list, without what was taken before if once is set.
func (c *chooser) takeAll(k int, once bool) {
	for e := c.from(k); e < c.to(k); e++ {
		if !once || !c.taken(c.args[k].Kids[0], e) {
			c.take(k, e)
		}
	}
}

// taken reports whether the row has taken an equal element.
func (c *chooser) taken(v *column.Vector, e int) bool {
	for _, p := range c.picks[c.start:] {
		k := 0
		for k+1 < len(c.bases) && p >= c.bases[k+1] {
			k++
		}
		if CompareNullable(c.args[k].Kids[0], int(p-c.bases[k]), v, e) == 0 {
			return true
		}
	}
	return false
}

// takeIf takes the different elements of the first list that are, or are not, in the second.
func (c *chooser) takeIf(in bool) {
	a, b := c.args[0].Kids[0], c.args[1].Kids[0]
	for e := c.from(0); e < c.to(0); e++ {
		found := false
		for x := c.from(1); x < c.to(1) && !found; x++ {
			found = CompareNullable(a, e, b, x) == 0
		}
		if found == in && !c.taken(a, e) {
			c.take(0, e)
		}
	}
}

// chosen is the kernel of a function that makes lists of elements of its first arguments. If the call is not strict, a NULL list gives NULL.
func chosen(sources int, f func(c *chooser)) func(*Site) (Kernel, error) {
	return fixed(func(e *Eval, args []*column.Vector, n int, out *column.Vector) error {
		c := &chooser{args: args}
		var all *column.Vector // of several sources
		if sources > 1 {
			all = column.New(out.Kids[0].Type)
			defer all.Release()
		}
		for k := range sources {
			v, count := args[k], n
			if v.Store == column.Lists && v.Type.ID == column.Array && (k == 0 || !isElement(args, k)) {
				count = int(v.Off[n])
				v = v.Kids[0]
			}
			if all == nil {
				all = v
				c.bases = append(c.bases, 0)
				break
			}
			c.bases = append(c.bases, int32(all.Len))
			appendRows(all, v, count)
		}
		var nulls []int32
		for i := range n {
			c.row, c.start = i, len(c.picks)
			switch {
			case e.Skip(i):
			case args[0].IsNull(i):
				nulls = append(nulls, int32(i))
			default:
				f(c)
			}
			out.Off = append(out.Off, int32(len(c.picks)))
		}
		all.Gather(out.Kids[0], c.picks)
		out.Len = n
		for _, i := range nulls {
			out.SetNull(int(i))
		}
		return nil
	})
}

// isElement reports whether argument k is an element of the first argument, not a list like it.
func isElement(args []*column.Vector, k int) bool { return args[0].Type.Elem.Same(args[k].Type) }

// resolveArrays takes arrays, which get one type.
func resolveArrays(least, most int) func([]Arg) (Signature, error) {
	return func(args []Arg) (Signature, error) {
		if len(args) < least || len(args) > most {
			return Signature{}, fmt.Errorf("takes %d or more arrays, got %d arguments", least, len(args))
		}
		t, err := commonOfArgs(args, 0, 1)
		if err != nil || t.ID != column.Array {
			types := make([]column.Type, len(args))
			for i := range args {
				types[i] = args[i].Type
			}
			return Signature{}, fmt.Errorf("takes arrays of a common type, got (%s)", typeList(types))
		}
		sig := Signature{Result: t.Nullable(anyNullable(args))}
		for range args {
			sig.Args = append(sig.Args, t)
		}
		return sig, nil
	}
}

// resolveNeedle takes an array and what becomes an element of it. The result is NULL where the array is.
func resolveNeedle(result func(arr column.Type) column.Type) func([]Arg) (Signature, error) {
	return func(args []Arg) (Signature, error) {
		if len(args) != 2 || args[0].Type.ID != column.Array {
			return Signature{}, errors.New("takes an array and an element of it")
		}
		arr, needle := args[0].Type, args[1].Type
		if needle.ID == column.Null {
			needle = arr.Elem.Nullable(true)
		} else if !becomesElement(needle, *arr.Elem) {
			return Signature{}, fmt.Errorf("takes an array and an element of it, got %s and %s", arr, needle)
		} else {
			needle = arr.Elem.Nullable(!needle.NotNull)
		}
		return Signature{[]column.Type{arr, needle}, result(arr).Nullable(!arr.NotNull)}, nil
	}
}

func becomesElement(t, elem column.Type) bool {
	return ImplicitlyCastable(t, elem) || elem.ID == column.Null
}

// resolveExtend: an element that can be NULL makes the elements nullable.
func resolveExtend(args []Arg) (Signature, error) {
	sig, err := resolveNeedle(func(arr column.Type) column.Type { return arr })(args)
	if err != nil {
		return sig, err
	}
	elem := sig.Args[0].Elem.Nullable(!sig.Args[0].Elem.NotNull || !sig.Args[1].NotNull)
	sig.Args[0] = column.ArrayType(elem).Nullable(!args[0].Type.NotNull)
	sig.Args[1] = elem.Nullable(!sig.Args[1].NotNull)
	sig.Result = sig.Args[0]
	return sig, nil
}

func arrayContains(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
	out.Resize(n)
	v, needle := args[0], args[1]
	for i := range n {
		if v.IsNull(i) {
			out.SetNull(i)
			continue
		}
		found := false
		for e := v.Off[i]; e < v.Off[i+1] && !found; e++ {
			found = CompareNullable(v.Kids[0], int(e), needle, i) == 0
		}
		out.Bool[i] = found
	}
	return nil
}

func arrayPosition(r *row) error {
	v := r.args[0]
	for e := v.Off[r.i]; e < v.Off[r.i+1]; e++ {
		if CompareNullable(v.Kids[0], int(e), r.args[1], r.i) == 0 {
			return r.setWhole(int64(e-v.Off[r.i]) + 1)
		}
	}
	return r.setWhole(0)
}

// sliceOf is ARRAY_SLICE(array, from [, to]): both ends count, from 1, or from the end if negative; 0 is 1.
func sliceOf(c *chooser) {
	n := int64(c.to(0) - c.from(0))
	place := func(x int64) int64 {
		switch {
		case x == 0:
			return 1
		case x < 0:
			return n + x + 1
		}
		return x
	}
	from, to := max(place(c.whole(1)), 1), n
	if len(c.args) > 2 {
		to = min(place(c.whole(2)), n)
	}
	for e := from; e <= to; e++ {
		c.take(0, c.from(0)+int(e)-1)
	}
}

func resolveSort(args []Arg) (Signature, error) {
	sig, err := takes("ARRAY_SORT", "array bool? bool?", givesArg(0))(args)
	if err == nil && !ordered(*sig.Args[0].Elem) {
		err = fmt.Errorf("elements of type %s cannot be compared", *sig.Args[0].Elem)
	}
	return sig, err
}

// sortOf is ARRAY_SORT(array [, ascending [, nulls first]]): NULLs come first in ascending order and last in descending.
func sortOf(c *chooser) {
	ascending := len(c.args) < 2 || c.args[1].Bool[c.row]
	nullsFirst := ascending
	if len(c.args) > 2 {
		nullsFirst = c.args[2].Bool[c.row]
	}
	c.takeAll(0, false)
	v := c.args[0].Kids[0]
	slices.SortStableFunc(c.picks[c.start:], func(a, b int32) int {
		an, bn := v.IsNull(int(a)), v.IsNull(int(b))
		switch {
		case an || bn:
			order := boolInt(bn) - boolInt(an)
			if !nullsFirst {
				order = -order
			}
			return order
		case ascending:
			return CompareAt(v, int(a), v, int(b))
		}
		return CompareAt(v, int(b), v, int(a))
	})
}

func resolveArrayExtreme(name string) func([]Arg) (Signature, error) {
	return takes(name, "array", func(_ []Arg, types []column.Type) (column.Type, error) {
		if !ordered(*types[0].Elem) {
			return column.Type{}, fmt.Errorf("elements of type %s cannot be compared", *types[0].Elem)
		}
		return types[0].Elem.Nullable(true), nil
	})
}

// arrayExtreme passes NULL elements over; of no elements it is NULL.
func arrayExtreme(sign int) func(*Site) (Kernel, error) {
	return fixed(func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		v, kid := args[0], args[0].Kids[0]
		for i := range n {
			best := int32(-1)
			for e := v.Off[i]; e < v.Off[i+1]; e++ {
				if !kid.IsNull(int(e)) && (best < 0 || CompareAt(kid, int(e), kid, int(best))*sign > 0) {
					best = e
				}
			}
			if best < 0 {
				out.Nulls(1)
			} else {
				kid.Slice(out, int(best), int(best)+1)
			}
		}
		return nil
	})
}

func resolveJoin(args []Arg) (Signature, error) {
	sig, err := takes("ARRAY_JOIN", "array text text?", gives(textType))(args)
	if err == nil && !sig.Args[0].Elem.IsText() {
		err = fmt.Errorf("joins an array of character strings, got %s", sig.Args[0])
	}
	return sig, err
}

// arrayJoin leaves NULL elements out, or puts argument 2 in their place.
func arrayJoin(r *row) error {
	v, b, first := r.args[0], r.free(), true
	for e := int(v.Off[r.i]); e < int(v.Off[r.i+1]); e++ {
		null := v.Kids[0].IsNull(e)
		if null && !r.has(2) {
			continue
		}
		if !first {
			b = append(b, r.text(1)...)
		}
		if first = false; null {
			b = append(b, r.text(2)...)
		} else {
			b = append(b, v.Kids[0].Str[e]...)
		}
	}
	return r.setBytes(b)
}

// splitText: an empty delimiter splits between all characters.
func splitText(r *row, out *column.Vector) (bool, error) {
	s, sep := r.text(0), r.text(1)
	for sep == "" && s != "" {
		end := runeOffset(s, 1)
		out.Append(s[:end])
		s = s[end:]
	}
	for more := sep != ""; more; {
		var part string
		part, s, more = strings.Cut(s, sep)
		out.Append(part)
	}
	return true, nil
}
