package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/config"
)

// program is one process's command line: a job's binary, or flott itself. It is used by one goroutine.
type program struct {
	name string // the job's
	call string // how people start this binary
	doc  string // one line about the job
	// flags are the job's own; nil for flott.
	flags   *flag.FlagSet
	prepare prepare
	// described are options beside those that every job has: those of scripts.
	described []config.Described
	scripts   Scripts
	// quiet: nothing is said when the job has finished.
	quiet bool
	// done speaks when the job has finished; may be nil.
	done func(w io.Writer) error

	stdout, stderr io.Writer
	terminal       *terminal // what stderr is; nil if it is no terminal
	getenv         func(string) string
	// signals begins to take the signals that end a process; the function that it returns ends that.
	signals func() (<-chan os.Signal, func())
	now     func() time.Time
}

// Option adds to what Main does.
type Option func(*program)

// Flags names the job's own flags; without it they are those of flag.CommandLine. nil means that it has none.
func Flags(flags *flag.FlagSet) Option { return func(p *program) { p.flags = flags } }

// Doc gives the job a line in its help.
func Doc(text string) Option { return func(p *program) { p.doc = text } }

// Done is called when the job has finished, or was stopped with a savepoint, before the process ends: to say where the output is, or to
// show it. An error makes the process end as if the job had failed. A failed or cancelled job does not call it.
func Done(speak func(w io.Writer) error) Option { return func(p *program) { p.done = speak } }

// main runs one command line of a job's binary.
func (p *program) main(args []string) exitCode {
	table, clashes := newFlagTable(append(flottFlags(), flinkFlags()...), p.flags)
	a := parseArguments(args, table, p.call)
	a.problems = append(clashes, a.problems...)
	word := "run"
	if len(a.positional) > 0 {
		word, a.positional = a.positional[0], a.positional[1:]
	}
	if code, asked := p.simple(word, a, func(w io.Writer) { p.help(w, table) }); asked {
		return code
	}
	switch word {
	case "run", "plan":
		for _, extra := range a.positional {
			a.problem("%s", explainWord(extra, p.call, jobVerbs))
		}
		a.judgeVerb(word)
		a.setUser(p.flags)
	case "state":
		return p.state(a)
	default:
		a.problem("%s", explainWord(word, p.call, jobVerbs))
	}
	cfg, err := p.configure(a)
	if err != nil {
		return p.refuse(err)
	}
	if word == "plan" {
		return p.plan(a, cfg)
	}
	return p.run(a, cfg)
}

// simple does what needs neither job nor configuration.
func (p *program) simple(word string, a *arguments, help func(io.Writer)) (code exitCode, asked bool) {
	if _, ok := a.find("help"); ok || word == "help" {
		help(p.stdout)
		return exitOK, true
	}
	if _, ok := a.find("version"); ok || word == "version" {
		fmt.Fprintln(p.stdout, version(p.name))
		return exitOK, true
	}
	return 0, false
}

// refuse says why nothing was started.
func (p *program) refuse(err error) exitCode {
	fmt.Fprintf(p.stderr, "%s: %v\nHelp: %s --help\n", p.name, err, p.call)
	return exitRefused
}

// usage is every mistake of a command line. It is an error.
type usage []string

// Error lists them, one a line.
func (u usage) Error() string {
	if len(u) == 1 {
		return u[0]
	}
	return fmt.Sprintf("the command line has %d problems:\n  %s", len(u), strings.Join(u, "\n  "))
}

// configure fills the layers of the configuration that are not the job's code. An error is everything wrong with command line and
// configuration; with a right command line the configuration is judged later, together with what the job's code sets.
func (p *program) configure(a *arguments) (*config.Set, error) {
	cfg := config.New(p.described...)
	p.readConfigFile(a, cfg)
	if text := p.getenv(envProperties); text != "" {
		cfg.DefineEnv(envProperties, text)
	}
	for _, g := range a.given {
		if g.spec.short == "D" {
			cfg.Define(g.value)
		}
	}
	for _, g := range a.given {
		if g.spec.key != "" && (g.spec.check == nil || g.spec.check(g.value) == nil) {
			cfg.DefineFlag(g.name, g.spec.key, g.value)
		}
	}
	if len(a.problems) > 0 {
		return nil, errors.Join(usage(a.problems), cfg.Validate())
	}
	return cfg, nil
}

// Environment variables.
const (
	envConfDir    = "FLOTT_CONF_DIR"
	envProperties = "FLOTT_PROPERTIES"
)

// readConfigFile reads the file that --config names, or else one at a usual place.
func (p *program) readConfigFile(a *arguments, cfg *config.Set) {
	if file, ok := a.find("config"); ok {
		if file != "" {
			cfg.ReadFile(file)
		}
		return
	}
	dir := p.getenv(envConfDir)
	if dir == "" {
		if isFile("config.yaml") {
			cfg.ReadFile("config.yaml")
		}
		return
	}
	for _, name := range []string{"config.yaml", "flink-conf.yaml"} {
		if file := filepath.Join(dir, name); isFile(file) {
			cfg.ReadFile(file)
			return
		}
	}
	a.problem("%s=%s: the directory has neither config.yaml nor flink-conf.yaml", envConfDir, dir)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// build prepares the job. A panic of the job's build function is an error like any other: it is the job's, not ours.
func (p *program) build(cfg *config.Set, log *slog.Logger) (j job, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			j, err = nil, fmt.Errorf("the function that builds the job panicked: %v\n\n%s", cause, userStack(debug.Stack()))
		}
	}()
	return p.prepare(cfg, log)
}

// userStack cuts a panic's stack to the job's own frames: those between the panic and the engine.
func userStack(stack []byte) string {
	lines := strings.Split(string(stack), "\n")
	var kept []string
	inside := false
	for i := 0; i+1 < len(lines); i++ {
		line := lines[i]
		switch {
		case strings.HasPrefix(line, "panic("):
			inside, kept, i = true, nil, i+1
		case inside && (strings.HasPrefix(line, modulePath+"/cli.(*program)") || strings.HasPrefix(line, modulePath+".Prepare(")):
			return strings.Join(kept, "\n")
		case inside && strings.HasPrefix(line, "\t"):
			place, _, _ := strings.Cut(line, " +0x")
			kept = append(kept, place)
		case inside:
			if at := strings.LastIndexByte(line, '('); at > 0 {
				line = line[:at] // without the words that were its arguments
			}
			kept = append(kept, line)
		}
	}
	return string(stack)
}

// notices says once what was accepted but should be written otherwise.
func (p *program) notices(cfg *config.Set) {
	for _, line := range cfg.Notices() {
		fmt.Fprintf(p.stderr, "note: %s\n", line)
	}
}

// plan shows the job without starting it.
func (p *program) plan(a *arguments, cfg *config.Set) exitCode {
	j, err := p.build(cfg, slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return p.refuse(err)
	}
	p.notices(cfg)
	restoreTo := p.stdout
	if _, asJSON := a.find("json"); asJSON {
		data, err := j.PlanJSON()
		if err != nil {
			fmt.Fprintf(p.stderr, "%s: writing the plan as JSON: %v\n", p.name, err)
			return exitFailed
		}
		fmt.Fprintf(p.stdout, "%s\n", data)
		restoreTo = p.stderr
	} else {
		fmt.Fprintln(p.stdout, strings.TrimRight(j.Plan(), "\n"))
	}
	if config.RecoveryPath.Get(cfg) == "" {
		return exitOK
	}
	text, err := j.RestorePlan(context.Background())
	if errors.As(err, new(*flott.DirectoryError)) {
		return p.refuse(err)
	}
	if err != nil {
		fmt.Fprintf(p.stderr, "%s: %v\n", p.name, err)
		return exitRestore
	}
	fmt.Fprintf(restoreTo, "\n%s\n", strings.TrimRight(text, "\n"))
	return exitOK
}

// state does "state fsck PATH".
func (p *program) state(a *arguments) exitCode {
	a.judgeVerb("state")
	call := fmt.Sprintf("%s state fsck PATH", p.call)
	switch {
	case len(a.problems) > 0:
	case len(a.positional) == 0 || a.positional[0] != "fsck":
		a.problem("state: say what to do with the snapshot, as in: %s", call)
	case len(a.positional) != 2 || a.positional[1] == "":
		a.problem("state fsck takes one path, as in: %s", call)
	}
	if len(a.problems) > 0 {
		return p.refuse(usage(a.problems))
	}
	return p.fsck(a.positional[1])
}
