package format

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Error is what is wrong with one record, and where inside it. The position is relative to the record; a source adds file and
// line (see Line) or partition and offset. An Error of an Encoder has no position: Line and Column are 0.
type Error struct {
	Offset int // bytes before the fault
	Line   int // line within the record, from 1; more than 1 only in records of several lines
	Column int // characters from the start of that line, from 1

	Field    string // the field's outside name or path ("user.address[2].zip"); empty if the fault is in no field
	Reason   string // what is wrong: "wrong type"
	Expected string // "an integer"; may be empty
	Got      string // `string "abc"`, shortened; may be empty
}

// NewError returns the error for the fault at record[offset].
func NewError(record []byte, offset int, reason string) *Error {
	offset = max(0, min(offset, len(record)))
	before := record[:offset]
	line := 1 + bytes.Count(before, []byte{'\n'})
	before = before[bytes.LastIndexByte(before, '\n')+1:]
	return &Error{Offset: offset, Line: line, Column: 1 + utf8.RuneCount(before), Reason: reason}
}

// Error gives position, field and reason in one line: `column 23, field "ts": wrong type: expected an integer, got string "abc"`.
func (e *Error) Error() string {
	if where := e.where(); where != "" {
		return where + ": " + e.Fault()
	}
	return e.Fault()
}

// Fault is Error without position and field, for callers that print their own.
func (e *Error) Fault() string {
	s := e.Reason
	switch {
	case e.Expected != "" && e.Got != "":
		s += ": expected " + e.Expected + ", got " + e.Got
	case e.Expected != "":
		s += ": expected " + e.Expected
	case e.Got != "":
		s += ": " + e.Got
	}
	return s
}

func (e *Error) where() string {
	var parts []string
	if e.Line > 1 {
		parts = append(parts, "line "+strconv.Itoa(e.Line)+" of the record")
	}
	if e.Column > 0 {
		parts = append(parts, "column "+strconv.Itoa(e.Column))
	}
	if e.Field != "" {
		parts = append(parts, "field "+strconv.Quote(e.Field))
	}
	return strings.Join(parts, ", ")
}

// excerptBytes bounds a record's text in a message.
const excerptBytes = 120

// Excerpt is the text of a record for a message: on one line, quoted, at most about 120 bytes around the fault at offset, with
// "..." where something was left out.
func Excerpt(record []byte, offset int) string {
	from := 0
	if len(record) > excerptBytes {
		from = runeStart(record, max(0, min(offset-excerptBytes/2, len(record)-excerptBytes)))
	}
	to := runeStart(record, min(len(record), from+excerptBytes))
	s := strconv.Quote(string(record[from:to]))
	s = s[1 : len(s)-1]
	s = "`" + strings.ReplaceAll(s, `\"`, `"`) + "`"
	if from > 0 {
		s = "..." + s
	}
	if to < len(record) {
		s += "..."
	}
	return s
}

// runeStart moves i back to the start of the character it is in, if that is UTF-8.
func runeStart(b []byte, i int) int {
	for at := i; at > 0 && at > i-utf8.UTFMax && at < len(b); at-- {
		if utf8.RuneStart(b[at]) {
			return at
		}
	}
	return i
}
