package sql

import (
	"github.com/flottio/flott"
	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/catalog"
	"github.com/flottio/flott/sql/internal/physical"
	"github.com/flottio/flott/sql/internal/plan"
)

// explain carries out EXPLAIN: the tree as it was bound, after the rules and physical planning, and as operators of the graph.
func (p *preparation) explain(st *ast.Explain, step *Step) error {
	modes := false
	for _, d := range st.Details {
		switch d.Text {
		case "CHANGELOG_MODE":
			modes = true
		case "ESTIMATED_COST", "PLAN_ADVICE": // there are no costs, and no advice
		default:
			return catalog.Errorf(d.Pos, "EXPLAIN %s is not supported yet", d.Text)
		}
	}
	roots, err := p.explained(st.Statement)
	if err != nil {
		return err
	}
	set, err := p.settings()
	if err != nil {
		return err
	}
	physicalPlan, err := physical.New(optimized(roots), set)
	if err != nil {
		return err
	}
	step.Output = "== Abstract Syntax Tree ==\n" + physical.Logical(roots) + "\n== Optimized Physical Plan ==\n" + physicalPlan.Explain(modes)
	env := flott.NewEnv()
	if err := physicalPlan.Build(env); err != nil {
		step.Notices = append(step.Notices, err.Error())
	}
	step.Output += "\n== Optimized Execution Plan ==\n" + physicalPlan.Explain(false)
	return nil
}

// explained are the logical plans of a statement.
func (p *preparation) explained(st ast.Statement) ([]plan.Node, error) {
	switch st := st.(type) {
	case *ast.Insert:
		return p.inserts([]ast.Statement{st})
	case *ast.StatementSet:
		return p.inserts(st.Statements)
	case *ast.Execute:
		return p.explained(st.Statement)
	case *ast.QueryStmt:
		b, err := p.binder()
		if err != nil {
			return nil, err
		}
		n, err := b.Query(st.Query)
		if err != nil {
			return nil, err
		}
		return []plan.Node{&physical.Collect{Input: n, To: &result{}}}, nil
	}
	return nil, catalog.Errorf(st.Position(), "EXPLAIN takes a query, INSERT or a statement set")
}
