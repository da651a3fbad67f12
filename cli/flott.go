package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// Flott is the main function of the flott binary. It does not return.
func Flott(scripts Scripts) {
	p := process("flott")
	p.scripts = scripts
	os.Exit(int(p.flottMain(os.Args[1:])))
}

// flottMain runs one command line of the flott binary.
func (p *program) flottMain(args []string) exitCode {
	if len(args) > 0 && args[0] == "sql" {
		p.name, p.call = "sql", p.call+" sql"
		return p.sqlMain(args[1:])
	}
	if len(args) > 0 {
		if later, ok := laterVerbs[args[0]]; ok {
			if args[0] == "run" {
				later = explainRun(args[1:])
			}
			return p.refuse(usage{args[0] + ": " + later})
		}
	}
	table, _ := newFlagTable([]*flagSpec{{long: "help", short: "h", doc: "show this help"},
		{long: "version", short: "v", doc: "show the version"}}, nil)
	a := parseArguments(args, table, p.call)
	word := "help"
	if len(a.positional) > 0 {
		word, a.positional = a.positional[0], a.positional[1:]
	} else if len(args) > 0 && len(a.problems) > 0 {
		return p.refuse(usage(a.problems))
	}
	if code, asked := p.simple(word, a, p.flottHelp); asked {
		return code
	}
	if word == "state" {
		return p.state(a)
	}
	a.problem("%s", explainWord(word, p.call, flottVerbs))
	return p.refuse(usage(a.problems))
}

func (p *program) flottHelp(w io.Writer) {
	fmt.Fprint(w, "flott: stateful stream and batch processing\n\nUsage:\n")
	writeVerbs(w, p.call, flottVerbs)
	fmt.Fprint(w, "\nA job is a binary of its own; it has the verbs run, plan, state, version and help: ./job --help\n"+
		"Not built yet: jobmanager, taskmanager, and what asks a cluster (run, list, stop, cancel, savepoint, checkpoint).\n")
	writeExitCodes(w)
}

// explainRun turns "flott run OPTIONS ./job ARGUMENTS" into the call that does it today.
func explainRun(args []string) string {
	table, _ := newFlagTable(append(flottFlags(), flinkFlags()...), nil)
	a := parseArguments(args, table, "./job")
	call := "./job [OPTIONS]"
	if len(a.positional) > 0 && !strings.HasSuffix(a.positional[0], ".jar") {
		words := []string{quoteShell(a.positional[0])}
		skipped := false
		for _, word := range args {
			if word == a.positional[0] && !skipped {
				skipped = true
				continue
			}
			words = append(words, quoteShell(word))
		}
		call = strings.Join(words, " ")
	}
	if len(a.positional) > 0 && strings.HasSuffix(a.positional[0], ".jar") {
		return "a Flott job is a binary of its own, without a jar: " + call
	}
	return "submitting to a cluster is not built yet; a job's own binary runs it: " + call
}
