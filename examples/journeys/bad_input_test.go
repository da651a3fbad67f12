package journeys

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flottio/flott"
	"github.com/flottio/flott/connector/file"
	"github.com/flottio/flott/flotttest"
	"github.com/flottio/flott/format/json"
)

// order is what files of these tests hold.
type order struct {
	ID     int64   `json:"id,required"`
	Amount float64 `json:"amount"`
	Note   string  `json:"note"`
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// readOrders is a job that reads files and keeps the orders.
func readOrders(pattern string, out *flotttest.Ledger[order]) func(*flott.Env) {
	return func(env *flott.Env) {
		flott.From(env, "orders", file.Source(pattern, json.Of[order]())).To("out", out)
	}
}

// Input that cannot be decoded fails the job with file, line, column and text, and says what else could be done. No restart is tried.
func TestBadLines(t *testing.T) {
	for _, c := range []struct {
		name, line string
		want       []string
	}{
		{"malformed", `{"id":2,"amount":1.5,}`, []string{":2:22: ", `{"id":2,"amount":1.5,}`}},
		{"cut off", `{"id":2,"amo`, []string{":2:13: ", `{"id":2,"amo`}},
		{"missing field", `{"amount":1.5}`, []string{":2:", `"id"`, "missing"}},
		{"wrong type", `{"id":"two"}`, []string{":2:7: ", `field "id"`, "wrong type", "expected an integer", `string "two"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := writeFile(t, filepath.Join(t.TempDir(), "orders.jsonl"), "{\"id\":1}\n"+c.line+"\n{\"id\":3}\n")
			_, err := run(t, "bad", readOrders(name, flotttest.NewLedger[order]()), "restart-strategy.type=fixed-delay",
				"execution.checkpointing.interval=1 s")
			if err == nil {
				t.Fatal("the job did not fail")
			}
			says(t, err.Error(), append(c.want, name, `"orders"`, "DeadLetters()", "DropBadInput()")...)

			// The same input with the two other policies.
			out, dead := flotttest.NewLedger[order](), flotttest.NewLedger[flott.BadInput]()
			r, err := run(t, "dead", func(env *flott.Env) {
				s := flott.From(env, "orders", file.Source(name, json.Of[order]()))
				s.To("out", out)
				s.DeadLetters().To("dead", dead)
			})
			if err != nil {
				t.Fatal(err)
			}
			if letters := dead.Records(); len(letters) != 1 || letters[0].Raw != c.line || letters[0].Line != 2 || letters[0].Split == "" {
				t.Errorf("dead letters %+v, want line 2 alone", letters)
			}
			if len(out.Records()) != 2 || r.DeadLetters != 1 {
				t.Errorf("records %v and %+v, want ids 1 and 3 and one dead letter", out.Records(), r)
			}
			r, err = run(t, "drop", func(env *flott.Env) {
				flott.From(env, "orders", file.Source(name, json.Of[order]())).DropBadInput().To("out", flotttest.NewLedger[order]())
			})
			if err != nil || r.Dropped != 1 {
				t.Errorf("%+v, %v: want one counted drop", r, err)
			}
		})
	}
}

// A file that is taken away while it is open is read to its end all the same: what it held is still there.
func TestOpenFileIsRemoved(t *testing.T) {
	const rows = 60_000
	name := writeFile(t, filepath.Join(t.TempDir(), "a.jsonl"), strings.Repeat("{\"id\":1}\n", rows))
	out := flotttest.NewLedger[order]()
	_, err := run(t, "removed", func(env *flott.Env) {
		removed := false
		flott.TryMap(flott.From(env, "orders", file.Source(name, json.Of[order]())), func(o order) (order, error) {
			if removed {
				return o, nil
			}
			removed = true
			return o, os.Remove(name)
		}).To("out", out)
	}, "restart-strategy.type=none")
	if n := len(out.Records()); err != nil || n != rows {
		t.Errorf("%d records and error %v, want %d and none", n, err, rows)
	}
}

// A file that vanishes, shrinks or is replaced before it was read to its end fails the job by name: what it held is not known any more.
func TestFileChangesWhileRead(t *testing.T) {
	big := strings.Repeat("{\"id\":1}\n", 60_000) // more than one read takes
	for _, c := range []struct {
		name   string
		change func(first, second string) error
		want   []string
	}{
		{"the next one vanishes", func(_, second string) error { return os.Remove(second) }, []string{"b.jsonl", "has vanished", "put it back"}},
		{"this one shrinks", func(first, _ string) error { return os.Truncate(first, 100) }, []string{"a.jsonl"}},
		{"the next one is replaced", func(_, second string) error {
			return errors.Join(os.Remove(second), os.WriteFile(second, []byte(big[:9000]), 0o644))
		}, []string{"b.jsonl"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			first := writeFile(t, filepath.Join(dir, "a.jsonl"), big)
			second := writeFile(t, filepath.Join(dir, "b.jsonl"), big)
			changed := false
			_, err := run(t, "vanish", func(env *flott.Env) {
				s := flott.From(env, "orders", file.Source(filepath.Join(dir, "*.jsonl"), json.Of[order]()))
				flott.TryMap(s, func(o order) (order, error) {
					if changed {
						return o, nil
					}
					changed = true
					return o, c.change(first, second)
				}).To("out", flotttest.NewLedger[order]())
			}, "restart-strategy.type=none")
			if err == nil {
				t.Fatal("the job did not fail")
			}
			says(t, err.Error(), c.want...)
		})
	}
}

// No file at all is a mistake in the pattern more often than not.
func TestNoFileMatches(t *testing.T) {
	_, err := run(t, "none", readOrders(filepath.Join(t.TempDir(), "*.jsonl"), flotttest.NewLedger[order]()))
	if err == nil {
		t.Fatal("the job did not fail")
	}
	says(t, err.Error(), "*.jsonl", `"orders"`)
}

// Mistakes in the configuration are told all at once, with the nearest name or what is expected.
func TestBadConfiguration(t *testing.T) {
	_, err := run(t, "config", readOrders("x", flotttest.NewLedger[order]()),
		"execution.checkpointing.intervall=5 s", "execution.checkpointing.timeout=5 parsecs", "state.backend.type=rocks",
		"taskmanager.memory.jvm-metaspace.size=1g", "parallelism.default=0")
	if err == nil {
		t.Fatal("the job was not refused")
	}
	says(t, err.Error(), "execution.checkpointing.intervall", "execution.checkpointing.interval", "5 parsecs", "rocks", "rocksdb",
		"jvm-metaspace", "JVM", "parallelism.default")
}

// A setting of the job's code is named with its place.
func TestBadSettingInCode(t *testing.T) {
	_, err := run(t, "config", func(env *flott.Env) {
		env.Set("execution.checkpointing.interval", "soon")
		readOrders("x", flotttest.NewLedger[order]())(env)
	})
	if err == nil {
		t.Fatal("the job was not refused")
	}
	says(t, err.Error(), "execution.checkpointing.interval", "soon", "bad_input_test.go:")
}

// Mistakes in the graph are told all at once, each with file and line.
func TestBadGraph(t *testing.T) {
	_, err := run(t, "graph", func(env *flott.Env) {
		s := flott.From(env, "in", flotttest.FromSlice(1, numbers(10, 2)...).Source())
		flott.Reduce(flott.KeyBy(s, keyOf), "sum", sum).To("out", flotttest.NewLedger[number]())
		flott.Reduce(flott.KeyBy(s, keyOf), "sum", sum).To("out2", flotttest.NewLedger[number]())
		flott.Reduce(flott.KeyBy(s, keyOf), "", sum).To("out3", flotttest.NewLedger[number]())
		flott.Map(s, func(n number) number { return n })
	})
	if err == nil {
		t.Fatal("the graph was not refused")
	}
	says(t, err.Error(), "3 problems", `the name "sum" is used twice`, "reduce has no name", "goes nowhere", "bad_input_test.go:")
	if n := strings.Count(err.Error(), "bad_input_test.go:"); n < 4 {
		t.Errorf("%d places, want one for each problem and one for the first use of the name:\n%v", n, err)
	}
}

// Input that is not UTF-8 becomes a dead letter that every sink can write: one that cannot would fail the job at it after every restart.
func TestDeadLetterNotUTF8(t *testing.T) {
	dir := t.TempDir()
	long := `{"id":"` + strings.Repeat("é", 40_000) // is cut off within a character
	name := writeFile(t, filepath.Join(dir, "orders.jsonl"), "{\"id\":\"\xff\xfe\x00\"}\n"+long+"\n{\"id\":3}\n")
	r, err := run(t, "utf8", func(env *flott.Env) {
		s := flott.From(env, "orders", file.Source(name, json.Of[order]()))
		s.To("out", flotttest.NewLedger[order]())
		s.DeadLetters().To("dead", file.Sink(filepath.Join(dir, "dead"), json.Of[flott.BadInput]()))
	})
	if err != nil || r.DeadLetters != 2 {
		t.Fatalf("%+v, %v: want two dead letters", r, err)
	}
}
