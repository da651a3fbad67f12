package exec

import (
	"strconv"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/schema"
)

// keyed makes the keys of a batch for ordered state: of all rows, or, where NULL equals nothing, of those without NULL.
type keyed[K comparable] struct {
	layout *keyLayout
	strict []bool // by key column: NULL equals nothing

	rows   []int32 // of the batch, one for each key
	keys   []K
	hashes []uint64
	vecs   []*column.Vector
}

// newKeyed describes the key columns; strict nil lets NULL be a value.
func newKeyed[K comparable](types []column.Type, strict []bool) *keyed[K] {
	types = append([]column.Type(nil), types...)
	for i := range strict {
		types[i].NotNull = types[i].NotNull || strict[i]
	}
	return &keyed[K]{layout: newKeyLayout(keySpec{types: types, lead: len(types)}), strict: strict}
}

// keyWords is the number of words of the keys of the types, 0 for bytes.
func keyWords(types []column.Type, strict []bool) int {
	return newKeyed[string](types, strict).layout.words
}

// take makes the keys of the batch's rows from the columns at the places.
func (k *keyed[K]) take(in *record.Columns, places []int) {
	n := in.N
	k.vecs = k.vecs[:0]
	for _, c := range places {
		k.vecs = append(k.vecs, in.Cols[c])
	}
	k.hashes = atLeast(k.hashes, n)
	if len(in.Head.Hashes) == n {
		copy(k.hashes, in.Head.Hashes)
	} else {
		column.Hash(k.vecs, n, k.hashes)
	}
	k.rows = atLeast(k.rows, n)
	for i := range k.rows {
		k.rows[i] = int32(i)
	}
	if !k.hasNull() {
		k.keys = atLeast(k.keys, n)
		pack(k.layout, k.vecs, n, k.keys)
		return
	}
	m := 0
	for i := range n {
		k.rows[m], k.hashes[m] = int32(i), k.hashes[i]
		if !k.nullAt(i) {
			m++
		}
	}
	k.rows, k.hashes, k.keys = k.rows[:m], k.hashes[:m], atLeast(k.keys, m)
	for c, v := range k.vecs {
		dense := column.New(v.Type)
		v.Gather(dense, k.rows)
		k.vecs[c] = dense
	}
	pack(k.layout, k.vecs, m, k.keys)
	for _, v := range k.vecs {
		v.Release()
	}
}

func (k *keyed[K]) hasNull() bool {
	for c, v := range k.vecs {
		if k.strict != nil && k.strict[c] && v.HasNulls() {
			return true
		}
	}
	return false
}

func (k *keyed[K]) nullAt(i int) bool {
	for c, v := range k.vecs {
		if k.strict[c] && v.IsNull(i) {
			return true
		}
	}
	return false
}

func atLeast[E any](s []E, n int) []E {
	if cap(s) < n {
		return make([]E, n, max(n, column.BatchRows))
	}
	return s[:n]
}

// rowsSchema describes stored rows, so that state with other columns is refused at a restore.
func rowsSchema(kind string, types []column.Type) *schema.Type {
	t := &schema.Type{Kind: schema.Struct, Fields: []schema.Field{{Name: "kind " + kind, Type: schema.Scalar(schema.Bytes)}}}
	for i, of := range types {
		f := schema.Field{Name: "column " + strconv.Itoa(i), Type: &schema.Type{Kind: schema.Custom, Name: of.Nullable(true).String()}}
		t.Fields = append(t.Fields, f)
	}
	return t
}

// typesAt are the types at the places.
func typesAt(types []column.Type, places []int) []column.Type {
	out := make([]column.Type, len(places))
	for i, p := range places {
		out[i] = types[p]
	}
	return out
}

// colsAt are the columns at the places, in the memory of dst.
func colsAt(dst, cols []*column.Vector, places []int) []*column.Vector {
	dst = dst[:0]
	for _, p := range places {
		dst = append(dst, cols[p])
	}
	return dst
}

// registerRows adds ordered state under the keys.
func (k *keyed[K]) registerRows(b *state.Backend, p state.OrderedPlace) (*state.Ordered[K], error) {
	return state.RegisterOrdered(b, p, describeKeys[K, struct{}](k.layout))
}
