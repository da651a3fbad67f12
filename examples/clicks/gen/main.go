// Gen writes clicks for the clicks example: the same bytes for the same options.
//
//	go run ./examples/clicks/gen -rows 1000000 -seed 1 -urls 100 -disorder 5s -late 0.01 -o clicks.jsonl
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/flottio/flott/examples/clicks/traffic"
)

func main() {
	var o traffic.Options
	flag.IntVar(&o.Rows, "rows", 10_000, "how many clicks")
	flag.Uint64Var(&o.Seed, "seed", 1, "what chance starts from")
	flag.IntVar(&o.URLs, "urls", 10, "how many URLs")
	flag.IntVar(&o.PerSecond, "per-second", 1000, "clicks per second of event time")
	flag.DurationVar(&o.Disorder, "disorder", 5*time.Second, "how far a click may lag behind the newest without being late")
	flag.Float64Var(&o.Late, "late", 0.01, "share of clicks that come more than a minute later than that")
	flag.Float64Var(&o.Bad, "bad", 0, "share of lines that are cut off")
	out := flag.String("o", "", "`FILE` to write; standard output without it")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "gen: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := write(*out, o); err != nil {
		fmt.Fprintf(os.Stderr, "gen: %v\n", err)
		os.Exit(1)
	}
}

// write makes the whole file or none of it.
func write(name string, o traffic.Options) error {
	if name == "" {
		return traffic.Write(os.Stdout, o)
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".gen-*")
	if err != nil {
		return err
	}
	err = errors.Join(traffic.Write(io.Writer(f), o), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the first error counts
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}
