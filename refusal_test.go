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
