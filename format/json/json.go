// Package json is the format of newline-delimited JSON: one document of RFC 8259 a record.
//
// A type's fields are worked out once, when Of is called; decoding and encoding then walk a table of offsets, without reflection
// and without allocating but for what the value keeps (strings, slices, maps, pointers). docs/formats.md has the tables of options
// and of what happens to odd input. Imported by user jobs, connectors and the SQL layer.
package json

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/flottio/flott/format"
)

// MaxDepthLimit bounds what MaxDepth may ask for: nested values are read by nested calls.
const MaxDepthLimit = 10000

// Option changes how a Format reads or writes.
type Option func(*options)

type options struct {
	maxDepth        int
	maxRecordBytes  int
	requireFields   bool
	refuseUnknown   bool
	duplicatesAllow bool
	epochMillis     []string
}

// RequireFields refuses records that lack a field, or have null in one that cannot be null (anything but pointers, slices, maps,
// any and RawMessage). A pointer field tells null (nil) from absent (refused). The tag option "required" does the same for one field.
func RequireFields() Option { return func(o *options) { o.requireFields = true } }

// RefuseUnknownFields refuses records with a field that the struct does not have. By default such fields are checked for syntax
// and skipped.
func RefuseUnknownFields() Option { return func(o *options) { o.refuseUnknown = true } }

// AllowDuplicateFields lets the last of several fields with one name win. By default they are refused, since two readers of such
// a record may see different values.
func AllowDuplicateFields() Option { return func(o *options) { o.duplicatesAllow = true } }

// EpochMillis reads and writes these time.Time fields of T (by their JSON names) as integers, milliseconds since the epoch, like the
// tag option "unixms".
func EpochMillis(fields ...string) Option {
	return func(o *options) { o.epochMillis = append(o.epochMillis, fields...) }
}

// MaxDepth bounds how deep arrays and objects are nested, from 1 to MaxDepthLimit; 64 unless told otherwise.
func MaxDepth(levels int) Option { return func(o *options) { o.maxDepth = levels } }

// MaxRecordBytes bounds a record's length; format.MaxRecordBytes (16 MiB) unless told otherwise.
func MaxRecordBytes(n int) Option { return func(o *options) { o.maxRecordBytes = n } }

// Of returns the format of newline-delimited JSON for T: a struct, a map with keys of a string or integer type, a slice, an array, a
// basic type, or a pointer to one. Whatever is wrong with T or the options is reported by Check.
func Of[T any](opts ...Option) format.Format[T] {
	o := options{maxDepth: 64, maxRecordBytes: format.MaxRecordBytes}
	for _, set := range opts {
		set(&o)
	}
	f := &jsonFormat[T]{options: o}
	f.plan, f.err = newPlan(reflect.TypeFor[T](), o)
	if err := o.check(); err != nil {
		f.err = errors.Join(f.err, err)
	}
	return f
}

func (o *options) check() error {
	var problems []error
	if o.maxDepth < 1 || o.maxDepth > MaxDepthLimit {
		problems = append(problems, fmt.Errorf("json: MaxDepth is %d, must be from 1 to %d", o.maxDepth, MaxDepthLimit))
	}
	if o.maxRecordBytes < 1 {
		problems = append(problems, fmt.Errorf("json: MaxRecordBytes is %d, must be at least 1", o.maxRecordBytes))
	}
	return errors.Join(problems...)
}

type jsonFormat[T any] struct {
	options options
	plan    *plan
	err     error
}

func (f *jsonFormat[T]) Name() string { return "json" }
func (f *jsonFormat[T]) Check() error { return f.err }

func (f *jsonFormat[T]) NewDecoder() (format.Decoder[T], error) {
	if f.err != nil {
		return nil, f.err
	}
	return &typedDecoder[T]{decoder: newDecoder(f.plan, f.options)}, nil
}

func (f *jsonFormat[T]) NewEncoder() (format.Encoder[T], error) {
	if f.err != nil {
		return nil, f.err
	}
	return &typedEncoder[T]{encoder: newEncoder(f.plan, f.options)}, nil
}

func (f *jsonFormat[T]) NewFramer() format.Framer {
	return format.Lines(true, f.options.maxRecordBytes)
}
func (f *jsonFormat[T]) Separator() []byte  { return []byte{'\n'} }
func (f *jsonFormat[T]) Header() []byte     { return nil }
func (f *jsonFormat[T]) HeaderRecords() int { return 0 }
func (f *jsonFormat[T]) Splittable() bool   { return true }
