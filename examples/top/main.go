// Top finds the three URLs that were clicked most in every ten seconds of event time: counts per URL and window, then a keyed process function
// with state and a timer that waits until all counts of a window are there.
package main

import (
	"cmp"
	"flag"
	"slices"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/cli"
	"github.com/flottio/flott/connector/collection"
	"github.com/flottio/flott/connector/file"
	"github.com/flottio/flott/connector/print"
	"github.com/flottio/flott/examples/clicks/traffic"
	"github.com/flottio/flott/format/json"
)

var input = flag.String("input", "", "`GLOB` of the files to read; without it, clicks that the example makes up")

// Click is a user's click on a URL.
type Click struct {
	URL  string    `json:"url,required"`
	Time time.Time `json:"ts,required,unixms"`
}

// Ranked is a URL among the top three of a window.
type Ranked struct {
	WindowStart time.Time
	Rank        int
	URL         string
	Count       int64
}

const (
	window   = 10 * time.Second
	disorder = 5 * time.Second
	best     = 3
)

func build(env *flott.Env) { top(env, clicks()).To("print", print.Sink[Ranked]()) }

// top is the job between source and sink.
func top(env *flott.Env, source flott.Source[Click]) flott.Stream[Ranked] {
	clicks := flott.From(env, "clicks", source, flott.Watermarks(func(c Click) time.Time { return c.Time }).OutOfOrder(disorder))
	perURL := flott.KeyBy(clicks, func(c Click) string { return c.URL })
	counts := flott.Aggregate(perURL.Window(flott.Tumbling(window)), "per-url", flott.Count[Click]())
	perWindow := flott.KeyBy(counts, func(r flott.Result[string, int64]) flott.Window { return r.Window })
	return flott.KeyedProcess(perWindow, "top", rank)
}

// rank collects the counts of a window. They have the event time of the window's last millisecond, so that all of them are there when the
// watermark has passed its end.
func rank(k *flott.KeyedContext[flott.Window, Ranked]) func(flott.Result[string, int64]) error {
	seen := flott.NewList[flott.Result[string, int64]](k, "counts")
	k.OnEventTimer(func(time.Time) error {
		all := slices.SortedFunc(slices.Values(seen.Get()), func(a, b flott.Result[string, int64]) int {
			return cmp.Or(cmp.Compare(b.Value, a.Value), cmp.Compare(a.Key, b.Key))
		})
		for i, r := range all[:min(best, len(all))] {
			k.Emit(Ranked{k.Key().StartTime(), i + 1, r.Key, r.Value})
		}
		seen.Clear()
		return nil
	})
	return func(r flott.Result[string, int64]) error {
		seen.Add(r)
		k.SetEventTimer(r.Window.EndTime())
		return nil
	}
}

func clicks() flott.Source[Click] {
	if *input != "" {
		return file.Source(*input, json.Of[Click]())
	}
	return collection.Source(madeUp(2000))
}

// madeUp makes a hundred clicks a second.
func madeUp(n int) (made []Click) {
	err := traffic.Generate(traffic.Options{Rows: n, Seed: 3, URLs: 8, PerSecond: 100, Disorder: disorder}, func(_ int, c traffic.Click) error {
		made = append(made, Click{c.URL, time.UnixMilli(c.TimeMs).UTC()})
		return nil
	})
	if err != nil {
		panic(err)
	}
	return made
}

func main() {
	cli.Main("top", build, cli.Doc("Finds the three URLs that were clicked most in every ten seconds."))
}
