package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// tally counts results and shows what failed. The zero value with an out is ready; one goroutine uses it.
type tally struct {
	out     io.Writer
	verbose bool

	passed, failed, skipped int
	failures                []string
}

// event is one line of "go test -json".
type event struct {
	Action      string
	Package     string
	ImportPath  string // of build-output
	Test        string
	Output      string
	FailedBuild string
}

// maxOutputBytes bounds what is kept of one test's output.
const maxOutputBytes = 256 << 10

func (t *tally) pass(name string, output []byte) {
	t.passed++
	if t.verbose {
		fmt.Fprintf(t.out, "ok   %s\n%s", name, output)
	}
}

func (t *tally) fail(name string, output []byte) {
	t.failed++
	t.failures = append(t.failures, name)
	fmt.Fprintf(t.out, "FAIL %s\n%s", name, output)
}

// events reads a stream of events to its end. A package that fails without a failing test (it does not build, it panics, it runs out
// of time) counts as one failed test.
func (t *tally) events(stream io.Reader) error {
	outputs := map[string]*strings.Builder{} // by package and test
	failedIn := map[string]int{}             // failing tests by package
	lines := bufio.NewReader(stream)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil {
				fmt.Fprintf(t.out, "%s", line) // not an event: go's own complaint
			} else {
				t.event(e, outputs, failedIn)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading test events: %w", err)
		}
	}
}

func (t *tally) event(e event, outputs map[string]*strings.Builder, failedIn map[string]int) {
	key := e.Package + " " + e.Test
	if e.Action == "build-output" {
		key = e.ImportPath
	}
	switch e.Action {
	case "output", "build-output":
		if outputs[key] == nil {
			outputs[key] = &strings.Builder{}
		}
		if outputs[key].Len() < maxOutputBytes {
			outputs[key].WriteString(e.Output)
		}
		return
	case "pass":
		if e.Test != "" {
			t.pass(key, take(outputs, key))
		} else if t.verbose {
			fmt.Fprintf(t.out, "ok   %s\n", e.Package)
		}
	case "skip":
		if e.Test != "" {
			t.skipped++
		}
	case "fail":
		if e.Test != "" {
			failedIn[e.Package]++
			t.fail(key, take(outputs, key))
		} else if failedIn[e.Package] == 0 {
			output := take(outputs, e.FailedBuild)
			t.fail(e.Package, append(append(output, unfinished(outputs, e.Package)...), take(outputs, key)...))
		}
	default: // start, run, pause, cont, bench
		return
	}
	delete(outputs, key)
}

func take(outputs map[string]*strings.Builder, key string) []byte {
	b := outputs[key]
	if b == nil {
		return nil
	}
	return []byte(b.String())
}

// unfinished is what tests wrote that neither passed nor failed: the one that panicked is among them.
func unfinished(outputs map[string]*strings.Builder, pkg string) []byte {
	var all []byte
	for key, b := range outputs {
		if strings.HasPrefix(key, pkg+" ") && key != pkg+" " {
			all = append(all, b.String()...)
			delete(outputs, key)
		}
	}
	return all
}
