package parse

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/flottio/flott/sql/internal/ast"
)

// corpus is the scripts of testdata/corpus: every form of the grammar at least once.
func corpus(t testing.TB) map[string]string {
	files, err := filepath.Glob("testdata/corpus/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	m := make(map[string]string)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		m[filepath.Base(f)] = string(b)
	}
	return m
}

func TestRoundTripOfCorpus(t *testing.T) {
	for name, src := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			roundTrip(t, src)
			list, _ := Script(src)
			if pieces := Split(src); len(pieces) != len(list) {
				t.Errorf("%d statements are %d pieces", len(list), len(pieces))
			}
		})
	}
}

// TestGoldens runs testdata/golden: "expr", "stmt", "type", "error" and "split".
func TestGoldens(t *testing.T) {
	datadriven.Walk(t, "testdata/golden", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "expr":
				x, err := Expr(d.Input)
				if err != nil {
					return err.Error() + "\n"
				}
				return ast.Print(x) + "\n"
			case "stmt":
				list, err := Script(d.Input)
				var b strings.Builder
				for _, s := range list {
					b.WriteString(ast.Print(s.Statement) + "\n")
				}
				if err != nil {
					b.WriteString(err.Error() + "\n")
				}
				return b.String()
			case "type":
				typ, err := ParseType(d.Input)
				if err != nil {
					return err.Error() + "\n"
				}
				return typ.String() + "\n"
			case "split":
				var b strings.Builder
				for _, p := range Split(d.Input) {
					end := ""
					if p.Complete {
						end = " ;"
					}
					b.WriteString("[" + d.Input[p.Start:p.End] + "]" + end + "\n")
				}
				return b.String()
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

// TestKeywordsKnown finds words that the parser asks for and the lexer does not know: they could never match.
func TestKeywordsKnown(t *testing.T) {
	files, _ := filepath.Glob("*.go")
	call := regexp.MustCompile(`\b(?:at|is|accept|acceptSeq|expect|one|seq|peekIs)\(([^()]*)\)|case "([A-Z_", ]+)":`)
	word := regexp.MustCompile(`"([A-Z][A-Z_]*)"`)
	n := 0
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range call.FindAllString(string(b), -1) {
			for _, w := range word.FindAllStringSubmatch(c, -1) {
				n++
				if keywords[w[1]] == "" {
					t.Errorf("%s: %s is no keyword", f, w[1])
				}
			}
		}
	}
	if n < 200 {
		t.Errorf("only %d words found: the expression above no longer matches the code", n)
	}
	for w := range ast.Structural {
		if keywords[w] == "" {
			t.Errorf("%s is structural and no keyword", w)
		}
	}
	for w := range keywords {
		if len(w) > maxKeyword {
			t.Errorf("%s is longer than maxKeyword", w)
		}
	}
}

// TestHostile makes sure that texts which are not meant to be SQL end in an error, soon.
func TestHostile(t *testing.T) {
	const n = 12_001
	for _, part := range []string{"(", "[", "- ", "NOT ", "CASE ", "a(", "ARRAY[", "SELECT (", "SELECT * FROM (", "((SELECT 1)", "CAST(",
		"a.", "a+", "a IN (", "WITH a AS (", "EXPLAIN ", "EXECUTE ", "x -> ", "x::INT", "a[1]", "1 UNION ", "{", "`", "'", "/*", "/*+ ", "((a",
		"SELECT 1 UNION ", "a BETWEEN ", "EXISTS(", "RUNNING a ", ".", "CREATE TABLE t (a ROW<", "INT ARRAY "} {
		for _, head := range []string{"", "SELECT ", "SELECT a FROM t GROUP BY ", "SELECT * FROM t MATCH_RECOGNIZE (PATTERN (",
			"CREATE TABLE t (a ", "SELECT * FROM "} {
			if _, err := Script(head + strings.Repeat(part, n)); err == nil && part != "/*" {
				t.Errorf("%s%s...: no error", head, part)
			}
		}
	}
	if _, err := Script("SELECT 1" + strings.Repeat(" + 1", MaxChain-1)); err != nil {
		t.Errorf("a long sum: %v", err)
	}
	if _, err := Script(strings.Repeat(" ", MaxScriptBytes+1)); err == nil {
		t.Error("a script of more than the limit: no error")
	}
}

func TestPositions(t *testing.T) {
	src := "SELECT 1;\n\n  SELECT é, a + foo(b) FROM t"
	list, err := Script(src)
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	sel := list[1].Statement.(*ast.QueryStmt).Query.Body.(*ast.Select)
	call := sel.Items[1].X.(*ast.Binary).R
	if got := call.Position(); got.Line != 3 || got.Col != 17 || src[got.Offset:got.Offset+3] != "foo" {
		t.Errorf("foo is at %+v", got)
	}
	if got := src[list[1].Start:list[1].End]; got != "SELECT é, a + foo(b) FROM t" {
		t.Errorf("the second statement is %q", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, src := range corpus(f) {
		for _, p := range Split(src) {
			f.Add(src[p.Start:p.End])
		}
	}
	f.Fuzz(func(t *testing.T, src string) {
		list, err := Script(src)
		if err != nil {
			_ = err.Error()
		}
		for _, p := range Split(src) {
			if p.Start < 0 || p.End > len(src) || p.Start >= p.End {
				t.Fatalf("piece %+v of %d bytes", p, len(src))
			}
		}
		for _, s := range list {
			roundTrip(t, src[s.Start:s.End])
		}
	})
}

const longQuery = `INSERT INTO sink
SELECT auction, bidder, price, channel, url, B.dateTime, B.extra, itemName, description, initialBid, reserve, A.dateTime, expires, seller,
  category, A.extra, P.name, emailAddress, creditCard, city, state, P.dateTime, P.extra,
  CASE WHEN price > 1000 AND category IN (10, 11, 12) THEN 'high' WHEN price BETWEEN 10 AND 99 THEN 'low' ELSE NULL END AS class,
  COUNT(*) FILTER (WHERE price < 10000) OVER (PARTITION BY bidder ORDER BY B.dateTime RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW)
FROM bid AS B INNER JOIN auction AS A ON B.auction = A.id INNER JOIN person AS P ON P.id = A.seller
WHERE B.dateTime BETWEEN A.dateTime AND A.expires AND A.category = 10 AND P.state LIKE 'c%' AND (B.price > 100 OR B.channel <> 'Apple')`

func BenchmarkParse(b *testing.B) {
	b.SetBytes(int64(len(longQuery)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Script(longQuery); err != nil {
			b.Fatal(err)
		}
	}
}
