package parse

import (
	"strings"

	"github.com/flottio/flott/sql/internal/ast"
)

// starters are the words that statements begin with.
var starters map[string]func(p *parser) ast.Statement

func init() {
	starters = map[string]func(p *parser) ast.Statement{
		"SELECT": (*parser).queryStatement, "WITH": (*parser).queryStatement, "VALUES": (*parser).queryStatement,
		"TABLE": (*parser).queryStatement, "INSERT": (*parser).insert, "UPDATE": (*parser).update, "DELETE": (*parser).delete,
		"TRUNCATE": (*parser).truncate, "CREATE": (*parser).create, "REPLACE": (*parser).create, "ALTER": (*parser).alter,
		"DROP": (*parser).drop, "EXPLAIN": (*parser).explain, "DESCRIBE": (*parser).describeObject, "DESC": (*parser).describeObject,
		"SHOW": (*parser).show, "USE": (*parser).use, "SET": (*parser).set, "RESET": (*parser).reset, "LOAD": (*parser).loadModule,
		"UNLOAD": (*parser).unloadModule, "ADD": (*parser).jar, "REMOVE": (*parser).jar, "STOP": (*parser).stopJob,
		"ANALYZE": (*parser).analyze, "CALL": (*parser).callProcedure, "EXECUTE": (*parser).execute, "COMPILE": (*parser).compile,
		"BEGIN": (*parser).begin, "END": (*parser).endSet, "QUIT": (*parser).shell, "EXIT": (*parser).shell, "HELP": (*parser).shell,
		"CLEAR": (*parser).shell,
	}
}

// statement takes one statement without its semicolon.
func (p *parser) statement() ast.Statement {
	t := p.tok()
	if p.at("(") {
		return p.queryStatement()
	}
	f := starters[t.kw]
	if t.kind != tWord || f == nil {
		for _, w := range starterWords {
			p.note(w)
		}
		p.fail("a statement")
		return &ast.Shell{Pos: t.pos}
	}
	if !p.enter() {
		return &ast.Shell{Pos: t.pos}
	}
	defer p.leave()
	return f(p)
}

var starterWords = []string{"SELECT", "INSERT", "CREATE", "SHOW", "SET", "WITH", "EXPLAIN", "DESCRIBE", "ALTER", "DROP", "USE", "VALUES",
	"EXECUTE", "RESET", "UPDATE", "DELETE", "TRUNCATE", "COMPILE", "LOAD", "UNLOAD", "ADD", "REMOVE", "STOP", "ANALYZE", "CALL", "BEGIN",
	"END", "REPLACE", "QUIT", "EXIT", "HELP", "CLEAR"}

func (p *parser) queryStatement() ast.Statement {
	return &ast.QueryStmt{Pos: p.tok().pos, Query: p.query()}
}

func (p *parser) insert() ast.Statement {
	s := &ast.Insert{Pos: p.tok().pos}
	p.next()
	s.Overwrite = p.one("INTO", "OVERWRITE") == "OVERWRITE"
	if p.at("TABLE") && (p.peek(1).kind == tWord || p.peek(1).kind == tQuoted) {
		p.next() // INSERT OVERWRITE TABLE t, as in Hive
	}
	s.Table = p.path("the name of a table")
	s.Hints = p.hints()
	if p.is("PARTITION") {
		p.next()
		s.Partition = p.partition()
	}
	if p.at("(") && (p.peek(1).kind == tWord || p.peek(1).kind == tQuoted) && !p.insertQueryNext() {
		p.next()
		for {
			s.Columns = append(s.Columns, p.path("the name of a column"))
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
	}
	s.Source = p.query()
	if p.acceptSeq("ON", "CONFLICT") {
		p.expect("DO")
		s.OnConflict = map[string]ast.ConflictAction{"ERROR": ast.ConflictError, "NOTHING": ast.ConflictNothing,
			"DEDUPLICATE": ast.ConflictDeduplicate}[p.one("ERROR", "NOTHING", "DEDUPLICATE")]
	}
	return s
}

// insertQueryNext reports whether the parenthesis at hand opens a query.
func (p *parser) insertQueryNext() bool {
	p.i++
	defer func() { p.i-- }()
	return p.atQuery()
}

// partition takes (a = 1, b).
func (p *parser) partition() []ast.PartitionValue {
	var list []ast.PartitionValue
	p.expect("(")
	for {
		v := ast.PartitionValue{Pos: p.tok().pos, Column: p.name("the name of a column")}
		if p.accept("=") {
			v.Value = p.expr()
		}
		list = append(list, v)
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return list
}

func (p *parser) update() ast.Statement {
	s := &ast.Update{Pos: p.tok().pos}
	p.next()
	s.Table = p.path("the name of a table")
	s.Hints = p.hints()
	s.Alias = p.alias()
	p.expect("SET")
	for {
		a := ast.Assignment{Pos: p.tok().pos, Column: p.path("the name of a column")}
		p.expect("=")
		a.X = p.expr()
		s.Set = append(s.Set, a)
		if !p.accept(",") {
			break
		}
	}
	if p.accept("WHERE") {
		s.Where = p.expr()
	}
	return s
}

func (p *parser) delete() ast.Statement {
	s := &ast.Delete{Pos: p.tok().pos}
	p.next()
	p.expect("FROM")
	s.Table = p.path("the name of a table")
	s.Hints = p.hints()
	s.Alias = p.alias()
	if p.accept("WHERE") {
		s.Where = p.expr()
	}
	return s
}

func (p *parser) truncate() ast.Statement {
	s := &ast.Truncate{Pos: p.tok().pos}
	p.next()
	p.expect("TABLE")
	s.Table = p.path("the name of a table")
	return s
}

func (p *parser) explain() ast.Statement {
	s := &ast.Explain{Pos: p.tok().pos}
	p.next()
	switch {
	case p.acceptSeq("PLAN", "FOR"):
	case p.at("ESTIMATED_COST"), p.at("CHANGELOG_MODE"), p.at("PLAN_ADVICE"), p.at("JSON_EXECUTION_PLAN"):
		for {
			t := p.tok()
			s.Details = append(s.Details, ast.Name{Pos: t.pos,
				Text: p.one("ESTIMATED_COST", "CHANGELOG_MODE", "PLAN_ADVICE", "JSON_EXECUTION_PLAN")})
			if !p.accept(",") {
				break
			}
		}
	}
	s.Statement = p.inner()
	return s
}

// inner takes the statement or statement set that EXPLAIN, EXECUTE and COMPILE are about.
func (p *parser) inner() ast.Statement {
	if p.is("STATEMENT") {
		return p.statementSet(p.tok().pos)
	}
	return p.statement()
}

// statementSet takes STATEMENT SET BEGIN ...; END.
func (p *parser) statementSet(pos ast.Pos) ast.Statement {
	s := &ast.StatementSet{Pos: pos}
	p.expect("STATEMENT", "SET", "BEGIN")
	for !p.is("END") && p.err == nil {
		s.Statements = append(s.Statements, p.statement())
		p.expect(";")
	}
	p.expect("END")
	return s
}

func (p *parser) execute() ast.Statement {
	pos := p.tok().pos
	p.next()
	if p.is("STATEMENT") {
		return p.statementSet(pos)
	}
	if p.at("PLAN") && p.peek(1).kind == tString {
		p.next()
		return &ast.ExecutePlan{Pos: pos, Path: p.plainString("the path of a plan")}
	}
	p.note("PLAN")
	return &ast.Execute{Pos: pos, Statement: p.statement()}
}

func (p *parser) compile() ast.Statement {
	s := &ast.CompilePlan{Pos: p.tok().pos}
	p.next()
	if p.accept("AND") {
		p.expect("EXECUTE")
		s.Execute = true
	}
	p.expect("PLAN")
	s.Path = p.plainString("the path of a plan")
	s.IfNotExists = p.ifNotExists()
	p.expect("FOR")
	s.Statement = p.inner()
	return s
}

func (p *parser) begin() ast.Statement {
	s := &ast.BeginStatementSet{Pos: p.tok().pos}
	p.next()
	p.expect("STATEMENT", "SET")
	return s
}

func (p *parser) endSet() ast.Statement {
	s := &ast.EndStatementSet{Pos: p.tok().pos}
	p.next()
	return s
}

func (p *parser) shell() ast.Statement {
	s := &ast.Shell{Pos: p.tok().pos, Command: p.tok().kw}
	p.next()
	return s
}

// set takes SET, SET 'key' = 'value' and SET key = value, where the value is everything up to the semicolon.
func (p *parser) set() ast.Statement {
	s := &ast.Set{Pos: p.tok().pos}
	p.next()
	if p.atEnd() {
		return s
	}
	s.Key, s.KeyPos = p.settingKey()
	p.expect("=")
	if p.tok().kind == tString {
		v := p.plainString("the value of an option")
		s.Value, s.ValuePos = v.Text, v.Pos
		return s
	}
	s.Value, s.ValuePos = p.raw("")
	if s.Value == "" {
		p.note("a value")
		p.fail("a value")
	}
	return s
}

func (p *parser) atEnd() bool { return p.tok().kind == tEOF || p.at(";") }

func (p *parser) settingKey() (string, ast.Pos) {
	if p.tok().kind == tString {
		t := p.tok()
		k := p.plainString("the key of an option")
		if k.Text == "" {
			p.failAt(t, "the key of an option cannot be empty")
		}
		return k.Text, k.Pos
	}
	key, pos := p.raw("=")
	if key == "" {
		p.note("the key of an option")
		p.fail("the key of an option")
	}
	return key, pos
}

// raw takes the text up to the stop word or the end of the statement as it is written.
func (p *parser) raw(stop string) (string, ast.Pos) {
	first := p.tok()
	end := first.pos.Offset
	for !p.atEnd() && (stop == "" || !p.at(stop)) {
		end = p.tok().end
		p.next()
	}
	return strings.TrimSpace(p.src[first.pos.Offset:end]), first.pos
}

func (p *parser) reset() ast.Statement {
	s := &ast.Reset{Pos: p.tok().pos}
	p.next()
	if !p.atEnd() {
		s.Key, s.KeyPos = p.settingKey()
	}
	return s
}

func (p *parser) use() ast.Statement {
	s := &ast.Use{Pos: p.tok().pos}
	p.next()
	named := p.peek(1).kind == tWord || p.peek(1).kind == tQuoted
	switch {
	case p.is("CATALOG") && named:
		p.next()
		s.Kind = ast.UseCatalog
		s.Name = ast.Path{p.name("the name of a catalog")}
	case p.is("MODULES") && named:
		p.next()
		s.Kind = ast.UseModules
		for {
			s.Modules = append(s.Modules, p.name("the name of a module"))
			if !p.accept(",") {
				break
			}
		}
	default:
		s.Name = p.path("the name of a database")
	}
	return s
}

func (p *parser) loadModule() ast.Statement {
	s := &ast.LoadModule{Pos: p.tok().pos}
	p.next()
	p.expect("MODULE")
	s.Name = p.name("the name of a module")
	s.Options = p.withOptions()
	return s
}

func (p *parser) unloadModule() ast.Statement {
	s := &ast.UnloadModule{Pos: p.tok().pos}
	p.next()
	p.expect("MODULE")
	s.Name = p.name("the name of a module")
	return s
}

func (p *parser) jar() ast.Statement {
	s := &ast.Jar{Pos: p.tok().pos, Remove: p.at("REMOVE")}
	p.next()
	p.expect("JAR")
	if p.tok().kind == tString || p.atEnd() {
		s.Path = p.plainString("the path of a JAR")
	} else {
		s.Path.Text, s.Path.Pos = p.raw("")
	}
	return s
}

func (p *parser) stopJob() ast.Statement {
	s := &ast.StopJob{Pos: p.tok().pos}
	p.next()
	p.expect("JOB")
	s.Job = p.plainString("the id of a job")
	for p.accept("WITH") {
		if p.one("SAVEPOINT", "DRAIN") == "DRAIN" {
			s.WithDrain = true
		} else {
			s.WithSavepoint = true
		}
	}
	return s
}

func (p *parser) analyze() ast.Statement {
	s := &ast.Analyze{Pos: p.tok().pos}
	p.next()
	p.expect("TABLE")
	s.Table = p.path("the name of a table")
	if p.accept("PARTITION") {
		s.Partition = p.partition()
	}
	p.expect("COMPUTE", "STATISTICS")
	if p.accept("FOR") {
		if p.acceptSeq("ALL", "COLUMNS") {
			s.AllColumns = true
			return s
		}
		p.expect("COLUMNS")
		for {
			s.Columns = append(s.Columns, p.name("the name of a column"))
			if !p.accept(",") {
				break
			}
		}
	}
	return s
}

func (p *parser) callProcedure() ast.Statement {
	s := &ast.CallProcedure{Pos: p.tok().pos}
	p.next()
	s.Call = p.tableCall()
	return s
}
