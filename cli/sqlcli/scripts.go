// Package sqlcli gives the command line its SQL. It is a package of its own so that the binary of a job written in Go does not carry SQL.
package sqlcli

import (
	"io"

	"github.com/flottio/flott/cli"
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/connector/all"
	"github.com/flottio/flott/sql"
)

// Main is the main function of a binary that runs scripts as flott sql does, with functions of its own. It does not return.
func Main(functions ...sql.Function) { cli.SQLMain(Scripts(functions...)) }

// Scripts is SQL for cli.Flott.
func Scripts(functions ...sql.Function) cli.Scripts {
	return cli.Scripts{Options: sql.Options(), Open: func(base map[string]string) cli.ScriptSession {
		return session{sql.NewSession(sql.SessionOptions{Connectors: all.Tables, Config: base, Functions: functions})}
	}}
}

// session is a session for the command line.
type session struct{ s *sql.Session }

// Prepare implements cli.ScriptSession.
func (s session) Prepare(script string) ([]cli.Statement, error) {
	steps, err := s.s.Prepare(script)
	if err != nil {
		return nil, err
	}
	width := s.s.ColumnWidth()
	out := make([]cli.Statement, len(steps))
	for i, step := range steps {
		out[i] = cli.Statement{Output: step.Output, Notices: step.Notices}
		if j := step.Job; j != nil {
			out[i].Job = &cli.StatementJob{Name: j.Name, Build: j.Build, Configure: j.Configure}
			if j.Columns != nil {
				out[i].Job.Print = printer(j, width)
			}
		}
	}
	return out, nil
}

// printer prints the rows of a query as they come.
func printer(j *sql.Job, width int) func(io.Writer) func() error {
	return func(w io.Writer) func() error {
		t := sql.NewTableau(w, j.Columns, j.Kinds, width)
		j.OnRows(func(b *column.Batch) error { return t.Write(b) })
		return t.End
	}
}
