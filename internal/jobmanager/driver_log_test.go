package jobmanager

import (
	"bytes"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flottio/flott/internal/blob"
	"github.com/flottio/flott/internal/checkpoint"
)

// TestDriverTellsOfFailedCheckpoints fills the disk (S3): why checkpoints fail, and why the job restarts, must be in the log; the same cause not
// once for each of them.
func TestDriverTellsOfFailedCheckpoints(t *testing.T) {
	for _, tolerable := range []int{0, checkpoint.Unlimited} {
		bubble(t, func(t *testing.T, m *blob.Memory) {
			disk := &blob.Faulty{Disk: m}
			disk.Fail(blob.Fault{Op: blob.OpWrite, Match: "/chk-", Err: syscall.ENOSPC})
			var log bytes.Buffer
			c := testConfig(disk)
			c.Checkpoints.Interval = time.Second
			c.Checkpoints.TolerableFailures = tolerable
			c.Log = slog.New(slog.NewTextHandler(&log, nil))
			r := runJob(t, c)
			sleep(100 * time.Second)
			r.cancel(nil)
			r.wait()
			text := log.String()
			if !strings.Contains(text, "a checkpoint failed") || !strings.Contains(text, "no space left on device") {
				t.Errorf("the log does not say why checkpoints fail:\n%s", text)
			}
			if restarts := strings.Count(text, "the attempt failed"); (restarts > 0) != (tolerable == 0) {
				t.Errorf("%d tolerable failures, and the log speaks of %d failed attempts", tolerable, restarts)
			}
			if n := strings.Count(text, "a checkpoint failed"); n > 11 {
				t.Errorf("%d lines for one cause", n)
			}
		})
	}
}
