package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/catalog"
)

func (b *Binder) alter(x *ast.Alter) {
	switch x.Kind {
	case ast.TableObject, ast.ViewObject:
		b.alterTable(x)
	case ast.DatabaseObject:
		if a, ok := x.Action.(*ast.SetOptions); ok {
			b.check(b.Session.AlterDatabase(x.Name, b.options(a.Options)))
			return
		}
		b.notYet(x.Action.Position(), "this change of a database")
	case ast.CatalogObject:
		b.alterCatalog(x)
	default:
		b.notYet(x.Pos, "ALTER "+x.Kind.String())
	}
}

func (b *Binder) alterCatalog(x *ast.Alter) {
	name := x.Name.Last()
	switch a := x.Action.(type) {
	case *ast.SetOptions:
		b.check(b.Session.AlterCatalog(name, b.options(a.Options), nil, nil))
	case *ast.ResetOptions:
		b.check(b.Session.AlterCatalog(name, nil, keysOf(a), nil))
	case *ast.SetComment:
		b.check(b.Session.AlterCatalog(name, nil, nil, &a.Comment.Text))
	default:
		b.notYet(x.Action.Position(), "this change of a catalog")
	}
}

func keysOf(a *ast.ResetOptions) []string {
	keys := make([]string, len(a.Keys))
	for i, k := range a.Keys {
		keys[i] = k.Text
	}
	return keys
}

// alterTable changes a copy of the table, checks it, and puts it in the place of the old one.
func (b *Binder) alterTable(x *ast.Alter) {
	old, err := b.Session.Resolve(x.Name)
	if err != nil {
		if !x.IfExists {
			b.fail(err)
		}
		return
	}
	if isView := old.View != nil; isView != (x.Kind == ast.ViewObject) {
		what := map[bool]string{true: "view", false: "table"}[isView]
		b.failf(x.Name.Last().Pos, "%s is a %s", old.Name, what).WithHint("use ALTER %s", strings.ToUpper(what))
		return
	}
	t := *old
	t.Columns, t.Options = slices.Clone(old.Columns), maps.Clone(old.Options)
	elements := &ast.TableElements{}
	switch a := x.Action.(type) {
	case *ast.RenameTo:
		path, err := b.Session.Qualify(a.Name)
		if !b.check(err) {
			return
		}
		if len(a.Name) == 1 {
			path.Catalog, path.Database = old.Catalog, old.Database
		}
		if path.Catalog != old.Catalog || path.Database != old.Database {
			b.failf(a.Name.Position(), "RENAME TO cannot move %s to another database", old.Name)
			return
		}
		t.Name = path.Name
	case *ast.AsQuery:
		t.View = &catalog.View{Query: a.Query, Text: ast.Print(a.Query), Catalog: b.Session.Catalog, Database: b.Session.Database}
		if !b.viewColumns(&t, a.Query) {
			return
		}
	case *ast.RenameColumn:
		b.renameColumn(&t, a)
	case *ast.AddElements:
		elements = &a.Elements
		b.addElements(&t, a)
	case *ast.DropColumns:
		b.dropColumns(&t, a)
	case *ast.DropElement:
		b.dropElement(&t, a)
	case *ast.SetOptions:
		if t.Options == nil {
			t.Options = map[string]string{}
		}
		maps.Copy(t.Options, b.options(a.Options))
	case *ast.ResetOptions:
		for i, k := range keysOf(a) {
			if k == "connector" {
				b.failf(a.Keys[i].Pos, "the option 'connector' cannot be reset")
			}
			delete(t.Options, k)
		}
	default:
		b.notYet(x.Action.Position(), "this change of a table")
	}
	if len(b.errs) > 0 || t.View == nil && !b.finishTable(&t, elements, nil) {
		return
	}
	b.check(b.Session.Put(old, &t, x.Name))
}

func columnPlace(t *Table, name string) int {
	return slices.IndexFunc(t.Columns, func(c catalog.Column) bool { return c.Name == name })
}

// findColumn finds a column of a table that is altered; -1 if there is none.
func (b *Binder) findColumn(t *Table, path ast.Path) int {
	if len(path) > 1 {
		b.notYet(path.Position(), "a nested field in ALTER TABLE")
		return -1
	}
	name := path.Last()
	at := columnPlace(t, name.Text)
	if at < 0 {
		names := make([]string, len(t.Columns))
		for i, c := range t.Columns {
			names[i] = c.Name
		}
		b.failf(name.Pos, "table %s has no column %s", t.Name, name.Text).Near(name.Text, names)
	}
	return at
}

// usedBy says what needs a column; empty if nothing does.
func usedBy(t *Table, name string) string {
	reads := func(x ast.Expr) bool {
		found := false
		var walk func(ast.Expr)
		walk = func(e ast.Expr) {
			if id, ok := e.(*ast.Ident); ok && id.Parts[0].Text == name {
				found = true
			}
			ast.Children(e, walk)
		}
		walk(x)
		return found
	}
	for _, c := range t.Columns {
		if c.Computed != nil && reads(c.Computed) {
			return "the computed column " + c.Name
		}
	}
	switch {
	case slices.Contains(t.PrimaryKey, name):
		return "the PRIMARY KEY"
	case slices.Contains(t.PartitionedBy, name):
		return "PARTITIONED BY"
	case t.Watermark != nil && (t.Watermark.Column == name || reads(t.Watermark.Expr)):
		return "the WATERMARK"
	}
	return ""
}

func (b *Binder) renameColumn(t *Table, a *ast.RenameColumn) {
	at := b.findColumn(t, a.From)
	if at < 0 {
		return
	}
	from := t.Columns[at].Name
	if columnPlace(t, a.To.Text) >= 0 {
		b.failf(a.To.Pos, "table %s has a column %s already", t.Name, a.To.Text)
		return
	}
	key := slices.Index(t.PrimaryKey, from)
	if key >= 0 {
		t.PrimaryKey = slices.Clone(t.PrimaryKey)
		t.PrimaryKey[key] = a.To.Text
	}
	if by := usedBy(t, from); by != "" {
		b.failf(a.From.Position(), "the column %s cannot be renamed: %s needs it", from, by)
		return
	}
	t.Columns[at].Name = a.To.Text
}

func (b *Binder) dropColumns(t *Table, a *ast.DropColumns) {
	for _, path := range a.Columns {
		at := b.findColumn(t, path)
		if at < 0 {
			continue
		}
		name := t.Columns[at].Name
		t.Columns = slices.Delete(t.Columns, at, at+1)
		if by := usedBy(t, name); by != "" {
			b.failf(path.Position(), "the column %s cannot be dropped: %s needs it", name, by)
		}
	}
	if len(t.Columns) == 0 {
		b.failf(a.Pos, "table %s would have no columns", t.Name)
	}
}

func (b *Binder) dropElement(t *Table, a *ast.DropElement) {
	switch {
	case a.What == "WATERMARK":
		if t.Watermark == nil {
			b.failf(a.Pos, "table %s has no WATERMARK", t.Name)
		}
		t.Watermark = nil
	case a.What == "PRIMARY KEY" || a.What == "CONSTRAINT":
		if len(t.PrimaryKey) == 0 {
			b.failf(a.Pos, "table %s has no PRIMARY KEY", t.Name)
		}
		t.PrimaryKey = nil
	default:
		b.notYet(a.Pos, "DROP "+a.What)
	}
}

// addElements is ADD (...) and MODIFY (...): columns, key and watermark.
func (b *Binder) addElements(t *Table, a *ast.AddElements) {
	for _, c := range a.Elements.Columns {
		col, ok := b.column(c)
		if !ok {
			continue
		}
		at := columnPlace(t, col.Name)
		switch {
		case a.Modify && at < 0:
			b.findColumn(t, c.Name)
			continue
		case !a.Modify && at >= 0:
			b.failf(c.Pos, "table %s has a column %s already", t.Name, col.Name)
			continue
		case a.Modify:
			if col.Comment == "" {
				col.Comment = t.Columns[at].Comment
			}
			t.Columns = slices.Delete(t.Columns, at, at+1)
		default:
			at = len(t.Columns)
		}
		switch {
		case c.First:
			at = 0
		case len(c.After) > 0:
			if at = b.findColumn(t, c.After) + 1; at == 0 {
				continue
			}
		}
		t.Columns = slices.Insert(t.Columns, at, col)
		if c.Constraint != nil {
			b.addKey(t, a, c.Constraint, []ast.Name{c.Name.Last()})
		}
	}
	for _, c := range a.Elements.Constraints {
		b.addKey(t, a, c, c.Columns)
	}
	for _, w := range a.Elements.Watermarks {
		switch {
		case a.Modify && t.Watermark == nil:
			b.failf(w.Pos, "table %s has no WATERMARK", t.Name).WithHint("use ADD")
		case !a.Modify && t.Watermark != nil:
			b.failf(w.Pos, "table %s has a WATERMARK already", t.Name).WithHint("use MODIFY")
		}
		t.Watermark = &catalog.Watermark{Column: strings.Join(w.Column.Strings(), "."), Expr: w.X}
	}
}

func (b *Binder) addKey(t *Table, a *ast.AddElements, c *ast.Constraint, columns []ast.Name) {
	switch {
	case a.Modify && len(t.PrimaryKey) == 0:
		b.failf(c.Pos, "table %s has no PRIMARY KEY", t.Name).WithHint("use ADD")
		return
	case !a.Modify && len(t.PrimaryKey) > 0:
		b.failf(c.Pos, "table %s has a PRIMARY KEY already", t.Name).WithHint("use MODIFY")
		return
	}
	t.PrimaryKey = nil
	b.constraint(t, c, columns)
}
