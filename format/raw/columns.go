package raw

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/format"
)

// ColumnOptions are the options of raw records for tables.
type ColumnOptions struct {
	// LittleEndian is the order of the bytes of numbers ('endianness'), which is big-endian otherwise.
	LittleEndian bool
}

// Columns returns the format of records that are the value of the one column: text as it is, bytes as they are, numbers of fixed width as their
// bytes. A record ends with a line feed, in files.
func Columns(fields []column.Field, o ColumnOptions) (format.ColumnFormat, error) {
	f := &columnFormat{o: o}
	if len(fields) != 1 {
		return nil, fmt.Errorf("raw: the table has %d columns, a raw record is the value of one", len(fields))
	}
	f.field = fields[0]
	t := f.field.Type
	if !t.IsText() && !t.IsBinary() && t.ID != column.Boolean && (!t.IsNumeric() || t.ID == column.Decimal) {
		return nil, fmt.Errorf("raw: column %s: type %s has no raw form: only STRING, BYTES, BOOLEAN and numbers of fixed width", f.field.Name, t)
	}
	return f, nil
}

type columnFormat struct {
	field column.Field
	o     ColumnOptions
}

func (f *columnFormat) Name() string             { return "raw" }
func (f *columnFormat) NewFramer() format.Framer { return format.Lines(false, 0) }
func (f *columnFormat) Separator() []byte        { return []byte{'\n'} }
func (f *columnFormat) Header() []byte           { return nil }
func (f *columnFormat) HeaderRecords() int       { return 0 }
func (f *columnFormat) Splittable() bool         { return true }
func (f *columnFormat) IgnoresErrors() bool      { return false }

// NewColumnDecoder implements format.ColumnFormat.
func (f *columnFormat) NewColumnDecoder(fields []int) format.ColumnDecoder {
	return &columnDecoder{format: f, none: len(fields) == 0}
}

// NewColumnEncoder implements format.ColumnFormat.
func (f *columnFormat) NewColumnEncoder() format.ColumnEncoder { return columnEncoder{f} }

func (f *columnFormat) order() binary.AppendByteOrder {
	if f.o.LittleEndian {
		return binary.LittleEndian
	}
	return binary.BigEndian
}

type columnDecoder struct {
	format *columnFormat
	none   bool
	arena  format.Arena
	word   [8]byte
}

// Append implements format.ColumnDecoder.
func (d *columnDecoder) Append(record []byte, b *column.Batch) error {
	if d.none {
		return nil
	}
	v := b.Cols[0]
	if v.Store == column.Strings {
		if v.Type.IsText() && !utf8.Valid(record) {
			return format.NewError(record, 0, "text is not valid UTF-8")
		}
		v.AppendText(d.arena.Of(record))
		return nil
	}
	width := widthOf(v.Store)
	if len(record) != width {
		e := format.NewError(record, 0, "wrong length")
		e.Expected, e.Got = fmt.Sprintf("%d bytes of a %s", width, v.Type.Nullable(true)), fmt.Sprintf("%d bytes", len(record))
		return e
	}
	clear(d.word[:])
	copy(d.word[:], record)
	if !d.format.o.LittleEndian {
		slices.Reverse(d.word[:width])
	}
	x := binary.LittleEndian.Uint64(d.word[:])
	switch v.Store {
	case column.Bools:
		v.Bool = append(v.Bool, x != 0)
		v.One()
	case column.Float32s:
		v.F32 = append(v.F32, math.Float32frombits(uint32(x)))
		v.One()
	case column.Float64s:
		v.F64 = append(v.F64, math.Float64frombits(x))
		v.One()
	default:
		format.AppendInteger(v, int64(x))
	}
	return nil
}

func widthOf(s column.Storage) int {
	switch s {
	case column.Bools, column.Int8s:
		return 1
	case column.Int16s:
		return 2
	case column.Int32s, column.Float32s:
		return 4
	}
	return 8
}

type columnEncoder struct{ format *columnFormat }

// Append implements format.ColumnEncoder. NULL is an empty record, which reads back as an empty text.
func (e columnEncoder) Append(dst []byte, cols []*column.Vector, i int) ([]byte, error) {
	v, order := cols[0], e.format.order()
	if v.IsNull(i) {
		return dst, nil
	}
	switch v.Store {
	case column.Strings:
		for _, c := range []byte(v.Str[i]) {
			if c == '\n' {
				return dst, &format.Error{Field: e.format.field.Name, Reason: "a line feed in the value would end the record"}
			}
		}
		return append(dst, v.Str[i]...), nil
	case column.Bools:
		if v.Bool[i] {
			return append(dst, 1), nil
		}
		return append(dst, 0), nil
	case column.Int8s:
		return append(dst, byte(v.I8[i])), nil
	case column.Int16s:
		return order.AppendUint16(dst, uint16(v.I16[i])), nil
	case column.Int32s:
		return order.AppendUint32(dst, uint32(v.I32[i])), nil
	case column.Int64s:
		return order.AppendUint64(dst, uint64(v.I64[i])), nil
	case column.Float32s:
		return order.AppendUint32(dst, math.Float32bits(v.F32[i])), nil
	case column.Float64s:
		return order.AppendUint64(dst, math.Float64bits(v.F64[i])), nil
	}
	return dst, nil
}
