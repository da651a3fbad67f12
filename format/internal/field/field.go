// Package field lists the fields of a struct as the outside sees them: names from tags, embedded structs flattened, conflicts
// resolved as encoding/json does. It reads types and never values. Imported by the formats only.
package field

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Field is one field that is visible from outside.
type Field struct {
	Name    string // the outside name
	Tagged  bool   // Name comes from the tag
	GoName  string // Go path from the outer struct, for messages: "Address.Zip"
	Type    reflect.Type
	Options []string // what follows the name in the tag
	Offset  uintptr  // from the last pointer in Via, or from the outer struct
	Via     []Step   // embedded pointers on the way, outermost first; usually none

	depth int
}

// Step is an embedded pointer: at Offset is a pointer to Elem.
type Step struct {
	Offset uintptr
	Elem   reflect.Type
}

// Has reports whether the tag has this option.
func (f *Field) Has(option string) bool { return slices.Contains(f.Options, option) }

// List returns the visible fields of struct type t in the order of declaration. leaf reports struct types that are values of
// their own (time.Time), which are never flattened. Of fields with one name the shallowest wins, among those the one with a tag;
// if that leaves several, none is visible, as in encoding/json. The error names all fields that cannot be; the others are returned.
func List(t reflect.Type, tag string, leaf func(reflect.Type) bool) ([]Field, error) {
	w := walk{tag: tag, leaf: leaf}
	w.structFields(t, Field{})
	var err error
	if len(w.problems) > 0 {
		err = errors.New(strings.Join(w.problems, "; "))
	}
	return dominant(w.fields), err
}

type walk struct {
	tag      string
	leaf     func(reflect.Type) bool
	fields   []Field
	path     []reflect.Type
	problems []string
}

func (w *walk) structFields(t reflect.Type, outer Field) {
	if slices.Contains(w.path, t) { // type T struct{ *T }: deeper levels are always shadowed
		return
	}
	w.path = append(w.path, t)
	defer func() { w.path = w.path[:len(w.path)-1] }()
	for i := range t.NumField() {
		sf := t.Field(i)
		f := outer
		f.Offset += sf.Offset
		f.GoName = strings.TrimPrefix(outer.GoName+"."+sf.Name, ".")
		tag, _ := sf.Tag.Lookup(w.tag)
		if tag == "-" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if sf.Anonymous && name == "" && w.embedded(sf, f) {
			continue
		}
		if !sf.IsExported() {
			if tag != "" {
				w.problems = append(w.problems, fmt.Sprintf("field %s has a %s tag but is not exported", f.GoName, w.tag))
			}
			continue
		}
		f.Name, f.Tagged, f.Type = name, name != "", sf.Type
		if name == "" {
			f.Name = sf.Name
		}
		if options != "" {
			f.Options = strings.Split(options, ",")
		}
		w.fields = append(w.fields, f)
	}
}

// embedded flattens an embedded struct and reports whether the field is thereby done.
func (w *walk) embedded(sf reflect.StructField, f Field) bool {
	t := sf.Type
	f.depth++
	if t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct && !w.leaf(t.Elem()) {
		if !sf.IsExported() {
			w.problems = append(w.problems, fmt.Sprintf("field %s is an embedded pointer to an unexported struct, which cannot be "+
				"allocated from outside: embed the struct itself", f.GoName))
			return true
		}
		f.Via = append(slices.Clip(f.Via), Step{Offset: f.Offset, Elem: t.Elem()})
		f.Offset = 0
		w.structFields(t.Elem(), f)
		return true
	}
	if t.Kind() == reflect.Struct && !w.leaf(t) {
		w.structFields(t, f)
		return true
	}
	return false
}

func dominant(all []Field) []Field {
	byName := make(map[string][]int)
	for i := range all {
		byName[all[i].Name] = append(byName[all[i].Name], i)
	}
	var out []Field
	for i := range all {
		if wins(all, byName[all[i].Name], i) {
			out = append(out, all[i])
		}
	}
	return out
}

func wins(all []Field, rivals []int, i int) bool {
	for _, r := range rivals {
		if r == i {
			continue
		}
		a, b := &all[i], &all[r]
		switch {
		case b.depth < a.depth:
			return false
		case b.depth == a.depth && (b.Tagged || !a.Tagged):
			return false
		}
	}
	return true
}
