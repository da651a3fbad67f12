package codec

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unsafe"

	"github.com/flottio/flott/schema"
)

// node is what derive keeps of a Go type: its schema, and where its parts are in memory.
type node struct {
	typ    reflect.Type
	schema *schema.Type
	fields []fieldNode // struct
	elem   *node       // list, array, map value, optional
	key    *node       // map
	gaps   bool        // memory inside that has no bytes: fields tagged "-"
}

type fieldNode struct {
	name   string
	offset uintptr
	node   *node
}

var (
	timeType        = reflect.TypeFor[time.Time]()
	durationType    = reflect.TypeFor[time.Duration]()
	marshalerType   = reflect.TypeFor[encoding.BinaryMarshaler]()
	appenderType    = reflect.TypeFor[encoding.BinaryAppender]()
	unmarshalerType = reflect.TypeFor[encoding.BinaryUnmarshaler]()
)

var scalarKinds = map[reflect.Kind]schema.Kind{
	reflect.Bool: schema.Bool, reflect.String: schema.String,
	reflect.Int: schema.Int64, reflect.Int8: schema.Int8, reflect.Int16: schema.Int16, reflect.Int32: schema.Int32,
	reflect.Int64: schema.Int64, reflect.Uint: schema.Uint64, reflect.Uint8: schema.Uint8,
	reflect.Uint16: schema.Uint16, reflect.Uint32: schema.Uint32,
	reflect.Uint64: schema.Uint64, reflect.Float32: schema.Float32, reflect.Float64: schema.Float64,
}

// derive looks at the type and collects all problems.
func derive(t reflect.Type, isKey bool) (*node, error) {
	d := &derivation{isKey: isKey, use: "value"}
	if isKey {
		d.use = "key"
	}
	n := d.derive(t, "")
	if len(d.problems) == 0 && len(n.schema.String()) > schema.TextBytesMax {
		d.problem("", "its schema is longer than %d bytes", schema.TextBytesMax)
	}
	if len(d.problems) > 0 {
		return nil, &UnsupportedError{Type: t, Use: d.use, Problems: d.problems}
	}
	return n, nil
}

// partsMax bounds a type whose structs contain one another many times over.
const partsMax = 1 << 16

type derivation struct {
	isKey    bool
	use      string
	problems []string
	open     []reflect.Type // from the root to here
	parts    int
}

func (d *derivation) problem(path, format string, args ...any) *node {
	if path == "" {
		path = "the type itself"
	} else {
		path = "field " + strings.TrimPrefix(path, ".")
	}
	d.problems = append(d.problems, path+": "+fmt.Sprintf(format, args...))
	return nil
}

// derive returns nil after a problem.
func (d *derivation) derive(t reflect.Type, path string) *node {
	if d.parts++; d.parts > partsMax {
		if d.parts == partsMax+1 {
			d.problem(path, "the type has more than %d parts", partsMax)
		}
		return nil
	}
	for _, o := range d.open {
		if o == t && t.Name() != "" {
			return d.problem(path, "%s contains itself; recursive types are not supported", t)
		}
	}
	if len(d.open) >= schema.DepthMax {
		return d.problem(path, "more than %d types inside one another", schema.DepthMax)
	}
	d.open = append(d.open, t)
	defer func() { d.open = d.open[:len(d.open)-1] }()
	switch {
	case t == timeType:
		return &node{typ: t, schema: schema.Scalar(schema.Time)}
	case t == durationType:
		return &node{typ: t, schema: schema.Scalar(schema.Duration)}
	case !d.isKey && isCustom(t):
		return d.custom(t, path)
	case t.Kind() == reflect.Struct && t.ConvertibleTo(timeType):
		return &node{typ: t, schema: schema.Scalar(schema.Time)}
	}
	if k, ok := scalarKinds[t.Kind()]; ok {
		return &node{typ: t, schema: schema.Scalar(k)}
	}
	return d.composite(t, path)
}

func (d *derivation) composite(t reflect.Type, path string) *node {
	switch k := t.Kind(); {
	case k == reflect.Struct:
		return d.structure(t, path)
	case k == reflect.Array:
		elem := d.derive(t.Elem(), path+"[]")
		if elem == nil {
			return nil
		}
		return &node{typ: t, elem: elem, gaps: elem.gaps, schema: &schema.Type{Kind: schema.Array, Len: t.Len(), Elem: elem.schema}}
	case d.isKey && (k == reflect.Slice || k == reflect.Map || k == reflect.Pointer):
		return d.problem(path, "%s: a key holds only bool, integers, floats, strings, time.Time, and arrays and structs of these", t)
	case k == reflect.Slice:
		elem := d.derive(t.Elem(), path+"[]")
		if elem == nil {
			return nil
		}
		if elem.schema.Kind == schema.Uint8 {
			return &node{typ: t, elem: elem, schema: schema.Scalar(schema.Bytes)}
		}
		return &node{typ: t, elem: elem, schema: &schema.Type{Kind: schema.List, Elem: elem.schema}}
	case k == reflect.Map:
		key, elem := d.derive(t.Key(), path+"[key]"), d.derive(t.Elem(), path+"[value]")
		if key == nil || elem == nil {
			return nil
		}
		if key.hasOptional() {
			return d.problem(path+"[key]", "%s holds a pointer, and two pointers to equal values are two keys", t.Key())
		}
		return &node{typ: t, key: key, elem: elem, schema: &schema.Type{Kind: schema.Map, Key: key.schema, Elem: elem.schema}}
	case k == reflect.Pointer:
		elem := d.derive(t.Elem(), path)
		if elem == nil {
			return nil
		}
		return &node{typ: t, elem: elem, schema: &schema.Type{Kind: schema.Optional, Elem: elem.schema}}
	}
	return d.problem(path, "%s", refusal(t))
}

func (n *node) hasOptional() bool {
	if n.schema.Kind == schema.Optional {
		return true
	}
	for _, f := range n.fields {
		if f.node.hasOptional() {
			return true
		}
	}
	return n.schema.Kind == schema.Array && n.elem.hasOptional()
}

func refusal(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Func:
		return fmt.Sprintf("%s is a function, which has no bytes", t)
	case reflect.Chan:
		return fmt.Sprintf("%s is a Go channel, which has no bytes", t)
	case reflect.Interface:
		return fmt.Sprintf("%s is an interface, of which the type inside is not known beforehand; use a struct with a pointer for each case", t)
	case reflect.Complex64, reflect.Complex128:
		return fmt.Sprintf("%s is complex, which is not supported; use two floats", t)
	}
	return fmt.Sprintf("%s is an address in memory, which means nothing elsewhere", t)
}

func (d *derivation) structure(t reflect.Type, path string) *node {
	n := &node{typ: t, schema: &schema.Type{Kind: schema.Struct}}
	failed := false
	goNames := map[string]string{}
	for f := range t.Fields() {
		at := path + "." + f.Name
		if f.Name == "_" { // nobody can read it, and == does not look at it
			n.gaps = true
			continue
		}
		tag, tagged := f.Tag.Lookup("flott")
		if tag == "-" {
			if d.isKey {
				d.problem(at, `a field of a key cannot be left out by flott:"-", for unequal keys would become equal`)
				failed = true
			}
			n.gaps = true
			continue
		}
		if !f.IsExported() {
			d.problem(at, `is not exported; export it, leave it out with the tag flott:"-", `+
				"or give %s the methods MarshalBinary and UnmarshalBinary", t)
			failed = true
			continue
		}
		name := f.Name
		if tagged && tag != "" {
			name = tag
		}
		if strings.Contains(tag, ",") {
			d.problem(at, `the tag flott:%q has a comma; it holds a name or "-" and nothing else`, tag)
		}
		if other, twice := goNames[name]; twice {
			d.problem(at, "is stored under the name %q, and so is field %s", name, other)
		}
		goNames[name] = f.Name
		child := d.derive(f.Type, at)
		if child == nil {
			failed = true
			continue
		}
		n.gaps = n.gaps || child.gaps
		n.fields = append(n.fields, fieldNode{name: name, offset: f.Offset, node: child})
		n.schema.Fields = append(n.schema.Fields, schema.Field{Name: name, Type: child.schema})
	}
	if failed {
		return nil
	}
	return n
}

// isCustom reports whether the type makes its own bytes.
func isCustom(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface {
		return false
	}
	p := reflect.PointerTo(t)
	return (p.Implements(marshalerType) || p.Implements(appenderType)) && p.Implements(unmarshalerType)
}

func (d *derivation) custom(t reflect.Type, path string) *node {
	if t.Kind() == reflect.Struct && t.NumField() > 1 {
		// The methods may be those of an embedded field: they would make bytes of that field and drop the others.
		for f := range t.Fields() {
			if f.Anonymous && (isCustom(f.Type) || f.Type.Kind() == reflect.Pointer && isCustom(f.Type.Elem())) {
				return d.problem(path, "%s embeds %s, whose MarshalBinary may take only that part; give the embedded field a name", t, f.Type)
			}
		}
	}
	name := t.Name()
	if t.PkgPath() != "" {
		name = t.PkgPath() + "." + name
	}
	return &node{typ: t, schema: &schema.Type{Kind: schema.Custom, Name: name}}
}

// memory says what kind of memory a value refers to.
type memory uint8

const (
	memoryFlat      memory = iota // none
	memoryImmutable               // strings and times
	memoryShared                  // anything that can be changed through a copy
)

func memoryOf(t reflect.Type) memory {
	switch k := t.Kind(); {
	case t == timeType || k == reflect.Struct && t.ConvertibleTo(timeType) || k == reflect.String:
		return memoryImmutable
	case k == reflect.Struct:
		m := memoryFlat
		for f := range t.Fields() {
			m = max(m, memoryOf(f.Type))
		}
		return m
	case k == reflect.Array:
		return memoryOf(t.Elem())
	case k <= reflect.Complex128:
		return memoryFlat
	}
	return memoryShared
}

// littleEndian says whether numbers lie in memory as they lie in our bytes, so that they can be copied in one piece.
var littleEndian = func() bool {
	one := uint16(1)
	return *(*byte)(unsafe.Pointer(&one)) == 1
}()

// noescape returns p without the compiler seeing where it goes, for calls that use it and do not keep it.
func noescape(p unsafe.Pointer) unsafe.Pointer {
	u := uintptr(p)
	return *(*unsafe.Pointer)(unsafe.Pointer(&u))
}
