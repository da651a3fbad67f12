package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/flottio/flott/config"
)

// ending is the last word about a run. It is spoken when the progress line is gone; the code is what the process ends with.
type ending = func(exitCode) exitCode

// ended judges how the job ended.
func (r *run) ended(o outcome) (ending, exitCode) {
	switch {
	case r.signal != nil && (o.err == nil || errors.Is(o.err, context.Canceled)):
		if path := orElse(o.result.Savepoint, r.savepoint); path != "" {
			return r.stoppedWithSavepoint(o.result, path), exitOK
		}
		if o.err == nil && o.result.Status == statusFinished {
			return r.finished(o.result), exitOK
		}
		return r.cancelled(o.result), signalCode(r.signal)
	case o.err != nil && o.restoreErr:
		return r.failed("", o), exitRestore
	case o.err != nil:
		return r.failed(fmt.Sprintf("failed after %s: ", short(r.ranFor(o.result))), o), exitFailed
	}
	return r.finished(o.result), exitOK
}

// statusFinished is the status of a job that has read all of its input; Flink's word.
const statusFinished = "FINISHED"

func (r *run) ranFor(res result) time.Duration {
	if res.Duration > 0 {
		return res.Duration
	}
	return r.now().Sub(r.progress.started)
}

func (r *run) finished(res result) ending {
	return func(code exitCode) exitCode {
		fmt.Fprintf(r.stderr, "%s: finished in %s: %s\n", r.name, short(r.ranFor(res)), counts(res))
		return r.speak(code)
	}
}

func (r *run) stoppedWithSavepoint(res result, path string) ending {
	return func(code exitCode) exitCode {
		fmt.Fprintf(r.stderr, "%s: stopped with a savepoint after %s: %s\nSavepoint completed. Path: %s\nResume: %s\n", r.name,
			short(r.ranFor(res)), counts(res), path, r.resume(path))
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

func (r *run) cancelled(res result) ending {
	return func(code exitCode) exitCode {
		fmt.Fprintf(r.stderr, "%s: cancelled after %s: %s\n", r.name, short(r.ranFor(res)), counts(res))
		r.offer(res)
		return code
	}
}

func (r *run) failed(what string, o outcome) ending {
	return func(code exitCode) exitCode {
		fmt.Fprintf(r.stderr, "%s: %s%v\n", r.name, what, o.err)
		if !o.restoreErr {
			r.offer(o.result)
		}
		return code
	}
}

// offer says how to go on from the last checkpoint, if one is left.
func (r *run) offer(res result) {
	if res.LastCheckpoint != "" {
		fmt.Fprintf(r.stderr, "Last checkpoint: %s\nResume: %s\n", res.LastCheckpoint, r.resume(res.LastCheckpoint))
	}
}

// abandoned ends the process with the job still in it, as a crash would: to cancel it could delete the checkpoints that are all it has.
func (r *run) abandoned(code exitCode) exitCode {
	fmt.Fprintf(r.stderr, "%s: SIGTERM: the savepoint failed: %v\nThe process ends as after a crash; checkpoints stay as they are.\n", r.name,
		r.stopErr)
	if config.CheckpointDir.Get(r.cfg) != "" {
		fmt.Fprintf(r.stderr, "Resume: %s\n", r.resume("latest"))
	}
	return code
}

func (r *run) exitAtOnce(code exitCode) exitCode {
	fmt.Fprintf(r.stderr, "%s: second signal: ending at once, as after a crash\n", r.name)
	return code
}

// counts is what became of the records. In = out + late + dead letters + dropped holds for each operator, not for a job.
func counts(res result) string {
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
