// Package csv is the format of comma-separated values: RFC 4180 with Flink's options. The fields of a struct are the columns.
//
// docs/formats.md has the tables of options and of what happens to odd input. Imported by user jobs, connectors and the SQL layer.
package csv

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/flottio/flott/format"
)

// Option changes how a Format reads or writes.
type Option func(*options)

type options struct {
	delimiter      byte
	quote          byte // 0: none
	escape         byte // 0: none
	null           string
	hasNull        bool
	comments       bool
	header         bool
	ignoreHeader   bool
	oneLine        bool // fields hold no line ending
	timeLayout     string
	epochMillis    []string
	maxRecordBytes int
}

// Delimiter separates the fields (csv.field-delimiter): one ASCII character, ',' by default.
func Delimiter(c byte) Option { return func(o *options) { o.delimiter = c } }

// Quote encloses fields that hold special characters (csv.quote-character): one ASCII character, '"' by default. Inside, it is doubled.
func Quote(c byte) Option { return func(o *options) { o.quote = c } }

// DisableQuote gives the quote character no meaning (csv.disable-quote-character). A value that needs quoting can then be written
// only with an Escape character.
func DisableQuote() Option { return func(o *options) { o.quote = 0 } }

// Escape makes the character after it literal, inside and outside quotes (csv.escape-character), but for 0, n, r and t, which
// stand for NUL, line feed, carriage return and tab. None by default.
func Escape(c byte) Option { return func(o *options) { o.escape = c } }

// NullLiteral is the unquoted text that stands for a nil pointer (csv.null-literal). Without it that is the empty unquoted field.
func NullLiteral(text string) Option { return func(o *options) { o.null, o.hasNull = text, true } }

// AllowComments skips lines that begin with '#' (csv.allow-comments).
func AllowComments() Option { return func(o *options) { o.comments = true } }

// Header makes the first record of every file name the columns: they are found by name when reading, in any order and among others,
// and written to every file.
func Header() Option { return func(o *options) { o.header = true } }

// IgnoreHeader skips the first record of every file. Columns are found by position.
func IgnoreHeader() Option { return func(o *options) { o.ignoreHeader = true } }

// NoNewlinesInFields promises that a line ending always ends the record, also inside quotes. It makes large files splittable, and
// a forgotten quote can never spoil more than its own line. A value with a line ending cannot be written without an Escape character.
func NoNewlinesInFields() Option { return func(o *options) { o.oneLine = true } }

// TimeLayout reads and writes times in a layout of package time, in UTC where it has no zone, instead of RFC 3339.
func TimeLayout(layout string) Option { return func(o *options) { o.timeLayout = layout } }

// EpochMillis reads and writes these time.Time columns as milliseconds since the epoch, like the tag option "unixms".
func EpochMillis(columns ...string) Option {
	return func(o *options) { o.epochMillis = append(o.epochMillis, columns...) }
}

// MaxRecordBytes bounds a record's length; format.MaxRecordBytes (16 MiB) unless told otherwise.
func MaxRecordBytes(n int) Option { return func(o *options) { o.maxRecordBytes = n } }

// Of returns the CSV format of struct T. Its exported fields are the columns, in order; `csv:"name"` names one, `csv:"-"` leaves it
// out, embedded structs are flattened. Columns are strings, bools, numbers, time.Time, types with text methods, and pointers to
// those. Whatever is wrong with T or the options is reported by Check.
func Of[T any](opts ...Option) format.Format[T] {
	o := options{delimiter: ',', quote: '"', maxRecordBytes: format.MaxRecordBytes}
	for _, set := range opts {
		set(&o)
	}
	f := &csvFormat[T]{options: o}
	f.columns, f.err = newColumns(reflect.TypeFor[T](), &o)
	f.err = errors.Join(f.err, o.check())
	if f.err == nil && o.header {
		f.header, f.err = headerLine(f.columns, &o)
	}
	return f
}

func (o *options) check() error {
	var problems []error
	problem := func(text string, args ...any) { problems = append(problems, fmt.Errorf("csv: "+text, args...)) }
	special := []struct {
		name string
		c    byte
		none bool
	}{{"delimiter", o.delimiter, false}, {"quote", o.quote, o.quote == 0}, {"escape", o.escape, o.escape == 0}}
	for i, s := range special {
		if s.none {
			continue
		}
		if s.c == 0 || s.c >= 0x80 || s.c == '\n' || s.c == '\r' || o.comments && s.c == '#' {
			problem("the %s %q cannot be used: it must be an ASCII character, no line ending, and with AllowComments not '#'", s.name, s.c)
		}
		for _, other := range special[:i] {
			if !other.none && other.c == s.c {
				problem("%s and %s are the same character %q", other.name, s.name, s.c)
			}
		}
	}
	if o.header && o.ignoreHeader {
		problem("Header and IgnoreHeader exclude each other")
	}
	if o.maxRecordBytes < 1 {
		problem("MaxRecordBytes is %d, must be at least 1", o.maxRecordBytes)
	}
	return errors.Join(problems...)
}

type csvFormat[T any] struct {
	options options
	columns []structColumn
	header  []byte
	err     error
}

func (f *csvFormat[T]) Name() string { return "csv" }
func (f *csvFormat[T]) Check() error { return f.err }

func (f *csvFormat[T]) NewDecoder() (format.Decoder[T], error) {
	if f.err != nil {
		return nil, f.err
	}
	return &typedDecoder[T]{decoder: newDecoder(f.columns, &f.options)}, nil
}

func (f *csvFormat[T]) NewEncoder() (format.Encoder[T], error) {
	if f.err != nil {
		return nil, f.err
	}
	return &typedEncoder[T]{encoder: newEncoder(f.columns, &f.options)}, nil
}

func (f *csvFormat[T]) NewFramer() format.Framer { return newFramer(&f.options) }
func (f *csvFormat[T]) Separator() []byte        { return []byte{'\n'} }
func (f *csvFormat[T]) Header() []byte           { return f.header }

func (f *csvFormat[T]) HeaderRecords() int {
	if f.options.header || f.options.ignoreHeader {
		return 1
	}
	return 0
}

// Splittable is true if a line ending always ends a record: only then can a boundary be found from the middle of a file.
func (f *csvFormat[T]) Splittable() bool {
	return f.options.oneLine || f.options.quote == 0 && f.options.escape == 0
}
