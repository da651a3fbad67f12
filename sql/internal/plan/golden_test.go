package plan

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/catalog"
	"github.com/flottio/flott/sql/internal/expr"
	"github.com/flottio/flott/sql/internal/parse"
)

var update = flag.Bool("update", false, "write the goldens anew")

// bindStatement binds or applies one statement, and returns the plan as text.
func bindStatement(s *catalog.Session, stmt ast.Statement) (string, error) {
	b := &Binder{Session: s}
	var n Node
	var err error
	switch x := stmt.(type) {
	case *ast.QueryStmt:
		n, err = b.Query(x.Query)
	case *ast.Insert:
		n, err = b.Insert(x)
	case *ast.Use:
		if x.Kind == ast.UseCatalog {
			if e := s.UseCatalog(x.Name[0]); e != nil {
				err = Errors{e}
			}
		} else if e := s.UseDatabase(x.Name); e != nil {
			err = Errors{e}
		}
	case *ast.Describe: // what the catalog holds
		t, e := s.Resolve(x.Name)
		if e != nil {
			return "", Errors{e}
		}
		return describeTable(t), nil
	default:
		n, err = b.Apply(stmt)
	}
	if err != nil || n == nil {
		return "ok\n", err
	}
	return Format(n), nil
}

func describeTable(t *Table) string {
	var b strings.Builder
	for _, c := range t.Columns {
		fmt.Fprintf(&b, "%s %s", c.Name, c.Type)
		if c.Computed != nil {
			b.WriteString(" AS " + ast.Print(c.Computed))
		}
		if c.Metadata != "" {
			fmt.Fprintf(&b, " METADATA '%s' virtual=%v", c.Metadata, c.Virtual)
		}
		b.WriteByte('\n')
	}
	if t.Watermark != nil {
		fmt.Fprintf(&b, "WATERMARK %s AS %s\n", t.Watermark.Column, ast.Print(t.Watermark.Expr))
	}
	fmt.Fprintf(&b, "key=%v partitions=%v options=%s\n", t.PrimaryKey, t.PartitionedBy, optionList(t.Options))
	return b.String()
}

// transcript runs a script and prints each statement with its plan or its mistakes.
func transcript(t *testing.T, session *catalog.Session, script string) string {
	t.Helper()
	list, err := parse.Script(script)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, st := range list {
		text, err := bindStatement(session, st.Statement)
		var errs Errors
		switch {
		case errors.As(err, &errs):
			text = errs.Render(script) + "\n"
		case err != nil:
			t.Fatal(err)
		}
		b.WriteString(script[st.Start:st.End] + ";\n----\n" + text + "\n")
	}
	return b.String()
}

func compareGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: first difference:\n%s", path, difference(got, string(want)))
	}
}

func difference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d\ngot  %s\nwant %s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines and %d lines", len(g), len(w))
}

// TestGoldens binds the scripts of testdata, each in a session of its own, over the tables of tables.sql.
func TestGoldens(t *testing.T) {
	tables, err := os.ReadFile("testdata/tables.sql")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/*.sql")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if strings.HasSuffix(f, "/tables.sql") {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(f), ".sql"), func(t *testing.T) {
			session := catalog.NewSession()
			if out := transcript(t, session, string(tables)); strings.Contains(out, "line ") {
				t.Fatal(out)
			}
			script, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			compareGolden(t, strings.TrimSuffix(f, ".sql")+".golden", transcript(t, session, string(script)))
		})
	}
}

// TestLiteralTypes: constants have Flink's types.
func TestLiteralTypes(t *testing.T) {
	for text, want := range map[string]string{
		"1": "INT", "2147483647": "INT", "2147483648": "BIGINT", "-2147483648": "INT", "9223372036854775808": "DECIMAL(19, 0)",
		"0.05": "DECIMAL(3, 2)", "1.50": "DECIMAL(3, 2)", "0.908": "DECIMAL(4, 3)", ".5": "DECIMAL(1, 1)", "1e3": "DOUBLE",
		"12345678901234567890.5": "DECIMAL(21, 1)", "'it''s'": "CHAR(4)", "'äö'": "CHAR(2)", "X'1FA0'": "BINARY(2)", "TRUE": "BOOLEAN",
		"DATE '2024-02-29'": "DATE", "TIME '10:11:12'": "TIME(0)", "TIMESTAMP '2024-01-01 10:00:00'": "TIMESTAMP(0)",
		"TIMESTAMP '2024-01-01 10:00:00.123456789'": "TIMESTAMP(9)", "INTERVAL '1' YEAR": "INTERVAL YEAR",
		"INTERVAL '1 2:03' DAY TO MINUTE": "INTERVAL DAY TO MINUTE",
	} {
		x, err := parse.Expr(text)
		if err != nil {
			t.Fatal(err)
		}
		b := &Binder{Session: catalog.NewSession()}
		e := b.newScope(nil, nil).expr(x)
		if e == nil {
			t.Errorf("%s: %v", text, b.Err())
		} else if got := e.Type().String(); got != want+" NOT NULL" {
			t.Errorf("%s is %s, expected %s NOT NULL", text, got, want)
		}
	}
}

// TestLiteralValues: what is stored for constants.
func TestLiteralValues(t *testing.T) {
	for text, want := range map[string]any{
		"-2147483648": int32(-2147483648), "-1.5": int64(-15), "-12345678901234567890": column.Int128{Lo: 0x54ab567314e0f52e, Hi: -1},
		"DATE '1969-12-31'": int32(-1), "TIMESTAMP '1969-12-31 23:59:59.5'": int64(-500), "TIME '00:00:01.250'": int32(1250),
		"INTERVAL '1-6' YEAR TO MONTH": int32(18), "INTERVAL -'1 10:20:30.5' DAY TO SECOND": int64(-123630500), "INTERVAL '2' WEEK": int64(14 * 86400_000),
		"X'00ff'": "\x00\xff",
	} {
		x, err := parse.Expr(text)
		if err != nil {
			t.Fatal(err)
		}
		b := &Binder{Session: catalog.NewSession()}
		l, ok := b.newScope(nil, nil).expr(x).(*expr.Literal)
		if !ok || l.Value != want {
			t.Errorf("%s is %#v, expected %#v (%v)", text, l.Value, want, b.Err())
		}
	}
}

// TestNexmarkBinds: all queries of the benchmark are understood, but for functions that the library does not have yet.
func TestNexmarkBinds(t *testing.T) {
	dir := "../../../bench/nexmark/queries/"
	ddl, err := os.ReadFile(dir + "ddl.sql")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(dir + "q*.sql")
	if err != nil || len(files) != 24 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		script, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		session := catalog.NewSession()
		session.RegisterClass("com.github.nexmark.flink.udf.CountChar", countChar())
		transcript(t, session, string(ddl))
		out := transcript(t, session, string(script))
		if len(missingFunctions()) > 0 && (strings.Contains(out, "is not supported yet") || strings.Contains(out, "or not yet")) {
			continue
		}
		if strings.Contains(out, "\nline ") || !strings.Contains(out, "Sink(") {
			t.Errorf("%s: %s", f, out)
		}
	}
}

// missingFunctions are the functions of the benchmark that the library does not have.
func missingFunctions() []string {
	var missing []string
	for _, name := range []string{"DATE_FORMAT", "HOUR", "LOWER", "REGEXP_EXTRACT", "SPLIT_INDEX", "MOD"} {
		if expr.Lookup(name) == nil {
			missing = append(missing, name)
		}
	}
	if expr.LookupAgg("ROW_NUMBER") == nil {
		missing = append(missing, "ROW_NUMBER")
	}
	return missing
}

func countChar() *catalog.Function {
	text, long := column.StringType(), column.Of(column.BigInt)
	return &catalog.Function{Name: "count_char", Scalar: &expr.Func{Name: "count_char", Strict: true,
		Resolve: func([]expr.Arg) (expr.Signature, error) {
			return expr.Signature{Args: []column.Type{text, text}, Result: long}, nil
		}}}
}
