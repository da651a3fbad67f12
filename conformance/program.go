package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/connector/values"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql"
	"github.com/flottio/flott/sql/table"
)

var kinds = map[string]schema.RowKind{"+I": schema.Insert, "-U": schema.UpdateBefore, "+U": schema.UpdateAfter, "-D": schema.Delete}

// program is a line of the programs.
type program struct {
	ID, Class string
	Config    map[string]any
	SetupSQL  []string `json:"setup_sql"`
	Sources   []programTable
	Sinks     []programTable
	RunSQL    []string `json:"run_sql"`
	Fail      []struct {
		SQL       string
		Exception []any
	}
	Tier    string
	Restore bool
}

type programTable struct {
	Name, Compare      string
	Schema             []any
	Options            map[string]any
	PartitionKeys      []string         `json:"partition_keys"`
	RowsBefore         []any            `json:"rows_before"`
	RowsAfter          []any            `json:"rows_after"`
	ExpectBefore       []any            `json:"expect_before"`
	ExpectAfter        []any            `json:"expect_after"`
	ExpectMaterialized []any            `json:"expect_materialized"`
	DedupBy            []int            `json:"dedup_by"`
	Mode               map[string]any   `json:"mode"`
	Other              *json.RawMessage `json:"other"`
}

// runProgram runs a program in all the ways the recipe has for it.
func runProgram(r *report, o outcome, p *program) {
	o.ID, o.Group = p.ID, p.Class
	if p.Tier == "expect-failure" {
		o.Tier = p.Tier
		o.Verdict, o.Reason = p.runFailures()
		r.add(o)
		return
	}
	if p.Tier != "sql" {
		o.Tier, o.Verdict, o.Reason = p.Tier, skipped, "the tier needs more than SQL"
		r.add(o)
		return
	}
	ways := []struct {
		name        string
		restore     bool
		parallelism int
	}{{"plain", false, 1}, {"restore", true, 1}, {"restore at 2", true, 2}}
	for _, w := range ways {
		if w.restore && !p.Restore {
			continue
		}
		run := &programRun{program: p}
		err := guarded(func() error { return run.run(w.restore, w.parallelism) })
		exact, folded := o, o
		exact.Tier, folded.Tier = p.Tier+" "+w.name+" exact", p.Tier+" "+w.name+" folded"
		if err != nil {
			exact.Verdict, exact.Reason = verdictOfCase(err)
			exact.Reason += "\n" + strings.Join(p.RunSQL, "; ")
			folded.Verdict, folded.Reason = exact.Verdict, exact.Reason
		} else {
			exact.Verdict, exact.Reason, folded.Verdict, folded.Reason = run.judge()
		}
		r.add(exact)
		r.add(folded)
	}
}

// programRun is one run of a program.
type programRun struct {
	*program
	cases *cases
	dir   string
}

// open makes a session with the program's tables; pause ends the sources before their second part, begun leaves out nothing: a restored
// source knows its place.
func (p *programRun) open(pause bool) (*sql.Session, error) {
	if p.cases == nil {
		p.cases = &cases{sinks: map[string]*target{}}
		for _, t := range p.Sinks {
			p.cases.sinks[t.Name] = &target{table: &values.Table{}}
		}
	}
	p.cases.feeds = map[string]*feed{}
	s := p.cases.open(map[string]string{"table.local-time-zone": "UTC", "table.dml-sync": "false", "pipeline.auto-watermark-interval": "0 ms"})
	for k, v := range p.Config {
		if text, ok := optionText(v); ok {
			// Options that are not known change nothing.
			_, _ = prepare(s, fmt.Sprintf("SET '%s' = '%s'", k, text))
		}
	}
	for _, text := range p.SetupSQL {
		if _, err := prepare(s, text); err != nil {
			return nil, err
		}
	}
	for i := range p.Sources {
		t := &p.Sources[i]
		f, err := t.feed(pause)
		if err != nil {
			return nil, err
		}
		p.cases.feeds[t.Name] = f
		if _, err := prepare(s, t.ddl()); err != nil {
			return nil, err
		}
	}
	for i := range p.Sinks {
		if _, err := prepare(s, p.Sinks[i].ddl()); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// optionText is an option's value: the last word of a constant's name, a length of time, or the text itself.
func optionText(v any) (string, bool) {
	text := fmt.Sprint(v)
	if rest, ok := strings.CutPrefix(text, "Duration.of"); ok {
		unit, rest, _ := strings.Cut(rest, "(")
		return strings.TrimSuffix(rest, ")") + " " + map[string]string{"Seconds": "s", "Minutes": "min", "Millis": "ms", "Hours": "h",
			"Days": "d"}[unit], true
	}
	if strings.ContainsAny(text, "()") {
		return "", false
	}
	if i := strings.LastIndexByte(text, '.'); i >= 0 && strings.ToUpper(text[i+1:]) == text[i+1:] {
		text = text[i+1:]
	}
	return text, true
}

// elements is the table's columns and constraints in SQL; false for a table that is built by code.
func (t *programTable) elements() (text string, ok bool) {
	var parts []string
	for _, x := range t.Schema {
		part, ok := x.(string)
		if !ok {
			return "", false
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", "), true
}

func (t *programTable) ddl() string {
	elements, _ := t.elements()
	options := []string{"'connector' = 'values'"}
	for k, v := range t.Options {
		options = append(options, fmt.Sprintf("'%s' = '%v'", k, v))
	}
	slices.Sort(options)
	partition := ""
	if len(t.PartitionKeys) > 0 {
		partition = " PARTITIONED BY (" + strings.Join(t.PartitionKeys, ", ") + ")"
	}
	return "CREATE TABLE `" + t.Name + "` (" + elements + ")" + partition + " WITH (" + strings.Join(options, ", ") + ")"
}

func (t *programTable) feed(pause bool) (*feed, error) {
	f := &feed{}
	for _, x := range slices.Concat(t.RowsBefore, t.RowsAfter) {
		kind, fields, err := fieldsOf(x)
		if err != nil {
			return nil, symbolError{err.Error()}
		}
		switch kind {
		case "-U":
			f.changes = table.Retract
		case "+U", "-D":
			f.changes = max(f.changes, table.Upsert)
		}
		f.rows = append(f.rows, feedRow{kind, fields})
	}
	if text := fmt.Sprint(t.Mode); strings.Contains(text, "upsert") {
		f.changes = table.Upsert
	} else if strings.Contains(text, "all()") {
		f.changes = table.Retract
	}
	elements, ok := t.elements()
	if !ok {
		return nil, symbolError{"the columns of " + t.Name}
	}
	if f.changes == table.Upsert && !strings.Contains(strings.ToUpper(elements), "PRIMARY KEY") {
		f.changes = table.Retract
	}
	if pause {
		f.pause = len(t.RowsBefore)
		if f.pause == 0 {
			f.pause = -1
		}
	}
	return f, nil
}

// run runs the program once; restored, with a savepoint between the two parts of the input.
func (p *programRun) run(restore bool, parallelism int) error {
	options := map[string]string{}
	if restore {
		dir, err := os.MkdirTemp("", "conformance")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		path, err := p.before(dir)
		if err != nil {
			return err
		}
		options["execution.state-recovery.path"] = path
		options["parallelism.default"] = fmt.Sprint(parallelism)
	}
	s, err := p.open(false)
	if err != nil {
		return err
	}
	job, err := prepare(s, strings.Join(p.RunSQL, ";\n"))
	if err != nil {
		return err
	}
	if job == nil {
		return errors.New("the program has no job")
	}
	run, err := start(job, options)
	if err != nil {
		return &stageError{err: err}
	}
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	if _, err := run.Run(ctx); err != nil {
		return &stageError{running: true, err: err}
	}
	return nil
}

// patience is how long the first part may take until the sink has what is expected.
const patience = 3 * time.Second

// before runs the first part and stops with a savepoint.
func (p *programRun) before(dir string) (path string, err error) {
	s, err := p.open(true)
	if err != nil {
		return "", err
	}
	job, err := prepare(s, strings.Join(p.RunSQL, ";\n"))
	if err != nil {
		return "", err
	}
	if job == nil {
		return "", errors.New("the program has no job")
	}
	run, err := start(job, map[string]string{"execution.checkpointing.dir": dir, "execution.checkpointing.savepoint-dir": dir})
	if err != nil {
		return "", &stageError{err: err}
	}
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	ended := make(chan error, 1)
	go func() { _, err := run.Run(ctx); ended <- err }()
	deadline := time.After(patience)
	for waiting := true; waiting && !p.reached(); {
		select {
		case err := <-ended:
			return "", &stageError{running: true, err: fmt.Errorf("the job ended before its savepoint: %w", err)}
		case <-deadline:
			waiting = false
		case <-time.After(2 * time.Millisecond):
		}
	}
	path, err = run.StopWithSavepoint(ctx, "", false)
	if err != nil {
		cancel()
	}
	if end := <-ended; err == nil {
		err = end
	}
	if err != nil {
		return "", &stageError{running: true, err: fmt.Errorf("stopping with a savepoint: %w", err)}
	}
	return path, nil
}

// reached reports whether every sink has as many rows as the first part makes.
func (p *programRun) reached() bool {
	for _, t := range p.Sinks {
		if len(p.cases.sinks[t.Name].table.Written()) < len(t.ExpectBefore) {
			return false
		}
	}
	return true
}

// runFailures runs statements that must fail, each at its stage.
func (p *program) runFailures() (verdict, string) {
	for _, f := range p.Fail {
		run := &programRun{program: &program{ID: p.ID, Config: p.Config, SetupSQL: p.SetupSQL, Sources: p.Sources, Sinks: p.Sinks}}
		run.RunSQL = []string{f.SQL}
		stage := refusal
		if strings.Contains(fmt.Sprint(f.Exception), "Runtime") {
			stage = running
		}
		err := guarded(func() error { return run.run(false, 1) })
		if v, why := judgeFailure(stage, err); v != pass {
			return v, why + "\n" + f.SQL
		}
	}
	return pass, ""
}

// judge compares the changelogs of all sinks, exactly and folded.
func (p *programRun) judge() (exact verdict, exactWhy string, folded verdict, foldedWhy string) {
	exact, folded = pass, pass
	for i := range p.Sinks {
		t := &p.Sinks[i]
		k := p.cases.sinks[t.Name]
		got := k.table.Printed()
		want, err := t.expected(k.def)
		if err != nil {
			v, why := verdictOfCase(err)
			return v, why, v, why
		}
		onlyFolded := t.Compare == "testMaterializedData" || len(t.ExpectMaterialized) > 0
		a, b := bag(got), bag(want)
		if !slices.Equal(a, b) && !onlyFolded {
			exact, exactWhy = fail, p.difference("changelog", t, a, b)
		}
		key := t.DedupBy
		if k.def != nil && len(key) == 0 {
			key = k.def.PrimaryKey
		}
		if a, b := fold(got, key), fold(want, key); !slices.Equal(a, b) {
			folded, foldedWhy = fail, p.difference("folded", t, a, b)
			if onlyFolded {
				exact, exactWhy = folded, foldedWhy
			}
		}
	}
	return exact, exactWhy, folded, foldedWhy
}

func (p *programRun) difference(what string, t *programTable, got, want []string) string {
	return fmt.Sprintf("%s of a sink: got %v\nwant %v\nin %s: %s", what, got, want, t.Name, strings.Join(p.RunSQL, "; "))
}

// expected is the whole changelog as text.
func (t *programTable) expected(d *table.Definition) ([]string, error) {
	list := slices.Concat(t.ExpectBefore, t.ExpectAfter)
	if len(t.ExpectMaterialized) > 0 {
		list = t.ExpectMaterialized
	}
	var out []string
	for _, x := range list {
		if text, ok := x.(string); ok {
			out = append(out, text)
			continue
		}
		text, err := expectedRow(x, d)
		if err != nil {
			return nil, symbolError{err.Error()}
		}
		out = append(out, text)
	}
	return out, nil
}

// expectedRow prints a row that is given as values.
func expectedRow(x any, d *table.Definition) (string, error) {
	if m, ok := x.(map[string]any); ok && m["raw"] != nil {
		x = m["raw"]
	}
	kind, fields, err := fieldsOf(x)
	if err != nil || d == nil || len(fields) != len(d.Columns) {
		return "", fmt.Errorf("the expected row %v is not one of the sink", x)
	}
	types := make([]column.Type, len(fields))
	vals := make([]any, len(fields))
	for i := range fields {
		types[i] = d.Columns[i].Type
		if vals[i], err = valueOf(fields[i], types[i]); err != nil {
			return "", err
		}
	}
	b := column.NewBatch(types)
	b.AppendRow(kinds[kind], vals...)
	return string(b.AppendPrinted(nil, 0)), nil
}

// bag orders rows: how they are ordered is not compared. Entries of maps have no order either.
func bag(rows []string) []string {
	out := slices.Clone(rows)
	for i := range out {
		out[i] = orderEntries(out[i])
	}
	slices.Sort(out)
	return out
}

// fold applies a changelog: by key, or as a bag.
func fold(rows []string, key []int) []string {
	var state []string
	at := map[string]string{}
	counts := map[string]int{}
	for _, r := range rows {
		r = orderEntries(r)
		kind, row := r[:min(2, len(r))], r[min(2, len(r)):]
		retracts := kind == "-U" || kind == "-D"
		if len(key) > 0 {
			parts := splitRow(row)
			var id []string
			for _, k := range key {
				if k < len(parts) {
					id = append(id, parts[k])
				}
			}
			name := strings.Join(id, "|")
			if kind == "-D" || kind == "-U" && at[name] == row {
				delete(at, name)
			} else if !retracts {
				at[name] = row
			}
			continue
		}
		if retracts {
			counts[row]--
		} else {
			counts[row]++
		}
	}
	for _, row := range at {
		state = append(state, row)
	}
	for row, n := range counts {
		for range n {
			state = append(state, row)
		}
		if n < 0 {
			state = append(state, fmt.Sprintf("%d times too often taken back: %s", -n, row))
		}
	}
	slices.Sort(state)
	return state
}

// splitRow splits "[a, b[c, d]]" at the commas of its outermost level.
func splitRow(row string) []string {
	row = strings.TrimSuffix(strings.TrimPrefix(row, "["), "]")
	return splitList(row)
}

func splitList(s string) []string {
	var out []string
	depth, from := 0, 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		case ',':
			if depth == 0 && strings.HasPrefix(s[i:], ", ") {
				out = append(out, s[from:i])
				from = i + 2
			}
		}
	}
	return append(out, s[from:])
}

// orderEntries sorts what is between braces.
func orderEntries(s string) string {
	open := strings.IndexByte(s, '{')
	if open < 0 {
		return s
	}
	depth := 0
	for i := open; i < len(s); i++ {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				parts := splitList(s[open+1 : i])
				for k := range parts {
					parts[k] = orderEntries(parts[k])
				}
				slices.Sort(parts)
				return s[:open] + "{" + strings.Join(parts, ", ") + "}" + orderEntries(s[i+1:])
			}
		}
	}
	return s
}
