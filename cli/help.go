package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// help is the text of --help for a job's binary.
func (p *program) help(w io.Writer, table *flagTable) {
	fmt.Fprintf(w, "%s: %s\n\nUsage:\n", p.name, orElse(p.doc, "a Flott job"))
	writeVerbs(w, p.call, jobVerbs)
	var own, flott []*flagSpec
	for _, s := range table.specs {
		switch {
		case s.user != nil:
			own = append(own, s)
		case s.refusal == nil:
			flott = append(flott, s)
		}
	}
	if len(own) > 0 {
		fmt.Fprint(w, "\nOptions of this job:\n")
		writeFlags(w, own)
	}
	fmt.Fprint(w, "\nOptions:\n")
	writeFlags(w, flott)
	for _, paragraph := range []string{
		"Configuration, the weakest first: the job's code, the configuration file, $" + envProperties + " (lines \"key: value\"), -D, the " +
			"options above.",
		"Signals: Ctrl-C cancels. SIGTERM stops with a savepoint if execution.checkpointing.savepoint-dir is set; " +
			"else the process ends and the job's checkpoints stay. " +
			"A second signal ends the process at once.",
	} {
		fmt.Fprintf(w, "\n%s\n", strings.Join(wrap(paragraph, helpWidthChars), "\n"))
	}
	writeExitCodes(w)
}

func writeVerbs(w io.Writer, call string, verbs []verb) {
	for _, v := range verbs {
		fmt.Fprintf(w, "  %s %s\n", call, v.usage)
		fmt.Fprintf(w, "      %s\n", v.doc)
	}
}

func writeExitCodes(w io.Writer) {
	fmt.Fprint(w, "\nExit codes:\n")
	for _, c := range exitCodes {
		fmt.Fprintf(w, "  %3d  %s\n", c.code, c.meaning)
	}
}

const (
	helpColumnChars = 30 // where the text about an option begins
	helpWidthChars  = 110
)

func writeFlags(w io.Writer, specs []*flagSpec) {
	for _, s := range specs {
		names := "    "
		if s.short != "" {
			names = fmt.Sprintf("%-4s", "-"+s.short)
		}
		if s.long != "" {
			if s.short != "" {
				names = strings.TrimRight(names, " ") + ", "
			}
			names = fmt.Sprintf("%-4s--%s", names, s.long)
		}
		if s.value != "" {
			names = strings.TrimRight(names, " ") + " " + s.value
		}
		text := s.doc
		if s.user != nil && !slices.Contains([]string{"", "0", "false"}, s.user.DefValue) {
			text += " (default " + s.user.DefValue + ")"
		}
		lines := wrap(text, helpWidthChars-helpColumnChars)
		if len(names)+4 > helpColumnChars {
			fmt.Fprintf(w, "  %s\n", names)
		} else {
			fmt.Fprintf(w, "  %-*s%s\n", helpColumnChars-2, names, lines[0])
			lines = lines[1:]
		}
		for _, line := range lines {
			fmt.Fprintf(w, "%s%s\n", strings.Repeat(" ", helpColumnChars), line)
		}
	}
}

// wrap breaks a text into lines of at most width characters, at spaces. There is always a first line.
func wrap(text string, width int) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case len(*last)+1+len(word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}
