package flott_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/flotttest"
	"github.com/flottio/flott/internal/graph"
)

type visit struct {
	User string
	At   int64 // ms
	N    int64
}

func visits(n int) []visit {
	list := make([]visit, n)
	for i := range list {
		list[i] = visit{fmt.Sprint("u", i*i%7), int64(i)*37 - 2000, int64(i)}
		if i%50 > 40 {
			list[i].User = "seldom"
		}
	}
	return list
}

// windowJobs are jobs with every kind of window and function, whose results do not depend on the order of splits.
var windowJobs = map[string]func(flott.KeyedStream[string, visit]) flott.Stream[string]{
	"tumbling aggregate": func(k flott.KeyedStream[string, visit]) flott.Stream[string] {
		return told(flott.Aggregate(k.Window(flott.Tumbling(500*time.Millisecond).Offset(30*time.Millisecond)), "w", flott.Count[visit]()))
	},
	"sliding aggregate": func(k flott.KeyedStream[string, visit]) flott.Stream[string] {
		sum := flott.Sum(func(v visit) int64 { return v.N })
		return told(flott.Aggregate(k.Window(flott.Sliding(time.Second, 400*time.Millisecond)), "w", sum))
	},
	"session reduce": func(k flott.KeyedStream[string, visit]) flott.Stream[string] {
		r := flott.Reduce(k.Window(flott.Session(300*time.Millisecond)), "w", func(a, b visit) visit {
			return visit{a.User, min(a.At, b.At), a.N + b.N}
		})
		return flott.Map(r, func(v visit) string { return fmt.Sprint(v) })
	},
	"global aggregate": func(k flott.KeyedStream[string, visit]) flott.Stream[string] {
		return told(flott.Aggregate(k.Window(flott.Global()), "w", flott.Count[visit]()))
	},
	"tumbling process with state": func(k flott.KeyedStream[string, visit]) flott.Stream[string] {
		return flott.WindowProcess(k.Window(flott.Tumbling(time.Second)), "w",
			func(k *flott.KeyedContext[string, string]) func(flott.Window, []visit) error {
				windows := flott.NewValue[int](k, "windows")
				return func(w flott.Window, records []visit) error {
					windows.Set(windows.Get() + 1)
					sum := int64(0)
					for _, v := range records {
						sum += v.N
					}
					k.Emit(fmt.Sprint(k.Key(), w, windows.Get(), len(records), sum, k.TimeMillis()))
					return nil
				}
			})
	},
}

func told[R any](s flott.Stream[flott.Result[string, R]]) flott.Stream[string] {
	return flott.Map(s, func(r flott.Result[string, R]) string { return fmt.Sprint(r) })
}

func runWindowJob(t *testing.T, o flotttest.Options, job func(flott.KeyedStream[string, visit]) flott.Stream[string]) ([]string, flotttest.Result) {
	t.Helper()
	out := flotttest.NewLedger[string]()
	r, err := flotttest.Simulate(o, func(env *flott.Env) {
		in := flott.From(env, "in", flotttest.FromSlice(1, visits(600)...).Source(),
			flott.WatermarksMillis(func(v visit) int64 { return v.At }).OutOfOrder(100*time.Millisecond))
		job(flott.KeyBy(in, func(v visit) string { return v.User })).To("out", out)
	})
	if err != nil {
		t.Fatalf("seed %d: %v", o.Seed, err)
	}
	got := slices.Clone(out.Records())
	slices.Sort(got)
	return got, r
}

func TestWindowJobsSurviveCrashes(t *testing.T) {
	for name, job := range windowJobs {
		t.Run(name, func(t *testing.T) {
			want, _ := runWindowJob(t, flotttest.Options{Seed: 1}, job)
			if len(want) < 5 {
				t.Fatalf("only %d results", len(want))
			}
			crashes := 0
			for seed := uint64(1); seed <= 15; seed++ {
				got, r := runWindowJob(t, flotttest.Options{
					Seed: seed, Parallelism: 2, OtherParallelism: 3, CheckpointEvery: 30, Crashes: 3, CrashEvery: 150, Restarts: 10,
				}, job)
				crashes += r.Crashes
				if !slices.Equal(got, want) {
					t.Fatalf("seed %d:\ngot  %d: %v\nwant %d: %v", seed, len(got), got, len(want), want)
				}
			}
			if crashes == 0 {
				t.Fatal("no run crashed")
			}
		})
	}
}

func TestLateRecordsGoToTheSideOutput(t *testing.T) {
	late := flott.NewOutputTag[visit]("late")
	results, lates := flotttest.NewLedger[string](), flotttest.NewLedger[visit]()
	var in []visit
	for i := range 2000 {
		in = append(in, visit{"u", int64(i) * 10, 1})
	}
	in = append(in, visit{"u", 5, 100})
	_, err := flotttest.Simulate(flotttest.Options{Seed: 3}, func(env *flott.Env) {
		s := flott.From(env, "in", flotttest.FromSlice(1, in...).Source(), flott.WatermarksMillis(func(v visit) int64 { return v.At }))
		k := flott.KeyBy(s, func(v visit) string { return v.User })
		counts := flott.Aggregate(k.Window(flott.Tumbling(time.Second)).LateTo(late), "w", flott.Count[visit]())
		told(counts).To("out", results)
		flott.SideOutput(counts, late).To("late", lates)
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := lates.Records(); len(got) != 1 || got[0].N != 100 {
		t.Errorf("late: %v", got)
	}
	if got := results.Records(); len(got) != 20 || got[0] != "{u {0 1000} 100}" {
		t.Errorf("results: %v", got)
	}
}

func TestWindowGraphIsRefused(t *testing.T) {
	env := flott.NewEnv()
	in := flott.From(env, "in", flotttest.FromSlice(1, visits(1)...).Source())
	k := flott.KeyBy(in, func(v visit) string { return v.User })
	count := func(name string, w flott.WindowedStream[string, visit]) {
		told(flott.Aggregate(w, name, flott.Count[visit]())).To(name+"-out", flotttest.NewLedger[string]())
	}
	count("dry", k.Window(flott.Tumbling(time.Second)))
	count("zero", k.Window(flott.Tumbling(0).ProcessingTime()))
	count("fine", k.Window(flott.Sliding(1500*time.Microsecond, time.Second).ProcessingTime()))
	count("far", k.Window(flott.Tumbling(time.Second).Offset(time.Second).ProcessingTime()))
	count("gap", k.Window(flott.Session(-time.Second).ProcessingTime()))
	count("patient", k.Window(flott.Tumbling(time.Second).ProcessingTime()).AllowedLateness(time.Second))
	count("counting", k.Window(flott.Tumbling(time.Second).ProcessingTime()).Trigger(flott.CountTrigger(3)))
	count("none", k.Window(flott.Global()).Trigger(flott.CountTrigger(0)))
	count("good", k.Window(flott.Session(time.Second).ProcessingTime()))
	count("good2", k.Window(flott.Global()))
	_, err := env.Compile(graph.Settings{Parallelism: 1})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		`window "dry" works in event time, but no watermarks reach it`, `window "zero": the size of windows is 0s`, `window "fine": the size of windows is 1.5ms`,
		`window "far": an offset of 1s: it must be less than 1s`, `window "gap": the gap of windows is -1s`, `window "patient": an allowed lateness of 1s`,
		`window "counting": a count trigger of 3 records`, `window "none": a count trigger`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "good") {
		t.Errorf("too much refused:\n%v", err)
	}
}
