package flott_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/config"
	"github.com/flottio/flott/flotttest"
)

// here is the place of the line that calls it, offset lines further down, as messages name it.
func here(offset int) string {
	_, file, line, _ := runtime.Caller(1)
	return fmt.Sprintf("%s:%d", file, line+offset)
}

type keyedSetup = func(k *flott.KeyedContext[string, click]) func(click) error

// refusal is what Prepare says to a job with one keyed process function; watermarks says that its source has them.
func refusal(t *testing.T, watermarks bool, setup keyedSetup) string {
	t.Helper()
	_, err := flott.Prepare("refused", func(env *flott.Env) { keyedJob(env, watermarks, setup) }, config.New(), nil)
	if err == nil {
		t.Fatal("the job was accepted")
	}
	return err.Error()
}

func keyedJob(env *flott.Env, watermarks bool, setup keyedSetup) {
	var strategy []flott.WatermarkStrategy[click]
	if watermarks {
		strategy = append(strategy, flott.WatermarksMillis(func(c click) int64 { return c.N }))
	}
	s := flott.From(env, "in", flotttest.FromSlice(1, click{"a", 1}, click{"b", 2}).Source(), strategy...)
	flott.KeyedProcess(flott.KeyBy(s, func(c click) string { return c.URL }), "op", setup).To("out", flotttest.NewLedger[click]())
}

func wantAll(t *testing.T, got string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(got, want) {
			t.Errorf("got\n  %s\nwant in it\n  %s", got, want)
		}
	}
}

func nothing(click) error { return nil }

// Everything that is wrong with the declarations of an operator is said at once, each with its place.
func TestStatesAreRefusedWithTheirPlaces(t *testing.T) {
	var at string
	got := refusal(t, false, func(k *flott.KeyedContext[string, click]) func(click) error {
		at = here(1)
		flott.NewValue[int64](k, "")
		flott.NewValue[int64](k, "@event-timers")
		flott.NewMap[string, int64](k, "m/keys")
		flott.NewList[int64](k, "twice")
		flott.NewOperatorList[int64](k, "twice", false)
		flott.NewValue[chan int](k, "channel")
		flott.NewValue[int64](k, "short", flott.TTL(time.Microsecond))
		flott.NewValue[int64](k, "timeless", flott.EventTimeTTL(time.Second))
		return nothing
	})
	file, first, _ := strings.Cut(at, ".go:")
	var line int
	fmt.Sscan(first, &line)
	place := func(offset int) string { return fmt.Sprintf("(%s.go:%d)", file, line+offset) }
	wantAll(t, got,
		`process "op": state "" `+place(0)+`: it has no name`,
		`state "@event-timers" `+place(1)+`: names that begin with @ are the engine's own`,
		`state "m/keys" `+place(2)+`: names that end in /keys are the engine's own`,
		`state "twice" `+place(4)+`: it is declared already, at `+strings.Trim(place(3), "()"),
		`state "channel" `+place(5)+`: deriving the codec of value chan int`,
		`state "short" `+place(6)+`: a time to live of 1µs: at least 1 ms is needed`,
		`state "timeless" `+place(7)+`: a time to live in event time needs watermarks, and none reach this operator from source "in"`,
	)
}

// A reduce whose records cannot be stored speaks of the user's type, not of the engine's.
func TestUnstorableRecordIsNamedAsTheUsers(t *testing.T) {
	type bad struct{ F func() }
	_, err := flott.Prepare("refused", func(env *flott.Env) {
		s := flott.From(env, "in", flotttest.FromSlice(1, click{"a", 1}).Source())
		k := flott.KeyBy(flott.Map(s, func(c click) bad { return bad{} }), func(bad) string { return "" })
		r := flott.Reduce(k, "sum", func(a, b bad) bad { return a })
		flott.Map(r, func(bad) click { return click{} }).To("out", flotttest.NewLedger[click]())
		w := flott.Reduce(k.Window(flott.Session(time.Second).ProcessingTime()), "sessions", func(a, b bad) bad { return a })
		flott.Map(w, func(bad) click { return click{} }).To("out2", flotttest.NewLedger[click]())
	}, config.New(), nil)
	if err == nil {
		t.Fatal("the job was accepted")
	}
	wantAll(t, err.Error(), `reduce "sum": deriving the codec of value flott_test.bad`, `window "sessions": deriving the codec of value flott_test.bad`)
	if strings.Contains(err.Error(), "[") {
		t.Errorf("a generic type of the engine's is in\n%v", err)
	}
}

func TestTimersAreRefusedWithTheirPlaces(t *testing.T) {
	var at string
	onTimer := func(time.Time) error { return nil }
	got := refusal(t, false, func(k *flott.KeyedContext[string, click]) func(click) error {
		at = here(1)
		k.OnEventTimer(onTimer)
		return nothing
	})
	wantAll(t, got, `process "op": OnEventTimer (`+at+`): an event-time timer needs watermarks, and none reach this operator from source "in"`)

	got = refusal(t, true, func(k *flott.KeyedContext[string, click]) func(click) error {
		k.OnEventTimer(onTimer)
		at = here(1)
		k.OnEventTimer(onTimer)
		k.OnProcessingTimer(nil)
		return nothing
	})
	wantAll(t, got, `OnEventTimer (`+at+`): there is a function already`, `: the function is nil`)

	got = refusal(t, true, func(k *flott.KeyedContext[string, click]) func(click) error {
		at = here(1)
		k.SetEventTimer(time.UnixMilli(1))
		return nothing
	})
	wantAll(t, got, `an event-time timer of operator "op" is used at `+at+` in setup, where there is no key`)
}

// One input without watermarks is enough: event time is that of the slower one.
func TestCoProcessTimersNeedWatermarksOnBothInputs(t *testing.T) {
	_, err := flott.Prepare("refused", func(env *flott.Env) {
		key := func(c click) string { return c.URL }
		with := flott.From(env, "with", flotttest.FromSlice(1, click{"a", 1}).Source(), flott.WatermarksMillis(func(c click) int64 { return c.N }))
		without := flott.From(env, "without", flotttest.FromSlice(1, click{"a", 1}).Source())
		flott.CoProcess(flott.KeyBy(with, key), flott.KeyBy(without, key), "both",
			func(k *flott.KeyedContext[string, click]) (func(click) error, func(click) error) {
				k.OnEventTimer(func(time.Time) error { return nil })
				return nothing, nothing
			}).To("out", flotttest.NewLedger[click]())
	}, config.New(), nil)
	if err == nil {
		t.Fatal("the job was accepted")
	}
	wantAll(t, err.Error(), `none reach this operator from source "without"`)
}

// What only shows when records come fails the job with the place of the wrong call.
func TestMisuseFailsTheJobWithItsPlace(t *testing.T) {
	var at string
	// Of a job that has ended: no other goroutine has to do with it.
	var other *flott.ValueState[string, int64]
	first, err := flott.Prepare("other", func(env *flott.Env) {
		keyedJob(env, false, func(k *flott.KeyedContext[string, click]) func(click) error {
			other = flott.NewValue[int64](k, "mine")
			return nothing
		})
	}, config.New(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		setup keyedSetup
		want  string
	}{
		"declared late": {func(k *flott.KeyedContext[string, click]) func(click) error {
			return func(click) error {
				at = "state \"late\" (" + here(1)
				flott.NewValue[int64](k, "late")
				return nil
			}
		}, `) of operator "op" is declared while records are processed`},
		"timer without function": {func(k *flott.KeyedContext[string, click]) func(click) error {
			return func(click) error {
				at = here(1)
				k.SetEventTimer(time.UnixMilli(1))
				return nil
			}
		}, `, but setup gave no function for it: call OnEventTimer in setup`},
		"state of another operator": {func(k *flott.KeyedContext[string, click]) func(click) error {
			return func(click) error {
				at = "state \"mine\" ("
				other.Get()
				return nil
			}
		}, ` outside of a call of that operator's functions`},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config.New()
			cfg.Define("restart-strategy.type=none")
			job, err := flott.Prepare("misuse", func(env *flott.Env) {
				keyedJob(env, false, c.setup)
			}, cfg, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = job.Run(context.Background())
			if err == nil {
				t.Fatal("the job ended well")
			}
			wantAll(t, err.Error(), at, c.want)
		})
	}
}

// Records of the broadcast stream have no key: keyed state and timers are refused in their function.
func TestKeyedStateInBroadcastFunction(t *testing.T) {
	cfg := config.New()
	cfg.Define("restart-strategy.type=none")
	job, err := flott.Prepare("broadcast", func(env *flott.Env) {
		s := flott.From(env, "in", flotttest.FromSlice[click](1).Source())
		rules := flott.From(env, "rules", flotttest.FromSlice(1, click{"a", 1}).Source())
		flott.BroadcastProcess(flott.KeyBy(s, func(c click) string { return c.URL }), rules, "op",
			func(k *flott.KeyedContext[string, click]) (func(click) error, func(click) error) {
				n := flott.NewValue[int64](k, "n")
				return nothing, func(click) error { n.Set(1); return nil }
			}).To("out", flotttest.NewLedger[click]())
	}, cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = job.Run(context.Background())
	if err == nil {
		t.Fatal("the job ended well")
	}
	wantAll(t, err.Error(), `state "n" (`, `in the function for the broadcast stream, whose records have no key`)
}
