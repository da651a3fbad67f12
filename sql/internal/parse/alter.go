package parse

import "github.com/flottio/flott/sql/internal/ast"

// object takes the keyword of a kind of object.
func (p *parser) object() ast.ObjectKind {
	switch {
	case p.acceptSeq("MATERIALIZED", "TABLE"):
		return ast.MaterializedTableObject
	case p.accept("TABLE"):
		return ast.TableObject
	case p.accept("VIEW"):
		return ast.ViewObject
	case p.accept("DATABASE"):
		return ast.DatabaseObject
	case p.accept("CATALOG"):
		return ast.CatalogObject
	case p.accept("FUNCTION"):
		return ast.FunctionObject
	case p.accept("MODEL"):
		return ast.ModelObject
	case p.accept("CONNECTION"):
		return ast.ConnectionObject
	}
	p.fail("")
	return ast.TableObject
}

func (p *parser) drop() ast.Statement {
	s := &ast.Drop{Pos: p.tok().pos}
	p.next()
	s.Temporary = p.accept("TEMPORARY")
	s.System = s.Temporary && p.accept("SYSTEM")
	s.Kind = p.object()
	s.IfExists = p.ifExists()
	s.Name = p.path("a name")
	switch {
	case p.accept("CASCADE"):
		s.Cascade = true
	case p.accept("RESTRICT"):
		s.Restrict = true
	}
	return s
}

func (p *parser) alter() ast.Statement {
	s := &ast.Alter{Pos: p.tok().pos}
	p.next()
	s.Temporary = p.accept("TEMPORARY")
	s.System = s.Temporary && p.accept("SYSTEM")
	s.Kind = p.object()
	s.IfExists = p.ifExists()
	s.Name = p.path("a name")
	s.Action = p.alterAction(s.Kind)
	return s
}

func (p *parser) alterAction(kind ast.ObjectKind) ast.AlterAction {
	pos := p.tok().pos
	switch {
	case p.acceptSeq("RENAME", "TO"):
		return &ast.RenameTo{Pos: pos, Name: p.path("a name")}
	case p.accept("RENAME"):
		r := &ast.RenameColumn{Pos: pos, From: p.path("the name of a column")}
		p.expect("TO")
		r.To = p.name("the name of a column")
		return r
	case p.accept("ADD"):
		return p.alterAdd(pos)
	case p.accept("MODIFY"):
		return &ast.AddElements{Pos: pos, Modify: true, Elements: p.alterElements()}
	case p.accept("DROP"):
		return p.alterDrop(pos)
	case p.accept("SET"):
		return p.alterSet(pos)
	case p.accept("RESET"):
		return p.alterReset(pos)
	case p.accept("COMMENT"):
		return &ast.SetComment{Pos: pos, Comment: p.plainString("the comment")}
	case p.accept("PARTITION"):
		r := &ast.RenamePartition{Pos: pos, From: p.partition()}
		p.expect("RENAME", "TO", "PARTITION")
		r.To = p.partition()
		return r
	case p.accept("SUSPEND"):
		return &ast.Suspend{Pos: pos}
	case p.accept("RESUME"):
		return &ast.Resume{Pos: pos, Options: p.withOptions()}
	case p.accept("REFRESH"):
		r := &ast.Refresh{Pos: pos}
		if p.accept("PARTITION") {
			r.Partition = p.partition()
		}
		return r
	case kind == ast.FunctionObject && p.accept("AS"):
		return &ast.SetFunction{Pos: pos, Class: p.plainString("the class"), Language: p.language()}
	}
	mode := p.startMode()
	if p.accept("AS") {
		return &ast.AsQuery{Pos: pos, StartMode: mode, Query: p.query()}
	}
	p.fail("")
	return &ast.Suspend{Pos: pos}
}

// alterElements takes (elements) or one of them without parentheses.
func (p *parser) alterElements() ast.TableElements {
	var e ast.TableElements
	if p.at("(") {
		e, _ = p.tableElements(true)
		return e
	}
	p.accept("COLUMN")
	p.tableElement(&e, true)
	return e
}

func (p *parser) alterAdd(pos ast.Pos) ast.AlterAction {
	partition := p.seq("PARTITION", "(")
	exists := !partition && p.seq("IF", "NOT", "EXISTS")
	if !partition && !exists {
		return &ast.AddElements{Pos: pos, Elements: p.alterElements()}
	}
	a := &ast.AddPartitions{Pos: pos, IfNotExists: p.ifNotExists()}
	for p.is("PARTITION") {
		s := ast.PartitionSpec{Pos: p.tok().pos}
		p.next()
		s.Values = p.partition()
		s.Options = p.withOptions()
		a.Partitions = append(a.Partitions, s)
		p.accept(",")
	}
	if len(a.Partitions) == 0 {
		p.fail("PARTITION")
	}
	return a
}

func (p *parser) alterDrop(pos ast.Pos) ast.AlterAction {
	switch {
	case p.acceptSeq("PRIMARY", "KEY"):
		return &ast.DropElement{Pos: pos, What: "PRIMARY KEY"}
	case p.at("CONSTRAINT") && (p.peek(1).kind == tWord || p.peek(1).kind == tQuoted):
		p.next()
		return &ast.DropElement{Pos: pos, What: "CONSTRAINT", Name: p.name("the name of a constraint")}
	case p.accept("WATERMARK"):
		return &ast.DropElement{Pos: pos, What: "WATERMARK"}
	case p.accept("DISTRIBUTION"):
		return &ast.DropElement{Pos: pos, What: "DISTRIBUTION"}
	case p.seq("PARTITION", "("), p.seq("IF", "EXISTS"):
		d := &ast.DropPartitions{Pos: pos, IfExists: p.ifExists()}
		for {
			s := ast.PartitionSpec{Pos: p.tok().pos}
			p.expect("PARTITION")
			s.Values = p.partition()
			d.Partitions = append(d.Partitions, s)
			if !p.accept(",") {
				return d
			}
		}
	}
	d := &ast.DropColumns{Pos: pos}
	if !p.accept("(") {
		if p.at("COLUMN") && (p.peek(1).kind == tWord || p.peek(1).kind == tQuoted) {
			p.next()
		}
		d.Columns = []ast.Path{p.path("the name of a column")}
		return d
	}
	for {
		d.Columns = append(d.Columns, p.path("the name of a column"))
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return d
}

func (p *parser) alterSet(pos ast.Pos) ast.AlterAction {
	switch {
	case p.accept("FRESHNESS"):
		p.expect("=")
		return &ast.SetFreshness{Pos: pos, Freshness: p.freshness()}
	case p.accept("REFRESH_MODE"):
		p.expect("=")
		return &ast.SetFreshness{Pos: pos, RefreshMode: p.one("FULL", "CONTINUOUS")}
	}
	return &ast.SetOptions{Pos: pos, Options: p.options()}
}

func (p *parser) alterReset(pos ast.Pos) ast.AlterAction {
	r := &ast.ResetOptions{Pos: pos}
	p.expect("(")
	for {
		r.Keys = append(r.Keys, p.plainString("the key of an option"))
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return r
}
