package format

import (
	"io"
	"unsafe"

	"github.com/flottio/flott/column"
)

// ColumnFormat says how rows of columns look outside, one record a row: what Format is for values of a Go type. It is made for the fields of a
// table and is immutable and safe for concurrent use; what it makes is not.
type ColumnFormat interface {
	// Name, NewFramer, Separator, Header, HeaderRecords and Splittable are as for Format.
	Name() string
	NewFramer() Framer
	Separator() []byte
	Header() []byte
	HeaderRecords() int
	Splittable() bool
	// NewColumnDecoder returns a decoder of some of the fields, given by their places, in that order. Every subtask has its own.
	NewColumnDecoder(fields []int) ColumnDecoder
	// NewColumnEncoder returns an encoder of all fields. Every subtask has its own.
	NewColumnEncoder() ColumnEncoder
	// IgnoresErrors reports whether records that cannot be decoded are to be passed over, and counted: an option says so.
	IgnoresErrors() bool
}

// ColumnDecoder appends records as rows. It may be a HeaderDecoder.
type ColumnDecoder interface {
	// Append appends the row of a record to the first columns of b, those of the decoder's fields, but does not count it in b.N: the caller
	// does when it has filled the others. It does not keep record. After an error, an *Error, columns may have a value too many: the caller cuts
	// them back.
	Append(record []byte, b *column.Batch) error
}

// ColumnEncoder appends rows as records.
type ColumnEncoder interface {
	// Append appends row i of the columns to dst, without the separator. On an error it returns dst with its old length.
	Append(dst []byte, cols []*column.Vector, i int) ([]byte, error)
}

// FileFormat says how rows of columns look in files that have no records to cut them into: Parquet.
type FileFormat interface {
	Name() string
	// OpenFile returns a reader of some of the fields of a file of size bytes.
	OpenFile(r io.ReaderAt, size int64, fields []int) (FileReader, error)
	// NewFile returns a writer of a file's content.
	NewFile(w io.Writer) (FileWriter, error)
}

// FileReader reads one file's rows from the first on.
type FileReader interface {
	Rows() int64
	// SeekRow goes to a row.
	SeekRow(row int64) error
	// Read appends at most n rows to b, and counts them in b.N. It returns how many; 0 at the end.
	Read(b *column.Batch, n int) (int, error)
	Close() error
}

// FileWriter writes one file.
type FileWriter interface {
	// Write appends the rows at the given places of the columns.
	Write(cols []*column.Vector, at []int32) error
	// Buffered is about how many bytes were not written yet.
	Buffered() int64
	// Close writes what is left; no row follows.
	Close() error
}

// arenaBytes is how much memory an Arena gets at a time; longer texts get their own.
const arenaBytes = 32 << 10

// Arena makes strings out of bytes without an allocation for each: a column's texts lie behind one another. Memory is free when none of its
// strings is used any more. The zero value is ready; not safe for concurrent use.
type Arena struct{ free []byte }

// Of returns the string that says what b says. It does not keep b.
func (a *Arena) Of(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(b) > len(a.free) {
		if len(b) > arenaBytes/4 {
			return string(b)
		}
		a.free = make([]byte, arenaBytes)
	}
	n := copy(a.free, b)
	s := unsafe.String(&a.free[0], n)
	a.free = a.free[n:]
	return s
}
