package plan

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/catalog"
	"github.com/flottio/flott/sql/internal/expr"
	"github.com/flottio/flott/sql/internal/parse"
)

// interpreter runs logical plans over rows in memory, one row at a time: what plans mean, slowly.
type interpreter struct {
	t      *testing.T
	tables map[string][][]any
}

func (p *interpreter) compute(e expr.Expr, types []column.Type, rows [][]any) []any {
	p.t.Helper()
	if len(rows) == 0 {
		return nil
	}
	prog, err := expr.Compile(&expr.Env{}, e)
	if err != nil {
		p.t.Fatal(err)
	}
	in := column.NewBatch(types)
	for _, r := range rows {
		for i, v := range r {
			in.Cols[i].Append(v)
		}
	}
	in.N = len(rows)
	v, err := prog.Eval(&expr.Eval{Env: &expr.Env{}}, &in, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	out := make([]any, len(rows))
	for i := range out {
		out[i] = v.At(i)
	}
	return out
}

func (p *interpreter) run(n Node) [][]any {
	switch n := n.(type) {
	case *Scan:
		return p.tables[n.Table.Name]
	case *Values:
		var out [][]any
		for _, r := range n.Rows {
			row := []any{}
			for _, e := range r {
				row = append(row, p.compute(e, nil, [][]any{{}})[0])
			}
			out = append(out, row)
		}
		return out
	case *Project:
		in := p.run(n.Input)
		out := make([][]any, len(in))
		for _, e := range n.Exprs {
			for i, v := range p.compute(e, n.Input.Schema().Types(), in) {
				out[i] = append(out[i], v)
			}
		}
		return out
	case *Filter:
		return p.keep(n.Cond, n.Input.Schema().Types(), p.run(n.Input))
	case *Aggregate:
		return p.aggregate(n)
	case *Join:
		return p.join(n)
	case *Rank:
		var out [][]any
		for _, g := range groupRows(p.run(n.Input), n.Partition) {
			sortRows(g, n.Order)
			out = append(out, g[min(int(n.From)-1, len(g)):min(int(n.To), len(g))]...)
		}
		return out
	case *SetOp:
		if n.Kind != Union || !n.All {
			p.t.Fatal("set operation")
		}
		return append(p.run(n.Input[0]), p.run(n.Input[1])...)
	}
	p.t.Fatalf("%T", n)
	return nil
}

func (p *interpreter) keep(cond expr.Expr, types []column.Type, rows [][]any) [][]any {
	var out [][]any
	for i, v := range p.compute(cond, types, rows) {
		if v == true {
			out = append(out, rows[i])
		}
	}
	return out
}

func groupRows(rows [][]any, keys []int) [][][]any {
	var groups [][][]any
	place := map[string]int{}
	for _, r := range rows {
		k := ""
		for _, i := range keys {
			k += fmt.Sprint(r[i], "|")
		}
		at, ok := place[k]
		if !ok {
			at = len(groups)
			place[k] = at
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], r)
	}
	return groups
}

func number(v any) int64 {
	if x, ok := v.(int32); ok {
		return int64(x)
	}
	return v.(int64)
}

func compareValues(a, b any) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return cmp.Compare(number(a), number(b))
}

func sortRows(rows [][]any, keys []SortKey) {
	slices.SortStableFunc(rows, func(a, b []any) int {
		for _, k := range keys {
			c := compareValues(a[k.Column], b[k.Column])
			if k.Desc {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
}

func (p *interpreter) aggregate(n *Aggregate) [][]any {
	in := p.run(n.Input)
	sets := n.Sets
	if sets == nil {
		sets = [][]int{ascending(len(n.Keys))}
	}
	var out [][]any
	for _, set := range sets {
		var keys []int
		for _, k := range set {
			keys = append(keys, n.Keys[k])
		}
		groups := groupRows(in, keys)
		if len(n.Keys) == 0 && len(groups) == 0 && n.Sets == nil {
			continue // as in streaming: no row before the first input
		}
		for _, g := range groups {
			row := make([]any, len(n.Keys))
			for _, k := range set {
				row[k] = g[0][n.Keys[k]]
			}
			for _, c := range n.Calls {
				row = append(row, p.fold(c, g, n, set))
			}
			out = append(out, row)
		}
	}
	return out
}

func (p *interpreter) fold(c AggCall, rows [][]any, n *Aggregate, set []int) any {
	if c.Func == Grouping {
		var bits int64
		for _, a := range c.Args {
			bits <<= 1
			if !slices.Contains(set, slices.Index(n.Keys, a)) {
				bits |= 1
			}
		}
		return bits
	}
	var values []any
	for _, r := range rows {
		if c.Filter >= 0 && r[c.Filter] != true {
			continue
		}
		if len(c.Args) == 0 {
			values = append(values, int64(1))
		} else if v := r[c.Args[0]]; v != nil && !(c.Distinct && slices.Contains(values, v)) {
			values = append(values, v)
		}
	}
	switch {
	case c.Func.Name == "COUNT":
		return int64(len(values))
	case len(values) == 0:
		return nil
	}
	switch c.Func.Name {
	case "MAX":
		return slices.MaxFunc(values, compareValues)
	case "SINGLE_VALUE":
		if len(rows) != 1 {
			p.t.Fatal("SINGLE_VALUE of several rows")
		}
		return values[0]
	case "SUM":
		var sum int64
		for _, v := range values {
			sum += number(v)
		}
		if c.Of.ID == column.Int {
			return int32(sum)
		}
		return sum
	}
	p.t.Fatal(c.Func.Name)
	return nil
}

func (p *interpreter) join(n *Join) [][]any {
	left, right := p.run(n.Left), p.run(n.Right)
	ls, rs := n.Left.Schema(), n.Right.Schema()
	types := append(ls.Types(), rs.Types()...)
	rightMet := make([]bool, len(right))
	var out [][]any
	for _, l := range left {
		var pairs [][]any
		for _, r := range right {
			pairs = append(pairs, append(slices.Clone(l), r...))
		}
		holds := make([]any, len(pairs))
		for i := range holds {
			holds[i] = true
		}
		if n.Cond != nil {
			holds = p.compute(n.Cond, types, pairs)
		}
		met, unknown := false, false
		for i, h := range holds {
			unknown = unknown || h == nil
			if h == true {
				met, rightMet[i] = true, true
				if n.Kind <= Full {
					out = append(out, pairs[i])
				}
			}
		}
		switch {
		case n.Kind == Semi && met, n.Kind == Anti && !met, n.Kind == NullAnti && !met && !unknown:
			out = append(out, l)
		case (n.Kind == Left || n.Kind == Full) && !met:
			out = append(out, append(slices.Clone(l), make([]any, len(rs))...))
		}
	}
	if n.Kind == Right || n.Kind == Full {
		for i, r := range right {
			if !rightMet[i] {
				out = append(out, append(make([]any, len(ls)), r...))
			}
		}
	}
	return out
}

func sorted(rows [][]any) string {
	lines := make([]string, len(rows))
	for i, r := range rows {
		lines[i] = fmt.Sprint(r...)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

type row = []any

// is gives SQL's truth of a comparison: true, false or nil for unknown.
func is(op func(int) bool, a, b any) any {
	if a == nil || b == nil {
		return nil
	}
	return op(compareValues(a, b))
}

func equal(c int) bool { return c == 0 }

// any3 is x = ANY (values) in three values.
func any3(op func(int) bool, x any, values []any) any {
	var out any = false
	for _, v := range values {
		switch is(op, x, v) {
		case true:
			return true
		case nil:
			out = nil
		}
	}
	return out
}

func not3(v any) any {
	if v == nil {
		return nil
	}
	return v != true
}

func pick(rows []row, keep func(row) any, column int) []any {
	var out []any
	for _, r := range rows {
		if keep == nil || keep(r) == true {
			out = append(out, r[column])
		}
	}
	return out
}

func maxOf(values []any) any {
	var best any
	for _, v := range values {
		if v != nil && (best == nil || compareValues(v, best) > 0) {
			best = v
		}
	}
	return best
}

// meanings are queries over t (a INT, b BIGINT) and u (a INT, d BIGINT) with what they mean, row by row.
var meanings = []struct {
	query string
	want  func(t, u []row) []row
}{
	{"SELECT * FROM t WHERE a IN (SELECT a FROM u WHERE u.d > t.b)", func(t, u []row) (out []row) {
		return where(t, func(x row) any {
			return any3(equal, x[0], pick(u, func(y row) any { return is(func(c int) bool { return c > 0 }, y[1], x[1]) }, 0))
		})
	}},
	{"SELECT * FROM t WHERE a NOT IN (SELECT a FROM u)", func(t, u []row) []row {
		return where(t, func(x row) any { return not3(any3(equal, x[0], pick(u, nil, 0))) })
	}},
	{"SELECT * FROM t WHERE NOT (b NOT IN (SELECT d FROM u WHERE u.a = t.a))", func(t, u []row) []row {
		return where(t, func(x row) any {
			return any3(equal, x[1], pick(u, func(y row) any { return is(equal, y[0], x[0]) }, 1))
		})
	}},
	{"SELECT * FROM t WHERE b NOT IN (SELECT d FROM u WHERE u.a = t.a)", func(t, u []row) []row {
		return where(t, func(x row) any {
			return not3(any3(equal, x[1], pick(u, func(y row) any { return is(equal, y[0], x[0]) }, 1)))
		})
	}},
	{"SELECT * FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND u.d < t.b)", func(t, u []row) []row {
		return where(t, func(x row) any {
			return len(pick(u, func(y row) any {
				return is(equal, y[0], x[0]) == true && is(func(c int) bool { return c < 0 }, y[1], x[1]) == true
			}, 0)) > 0
		})
	}},
	{"SELECT * FROM t WHERE NOT EXISTS (SELECT * FROM u WHERE u.a = t.a)", func(t, u []row) []row {
		return where(t, func(x row) any { return len(pick(u, func(y row) any { return is(equal, y[0], x[0]) }, 0)) == 0 })
	}},
	{"SELECT a, (SELECT COUNT(*) + 1 FROM u WHERE u.a = t.a), (SELECT MAX(d) FROM u WHERE u.a = t.a) FROM t", func(t, u []row) (out []row) {
		for _, x := range t {
			same := func(y row) any { return is(equal, y[0], x[0]) }
			out = append(out, row{x[0], len(pick(u, same, 0)) + 1, maxOf(pick(u, same, 1))})
		}
		return out
	}},
	{"SELECT a, b IN (SELECT d FROM u), b NOT IN (SELECT d FROM u WHERE u.a = t.a), EXISTS (SELECT 1 FROM u WHERE u.a = t.a) FROM t",
		func(t, u []row) (out []row) {
			for _, x := range t {
				same := func(y row) any { return is(equal, y[0], x[0]) }
				out = append(out, row{x[0], any3(equal, x[1], pick(u, nil, 1)), not3(any3(equal, x[1], pick(u, same, 1))),
					len(pick(u, same, 0)) > 0})
			}
			return out
		}},
	{"SELECT * FROM t WHERE a = 1 OR b IN (SELECT d FROM u WHERE u.a = t.a)", func(t, u []row) []row {
		return where(t, func(x row) any {
			return is(equal, x[0], int32(1)) == true ||
				any3(equal, x[1], pick(u, func(y row) any { return is(equal, y[0], x[0]) }, 1)) == true
		})
	}},
	{"SELECT * FROM t WHERE b >= ALL (SELECT d FROM u WHERE u.a = t.a)", func(t, u []row) []row {
		return where(t, func(x row) any {
			less := func(c int) bool { return c < 0 }
			return not3(any3(less, x[1], pick(u, func(y row) any { return is(equal, y[0], x[0]) }, 1)))
		})
	}},
	{"SELECT * FROM t WHERE b < ANY (SELECT d FROM u)", func(t, u []row) []row {
		return where(t, func(x row) any { return any3(func(c int) bool { return c < 0 }, x[1], pick(u, nil, 1)) })
	}},
	{"SELECT t.a, x.d FROM t, LATERAL (SELECT d FROM u WHERE u.a = t.a ORDER BY d DESC LIMIT 2) AS x", func(t, u []row) (out []row) {
		for _, x := range t {
			same := pick(u, func(y row) any { return is(equal, y[0], x[0]) }, 1)
			slices.SortFunc(same, func(p, q any) int { return compareValues(q, p) })
			for _, d := range same[:min(2, len(same))] {
				out = append(out, row{x[0], d})
			}
		}
		return out
	}},
	{"SELECT t.a, x.n, x.s FROM t, LATERAL (SELECT d + t.b AS n, u.a AS s FROM u WHERE u.a < t.a) AS x", func(t, u []row) (out []row) {
		for _, x := range t {
			for _, y := range u {
				if is(func(c int) bool { return c < 0 }, y[0], x[0]) == true {
					var sum any
					if y[1] != nil && x[1] != nil {
						sum = number(y[1]) + number(x[1])
					}
					out = append(out, row{x[0], sum, y[0]})
				}
			}
		}
		return out
	}},
	{"SELECT a, SUM(b) FROM t GROUP BY a HAVING SUM(b) > (SELECT MAX(d) FROM u WHERE u.a = t.a)", func(t, u []row) (out []row) {
		for _, g := range groupRows(t, []int{0}) {
			var sum any
			for _, x := range g {
				if x[1] != nil {
					if sum == nil {
						sum = int64(0)
					}
					sum = number(sum) + number(x[1])
				}
			}
			most := maxOf(pick(u, func(y row) any { return is(equal, y[0], g[0][0]) }, 1))
			if is(func(c int) bool { return c > 0 }, sum, most) == true {
				out = append(out, row{g[0][0], sum})
			}
		}
		return out
	}},
	{"SELECT * FROM t FULL JOIN u USING (a)", func(t, u []row) (out []row) {
		met := make([]bool, len(u))
		for _, x := range t {
			found := false
			for i, y := range u {
				if is(equal, x[0], y[0]) == true {
					found, met[i] = true, true
					out = append(out, row{x[0], x[1], y[1]})
				}
			}
			if !found {
				out = append(out, row{x[0], x[1], nil})
			}
		}
		for i, y := range u {
			if !met[i] {
				out = append(out, row{y[0], nil, y[1]})
			}
		}
		return out
	}},
	{"SELECT * FROM t WHERE a IN (SELECT a FROM u WHERE d IN (SELECT b FROM t AS t2 WHERE t2.a = u.a))", func(t, u []row) []row {
		return where(t, func(x row) any {
			return any3(equal, x[0], pick(u, func(y row) any {
				return any3(equal, y[1], pick(t, func(z row) any { return is(equal, z[0], y[0]) }, 1))
			}, 0))
		})
	}},
	{"SELECT a, b, GROUPING(a), COUNT(DISTINCT b) FILTER (WHERE b > 1) FROM t GROUP BY ROLLUP (a, b)", func(t, _ []row) (out []row) {
		for _, keys := range [][]int{{0, 1}, {0}, {}} {
			for _, g := range groupRows(t, keys) {
				r := row{nil, nil, 1, 0}
				for _, k := range keys {
					r[k] = g[0][k]
				}
				if len(keys) > 0 {
					r[2] = 0
				}
				seen := map[int64]bool{}
				for _, x := range g {
					if x[1] != nil && number(x[1]) > 1 {
						seen[number(x[1])] = true
					}
				}
				r[3] = len(seen)
				out = append(out, r)
			}
		}
		return out
	}},
}

func where(rows []row, keep func(row) any) []row {
	var out []row
	for _, r := range rows {
		if keep(r) == true {
			out = append(out, r)
		}
	}
	return out
}

// TestMeaning runs plans of queries with subqueries over random tables and compares with the query's meaning, computed by nested loops.
func TestMeaning(t *testing.T) {
	session := catalog.NewSession()
	transcript(t, session, "CREATE TABLE t (a INT, b BIGINT) WITH ('connector' = 'values'); CREATE TABLE u (a INT, d BIGINT) WITH ('connector' = 'values')")
	for _, m := range meanings {
		stmt, err := parse.One(m.query)
		if err != nil {
			t.Fatal(err)
		}
		n, err := (&Binder{Session: session}).Query(stmt.(*ast.QueryStmt).Query)
		if err != nil {
			t.Errorf("%s: %v", m.query, err)
			continue
		}
		for seed := range uint64(150) {
			r := rand.New(rand.NewPCG(seed, 1))
			p := &interpreter{t: t, tables: map[string][][]any{"t": randomRows(r), "u": randomRows(r)}}
			got, want := sorted(p.run(n)), sorted(m.want(p.tables["t"], p.tables["u"]))
			if got != want {
				t.Errorf("%s, seed %d\nt %v\nu %v\ngot\n%s\nwant\n%s\nplan\n%s", m.query, seed, p.tables["t"], p.tables["u"], got, want, Format(n))
				break
			}
		}
	}
}

func randomRows(r *rand.Rand) [][]any {
	rows := make([][]any, r.IntN(6))
	for i := range rows {
		rows[i] = []any{int32(r.IntN(3)), int64(r.IntN(4))}
		if r.IntN(5) == 0 {
			rows[i][0] = nil
		}
		if r.IntN(5) == 0 {
			rows[i][1] = nil
		}
	}
	return rows
}
