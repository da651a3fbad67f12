package expr

import (
	"fmt"

	"github.com/flottio/flott/column"
)

// tableFuncs are the functions that make rows.
//
//	UNNEST(x)               the elements of an array; entries of a map as key and value; elements of a multiset as often as they are in it.
//	                        Elements that are ROWs become columns.
//	UNNEST WITH ORDINALITY  the same with a last column ORDINALITY, from 1
var tableFuncs = map[string]*TableFunc{}

func init() {
	for _, f := range []*TableFunc{
		{Name: "UNNEST", Resolve: resolveUnnest(false), Make: makeUnnest(false)},
		{Name: "UNNEST WITH ORDINALITY", Resolve: resolveUnnest(true), Make: makeUnnest(true)},
	} {
		tableFuncs[f.Name] = f
	}
}

// LookupTable returns the table function of a name in upper case, nil if there is none.
func LookupTable(name string) *TableFunc { return tableFuncs[name] }

func resolveUnnest(ordinality bool) func([]Arg) (Signature, error) {
	return func(args []Arg) (Signature, error) {
		if len(args) != 1 {
			return Signature{}, fmt.Errorf("takes 1 argument, got %d", len(args))
		}
		t := args[0].Type
		out := column.Type{ID: column.Row, NotNull: true}
		switch t.ID {
		case column.Array, column.Multiset:
			if t.Elem.ID != column.Row {
				out.Fields = []column.Field{{Name: "f0", Type: *t.Elem}}
				break
			}
			for _, f := range t.Elem.Fields {
				f.Type.NotNull = f.Type.NotNull && t.Elem.NotNull
				out.Fields = append(out.Fields, f)
			}
		case column.Map:
			out.Fields = []column.Field{{Name: "f0", Type: *t.Key}, {Name: "f1", Type: *t.Elem}}
		default:
			return Signature{}, fmt.Errorf("expects ARRAY, MAP or MULTISET, got %s", t)
		}
		if ordinality {
			out.Fields = append(out.Fields, column.Field{Name: "ORDINALITY", Type: intType.Nullable(false)})
		}
		return Signature{[]column.Type{t}, out}, nil
	}
}

func makeUnnest(ordinality bool) func(*Site) (func(*Eval, []*column.Vector, int, *column.Batch) error, error) {
	return func(*Site) (func(*Eval, []*column.Vector, int, *column.Batch) error, error) {
		return func(_ *Eval, args []*column.Vector, i int, out *column.Batch) error {
			v := args[0]
			if v.IsNull(i) {
				return nil
			}
			from, to := int(v.Off[i]), int(v.Off[i+1])
			n := unnest(v, from, to, out)
			if ordinality {
				last := out.Cols[len(out.Cols)-1]
				for k := range n {
					last.Append(int32(k + 1))
				}
			}
			out.N += n
			return nil
		}, nil
	}
}

// unnest appends the elements from one place to another and returns how many rows they made.
func unnest(v *column.Vector, from, to int, out *column.Batch) int {
	columns := v.Kids
	if v.Type.ID == column.Multiset {
		columns = columns[:1]
	}
	if v.Type.ID != column.Map && v.Kids[0].Store == column.Structs {
		columns = v.Kids[0].Kids
	}
	if v.Type.ID != column.Multiset {
		for k, c := range columns {
			c.Slice(out.Cols[k], from, to)
		}
		return to - from
	}
	n := 0
	for e := from; e < to; e++ {
		times := int(v.Kids[1].I32[e])
		for k, c := range columns {
			out.Cols[k].Repeat(c, e, times)
		}
		n += times
	}
	return n
}
