package csv

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/flottio/flott/format"
	"github.com/flottio/flott/format/internal/scalar"
)

// typedEncoder ties an encoder to T.
type typedEncoder[T any] struct{ encoder }

func (e *typedEncoder[T]) Append(dst []byte, v *T) ([]byte, error) {
	out, err := e.record(dst, unsafe.Pointer(v))
	if err != nil {
		return dst, err
	}
	return out, nil
}

type encoder struct {
	columns []structColumn
	options options
	special [256]bool // bytes that cannot stand in an unquoted field
	scratch []byte
}

func newEncoder(columns []structColumn, o *options) encoder {
	e := encoder{columns: columns, options: *o}
	for _, c := range []byte{o.delimiter, o.quote, o.escape, '\n', '\r'} {
		e.special[c] = true
	}
	e.special[0] = false // neither quote nor escape: there is none
	return e
}

func (e *encoder) record(dst []byte, p unsafe.Pointer) ([]byte, error) {
	var err error
	for i := range e.columns {
		if i > 0 {
			dst = append(dst, e.options.delimiter)
		}
		if dst, err = e.column(dst, &e.columns[i], p, i == 0); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// locate returns where the column's value is, nil for null.
func (c *structColumn) locate(p unsafe.Pointer) unsafe.Pointer {
	for i := range c.via {
		if p = *(*unsafe.Pointer)(unsafe.Add(p, c.via[i].Offset)); p == nil {
			return nil
		}
	}
	p = unsafe.Add(p, c.offset)
	if c.pointer {
		p = *(*unsafe.Pointer)(p)
	}
	if p != nil && c.kind == kindBytes && *(*[]byte)(p) == nil {
		return nil
	}
	return p
}

func (e *encoder) column(dst []byte, c *structColumn, p unsafe.Pointer, first bool) ([]byte, error) {
	at := len(dst)
	if p = c.locate(p); p == nil {
		if !c.nullable() {
			return dst, &format.Error{Field: c.name, Reason: "the embedded pointer is nil: the column has no value"}
		}
		if e.options.null == "" && len(e.columns) == 1 {
			return dst, &format.Error{Field: c.name, Reason: "null as the only column would be an empty line (use NullLiteral)"}
		}
		return append(dst, e.options.null...), nil
	}
	dst, err := e.value(dst, c, p)
	if err != nil {
		return dst, err
	}
	text := dst[at:]
	if !e.needsQuotes(text, first) && (len(text) > 0 || !e.emptyIsOdd(c)) {
		return dst, nil
	}
	e.scratch = append(e.scratch[:0], text...)
	return e.protect(dst[:at], c, e.scratch)
}

// emptyIsOdd reports whether an empty field would be read as something else: as null, or as a blank line.
func (e *encoder) emptyIsOdd(c *structColumn) bool {
	return c.nullable() && !e.options.hasNull || len(e.columns) == 1
}

// value appends the value's text, without quotes.
func (e *encoder) value(dst []byte, c *structColumn, p unsafe.Pointer) ([]byte, error) {
	switch c.kind {
	case kindString:
		s := *(*string)(p)
		if !utf8.ValidString(s) {
			return dst, &format.Error{Field: c.name, Reason: "string is not valid UTF-8"}
		}
		return append(dst, s...), nil
	case kindBool:
		return strconv.AppendBool(dst, *(*bool)(p)), nil
	case kindInt:
		return strconv.AppendInt(dst, loadInt(p, c.bits), 10), nil
	case kindUint:
		return strconv.AppendUint(dst, uint64(loadInt(p, c.bits))&(math.MaxUint64>>(64-c.bits)), 10), nil
	case kindFloat:
		return appendFloat(dst, p, c.bits), nil
	case kindTime:
		return e.time(dst, c, *(*time.Time)(p))
	case kindBytes:
		return base64.StdEncoding.AppendEncode(dst, *(*[]byte)(p)), nil
	case kindText:
		b, err := reflect.NewAt(c.typ, p).Interface().(encoding.TextMarshaler).MarshalText()
		if err != nil {
			return dst, &format.Error{Field: c.name, Reason: err.Error()}
		}
		return append(dst, b...), nil
	}
	panic("BUG: no encoder for " + c.typ.String())
}

func loadInt(p unsafe.Pointer, bits int) int64 {
	switch bits {
	case 32:
		return int64(*(*int32)(p))
	case 16:
		return int64(*(*int16)(p))
	case 8:
		return int64(*(*int8)(p))
	}
	return *(*int64)(p)
}

// appendFloat writes NaN and infinities as strconv does and the decoder reads them.
func appendFloat(dst []byte, p unsafe.Pointer, bits int) []byte {
	f := 0.0
	if bits == 32 {
		f = float64(*(*float32)(p))
	} else {
		f = *(*float64)(p)
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return strconv.AppendFloat(dst, f, 'g', -1, bits)
	}
	return scalar.AppendFloat(dst, f, bits)
}

func (e *encoder) time(dst []byte, c *structColumn, t time.Time) ([]byte, error) {
	if c.unit != scalar.RFC3339 {
		n, ok := c.unit.Count(t)
		if !ok {
			return dst, &format.Error{Field: c.name, Reason: "time out of range", Expected: "a count that fits int64", Got: t.String()}
		}
		return strconv.AppendInt(dst, n, 10), nil
	}
	if layout := e.options.timeLayout; layout != "" {
		return t.UTC().AppendFormat(dst, layout), nil
	}
	dst, ok := scalar.AppendTime(dst, t)
	if !ok {
		return dst, &format.Error{Field: c.name, Reason: "time out of range", Expected: "a year from 0 to 9999 (RFC 3339)", Got: t.String()}
	}
	return dst, nil
}

// needsQuotes reports whether text cannot stand as it is. first: it begins the record.
func (e *encoder) needsQuotes(text []byte, first bool) bool {
	o := &e.options
	for _, c := range text {
		if e.special[c] {
			return true
		}
	}
	if first && len(text) > 0 && (text[0] == '#' && o.comments || text[0] == byteOrderMark[0]) {
		return true
	}
	return o.hasNull && string(text) == o.null
}

// protect appends text in quotes, or with escapes where quotes are off, so that it is read back as it is.
func (e *encoder) protect(dst []byte, c *structColumn, text []byte) ([]byte, error) {
	o := &e.options
	bare := -1 // without quotes: what to escape even if it is not special, so that the field is not null, a comment or a byte order mark
	if o.quote != 0 {
		dst = append(dst, o.quote)
	} else if bare = slices.IndexFunc(text, escapesToItself); o.escape == 0 || bare < 0 {
		return dst, &format.Error{Field: c.name, Reason: "value needs quotes, which are off (use Quote or Escape)", Got: got(text)}
	}
	if bytes.IndexByte(text, o.delimiter) >= 0 && text[0] != '#' && text[0] != byteOrderMark[0] {
		bare = -1 // the delimiter's escape does
	}
	for i, b := range text {
		if (b == '\n' || b == '\r') && (o.quote == 0 || o.oneLine) {
			if o.escape == 0 {
				return dst, &format.Error{Field: c.name, Reason: "line ending in a value, against NoNewlinesInFields", Got: got(text)}
			}
			dst = append(dst, o.escape, map[byte]byte{'\n': 'n', '\r': 'r'}[b])
			continue
		}
		switch {
		case o.quote != 0 && b == o.quote:
			dst = append(dst, o.quote)
		case o.escape != 0 && b == o.escape, o.quote == 0 && b == o.delimiter, i == bare:
			dst = append(dst, o.escape)
		}
		dst = append(dst, b)
	}
	if o.quote != 0 {
		dst = append(dst, o.quote)
	}
	return dst, nil
}

// escapesToItself reports whether the escape character in front of b means b (see unescape).
func escapesToItself(b byte) bool { return unescape(b) == b }

// headerLine is the first line of every file: the columns' names.
func headerLine(columns []structColumn, o *options) ([]byte, error) {
	e := newEncoder(columns, o)
	var line []byte
	for i := range columns {
		if i > 0 {
			line = append(line, o.delimiter)
		}
		name := []byte(columns[i].name)
		if !e.needsQuotes(name, i == 0) {
			line = append(line, name...)
			continue
		}
		var err error
		if line, err = e.protect(line, &columns[i], name); err != nil {
			return nil, fmt.Errorf("csv: writing the header: %w", err)
		}
	}
	return append(line, '\n'), nil
}
