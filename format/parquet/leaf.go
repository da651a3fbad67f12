package parquet

import (
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	parquetformat "github.com/parquet-go/parquet-go/format"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/format"
)

// valuesAtOnce is how many values of a column are taken from a page at a time.
const valuesAtOnce = 512

// leaf is a column of the file while it is read.
type leaf struct {
	column         int
	maxDef, maxRep int
	kind           parquet.Kind
	nanos          int64 // of a unit of time
	arena          *format.Arena

	pages  parquet.Pages
	page   parquet.Page
	values parquet.ValueReader
	buf    [valuesAtOnce]parquet.Value
	at, n  int
}

func (r *fileReader) newLeaf(t column.Type, c *parquet.Column) (*leaf, error) {
	l := &leaf{column: c.Index(), maxDef: c.MaxDefinitionLevel(), maxRep: c.MaxRepetitionLevel(), kind: c.Type().Kind(), arena: &r.arena}
	if l.nanos = nanosPer(logical(c)); l.nanos == 0 {
		l.nanos = 1e6 // of files that do not say
	}
	fits := false
	switch t.ID {
	case column.Boolean:
		fits = l.kind == parquet.Boolean
	case column.Float:
		fits = l.kind == parquet.Float
	case column.Double:
		fits = l.kind == parquet.Double || l.kind == parquet.Float
	case column.Char, column.Varchar, column.Binary, column.Varbinary:
		fits = l.kind == parquet.ByteArray || l.kind == parquet.FixedLenByteArray
	case column.Timestamp, column.TimestampLTZ:
		fits = l.kind == parquet.Int64 || l.kind == parquet.Int96
	case column.Decimal:
		scale := 0
		if lt := logical(c); lt != nil {
			if d, ok := lt.Value.(*parquetformat.DecimalType); ok {
				scale = int(d.Scale)
			}
		}
		fits = l.kind != parquet.Boolean && l.kind != parquet.Float && l.kind != parquet.Double && l.kind != parquet.Int96 && scale == int(t.Scale)
	default:
		fits = l.kind == parquet.Int32 || l.kind == parquet.Int64
	}
	if !fits {
		return nil, fmt.Errorf("the table says %s, the file has %s", t.Nullable(true), c.Type())
	}
	r.leaves = append(r.leaves, l)
	return l, nil
}

func (l *leaf) open(pages parquet.Pages, row int64) error {
	l.pages, l.at, l.n = pages, 0, 0
	if row > 0 {
		return pages.SeekToRow(row)
	}
	return nil
}

func (l *leaf) close() error {
	l.release()
	if l.pages == nil {
		return nil
	}
	p := l.pages
	l.pages = nil
	return p.Close()
}

func (l *leaf) release() {
	if l.page != nil {
		parquet.Release(l.page)
		l.page, l.values = nil, nil
	}
}

// more takes values until there is one; io.EOF behind the last.
func (l *leaf) more() error {
	for l.at == l.n {
		if l.values == nil {
			page, err := l.pages.ReadPage()
			if err != nil {
				return err
			}
			l.page, l.values = page, page.Values()
		}
		n, err := l.values.ReadValues(l.buf[:])
		l.at, l.n = 0, n
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if n == 0 {
			l.release()
		}
	}
	return nil
}

// levels are those of the next entry, which is left there.
func (l *leaf) levels() (rep, def int, err error) {
	if l.at == l.n {
		if err := l.more(); err != nil {
			return 0, 0, err
		}
	}
	return l.buf[l.at].RepetitionLevel(), l.buf[l.at].DefinitionLevel(), nil
}

func (l *leaf) next() (*parquet.Value, error) {
	if l.at == l.n {
		if err := l.more(); err != nil {
			return nil, cutOff(err)
		}
	}
	l.at++
	return &l.buf[l.at-1], nil
}

func cutOff(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("a column has fewer values than the file has rows")
	}
	return err
}

func (l *leaf) one(v *column.Vector) error {
	x, err := l.next()
	if err != nil {
		return err
	}
	if x.IsNull() {
		v.Null()
		return nil
	}
	return l.put(v, x)
}

// many appends n values of a column that is not inside a list.
func (l *leaf) many(v *column.Vector, n int) error {
	for n > 0 {
		if err := l.more(); err != nil {
			return cutOff(err)
		}
		part := l.buf[l.at:min(l.n, l.at+n)]
		l.at += len(part)
		n -= len(part)
		if err := l.putAll(v, part); err != nil {
			return err
		}
	}
	return nil
}

// putAll is put for many values; the usual types without asking for each.
func (l *leaf) putAll(v *column.Vector, part []parquet.Value) error {
	plain := v.Type.ID == column.BigInt && l.kind == parquet.Int64
	text := v.Store == column.Strings
	for i := range part {
		x := &part[i]
		switch {
		case x.IsNull():
			v.Null()
		case plain:
			v.I64 = append(v.I64, x.Int64())
			v.One()
		case text:
			v.AppendText(l.arena.Of(x.ByteArray()))
		default:
			if err := l.put(v, x); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *leaf) put(v *column.Vector, x *parquet.Value) error {
	switch v.Type.ID {
	case column.Boolean:
		v.Bool = append(v.Bool, x.Boolean())
		v.One()
	case column.Float:
		v.F32 = append(v.F32, x.Float())
		v.One()
	case column.Double:
		f := 0.0
		if l.kind == parquet.Float {
			f = float64(x.Float())
		} else {
			f = x.Double()
		}
		v.F64 = append(v.F64, f)
		v.One()
	case column.Char, column.Varchar, column.Binary, column.Varbinary:
		v.AppendText(l.arena.Of(x.ByteArray()))
	case column.Decimal:
		return l.decimal(v, x)
	case column.Timestamp, column.TimestampLTZ:
		return l.timestamp(v, x)
	case column.Time:
		v.I32 = append(v.I32, int32(l.whole(x)*l.nanos/1e6))
		v.One()
	default:
		n := l.whole(x)
		if n != narrow(v.Store, n) {
			return fmt.Errorf("value %d does not fit %s", n, v.Type.Nullable(true))
		}
		format.AppendInteger(v, n)
	}
	return nil
}

func (l *leaf) whole(x *parquet.Value) int64 {
	if l.kind == parquet.Int32 {
		return int64(x.Int32())
	}
	return x.Int64()
}

func narrow(s column.Storage, n int64) int64 {
	switch s {
	case column.Int8s:
		return int64(int8(n))
	case column.Int16s:
		return int64(int16(n))
	case column.Int32s:
		return int64(int32(n))
	}
	return n
}

// decimal reads an unscaled number: an integer, or bytes from the highest.
func (l *leaf) decimal(v *column.Vector, x *parquet.Value) error {
	var d column.Int128
	if l.kind == parquet.Int32 || l.kind == parquet.Int64 {
		d = column.Int128From(l.whole(x))
	} else {
		b := x.ByteArray()
		if len(b) > 0 && b[0] >= 0x80 {
			d = column.Int128From(-1)
		}
		for i, c := range b {
			if i < len(b)-16 && c != byte(d.Hi) {
				return fmt.Errorf("a decimal of %d bytes does not fit %s", len(b), v.Type.Nullable(true))
			}
			d.Hi = d.Hi<<8 | int64(d.Lo>>56)
			d.Lo = d.Lo<<8 | uint64(c)
		}
	}
	if !d.Fits(int(v.Type.Precision)) {
		return fmt.Errorf("a decimal does not fit %s", v.Type.Nullable(true))
	}
	v.AppendDecimal(d)
	return nil
}

// julianEpoch is 1970-01-01 in the day numbers of INT96.
const julianEpoch = 2440588

func (l *leaf) timestamp(v *column.Vector, x *parquet.Value) error {
	var sec, nanos int64
	if l.kind == parquet.Int96 {
		p := x.Int96()
		ofDay := int64(uint64(p[0]) | uint64(p[1])<<32)
		sec = (int64(p[2])-julianEpoch)*86400 + ofDay/1e9
		nanos = ofDay % 1e9
	} else {
		per := int64(1e9) / l.nanos
		var part int64
		sec, part = column.FloorDiv(x.Int64(), per)
		nanos = part * l.nanos
	}
	if !v.AppendInstant(sec, nanos) {
		return fmt.Errorf("a time of %d s since 1970 does not fit %s", sec, v.Type.Nullable(true))
	}
	return nil
}
