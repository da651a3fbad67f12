package plan

import (
	"strings"
	"time"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/catalog"
	"github.com/flottio/flott/sql/internal/expr"
)

// from binds what stands in FROM. left is what LATERAL can see: the tables before it; nil for the first.
func (b *Binder) from(x ast.TableRef, parent *scope, left *relation) *relation {
	switch x := x.(type) {
	case *ast.TableName:
		return b.tableName(x, parent)
	case *ast.DerivedTable:
		n := b.query(x.Query, parent)
		if n == nil {
			return nil
		}
		return b.alias(relationOf(n, "", catalog.Path{}), x.Alias)
	case *ast.Join:
		return b.join(x, parent, left)
	case *ast.TableFunc:
		return b.tableFunction(x, parent)
	case *ast.Unnest:
		return b.lateralJoin(nil, x, joinSpec{pos: x.Pos, kind: ast.Cross}, parent)
	case *ast.MatchRecognize:
		b.notYet(x.Pos, "MATCH_RECOGNIZE")
	case *ast.Sample:
		b.notYet(x.Pos, "TABLESAMPLE")
	case *ast.Pivot:
		b.notYet(x.Pos, "PIVOT")
	case *ast.Unpivot:
		b.notYet(x.Pos, "UNPIVOT")
	default:
		b.notYet(x.Position(), "this in FROM")
	}
	return nil
}

// alias gives a relation the name, and its columns the names, that were written.
func (b *Binder) alias(r *relation, a *ast.Alias) *relation {
	if a == nil || r == nil {
		return r
	}
	cols := r.columns
	if len(a.Columns) > 0 {
		if len(a.Columns) != len(cols) {
			b.failf(a.Columns[0].Pos, "%s has %s, %d are named", a.Name.Text, plural(len(cols), "column"), len(a.Columns))
			return nil
		}
		renamed := make([]named, len(cols))
		for i, c := range cols {
			renamed[i] = named{a.Columns[i].Text, c.x}
		}
		cols = renamed
	}
	return &relation{node: r.node, columns: cols, sources: []source{{name: a.Name.Text, columns: cols}}}
}

func (b *Binder) tableName(x *ast.TableName, parent *scope) *relation {
	if x.AsOf != nil {
		b.failf(x.AsOf.Position(), "FOR SYSTEM_TIME AS OF needs a JOIN: the time is a column of the table before it")
		return nil
	}
	r := b.namedTable(x.Path, x.Hints)
	if r == nil {
		return nil
	}
	return b.alias(r, x.Alias)
}

// namedTable is a table of WITH, a table or a view.
func (b *Binder) namedTable(path ast.Path, hints []ast.Hint) *relation {
	if len(path) == 1 {
		for i := len(b.ctes) - 1; i >= 0; i-- {
			if c := b.ctes[i]; c.name == path[0].Text && !c.outer {
				if c.node == nil {
					return nil
				}
				return relationOf(c.node, c.name, catalog.Path{})
			}
		}
	}
	t, err := b.Session.Resolve(path)
	if err != nil {
		var more []string
		for _, c := range b.ctes {
			more = append(more, c.name)
		}
		if len(path) == 1 && err.Hint == "" {
			err.Near(path[0].Text, more)
		}
		b.fail(err)
		return nil
	}
	n := b.table(t, path.Position(), hints)
	if n == nil {
		return nil
	}
	return relationOf(n, t.Name, catalog.Path{Catalog: t.Catalog, Database: t.Database, Name: t.Name})
}

// table is a scan of a table with its computed columns and watermark, or a view's query.
func (b *Binder) table(t *Table, pos ast.Pos, hints []ast.Hint) Node {
	if t.View != nil {
		for _, h := range hints {
			if h.Name == "OPTIONS" {
				b.failf(h.Pos, "%s is a view: OPTIONS belong to the tables in its query", t.Name)
				return nil
			}
		}
		return b.view(t, pos)
	}
	return b.scan(t, b.tableOptions(hints))
}

// tableOptions are the OPTIONS hints.
func (b *Binder) tableOptions(hints []ast.Hint) map[string]string {
	var out map[string]string
	for _, h := range hints {
		if h.Name != "OPTIONS" {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		for _, a := range h.Args {
			lit, ok := a.Value.(*ast.Literal)
			if !a.HasKey || !ok {
				b.failf(h.Pos, "OPTIONS takes 'key' = 'value', ...")
				continue
			}
			out[a.Key] = lit.Text
		}
	}
	return out
}

// scan reads all columns of a table: those that are stored, then those that are computed of them, then the watermark.
func (b *Binder) scan(t *Table, options map[string]string) Node {
	s := &Scan{Table: t, Hints: options}
	computed := false
	for i, c := range t.Columns {
		if c.Computed != nil {
			computed = true
			continue
		}
		s.Columns = append(s.Columns, i)
		s.Out = append(s.Out, Field{c.Name, c.Type})
	}
	var n Node = s
	if computed {
		if n = b.computedColumns(t, s); n == nil {
			return nil
		}
	}
	if t.Watermark == nil {
		return n
	}
	return b.watermark(t, n)
}

func (b *Binder) computedColumns(t *Table, s *Scan) Node {
	sc := b.newScope(relationOf(s, t.Name, catalog.Path{}), nil)
	sc.noSubs = true
	p := &Project{Input: s}
	at := 0
	for _, c := range t.Columns {
		var e expr.Expr
		if c.Computed == nil {
			e = columnOf(s.Out, at)
			at++
		} else if e = sc.in("a computed column").expr(c.Computed); e == nil {
			return nil
		}
		p.Exprs = append(p.Exprs, e)
		p.Out = append(p.Out, Field{c.Name, e.Type()})
	}
	return p
}

func (b *Binder) watermark(t *Table, n Node) Node {
	in := n.Schema()
	w := &Watermark{Input: n, Time: -1, Out: append(Schema(nil), in...)}
	for i, f := range in {
		if f.Name == t.Watermark.Column {
			w.Time = i
		}
	}
	if w.Time < 0 {
		b.failf(t.Watermark.Expr.Position(), "WATERMARK FOR %s: table %s has no such column", t.Watermark.Column, t.Name)
		return nil
	}
	sc := b.newScope(relationOf(n, t.Name, catalog.Path{}), nil)
	sc.noSubs = true
	e := sc.in("WATERMARK").expr(t.Watermark.Expr)
	if e == nil {
		return nil
	}
	w.Expr = expr.Coerce(e, in[w.Time].Type.Nullable(true))
	w.Out[w.Time].Type.Attribute = column.Rowtime
	return w
}

// view binds a view's query where its names mean what they meant to its author.
func (b *Binder) view(t *Table, pos ast.Pos) Node {
	if n, seen := b.views[t]; seen {
		if n == nil {
			b.failf(pos, "view %s reads itself", t.Name)
		}
		return n
	}
	if b.views == nil {
		b.views = map[*Table]Node{}
	}
	b.views[t] = nil
	session := *b.Session
	session.Catalog, session.Database = t.View.Catalog, t.View.Database
	inner := &Binder{Session: &session, Zone: b.Zone, Batch: b.Batch, views: b.views}
	n := inner.query(t.View.Query, nil)
	if err := inner.Err(); err != nil || n == nil {
		delete(b.views, t)
		first := inner.errs[0]
		b.failf(pos, "view %s is no longer valid: %s", t.Name, first.Message).Hint = first.Hint
		return nil
	}
	if len(t.View.Columns) > 0 && len(t.View.Columns) != len(n.Schema()) {
		delete(b.views, t)
		b.failf(pos, "view %s is no longer valid: its query has %s, it names %d", t.Name, plural(len(n.Schema()), "column"),
			len(t.View.Columns))
		return nil
	}
	n = rename(n, t.View.Columns)
	b.views[t] = n
	return n
}

// rename gives a node's columns other names; names nil keeps them.
func rename(n Node, names []string) Node {
	if len(names) == 0 {
		return n
	}
	in := n.Schema()
	same := true
	for i := range in {
		same = same && in[i].Name == names[i]
	}
	if same {
		return n
	}
	p := &Project{Input: n}
	for i := range in {
		p.Exprs = append(p.Exprs, columnOf(in, i))
		p.Out = append(p.Out, Field{names[i], in[i].Type})
	}
	return p
}

// joinSpec is a join before its right side is bound.
type joinSpec struct {
	pos     ast.Pos
	kind    ast.JoinKind
	natural bool
	on      ast.Expr
	using   []ast.Name
}

func (b *Binder) join(x *ast.Join, parent *scope, left *relation) *relation {
	l := b.from(x.L, parent, left)
	spec := joinSpec{x.OpPos, x.Kind, x.Natural, x.On, x.Using}
	if l == nil {
		b.from(x.R, parent, nil) // for its mistakes, unless it depends on the left
		return nil
	}
	switch r := x.R.(type) {
	case *ast.Unnest, *ast.TableFunc:
		if f, ok := r.(*ast.TableFunc); ok {
			name := upper(f.Call.Func)
			if b.isWindow(f.Call) || name == "TO_CHANGELOG" || name == "FROM_CHANGELOG" {
				break
			}
			if name == "SNAPSHOT" {
				return b.snapshotJoin(l, f, spec, parent)
			}
		}
		return b.lateralJoin(l, r, spec, parent)
	case *ast.DerivedTable:
		if r.Lateral {
			return b.lateralQuery(l, r, spec, parent)
		}
	case *ast.TableName:
		if r.AsOf != nil {
			return b.temporalJoin(l, r, spec, parent)
		}
	}
	r := b.from(x.R, parent, nil)
	if r == nil {
		return nil
	}
	return b.joined(l, r, spec, parent)
}

var joinKinds = map[ast.JoinKind]JoinKind{ast.Inner: Inner, ast.Cross: Inner, ast.Left: Left, ast.Right: Right, ast.Full: Full,
	ast.Semi: Semi, ast.Anti: Anti}

// joinSchema is the columns of both sides; those of a side that may be missing can be NULL.
func joinSchema(kind JoinKind, l, r Schema) Schema {
	out := make(Schema, 0, len(l)+len(r))
	for _, f := range l {
		f.Type.NotNull = f.Type.NotNull && kind != Right && kind != Full
		out = append(out, f)
	}
	if kind == Semi || kind == Anti || kind == NullAnti {
		return out
	}
	for _, f := range r {
		f.Type.NotNull = f.Type.NotNull && kind != Left && kind != Full
		out = append(out, f)
	}
	return out
}

// combine puts the names of both sides over one schema.
func combine(node Node, l, r *relation, schema Schema) *relation {
	left, right := *l, *r
	retype := func(e expr.Expr) expr.Expr {
		return expr.Map(e, func(c *expr.Column) expr.Expr { return columnOf(schema, c.Index) })
	}
	n := len(l.node.Schema())
	left.mapColumns(retype)
	right.mapColumns(func(e expr.Expr) expr.Expr { return retype(expr.Shift(e, n)) })
	return &relation{
		node:    node,
		columns: append(left.columns[:len(left.columns):len(left.columns)], right.columns...),
		sources: append(left.sources[:len(left.sources):len(left.sources)], right.sources...),
	}
}

// joined joins two relations.
func (b *Binder) joined(l, r *relation, spec joinSpec, parent *scope) *relation {
	kind := joinKinds[spec.kind]
	if !b.distinctNames(l, r, spec.pos) {
		return nil
	}
	ls, rs := l.node.Schema(), r.node.Schema()
	both := combine(nil, l, r, append(ls[:len(ls):len(ls)], rs...)) // as ON sees it: nothing is NULL yet
	both.node = &Join{Out: joinSchema(Inner, ls, rs)}
	var conds []expr.Expr
	names, ok := b.usingNames(l, r, spec)
	if !ok {
		return nil
	}
	sc := b.newScope(both, parent)
	for _, name := range names {
		x, _ := lookup(l.columns, name.Text)
		y, _ := lookup(r.columns, name.Text)
		eq := sc.call(name.Pos, "=", x, expr.Shift(y, len(ls)))
		if eq == nil {
			return nil
		}
		conds = append(conds, eq)
	}
	var subs []*subRef
	if spec.on != nil {
		cond := sc.condition(spec.on, "ON")
		if cond == nil {
			return nil
		}
		if subs = subqueriesOf(cond); len(subs) > 0 {
			if kind != Inner {
				b.notYet(subs[0].pos, "a subquery in ON of "+spec.kind.String())
				return nil
			}
			return b.where(combine(&Join{Kind: Inner, Left: l.node, Right: r.node, Out: both.node.Schema()}, l, r, both.node.Schema()), cond)
		}
		conds = append(conds, cond)
	}
	j := &Join{Kind: kind, Left: l.node, Right: r.node, Cond: and(conds), Out: joinSchema(kind, ls, rs)}
	j.TTL = [2]time.Duration{b.ttlOf(l), b.ttlOf(r)}
	if kind == Semi || kind == Anti {
		return &relation{node: j, columns: l.columns, sources: l.sources}
	}
	out := combine(j, l, r, j.Out)
	if len(names) > 0 {
		out.merge(names, kind, len(l.columns))
	}
	return out
}

// distinctNames refuses two tables of one name.
func (b *Binder) distinctNames(l, r *relation, pos ast.Pos) bool {
	for _, x := range l.sources {
		for _, y := range r.sources {
			if x.name != "" && x.name == y.name && x.path == y.path {
				b.failf(pos, "the table name %s stands twice in FROM", x.name).WithHint("give one of them an alias")
				return false
			}
		}
	}
	return true
}

// usingNames are the columns of USING or NATURAL.
func (b *Binder) usingNames(l, r *relation, spec joinSpec) ([]ast.Name, bool) {
	names := spec.using
	if spec.natural {
		for _, c := range l.columns {
			if _, n := lookup(r.columns, c.name); n > 0 {
				names = append(names, ast.Name{Pos: spec.pos, Text: c.name})
			}
		}
	}
	ok := true
	for _, name := range names {
		for i, cols := range [][]named{l.columns, r.columns} {
			side := [...]string{"left", "right"}[i]
			if _, n := lookup(cols, name.Text); n != 1 {
				var all []string
				for _, c := range cols {
					all = append(all, c.name)
				}
				what := "has no column"
				if n > 1 {
					what = "has several columns"
				}
				b.failf(name.Pos, "the %s side of the join %s %s", side, what, name.Text).Near(name.Text, all)
				ok = false
			}
		}
	}
	return names, ok
}

// merge makes one column of each pair that USING names; they come first.
func (r *relation) merge(names []ast.Name, kind JoinKind, left int) {
	var first, rest []named
	shared := map[string]bool{}
	for _, name := range names {
		shared[name.Text] = true
		x, _ := lookup(r.columns[:left], name.Text)
		y, _ := lookup(r.columns[left:], name.Text)
		switch kind {
		case Right:
			x = y
		case Full:
			if t, ok := expr.ComparableType(x.Type(), y.Type()); ok { // it is: they were compared
				x = mustCall("COALESCE", expr.Coerce(x, t), expr.Coerce(y, t))
			}
		}
		first = append(first, named{name.Text, x})
	}
	for _, c := range r.columns {
		if !shared[c.name] {
			rest = append(rest, c)
		}
	}
	r.columns = append(first, rest...)
}

// isWindow reports whether a call in FROM is a window table function.
func (b *Binder) isWindow(c *ast.Call) bool {
	_, ok := windowFunctions[strings.ToUpper(c.Func.Last().Text)]
	return ok && len(c.Func) == 1
}
