// Package sqlcli is the command line of SQL: what flott sql runs, and Main for a binary that has functions of its own. It is apart from cli, which
// every job links.
package sqlcli

import (
	"io"

	"github.com/flottio/flott/cli"
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/config"
	"github.com/flottio/flott/connector/all"
	"github.com/flottio/flott/sql"
)

// Main is the main function of a binary that runs scripts as flott sql does, with functions of its own. It does not return.
func Main(functions ...sql.Function) { cli.RunScripts(scripts{functions}) }

// Flott is the main function of the flott binary. It does not return.
func Flott() { cli.Flott(scripts{}) }

// scripts implements cli.Scripts.
type scripts struct{ functions []sql.Function }

// Options implements cli.Scripts.
func (s scripts) Options() []config.Described { return sql.Options() }

// Session implements cli.Scripts.
func (s scripts) Session(base map[string]string) cli.ScriptSession {
	return session{sql.NewSession(sql.SessionOptions{Connectors: all.Tables, Config: base, Functions: s.functions})}
}

type session struct{ s *sql.Session }

// Prepare implements cli.ScriptSession.
func (s session) Prepare(text string) ([]cli.ScriptStep, error) {
	list, err := s.s.Prepare(text)
	if err != nil {
		return nil, err
	}
	steps := make([]cli.ScriptStep, len(list))
	for i, x := range list {
		steps[i] = cli.ScriptStep{Output: x.Output, Notices: x.Notices}
		if x.Job != nil {
			steps[i].Job = s.job(x.Job)
		}
	}
	return steps, nil
}

func (s session) job(j *sql.Job) *cli.ScriptJob {
	out := &cli.ScriptJob{Name: j.Name, Build: j.Build, Configure: func(c *config.Set) { j.Configure(c) }}
	if j.Columns != nil {
		out.Print = func(w io.Writer) func() error {
			tableau := sql.NewTableau(w, j.Columns, j.Kinds, s.s.ColumnWidth())
			j.OnRows(func(b *column.Batch) error { return tableau.Write(b) })
			return tableau.End
		}
	}
	return out
}
