package journeys

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/connector/collection"
	"github.com/flottio/flott/connector/file"
	"github.com/flottio/flott/flotttest"
	"github.com/flottio/flott/format/csv"
	"github.com/flottio/flott/format/json"
)

// stamped is a record with a time counted since the epoch.
type stamped struct {
	ID int64     `json:"id"`
	TS time.Time `json:"ts,unixms"`
}

// unwritable is a record that CSV cannot write: a time outside of RFC 3339.
type unwritable struct {
	ID int64     `csv:"id"`
	At time.Time `csv:"at"`
}

// What another attempt would meet again fails the job at once, although the default with checkpoints is to restart without end.
func TestHopelessErrorsAreNotRetried(t *testing.T) {
	gz := "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xaa\x56\xca" // the beginning of a gzip file
	for name, c := range map[string]struct {
		build func(dir string) func(*flott.Env)
		defs  []string
		want  []string
	}{
		"truncated gzip": {func(dir string) func(*flott.Env) {
			return readOrders(writeFile(t, dir+"/a.jsonl.gz", gz), flotttest.NewLedger[order]())
		}, nil, []string{"a.jsonl.gz", "gzip data is cut off or damaged"}},
		"junk in gzip": {func(dir string) func(*flott.Env) {
			return readOrders(writeFile(t, dir+"/a.jsonl.gz", "{}\n"), flotttest.NewLedger[order]())
		}, nil, []string{"a.jsonl.gz", "gzip data is cut off or damaged"}},
		"junk in zstd": {func(dir string) func(*flott.Env) {
			return readOrders(writeFile(t, dir+"/a.jsonl.zst", "{\"id\":1}\n{}\n{}\n{}\n"), flotttest.NewLedger[order]())
		}, nil, []string{"a.jsonl.zst", "zstd data is cut off or damaged"}},
		"local directory": {func(dir string) func(*flott.Env) {
			return func(env *flott.Env) {
				s := flott.From(env, "in", collection.Of(numbers(10, 2)...))
				flott.Reduce(flott.KeyBy(s, keyOf), "sum", sum).To("out", flotttest.NewLedger[number]())
			}
		}, []string{"state.backend.type=rocksdb", "io.tmp.dirs=/proc/version/local"}, []string{"/proc/version/local", "io.tmp.dirs"}},
		"unwritable record": {func(dir string) func(*flott.Env) {
			return func(env *flott.Env) {
				s := flott.From(env, "in", collection.Of(unwritable{7, time.Date(12_000, 1, 1, 0, 0, 0, 0, time.UTC)}))
				s.To("out", file.Sink(dir+"/out", csv.Of[unwritable]()))
			}
		}, nil, []string{`operator "out"`, "encoding record {ID:7 At:12000-01-01", `field "at"`, "time out of range"}},
		"no permission": {func(string) func(*flott.Env) {
			return func(env *flott.Env) {
				flott.TryMap(flott.From(env, "in", collection.Of(numbers(10, 2)...)), func(n number) (number, error) {
					return n, &fs.PathError{Op: "open", Path: "/secret", Err: fs.ErrPermission}
				}).To("out", flotttest.NewLedger[number]())
			}
		}, nil, []string{"/secret", "permission denied"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := run(t, "hopeless", c.build(t.TempDir()), append(c.defs, "execution.checkpointing.interval=1 h")...)
			if err == nil || r.Restarts != 0 {
				t.Fatalf("%+v, %v: want a failure without a restart", r, err)
			}
			says(t, strings.ReplaceAll(err.Error(), fs.ErrPermission.Error(), "permission denied"), append(c.want, "the failure is permanent")...)
		})
	}
}

// A time outside of the calendar is bad input like a malformed line, with its place and field, and goes where such lines go.
func TestImpossibleTimesInFiles(t *testing.T) {
	for _, ts := range []string{"9223372036854775807", "-9223372036854775808", "253402300800000"} {
		name := writeFile(t, filepath.Join(t.TempDir(), "a.jsonl"), fmt.Sprintf("{\"id\":1,\"ts\":0}\n{\"id\":2,\"ts\":%s}\n{\"id\":3,\"ts\":1}\n", ts))
		build := func(out *flotttest.Ledger[stamped], dead *flotttest.Ledger[flott.BadInput]) func(*flott.Env) {
			return func(env *flott.Env) {
				s := flott.From(env, "in", file.Source(name, json.Of[stamped]()), flott.Watermarks(func(s stamped) time.Time { return s.TS }))
				s.To("out", out)
				if dead != nil {
					s.DeadLetters().To("dead", dead)
				}
			}
		}
		_, err := run(t, "times", build(flotttest.NewLedger[stamped](), nil))
		if err == nil {
			t.Fatal("the job did not fail")
		}
		says(t, err.Error(), name+":2:14: ", `field "ts"`, "time out of range: expected a year from 0 to 9999", ts)
		out, dead := flotttest.NewLedger[stamped](), flotttest.NewLedger[flott.BadInput]()
		if r, err := run(t, "times", build(out, dead)); err != nil || r.DeadLetters != 1 || len(out.Records()) != 2 || len(dead.Records()) != 1 {
			t.Errorf("%+v, %v: %v and %v", r, err, out.Records(), dead.Records())
		}
	}
}

// A note of checkpoint ids that is damaged is refused by name: going on from the greatest id there is would hang.
func TestDamagedLastID(t *testing.T) {
	dir := t.TempDir()
	build := func(env *flott.Env) {
		flott.From(env, "in", collection.Of(numbers(10, 2)...)).To("out", flotttest.NewLedger[number]())
	}
	defs := []string{"execution.checkpointing.interval=1 h", "execution.checkpointing.dir=" + dir}
	if _, err := run(t, "ids", build, defs...); err != nil {
		t.Fatal(err)
	}
	notes, err := filepath.Glob(filepath.Join(dir, "*", ".last-id"))
	if err != nil || len(notes) != 1 {
		t.Fatalf("notes %v, %v", notes, err)
	}
	if err := os.WriteFile(notes[0], []byte("9223372036854775807\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = run(t, "ids", build, defs...)
	if err == nil {
		t.Fatal("the job was not refused")
	}
	says(t, err.Error(), notes[0], "9223372036854775807")
}
