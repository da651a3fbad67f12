package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/config"
)

// ending is the last word about a run. It is spoken when the progress line is gone; the code is what the process ends with.
type ending = func(exitCode) exitCode

// ended judges how the job ended.
func (r *run) ended(o outcome) (ending, exitCode) {
	switch {
	case errors.As(o.err, new(*flott.StuckError)):
		return r.failed("given up: ", o), exitStuck
	case r.signal != nil && (o.err == nil || errors.Is(o.err, context.Canceled)):
		switch {
		case r.savepoint != "":
			return r.stoppedWithSavepoint(o.result), exitOK
		case o.result.Status == statusFinished:
			return r.finished(o.result), exitOK
		case r.stopErr != nil:
			return r.suspended(o.result), exitTerminated
		case o.result.Status == statusSuspended:
			return r.processEnded(o.result), exitTerminated
		}
		return r.cancelled(o.result), signalCode(r.signal)
	case errors.As(o.err, new(*flott.DirectoryError)):
		return func(exitCode) exitCode { return r.refuse(o.err) }, exitRefused
	case o.err != nil && o.restoreErr:
		return r.failed("", o), exitRestore
	case o.err != nil:
		return r.failed(fmt.Sprintf("failed after %s: ", short(r.ranFor(o.result))), o), exitFailed
	}
	return r.finished(o.result), exitOK
}

// Statuses of a job that has read all of its input, and of one whose process ended before; Flink's words.
const (
	statusFinished  = "FINISHED"
	statusSuspended = "SUSPENDED"
)

func (r *run) ranFor(res flott.JobResult) time.Duration {
	if res.Duration > 0 {
		return res.Duration
	}
	return r.now().Sub(r.progress.started)
}

func (r *run) finished(res flott.JobResult) ending {
	return func(code exitCode) exitCode {
		if !r.quiet {
			fmt.Fprintf(r.stderr, "%s: finished in %s: %s\n", r.name, short(r.ranFor(res)), counts(res))
		}
		r.hint(res)
		return r.speak(code)
	}
}

func (r *run) stoppedWithSavepoint(res flott.JobResult) ending {
	return func(code exitCode) exitCode {
		fmt.Fprintf(r.stderr, "%s: stopped with a savepoint after %s: %s\nSavepoint completed. Path: %s\nResume: %s\n", r.name,
			short(r.ranFor(res)), counts(res), r.savepoint, r.resume(r.savepoint))
		r.hint(res)
		return r.speak(code)
	}
}

// speak lets the job say where its output is.
func (r *run) speak(code exitCode) exitCode {
	if r.done == nil {
		return code
	}
	if err := r.done(r.stdout); err != nil {
		fmt.Fprintf(r.stderr, "%s: after the job's end: %v\n", r.name, err)
		return exitFailed
	}
	return code
}

func (r *run) cancelled(res flott.JobResult) ending {
	return func(code exitCode) exitCode {
		fmt.Fprintf(r.stderr, "%s: cancelled after %s: %s\n", r.name, short(r.ranFor(res)), counts(res))
		if r.checkpoints() && res.Latest == "" {
			fmt.Fprintf(r.stderr, "No checkpoint is kept: %s is %s. With RETAIN_ON_CANCELLATION a cancelled job can go on\n",
				config.CheckpointRetention.Key, config.CheckpointRetention.Get(r.cfg))
		} else if res.Latest != "" {
			fmt.Fprintf(r.stderr, "Its checkpoints are kept, as %s says\n", config.CheckpointRetention.Key)
		}
		r.offer(res)
		return code
	}
}

// checkpoints reports whether the job stores checkpoints that could outlive it.
func (r *run) checkpoints() bool {
	return config.CheckpointInterval.Get(r.cfg) > 0 && config.CheckpointDir.Get(r.cfg) != ""
}

// processEnded is the end by SIGTERM: of the process, not of the job.
func (r *run) processEnded(res flott.JobResult) ending {
	return func(code exitCode) exitCode {
		fmt.Fprintf(r.stderr, "%s: suspended after %s: %s\nThe process was ended, not the job: nothing was deleted\n", r.name,
			short(r.ranFor(res)), counts(res))
		if res.Latest == "" {
			fmt.Fprintf(r.stderr, "No checkpoint was complete yet: the next run starts from the beginning\n")
		}
		r.offer(res)
		return code
	}
}

// manyLate is the share of the input from which on late records are worth a hint: 1 in so many.
const manyLate = 100

// hint says what can be done about many late records.
func (r *run) hint(res flott.JobResult) {
	if res.Late > 0 && res.Late >= res.RecordsIn/manyLate {
		fmt.Fprintf(r.stderr, "hint: %s records came after their windows had closed and were dropped: raise OutOfOrder of the watermark strategy, "+
			"give the windows AllowedLateness, or read the records with LateTo\n", exact(res.Late))
	}
}

func (r *run) failed(what string, o outcome) ending {
	return func(code exitCode) exitCode {
		text := strings.TrimPrefix(o.err.Error(), fmt.Sprintf("job %q failed: ", r.name)) // said already
		fmt.Fprintf(r.stderr, "%s: %s%s\n", r.name, what, text)
		if !o.restoreErr {
			r.offer(o.result)
		}
		return code
	}
}

// offer says how to go on from the last checkpoint, if one is left.
func (r *run) offer(res flott.JobResult) {
	if res.Latest != "" {
		fmt.Fprintf(r.stderr, "Last checkpoint: %s\nResume: %s\n", res.Latest, r.resume(res.Latest))
	}
}

// suspended is the end after a savepoint that failed.
func (r *run) suspended(res flott.JobResult) ending {
	return func(code exitCode) exitCode {
		fmt.Fprintf(r.stderr, "%s: the savepoint failed: %v\nThe job was suspended after %s; its checkpoints stay.\n", r.name, r.stopErr,
			short(r.ranFor(res)))
		r.offer(res)
		return code
	}
}

func (r *run) exitAtOnce(code exitCode) exitCode {
	fmt.Fprintf(r.stderr, "%s: second signal: ending at once, as after a crash\n", r.name)
	return code
}

// counts is what became of the records. In = out + late + dead letters + dropped holds for each operator, not for a job.
func counts(res flott.JobResult) string {
	parts := []string{exact(res.RecordsIn) + " records in", exact(res.RecordsOut) + " out"}
	for _, c := range []struct {
		n    int64
		name string
	}{{res.Late, "late"}, {res.DeadLetters, "dead letters"}, {res.Dropped, "dropped"}, {int64(res.Restarts), "restarts"}} {
		if c.n > 0 {
			parts = append(parts, exact(c.n)+" "+c.name)
		}
	}
	return strings.Join(parts, ", ")
}

// resume is the command that goes on from a snapshot: this one, with another -s.
func (r *run) resume(path string) string {
	words := []string{r.call}
	for _, g := range r.args.given {
		switch {
		case g.spec.long == "fromSavepoint":
		case g.spec.value == "" && g.value == "true":
			words = append(words, g.name)
		case g.spec.short == "D" || g.spec.value != "" && g.spec.user == nil:
			words = append(words, g.name, quoteShell(g.value))
		default:
			words = append(words, quoteShell(g.name+"="+g.value))
		}
	}
	words = append(words, "-s", quoteShell(path))
	if len(r.args.rest) > 0 {
		words = append(words, "--")
		for _, word := range r.args.rest {
			words = append(words, quoteShell(word))
		}
	}
	return strings.Join(words, " ")
}
