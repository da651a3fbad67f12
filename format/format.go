// Package format is the contract between outside bytes and records: a Format makes the Framer that finds records in a stream of
// bytes, the Decoder that turns one record into a value, and the Encoder that does the reverse.
//
// It owns the interfaces, the framing by lines and the error that carries a position. It never opens a file or a connection:
// sources and sinks do, and use this. It is a leaf: it imports nothing of the engine, and anyone may import it. The formats
// themselves are the packages below it (format/json, format/csv, format/raw).
package format

// Format says how values of type T look outside. A Format is immutable and safe for concurrent use; what it makes is not.
type Format[T any] interface {
	// Name is the format's name in options and messages: "json", "csv", "raw".
	Name() string

	// Check reports everything that is wrong with the type or the options, joined into one error, before anything runs.
	// NewDecoder and NewEncoder return the same error.
	Check() error

	// NewDecoder returns a decoder. Every subtask has its own.
	NewDecoder() (Decoder[T], error)

	// NewEncoder returns an encoder. Every subtask has its own.
	NewEncoder() (Encoder[T], error)

	// NewFramer returns a framer for one file or connection (or one split of a file). It works whatever Check says.
	NewFramer() Framer

	// Separator is what a sink writes after every record, the last one included. A sink for messages (which frame records
	// themselves) does not write it. The caller must not change it.
	Separator() []byte

	// Header is what a sink writes at the start of every file, separator included; nil for nothing. The caller must not change it.
	Header() []byte

	// HeaderRecords is how many records at the start of every file are not rows (0 or 1). A source hands them to the decoder
	// if it is a HeaderDecoder, and counts them neither as records nor as drops.
	HeaderRecords() int

	// Splittable reports whether reading may begin in the middle of a file, at the boundary that Framer.Sync finds.
	Splittable() bool
}

// Decoder turns the bytes of one record into a value. Not safe for concurrent use.
type Decoder[T any] interface {
	// Decode overwrites *v completely: what the record does not name is the zero value, never what was there before. It does
	// not keep record, nor does *v afterwards refer to it. The error is an *Error; *v is then the zero value.
	Decode(record []byte, v *T) error
}

// HeaderDecoder is implemented by decoders whose files may begin with a header. The source calls DecodeHeader with the first
// record of a file before the other records of that file, also when it begins in the middle: it then reads the header from
// the file's start. An error means that no record of this file can be decoded.
type HeaderDecoder interface {
	DecodeHeader(record []byte) error
}

// Encoder appends the bytes of one record, without the separator. Not safe for concurrent use.
type Encoder[T any] interface {
	// Append appends v to dst and returns the longer slice. On an error (an *Error without position) it returns dst with its
	// old length: nothing half written remains.
	Append(dst []byte, v *T) ([]byte, error)
}

// MaxRecordBytes bounds a record unless the format is told otherwise. A source needs a buffer of at most this size plus what
// one read adds.
const MaxRecordBytes = 16 << 20
