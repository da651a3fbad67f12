package json

import (
	"encoding"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/flottio/flott/format/internal/field"
	"github.com/flottio/flott/format/internal/scalar"
)

// plan is what decoder and encoder need to know about a type. Immutable once made, and shared by all decoders and encoders.
type plan struct {
	root     *op
	fieldIDs int // fields of all structs are numbered; decoders keep their guesses by these numbers
}

// op says what to do with one type. Recursive types make cycles of ops.
type op struct {
	kind kind
	bits int         // of numbers
	unit scalar.Unit // of times
	typ  reflect.Type
	elem *op // of pointer, slice, array, map
	key  *op // of maps
	size uintptr
	len  int // of arrays

	nullable bool // null is a value of this type

	fields []structField
	byName map[string]int // exact names
	folded map[string]int // names in lower-case ASCII
	first  int            // id of the guess which field comes first; field f's successor is guessed at fields[f].id
	need   []uint64       // bit per field that must be present; nil: none
}

type structField struct {
	name     string
	key      literal // "name":
	op       *op
	offset   uintptr
	via      []field.Step
	id       int
	quoted   bool // the value stands in a string (tag option "string")
	required bool
	omit     omission
	zeroer   bool // the type has IsZero() bool
}

type omission uint8

const (
	omitNever omission = iota
	omitEmpty
	omitZero
)

type kind uint8

const (
	kindBool kind = iota
	kindInt
	kindUint
	kindFloat
	kindString
	kindBytes
	kindTime  // text
	kindEpoch // integer
	kindPointer
	kindStruct
	kindSlice
	kindArray
	kindMap
	kindAny
	kindRaw
	kindNumber
	kindJSONMethods // json.Marshaler and json.Unmarshaler
	kindTextMethods // encoding.TextMarshaler and encoding.TextUnmarshaler
)

var (
	timeType            = reflect.TypeFor[time.Time]()
	rawType             = reflect.TypeFor[stdjson.RawMessage]()
	numberType          = reflect.TypeFor[stdjson.Number]()
	marshalerType       = reflect.TypeFor[stdjson.Marshaler]()
	unmarshalerType     = reflect.TypeFor[stdjson.Unmarshaler]()
	zeroerType          = reflect.TypeFor[zeroer]()
	textMarshalerType   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

type zeroer interface{ IsZero() bool }

func newPlan(t reflect.Type, o options) (*plan, error) {
	b := builder{ops: make(map[opKey]*op), options: o, root: t, millis: make(map[string]bool)}
	for _, name := range o.epochMillis {
		b.millis[name] = false
	}
	root := b.op(t, scalar.RFC3339, "")
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name, used := range b.millis {
			if !used && !yield(name) {
				return
			}
		}
	}) {
		b.problem("", "EpochMillis(%q) names no field of %s", name, t)
	}
	return &plan{root: root, fieldIDs: b.ids}, errors.Join(b.problems...)
}

type opKey struct {
	typ  reflect.Type
	unit scalar.Unit
}

type builder struct {
	ops      map[opKey]*op
	options  options
	root     reflect.Type
	millis   map[string]bool // fields named by EpochMillis; true once found
	ids      int
	problems []error
}

func (b *builder) problem(path, text string, args ...any) {
	where := "json: "
	if path != "" {
		where = fmt.Sprintf("json: field %s of %s: ", path, b.root)
	}
	b.problems = append(b.problems, errors.New(where+fmt.Sprintf(text, args...)))
}

// op returns the op for t. unit applies to times, also behind a pointer.
func (b *builder) op(t reflect.Type, unit scalar.Unit, path string) *op {
	if o := b.ops[opKey{t, unit}]; o != nil {
		return o
	}
	o := &op{typ: t, size: t.Size(), unit: unit, bits: 64}
	b.ops[opKey{t, unit}] = o
	if b.special(o, t) {
		return o
	}
	switch t.Kind() {
	case reflect.Bool:
		o.kind = kindBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		o.kind, o.bits = kindInt, t.Bits()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		o.kind, o.bits = kindUint, t.Bits()
	case reflect.Float32, reflect.Float64:
		o.kind, o.bits = kindFloat, t.Bits()
	case reflect.String:
		o.kind = kindString
	case reflect.Struct:
		o.kind = kindStruct
		b.structOp(o, t, path)
	case reflect.Pointer:
		o.kind, o.nullable, o.elem = kindPointer, true, b.op(t.Elem(), unit, path)
	case reflect.Slice:
		o.kind, o.nullable, o.elem = kindSlice, true, b.op(t.Elem(), scalar.RFC3339, path)
	case reflect.Array:
		o.kind, o.len, o.elem = kindArray, t.Len(), b.op(t.Elem(), scalar.RFC3339, path)
	case reflect.Map:
		b.mapOp(o, t, path)
	case reflect.Interface:
		o.kind, o.nullable = kindAny, true
		if t.NumMethod() > 0 {
			b.problem(path, "the type %s cannot be read from JSON: which type to make is unknown; use a concrete type", t)
		}
	default:
		b.problem(path, "the type %s has no form in JSON; leave it out with `json:\"-\"`", t)
	}
	return o
}

// special handles types that are not what their kind says.
func (b *builder) special(o *op, t reflect.Type) bool {
	p := reflect.PointerTo(t)
	switch {
	case t == timeType && o.unit == scalar.RFC3339:
		o.kind = kindTime
	case t == timeType:
		o.kind = kindEpoch
	case t == rawType:
		o.kind, o.nullable = kindRaw, true
	case t == numberType:
		o.kind = kindNumber
	case t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface:
		return false
	case p.Implements(unmarshalerType) && p.Implements(marshalerType):
		o.kind, o.nullable = kindJSONMethods, true
	case p.Implements(textUnmarshalerType) && p.Implements(textMarshalerType):
		o.kind = kindTextMethods
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 && !reflect.PointerTo(t.Elem()).Implements(textUnmarshalerType):
		o.kind, o.nullable = kindBytes, true
	default:
		return false
	}
	return true
}

func (b *builder) mapOp(o *op, t reflect.Type, path string) {
	o.kind, o.nullable = kindMap, true
	o.key = b.op(t.Key(), scalar.RFC3339, path)
	o.elem = b.op(t.Elem(), scalar.RFC3339, path)
	switch o.key.kind {
	case kindString, kindInt, kindUint, kindTextMethods:
	default:
		b.problem(path, "keys of %s must be strings, integers or have text methods", t)
	}
}

func isLeaf(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return t == timeType || p.Implements(unmarshalerType) || p.Implements(textUnmarshalerType)
}

func (b *builder) structOp(o *op, t reflect.Type, path string) {
	list, err := field.List(t, "json", isLeaf)
	if err != nil {
		b.problem(path, "%v", err)
	}
	o.byName, o.folded = make(map[string]int, len(list)), make(map[string]int, len(list))
	o.first = b.ids
	b.ids += 1 + len(list)
	for i := range list {
		f := b.structField(o, t, &list[i], path)
		f.id = o.first + 1 + i
		o.fields = append(o.fields, f)
		o.byName[f.name] = i
		if fold := foldName(f.name); !hasKey(o.folded, fold) {
			o.folded[fold] = i
		}
		if f.required {
			if o.need == nil {
				o.need = make([]uint64, (len(list)+63)/64)
			}
			o.need[i/64] |= 1 << (i % 64)
		}
	}
}

func (b *builder) structField(o *op, t reflect.Type, f *field.Field, path string) structField {
	where := strings.TrimPrefix(path+"."+f.GoName, ".")
	unit := scalar.RFC3339
	s := structField{name: f.Name, offset: f.Offset, via: f.Via, required: b.options.requireFields}
	for _, option := range f.Options {
		u, isUnit := scalar.UnitOf(option)
		switch {
		case isUnit:
			unit = u
		case option == "required":
			s.required = true
		case option == "string":
			s.quoted = true
		case option == "omitempty":
			s.omit = max(s.omit, omitEmpty)
		case option == "omitzero":
			s.omit = omitZero
		case option != "":
			b.problem(where, "unknown tag option %q; known are omitempty, omitzero, required, string, unix, unixms, unixmicro, unixnano",
				option)
		}
	}
	if _, named := b.millis[f.Name]; named && t == b.root {
		b.millis[f.Name] = true
		unit = scalar.Millis
	}
	elem := f.Type
	if elem.Kind() == reflect.Pointer {
		elem = elem.Elem()
	}
	if unit != scalar.RFC3339 && elem != timeType {
		b.problem(where, "an epoch unit is for time.Time, not for %s (an integer needs none)", f.Type)
	}
	s.key = newLiteral(string(appendString(nil, f.Name)) + ":")
	s.op = b.op(f.Type, unit, where)
	if k := s.op.kind; s.quoted && k != kindInt && k != kindUint && k != kindFloat && k != kindBool {
		b.problem(where, "the tag option \"string\" is for numbers and bools, not for %s", f.Type)
	}
	s.zeroer = f.Type.Kind() != reflect.Pointer && reflect.PointerTo(f.Type).Implements(zeroerType)
	return s
}

func hasKey(m map[string]int, key string) bool {
	_, ok := m[key]
	return ok
}

// foldName maps names that differ only in the case of ASCII letters to one.
func foldName(s string) string { return string(appendFolded(nil, s)) }

func appendFolded[B ~[]byte | ~string](dst []byte, s B) []byte {
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}
