// Command dataplane measures ways to move records through a job, those that were chosen and those that were not, and prints the table
// of docs/rfc/0001-data-plane.md. Everything but the rows marked "as built" is self-contained, so that a rejected way can be
// measured again years later.
//
//	go run ./bench/dataplane [-only REGEX] [-rounds N]
//	go test -bench . ./bench/dataplane
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"

	"github.com/flottio/flott/bench/measure"
)

// group is cases that do the same work; the first is what the others are compared with.
type group struct {
	name, unit string
	cases      []measure.Case
}

func groups() []group {
	return []group{
		{"chain: map, filter, map, sum", "record", chainCases()},
		{"batch size, same chain", "record", sizeCases()},
		{"ownership of a batch (512 rows of 32 bytes)", "record", ownershipCases()},
		{"hand-over between two goroutines, busy", "element", handoverCases()},
		{"step of a task, 512 records a batch", "record", stepCases()},
		{"step of a task, 16 records a batch", "record", smallStepCases()},
		{"hash and scatter to 2", "record", scatterCases(2)},
		{"hash and scatter to 8", "record", scatterCases(8)},
		{"hash of a key: once, or on both sides", "record", hashCases()},
	}
}

func main() {
	only := flag.String("only", "", "run groups whose name matches this regular expression")
	rounds := flag.Int("rounds", 9, "runs of each case")
	flag.Parse()
	re, err := regexp.Compile(*only)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fmt.Printf("%s %s/%s, %d cores\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0))
	for _, g := range groups() {
		if re.MatchString(g.name) {
			printGroup(g, measure.Alternate(g.cases, measure.Options{Rounds: *rounds}))
		}
	}
	if re.MatchString("wake-up") {
		printWakeups(*rounds)
	}
}

func printGroup(g group, results []measure.Result) {
	fmt.Printf("\n| %s | ns/%s, least | times the first, median | allocations |\n|---|--:|--:|--:|\n", g.name, g.unit)
	for _, r := range results {
		fmt.Printf("| %s | %.2f | %.2f | %.3f |\n", r.Name, slices.Min(r.Rounds), measure.Ratio(r, results[0]), r.AllocsPerRecord)
	}
}
