package lint

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDependenciesAreExplained compares go.mod's direct requirements with docs/DEPENDENCIES.md.
func TestDependenciesAreExplained(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../docs/DEPENDENCIES.md")
	if err != nil {
		t.Fatal(err)
	}
	required := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^(?:require )?\s*(\S+\.\S+/\S+) v\S+(.*)$`).FindAllStringSubmatch(string(mod), -1) {
		if !strings.Contains(m[2], "// indirect") {
			required[m[1]] = true
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| .+ \\| .+ \\|$").FindAllStringSubmatch(string(doc), -1) {
		if !required[m[1]] {
			t.Errorf("docs/DEPENDENCIES.md explains %s, which go.mod does not require: remove the line", m[1])
		}
		delete(required, m[1])
	}
	for name := range required {
		t.Errorf("go.mod requires %s: say in docs/DEPENDENCIES.md what for, and why not ourselves", name)
	}
}
