package json

import (
	"encoding/base64"
	"encoding/binary"
	"math/bits"
	"time"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

func setTime(p unsafe.Pointer, t time.Time) { *(*time.Time)(p) = t }

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// special marks, by their high bits, the bytes of w that a string cannot hold as they are or that need a look: quotes,
// backslashes, control characters, non-ASCII. Only the lowest mark is exact, which is all that is asked for.
func special(w uint64) uint64 {
	quote := w ^ lowBits*'"'
	slash := w ^ lowBits*'\\'
	return ((quote - lowBits) | (slash - lowBits) | (w - lowBits*0x20) | w) & highBits
}

// plainEnd returns the position of the first special byte at or after i, or len(data).
func plainEnd(data []byte, i int) int {
	for i+8 <= len(data) {
		if m := special(binary.LittleEndian.Uint64(data[i:])); m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
		i += 8
	}
	for i < len(data) {
		if c := data[i]; c == '"' || c == '\\' || c < 0x20 || c >= utf8.RuneSelf {
			break
		}
		i++
	}
	return i
}

func (d *decoder) string(p unsafe.Pointer, i int) int {
	if i >= len(d.data) || d.data[i] != '"' {
		return d.null(i, "a string")
	}
	text, end := d.text(i)
	if end != failed {
		*(*string)(p) = d.strings.Of(text)
	}
	return end
}

// text returns what the string at i, whose quote has been seen, says: a part of the record, or of d.scratch if it has escapes. It is
// valid until the next call.
func (d *decoder) text(i int) ([]byte, int) {
	start := i + 1
	end := plainEnd(d.data, start)
	if end < len(d.data) && d.data[end] == '"' {
		return d.data[start:end], end + 1
	}
	return d.oddText(start, end)
}

// oddText goes on at i, where plain text ended: non-ASCII, escapes, errors.
func (d *decoder) oddText(start, i int) ([]byte, int) {
	data := d.data
	escaped := false
	d.scratch = d.scratch[:0]
	for i < len(data) {
		switch c := data[i]; {
		case c == '"':
			if !escaped {
				return data[start:i], i + 1
			}
			d.scratch = append(d.scratch, data[start:i]...)
			return d.scratch, i + 1
		case c == '\\':
			escaped = true
			d.scratch = append(d.scratch, data[start:i]...)
			if i = d.escape(i); i == failed {
				return nil, failed
			}
			start = i
		case c < 0x20:
			return nil, d.fail(i, "malformed JSON", "control characters in strings to be escaped", d.token(i))
		case c < utf8.RuneSelf:
			i = plainEnd(data, i)
		default:
			r, n := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && n == 1 {
				return nil, d.fail(i, "invalid UTF-8 in a string", "", d.token(i))
			}
			i += n
		}
	}
	return nil, d.fail(i, "unexpected end of the record", "the closing quote of a string", "")
}

// escape appends what the escape sequence at i stands for to d.scratch.
func (d *decoder) escape(i int) int {
	if i+1 >= len(d.data) {
		return d.fail(len(d.data), "unexpected end of the record", "the rest of an escape sequence", "")
	}
	var c byte
	switch d.data[i+1] {
	case '"', '\\', '/':
		c = d.data[i+1]
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		return d.unicodeEscape(i)
	default:
		return d.fail(i, "unknown escape sequence", "", d.shorten(i, i+1+d.runeLen(i+1)))
	}
	d.scratch = append(d.scratch, c)
	return i + 2
}

func (d *decoder) runeLen(i int) int {
	_, n := utf8.DecodeRune(d.data[i:])
	return n
}

// unicodeEscape handles \uXXXX and pairs of them. A surrogate without its other half is no character: it is refused rather than
// replaced, because replacing makes different values the same.
func (d *decoder) unicodeEscape(i int) int {
	r, ok := d.hex4(i)
	if !ok {
		return d.fail(i, "malformed escape sequence", `\u and four hexadecimal digits`, d.shorten(i, i+6))
	}
	end := i + 6
	if utf16.IsSurrogate(r) {
		low, ok := d.hex4(end)
		pair := utf16.DecodeRune(r, low)
		if !ok || pair == utf8.RuneError {
			return d.fail(i, "lone surrogate in an escape sequence", "", d.shorten(i, end))
		}
		r, end = pair, end+6
	}
	d.scratch = utf8.AppendRune(d.scratch, r)
	return end
}

func (d *decoder) hex4(i int) (rune, bool) {
	if i+6 > len(d.data) || d.data[i] != '\\' || d.data[i+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range d.data[i+2 : i+6] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20-'a' <= 5:
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

func (d *decoder) bytes(o *op, p unsafe.Pointer, i int) int {
	if i >= len(d.data) || d.data[i] != '"' {
		return d.unexpected(i, "a string in base64")
	}
	text, end := d.text(i)
	if end == failed {
		return failed
	}
	b := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Strict().Decode(b, text)
	if err != nil {
		return d.fail(i, "malformed base64", "a string in base64", d.token(i))
	}
	*(*[]byte)(p) = b[:n]
	return end
}
