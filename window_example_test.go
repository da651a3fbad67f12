package flott_test

import (
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/flotttest"
)

// Hit is a record of the examples.
type Hit struct {
	URL  string
	User string
	Time time.Time
}

func someHits(env *flott.Env) flott.Stream[Hit] {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(d time.Duration, url, user string) Hit { return Hit{url, user, start.Add(d)} }
	return flott.From(env, "hits", flotttest.FromSlice(1,
		at(0, "/a", "ann"), at(10*time.Second, "/b", "bob"), at(50*time.Second, "/a", "ann"), at(70*time.Second, "/a", "bob"),
		at(40*time.Minute, "/a", "ann"), at(41*time.Minute, "/b", "ann"),
	).Source(), flott.Watermarks(func(h Hit) time.Time { return h.Time }).OutOfOrder(5*time.Second))
}

// printSorted runs a job and prints what it gives, sorted.
func printSorted[T any](build func(*flott.Env) flott.Stream[T]) {
	out := flotttest.NewLedger[string]()
	_, err := flotttest.Simulate(flotttest.Options{Seed: 1}, func(env *flott.Env) {
		flott.Map(build(env), func(v T) string { return fmt.Sprint(v) }).To("out", out)
	})
	if err != nil {
		panic(err)
	}
	lines := slices.Clone(out.Records())
	slices.Sort(lines)
	for _, l := range lines {
		fmt.Fprintln(os.Stdout, l)
	}
}

func ExampleTumbling() {
	printSorted(func(env *flott.Env) flott.Stream[string] {
		perURL := flott.KeyBy(someHits(env), func(h Hit) string { return h.URL })
		counts := flott.Aggregate(perURL.Window(flott.Tumbling(time.Minute)), "per-minute", flott.Count[Hit]())
		return flott.Map(counts, func(r flott.Result[string, int64]) string {
			return fmt.Sprint(r.Window.StartTime().Format("15:04 "), r.Key, " ", r.Value)
		})
	})
	// Output:
	// 00:00 /a 2
	// 00:00 /b 1
	// 00:01 /a 1
	// 00:40 /a 1
	// 00:41 /b 1
}

func ExampleWindowProcess() {
	type visit struct {
		User   string
		Number int
		Hits   int
		Length time.Duration
	}
	printSorted(func(env *flott.Env) flott.Stream[visit] {
		perUser := flott.KeyBy(someHits(env), func(h Hit) string { return h.User })
		return flott.WindowProcess(perUser.Window(flott.Session(30*time.Minute)), "sessions",
			func(k *flott.KeyedContext[string, visit]) func(flott.Window, []Hit) error {
				number := flott.NewValue[int](k, "number")
				return func(w flott.Window, hits []Hit) error {
					number.Set(number.Get() + 1)
					k.Emit(visit{k.Key(), number.Get(), len(hits), w.EndTime().Sub(w.StartTime())})
					return nil
				}
			})
	})
	// Output:
	// {ann 1 2 30m50s}
	// {ann 2 2 31m0s}
	// {bob 1 2 31m0s}
}

func ExampleWindowedStream_LateTo() {
	printSorted(func(env *flott.Env) flott.Stream[Hit] {
		perURL := flott.KeyBy(someHits(env), func(h Hit) string { return h.URL })
		late := flott.NewOutputTag[Hit]("late")
		counts := flott.Aggregate(perURL.Window(flott.Tumbling(time.Minute)).AllowedLateness(time.Hour).LateTo(late), "per-minute", flott.Count[Hit]())
		counts.To("counts", flotttest.NewLedger[flott.Result[string, int64]]())
		return flott.SideOutput(counts, late)
	})
	// Output:
}

func ExampleSliding() {
	printSorted(func(env *flott.Env) flott.Stream[string] {
		perURL := flott.KeyBy(someHits(env), func(h Hit) string { return h.URL })
		last := flott.Reduce(perURL.Window(flott.Sliding(2*time.Minute, time.Minute)), "last", func(a, b Hit) Hit { return b })
		return flott.Map(last, func(h Hit) string { return fmt.Sprint(h.URL, " ", h.User, " ", h.Time.Format("15:04:05")) })
	})
	// Output:
	// /a ann 00:00:50
	// /a ann 00:40:00
	// /a ann 00:40:00
	// /a bob 00:01:10
	// /a bob 00:01:10
	// /b ann 00:41:00
	// /b ann 00:41:00
	// /b bob 00:00:10
	// /b bob 00:00:10
}
