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
