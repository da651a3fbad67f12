package parse

import "github.com/flottio/flott/sql/internal/ast"

func (p *parser) ifNotExists() bool {
	if !p.accept("IF") {
		return false
	}
	p.expect("NOT", "EXISTS")
	return true
}

func (p *parser) ifExists() bool {
	if !p.accept("IF") {
		return false
	}
	p.expect("EXISTS")
	return true
}

// created is what CREATE says before the kind of object.
type created struct {
	pos                                            ast.Pos
	orReplace, orAlter, replace, temporary, system bool
}

func (p *parser) create() ast.Statement {
	c := created{pos: p.tok().pos, replace: p.at("REPLACE")}
	p.next()
	if p.accept("OR") {
		c.orAlter = p.one("REPLACE", "ALTER") == "ALTER"
		c.orReplace = !c.orAlter
	}
	c.temporary = p.accept("TEMPORARY")
	c.system = c.temporary && p.accept("SYSTEM")
	switch {
	case p.accept("TABLE"):
		return p.createTable(c)
	case p.acceptSeq("MATERIALIZED", "TABLE"):
		return p.createMaterialized(c)
	case p.accept("VIEW"):
		return p.createView(c)
	case p.accept("FUNCTION"):
		return p.createFunction(c)
	case p.accept("MODEL"):
		return p.createModel(c)
	case p.accept("CATALOG"):
		s := &ast.CreateCatalog{Pos: c.pos, IfNotExists: p.ifNotExists(), Name: p.name("the name of a catalog")}
		s.Comment = p.comment()
		s.Options = p.withOptions()
		return s
	case p.accept("DATABASE"):
		s := &ast.CreateDatabase{Pos: c.pos, IfNotExists: p.ifNotExists(), Name: p.path("the name of a database")}
		s.Comment = p.comment()
		s.Options = p.withOptions()
		return s
	case p.accept("CONNECTION"):
		s := &ast.CreateConnection{Pos: c.pos, Temporary: c.temporary, System: c.system, IfNotExists: p.ifNotExists()}
		s.Name = p.path("the name of a connection")
		s.Comment = p.comment()
		s.Options = p.withOptions()
		return s
	}
	p.fail("")
	return &ast.CreateTable{Pos: c.pos}
}

func (p *parser) createTable(c created) ast.Statement {
	s := &ast.CreateTable{Pos: c.pos, Temporary: c.temporary, OrReplace: c.orReplace, Replace: c.replace}
	s.IfNotExists = p.ifNotExists()
	s.Name = p.path("the name of a table")
	if p.at("(") {
		s.Elements, s.Names = p.tableElements(false)
	}
	s.Comment = p.comment()
	s.Distribution = p.distribution()
	s.PartitionedBy = p.partitionedBy()
	s.Options = p.withOptions()
	switch {
	case p.accept("LIKE"):
		s.Like = p.tableLike()
	case p.accept("AS"):
		s.As = p.query()
	}
	return s
}

func (p *parser) partitionedBy() []ast.Name {
	if !p.accept("PARTITIONED") {
		return nil
	}
	p.expect("BY")
	return p.names("the name of a column")
}

// distribution takes DISTRIBUTED [BY [HASH|RANGE] (columns)] [INTO n BUCKETS] if it is there; without DISTRIBUTED in ALTER TABLE.
func (p *parser) distribution() *ast.Distribution {
	d := &ast.Distribution{Pos: p.tok().pos}
	if !p.accept("DISTRIBUTED") && !p.accept("DISTRIBUTION") {
		return nil
	}
	if p.accept("BY") {
		if p.at("HASH") || p.at("RANGE") {
			d.Kind = p.tok().kw
			p.next()
		}
		d.Columns = p.names("the name of a column")
	}
	if p.accept("INTO") {
		d.Buckets = p.integer("the number of buckets")
		p.expect("BUCKETS")
	}
	return d
}

func (p *parser) tableLike() *ast.TableLike {
	l := &ast.TableLike{Pos: p.tok().pos, Table: p.path("the name of a table")}
	if !p.accept("(") {
		return l
	}
	for !p.at(")") && p.err == nil {
		o := ast.LikeOption{Pos: p.tok().pos}
		o.Action = p.one("INCLUDING", "EXCLUDING", "OVERWRITING")
		o.What = p.one("ALL", "CONSTRAINTS", "DISTRIBUTION", "GENERATED", "METADATA", "OPTIONS", "PARTITIONS", "WATERMARKS")
		l.Options = append(l.Options, o)
		p.accept(",")
	}
	p.expect(")")
	return l
}

// tableElements takes (columns, constraints, watermarks), or names alone, which is a list for CREATE TABLE AS. In ALTER TABLE columns
// have places.
func (p *parser) tableElements(alter bool) (ast.TableElements, []ast.Name) {
	var e ast.TableElements
	p.expect("(")
	if n := p.peek(1); !alter && p.isName() && n.kind == tPunct && (n.kw == "," || n.kw == ")") {
		var names []ast.Name
		for {
			names = append(names, p.name("the name of a column"))
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
		return e, names
	}
	for p.tableElement(&e, alter); p.accept(","); p.tableElement(&e, alter) {
	}
	p.expect(")")
	return e, nil
}

// tableElement takes one entry.
func (p *parser) tableElement(e *ast.TableElements, alter bool) {
	switch {
	case p.seq("WATERMARK", "FOR"):
		w := &ast.WatermarkDef{Pos: p.tok().pos}
		p.i += 2
		w.Column = p.path("the name of a column")
		p.expect("AS")
		w.X = p.expr()
		e.Watermarks = append(e.Watermarks, w)
	case p.seq("PRIMARY", "KEY"), p.seq("UNIQUE", "("), p.at("CONSTRAINT") && (p.peekIs(2, "PRIMARY") || p.peekIs(2, "UNIQUE")):
		e.Constraints = append(e.Constraints, p.constraint(true))
	case alter && (p.seq("DISTRIBUTION", "BY") || p.seq("DISTRIBUTION", "INTO")):
		e.Distribution = p.distribution()
	default:
		e.Columns = append(e.Columns, p.columnDef(alter))
	}
}

// constraint takes [CONSTRAINT name] PRIMARY KEY [(columns)] [[NOT] ENFORCED].
func (p *parser) constraint(columns bool) *ast.Constraint {
	c := &ast.Constraint{Pos: p.tok().pos}
	if p.accept("CONSTRAINT") {
		c.Name = p.name("the name of a constraint")
	}
	c.Unique = p.one("PRIMARY", "UNIQUE") == "UNIQUE"
	if !c.Unique {
		p.expect("KEY")
	}
	if columns {
		c.Columns = p.names("the name of a column")
	}
	switch {
	case p.acceptSeq("NOT", "ENFORCED"):
		c.Enforcement = ast.NotEnforced
	case p.accept("ENFORCED"):
		c.Enforcement = ast.Enforced
	}
	return c
}

func (p *parser) columnDef(alter bool) *ast.ColumnDef {
	c := &ast.ColumnDef{Pos: p.tok().pos}
	if alter {
		c.Name = p.path("the name of a column")
	} else {
		c.Name = ast.Path{p.name("the name of a column")}
	}
	if p.accept("AS") {
		c.Computed = p.expr()
	} else {
		c.Type = p.typeName()
		p.columnClauses(c)
	}
	c.Comment = p.comment()
	switch {
	case !alter:
	case p.accept("FIRST"):
		c.First = true
	case p.accept("AFTER"):
		c.After = p.path("the name of a column")
	}
	return c
}

func (p *parser) columnClauses(c *ast.ColumnDef) {
	if p.is("METADATA") {
		c.Metadata = &ast.Metadata{Pos: p.tok().pos}
		p.next()
		if p.accept("FROM") {
			from := p.plainString("the key of a metadata column")
			c.Metadata.From = &from
		}
		c.Metadata.Virtual = p.accept("VIRTUAL")
		return
	}
	if p.is("CONSTRAINT") || p.is("PRIMARY") || p.is("UNIQUE") {
		c.Constraint = p.constraint(false)
	}
	if p.acceptSeq("NOT", "NULL") { // PRIMARY KEY NOT NULL
		c.Type.Null = ast.WrittenNotNull
	}
}

func (p *parser) createView(c created) ast.Statement {
	s := &ast.CreateView{Pos: c.pos, Temporary: c.temporary, OrReplace: c.orReplace, IfNotExists: p.ifNotExists()}
	s.Name = p.path("the name of a view")
	if p.accept("(") {
		for {
			s.Columns = append(s.Columns, ast.ViewColumn{Name: p.name("the name of a column"), Comment: p.comment()})
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
	}
	s.Comment = p.comment()
	p.expect("AS")
	s.Query = p.query()
	return s
}

func (p *parser) createFunction(c created) ast.Statement {
	s := &ast.CreateFunction{Pos: c.pos, Temporary: c.temporary, System: c.system, IfNotExists: p.ifNotExists()}
	s.Name = p.path("the name of a function")
	p.expect("AS")
	s.Class = p.plainString("the class")
	s.Language = p.language()
	if p.accept("USING") {
		for {
			u := ast.UsingEntry{Pos: p.tok().pos, Kind: p.one("JAR", "FILE", "ARCHIVE", "ARTIFACT")}
			u.Path = p.plainString("a path")
			s.Using = append(s.Using, u)
			if !p.accept(",") {
				break
			}
		}
	}
	s.Options = p.withOptions()
	return s
}

func (p *parser) language() string {
	if !p.accept("LANGUAGE") {
		return ""
	}
	return p.one("JAVA", "SCALA", "PYTHON", "SQL", "GO")
}

func (p *parser) createModel(c created) ast.Statement {
	s := &ast.CreateModel{Pos: c.pos, Temporary: c.temporary, OrReplace: c.orReplace, IfNotExists: p.ifNotExists()}
	s.Name = p.path("the name of a model")
	if p.accept("INPUT") {
		s.Input = p.columnList()
	}
	if p.accept("OUTPUT") {
		s.Output = p.columnList()
	}
	s.Comment = p.comment()
	s.Options = p.withOptions()
	if p.accept("AS") {
		s.As = p.query()
	}
	return s
}

func (p *parser) columnList() []*ast.ColumnDef {
	var list []*ast.ColumnDef
	p.expect("(")
	for {
		list = append(list, p.columnDef(false))
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return list
}

func (p *parser) createMaterialized(c created) ast.Statement {
	s := &ast.CreateMaterializedTable{Pos: c.pos, OrAlter: c.orAlter, IfNotExists: p.ifNotExists()}
	s.Name = p.path("the name of a materialized table")
	if p.at("(") {
		s.Elements, s.Names = p.tableElements(false)
	}
	s.Comment = p.comment()
	s.Distribution = p.distribution()
	s.PartitionedBy = p.partitionedBy()
	s.Options = p.withOptions()
	if p.accept("FRESHNESS") {
		p.expect("=")
		s.Freshness = p.freshness()
	}
	if p.accept("REFRESH_MODE") {
		p.expect("=")
		s.RefreshMode = p.one("FULL", "CONTINUOUS")
	}
	s.StartMode = p.startMode()
	p.expect("AS")
	s.As = p.query()
	return s
}

func (p *parser) freshness() *ast.Interval {
	if p.at("INTERVAL") {
		if i, ok := p.interval().(*ast.Interval); ok {
			return i
		}
	}
	p.note("INTERVAL")
	p.fail("INTERVAL")
	return &ast.Interval{Pos: p.tok().pos}
}

func (p *parser) startMode() *ast.StartMode {
	m := &ast.StartMode{Pos: p.tok().pos}
	if !p.accept("START_MODE") {
		return nil
	}
	p.expect("=")
	m.Kind = p.one("FROM_BEGINNING", "FROM_NOW", "FROM_TIMESTAMP", "RESUME_OR_FROM_BEGINNING", "RESUME_OR_FROM_NOW", "RESUME_OR_FROM_TIMESTAMP")
	if p.accept("(") {
		m.X = p.expr()
		p.expect(")")
	}
	return m
}
