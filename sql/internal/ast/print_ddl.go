package ast

import "strconv"

func (p *printer) ddl(s Statement) {
	switch s := s.(type) {
	case *CreateTable:
		p.createTable(s)
	case *CreateMaterializedTable:
		p.createMaterialized(s)
	case *CreateView:
		p.createView(s)
	case *CreateCatalog:
		p.head("CATALOG", modifiers{ifNotExists: s.IfNotExists}, Path{s.Name})
		p.comment(s.Comment)
		p.with(s.Options)
	case *CreateDatabase:
		p.head("DATABASE", modifiers{ifNotExists: s.IfNotExists}, s.Name)
		p.comment(s.Comment)
		p.with(s.Options)
	case *CreateConnection:
		p.head("CONNECTION", modifiers{temporary: s.Temporary, system: s.System, ifNotExists: s.IfNotExists}, s.Name)
		p.comment(s.Comment)
		p.with(s.Options)
	case *CreateFunction:
		p.head("FUNCTION", modifiers{temporary: s.Temporary, system: s.System, ifNotExists: s.IfNotExists}, s.Name)
		p.w(" AS ")
		p.string(s.Class)
		p.when(s.Language != "", " LANGUAGE "+s.Language)
		p.when(len(s.Using) > 0, " USING ")
		p.comma(len(s.Using), func(i int) {
			p.w(s.Using[i].Kind, " ")
			p.string(s.Using[i].Path)
		})
		p.with(s.Options)
	case *CreateModel:
		p.head("MODEL", modifiers{orReplace: s.OrReplace, temporary: s.Temporary, ifNotExists: s.IfNotExists}, s.Name)
		p.columns(" INPUT ", s.Input)
		p.columns(" OUTPUT ", s.Output)
		p.comment(s.Comment)
		p.with(s.Options)
		p.asQuery(s.As)
	case *Drop:
		p.w("DROP ")
		p.when(s.Temporary, "TEMPORARY ")
		p.when(s.System, "SYSTEM ")
		p.w(s.Kind.String(), " ")
		p.when(s.IfExists, "IF EXISTS ")
		p.path(s.Name)
		p.when(s.Cascade, " CASCADE")
		p.when(s.Restrict, " RESTRICT")
	case *Alter:
		p.w("ALTER ")
		p.when(s.Temporary, "TEMPORARY ")
		p.when(s.System, "SYSTEM ")
		p.w(s.Kind.String(), " ")
		p.when(s.IfExists, "IF EXISTS ")
		p.path(s.Name)
		p.w(" ")
		p.alterAction(s.Action)
	}
}

// modifiers are what CREATE says before and behind the kind of object.
type modifiers struct{ orReplace, orAlter, temporary, system, ifNotExists bool }

func (p *printer) head(kind string, m modifiers, name Path) {
	p.w("CREATE ")
	p.when(m.orReplace, "OR REPLACE ")
	p.when(m.orAlter, "OR ALTER ")
	p.when(m.temporary, "TEMPORARY ")
	p.when(m.system, "SYSTEM ")
	p.w(kind, " ")
	p.when(m.ifNotExists, "IF NOT EXISTS ")
	p.path(name)
}

func (p *printer) asQuery(q *Query) {
	if q != nil {
		p.w(" AS ")
		p.query(q)
	}
}

func (p *printer) createTable(s *CreateTable) {
	if s.Replace {
		p.w("REPLACE TABLE ")
		p.path(s.Name)
	} else {
		p.head("TABLE", modifiers{orReplace: s.OrReplace, temporary: s.Temporary, ifNotExists: s.IfNotExists}, s.Name)
	}
	p.tableElements(&s.Elements, s.Names)
	p.comment(s.Comment)
	if s.Distribution != nil {
		p.w(" DISTRIBUTED")
		p.distribution(s.Distribution)
	}
	p.partitionedBy(s.PartitionedBy)
	p.with(s.Options)
	if s.Like != nil {
		p.w(" LIKE ")
		p.path(s.Like.Table)
		if len(s.Like.Options) > 0 {
			p.w(" (")
			for i, o := range s.Like.Options {
				p.when(i > 0, " ")
				p.w(o.Action, " ", o.What)
			}
			p.w(")")
		}
	}
	p.asQuery(s.As)
}

func (p *printer) partitionedBy(names []Name) {
	if len(names) > 0 {
		p.w(" PARTITIONED BY ")
		p.names(names)
	}
}

func (p *printer) distribution(d *Distribution) {
	if len(d.Columns) > 0 {
		p.w(" BY ")
		p.when(d.Kind != "", d.Kind)
		p.names(d.Columns)
	}
	if d.Buckets > 0 {
		p.w(" INTO ", strconv.Itoa(d.Buckets), " BUCKETS")
	}
}

// tableElements prints one element to a line: tables are read by people.
func (p *printer) tableElements(e *TableElements, names []Name) {
	if len(names) > 0 {
		p.w(" ")
		p.names(names)
		return
	}
	n := len(e.Columns) + len(e.Constraints) + len(e.Watermarks)
	if n == 0 && e.Distribution == nil {
		return
	}
	p.w(" (\n")
	sep := "  "
	add := func(f func()) {
		p.w(sep)
		f()
		sep = ",\n  "
	}
	for _, c := range e.Columns {
		add(func() { p.column(c) })
	}
	for _, w := range e.Watermarks {
		add(func() { p.watermark(w) })
	}
	for _, c := range e.Constraints {
		add(func() { p.constraint(c) })
	}
	if e.Distribution != nil {
		add(func() {
			p.w("DISTRIBUTION")
			p.distribution(e.Distribution)
		})
	}
	p.w("\n)")
}

func (p *printer) watermark(w *WatermarkDef) {
	p.w("WATERMARK FOR ")
	p.path(w.Column)
	p.w(" AS ")
	p.expr(w.X, 0)
}

func (p *printer) constraint(c *Constraint) {
	if c.Name.Text != "" {
		p.w("CONSTRAINT ")
		p.name(c.Name)
		p.w(" ")
	}
	if c.Unique {
		p.w("UNIQUE")
	} else {
		p.w("PRIMARY KEY")
	}
	if len(c.Columns) > 0 {
		p.w(" ")
		p.names(c.Columns)
	}
	p.when(c.Enforcement == Enforced, " ENFORCED")
	p.when(c.Enforcement == NotEnforced, " NOT ENFORCED")
}

func (p *printer) column(c *ColumnDef) {
	p.path(c.Name)
	if c.Computed != nil {
		p.w(" AS ")
		p.expr(c.Computed, 0)
	} else {
		p.w(" ")
		p.typeName(c.Type)
	}
	if m := c.Metadata; m != nil {
		p.w(" METADATA")
		if m.From != nil {
			p.w(" FROM ")
			p.string(*m.From)
		}
		p.when(m.Virtual, " VIRTUAL")
	}
	if c.Constraint != nil {
		p.w(" ")
		p.constraint(c.Constraint)
	}
	p.comment(c.Comment)
	p.when(c.First, " FIRST")
	if len(c.After) > 0 {
		p.w(" AFTER ")
		p.path(c.After)
	}
}

func (p *printer) columns(word string, list []*ColumnDef) {
	if len(list) == 0 {
		return
	}
	p.w(word)
	p.parens(func() { p.comma(len(list), func(i int) { p.column(list[i]) }) })
}

func (p *printer) createView(s *CreateView) {
	p.head("VIEW", modifiers{orReplace: s.OrReplace, temporary: s.Temporary, ifNotExists: s.IfNotExists}, s.Name)
	if len(s.Columns) > 0 {
		p.w(" ")
		p.parens(func() {
			p.comma(len(s.Columns), func(i int) {
				p.name(s.Columns[i].Name)
				p.comment(s.Columns[i].Comment)
			})
		})
	}
	p.comment(s.Comment)
	p.asQuery(s.Query)
}

func (p *printer) createMaterialized(s *CreateMaterializedTable) {
	p.head("MATERIALIZED TABLE", modifiers{orAlter: s.OrAlter, ifNotExists: s.IfNotExists}, s.Name)
	p.tableElements(&s.Elements, s.Names)
	p.comment(s.Comment)
	if s.Distribution != nil {
		p.w(" DISTRIBUTED")
		p.distribution(s.Distribution)
	}
	p.partitionedBy(s.PartitionedBy)
	p.with(s.Options)
	if s.Freshness != nil {
		p.clause(" FRESHNESS = ", s.Freshness)
	}
	p.when(s.RefreshMode != "", " REFRESH_MODE = "+s.RefreshMode)
	p.startMode(s.StartMode)
	p.asQuery(s.As)
}

func (p *printer) startMode(m *StartMode) {
	if m == nil {
		return
	}
	p.w(" START_MODE = ", m.Kind)
	if m.X != nil {
		p.parens(func() { p.expr(m.X, 0) })
	}
}

func (p *printer) alterAction(a AlterAction) {
	switch a := a.(type) {
	case *RenameTo:
		p.w("RENAME TO ")
		p.path(a.Name)
	case *RenameColumn:
		p.w("RENAME ")
		p.path(a.From)
		p.w(" TO ")
		p.name(a.To)
	case *AddElements:
		if a.Modify {
			p.w("MODIFY")
		} else {
			p.w("ADD")
		}
		p.tableElements(&a.Elements, nil)
	case *DropColumns:
		p.w("DROP ")
		p.paths(a.Columns)
	case *DropElement:
		p.w("DROP ", a.What)
		if a.Name.Text != "" {
			p.w(" ")
			p.name(a.Name)
		}
	case *SetOptions:
		p.w("SET ")
		p.options(a.Options)
	case *ResetOptions:
		p.w("RESET ")
		p.parens(func() { p.comma(len(a.Keys), func(i int) { p.string(a.Keys[i]) }) })
	case *SetComment:
		p.w("COMMENT ")
		p.string(a.Comment)
	case *AddPartitions, *DropPartitions, *RenamePartition:
		p.alterPartitions(a)
	default:
		p.alterDerived(a)
	}
}

func (p *printer) alterPartitions(a AlterAction) {
	switch a := a.(type) {
	case *AddPartitions:
		p.w("ADD")
		p.when(a.IfNotExists, " IF NOT EXISTS")
		for _, s := range a.Partitions {
			p.partition(" PARTITION ", s.Values)
			p.with(s.Options)
		}
	case *DropPartitions:
		p.w("DROP ")
		p.when(a.IfExists, "IF EXISTS ")
		p.comma(len(a.Partitions), func(i int) { p.partition("PARTITION ", a.Partitions[i].Values) })
	case *RenamePartition:
		p.partition("PARTITION ", a.From)
		p.partition(" RENAME TO PARTITION ", a.To)
	}
}

func (p *printer) alterDerived(a AlterAction) {
	switch a := a.(type) {
	case *AsQuery:
		if a.StartMode != nil {
			p.startMode(a.StartMode)
			p.w(" ")
		}
		p.w("AS ")
		p.query(a.Query)
	case *SetFunction:
		p.w("AS ")
		p.string(a.Class)
		p.when(a.Language != "", " LANGUAGE "+a.Language)
	case *Suspend:
		p.w("SUSPEND")
	case *Resume:
		p.w("RESUME")
		p.with(a.Options)
	case *Refresh:
		p.w("REFRESH")
		p.partition(" PARTITION ", a.Partition)
	case *SetFreshness:
		if a.Freshness != nil {
			p.clause("SET FRESHNESS = ", a.Freshness)
		} else {
			p.w("SET REFRESH_MODE = ", a.RefreshMode)
		}
	}
}
