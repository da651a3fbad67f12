// Package raw is the format of records that are taken as they are: lines of text, or bytes. Imported by user jobs, connectors and
// the SQL layer.
package raw

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/flottio/flott/format"
)

// Option changes how a Format reads.
type Option func(*options)

type options struct{ maxRecordBytes int }

// MaxRecordBytes bounds a line's length; format.MaxRecordBytes (16 MiB) unless told otherwise.
func MaxRecordBytes(n int) Option { return func(o *options) { o.maxRecordBytes = n } }

// Lines is the format of text lines. A line ends with LF or CR LF, which is not part of it; empty lines are records. A line must
// be valid UTF-8 (use Bytes for other encodings), and a string that is written must not hold a line feed or end with CR.
func Lines(opts ...Option) format.Format[string] {
	return newFormat(opts, func() format.Decoder[string] { return textDecoder{} }, func() format.Encoder[string] { return textEncoder{} })
}

// Bytes is the format of records that end with LF and are otherwise any bytes, a CR at the end included. Every row has memory of its own.
func Bytes(opts ...Option) format.Format[[]byte] {
	return newFormat(opts, func() format.Decoder[[]byte] { return bytesDecoder{} },
		func() format.Encoder[[]byte] { return bytesEncoder{} })
}

func newFormat[T any](opts []Option, d func() format.Decoder[T], e func() format.Encoder[T]) format.Format[T] {
	o := options{maxRecordBytes: format.MaxRecordBytes}
	for _, set := range opts {
		set(&o)
	}
	return &rawFormat[T]{options: o, decoder: d, encoder: e}
}

type rawFormat[T any] struct {
	options options
	decoder func() format.Decoder[T]
	encoder func() format.Encoder[T]
}

func (f *rawFormat[T]) Name() string { return "raw" }

func (f *rawFormat[T]) Check() error {
	if f.options.maxRecordBytes < 1 {
		return fmt.Errorf("raw: MaxRecordBytes is %d, must be at least 1", f.options.maxRecordBytes)
	}
	return nil
}

func (f *rawFormat[T]) NewDecoder() (format.Decoder[T], error) { return f.decoder(), f.Check() }
func (f *rawFormat[T]) NewEncoder() (format.Encoder[T], error) { return f.encoder(), f.Check() }
func (f *rawFormat[T]) NewFramer() format.Framer {
	return format.Lines(false, f.options.maxRecordBytes)
}
func (f *rawFormat[T]) Separator() []byte  { return []byte{'\n'} }
func (f *rawFormat[T]) Header() []byte     { return nil }
func (f *rawFormat[T]) HeaderRecords() int { return 0 }
func (f *rawFormat[T]) Splittable() bool   { return true }

type textDecoder struct{}

func (textDecoder) Decode(record []byte, v *string) error {
	*v = ""
	if n := len(record); n > 0 && record[n-1] == '\r' {
		record = record[:n-1]
	}
	if !utf8.Valid(record) {
		at := 0
		for at < len(record) {
			r, n := utf8.DecodeRune(record[at:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			at += n
		}
		err := format.NewError(record, at, "invalid UTF-8")
		err.Got = fmt.Sprintf("byte 0x%02X", record[at])
		return err
	}
	*v = string(record)
	return nil
}

type bytesDecoder struct{}

func (bytesDecoder) Decode(record []byte, v *[]byte) error {
	*v = bytes.Clone(record)
	if *v == nil {
		*v = []byte{} // an empty record is not a missing one
	}
	return nil
}

type textEncoder struct{}

func (textEncoder) Append(dst []byte, v *string) ([]byte, error) {
	s := *v
	for i := range len(s) {
		if s[i] == '\n' || s[i] == '\r' && i == len(s)-1 {
			return dst, notALine(strconv.QuoteToASCII(s[i : i+1]))
		}
	}
	if !utf8.ValidString(s) {
		return dst, &format.Error{Reason: "string is not valid UTF-8"}
	}
	return append(dst, s...), nil
}

type bytesEncoder struct{}

func (bytesEncoder) Append(dst []byte, v *[]byte) ([]byte, error) {
	if bytes.IndexByte(*v, '\n') >= 0 {
		return dst, notALine(`"\n"`)
	}
	return append(dst, *v...), nil
}

func notALine(got string) error {
	return &format.Error{Reason: "record would be read back as several lines or another one", Expected: "no line ending inside", Got: got}
}
