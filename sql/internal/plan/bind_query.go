package plan

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/catalog"
	"github.com/flottio/flott/sql/internal/expr"
)

// query binds a query that may read columns of the query around it. It returns nil if something is wrong, which is then recorded.
func (b *Binder) query(q *ast.Query, parent *scope) Node {
	known := len(b.ctes)
	defer func() { b.ctes = b.ctes[:known] }()
	if q.With != nil {
		b.with(q.With)
	}
	var n Node
	if sel, ok := q.Body.(*ast.Select); ok {
		n = b.selectQuery(sel, q.OrderBy, parent)
	} else if n = b.body(q.Body, parent); n != nil && len(q.OrderBy) > 0 {
		n = b.orderOutput(n, q.OrderBy, parent)
	}
	offset, fetch, ok := b.limits(q)
	if n == nil || !ok {
		return nil
	}
	if offset == 0 && fetch < 0 {
		return n
	}
	if s, ok := n.(*Sort); ok && len(q.OrderBy) > 0 {
		return &Sort{Input: s.Input, Keys: s.Keys, Offset: offset, Fetch: fetch}
	}
	if p, ok := n.(*Project); ok && len(q.OrderBy) > 0 { // columns that only ORDER BY needs were dropped above the sort
		if s, ok := p.Input.(*Sort); ok {
			return p.With(&Sort{Input: s.Input, Keys: s.Keys, Offset: offset, Fetch: fetch})
		}
	}
	return &Sort{Input: n, Offset: offset, Fetch: fetch}
}

// limits reads OFFSET and LIMIT; fetch is -1 without one.
func (b *Binder) limits(q *ast.Query) (offset, fetch int64, ok bool) {
	read := func(x ast.Expr, what string) (int64, bool) {
		lit, isLit := x.(*ast.Literal)
		if isLit && lit.Kind == ast.ExactLit {
			if n, err := strconv.ParseInt(lit.Text, 10, 64); err == nil && n >= 0 {
				return n, true
			}
		}
		b.failf(x.Position(), "%s expects a whole number of rows", what)
		return 0, false
	}
	fetch, ok = -1, true
	if q.Offset != nil {
		offset, ok = read(q.Offset, "OFFSET")
	}
	if q.Limit != nil {
		n, good := read(q.Limit, "LIMIT")
		fetch, ok = n, ok && good
	}
	return offset, fetch, ok
}

func (b *Binder) body(x ast.Body, parent *scope) Node {
	switch x := x.(type) {
	case *ast.Query:
		return b.query(x, parent)
	case *ast.Select:
		return b.selectQuery(x, nil, parent)
	case *ast.SetOp:
		return b.setOp(x, parent)
	case *ast.Values:
		return b.values(x, parent)
	case *ast.TableQuery:
		if r := b.namedTable(x.Table, nil); r != nil {
			return r.node
		}
	}
	return nil
}

func (b *Binder) with(w *ast.With) {
	if w.Recursive {
		b.notYet(w.Pos, "WITH RECURSIVE")
	}
	for _, t := range w.Tables {
		n := b.query(t.Query, nil)
		if n != nil && len(t.Columns) > 0 {
			if len(t.Columns) != len(n.Schema()) {
				b.failf(t.Columns[0].Pos, "%s has %s, %d are named", t.Name.Text, plural(len(n.Schema()), "column"), len(t.Columns))
				n = nil
			} else {
				names := make([]string, len(t.Columns))
				for i, c := range t.Columns {
					names[i] = c.Text
				}
				n = rename(n, names)
			}
		}
		b.ctes = append(b.ctes, &cte{name: t.Name.Text, node: n})
	}
}

// orderOutput sorts by columns of the output only.
func (b *Binder) orderOutput(n Node, items []ast.OrderItem, parent *scope) Node {
	sc := b.newScope(relationOf(n, "", catalog.Path{}), parent)
	keys := make([]orderKey, 0, len(items))
	for _, it := range items {
		e := b.ordinal(it, n.Schema())
		if e == nil {
			e = sc.in("ORDER BY").expr(it.X)
		}
		if e == nil {
			return nil
		}
		keys = append(keys, orderKeyOf(e, it))
	}
	in, places := extend(n, orderExprs(keys))
	var out Node = &Sort{Input: in, Keys: sortKeys(keys, places), Fetch: -1}
	return firstColumns(out, len(n.Schema()))
}

// ordinal is the output column that ORDER BY 1 means; nil for anything else.
func (b *Binder) ordinal(it ast.OrderItem, out Schema) expr.Expr {
	lit, ok := it.X.(*ast.Literal)
	if !ok || lit.Kind != ast.ExactLit {
		return nil
	}
	n, err := strconv.Atoi(lit.Text)
	if err != nil {
		return nil
	}
	if n < 1 || n > len(out) {
		b.failf(it.Pos, "ORDER BY %d: the query has %s", n, plural(len(out), "column"))
		return &expr.Literal{}
	}
	return columnOf(out, n-1)
}

// orderKey is an entry of ORDER BY. NULL is less than everything, unless it says otherwise.
type orderKey struct {
	e               expr.Expr
	desc, nullsLast bool
}

func orderKeyOf(e expr.Expr, it ast.OrderItem) orderKey {
	k := orderKey{e: e, desc: it.Desc, nullsLast: it.Desc}
	if it.Nulls != ast.NullsUnspecified {
		k.nullsLast = it.Nulls == ast.NullsLast
	}
	return k
}

func orderExprs(keys []orderKey) []expr.Expr {
	out := make([]expr.Expr, len(keys))
	for i, k := range keys {
		out[i] = k.e
	}
	return out
}

func sortKeys(keys []orderKey, places []int) []SortKey {
	out := make([]SortKey, len(keys))
	for i, k := range keys {
		out[i] = SortKey{Column: places[i], Desc: k.desc, NullsLast: k.nullsLast}
	}
	return out
}

// extend adds columns for the expressions that are none, and says where each is.
func extend(n Node, exprs []expr.Expr) (Node, []int) {
	in := n.Schema()
	p := &Project{Input: n}
	for i := range in {
		p.Exprs = append(p.Exprs, columnOf(in, i))
	}
	p.Out = append(p.Out, in...)
	places := make([]int, len(exprs))
	known := map[string]int{}
	for i, e := range exprs {
		if c, ok := e.(*expr.Column); ok {
			places[i] = c.Index
			continue
		}
		text := e.String()
		if at, ok := known[text]; ok {
			places[i] = at
			continue
		}
		places[i] = len(p.Exprs)
		known[text] = places[i]
		p.Exprs = append(p.Exprs, e)
		p.Out = append(p.Out, Field{"$f" + strconv.Itoa(places[i]), e.Type()})
	}
	if len(p.Exprs) == len(in) {
		return n, places
	}
	return p, places
}

// firstColumns keeps the first n columns.
func firstColumns(in Node, n int) Node {
	s := in.Schema()
	if len(s) == n {
		return in
	}
	p := &Project{Input: in, Out: s[:n:n]}
	for i := range n {
		p.Exprs = append(p.Exprs, columnOf(s, i))
	}
	return p
}

func (b *Binder) setOp(x *ast.SetOp, parent *scope) Node {
	l, r := b.body(x.L, parent), b.body(x.R, parent)
	if l == nil || r == nil {
		return nil
	}
	ls, rs := l.Schema(), r.Schema()
	if len(ls) != len(rs) {
		b.failf(x.OpPos, "%s: the left side has %s, the right side %d", x.Kind, plural(len(ls), "column"), len(rs))
		return nil
	}
	out := &SetOp{Kind: SetKind(x.Kind), All: x.All}
	for i := range ls {
		t, ok := expr.CommonType([]column.Type{ls[i].Type, rs[i].Type})
		if !ok {
			b.failf(x.OpPos, "%s: column %d is %s on the left and %s on the right: no common type", x.Kind, i+1, ls[i].Type, rs[i].Type)
			return nil
		}
		t.Attribute = column.NoAttribute
		if ls[i].Type.Attribute == rs[i].Type.Attribute && x.Kind == ast.Union && x.All {
			t.Attribute = ls[i].Type.Attribute
		}
		out.Out = append(out.Out, Field{ls[i].Name, t})
	}
	out.Input = []Node{retyped(l, out.Out), retyped(r, out.Out)}
	return out
}

// retyped casts the columns of a node to those of a schema.
func retyped(n Node, want Schema) Node {
	in := n.Schema()
	p := &Project{Input: n}
	same := true
	for i := range in {
		e := expr.Coerce(columnOf(in, i), want[i].Type)
		same = same && in[i].Type.Same(want[i].Type)
		p.Exprs = append(p.Exprs, e)
		p.Out = append(p.Out, Field{want[i].Name, e.Type()})
	}
	if same {
		return n
	}
	return p
}

func (b *Binder) values(x *ast.Values, parent *scope) Node {
	sc := b.newScope(nil, parent).in("VALUES")
	var rows [][]expr.Expr
	ok := true
	for _, r := range x.Rows {
		items := rowItems(r)
		if items == nil {
			items = []ast.Expr{r}
		}
		row := sc.exprs(items...)
		if anyNil(row) {
			ok = false
			continue
		}
		if len(rows) > 0 && len(row) != len(rows[0]) {
			b.failf(r.Position(), "this row has %s, the first one %d", plural(len(row), "value"), len(rows[0]))
			ok = false
			continue
		}
		rows = append(rows, row)
	}
	if !ok || len(rows) == 0 {
		return nil
	}
	v := &Values{Rows: rows}
	for i := range rows[0] {
		types := make([]column.Type, len(rows))
		for j, row := range rows {
			types[j] = row[i].Type()
		}
		t, ok := expr.CommonType(types)
		if !ok {
			b.failf(x.Pos, "the values of column %d have no common type: %s", i+1, typeTexts(types))
			return nil
		}
		for _, row := range rows {
			row[i] = expr.Coerce(row[i], t)
		}
		v.Out = append(v.Out, Field{fmt.Sprintf("EXPR$%d", i), t})
	}
	return v
}

func typeTexts(types []column.Type) string {
	var texts []string
	for _, t := range types {
		if s := t.String(); !slices.Contains(texts, s) {
			texts = append(texts, s)
		}
	}
	return quoteNames(texts)
}
