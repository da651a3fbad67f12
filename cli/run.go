package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/config"
	"github.com/flottio/flott/internal/metrics"
)

// sameSignalWithin is how soon after the first a signal is still the same wish: timeout(1), for one, signals its child and then the
// child's whole group, and a job must not lose its savepoint to that.
const sameSignalWithin = 500 * time.Millisecond

// run is one run of a job, from the snapshot it starts from to its end. One goroutine calls the job, the loop owns everything else.
type run struct {
	*program
	job      job
	cfg      *config.Set
	args     *arguments
	screen   *screen
	progress progress
	log      *slog.Logger

	signal    os.Signal // the first one
	signalAt  time.Time
	stopping  bool // a stop with a savepoint is under way
	savepoint string
	stopErr   error
}

// outcome is how the goroutine that calls the job ended.
type outcome struct {
	result     flott.JobResult
	err        error
	restoreErr bool // err is of the restore: the job did not run
}

// stopped is how a stop with a savepoint ended.
type stopped struct {
	path string
	err  error
}

func (p *program) run(a *arguments, cfg *config.Set) exitCode {
	r := &run{program: p, cfg: cfg, args: a, screen: &screen{out: p.stderr}}
	level := slog.LevelInfo
	if p.terminal != nil {
		level = slog.LevelWarn // the progress line says the rest
	}
	r.log = slog.New(slog.NewTextHandler(r.screen, &slog.HandlerOptions{Level: level}))
	slog.SetDefault(r.log)
	release := func() {}
	if p.terminal != nil {
		var err error
		if release, err = r.screen.captureStdout(p.terminal.stdout); err != nil {
			return p.refuse(err)
		}
	}
	end, code := r.execute()
	r.screen.draw("")
	release()
	return end(code)
}

// execute prepares the job and runs it. The function that it returns speaks the last word, when the screen is free.
func (r *run) execute() (ending, exitCode) {
	j, err := r.build(r.cfg, r.log)
	if err != nil {
		return func(exitCode) exitCode { return r.refuse(err) }, exitRefused
	}
	r.job = j
	for _, line := range r.cfg.Notices() {
		fmt.Fprintf(r.screen, "note: %s\n", line)
	}
	if name, ok := config.PipelineName.Lookup(r.cfg); ok {
		r.name = name
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	closeMetrics, err := r.serveMetrics(ctx)
	if err != nil {
		return func(exitCode) exitCode { return r.refuse(err) }, exitRefused
	}
	defer closeMetrics()
	defer cancel(nil)
	signals, release := r.signals()
	defer release()
	return r.loop(ctx, cancel, signals)
}

// serveMetrics opens metrics.port, if it is set. The function that it returns waits for the server's end.
func (r *run) serveMetrics(ctx context.Context) (wait func(), err error) {
	port, ok := config.MetricsPort.Lookup(r.cfg)
	if !ok {
		return func() {}, nil
	}
	server, err := metrics.Listen(r.job.Metrics(), port)
	if err != nil {
		return nil, err
	}
	if port == 0 || r.terminal == nil {
		fmt.Fprintf(r.screen, "metrics: http://%s/metrics\n", server.Addr())
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Run(ctx); err != nil {
			r.log.Error("metrics are not served any more", "error", err)
		}
	}()
	return func() { <-ended }, nil
}

// work is the goroutine that calls the job.
func (r *run) work(ctx context.Context, started chan<- struct{}) outcome {
	if config.RecoveryPath.Get(r.cfg) != "" {
		text, err := r.job.RestorePlan(ctx)
		if err != nil {
			return outcome{err: err, restoreErr: !errors.As(err, new(*flott.DirectoryError))}
		}
		fmt.Fprintf(r.screen, "%s\n", strings.TrimRight(text, "\n"))
	}
	close(started)
	result, err := r.job.Run(ctx)
	var restore *flott.RestoreError
	return outcome{result: result, err: err, restoreErr: errors.As(err, &restore)}
}

// loop waits for the job's end, and meanwhile for signals and for the time to show progress.
func (r *run) loop(ctx context.Context, cancel context.CancelCauseFunc, signals <-chan os.Signal) (ending, exitCode) {
	started, done, stops := make(chan struct{}), make(chan outcome, 1), make(chan stopped, 1)
	go func() { done <- r.work(ctx, started) }()
	r.progress = progress{name: r.name, started: r.now()}
	interval := drawInterval
	if r.terminal == nil {
		interval = config.ProgressInterval.Get(r.cfg)
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	waiting := time.NewTicker(waitingInterval)
	defer waiting.Stop()
	running := false
	begun := started
	for {
		select {
		case <-begun:
			begun, running = nil, true
		case <-ticker.C:
			if running {
				r.show()
			}
		case <-waiting.C:
			r.sayWaiting()
		case s := <-signals:
			if r.signal != nil && r.now().Sub(r.signalAt) < sameSignalWithin {
				continue
			}
			if r.signal != nil {
				return r.exitAtOnce, signalCode(s)
			}
			r.signal, r.signalAt = s, r.now()
			if !r.begin(ctx, s, running, stops) {
				cancel(r.cause(s))
			}
		case s := <-stops:
			r.stopping, r.savepoint, r.stopErr = false, s.path, s.err
			if s.err != nil { // not a plain cancel: that could delete the checkpoints, which are all that the job has
				cancel(flott.ErrSuspend)
			}
		case o := <-done:
			if !r.awaitStop(stops, signals) {
				return r.exitAtOnce, exitTerminated
			}
			return r.ended(o)
		}
	}
}

// waitingInterval is the time between two lines about what a signal waits for.
const waitingInterval = 5 * time.Second

// sayWaiting says, after a first signal, what the end is waiting for.
func (r *run) sayWaiting() {
	if r.signal == nil || r.now().Sub(r.signalAt) < waitingInterval/2 {
		return
	}
	what := "for the job to end"
	if running := r.job.Waiting(); len(running) > 0 {
		what = "for functions of the job to return: " + strings.Join(running, "; ")
	} else if r.stopping {
		what = "for the savepoint to complete, which takes at most execution.checkpointing.timeout"
	}
	fmt.Fprintf(r.screen, "%s: waiting %s since %s; a second signal ends the process at once\n", r.name, what, short(r.now().Sub(r.signalAt)))
}

// awaitStop waits, when the job has ended, for the word of a stop with a savepoint. It reports false if a signal came first.
func (r *run) awaitStop(stops <-chan stopped, signals <-chan os.Signal) bool {
	for r.stopping {
		select {
		case s := <-stops:
			r.stopping, r.savepoint, r.stopErr = false, s.path, s.err
		case <-signals:
			if r.now().Sub(r.signalAt) >= sameSignalWithin {
				return false
			}
		}
	}
	return true
}

// show draws or logs where the job stands.
func (r *run) show() {
	r.progress.observe(r.now(), r.job.Status())
	if r.terminal == nil {
		r.progress.log(r.log)
		return
	}
	r.screen.draw(r.progress.line(r.terminal.width()))
}

// begin starts to end the job after a first signal. It reports false if the job is to be cancelled.
func (r *run) begin(ctx context.Context, s os.Signal, running bool, stops chan<- stopped) bool {
	dir, ok := config.SavepointDir.Lookup(r.cfg)
	if s != syscall.SIGTERM || !ok || !running {
		what := "cancelling the job"
		if r.cause(s) != nil {
			what = "ending the process; the job's checkpoints stay"
		}
		fmt.Fprintf(r.screen, "%s: %s: %s; a second signal ends the process at once\n", r.name, signalName(s), what)
		return false
	}
	fmt.Fprintf(r.screen, "%s: %s: stopping with a savepoint in %s; a second signal ends the process at once\n", r.name, signalName(s), dir)
	r.stopping = true
	go func() {
		path, err := r.job.StopWithSavepoint(ctx, dir, false)
		stops <- stopped{path, err}
	}()
	return true
}

// cause says how the job ends after a signal: Ctrl-C cancels it, and its checkpoints go as its retention says. SIGTERM is a supervisor that
// ends the process, not the job: what it needs to go on stays.
func (r *run) cause(s os.Signal) error {
	if s == syscall.SIGTERM && config.CheckpointDir.Get(r.cfg) != "" {
		return flott.ErrSuspend
	}
	return nil
}

func signalName(s os.Signal) string {
	if s == syscall.SIGTERM {
		return "SIGTERM"
	}
	return "SIGINT"
}

func signalCode(s os.Signal) exitCode {
	if s == syscall.SIGTERM {
		return exitTerminated
	}
	return exitInterrupted
}
