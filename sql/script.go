package sql

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/flottio/flott"
	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/catalog"
	"github.com/flottio/flott/sql/internal/parse"
	"github.com/flottio/flott/sql/internal/physical"
	"github.com/flottio/flott/sql/internal/plan"
	"github.com/flottio/flott/sql/table"
)

// Step is one statement of a script, ready: its effects on the session are there, and its job, if it has one, is planned.
type Step struct {
	// Statement is its text, Line where it begins.
	Statement string
	Line      int
	// Output is what it prints before its job runs; "" for nothing.
	Output string
	// Notices are about what was accepted but does nothing.
	Notices []string
	Job     *Job
}

// ScriptError is everything wrong with a script. Nothing of it runs.
type ScriptError struct{ Problems []error }

// Error lists the problems with the lines they are about.
func (e *ScriptError) Error() string {
	parts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		parts[i] = p.Error()
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return fmt.Sprintf("the script has %d problems:\n%s", len(parts), strings.Join(parts, "\n"))
}

// Unwrap gives the problems.
func (e *ScriptError) Unwrap() []error { return e.Problems }

// Prepare reads all statements of a script, carries out what concerns the session, and plans the jobs: nothing is started. An error is a
// *ScriptError with all problems; the session is then as if the statements before had been carried out.
func (s *Session) Prepare(script string) ([]*Step, error) {
	p := &preparation{Session: s, script: script}
	list, err := parse.Script(script)
	if err != nil {
		p.fail(err, ast.Pos{})
	}
	for i := 0; i < len(list); i++ {
		st := list[i]
		if begin, ok := st.Statement.(*ast.BeginStatementSet); ok {
			st, i = p.gather(begin, list, i)
		}
		p.pos = st.Position()
		step := &Step{Statement: script[st.Start:st.End], Line: int(st.Position().Line)}
		if err := p.statement(st.Statement, step); err != nil {
			p.fail(err, st.Position())
			continue
		}
		p.steps = append(p.steps, step)
	}
	if len(p.together) > 0 && len(p.problems) == 0 {
		step := &Step{Statement: "INSERT ...", Line: int(p.pos.Line)}
		if step.Job, err = p.job(p.together); err != nil {
			p.fail(err, p.pos)
		}
		p.steps = append(p.steps, step)
	}
	if len(p.problems) > 0 {
		return nil, &ScriptError{p.problems}
	}
	return p.steps, nil
}

// preparation is one script on its way through a session.
type preparation struct {
	*Session
	script   string
	pos      ast.Pos // of the statement
	steps    []*Step
	problems []error
	// together are the INSERTs that nobody waits for: they run at the end, as one job.
	together []plan.Node
}

// fail notes what is wrong with a statement, each problem with its line.
func (p *preparation) fail(err error, at ast.Pos) {
	var mistakes parse.Errors
	var mistake *parse.Error
	var bound catalog.Errors
	var one *catalog.Error
	switch {
	case errors.As(err, &mistakes):
		for _, m := range mistakes {
			p.problems = append(p.problems, m)
		}
	case errors.As(err, &mistake):
		p.problems = append(p.problems, mistake)
	case errors.As(err, &bound):
		for _, e := range bound {
			p.problems = append(p.problems, rendered{e, e.Render(p.script)})
		}
	case errors.As(err, &one):
		p.problems = append(p.problems, rendered{one, one.Render(p.script)})
	default:
		p.problems = append(p.problems, rendered{err, catalog.Errorf(at, "%v", err).Render(p.script)})
	}
}

// rendered is an error with the line it is about.
type rendered struct {
	err  error
	text string
}

// Error implements error.
func (r rendered) Error() string { return r.text }

// Unwrap gives the error itself.
func (r rendered) Unwrap() error { return r.err }

// gather joins the statements between BEGIN STATEMENT SET and END to one.
func (p *preparation) gather(begin *ast.BeginStatementSet, list []parse.Statement, at int) (parse.Statement, int) {
	set := &ast.StatementSet{Pos: begin.Pos}
	end := at
	for i := at + 1; i < len(list); i++ {
		end = i
		if _, ok := list[i].Statement.(*ast.EndStatementSet); ok {
			break
		}
		set.Statements = append(set.Statements, list[i].Statement)
	}
	return parse.Statement{Statement: set, Start: list[at].Start, End: list[end].End}, end
}

// statement carries out what a statement does to the session, and plans what it runs.
func (p *preparation) statement(st ast.Statement, step *Step) error {
	switch st := st.(type) {
	case *ast.Set:
		return p.setOption(st, step)
	case *ast.Reset:
		p.reset(st.Key)
		return nil
	case *ast.Use:
		return p.use(st)
	case *ast.Show:
		return p.show(st, step)
	case *ast.Describe:
		return p.describe(st, step)
	case *ast.Explain:
		return p.explain(st, step)
	case *ast.Execute:
		return p.statement(st.Statement, step)
	case *ast.QueryStmt:
		return p.query(st, step)
	case *ast.Insert:
		return p.insert([]ast.Statement{st}, step)
	case *ast.StatementSet:
		return p.insert(st.Statements, step)
	case *ast.Shell:
		return nil
	case *ast.CreateTable, *ast.CreateView, *ast.CreateDatabase, *ast.CreateCatalog, *ast.CreateFunction, *ast.Drop, *ast.Alter:
		return p.apply(st, step)
	}
	b, err := p.binder()
	if err != nil {
		return err
	}
	_, err = b.Apply(st)
	if err == nil {
		err = catalog.Errorf(st.Position(), "this statement is not supported yet")
	}
	return err
}

func (p *preparation) setOption(st *ast.Set, step *Step) error {
	if st.Key == "" {
		step.Output = p.showOptions()
		return nil
	}
	notice, err := p.put(st.Key, st.Value)
	if err != nil {
		return catalog.Errorf(st.KeyPos, "%v", err)
	}
	if notice != "" {
		step.Notices = append(step.Notices, fmt.Sprintf("line %d: SET '%s': %s", st.Line, st.Key, notice))
	}
	return nil
}

func (p *preparation) use(st *ast.Use) error {
	var err *catalog.Error
	switch st.Kind {
	case ast.UseCatalog:
		err = p.names.UseCatalog(st.Name.Last())
	case ast.UseDatabase:
		err = p.names.UseDatabase(st.Name)
	default:
		err = catalog.Errorf(st.Pos, "USE MODULES is not supported yet")
	}
	if err != nil {
		return err
	}
	return nil
}

// apply carries out a statement about the catalog; CREATE TABLE AS has a job as well.
func (p *preparation) apply(st ast.Statement, step *Step) error {
	b, err := p.binder()
	if err != nil {
		return err
	}
	run, err := b.Apply(st)
	if err != nil || run == nil {
		return err
	}
	step.Job, err = p.job([]plan.Node{run})
	return err
}

func (p *preparation) query(st *ast.QueryStmt, step *Step) error {
	b, err := p.binder()
	if err != nil {
		return err
	}
	n, err := b.Query(st.Query)
	if err != nil {
		return err
	}
	r := &result{}
	step.Job, err = p.job([]plan.Node{&physical.Collect{Input: n, To: r}})
	if err != nil {
		return err
	}
	step.Job.result, step.Job.Name = r, "collect"
	step.Job.Kinds = get(p.Session, RuntimeMode) != "BATCH"
	step.Job.Updates = !step.Job.plan.InsertOnly()
	for _, f := range n.Schema() {
		step.Job.Columns = append(step.Job.Columns, table.Column{Name: f.Name, Type: f.Type})
	}
	return nil
}

// inserts binds the INSERTs of a statement set.
func (p *preparation) inserts(list []ast.Statement) ([]plan.Node, error) {
	var roots []plan.Node
	var all catalog.Errors
	for _, st := range list {
		insert, ok := st.(*ast.Insert)
		if !ok {
			all = append(all, catalog.Errorf(st.Position(), "a statement set holds INSERT statements only"))
			continue
		}
		b, err := p.binder()
		if err != nil {
			return nil, err
		}
		n, err := b.Insert(insert)
		var errs catalog.Errors
		switch {
		case errors.As(err, &errs):
			all = append(all, errs...)
		case err != nil:
			return nil, err
		default:
			roots = append(roots, n)
		}
	}
	if len(all) > 0 {
		return nil, all
	}
	if len(roots) == 0 {
		return nil, catalog.Errorf(p.pos, "the statement set is empty")
	}
	return roots, nil
}

func (p *preparation) insert(list []ast.Statement, step *Step) error {
	roots, err := p.inserts(list)
	if err != nil {
		return err
	}
	if !get(p.Session, DMLSync) {
		p.together = append(p.together, roots...)
		return nil
	}
	step.Job, err = p.job(roots)
	return err
}

// optimized are logical plans after the rules.
func optimized(roots []plan.Node) []plan.Node {
	out := make([]plan.Node, len(roots))
	for i, r := range roots {
		out[i] = plan.Optimize(r)
	}
	return out
}

// job plans one job, and builds it once to see that it can be.
func (p *preparation) job(roots []plan.Node) (*Job, error) {
	set, err := p.settings()
	if err != nil {
		return nil, err
	}
	j := &Job{Name: jobName(roots), Config: maps.Clone(p.set)}
	if j.plan, err = physical.New(optimized(roots), set); err != nil {
		return nil, err
	}
	return j, j.plan.Build(flott.NewEnv())
}

// jobName is Flink's name for a job.
func jobName(roots []plan.Node) string {
	name := "insert-into"
	for i, r := range roots {
		if s, ok := r.(*plan.Sink); ok {
			sep := "_"
			if i > 0 {
				sep = ","
			}
			name += sep + s.Table.Catalog + "." + s.Table.Database + "." + s.Table.Name
		}
	}
	return name
}
