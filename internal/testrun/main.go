// Command testrun runs the module's tests tier by tier and ends with one line: "N passed, N failed".
//
// It owns the list of tiers. It installs nothing (the Makefile does), and nobody imports it.
//
//	go run ./internal/testrun                 all tiers
//	go run ./internal/testrun -tiers fast     some of them
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	names := flag.String("tiers", strings.Join(tierNames(), ","), "tiers to run, in order")
	limit := flag.Duration("limit", 50*time.Minute, "time after which what still runs is stopped and counts as failed")
	verbose := flag.Bool("v", false, "show the output of tests that pass")
	flag.Parse()

	interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(interrupted, *limit)
	defer cancel()

	total := tally{out: os.Stdout, verbose: *verbose}
	for name := range strings.SplitSeq(*names, ",") {
		at := slices.IndexFunc(tiers, func(t tier) bool { return t.name == name })
		if at < 0 {
			fmt.Fprintf(os.Stderr, "testrun: no tier %q; there are %s\n", name, strings.Join(tierNames(), ", "))
			os.Exit(2)
		}
		start := time.Now()
		before := total
		tiers[at].run(ctx, &total)
		fmt.Printf("--- %s: %d passed, %d failed, %d skipped in %s\n", name, total.passed-before.passed, total.failed-before.failed,
			total.skipped-before.skipped, time.Since(start).Round(100*time.Millisecond))
	}
	for _, failure := range total.failures {
		fmt.Println("FAILED:", failure)
	}
	fmt.Printf("%d passed, %d failed\n", total.passed, total.failed)
	if total.failed > 0 || total.passed == 0 {
		os.Exit(1)
	}
}

func tierNames() []string {
	names := make([]string, len(tiers))
	for i, t := range tiers {
		names[i] = t.name
	}
	return names
}
