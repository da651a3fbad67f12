package json

import (
	"encoding"
	"encoding/base64"
	stdjson "encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/flottio/flott/format"
	"github.com/flottio/flott/format/internal/scalar"
)

// typedEncoder ties an encoder to T.
type typedEncoder[T any] struct{ encoder }

func (e *typedEncoder[T]) Append(dst []byte, v *T) ([]byte, error) {
	e.err, e.depth = nil, 0
	out := e.value(dst, e.plan.root, unsafe.Pointer(v))
	if e.err != nil {
		return dst, e.err
	}
	return out, nil
}

// encoder appends values. After an error, kept in err, what it appends is thrown away.
type encoder struct {
	plan     *plan
	maxDepth int
	depth    int
	check    decoder // of what MarshalJSON methods return
	err      *format.Error
}

func newEncoder(p *plan, o options) encoder {
	return encoder{plan: p, maxDepth: o.maxDepth, check: decoder{plan: p, options: o}}
}

func (e *encoder) fail(reason, expected, got string) {
	if e.err == nil {
		e.err = &format.Error{Reason: reason, Expected: expected, Got: got}
	}
}

// in adds an outer field or index to the path of the error.
func (e *encoder) in(name string) {
	switch inner := e.err.Field; {
	case inner == "" || inner[0] == '[':
		e.err.Field = name + inner
	default:
		e.err.Field = name + "." + inner
	}
}

func (e *encoder) value(dst []byte, o *op, p unsafe.Pointer) []byte {
	switch o.kind {
	case kindString:
		return e.string(dst, *(*string)(p))
	case kindInt:
		return strconv.AppendInt(dst, loadInt(o, p), 10)
	case kindUint:
		return strconv.AppendUint(dst, loadUint(o, p), 10)
	case kindFloat:
		return e.float(dst, o, p)
	case kindBool:
		return strconv.AppendBool(dst, *(*bool)(p))
	case kindStruct:
		return e.object(dst, o, p)
	case kindTime:
		return e.time(dst, *(*time.Time)(p))
	case kindEpoch:
		n, ok := o.unit.Count(*(*time.Time)(p))
		if !ok {
			e.fail("time out of range", "a count that fits int64", (*(*time.Time)(p)).String())
		}
		return strconv.AppendInt(dst, n, 10)
	}
	return e.composite(dst, o, p)
}

func loadInt(o *op, p unsafe.Pointer) int64 {
	switch o.bits {
	case 32:
		return int64(*(*int32)(p))
	case 16:
		return int64(*(*int16)(p))
	case 8:
		return int64(*(*int8)(p))
	}
	return *(*int64)(p)
}

func loadUint(o *op, p unsafe.Pointer) uint64 {
	switch o.bits {
	case 32:
		return uint64(*(*uint32)(p))
	case 16:
		return uint64(*(*uint16)(p))
	case 8:
		return uint64(*(*uint8)(p))
	}
	return *(*uint64)(p)
}

func (e *encoder) float(dst []byte, o *op, p unsafe.Pointer) []byte {
	var f float64
	if o.bits == 32 {
		f = float64(*(*float32)(p))
	} else {
		f = *(*float64)(p)
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		e.fail("JSON has no such number", "a finite number", strconv.FormatFloat(f, 'g', -1, 64))
		return dst
	}
	return scalar.AppendFloat(dst, f, o.bits)
}

func (e *encoder) time(dst []byte, t time.Time) []byte {
	dst, ok := scalar.AppendTime(append(dst, '"'), t)
	if !ok {
		e.fail("time out of range", "a year from 0 to 9999 (RFC 3339)", t.String())
	}
	return append(dst, '"')
}

func (e *encoder) object(dst []byte, o *op, p unsafe.Pointer) []byte {
	if !e.enter() {
		return dst
	}
	start := len(dst)
	for n := range o.fields {
		f := &o.fields[n]
		at := p
		for v := range f.via {
			if at = *(*unsafe.Pointer)(unsafe.Add(at, f.via[v].Offset)); at == nil {
				break
			}
		}
		if at == nil {
			continue // a field of an embedded pointer that is nil
		}
		at = unsafe.Add(at, f.offset)
		if f.omit != omitNever && f.omitted(at) {
			continue
		}
		dst = append(dst, ',')
		dst = append(dst, f.key.text...)
		if f.quoted {
			dst = append(dst, '"')
		}
		dst = e.value(dst, f.op, at)
		if f.quoted {
			dst = append(dst, '"')
		}
		if e.err != nil {
			e.in(f.name)
			return dst
		}
	}
	e.depth--
	return closeBracket(dst, start, '{', '}')
}

// closeBracket turns the comma in front of the first member, at start, into the opening bracket and appends the closing one.
func closeBracket(dst []byte, start int, opening, closing byte) []byte {
	if len(dst) == start {
		return append(dst, opening, closing)
	}
	dst[start] = opening
	return append(dst, closing)
}

func (f *structField) omitted(p unsafe.Pointer) bool {
	v := reflect.NewAt(f.op.typ, p)
	if f.omit == omitZero {
		if f.zeroer {
			return v.Interface().(zeroer).IsZero()
		}
		return v.Elem().IsZero()
	}
	switch v = v.Elem(); v.Kind() {
	case reflect.String, reflect.Slice, reflect.Map, reflect.Array:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// enter counts levels: what is nested deeper than a decoder accepts, or refers to itself, is not written.
func (e *encoder) enter() bool {
	e.depth++
	if e.depth > e.maxDepth {
		e.fail("nested too deeply (raise the limit with MaxDepth)", "at most "+strconv.Itoa(e.maxDepth)+" levels", "")
	}
	return e.err == nil
}

func (e *encoder) composite(dst []byte, o *op, p unsafe.Pointer) []byte {
	switch o.kind {
	case kindPointer:
		return e.pointer(dst, o, *(*unsafe.Pointer)(p))
	case kindSlice:
		s := reflect.NewAt(o.typ, p).Elem()
		if s.IsNil() {
			return append(dst, "null"...)
		}
		return e.elements(dst, o, s.UnsafePointer(), s.Len())
	case kindArray:
		return e.elements(dst, o, p, o.len)
	case kindMap:
		return e.mapping(dst, o, reflect.NewAt(o.typ, p).Elem())
	case kindBytes:
		b := *(*[]byte)(p)
		if b == nil {
			return append(dst, "null"...)
		}
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), b), '"')
	case kindAny:
		return e.any(dst, *(*any)(p))
	case kindRaw:
		return e.raw(dst, *(*[]byte)(p))
	case kindNumber:
		return e.number(dst, *(*string)(p))
	case kindJSONMethods:
		b, err := reflect.NewAt(o.typ, p).Interface().(stdjson.Marshaler).MarshalJSON()
		if err != nil {
			e.fail(err.Error(), "", "")
			return dst
		}
		return e.raw(dst, b)
	case kindTextMethods:
		b, err := reflect.NewAt(o.typ, p).Interface().(encoding.TextMarshaler).MarshalText()
		if err != nil {
			e.fail(err.Error(), "", "")
		}
		return e.string(dst, string(b))
	}
	panic("BUG: no encoder for " + o.typ.String())
}

// pointer counts a level for pointers to pointers too, or a cycle of them would never end.
func (e *encoder) pointer(dst []byte, o *op, elem unsafe.Pointer) []byte {
	if elem == nil {
		return append(dst, "null"...)
	}
	if o.elem.kind == kindPointer {
		if !e.enter() {
			return dst
		}
		defer func() { e.depth-- }()
	}
	return e.value(dst, o.elem, elem)
}

func (e *encoder) elements(dst []byte, o *op, p unsafe.Pointer, count int) []byte {
	if !e.enter() {
		return dst
	}
	start := len(dst)
	for n := range count {
		dst = e.value(append(dst, ','), o.elem, unsafe.Add(p, uintptr(n)*o.elem.size))
		if e.err != nil {
			e.in("[" + strconv.Itoa(n) + "]")
			return dst
		}
	}
	e.depth--
	return closeBracket(dst, start, '[', ']')
}

// mapping writes keys in order, so that equal maps give equal bytes.
func (e *encoder) mapping(dst []byte, o *op, m reflect.Value) []byte {
	if m.IsNil() {
		return append(dst, "null"...)
	}
	if !e.enter() {
		return dst
	}
	type entry struct {
		key  string
		elem reflect.Value
	}
	entries := make([]entry, 0, m.Len())
	for it := m.MapRange(); it.Next(); {
		elem := reflect.New(o.elem.typ) // map values have no address
		elem.Elem().Set(it.Value())
		entries = append(entries, entry{e.mapKey(o.key, it.Key()), elem})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	start := len(dst)
	for i := range entries {
		dst = append(e.string(append(dst, ','), entries[i].key), ':')
		dst = e.value(dst, o.elem, entries[i].elem.UnsafePointer())
		if e.err != nil {
			e.in(entries[i].key)
			return dst
		}
	}
	e.depth--
	return closeBracket(dst, start, '{', '}')
}

func (e *encoder) mapKey(o *op, key reflect.Value) string {
	switch o.kind {
	case kindInt:
		return strconv.FormatInt(key.Int(), 10)
	case kindUint:
		return strconv.FormatUint(key.Uint(), 10)
	case kindTextMethods:
		p := reflect.New(o.typ)
		p.Elem().Set(key)
		b, err := p.Interface().(encoding.TextMarshaler).MarshalText()
		if err != nil {
			e.fail(err.Error(), "", "")
		}
		return string(b)
	}
	return key.String()
}

// any writes what a decoder makes of an any field, and integers, floats and times.
func (e *encoder) any(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case string:
		return e.string(dst, v)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case float64:
		return e.float(dst, floatOp, unsafe.Pointer(&v))
	case time.Time:
		return e.time(dst, v)
	case stdjson.Number:
		return e.number(dst, string(v))
	case map[string]any:
		return e.mapping(dst, anyMap, reflect.ValueOf(v))
	case []any:
		if v == nil {
			return append(dst, "null"...)
		}
		return e.elements(dst, anySlice, unsafe.Pointer(unsafe.SliceData(v)), len(v))
	}
	e.fail("cannot write this type in an any", "bool, string, int, int64, float64, time.Time, json.Number, []any, map[string]any or nil",
		fmt.Sprintf("%T", v))
	return dst
}

// raw writes JSON that comes from outside, after checking it: one bad value must not spoil the record.
func (e *encoder) raw(dst, b []byte) []byte {
	if b == nil {
		return append(dst, "null"...)
	}
	d := &e.check
	d.data, d.depth, d.err = b, e.depth, nil
	i := d.space(0)
	end := d.skip(i)
	if end != failed && d.space(end) != len(b) {
		end = d.fail(end, "unexpected text after the end of the document", "", d.token(d.space(end)))
	}
	d.data = nil
	if end == failed {
		e.fail("malformed raw JSON", "", d.err.Error())
		return dst
	}
	from := len(dst)
	dst = append(dst, b[i:end]...)
	for n := range dst[from:] { // a line feed between tokens (there is none inside them) would end the record
		if c := dst[from+n]; c == '\n' || c == '\r' {
			dst[from+n] = ' '
		}
	}
	return dst
}

func (e *encoder) number(dst []byte, text string) []byte {
	if text == "" {
		return append(dst, '0') // the zero value, as encoding/json has it
	}
	b := unsafe.Slice(unsafe.StringData(text), len(text))
	if end, _, err := scalar.Number(b, 0); err != nil || end != len(b) {
		e.fail("malformed number", "", strconv.Quote(text))
	}
	return append(dst, text...)
}

func (e *encoder) string(dst []byte, s string) []byte {
	n, ok := 0, true
	dst = append(dst, '"')
	if dst, n = appendPlain(dst, s); n < len(s) {
		if dst, ok = appendOdd(dst, s, n); !ok {
			e.fail("string is not valid UTF-8", "", strconv.QuoteToASCII(s[:min(len(s), gotBytes)]))
		}
	}
	return append(dst, '"')
}

// appendString appends s as a JSON string; s is valid UTF-8.
func appendString(dst []byte, s string) []byte {
	dst, _ = appendOdd(append(dst, '"'), s, 0)
	return append(dst, '"')
}

// appendPlain appends the beginning of s that needs no escaping and returns its length.
func appendPlain(dst []byte, s string) ([]byte, int) {
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	n := plainEnd(b, 0)
	return append(dst, s[:n]...), n
}

// appendOdd appends s[from:] with escapes; ok is false if s is not valid UTF-8.
func appendOdd(dst []byte, s string, from int) (_ []byte, ok bool) {
	const hex = "0123456789abcdef"
	ok = true
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	for i := from; i < len(s); {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
			i++
		case c == '\n':
			dst = append(dst, '\\', 'n')
			i++
		case c == '\r':
			dst = append(dst, '\\', 'r')
			i++
		case c == '\t':
			dst = append(dst, '\\', 't')
			i++
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			i++
		case c < utf8.RuneSelf:
			end := plainEnd(b, i)
			dst = append(dst, s[i:end]...)
			i = end
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			ok = ok && (r != utf8.RuneError || n > 1)
			dst = append(dst, s[i:i+n]...)
			i += n
		}
	}
	return dst, ok
}
