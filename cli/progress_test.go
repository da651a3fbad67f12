package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/flottio/flott"
	"github.com/flottio/flott/config"
)

// TestProgress shows lines for a status at a time: "at SECONDS width=N key=value ..." prints the line for a terminal and the one for a log.
func TestProgress(t *testing.T) {
	start := time.UnixMilli(1_700_000_000_000).UTC()
	var p progress
	datadriven.RunTest(t, "testdata/progress", func(t *testing.T, d *datadriven.TestData) string {
		if d.Cmd == "start" {
			p = progress{name: "clicks", started: start}
			return ""
		}
		s, width, at := status{State: "RUNNING", Percent: -1}, 200, 0.0
		for _, arg := range d.CmdArgs {
			n := 0.0
			if _, err := fmt.Sscan(arg.Vals[0], &n); err != nil {
				d.Fatalf(t, "%s: %v", arg.Key, err)
			}
			seconds := time.Duration(n * float64(time.Second))
			switch arg.Key {
			case "at":
				at = n
			case "width":
				width = int(n)
			case "in":
				s.RecordsIn = int64(n)
			case "out":
				s.RecordsOut = int64(n)
			case "lag":
				s.HasWatermark, s.WatermarkLag = true, seconds
			case "checkpoint":
				s.Checkpoint = checkpointStatus{ID: 17, Completed: start.Add(seconds), Took: 12 * time.Millisecond, SizeBytes: 4096}
			case "backpressure":
				s.Backpressured = n
			case "percent":
				s.Percent = n
			case "late":
				s.Late = int64(n)
			case "dropped":
				s.Dropped = int64(n)
			case "restarts":
				s.Restarts = int(n)
			default:
				d.Fatalf(t, "unknown %s", arg.Key)
			}
		}
		p.observe(start.Add(time.Duration(at*float64(time.Second))), s)
		var b bytes.Buffer
		p.log(slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}})))
		line := p.line(width)
		if len(line) >= width {
			t.Errorf("%d characters do not fit into %d: %s", len(line), width, line)
		}
		return line + "\n" + b.String()
	})
}

// TestNumbers: quantities, counts and durations around the places where their form changes.
func TestNumbers(t *testing.T) {
	for got, want := range map[string]string{
		quantity(0): "0", quantity(812.4): "812", quantity(9999): "9999", quantity(9999.6): "10.0 k", quantity(34_123): "34.1 k",
		quantity(999_499): "999 k", quantity(999_500): "1.00 M", quantity(12_345_678): "12.3 M", quantity(5e12): "5.0 T",
		exact(0): "0", exact(999): "999", exact(1000): "1,000", exact(1234567): "1,234,567", exact(-1000): "-1,000", exact(-100): "-100",
		short(0): "0 ms", short(999 * time.Millisecond): "999 ms", short(5149 * time.Millisecond): "5.1 s",
		short(59_999 * time.Millisecond): "59.9 s", short(61 * time.Second): "1 min 1 s", short(90 * time.Minute): "1 h 30 min",
		short(200 * time.Hour): "8 days", short(-time.Second): "-1.0 s",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestScreen: what is written stands above the progress line, and a line that has not ended is not drawn over.
func TestScreen(t *testing.T) {
	var b bytes.Buffer
	s := &screen{out: &b}
	step := func(want string) {
		t.Helper()
		if got := strings.ReplaceAll(b.String(), clearLine, "<clear>"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		b.Reset()
	}
	fmt.Fprint(s, "a\n")
	step("a\n")
	s.draw("50%")
	step("<clear>50%")
	fmt.Fprint(s, "b\n")
	step("<clear>b\n50%")
	fmt.Fprint(s, "c")
	step("<clear>c")
	s.draw("60%")
	step("")
	fmt.Fprint(s, "d\n")
	step("d\n60%")
	s.draw("")
	step("<clear>")
	s.draw("")
	step("")
}

// TestStdoutIsCaptured: what a job prints goes to the same screen, all of it before the line is given back.
func TestStdoutIsCaptured(t *testing.T) {
	terminal, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{out: terminal}
	release, err := s.captureStdout(terminal)
	if err != nil {
		t.Fatal(err)
	}
	s.draw("50%")
	fmt.Fprint(os.Stdout, "hello\n")
	release()
	s.draw("")
	got, err := os.ReadFile(terminal.Name())
	if text := strings.ReplaceAll(string(got), clearLine, "<clear>"); err != nil || text != "<clear>50%<clear>hello\n50%<clear>" {
		t.Errorf("%q %v", text, err)
	}
}

// TestDrawing: on a terminal a line is drawn every half second of the job's life, and taken away at its end.
func TestDrawing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, stderr := inProcess("idle")
		p.terminal = &terminal{width: func() int { return 60 }}
		started := time.Now()
		p.prepare = func(cfg *config.Set, _ *slog.Logger) (job, error) { return &sleepyJob{fakeJob{cfg: cfg}, started}, nil }
		if code := p.main(nil); code != exitOK {
			t.Errorf("exit %d", code)
		}
		got := strings.ReplaceAll(stderr.String(), clearLine, "\n<clear>")
		want := `
<clear>clicks  running  in 1000/s  out 0/s  500 ms
<clear>clicks  running  in 1000/s  out 0/s  1.0 s
<clear>clicks: finished in 1.2 s: 1,200 records in, 0 out
`
		if got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	})
}

// sleepyJob reads a record each millisecond for 1.2 s.
type sleepyJob struct {
	fakeJob
	started time.Time
}

func (j *sleepyJob) Run(ctx context.Context) (flott.JobResult, error) {
	select {
	case <-ctx.Done():
		return flott.JobResult{}, ctx.Err()
	case <-time.After(1200 * time.Millisecond):
		return flott.JobResult{Status: "FINISHED", RecordsIn: 1200}, nil
	}
}

func (j *sleepyJob) Status() status {
	return status{State: "RUNNING", RecordsIn: time.Since(j.started).Milliseconds(), Percent: -1}
}

var _ io.Writer = (*screen)(nil)
