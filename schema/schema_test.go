package schema

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTextForm(t *testing.T) {
	for _, text := range []string{
		"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64",
		"string", "bytes", "time", "duration",
		"struct{}", "struct{url string, count int64}", `struct{"odd name" map<string, optional<time>>, "" bool, _x9 list<list<bytes>>}`,
		"array<16, uint8>", `custom<"net/url.URL">`, `custom<"a\"b\n">`, "map<struct{a int8}, array<0, bool>>",
	} {
		got, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got.String() != text {
			t.Errorf("%s is written as %s", text, got)
		}
		if pretty, err := Parse(got.Pretty()); err != nil || !pretty.Equal(got) {
			t.Errorf("%s: the pretty form is another type (%v):\n%s", text, err, got.Pretty())
		}
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "at byte 0: expected a name",
		"strng":                    `at byte 0: unknown type "strng"`,
		"invalid":                  `unknown type "invalid"`,
		"int64 x":                  "at byte 6: nothing may follow the type",
		"list":                     "at byte 4: expected '<'",
		"list<int64":               "expected '>'",
		"map<int64>":               "expected ','",
		"array<-1, bool>":          "expected a number",
		"array<99999999999, bool>": "expected a number of at most",
		"struct{a int8 b int8}":    "expected '}'",
		"struct{a int8,}":          "expected a name",
		"struct{a int8, a bool}":   `second field called "a"`,
		"custom<x>":                "expected a quoted name",
		`custom<"x>`:               "has no end",
		"optional<>":               "expected a name",
		strings.Repeat("list<", 1000) + "bool" + strings.Repeat(">", 1000): "more than 64 types inside one another",
		strings.Repeat(" ", TextBytesMax) + "bool":                         "at most 1048576 are allowed",
	} {
		got, err := Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) || got != nil {
			t.Errorf("%.40q: got %v, %v; want %q", text, got, err, want)
		}
		if err != nil && len(err.Error()) > 1000 {
			t.Errorf("%.40q: the message has %d bytes", text, len(err.Error()))
		}
	}
}

func draw(t *rapid.T, depth int) *Type {
	last := Custom
	if depth == 0 {
		last = Duration
	}
	k := Kind(rapid.IntRange(int(Bool), int(last)).Draw(t, "kind"))
	u := &Type{Kind: k}
	switch k {
	case Struct:
		for _, name := range rapid.SliceOfNDistinct(rapid.String(), 0, 4, rapid.ID[string]).Draw(t, "names") {
			u.Fields = append(u.Fields, Field{name, draw(t, depth-1)})
		}
	case Map:
		u.Key, u.Elem = draw(t, depth-1), draw(t, depth-1)
	case List, Optional:
		u.Elem = draw(t, depth-1)
	case Array:
		u.Elem, u.Len = draw(t, depth-1), rapid.IntRange(0, 1000).Draw(t, "len")
	case Custom:
		u.Name = rapid.String().Draw(t, "name")
	}
	return u
}

func TestParseReadsWhatStringWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t, 4), draw(t, 4)
		got, err := Parse(a.String())
		if err != nil || !got.Equal(a) || !a.Equal(got) {
			t.Fatalf("%s: read back as %s, %v", a, got, err)
		}
		if a.Equal(b) != (a.String() == b.String()) {
			t.Fatalf("equal: %t\n%s\n%s", a.Equal(b), a, b)
		}
		if strings.ContainsAny(a.String(), "\n\r") {
			t.Fatalf("more than a line: %q", a)
		}
		_ = Compare("a", a, "b", b)
	})
}

func TestCompareMarksWhatDiffers(t *testing.T) {
	parse := func(s string) *Type {
		u, err := Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	got := Compare("written", parse("struct{url string, n int32, old bool, in list<struct{a int8, b int8}>}"),
		"now", parse("struct{url string, n string, in list<struct{a int8, b bytes}>, fresh bool}"))
	want := `written:
  struct{
    url string,
  ! n int32,
  ! old bool,
  ! in list<struct{
      a int8,
    ! b int8
    }>
  }
now:
  struct{
    url string,
  ! n string,
  ! in list<struct{
      a int8,
    ! b bytes
    }>,
  ! fresh bool
  }`
	if got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestRowKind(t *testing.T) {
	adds := ""
	for k := Insert; k <= Delete; k++ {
		got, ok := ParseRowKind(k.String())
		if !ok || got != k {
			t.Errorf("%s is read as %s", k, got)
		}
		if k.Adds() {
			adds += k.String()
		}
	}
	if adds != "+I+U" {
		t.Errorf("adding rows: %s", adds)
	}
	if _, ok := ParseRowKind("+D"); ok {
		t.Error("+D is no row kind")
	}
	if RowKind(9).String() != "rowkind(9)" {
		t.Error(RowKind(9))
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`struct{url string, "a b" map<string, optional<array<3, custom<"x">>>>}`)
	f.Add("list<list<")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(u.String())
		if err != nil || !again.Equal(u) {
			t.Fatalf("%q: %s is read back as %s, %v", text, u, again, err)
		}
	})
}
