package flott_test

import (
	"strings"
	"testing"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/config"
	"github.com/flottio/flott/flotttest"
)

// One mistake is one line, with the place of the operator, and all of them are said at once with those of the configuration.
func TestEachMistakeIsOneProblem(t *testing.T) {
	windows := []struct {
		a    flott.WindowAssigner
		want string
	}{
		{flott.Tumbling(0), "the size of windows is 0s"},
		{flott.Tumbling(-time.Second), "the size of windows is -1s"},
		{flott.Tumbling(0).Offset(time.Second), "the size of windows is 0s"},
		{flott.Sliding(time.Minute, 0), "the slide of windows is 0s"},
		{flott.Session(-time.Second), "the gap of windows is -1s"},
		{flott.Tumbling(time.Minute).Offset(time.Hour), "an offset of 1h0m0s"},
		{flott.WindowAssigner{}, "no windows given"},
		{flott.Session(time.Second).Offset(time.Second), "an offset of 1s: only tumbling and sliding windows have one"},
	}
	for _, w := range windows {
		lines := problems(t, func(env *flott.Env) {
			s := flott.From(env, "in", flotttest.FromSlice[click](1).Source(), flott.WatermarksMillis(func(c click) int64 { return c.N }))
			k := flott.KeyBy(s, func(c click) string { return c.URL })
			flott.Reduce(k.Window(w.a), "sum", func(a, b click) click { return a }).To("out", flotttest.NewLedger[click]())
		})
		if len(lines) != 1 || !strings.Contains(lines[0], "refusal_test.go:") || !strings.Contains(lines[0], w.want) {
			t.Errorf("want one problem, %q, got\n%s", w.want, strings.Join(lines, "\n"))
		}
	}
	cfg := config.New()
	cfg.Define("parallelism.default=many")
	_, err := flott.Prepare("refused", func(env *flott.Env) {
		s := flott.From(env, "#1", flotttest.FromSlice[click](1).Source(),
			flott.WatermarksMillis(func(c click) int64 { return c.N }).OutOfOrder(-time.Second).Idle(time.Microsecond)).Parallelism(-1)
		s.Filter(func(click) bool { return true }).MaxParallelism(-2).To("out", flotttest.NewLedger[click]()).Parallelism(-3)
	}, cfg, nil)
	if err == nil {
		t.Fatal("the job was accepted")
	}
	wantAll(t, err.Error(), "parallelism.default: found", "names that begin with # are the engine's own", "OutOfOrder(-1s)", "Idle(1µs)", "Parallelism(-1)",
		"MaxParallelism(-2)", "Parallelism(-3)")
	if n := strings.Count(err.Error(), "refusal_test.go:"); n != 6 {
		t.Errorf("%d problems of the graph, want 6:\n%v", n, err)
	}
}

// problems are the lines that say why a job was refused, without the heading.
func problems(t *testing.T, build func(*flott.Env)) (lines []string) {
	t.Helper()
	_, err := flott.Prepare("refused", build, config.New(), nil)
	if err == nil {
		t.Fatal("the job was accepted")
	}
	for line := range strings.Lines(err.Error()) {
		if strings.Contains(line, ".go:") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// A function that was left out is refused with the place, not met by the first record as a nil pointer.
func TestNilFunctionsAreRefused(t *testing.T) {
	type clicks = flott.Stream[click]
	type keyed = flott.KeyedStream[string, click]
	out := flotttest.NewLedger[click]()
	byURL := func(s clicks) keyed { return flott.KeyBy(s, func(c click) string { return c.URL }) }
	rejoined := func(s flott.Stream[flott.Result[string, int64]]) clicks {
		return flott.Map(s, func(flott.Result[string, int64]) click { return click{} })
	}
	var in *flott.Env
	minute := flott.Tumbling(time.Minute).ProcessingTime()
	for want, f := range map[string]func(clicks) clicks{
		"Map: the function is nil":              func(s clicks) clicks { return flott.Map[click, click](s, nil) },
		"TryMap: the function is nil":           func(s clicks) clicks { return flott.TryMap[click, click](s, nil) },
		"FlatMap: the function is nil":          func(s clicks) clicks { return flott.FlatMap[click, click](s, nil) },
		"TryFlatMap: the function is nil":       func(s clicks) clicks { return flott.TryFlatMap[click, click](s, nil) },
		"Filter: the function is nil":           func(s clicks) clicks { return s.Filter(nil) },
		"PartitionCustom: the function is nil":  func(s clicks) clicks { return s.PartitionCustom(nil) },
		"Watermarks: the function is nil":       func(s clicks) clicks { return s.AssignWatermarks(flott.Watermarks[click](nil)) },
		"WatermarksMillis: the function is nil": func(s clicks) clicks { return s.AssignWatermarks(flott.WatermarksMillis[click](nil)) },
		"Custom: the function is nil": func(s clicks) clicks {
			return s.AssignWatermarks(flott.SourceTimes[click]().Custom(nil))
		},
		"KeyBy: the function is nil": func(s clicks) clicks {
			return flott.Reduce(flott.KeyBy[string](s, nil), "sum", func(a, _ click) click { return a })
		},
		"Reduce: the function is nil": func(s clicks) clicks { return flott.Reduce(byURL(s), "sum", nil) },
		"Aggregate: the aggregator is nil": func(s clicks) clicks {
			return rejoined(flott.Aggregate(byURL(s).Window(minute), "sum", flott.Aggregator[click, int64, int64](nil)))
		},
		"Process: the setup is nil":      func(s clicks) clicks { return flott.Process[click, click](s, "p", nil) },
		"KeyedProcess: the setup is nil": func(s clicks) clicks { return flott.KeyedProcess[string, click, click](byURL(s), "p", nil) },
		"CoProcess: the setup is nil": func(s clicks) clicks {
			return flott.CoProcess[string, click, click, click](byURL(s), byURL(s), "p", nil)
		},
		"BroadcastProcess: the setup is nil": func(s clicks) clicks {
			return flott.BroadcastProcess[string, click, click, click](byURL(s), s, "p", nil)
		},
		"WindowProcess: the setup is nil": func(s clicks) clicks {
			return flott.WindowProcess[string, click, click](byURL(s).Window(minute), "p", nil)
		},
		"From: the source is nil": func(s clicks) clicks { return s.Union(flott.From[click](in, "none", nil)) },
		"To: the sink is nil":     func(s clicks) clicks { s.To("none", nil); return s },
	} {
		lines := problems(t, func(env *flott.Env) {
			in = env
			f(flott.From(env, "in", flotttest.FromSlice[click](1).Source())).To("out", out)
		})
		if len(lines) != 1 || !strings.Contains(lines[0], "refusal_test.go:") || !strings.Contains(lines[0], want) {
			t.Errorf("want one problem, %q, got\n%s", want, strings.Join(lines, "\n"))
		}
	}
}
