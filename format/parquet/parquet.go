// Package parquet reads and writes rows of columns as Parquet files: nested types as groups, lists and maps of the format's specification.
// docs/formats.md has the table of types. Imported by connectors and the SQL layer.
package parquet

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	parquetformat "github.com/parquet-go/parquet-go/format"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/format"
)

// Options are the options of Parquet for tables, by Flink's names. The zero value is the default.
type Options struct {
	// Compression is SNAPPY (also ""), GZIP, ZSTD, LZ4_RAW, BROTLI or UNCOMPRESSED ('compression').
	Compression string
	// RowGroupBytes is about how large a row group gets ('block.size'); 0: 128 MiB.
	RowGroupBytes int64
}

// Compressions are the values of Options.Compression.
var Compressions = []string{"SNAPPY", "GZIP", "ZSTD", "LZ4_RAW", "BROTLI", "UNCOMPRESSED"}

const defaultRowGroupBytes = 128 << 20

// Columns returns the format of Parquet files with the fields as columns. Reading, columns are found by name; one that a file does not have is
// NULL. The error names the fields whose types Parquet has no form for.
func Columns(fields []column.Field, o Options) (format.FileFormat, error) {
	f := &fileFormat{fields: fields, o: o}
	if f.o.RowGroupBytes <= 0 {
		f.o.RowGroupBytes = defaultRowGroupBytes
	}
	var errs []error
	root := group{names: make([]string, len(fields)), Group: parquet.Group{}}
	for i, c := range fields {
		node, err := nodeOf(c.Type)
		if err != nil {
			errs = append(errs, fmt.Errorf("parquet: column %s: %w", c.Name, err))
			continue
		}
		root.names[i], root.Group[c.Name] = c.Name, parquet.Optional(node)
	}
	if codecOf(o.Compression) == nil {
		errs = append(errs, fmt.Errorf("parquet: compression %s: expected one of %s", o.Compression, strings.Join(Compressions, ", ")))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	f.schema = parquet.NewSchema("flott", root)
	return f, nil
}

type fileFormat struct {
	fields []column.Field
	o      Options
	schema *parquet.Schema
}

// Name implements format.FileFormat.
func (f *fileFormat) Name() string { return "parquet" }

func codecOf(name string) compress.Codec {
	switch strings.ToUpper(name) {
	case "", "SNAPPY":
		return &parquet.Snappy
	case "GZIP":
		return &parquet.Gzip
	case "ZSTD":
		return &parquet.Zstd
	case "LZ4_RAW":
		return &parquet.Lz4Raw
	case "BROTLI":
		return &parquet.Brotli
	case "UNCOMPRESSED":
		return &parquet.Uncompressed
	}
	return nil
}

// group is parquet.Group with its fields in the order of the table.
type group struct {
	parquet.Group
	names []string
}

// Fields implements parquet.Node.
func (g group) Fields() []parquet.Field {
	byName := map[string]parquet.Field{}
	for _, f := range g.Group.Fields() {
		byName[f.Name()] = f
	}
	fields := make([]parquet.Field, len(g.names))
	for i, n := range g.names {
		fields[i] = byName[n]
	}
	return fields
}

// GoType implements parquet.Node.
func (g group) GoType() reflect.Type { return g.Group.GoType() }

// nodeOf is the form of a type, without its being optional.
func nodeOf(t column.Type) (parquet.Node, error) {
	switch t.ID {
	case column.Boolean:
		return parquet.Leaf(parquet.BooleanType), nil
	case column.TinyInt:
		return parquet.Int(8), nil
	case column.SmallInt:
		return parquet.Int(16), nil
	case column.Int:
		return parquet.Int(32), nil
	case column.BigInt:
		return parquet.Int(64), nil
	case column.IntervalMonths:
		return parquet.Leaf(parquet.Int32Type), nil
	case column.IntervalMillis:
		return parquet.Leaf(parquet.Int64Type), nil
	case column.Float:
		return parquet.Leaf(parquet.FloatType), nil
	case column.Double:
		return parquet.Leaf(parquet.DoubleType), nil
	case column.Char, column.Varchar:
		return parquet.String(), nil
	case column.Binary, column.Varbinary:
		return parquet.Leaf(parquet.ByteArrayType), nil
	case column.Decimal:
		if t.Storage() == column.Int64s {
			return parquet.Decimal(int(t.Scale), int(t.Precision), parquet.Int64Type), nil
		}
		return parquet.Decimal(int(t.Scale), int(t.Precision), parquet.FixedLenByteArrayType(decimalBytes)), nil
	case column.Date:
		return parquet.Date(), nil
	case column.Time:
		return parquet.TimeAdjusted(parquet.Millisecond, false), nil
	case column.Timestamp, column.TimestampLTZ:
		unit := parquet.TimeUnit(parquet.Millisecond)
		if t.Precision > 6 {
			unit = parquet.Nanosecond
		} else if t.Precision > 3 {
			unit = parquet.Microsecond
		}
		return parquet.TimestampAdjusted(unit, t.ID == column.TimestampLTZ), nil
	}
	return nestedNode(t)
}

// decimalBytes is the width of long decimals.
const decimalBytes = 16

func nestedNode(t column.Type) (parquet.Node, error) {
	switch t.ID {
	case column.Array:
		elem, err := nodeOf(*t.Elem)
		if err != nil {
			return nil, err
		}
		return parquet.List(parquet.Optional(elem)), nil
	case column.Map, column.Multiset:
		k, v := t.MapTypes()
		key, err := nodeOf(k)
		if err != nil {
			return nil, err
		}
		value, err := nodeOf(v)
		if err != nil {
			return nil, err
		}
		return parquet.Map(key, parquet.Optional(value)), nil
	case column.Row:
		g := group{Group: parquet.Group{}}
		for _, f := range t.Fields {
			node, err := nodeOf(f.Type)
			if err != nil {
				return nil, fmt.Errorf("field %s: %w", f.Name, err)
			}
			g.names = append(g.names, f.Name)
			g.Group[f.Name] = parquet.Optional(node)
		}
		return g, nil
	}
	return nil, fmt.Errorf("type %s cannot be written as Parquet", t)
}

// nanosPer is the nanoseconds of a logical type's unit; 0 if it has none.
func nanosPer(l *parquetformat.LogicalType) int64 {
	if l == nil {
		return 0
	}
	switch x := l.Value.(type) {
	case *parquetformat.TimestampType:
		return int64(x.Unit.Value.Duration())
	case *parquetformat.TimeType:
		return int64(x.Unit.Value.Duration())
	}
	return 0
}
