package flott_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/config"
	"github.com/flottio/flott/connector/file"
	"github.com/flottio/flott/flotttest"
	"github.com/flottio/flott/format/json"
)

// backwards is a wall clock that is set back by hours.
type backwards struct{ hours atomic.Int64 }

func (c *backwards) now() time.Time {
	return time.Now().Add(-time.Duration(c.hours.Load()) * time.Hour)
}

const (
	clockKeys = 4
	clockEach = 3000 // records of a key
)

// gated lets few records through at a time until it is opened, so that the job goes on for as long as the test needs it: 6 s or longer.
type gated struct {
	flott.Source[click]
	open *atomic.Bool
}

func (g gated) NewReader(ctx flott.ReaderContext) (flott.Reader[click], error) {
	r, err := g.Source.NewReader(ctx)
	return &gatedReader{Reader: r, gated: g, wake: ctx.Wake, next: time.NewTimer(0)}, err
}

type gatedReader struct {
	flott.Reader[click]
	gated
	wake func()
	next *time.Timer
}

func (r *gatedReader) Read(b *flott.Batch[click]) (flott.ReadStatus, error) {
	if r.open.Load() {
		return r.Reader.Read(b)
	}
	select {
	case <-r.next.C:
		r.next.Reset(2 * time.Millisecond)
		time.AfterFunc(2*time.Millisecond, r.wake)
		return r.Reader.Read(b)
	default:
		return flott.Idle, nil
	}
}

// clockJob has everything that asks for the time: processing-time windows and timers, state with a time to live, files in buckets by time.
type clockJob struct {
	t       *testing.T
	dir     string
	clock   backwards
	open    atomic.Bool
	fail    atomic.Bool // the next record panics
	fired   atomic.Int64
	counts  *flotttest.Ledger[click]
	windows *flotttest.Ledger[flott.Result[string, int64]]
}

func (c *clockJob) build(env *flott.Env) {
	splits := make([][]flotttest.Record[click], clockKeys)
	for i := range splits {
		for n := range clockEach {
			splits[i] = append(splits[i], flotttest.At(flott.NoTime, click{fmt.Sprint(i), int64(n)}))
		}
	}
	s := flott.From(env, "in", gated{Source: flotttest.Script[click]{Splits: splits, MaxBatch: 2}.Source(), open: &c.open})
	k := flott.KeyBy(s, func(c click) string { return c.URL })
	flott.KeyedProcess(k, "count", func(k *flott.KeyedContext[string, click]) func(click) error {
		n := flott.NewValue[int64](k, "n", flott.TTL(30*time.Minute)) // shorter than the clock is set back
		latest := time.Time{}
		k.OnProcessingTimer(func(at time.Time) error {
			c.fired.Add(1)
			if k.Now().Before(at) {
				return fmt.Errorf("the timer of %v fires at %v", at, k.Now())
			}
			return nil
		})
		return func(v click) error {
			if c.fail.CompareAndSwap(true, false) {
				panic("as the test wants it")
			}
			now := k.Now()
			if now.Before(latest) {
				return fmt.Errorf("processing time went from %v back to %v within an attempt", latest, now)
			}
			latest = now
			k.SetProcessingTimer(now.Add(time.Millisecond))
			n.Set(n.Get() + 1)
			k.Emit(click{v.URL, n.Get()})
			return nil
		}
	}).To("counts", c.counts)
	flott.Aggregate(k.Window(flott.Tumbling(5*time.Millisecond).ProcessingTime()), "windows", flott.Count[click]()).To("windows out", c.windows)
	s.To("files", file.Sink(filepath.Join(c.dir, "out"), json.Of[click](), file.BucketByTime("2006-01-02T15"), file.RollInterval(5*time.Millisecond)))
}

func (c *clockJob) prepare(from string) *flott.Job {
	c.t.Helper()
	cfg := config.New()
	for _, o := range []string{"parallelism.default=2", "execution.checkpointing.interval=10 ms", "execution.checkpointing.min-pause=2 ms",
		"execution.checkpointing.dir=" + filepath.Join(c.dir, "chk"), "execution.checkpointing.num-retained=2",
		"execution.checkpointing.externalized-checkpoint-retention=RETAIN_ON_CANCELLATION", "execution.state-recovery.path=" + from,
		"restart-strategy.type=fixed-delay", "restart-strategy.fixed-delay.delay=1 ms"} {
		cfg.Define(o)
	}
	job, err := flott.PrepareAt("clock", c.build, cfg, nil, c.clock.now)
	if err != nil {
		c.t.Fatal(err)
	}
	return job
}

// until waits for something that the job does.
func (c *clockJob) until(what string, ended <-chan error, there func() bool) {
	c.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for !there() {
		select {
		case err := <-ended:
			c.t.Fatalf("the job ended while the test waited for %s: %v", what, err)
		case <-limit:
			c.t.Fatalf("waited for %s in vain", what)
		case <-tick.C:
		}
	}
}

// TestClockGoesBackwards sets the wall clock back by hours within an attempt, between two attempts, and between two processes. Nothing is lost,
// doubled or thrown away as too old, nothing waits for the clock to come back, and what is newest goes by number, not by date.
func TestClockGoesBackwards(t *testing.T) {
	c := &clockJob{t: t, dir: t.TempDir(), counts: flotttest.NewLedger[click](), windows: flotttest.NewLedger[flott.Result[string, int64]]()}
	job := c.prepare("")
	ctx, suspend := context.WithCancelCause(t.Context())
	defer suspend(nil)
	ended := make(chan error, 1)
	go func() { _, err := job.Run(ctx); ended <- err }()
	goesOn := func(job *flott.Job, when string) {
		t.Helper()
		completed, fired := job.Status().Stats.Completed, c.fired.Load()
		results := len(c.windows.Records())
		c.until("checkpoints, timers and windows "+when, ended, func() bool {
			return job.Status().Stats.Completed >= completed+2 && c.fired.Load() > fired && len(c.windows.Records()) > results
		})
	}
	goesOn(job, "at the beginning")
	c.clock.hours.Add(2)
	goesOn(job, "after the clock was set back within an attempt")
	c.clock.hours.Add(2)
	c.fail.Store(true)
	c.until("the second attempt", ended, func() bool { return job.Status().Attempts == 2 })
	goesOn(job, "after the clock was set back between attempts")
	suspend(flott.ErrSuspend)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	newest := job.Status().Stats.LastCompleted.ID

	c.clock.hours.Add(2)
	job = c.prepare("latest")
	go func() { _, err := job.Run(t.Context()); ended <- err }()
	c.until("the restore", ended, func() bool { return job.Status().Restored > 0 })
	if r := job.Status().Restored; r < newest {
		t.Errorf("latest is checkpoint %d, but %d was the newest", r, newest)
	}
	goesOn(job, "after the clock was set back between processes")
	if id := job.Status().Stats.LastCompleted.ID; id <= newest {
		t.Errorf("checkpoint %d was taken after %d", id, newest)
	}
	if found, err := filepath.Glob(filepath.Join(c.dir, "chk", "*", "chk-*", "_metadata")); err != nil || len(found) > 4 {
		t.Errorf("2 checkpoints are to be retained: %v, %v", found, err)
	}
	c.open.Store(true)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	c.exact()
}

func (c *clockJob) exact() {
	c.t.Helper()
	var counts, want, lines, wantLines []string
	for _, r := range c.counts.Records() {
		counts = append(counts, fmt.Sprint(r))
	}
	inWindows := map[string]int64{}
	for _, r := range c.windows.Records() {
		inWindows[r.Key] += r.Value
	}
	err := filepath.WalkDir(filepath.Join(c.dir, "out"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if strings.HasPrefix(d.Name(), ".") {
			return errors.New(path + " is left")
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			lines = append(lines, s.Text())
		}
		return nil
	})
	if err != nil {
		c.t.Error(err)
	}
	for i := range clockKeys {
		for n := range clockEach {
			want = append(want, fmt.Sprint(click{fmt.Sprint(i), int64(n + 1)}))
			wantLines = append(wantLines, fmt.Sprintf(`{"URL":"%d","N":%d}`, i, n))
		}
		if n := inWindows[fmt.Sprint(i)]; n != clockEach {
			c.t.Errorf("windows counted %d records of key %d, want %d", n, i, clockEach)
		}
	}
	for _, x := range []struct {
		what      string
		got, want []string
	}{{"running counts", counts, want}, {"lines of files", lines, wantLines}} {
		slices.Sort(x.got)
		slices.Sort(x.want)
		if !slices.Equal(x.got, x.want) {
			c.t.Errorf("%d %s differ from the %d wanted", len(x.got), x.what, len(x.want))
		}
	}
}
