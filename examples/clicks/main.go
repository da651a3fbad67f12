// Clicks counts how often each URL is clicked per minute of event time: JSON lines in, CSV lines out, each click counted exactly once,
// also when the process is killed in the middle and started again with -s latest.
package main

import (
	"flag"
	"path/filepath"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/cli"
	"github.com/flottio/flott/connector/file"
	"github.com/flottio/flott/format/csv"
	"github.com/flottio/flott/format/json"
)

var (
	input  = flag.String("input", "", "`GLOB` of the files to read; without it, clicks that the example brings along")
	output = flag.String("output", "", "`DIR` for the results; without it, a new one")
	rate   = flag.Int("rate", 0, "read about `N` clicks a second and subtask; 0 is as fast as possible")
)

type Click struct {
	URL  string    `json:"url,required"`
	User string    `json:"user,required"`
	Time time.Time `json:"ts,required,unixms"`
}

type URLCount struct {
	WindowStart time.Time `csv:"window_start"`
	URL         string    `csv:"url"`
	Count       int64     `csv:"count"`
}

func build(env *flott.Env) {
	in, dir := places()
	env.Set("execution.checkpointing.interval", "1 s")
	env.Set("execution.checkpointing.dir", filepath.Join(dir, "checkpoints"))

	clicks := flott.From(env, "clicks", file.Source(in, paced(json.Of[Click](), *rate)),
		flott.Watermarks(func(c Click) time.Time { return c.Time }).OutOfOrder(5*time.Second))
	perURL := flott.KeyBy(clicks, func(c Click) string { return c.URL })
	late := flott.NewOutputTag[Click]("late")
	counts := flott.Aggregate(perURL.Window(flott.Tumbling(time.Minute)).LateTo(late), "per-minute", flott.Count[Click]())
	rows := flott.Map(counts, func(r flott.Result[string, int64]) URLCount {
		return URLCount{WindowStart: r.Window.StartTime(), URL: r.Key, Count: r.Value}
	})
	rows.To("counts", file.Sink(filepath.Join(dir, "counts"), csv.Of[URLCount]()))
	flott.SideOutput(counts, late).To("late", file.Sink(filepath.Join(dir, "late"), json.Of[Click]()))
	clicks.DeadLetters().To("dead", file.Sink(filepath.Join(dir, "dead"), json.Of[flott.BadInput]()))
}

func main() {
	cli.Main("clicks", build, cli.Doc("Counts clicks per URL and minute of event time."), cli.Done(report))
}
