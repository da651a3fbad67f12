package flott_test

import (
	"context"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/flottio/flott"
	"github.com/flottio/flott/config"
	"github.com/flottio/flott/flotttest"
)

type click struct {
	URL string
	N   int64
}

func TestRunWithRestartIsExact(t *testing.T) {
	for _, backend := range []string{"hashmap", "rocksdb"} {
		t.Run(backend, func(t *testing.T) {
			var in []click
			urls := []string{"a", "b", "c"}
			for i := range 200_000 {
				in = append(in, click{urls[i%3], 1})
			}
			out := flotttest.NewLedger[click]()
			var seen atomic.Int64
			cfg := config.New()
			cfg.Define("execution.checkpointing.interval=20ms")
			cfg.Define("execution.checkpointing.dir=" + t.TempDir())
			cfg.Define("state.backend.type=" + backend)
			cfg.Define("restart-strategy.type=fixed-delay")
			cfg.Define("restart-strategy.fixed-delay.delay=10ms")
			cfg.Define("parallelism.default=2")
			job, err := flott.Prepare("exact", func(env *flott.Env) {
				s := flott.From(env, "in", flotttest.FromSlice(4, in...).Source())
				m := flott.Map(s, func(c click) click {
					if seen.Add(1) == 150_000 {
						panic("once")
					}
					return c
				})
				k := flott.KeyBy(m, func(c click) string { return c.URL })
				flott.Reduce(k, "sum", func(a, b click) click { return click{a.URL, a.N + b.N} }).To("out", out)
			}, cfg, nil)
			if err != nil {
				t.Fatal(err)
			}
			r, err := job.Run(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if r.Status != "FINISHED" || r.Restarts != 1 {
				t.Errorf("%+v", r)
			}
			count := map[click]int{}
			for _, c := range out.Records() {
				count[c]++
			}
			if len(count) != len(in) || len(out.Records()) != len(in) {
				t.Fatalf("%d distinct of %d records, want %d", len(count), len(out.Records()), len(in))
			}
		})
	}
}

func TestGoexitFailsTheJob(t *testing.T) {
	job, err := flott.Prepare("goexit", func(env *flott.Env) {
		s := flott.From(env, "in", flotttest.FromSlice(1, click{"a", 1}).Source())
		flott.Map(s, func(c click) click {
			runtime.Goexit()
			return c
		}).To("out", flotttest.NewLedger[click]())
	}, config.New(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := job.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "runtime.Goexit") {
		t.Errorf("error %v, want one that names runtime.Goexit", err)
	}
}
