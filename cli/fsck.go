package cli

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/flottio/flott/internal/blob"
	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/jobmanager"
	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/internal/state"
)

// fsck verifies the snapshot at a path without its job.
func (p *program) fsck(path string) exitCode {
	report, err := jobmanager.Fsck(path, verifyState)
	if err != nil {
		return p.refuse(fmt.Errorf("state fsck: %w", err))
	}
	describeSnapshot(p.stdout, report)
	for _, file := range report.Litter {
		fmt.Fprintf(p.stdout, "not needed  %s (nothing refers to it)\n", file)
	}
	if report.Whole() {
		fmt.Fprintf(p.stdout, "whole: %s, %s bytes\n", plural(report.Files, "file"), exact(report.Bytes))
		return exitOK
	}
	for _, d := range report.Damage {
		fmt.Fprintf(p.stdout, "damaged     %v\n", d.Err)
		for _, use := range d.Uses {
			fmt.Fprintf(p.stdout, "            needed for the %s\n", use)
		}
	}
	fmt.Fprintf(p.stderr, "%s: %s is damaged in %d of %s: it cannot be restored\n", p.name, report.Dir, len(report.Damage),
		plural(report.Files+1, "file"))
	return exitRestore
}

// verifyState reads all segments of a file of keyed state: a file that was stored as it is named in the manifest may still hold what no
// task can read.
func verifyState(h checkpoint.Handle, c blob.Content) error {
	if h.KeyGroups == (keygroup.Range{}) && !state.IsFile(c) {
		return nil
	}
	return errors.Join(state.Verify(h.Path, c, c.Size())...)
}

// describeSnapshot says what a snapshot holds, as far as it can be read.
func describeSnapshot(w io.Writer, r jobmanager.Report) {
	fmt.Fprintf(w, "%s\n", r.Dir)
	m := r.Manifest
	if m == nil {
		return
	}
	kind := "checkpoint"
	if m.Kind != checkpoint.Periodic {
		kind = "savepoint"
	}
	fmt.Fprintf(w, "%s %d of job %s (%s), %s, by Flott %s\n", kind, m.ID, m.JobName, m.JobID,
		time.UnixMilli(m.TriggeredMs).UTC().Format(time.RFC3339), m.CodeVersion)
	for _, op := range m.Operators {
		bytes := int64(0)
		for _, s := range op.Subtasks {
			for _, h := range s.Keyed {
				bytes += h.Length
			}
		}
		fmt.Fprintf(w, "  %s: %s, max parallelism %d, %s, %s bytes of keyed state\n", op.UID, plural(op.Parallelism, "subtask"),
			op.MaxParallelism, plural(len(op.States), "state"), exact(bytes))
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return exact(int64(n)) + " " + noun + "s"
}
