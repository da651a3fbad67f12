package plan

import (
	"strings"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/expr"
)

// ident finds what a name stands for: a column, a table's column, a field of one, in this query or in those around it.
func (s *scope) ident(x *ast.Ident) expr.Expr {
	for _, l := range s.lambda {
		if l.name == x.Parts[0].Text {
			return s.fields(l.x, x.Parts[1:])
		}
	}
	level := 0
	for in := s; in != nil; in, level = in.parent, level+1 {
		found, rest, n := in.find(x.Parts)
		if n > 1 {
			s.b.failf(x.Pos, "the column %s is ambiguous: %s", quotePath(x.Parts), in.candidates(x.Parts[0].Text))
			return nil
		}
		if n == 1 {
			return s.fields(s.mark(found, level, x.Pos), rest)
		}
	}
	if len(x.Parts) == 1 {
		for _, a := range s.aliases {
			if a.name == x.Parts[0].Text {
				return a.x
			}
		}
	}
	s.unknownName(x)
	return nil
}

// mark makes a column of what was found, of a query around if level is not 0, and remembers where it was written.
func (s *scope) mark(e expr.Expr, level int, pos ast.Pos) expr.Expr {
	return expr.Map(e, func(c *expr.Column) expr.Expr {
		if level > 0 {
			return &outer{level, c}
		}
		own := *c
		s.pos[&own] = pos
		return &own
	})
}

// find looks in one query: a table's column first, then a column. n is how many there are; rest are fields.
func (s *scope) find(parts ast.Path) (found expr.Expr, rest ast.Path, n int) {
	if s.rel == nil {
		return nil, nil, 0
	}
	for _, src := range s.rel.sources {
		k := src.matches(parts)
		if k == 0 {
			continue
		}
		if x, c := lookup(src.columns, parts[k].Text); c > 0 {
			found, rest, n = x, parts[k+1:], n+c
		}
	}
	if n > 0 {
		return found, rest, n
	}
	found, n = lookup(s.rel.columns, parts[0].Text)
	return found, parts[1:], n
}

// matches returns how many parts name the table, 0 if they do not or if no column follows.
func (s *source) matches(parts ast.Path) int {
	full := []string{s.path.Catalog, s.path.Database, s.path.Name}
	switch {
	case len(parts) > 3 && s.path.Name != "" && equalParts(parts[:3], full):
		return 3
	case len(parts) > 2 && s.path.Name != "" && equalParts(parts[:2], full[1:]):
		return 2
	case len(parts) > 1 && s.name != "" && parts[0].Text == s.name:
		return 1
	}
	return 0
}

func equalParts(parts ast.Path, want []string) bool {
	for i, w := range want {
		if parts[i].Text != w {
			return false
		}
	}
	return true
}

func lookup(cols []named, name string) (found expr.Expr, n int) {
	for _, c := range cols {
		if c.name == name {
			found, n = c.x, n+1
		}
	}
	return found, n
}

// candidates names the tables that have a column.
func (s *scope) candidates(name string) string {
	var in []string
	for _, src := range s.rel.sources {
		if _, n := lookup(src.columns, name); n > 0 && src.name != "" {
			in = append(in, src.name+"."+name)
		}
	}
	if len(in) < 2 {
		return "several columns have that name"
	}
	return "it can be " + strings.Join(in, " or ")
}

func quotePath(p ast.Path) string { return strings.Join(p.Strings(), ".") }

// unknownName says what is missing: a table of this query, or a column.
func (s *scope) unknownName(x *ast.Ident) {
	first := x.Parts[0].Text
	var tables, columns []string
	for in := s; in != nil; in = in.parent {
		if in.rel == nil {
			continue
		}
		for _, c := range in.rel.columns {
			columns = append(columns, c.name)
		}
		for _, src := range in.rel.sources {
			if src.name == "" {
				continue
			}
			tables = append(tables, src.name)
			if len(x.Parts) > 1 && src.name == first {
				s.unknownColumnOf(src, x.Parts[1])
				return
			}
		}
	}
	if len(x.Parts) > 1 {
		e := s.b.failf(x.Pos, "there is no table %s in this query", first)
		if len(tables) > 0 {
			e.Message += "; its tables are " + quoteNames(tables)
		}
		e.Near(first, append(tables, columns...))
		return
	}
	if len(columns) == 0 {
		s.b.failf(x.Pos, "there is no column %s: there is no table in FROM", first)
		return
	}
	e := s.b.failf(x.Pos, "there is no column %s", first)
	if e.Near(first, columns); e.Hint == "" {
		e.Message += "; the columns are " + shorten(columns)
	}
}

func (s *scope) unknownColumnOf(src source, part ast.Name) {
	var names []string
	for _, c := range src.columns {
		names = append(names, c.name)
	}
	e := s.b.failf(part.Pos, "table %s has no column %s", src.name, part.Text)
	if e.Near(part.Text, names); e.Hint == "" {
		e.Message += "; it has " + shorten(names)
	}
}

const shownNames = 12

// shorten lists names, not too many of them.
func shorten(names []string) string {
	if len(names) > shownNames {
		return quoteNames(names[:shownNames]) + ", ..."
	}
	return quoteNames(names)
}

// fields follows a path into rows.
func (s *scope) fields(e expr.Expr, path ast.Path) expr.Expr {
	for _, p := range path {
		if e = s.field(e, p); e == nil {
			return nil
		}
	}
	return e
}

// field is one field of a row.
func (s *scope) field(e expr.Expr, name ast.Name) expr.Expr {
	t := e.Type()
	if t.ID == column.Array && t.Elem.ID == column.Row {
		s.b.failf(name.Pos, "%s is a field of an element: the value is an ARRAY", name.Text).WithHint("write [1].%s", name.Text)
		return nil
	}
	if t.ID != column.Row {
		s.b.failf(name.Pos, "there is no field %s: the value before it is %s and no ROW", name.Text, t)
		return nil
	}
	var names []string
	for i, f := range t.Fields {
		if f.Name == name.Text {
			return fieldOf(e, i)
		}
		names = append(names, f.Name)
	}
	s.b.failf(name.Pos, "there is no field %s; the ROW has %s", name.Text, shorten(names)).Near(name.Text, names)
	return nil
}
