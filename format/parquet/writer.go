package parquet

import (
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"unsafe"

	"github.com/parquet-go/parquet-go"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/format"
)

// fileWriter writes a file column by column: each batch's values go to the columns' pages at once.
type fileWriter struct {
	w       *parquet.Writer
	leaves  []*parquet.ColumnWriter
	fields  []*shape
	values  [][]parquet.Value // of each leaf, for the batch
	bytes   int64             // of the row group, about
	maximum int64
	failure error
}

// shape is a value's place among the leaves.
type shape struct {
	first, last int // leaves [first, last)
	rep         int // repetition level of a list's further elements
	kids        []*shape
	required    bool // keys of maps
}

// NewFile implements format.FileFormat.
func (f *fileFormat) NewFile(out io.Writer) (format.FileWriter, error) {
	w := &fileWriter{maximum: f.o.RowGroupBytes}
	w.w = parquet.NewWriter(out, f.schema, parquet.Compression(codecOf(f.o.Compression)))
	w.leaves = w.w.ColumnWriters()
	next := 0
	for _, c := range f.fields {
		w.fields = append(w.fields, newShape(c.Type, 0, &next))
	}
	w.values = make([][]parquet.Value, next)
	return w, nil
}

func newShape(t column.Type, rep int, next *int) *shape {
	s := &shape{first: *next}
	switch t.ID {
	case column.Array:
		s.rep = rep + 1
		s.kids = []*shape{newShape(*t.Elem, s.rep, next)}
	case column.Map, column.Multiset:
		s.rep = rep + 1
		k, v := t.MapTypes()
		s.kids = []*shape{newShape(k, s.rep, next), newShape(v, s.rep, next)}
		s.kids[0].required = true
	case column.Row:
		for _, f := range t.Fields {
			s.kids = append(s.kids, newShape(f.Type, rep, next))
		}
	default:
		*next++
	}
	s.last = *next
	return s
}

// Write implements format.FileWriter.
func (w *fileWriter) Write(cols []*column.Vector, at []int32) error {
	for i := range w.values {
		w.values[i] = w.values[i][:0]
	}
	for c, v := range cols {
		for _, i := range at {
			w.put(w.fields[c], v, int(i), 0, 0)
		}
	}
	if w.failure != nil {
		return w.failure
	}
	for i, leaf := range w.leaves {
		if _, err := leaf.WriteRowValues(w.values[i]); err != nil {
			return err
		}
	}
	if w.bytes < w.maximum {
		return nil
	}
	w.bytes = 0
	return w.w.Flush()
}

// put appends value i of v to its leaves. Every value is optional: a definition level more than where it stands says that it is there.
func (w *fileWriter) put(s *shape, v *column.Vector, i, rep, def int) {
	if v.IsNull(i) {
		if s.required {
			w.failure = errors.New("a key of a map is NULL, for which Parquet has no form")
		}
		w.missing(s, rep, def)
		return
	}
	if !s.required {
		def++
	}
	switch v.Store {
	case column.Structs:
		for k, kid := range v.Kids {
			w.put(s.kids[k], kid, i, rep, def)
		}
	case column.Lists, column.Maps:
		from, to := int(v.Off[i]), int(v.Off[i+1])
		if from == to {
			w.missing(s, rep, def)
		}
		for e := from; e < to; e++ {
			for k, kid := range v.Kids {
				w.put(s.kids[k], kid, e, rep, def+1)
			}
			rep = s.rep
		}
	default:
		w.values[s.first] = append(w.values[s.first], w.value(v, i).Level(rep, def, s.first))
	}
}

func (w *fileWriter) missing(s *shape, rep, def int) {
	for leaf := s.first; leaf < s.last; leaf++ {
		w.values[leaf] = append(w.values[leaf], parquet.NullValue().Level(rep, def, leaf))
	}
}

func (w *fileWriter) value(v *column.Vector, i int) parquet.Value {
	w.bytes += 8
	switch v.Store {
	case column.Bools:
		return parquet.BooleanValue(v.Bool[i])
	case column.Int8s:
		return parquet.Int32Value(int32(v.I8[i]))
	case column.Int16s:
		return parquet.Int32Value(int32(v.I16[i]))
	case column.Int32s:
		return parquet.Int32Value(v.I32[i])
	case column.Int64s:
		return parquet.Int64Value(v.I64[i])
	case column.Float32s:
		return parquet.FloatValue(v.F32[i])
	case column.Float64s:
		return parquet.DoubleValue(v.F64[i])
	case column.Int128s:
		if v.Type.ID == column.Decimal {
			b := binary.BigEndian.AppendUint64(make([]byte, 0, decimalBytes), uint64(v.I128[i].Hi))
			return parquet.FixedLenByteArrayValue(binary.BigEndian.AppendUint64(b, v.I128[i].Lo))
		}
		n, fits := v.I128[i].Int64()
		if !fits {
			w.failure = errors.New("a timestamp in nanoseconds is outside 1677 to 2262, which is as far as Parquet's go")
		}
		return parquet.Int64Value(n)
	}
	s := v.Str[i]
	w.bytes += int64(len(s))
	return parquet.ByteArrayValue(unsafe.Slice(unsafe.StringData(s), len(s)))
}

// Buffered implements format.FileWriter.
func (w *fileWriter) Buffered() int64 { return w.bytes }

// Close implements format.FileWriter.
func (w *fileWriter) Close() error {
	w.values = slices.Delete(w.values, 0, len(w.values))
	return w.w.Close()
}
