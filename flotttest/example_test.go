package flotttest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/flotttest"
)

type click struct {
	URL, User string
}

type perMinute struct {
	URL   string
	Start int64
	Count int64
}

// clicksPerMinute is a job whose source and sink are arguments, so that it can be tested.
func clicksPerMinute(env *flott.Env, in flott.Source[click], out flott.Sink[perMinute]) {
	clicks := flott.From(env, "clicks", in, flott.SourceTimes[click]().OutOfOrder(5*time.Second))
	perURL := flott.KeyBy(clicks, func(c click) string { return c.URL })
	counts := flott.Aggregate(perURL.Window(flott.Tumbling(time.Minute)), "per-minute", flott.Count[click]())
	flott.Map(counts, func(r flott.Result[string, int64]) perMinute {
		return perMinute{r.Key, r.Window.Start, r.Value}
	}).To("counts", out)
}

func clicks() flotttest.Script[click] {
	return flotttest.Records(
		flotttest.At(1_000, click{"/a", "ann"}),
		flotttest.At(3_000, click{"/b", "ann"}),
		flotttest.At(2_000, click{"/a", "bob"}),
		flotttest.At(61_000, click{"/a", "cid"}).After(time.Second),
		flotttest.At(62_000, click{"/b", "ann"}),
		flotttest.At(130_000, click{"/a", "bob"}),
	)
}

func ExampleSimulate() {
	out := flotttest.NewLedger[perMinute]()
	_, err := flotttest.Simulate(flotttest.Options{Parallelism: 2}, func(env *flott.Env) { clicksPerMinute(env, clicks(), out) })
	for _, r := range out.Records() {
		if r.URL == "/a" {
			fmt.Println(r.URL, r.Start/1000, r.Count)
		}
	}
	fmt.Println(err)
	// Output:
	// /a 0 2
	// /a 60 1
	// /a 120 1
	// <nil>
}

func TestRunWithCrashesAtChosenMoments(t *testing.T) {
	for name, option := range map[string]flotttest.Option{
		"checkpoint": flotttest.CrashAtCheckpoint(1),
		"record":     flotttest.CrashAtRecord(4),
		"random":     flotttest.With(func(o *flotttest.Options) { o.Crashes, o.CrashEvery, o.OtherParallelism = 3, 40, 3 }),
	} {
		t.Run(name, func(t *testing.T) {
			out := flotttest.NewLedger[perMinute]()
			r := flotttest.Run(t, func(env *flott.Env) { clicksPerMinute(env, clicks(), out) },
				option, flotttest.Checkpoints(15), flotttest.Parallelism(2), flotttest.Seed(7))
			if r.Crashes == 0 {
				t.Error("nothing crashed")
			}
			sum := int64(0)
			for _, x := range out.Records() {
				sum += x.Count
			}
			if len(out.Records()) != 5 || sum != 6 {
				t.Errorf("%v", out.Records())
			}
		})
	}
}

func TestClicksAreEquivalent(t *testing.T) {
	flotttest.Equivalent(t, clicksPerMinute, clicks(), flotttest.Equivalence[perMinute]{Order: func(r perMinute) string { return r.URL }})
}
