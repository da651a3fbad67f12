package parse

import (
	"reflect"
	"testing"

	"github.com/flottio/flott/sql/internal/ast"
)

var posType = reflect.TypeFor[ast.Pos]()

// same compares trees without positions, and returns the way to the first difference.
func same(a, b reflect.Value, path string) string {
	if a.IsValid() != b.IsValid() {
		return path
	}
	if !a.IsValid() || a.Type() == posType {
		return ""
	}
	if a.Type() != b.Type() {
		return path + ": " + a.Type().String() + " and " + b.Type().String()
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			if a.IsNil() == b.IsNil() {
				return ""
			}
			return path
		}
		return same(a.Elem(), b.Elem(), path)
	case reflect.Struct:
		for i := range a.NumField() {
			if d := same(a.Field(i), b.Field(i), path+"."+a.Type().Field(i).Name); d != "" {
				return d
			}
		}
		return ""
	case reflect.Slice:
		if a.Len() != b.Len() {
			return path + ": lengths"
		}
		for i := range a.Len() {
			if d := same(a.Index(i), b.Index(i), path+"[]"); d != "" {
				return d
			}
		}
		return ""
	}
	if !a.Equal(b) {
		return path
	}
	return ""
}

// roundTrip checks for each statement that what is printed parses to the same tree and prints the same again.
func roundTrip(t testing.TB, src string) {
	t.Helper()
	list, err := Script(src)
	if err != nil {
		t.Errorf("parsing %s\n%v", src, err)
	}
	for _, s := range list {
		text := ast.Print(s.Statement)
		again, err := One(text)
		if err != nil {
			t.Errorf("%s\nprinted as\n%s\ndoes not parse: %v", src[s.Start:s.End], text, err)
			continue
		}
		if d := same(reflect.ValueOf(s.Statement), reflect.ValueOf(again), ""); d != "" {
			t.Errorf("%s\nprinted as\n%s\ndiffers at %s", src[s.Start:s.End], text, d)
		}
		if second := ast.Print(again); second != text {
			t.Errorf("%s\nprinted as\n%s\nand then as\n%s", src[s.Start:s.End], text, second)
		}
	}
}
