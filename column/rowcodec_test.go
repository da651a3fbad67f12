package column

import (
	"bytes"
	"cmp"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

var everyType = []Type{
	Of(Boolean), Of(TinyInt), Of(SmallInt), Of(Int), Of(BigInt), Of(Float), Of(Double), DecimalType(10, 2), DecimalType(30, 5), StringType(),
	BytesType(), Of(Date), TimestampType(3), TimestampType(9), ArrayType(Of(Int)), MapType(StringType(), Of(BigInt)), MultisetType(StringType()),
	RowType(Field{Name: "a", Type: Of(Int)}, Field{Name: "b", Type: ArrayType(StringType())}),
}

func randomValue(r *rand.Rand, t Type) any {
	if r.IntN(5) == 0 {
		return nil
	}
	text := func() string { return "abc\x00xyz"[:r.IntN(8)] }
	switch t.Storage() {
	case Bools:
		return r.IntN(2) == 0
	case Int8s:
		return int8(r.Uint32())
	case Int16s:
		return int16(r.Uint32())
	case Int32s:
		return int32(r.Uint32())
	case Int64s:
		return int64(r.Uint64())
	case Float32s:
		return float32(r.NormFloat64())
	case Float64s:
		return r.NormFloat64()
	case Int128s:
		return Int128{r.Uint64(), int64(r.Uint64())}
	case Strings:
		return text()
	case Lists:
		list := []any{}
		for range r.IntN(4) {
			list = append(list, randomValue(r, *t.Elem))
		}
		return list
	case Maps:
		key, value := t.MapTypes()
		m := MapValue{[]any{}, []any{}}
		for range r.IntN(4) {
			m.Keys, m.Values = append(m.Keys, randomValue(r, key)), append(m.Values, randomValue(r, value))
		}
		return m
	case Structs:
		row := []any{}
		for _, f := range t.Fields {
			row = append(row, randomValue(r, f.Type))
		}
		return row
	}
	return nil
}

func TestRowsSurviveTheCodec(t *testing.T) {
	const seed = 11
	r := rand.New(rand.NewPCG(seed, 0))
	in := NewBatch(everyType)
	for range 500 {
		row := make([]any, len(everyType))
		for c, typ := range everyType {
			row[c] = randomValue(r, typ)
		}
		in.AppendRow(0, row...)
	}
	c, out := RowCodec{Types: everyType}, NewBatch(everyType)
	for i := range in.N {
		data := c.Append(nil, in.Cols, i)
		if n, err := c.Decode(string(data)+"tail", out.Cols); err != nil || n != len(data) {
			t.Fatalf("seed %d, row %d: read %d of %d bytes, %v", seed, i, n, len(data), err)
		}
		out.N++
		for cut := range data {
			scratch := NewBatch(everyType)
			if n, err := c.Decode(string(data[:cut]), scratch.Cols); err == nil {
				t.Fatalf("seed %d, row %d: cut at %d of %d, read %d bytes", seed, i, cut, len(data), n)
			}
		}
	}
	// Gather and Slice have to agree with reading value by value, too.
	var at []int32
	for range 700 {
		at = append(at, int32(r.IntN(in.N)))
	}
	gathered, sliced := NewBatch(everyType), NewBatch(everyType)
	in.Gather(&gathered, at)
	in.Slice(&sliced, 3, 200)
	in.Slice(&sliced, 100, 400)
	for i := range in.N {
		if a, b := in.Row(i), out.Row(i); !reflect.DeepEqual(a, b) {
			t.Fatalf("seed %d, row %d: %v came back as %v", seed, i, a, b)
		}
	}
	for j, i := range at {
		if a, b := in.Row(int(i)), gathered.Row(j); !reflect.DeepEqual(a, b) {
			t.Fatalf("seed %d, gathered row %d: %v, want %v", seed, j, b, a)
		}
	}
	for j := range sliced.N {
		i := 3 + j
		if j >= 197 {
			i = 100 + j - 197
		}
		if a, b := in.Row(i), sliced.Row(j); !reflect.DeepEqual(a, b) {
			t.Fatalf("seed %d, sliced row %d: %v, want %v", seed, j, b, a)
		}
	}
}

func TestSortKeysCompareAsValues(t *testing.T) {
	floats := []float64{math.Inf(-1), -1e300, -2, -1e-300, 0, 1e-300, 2, math.Inf(1), math.NaN()}
	v := New(Of(Double))
	for _, f := range floats {
		v.Append(f)
	}
	texts, s := []string{"", "\x00", "\x00\x00", "\x00a", "a", "a\x00", "a\x00b", "aa", "b"}, New(StringType())
	for _, x := range texts {
		s.Append(x)
	}
	for _, v := range []*Vector{v, s} {
		for i := range v.Len {
			for j := range v.Len {
				a, b := AppendSortKey(nil, v, i, false, false), AppendSortKey(nil, v, j, false, false)
				if bytes.Compare(a, b) != cmp.Compare(i, j) {
					t.Errorf("%v and %v compare as %d", v.At(i), v.At(j), bytes.Compare(a, b))
				}
				a, b = AppendSortKey(nil, v, i, true, false), AppendSortKey(nil, v, j, true, false)
				if bytes.Compare(a, b) != cmp.Compare(j, i) {
					t.Errorf("descending: %v and %v compare as %d", v.At(i), v.At(j), bytes.Compare(a, b))
				}
			}
		}
	}
}

// The hash of an encoded row is that of its columns, and an encoded row is as long as it is.
func TestHashOfEncodedRow(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for round := range 300 {
		types := make([]Type, 1+r.IntN(4))
		cols := make([]*Vector, len(types))
		for i := range types {
			types[i] = everyType[r.IntN(len(everyType))]
			cols[i] = New(types[i])
			cols[i].Append(randomValue(r, types[i]))
		}
		c := RowCodec{Types: types, Canonical: true}
		row := string(c.Append(nil, cols, 0))
		n := 1 + r.IntN(len(types))
		var want, whole [1]uint64
		Hash(cols[:n], 1, want[:])
		Hash(cols, 1, whole[:])
		lead, all := c.Hash(row+"xyz", n)
		if lead != want[0] || all != whole[0] {
			t.Fatalf("round %d, %v: %x %x, want %x %x", round, types, lead, all, want[0], whole[0])
		}
		if got, err := c.Skip(row + "xyz"); err != nil || got != len(row) {
			t.Fatalf("round %d, %v: %d bytes, %v, want %d", round, types, got, err, len(row))
		}
	}
}

// Sort keys lead back to their values.
func TestDecodeSortKey(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	for range 2000 {
		of := everyType[r.IntN(len(everyType))]
		switch of.Storage() {
		case Lists, Maps, Structs:
			continue
		}
		v, got := New(of), New(of)
		v.Append(randomValue(r, of))
		if err := DecodeSortKey(string(AppendSortKey(nil, v, 0, false, false)), got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(v.At(0), got.At(0)) {
			t.Fatalf("%v: %v, want %v", of, got.At(0), v.At(0))
		}
	}
}
