package ast

import "strings"

func (p *printer) statement(s Statement) {
	switch s := s.(type) {
	case *QueryStmt:
		p.query(s.Query)
	case *Insert:
		p.insert(s)
	case *Update:
		p.update(s)
	case *Delete:
		p.w("DELETE FROM ")
		p.path(s.Table)
		p.hints(s.Hints, " ", "")
		p.alias(s.Alias)
		p.clause(" WHERE ", s.Where)
	case *Truncate:
		p.w("TRUNCATE TABLE ")
		p.path(s.Table)
	case *Explain, *Execute, *StatementSet, *BeginStatementSet, *EndStatementSet, *CompilePlan, *ExecutePlan:
		p.planStatement(s)
	case *Describe, *Show, *Use, *Set, *Reset, *LoadModule, *UnloadModule, *Jar, *StopJob, *Analyze, *CallProcedure, *Shell:
		p.utility(s)
	default:
		p.ddl(s)
	}
}

func (p *printer) insert(s *Insert) {
	p.w("INSERT ")
	if s.Overwrite {
		p.w("OVERWRITE ")
	} else {
		p.w("INTO ")
	}
	p.path(s.Table)
	p.hints(s.Hints, " ", "")
	p.partition(" PARTITION ", s.Partition)
	if len(s.Columns) > 0 {
		p.w(" ")
		p.paths(s.Columns)
	}
	p.w(" ")
	p.query(s.Source)
	p.w([...]string{"", " ON CONFLICT DO ERROR", " ON CONFLICT DO NOTHING", " ON CONFLICT DO DEDUPLICATE"}[s.OnConflict])
}

func (p *printer) paths(list []Path) {
	p.parens(func() { p.comma(len(list), func(i int) { p.path(list[i]) }) })
}

func (p *printer) partition(word string, list []PartitionValue) {
	if len(list) == 0 {
		return
	}
	p.w(word)
	p.parens(func() {
		p.comma(len(list), func(i int) {
			p.name(list[i].Column)
			p.clause(" = ", list[i].Value)
		})
	})
}

func (p *printer) update(s *Update) {
	p.w("UPDATE ")
	p.path(s.Table)
	p.hints(s.Hints, " ", "")
	p.alias(s.Alias)
	p.w(" SET ")
	p.comma(len(s.Set), func(i int) {
		p.path(s.Set[i].Column)
		p.w(" = ")
		p.expr(s.Set[i].X, 0)
	})
	p.clause(" WHERE ", s.Where)
}

func (p *printer) planStatement(s Statement) {
	switch s := s.(type) {
	case *Explain:
		p.w("EXPLAIN ")
		p.comma(len(s.Details), func(i int) { p.w(s.Details[i].Text) })
		p.when(len(s.Details) > 0, " ")
		p.inner(s.Statement)
	case *Execute:
		p.w("EXECUTE ")
		p.statement(s.Statement)
	case *StatementSet:
		p.w("EXECUTE ")
		p.inner(s)
	case *BeginStatementSet:
		p.w("BEGIN STATEMENT SET")
	case *EndStatementSet:
		p.w("END")
	case *CompilePlan:
		p.w("COMPILE ")
		p.when(s.Execute, "AND EXECUTE ")
		p.w("PLAN ")
		p.string(s.Path)
		p.when(s.IfNotExists, " IF NOT EXISTS")
		p.w(" FOR ")
		p.inner(s.Statement)
	case *ExecutePlan:
		p.w("EXECUTE PLAN ")
		p.string(s.Path)
	}
}

func (p *printer) inner(s Statement) {
	set, ok := s.(*StatementSet)
	if !ok {
		p.statement(s)
		return
	}
	p.w("STATEMENT SET BEGIN ")
	for _, s := range set.Statements {
		p.statement(s)
		p.w("; ")
	}
	p.w("END")
}

func (p *printer) utility(s Statement) {
	switch s := s.(type) {
	case *Describe:
		p.describe(s)
	case *Show:
		p.show(s)
	case *Use:
		p.w([...]string{"USE ", "USE CATALOG ", "USE MODULES "}[s.Kind])
		p.path(s.Name)
		p.comma(len(s.Modules), func(i int) { p.name(s.Modules[i]) })
	case *Set:
		p.w("SET")
		if s.Key != "" {
			p.w(" ", QuoteString(s.Key), " = ", QuoteString(s.Value))
		}
	case *Reset:
		p.w("RESET")
		if s.Key != "" {
			p.w(" ", QuoteString(s.Key))
		}
	case *LoadModule:
		p.w("LOAD MODULE ")
		p.name(s.Name)
		p.with(s.Options)
	case *UnloadModule:
		p.w("UNLOAD MODULE ")
		p.name(s.Name)
	case *Jar:
		word := "ADD JAR "
		if s.Remove {
			word = "REMOVE JAR "
		}
		p.w(word)
		p.string(s.Path)
	case *StopJob:
		p.w("STOP JOB ")
		p.string(s.Job)
		p.when(s.WithSavepoint, " WITH SAVEPOINT")
		p.when(s.WithDrain, " WITH DRAIN")
	case *Analyze:
		p.analyze(s)
	case *CallProcedure:
		p.w("CALL ")
		p.call(s.Call)
	case *Shell:
		p.w(s.Command)
	}
}

func (p *printer) describe(s *Describe) {
	p.w("DESCRIBE ")
	if s.Kind == JobObject {
		p.w("JOB ")
		p.string(s.Job)
		return
	}
	p.when(s.Kind != TableObject, s.Kind.String()+" ")
	p.when(s.Extended, "EXTENDED ")
	p.path(s.Name)
}

func (p *printer) show(s *Show) {
	p.w("SHOW ", s.What)
	switch {
	case len(s.Of) == 0:
	case strings.HasPrefix(s.What, "CREATE") || s.What == "PARTITIONS":
		p.w(" ")
		p.path(s.Of)
	default:
		word := " FROM "
		if s.In {
			word = " IN "
		}
		p.w(word)
		p.path(s.Of)
	}
	p.partition(" PARTITION ", s.Partition)
	if s.Like == nil {
		return
	}
	p.when(s.Not, " NOT")
	if s.ILike {
		p.w(" ILIKE ")
	} else {
		p.w(" LIKE ")
	}
	p.string(*s.Like)
}

func (p *printer) analyze(s *Analyze) {
	p.w("ANALYZE TABLE ")
	p.path(s.Table)
	p.partition(" PARTITION ", s.Partition)
	p.w(" COMPUTE STATISTICS")
	switch {
	case s.AllColumns:
		p.w(" FOR ALL COLUMNS")
	case len(s.Columns) > 0:
		p.w(" FOR COLUMNS ")
		p.comma(len(s.Columns), func(i int) { p.name(s.Columns[i]) })
	}
}

// options prints ('k' = 'v', ...).
func (p *printer) options(list []Option) {
	p.parens(func() {
		p.comma(len(list), func(i int) { p.w(QuoteString(list[i].Key), " = ", QuoteString(list[i].Value)) })
	})
}

func (p *printer) with(list []Option) {
	if len(list) > 0 {
		p.w(" WITH ")
		p.options(list)
	}
}

func (p *printer) comment(s *String) {
	if s != nil {
		p.w(" COMMENT ")
		p.string(*s)
	}
}
