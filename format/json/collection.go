package json

import (
	"encoding"
	stdjson "encoding/json"
	"reflect"
	"unsafe"

	"github.com/flottio/flott/format/internal/scalar"
)

// open enters the array at i and returns the position of its first element or closing bracket.
func (d *decoder) open(i int, bracket byte, expected string) int {
	if i >= len(d.data) || d.data[i] != bracket {
		return d.unexpected(i, expected)
	}
	if !d.enter() {
		return d.tooDeep(i)
	}
	return d.space(i + 1)
}

func (d *decoder) closes(i int, bracket byte) bool { return i < len(d.data) && d.data[i] == bracket }

// slice reads a slice, always into new memory: rows are handed on, and what they refer to must not change behind them.
func (d *decoder) slice(o *op, p unsafe.Pointer, i int) int {
	if i = d.open(i, '[', "an array"); i == failed {
		return failed
	}
	s := reflect.NewAt(o.typ, p).Elem()
	more := !d.closes(i, ']')
	if !more {
		s.Set(reflect.MakeSlice(o.typ, 0, 0))
	}
	for n := 0; more; n++ {
		s.Grow(1)
		s.SetLen(n + 1)
		if i = d.value(o.elem, unsafe.Add(s.UnsafePointer(), uintptr(n)*o.elem.size), i); i == failed {
			return d.inElement(n)
		}
		if i, more = d.next(i, ']', "an array"); i == failed {
			return failed
		}
	}
	d.depth--
	return i + 1
}

// array reads exactly as many elements as the Go array has.
func (d *decoder) array(o *op, p unsafe.Pointer, i int) int {
	if d.isNull(i) {
		return i + len("null")
	}
	start := i
	if i = d.open(i, '[', "an array"); i == failed {
		return failed
	}
	n := 0
	for more := !d.closes(i, ']'); more; n++ {
		if n == o.len {
			return d.fail(i, "too many elements", "an array of "+o.typ.String(), "")
		}
		if i = d.value(o.elem, unsafe.Add(p, uintptr(n)*o.elem.size), i); i == failed {
			return d.inElement(n)
		}
		if i, more = d.next(i, ']', "an array"); i == failed {
			return failed
		}
	}
	if n < o.len {
		return d.fail(start, "too few elements", "an array of "+o.typ.String(), "")
	}
	d.depth--
	return i + 1
}

// mapping reads a map: the common types by themselves, others through reflection.
func (d *decoder) mapping(o *op, p unsafe.Pointer, i int) int {
	switch p := reflect.NewAt(o.typ, p).Interface().(type) {
	case *map[string]string:
		return fillMap(d, o, p, i)
	case *map[string]any:
		return fillMap(d, o, p, i)
	case *map[string]int64:
		return fillMap(d, o, p, i)
	case *map[string]float64:
		return fillMap(d, o, p, i)
	}
	m := reflect.MakeMap(o.typ)
	elem := reflect.New(o.elem.typ)
	end := d.members(o, i, elem.UnsafePointer(), func(name []byte, at int) bool {
		key := reflect.New(o.key.typ)
		if !d.mapKey(o.key, key, name, at) {
			return false
		}
		before := m.Len()
		m.SetMapIndex(key.Elem(), elem.Elem())
		elem.Elem().SetZero()
		return m.Len() > before || d.duplicateKey(at)
	})
	reflect.NewAt(o.typ, p).Elem().Set(m)
	return end
}

func fillMap[V any](d *decoder, o *op, p *map[string]V, i int) int {
	m := make(map[string]V)
	*p = m
	var v, zero V
	return d.members(o, i, unsafe.Pointer(&v), func(name []byte, at int) bool {
		before := len(m)
		m[string(name)] = v
		v = zero
		return len(m) > before || d.duplicateKey(at)
	})
}

// members reads an object whose names are not known in advance: each value into p, and then put is called with the name, which
// begins at position at and does not outlive the call.
func (d *decoder) members(o *op, i int, p unsafe.Pointer, put func(name []byte, at int) bool) int {
	if i = d.open(i, '{', "an object"); i == failed {
		return failed
	}
	for more := !d.closes(i, '}'); more; {
		at := i
		name, end := d.name(i)
		if end == failed {
			return failed
		}
		if len(name) != end-at-len(`""`) { // it had escapes and is in scratch, which the value may overwrite
			name = append([]byte(nil), name...)
		}
		if i = d.colon(end); i == failed {
			return failed
		}
		if i = d.value(o.elem, p, d.space(i)); i == failed || !put(name, at) {
			return d.in(string(name))
		}
		if i, more = d.next(i, '}', "an object"); i == failed {
			return failed
		}
	}
	d.depth--
	return i + 1
}

// duplicateKey reports whether a key that came twice is allowed, and fails if not.
func (d *decoder) duplicateKey(at int) bool {
	if !d.options.duplicatesAllow {
		d.fail(at, "duplicate field", "", "")
	}
	return d.options.duplicatesAllow
}

func (d *decoder) mapKey(o *op, key reflect.Value, name []byte, at int) bool {
	var err error
	switch o.kind {
	case kindString:
		key.Elem().SetString(string(name))
	case kindInt:
		var n int64
		n, err = scalar.Int(name, o.bits)
		key.Elem().SetInt(n)
	case kindUint:
		var n uint64
		n, err = scalar.Uint(name, o.bits)
		key.Elem().SetUint(n)
	case kindTextMethods:
		err = key.Interface().(encoding.TextUnmarshaler).UnmarshalText(name)
	}
	if err != nil {
		d.fail(at, "unusable map key ("+err.Error()+")", "a key of type "+o.typ.String(), d.token(at))
	}
	return err == nil
}

// any reads a value of whatever type it has: bool, string, []any, map[string]any, and numbers without rounding integers: int64 where
// it fits, else json.Number for integer literals, else float64.
func (d *decoder) any(i int) (any, int) {
	if i >= len(d.data) {
		return nil, d.unexpected(i, "a value")
	}
	switch c := d.data[i]; {
	case c == '"':
		text, end := d.text(i)
		if end == failed {
			return nil, failed
		}
		return d.strings.Of(text), end
	case c == '{':
		var m map[string]any
		end := fillMap(d, anyMap, &m, i)
		return m, end
	case c == '[':
		var s []any
		end := d.slice(anySlice, unsafe.Pointer(&s), i)
		return s, end
	case isNumberStart(c):
		return d.anyNumber(i)
	case d.isWord(i, wordNull):
		return nil, i + 4
	case d.isWord(i, wordTrue):
		return true, i + 4
	case c == 'f' && d.isWord(i+1, wordAlse):
		return false, i + 5
	}
	return nil, d.unexpected(i, "a value")
}

var (
	anyOp    = &op{kind: kindAny, nullable: true, typ: reflect.TypeFor[any](), size: unsafe.Sizeof(any(nil))}
	anyKey   = &op{kind: kindString, typ: reflect.TypeFor[string]()}
	anyMap   = &op{kind: kindMap, nullable: true, typ: reflect.TypeFor[map[string]any](), key: anyKey, elem: anyOp}
	anySlice = &op{kind: kindSlice, nullable: true, typ: reflect.TypeFor[[]any](), elem: anyOp}
)

func (d *decoder) anyNumber(i int) (any, int) {
	end, integer, err := scalar.Number(d.data, i)
	if err != nil {
		return nil, d.malformedNumber(end)
	}
	if text := d.data[i:end]; integer && string(text) != "-0" {
		if n, err := scalar.Int(text, 64); err == nil {
			return n, end
		}
		return stdjson.Number(text), end
	}
	var f float64
	end = d.float(floatOp, unsafe.Pointer(&f), i)
	return f, end
}

var floatOp = &op{kind: kindFloat, bits: 64, typ: reflect.TypeFor[float64]()}

// jsonMethod lets the type read the value itself. Slow, as it is read twice.
func (d *decoder) jsonMethod(o *op, p unsafe.Pointer, i int) int {
	end := d.skip(i)
	if end == failed {
		return failed
	}
	u := reflect.NewAt(o.typ, p).Interface().(stdjson.Unmarshaler)
	if err := u.UnmarshalJSON(d.data[i:end]); err != nil {
		return d.fail(i, err.Error(), "", d.token(i))
	}
	return end
}

func (d *decoder) textMethod(o *op, p unsafe.Pointer, i int) int {
	if i >= len(d.data) || d.data[i] != '"' {
		return d.null(i, "a string")
	}
	text, end := d.text(i)
	if end == failed {
		return failed
	}
	u := reflect.NewAt(o.typ, p).Interface().(encoding.TextUnmarshaler)
	if err := u.UnmarshalText(text); err != nil {
		return d.fail(i, err.Error(), "", d.token(i))
	}
	return end
}

// skip checks the value at i and reads over it.
func (d *decoder) skip(i int) int {
	if i >= len(d.data) {
		return d.unexpected(i, "a value")
	}
	switch c := d.data[i]; {
	case c == '"':
		_, i = d.text(i)
		return i
	case c == '{' || c == '[':
		return d.skipNested(i)
	case isNumberStart(c):
		return d.numberEnd(i)
	case d.isWord(i, wordNull), d.isWord(i, wordTrue):
		return i + 4
	case c == 'f' && d.isWord(i+1, wordAlse):
		return i + 5
	}
	return d.unexpected(i, "a value")
}

func (d *decoder) skipNested(i int) int {
	closing, of := d.data[i]+2, "an array" // in ASCII '}' is '{'+2 and ']' is '['+2
	if closing == '}' {
		of = "an object"
	}
	if i = d.open(i, closing-2, of); i == failed {
		return failed
	}
	for more := !d.closes(i, closing); more; {
		if closing == '}' {
			if _, i = d.name(i); i == failed {
				return failed
			}
			if i = d.colon(i); i == failed {
				return failed
			}
			i = d.space(i)
		}
		if i = d.skip(i); i == failed {
			return failed
		}
		if i, more = d.next(i, closing, of); i == failed {
			return failed
		}
	}
	d.depth--
	return i + 1
}
