package json

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"strconv"
	"unicode/utf8"
	"unsafe"

	"github.com/flottio/flott/format"
	"github.com/flottio/flott/format/internal/scalar"
)

// typedDecoder ties a decoder to T.
type typedDecoder[T any] struct{ decoder }

func (d *typedDecoder[T]) Decode(record []byte, v *T) error {
	var zero T
	*v = zero
	if err := d.record(record, unsafe.Pointer(v)); err != nil {
		*v = zero // no half-filled row gets through
		return err
	}
	return nil
}

// decoder reads one record in one pass: the methods that read something take the position where it begins and return the
// position behind it, or failed after d.fail. Values are written to where the op's type says that they are; the pointers come from
// a *T and offsets of T's own fields, and stores are typed, so that the garbage collector sees them.
type decoder struct {
	plan    *plan
	options options
	data    []byte
	depth   int
	follows []uint16 // per field id: the index of the field that came next the last time (see object)
	strings scalar.StringCache
	scratch []byte // text with its escapes resolved; names
	err     *format.Error
}

// failed is the position after an error.
const failed = -1

func newDecoder(p *plan, o options) decoder {
	d := decoder{plan: p, options: o, follows: make([]uint16, p.fieldIDs+1)}
	d.guessDeclared(p.root, make(map[*op]bool))
	return d
}

// guessDeclared starts with the guess that fields come in the order of declaration.
func (d *decoder) guessDeclared(o *op, done map[*op]bool) {
	if o == nil || done[o] {
		return
	}
	done[o] = true
	for i := range o.fields {
		d.follows[o.fields[i].id] = uint16(i + 1)
		d.guessDeclared(o.fields[i].op, done)
	}
	d.guessDeclared(o.elem, done)
}

func (d *decoder) record(data []byte, p unsafe.Pointer) error {
	d.data, d.depth, d.err = data, 0, nil
	i := d.space(0)
	if !d.plan.root.nullable && d.isNull(i) {
		i = d.unexpected(i, "a value of "+d.plan.root.typ.String())
	} else if i = d.value(d.plan.root, p, i); i >= 0 {
		if i = d.space(i); i < len(data) {
			i = d.fail(i, "unexpected text after the end of the document", "the end of the record", d.token(i))
		}
	}
	d.data = nil // the record is the caller's again
	if i == failed {
		return d.err
	}
	return nil
}

// fail keeps the first error.
func (d *decoder) fail(at int, reason, expected, got string) int {
	if d.err == nil {
		d.err = format.NewError(d.data, at, reason)
		d.err.Expected, d.err.Got = expected, got
	}
	return failed
}

// in adds an outer field or index to the path of the error, on the way out.
func (d *decoder) in(name string) int {
	switch inner := d.err.Field; {
	case inner == "" || inner[0] == '[':
		d.err.Field = name + inner
	default:
		d.err.Field = name + "." + inner
	}
	return failed
}

func (d *decoder) inElement(index int) int { return d.in("[" + strconv.Itoa(index) + "]") }

// unexpected is the error for a value of the wrong type, or for no value at all.
func (d *decoder) unexpected(i int, expected string) int {
	switch {
	case i >= len(d.data):
		return d.fail(i, "unexpected end of the record", expected, "")
	case isValueStart(d.data[i]):
		return d.fail(i, "wrong type", expected, d.token(i))
	}
	return d.fail(i, "malformed JSON", expected, d.token(i))
}

func isValueStart(c byte) bool {
	switch c {
	case '{', '[', '"', '-', 't', 'f', 'n':
		return true
	}
	return c-'0' <= 9
}

// gotBytes bounds the text that an error shows of what it found.
const gotBytes = 40

// token describes what stands at i, for messages.
func (d *decoder) token(i int) string {
	if i >= len(d.data) {
		return "the end of the record"
	}
	c := d.data[i]
	switch {
	case c == '{':
		return "an object"
	case c == '[':
		return "an array"
	case c == '"':
		return "string " + d.shorten(i, d.stringEnd(i))
	case c == '-' || c-'0' <= 9:
		end := i
		for end < len(d.data) && isNumberByte(d.data[end]) {
			end++
		}
		return "number " + d.shorten(i, end)
	case c|0x20-'a' <= 'z'-'a':
		end := i
		for end < len(d.data) && d.data[end]|0x20-'a' <= 'z'-'a' {
			end++
		}
		return d.shorten(i, end)
	case i+3 <= len(d.data) && string(d.data[i:i+3]) == "\xef\xbb\xbf":
		return "a byte order mark (EF BB BF): save the data without it"
	}
	if c < 0x20 || c == 0x7f {
		return fmt.Sprintf("control character U+%04X", c)
	}
	r, n := utf8.DecodeRune(d.data[i:])
	if r == utf8.RuneError && n <= 1 {
		return fmt.Sprintf("byte 0x%02X, which is no UTF-8", c)
	}
	return strconv.QuoteRune(r)
}

func isNumberByte(c byte) bool {
	return c-'0' <= 9 || c == '-' || c == '+' || c == '.' || c|0x20 == 'e'
}

func (d *decoder) stringEnd(i int) int {
	for j := i + 1; j < len(d.data); j++ {
		switch d.data[j] {
		case '\\':
			j++
		case '"':
			return j + 1
		}
	}
	return len(d.data)
}

func (d *decoder) shorten(from, to int) string {
	to = min(to, len(d.data))
	if to-from > gotBytes {
		to = from + gotBytes
		for to > from && !utf8.RuneStart(d.data[to]) {
			to--
		}
		return string(d.data[from:to]) + "..."
	}
	return string(d.data[from:to])
}

// space returns the position of the first byte at or after i that is not white space.
func (d *decoder) space(i int) int {
	for i < len(d.data) && d.data[i] <= ' ' {
		if c := d.data[i]; c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			break
		}
		i++
	}
	return i
}

// value reads the value at i, which is not white space, into p. What p points to is zero.
func (d *decoder) value(o *op, p unsafe.Pointer, i int) int {
	switch o.kind {
	case kindString:
		return d.string(p, i)
	case kindInt:
		return d.int(o, p, i)
	case kindUint:
		return d.uint(o, p, i)
	case kindFloat:
		return d.float(o, p, i)
	case kindBool:
		return d.bool(p, i)
	case kindStruct:
		return d.object(o, p, i)
	case kindTime:
		return d.time(p, i)
	case kindEpoch:
		return d.epoch(o, p, i)
	}
	return d.composite(o, p, i)
}

// composite is value for the kinds that allocate.
func (d *decoder) composite(o *op, p unsafe.Pointer, i int) int {
	if o.nullable && o.kind != kindRaw && o.kind != kindJSONMethods && d.isNull(i) {
		return i + len("null")
	}
	switch o.kind {
	case kindPointer:
		elem := reflect.New(o.elem.typ)
		i = d.value(o.elem, elem.UnsafePointer(), i)
		*(*unsafe.Pointer)(p) = elem.UnsafePointer()
		return i
	case kindSlice:
		return d.slice(o, p, i)
	case kindArray:
		return d.array(o, p, i)
	case kindMap:
		return d.mapping(o, p, i)
	case kindBytes:
		return d.bytes(o, p, i)
	case kindAny:
		v, i := d.any(i)
		if i != failed {
			*(*any)(p) = v
		}
		return i
	case kindRaw:
		end := d.skip(i)
		if end != failed {
			*(*[]byte)(p) = append(make([]byte, 0, end-i), d.data[i:end]...)
		}
		return end
	case kindNumber:
		return d.number(p, i)
	case kindJSONMethods:
		return d.jsonMethod(o, p, i)
	case kindTextMethods:
		return d.textMethod(o, p, i)
	}
	panic("BUG: no decoder for " + o.typ.String())
}

const (
	wordNull = 'n' | 'u'<<8 | 'l'<<16 | 'l'<<24
	wordTrue = 't' | 'r'<<8 | 'u'<<16 | 'e'<<24
	wordAlse = 'a' | 'l'<<8 | 's'<<16 | 'e'<<24
)

func (d *decoder) isNull(i int) bool { return d.isWord(i, wordNull) }

func (d *decoder) isWord(i int, word uint32) bool {
	return i+4 <= len(d.data) && binary.LittleEndian.Uint32(d.data[i:]) == word
}

// null ends the readers of values that cannot be null: null leaves the zero value, anything else is of the wrong type. Whether
// null is welcome is decided by the field (see object).
func (d *decoder) null(i int, expected string) int {
	if d.isNull(i) {
		return i + len("null")
	}
	return d.unexpected(i, expected)
}

func (d *decoder) bool(p unsafe.Pointer, i int) int {
	switch {
	case d.isWord(i, wordTrue):
		*(*bool)(p) = true
		return i + 4
	case i < len(d.data) && d.data[i] == 'f' && d.isWord(i+1, wordAlse):
		return i + 5
	}
	return d.null(i, "a bool")
}

func (d *decoder) time(p unsafe.Pointer, i int) int {
	if i >= len(d.data) || d.data[i] != '"' {
		return d.null(i, "a time (RFC 3339)")
	}
	text, end := d.text(i)
	if end == failed {
		return failed
	}
	t, ok := scalar.ParseTime(text)
	if !ok {
		return d.fail(i, "malformed time", `RFC 3339 like "2006-01-02T15:04:05.999Z"`, d.token(i))
	}
	setTime(p, t)
	return end
}

func (d *decoder) epoch(o *op, p unsafe.Pointer, i int) int {
	if d.isNull(i) {
		return i + len("null")
	}
	var n int64
	end := d.int(epochInt, unsafe.Pointer(&n), i)
	if end == failed {
		return failed
	}
	t := o.unit.Time(n)
	if !scalar.InCalendar(t) {
		return d.fail(i, "time out of range", "a year from 0 to 9999", d.token(i))
	}
	setTime(p, t)
	return end
}

// epochInt reads the count in a kindEpoch.
var epochInt = &op{kind: kindInt, bits: 64}
