package flott_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/config"
	"github.com/flottio/flott/flotttest"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files")

// The plan as JSON is an interface for programs: docs/cli.md promises its names. Lines of the job's code are written as N.
func TestPlanAsJSON(t *testing.T) {
	cfg := config.New()
	cfg.Define("parallelism.default=2")
	job, err := flott.Prepare("planned", func(env *flott.Env) {
		late := flott.NewOutputTag[click]("late")
		s := flott.From(env, "in", flotttest.FromSlice[click](1).Source(), flott.WatermarksMillis(func(c click) int64 { return c.N }))
		k := flott.KeyBy(s.Filter(func(click) bool { return true }).Named("kept"), func(c click) string { return c.URL })
		w := flott.Reduce(k.Window(flott.Tumbling(time.Second)).LateTo(late), "sum", func(a, b click) click { return a }).Parallelism(4).MaxParallelism(64)
		w.To("out", flotttest.NewLedger[click]())
		flott.SideOutput(w, late).To("late", flotttest.NewLedger[click]()).Parallelism(4)
	}, cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := job.PlanJSON()
	if err != nil {
		t.Fatal(err)
	}
	got = append(regexp.MustCompile(`"position": ".*/(.*:)\d+"`).ReplaceAll(got, []byte(`"position": "${1}N"`)), '\n')
	golden := filepath.Join("testdata", "plan.json")
	if *rewrite {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("the plan is\n%s\nwant (go test . -run TestPlanAsJSON -rewrite)\n%s", got, want)
	}
}
