package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/flottio/flott/config"
)

// TestScripts runs command lines: "job KIND" and "flott", one argument a line, print output and exit code. "file NAME" and "env" set the
// scene for the script.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Abs("testdata/scripts")
	if err != nil {
		t.Fatal(err)
	}
	datadriven.Walk(t, scripts, func(t *testing.T, path string) {
		t.Chdir(t.TempDir())
		env := map[string]string{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "file":
				name := d.CmdArgs[0].Key
				if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(d.Input), 0o644)); err != nil {
					t.Fatal(err)
				}
				return ""
			case "env":
				name, value, _ := strings.Cut(d.Input, "=")
				env[name] = value
				return ""
			case "remove":
				if err := os.RemoveAll(d.CmdArgs[0].Key); err != nil {
					t.Fatal(err)
				}
				return ""
			case "job", "flott":
				kind := "finishes"
				if len(d.CmdArgs) > 0 {
					kind = d.CmdArgs[0].Key
				}
				p, stdout, stderr := inProcess(kind)
				p.getenv = func(name string) string { return env[name] }
				p.done = func(w io.Writer) error { _, err := fmt.Fprintln(w, "files: out/counts"); return err }
				var args []string
				if d.Input != "" {
					args = strings.Split(d.Input, "\n")
				}
				code := exitCode(0)
				if d.Cmd == "flott" {
					p.name, p.call = "flott", "flott"
					code = p.flottMain(args)
				} else {
					code = p.main(args)
				}
				text := stdout.String()
				if stderr.Len() > 0 {
					text += "stderr:\n" + trimPlaces(stderr.String())
				}
				return fmt.Sprintf("%sexit %d\n", text, code)
			}
			d.Fatalf(t, "unknown command %q", d.Cmd)
			return ""
		})
	})
}

// TestUserFlagWithFlottsName: the job's author made the mistake, and learns it from any call.
func TestUserFlagWithFlottsName(t *testing.T) {
	p, _, stderr := inProcess("finishes")
	p.flags = flag.NewFlagSet("job", flag.ContinueOnError)
	p.flags.Int("p", 1, "")
	if code := p.main(nil); code != exitRefused || !strings.Contains(stderr.String(), "-p has the name of Flott's own option -p/--parallelism") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

// TestUserFlagsAreParsed: what the flag package says of the job's flags is as if it had parsed them itself.
func TestUserFlagsAreParsed(t *testing.T) {
	p, _, stderr := inProcess("finishes")
	if code := p.main([]string{"-input", "a", "-p", "2", "--fast", "--limit=7", "--", "x", "-y"}); code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	var visited []string
	p.flags.Visit(func(f *flag.Flag) { visited = append(visited, f.Name+"="+f.Value.String()) })
	if got := fmt.Sprint(visited, p.flags.Parsed(), p.flags.Args()); got != "[fast=true input=a limit=7] true [x -y]" {
		t.Error(got)
	}
}

// TestLayers: the later in the list of layers, the stronger, wherever it stands on the command line.
func TestLayers(t *testing.T) {
	t.Chdir(t.TempDir())
	file := "parallelism.default: 2\npipeline.name: file\nrestart-strategy.type: none\n"
	if err := os.WriteFile("config.yaml", []byte(file), 0o644); err != nil {
		t.Fatal(err)
	}
	p, _, stderr := inProcess("finishes")
	p.getenv = func(name string) string {
		return map[string]string{envProperties: "pipeline.name: env\nparallelism.default: 3\n"}[name]
	}
	var cfg *config.Set
	p.prepare = func(c *config.Set, _ *slog.Logger) (job, error) {
		cfg = c
		config.Parallelism.Put(c, 1, config.Origin{Source: "code"})
		config.OperatorChaining.Put(c, false, config.Origin{Source: "code"})
		return &fakeJob{cfg: c}, c.Validate()
	}
	if code := p.main([]string{"-p", "5", "-Dparallelism.default=4"}); code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	got := fmt.Sprintln(config.Parallelism.Get(cfg), config.PipelineName.Get(cfg), config.RestartStrategy.Get(cfg),
		config.OperatorChaining.Get(cfg))
	if got != "5 env none false\n" {
		t.Error(got)
	}
}

// TestResume: the command that people copy is the one they gave, with another snapshot.
func TestResume(t *testing.T) {
	p, _, _ := inProcess("finishes")
	table, _ := newFlagTable(flottFlags(), p.flags)
	a := parseArguments([]string{"run", "-s", "latest", "-p4", "-n", "--input=a *.json", "-fast", "-Da.b=c d", "--", "x y"}, table, p.call)
	r := &run{program: p, args: a}
	if got, want := r.resume("/s p"), "./clicks -p 4 -n '--input=a *.json' -fast -D 'a.b=c d' -s '/s p' -- 'x y'"; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestDocumentation keeps docs/cli.md equal to the tables here; run with -rewrite to write it.
func TestDocumentation(t *testing.T) {
	const path = "../docs/cli.md"
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := string(got)
	for name, table := range map[string]string{"flags": flagDocumentation(), "exit codes": exitCodeDocumentation()} {
		begin, end := "<!-- begin "+name+" -->\n", "<!-- end "+name+" -->"
		head, rest, ok := strings.Cut(want, begin)
		_, tail, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("%s has no place for the table of %s", path, name)
		}
		want = head + begin + table + end + tail
	}
	if f := flag.Lookup("rewrite"); f != nil && f.Value.String() == "true" {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if string(got) != want {
		t.Errorf("%s is not what the tables say; run: go test ./cli -run TestDocumentation -rewrite", path)
	}
}

func flagDocumentation() string {
	var b strings.Builder
	b.WriteString("| option | value | verbs | sets | meaning |\n|---|---|---|---|---|\n")
	for _, f := range flottFlags() {
		names, key, verbs := "`--"+f.long+"`", "", "all"
		if f.short != "" {
			names = "`-" + f.short + "`, " + names
		}
		if f.long == "" {
			names = "`-" + f.short + "`"
		}
		if f.key != "" {
			key = "`" + f.key + "`"
		}
		if f.verbs != nil {
			verbs = strings.Join(f.verbs, ", ")
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", names, strings.ReplaceAll(f.value, "|", "\\|"), verbs, key, f.doc)
	}
	return b.String()
}

func exitCodeDocumentation() string {
	var b strings.Builder
	b.WriteString("| code | meaning |\n|---|---|\n")
	for _, c := range exitCodes {
		fmt.Fprintf(&b, "| %d | %s |\n", c.code, c.meaning)
	}
	return b.String()
}
