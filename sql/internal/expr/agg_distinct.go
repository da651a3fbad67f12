package expr

import (
	enc "encoding/binary"
	"maps"
	"slices"
	"unsafe"

	"github.com/flottio/flott/column"
)

// DistinctAgg makes of an aggregate one that folds equal arguments once, and keeps in each of its states what it has seen. Rows in which an argument
// is NULL are left out. For operators that have no table for it.
func DistinctAgg(acc Accumulator, args []Expr) ObjectAccumulator {
	d := &distinctAcc{acc: acc}
	d.object, _ = acc.(ObjectAccumulator)
	for i, a := range args {
		if _, ok := a.(*Literal); !ok {
			d.args = append(d.args, i)
			d.codec.Types = append(d.codec.Types, a.Type())
		}
	}
	d.codec.Canonical = true
	d.all = make([]*column.Vector, len(args))
	d.cols = make([]*column.Vector, len(d.args))
	return d
}

type distinctAcc struct {
	NoWords
	acc    Accumulator
	object ObjectAccumulator // acc, if it is one
	codec  column.RowCodec
	args   []int // that are columns
	cols   []*column.Vector
	all    []*column.Vector
	buf    []byte
	at     [1]unsafe.Pointer
	rows   [1]int32
	signs  []int64
}

func (d *distinctAcc) New() Object {
	o := &distinctObject{acc: d, seen: map[string]int64{}}
	if d.object != nil {
		o.object = d.object.New()
	} else {
		o.words = make([]uint64, max(1, d.acc.Words()))
	}
	return o
}

func (d *distinctAcc) ResultOf(o Object, out *column.Vector) error {
	x := o.(*distinctObject)
	if d.object != nil {
		return d.object.ResultOf(x.object, out)
	}
	d.at[0] = unsafe.Pointer(&x.words[0])
	return d.acc.Result(States{At: d.at[:]}, out)
}

// distinctObject is what was seen, how often, and the state of the aggregate.
type distinctObject struct {
	acc    *distinctAcc
	seen   map[string]int64
	words  []uint64
	object Object
}

func (o *distinctObject) Update(args []*column.Vector, row int, retract bool) error {
	d := o.acc
	for i, a := range d.args {
		if d.cols[i] = args[a]; args[a].IsNull(row) {
			return nil
		}
	}
	d.buf = d.codec.Append(d.buf[:0], d.cols, row)
	n := o.seen[string(d.buf)]
	switch {
	case !retract:
		o.seen[string(d.buf)] = n + 1
		if n > 0 {
			return nil
		}
	case n == 0:
		return nil
	case n > 1:
		o.seen[string(d.buf)] = n - 1
		return nil
	default:
		delete(o.seen, string(d.buf))
	}
	return o.fold(args, row, retract)
}

// fold passes a row on.
func (o *distinctObject) fold(args []*column.Vector, row int, retract bool) error {
	d := o.acc
	if o.object != nil {
		return o.object.Update(args, row, retract)
	}
	var signs []int64
	if retract {
		for len(d.signs) <= row {
			d.signs = append(d.signs, -1)
		}
		signs = d.signs
	}
	d.at[0], d.rows[0] = unsafe.Pointer(&o.words[0]), int32(row)
	return d.acc.Update(&AggInput{States: States{At: d.at[:]}, Rows: d.rows[:], Args: args, Signs: signs})
}

// Merge folds the values that only from has seen, in the order of their bytes: a sum of floats must not depend on a map.
func (o *distinctObject) Merge(from Object) error {
	d, f := o.acc, from.(*distinctObject)
	for _, k := range slices.Sorted(maps.Keys(f.seen)) {
		n := o.seen[k]
		o.seen[k] = n + f.seen[k]
		if n > 0 {
			continue
		}
		clear(d.all)
		for i, a := range d.args {
			d.cols[i] = column.New(d.codec.Types[i])
			d.all[a] = d.cols[i]
		}
		_, err := d.codec.Decode(k, d.cols)
		if err == nil {
			err = o.fold(d.all, 0, false)
		}
		for _, v := range d.cols {
			v.Release()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (o *distinctObject) Append(dst []byte) []byte {
	dst = enc.AppendUvarint(dst, uint64(len(o.seen)))
	for _, k := range slices.Sorted(maps.Keys(o.seen)) {
		dst = append(enc.AppendUvarint(dst, uint64(len(k))), k...)
		dst = enc.AppendVarint(dst, o.seen[k])
	}
	if o.object != nil {
		return o.object.Append(dst)
	}
	for _, w := range o.words {
		dst = enc.LittleEndian.AppendUint64(dst, w)
	}
	return dst
}

func (o *distinctObject) Decode(src []byte) error {
	n, took := enc.Uvarint(src)
	if took <= 0 || n > uint64(len(src)) {
		return errState
	}
	src = src[took:]
	for range n {
		k, rest, err := takeBytes(src)
		if err != nil {
			return err
		}
		times, took := enc.Varint(rest)
		if took <= 0 {
			return errState
		}
		o.seen[string(k)] = times
		src = rest[took:]
	}
	if o.object != nil {
		return o.object.Decode(src)
	}
	if len(src) != 8*len(o.words) {
		return errState
	}
	for i := range o.words {
		o.words[i] = enc.LittleEndian.Uint64(src[8*i:])
	}
	return nil
}
