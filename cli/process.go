package cli

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// process is the program of this process, without a job.
func process(name string) *program {
	return &program{
		name: name, call: callOf(os.Args[0]),
		stdout: os.Stdout, stderr: os.Stderr, terminal: findTerminal(os.Stdout, os.Stderr, os.Getenv),
		getenv: os.Getenv, now: time.Now,
		signals: func() (<-chan os.Signal, func()) {
			signals := make(chan os.Signal, maxSignals)
			signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
			return signals, func() { signal.Stop(signals) }
		},
	}
}

// maxSignals are waiting at most: the second one ends the process, more say nothing new.
const maxSignals = 2
