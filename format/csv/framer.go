package csv

import (
	"bytes"
	"fmt"

	"github.com/flottio/flott/format"
)

// framer finds records that may go over several lines, because quotes may enclose line endings.
//
// A quote that is never closed would swallow the rest of the file. So a record with broken quoting (text behind a closing quote, or no
// closing quote before the limit or the end) costs its first line only: that line is the error, and framing goes on with the next
// line, where nearly always a record begins.
type framer struct {
	options  *options
	overlong int  // bytes consumed of a line that is too long; 0: none
	comment  bool // the data begins inside a comment

	// The scan of the record at the start of data, so far; kept while more data is needed.
	at        int
	state     state
	firstLine int // end of the first line, its line ending included; 0: not seen
}

type state uint8

const (
	fieldStart state = iota
	unquoted
	quoted
	quoteInQuoted // a quote inside quotes: the end, or half of a doubled one
)

func newFramer(o *options) format.Framer { return &framer{options: o} }

func (f *framer) Next(data []byte, atEOF bool) (record []byte, advance int, err error) {
	if f.overlong > 0 {
		return f.skipOverlong(data, atEOF)
	}
	if f.at == 0 {
		if start := f.skipBlank(data); start > 0 || len(data) == 0 {
			return nil, start, nil
		}
	}
	// Nothing behind the limit is looked at, so that it does not matter in what pieces the data comes.
	window := data[:min(len(data), f.options.maxRecordBytes+len("\r\n"))]
	beyond := len(data) > len(window)
	record, advance, err = f.record(window, atEOF && !beyond)
	switch {
	case record != nil || err != nil:
		return record, advance, err
	case beyond && f.firstLine == 0:
		f.reset()
		return f.skipOverlong(data, atEOF)
	case beyond || atEOF:
		return f.unclosed(window, beyond)
	}
	return nil, 0, nil
}

// skipBlank returns how many bytes at the start of data are empty lines and comments.
func (f *framer) skipBlank(data []byte) int {
	start := 0
	for start < len(data) {
		switch c := data[start]; {
		case c == '\n' || c == '\r':
			f.comment = false
			start++
		case f.comment || c == '#' && f.options.comments:
			f.comment = true
			start = lineEnd(data, start)
		default:
			return start
		}
	}
	return start
}

// lineEnd returns the position of the first line ending at or after i, or len(data).
func lineEnd(data []byte, i int) int {
	if n := bytes.IndexAny(data[i:], "\r\n"); n >= 0 {
		return i + n
	}
	return len(data)
}

// behindLineEnd returns the position behind the line ending at i. ok is false if it may go on behind the data.
func behindLineEnd(data []byte, i int, atEOF bool) (end int, ok bool) {
	if data[i] == '\n' {
		return i + 1, true
	}
	if i+1 < len(data) {
		if data[i+1] == '\n' {
			return i + 2, true
		}
		return i + 1, true
	}
	return i + 1, atEOF
}

// record scans the record at the start of data. Neither record nor error: it goes on behind the data.
func (f *framer) record(data []byte, atEOF bool) (record []byte, advance int, err error) {
	o := f.options
	if f.at == 0 {
		if line, end := f.plainLine(data); line != nil {
			return f.bounded(line, end)
		}
	}
	for i := f.at; i < len(data); {
		c := data[i]
		if c == '\n' || c == '\r' {
			end, ok := behindLineEnd(data, i, atEOF)
			if !ok {
				f.at = i
				return nil, 0, nil
			}
			if f.firstLine == 0 {
				f.firstLine = end
			}
			if f.state != quoted || o.oneLine {
				f.reset()
				return f.bounded(data[:i:i], end)
			}
			i = end
			continue
		}
		if o.escape != 0 && c == o.escape {
			if i+1 >= len(data) && !atEOF {
				f.at = i
				return nil, 0, nil
			}
			if f.state == fieldStart {
				f.state = unquoted
			}
			i += f.escaped(data, i)
			continue
		}
		if !f.step(c) {
			f.at = i
			return f.broken(data, format.NewError(data, i, "text behind a closing quote"), atEOF)
		}
		i++
	}
	if atEOF && f.state != quoted && len(data) > 0 {
		f.reset()
		return f.bounded(data, len(data))
	}
	f.at = len(data)
	return nil, 0, nil
}

// plainLine returns the first line if it ends with LF or CR LF and has neither quotes nor escapes: the usual case, found by fast searches.
func (f *framer) plainLine(data []byte) (line []byte, end int) {
	end = bytes.IndexByte(data, '\n')
	if end < 0 {
		return nil, 0
	}
	line = data[:end:end]
	if cr := bytes.IndexByte(line, '\r'); cr >= 0 {
		if cr != end-1 {
			return nil, 0
		}
		line = line[:cr:cr]
	}
	o := f.options
	if o.quote != 0 && bytes.IndexByte(line, o.quote) >= 0 || o.escape != 0 && bytes.IndexByte(line, o.escape) >= 0 {
		return nil, 0
	}
	return line, end + 1
}

// escaped returns the length of the escape sequence at i. Escaping a line ending works only where line endings may stand in fields.
func (f *framer) escaped(data []byte, i int) int {
	if i+1 < len(data) && (data[i+1] == '\n' || data[i+1] == '\r') {
		if f.options.oneLine {
			return 1
		}
		if f.firstLine == 0 {
			f.firstLine = i + 2
		}
	}
	return min(2, len(data)-i)
}

// step moves the scan over a character that ends no line and is no escape; false: the quoting is broken.
func (f *framer) step(c byte) bool {
	o := f.options
	isQuote := o.quote != 0 && c == o.quote
	switch f.state {
	case fieldStart:
		switch {
		case isQuote:
			f.state = quoted
		case c != o.delimiter:
			f.state = unquoted
		}
	case unquoted: // a quote in the middle of an unquoted field is a character like others
		if c == o.delimiter {
			f.state = fieldStart
		}
	case quoted:
		if isQuote {
			f.state = quoteInQuoted
		}
	case quoteInQuoted:
		switch {
		case isQuote:
			f.state = quoted
		case c == o.delimiter:
			f.state = fieldStart
		default:
			return false
		}
	}
	return true
}

func (f *framer) reset() { f.at, f.state, f.firstLine = 0, fieldStart, 0 }

func (f *framer) bounded(record []byte, advance int) ([]byte, int, error) {
	if len(record) > f.options.maxRecordBytes {
		return record, advance, format.TooLong(len(record), f.options.maxRecordBytes)
	}
	return record, advance, nil
}

// broken reports bad quoting and goes on behind the record's first line, once its end is known.
func (f *framer) broken(data []byte, err *format.Error, atEOF bool) ([]byte, int, error) {
	line, end := f.firstLine, f.firstLine
	if end == 0 {
		line = lineEnd(data, 0)
		if line == len(data) && !atEOF {
			return nil, 0, nil
		}
		if end = line; line < len(data) {
			var ok bool
			if end, ok = behindLineEnd(data, line, atEOF); !ok {
				return nil, 0, nil
			}
		}
	}
	f.reset()
	return bytes.TrimRight(data[:line:line], "\r\n"), end, err
}

// unclosed handles a record with a quote that is not closed before the end of the stream or (beyond) the limit.
func (f *framer) unclosed(data []byte, beyond bool) ([]byte, int, error) {
	err := format.NewError(data, f.openQuote(data), "quote is never closed")
	if beyond {
		err.Reason = "quote is not closed within the limit of a record (raise it with MaxRecordBytes)"
		err.Expected = fmt.Sprintf("at most %d bytes", f.options.maxRecordBytes)
	}
	return f.broken(data, err, true)
}

// openQuote finds the quote that was never closed: the last that opened a field.
func (f *framer) openQuote(data []byte) int {
	scan := framer{options: f.options}
	open := 0
	for i := 0; i < len(data); {
		c := data[i]
		if f.options.escape != 0 && c == f.options.escape {
			if scan.state == fieldStart {
				scan.state = unquoted
			}
			i += scan.escaped(data, i)
			continue
		}
		if scan.state == fieldStart && c == f.options.quote {
			open = i
		}
		scan.step(c)
		i++
	}
	return open
}

// skipOverlong consumes a line that is too long without holding it. The error comes when its end is seen, so that a snapshot taken
// before has a position that leads to the same error again.
func (f *framer) skipOverlong(data []byte, atEOF bool) ([]byte, int, error) {
	end := lineEnd(data, 0)
	if end == len(data) && !atEOF {
		f.overlong += end
		return nil, end, nil
	}
	length := f.overlong + end
	f.overlong = 0
	advance := end
	if end < len(data) {
		advance, _ = behindLineEnd(data, end, true)
	}
	return data[:end:end], advance, format.TooLong(length, f.options.maxRecordBytes)
}

// Sync goes behind the first line ending. It finds a record only in files that Splittable promises.
func (f *framer) Sync(data []byte) (advance int, ok bool) {
	i := lineEnd(data, 0)
	if i == len(data) {
		return i, false
	}
	advance, _ = behindLineEnd(data, i, true)
	return advance, true
}
