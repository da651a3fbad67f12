package record

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/schema"
)

// TestColumnsTravel sends batches of columns through frames and checks what arrives; damaged frames are refused and never panic.
func TestColumnsTravel(t *testing.T) {
	const seed = 5
	r := rand.New(rand.NewPCG(seed, 0))
	types := []column.Type{column.Of(column.BigInt), column.StringType(), column.ArrayType(column.Of(column.Int))}
	f := Frames{Body: NewColumnsCodec(types)}
	for round := range 50 {
		b := NewColumns(types)
		for i := range r.IntN(60) {
			var id any = int64(i)
			if r.IntN(4) == 0 {
				id = nil
			}
			b.AppendRow(schema.RowKind(r.IntN(4)*(round%2)), id, "text"[:r.IntN(4)], []any{int32(i), nil})
		}
		b.Head.Hashes = append(b.Head.Hashes, make([]uint64, b.N)...)
		data, err := f.Append(nil, &Element{Kind: KindBatch, Batch: b})
		if err != nil {
			t.Fatal(err)
		}
		e, n, err := f.Decode(data)
		if err != nil || n != len(data) {
			t.Fatalf("seed %d, round %d: %v", seed, round, err)
		}
		got := e.Batch.(*Columns)
		if got.N != b.N || len(got.Head.Hashes) != b.N {
			t.Fatalf("seed %d, round %d: %d rows of %d", seed, round, got.N, b.N)
		}
		for i := range b.N {
			if !reflect.DeepEqual(got.Row(i), b.Row(i)) || got.Kind(i) != b.Kind(i) {
				t.Fatalf("seed %d, round %d: row %d: %v, want %v", seed, round, i, got.At(i), b.At(i))
			}
		}
		body := f.Body.Append(nil, b)
		for range 20 {
			bad := append([]byte(nil), body...)
			bad[r.IntN(len(bad))] ^= byte(1 + r.IntN(255))
			if x, err := f.Body.Decode(bad[:r.IntN(len(bad)+1)], b.N); err == nil {
				x.Release()
			}
		}
	}
}
