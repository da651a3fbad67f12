package column

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestDecodeAllIsDecode(t *testing.T) {
	b := NewBatch([]Type{StringType(), Of(BigInt), {ID: Array, Elem: &Type{ID: Int}}, Of(Double), {ID: Decimal, Precision: 30}})
	long := strings.Repeat("long ", 100)
	b.AppendRow(0, "a", int64(1), []any{int32(1), nil}, 2.5, Int128From(7))
	b.AppendRow(0, nil, nil, nil, nil, nil)
	b.AppendRow(0, long, int64(-1), []any{}, math.Inf(1), Int128From(-7))
	c := RowCodec{Types: b.Types()}
	var rows []string
	for i := range b.N {
		rows = append(rows, string(c.Append(nil, b.Cols, i)))
	}
	got := NewBatch(c.Types)
	if _, err := c.DecodeAll(rows, got.Cols, nil); err != nil {
		t.Fatal(err)
	}
	for i := range b.N {
		for k, v := range b.Cols {
			if w := got.Cols[k]; w.Len != b.N || !slices.EqualFunc([]any{v.At(i)}, []any{w.At(i)}, sameValue) {
				t.Errorf("row %d, column %d: %v, want %v", i, k, w.At(i), v.At(i))
			}
		}
	}
	for i, r := range rows {
		for cut := range len(r) {
			damaged := NewBatch(c.Types)
			if _, err := c.DecodeAll([]string{r[:cut]}, damaged.Cols, nil); err == nil {
				t.Fatalf("row %d cut to %d of %d bytes was read", i, cut, len(r))
			}
		}
	}
}

func sameValue(a, b any) bool {
	x, isList := a.([]any)
	y, too := b.([]any)
	if isList && too {
		return slices.EqualFunc(x, y, sameValue)
	}
	return !isList && !too && a == b
}

func TestGatherOuter(t *testing.T) {
	v := New(Of(BigInt))
	v.I64, v.Len = []int64{10, 11, 12}, 3
	dst := New(Of(BigInt))
	v.GatherOuter(dst, []int32{-1, 2, 0, -1, -1, 1})
	want := []any{nil, int64(12), int64(10), nil, nil, int64(11)}
	for i, w := range want {
		if dst.At(i) != w {
			t.Errorf("%d: %v, want %v", i, dst.At(i), w)
		}
	}
}
