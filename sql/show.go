package sql

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/catalog"
	"github.com/flottio/flott/sql/internal/expr"
)

// show carries out SHOW.
func (p *preparation) show(st *ast.Show, step *Step) error {
	var err *catalog.Error
	switch st.What {
	case "CURRENT CATALOG":
		step.Output = grid([]string{"current catalog name"}, [][]string{{p.names.Catalog}}, true)
	case "CURRENT DATABASE":
		step.Output = grid([]string{"current database name"}, [][]string{{p.names.Database}}, true)
	case "CATALOGS":
		step.Output, err = list("catalog name", p.names.Catalogs(), st)
	case "DATABASES":
		in := p.names.Catalog
		if len(st.Of) > 0 {
			in = st.Of.Last().Text
		}
		step.Output, err = list("database name", p.names.Databases(in), st)
	case "TABLES", "VIEWS":
		err = p.showTables(st, step)
	case "FUNCTIONS", "USER FUNCTIONS":
		err = p.showFunctions(st, step)
	case "COLUMNS":
		var t *catalog.Table
		if t, err = p.names.Resolve(st.Of); err == nil {
			step.Output, err = p.columns(t, st)
		}
	case "CREATE TABLE", "CREATE VIEW":
		err = p.showCreate(st, step)
	case "JARS", "PROCEDURES", "JOBS", "MODELS", "CONNECTIONS", "MATERIALIZED TABLES":
		step.Output = "Empty set\n"
	case "MODULES":
		step.Output, err = list("module name", []string{"core"}, st)
	case "FULL MODULES":
		step.Output = grid([]string{"module name", "used"}, [][]string{{"core", "TRUE"}}, true)
	default:
		err = catalog.Errorf(st.Pos, "SHOW %s is not supported yet", st.What)
	}
	if err != nil {
		return err
	}
	return nil
}

// list is a table of one column, with those names that LIKE lets through.
func list(head string, names []string, st *ast.Show) (string, *catalog.Error) {
	match, err := matcher(st)
	if err != nil {
		return "", err
	}
	var rows [][]string
	for _, n := range names {
		if match(n) {
			rows = append(rows, []string{n})
		}
	}
	return grid([]string{head}, rows, true), nil
}

// matcher is the condition of LIKE and ILIKE.
func matcher(st *ast.Show) (func(string) bool, *catalog.Error) {
	if st.Like == nil {
		return func(string) bool { return true }, nil
	}
	var b strings.Builder
	for _, r := range st.Like.Text {
		switch r {
		case '%':
			b.WriteString(".*")
		case '_':
			b.WriteByte('.')
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	flags := "(?s)"
	if st.ILike {
		flags = "(?si)"
	}
	re, err := regexp.Compile(flags + "^" + b.String() + "$")
	if err != nil {
		return nil, catalog.Errorf(st.Like.Pos, "LIKE: %v", err)
	}
	return func(s string) bool { return re.MatchString(s) != st.Not }, nil
}

func (p *preparation) showTables(st *ast.Show, step *Step) (err *catalog.Error) {
	cat, db := p.names.Catalog, p.names.Database
	switch len(st.Of) {
	case 1:
		db = st.Of[0].Text
	case 2:
		cat, db = st.Of[0].Text, st.Of[1].Text
	}
	if p.names.LookupDatabase(cat, db) == nil {
		return catalog.Errorf(st.Of.Position(), "there is no database %s.%s", cat, db).Near(db, p.names.Databases(cat))
	}
	var names []string
	for _, t := range p.names.Tables(cat, db) {
		if st.What == "TABLES" || t.View != nil {
			names = append(names, t.Name)
		}
	}
	head := map[string]string{"TABLES": "table name", "VIEWS": "view name"}[st.What]
	step.Output, err = list(head, names, st)
	return err
}

func (p *preparation) showFunctions(st *ast.Show, step *Step) (err *catalog.Error) {
	var names []string
	for _, f := range p.names.Functions() {
		names = append(names, f.Name)
	}
	if st.What == "FUNCTIONS" {
		for _, n := range append(expr.Names(), expr.AggNames()...) {
			names = append(names, strings.ToLower(n))
		}
	}
	slices.Sort(names)
	step.Output, err = list("function name", slices.Compact(names), st)
	return err
}

// describe carries out DESCRIBE.
func (p *preparation) describe(st *ast.Describe, step *Step) error {
	switch st.Kind {
	case ast.TableObject:
		t, err := p.names.Resolve(st.Name)
		if err != nil {
			return err
		}
		if step.Output, err = p.columns(t, &ast.Show{}); err != nil {
			return err
		}
		return nil
	case ast.CatalogObject:
		c := p.names.LookupCatalog(st.Name.Last().Text)
		if c == nil {
			return catalog.Errorf(st.Name.Position(), "there is no catalog %s", st.Name.Last().Text)
		}
		rows := [][]string{{"name", c.Name}, {"type", c.Options["type"]}, {"comment", c.Comment}}
		step.Output = grid([]string{"info name", "info value"}, rows, true)
		return nil
	}
	return catalog.Errorf(st.Pos, "DESCRIBE %s is not supported yet", st.Kind)
}

// columns is the table of a table's columns.
func (p *preparation) columns(t *catalog.Table, st *ast.Show) (string, *catalog.Error) {
	match, err := matcher(st)
	if err != nil {
		return "", err
	}
	head := []string{"name", "type", "null", "key", "extras", "watermark"}
	comments := slices.ContainsFunc(t.Columns, func(c catalog.Column) bool { return c.Comment != "" })
	if comments {
		head = append(head, "comment")
	}
	var rows [][]string
	for _, c := range t.Columns {
		if !match(c.Name) {
			continue
		}
		of := c.Type.Nullable(true).String()
		row := []string{c.Name, of, map[bool]string{false: "TRUE", true: "FALSE"}[c.Type.NotNull], "", "", ""}
		if slices.Contains(t.PrimaryKey, c.Name) {
			row[3] = "PRI(" + strings.Join(t.PrimaryKey, ", ") + ")"
		}
		switch {
		case c.Computed != nil:
			row[4] = "AS " + ast.Print(c.Computed)
		case c.Metadata != "":
			row[4] = "METADATA"
			if c.Metadata != c.Name {
				row[4] += " FROM '" + c.Metadata + "'"
			}
			if c.Virtual {
				row[4] += " VIRTUAL"
			}
		}
		if t.Watermark != nil && t.Watermark.Column == c.Name {
			row[1] += " *ROWTIME*"
			row[5] = ast.Print(t.Watermark.Expr)
		}
		if comments {
			row = append(row, c.Comment)
		}
		rows = append(rows, row)
	}
	return grid(head, rows, false), nil
}

// showCreate prints the statement that makes a table or view.
func (p *preparation) showCreate(st *ast.Show, step *Step) *catalog.Error {
	t, err := p.names.Resolve(st.Of)
	if err != nil {
		return err
	}
	switch isView := t.View != nil; {
	case isView && st.What == "CREATE TABLE":
		return catalog.Errorf(st.Of.Position(), "%s is a view", t.Name).WithHint("use SHOW CREATE VIEW")
	case !isView && st.What == "CREATE VIEW":
		return catalog.Errorf(st.Of.Position(), "%s is a table", t.Name).WithHint("use SHOW CREATE TABLE")
	case isView:
		step.Output = createView(t)
	default:
		step.Output = createTable(t)
	}
	return nil
}

func quotedPath(t *catalog.Table) string {
	return ast.Quote(t.Catalog) + "." + ast.Quote(t.Database) + "." + ast.Quote(t.Name)
}

func temporary(t *catalog.Table) string {
	if t.Temporary {
		return "TEMPORARY "
	}
	return ""
}

func createView(t *catalog.Table) string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = "  " + ast.Quote(c.Name)
	}
	columns := ""
	if len(names) > 0 {
		columns = " (\n" + strings.Join(names, ",\n") + "\n)"
	}
	return fmt.Sprintf("CREATE %sVIEW %s%s\nAS %s\n", temporary(t), quotedPath(t), columns, t.View.Text)
}

func createTable(t *catalog.Table) string {
	var parts []string
	for _, c := range t.Columns {
		s := "  " + ast.Quote(c.Name) + " "
		switch {
		case c.Computed != nil:
			s += "AS " + ast.Print(c.Computed)
		case c.Metadata != "":
			s += c.Type.String() + " METADATA"
			if c.Metadata != c.Name {
				s += " FROM " + ast.QuoteString(c.Metadata)
			}
			if c.Virtual {
				s += " VIRTUAL"
			}
		default:
			s += c.Type.String()
		}
		if c.Comment != "" {
			s += " COMMENT " + ast.QuoteString(c.Comment)
		}
		parts = append(parts, s)
	}
	if t.Watermark != nil {
		parts = append(parts, "  WATERMARK FOR "+ast.Quote(t.Watermark.Column)+" AS "+ast.Print(t.Watermark.Expr))
	}
	if len(t.PrimaryKey) > 0 {
		parts = append(parts, "  PRIMARY KEY ("+quoted(t.PrimaryKey)+") NOT ENFORCED")
	}
	s := fmt.Sprintf("CREATE %sTABLE %s (\n%s\n)", temporary(t), quotedPath(t), strings.Join(parts, ",\n"))
	if t.Comment != "" {
		s += "\nCOMMENT " + ast.QuoteString(t.Comment)
	}
	if len(t.PartitionedBy) > 0 {
		s += "\nPARTITIONED BY (" + quoted(t.PartitionedBy) + ")"
	}
	var options []string
	for _, k := range slices.Sorted(maps.Keys(t.Options)) {
		options = append(options, "  "+ast.QuoteString(k)+" = "+ast.QuoteString(t.Options[k]))
	}
	return s + "\nWITH (\n" + strings.Join(options, ",\n") + "\n)\n"
}

func quoted(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = ast.Quote(n)
	}
	return strings.Join(out, ", ")
}

// showOptions is SET alone.
func (p *preparation) showOptions() string {
	merged := maps.Clone(p.base)
	if merged == nil {
		merged = map[string]string{}
	}
	maps.Copy(merged, p.set)
	var rows [][]string
	for _, k := range slices.Sorted(maps.Keys(merged)) {
		rows = append(rows, []string{k, merged[k]})
	}
	return grid([]string{"key", "value"}, rows, true)
}
