package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/flottio/flott"
	"github.com/flottio/flott/config"
)

// Scripts runs SQL. Package sqlcli gives it to Flott; binaries of jobs do without, and stay small.
type Scripts interface {
	// Options are those that scripts have beside the options of every job.
	Options() []config.Described
	// Session starts a session with a configuration by key.
	Session(config map[string]string) ScriptSession
}

// ScriptSession is what the statements of one command line share.
type ScriptSession interface {
	// Prepare reads and checks all statements of a script; its error has all problems.
	Prepare(text string) ([]ScriptStep, error)
}

// ScriptStep is one statement that was checked.
type ScriptStep struct {
	// Output is printed, and Notices before it.
	Output  string
	Notices []string
	Job     *ScriptJob // nil: there is nothing to run
}

// ScriptJob is the job of a statement.
type ScriptJob struct {
	Name      string
	Build     func(*flott.Env)
	Configure func(*config.Set)
	// Print prepares for printing a query's rows, and returns what ends that; nil for a job that writes tables.
	Print func(io.Writer) (end func() error)
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
	if p.scripts == nil {
		return p.refuse(usage{"this binary was built without SQL: use flott sql"})
	}
	p.described = p.scripts.Options()
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
func (p *program) prepareScript(a *arguments, cfg *config.Set, file string) ([]ScriptStep, exitCode) {
	base := map[string]string{}
	for _, e := range cfg.Entries() {
		base[e.Key] = e.Value
	}
	session := p.scripts.Session(base)
	var steps []ScriptStep
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
func (p *program) runScript(a *arguments, steps []ScriptStep) exitCode {
	jobs := 0
	for _, step := range steps {
		if step.Job != nil && step.Job.Print == nil {
			jobs++
		}
	}
	_, restore := a.find("fromSavepoint")
	if restore && jobs > 1 {
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
func (p *program) runStep(a *arguments, j *ScriptJob, planOnly bool) exitCode {
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
	var restore *flott.RestoreError
	if errors.As(err, &restore) || err != nil {
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
