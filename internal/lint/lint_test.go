package lint

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cockroachdb/datadriven"
)

// TestModule checks this module.
func TestModule(t *testing.T) {
	report, err := Check(os.DirFS("../.."), Flott())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Findings {
		if f.Advice {
			t.Logf("advice: %s", f)
		} else {
			t.Error(f)
		}
	}
	t.Logf("%d silenced findings", len(report.Silenced))
	for _, s := range report.Silenced {
		t.Logf("silenced: %s: %s", s.Finding, s.Reason)
	}
}

// TestScripts checks small made-up modules: "file PATH" adds a file, "lint" prints what is found and forgets the files.
func TestScripts(t *testing.T) {
	rules := Rules{
		Module:    "m",
		Layers:    [][]string{{"internal/leaf"}, {"internal/pure"}, {"internal/engine", "internal/other"}, {"."}, {"connector"}, {"cmd"}},
		Forbidden: []Forbidden{{From: "connector", To: "internal", Except: []string{"internal/leaf"}, Reason: "public packages only"}},
		Pure:      []string{"internal/pure"},
		MayGo:     []string{"internal/engine/run.go"},
		MayPrint:  []string{"cmd"},
		Root:      ".",
	}
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		files := fstest.MapFS{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "file":
				files[d.CmdArgs[0].Key] = &fstest.MapFile{Data: []byte(expand(d.Input) + "\n")}
				return ""
			case "lint":
				report, err := Check(files, rules)
				files = fstest.MapFS{}
				if err != nil {
					return err.Error()
				}
				return render(report)
			}
			d.Fatalf(t, "unknown command %q", d.Cmd)
			return ""
		})
	})
}

// expand replaces a line "REPEAT n text" by n lines of text, so that long files have short scripts.
func expand(input string) string {
	var b strings.Builder
	for line := range strings.Lines(input) {
		n, text := 0, ""
		if _, err := fmt.Sscanf(line, "REPEAT %d %s", &n, &text); err == nil {
			b.WriteString(strings.Repeat(text+"\n", n))
			continue
		}
		b.WriteString(line)
	}
	return b.String()
}

func render(report Report) string {
	var b strings.Builder
	for _, f := range report.Findings {
		if f.Advice {
			b.WriteString("advice: ")
		}
		b.WriteString(f.String() + "\n")
	}
	for _, s := range report.Silenced {
		b.WriteString("silenced: " + s.String() + ": " + s.Reason + "\n")
	}
	if b.Len() == 0 {
		return "clean"
	}
	return b.String()
}
