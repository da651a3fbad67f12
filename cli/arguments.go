package cli

import (
	"flag"
	"fmt"
	"strings"
)

// arguments is a command line taken apart: everything that can be said of it without configuration and job.
type arguments struct {
	given      []givenFlag
	positional []string
	rest       []string // after "--": the job's own
	problems   []string
}

// givenFlag is one option as it was given.
type givenFlag struct {
	spec  *flagSpec
	name  string // as written, with its dashes
	value string // "true" or "false" for an option that is on or off
}

// find returns the last value given to an option by its long name (short, if it has no other).
func (a *arguments) find(name string) (value string, ok bool) {
	for _, g := range a.given {
		if g.spec.long == name || g.spec.long == "" && g.spec.short == name {
			value, ok = g.value, true
		}
	}
	return value, ok
}

func (a *arguments) problem(format string, args ...any) {
	a.problems = append(a.problems, fmt.Sprintf(format, args...))
}

// parseArguments takes a command line apart. Options may stand anywhere, with one dash or two, their value after a space or "=". It never
// stops at a mistake: all of them are reported at once.
func parseArguments(args []string, table *flagTable, call string) *arguments {
	a := &arguments{}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			a.rest = args
			return a.judge(call)
		case len(arg) < 2 || arg[0] != '-':
			a.positional = append(a.positional, arg)
		default:
			args = a.flag(arg, args, table, call)
		}
	}
	return a.judge(call)
}

// flag takes one option and, if it has one, its value from the arguments behind it.
func (a *arguments) flag(arg string, args []string, table *flagTable, call string) (left []string) {
	spec, name, value, attached := table.lookup(arg)
	if spec == nil {
		near := table.nearest(strings.TrimLeft(name, "-"))
		a.unknown(name, near, call)
		// What looks like its value is passed over, so that it is not a mistake of its own.
		takesValue := near == nil || near.value != ""
		if !attached && takesValue && len(args) > 0 && !strings.HasPrefix(args[0], "-") && !isVerb(args[0]) {
			return args[1:]
		}
		return args
	}
	switch {
	case attached && spec.value == "" && spec.user == nil:
		on, err := parseBool(value)
		if err != nil {
			a.problem("%s: found %q, %v", name, value, err)
			return args
		}
		value = fmt.Sprint(on)
	case attached:
	case spec.value == "":
		value = "true"
	case len(args) == 0 || table.isFlag(args[0]):
		if spec.refusal == nil {
			a.problem("%s needs a value, as in: %s %s", spec.name(), name, orElse(spec.example, spec.value))
			return args
		}
	default:
		value, args = args[0], args[1:]
	}
	a.given = append(a.given, givenFlag{spec, name, value})
	return args
}

// lookup finds the option that an argument names; attached says that it carries its value: -p=4, -p4, -Dkey=value.
func (t *flagTable) lookup(arg string) (spec *flagSpec, name, value string, attached bool) {
	bare := strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-")
	dashes := arg[:len(arg)-len(bare)]
	word, value, attached := strings.Cut(bare, "=")
	if spec = t.byName[word]; spec != nil {
		return spec, dashes + word, value, attached
	}
	if len(dashes) == 1 && len(bare) > 1 {
		first := t.byName[bare[:1]]
		digits := strings.Trim(bare[1:], "0123456789") == ""
		if first != nil && (bare[0] == 'D' && attached || bare[0] == 'p' && digits) {
			return first, "-" + bare[:1], bare[1:], true
		}
	}
	return nil, dashes + word, value, attached
}

func (t *flagTable) isFlag(arg string) bool {
	if len(arg) < 2 || arg[0] != '-' {
		return false
	}
	spec, _, _, _ := t.lookup(arg)
	return spec != nil || arg == "--" || strings.HasPrefix(arg, "--")
}

// unknown reports an option that nobody knows.
func (a *arguments) unknown(name string, near *flagSpec, call string) {
	switch {
	case near == nil:
		a.problem("unknown option %s; an argument of the job itself goes behind --", name)
	case near.refusal != nil:
		a.problem("unknown option %s; Flink's --%s: %s", name, near.long, near.refusal(call, ""))
	default:
		a.problem("unknown option %s; did you mean --%s?", name, near.long)
	}
}

// judge checks what was given: values, repetitions, options that only Flink has.
func (a *arguments) judge(call string) *arguments {
	seen := map[*flagSpec]string{}
	for _, g := range a.given {
		before, again := seen[g.spec]
		seen[g.spec] = g.value
		switch {
		case g.spec.refusal != nil:
			a.problem("%s: %s", g.name, g.spec.refusal(call, g.value))
		case again && !g.spec.repeats && before != g.value:
			a.problem("%s is given twice, with %q and %q: keep one", g.spec.name(), before, g.value)
		case g.spec.check != nil:
			if err := g.spec.check(g.value); err != nil {
				a.problem("%s: found %q, %v", g.name, g.value, err)
			}
		}
	}
	return a
}

// judgeVerb checks that the verb knows the options.
func (a *arguments) judgeVerb(verb string) {
	for _, g := range a.given {
		known := g.spec.verbs == nil || g.spec.refusal != nil
		for _, v := range g.spec.verbs {
			known = known || v == verb
		}
		if !known {
			a.problem("%s is an option of %s, not of %s", g.name, strings.Join(g.spec.verbs, " and "), verb)
		}
	}
}

// setUser gives the job's own flags their values, in the order of the command line.
func (a *arguments) setUser(flags *flag.FlagSet) {
	if flags == nil {
		if len(a.rest) > 0 {
			a.problem("unexpected arguments behind --: %s", strings.Join(a.rest, " "))
		}
		return
	}
	for _, g := range a.given {
		if g.spec.user == nil {
			continue
		}
		if err := flags.Set(g.spec.user.Name, g.value); err != nil {
			a.problem("%s: found %q, %v; %s: %s", g.name, g.value, err, orElse(g.spec.value, "true or false"), g.spec.doc)
		}
	}
	if err := flags.Parse(append([]string{"--"}, a.rest...)); err != nil { // flag.Args, flag.Parsed
		a.problem("the job's own arguments: %v", err)
	}
}
