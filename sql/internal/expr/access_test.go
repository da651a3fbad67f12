package expr

import (
	"strings"
	"testing"

	"github.com/flottio/flott/column"
)

func TestConstructAndAccess(t *testing.T) {
	i := func(s string) Expr { return literal(t, s, column.Of(column.Int)) }
	text := func(s string) Expr { return literal(t, s, column.StringType()) }
	null := &Literal{}
	list := must(t, ArrayOf, i("1"), null, i("3"))
	m := must(t, MapOf, text("a"), i("1"), text("b"), null, text("a"), i("9"))
	row := must(t, RowOf, i("1"), text("x"), null)
	field, err := NewField(row, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		e         Expr
		want, typ string
	}{
		{list, "[1, NULL, 3]", "ARRAY<INT> NOT NULL"},
		{m, "{b=NULL, a=9}", "MAP<STRING NOT NULL, INT> NOT NULL"},
		{field, "x", "STRING NOT NULL"},
		{must(t, Item, list, i("3")), "3", "INT"}, {must(t, Item, list, i("4")), "NULL", "INT"}, {must(t, Item, list, null), "NULL", "INT"},
		{must(t, Item, m, text("a")), "9", "INT"}, {must(t, Item, m, text("c")), "NULL", "INT"},
		{must(t, Item, row, i("2")), "x", "STRING"},
		{must(t, ArrayOf, list, list), "[[1, NULL, 3], [1, NULL, 3]]", "ARRAY<ARRAY<INT> NOT NULL> NOT NULL"},
		{must(t, Case, literal(t, "TRUE", column.Of(column.Boolean)), i("1"), text("a")), "1", "STRING NOT NULL"},
		{must(t, Equal, list, list), "TRUE", "BOOLEAN NOT NULL"},
	} {
		if got := evalOne(t, c.e); got != c.want || c.e.Type().String() != c.typ {
			t.Errorf("%s = %s of %s, want %s of %s", c.e, got, c.e.Type(), c.want, c.typ)
		}
	}
	for _, bad := range [][]Expr{{list, i("0")}, {list, text("a")}, {row, i("4")}, {row, text("no")}, {i("1"), i("1")}} {
		if _, err := NewCall(Item, bad...); err == nil {
			t.Errorf("%s[%s] was accepted", bad[0], bad[1])
		}
	}
}

func TestLike(t *testing.T) {
	for _, c := range []struct {
		f                     *Func
		text, pattern, escape string
		want                  bool
	}{
		{Like, "", "", "", true}, {Like, "", "%", "", true}, {Like, "abc", "a%", "", true}, {Like, "abc", "%c", "", true}, {Like, "abc", "%b%", "", true},
		{Like, "abc", "%%b%%", "", true}, {Like, "abc", "a_c", "", true}, {Like, "a\u00e4c", "a_c", "", true}, {Like, "ac", "a_c", "", false},
		{Like, "ab", "ab%ab", "", false}, {Like, "abab", "ab%ab", "", true}, {Like, "aXbYc", "a%b%c", "", true}, {Like, "aXcYb", "a%b%c", "", false},
		{Like, "xaab", "%a_", "", true}, {Like, "x\ny", "x%y", "", true}, {Like, "A", "a", "", false}, {Like, "a.c", "a.c", "", true}, {Like, "abc", "a.c", "", false},
		{Like, "5%", "5!%", "!", true}, {Like, "5x", "5!%", "!", false}, {Like, "a!b", "a!!b", "!", true}, {Like, "a__b", "%!_!_%", "!", true},
		{Similar, "abc", "a(b|x)c", "", true}, {Similar, "abbc", "ab+c", "", true}, {Similar, "abc", "a", "", false}, {Similar, "abc", "%c", "", true},
		{Similar, "a%", "a#%", "#", true}, {Similar, "ab", "a#%", "#", false}, {Similar, "b", "[a-c]", "", true}, {Similar, "d", "[^a-c]", "", true},
	} {
		args := []Expr{&Literal{Value: c.text, Of: column.StringType()}, aText(c.pattern)}
		if c.escape != "" {
			args = append(args, aText(c.escape))
		}
		want := strings.ToUpper(map[bool]string{true: "true", false: "false"}[c.want])
		if got := evalOne(t, must(t, c.f, args...)); got != want {
			t.Errorf("'%s' %s '%s' ESCAPE '%s': %s", c.text, c.f.Name, c.pattern, c.escape, got)
		}
	}
	for _, bad := range [][2]string{{"a!", "!"}, {"a!b", "!"}, {"a", "xy"}} {
		if _, err := NewCall(Like, aText("a"), aText(bad[0]), aText(bad[1])); err == nil {
			t.Errorf("the pattern '%s' ESCAPE '%s' was accepted", bad[0], bad[1])
		}
	}
}

func TestBetween(t *testing.T) {
	i := func(s string) Expr { return literal(t, s, column.Of(column.Int)) }
	for _, c := range []struct {
		x, low, high string
		symmetric    bool
		want         string
	}{
		{"2", "1", "3", false, "TRUE"}, {"2", "3", "1", false, "FALSE"}, {"2", "3", "1", true, "TRUE"}, {"4", "3", "NULL", false, "NULL"},
		{"2", "3", "NULL", false, "FALSE"}, {"2", "3", "NULL", true, "NULL"}, {"1", "1", "1", false, "TRUE"},
	} {
		e, err := NewBetween(i(c.x), i(c.low), i(c.high), c.symmetric)
		if err != nil {
			t.Fatal(err)
		}
		if got := evalOne(t, e); got != c.want {
			t.Errorf("%s BETWEEN %s AND %s (symmetric %v): %s, want %s", c.x, c.low, c.high, c.symmetric, got, c.want)
		}
	}
}
