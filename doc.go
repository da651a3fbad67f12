// Package flott is the DataStream API of Flott: stateful stream and batch processing in Go.
//
// A job is a function that draws a graph on an Env:
//
//	func build(env *flott.Env) {
//		clicks := flott.From(env, "clicks", file.Source("clicks/*.jsonl", json.Of[Click]()),
//			flott.Watermarks(func(c Click) time.Time { return c.Time }).OutOfOrder(5*time.Second))
//		perURL := flott.KeyBy(clicks.Filter(Click.Valid), func(c Click) string { return c.URL })
//		counts := flott.Aggregate(perURL.Window(flott.Tumbling(time.Minute)), "per-minute", flott.Count[Click]())
//		counts.To("counts", file.Sink(dir, csv.Of[flott.Result[string, int64]]()))
//	}
//
//	func main() { cli.Main("clicks", build) }
//
// What changes the type of a stream is a function (Map, KeyBy, Aggregate); what keeps it is a method (Filter, Rebalance). Functions
// given to operators are called by one goroutine per subtask and see one record at a time; they must not keep or change what
// they were given, and must not block.
//
// Every source, sink and stateful operator has a name. It is the operator's uid: its state is found under that name after a restart,
// whatever else has changed in the job.
package flott
