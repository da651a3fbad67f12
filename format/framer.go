package format

import (
	"bytes"
	"fmt"
)

// Framer finds records in a stream of bytes. Not safe for concurrent use.
//
// The source keeps a buffer, calls Next with all of it that is not consumed, and drops the first advance bytes after each call:
//
//   - record != nil: one record without its separator (an empty record is not nil). It is the beginning of data, and points into it.
//   - err != nil: one record that cannot be framed, an *Error. It begins at data[0]; record is its text as far as it is in data, for
//     the message. The policy for bad input decides; framing goes on behind it.
//   - neither, advance > 0: these bytes belong to no record (blank lines, comments, the middle of a record that is too long). Call
//     again with the rest.
//   - neither, advance == 0: more data is needed; with atEOF, the stream is at its end and data is empty.
//
// Until Next consumes them, the same bytes must be at the start of data again. The position to put into a snapshot is the one
// behind the last record or error, not behind bytes that were consumed without either: a new Framer starts at that position.
type Framer interface {
	Next(data []byte, atEOF bool) (record []byte, advance int, err error)

	// Sync finds where the first record of a split begins. For the split of a file that begins at offset a > 0, read from a-1
	// and call Sync until ok; the bytes it consumes belong to the split before. A record belongs to the split in which its first
	// byte lies: the reader of [a, b) goes on until the next record would begin at b or later.
	Sync(data []byte) (advance int, ok bool)
}

// Lines returns the framer for records that end with a line feed. skipBlank drops lines of nothing but white space. Longer
// records than maxRecordBytes are errors; zero means MaxRecordBytes.
func Lines(skipBlank bool, maxRecordBytes int) Framer {
	if maxRecordBytes <= 0 {
		maxRecordBytes = MaxRecordBytes
	}
	return &lines{skipBlank: skipBlank, maxRecordBytes: maxRecordBytes}
}

type lines struct {
	skipBlank      bool
	maxRecordBytes int
	scanned        int // bytes at the start of data known to hold no line feed
	overlong       int // bytes consumed of a record that is too long; 0: none
}

func (l *lines) Next(data []byte, atEOF bool) (record []byte, advance int, err error) {
	if l.overlong > 0 {
		return l.skipOverlong(data, atEOF)
	}
	for start := 0; ; {
		from := max(start, l.scanned)
		end := bytes.IndexByte(data[from:], '\n')
		if end < 0 {
			return l.tail(data, start, atEOF)
		}
		end += from
		l.scanned = 0
		record = data[start:end:end]
		switch {
		case l.skipBlank && blank(record):
			start = end + 1
		case start > 0: // what is skipped goes alone: a record begins at data[0]
			return nil, start, nil
		case len(record) > l.maxRecordBytes:
			return record, end + 1, TooLong(len(record), l.maxRecordBytes)
		default:
			return record, end + 1, nil
		}
	}
}

// tail handles data[start:], which has no line feed; what is before is blank.
func (l *lines) tail(data []byte, start int, atEOF bool) ([]byte, int, error) {
	rest := data[start:]
	l.scanned = 0
	switch {
	case atEOF && l.skipBlank && blank(rest):
		return nil, len(data), nil
	case start > 0:
		return nil, start, nil
	case len(rest) > l.maxRecordBytes:
		return l.skipOverlong(data, atEOF)
	case !atEOF:
		l.scanned = len(rest)
		return nil, 0, nil
	case len(rest) == 0:
		return nil, 0, nil
	}
	return rest, len(rest), nil
}

// skipOverlong consumes a record that is too long without holding it. The error comes when its end is seen, so that a snapshot
// taken before has a position that leads to the same error again.
func (l *lines) skipOverlong(data []byte, atEOF bool) ([]byte, int, error) {
	end := bytes.IndexByte(data, '\n')
	if end < 0 && !atEOF {
		l.overlong += len(data)
		return nil, len(data), nil
	}
	advance := end + 1
	if end < 0 {
		end, advance = len(data), len(data)
	}
	length := l.overlong + end
	l.overlong = 0
	return data[:end:end], advance, TooLong(length, l.maxRecordBytes)
}

func (l *lines) Sync(data []byte) (advance int, ok bool) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, true
	}
	return len(data), false
}

// TooLong is the error for a record of length bytes where at most maxBytes are allowed.
func TooLong(length, maxBytes int) *Error {
	return &Error{
		Line: 1, Column: 1,
		Reason:   "record too long (raise the limit with MaxRecordBytes)",
		Expected: fmt.Sprintf("at most %d bytes", maxBytes),
		Got:      fmt.Sprintf("%d bytes", length),
	}
}

func blank(b []byte) bool {
	for _, c := range b {
		if c != ' ' && c != '\t' && c != '\r' {
			return false
		}
	}
	return true
}
