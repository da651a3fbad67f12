package expr

import (
	"errors"
	"fmt"
	"strings"

	"github.com/flottio/flott/column"
)

// Functions on maps, and on structured values, which are ROWs with the name of a class that says nothing here.
var mapFuncs = []*Func{
	{Name: "MAP_KEYS", Strict: true, Kernel: mapPart(0), Resolve: takes("MAP_KEYS", "map",
		func(args []Arg, types []column.Type) (column.Type, error) {
			return column.ArrayType(*types[0].Key).Nullable(anyNullable(args)), nil
		})},
	{Name: "MAP_VALUES", Strict: true, Kernel: mapPart(1), Resolve: takes("MAP_VALUES", "map",
		func(args []Arg, types []column.Type) (column.Type, error) {
			return column.ArrayType(*types[0].Elem).Nullable(anyNullable(args)), nil
		})},
	{Name: "MAP_ENTRIES", Strict: true, Kernel: fixed(mapEntries), Resolve: takes("MAP_ENTRIES", "map",
		func(args []Arg, types []column.Type) (column.Type, error) {
			entry := column.RowType(column.Field{Name: "key", Type: *types[0].Key}, column.Field{Name: "value", Type: *types[0].Elem})
			return column.ArrayType(entry).Nullable(anyNullable(args)), nil
		})},
	{Name: "MAP_FROM_ARRAYS", Strict: true, Fails: true, Kernel: fixed(mapFromArrays), Resolve: takes("MAP_FROM_ARRAYS", "array array",
		func(args []Arg, types []column.Type) (column.Type, error) {
			return column.MapType(*types[0].Elem, *types[1].Elem).Nullable(anyNullable(args)), nil
		})},
	{Name: "MAP_UNION", Strict: true, Kernel: fixed(mapUnion), Resolve: resolveMapUnion},
	{Name: "STR_TO_MAP", Strict: true, Fails: true, Kernel: strToMapKernel,
		Resolve: takes("STR_TO_MAP", "text text? text?", gives(column.MapType(textType, textType)))},
	{Name: "OBJECT_OF", Kernel: fixed(objectKernel), Resolve: resolveObject},
	{Name: "OBJECT_UPDATE", Strict: false, Kernel: objectUpdate, Resolve: resolveObjectUpdate},
}

func mapPart(k int) func(*Site) (Kernel, error) {
	return fixed(func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		v := args[0]
		out.Off = append(out.Off[:0], v.Off[:n+1]...)
		v.Kids[k].Slice(out.Kids[0], 0, int(v.Off[n]))
		out.Len = n
		return nil
	})
}

func mapEntries(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
	v, entries := args[0], out.Kids[0]
	out.Off = append(out.Off[:0], v.Off[:n+1]...)
	for k := range v.Kids {
		v.Kids[k].Slice(entries.Kids[k], 0, int(v.Off[n]))
	}
	entries.Len = int(v.Off[n])
	out.Len = n
	return nil
}

// mapBuilder collects entries by their places in two vectors; the last value of a key stays.
type mapBuilder struct {
	keys, values *column.Vector
	at           []int32
	start        int
}

func (b *mapBuilder) put(key, value int32, places map[int32]int32) {
	for j, p := range b.at[b.start:] {
		if CompareNullable(b.keys, int(p), b.keys, int(key)) == 0 {
			b.at[b.start+j] = key
			places[key] = value
			return
		}
	}
	b.at = append(b.at, key)
	places[key] = value
}

func mapFromArrays(e *Eval, args []*column.Vector, n int, out *column.Vector) error {
	k, v := args[0], args[1]
	b := &mapBuilder{keys: k.Kids[0], values: v.Kids[0]}
	places := map[int32]int32{}
	for i := range n {
		b.start = len(b.at)
		if !e.Skip(i) {
			kn, vn := k.Off[i+1]-k.Off[i], v.Off[i+1]-v.Off[i]
			if kn != vn {
				return fmt.Errorf("MAP_FROM_ARRAYS: the length of the keys array %d is not equal to the length of the values array %d", kn, vn)
			}
			for x := range kn {
				b.put(k.Off[i]+x, v.Off[i]+x, places)
			}
		}
		out.Off = append(out.Off, int32(len(b.at)))
	}
	b.finish(out, places, n)
	return nil
}

func (b *mapBuilder) finish(out *column.Vector, places map[int32]int32, n int) {
	values := make([]int32, len(b.at))
	for i, k := range b.at {
		values[i] = places[k]
	}
	b.keys.Gather(out.Kids[0], b.at)
	b.values.Gather(out.Kids[1], values)
	out.Len = n
}

func resolveMapUnion(args []Arg) (Signature, error) {
	if len(args) == 0 {
		return Signature{}, errors.New("takes at least 1 map")
	}
	t, err := commonOfArgs(args, 0, 1)
	if err != nil || t.ID != column.Map {
		return Signature{}, errors.New("takes maps of a common type")
	}
	sig := Signature{Result: t.Nullable(anyNullable(args))}
	for range args {
		sig.Args = append(sig.Args, t)
	}
	return sig, nil
}

func mapUnion(e *Eval, args []*column.Vector, n int, out *column.Vector) error {
	keys, values := column.New(out.Kids[0].Type), column.New(out.Kids[1].Type)
	defer keys.Release()
	defer values.Release()
	bases := make([]int32, len(args))
	for k, v := range args {
		bases[k] = int32(keys.Len)
		v.Kids[0].Slice(keys, 0, int(v.Off[n]))
		v.Kids[1].Slice(values, 0, int(v.Off[n]))
	}
	b := &mapBuilder{keys: keys, values: values}
	places := map[int32]int32{}
	for i := range n {
		b.start = len(b.at)
		for k, v := range args {
			if e.Skip(i) {
				break
			}
			for x := v.Off[i]; x < v.Off[i+1]; x++ {
				b.put(bases[k]+x, bases[k]+x, places)
			}
		}
		out.Off = append(out.Off, int32(len(b.at)))
	}
	b.finish(out, places, n)
	return nil
}

// strToMapKernel: both delimiters are regular expressions, ',' and '=' by default. A part without the second one has the value NULL.
func strToMapKernel(s *Site) (Kernel, error) {
	delimiters := []*patternCache{nil, nil}
	for k := range delimiters {
		if k+1 < len(s.Args) {
			c, err := newPatternCache(s, k+1)
			if err != nil {
				return nil, err
			}
			delimiters[k] = c
		}
	}
	split := func(r *row, k int, s, missing string, limit int) ([]string, error) {
		if delimiters[k] == nil {
			return strings.SplitN(s, missing, limit), nil
		}
		p, err := delimiters[k].get(r.text(k + 1))
		if err != nil || p == nil {
			return nil, errors.Join(fmt.Errorf("STR_TO_MAP: %.60q is not a regular expression", r.text(k+1)), err)
		}
		return p.Split(s, limit), nil
	}
	r := &row{}
	return func(e *Eval, args []*column.Vector, n int, out *column.Vector) error {
		r.e, r.args = e, args
		for i := range n {
			m := column.MapValue{}
			at := map[string]int{}
			if r.i = i; !e.Skip(i) && r.text(0) != "" {
				parts, err := split(r, 0, r.text(0), ",", -1)
				if err != nil {
					return err
				}
				for len(parts) > 1 && parts[len(parts)-1] == "" {
					parts = parts[:len(parts)-1]
				}
				for _, part := range parts {
					kv, err := split(r, 1, part, "=", 2)
					if err != nil {
						return err
					}
					var value any
					if len(kv) > 1 {
						value = kv[1]
					}
					if j, ok := at[kv[0]]; ok {
						m.Values[j] = value
						continue
					}
					at[kv[0]] = len(m.Keys)
					m.Keys, m.Values = append(m.Keys, kv[0]), append(m.Values, value)
				}
			}
			out.Append(m)
		}
		return nil
	}, nil
}

// resolveObject: OBJECT_OF(class, name, value, ...) is a ROW with these fields.
func resolveObject(args []Arg) (Signature, error) {
	if len(args)%2 == 0 || len(args) == 0 {
		return Signature{}, errors.New("takes the name of a class and pairs of field name and value")
	}
	sig := Signature{Result: column.Type{ID: column.Row, NotNull: true}}
	seen := map[string]bool{}
	for i, a := range args {
		sig.Args = append(sig.Args, a.Type)
		if i%2 == 0 && i > 0 {
			sig.Result.Fields[len(sig.Result.Fields)-1].Type = a.Type
			continue
		}
		name, ok := literalText(a)
		if !ok && i == 0 {
			return sig, errors.New("the name of the class must be a character string literal that is not NULL")
		}
		if !ok {
			return sig, fmt.Errorf("the field name at position %d must be a character string literal that is not NULL", i+1)
		}
		if i > 0 {
			if seen[name] {
				return sig, fmt.Errorf("the field %q comes twice", name)
			}
			seen[name] = true
			sig.Result.Fields = append(sig.Result.Fields, column.Field{Name: name})
		}
	}
	return sig, nil
}

func literalText(a Arg) (string, bool) {
	if a.Literal == nil {
		return "", false
	}
	s, ok := a.Literal.Value.(string)
	return s, ok
}

func objectKernel(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
	for k := range out.Kids {
		appendRows(out.Kids[k], args[2*k+2], n)
	}
	out.Len = n
	return nil
}

// resolveObjectUpdate: OBJECT_UPDATE(object, name, value, ...) is the object with other values in some fields.
func resolveObjectUpdate(args []Arg) (Signature, error) {
	if len(args) < 3 || len(args)%2 == 0 || args[0].Type.ID != column.Row {
		return Signature{}, errors.New("takes a structured value and pairs of field name and value")
	}
	t := args[0].Type
	t.Fields = append([]column.Field(nil), t.Fields...)
	sig := Signature{Args: []column.Type{args[0].Type}}
	for i := 1; i < len(args); i += 2 {
		name, _ := literalText(args[i])
		at := fieldAt(t, name)
		if at < 0 {
			return sig, fmt.Errorf("%s has no field %q", t, name)
		}
		t.Fields[at].Type = args[i+1].Type
		sig.Args = append(sig.Args, args[i].Type, args[i+1].Type)
	}
	sig.Result = t
	return sig, nil
}

func fieldAt(t column.Type, name string) int {
	for i, f := range t.Fields {
		if f.Name == name {
			return i
		}
	}
	return -1
}

func objectUpdate(s *Site) (Kernel, error) {
	source := make([]int, len(s.Result.Fields)) // the argument a field comes from; 0 for the object
	for i := 1; i < len(s.Args); i += 2 {
		v, _ := constantOf(s.Args[i], s.Env)
		name, _ := v.(string)
		source[fieldAt(s.Result, name)] = i + 1
	}
	return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		for k, from := range source {
			v := args[from]
			if from == 0 {
				v = v.Kids[k]
			}
			appendRows(out.Kids[k], v, n)
		}
		out.Len = n
		for i := range n {
			if args[0].IsNull(i) {
				out.SetNull(i)
			}
		}
		return nil
	}, nil
}
