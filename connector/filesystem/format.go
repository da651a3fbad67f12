package filesystem

import (
	"strings"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/format"
	"github.com/flottio/flott/format/csv"
	"github.com/flottio/flott/format/json"
	"github.com/flottio/flott/format/parquet"
	"github.com/flottio/flott/format/raw"
	"github.com/flottio/flott/sql/table"
)

var formatOptions = []table.Option{
	{Key: "json.fail-on-missing-field", Default: "false", Doc: "refuse records that lack a field; else it is NULL"},
	{Key: "json.ignore-parse-errors", Default: "false", Doc: "make NULL of what cannot be read, pass over records that are no JSON"},
	{Key: "json.timestamp-format.standard", Default: "SQL", Doc: "SQL (2020-12-30 12:13:14.123) or ISO-8601 (2020-12-30T12:13:14.123)"},
	{Key: "json.map-null-key.mode", Default: "FAIL", Doc: "FAIL, DROP or LITERAL: what is written for NULL keys of maps"},
	{Key: "json.map-null-key.literal", Default: "null", Doc: "what LITERAL writes"},
	{Key: "json.encode.decimal-as-plain-number", Default: "false", Doc: "accepted; decimals are always written without exponent"},
	{Key: "json.encode.ignore-null-fields", Default: "false", Doc: "leave out fields that are NULL"},
	{Key: "json.decode.json-parser.enabled", Default: "true", Doc: "accepted; there is one parser"},
	{Key: "csv.field-delimiter", Default: ",", Doc: "one character; '\\t' is a tab"},
	{Key: "csv.quote-character", Default: `"`, Doc: "encloses fields"},
	{Key: "csv.disable-quote-character", Default: "false", Doc: "no character encloses fields"},
	{Key: "csv.escape-character", Doc: "makes the character after it literal"},
	{Key: "csv.null-literal", Doc: "text that is NULL; without it, the empty field of a column that is no text"},
	{Key: "csv.array-element-delimiter", Default: ";", Doc: "separates elements of arrays and rows"},
	{Key: "csv.allow-comments", Default: "false", Doc: "pass over lines that begin with #"},
	{Key: "csv.ignore-parse-errors", Default: "false", Doc: "make NULL of what cannot be read, pass over records that are no CSV"},
	{Key: "csv.write-bigdecimal-in-scientific-notation", Default: "true", Doc: "accepted; decimals are always written without exponent"},
	{Key: "csv.ignore-first-line", Default: "false", Doc: "pass over the first line of every file (not in Flink)"},
	{Key: "csv.header", Default: "false", Doc: "the first line of every file names the columns (not in Flink)"},
	{Key: "raw.charset", Default: "UTF-8", Doc: "UTF-8 is the only one"},
	{Key: "raw.endianness", Default: "big-endian", Doc: "big-endian or little-endian"},
	{Key: "parquet.compression", Default: "SNAPPY", Doc: strings.Join(parquet.Compressions, ", ")},
	{Key: "parquet.block.size", Default: "128 mb", Doc: "size of a row group"},
	{Key: "parquet.utc-timezone", Default: "true", Doc: "accepted; times are in UTC"},
	{Key: "parquet.write.int64.timestamp", Default: "true", Doc: "accepted; timestamps are INT64, INT96 is read"},
	{Key: "parquet.timestamp.time.unit", Default: "micros", Doc: "accepted; the unit is that of the column's precision"},
}

// formatOf makes the table's format; one of the two is nil.
func formatOf(o *table.Options, fields []column.Field) (format.ColumnFormat, format.FileFormat) {
	if !o.Given("format") {
		return nil, nil
	}
	var records format.ColumnFormat
	var files format.FileFormat
	var err error
	switch o.OneOf("format", "json", "csv", "raw", "parquet") {
	case "json":
		records, err = json.Columns(fields, json.ColumnOptions{
			FailOnMissingField: o.Bool("json.fail-on-missing-field"), IgnoreParseErrors: o.Bool("json.ignore-parse-errors"),
			ISO8601:    o.OneOf("json.timestamp-format.standard", "SQL", "ISO-8601") == "ISO-8601",
			MapNullKey: o.OneOf("json.map-null-key.mode", "FAIL", "DROP", "LITERAL"), MapNullLiteral: o.Text("json.map-null-key.literal"),
			IgnoreNullFields: o.Bool("json.encode.ignore-null-fields"),
		})
	case "csv":
		records, err = csv.Columns(fields, csv.ColumnOptions{
			Delimiter: character(o, "csv.field-delimiter"), Quote: quote(o), Escape: character(o, "csv.escape-character"),
			ArrayDelimiter: o.Text("csv.array-element-delimiter"), AllowComments: o.Bool("csv.allow-comments"),
			IgnoreParseErrors: o.Bool("csv.ignore-parse-errors"), Null: o.Text("csv.null-literal"), HasNull: o.Given("csv.null-literal"),
			Header: o.Bool("csv.header"), HeaderIgnored: o.Bool("csv.ignore-first-line"),
		})
	case "raw":
		o.OneOf("raw.charset", "UTF-8")
		little := o.OneOf("raw.endianness", "big-endian", "little-endian") == "little-endian"
		records, err = raw.Columns(fields, raw.ColumnOptions{LittleEndian: little})
	case "parquet":
		files, err = parquet.Columns(fields, parquet.Options{Compression: o.Text("parquet.compression"), RowGroupBytes: o.Size("parquet.block.size")})
	}
	o.Add(err)
	return records, files
}

// character is an option of one ASCII character; 0 if it is empty.
func character(o *table.Options, key string) byte {
	text := o.Text(key)
	switch text {
	case "":
		return 0
	case `\t`:
		return '\t'
	case `\\`:
		return '\\'
	}
	if len(text) != 1 {
		o.Bad(key, "one ASCII character")
		return 0
	}
	return text[0]
}

func quote(o *table.Options) byte {
	if !o.Bool("csv.disable-quote-character") {
		return character(o, "csv.quote-character")
	}
	if o.Given("csv.quote-character") {
		o.Bad("csv.quote-character", "nothing: 'csv.disable-quote-character' is true")
	}
	return 0
}
