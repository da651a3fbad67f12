package field_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/flottio/flott/format/internal/field"
)

type A struct {
	X int
	Y int
	Z int `json:"z"`
}

type B struct {
	Y int
	Z int
}

type inner struct{ Q int }

type Loop struct {
	*Loop
	V int
}

type outer struct {
	A
	*B
	inner
	X       string    `json:"x,omitempty,"`
	X2      string    `json:"X"`
	Skip    int       `json:"-"`
	Named   A         `json:"named"`
	T       time.Time `json:",unix"`
	ignored int
}

func TestList(t *testing.T) {
	_ = outer{}.ignored
	fields, err := field.List(reflect.TypeFor[outer](), "json", func(t reflect.Type) bool { return t == reflect.TypeFor[time.Time]() })
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range fields {
		f := &fields[i]
		got = append(got, f.Name+"="+f.GoName)
	}
	// Y is at one depth twice and vanishes; z of A and Z of B differ; X of the outer struct shadows A's.
	if want := "z=A.Z Z=B.Z Q=inner.Q x=X X=X2 named=Named T=T"; strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
	if z := fields[1]; len(z.Via) != 1 || z.Via[0].Offset != reflect.TypeFor[outer]().Field(1).Offset || z.Offset != 8 {
		t.Errorf("path through the embedded pointer: %+v", z)
	}
	if !fields[3].Has("omitempty") || fields[3].Has("x") || !fields[6].Has("unix") {
		t.Error("options")
	}
	if fields, err := field.List(reflect.TypeFor[Loop](), "json", func(reflect.Type) bool { return false }); err != nil || len(fields) != 1 {
		t.Errorf("a struct that embeds itself: %+v %v", fields, err)
	}
}
