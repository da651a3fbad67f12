package journeys

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The job in the README compiles as it stands there.
func TestReadmeJobCompiles(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, job, found := strings.Cut(string(readme), "```go\n")
	job, _, closed := strings.Cut(job, "```\n")
	if !found || !closed {
		t.Fatal("the README has no job")
	}
	name := writeFile(t, filepath.Join(t.TempDir(), "main.go"), `package main

import (
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/cli"
	"github.com/flottio/flott/connector/file"
	"github.com/flottio/flott/format/csv"
	"github.com/flottio/flott/format/json"
)

`+job)
	if out, err := exec.Command("go", "build", "-o", os.DevNull, name).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
