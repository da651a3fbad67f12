package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/catalog"
	"github.com/flottio/flott/sql/internal/expr"
)

// Apply carries out a statement that changes the catalog: CREATE, DROP and ALTER. The node is what must run then: the INSERT of CREATE TABLE
// AS; nil for all others. Nothing is changed if there is an error, which is of type Errors.
func (b *Binder) Apply(stmt ast.Statement) (Node, error) {
	var run Node
	switch x := stmt.(type) {
	case *ast.CreateTable:
		run = b.createTable(x)
	case *ast.CreateView:
		b.createView(x)
	case *ast.CreateDatabase:
		b.check(b.Session.CreateDatabase(x))
	case *ast.CreateCatalog:
		b.check(b.Session.CreateCatalog(x))
	case *ast.CreateFunction:
		b.createFunction(x)
	case *ast.Drop:
		b.drop(x)
	case *ast.Alter:
		b.alter(x)
	case *ast.CreateModel:
		b.notYet(x.Pos, "CREATE MODEL")
	case *ast.CreateMaterializedTable:
		b.notYet(x.Pos, "CREATE MATERIALIZED TABLE")
	case *ast.CreateConnection:
		b.notYet(x.Pos, "CREATE CONNECTION")
	default:
		b.notYet(stmt.Position(), "this statement")
	}
	return b.result(run)
}

func (b *Binder) check(err *Error) bool {
	if err != nil {
		b.fail(err)
	}
	return err == nil
}

func exist(ifNotExists, replace bool) catalog.Exist {
	switch {
	case ifNotExists:
		return catalog.Ignore
	case replace:
		return catalog.Replace
	}
	return catalog.Refuse
}

func commentText(s *ast.String) string {
	if s == nil {
		return ""
	}
	return s.Text
}

// options makes a map of WITH (...); a key that stands twice is a mistake.
func (b *Binder) options(list []ast.Option) map[string]string {
	m := map[string]string{}
	for _, o := range list {
		if _, twice := m[o.Key]; twice {
			b.failf(o.Pos, "the option '%s' stands twice", o.Key).Length = len(o.Key) + 2
		}
		m[o.Key] = o.Value
	}
	return m
}

func (b *Binder) createTable(x *ast.CreateTable) Node {
	path, err := b.Session.Qualify(x.Name)
	if !b.check(err) {
		return nil
	}
	t := &Table{Catalog: path.Catalog, Database: path.Database, Name: path.Name, Comment: commentText(x.Comment), Temporary: x.Temporary,
		Options: b.options(x.Options)}
	for _, n := range x.PartitionedBy {
		t.PartitionedBy = append(t.PartitionedBy, n.Text)
	}
	b.elements(t, &x.Elements)
	if x.Like != nil {
		b.like(t, x.Like)
	}
	if len(b.errs) > 0 {
		return nil
	}
	var query Node
	if x.As != nil {
		if query = b.tableAs(t, x); query == nil {
			return nil
		}
	} else if len(t.Columns) == 0 {
		b.failf(x.Name.Position(), "table %s has no columns", path.Name)
		return nil
	}
	if !b.finishTable(t, &x.Elements, x.PartitionedBy) {
		return nil
	}
	if b.Session.Lookup(path) != nil && x.IfNotExists {
		return nil
	}
	if !b.check(b.Session.Create(t, exist(x.IfNotExists, x.OrReplace || x.Replace), x.Name)) || query == nil {
		return nil
	}
	return &Sink{Input: query, Table: t}
}

// elements takes the columns, keys and watermark that are written.
func (b *Binder) elements(t *Table, e *ast.TableElements) {
	for _, c := range e.Columns {
		if col, ok := b.column(c); ok {
			if slices.ContainsFunc(t.Columns, func(o catalog.Column) bool { return o.Name == col.Name }) {
				b.failf(c.Pos, "the column %s stands twice", col.Name).Length = len(col.Name)
				continue
			}
			t.Columns = append(t.Columns, col)
		}
		if c.Constraint != nil {
			b.constraint(t, c.Constraint, []ast.Name{c.Name.Last()})
		}
	}
	for _, c := range e.Constraints {
		b.constraint(t, c, c.Columns)
	}
	for i, w := range e.Watermarks {
		if i > 0 {
			b.failf(w.Pos, "a table has one WATERMARK")
			continue
		}
		t.Watermark = &catalog.Watermark{Column: strings.Join(w.Column.Strings(), "."), Expr: w.X}
	}
}

func (b *Binder) column(c *ast.ColumnDef) (catalog.Column, bool) {
	col := catalog.Column{Name: c.Name.Last().Text, Comment: commentText(c.Comment), Computed: c.Computed}
	if c.Computed != nil {
		return col, true
	}
	if c.Type == nil {
		b.failf(c.Pos, "the type of column %s is missing", col.Name)
		return col, false
	}
	t, ok := b.resolveType(c.Type)
	if !ok {
		return col, false
	}
	col.Type = t
	if c.Metadata != nil {
		col.Virtual = c.Metadata.Virtual
		if col.Metadata = col.Name; c.Metadata.From != nil {
			col.Metadata = c.Metadata.From.Text
		}
	}
	return col, true
}

func (b *Binder) constraint(t *Table, c *ast.Constraint, columns []ast.Name) {
	switch {
	case c.Unique:
		b.notYet(c.Pos, "UNIQUE")
	case c.Enforcement == ast.Enforced || c.Enforcement == ast.EnforcementDefault:
		b.failf(c.Pos, "the engine cannot enforce a PRIMARY KEY: it does not own the data").WithHint("write PRIMARY KEY ... NOT ENFORCED")
	case len(t.PrimaryKey) > 0:
		b.failf(c.Pos, "a table has one PRIMARY KEY")
	default:
		for _, n := range columns {
			if slices.Contains(t.PrimaryKey, n.Text) {
				b.failf(n.Pos, "the column %s stands twice in PRIMARY KEY", n.Text).Length = len(n.Text)
				continue
			}
			t.PrimaryKey = append(t.PrimaryKey, n.Text)
		}
	}
}

// position finds where a column is named, for errors.
func positionOf(e *ast.TableElements, name string) ast.Pos {
	var pos ast.Pos
	for _, c := range e.Constraints {
		for _, n := range c.Columns {
			if n.Text == name {
				pos = n.Pos
			}
		}
	}
	for _, c := range e.Columns {
		if c.Name.Last().Text == name {
			pos = c.Pos
		}
	}
	return pos
}

// finishTable checks what columns refer to each other, makes keys NOT NULL, and gives computed columns their types.
func (b *Binder) finishTable(t *Table, e *ast.TableElements, partition []ast.Name) bool {
	known := len(b.errs)
	place := map[string]int{}
	var names []string
	for i, c := range t.Columns {
		place[c.Name] = i
		names = append(names, c.Name)
	}
	t.Columns = slices.Clone(t.Columns)
	for _, k := range t.PrimaryKey {
		i, ok := place[k]
		switch {
		case !ok:
			b.failf(positionOf(e, k), "PRIMARY KEY: there is no column %s", k).Near(k, names)
		case t.Columns[i].Computed != nil || t.Columns[i].Metadata != "":
			b.failf(positionOf(e, k), "PRIMARY KEY: the column %s is not physical", k).Length = len(k)
		default:
			t.Columns[i].Type.NotNull = true
		}
	}
	for i, p := range t.PartitionedBy {
		if _, ok := place[p]; !ok {
			var pos ast.Pos
			if i < len(partition) {
				pos = partition[i].Pos
			}
			b.failf(pos, "PARTITIONED BY: there is no column %s", p).Near(p, names)
		}
	}
	if len(b.errs) > known {
		return false
	}
	return b.typesOfComputed(t, place, e)
}

// typesOfComputed binds computed columns, which may read those that are not, and the watermark, which may read all.
func (b *Binder) typesOfComputed(t *Table, place map[string]int, e *ast.TableElements) bool {
	known := len(b.errs)
	scan := &Scan{Table: t}
	for i, c := range t.Columns {
		if c.Computed == nil {
			scan.Columns = append(scan.Columns, i)
			scan.Out = append(scan.Out, Field{c.Name, c.Type})
		}
	}
	sc := b.newScope(relationOf(scan, t.Name, catalog.Path{}), nil)
	sc.noSubs = true
	for i, c := range t.Columns {
		if c.Computed != nil {
			if x := sc.in("a computed column").expr(c.Computed); x != nil {
				t.Columns[i].Type = x.Type()
			}
		}
	}
	if len(b.errs) > known || t.Watermark == nil {
		return len(b.errs) == known
	}
	w := t.Watermark
	pos := w.Expr.Position()
	for _, d := range e.Watermarks {
		pos = d.Column.Position()
	}
	i, ok := place[w.Column]
	if !ok {
		b.failf(pos, "WATERMARK FOR: there is no column %s", w.Column).Near(w.Column, slices.Collect(maps.Keys(place)))
		return false
	}
	of := t.Columns[i].Type
	if !of.IsTimestamp() || of.Precision > 3 {
		b.failf(pos, "WATERMARK FOR %s: event time is TIMESTAMP(p) or TIMESTAMP_LTZ(p) with p from 0 to 3, the column is %s", w.Column, of).
			Length = len(w.Column)
		return false
	}
	var all Schema
	for _, c := range t.Columns {
		all = append(all, Field{c.Name, c.Type})
	}
	sc = b.newScope(relationOf(&Values{Out: all}, t.Name, catalog.Path{}), nil)
	sc.noSubs = true
	x := sc.in("WATERMARK").expr(w.Expr)
	if x == nil {
		return false
	}
	if !x.Type().IsTimestamp() && x.Type().ID != column.Null {
		b.failf(w.Expr.Position(), "the watermark of %s must be a timestamp, got %s", w.Column, x.Type())
		return false
	}
	return true
}

// likeParts are what LIKE can copy beside columns; OPTIONS are overwritten unless said otherwise.
var likeParts = []string{"CONSTRAINTS", "DISTRIBUTION", "GENERATED", "METADATA", "OPTIONS", "PARTITIONS", "WATERMARKS"}

// like copies from another table what the options of LIKE say.
func (b *Binder) like(t *Table, x *ast.TableLike) {
	from, err := b.Session.Resolve(x.Table)
	if !b.check(err) {
		return
	}
	if from.View != nil {
		b.failf(x.Table.Last().Pos, "%s is a view: LIKE takes tables", from.Name).Length = len(from.Name)
		return
	}
	action := map[string]string{}
	for _, p := range likeParts {
		action[p] = "INCLUDING"
	}
	action["OPTIONS"] = "OVERWRITING"
	b.likeOptions(action, x.Options)
	own := t.Columns
	t.Columns = nil
	for _, c := range from.Columns {
		kind := "physical"
		switch {
		case c.Computed != nil:
			kind = "GENERATED"
		case c.Metadata != "":
			kind = "METADATA"
		}
		at := slices.IndexFunc(own, func(o catalog.Column) bool { return o.Name == c.Name })
		switch {
		case at < 0 && action[kind] != "EXCLUDING":
			t.Columns = append(t.Columns, c)
		case at >= 0 && action[kind] == "OVERWRITING":
			t.Columns = append(t.Columns, own[at])
			own = slices.Delete(slices.Clone(own), at, at+1)
		case at >= 0 && action[kind] != "EXCLUDING":
			b.failf(x.Pos, "the column %s exists in %s already", c.Name, from.Name)
		}
	}
	t.Columns = append(t.Columns, own...)
	b.likeRest(t, from, action, x.Pos)
}

func (b *Binder) likeOptions(action map[string]string, options []ast.LikeOption) {
	for _, o := range options { // ALL is the default of those that are not named
		if o.What == "ALL" {
			for _, p := range likeParts {
				action[p] = o.Action
			}
		}
	}
	for _, o := range options {
		if o.What != "ALL" {
			action[o.What] = o.Action
		}
		if o.Action == "OVERWRITING" && (o.What == "CONSTRAINTS" || o.What == "PARTITIONS" || o.What == "ALL" || o.What == "DISTRIBUTION") {
			b.failf(o.Pos, "OVERWRITING %s is not possible: use INCLUDING or EXCLUDING", o.What)
		}
	}
}

func (b *Binder) likeRest(t, from *Table, action map[string]string, pos ast.Pos) {
	if action["CONSTRAINTS"] == "INCLUDING" && len(from.PrimaryKey) > 0 {
		if len(t.PrimaryKey) > 0 {
			b.failf(pos, "%s has a PRIMARY KEY already", from.Name).WithHint("write EXCLUDING CONSTRAINTS")
		}
		t.PrimaryKey = from.PrimaryKey
	}
	if action["PARTITIONS"] == "INCLUDING" && len(from.PartitionedBy) > 0 {
		if len(t.PartitionedBy) > 0 {
			b.failf(pos, "%s is partitioned already", from.Name).WithHint("write EXCLUDING PARTITIONS")
		}
		t.PartitionedBy = from.PartitionedBy
	}
	if from.Watermark != nil && action["WATERMARKS"] != "EXCLUDING" {
		if t.Watermark != nil && action["WATERMARKS"] == "INCLUDING" {
			b.failf(pos, "%s has a WATERMARK already", from.Name).WithHint("write OVERWRITING WATERMARKS or EXCLUDING WATERMARKS")
		}
		if t.Watermark == nil {
			t.Watermark = from.Watermark
		}
	}
	if action["OPTIONS"] == "EXCLUDING" {
		return
	}
	for k, v := range from.Options {
		if _, own := t.Options[k]; !own {
			t.Options[k] = v
		} else if action["OPTIONS"] == "INCLUDING" {
			b.failf(pos, "the option '%s' exists in %s already", k, from.Name).WithHint("write OVERWRITING OPTIONS")
		}
	}
}

// tableAs derives the columns of CREATE TABLE AS from the query, and returns the query with the columns that the table takes.
func (b *Binder) tableAs(t *Table, x *ast.CreateTable) Node {
	n := b.query(x.As, nil)
	if n == nil {
		return nil
	}
	in := n.Schema()
	own := t.Columns
	var columns []catalog.Column
	for _, f := range in {
		of := f.Type
		of.Attribute = column.NoAttribute
		if slices.ContainsFunc(columns, func(c catalog.Column) bool { return c.Name == f.Name }) {
			b.failf(x.As.Pos, "two columns of the query are called %s", f.Name).WithHint("give one of them another name with AS")
			return nil
		}
		columns = append(columns, catalog.Column{Name: f.Name, Type: storedType(of)})
	}
	for i := len(own) - 1; i >= 0; i-- { // columns that are written stand first, unless the query has them
		c := own[i]
		at := slices.IndexFunc(columns, func(o catalog.Column) bool { return o.Name == c.Name })
		switch {
		case at < 0:
			columns = slices.Insert(columns, 0, c)
		case c.Computed != nil || c.Metadata != "":
			b.failf(positionOf(&x.Elements, c.Name), "the column %s is one of the query", c.Name)
			return nil
		case !expr.ImplicitlyCastable(columns[at].Type, c.Type):
			b.failf(positionOf(&x.Elements, c.Name), "the column %s is %s in the query, which is no %s", c.Name, columns[at].Type, c.Type)
			return nil
		default:
			columns[at] = c
		}
	}
	if len(x.Names) > 0 {
		if columns = b.orderedNames(x, columns); columns == nil {
			return nil
		}
	}
	t.Columns = columns
	p := &Project{Input: n}
	for _, c := range writtenColumns(t) {
		at := slices.IndexFunc(in, func(f Field) bool { return f.Name == c.Name })
		var e expr.Expr = &expr.Literal{Of: c.Type.Nullable(true)}
		if at >= 0 {
			e = expr.Coerce(columnOf(in, at), c.Type)
		}
		p.Exprs = append(p.Exprs, e)
		p.Out = append(p.Out, Field{c.Name, e.Type()})
	}
	if p.identity() {
		return n
	}
	return p
}

// storedType is the type of a column that holds a query's values: text of a literal is as long as it likes.
func storedType(t column.Type) column.Type {
	if t.ID == column.Null {
		return column.StringType()
	}
	return t
}

// orderedNames puts the columns in the order of CREATE TABLE t (a, b) AS.
func (b *Binder) orderedNames(x *ast.CreateTable, columns []catalog.Column) []catalog.Column {
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	if len(x.Names) != len(columns) {
		b.failf(x.Names[0].Pos, "the query has %s, %d are named", plural(len(columns), "column"), len(x.Names))
		return nil
	}
	var out []catalog.Column
	for _, n := range x.Names {
		at := slices.Index(names, n.Text)
		if at < 0 {
			b.failf(n.Pos, "the query has no column %s", n.Text).Near(n.Text, names)
			return nil
		}
		out = append(out, columns[at])
	}
	return out
}

func (b *Binder) createView(x *ast.CreateView) {
	path, err := b.Session.Qualify(x.Name)
	if !b.check(err) {
		return
	}
	t := &Table{Catalog: path.Catalog, Database: path.Database, Name: path.Name, Comment: commentText(x.Comment), Temporary: x.Temporary}
	t.View = &catalog.View{Query: x.Query, Text: ast.Print(x.Query), Catalog: b.Session.Catalog, Database: b.Session.Database}
	for _, c := range x.Columns {
		t.View.Columns = append(t.View.Columns, c.Name.Text)
	}
	if !b.viewColumns(t, x.Query) {
		return
	}
	if x.IfNotExists && b.Session.Lookup(path) != nil {
		return
	}
	b.check(b.Session.Create(t, exist(x.IfNotExists, x.OrReplace), x.Name))
}

// viewColumns binds a view's query, so that mistakes are told when it is made, and sets its columns.
func (b *Binder) viewColumns(t *Table, q *ast.Query) bool {
	n := b.query(q, nil)
	if n == nil {
		return false
	}
	s := n.Schema()
	if len(t.View.Columns) > 0 && len(t.View.Columns) != len(s) {
		b.failf(q.Pos, "the query has %s, the view names %d", plural(len(s), "column"), len(t.View.Columns))
		return false
	}
	t.Columns = nil
	for i, f := range s {
		name := f.Name
		if len(t.View.Columns) > 0 {
			name = t.View.Columns[i]
		}
		if slices.ContainsFunc(t.Columns, func(c catalog.Column) bool { return c.Name == name }) {
			b.failf(q.Pos, "two columns of the view are called %s", name).WithHint("give one of them another name with AS")
			return false
		}
		t.Columns = append(t.Columns, catalog.Column{Name: name, Type: f.Type})
	}
	return true
}

func (b *Binder) createFunction(x *ast.CreateFunction) {
	if x.Language != "" && x.Language != "GO" && x.Language != "SQL" {
		b.failf(x.Pos, "functions in %s are not supported: register a Go function in the program", x.Language)
		return
	}
	f := &catalog.Function{Name: x.Name.Last().Text, Class: x.Class.Text, Language: x.Language, Temporary: x.Temporary}
	if !x.System {
		path, err := b.Session.Qualify(x.Name)
		if !b.check(err) {
			return
		}
		f.Catalog, f.Database = path.Catalog, path.Database
	}
	if known := b.Session.Class(x.Class.Text); known != nil {
		f.Scalar, f.Agg, f.Table = known.Scalar, known.Agg, known.Table
	}
	b.check(b.Session.CreateFunction(f, x.System, exist(x.IfNotExists, false), x.Name))
}

func (b *Binder) drop(x *ast.Drop) {
	switch x.Kind {
	case ast.TableObject:
		b.check(b.Session.Drop(x.Name, "table", x.Temporary, x.IfExists))
	case ast.ViewObject:
		b.check(b.Session.Drop(x.Name, "view", x.Temporary, x.IfExists))
	case ast.DatabaseObject:
		b.check(b.Session.DropDatabase(x))
	case ast.CatalogObject:
		b.check(b.Session.DropCatalog(x.Name.Last(), x.IfExists))
	case ast.FunctionObject:
		b.check(b.Session.DropFunction(x))
	default:
		b.notYet(x.Pos, "DROP "+x.Kind.String())
	}
}
