package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/flottio/flott"
	"github.com/flottio/flott/config"
)

// Scripts is what runs SQL: package sqlcli has it. The zero value has no SQL.
type Scripts struct {
	// Options are the options that scripts have beside those of every job.
	Options []config.Described
	// Open begins a session with options by key, from outside of the script.
	Open func(base map[string]string) ScriptSession
}

// ScriptSession is what a script's statements see of those before them.
type ScriptSession interface {
	// Prepare checks all statements of a script and carries out what concerns the session. An error has all problems; nothing then runs.
	Prepare(script string) ([]Statement, error)
}

// Statement is a statement of a script, ready to run.
type Statement struct {
	// Output is printed before the job runs; Notices are about what was accepted and does nothing.
	Output  string
	Notices []string
	Job     *StatementJob // may be nil
}

// StatementJob is the job of a statement.
type StatementJob struct {
	Name  string
	Build func(*flott.Env)
	// Configure puts the session's options into the configuration of the run.
	Configure func(*config.Set)
	// Print is set for a query: it has the rows printed, and returns what is to be called at the end.
	Print func(io.Writer) (end func() error)
}

// SQLMain is the main function of a binary that runs scripts as flott sql does. It does not return.
func SQLMain(scripts Scripts) {
	p := process("sql")
	p.scripts = scripts
	os.Exit(int(p.sqlMain(os.Args[1:])))
}

// sqlFlags are the options of scripts, in the order of help.
func sqlFlags() []*flagSpec {
	flags := []*flagSpec{
		{long: "file", short: "f", value: "FILE", example: "job.sql", check: notEmpty, doc: "run the statements of this file, in order; - is the " +
			"standard input. All are read and checked before the first runs"},
		{long: "init", short: "i", value: "FILE", example: "init.sql", check: notEmpty, doc: "run the statements of this file before"},
		{long: "plan-restore", doc: "show what -s PATH would restore, what is new and what would be lost; nothing runs"},
	}
	for _, f := range flottFlags() {
		if f.long != "json" {
			f.verbs = nil
			flags = append(flags, f)
		}
	}
	return flags
}

// maxScriptBytes bounds a script.
const maxScriptBytes = 16 << 20

// sqlMain runs one command line of flott sql.
func (p *program) sqlMain(args []string) exitCode {
	if p.scripts.Open == nil {
		return p.refuse(usage{"this binary was built without SQL: use the command flott"})
	}
	p.described = p.scripts.Options
	table, _ := newFlagTable(append(sqlFlags(), flinkFlags()...), nil)
	a := parseArguments(args, table, p.call)
	if len(a.positional) > 0 && a.positional[0] == "help" {
		a.positional = nil
		a.given = append(a.given, givenFlag{spec: table.byName["help"], name: "--help", value: "true"})
	}
	if code, asked := p.simple("", a, func(w io.Writer) { p.sqlHelp(w, table) }); asked {
		return code
	}
	for _, extra := range a.positional {
		a.problem("unexpected argument %s; a script is named by -f: %s -f %s", extra, p.call, quoteShell(extra))
	}
	file, given := a.find("file")
	if !given {
		a.problem("say what to run: %s -f FILE (the interactive shell is not built yet)", p.call)
	}
	cfg, err := p.configure(a)
	if err == nil {
		err = cfg.Validate()
	}
	if err != nil {
		return p.refuse(err)
	}
	steps, code := p.prepareScript(a, cfg, file)
	if code != exitOK {
		return code
	}
	return p.runScript(a, steps)
}

// prepareScript reads the files and checks all of their statements.
func (p *program) prepareScript(a *arguments, cfg *config.Set, file string) ([]Statement, exitCode) {
	base := map[string]string{}
	for _, e := range cfg.Entries() {
		base[e.Key] = e.Value
	}
	session := p.scripts.Open(base)
	var steps []Statement
	for _, name := range []string{fromFlag(a, "init"), file} {
		if name == "" {
			continue
		}
		text, err := p.readScript(name)
		if err != nil {
			return nil, p.refuse(err)
		}
		list, err := session.Prepare(text)
		if err != nil {
			fmt.Fprintf(p.stderr, "%s: %v\nNothing was started.\n", name, err)
			return nil, exitRefused
		}
		steps = append(steps, list...)
	}
	return steps, exitOK
}

func fromFlag(a *arguments, name string) string {
	v, _ := a.find(name)
	return v
}

func (p *program) readScript(name string) (string, error) {
	in := io.Reader(os.Stdin)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", fmt.Errorf("reading the script: %w", err)
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxScriptBytes+1))
	if err == nil && len(text) > maxScriptBytes {
		err = fmt.Errorf("it has more than %d bytes", maxScriptBytes)
	}
	if err != nil {
		return "", fmt.Errorf("reading the script %s: %w", name, err)
	}
	return string(text), nil
}

// runScript prints and runs the statements in order, up to the first that fails.
func (p *program) runScript(a *arguments, steps []Statement) exitCode {
	jobs := 0
	for _, step := range steps {
		if step.Job != nil && step.Job.Print == nil {
			jobs++
		}
	}
	if _, restore := a.find("fromSavepoint"); restore && jobs > 1 {
		return p.refuse(usage{fmt.Sprintf("-s: the script has %d jobs, and a snapshot is of one: put SET 'execution.state-recovery.path' = '...' "+
			"before the statement it is for, or the statements into one statement set", jobs)})
	}
	_, planOnly := a.find("plan-restore")
	for _, step := range steps {
		for _, n := range step.Notices {
			fmt.Fprintf(p.stderr, "note: %s\n", n)
		}
		if !planOnly {
			fmt.Fprint(p.stdout, step.Output)
		}
		if step.Job == nil || planOnly && step.Job.Print != nil {
			continue
		}
		if code := p.runStep(a, step.Job, planOnly); code != exitOK {
			return code
		}
	}
	return exitOK
}

// runStep runs the job of a statement.
func (p *program) runStep(a *arguments, j *StatementJob, planOnly bool) exitCode {
	q := *p
	q.name = j.Name
	cfg, err := p.configure(a)
	if err != nil {
		return p.refuse(err)
	}
	j.Configure(cfg)
	q.prepare = func(cfg *config.Set, log *slog.Logger) (job, error) {
		made, err := flott.Prepare(j.Name, j.Build, cfg, log)
		if err != nil {
			return nil, err
		}
		return flottJob{made}, nil
	}
	if planOnly {
		return q.planRestore(cfg)
	}
	if j.Print != nil {
		end := j.Print(p.stdout)
		q.done = func(io.Writer) error { return end() }
		q.quiet = true
	}
	return q.run(a, cfg)
}

// planRestore shows what a snapshot would restore.
func (p *program) planRestore(cfg *config.Set) exitCode {
	j, err := p.build(cfg, slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return p.refuse(err)
	}
	text, err := j.RestorePlan(context.Background())
	if err != nil {
		fmt.Fprintf(p.stderr, "%s: %v\n", p.name, err)
		return exitRestore
	}
	fmt.Fprintf(p.stdout, "%s: %s\n", p.name, strings.TrimRight(text, "\n"))
	return exitOK
}

func (p *program) sqlHelp(w io.Writer, table *flagTable) {
	fmt.Fprintf(w, "%s: run SQL\n\nUsage:\n  %s -f FILE [OPTIONS]\n      run the statements of a file\n\nOptions:\n", p.name, p.call)
	var shown []*flagSpec
	for _, s := range table.specs {
		if s.refusal == nil {
			shown = append(shown, s)
		}
	}
	writeFlags(w, shown)
	writeExitCodes(w)
}
