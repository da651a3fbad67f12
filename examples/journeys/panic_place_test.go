package journeys

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/connector/collection"
	"github.com/flottio/flott/connector/datagen"
	"github.com/flottio/flott/flotttest"
)

// reading is a record with an event time in milliseconds.
type reading struct{ Sensor, At int64 }

// readings are those of two sensors, one a second; the one at 13 s is what careless functions fail at.
func readings() []reading {
	var in []reading
	for i := range int64(40) {
		in = append(in, reading{i % 2, i * 1000})
	}
	return in
}

func fatal(r reading) bool { return r.At == 13_000 }

func boom() { panic("boom") }

// careless is an aggregator that panics where it is told to.
type careless struct{ add, merge, result bool }

func (c careless) Add(acc *int64, v reading) {
	if *acc = max(*acc, v.At); c.add && fatal(v) {
		boom()
	}
}

func (c careless) Merge(acc, from *int64) {
	if *acc = max(*acc, *from); c.merge {
		boom()
	}
}

func (c careless) Result(acc *int64) int64 {
	if c.result && (*acc == 13_000 || *acc == 19_000) {
		boom()
	}
	return *acc
}

// A panic in any function of the user names operator, subtask, what was in work, and the user's own lines.
func TestEveryPanicIsLocated(t *testing.T) {
	const record = "record {Sensor:1 At:13000}"
	const window = "key 1, window 1970-01-01T00:00:10.000Z to 1970-01-01T00:00:20.000Z"
	sensor := func(r reading) int64 { return r.Sensor }
	times := flott.WatermarksMillis(func(r reading) int64 { return r.At })
	source := func(env *flott.Env) flott.Stream[reading] {
		return flott.From(env, "in", collection.Of(readings()...), times)
	}
	keyed := func(env *flott.Env) flott.KeyedStream[int64, reading] { return flott.KeyBy(source(env), sensor) }
	tumbling := func(env *flott.Env) flott.WindowedStream[int64, reading] {
		return keyed(env).Window(flott.Tumbling(10 * time.Second))
	}
	out := func(s flott.Stream[reading]) { s.To("out", flotttest.NewLedger[reading]()) }
	aggregated := func(s flott.Stream[flott.Result[int64, int64]]) {
		s.To("out", flotttest.NewLedger[flott.Result[int64, int64]]())
	}
	for name, c := range map[string]struct {
		build func(*flott.Env)
		want  []string
	}{
		"map": {func(env *flott.Env) {
			out(flott.Map(source(env), func(r reading) reading {
				if fatal(r) {
					boom()
				}
				return r
			}).Named("careless"))
		}, []string{`operator "careless"`, record}},
		"filter": {func(env *flott.Env) {
			out(source(env).Filter(func(r reading) bool {
				if fatal(r) {
					boom()
				}
				return r.Sensor == 1
			}).Named("careless"))
		}, []string{`operator "careless"`, record}},
		"flatMap": {func(env *flott.Env) {
			out(flott.FlatMap(source(env), func(r reading, emit func(reading)) {
				emit(r)
				if fatal(r) {
					boom()
				}
			}).Named("careless"))
		}, []string{`operator "careless"`, record}},
		"behind a flatMap": {func(env *flott.Env) {
			s := flott.FlatMap(source(env), func(r reading, emit func(reading)) { emit(r) })
			out(s.Filter(func(r reading) bool {
				if fatal(r) {
					boom()
				}
				return true
			}).Named("careless"))
		}, []string{`operator "careless"`, record}},
		"process": {func(env *flott.Env) {
			out(flott.Process(source(env), "careless", func(p *flott.ProcessContext[reading]) func(reading) error {
				return func(r reading) error {
					if fatal(r) {
						boom()
					}
					return nil
				}
			}))
		}, []string{`operator "careless"`, record}},
		"reduce": {func(env *flott.Env) {
			out(flott.Reduce(keyed(env), "careless", func(a, b reading) reading {
				if fatal(b) {
					boom()
				}
				return b
			}))
		}, []string{`operator "careless"`, record}},
		"aggregate": {func(env *flott.Env) { aggregated(flott.Aggregate(keyed(env), "careless", careless{add: true})) },
			[]string{`operator "careless"`, record}},
		"window reduce": {func(env *flott.Env) {
			out(flott.Reduce(tumbling(env), "careless", func(a, b reading) reading {
				if fatal(b) {
					boom()
				}
				return b
			}))
		}, []string{`operator "careless"`, record}},
		"window sum": {func(env *flott.Env) {
			flott.Aggregate(tumbling(env), "careless", flott.Sum(func(r reading) int64 {
				if fatal(r) {
					boom()
				}
				return 1
			})).To("out", flotttest.NewLedger[flott.Result[int64, int64]]())
		}, []string{`operator "careless"`, record}},
		"window result": {func(env *flott.Env) { aggregated(flott.Aggregate(tumbling(env), "careless", careless{result: true})) },
			[]string{`operator "careless"`, window}},
		"window function": {func(env *flott.Env) {
			out(flott.WindowProcess(tumbling(env), "careless", func(k *flott.KeyedContext[int64, reading]) func(flott.Window, []reading) error {
				return func(w flott.Window, rs []reading) error {
					if k.Key() == 1 && w.Start == 10_000 {
						boom()
					}
					return nil
				}
			}))
		}, []string{`operator "careless"`, window}},
		"session": {func(env *flott.Env) {
			w := keyed(env).Window(flott.Session(5 * time.Second))
			aggregated(flott.Aggregate(w, "careless", careless{add: true}))
		}, []string{`operator "careless"`, record}},
		"count window": {func(env *flott.Env) {
			w := keyed(env).Window(flott.Global()).Trigger(flott.CountTrigger(7))
			aggregated(flott.Aggregate(w, "careless", careless{result: true}))
		}, []string{`operator "careless"`, "record {Sensor:1 At:13000}", "key 1, global window"}},
		"event timer": {func(env *flott.Env) {
			out(flott.KeyedProcess(keyed(env), "careless", func(k *flott.KeyedContext[int64, reading]) func(reading) error {
				k.OnEventTimer(func(at time.Time) error {
					if at.UnixMilli() == 13_500 {
						boom()
					}
					return nil
				})
				return func(r reading) error {
					k.SetEventTimer(k.Time().Add(500 * time.Millisecond))
					return nil
				}
			}))
		}, []string{`operator "careless"`, "key 1, event timer of 1970-01-01T00:00:13.500Z"}},
		"key": {func(env *flott.Env) {
			k := flott.KeyBy(source(env), func(r reading) int64 {
				if fatal(r) {
					boom()
				}
				return r.Sensor
			})
			out(flott.Reduce(k, "sum", func(a, b reading) reading { return b }))
		}, []string{`operator "sum"`, record}},
		"key behind an edge": {func(env *flott.Env) {
			k := flott.KeyBy(source(env), func(r reading) int64 {
				if fatal(r) {
					boom()
				}
				return r.Sensor
			})
			out(flott.Reduce(k, "sum", func(a, b reading) reading { return b }).Parallelism(2))
		}, []string{`operator "in"`, record}},
		"watermarks": {func(env *flott.Env) {
			out(flott.From(env, "careless", collection.Of(readings()...), flott.WatermarksMillis(func(r reading) int64 {
				if fatal(r) {
					boom()
				}
				return r.At
			})))
		}, []string{`operator "careless"`, record}},
		"watermarks in the middle": {func(env *flott.Env) {
			s := flott.From(env, "in", collection.Of(readings()...))
			out(s.AssignWatermarks(flott.Watermarks(func(r reading) time.Time {
				if fatal(r) {
					boom()
				}
				return time.UnixMilli(r.At)
			})))
		}, []string{record}},
		"watermark generator": {func(env *flott.Env) {
			out(flott.From(env, "careless", collection.Of(readings()...), times.Custom(func() func(int64) int64 {
				return func(t int64) int64 { boom(); return t }
			})))
		}, []string{`operator "careless"`, "record {Sensor:1 At:39000}"}},
		"generator": {func(env *flott.Env) {
			out(flott.From(env, "careless", datagen.Source(func(i int64) reading {
				if i == 13 {
					boom()
				}
				return reading{}
			}, datagen.Rows(100))))
		}, []string{`operator "careless"`, "index 13"}},
		"partitioner": {func(env *flott.Env) {
			out(flott.Map(source(env).PartitionCustom(func(r reading, n int) int {
				if fatal(r) {
					boom()
				}
				return 0
			}), func(r reading) reading { return r }))
		}, []string{`operator "in"`, record}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := run(t, "located", c.build, "restart-strategy.type=none")
			if err == nil {
				t.Fatal("the job did not fail")
			}
			says(t, err.Error(), append(c.want, "subtask 1 of 1", "panic: boom", "journeys.boom", "panic_place_test.go:", "\nnot restarted: ")...)
			for _, noise := range []string{"BUG", "/internal/", "runtime/"} {
				if strings.Contains(err.Error(), noise) {
					t.Errorf("the message speaks of %q:\n%v", noise, err)
				}
			}
		})
	}
}

// An error that a timer's function returns names the timer like a panic does.
func TestTimerErrorIsLocated(t *testing.T) {
	_, err := run(t, "timer", func(env *flott.Env) {
		s := flott.From(env, "in", collection.Of(readings()...), flott.WatermarksMillis(func(r reading) int64 { return r.At }))
		k := flott.KeyBy(s, func(r reading) int64 { return r.Sensor })
		flott.KeyedProcess(k, "careless", func(k *flott.KeyedContext[int64, reading]) func(reading) error {
			k.OnEventTimer(func(time.Time) error { return errors.New("no") })
			return func(r reading) error {
				k.SetEventTimer(k.Time())
				return nil
			}
		}).To("out", flotttest.NewLedger[reading]())
	}, "restart-strategy.type=none")
	if err == nil {
		t.Fatal("the job did not fail")
	}
	says(t, err.Error(), `operator "careless", subtask 1 of 1, key 0, event timer of 1970-01-01T00:00:00.000Z: no`)
}

// A timer without a function cannot be cured by another attempt.
func TestTimerWithoutFunction(t *testing.T) {
	r, err := run(t, "timer", func(env *flott.Env) {
		k := flott.KeyBy(flott.From(env, "in", collection.Of(readings()...)), func(r reading) int64 { return r.Sensor })
		flott.KeyedProcess(k, "careless", func(k *flott.KeyedContext[int64, reading]) func(reading) error {
			return func(r reading) error {
				k.SetProcessingTimer(k.Now())
				return nil
			}
		}).To("out", flotttest.NewLedger[reading]())
	}, "execution.checkpointing.interval=1 h")
	if err == nil || r.Restarts != 0 {
		t.Fatalf("%+v, %v: want a failure at once", r, err)
	}
	says(t, err.Error(), `operator "careless"`, "record {Sensor:0 At:0}", "OnProcessingTimer", "the failure is permanent")
}

// Event times that are none are an error at their record, not a complaint about missing watermarks.
func TestImpossibleEventTimes(t *testing.T) {
	for _, at := range []int64{-1 << 63, 1<<63 - 1, -62_167_219_200_001, 253_402_300_800_000} {
		_, err := run(t, "times", func(env *flott.Env) {
			s := flott.From(env, "in", collection.Of(reading{1, 0}, reading{2, at}, reading{3, 1}),
				flott.WatermarksMillis(func(r reading) int64 { return r.At }))
			k := flott.KeyBy(s, func(r reading) int64 { return r.Sensor })
			flott.Aggregate(k.Window(flott.Tumbling(time.Second)), "count", flott.Count[reading]()).
				To("out", flotttest.NewLedger[flott.Result[int64, int64]]())
		}, "execution.checkpointing.interval=1 h")
		if err == nil {
			t.Fatal("the job did not fail")
		}
		says(t, err.Error(), `operator "in"`, "record {Sensor:2", "is outside of the years 0 to 9999", "the failure is permanent")
	}
}
