package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/config"
	"github.com/flottio/flott/connector/all"
	"github.com/flottio/flott/connector/values"
	"github.com/flottio/flott/sql"
	"github.com/flottio/flott/sql/table"
)

// quiet is the log of the jobs.
var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// longest is how long one job may take.
const longest = 20 * time.Second

// stageError says at which stage a statement failed.
type stageError struct {
	running bool // otherwise it was refused
	err     error
}

// Error implements error.
func (e *stageError) Error() string { return e.err.Error() }

// Unwrap gives the cause.
func (e *stageError) Unwrap() error { return e.err }

// panicError is a panic of the engine, by its first line.
type panicError struct{ text, place string }

// Error implements error.
func (e *panicError) Error() string { return "panic: " + e.text + " at " + e.place }

// guarded runs f and makes an error of a panic.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{text: fmt.Sprint(p), place: panicPlace(string(debug.Stack()))}
		}
	}()
	return f()
}

// panicPlace is the first line of the engine in a stack.
func panicPlace(stack string) string {
	_, stack, _ = strings.Cut(stack, "panic(")
	for line := range strings.Lines(stack) {
		if line = strings.TrimSpace(line); strings.Contains(line, ".go:") && !strings.Contains(line, "/runtime/") {
			line, _, _ = strings.Cut(line, " ")
			return line[strings.LastIndexByte(line, '/')+1:]
		}
	}
	return "an unknown place"
}

// isUnsupported reports whether the parser or planner said that it does not know something, rather than that it is wrong.
func isUnsupported(err error) bool {
	var stage *stageError
	if errors.As(err, &stage) && stage.running || errors.As(err, new(*panicError)) {
		return false
	}
	text := err.Error()
	return strings.Contains(text, "not supported yet") || strings.Contains(text, "there is no function") || strings.Contains(text, "not built yet")
}

// message is an error without the source lines beneath it.
func message(err error) string {
	text := err.Error()
	if first, rest, ok := strings.Cut(text, "\n"); ok && strings.HasPrefix(first, "the script has ") {
		text = rest
	}
	if i := strings.Index(text, "\n  "); i > 0 {
		text = text[:i]
	}
	return text
}

// verdictOf is the verdict for an error that was not expected.
func verdictOf(err error) (verdict, string) {
	if isUnsupported(err) {
		return unsupported, message(err)
	}
	return fail, message(err)
}

// feed is the rows of a table of a case: they are converted when the table's types are known.
type feed struct {
	rows    []feedRow
	pause   int // after so many rows; 0: never, -1: before the first
	changes table.Mode
}

type feedRow struct {
	kind   string
	values []any
}

// cases is the connector of the cases' tables: 'values', with rows from a file.
type cases struct {
	feeds map[string]*feed
	sinks map[string]*target
}

// target is a sink of a case.
type target struct {
	table *values.Table
	def   *table.Definition
}

func (c *cases) Name() string            { return "values" }
func (c *cases) Options() []table.Option { return values.Factory{}.Options() }

// definition leaves out options that are about Flink's own test connector.
func (c *cases) definition(d *table.Definition) *table.Definition {
	known := map[string]bool{"connector": true}
	for _, o := range c.Options() {
		known[o.Key] = true
	}
	copied := *d
	copied.Options = maps.Clone(d.Options)
	maps.DeleteFunc(copied.Options, func(k, _ string) bool { return !known[k] })
	return &copied
}

func nameOf(d *table.Definition) string { return d.Path[strings.LastIndexByte(d.Path, '.')+1:] }

// Source implements table.SourceFactory.
func (c *cases) Source(d *table.Definition) (table.Source, error) {
	f := c.feeds[nameOf(d)]
	if f == nil {
		return nil, fmt.Errorf("the case has no rows for table %s", nameOf(d))
	}
	t := &values.Table{PauseAfter: max(f.pause, 0), Changes: f.changes}
	own := c.definition(d)
	if f.pause < 0 { // nothing comes before the pause
		own.Options["bounded"] = "false"
	}
	for _, r := range f.rows[:f.shown()] {
		row, err := f.convert(r, d)
		if err != nil {
			return nil, err
		}
		t.Rows = append(t.Rows, row)
	}
	return values.Factory{Tables: map[string]*values.Table{nameOf(d): t}}.Source(own)
}

// shown is how many rows the table has in this run.
func (f *feed) shown() int {
	if f.pause < 0 {
		return 0
	}
	return len(f.rows)
}

// convert makes a row of the table's types.
func (f *feed) convert(r feedRow, d *table.Definition) (values.Row, error) {
	kind, ok := kinds[cmp.Or(r.kind, "+I")]
	if !ok {
		return values.Row{}, fmt.Errorf("a row of the case has the kind %q", r.kind)
	}
	out := values.Row{Kind: kind}
	types := make([]column.Type, 0, len(d.Columns))
	for _, c := range d.Columns {
		types = append(types, c.Type)
	}
	for _, m := range d.Metadata {
		types = append(types, m.Type)
	}
	if len(types) != len(r.values) {
		return out, fmt.Errorf("a row of the case has %d values, table %s %d columns", len(r.values), d.Path, len(types))
	}
	for i, x := range r.values {
		v, err := valueOf(x, types[i])
		if err != nil {
			return out, err
		}
		out.Values = append(out.Values, v)
	}
	return out, nil
}

// Sink implements table.SinkFactory.
func (c *cases) Sink(d *table.Definition, query table.Mode) (table.Sink, error) {
	t := c.sinks[nameOf(d)]
	if t == nil {
		return nil, fmt.Errorf("the case has no sink %s", nameOf(d))
	}
	t.def = d
	t.table.TakesAll = len(d.PrimaryKey) == 0
	t.table.Changes = table.Upsert
	return values.Factory{Tables: map[string]*values.Table{nameOf(d): t.table}}.Sink(c.definition(d), query)
}

// open returns a session over the case's tables.
func (c *cases) open(options map[string]string) *sql.Session {
	return sql.NewSession(sql.SessionOptions{Connectors: all.Tables.With(c), Config: options})
}

// prepare reads statements, which may have one job.
func prepare(s *sql.Session, script string) (job *sql.Job, err error) {
	var steps []*sql.Step
	err = guarded(func() (err error) { steps, err = s.Prepare(script); return err })
	if err != nil {
		return nil, &stageError{err: err}
	}
	for _, step := range steps {
		if step.Job != nil {
			job = step.Job
		}
	}
	return job, nil
}

// result is the rows of a query.
type result struct {
	columns []table.Column
	rows    []values.Row
}

// query runs a query to its end.
func query(s *sql.Session, text string) (*result, error) {
	job, err := prepare(s, text)
	if err != nil {
		return nil, err
	}
	if job == nil {
		return nil, errors.New("the statement is no query")
	}
	r := &result{columns: job.Columns}
	job.OnRows(func(b *column.Batch) error {
		for i := range b.N {
			row := values.Row{Kind: b.Kind(i), Values: b.Row(i)}
			for k := range row.Values {
				row.Values[k] = column.CloneValue(row.Values[k])
			}
			r.rows = append(r.rows, row)
		}
		return nil
	})
	run, err := start(job, nil)
	if err != nil {
		return nil, &stageError{err: err}
	}
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	if _, err := run.Run(ctx); err != nil {
		return nil, &stageError{running: true, err: err}
	}
	return r, nil
}

// start draws a job's graph.
func start(job *sql.Job, options map[string]string) (run *flott.Job, err error) {
	err = guarded(func() (err error) {
		cfg := config.New(sql.Options()...)
		job.Configure(cfg)
		cfg.Define("parallelism.default=1")
		cfg.Define("restart-strategy.type=none")
		for _, k := range slices.Sorted(maps.Keys(options)) {
			cfg.Define(k + "=" + options[k])
		}
		run, err = flott.Prepare(job.Name, job.Build, cfg, quiet)
		return err
	})
	return run, err
}
