package plan

import (
	"fmt"
	"strings"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/expr"
)

// Insert binds INSERT: the result is a *Sink. The error is of type Errors.
func (b *Binder) Insert(x *ast.Insert) (Node, error) { return b.result(b.insert(x)) }

func (b *Binder) insert(x *ast.Insert) Node {
	t, err := b.Session.Resolve(x.Table)
	if err != nil {
		b.fail(err)
		b.query(x.Source, nil) // its mistakes too
		return nil
	}
	if t.View != nil {
		b.failf(x.Table.Last().Pos, "%s is a view: INSERT writes into tables", t.Name).Length = len(t.Name)
		return nil
	}
	if options := b.tableOptions(x.Hints); options != nil {
		t = withOptions(t, options)
	}
	target := b.insertTarget(x, t)
	n := b.query(x.Source, nil)
	if n == nil || target == nil {
		return nil
	}
	n = b.matchSink(x, t, target, n)
	if n == nil {
		return nil
	}
	conflict := map[ast.ConflictAction]string{ast.ConflictError: "ERROR", ast.ConflictNothing: "NOTHING", ast.ConflictDeduplicate: "DEDUPLICATE"}
	return &Sink{Input: n, Table: t, Overwrite: x.Overwrite, Partition: b.partition(x), OnConflict: conflict[x.OnConflict]}
}

func withOptions(t *Table, options map[string]string) *Table {
	c := *t
	c.Options = map[string]string{}
	for k, v := range t.Options {
		c.Options[k] = v
	}
	for k, v := range options {
		c.Options[k] = v
	}
	return &c
}

// insertTarget maps the written columns of a table to what fills them: the place in the query, or a constant of PARTITION; -1 is NULL.
type insertTarget struct {
	columns []column.Field // all that are written, in order
	from    []int          // place in the query; -1: fixed or NULL
	fixed   []expr.Expr
	width   int // columns that the query must have
	listed  []column.Field
}

// writtenColumns are the columns that a sink takes: physical ones and metadata that is not virtual.
func writtenColumns(t *Table) []column.Field {
	var out []column.Field
	for _, c := range t.Columns {
		if c.Computed == nil && !(c.Metadata != "" && c.Virtual) {
			out = append(out, column.Field{Name: c.Name, Type: c.Type})
		}
	}
	return out
}

func (b *Binder) insertTarget(x *ast.Insert, t *Table) *insertTarget {
	target := &insertTarget{columns: writtenColumns(t)}
	n := len(target.columns)
	target.from, target.fixed = make([]int, n), make([]expr.Expr, n)
	var names []string
	place := map[string]int{}
	for i, c := range target.columns {
		names = append(names, c.Name)
		place[c.Name] = i
		target.from[i] = -1
	}
	ok := true
	sc := b.newScope(nil, nil).in("PARTITION")
	for _, p := range x.Partition {
		i, known := place[p.Column.Text]
		if !known {
			b.failf(p.Column.Pos, "table %s has no column %s", t.Name, p.Column.Text).Near(p.Column.Text, names)
			ok = false
			continue
		}
		if p.Value != nil {
			if e := sc.expr(p.Value); e != nil {
				target.fixed[i] = expr.Coerce(e, target.columns[i].Type)
			} else {
				ok = false
			}
		}
	}
	if len(x.Columns) == 0 {
		for i, c := range target.columns {
			if target.fixed[i] == nil {
				target.from[i] = target.width
				target.listed = append(target.listed, c)
				target.width++
			}
		}
		return target
	}
	ok = b.listColumns(x, t, target, place) && ok
	for i, c := range target.columns {
		if target.from[i] < 0 && target.fixed[i] == nil && c.Type.NotNull {
			b.failf(x.Columns[0].Position(), "the column %s of %s is NOT NULL and is given no value", c.Name, t.Name)
			ok = false
		}
	}
	if !ok {
		return nil
	}
	return target
}

// listColumns takes the column list of INSERT INTO t (a, b).
func (b *Binder) listColumns(x *ast.Insert, t *Table, target *insertTarget, place map[string]int) bool {
	ok := true
	var names []string
	for _, c := range target.columns {
		names = append(names, c.Name)
	}
	for _, path := range x.Columns {
		name := path.Last()
		i, known := place[name.Text]
		switch {
		case len(path) > 1:
			b.notYet(path.Position(), "INSERT into a nested field")
			ok = false
		case !known:
			e := b.failf(name.Pos, "table %s has no column %s that can be written", t.Name, name.Text).Near(name.Text, names)
			if e.Hint == "" {
				e.Message += "; it has " + shorten(names)
			}
			ok = false
		case target.from[i] >= 0 || target.fixed[i] != nil:
			b.failf(name.Pos, "the column %s is given twice", name.Text).Length = len(name.Text)
			ok = false
		default:
			target.from[i] = target.width
			target.listed = append(target.listed, target.columns[i])
			target.width++
		}
	}
	return ok
}

// matchSink casts the query's columns to the sink's, or says what does not fit with both schemas.
func (b *Binder) matchSink(x *ast.Insert, t *Table, target *insertTarget, n Node) Node {
	in := n.Schema()
	if len(in) != target.width {
		b.mismatch(x, t, target, in, "Different number of columns.")
		return nil
	}
	p := &Project{Input: n}
	for i, c := range target.columns {
		var e expr.Expr
		switch at := target.from[i]; {
		case at >= 0:
			if !expr.ImplicitlyCastable(in[at].Type, c.Type) {
				b.mismatch(x, t, target, in, fmt.Sprintf("Incompatible types for sink column '%s' at position %d.", c.Name, i))
				return nil
			}
			e = expr.Coerce(columnOf(in, at), c.Type)
		case target.fixed[i] != nil:
			e = target.fixed[i]
		default:
			e = &expr.Literal{Of: c.Type}
		}
		p.Exprs = append(p.Exprs, e)
		p.Out = append(p.Out, Field{c.Name, e.Type()})
	}
	if p.identity() {
		return n
	}
	return p
}

func (b *Binder) mismatch(x *ast.Insert, t *Table, target *insertTarget, in Schema, cause string) {
	query := make([]string, len(in))
	for i, f := range in {
		query[i] = f.Name + ": " + f.Type.String()
	}
	sink := make([]string, len(target.listed))
	for i, c := range target.listed {
		sink[i] = c.Name + ": " + c.Type.String()
	}
	b.failf(x.Source.Pos, "Column types of query result and sink for '%s.%s.%s' do not match.\nCause: %s\n\nQuery schema: [%s]\nSink schema:  [%s]",
		t.Catalog, t.Database, t.Name, cause, strings.Join(query, ", "), strings.Join(sink, ", "))
}

// partition are the constants of PARTITION (...).
func (b *Binder) partition(x *ast.Insert) map[string]expr.Expr {
	var out map[string]expr.Expr
	sc := b.newScope(nil, nil).in("PARTITION")
	for _, p := range x.Partition {
		if p.Value == nil {
			continue
		}
		if e := sc.expr(p.Value); e != nil {
			if out == nil {
				out = map[string]expr.Expr{}
			}
			out[p.Column.Text] = e
		}
	}
	return out
}
