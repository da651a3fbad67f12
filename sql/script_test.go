package sql_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/flottio/flott"
	"github.com/flottio/flott/config"
	"github.com/flottio/flott/connector/values"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql"
	"github.com/flottio/flott/sql/table"
)

const ins = schema.Insert

func row(kind schema.RowKind, v ...any) values.Row { return values.Row{Kind: kind, Values: v} }

// lab is a session over tables of values.
type lab struct {
	*sql.Session
	tables map[string]*values.Table
}

func newLab(tables map[string]*values.Table) *lab {
	f := values.Factory{Tables: tables}
	return &lab{sql.NewSession(sql.SessionOptions{Connectors: table.NewRegistry(f), Config: map[string]string{"table.local-time-zone": "UTC"}}), tables}
}

// run runs a script and returns what the table out was given, as the print sink shows it.
func (l *lab) run(t *testing.T, script string) []string {
	t.Helper()
	steps, err := l.Prepare(script)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		if s.Job == nil {
			continue
		}
		if _, err := s.Job.Run(context.Background(), nil, slog.New(slog.NewTextHandler(io.Discard, nil))); err != nil {
			t.Fatal(err)
		}
	}
	return l.tables["out"].Printed()
}

const orders = "CREATE TABLE orders (id BIGINT, item STRING, amount INT) WITH ('connector' = 'values');\n"

func ordersOf(rows ...values.Row) *values.Table { return &values.Table{Rows: rows} }

func TestStatementsEndToEnd(t *testing.T) {
	three := []values.Row{row(ins, int64(1), "ball", int32(3)), row(ins, int64(2), "cup", int32(4)), row(ins, int64(3), "ball", int32(5))}
	for _, c := range []struct {
		name, out, query string
		want             []string
	}{
		{"filter and projection", "(item STRING, twice INT)", "SELECT item, amount * 2 FROM orders WHERE id > 1", []string{"+I[cup, 8]", "+I[ball, 10]"}},
		{"group by", "(item STRING, n BIGINT, total INT)", "SELECT item, COUNT(*), SUM(amount) FROM orders GROUP BY item",
			[]string{"+I[ball, 1, 3]", "+I[cup, 1, 4]", "-U[ball, 1, 3]", "+U[ball, 2, 8]"}},
		{"group by into a keyed sink", "(item STRING, n BIGINT, PRIMARY KEY (item) NOT ENFORCED)", "SELECT item, COUNT(*) FROM orders GROUP BY item",
			[]string{"+I[ball, 1]", "+I[cup, 1]", "+U[ball, 2]"}},
		{"having", "(item STRING, n BIGINT)", "SELECT item, COUNT(*) FROM orders GROUP BY item HAVING COUNT(*) > 1", []string{"+U[ball, 2]"}},
		{"distinct", "(item STRING)", "SELECT DISTINCT item FROM orders", []string{"+I[ball]", "+I[cup]"}},
		{"rollup", "(item STRING, n BIGINT, g BIGINT)", "SELECT item, COUNT(*), GROUPING(item) FROM orders WHERE id = 2 GROUP BY ROLLUP (item)",
			[]string{"+I[cup, 1, 0]", "+I[null, 1, 1]"}},
		{"self join", "(a BIGINT, b BIGINT)", "SELECT a.id, b.id FROM orders a JOIN orders b ON a.item = b.item WHERE a.id < b.id", []string{"+I[1, 3]"}},
		{"union", "(x STRING)", "SELECT item FROM orders WHERE id = 1 UNION ALL SELECT 'more' FROM orders WHERE id = 2", []string{"+I[ball]", "+I[more]"}},
		{"top", "(item STRING, amount INT)", `SELECT item, amount FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY item ORDER BY amount DESC) AS r FROM orders)
			WHERE r <= 2 AND amount > 3`, []string{"+I[cup, 4]", "+I[ball, 5]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(map[string]*values.Table{"orders": ordersOf(three...), "out": {Changes: table.Retract}})
			mode := "'sink-insert-only' = 'false'"
			if strings.Contains(c.out, "PRIMARY KEY") {
				mode = "'sink-changelog-mode-enforced' = 'I,UA,D'"
			}
			got := l.run(t, orders+"CREATE TABLE `out` "+c.out+" WITH ('connector' = 'values', "+mode+");\nINSERT INTO `out` "+c.query+";")
			slices.Sort(got)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %v\nwant %v", got, c.want)
			}
		})
	}
}

// In batch mode only final results are given.
func TestBatchGivesFinalResults(t *testing.T) {
	l := newLab(map[string]*values.Table{"orders": ordersOf(row(ins, int64(1), "a", int32(1)), row(ins, int64(2), "a", int32(2))), "out": {}})
	got := l.run(t, "SET 'execution.runtime-mode' = 'batch';\n"+orders+"CREATE TABLE `out` (item STRING, s INT) WITH ('connector' = 'values');\n"+
		"INSERT INTO `out` SELECT item, SUM(amount) FROM orders GROUP BY item;")
	if want := []string{"+I[a, 3]"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// All problems of a script are reported, and nothing of it runs.
func TestAllProblemsAtOnce(t *testing.T) {
	l := newLab(map[string]*values.Table{"orders": ordersOf(), "out": {}})
	_, err := l.Prepare(orders + "SELECT itme FROM orders;\nSELEC 1;\nSET 'parallelism.default' = 'many';\nINSERT INTO nowhere SELECT id FROM orders;")
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"4 problems", "line 2, column 8", "item", "line 3, column 1", "line 4", "parallelism.default", "line 5", "nowhere"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
}

// uids are the names of the graph's nodes that have state.
func uids(t *testing.T, script string) []string {
	t.Helper()
	l := newLab(map[string]*values.Table{"orders": ordersOf(), "out": {Changes: table.Retract}, "other": {Changes: table.Retract}})
	steps, err := l.Prepare(orders + script)
	if err != nil {
		t.Fatal(err)
	}
	j, err := flott.Prepare("x", steps[len(steps)-1].Job.Build, config.New(sql.Options()...), slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	data, err := j.PlanJSON()
	if err != nil {
		t.Fatal(err)
	}
	var plan struct {
		Nodes []struct{ Operators []struct{ UID string } }
	}
	if err := json.Unmarshal(data, &plan); err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, n := range plan.Nodes {
		for _, o := range n.Operators {
			found = append(found, o.UID)
		}
	}
	slices.Sort(found)
	return found
}

// A column more, another order of columns, a statement more: state is found again. Another condition below it is other state.
func TestUIDsAreMadeOfWhatIsComputed(t *testing.T) {
	const sinks = "CREATE TABLE `out` (a STRING, n BIGINT) WITH ('connector' = 'values');\n" +
		"CREATE TABLE wide (a STRING, b STRING, n BIGINT) WITH ('connector' = 'values', 'data-id' = 'out');\n" +
		"CREATE TABLE other (a STRING) WITH ('connector' = 'values');\n"
	aggregate := func(list []string) string {
		for _, u := range list {
			if strings.HasPrefix(u, "GroupAggregate") {
				return u
			}
		}
		t.Fatalf("no aggregate in %v", list)
		return ""
	}
	first := aggregate(uids(t, sinks+"INSERT INTO `out` SELECT item, COUNT(*) FROM orders GROUP BY item;"))
	for name, script := range map[string]string{
		"a column more":       "INSERT INTO wide SELECT item, UPPER(item), COUNT(*) FROM orders GROUP BY item;",
		"a subquery around":   "INSERT INTO `out` SELECT item, COUNT(*) FROM (SELECT amount, item FROM orders) GROUP BY item;",
		"another statement":   "EXECUTE STATEMENT SET BEGIN INSERT INTO other SELECT item FROM orders WHERE id > 5; INSERT INTO `out` SELECT item, COUNT(*) FROM orders GROUP BY item; END;",
		"another aggregation": "INSERT INTO `out` SELECT item, SUM(id) FROM orders GROUP BY item;",
	} {
		if got := aggregate(uids(t, sinks+script)); got != first {
			t.Errorf("%s: uid %s, was %s", name, got, first)
		}
	}
	if got := aggregate(uids(t, sinks+"INSERT INTO `out` SELECT item, COUNT(*) FROM orders WHERE id > 1 GROUP BY item;")); got == first {
		t.Error("another condition gave the same uid")
	}
}

func TestExplainWithChangelogModes(t *testing.T) {
	l := newLab(map[string]*values.Table{"orders": ordersOf(), "out": {Changes: table.Retract}})
	steps, err := l.Prepare(orders + "EXPLAIN CHANGELOG_MODE SELECT n, COUNT(*) FROM (SELECT item, COUNT(*) AS n FROM orders GROUP BY item) GROUP BY n;")
	if err != nil {
		t.Fatal(err)
	}
	_, physical, _ := strings.Cut(steps[1].Output, "== Optimized Physical Plan ==\n")
	physical, _, _ = strings.Cut(physical, "\n==")
	const want = `Sink(table=[*anonymous_collect$1*], fields=[n, EXPR$1], changelogMode=[NONE])
+- Exchange(distribution=[single], changelogMode=[I,UB,UA,D])
   +- Calc(select=[n, COUNT AS EXPR$1], changelogMode=[I,UB,UA,D])
      +- GroupAggregate(groupBy=[n], select=[n, COUNT() AS COUNT], changelogMode=[I,UB,UA,D])
         +- Exchange(distribution=[hash[n]], changelogMode=[I,UB,UA])
            +- Calc(select=[COUNT AS n], changelogMode=[I,UB,UA])
               +- GroupAggregate(groupBy=[item], select=[item, COUNT() AS COUNT], changelogMode=[I,UB,UA])
                  +- Exchange(distribution=[hash[item]], changelogMode=[I])
                     +- TableSourceScan(table=[[default_catalog, default_database, orders]], fields=[item], changelogMode=[I])
`
	if physical != want {
		t.Errorf("got\n%s\nwant\n%s", physical, want)
	}
}

// What a stream cannot do is refused with the reason, before anything starts.
func TestRefusals(t *testing.T) {
	for query, want := range map[string]string{
		"SELECT * FROM orders ORDER BY amount": "Sort on a non-time-attribute field is not supported",
		"INSERT INTO `out` SELECT item, COUNT(*) FROM orders GROUP BY item": "doesn't support consuming update and delete changes which is produced by node " +
			"GroupAggregate(groupBy=[item]",
		"INSERT INTO keyed SELECT id, COUNT(*) FROM orders GROUP BY id, item": "differs from the primary key [id]",
	} {
		l := newLab(map[string]*values.Table{"orders": ordersOf(), "out": {}, "keyed": {Changes: table.Retract}})
		_, err := l.Prepare(orders + "CREATE TABLE `out` (a STRING, n BIGINT) WITH ('connector' = 'values', 'sink-insert-only' = 'true');\n" +
			"CREATE TABLE keyed (id BIGINT, n BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'values');\n" + query)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n got %v\nwant %s", query, err, want)
		}
	}
}
