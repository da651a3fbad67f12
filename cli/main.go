package cli

import (
	"flag"
	"log/slog"
	"os"

	"github.com/flottio/flott"
	"github.com/flottio/flott/config"
)

// Main is the main function of a job's binary. It reads the command line, lets build draw the job, runs it, and ends the process. Name is
// the job's name (pipeline.name overrides it). It does not return.
func Main(name string, build func(*flott.Env), options ...Option) {
	p := process(name)
	p.flags = flag.CommandLine
	p.prepare = func(cfg *config.Set, log *slog.Logger) (job, error) {
		j, err := flott.Prepare(name, build, cfg, log)
		if err != nil {
			return nil, err
		}
		return flottJob{j}, nil
	}
	for _, o := range options {
		o(p)
	}
	os.Exit(int(p.main(os.Args[1:])))
}
