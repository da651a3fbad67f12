// Command engine compares jobs with loops that a good engineer would write by hand for the same input, in the same run, on one and on two
// cores. It prints a table and writes a list of {name, cores, ratio, ns_per_record, allocs_per_record, loop_ns_per_record}. README.md
// says what each row is.
//
//	go run ./bench/engine -json FILE [-only REGEX] [-quick] [-rounds N]
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
)

func main() {
	file := flag.String("json", "", "write the results to this file")
	only := flag.String("only", "", "run rows whose name matches this regular expression")
	o := options{}
	flag.BoolVar(&o.quick, "quick", false, "shorter runs and fewer rounds: rough figures")
	flag.IntVar(&o.rounds, "rounds", 0, "runs of each job and loop (default 5, with -quick 3)")
	profile := flag.String("cpuprofile", "", "write a profile of the processor's time to this file")
	flag.Parse()
	if o.rounds == 0 {
		o.rounds = 5
		if o.quick {
			o.rounds = 3
		}
	}
	if err := run(*file, *only, *profile, o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(file, only, profile string, o options) error {
	re, err := regexp.Compile(only)
	if err != nil {
		return fmt.Errorf("reading -only: %w", err)
	}
	stop, err := startProfile(profile)
	if err != nil {
		return err
	}
	defer stop()
	fmt.Printf("%s %s/%s, %d cores\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	fmt.Printf("%-26s %5s %7s %7s %7s %11s %11s %9s\n", "row", "cores", "ratio", "floor", "by cpu", "ns/record", "loop ns", "allocs")
	all := []result{}
	for _, r := range rows() {
		if !re.MatchString(r.name) {
			continue
		}
		for _, cores := range r.cores {
			results, err := r.run(cores, o)
			if err != nil {
				return err
			}
			for _, x := range results {
				fmt.Println(x)
			}
			all = append(all, results...)
		}
	}
	missed := 0
	for _, x := range all {
		if x.missed() {
			missed++
		}
	}
	fmt.Printf("\n%d rows, %d below their floor\n", len(all), missed)
	if file == "" {
		return nil
	}
	return write(file, all)
}

func write(file string, all []result) error {
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

func (x result) missed() bool { return x.floor > 0 && x.Ratio < x.floor }

// String is the line of the table.
func (x result) String() string {
	floor, cpu, mark := "", "", ""
	if x.cpuRatio > 0 {
		cpu = fmt.Sprintf("%.2f", x.cpuRatio)
	}
	if x.floor > 0 {
		floor = fmt.Sprintf("%.2f", x.floor)
	}
	if x.missed() {
		mark = "  <-- BELOW THE FLOOR"
	}
	return fmt.Sprintf("%-26s %5d %7.2f %7s %7s %11.1f %11.1f %9.4f  %s%s", x.Name, x.Cores, x.Ratio, floor, cpu, x.NsPerRecord,
		x.LoopNsPerRecord, x.AllocsPerRecord, x.note, mark)
}
