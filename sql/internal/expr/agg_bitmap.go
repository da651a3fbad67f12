package expr

import (
	"fmt"

	"github.com/flottio/flott/column"
)

// The bitmap aggregates: a bitmap of numbers, or several combined; as such, or as the number of elements. NULL when there was no value.
var bitmapAggs = []*Agg{
	bitmapAgg("BITMAP_BUILD_AGG", column.Int, false, nil), bitmapAgg("BITMAP_BUILD_CARDINALITY_AGG", column.Int, true, nil),
	bitmapAgg("BITMAP_AND_AGG", column.Bitmap, false, (*bitmap).and), bitmapAgg("BITMAP_AND_CARDINALITY_AGG", column.Bitmap, true, (*bitmap).and),
	bitmapAgg("BITMAP_OR_AGG", column.Bitmap, false, (*bitmap).or), bitmapAgg("BITMAP_OR_CARDINALITY_AGG", column.Bitmap, true, (*bitmap).or),
	bitmapAgg("BITMAP_XOR_AGG", column.Bitmap, false, (*bitmap).xor), bitmapAgg("BITMAP_XOR_CARDINALITY_AGG", column.Bitmap, true, (*bitmap).xor),
}

// bitmapAgg is an aggregate of bitmaps that op combines; nil: of whole numbers.
func bitmapAgg(name string, arg column.ID, count bool, op func(a, b *bitmap)) *Agg {
	of := column.Of(column.Bitmap)
	if count {
		of = column.Of(column.BigInt)
	}
	resolve := func(args []Arg) (Signature, error) {
		if err := wantArgs(args, 1, 1); err != nil {
			return Signature{}, err
		}
		t := args[0].Type
		if t.ID != arg && t.ID != column.Null && !(arg == column.Int && (t.ID == column.TinyInt || t.ID == column.SmallInt)) {
			return Signature{}, fmt.Errorf("expects %s, got %s", arg, t)
		}
		return Signature{Args: []column.Type{column.Of(arg).Nullable(!t.NotNull)}, Result: of}, nil
	}
	return &Agg{Name: name, Resolve: resolve, New: newList(listSpec{skipNulls: true, result: combined(count, op)})}
}

func combined(count bool, op func(a, b *bitmap)) func(*listAcc, *valueList, *column.Vector) error {
	return func(_ *listAcc, o *valueList, out *column.Vector) error {
		if len(o.values) == 0 {
			out.Nulls(1)
			return nil
		}
		cols, err := o.decode(o.values)
		if err != nil {
			return err
		}
		defer releaseAll(cols)
		all := &bitmap{}
		for i := range o.values {
			if op == nil {
				all.add(uint32(cols[0].I32[i]))
				continue
			}
			one, err := readBitmap(cols[0].Str[i])
			switch {
			case err != nil:
				return err
			case i == 0:
				all = one
			default:
				op(all, one)
			}
		}
		if count {
			out.AppendInt(int64(all.count()))
		} else {
			out.AppendString(string(all.append(nil)))
		}
		return nil
	}
}
